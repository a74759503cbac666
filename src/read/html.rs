//! HTML in lessons: comments are skipped, fences of directives recognized, all else refused.

use super::markdown::Builder;
use crate::model::Span;
use std::ops::Range;

impl Builder<'_, '_> {
    /// Takes an HTML block: a fence, a comment or something to refuse.
    pub(super) fn html_block(&mut self, range: Range<usize>, span: Span) {
        let html = &self.shadow.text[range.clone()];
        let start = range.start + html.len() - html.trim_start().len();
        if let Some(index) = self.shadow.fence_at(start) {
            self.fence(index);
            return;
        }
        let html = html.trim();
        match html.strip_prefix("<!--").map(|rest| rest.split_once("-->")) {
            Some(Some((_, after))) if after.trim().is_empty() => {}
            Some(Some(_)) => self.refuse_html(span, "注释后面的字会丢失", "把注释单独写成一行。"),
            Some(None) => self.refuse_html(span, "注释没有收尾", "用 --> 结束注释。"),
            None => self.refuse_tag(span),
        }
    }

    /// Takes a tag, comment or fence in the middle of running text.
    pub(super) fn inline_html(&mut self, html: &str, span: Span, range: &Range<usize>) {
        if self.shadow.fence_at(range.start).is_some() {
            self.faults.error(
                "read/block-indented",
                span,
                "::: 前面空格太多，不会当作块".into(),
                "把 ::: 移到行首，在列表里就和这一项的文字对齐；前面空一行。".into(),
            );
        } else if !html.starts_with("<!--") {
            self.refuse_tag(span);
        }
    }

    fn refuse_tag(&mut self, span: Span) {
        self.refuse_html(
            span,
            "正文里不能写 HTML 标签",
            "用 Markdown 或指令块；要显示尖括号，就写成 \\< 或放进反引号。",
        );
    }

    fn refuse_html(&mut self, span: Span, reason: &str, help: &str) {
        let end = self.source[span.start..span.end]
            .lines()
            .next()
            .map_or(span.end, |line| span.start + line.len());
        self.faults.error("read/raw-html", Span::new(span.start, end), reason.into(), help.into());
    }
}
