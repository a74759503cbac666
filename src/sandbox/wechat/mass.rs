//! `message/mass`: articles that every recipient gets.

use super::{
    account::AccountKind,
    dispatch::{Dispatch, Way},
    gate::{Answer, Call, Refusal},
    publish::{self, index, number},
};
use crate::{
    model::Digest,
    sandbox::{books::Repeat, clock::Span},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Longer ids were refused in practice, whatever the documents say.
const KEY_CHARACTERS: usize = 32;
const KEY_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
const RETRY_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
const REQUESTS_A_MINUTE: u32 = 60;
/// A service account reaches a follower so often in a month; a subscription account sends once a
/// day.
const MESSAGES_A_MONTH: u32 = 4;
const OPENIDS: usize = 10_000;

/// `POST message/mass/sendall`.
pub(super) fn sendall(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    let filter = call.json()["filter"].clone();
    let (range, recipients) = if filter["is_to_all"].as_bool() == Some(true) {
        ("all".to_owned(), call.account().followers())
    } else {
        let tag = number(&filter["tag_id"]).ok_or_else(|| Refusal::of(40050))?;
        let tagged = call.account().profile.tags.get(&tag).ok_or_else(|| Refusal::of(40050))?;
        (format!("tag:{tag}"), tagged.iter().cloned().collect())
    };
    send_to(call, &range, recipients)
}

/// `POST message/mass/send {touser:[…]}`: service accounts only.
pub(super) fn send(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    if call.account().profile.kind != AccountKind::Service {
        return Err(Refusal::of(48001));
    }
    let listed = call.json()["touser"].as_array().cloned().ok_or_else(|| Refusal::of(40031))?;
    let openids: BTreeSet<String> =
        listed.iter().filter_map(|openid| openid.as_str().map(str::to_owned)).collect();
    if openids.len() < 2 {
        return Err(Refusal::of(40130));
    }
    if openids.len() > OPENIDS {
        return Err(Refusal::of(40032));
    }
    if !openids.is_subset(&call.account().followers()) {
        return Err(Refusal::of(40003));
    }
    let range = format!("openid:{}", Digest::of(format!("{openids:?}").as_bytes()));
    send_to(call, &range, openids)
}

fn permitted(call: &mut Call<'_>) -> Result<(), Refusal> {
    let now = call.now;
    let account = call.account();
    if !account.profile.verified {
        return Err(Refusal::of(48001));
    }
    if account.take("message/mass", Span::Minute, REQUESTS_A_MINUTE, now) {
        Ok(())
    } else {
        Err(Refusal::of(45011))
    }
}

fn send_to(call: &mut Call<'_>, range: &str, recipients: BTreeSet<String>) -> Answer {
    let given = call.text("clientmsgid");
    if given.chars().count() > KEY_CHARACTERS {
        return Err(Refusal::of(45067));
    }
    // What was sent is found by its key before anything else: by then its draft is gone.
    let key = if given.is_empty() { content_key(call, range) } else { given.clone() };
    repeated(call, &key, !given.is_empty())?;
    let media_id = draft_of(call)?;
    let recipients = within_quota(call, range, recipients)?;
    let mut dispatch = publish::submitted(call, &media_id, Way::Mass);
    range.clone_into(&mut dispatch.range);
    dispatch.recipients = recipients;
    dispatch.key = key;
    let (id, data_id) = (dispatch.id, dispatch.data_id);
    call.account().dispatches.push(dispatch);
    Ok(json!({
        "errcode": 0,
        "errmsg": "send job submission success",
        "msg_id": id,
        "msg_data_id": data_id,
    }))
}

/// The draft that a message names.
fn draft_of(call: &mut Call<'_>) -> Result<String, Refusal> {
    let body = call.json();
    if body["msgtype"].as_str() != Some("mpnews") {
        return Err(Refusal::of(40008));
    }
    if !matches!(body["send_ignore_reprint"], Value::Null)
        && !matches!(body["send_ignore_reprint"].as_i64(), Some(0 | 1))
    {
        return Err(Refusal::of(40097));
    }
    let media_id = body["mpnews"]["media_id"].as_str().unwrap_or_default().to_owned();
    if call.account().drafts.contains_key(&media_id) {
        Ok(media_id)
    } else {
        Err(Refusal::of(40007))
    }
}

/// What stands for a `clientmsgid` that was not given: range and content.
fn content_key(call: &mut Call<'_>, range: &str) -> String {
    let media_id = call.json()["mpnews"]["media_id"].as_str().unwrap_or_default().to_owned();
    let account = call.account();
    let articles = account.drafts.get(&media_id).map(|draft| draft.articles.clone());
    let sent = || account.dispatches.iter().find(|dispatch| dispatch.media_id == media_id);
    let articles = articles.or_else(|| sent().map(|dispatch| dispatch.articles.clone()));
    let prints = articles.unwrap_or_default();
    let prints: Vec<&[u8]> = prints.iter().map(|article| article.fingerprint.as_bytes()).collect();
    Digest::of_fields([range.as_bytes()].into_iter().chain(prints)).to_string()
}

/// 45065 for what was sent within a day, 45066 for what was tried within a minute.
fn repeated(call: &mut Call<'_>, key: &str, given: bool) -> Result<(), Refusal> {
    let now = call.now;
    let account = call.account();
    let sent = account.dispatches.iter().find(|dispatch| {
        dispatch.way == Way::Mass
            && dispatch.key == key
            && now.duration_since(dispatch.submitted_at) < KEY_REMEMBERED
    });
    if let Some(sent) = sent {
        let (msg_id, data_id) = (sent.id, sent.data_id);
        let (app_id, key) = (call.app_id.clone(), key.to_owned());
        call.world.ledger.repeats.push(Repeat { app_id, key, msg_id, at: now });
        return Err(Refusal::of(45065).with("msg_id", msg_id).with("msg_data_id", data_id));
    }
    if !given {
        return Ok(());
    }
    let last = account.tried.insert(key.to_owned(), now);
    if last.is_some_and(|last| now.duration_since(last) < RETRY_INTERVAL) {
        return Err(Refusal::of(45066));
    }
    Ok(())
}

/// Takes the message out of the quota of the account's kind; how many it reaches.
fn within_quota(
    call: &mut Call<'_>,
    range: &str,
    recipients: BTreeSet<String>,
) -> Result<usize, Refusal> {
    let now = call.now;
    let account = call.account();
    let exhausted = || Refusal::of(45028);
    match account.profile.kind {
        AccountKind::Subscription => {
            if !account.take("mass-send", Span::Day, 1, now) {
                return Err(exhausted());
            }
            Ok(recipients.len())
        }
        AccountKind::Service => {
            let left = |account: &super::Account, openid: &String| {
                account.used(&format!("mass/{openid}"), Span::Month, now) < MESSAGES_A_MONTH
            };
            let reached: Vec<String> =
                recipients.into_iter().filter(|openid| left(account, openid)).collect();
            let to_all =
                range != "all" || account.used("mass-to-all", Span::Month, now) < MESSAGES_A_MONTH;
            if reached.is_empty() || !to_all {
                return Err(exhausted());
            }
            if range == "all" {
                account.take("mass-to-all", Span::Month, MESSAGES_A_MONTH, now);
            }
            for openid in &reached {
                account.take(&format!("mass/{openid}"), Span::Month, MESSAGES_A_MONTH, now);
            }
            Ok(reached.len())
        }
    }
}

/// `POST message/mass/preview`.
pub(super) fn preview(call: &mut Call<'_>) -> Answer {
    if !call.account().profile.verified {
        return Err(Refusal::of(48001));
    }
    let (openid, name) = (call.text("touser"), call.text("towxname"));
    let account = call.account();
    if !name.is_empty() {
        // A name wins over an OpenID.
        let readers = &account.profile.readers;
        let known =
            if readers.is_empty() { is_wechat_name(&name) } else { readers.contains(&name) };
        if !known {
            return Err(Refusal::of(40132));
        }
    } else if !account.followers().contains(&openid) {
        return Err(Refusal::of(40003));
    }
    draft_of(call)?;
    call.account().previews += 1;
    let number = call.world.next();
    Ok(json!({ "errcode": 0, "errmsg": "preview success", "msg_id": 34_182 + number }))
}

/// 6 to 20 letters, digits, `_` and `-`, first a letter.
fn is_wechat_name(name: &str) -> bool {
    (6..=20).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|other| other.is_ascii_alphanumeric() || "_-".contains(other))
}

/// `POST message/mass/get {msg_id}`.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let id = number(&call.json()["msg_id"]);
    let dispatch = call.account().dispatches.iter();
    let dispatch = dispatch
        .filter(|dispatch| dispatch.way == Way::Mass)
        .find(|dispatch| Some(dispatch.id) == id)
        .ok_or_else(|| Refusal::of(40059))?;
    let status = match dispatch.status {
        0 => "SEND_SUCCESS",
        1 => "SENDING",
        5 => "DELETE",
        _ => "SEND_FAIL",
    };
    Ok(json!({ "msg_id": dispatch.id, "msg_status": status }))
}

/// `POST message/mass/delete {msg_id,article_idx}` or `{url}`; the index counts from 1, and 0 or
/// none is all.
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let (id, url) = (number(&call.json()["msg_id"]), call.text("url"));
    let wanted = call.json()["article_idx"].clone();
    let base = call.setting.url.clone();
    let dispatches = &mut call.account().dispatches;
    let sent = |dispatch: &Dispatch| dispatch.way == Way::Mass && dispatch.went_out();
    let (dispatch, index) = match id {
        Some(id) => {
            let found = dispatches.iter_mut().find(|dispatch| sent(dispatch) && dispatch.id == id);
            let dispatch = found.ok_or_else(|| Refusal::of(40059))?;
            let index = index(&wanted, dispatch.articles.len(), 40060)?;
            (dispatch, index)
        }
        None => {
            let position = |dispatch: &Dispatch| {
                publish::addresses(dispatch, &base)
                    .find(|(_, address)| *address == url)
                    .map(|(index, _)| index)
            };
            let found = dispatches.iter_mut().filter(|dispatch| sent(dispatch));
            let found = found.map(|dispatch| (position(dispatch), dispatch));
            let (index, dispatch) = found
                .into_iter()
                .find(|(index, _)| index.is_some())
                .ok_or_else(|| Refusal::of(40059))?;
            (dispatch, index)
        }
    };
    dispatch.delete(index);
    let what = dispatch.id.to_string();
    call.enter_deletion("message/mass/delete", what, index);
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}

/// Sent messages a minute at each speed, in ten thousands.
const SPEEDS: [u32; 5] = [80, 60, 45, 30, 10];

/// `POST message/mass/speed/get`.
pub(super) fn speed_get(call: &mut Call<'_>) -> Answer {
    let speed = call.account().speed;
    Ok(json!({ "speed": speed, "realspeed": SPEEDS.get(speed as usize).copied().unwrap_or(80) }))
}

/// `POST message/mass/speed/set {speed}`.
pub(super) fn speed_set(call: &mut Call<'_>) -> Answer {
    let speed = match &call.json()["speed"] {
        Value::Null => return Err(Refusal::of(45084)),
        value => value.as_u64().and_then(|speed| u32::try_from(speed).ok()),
    };
    let speed = speed.filter(|speed| (*speed as usize) < SPEEDS.len());
    call.account().speed = speed.ok_or_else(|| Refusal::of(45083))?;
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}
