//! `caishi account`: invitations to the console.

use super::{
    Exit,
    session::{Actor, Session, block_on},
    table::{Table, moment},
};
use crate::{console, model::PersonId};
use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use std::path::Path;

/// Arguments of `caishi account`.
#[derive(Debug, Args)]
pub struct AccountArguments {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// 发一个邀请：打开网址，自己设口令；24 小时内用一次，也用来重设口令
    Invite {
        /// 请谁：[[people]] 或“设置”里的代号
        #[arg(value_name = "代号")]
        person: String,
        #[command(flatten)]
        actor: Actor,
    },
    /// 列出谁能登录
    List,
}

pub(super) fn run(arguments: &AccountArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        match &arguments.command {
            AccountCommand::Invite { person, actor } => invite(&session, person, actor).await,
            AccountCommand::List => list(&session).await,
        }
    })
}

async fn invite(session: &Session, person: &str, actor: &Actor) -> anyhow::Result<Exit> {
    let inviter = actor.authenticate(&session.config)?;
    let id = PersonId::new(person)?;
    let Some(person) = session.publisher.person(&id).await? else {
        bail!("没有“{id}”这个人；先写进 channels.toml 的 [[people]]，或请管理员在控制台“设置”里加");
    };
    let is_administrator = inviter.roles.iter().any(|role| role == "administrator");
    if inviter.id != person.id && !is_administrator {
        bail!("{}只能给自己发邀请；给别人发要有 administrator 的角色", inviter.name);
    }
    let (url, until) = console::invite(
        &session.publisher,
        &person.id,
        SignedDuration::from_hours(24),
        inviter.id.as_str(),
    )
    .await?;
    println!("{url}");
    eprintln!(
        "请{}在 {} 前打开，自己设口令。网址只显示这一次，不要群发",
        person.name,
        moment(until)
    );
    Ok(Exit::Success)
}

async fn list(session: &Session) -> anyhow::Result<Exit> {
    let accounts = session.publisher.store.accounts().await?;
    let mut table = Table::new(["代号", "姓名", "角色", "能登录"]);
    for person in session.publisher.people().await? {
        let account = accounts.iter().find(|account| account.person == person.id);
        let state = match account {
            None => "还没有发邀请",
            Some(account) if !account.active => "停用",
            Some(account) if account.password.is_none() => "邀请还没有用",
            Some(_) => "能",
        };
        table.row([person.id.to_string(), person.name, person.roles.join("、"), state.to_owned()]);
    }
    print!("{table}");
    Ok(Exit::Success)
}
