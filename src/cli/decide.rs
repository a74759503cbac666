//! `caishi approve` and `caishi reject`

use super::{
    Exit,
    session::{Actor, Session, block_on},
};
use crate::model::Decision;
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
    let ApproveArguments { review, note, valid_days, actor } = arguments;
    decide(config, review, actor, Decision::Approved, note, *valid_days)
}

pub(super) fn reject(arguments: &RejectArguments, config: &Path) -> anyhow::Result<Exit> {
    let RejectArguments { review, note, actor } = arguments;
    decide(config, review, actor, Decision::Rejected, note, None)
}

fn decide(
    config: &Path,
    review: &str,
    actor: &Actor,
    decision: Decision,
    note: &str,
    valid_days: Option<u16>,
) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = actor.authenticate(&session.config)?;
        let review = session.publisher.find_review(review).await?;
        let decisions =
            session.publisher.decide(&review, person, decision, note, valid_days).await?;
        let step = decisions.first().map_or("", |decision| decision.step.as_str());
        match decision {
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
