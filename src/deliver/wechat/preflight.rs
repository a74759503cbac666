//! What the platform would refuse about a parcel, found before anything is sent.
//!
//! [`parcel`] needs the parcel only; [`content`] needs an article's text and is asked in `prepare`,
//! before the first call. A picture slot counts 200 characters.

use super::{config::WechatConfig, html};
use crate::{
    deliver::Parcel,
    model::{Digest, Limits, Listing, MediaType, Message, counted_with_slots},
};

/// What author, digest and content are held to; content stays below its figures.
const LIMITS: Limits = Limits::NOVEMBER_2026;
/// Bytes of the address behind 阅读原文.
pub const SOURCE_URL: usize = 1024;
/// Articles of one message.
pub const ARTICLES: usize = 8;
/// Pictures of a picture message.
pub const PICTURES: usize = 20;

/// Every fault that can be seen without the files' bytes.
#[must_use]
pub fn parcel(config: &WechatConfig, parcel: &Parcel) -> Vec<String> {
    let mut faults = Vec::new();
    let count = parcel.messages.len();
    let most = config.bundle.min(ARTICLES);
    let picture_messages = parcel.messages.iter().filter(|one| is_picture_message(one)).count();
    if count == 0 {
        faults.push("没有要发的文章：请检查 outputs 和 audiences".to_owned());
    }
    if picture_messages == 0 && count > most {
        faults.push(format!("一次要发 {count} 篇，至多 {most} 篇；请减少每期的课数或改 bundle"));
    }
    if picture_messages > 0 && count > 1 {
        faults.push(
            "图片消息要单独成一条，不能和文章或另一条图片消息合在一起；请给它另设一个 channel"
                .into(),
        );
    }
    if parcel.target != config.app_id {
        let (target, account) = (&parcel.target, &config.app_id);
        faults.push(format!("要发给 {target}，但这个渠道的公众号是 {account}；请重新提交审批"));
    }
    for (index, message) in parcel.messages.iter().enumerate() {
        let here = Place { number: index + 1, of: count, title: &message.title };
        texts(config, message, here, &mut faults);
        files(message, &parcel.files, here, &mut faults);
    }
    faults
}

/// Whether it is a picture message.
#[must_use]
pub fn is_picture_message(message: &Message) -> bool {
    message.content.is_none()
}

/// Which article a fault is about.
#[derive(Clone, Copy)]
struct Place<'a> {
    number: usize,
    of: usize,
    title: &'a str,
}

impl Place<'_> {
    fn fault(self, what: &str) -> String {
        let title: String = self.title.chars().take(16).collect();
        if self.of > 1 {
            format!("第 {} 篇《{title}》{what}", self.number)
        } else {
            format!("《{title}》{what}")
        }
    }
}

fn texts(config: &WechatConfig, message: &Message, here: Place<'_>, faults: &mut Vec<String>) {
    let mut too_long = |what: &str, text: &str, most: usize| {
        let count = text.chars().count();
        if count > most {
            faults.push(here.fault(&format!("的{what}有 {count} 字，至多 {most} 字")));
        }
    };
    too_long("标题", &message.title, config.title_limit);
    too_long("作者", &message.author, LIMITS.article_author.value);
    too_long("摘要", &message.digest_text, LIMITS.article_digest.value);
    if message.title.trim().is_empty() {
        faults.push(here.fault("没有标题"));
    }
    for (what, text) in
        [("标题", &message.title), ("作者", &message.author), ("摘要", &message.digest_text)]
    {
        if text.chars().any(char::is_control) {
            faults.push(here.fault(&format!("的{what}里有换行或控制字符")));
        }
    }
    let address = &message.source_url;
    if address.len() > SOURCE_URL {
        let bytes = address.len();
        faults.push(here.fault(&format!("的“阅读原文”网址有 {bytes} 字节，至多 {SOURCE_URL}")));
    }
    let web = |url: &url::Url| matches!(url.scheme(), "http" | "https");
    if !address.is_empty() && !url::Url::parse(address).is_ok_and(|url| web(&url)) {
        faults.push(here.fault("的“阅读原文”不是 http 或 https 网址"));
    }
}

fn files(message: &Message, files: &[Listing], here: Place<'_>, faults: &mut Vec<String>) {
    let find = |digest: &Digest| files.iter().find(|file| file.sha256 == *digest);
    let mut picture = |what: &str, digest: &Digest| match find(digest).map(|file| file.media_type) {
        Some(MediaType::Png | MediaType::Jpeg) => {}
        Some(other) => {
            faults.push(here.fault(&format!("的{what}是 {}，只能是 PNG 或 JPEG", other.as_str())));
        }
        None => faults.push(here.fault(&format!("的{what} {digest} 不在审批的文件里"))),
    };
    for digest in &message.pictures {
        picture("图片", digest);
    }
    for (what, cover) in [("横封面", &message.cover_wide), ("方封面", &message.cover_square)]
    {
        if let Some(digest) = cover {
            picture(what, digest);
        }
    }
    if let Some(content) = &message.content {
        if message.cover_wide.is_none() && message.cover_square.is_none() {
            faults.push(here.fault("没有封面"));
        }
        match find(content).map(|file| file.bytes) {
            None => faults.push(here.fault("的正文不在审批的文件里")),
            // A character has at most four bytes; the exact count follows with the text.
            Some(bytes)
                if bytes >= 4 * LIMITS.article_characters.value as u64
                    || bytes >= LIMITS.article_bytes.value as u64 =>
            {
                let most = LIMITS.article_characters.value;
                let what = format!("的正文有 {bytes} 字节，要少于 {most} 个字符和 1 MB");
                faults.push(here.fault(&what));
            }
            Some(_) => {}
        }
        return;
    }
    match message.pictures.len() {
        0 => faults.push(here.fault("既没有正文也没有图片")),
        count if count > PICTURES => {
            faults.push(here.fault(&format!("有 {count} 张图片，图片消息至多 {PICTURES} 张")));
        }
        _ => {}
    }
    if let Some(text) = &message.text
        && find(text).is_none()
    {
        faults.push(here.fault("的文字不在审批的文件里"));
    }
}

/// Every fault of one article's text; `number` counts from one, of `of` articles.
#[must_use]
pub fn content(message: &Message, number: usize, of: usize, text: &str) -> Vec<String> {
    let here = Place { number, of, title: &message.title };
    let mut faults = Vec::new();
    let (characters, bytes) = counted_with_slots(text);
    let most = LIMITS.article_characters.value;
    if characters >= most {
        faults.push(here.fault(&format!(
            "的正文有 {characters} 个字符（含标签，图片各计 200），要少于 {most}；请删减或拆成两篇"
        )));
    }
    if bytes >= LIMITS.article_bytes.value {
        faults.push(here.fault(&format!("的正文有 {bytes} 字节，要少于 1 MB")));
    }
    if is_picture_message(message) {
        if html::pieces(text).iter().any(|piece| matches!(piece, html::Piece::Open(..))) {
            faults.push(here.fault("的文字里有 HTML 标签，图片消息只能是纯文字"));
        }
        return faults;
    }
    if html::visible_text(text).is_empty() && html::slot_pictures(text).is_empty() {
        faults.push(here.fault("的正文是空的"));
    }
    for address in html::foreign_pictures(text) {
        let short: String = address.chars().take(60).collect();
        faults.push(here.fault(&format!("引用了平台以外的图片 {short}，平台会把它删掉")));
    }
    for picture in html::slot_pictures(text) {
        if !message.pictures.contains(&picture) {
            faults.push(here.fault(&format!("用到的图片 {picture} 不在审批的图片里")));
        }
    }
    faults
}
