//! `message/mass`: pushed to followers, a few times a month.
//!
//! The platform drops a repeated `clientmsgid` for 24 hours (45065), so a send whose end nobody
//! saw may be repeated within that time; afterwards a person must look.

use super::{
    client::{self, Body, Request},
    config::{SendMethod, WechatConfig},
    draft::Drafts,
    error::{self, Effect},
    journal, poll, quota,
    wire::{MassReply, MassStatusReply},
};
use crate::deliver::{
    Books, Commit, Confirmation, DeliverError, Parcel, Prepared, Probe, Recalled, Retry,
};
use crate::model::Receipt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

const SEND: &str = "message/mass/sendall";

/// How long the platform remembers a `clientmsgid`.
pub(super) const REMEMBERED: Duration = Duration::from_hours(24);

/// How long we rely on it: clocks differ, and a request takes its time.
const RELIED_ON: SignedDuration = SignedDuration::from_hours(23);

/// Sends. Everything that can fail without effect comes first.
pub(super) async fn commit(
    drafts: Drafts<'_>,
    parcel: &Parcel,
    prepared: &Prepared,
) -> Result<Commit, DeliverError> {
    let Drafts { config, client, books } = drafts;
    take_quota(config, books).await?;
    let token = client.ready(SEND, books).await?;
    let repeated = journal::mark_sending(books).await?;
    let body = body(config, parcel, prepared);
    let effect = Effect::Irreversible;
    let request = Request { call: SEND, query: &[], body: Body::Json(&body), effect };
    let now = books.now().await?;
    let answer = client.ask_with(token, &request, books).await?;
    if answer.code == 40007 && repeated {
        // An earlier try may have used the draft up, and its key was not remembered.
        journal::write(books, journal::DRAFT_USED, &prepared.reference).await?;
        let refusal = client.refusal(40007, &answer.message, SEND, effect, now);
        return Err(DeliverError { retry: Retry::Ask, ..refusal });
    }
    let already = answer.code == 45065;
    let answer = if already { answer.body } else { client.checked(answer, SEND, effect, now)? };
    books.reached("wechat.sendall.sent");
    let reply: MassReply = client::understood(SEND, answer, effect)?;
    journal::note(books, journal::REMOTE, &reply.msg_id).await;
    journal::note(books, journal::MESSAGE_DATA, &reply.msg_data_id).await;
    books.reached("wechat.sendall.recorded");
    if reply.msg_id.is_empty() {
        // Nothing to ask about later; "already sent" is all there is to know.
        let key = parcel.key.short();
        let detail = if already {
            format!("平台说 clientmsgid {key} 已经发过，没有给出 msg_id")
        } else {
            format!("平台已受理 clientmsgid {key}，没有给出 msg_id")
        };
        return Ok(Commit::Done(Receipt { remote_ref: key, url: None, at: now, detail }));
    }
    Ok(Commit::Accepted { remote_ref: reply.msg_id })
}

fn body(config: &WechatConfig, parcel: &Parcel, prepared: &Prepared) -> Value {
    let filter = match config.send {
        SendMethod::Mass { tag_id: Some(tag_id), .. } => {
            json!({ "is_to_all": false, "tag_id": tag_id })
        }
        // `tag_id: null` beside `is_to_all` has been refused: it is left out.
        SendMethod::Mass { tag_id: None, .. } | SendMethod::FreePublish => {
            json!({ "is_to_all": true })
        }
    };
    json!({
        "filter": filter,
        "mpnews": { "media_id": prepared.reference },
        "msgtype": "mpnews",
        // A reprint found by the originality check stops the send instead of changing it.
        "send_ignore_reprint": 0,
        "clientmsgid": parcel.key.short(),
    })
}

/// Takes the send out of the account's quota, once per delivery and window: a repetition under
/// the same `clientmsgid` costs nothing.
async fn take_quota(config: &WechatConfig, books: &dyn Books) -> Result<(), DeliverError> {
    let (window, limit) = config.send.mass_quota();
    let name = quota::name(window, books.now().await?);
    if journal::read(books, journal::MASS_QUOTA).await?.as_ref() == Some(&name) {
        return Ok(());
    }
    quota::take(books, SEND, window, limit).await?;
    Ok(journal::write(books, journal::MASS_QUOTA, &name).await?)
}

/// Asks how a send ended.
pub(super) async fn confirm(
    drafts: Drafts<'_>,
    msg_id: &str,
) -> Result<Confirmation, DeliverError> {
    let status = status(drafts, msg_id).await?;
    let failed =
        |reason: &str| Confirmation::Failed { code: status.clone(), reason: reason.to_owned() };
    Ok(match status.as_str() {
        "SEND_SUCCESS" => Confirmation::Published(Receipt {
            remote_ref: msg_id.to_owned(),
            url: None,
            at: drafts.books.now().await?,
            detail: format!("群发完成，msg_id {msg_id}"),
        }),
        "SEND_FAIL" => failed("群发失败。请在公众平台的发表记录里查看原因"),
        "DELETE" => failed("群发的消息已被删除。请核对是谁在公众平台上删除的"),
        _ => Confirmation::Pending(poll::count(drafts.books).await?),
    })
}

async fn status(drafts: Drafts<'_>, msg_id: &str) -> Result<String, DeliverError> {
    let call = "message/mass/get";
    // Documented as text.
    let body = json!({ "msg_id": msg_id });
    let answer = drafts.client.call(&Request::json(call, &body), drafts.books).await?;
    let reply: MassStatusReply = client::understood(call, answer, Effect::Repeatable)?;
    Ok(reply.msg_status)
}

/// What is known about a send whose end nobody saw.
pub(super) async fn probe(drafts: Drafts<'_>, parcel: &Parcel) -> Result<Probe, DeliverError> {
    let books = drafts.books;
    if let Some(msg_id) = journal::read(books, journal::REMOTE).await? {
        return Ok(Probe::Accepted { remote_ref: msg_id });
    }
    let Some(first) = journal::read_time(books, journal::SENT_FIRST).await? else {
        return Ok(Probe::NotPublished);
    };
    if let Some(draft) = journal::read(books, journal::DRAFT_USED).await? {
        return Ok(Probe::Unknown(format!(
            "再次群发时草稿 {draft} 已不在草稿箱：可能先前已发出，也可能被人删了。\
             请到公众平台的发表记录核对，再用 caishi resolve 记下"
        )));
    }
    if books.now().await?.duration_since(first) < RELIED_ON {
        return Ok(Probe::NotPublished);
    }
    Ok(Probe::Unknown(format!(
        "群发 {} 的答复没有收到，而且已过了平台去重的 24 小时，不能再发。\
         请到公众平台的发表记录核对，再用 caishi resolve 记下",
        parcel.key.short()
    )))
}

/// Deletes the page of one article of a send, counted from one, or with `place` 0 all of them;
/// the cards stay in the conversations they reached.
pub(super) async fn recall(
    drafts: Drafts<'_>,
    receipt: &Receipt,
    place: u8,
) -> Result<Recalled, DeliverError> {
    let Drafts { client, books, .. } = drafts;
    let call = "message/mass/delete";
    let msg_id = receipt.remote_ref.as_str();
    let id = msg_id.parse::<u64>().map_or_else(|_| json!(msg_id), |number| json!(number));
    // Zero means all of them: said, not left out.
    let body = json!({ "msg_id": id, "article_idx": place });
    let answer = client.ask(&Request::json(call, &body), books).await?;
    if answer.code != 0 && status(drafts, msg_id).await.is_ok_and(|status| status == "DELETE") {
        return Ok(cards_stay("群发的文章先前已删除"));
    }
    client.checked(answer, call, Effect::Repeatable, books.now().await?)?;
    books.reached("wechat.delete.sent");
    if place == 0 {
        return Ok(cards_stay("群发的文章已删除"));
    }
    Ok(cards_stay(&format!("群发的第 {place} 篇文章已删除")))
}

fn cards_stay(what: &str) -> Recalled {
    Recalled {
        // All that can be taken down is; what cannot is said.
        complete: true,
        detail: format!("{what}，点开会显示“已被发布者删除”；已送达会话里的卡片（标题和封面）仍在"),
    }
}

/// What a mass callback says about the end.
pub(super) fn ended(status: &str) -> Result<(), String> {
    match status.replace(' ', "").as_str() {
        "sendsuccess" => Ok(()),
        _ => Err(error::mass_status(status)),
    }
}
