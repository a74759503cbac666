//! Directive fences: `:::name{key=value key="a value"}` and the closing `:::`.

use super::suggest;
use crate::model::Span;

/// What a fence line says.
#[derive(Debug)]
pub(super) enum Fence {
    /// `:::name{…}`
    Open(Opening),
    /// `:::`
    Close {
        /// How many colons; with nested blocks it tells which one is meant.
        colons: usize,
    },
}

/// The line that opens a block.
#[derive(Debug)]
pub(super) struct Opening {
    /// How many colons.
    pub(super) colons: usize,
    /// Which block.
    pub(super) name: Name,
    /// The line, from the first colon.
    pub(super) span: Span,
    attributes: Vec<Attribute>,
}

/// `key=value`
#[derive(Debug)]
pub(super) struct Attribute {
    /// The key.
    pub(super) key: String,
    /// The value, without quotes.
    pub(super) value: String,
    /// Both.
    pub(super) span: Span,
}

/// What is wrong with a fence line.
#[derive(Debug)]
pub(super) struct FenceFault {
    /// The diagnostic's code.
    pub(super) code: &'static str,
    /// Where.
    pub(super) span: Span,
    /// What is wrong.
    pub(super) reason: String,
    /// What to do.
    pub(super) help: String,
}

macro_rules! names {
    ($($variant:ident = $text:literal [$($attribute:literal),*]),+ $(,)?) => {
        /// The blocks that can be written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Name { $($variant),+ }

        impl Name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as written.
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The attributes it may have.
            fn attributes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($attribute),*]),+ }
            }
        }
    };
}

names!(
    Scam = "scam" [],
    Quote = "quote" ["speaker"],
    RedFlag = "redflag" [],
    Steps = "steps" [],
    Emergency = "emergency" [],
    Case = "case" ["fictional", "consent"],
    Dialogue = "dialogue" [],
    Stat = "stat" ["value", "source"],
    Calc = "calc" [],
    Quiz = "quiz" [],
    Law = "law" ["cite"],
    Tip = "tip" [],
    Warning = "warning" [],
    Glossary = "glossary" [],
    Hotline = "hotline" ["set"],
    Image = "image" ["src", "alt"],
    Qr = "qr" ["target"],
    Only = "only" ["outputs", "audience"],
    Except = "except" ["outputs", "audience"],
    Screen = "screen" [],
    Poster = "poster" [],
    Leaflet = "leaflet" [],
    Portal = "portal" [],
    Ticker = "ticker" [],
    Sms = "sms" [],
    Post = "post" [],
    Banner = "banner" [],
    Staff = "staff" [],
);

impl Name {
    /// Whether it holds the text of one output and stands outside the article.
    pub(super) fn is_tier(self) -> bool {
        matches!(
            self,
            Self::Screen
                | Self::Poster
                | Self::Leaflet
                | Self::Portal
                | Self::Ticker
                | Self::Sms
                | Self::Post
                | Self::Banner
                | Self::Staff
        )
    }

    /// Whether it has no content, so that its closing fence may be left out.
    pub(super) fn is_leaf(self) -> bool {
        matches!(self, Self::Hotline | Self::Image | Self::Qr)
    }
}

impl Opening {
    /// The value of an attribute.
    pub(super) fn get(&self, key: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.key == key)
    }
}

/// Reads a fence line; `span` is its place in the file. An unknown name has no block, but the line
/// still opens one for the sake of its closing fence, hence `Err` carries the number of colons.
pub(super) fn parse(line: &str, span: Span) -> Result<Fence, (usize, Vec<FenceFault>)> {
    let colons = line.bytes().take_while(|byte| *byte == b':').count();
    let rest = line[colons..].trim_start();
    let at = line.len() - rest.len();
    if rest.is_empty() {
        return Ok(Fence::Close { colons });
    }
    let name_length = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .unwrap_or(rest.len());
    let (text, tail) = rest.split_at(name_length);
    // Where there is no name, the character in its place is marked, whole.
    let marked = name_length.max(rest.chars().next().map_or(0, char::len_utf8));
    let name_span = Span::new(span.start + at, span.start + at + marked);
    let Some(name) = Name::ALL.iter().copied().find(|name| name.as_str() == text) else {
        return Err((colons, vec![unknown_name(text, name_span)]));
    };
    let mut faults = Vec::new();
    let tail_at = span.start + at + name_length;
    let attributes = match parse_attributes(tail, tail_at) {
        Ok(attributes) => attributes,
        Err(fault) => {
            faults.push(fault);
            Vec::new()
        }
    };
    check_attributes(name, &attributes, &mut faults);
    if faults.is_empty() {
        return Ok(Fence::Open(Opening { colons, name, span, attributes }));
    }
    Err((colons, faults))
}

fn unknown_name(text: &str, span: Span) -> FenceFault {
    let (reason, help) = if text.is_empty() {
        (
            ":::后面应当是块的名字".to_owned(),
            "写成 :::tip 这样；只想收尾就单独写 :::，后面不要有别的字。".to_owned(),
        )
    } else {
        (
            format!("没有“{}”这种块", super::fields::shorten(text)),
            suggest::known(text, Name::ALL.iter().map(|name| name.as_str())),
        )
    };
    FenceFault { code: "read/unknown-block", span, reason, help }
}

fn check_attributes(name: Name, attributes: &[Attribute], faults: &mut Vec<FenceFault>) {
    for (index, attribute) in attributes.iter().enumerate() {
        let known = name.attributes();
        if !known.contains(&attribute.key.as_str()) {
            faults.push(FenceFault {
                code: "read/unknown-attribute",
                span: attribute.span,
                reason: format!(":::{} 没有属性“{}”", name.as_str(), attribute.key),
                help: if known.is_empty() {
                    "这种块不用写属性，删掉花括号。".into()
                } else {
                    suggest::known(&attribute.key, known.iter().copied())
                },
            });
        } else if attributes[..index].iter().any(|other| other.key == attribute.key) {
            faults.push(FenceFault {
                code: "read/duplicate-key",
                span: attribute.span,
                reason: format!("属性 {} 写了两次", attribute.key),
                help: "只留一个。".into(),
            });
        }
    }
}

/// Reads `{key=value …}`; `at` is its place in the file.
fn parse_attributes(text: &str, at: usize) -> Result<Vec<Attribute>, FenceFault> {
    let form = |from: usize, to: usize, reason: &str| FenceFault {
        code: "read/attribute-form",
        span: Span::new(at + from, at + to),
        reason: reason.to_owned(),
        help: "属性写成 {键=值}，有空格的值加英文双引号，例如 {value=\"62.1%\" source=victim-age}"
            .into(),
    };
    let trimmed = text.trim_end();
    let lead = trimmed.len() - trimmed.trim_start().len();
    if trimmed.trim_start().is_empty() {
        return Ok(Vec::new());
    }
    if !trimmed[lead..].starts_with('{') {
        return Err(form(
            lead,
            trimmed.len(),
            "块的名字后面只能写花括号里的属性，标题或正文写到下一行",
        ));
    }
    let mut attributes = Vec::new();
    let mut cursor = lead + 1;
    loop {
        cursor += trimmed[cursor..].len() - trimmed[cursor..].trim_start().len();
        let rest = &trimmed[cursor..];
        if rest.is_empty() {
            return Err(form(lead, trimmed.len(), "左花括号没有收尾"));
        }
        if let Some(after) = rest.strip_prefix('}') {
            if after.is_empty() {
                return Ok(attributes);
            }
            return Err(form(cursor + 1, trimmed.len(), "右花括号后面不能再写字"));
        }
        let key_length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(rest.len());
        let Some(value) = rest[key_length..].strip_prefix('=').filter(|_| key_length > 0) else {
            let end = cursor + rest.find([' ', '}']).unwrap_or(rest.len());
            return Err(form(cursor, end.max(cursor + 1), "属性要写成 键=值，等号两边不留空格"));
        };
        let (value, length) =
            parse_value(value).map_err(|reason| form(cursor, trimmed.len(), reason))?;
        let end = cursor + key_length + 1 + length;
        attributes.push(Attribute {
            key: rest[..key_length].to_owned(),
            value,
            span: Span::new(at + cursor, at + end),
        });
        cursor = end;
    }
}

/// A value and how many bytes it takes.
fn parse_value(text: &str) -> Result<(String, usize), &'static str> {
    let (quote, close) = match text.chars().next() {
        Some('"') => ('"', '"'),
        Some('“') => ('“', '”'),
        _ => {
            let end = text.find([' ', '\t', '}']).unwrap_or(text.len());
            if end == 0 {
                return Err("等号后面没有值");
            }
            return Ok((text[..end].to_owned(), end));
        }
    };
    let inner = &text[quote.len_utf8()..];
    let Some(end) = inner.find(close) else {
        return Err("引号没有收尾");
    };
    let length = quote.len_utf8() + end + close.len_utf8();
    Ok((inner[..end].to_owned(), length))
}
