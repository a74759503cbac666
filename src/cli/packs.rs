//! `caishi packs`: who has what, who is late, what must come down; and codes for new machines.

use super::{
    Exit,
    session::{Actor, Session, block_on},
    table::Table,
};
use crate::{
    model::{BranchId, Digest},
    packs::wire::ConfirmedWhat,
    store::Confirmation,
    work::branches::{BranchStanding, take_downs, what_text},
};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::path::Path;

/// Subcommands of `caishi packs`.
#[derive(Debug, Subcommand)]
pub enum PacksCommand {
    /// 各网点：在放什么、多久没消息、还有什么没撤
    Status(StatusArguments),
    /// 该撤下的：每样几个网点确认了，还差谁
    TakeDown(StatusArguments),
    /// 给一个网点发一次性登记码，7 天内有效
    Code(CodeArguments),
    /// 现在就给快到期的签名续期（caishi serve 平时自己会续）
    Refresh,
    /// 代网点确认：已上墙或已撤下
    Confirm(ConfirmArguments),
    /// 看一个网点的屏幕在某一天放过什么
    Shown(ShownArguments),
    /// 列出 Xibo 播放器：哪些在等分配，哪些在放
    Players,
    /// 把一台 Xibo 播放器分配给网点的一块屏
    Assign(AssignArguments),
}

/// Arguments of `caishi packs assign`.
#[derive(Debug, Args)]
pub struct AssignArguments {
    /// 播放器的硬件编号，caishi packs players 列出的
    #[arg(value_name = "硬件编号")]
    player: String,
    /// 网点和屏幕，如 b001/s1；不写就是收回
    #[arg(value_name = "网点/屏幕")]
    place: Option<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi packs status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// 只看有问题的
    #[arg(long)]
    late: bool,
    /// 哪条海报包渠道；只有一条时不用写
    #[arg(long, value_name = "渠道")]
    channel: Option<String>,
}

/// Arguments of `caishi packs code`.
#[derive(Debug, Args)]
pub struct CodeArguments {
    /// 网点代号
    #[arg(value_name = "网点")]
    branch: String,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi packs confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArguments {
    /// 网点代号
    #[arg(value_name = "网点")]
    branch: String,
    /// 哪一期：status 里的 64 位代号
    #[arg(value_name = "代号")]
    key: String,
    /// 只说一课
    #[arg(long, value_name = "课件")]
    lesson: Option<String>,
    /// 是撤下；不写是上墙
    #[arg(long)]
    taken_down: bool,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi packs shown`.
#[derive(Debug, Args)]
pub struct ShownArguments {
    /// 网点代号
    #[arg(value_name = "网点")]
    branch: String,
    /// 哪一天，如 2027-03-15
    #[arg(long, value_name = "日期")]
    on: jiff::civil::Date,
}

pub(super) fn run(command: &PacksCommand, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        match command {
            PacksCommand::Status(own) => status(&session, own).await,
            PacksCommand::TakeDown(own) => take_down(&session, own).await,
            PacksCommand::Code(own) => code(&session, own).await,
            PacksCommand::Refresh => {
                crate::work::service::tend(&session.publisher).await;
                println!("看过了；签名没到期的不动。要看到期日：caishi doctor");
                Ok(Exit::Success)
            }
            PacksCommand::Confirm(own) => confirm(&session, own).await,
            PacksCommand::Shown(own) => shown(&session, own).await,
            PacksCommand::Players => players(&session).await,
            PacksCommand::Assign(own) => assign(&session, own).await,
        }
    })
}

async fn status(session: &Session, arguments: &StatusArguments) -> anyhow::Result<Exit> {
    let standings = session.publisher.branch_standings(arguments.channel.as_deref()).await?;
    let is_fine =
        |standing: &&BranchStanding| standing.troubles.is_empty() && standing.take_down.is_empty();
    let fine = standings.iter().filter(is_fine).count();
    let mut table = Table::new(["网点", "名称", "最近消息", "屏幕", "剩余磁盘", "要办的事"]);
    for standing in standings.iter().filter(|standing| !arguments.late || !is_fine(standing)) {
        table.row(line(standing));
    }
    print!("{table}");
    println!("{} 个网点，{fine} 个都好，{} 个有事", standings.len(), standings.len() - fine);
    Ok(if fine == standings.len() { Exit::Success } else { Exit::ContentFaults })
}

fn line(standing: &BranchStanding) -> [String; 6] {
    let seen = standing.device.as_ref().and_then(|device| device.seen_at).map_or_else(
        || "—".to_owned(),
        |at| at.to_zoned(crate::model::bank_zone()).strftime("%m-%d %H:%M").to_string(),
    );
    let status = standing.status.as_ref();
    let screens = status.map_or_else(String::new, |status| {
        let shown = status.screens.iter().filter(|(_, poster)| poster.is_some()).count();
        format!("{shown}/{}", status.screens.len())
    });
    let free = status.map_or_else(String::new, |status| format!("{} MB", status.free_bytes >> 20));
    let mut todo = standing.troubles.clone();
    todo.extend(
        standing
            .take_down
            .iter()
            .map(|what| format!("没确认撤下：{}（{}）", what.title, what.reason)),
    );
    [standing.branch.to_string(), standing.name.clone(), seen, screens, free, todo.join("；")]
}

async fn take_down(session: &Session, arguments: &StatusArguments) -> anyhow::Result<Exit> {
    let standings = session.publisher.branch_standings(arguments.channel.as_deref()).await?;
    let items = take_downs(&standings);
    let open = items.iter().filter(|item| !item.missing.is_empty()).count();
    for item in items.iter().filter(|item| !arguments.late || !item.missing.is_empty()) {
        let since = item.since.to_zoned(crate::model::bank_zone()).strftime("%m-%d %H:%M");
        let done = item.branches - item.missing.len();
        println!(
            "{}（{}，{since} 起）：{done}/{} 个网点已撤下",
            item.title, item.reason, item.branches
        );
        println!("  代号 {}", item.key);
        let missing: Vec<String> =
            item.missing.iter().map(|(id, name)| format!("{id} {name}")).collect();
        if !missing.is_empty() {
            println!("  还差 {} 个：{}", missing.len(), missing.join("、"));
        }
    }
    match (items.len(), open) {
        (0, _) => println!("没有该撤下的"),
        (_, 0) => println!("都撤下了"),
        (_, open) => println!(
            "{open} 样还没撤完；网点确认：caishi branch confirm，代办：caishi packs confirm --taken-down"
        ),
    }
    Ok(if open == 0 { Exit::Success } else { Exit::ContentFaults })
}

async fn code(session: &Session, arguments: &CodeArguments) -> anyhow::Result<Exit> {
    let actor = arguments.actor.authenticate(&session.config)?;
    let branch = BranchId::new(&arguments.branch)?;
    let content = session.content()?;
    if !content.library.branches.iter().any(|known| known.id == branch) {
        anyhow::bail!("branches.csv 里没有网点 {branch}");
    }
    let (code, expires) = session.publisher.enrol_code(&branch, actor.id.as_str()).await?;
    eprintln!(
        "只显示这一次，{} 前有效。在网点的机器上运行：caishi branch enrol --server 总行地址 登记码",
        expires.to_zoned(crate::model::bank_zone()).strftime("%m月%d日 %H:%M")
    );
    println!("{code}");
    Ok(Exit::Success)
}

async fn confirm(session: &Session, arguments: &ConfirmArguments) -> anyhow::Result<Exit> {
    let actor = arguments.actor.authenticate(&session.config)?;
    let key = Digest::from_hex(&arguments.key).context("代号应为 64 位十六进制")?;
    let what = if arguments.taken_down { ConfirmedWhat::TakenDown } else { ConfirmedWhat::Posted };
    let confirmation = Confirmation {
        branch: BranchId::new(&arguments.branch)?,
        key,
        lesson: arguments.lesson.clone(),
        what: what_text(what).to_owned(),
        by: actor.id.to_string(),
        at: session.publisher.store.now().await?,
    };
    session.publisher.store.add_confirmation(&confirmation).await?;
    println!(
        "已记：{} {}",
        arguments.branch,
        if arguments.taken_down { "已撤下" } else { "已上墙" }
    );
    Ok(Exit::Success)
}

async fn shown(session: &Session, arguments: &ShownArguments) -> anyhow::Result<Exit> {
    let branch = BranchId::new(&arguments.branch)?;
    let zone = crate::model::bank_zone();
    let from = arguments.on.to_zoned(zone.clone())?.timestamp();
    let until = arguments.on.tomorrow()?.to_zoned(zone.clone())?.timestamp();
    let displays = session.publisher.store.displays(&branch, from, until).await?;
    let mut table = Table::new(["屏幕", "从", "到", "海报（SHA-256）"]);
    for display in &displays {
        let time = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
        table.row([
            display.screen.clone(),
            time(display.from),
            time(display.until),
            display.sha256.clone(),
        ]);
    }
    print!("{table}");
    println!("{} 条记录，每条都由网点的机器签过名", displays.len());
    Ok(Exit::Success)
}

async fn players(session: &Session) -> anyhow::Result<Exit> {
    let players = session.publisher.store.xibo_players().await?;
    let mut table = Table::new(["硬件编号", "名字", "种类", "网点/屏幕", "最近", "状态"]);
    for player in &players {
        let place = player.place.as_ref();
        table.row([
            player.hardware_key.clone(),
            player.name.clone(),
            player.client.clone(),
            place.map_or_else(
                || "等分配".to_owned(),
                |(branch, screen)| format!("{branch}/{screen}"),
            ),
            super::table::moment(player.seen_at),
            player.status.clone(),
        ]);
    }
    print!("{table}");
    if players.is_empty() {
        println!("还没有播放器来过；怎样接上见 docs/xibo.md");
    }
    Ok(Exit::Success)
}

async fn assign(session: &Session, arguments: &AssignArguments) -> anyhow::Result<Exit> {
    let actor = arguments.actor.authenticate(&session.config)?;
    let place = match &arguments.place {
        None => None,
        Some(text) => {
            let (branch, screen) = text.split_once('/').context("应写成 网点/屏幕，如 b001/s1")?;
            let content = session.content()?;
            let known = content.library.screens.iter();
            if !known.clone().any(|known| known.branch.as_str() == branch && known.screen == screen)
            {
                anyhow::bail!("screens.csv 里没有 {branch} 的屏幕 {screen}");
            }
            Some((BranchId::new(branch)?, screen.to_owned()))
        }
    };
    let given = place.as_ref().map(|(branch, screen)| (branch, screen.as_str()));
    let store = &session.publisher.store;
    if !store.assign_xibo_player(&arguments.player, given, actor.id.as_str()).await? {
        anyhow::bail!("没有这台播放器；caishi packs players 列出来过的");
    }
    match &arguments.place {
        Some(place) => println!("{place} 由它来放；播放器下次来问（至多 5 分钟）就开始下载"),
        None => println!("已收回；播放器下次来问就得不到东西了"),
    }
    Ok(Exit::Success)
}
