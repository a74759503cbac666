//! `caishi approve` and `caishi reject`

use super::{
    Exit,
    session::{Actor, Session, block_on},
};
use crate::{
    model::Decision,
    work::{Verdict, WorkError},
};
use clap::Args;
use std::path::Path;

/// Arguments of `caishi approve`.
#[derive(Debug, Args)]
pub struct ApproveArguments {
    /// 编号，或活动、排期、课件（取最近一次送审）
    #[arg(value_name = "编号")]
    review: String,
    /// 附言
    #[arg(long, value_name = "话", default_value = "")]
    note: String,
    /// 多少天内有效，默认见 [review] valid_days
    #[arg(long, value_name = "天数", value_parser = clap::value_parser!(u16).range(1..=730))]
    valid_days: Option<u16>,
    /// 没有了结的批注都看过，仍然批准
    #[arg(long)]
    despite_remarks: bool,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi reject`.
#[derive(Debug, Args)]
pub struct RejectArguments {
    /// 编号，或活动、排期、课件（取最近一次送审）
    #[arg(value_name = "编号")]
    review: String,
    /// 退回的原因：第几行，改什么
    #[arg(long, value_name = "话")]
    note: String,
    #[command(flatten)]
    actor: Actor,
}

pub(super) fn approve(arguments: &ApproveArguments, config: &Path) -> anyhow::Result<Exit> {
    let ApproveArguments { review, note, valid_days, despite_remarks, actor } = arguments;
    let (valid_days, despite_remarks) = (*valid_days, *despite_remarks);
    let verdict = Verdict { note, valid_days, despite_remarks, ..Verdict::approved() };
    decide(config, review, actor, verdict)
}

pub(super) fn reject(arguments: &RejectArguments, config: &Path) -> anyhow::Result<Exit> {
    let RejectArguments { review, note, actor } = arguments;
    decide(config, review, actor, Verdict::returned(note))
}

fn decide(
    config: &Path,
    review: &str,
    actor: &Actor,
    verdict: Verdict<'_>,
) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = actor.authenticate(&session.config)?;
        let review = session.publisher.find_review(review).await?;
        let decided = session.publisher.decide(&review, person, verdict).await;
        let decisions = match decided {
            Err(WorkError::OpenRemarks(what)) => anyhow::bail!("{what}：加 --despite-remarks"),
            decided => decided?,
        };
        let step = decisions.first().map_or("", |decision| decision.step.as_str());
        match verdict.decision {
            Decision::Approved => println!("{}：{} 已签“{step}”", review.number, person.name),
            Decision::Rejected => println!("{}：{} 已退回“{step}”", review.number, person.name),
        }
        for ((channel, hash), standing) in
            review.manifests.iter().zip(session.publisher.standing(&review).await?)
        {
            println!("  渠道 {channel}　{standing}　清单 {}", &hash.to_string()[..12]);
        }
        Ok(Exit::Success)
    })
}
