//! `caishi audit`

use super::{
    Exit,
    session::{Session, block_on},
    table::{Table, moment},
};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// Rows fetched at a time.
const PAGE: u32 = 1000;

/// Arguments of `caishi audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// 列出最近的记录
    List {
        /// 几条
        #[arg(long, value_name = "条数", default_value_t = 30)]
        last: u32,
    },
    /// 验证每一条都首尾相接、没有被改过
    Verify,
    /// 全部导出成 JSON Lines（每行一条）
    Export {
        /// 文件
        #[arg(value_name = "文件")]
        file: PathBuf,
    },
}

pub(super) fn run(arguments: &AuditArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        match &arguments.command {
            AuditCommand::List { last } => list(&session, *last).await,
            AuditCommand::Verify => verify(&session).await,
            AuditCommand::Export { file } => export(&session, file).await,
        }
    })
}

async fn list(session: &Session, last: u32) -> anyhow::Result<Exit> {
    let store = &session.publisher.store;
    let newest = store.audit_length().await?;
    let from = (newest - i64::from(last)).max(0) + 1;
    let mut table = Table::new(["序号", "时间", "谁", "做了什么", "对什么", "之后"]);
    for row in store.audit_rows(from, last).await? {
        table.row([
            row.seq.to_string(),
            moment(row.at),
            row.actor,
            row.action,
            row.subject,
            row.after.chars().take(60).collect(),
        ]);
    }
    print!("{table}");
    Ok(Exit::Success)
}

async fn verify(session: &Session) -> anyhow::Result<Exit> {
    match session.publisher.store.verify_audit().await? {
        Ok(rows) => {
            println!("{rows} 条记录，首尾相接，没有被改过");
            Ok(Exit::Success)
        }
        Err((row, reason)) => {
            println!("第 {row} 条不对：{reason}。请停发（caishi hold），保留现场，交审计人员");
            Ok(Exit::ContentFaults)
        }
    }
}

async fn export(session: &Session, path: &Path) -> anyhow::Result<Exit> {
    let file = File::create_new(path).with_context(|| format!("建不了 {}", path.display()))?;
    let mut file = BufWriter::new(file);
    let mut next = 1;
    let mut count = 0_u64;
    loop {
        let rows = session.publisher.store.audit_rows(next, PAGE).await?;
        let Some(last) = rows.last() else { break };
        next = last.seq + 1;
        for row in &rows {
            let line = serde_json::json!({
                "seq": row.seq, "at": row.at.to_string(), "actor": row.actor,
                "action": row.action, "subject": row.subject, "before": row.before,
                "after": row.after, "prev_hash": row.prev_hash, "hash": row.hash,
            });
            writeln!(file, "{line}")?;
            count += 1;
        }
    }
    file.flush()?;
    println!("导出 {count} 条到 {}", path.display());
    Ok(Exit::Success)
}
