//! The draft box.

use super::{
    account::Account,
    article::{Article, ArticleKind, Cover, Draft},
    content,
    gate::{Answer, Call, Refusal},
    media,
};
use serde_json::{Value, json};

/// Content must stay below, in characters.
const CONTENT_CHARACTERS: usize = 20_000;
/// Content must stay below, in bytes.
const CONTENT_BYTES: usize = 1 << 20;
const AUTHOR_CHARACTERS: usize = 16;
const DIGEST_CHARACTERS: usize = 128;
/// What stands in for a digest that was not given.
const DEFAULT_DIGEST_CHARACTERS: usize = 54;
const SOURCE_URL_BYTES: usize = 1 << 10;
const ARTICLES: usize = 8;
const IMAGES: usize = 20;
/// A mark that makes the platform refuse a text.
const FORBIDDEN_MARK: &str = "【违规内容】";

/// `POST draft/add`.
pub(super) fn add(call: &mut Call<'_>) -> Answer {
    let items = call.json()["articles"].clone();
    let items = items.as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Refusal::of(44003))?;
    if items.len() > ARTICLES {
        return Err(Refusal::of(45008));
    }
    let single = items.len() == 1;
    let account = call.account();
    let articles: Result<Vec<Article>, Refusal> =
        items.iter().map(|item| article(account, item, single)).collect();
    let articles = articles?;
    let media_id = call.world.fresh("draft", 64);
    let now = call.now;
    let draft = Draft { media_id: media_id.clone(), create_time: now, update_time: now, articles };
    call.account().drafts.insert(media_id.clone(), draft);
    Ok(json!({ "media_id": media_id, "item": [] }))
}

/// `POST draft/update {media_id,index,articles:{}}`; the index counts from 0.
pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let media_id = call.text("media_id");
    let body = call.json().clone();
    let now = call.now;
    let account = call.account();
    let count = account.drafts.get(&media_id).ok_or_else(|| Refusal::of(40007))?.articles.len();
    let index = body["index"].as_u64().and_then(|index| usize::try_from(index).ok());
    let index = index.filter(|index| *index < count).ok_or_else(|| Refusal::of(40114))?;
    if !body["articles"].is_object() {
        return Err(Refusal::of(44003));
    }
    let changed = article(account, &body["articles"], count == 1)?;
    if let Some(draft) = account.drafts.get_mut(&media_id) {
        draft.update_time = now;
        draft.articles[index] = changed;
    }
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}

/// `POST draft/get`.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let media_id = call.text("media_id");
    let base = call.setting.url.clone();
    let app_id = call.app_id.clone();
    let draft = call.account().drafts.get(&media_id).ok_or_else(|| Refusal::of(40007))?;
    let url = preview_url(&base, &app_id, &media_id);
    let items: Vec<Value> =
        draft.articles.iter().map(|article| article.news_item(&url, true)).collect();
    Ok(json!({
        "news_item": items,
        "create_time": draft.create_time.as_second(),
        "update_time": draft.update_time.as_second(),
    }))
}

/// `POST draft/delete`.
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let media_id = call.text("media_id");
    if call.account().drafts.remove(&media_id).is_none() {
        return Err(Refusal::of(40007));
    }
    call.enter_deletion("draft/delete", media_id, None);
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}

/// `GET draft/count`.
pub(super) fn count(call: &mut Call<'_>) -> Answer {
    Ok(json!({ "total_count": call.account().drafts.len() }))
}

/// `POST draft/batchget {offset,count,no_content}`; the newest first.
pub(super) fn batchget(call: &mut Call<'_>) -> Answer {
    let (offset, count) = media::page(call.json())?;
    let with_content = call.json()["no_content"].as_i64() != Some(1);
    let base = call.setting.url.clone();
    let app_id = call.app_id.clone();
    let mut drafts: Vec<&Draft> = call.account().drafts.values().collect();
    drafts.sort_by_key(|draft| (std::cmp::Reverse(draft.update_time), draft.media_id.clone()));
    let items: Vec<Value> = drafts
        .iter()
        .skip(offset)
        .take(count)
        .map(|draft| {
            let url = preview_url(&base, &app_id, &draft.media_id);
            let articles = draft.articles.iter();
            let news: Vec<Value> =
                articles.map(|article| article.news_item(&url, with_content)).collect();
            json!({
                "media_id": draft.media_id,
                "content": {
                    "news_item": news,
                    "create_time": draft.create_time.as_second(),
                    "update_time": draft.update_time.as_second(),
                },
                "update_time": draft.update_time.as_second(),
            })
        })
        .collect();
    Ok(json!({ "total_count": drafts.len(), "item_count": items.len(), "item": items }))
}

/// `POST draft/switch?checkonly=1`: the draft box is open, and cannot be closed again.
pub(super) fn switch(_call: &mut Call<'_>) -> Answer {
    Ok(json!({ "errcode": 0, "errmsg": "ok", "is_open": 1 }))
}

fn preview_url(base: &url::Url, app_id: &str, media_id: &str) -> String {
    format!("{base}wechat/draft/{app_id}/{media_id}")
}

/// Reads an article and holds it to every limit.
fn article(account: &Account, item: &Value, single: bool) -> Result<Article, Refusal> {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let kind = match item["article_type"].as_str() {
        None | Some("" | "news") => ArticleKind::News,
        Some("newspic") => ArticleKind::NewsPic,
        Some(_) => return Err(Refusal::of(40097)),
    };
    let (title, author, digest) = (text("title"), text("author"), text("digest"));
    within(&title, account.profile.title_limit, 45003)?;
    if title.trim().is_empty() {
        return Err(Refusal::of(40227));
    }
    within(&author, AUTHOR_CHARACTERS, 45110)?;
    within(&digest, DIGEST_CHARACTERS, 45004)?;
    let content = content_of(account, kind, &text("content"))?;
    let source = text("content_source_url");
    if source.len() > SOURCE_URL_BYTES {
        return Err(Refusal::of(45005));
    }
    if !source.is_empty() && !source.starts_with("http://") && !source.starts_with("https://") {
        return Err(Refusal::of(41039));
    }
    let images = images_of(account, kind, item)?;
    let thumb_media_id = match kind {
        ArticleKind::News => text("thumb_media_id"),
        ArticleKind::NewsPic => images.first().cloned().unwrap_or_default(),
    };
    let thumb = account.materials.get(&thumb_media_id).ok_or_else(|| Refusal::of(40007))?;
    let flag = |name: &str| flag(&item[name]);
    let need_open_comment = flag("need_open_comment")?;
    if need_open_comment && !account.profile.comment_right {
        return Err(Refusal::of(88000));
    }
    let mut article = Article {
        kind,
        digest: if !single {
            // Only a single article has a digest.
            String::new()
        } else if digest.is_empty() {
            plain(&content).chars().take(DEFAULT_DIGEST_CHARACTERS).collect()
        } else {
            digest
        },
        title,
        author,
        content,
        content_source_url: source,
        thumb_url: thumb.url.clone(),
        thumb_media_id,
        cover: cover(item)?,
        images,
        need_open_comment,
        only_fans_can_comment: flag("only_fans_can_comment")?,
        ..Article::default()
    };
    article.fingerprint = article.fingerprint(account);
    Ok(article)
}

fn within(text: &str, characters: usize, code: i64) -> Result<(), Refusal> {
    if text.chars().count() > characters { Err(Refusal::of(code)) } else { Ok(()) }
}

/// Checks the content as it came, tags and all, and keeps what the platform keeps of it.
fn content_of(account: &Account, kind: ArticleKind, content: &str) -> Result<String, Refusal> {
    if content.len() >= CONTENT_BYTES || content.chars().count() >= CONTENT_CHARACTERS {
        return Err(Refusal::of(45002));
    }
    if content.contains(FORBIDDEN_MARK) {
        return Err(Refusal::of(45166));
    }
    match kind {
        ArticleKind::News if content.trim().is_empty() => Err(Refusal::of(44004)),
        ArticleKind::News => {
            Ok(content::sanitise(content, account.pictures.keys().cloned().collect()))
        }
        ArticleKind::NewsPic if content::is_html(content) => Err(Refusal::of(45166)),
        ArticleKind::NewsPic => Ok(content.to_owned()),
    }
}

fn images_of(account: &Account, kind: ArticleKind, item: &Value) -> Result<Vec<String>, Refusal> {
    if kind == ArticleKind::News {
        return Ok(Vec::new());
    }
    let list = item["image_info"]["image_list"].as_array();
    let list = list.filter(|list| !list.is_empty()).ok_or_else(|| Refusal::of(40007))?;
    if list.len() > IMAGES {
        return Err(Refusal::of(45008).saying("image count"));
    }
    list.iter()
        .map(|image| {
            let media_id = image["image_media_id"].as_str().unwrap_or_default();
            let material = account.materials.get(media_id);
            material
                .filter(|material| material.kind == "image")
                .map(|material| material.media_id.clone())
                .ok_or_else(|| Refusal::of(40007))
        })
        .collect()
}

fn flag(value: &Value) -> Result<bool, Refusal> {
    match value {
        Value::Null => Ok(false),
        value => match value.as_i64() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(Refusal::of(40097)),
        },
    }
}

fn cover(item: &Value) -> Result<Cover, Refusal> {
    let crop = |name: &str| -> Result<String, Refusal> {
        match &item[name] {
            Value::Null => Ok(String::new()),
            Value::String(text) if text.is_empty() || corners(text).is_some() => Ok(text.clone()),
            _ => Err(Refusal::of(53402)),
        }
    };
    let mut cover = Cover { wide: crop("pic_crop_235_1")?, square: crop("pic_crop_1_1")? };
    for entry in item["cover_info"]["crop_percent_list"].as_array().into_iter().flatten() {
        let text = ["x1", "y1", "x2", "y2"].map(|corner| match &entry[corner] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let text = text.join("_");
        corners(&text).ok_or_else(|| Refusal::of(53402))?;
        match entry["ratio"].as_str() {
            Some("1_1") => cover.square = text,
            Some("2.35_1" | "16_9") => cover.wide = text,
            _ => return Err(Refusal::of(53402)),
        }
    }
    Ok(cover)
}

/// Reads `X1_Y1_X2_Y2`: fractions from 0 to 1, the second corner right of and below the first.
pub(in crate::sandbox) fn corners(text: &str) -> Option<[f64; 4]> {
    let numbers: Vec<f64> = text.split('_').map(str::parse).collect::<Result<_, _>>().ok()?;
    let corners: [f64; 4] = numbers.try_into().ok()?;
    let [x1, y1, x2, y2] = corners;
    (corners.iter().all(|corner| (0.0..=1.0).contains(corner)) && x1 < x2 && y1 < y2)
        .then_some(corners)
}

/// The text without tags.
fn plain(html: &str) -> String {
    let text = ammonia::Builder::empty().clean(html).to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
