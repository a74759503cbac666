//! `prepare`: pictures up, the draft made, and what the platform stored compared with what was
//! sent.
//!
//! `draft/add` knows no idempotency. Before it is called the books say so; where it was called and
//! no draft was recorded, the draft box is searched before another is made.

use super::{
    client::{self, Client, Request},
    config::WechatConfig,
    difference::difference,
    error::Effect,
    html, journal,
    media::{self, Picture, Purpose, Stored},
    preflight,
    wire::{Article, Image, ImageInfo, ListReply, MediaReply, NewsItem, NewsReply},
};
use crate::{
    deliver::{Books, DeliverError, ErrorKind, Parcel, Prepared, Retry, Scope},
    model::{Digest, Message},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// How far the platform's clock may be behind ours when drafts are compared by time.
const SKEW: SignedDuration = SignedDuration::from_secs(600);

/// How long pictures that were uploaded again are taken to be there.
const UPLOADED_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// One account's drafts.
#[derive(Clone, Copy)]
pub(super) struct Drafts<'a> {
    pub(super) config: &'a WechatConfig,
    pub(super) client: &'a Client,
    pub(super) books: &'a dyn Books,
}

impl Drafts<'_> {
    /// Makes the draft, or finds the one that was made.
    pub(super) async fn prepare(self, parcel: &Parcel) -> Result<Prepared, DeliverError> {
        let texts = self.checked_texts(parcel).await?;
        let (articles, mut notes) = self.articles(parcel, &texts).await?;
        let recorded = journal::read(self.books, journal::DRAFT).await?;
        let (media_id, stored) = match recorded {
            Some(media_id) => self.recorded(parcel, media_id, &articles).await?,
            None => self.make(parcel, &articles).await?,
        };
        notes.extend(changes(&articles, &stored));
        Ok(Prepared { reference: media_id, notes })
    }

    /// The text of every message. All faults of all of them, before the first call.
    async fn checked_texts(self, parcel: &Parcel) -> Result<Vec<String>, DeliverError> {
        let mut faults = preflight::parcel(self.config, parcel);
        let texts = texts(parcel, self.books, &mut faults).await?;
        for (index, (message, text)) in parcel.messages.iter().zip(&texts).enumerate() {
            faults.extend(preflight::content(message, index + 1, parcel.messages.len(), text));
        }
        if faults.is_empty() { Ok(texts) } else { Err(refused(&faults)) }
    }

    /// The articles as they are sent: every picture is on the platform then.
    async fn articles(
        self,
        parcel: &Parcel,
        texts: &[String],
    ) -> Result<(Vec<Article>, Vec<String>), DeliverError> {
        let stored = self.pictures(parcel, texts).await?;
        let notes = stored.values().filter_map(|stored| stored.note.clone()).collect();
        let single = parcel.messages.len() == 1;
        let articles = parcel
            .messages
            .iter()
            .zip(texts)
            .map(|(message, text)| self.article(message, text, single, &stored))
            .collect::<Result<_, _>>()?;
        Ok((articles, notes))
    }

    async fn pictures(
        self,
        parcel: &Parcel,
        texts: &[String],
    ) -> Result<BTreeMap<Purpose, Stored>, DeliverError> {
        let mut ready: BTreeMap<Purpose, Picture> = BTreeMap::new();
        let mut faults = Vec::new();
        for (message, text) in parcel.messages.iter().zip(texts) {
            for purpose in purposes(message, text) {
                if ready.contains_key(&purpose) {
                    continue;
                }
                match media::ready(&purpose, self.books).await? {
                    Ok(picture) => drop(ready.insert(purpose, picture)),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        if !faults.is_empty() {
            return Err(refused(&faults));
        }
        let mut stored = BTreeMap::new();
        for (purpose, picture) in ready {
            let there = media::upload(&purpose, picture, self.client, self.books).await?;
            stored.insert(purpose, there);
        }
        Ok(stored)
    }

    fn article(
        self,
        message: &Message,
        text: &str,
        single: bool,
        stored: &BTreeMap<Purpose, Stored>,
    ) -> Result<Article, DeliverError> {
        let picture_message = preflight::is_picture_message(message);
        let address = |picture: &Digest| {
            stored.get(&Purpose::Text(*picture)).map(|stored| stored.reference.clone())
        };
        let content = if picture_message {
            text.to_owned()
        } else {
            html::fill_slots(text, address)
                .map_err(|picture| refused(&[format!("图片 {picture} 没有地址")]))?
        };
        let cover = stored.get(&Purpose::Cover(message.cover_wide, message.cover_square));
        let cover = cover.filter(|_| !picture_message);
        let crops = cover.and_then(|cover| cover.crops.clone()).unzip();
        let images = message.pictures.iter().filter_map(|picture| {
            let stored = stored.get(&Purpose::Message(*picture))?;
            Some(Image { image_media_id: stored.reference.clone() })
        });
        Ok(Article {
            kind: if picture_message { "newspic" } else { "news" },
            title: message.title.clone(),
            author: message.author.clone(),
            // "仅有单图文消息才有摘要，多图文此处为空".
            digest: if single { message.digest_text.clone() } else { String::new() },
            content,
            content_source_url: message.source_url.clone(),
            thumb_media_id: cover.map(|cover| cover.reference.clone()),
            need_open_comment: u8::from(self.config.need_open_comment),
            only_fans_can_comment: u8::from(self.config.only_fans_can_comment),
            pic_crop_235_1: crops.0,
            pic_crop_1_1: crops.1,
            image_info: picture_message.then(|| ImageInfo { image_list: images.collect() }),
        })
    }

    /// The draft in the books, as the platform has it now. People can edit and delete drafts on
    /// the platform's own site; what they approved is something else then.
    async fn recorded(
        self,
        parcel: &Parcel,
        media_id: String,
        articles: &[Article],
    ) -> Result<(String, Vec<NewsItem>), DeliverError> {
        if let Some(stored) = self.stored(&media_id).await? {
            let seen = journal::read(self.books, journal::DRAFT_SEEN).await?;
            if seen.is_some_and(|seen| seen != fingerprint(&stored)) {
                return Err(DeliverError::new(
                    ErrorKind::Conflict,
                    Retry::Never,
                    format!("草稿 {media_id} 在公众平台上被人改过，和审批的内容不一样了"),
                    "请在公众平台删掉这份草稿再 caishi retry，会按审批的内容重新做一份",
                ));
            }
            self.see(&stored).await?;
            return Ok((media_id, stored));
        }
        if journal::read(self.books, journal::DRAFT_MISSING).await?.as_ref() != Some(&media_id) {
            journal::write(self.books, journal::DRAFT_MISSING, &media_id).await?;
            return Err(DeliverError::new(
                ErrorKind::NotFound,
                Retry::Never,
                format!("草稿 {media_id} 已不在草稿箱里：有人在公众平台上删掉或发表了它"),
                "请到公众平台看看：已经发表的，用 caishi resolve 记下；要重新做一份，用 caishi retry",
            ));
        }
        // A person looked and asked for another.
        journal::write(self.books, journal::DRAFT, "").await?;
        journal::write(self.books, journal::DRAFT_TRIED, "").await?;
        self.make(parcel, articles).await
    }

    async fn make(
        self,
        parcel: &Parcel,
        articles: &[Article],
    ) -> Result<(String, Vec<NewsItem>), DeliverError> {
        let media_id = match journal::read_time(self.books, journal::DRAFT_TRIED).await? {
            Some(tried) => match self.spare(parcel, articles, tried).await? {
                Some(media_id) => media_id,
                None => self.add(parcel, articles).await?,
            },
            None => {
                let now = self.books.now().await?;
                journal::write(self.books, journal::DRAFT_TRIED, &now.to_string()).await?;
                self.add(parcel, articles).await?
            }
        };
        let owner = format!("draft-owner/{media_id}");
        self.books.write(Scope::Channel, &owner, &parcel.delivery).await?;
        journal::write(self.books, journal::DRAFT, &media_id).await?;
        journal::write(self.books, journal::DRAFT_SEEN, "").await?;
        self.books.reached("wechat.draft.recorded");
        let stored = self.stored(&media_id).await?.ok_or_else(|| {
            DeliverError::new(
                ErrorKind::NotFound,
                Retry::After(Duration::from_secs(30)),
                format!("刚做好的草稿 {media_id} 读不出来"),
                "稍后会自动再试",
            )
        })?;
        self.see(&stored).await?;
        Ok((media_id, stored))
    }

    async fn see(self, stored: &[NewsItem]) -> Result<(), DeliverError> {
        Ok(journal::write(self.books, journal::DRAFT_SEEN, &fingerprint(stored)).await?)
    }

    async fn add(self, parcel: &Parcel, articles: &[Article]) -> Result<String, DeliverError> {
        let call = "draft/add";
        let body = json!({ "articles": articles });
        let answer = self.client.ask(&Request::json(call, &body), self.books).await?;
        if answer.code == 40007 {
            return Err(self.material_gone(parcel, &answer.message).await?);
        }
        let now = self.books.now().await?;
        let answer = self.client.checked(answer, call, Effect::Repeatable, now)?;
        self.books.reached("wechat.draft.sent");
        let reply: MediaReply = client::understood(call, answer, Effect::Repeatable)?;
        Ok(reply.media_id)
    }

    /// Somebody deleted a picture from the material library that the books know: all of this
    /// parcel's are forgotten and uploaded again next time — by itself once an hour, and whenever a
    /// person asks for it to be sent again.
    async fn material_gone(
        self,
        parcel: &Parcel,
        message: &str,
    ) -> Result<DeliverError, DeliverError> {
        let now = self.books.now().await?;
        let refusal = self.client.refusal(40007, message, "draft/add", Effect::Repeatable, now);
        for one in &parcel.messages {
            for purpose in purposes(one, "") {
                media::forget(&purpose, self.books).await?;
            }
        }
        let last = journal::read_time(self.books, journal::UPLOADED_AGAIN).await?;
        if last.is_some_and(|last| last.duration_until(now) < UPLOADED_AGAIN_AFTER) {
            return Ok(DeliverError {
                next_step:
                    "素材刚重新上传过，平台还是不认：请到公众平台看看素材库；再重发一次，会再\
                            上传一遍"
                        .into(),
                ..refusal
            });
        }
        journal::write(self.books, journal::UPLOADED_AGAIN, &now.to_string()).await?;
        Ok(DeliverError {
            retry: Retry::After(Duration::from_secs(1)),
            next_step: "素材库里的封面或图片可能被人删了：会重新上传一次再试".into(),
            ..refusal
        })
    }

    /// A draft of the same articles, made since `tried`, that no other delivery has.
    async fn spare(
        self,
        parcel: &Parcel,
        articles: &[Article],
        tried: Timestamp,
    ) -> Result<Option<String>, DeliverError> {
        let call = "draft/batchget";
        let body = json!({ "offset": 0, "count": 20, "no_content": 0 });
        let answer = self.client.call(&Request::json(call, &body), self.books).await?;
        let list: ListReply = client::understood(call, answer, Effect::Repeatable)?;
        let wanted: Vec<_> =
            articles.iter().map(|one| (one.title.as_str(), one.content.as_str())).collect();
        let since = tried.checked_sub(SKEW).unwrap_or(Timestamp::MIN).as_second();
        for item in list.item {
            if item.update_time < since || !same(&wanted, &item.content.news_item) {
                continue;
            }
            let owner = format!("draft-owner/{}", item.media_id);
            let owner = self.books.read(Scope::Channel, &owner).await?;
            if owner.is_none_or(|owner| owner == parcel.delivery) {
                return Ok(Some(item.media_id));
            }
        }
        Ok(None)
    }

    /// The draft as the platform has it; `None` where it is gone.
    pub(super) async fn stored(
        self,
        media_id: &str,
    ) -> Result<Option<Vec<NewsItem>>, DeliverError> {
        let call = "draft/get";
        let body = json!({ "media_id": media_id });
        let answer = self.client.ask(&Request::json(call, &body), self.books).await?;
        if answer.code == 40007 {
            return Ok(None);
        }
        let now = self.books.now().await?;
        let answer = self.client.checked(answer, call, Effect::Repeatable, now)?;
        let reply: NewsReply = client::understood(call, answer, Effect::Repeatable)?;
        Ok(Some(reply.news_item))
    }
}

/// The text of every message: the article's HTML, or a picture message's words.
pub(super) async fn texts(
    parcel: &Parcel,
    books: &dyn Books,
    faults: &mut Vec<String>,
) -> Result<Vec<String>, DeliverError> {
    let mut texts = Vec::new();
    for message in &parcel.messages {
        let file = message.content.or(message.text);
        let bytes = match file {
            // Only files of the parcel are read; that others are missing is a fault by then.
            Some(file) if parcel.files.iter().any(|listing| listing.sha256 == file) => {
                books.file(&file).await?
            }
            _ => Vec::new(),
        };
        texts.push(String::from_utf8(bytes).unwrap_or_else(|_| {
            faults.push(format!("《{}》的正文不是 UTF-8", message.title));
            String::new()
        }));
    }
    Ok(texts)
}

fn purposes(message: &Message, text: &str) -> Vec<Purpose> {
    if preflight::is_picture_message(message) {
        return message.pictures.iter().copied().map(Purpose::Message).collect();
    }
    let mut purposes: Vec<_> = html::slot_pictures(text).into_iter().map(Purpose::Text).collect();
    purposes.push(Purpose::Cover(message.cover_wide, message.cover_square));
    purposes
}

fn refused(faults: &[String]) -> DeliverError {
    DeliverError::new(
        ErrorKind::Content,
        Retry::Never,
        format!("内容不符合公众号的限制：{}", faults.join("；")),
        "请改正后重新提交审批",
    )
}

/// What the platform changed, article by article.
fn changes(articles: &[Article], stored: &[NewsItem]) -> Vec<String> {
    let mut notes = Vec::new();
    if articles.len() != stored.len() {
        notes.push(format!("发了 {} 篇，草稿里有 {} 篇", articles.len(), stored.len()));
    }
    for (index, (article, stored)) in articles.iter().zip(stored).enumerate() {
        let mut lines = Vec::new();
        if article.title != stored.title {
            lines.push(format!("平台把标题改成了「{}」", stored.title));
        }
        lines.extend(difference(&article.content, &stored.content));
        let place =
            if articles.len() > 1 { format!("第 {} 篇：", index + 1) } else { String::new() };
        notes.extend(lines.into_iter().map(|line| format!("{place}{line}")));
    }
    notes
}

/// Whether the platform's articles are these: titles, and every character a reader sees.
pub(super) fn same(wanted: &[(&str, &str)], stored: &[NewsItem]) -> bool {
    wanted.len() == stored.len()
        && wanted.iter().zip(stored).all(|((title, content), stored)| {
            *title == stored.title
                && html::visible_text(content) == html::visible_text(&stored.content)
        })
}

/// A digest of what readers see in a draft.
fn fingerprint(stored: &[NewsItem]) -> String {
    let texts: Vec<String> = stored
        .iter()
        .flat_map(|item| [item.title.clone(), html::visible_text(&item.content)])
        .collect();
    Digest::of_fields(texts.iter().map(String::as_bytes)).to_string()
}
