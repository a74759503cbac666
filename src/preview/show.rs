//! Finished bytes as they are shown in a frame: an article in WeChat's page, a file of a gateway's
//! package. The bytes themselves go through unchanged, but for what WeChat itself does to them:
//! picture slots get addresses, and letters and colours follow the reader's settings.

use super::view::{Glasses, TextSize};
use crate::model::slots;
use askama::Template;
use regex::{Captures, Regex};
use std::{
    borrow::Cow,
    io::{Cursor, Read as _},
    sync::LazyLock,
};

/// No file of a package is larger; what says it is, is not unpacked.
const LARGEST_ENTRY: u64 = 4 << 20;

/// The page that WeChat puts around an article.
#[derive(Template)]
#[template(path = "preview/html/wechat.html")]
struct WechatPage<'a> {
    title: &'a str,
    author: &'a str,
    dark: bool,
    content: &'a str,
}

/// An article as a reader sees it. `address` gives the address of a picture.
///
/// # Errors
/// The template's.
pub fn article(
    html: &str,
    title: &str,
    author: &str,
    glasses: &Glasses,
    address: impl Fn(&crate::model::Digest) -> String,
) -> askama::Result<String> {
    let mut content = String::with_capacity(html.len() + 1024);
    let mut done = 0;
    for slot in slots(html) {
        content.push_str(&html[done..slot.start]);
        content.push_str(&address(&slot.picture));
        done = slot.end;
    }
    content.push_str(&html[done..]);
    let content = enlarged(&content, glasses.size);
    WechatPage { title, author, dark: glasses.dark, content: &content }.render()
}

/// Letters as large as the reader's setting makes them: WeChat multiplies every size.
fn enlarged(html: &str, size: TextSize) -> Cow<'_, str> {
    static SIZE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"font-size:\s*([0-9]+(?:\.[0-9]+)?)px").ok());
    let Some(pattern) = SIZE.as_ref().filter(|_| size != TextSize::Standard) else {
        return Cow::Borrowed(html);
    };
    pattern.replace_all(html, |found: &Captures<'_>| {
        let px: f64 = found[1].parse().unwrap_or(16.0);
        format!("font-size:{:.1}px", px * size.factor())
    })
}

/// The names of a package's files, in its order.
#[must_use]
pub fn entries(package: &[u8]) -> Vec<String> {
    let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(package)) else { return Vec::new() };
    (0..zip.len())
        .filter_map(|index| Some(zip.by_index(index).ok()?.name().ok()?.into_owned()))
        .collect()
}

/// A file of a package by its whole name.
#[must_use]
pub fn entry(package: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(package)).ok()?;
    let file = zip.by_name(name).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST_ENTRY + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LARGEST_ENTRY).then_some(bytes)
}

/// Whether a file of a package is a page that a guest sees.
#[must_use]
pub fn is_page(name: &str) -> bool {
    let end = name.rsplit('.').next().unwrap_or("");
    end.eq_ignore_ascii_case("html") || end.eq_ignore_ascii_case("htm")
}
