//! `caishi status` and `caishi slots`

use super::{
    Exit,
    publish::results,
    session::{Actor, Session, block_on},
    table::{Table, moment},
};
use crate::{
    model::LessonId,
    schedule,
    store::OccurrenceState,
    work::{clock, status::Overview},
};
use clap::{Args, Subcommand};
use std::{path::Path, time::Duration};

/// Arguments of `caishi status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// 只看这个排期、活动或课件
    #[arg(value_name = "活动")]
    campaign: Option<String>,
    /// 每两秒刷新一次
    #[arg(long)]
    watch: bool,
    /// 最近几次投放
    #[arg(long, value_name = "次数", default_value_t = 5)]
    last: u32,
}

/// Arguments of `caishi slots`.
#[derive(Debug, Args)]
pub struct SlotsArguments {
    #[command(subcommand)]
    command: Option<SlotsCommand>,
    /// 只看错过的、等人决定的
    #[arg(long)]
    missed: bool,
}

#[derive(Debug, Subcommand)]
enum SlotsCommand {
    /// 补发一次等人决定的投放
    Run(SlotArguments),
    /// 跳过一次等人决定的投放
    Skip(SlotArguments),
}

#[derive(Debug, Args)]
struct SlotArguments {
    /// 排期@时间，见 caishi slots
    #[arg(value_name = "投放")]
    id: String,
    #[command(flatten)]
    actor: Actor,
}

pub(super) fn status(arguments: &StatusArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let content = session.content().ok();
        loop {
            let name = arguments.campaign.as_deref();
            let overview =
                session.publisher.overview(content.as_ref(), name, arguments.last).await?;
            if arguments.watch {
                // Clears the screen and goes to its top (ECMA-48 ED, CUP).
                print!("\u{1b}[2J\u{1b}[H");
            }
            print!("{}", shown(&overview));
            if !arguments.watch {
                let troubled = !overview.alerts.is_empty() || overview.deployment.hold.is_some();
                return Ok(if troubled { Exit::ContentFaults } else { Exit::Success });
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    })
}

fn shown(overview: &Overview) -> String {
    let mut text = String::new();
    if let Some(hold) = &overview.deployment.hold {
        text += &format!(
            "■ 已停发：{}（{}，{}）。恢复：caishi release --as <代号>\n\n",
            hold.reason,
            hold.by,
            moment(hold.at)
        );
    }
    for (occurrence, deliveries) in &overview.occurrences {
        let lessons: Vec<&str> = occurrence.lessons.iter().map(LessonId::as_str).collect();
        text +=
            &format!("{}　{}　{}\n", occurrence.id, occurrence.state.label(), lessons.join("、"));
        if !occurrence.reason.is_empty() {
            text += &format!("  {}\n", occurrence.reason);
        }
        if !deliveries.is_empty() {
            text += &results(deliveries).to_string();
        }
        text.push('\n');
    }
    if overview.occurrences.is_empty() {
        text += "还没有投放过。先看会发什么：caishi plan <活动>\n";
    }
    for (review, standing) in &overview.waiting {
        text += &format!("待签　{}　{}　{standing}\n", review.number, review.campaign);
    }
    for alert in &overview.alerts {
        text += &format!("警报　{}　{}。下一步：{}\n", alert.subject, alert.what, alert.next_step);
    }
    for warning in &overview.warnings {
        text += &format!("提醒　{warning}\n");
    }
    text
}

pub(super) fn slots(arguments: &SlotsArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let publisher = &session.publisher;
        let content = session.content()?;
        if let Some(command) = &arguments.command {
            let (slot, run) = match command {
                SlotsCommand::Run(slot) => (slot, true),
                SlotsCommand::Skip(slot) => (slot, false),
            };
            let person = slot.actor.authenticate(&session.config)?;
            let occurrence =
                publisher.decide_slot(&content, &slot.id, run, person.id.as_str()).await?;
            println!("{}　{}　{}", occurrence.id, occurrence.state.label(), occurrence.reason);
            return Ok(Exit::Success);
        }
        let mut table = Table::new(["投放", "北京时间", "结果", "说明"]);
        for occurrence in publisher.store.occurrences(None, 30).await? {
            let waits =
                matches!(occurrence.state, OccurrenceState::Held | OccurrenceState::Blocked);
            let missed = waits || occurrence.state == OccurrenceState::Skipped;
            if missed || !arguments.missed {
                table.row([
                    occurrence.id,
                    day(occurrence.due),
                    occurrence.state.label().to_owned(),
                    occurrence.reason,
                ]);
            }
        }
        let now = publisher.store.now().await?;
        if !arguments.missed {
            for entry in content.enabled_schedules() {
                let moves = publisher.store.slot_moves(&entry.id).await?;
                let calendar = &content.library.calendar;
                for next in schedule::upcoming_moved(entry, calendar, &moves, now, 4) {
                    let moved = moves.iter().find(|one| one.slot == next.slot);
                    let why = moved.map(|one| format!("{} 改期：{}", one.by, one.reason));
                    let why = why.unwrap_or_default();
                    table.row([entry.id.to_string(), day(next.due), "将要".into(), why]);
                }
            }
        }
        if table.is_empty() {
            println!("没有{}", if arguments.missed { "错过的投放" } else { "排期" });
        } else {
            print!("{table}");
        }
        Ok(Exit::Success)
    })
}

fn day(at: jiff::Timestamp) -> String {
    clock::shanghai(at).strftime("%Y-%m-%d %a %H:%M").to_string()
}
