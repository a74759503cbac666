//! The platform's JSON. Numbers that are sometimes written as text are read either way.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// One article of `draft/add`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Article {
    #[serde(rename = "article_type")]
    pub(super) kind: &'static str,
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) author: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) digest: String,
    pub(super) content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) content_source_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thumb_media_id: Option<String>,
    pub(super) need_open_comment: u8,
    pub(super) only_fans_can_comment: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pic_crop_235_1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pic_crop_1_1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_info: Option<ImageInfo>,
}

/// The pictures of a picture message.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ImageInfo {
    pub(super) image_list: Vec<Image>,
}

/// One of them.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Image {
    pub(super) image_media_id: String,
}

/// `{"media_id": …}` of `draft/add` and `add_material`.
#[derive(Debug, Deserialize)]
pub(super) struct MediaReply {
    pub(super) media_id: String,
}

/// `{"url": …}` of `uploadimg`.
#[derive(Debug, Deserialize)]
pub(super) struct UrlReply {
    pub(super) url: String,
}

/// `draft/get`, `freepublish/getarticle`, and the `content` of lists.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewsReply {
    #[serde(default)]
    pub(super) news_item: Vec<NewsItem>,
}

/// An article as the platform stores it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct NewsItem {
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) content: String,
    #[serde(default)]
    pub(super) url: String,
}

/// `draft/batchget` and `freepublish/batchget`.
#[derive(Debug, Deserialize)]
pub(super) struct ListReply {
    #[serde(default)]
    pub(super) item: Vec<ListItem>,
}

/// One entry of a list: a draft has a `media_id`, a publication an `article_id`.
#[derive(Debug, Deserialize)]
pub(super) struct ListItem {
    #[serde(default)]
    pub(super) media_id: String,
    #[serde(default)]
    pub(super) article_id: String,
    #[serde(default)]
    pub(super) content: NewsReply,
    #[serde(default)]
    pub(super) update_time: i64,
}

/// `freepublish/submit`.
#[derive(Debug, Deserialize)]
pub(super) struct SubmitReply {
    #[serde(deserialize_with = "number_or_text")]
    pub(super) publish_id: String,
    #[serde(default, deserialize_with = "number_or_text")]
    pub(super) msg_data_id: String,
}

/// `freepublish/get`.
#[derive(Debug, Deserialize)]
pub(super) struct PublishReply {
    pub(super) publish_status: i64,
    #[serde(default)]
    pub(super) article_id: String,
    #[serde(default)]
    pub(super) article_detail: ArticleDetail,
    #[serde(default)]
    pub(super) fail_idx: Vec<i64>,
}

/// Where the articles are.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ArticleDetail {
    #[serde(default)]
    pub(super) item: Vec<ArticleAddress>,
}

/// Where one is.
#[derive(Debug, Deserialize)]
pub(super) struct ArticleAddress {
    #[serde(default)]
    pub(super) idx: i64,
    #[serde(default)]
    pub(super) article_url: String,
}

impl ArticleDetail {
    /// The address of the first article.
    pub(super) fn first(&self) -> Option<String> {
        self.item.iter().min_by_key(|item| item.idx).map(|item| item.article_url.clone())
    }
}

/// `message/mass/sendall`, also in its answer 45065.
#[derive(Debug, Deserialize)]
pub(super) struct MassReply {
    #[serde(default, deserialize_with = "number_or_text")]
    pub(super) msg_id: String,
    #[serde(default, deserialize_with = "number_or_text")]
    pub(super) msg_data_id: String,
}

/// `message/mass/get`.
#[derive(Debug, Deserialize)]
pub(super) struct MassStatusReply {
    pub(super) msg_status: String,
}

/// `draft/count`.
#[derive(Debug, Deserialize)]
pub(super) struct CountReply {
    pub(super) total_count: i64,
}

/// `datacube/getarticletotaldetail`.
#[derive(Debug, Deserialize)]
pub(super) struct StatisticsReply {
    #[serde(default)]
    pub(super) list: Vec<ArticleStatistics>,
}

/// What was counted for one article.
#[derive(Debug, Deserialize)]
pub(super) struct ArticleStatistics {
    #[serde(default)]
    pub(super) msgid: String,
    #[serde(default)]
    pub(super) content_url: String,
    #[serde(default)]
    pub(super) detail_list: Vec<serde_json::Map<String, Value>>,
}

/// `publish_id` is text in one page of the documentation, a number in another, and a number in
/// reality.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err(serde::de::Error::custom("expected a number or a text")),
    }
}
