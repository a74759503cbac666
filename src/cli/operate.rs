//! `caishi hold`, `release`, `doctor`, `backup` and `restore`

use super::{
    Exit,
    session::{Actor, Session, block_on},
    table::size,
};
use crate::{config::Config, store::Store};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `caishi hold`.
#[derive(Debug, Args)]
pub struct HoldArguments {
    /// 为什么停
    #[arg(value_name = "原因")]
    reason: String,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi release`.
#[derive(Debug, Args)]
pub struct ReleaseArguments {
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi backup` and `restore`.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// 备份文件（zip）
    #[arg(value_name = "文件")]
    file: PathBuf,
}

pub(super) fn hold(arguments: &HoldArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        session.publisher.store.hold(person.id.as_str(), &arguments.reason).await?;
        println!(
            "已停发：{}。正在发的会发完，其余都等着。恢复：caishi release --as <代号>",
            arguments.reason
        );
        Ok(Exit::Success)
    })
}

pub(super) fn release(arguments: &ReleaseArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        session.publisher.store.release(person.id.as_str()).await?;
        println!("已恢复投放。看一眼：caishi status");
        Ok(Exit::Success)
    })
}

pub(super) fn doctor(config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let content = session.content().ok();
        let now = jiff::Timestamp::now();
        let mut healthy = true;
        for (what, findings) in session.publisher.doctor(content.as_ref(), now).await {
            println!("{what}");
            for finding in findings {
                healthy &= finding.ok;
                let mark = match (finding.ok, &finding.next_step) {
                    (false, _) => "✗",
                    (true, Some(_)) => "！",
                    (true, None) => "✓",
                };
                println!("  {mark} {}", finding.what);
                if let Some(next_step) = finding.next_step {
                    println!("    下一步：{next_step}");
                }
            }
        }
        Ok(if healthy { Exit::Success } else { Exit::ContentFaults })
    })
}

pub(super) fn backup(arguments: &BackupArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let file = &arguments.file;
        anyhow::ensure!(!file.exists(), "{} 已经有了，请换一个文件名", file.display());
        let bytes = session.publisher.store.backup(file).await?;
        println!("已备份到 {}，{}", file.display(), size(bytes));
        println!("恢复：在空的部署里运行 caishi restore {}", file.display());
        Ok(Exit::Success)
    })
}

pub(super) fn restore(arguments: &BackupArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let config = Config::load(config)?;
        let deployment = Store::restore(&config.storage, &config.folder, &arguments.file).await?;
        println!("已恢复，第 {} 代", deployment.generation);
        if let Some(hold) = deployment.hold {
            println!("现在是停发状态：{}。核对后运行 caishi release --as <代号>", hold.reason);
        }
        Ok(Exit::Success)
    })
}
