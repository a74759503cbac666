//! What the platform made of an article: sent and stored, compared by structure.
//!
//! Tags, attributes, style declarations and text are compared each by themselves. What is lost is
//! named with how often; an address that moved from `src` to `data-src` is the platform's way of
//! loading pictures late, and nothing to report.

use super::html::{self, Piece};
use std::collections::{BTreeMap, BTreeSet};

/// How many characters of a text are quoted.
const QUOTED: usize = 30;

/// What is different, in Chinese, one line each; empty where nothing is.
#[must_use]
pub fn difference(sent: &str, stored: &str) -> Vec<String> {
    let (before, after) = (Counts::of(sent), Counts::of(stored));
    let mut lines = Vec::new();
    for (tag, lost) in changed(&before.tags, &after.tags) {
        lines.push(count_line(&format!("标签 <{tag}>"), lost));
    }
    for ((tag, name), lost) in changed(&before.attributes, &after.attributes) {
        // Where the tag itself went, its attributes went with it.
        if lost > 0 && !after.tags.contains_key(&tag) {
            continue;
        }
        lines.push(count_line(&format!("<{tag}> 的属性 {name}"), lost));
    }
    lines.extend(style_lines(&before, &after));
    lines.extend(picture_line(&before, &after));
    lines.extend(text_line(&html::visible_text(sent), &html::visible_text(stored)));
    lines
}

fn count_line(what: &str, lost: i64) -> String {
    if lost > 0 {
        format!("平台删掉了{what} {lost} 处")
    } else {
        format!("平台加上了{what} {} 处", -lost)
    }
}

/// Declarations by property: how many went, and which values were rewritten.
fn style_lines(before: &Counts, after: &Counts) -> Vec<String> {
    let mut lines = Vec::new();
    for (property, lost) in changed(&before.properties, &after.properties) {
        lines.push(count_line(&format!("样式 {property}"), lost));
    }
    for (property, values) in &before.values {
        let same_count = before.properties.get(property) == after.properties.get(property);
        let Some(now) = after.values.get(property).filter(|_| same_count) else { continue };
        let gone: Vec<_> = values.iter().filter(|(value, n)| now.get(*value) < Some(n)).collect();
        let new: Vec<_> = now.iter().filter(|(value, n)| values.get(*value) < Some(n)).collect();
        if let (Some((old, _)), Some((new, _))) = (gone.first(), new.first()) {
            lines.push(format!("平台改写了样式 {property}：如 {} → {}", cut(old), cut(new)));
        }
    }
    lines
}

fn picture_line(before: &Counts, after: &Counts) -> Option<String> {
    let lost = before.pictures.iter().filter(|picture| !after.pictures.contains(picture)).count();
    (lost > 0).then(|| format!("平台换掉或删掉了 {lost} 张图片的地址"))
}

fn text_line(before: &str, after: &str) -> Option<String> {
    if before == after {
        return None;
    }
    let (before, after): (Vec<char>, Vec<char>) =
        (before.chars().collect(), after.chars().collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let tail = before[head..].iter().rev().zip(after[head..].iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let changed = |text: &[char]| text[head..text.len() - tail].iter().collect::<String>();
    let (old, new) = (changed(&before), changed(&after));
    Some(match (old.is_empty(), new.is_empty()) {
        (false, true) => format!("平台删掉了文字「{}」", cut(&old)),
        (true, false) => format!("平台加上了文字「{}」", cut(&new)),
        _ => format!("平台改动了文字：「{}」→「{}」", cut(&old), cut(&new)),
    })
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Keys whose count went down (by how much) or up (negative).
fn changed<K: Ord + Clone>(before: &BTreeMap<K, i64>, after: &BTreeMap<K, i64>) -> Vec<(K, i64)> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    let count = |counts: &BTreeMap<K, i64>, key: &K| counts.get(key).copied().unwrap_or(0);
    keys.into_iter()
        .map(|key| (key.clone(), count(before, key) - count(after, key)))
        .filter(|(_, lost)| *lost != 0)
        .collect()
}

/// What an article is made of, counted.
#[derive(Default)]
struct Counts {
    tags: BTreeMap<String, i64>,
    attributes: BTreeMap<(String, String), i64>,
    properties: BTreeMap<String, i64>,
    values: BTreeMap<String, BTreeMap<String, i64>>,
    pictures: Vec<String>,
}

impl Counts {
    fn of(html: &str) -> Self {
        let mut counts = Self::default();
        for piece in html::pieces(html) {
            let Piece::Open(tag, attributes) = piece else { continue };
            *counts.tags.entry(tag.clone()).or_default() += 1;
            for (name, value) in attributes {
                counts.attribute(&tag, name, &value);
            }
        }
        counts
    }

    fn attribute(&mut self, tag: &str, name: String, value: &str) {
        match (tag, name.as_str()) {
            ("img", "src" | "data-src") => {
                // Both names may be there for one picture.
                let address = value.trim().replacen("http://", "https://", 1);
                if !self.pictures.contains(&address) {
                    self.pictures.push(address);
                }
            }
            (_, "style") => {
                for (property, value) in html::declarations(value) {
                    *self.properties.entry(property.clone()).or_default() += 1;
                    *self.values.entry(property).or_default().entry(value).or_default() += 1;
                }
            }
            _ => *self.attributes.entry((tag.to_owned(), name)).or_default() += 1,
        }
    }
}
