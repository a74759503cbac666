//! `caishi send-preview` and `caishi statistics`: what readers see, and how many did.

use super::{
    Exit,
    session::{Actor, Session, block_on},
    table::{Table, moment},
};
use crate::{deliver::Statistic, model::ChannelId};
use clap::Args;
use std::path::Path;

/// Arguments of `caishi send-preview`.
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// 编号，或活动、排期、课件（取最近一次送审）
    #[arg(value_name = "编号")]
    review: String,
    /// 发给谁：渠道 test_readers 里的微信号，可写多个；不写就是全部
    #[arg(long, value_name = "微信号")]
    to: Vec<String>,
    /// 哪个渠道；只有一个能发预览时可以不写
    #[arg(long, value_name = "渠道")]
    channel: Option<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Arguments of `caishi statistics`.
#[derive(Debug, Args)]
pub struct StatisticsArguments {
    /// 投递号，或活动、排期、课件；不写就是全部
    #[arg(value_name = "投递")]
    name: Option<String>,
}

pub(super) fn preview(arguments: &PreviewArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let person = arguments.actor.authenticate(&session.config)?;
        let review = session.publisher.find_review(&arguments.review).await?;
        let channel = arguments.channel.as_deref().map(ChannelId::new).transpose()?;
        let preview = session
            .publisher
            .send_preview(&review, channel.as_ref(), &arguments.to, person.id.as_str())
            .await?;
        println!("{}　{}　{}", review.number, preview.channel, preview.sent);
        for note in preview.notes {
            println!("  {note}");
        }
        println!("预览用的草稿 {} 留在草稿箱里，不要从那里发表；看完可以删掉", preview.draft);
        Ok(Exit::Success)
    })
}

pub(super) fn statistics(arguments: &StatisticsArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let name = arguments.name.as_deref();
        let counted = session.publisher.statistics(name, "statistics").await?;
        let mut table = Table::new(["投递", "渠道", "发布", "统计", "数字"]);
        for one in counted {
            let mut words: Vec<String> = one.numbers.iter().map(number).collect();
            if !one.fault.is_empty() {
                words.push(one.fault);
            }
            table.row([
                one.delivery.id,
                one.delivery.channel.to_string(),
                moment(one.delivery.changed_at),
                one.as_of.map_or_else(|| "—".to_owned(), moment),
                words.join("，"),
            ]);
        }
        if table.is_empty() {
            println!("没有可统计的投递：只有已送达的公众号文章有阅读数。看一眼：caishi status");
        } else {
            print!("{table}");
        }
        Ok(Exit::Success)
    })
}

/// A number with its name in Chinese; one that we do not know keeps the platform's.
fn number(number: &Statistic) -> String {
    let Statistic { name, value } = number;
    match name.as_str() {
        "read_user" => format!("阅读 {value} 人"),
        "share_user" => format!("分享 {value} 人"),
        "zaikan_user" => format!("在看 {value} 人"),
        "like_user" => format!("点赞 {value} 人"),
        "comment_count" => format!("留言 {value} 条"),
        "collection_user" => format!("收藏 {value} 人"),
        "read_subscribe_user" => format!("关注者阅读 {value} 人"),
        "read_delivery_rate_permille" => format!("送达阅读率 {:.1}%", *value as f64 / 10.0),
        "read_finish_rate_permille" => format!("读完率 {:.1}%", *value as f64 / 10.0),
        "read_avg_time" => format!("平均阅读 {value} 秒"),
        other => format!("{other} {value}"),
    }
}
