//! Articles: what a draft holds and what goes out.

use super::account::Account;
use crate::model::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What sort of article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArticleKind {
    /// 图文消息.
    #[default]
    News,
    /// 图片消息.
    NewsPic,
}

/// How a cover is cut.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cover {
    /// `X1_Y1_X2_Y2` for 2.35:1, in fractions of the picture; empty for the middle.
    pub wide: String,
    /// The same for 1:1.
    pub square: String,
}

/// One article, as the platform keeps it: after it took out what it does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Article {
    /// What sort.
    pub kind: ArticleKind,
    /// The title.
    pub title: String,
    /// The author.
    pub author: String,
    /// The digest.
    pub digest: String,
    /// The content, sanitised.
    pub content: String,
    /// 阅读原文.
    pub content_source_url: String,
    /// The cover's material; of a picture message the first picture.
    pub thumb_media_id: String,
    /// The cover's address.
    pub thumb_url: String,
    /// How the cover is cut.
    pub cover: Cover,
    /// A picture message's pictures, by media id.
    pub images: Vec<String>,
    /// Whether readers may comment.
    pub need_open_comment: bool,
    /// Whether only followers may.
    pub only_fans_can_comment: bool,
    /// The name of its page, once it is out.
    pub page: String,
    /// Whether it was taken down.
    pub is_deleted: bool,
    /// The digest of what readers see, whatever the pictures' addresses are.
    pub fingerprint: String,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Its name.
    pub media_id: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
    /// Its articles.
    pub articles: Vec<Article>,
}

impl Article {
    /// The article as `draft/get`, `getarticle` and their like tell of it.
    pub(super) fn news_item(&self, url: &str, with_content: bool) -> Value {
        let mut item = json!({
            "article_type": if self.kind == ArticleKind::News { "news" } else { "newspic" },
            "title": self.title,
            "author": self.author,
            "digest": self.digest,
            "content_source_url": self.content_source_url,
            "thumb_media_id": self.thumb_media_id,
            "thumb_url": self.thumb_url,
            "show_cover_pic": 0,
            "need_open_comment": i32::from(self.need_open_comment),
            "only_fans_can_comment": i32::from(self.only_fans_can_comment),
            "pic_crop_235_1": self.cover.wide,
            "pic_crop_1_1": self.cover.square,
            "url": url,
        });
        if with_content {
            item["content"] = self.content.clone().into();
        }
        if self.kind == ArticleKind::NewsPic {
            let images = self.images.iter().map(|id| json!({ "image_media_id": id }));
            item["image_info"] = json!({ "image_list": images.collect::<Vec<_>>() });
        }
        item
    }

    /// What tells this article from others: what readers see. An address of a picture stands for
    /// the picture, so that an article whose pictures were uploaded twice is the same article.
    pub(super) fn fingerprint(&self, account: &Account) -> String {
        let mut content = self.content.clone();
        for (address, picture) in &account.pictures {
            if content.contains(address.as_str()) {
                content = content.replace(address.as_str(), &picture.sha256);
            }
        }
        let sha256 = |media_id: &String| {
            account.materials.get(media_id).map_or("", |material| material.sha256.as_str())
        };
        let images: Vec<&str> = self.images.iter().map(sha256).collect();
        Digest::of_fields([
            self.title.as_bytes(),
            self.author.as_bytes(),
            self.digest.as_bytes(),
            content.as_bytes(),
            sha256(&self.thumb_media_id).as_bytes(),
            images.join(",").as_bytes(),
        ])
        .to_string()
    }
}
