//! `freepublish`: onto the account's page, without a push to followers.
//!
//! A draft can be published once, and is gone then: that is what keeps a repeated submission from
//! publishing twice, and what `probe` looks for.

use super::{
    client::{self, Body, Request},
    draft::{self, Drafts},
    error::{self, Effect},
    journal, poll, quota,
    wire::{ListReply, PublishReply, SubmitReply},
};
use crate::deliver::{
    Commit, Confirmation, DeliverError, ErrorKind, Parcel, Prepared, Probe, Recalled, Retry,
};
use crate::model::Receipt;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// How far the platform's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_secs(600);

const SUBMIT: &str = "freepublish/submit";

/// Submits the draft. Everything that can fail without effect comes first.
pub(super) async fn commit(
    drafts: Drafts<'_>,
    prepared: &Prepared,
) -> Result<Commit, DeliverError> {
    let Drafts { client, books, .. } = drafts;
    let token = client.ready(SUBMIT, books).await?;
    let repeated = journal::mark_sending(books).await?;
    let body = json!({ "media_id": prepared.reference });
    let effect = Effect::Irreversible;
    let request = Request { call: SUBMIT, query: &[], body: Body::Json(&body), effect };
    let now = books.now().await?;
    let answer = client.ask_with(token, &request, books).await?;
    if answer.code == 40007 && repeated {
        // The first submission may have been slow, and has used the draft up by now.
        let refusal = client.refusal(40007, &answer.message, SUBMIT, effect, now);
        return Err(DeliverError { retry: Retry::Ask, ..refusal });
    }
    let answer = client.checked(answer, SUBMIT, effect, now)?;
    books.reached("wechat.submit.sent");
    let reply: SubmitReply = client::understood(SUBMIT, answer, effect)?;
    // From here on a failure would be taken for one of the call.
    journal::note(books, journal::REMOTE, &reply.publish_id).await;
    journal::note(books, journal::MESSAGE_DATA, &reply.msg_data_id).await;
    books.reached("wechat.submit.recorded");
    Ok(Commit::Accepted { remote_ref: reply.publish_id })
}

/// Asks how a submission ended.
pub(super) async fn confirm(
    drafts: Drafts<'_>,
    publish_id: &str,
) -> Result<Confirmation, DeliverError> {
    let books = drafts.books;
    let reply = match status(drafts, publish_id).await {
        Ok(reply) => reply,
        // No question is left for today: a callback may tell, or tomorrow.
        Err(DeliverError { kind: ErrorKind::Quota, retry: Retry::At(until), .. }) => {
            return Ok(Confirmation::Pending(poll::until(until, books.now().await?)));
        }
        Err(error) => return Err(error),
    };
    if reply.publish_status == 1 {
        return Ok(Confirmation::Pending(poll::count(books).await?));
    }
    journal::note(books, journal::ARTICLE, &reply.article_id).await;
    Ok(ended(publish_id, &reply, books.now().await?))
}

/// What a status other than "running" means.
pub(super) fn ended(publish_id: &str, reply: &PublishReply, at: Timestamp) -> Confirmation {
    if reply.publish_status != 0 {
        let mut reason = error::publish_status(reply.publish_status);
        if !reply.fail_idx.is_empty() {
            let places: Vec<_> = reply.fail_idx.iter().map(ToString::to_string).collect();
            reason = format!("第 {} 篇：{reason}", places.join("、"));
        }
        let code = format!("publish_status {}", reply.publish_status);
        return Confirmation::Failed { code, reason };
    }
    Confirmation::Published(Receipt {
        remote_ref: publish_id.to_owned(),
        url: reply.article_detail.first(),
        at,
        detail: format!("article_id {}", reply.article_id),
    })
}

async fn status(drafts: Drafts<'_>, publish_id: &str) -> Result<PublishReply, DeliverError> {
    let call = "freepublish/get";
    // The documentation says text here and number there; the platform takes what it gave.
    let id = publish_id.parse::<u64>().map_or_else(|_| json!(publish_id), |number| json!(number));
    let body = json!({ "publish_id": id });
    let answer = drafts.client.call(&Request::json(call, &body), drafts.books).await?;
    client::understood(call, answer, Effect::Repeatable)
}

/// Finds out whether a submission took effect.
pub(super) async fn probe(
    drafts: Drafts<'_>,
    parcel: &Parcel,
    prepared: &Prepared,
) -> Result<Probe, DeliverError> {
    let books = drafts.books;
    if let Some(publish_id) = journal::read(books, journal::REMOTE).await? {
        return Ok(Probe::Accepted { remote_ref: publish_id });
    }
    let Some(last) = journal::read_time(books, journal::SENT_LAST).await? else {
        // Written before the first byte: it never came to that.
        return Ok(Probe::NotPublished);
    };
    let (draft, settle) = (&prepared.reference, drafts.config.settle);
    if let Some(receipt) = published(drafts, parcel).await? {
        return Ok(Probe::Published(receipt));
    }
    if drafts.stored(draft).await?.is_none() {
        return Ok(Probe::Unknown(format!(
            "草稿 {draft} 已不在草稿箱，发布记录里也还没有它：可能正在发布或审核中，\
             也可能被人删了。请到公众平台核对，再用 caishi resolve 记下"
        )));
    }
    // The draft stays in the box while the platform publishes it, and the request may still be on
    // its way: only time tells "not yet" from "never".
    let settled = last.checked_add(settle).unwrap_or(Timestamp::MAX);
    if books.now().await? < settled {
        return Ok(Probe::Unknown(format!(
            "草稿 {draft} 还在草稿箱，但提交才过去不到 {} 秒，平台可能正在发布它；{} 以后再查",
            settle.as_secs(),
            quota::local(settled).strftime("%H:%M:%S")
        )));
    }
    Ok(Probe::NotPublished)
}

/// The publication of these articles, made since the first submission.
async fn published(drafts: Drafts<'_>, parcel: &Parcel) -> Result<Option<Receipt>, DeliverError> {
    let Drafts { client, books, .. } = drafts;
    let first = journal::read_time(books, journal::SENT_FIRST).await?.unwrap_or(parcel.slot);
    let since = first.checked_sub(SKEW).unwrap_or(Timestamp::MIN).as_second();
    let texts = draft::texts(parcel, books, &mut Vec::new()).await?;
    let titles = parcel.messages.iter().map(|message| message.title.as_str());
    let wanted: Vec<_> = titles.zip(texts.iter().map(String::as_str)).collect();
    let call = "freepublish/batchget";
    let body = json!({ "offset": 0, "count": 20, "no_content": 0 });
    let answer = client.call(&Request::json(call, &body), books).await?;
    let list: ListReply = client::understood(call, answer, Effect::Repeatable)?;
    for item in list.item {
        if item.update_time < since || !draft::same(&wanted, &item.content.news_item) {
            continue;
        }
        journal::note(books, journal::ARTICLE, &item.article_id).await;
        let url = item.content.news_item.first().map(|news| news.url.clone());
        return Ok(Some(Receipt {
            remote_ref: item.article_id.clone(),
            url: url.filter(|url| !url.is_empty()),
            at: Timestamp::from_second(item.update_time).unwrap_or(first),
            detail: format!("article_id {}，在发布记录里找到", item.article_id),
        }));
    }
    Ok(None)
}

/// Deletes one article of the publication, counted from one, or with `place` 0 all of it.
pub(super) async fn recall(
    drafts: Drafts<'_>,
    receipt: &Receipt,
    place: u8,
) -> Result<Recalled, DeliverError> {
    let Drafts { client, books, .. } = drafts;
    let down = |detail: String| Recalled { complete: true, detail };
    let article_id = match journal::read(books, journal::ARTICLE).await? {
        Some(article_id) => article_id,
        None => {
            let reply = status(drafts, &receipt.remote_ref).await?;
            if reply.publish_status == 5 {
                return Ok(down("文章先前已在公众平台上删除".to_owned()));
            }
            reply.article_id
        }
    };
    if article_id.is_empty() {
        return Err(DeliverError::new(
            ErrorKind::NotFound,
            Retry::Never,
            format!("平台没有给出 {} 的 article_id，没法删除", receipt.remote_ref),
            "请在公众平台的发表记录里手工删除",
        ));
    }
    let call = "freepublish/delete";
    // Zero means all of them: said, not left out.
    let body = json!({ "article_id": article_id, "index": place });
    let answer = client.ask(&Request::json(call, &body), books).await?;
    if answer.code == 53600 {
        return Ok(down(format!("平台上已经没有文章 {article_id}，先前已删除")));
    }
    client.checked(answer, call, Effect::Repeatable, books.now().await?)?;
    books.reached("wechat.delete.sent");
    let which = if place == 0 { String::new() } else { format!("的第 {place} 篇") };
    Ok(down(format!(
        "已从公众号删除文章 {article_id}{which}；转发出去的链接会显示“已被发布者删除”"
    )))
}

/// Deletes a draft that nobody has published.
pub(super) async fn recall_draft(
    drafts: Drafts<'_>,
    media_id: &str,
) -> Result<Recalled, DeliverError> {
    let Drafts { client, books, .. } = drafts;
    let deleted = Recalled { complete: true, detail: format!("已删除草稿 {media_id}") };
    if drafts.stored(media_id).await?.is_none() {
        if journal::read(books, journal::DRAFT_DELETED).await?.as_deref() == Some(media_id) {
            return Ok(deleted);
        }
        return Ok(Recalled {
            complete: false,
            detail: format!(
                "草稿 {media_id} 已不在草稿箱：如果有人已把它发表，请在公众平台的发表记录里删除"
            ),
        });
    }
    // Written before: whoever finds the draft gone later knows that it was us.
    journal::write(books, journal::DRAFT_DELETED, media_id).await?;
    let body = json!({ "media_id": media_id });
    client.call(&Request::json("draft/delete", &body), books).await?;
    books.reached("wechat.delete.sent");
    Ok(deleted)
}
