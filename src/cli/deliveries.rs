//! `caishi show`, `retry`, `resolve`, `cancel` and `recall`: what is done about deliveries.

use super::{
    Exit,
    session::{Actor, Session, authenticate, block_on},
    table::{Table, moment},
};
use crate::{store::Delivery, work::intervene::Ending};
use clap::{Args, ValueEnum};
use std::path::Path;

/// Arguments of `caishi show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// 投递号，开头几位就行
    #[arg(value_name = "投递号")]
    id: String,
}

/// Arguments of `caishi retry`.
#[derive(Debug, Args)]
pub struct RetryArguments {
    /// 投递号，可写多个
    #[arg(value_name = "投递号", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi cancel`.
#[derive(Debug, Args)]
pub struct CancelArguments {
    /// 投递号，可写多个
    #[arg(value_name = "投递号", required = true)]
    ids: Vec<String>,
    /// 原因
    #[arg(long, value_name = "话", default_value = "")]
    note: String,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi resolve`.
#[derive(Debug, Args)]
pub struct ResolveArguments {
    /// 投递号
    #[arg(value_name = "投递号")]
    id: String,
    /// 到渠道后台看到的结果
    #[arg(long = "as", value_name = "结果")]
    ended: EndingArgument,
    /// 怎么看出来的
    #[arg(long, value_name = "话", default_value = "")]
    note: String,
    /// 谁认定的：[[people]] 里的代号
    #[arg(long, value_name = "代号")]
    by: String,
}

/// How a person says it ended.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EndingArgument {
    /// 已经发出
    Published,
    /// 没有发出，重发
    NotPublished,
}

/// Arguments of `caishi recall`.
#[derive(Debug, Args)]
pub struct RecallArguments {
    /// 课件，或活动（系列/期次）、排期
    #[arg(value_name = "课件或活动")]
    name: String,
    /// 原因
    #[arg(long, value_name = "话", default_value = "")]
    note: String,
    #[command(flatten)]
    actor: Actor,
}

pub(super) fn show(arguments: &ShowArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let store = &session.publisher.store;
        let delivery = store.delivery(&arguments.id).await?;
        println!("{}", card(&delivery));
        let mut table = Table::new(["时间", "次", "从", "到", "谁", "说明"]);
        for line in store.attempts(&delivery.id).await? {
            let class = line.error_class.map_or_else(String::new, |class| format!("[{class}] "));
            table.row([
                moment(line.at),
                line.attempt.to_string(),
                line.from.label().to_owned(),
                line.to.label().to_owned(),
                line.actor,
                format!("{class}{}", line.message),
            ]);
        }
        print!("{table}");
        Ok(Exit::Success)
    })
}

fn card(delivery: &Delivery) -> String {
    let mut text = format!(
        "投递　{}\n排期　{}\n渠道　{} → {}\n状态　{}\n清单　{}\n幂等键　{}",
        delivery.id,
        delivery.occurrence,
        delivery.channel,
        delivery.target,
        delivery.state.label(),
        delivery.manifest,
        delivery.key.digest()
    );
    let optional = [
        ("草稿", &delivery.prepared_ref),
        ("对方编号", &delivery.remote_ref),
        ("看这里", &delivery.url),
    ];
    for (label, value) in optional {
        if let Some(value) = value.as_ref().filter(|value| value.len() <= 200) {
            text.push_str(&format!("\n{label}　{value}"));
        }
    }
    for (label, value) in [("说明", &delivery.message), ("下一步", &delivery.next_step)] {
        if !value.is_empty() {
            text.push_str(&format!("\n{label}　{value}"));
        }
    }
    text.push('\n');
    text
}

pub(super) fn retry(arguments: &RetryArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        for id in &arguments.ids {
            let delivery = session.publisher.retry(id, person.id.as_str()).await?;
            println!("{} {}，下次轮到时重发", delivery.id, delivery.channel);
        }
        Ok(Exit::Success)
    })
}

pub(super) fn cancel(arguments: &CancelArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        for id in &arguments.ids {
            let delivery =
                session.publisher.cancel(id, &arguments.note, person.id.as_str()).await?;
            println!("{} {}，已取消", delivery.id, delivery.channel);
        }
        Ok(Exit::Success)
    })
}

pub(super) fn resolve(arguments: &ResolveArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = authenticate(&session.config, &arguments.by)?;
        let ending = match arguments.ended {
            EndingArgument::Published => Ending::Published,
            EndingArgument::NotPublished => Ending::NotPublished,
        };
        let delivery = session
            .publisher
            .resolve(&arguments.id, ending, &arguments.note, person.id.as_str())
            .await?;
        println!("{} {}：{}", delivery.id, delivery.channel, delivery.message);
        Ok(Exit::Success)
    })
}

pub(super) fn recall(arguments: &RecallArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        let plan = session.publisher.recall_plan(&arguments.name).await?;
        for warning in plan.warnings() {
            eprintln!("{warning}");
        }
        for step in session.publisher.recall_steps(&plan).await? {
            if let Some(instead) = step.instead {
                eprintln!("渠道 {}：{instead}（{}）", step.delivery.channel, step.delivery.id);
            }
        }
        let lines = session.publisher.recall(plan, &arguments.note, person.id.as_str()).await?;
        let mut table = Table::new(["投递", "渠道", "结果", "说明"]);
        let mut complete = true;
        for line in lines {
            complete &= line.complete;
            let result = if line.complete { "已撤" } else { "没有撤净" };
            table.row([
                line.delivery.id,
                line.delivery.channel.to_string(),
                result.to_owned(),
                line.detail,
            ]);
        }
        if table.is_empty() {
            println!("没有要撤的：都已经撤回、取消或没有发出");
        } else {
            print!("{table}");
        }
        Ok(if complete { Exit::Success } else { Exit::ContentFaults })
    })
}
