//! Takes typed values out of a TOML table and notes every key that is wrong, missing or unknown.
//!
//! Deserialising into structs would stop at the first wrong key. Every fault names its line, its
//! table and key, what was expected and what to write. A value is shown back only where it cannot
//! be a secret that somebody typed into the wrong place.

use super::SecretReference;
use crate::model::suggest;
use std::cell::{Cell, RefCell};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where faults are noted, from every table of a file.
pub(super) struct Faults<'t> {
    text: &'t str,
    list: RefCell<Vec<(usize, String)>>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, list: RefCell::default() }
    }

    /// Notes a fault at a byte of the file.
    pub(super) fn note(&self, at: usize, what: String) {
        self.list.borrow_mut().push((at, what));
    }

    /// The line of a byte, counted from one.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    /// All faults, in the order of the file, each with its line.
    pub(super) fn into_list(self) -> Vec<String> {
        let mut list = self.list.take();
        list.sort_by_key(|(at, _)| *at);
        let line = |at| Self::new(self.text).line(at);
        list.into_iter().map(|(at, what)| format!("第 {} 行 {what}", line(at))).collect()
    }
}

/// The keys of one table. Whoever reads it asks for every key it knows; [`Table::finish`] then
/// refuses the rest.
pub(super) struct Table<'t> {
    /// How the file writes it, such as `[channel.wechat]`.
    pub(super) name: String,
    entries: &'t DeTable<'t>,
    at: usize,
    asked: RefCell<Vec<&'static str>>,
    faulty: Cell<bool>,
    faults: &'t Faults<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn new(
        name: impl Into<String>,
        entries: &'t DeTable<'t>,
        at: usize,
        faults: &'t Faults<'t>,
    ) -> Self {
        let (asked, faulty) = (RefCell::default(), Cell::new(false));
        Self { name: name.into(), entries, at, asked, faulty, faults }
    }

    /// The line on which it begins, counted from one.
    pub(super) fn line(&self) -> usize {
        self.faults.line(self.at)
    }

    /// Whether no fault was noted in this table.
    pub(super) fn is_sound(&self) -> bool {
        !self.faulty.get()
    }

    /// The value as written. Marks the key as known.
    fn value(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key)
    }

    /// Whether the key is written.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether the key holds a text.
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|value| value.get_ref().is_str())
    }

    /// Notes a fault of a key; of the table where the key is not written.
    pub(super) fn fault(&self, key: &str, what: impl AsRef<str>) {
        self.faulty.set(true);
        let at = self.entries.get(key).map_or(self.at, |value| value.span().start);
        let place = if self.name.is_empty() { String::new() } else { format!("{} ", self.name) };
        self.faults.note(at, format!("{place}{key}：{}", what.as_ref()));
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        match self.value(key)?.get_ref() {
            DeValue::String(text) => Some(text.trim().to_owned()),
            other => {
                self.fault(key, format!("应为一段文字，现在是{}；写成 {key} = \"…\"", sort(other)));
                None
            }
        }
    }

    /// A text that must be there and not be empty; `example` says what to write.
    pub(super) fn required(&self, key: &'static str, example: &str) -> Option<String> {
        let text = if self.value(key).is_some() { self.text(key)? } else { String::new() };
        if text.is_empty() {
            self.fault(key, format!("没有写；{example}"));
            return None;
        }
        Some(text)
    }

    /// A text that `parse` turns into something, or refuses with what it returns.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|what| self.fault(key, what)).ok()
    }

    /// A text that must be there and that `parse` turns into something.
    pub(super) fn required_parsed<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.required(key, example)?;
        parse(&text).map_err(|what| self.fault(key, what)).ok()
    }

    /// A truth value.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        match self.value(key)?.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            other => {
                self.fault(key, format!("应为 true 或 false，不带引号，现在是{}", sort(other)));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, key: &'static str, from: u16, to: u16) -> Option<u16> {
        let value = self.value(key)?.get_ref();
        let number = value.as_integer().and_then(|number| number.as_str().parse::<u16>().ok());
        match number.filter(|number| (from..=to).contains(number)) {
            Some(number) => Some(number),
            None => {
                self.fault(key, format!("应为 {from} 到 {to} 的整数，不带引号"));
                None
            }
        }
    }

    /// A list of texts, each turned into something by `parse`. Doubles are refused.
    pub(super) fn list<T: PartialEq>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(key, "应为列表；只有一项也要写方括号，例如 [\"…\"]");
            return None;
        };
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => match parse(text.trim()) {
                    Ok(value) if found.contains(&value) => {
                        self.fault(key, format!("“{}”写了两次；只留一个", shorten(text)));
                    }
                    Ok(value) => found.push(value),
                    Err(what) => self.fault(key, what),
                },
                other => {
                    self.fault(key, format!("列表的每一项应为带引号的文字，现在是{}", sort(other)));
                }
            }
        }
        Some(found)
    }

    /// A reference to a secret. Text in its place is refused and not shown back.
    pub(super) fn secret(&self, key: &'static str) -> Option<SecretReference> {
        let value = self.value(key)?;
        let reference = match value.get_ref() {
            DeValue::Table(table) => reference(table),
            _ => None,
        };
        if reference.is_none() {
            self.fault(key, SECRET_HELP);
        }
        reference
    }

    /// A reference to a secret that must be there.
    pub(super) fn required_secret(&self, key: &'static str) -> Option<SecretReference> {
        if !self.has(key) {
            self.fault(key, format!("没有写；{SECRET_HELP}"));
        }
        self.secret(key)
    }

    /// A table below this one, where it is written.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'t>> {
        let value = self.value(key)?;
        self.below(key, format!("[{key}]"), value)
    }

    /// The tables `[key.<id>]`, in the order of the file, by id.
    pub(super) fn tables_by_name(&self, key: &'static str) -> Vec<(&'t str, Table<'t>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else {
            self.fault(key, format!("应为表；写成 [{key}.名字]，下面一行一个键"));
            return Vec::new();
        };
        let mut tables: Vec<_> = entries.iter().collect();
        tables.sort_by_key(|(id, _)| id.span().start);
        let named = tables.into_iter().filter_map(|(id, value)| {
            let id: &'t str = id.get_ref();
            Some((id, self.below(key, format!("[{key}.{id}]"), value)?))
        });
        named.collect()
    }

    /// The tables `[[…]]` under a key, in the order of the file.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'t>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let prefix = self.name.trim_matches(['[', ']']);
        let dot = if prefix.is_empty() { "" } else { "." };
        let name = format!("[[{prefix}{dot}{key}]]");
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(key, format!("应为 {name}，每一项一段，用双方括号"));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.below(key, name.clone(), item)).collect()
    }

    fn below(&self, key: &str, name: String, value: &'t Spanned<DeValue<'t>>) -> Option<Table<'t>> {
        match value.get_ref() {
            DeValue::Table(entries) => {
                Some(Table::new(name, entries, value.span().start, self.faults))
            }
            other => {
                self.fault(key, format!("应为 {name} 这样的表，现在是{}", sort(other)));
                None
            }
        }
    }

    /// The keys nobody asked for, and whether their values are plain text.
    pub(super) fn others(&self) -> Vec<(&'t str, bool)> {
        let asked = self.asked.borrow();
        let all = self.entries.iter().map(|(key, value)| {
            let key: &'t str = key.get_ref();
            (key, value.get_ref().is_str())
        });
        all.filter(|(key, _)| !asked.contains(key)).collect()
    }

    /// The keys asked for so far.
    pub(super) fn asked(&self) -> Vec<&'static str> {
        self.asked.borrow().clone()
    }

    /// Refuses keys nobody asked for.
    pub(super) fn finish(&self) {
        for (key, _) in self.others() {
            let what = suggest::known(key, self.asked());
            self.fault(key, format!("没有这个键；{what}"));
        }
    }
}

/// What to write instead of a secret.
pub(super) const SECRET_HELP: &str = "密钥不能直接写在配置里；写 { env = \"环境变量名\" }、{ file = \"文件\" } 或 { command = [\"程序\", \"参数\"] }";

fn reference(table: &DeTable<'_>) -> Option<SecretReference> {
    let mut entries = table.iter();
    let (key, value) = entries.next()?;
    if entries.next().is_some() {
        return None;
    }
    let filled = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    match (key.get_ref().as_ref(), value.get_ref()) {
        ("env", DeValue::String(name)) => filled(name).map(SecretReference::Env),
        ("file", DeValue::String(path)) => {
            filled(path).map(|path| SecretReference::File(path.into()))
        }
        ("command", DeValue::Array(words)) if !words.is_empty() => words
            .iter()
            .map(|word| word.get_ref().as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(SecretReference::Command),
        _ => None,
    }
}

/// The sort of a value, for people.
fn sort(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "文字",
        DeValue::Integer(_) | DeValue::Float(_) => "数",
        DeValue::Boolean(_) => "true 或 false",
        DeValue::Datetime(_) => "日期",
        DeValue::Array(_) => "列表",
        DeValue::Table(_) => "表",
    }
}

/// The first characters of a text, for a message.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
