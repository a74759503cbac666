//! Directive fences among the containers: what opens, what closes, what was forgotten.

use super::{
    convert,
    directive::{self, Fence},
    fields::shorten,
    frame::{Frame, FrameKind},
    markdown::Builder,
    tier,
};
use crate::model::{Block, BlockKind, Span};

impl Builder<'_, '_> {
    /// Takes the fence of that number.
    pub(super) fn fence(&mut self, index: usize) {
        let Some(line) = self.shadow.fence(index) else {
            return;
        };
        let text = &self.source[line.span.start..line.span.end];
        match directive::parse(text, line.span) {
            Ok(Fence::Close { colons }) => self.close_fence(colons, line.span),
            Ok(Fence::Open(opening)) => {
                let alone = opening.name.is_leaf() && !self.closes_next(index, line.span);
                let span = opening.span;
                if opening.name.is_tier() {
                    self.close_unclosed_before_tier();
                }
                self.open(FrameKind::Directive(opening), span);
                if alone {
                    self.finish_directive(span.end);
                }
            }
            Err((colons, faults)) => {
                for fault in faults {
                    self.faults.error(fault.code, fault.span, fault.reason, fault.help);
                }
                self.open(FrameKind::Broken(colons, line.span), line.span);
            }
        }
    }

    /// Whether the next fence is a bare one with nothing in between.
    fn closes_next(&self, index: usize, span: Span) -> bool {
        self.shadow.fence(index + 1).is_some_and(|next| {
            let between = &self.source[span.end..next.span.start];
            let bare = self.source[next.span.start..next.span.end].bytes().all(|byte| byte == b':');
            bare && between.bytes().all(|byte| byte == b'>' || byte.is_ascii_whitespace())
        })
    }

    fn close_fence(&mut self, colons: usize, span: Span) {
        self.close_implicit();
        let open = self.frames.iter().rev().map_while(Frame::directive);
        let open: Vec<usize> = open.map(|(colons, _)| colons).collect();
        if open.is_empty() {
            self.faults.error(
                "read/stray-fence",
                span,
                "这里的 ::: 没有可以收尾的块".into(),
                "删掉它；如果块是在列表或引用里开头的，收尾也要写在里面，缩进相同。".into(),
            );
            return;
        }
        // Same number of colons first, so that one forgotten fence inside is found inside.
        let skipped = open.iter().position(|other| *other == colons).unwrap_or_default();
        for _ in 0..skipped {
            self.close_unclosed();
        }
        self.finish_directive(span.end);
    }

    /// A tier never stands inside another block. Where it seems to, the fence of that block was
    /// forgotten; saying so once is better than blaming every tier that follows.
    fn close_unclosed_before_tier(&mut self) {
        self.close_implicit();
        let inner = self.frames.get(1..).unwrap_or_default();
        if inner.iter().all(|frame| frame.directive().is_some()) {
            for _ in 1..self.frames.len() {
                self.close_unclosed();
            }
        }
    }

    /// Reports the innermost directive, which was not closed, and drops it.
    pub(super) fn close_unclosed(&mut self) {
        let Some((_, span)) = self.frames.last().and_then(Frame::directive) else {
            return;
        };
        let line = &self.source[span.start..span.end];
        self.faults.error(
            "read/unclosed-block",
            span,
            format!("“{}”没有收尾", shorten(line)),
            "在块的末尾单独写一行 :::，缩进和开头一样。".into(),
        );
        // Its content was read for its faults; half a block is not shown.
        self.frames.pop();
    }

    /// Ends the innermost directive at byte `end`.
    fn finish_directive(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let FrameKind::Directive(opening) = frame.kind else {
            return;
        };
        let content = convert::Content {
            span: Span::new(opening.span.start, end),
            opening,
            blocks: frame.blocks,
        };
        let name = content.opening.name;
        if !name.is_tier() {
            let span = content.span;
            if let Some(directive) = convert::directive(content, self.scope, self.faults) {
                self.block(Block { span, kind: BlockKind::Directive(directive) });
            }
        } else if self.frames.len() == 1 {
            tier::take(content, &mut self.tiers, self.faults);
        } else {
            self.faults.error(
                "read/misplaced-block",
                content.opening.span,
                format!(":::{} 不能放在别的块、列表或引用里", name.as_str()),
                "各渠道的文案放在正文之后，顶格写。".into(),
            );
        }
    }
}
