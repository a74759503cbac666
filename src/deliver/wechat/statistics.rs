//! What the platform counted: `datacube/getarticletotaldetail`, from the day after publishing
//! until thirty days later. The older statistics calls answer 47009 by now.

use super::{
    client::{self, Request},
    draft::Drafts,
    error::Effect,
    journal, quota,
    wire::{ArticleStatistics, StatisticsReply},
};
use crate::{
    deliver::{DeliverError, Statistic},
    model::Receipt,
};
use jiff::{ToSpan as _, civil::date};
use serde_json::json;

const CALL: &str = "datacube/getarticletotaldetail";

/// Numbers worth keeping.
const NAMES: [&str; 10] = [
    "read_user",
    "share_user",
    "zaikan_user",
    "like_user",
    "comment_count",
    "collection_user",
    "read_subscribe_user",
    "read_delivery_rate",
    "read_finish_rate",
    "read_avg_time",
];

/// Counts of all the delivery's articles together, as of the last day that was counted; rates are
/// left out where there are several articles. Empty where nothing can be matched.
pub(super) async fn statistics(
    drafts: Drafts<'_>,
    receipt: &Receipt,
) -> Result<Vec<Statistic>, DeliverError> {
    let Drafts { client, books, .. } = drafts;
    let now = books.now().await?;
    let (published, today) = (quota::local(receipt.at).date(), quota::local(now).date());
    let last = published.checked_add(30.days()).unwrap_or(published);
    if published >= today || today > last || published < date(2025, 11, 1) {
        return Ok(Vec::new());
    }
    let body = json!({
        "begin_date": published.to_string(),
        "end_date": published.to_string(),
    });
    let answer = client.ask(&Request::json(CALL, &body), books).await?;
    if answer.code == 61503 {
        return Ok(Vec::new());
    }
    let answer = client.checked(answer, CALL, Effect::Repeatable, now)?;
    let reply: StatisticsReply = client::understood(CALL, answer, Effect::Repeatable)?;
    let message = journal::read(books, journal::MESSAGE_DATA).await?;
    let own = |article: &&ArticleStatistics| {
        let of_message = message
            .as_ref()
            .is_some_and(|id| article.msgid.split_once('_').is_some_and(|(own, _)| own == id));
        let at_address = receipt.url.as_ref().is_some_and(|url| *url == article.content_url);
        of_message || at_address
    };
    let articles: Vec<_> = reply.list.iter().filter(own).collect();
    Ok(sums(&articles))
}

fn sums(articles: &[&ArticleStatistics]) -> Vec<Statistic> {
    let mut sums = Vec::new();
    for name in NAMES {
        let averaged = name.ends_with("_rate") || name.ends_with("_time");
        if averaged && articles.len() != 1 {
            continue;
        }
        let values: Vec<f64> = articles
            .iter()
            .filter_map(|article| {
                let day = |one: &&serde_json::Map<_, serde_json::Value>| {
                    one.get("stat_date").and_then(|day| day.as_str()).map(str::to_owned)
                };
                article.detail_list.iter().max_by_key(day)?.get(name)?.as_f64()
            })
            .collect();
        if !values.is_empty() {
            // Rates are fractions: kept in thousandths.
            let scale = if name.ends_with("_rate") { 1000.0 } else { 1.0 };
            let value = (values.iter().sum::<f64>() * scale).round() as i64;
            let unit = if scale > 1.0 { "_permille" } else { "" };
            sums.push(Statistic { name: format!("{name}{unit}"), value });
        }
    }
    sums
}
