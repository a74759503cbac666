//! Takes typed values out of a mapping and reports every key that is wrong, missing or unknown.

use super::{
    faults::Faults,
    node::{Key, Node, Value},
    suggest,
};
use crate::model::{Located, Span};
use jiff::civil::Date;

/// The keys of one mapping. Whoever reads it asks for every key it knows; [`Fields::finish`]
/// then refuses the rest.
pub(super) struct Fields<'n, 'f> {
    entries: &'n [(Key, Node)],
    /// Where the mapping stands; a missing key is reported here.
    pub(super) span: Span,
    /// What the mapping is called in messages, such as `前言`.
    place: &'static str,
    asked: Vec<&'static str>,
    /// Where faults go.
    pub(super) faults: &'f mut Faults,
}

impl<'n, 'f> Fields<'n, 'f> {
    /// `None`, with a fault, where the node is no mapping.
    pub(super) fn new(node: &'n Node, place: &'static str, faults: &'f mut Faults) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            faults.error(
                "read/wrong-type",
                node.span,
                format!("{place}应当是“键: 值”"),
                "一行一个键，例如 title: 对方让你共享屏幕？".into(),
            );
            return None;
        };
        Some(Self::over(entries, node.span, place, faults))
    }

    /// The keys of a mapping that stands at `span`.
    pub(super) fn over(
        entries: &'n [(Key, Node)],
        span: Span,
        place: &'static str,
        faults: &'f mut Faults,
    ) -> Self {
        Self { entries, span, place, asked: Vec::new(), faults }
    }

    /// The value of a key, unless it is absent or empty. An empty one is reported.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let entries = self.entries;
        let (found, node) = entries.iter().find(|(entry, _)| entry.text == key)?;
        if node.value == Value::Refused {
            return None;
        }
        if node.value == Value::Empty {
            self.faults.error(
                "read/empty-value",
                found.span,
                format!("{}的 {key} 后面没有值", self.place),
                "写上值，或者删掉这个键。".into(),
            );
            return None;
        }
        Some(node)
    }

    /// Whether the key is written, even with a bad value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry.text == key)
    }

    /// Reports a key that must be there.
    pub(super) fn require(&mut self, key: &'static str, help: &str) {
        if !self.has(key) {
            self.faults.error(
                "read/missing-key",
                self.span,
                format!("{}缺少 {key}", self.place),
                help.to_owned(),
            );
        }
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let node = self.node(key)?;
        let Value::Scalar(text) = &node.value else {
            self.wrong(
                node,
                key,
                "应当是一段文字",
                "写成一行文字；以方括号开头的文字要用英文双引号括起来。",
            );
            return None;
        };
        Some(Located { value: text.trim().to_owned(), span: node.span })
    }

    /// A text that must be there.
    pub(super) fn required_text(&mut self, key: &'static str, help: &str) -> Option<String> {
        self.require(key, help);
        self.text(key).map(|text| text.value)
    }

    /// A text that may be absent and is then empty.
    pub(super) fn text_or_empty(&mut self, key: &'static str) -> String {
        self.text(key).map(|text| text.value).unwrap_or_default()
    }

    /// A text that `parse` turns into something, or refuses with the help it returns.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Located<T>> {
        let text = self.text(key)?;
        match parse(&text.value) {
            Ok(value) => Some(Located { value, span: text.span }),
            Err(help) => {
                self.faults.error(
                    "read/bad-value",
                    text.span,
                    format!("{}的 {key} 不能是“{}”", self.place, shorten(&text.value)),
                    help,
                );
                None
            }
        }
    }

    /// A date.
    pub(super) fn date(&mut self, key: &'static str) -> Option<Located<Date>> {
        let text = self.text(key)?;
        if let Some(value) = parse_date(&text.value) {
            return Some(Located { value, span: text.span });
        }
        self.faults.error(
            "read/bad-date",
            text.span,
            format!("{}的 {key} 不是日期：“{}”", self.place, shorten(&text.value)),
            "写成 年-月-日，例如 2026-09-01，并且要是日历上有的一天。".into(),
        );
        None
    }

    /// A truth value.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.parsed(key, |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("写 true 或 false。".into()),
        })
        .map(|flag| flag.value)
    }

    /// A number.
    pub(super) fn number(&mut self, key: &'static str) -> Option<f32> {
        self.parsed(key, |text| match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err("写一个数，例如 42 或 3.5。".into()),
        })
        .map(|number| number.value)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Located<String>>> {
        let items = self.items(key)?;
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match &item.value {
                Value::Scalar(text) => {
                    texts.push(Located { value: text.trim().to_owned(), span: item.span });
                }
                _ => self.wrong(item, key, "的每一项应当是一段文字", "写成 [甲, 乙]。"),
            }
        }
        Some(texts)
    }

    /// A list.
    pub(super) fn items(&mut self, key: &'static str) -> Option<&'n [Node]> {
        let node = self.node(key)?;
        if let Value::Sequence(items) = &node.value {
            return Some(items);
        }
        self.wrong(
            node,
            key,
            "应当是一个列表",
            "用方括号括起来，例如 [general, elder]；只有一项也要写方括号。",
        );
        None
    }

    fn wrong(&mut self, node: &Node, key: &str, expected: &str, help: &str) {
        self.faults.error(
            "read/wrong-type",
            node.span,
            format!("{}的 {key} {expected}", self.place),
            help.to_owned(),
        );
    }

    /// Refuses keys nobody asked for, and keys written twice.
    pub(super) fn finish(self) {
        let mut seen: Vec<&str> = Vec::with_capacity(self.entries.len());
        for (key, _) in self.entries {
            if seen.contains(&key.text.as_str()) {
                self.faults.error(
                    "read/duplicate-key",
                    key.span,
                    format!("{}的 {} 写了两次", self.place, shorten(&key.text)),
                    "只留一个。".into(),
                );
            } else if !self.asked.contains(&key.text.as_str()) {
                self.faults.error(
                    "read/unknown-key",
                    key.span,
                    format!("{}没有“{}”这个键", self.place, shorten(&key.text)),
                    suggest::known(&key.text, self.asked.iter().copied()),
                );
            } else {
                seen.push(&key.text);
            }
        }
    }
}

/// Reads `2026-09-01`, and nothing looser: a lesson's dates are read by people too.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shape { text.parse().ok() } else { None }
}

/// The first characters of a text, for a message.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
