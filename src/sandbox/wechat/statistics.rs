//! `datacube`: how often articles were read. The numbers are made up, and the same each time: they
//! follow from the article and the day.

use super::{
    dispatch::{Dispatch, Way},
    gate::{Answer, Call, Refusal},
    publish,
};
use crate::{model::Digest, sandbox::clock};
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

/// Days after publishing that are counted.
const DAYS_COUNTED: i32 = 30;

/// Interfaces that are no longer kept.
pub(super) fn retired(_call: &mut Call<'_>) -> Answer {
    Err(Refusal::of(47009))
}

/// `begin_date` and `end_date`, at most so many days, until yesterday.
fn range(call: &Call<'_>, days: i32) -> Result<(Date, Date), Refusal> {
    let date = |name: &str| -> Result<Date, Refusal> {
        let text = call.text(name);
        let well_formed = text.len() == 10;
        text.parse().ok().filter(|_| well_formed).ok_or_else(|| Refusal::of(61500))
    };
    let (begin, end) = (date("begin_date")?, date("end_date")?);
    let today = clock::day(call.now);
    let first = Date::constant(2025, 11, 1);
    let span = end.since(begin).map_or(i32::MAX, |span| span.get_days());
    if begin > end || span >= days || end >= today || begin < first {
        return Err(Refusal::of(61501));
    }
    Ok((begin, end))
}

/// What came out, with the day it did.
fn published(call: &mut Call<'_>) -> Vec<(Date, Dispatch)> {
    let dispatches = call.account().dispatches.iter();
    dispatches
        .filter(|dispatch| dispatch.went_out())
        .map(|dispatch| (clock::day(dispatch.due_at), dispatch.clone()))
        .collect()
}

/// A number below `below` that follows from what it counts.
fn number(what: &str, key: &str, below: u32) -> u32 {
    let digest = Digest::of_fields([what.as_bytes(), key.as_bytes()]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    u32::from_be_bytes([a, b, c, d]) % below.max(1)
}

/// Readers on one day: fewer the longer it is out, never more than there are followers.
fn readers(page: &str, published: Date, day: Date, followers: u32) -> u32 {
    let age = day.since(published).map_or(0, |span| span.get_days());
    let most = followers >> u32::try_from(age / 2).unwrap_or(31).min(31);
    if most == 0 {
        0
    } else {
        most.div_ceil(2) + number("read", &format!("{page}{day}"), most / 2 + 1)
    }
}

/// `POST datacube/getarticletotaldetail`.
pub(super) fn article_total_detail(call: &mut Call<'_>) -> Answer {
    let (begin, end) = range(call, 1)?;
    let yesterday = clock::day(call.now).yesterday().map_err(|_| Refusal::of(61501))?;
    let followers = call.account().profile.followers;
    let base = call.setting.url.clone();
    let mut list: Vec<Value> = Vec::new();
    for (day, dispatch) in published(call) {
        if day < begin || day > end {
            continue;
        }
        for (index, url) in publish::addresses(&dispatch, &base) {
            let article = &dispatch.articles[index - 1];
            let last = day.saturating_add(DAYS_COUNTED.days()).min(yesterday);
            let details: Vec<Value> = day
                .series(1.day())
                .take_while(|stat| *stat <= last)
                .map(|stat| {
                    detail(&article.page, stat, readers(&article.page, day, stat, followers))
                })
                .collect();
            list.push(json!({
                "ref_date": day.to_string(),
                "msgid": format!("{}_{index}", dispatch.data_id),
                "publish_type": i32::from(dispatch.way == Way::Publish),
                "title": article.title,
                "content_url": url,
                "detail_list": details,
            }));
        }
    }
    Ok(json!({ "list": list, "is_delay": false }))
}

fn detail(page: &str, day: Date, read: u32) -> Value {
    let key = format!("{page}{day}");
    let share = number("share", &key, read / 4 + 1);
    json!({
        "stat_date": day.to_string(),
        "read_user": read,
        "read_user_source": [{ "scene_desc": "全部", "user_count": read }],
        "share_user": share,
        "zaikan_user": number("zaikan", &key, share + 1),
        "like_user": number("like", &key, share + 1),
        "comment_count": 0,
        "collection_user": number("collection", &key, share + 1),
        "praise_money": 0,
        "read_subscribe_user": read,
        "read_delivery_rate": 0.5,
        "read_finish_rate": 0.6,
        "read_avg_time": 40 + number("time", &key, 60),
        "read_jump_position": [],
    })
}

/// `POST datacube/getarticleread`: one day.
pub(super) fn article_read(call: &mut Call<'_>) -> Answer {
    one_day(call, "read_user", |read, _| read)
}

/// `POST datacube/getarticleshare`: one day.
pub(super) fn article_share(call: &mut Call<'_>) -> Answer {
    one_day(call, "share_user", |read, key| number("share", key, read / 4 + 1))
}

fn one_day(call: &mut Call<'_>, name: &str, count: fn(u32, &str) -> u32) -> Answer {
    let (begin, _) = range(call, 1)?;
    let followers = call.account().profile.followers;
    let mut list: Vec<Value> = Vec::new();
    for (day, dispatch) in published(call) {
        if day > begin {
            continue;
        }
        for (index, article) in dispatch.articles.iter().enumerate() {
            let read = readers(&article.page, day, begin, followers);
            let key = format!("{}{begin}", article.page);
            list.push(json!({
                "ref_date": begin.to_string(),
                "msgid": format!("{}_{}", dispatch.data_id, index + 1),
                "title": article.title,
                name: count(read, &key),
            }));
        }
    }
    Ok(json!({ "list": list, "is_delay": false }))
}

/// `POST datacube/getbizsummary`: up to 30 days.
pub(super) fn biz_summary(call: &mut Call<'_>) -> Answer {
    let (begin, end) = range(call, 30)?;
    let followers = call.account().profile.followers;
    let all = published(call);
    let list: Vec<Value> = begin
        .series(1.day())
        .take_while(|day| *day <= end)
        .map(|day| {
            let out = all.iter().filter(|(published, _)| *published <= day);
            let read: u32 = out
                .flat_map(|(published, dispatch)| {
                    dispatch.articles.iter().map(move |article| (published, article))
                })
                .map(|(published, article)| readers(&article.page, *published, day, followers))
                .sum();
            json!({ "ref_date": day.to_string(), "read_user": read })
        })
        .collect();
    Ok(json!({ "list": list, "is_delay": false }))
}
