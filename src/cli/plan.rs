//! `caishi plan`

use super::{
    Exit,
    build::progress_bar,
    session::{self, Session, block_on},
    table::{Table, size},
};
use crate::{
    model::{BranchId, LessonId},
    work::{Plan, Publisher, asked::AskedSlot, books::StoreBooks, clock},
};
use clap::Args;
use std::{fmt::Write as _, path::Path};

/// Arguments of `caishi plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// 排期代号，或活动（系列/期次）
    #[arg(value_name = "活动")]
    campaign: String,
    /// 投放时间，如 "2026-11-30 08:00"（北京时间）；默认是排期的下一次，改过期的照改后的
    #[arg(long, value_name = "时间")]
    at: Option<String>,
}

pub(super) fn run(arguments: &PlanArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let content = session.content()?;
        let publisher = &session.publisher;
        let subject = publisher.subject(&content, &arguments.campaign)?;
        let now = publisher.store.now().await?;
        let slot = match &arguments.at {
            Some(text) => publisher.slot_at(&subject, clock::moment(text)?).await?,
            None => publisher.next_slot(&content, &subject, now).await?,
        };
        let outline = subject.outline(&content, &slot.lessons)?;
        let number = match publisher.store.review_of_plan(&outline.key).await? {
            Some(review) => review.number,
            None => "（送审时编号）".to_owned(),
        };
        let bar = progress_bar();
        let plan = publisher.render(&content, &outline, &number, &session::progress(&bar))?;
        bar.finish_and_clear();
        println!("{}　{}", outline.edition.name, number);
        println!("时间　{}", when(&slot));
        let lessons: Vec<&str> = outline.lessons.iter().map(LessonId::as_str).collect();
        println!("课件　{}\n", lessons.join("、"));
        print!("{}", channels(publisher, &plan).await);
        warn(&plan);
        let faults = publisher.preflight(&plan)?;
        for fault in &faults {
            eprintln!("错误：{fault}");
        }
        println!("\n什么都没有发出去。送审：caishi submit {} --as <代号>", arguments.campaign);
        Ok(if faults.is_empty() { Exit::Success } else { Exit::ContentFaults })
    })
}

/// When a slot is due, and that somebody moved it there.
pub(super) fn when(slot: &AskedSlot) -> String {
    let shown = |at| clock::shanghai(at).strftime("%Y-%m-%d %H:%M").to_string();
    let due = format!("{}（北京时间）", shown(slot.due));
    match &slot.moved {
        None => due,
        Some(moved) => {
            format!("{due}，{} 从 {} 改过来：{}", moved.by, shown(moved.slot), moved.reason)
        }
    }
}

/// What goes further than the campaign says.
pub(super) fn warn(plan: &Plan) {
    for warning in plan.outline.warnings() {
        eprintln!("注意：{warning}");
    }
}

/// One line for each channel: where, what, how big, and what it takes out of which quota; below,
/// to which branches it goes where the campaign is narrowed.
pub(super) async fn channels(publisher: &Publisher, plan: &Plan) -> String {
    let mut table = Table::new(["渠道", "发到", "文件", "大小", "图文", "投放日期", "配额"]);
    for channel in &plan.channels {
        let manifest = &channel.manifest;
        let quotas = match publisher.channel(&channel.channel) {
            Ok(adapter) => {
                let books = StoreBooks::of_channel(&publisher.store, &adapter.account(), "plan");
                match adapter.quotas(&books).await {
                    Ok(lines) => lines.join("；"),
                    Err(error) => error.to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        table.row([
            channel.channel.to_string(),
            manifest.targets.join("、"),
            manifest.files.len().to_string(),
            size(channel.bytes()),
            manifest.messages.len().to_string(),
            format!("{} 至 {}", manifest.window.from, manifest.window.until),
            quotas,
        ]);
    }
    let mut text = table.to_string();
    for channel in &plan.channels {
        if let Some(reached) = &channel.manifest.reached {
            let branches: Vec<&str> = reached.branches.iter().map(BranchId::as_str).collect();
            let _ = writeln!(
                text,
                "渠道 {} {}：{}",
                channel.channel,
                reached.words(),
                branches.join("、")
            );
        }
    }
    text
}
