//! One tree for YAML and TOML, with positions, so that both are checked by the same code.
//!
//! Deserializing into structs would stop at the first wrong key. A tree lets [`super::fields`]
//! report all of them. Scalars stay as written: a title `007` keeps its zeros.

use super::faults::Faults;
use crate::model::Span;
use granit_parser::{ErrorKind, Event, Parser, ScanError};
use toml::de::{DeTable, DeValue};

/// Deeper than any front matter needs, and shallow enough for a small stack.
const MAX_DEPTH: usize = 16;
/// More values than any registry has; what is longer is an attack or a mistake.
const MAX_NODES: usize = 20_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The bytes it came from.
    pub(super) span: Span,
    /// The value.
    pub(super) value: Value,
}

/// The kinds of value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing was written.
    Empty,
    /// Something was written that has been reported already.
    Refused,
    /// Text, number, date or truth value, as written.
    Scalar(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values, in the order written.
    Mapping(Vec<(Key, Node)>),
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// The bytes it came from.
    pub(super) span: Span,
    /// The key.
    pub(super) text: String,
}

impl Node {
    /// An empty mapping, for a file without front matter.
    pub(super) fn empty_mapping(span: Span) -> Self {
        Self { span, value: Value::Mapping(Vec::new()) }
    }
}

/// Reads YAML that begins at byte `offset` of the file. `None` where its syntax is broken; then
/// the fault is reported.
pub(super) fn from_yaml(yaml: &str, offset: usize, faults: &mut Faults) -> Option<Node> {
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut builder = YamlBuilder { offset, open: Vec::new(), root: None, count: 0 };
    for next in Parser::new_from_str_with_options(yaml, options) {
        match next {
            Ok((event, span)) => {
                if !builder.take(event, span, faults) {
                    return None;
                }
            }
            Err(error) => {
                report_yaml(&error, yaml, offset, faults);
                return None;
            }
        }
    }
    let whole = Span::new(offset, offset + yaml.len());
    Some(builder.root.unwrap_or_else(|| Node::empty_mapping(whole)))
}

/// A collection that is being read: its start and, in a mapping, the key that waits for a value.
struct Open {
    start: usize,
    key: Option<Key>,
    value: Value,
}

struct YamlBuilder {
    offset: usize,
    open: Vec<Open>,
    root: Option<Node>,
    count: usize,
}

impl YamlBuilder {
    /// Takes one event; `false` where reading must stop.
    fn take(&mut self, event: Event<'_>, at: granit_parser::Span, faults: &mut Faults) -> bool {
        let range = at.byte_range().unwrap_or(0..0);
        let span = Span::new(self.offset + range.start, self.offset + range.end);
        self.count += 1;
        if self.count > MAX_NODES || self.open.len() > MAX_DEPTH {
            report_too_large(span, faults);
            return false;
        }
        match event {
            Event::Scalar(text, style, _, _) => {
                let plain = style == granit_parser::ScalarStyle::Plain;
                let empty = plain && matches!(&*text, "" | "~" | "null");
                let value = if empty { Value::Empty } else { Value::Scalar(text.into_owned()) };
                self.put(Node { span, value }, faults)
            }
            Event::SequenceStart(..) => self.begin(span, Value::Sequence(Vec::new())),
            Event::MappingStart(..) => self.begin(span, Value::Mapping(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => self.end(span, faults),
            // Aliases are how a few bytes become gigabytes, and no lesson needs one.
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                faults.error(
                    "read/yaml-alias",
                    span,
                    "前言里不能用 YAML 别名（* 开头的值）".into(),
                    "把内容直接写出来；如果星号是文字的一部分，给整个值加引号。".into(),
                );
                self.put(Node { span, value: Value::Refused }, faults)
            }
            _ => true,
        }
    }

    fn begin(&mut self, span: Span, value: Value) -> bool {
        self.open.push(Open { start: span.start, key: None, value });
        true
    }

    fn end(&mut self, span: Span, faults: &mut Faults) -> bool {
        let Some(open) = self.open.pop() else {
            return true;
        };
        let span = Span::new(open.start, span.end.max(open.start));
        self.put(Node { span, value: open.value }, faults)
    }

    fn put(&mut self, node: Node, faults: &mut Faults) -> bool {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return true;
        };
        match (&mut open.value, open.key.take()) {
            (Value::Sequence(items), _) => items.push(node),
            (Value::Mapping(entries), Some(key)) => entries.push((key, node)),
            (_, _) => match node.value {
                Value::Scalar(text) => {
                    open.key = Some(Key { span: node.span, text });
                }
                _ => {
                    faults.error(
                        "read/yaml-key",
                        node.span,
                        "键必须是一个词".into(),
                        "写成“键: 值”，例如 title: 对方让你共享屏幕？".into(),
                    );
                    return false;
                }
            },
        }
        true
    }
}

fn report_too_large(span: Span, faults: &mut Faults) {
    faults.error(
        "read/yaml-too-large",
        span,
        "前言的内容太多或嵌套太深".into(),
        format!("至多 {MAX_NODES} 个值、{MAX_DEPTH} 层；课文内容请写在正文里。"),
    );
}

/// Says in Chinese what the YAML scanner stumbled over. Its own words are English and speak of
/// tokens, so the line itself is looked at for the mistakes authors make.
fn report_yaml(error: &ScanError, yaml: &str, offset: usize, faults: &mut Faults) {
    let at = error.marker().byte_offset().unwrap_or(0).min(yaml.len());
    let line_start = yaml[..floor(yaml, at)].rfind('\n').map_or(0, |newline| newline + 1);
    let line = yaml[line_start..].lines().next().unwrap_or_default();
    let value = line.split_once(':').map_or("", |(_, value)| value.trim());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        report_too_large(Span::new(offset + at, offset + at), faults);
        return;
    }
    let help = if line.trim_start_matches(' ').starts_with('\t') {
        "缩进只能用空格，不能用制表符。"
    } else if value.starts_with(['[', '{', '&', '*', '!', '|', '>', '%', '@', '`', '"', '\'']) {
        "以符号开头的值要整个用英文双引号括起来，引号、方括号要成对。"
    } else if value.contains(": ") || value.contains(" #") {
        "值里有冒号或井号时，整个值要用英文双引号括起来。"
    } else if line.contains('：') && !line.contains(':') {
        "键后面要用英文冒号加一个空格，不能用中文冒号。"
    } else {
        "检查这一行和上一行：缩进对齐，冒号后有一个空格，引号和括号成对。"
    };
    faults.error(
        "read/yaml-syntax",
        Span::new(offset + at, offset + at),
        "前言从这里起不是合格的 YAML".into(),
        help.into(),
    );
}

/// Reads a TOML file. What can be read is given even where there are faults.
pub(super) fn from_toml(faults: &mut Faults) -> Node {
    let file = std::sync::Arc::clone(faults.file());
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let duplicate = error.message().contains("duplicate");
        let (reason, help) = if duplicate {
            ("同一个键写了两次", "删掉其中一个。")
        } else {
            (
                "这里不是合格的 TOML",
                "写成 键 = \"值\"：文字要用英文双引号，日期写 2026-09-01，列表用方括号。",
            )
        };
        faults.error(
            "read/toml-syntax",
            Span::new(span.start, span.end),
            reason.into(),
            help.into(),
        );
    }
    let span = table.span();
    table_node(Span::new(span.start, span.end), table.get_ref())
}

fn table_node(span: Span, table: &DeTable<'_>) -> Node {
    let mut entries: Vec<(Key, Node)> = table
        .iter()
        .map(|(key, value)| {
            let key_span = Span::new(key.span().start, key.span().end);
            let value_span = Span::new(value.span().start, value.span().end);
            let key = Key { span: key_span, text: key.get_ref().to_string() };
            (key, value_node(value_span, value.get_ref()))
        })
        .collect();
    // The map is sorted by key; faults read better in the order of the file.
    entries.sort_by_key(|(key, _)| key.span);
    Node { span, value: Value::Mapping(entries) }
}

fn value_node(span: Span, value: &DeValue<'_>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Scalar(text.to_string()),
        DeValue::Integer(integer) => Value::Scalar(integer.to_string()),
        DeValue::Float(float) => Value::Scalar(float.to_string()),
        DeValue::Boolean(truth) => Value::Scalar(truth.to_string()),
        DeValue::Datetime(date) => Value::Scalar(date.to_string()),
        DeValue::Array(items) => Value::Sequence(
            items
                .iter()
                .map(|item| {
                    let span = Span::new(item.span().start, item.span().end);
                    value_node(span, item.get_ref())
                })
                .collect(),
        ),
        DeValue::Table(table) => return table_node(span, table),
    };
    Node { span, value }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
