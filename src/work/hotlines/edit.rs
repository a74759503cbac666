//! One entry of `hotlines.toml` changed, line by line: comments, order and every other byte stay.

use super::super::WorkError;
use crate::{
    model::{Hotline, HotlineId, Library},
    read,
};

/// The text with these keys of the entry set to these values, each as TOML. The new text was read
/// again: nothing else in it means anything else.
///
/// # Errors
/// [`WorkError::Faults`] says why the entry has to be changed by hand.
pub fn edited(
    text: &str,
    hotline: &HotlineId,
    values: &[(&str, String)],
) -> Result<String, WorkError> {
    let by_hand = |why: &str| {
        WorkError::Faults(vec![format!(
            "hotlines.toml 里的 {hotline} 改不了：{why}；请直接改 content/hotlines.toml"
        )])
    };
    let before = read::read_hotlines(text);
    if !before.diagnostics.is_empty() {
        return Err(by_hand("文件里有错，先运行 caishi check 改好"));
    }
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let span = entry_of(&lines, hotline).ok_or_else(|| by_hand("没有找到它的 [[hotline]] 一段"))?;
    for (key, value) in values {
        let mut own = lines[span.clone()].iter_mut();
        let line = own.find(|line| key_of(line) == Some(key));
        let line = line.ok_or_else(|| by_hand(&format!("没有 {key} 这一行")))?;
        *line = replaced(line, value).ok_or_else(|| by_hand(&format!("{key} 写成了几行")))?;
    }
    let after = lines.concat();
    let read_again = read::read_hotlines(&after);
    if let Some(found) = read_again.diagnostics.first() {
        return Err(by_hand(&format!("改了以后读不懂：{}", found.reason)));
    }
    if others(&before.library, hotline) != others(&read_again.library, hotline) {
        return Err(by_hand("会牵动别的电话"));
    }
    Ok(after)
}

/// A text as a TOML string.
#[must_use]
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Everything that must stay as it was.
fn others(library: &Library, but: &HotlineId) -> (Vec<[String; 9]>, Vec<(String, String)>) {
    let all = library.hotlines.iter().filter(|hotline| hotline.id != *but);
    let sets = library.hotline_sets.iter().map(|set| {
        let names: Vec<&str> = set.hotlines.iter().map(HotlineId::as_str).collect();
        (set.id.clone(), names.join(" "))
    });
    (all.map(fields).collect(), sets.collect())
}

fn fields(hotline: &Hotline) -> [String; 9] {
    [
        hotline.id.to_string(),
        hotline.number.clone(),
        hotline.name.clone(),
        hotline.short.clone(),
        hotline.note.clone(),
        hotline.hours.clone(),
        hotline.source.clone(),
        hotline.verified_on.to_string(),
        hotline.verified_by.clone(),
    ]
}

/// The lines of an entry, without its header.
fn entry_of(lines: &[String], hotline: &HotlineId) -> Option<std::ops::Range<usize>> {
    let is_header = |line: &String| line.trim_start().starts_with('[');
    let mut start = 0;
    while start < lines.len() {
        let header = start + lines[start..].iter().position(is_header)?;
        let rest = &lines[header + 1..];
        let end = header + 1 + rest.iter().position(is_header).unwrap_or(rest.len());
        let own = &lines[header + 1..end];
        let is_hotline = lines[header].trim_start().starts_with("[[hotline]]");
        let id = [quoted(hotline.as_str()), format!("'{hotline}'")];
        let named = own.iter().any(|line| {
            key_of(line) == Some("id")
                && value_of(line).is_some_and(|(_, v, _)| id.contains(&v.into()))
        });
        if is_hotline && named {
            return Some(header + 1..end);
        }
        start = end;
    }
    None
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    (plain && !key.is_empty()).then_some(key)
}

/// What stands before the value, the value, and what stands behind it.
fn value_of(line: &str) -> Option<(&str, &str, &str)> {
    let equals = line.find('=')?;
    let start = equals + 1 + line[equals + 1..].len() - line[equals + 1..].trim_start().len();
    let rest = &line[start..];
    if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
        return None;
    }
    let length = match rest.chars().next()? {
        '"' => {
            let mut escaped = false;
            let closing = rest.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                closes
            });
            closing?.0 + 1
        }
        '\'' => rest[1..].find('\'')? + 2,
        _ => rest.find(|c: char| c == '#' || c.is_whitespace()).unwrap_or(rest.len()),
    };
    Some((&line[..start], &rest[..length], &rest[length..]))
}

fn replaced(line: &str, value: &str) -> Option<String> {
    let (before, _, behind) = value_of(line)?;
    Some(format!("{before}{value}{behind}"))
}
