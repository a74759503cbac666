//! How often channels may still send in the days that are shown, and how often they are to.

use super::{
    super::{Desk, asked::Asked, language::say, trouble::Trouble},
    grid::Span,
};
use crate::{
    deliver::{Books as _, Channel, QuotaWindow, SendLimit},
    model::ChannelId,
    schedule::Verdict,
    work::{books::StoreBooks, clock::shanghai},
};
use axum::{Json, extract::State};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Beyond this nothing is counted: it costs a look at every slot until then.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 400);

/// A channel's quotas, line by line; an alarm where more is to go out than may.
pub(super) struct Quota {
    pub(super) channel: String,
    pub(super) lines: Vec<(bool, String)>,
}

/// How often a channel may still send.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelQuota)]
pub struct QuotaView {
    /// The channel.
    pub channel: String,
    /// What is left and what is still to go out, in words.
    pub lines: Vec<String>,
    /// Whether more is to go out than may.
    pub exceeded: bool,
}

/// How often channels with a quota may still send, this week and this month.
#[utoipa::path(get, path = "/api/v1/quotas", tag = "schedule",
    responses((status = 200, body = [QuotaView])))]
pub(in super::super) async fn list(
    State(desk): State<Desk>,
) -> Result<Json<Vec<QuotaView>>, Trouble> {
    let now = desk.publisher().store.now().await?;
    let span = Span::asked(&Asked::default(), shanghai(now).date());
    let view = |quota: Quota| QuotaView {
        channel: quota.channel,
        exceeded: quota.lines.iter().any(|(alarm, _)| *alarm),
        lines: quota.lines.into_iter().map(|(_, line)| line).collect(),
    };
    Ok(Json(of_span(&desk, &span, now).await?.into_iter().map(view).collect()))
}

/// What is due on each day over one account, and today.
struct Due {
    by_day: BTreeMap<Date, usize>,
    today: Date,
}

impl Due {
    fn between(&self, from: Date, until: Date) -> usize {
        self.by_day.range(from..=until.max(from)).map(|(_, count)| count).sum()
    }
}

/// The quotas of the days that are shown; of days that are over, those of today.
pub(super) async fn of_span(
    desk: &Desk,
    span: &Span,
    now: Timestamp,
) -> Result<Vec<Quota>, Trouble> {
    let publisher = desk.publisher();
    let content = desk.content().await?;
    let today = shanghai(now).date();
    let last = span.until.max(today).last_of_month();
    let end =
        last.tomorrow().ok().and_then(|day| day.to_zoned(shanghai(now).time_zone().clone()).ok());
    let end = end.map_or(now, |day| day.timestamp());
    let end = end.min(now.checked_add(AHEAD).unwrap_or(now));
    let limited: Vec<(&ChannelId, &dyn Channel, SendLimit)> = publisher
        .channels
        .iter()
        .filter_map(|(id, channel)| Some((id, channel.as_ref(), channel.send_limit()?)))
        .collect();
    if limited.is_empty() {
        return Ok(Vec::new());
    }
    let coming = publisher.coming_slots(&content, now, end).await?;
    let mut quotas = Vec::new();
    for (id, channel, limit) in limited {
        let mut due = Due { by_day: BTreeMap::new(), today };
        for slot in coming.iter().filter(|slot| slot.verdict == Verdict::Fire) {
            let count = publisher.on_account(channel, &slot.channels);
            *due.by_day.entry(shanghai(slot.due).date()).or_default() += count;
        }
        let books = StoreBooks::of_channel(&publisher.store, &channel.account(), "console");
        let mut lines = match books.quota_used(limit.call, limit.window).await {
            Ok(used) if limit.window == QuotaWindow::Month => months(&limit, used, span, &due),
            Ok(used) => days(&limit, used, span, &due),
            Err(error) => vec![(true, error.to_string())],
        };
        if let Some(hours) = &limit.hours {
            let (zh, en) =
                (format!("只在 {hours} 之间发送"), format!("Sends between {hours} only"));
            lines.push((false, say(&zh, &en).to_owned()));
        }
        quotas.push(Quota { channel: id.to_string(), lines });
    }
    Ok(quotas)
}

/// What is limited, as sentences name it.
fn verb(limit: &SendLimit) -> &'static str {
    say(limit.what, "send")
}

/// Month by month.
fn months(limit: &SendLimit, used: u32, span: &Span, due: &Due) -> Vec<(bool, String)> {
    let current = due.today.first_of_month();
    let (from, until) = if span.month { (span.day, span.day) } else { (span.from, span.until) };
    let mut month = from.first_of_month().max(current);
    let last = until.first_of_month().max(current);
    let mut lines = Vec::new();
    while month <= last {
        let used = if month == current { used } else { 0 };
        let left = limit.times.saturating_sub(used);
        let planned = due.between(month.max(due.today), month.last_of_month());
        let (what, times) = (verb(limit), limit.times);
        let (name, called) = if month == current {
            ("本月".to_owned(), "This month".to_owned())
        } else {
            (month.strftime("%Y 年 %-m 月").to_string(), month.strftime("%Y-%m").to_string())
        };
        let zh = format!("{name}还能{what} {left} 次（每月 {times} 次），还排着 {planned} 次");
        let en = format!("{called}: {left} left to {what} ({times} a month), {planned} planned");
        lines.push(line(&zh, &en, planned > usize::try_from(left).unwrap_or(usize::MAX)));
        let Ok(next) = month.checked_add(1.month()) else { break };
        month = next;
    }
    lines
}

/// Today, and the days to come that are shown.
fn days(limit: &SendLimit, used: u32, span: &Span, due: &Due) -> Vec<(bool, String)> {
    let (what, times) = (verb(limit), limit.times);
    let mut lines = Vec::new();
    let today = due.today;
    if (span.from..=span.until).contains(&today) || span.until < today {
        let left = times.saturating_sub(used);
        let planned = due.between(today, today);
        let zh = format!("今天还能{what} {left} 次（每天 {times} 次），还排着 {planned} 次");
        let en = format!("Today: {left} left to {what} ({times} a day), {planned} planned");
        lines.push(line(&zh, &en, planned > usize::try_from(left).unwrap_or(usize::MAX)));
    }
    let from = span.from.max(today.saturating_add(1.days()));
    if span.until < from {
        return lines;
    }
    let planned = due.between(from, span.until);
    let (first, last) = (from.strftime("%m-%d"), span.until.strftime("%m-%d"));
    let zh = format!("{first} 至 {last} 每天能{what} {times} 次，一共排着 {planned} 次");
    let en = format!("{first} to {last}: {times} a day, {planned} planned in all");
    lines.push((false, say(&zh, &en).to_owned()));
    let most = usize::try_from(times).unwrap_or(usize::MAX);
    for (day, count) in due.by_day.range(from..=span.until).filter(|(_, count)| **count > most) {
        let zh = format!("{day} 排了 {count} 次，只能{what} {times} 次");
        let en = format!("{day}: {count} planned, only {times} may go out");
        lines.push(line(&zh, &en, true));
    }
    lines
}

fn line(zh: &str, en: &str, too_many: bool) -> (bool, String) {
    let more =
        if too_many { say("：多出来的会往后顺延", "; the rest is put off") } else { "" };
    (too_many, format!("{}{more}", say(zh, en)))
}
