//! `freepublish`: articles that get an address.

use super::{
    dispatch::{Dispatch, Way},
    gate::{Answer, Call, Refusal},
    media,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A mark that makes the platform refuse to begin.
const UNCHECKED_MARK: &str = "【发布检查不通过】";

/// The account may publish, or 48001.
fn permitted(call: &mut Call<'_>) -> Result<(), Refusal> {
    let profile = &call.account().profile;
    if profile.verified && profile.publish_right { Ok(()) } else { Err(Refusal::of(48001)) }
}

/// `POST freepublish/submit {media_id}`.
pub(super) fn submit(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    let media_id = call.text("media_id");
    let draft = call.account().drafts.get(&media_id).ok_or_else(|| Refusal::of(40007))?;
    if draft.articles.iter().any(|article| article.title.contains(UNCHECKED_MARK)) {
        return Err(Refusal::of(53503));
    }
    let dispatch = submitted(call, &media_id, Way::Publish);
    let (id, data_id) = (dispatch.id, dispatch.data_id);
    call.account().dispatches.push(dispatch);
    Ok(json!({ "errcode": 0, "errmsg": "ok", "publish_id": id, "msg_data_id": data_id }))
}

/// A job made of a draft that exists. Its articles are as they are now; the draft stays.
pub(super) fn submitted(call: &mut Call<'_>, media_id: &str, way: Way) -> Dispatch {
    let number = call.world.next();
    let base = match way {
        // Beyond 2^31: a client that keeps it in 32 bits fails here as it would there.
        Way::Publish => 2_650_177_668,
        Way::Mass => 3_147_483_649,
    };
    let id = base + i64::try_from(number).unwrap_or(0);
    let mut articles =
        call.account().drafts.get(media_id).map(|draft| draft.articles.clone()).unwrap_or_default();
    for (index, article) in articles.iter_mut().enumerate() {
        article.page = call.world.derive(&format!("page/{id}/{index}"), 22);
    }
    let milliseconds = (f64::from(call.setting.publish_seconds) * 1000.0).round() as i64;
    let due_at = call.now.checked_add(SignedDuration::from_millis(milliseconds));
    Dispatch {
        way,
        id,
        data_id: 2_650_000_000 + i64::try_from(number).unwrap_or(0),
        media_id: media_id.to_owned(),
        submitted_at: call.now,
        due_at: due_at.unwrap_or(call.now),
        status: 1,
        article_id: call.world.derive(&format!("article/{id}"), 64),
        articles,
        outcome: String::new(),
        range: String::new(),
        recipients: 0,
        key: String::new(),
    }
}

/// `POST freepublish/get {publish_id}`.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    let id = number(&call.json()["publish_id"]);
    let base = call.setting.url.clone();
    let dispatch = call.account().dispatches.iter();
    let dispatch = dispatch
        .filter(|dispatch| dispatch.way == Way::Publish)
        .find(|dispatch| Some(dispatch.id) == id)
        .ok_or_else(|| Refusal::of(53502))?;
    let mut reply = json!({
        "publish_id": dispatch.id,
        "publish_status": dispatch.status,
        "fail_idx": if dispatch.is_running() { Vec::new() } else { dispatch.failed_indices() },
    });
    if dispatch.went_out() {
        reply["article_id"] = dispatch.article_id.clone().into();
        reply["article_detail"] = detail(dispatch, &base);
    }
    Ok(reply)
}

/// `article_detail` of replies and callbacks.
fn detail(dispatch: &Dispatch, base: &url::Url) -> Value {
    let items: Vec<Value> = addresses(dispatch, base)
        .map(|(index, url)| json!({ "idx": index, "article_url": url }))
        .collect();
    json!({ "count": items.len(), "item": items })
}

/// The articles' addresses, with their numbers from 1.
pub(super) fn addresses(
    dispatch: &Dispatch,
    base: &url::Url,
) -> impl Iterator<Item = (usize, String)> {
    let articles = dispatch.articles.iter().enumerate();
    articles.map(move |(index, article)| (index + 1, page_url(base, &article.page)))
}

/// The address of an article's page.
pub(super) fn page_url(base: &url::Url, page: &str) -> String {
    format!("{base}wechat/s/{page}")
}

/// A number that may be written as text.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// An article's number from 1; `Ok(None)` for 0 and for none, which mean all.
pub(super) fn index(value: &Value, count: usize, code: i64) -> Result<Option<usize>, Refusal> {
    match value {
        Value::Null => Ok(None),
        value => match value.as_u64().and_then(|index| usize::try_from(index).ok()) {
            Some(0) => Ok(None),
            Some(index) if index <= count => Ok(Some(index)),
            _ => Err(Refusal::of(code)),
        },
    }
}

/// `POST freepublish/delete {article_id,index}`; the index counts from 1, and 0 or none is all.
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    let article_id = call.text("article_id");
    let wanted = call.json()["index"].clone();
    let dispatch = call.account().dispatches.iter_mut();
    let dispatch = dispatch
        .filter(|dispatch| dispatch.way == Way::Publish && dispatch.went_out())
        .find(|dispatch| dispatch.article_id == article_id)
        .ok_or_else(|| Refusal::of(53600))?;
    let index = index(&wanted, dispatch.articles.len(), 40114)?;
    dispatch.delete(index);
    call.enter_deletion("freepublish/delete", article_id, index);
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}

/// `POST freepublish/getarticle {article_id}`.
pub(super) fn getarticle(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    let article_id = call.text("article_id");
    let base = call.setting.url.clone();
    let dispatch = published(call).into_iter().find(|dispatch| dispatch.article_id == article_id);
    let dispatch = dispatch.ok_or_else(|| Refusal::of(53600))?;
    Ok(json!({ "news_item": news_items(dispatch, &base, true) }))
}

/// `POST freepublish/batchget {offset,count,no_content}`: what was published, not what was sent.
pub(super) fn batchget(call: &mut Call<'_>) -> Answer {
    permitted(call)?;
    let (offset, count) = media::page(call.json())?;
    let with_content = call.json()["no_content"].as_i64() != Some(1);
    let base = call.setting.url.clone();
    let mut all = published(call);
    all.reverse();
    let items: Vec<Value> = all
        .iter()
        .skip(offset)
        .take(count)
        .map(|dispatch| {
            let second = dispatch.due_at.as_second();
            json!({
                "article_id": dispatch.article_id,
                "content": {
                    "news_item": news_items(dispatch, &base, with_content),
                    "create_time": dispatch.submitted_at.as_second(),
                    "update_time": second,
                },
                "update_time": second,
            })
        })
        .collect();
    Ok(json!({ "total_count": all.len(), "item_count": items.len(), "item": items }))
}

fn published<'c>(call: &'c mut Call<'_>) -> Vec<&'c Dispatch> {
    let dispatches = call.account().dispatches.iter();
    dispatches.filter(|dispatch| dispatch.way == Way::Publish && dispatch.went_out()).collect()
}

fn news_items(dispatch: &Dispatch, base: &url::Url, with_content: bool) -> Vec<Value> {
    let articles = dispatch.articles.iter();
    articles
        .map(|article| {
            let mut item = article.news_item(&page_url(base, &article.page), with_content);
            item["is_deleted"] = article.is_deleted.into();
            item
        })
        .collect()
}
