//! `caishi publish`

use super::{
    Exit,
    build::progress_bar,
    session::{self, Session, block_on},
    table::{Table, moment},
};
use crate::{
    config::Config,
    model::LessonId,
    rehearse::Rehearsal,
    store::{Delivery, DeliveryFilter},
    work::{clock, publish::Order, worker::Worker},
};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `caishi publish`.
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// 排期代号，或活动（系列/期次）
    #[arg(value_name = "活动")]
    campaign: String,
    /// 什么时候发，如 "2026-11-30 08:00"（北京时间），到时由 caishi serve 发；默认现在
    #[arg(long, value_name = "时间")]
    at: Option<String>,
    /// 只说会发什么，不发
    #[arg(long)]
    dry_run: bool,
    /// 同样的内容发过了也再发一次
    #[arg(long)]
    again: bool,
    /// 在本机走一遍全程：模拟平台、模拟审批，什么都不会离开这台电脑
    #[arg(long, conflicts_with_all = ["at", "dry_run", "again", "actor"])]
    rehearse: bool,
    /// 排练的东西放在这个文件夹
    #[arg(long, value_name = "文件夹", default_value = "out", requires = "rehearse")]
    out: PathBuf,
    /// 谁在操作：[[people]] 里的代号
    #[arg(
        long = "as",
        visible_alias = "by",
        value_name = "代号",
        required_unless_present = "rehearse"
    )]
    actor: Option<String>,
}

pub(super) fn run(arguments: &PublishArguments, config: &Path) -> anyhow::Result<Exit> {
    if arguments.rehearse {
        return block_on(rehearse(arguments, config));
    }
    block_on(async {
        let session = Session::open(config).await?;
        let actor = arguments.actor.as_deref().unwrap_or_default();
        let person = session::authenticate(&session.config, actor)?;
        let content = session.content()?;
        let publisher = &session.publisher;
        let subject = publisher.subject(&content, &arguments.campaign)?;
        let now = clock::this_second(publisher.store.now().await?);
        let at = match &arguments.at {
            Some(text) => clock::moment(text)?,
            None => now,
        };
        // Without a slot of its own, "now" shows what the schedule shows next.
        let lessons = match arguments.at {
            Some(_) => publisher.slot_at(&subject, at).await?.lessons,
            None => publisher.next_slot(&content, &subject, now).await?.lessons,
        };
        let order =
            Order { lessons: &lessons, at, again: arguments.again, dry_run: arguments.dry_run };
        let firing = publisher.publish(&content, &subject, &order, person.id.as_str()).await?;
        for (channel, why) in &firing.blocked {
            eprintln!("渠道 {channel} 不发：{}", why.join("；"));
        }
        if arguments.dry_run || at > now {
            let mut table = Table::new(["渠道", "发到", "时间"]);
            for delivery in &firing.deliveries {
                table.row([delivery.channel.to_string(), delivery.target.clone(), moment(at)]);
            }
            print!("{table}");
            println!(
                "{}",
                if arguments.dry_run {
                    "什么都没有发出去"
                } else {
                    "到时由 caishi serve 发出"
                }
            );
            return Ok(if firing.blocked.is_empty() { Exit::Success } else { Exit::ContentFaults });
        }
        let worker = Worker::new(publisher.clone(), &session::worker_name(0));
        worker.drain().await?;
        let filter = DeliveryFilter {
            occurrence: Some(firing.occurrence.id.clone()),
            ..DeliveryFilter::default()
        };
        let deliveries = publisher.store.deliveries(&filter).await?;
        print!("{}", results(&deliveries));
        println!("看进展：caishi status {}", arguments.campaign);
        Ok(if firing.blocked.is_empty() { Exit::Success } else { Exit::ContentFaults })
    })
}

async fn rehearse(arguments: &PublishArguments, config: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    let rehearsal = Rehearsal::start(&config, &arguments.out).await?;
    eprint!("{}", super::report::render(&rehearsal.content.diagnostics));
    println!("排练：只在本机进行。模拟平台 {}", rehearsal.sandbox_address());
    let bar = progress_bar();
    let submitted = rehearsal.submit(&arguments.campaign, &session::progress(&bar)).await;
    bar.finish_and_clear();
    let (review, plan) = submitted?;
    let lessons: Vec<&str> = review.lessons.iter().map(LessonId::as_str).collect();
    println!("送审　{}　{}　{}", review.number, plan.outline.edition.name, lessons.join("、"));
    print!("{}", super::plan::channels(&rehearsal.publisher, &plan).await);
    super::plan::warn(&plan);
    let signed = rehearsal.approve(&review).await?;
    for (name, step) in &signed {
        println!("审批　{step}：{name}（只用于排练）");
    }
    let mut watch = |delivery: &Delivery| {
        println!("投放　{}　{}　{}", delivery.channel, delivery.state.label(), delivery.message);
    };
    let deliveries = rehearsal.publish(&arguments.campaign, &review, &mut watch).await?;
    let outcome = rehearsal.finish(&plan, &signed, deliveries).await?;
    print!("\n{}", results(&outcome.deliveries));
    if !outcome.blocked.is_empty() {
        eprintln!("没有发全：{}", outcome.blocked);
    }
    println!("请打开 {}", outcome.page.display());
    Ok(if outcome.is_complete() { Exit::Success } else { Exit::ContentFaults })
}

/// One line for each delivery.
pub(super) fn results(deliveries: &[Delivery]) -> Table {
    let mut table = Table::new(["投递", "渠道", "发到", "状态", "时间", "说明"]);
    for delivery in deliveries {
        let mut words = vec![delivery.message.clone(), delivery.next_step.clone()];
        words.retain(|text| !text.is_empty());
        table.row([
            delivery.id.clone(),
            delivery.channel.to_string(),
            delivery.target.clone(),
            delivery.state.label().to_owned(),
            moment(delivery.changed_at),
            words.join("。"),
        ]);
    }
    table
}
