//! References in running text: `{{hotline:police}}`, `{{bank:name}}`, `{{branch:name}}`.

use super::{faults::Faults, scope::Scope, suggest};
use crate::model::{Inline, InlineKind, Span};

/// The references that need no registry.
const NAMES: &[&str] = &["bank:name", "branch:name"];

/// Cuts references out of text. Bad ones are reported and stay as they are written.
pub(super) fn resolve(content: Vec<Inline>, scope: &Scope<'_>, faults: &mut Faults) -> Vec<Inline> {
    let concerns = |inline: &Inline| matches!(&inline.kind, InlineKind::Text(text) if text.contains("{{") || text.contains("}}") || text.contains("[^"));
    if !content.iter().any(concerns) {
        return content;
    }
    let mut resolved = Vec::with_capacity(content.len() + 4);
    for inline in content {
        match &inline.kind {
            InlineKind::Text(text) if concerns(&inline) => {
                Cutter { text, span: inline.span, scope, faults }.cut(&mut resolved);
            }
            _ => resolved.push(inline),
        }
    }
    resolved
}

struct Cutter<'a, 'f> {
    text: &'a str,
    span: Span,
    scope: &'a Scope<'a>,
    faults: &'f mut Faults,
}

impl Cutter<'_, '_> {
    fn cut(mut self, out: &mut Vec<Inline>) {
        // Without escapes the text is the source, byte for byte. With some, the search in the
        // source still finds the same references in the same order.
        let file = std::sync::Arc::clone(self.faults.file());
        let source = file.text.get(self.span.start..self.span.end).unwrap_or_default();
        let mut source_at = 0;
        let mut rest = self.text;
        while let Some(start) = rest.find("{{") {
            let place = source[source_at..].find("{{").map_or(source_at, |found| source_at + found);
            let from = self.span.start + place;
            let Some(length) = rest[start..].find("}}") else {
                let mark = Span::new(from, from + 2);
                self.bad(
                    mark,
                    "“{{”没有收尾",
                    "引用写成 {{hotline:police}}，两边各两个花括号。".into(),
                );
                break;
            };
            self.text_piece(&rest[..start], Span::new(self.span.start + source_at, from), out);
            let name = rest[start + 2..start + length].trim();
            source_at = source[place..].find("}}").map_or(source.len(), |end| place + end + 2);
            let span = Span::new(from, self.span.start + source_at);
            if let Some(kind) = self.reference(name, span) {
                out.push(Inline { span, kind });
            }
            rest = &rest[start + length + 2..];
        }
        let tail = Span::new(self.span.start + source_at, self.span.end);
        self.text_piece(rest, tail, out);
    }

    fn text_piece(&mut self, text: &str, span: Span, out: &mut Vec<Inline>) {
        if text.is_empty() {
            return;
        }
        if text.contains("}}") && !text.contains("{{") {
            self.bad(
                span,
                "“}}”前面没有“{{”",
                "引用写成 {{hotline:police}}，两边各两个花括号。".into(),
            );
        }
        if let Some(start) = text.find("[^")
            && let Some(length) = text[start..].find(']')
        {
            self.faults.error(
                "read/unknown-footnote",
                span,
                format!("脚注“{}”没有写内容", &text[start..=start + length]),
                "另起一行写 [^名字]: 内容，名字要一样。".into(),
            );
        }
        out.push(Inline { span, kind: InlineKind::Text(text.to_owned()) });
    }

    fn reference(&mut self, name: &str, span: Span) -> Option<InlineKind> {
        if let Some(id) = name.strip_prefix("hotline:").or_else(|| name.strip_prefix("hotline："))
        {
            return match self.scope.registry.hotline(id.trim()) {
                Ok(id) => Some(InlineKind::Hotline(id)),
                Err(help) => {
                    let reason =
                        format!("hotlines.toml 里没有电话“{}”", super::fields::shorten(id));
                    self.faults.error("read/unknown-name", span, reason, help);
                    None
                }
            };
        }
        match name {
            "bank:name" => Some(InlineKind::BankName),
            "branch:name" => Some(InlineKind::BranchName),
            _ => {
                let reason = format!("没有引用“{{{{{}}}}}”", super::fields::shorten(name));
                let near =
                    suggest::nearest(name.split(':').next().unwrap_or_default(), ["hotline"]);
                let help = match near {
                    Some(_) => "是不是想写 {{hotline:代号}}？".to_owned(),
                    None => {
                        suggest::known(name, NAMES.iter().copied()) + "电话写 {{hotline:代号}}。"
                    }
                };
                self.bad(span, &reason, help);
                None
            }
        }
    }

    fn bad(&mut self, span: Span, reason: &str, help: String) {
        self.faults.error("read/bad-reference", span, reason.to_owned(), help);
    }
}
