//! `caishi submit`

use super::{
    Exit,
    build::progress_bar,
    session::{self, Actor, Session, block_on},
};
use crate::{model::LessonId, review::step_name, work::clock};
use clap::Args;
use std::path::Path;

/// Arguments of `caishi submit`.
#[derive(Debug, Args)]
pub struct SubmitArguments {
    /// 排期代号，或活动（系列/期次）
    #[arg(value_name = "活动")]
    campaign: String,
    /// 为哪一次投放送审，如 "2026-11-30 08:00"（北京时间）；默认是排期的下一次，改过期的照改后的
    #[arg(long, value_name = "时间")]
    at: Option<String>,
    /// 连着送审以后几次（轮换的课件各不相同）
    #[arg(long, value_name = "次数", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=60))]
    slots: u8,
    #[command(flatten)]
    actor: Actor,
}

pub(super) fn run(arguments: &SubmitArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        let content = session.content()?;
        let publisher = &session.publisher;
        let subject = publisher.subject(&content, &arguments.campaign)?;
        let first = match &arguments.at {
            Some(text) => publisher.slot_at(&subject, clock::moment(text)?).await?,
            None => {
                let now = publisher.store.now().await?;
                publisher.next_slot(&content, &subject, now).await?
            }
        };
        let more = usize::from(arguments.slots) - 1;
        let more = publisher.next_slots(&content, &subject, first.due, more).await?;
        for slot in std::iter::once(first).chain(more) {
            let outline = subject.outline(&content, &slot.lessons)?;
            let bar = progress_bar();
            let submitted =
                publisher.submit(&content, &outline, &person.id, &session::progress(&bar)).await;
            bar.finish_and_clear();
            let (review, plan) = submitted?;
            let lessons: Vec<&str> = review.lessons.iter().map(LessonId::as_str).collect();
            println!("{}　{}　{}", review.number, outline.edition.name, lessons.join("、"));
            println!("投放　{}", super::plan::when(&slot));
            print!("{}", super::plan::channels(publisher, &plan).await);
            super::plan::warn(&plan);
            let steps: Vec<String> = review.steps.iter().map(step_name).collect();
            println!("要签：{}", steps.join("、"));
            println!("审批：caishi approve {} --as <代号>\n", review.number);
        }
        Ok(Exit::Success)
    })
}
