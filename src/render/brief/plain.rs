//! Blocks as plain text, for a chat message or a printed card.

use crate::{
    model::{Block, BlockKind, Calculation, Directive, ListItem, OutputKind, Question, Step},
    render::{
        Scene,
        text::{arithmetic, law_name},
    },
};

/// The text of blocks, an empty line between them, no line end at the end.
pub(super) fn text(scene: &Scene<'_>, blocks: &[Block]) -> String {
    let mut lines = Lines { scene, text: String::new() };
    lines.blocks(blocks, 0);
    lines.text.trim_end().to_owned()
}

struct Lines<'a> {
    scene: &'a Scene<'a>,
    text: String,
}

impl Lines<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        for part in line.split('\n') {
            self.text.extend(std::iter::repeat_n(' ', 2 * depth));
            self.text.push_str(part);
            self.text.push('\n');
        }
    }

    fn gap(&mut self, depth: usize) {
        if depth == 0 {
            self.text.push('\n');
        }
    }

    fn blocks(&mut self, blocks: &[Block], depth: usize) {
        for block in blocks {
            self.block(block, depth);
        }
    }

    fn block(&mut self, block: &Block, depth: usize) {
        match &block.kind {
            BlockKind::Paragraph(content) | BlockKind::Heading { content, .. } => {
                self.line(depth, &self.scene.plain(content));
                self.gap(depth);
            }
            BlockKind::List { start, items } => {
                for (index, item) in items.iter().enumerate() {
                    self.item(*start, index, item, depth);
                }
                self.gap(depth);
            }
            BlockKind::Quote(blocks) | BlockKind::Alert { blocks, .. } => {
                self.blocks(blocks, depth);
            }
            BlockKind::Footnote { label, blocks } => {
                self.line(depth, &format!("[{label}]"));
                self.blocks(blocks, depth);
            }
            BlockKind::Code { text, .. } => {
                self.line(depth, text.trim_end());
                self.gap(depth);
            }
            BlockKind::Table { head, rows, .. } => {
                for row in std::iter::once(head).chain(rows) {
                    let cells: Vec<String> =
                        row.iter().map(|cell| self.scene.plain(cell)).collect();
                    self.line(depth, &cells.join(" | "));
                }
                self.gap(depth);
            }
            BlockKind::Rule => self.gap(depth),
            BlockKind::Directive(directive) => self.directive(directive, depth),
        }
    }

    fn item(&mut self, start: Option<u64>, index: usize, item: &ListItem, depth: usize) {
        let marker = match (item.task, start) {
            (Some(done), _) => if done { "√ " } else { "□ " }.to_owned(),
            (None, Some(start)) => format!("{}. ", start.saturating_add(index as u64)),
            (None, None) => "• ".to_owned(),
        };
        match item.blocks.split_first() {
            Some((Block { kind: BlockKind::Paragraph(content), .. }, rest)) => {
                self.line(depth, &(marker + &self.scene.plain(content)));
                self.blocks(rest, depth + 1);
            }
            _ => {
                self.line(depth, marker.trim_end());
                self.blocks(&item.blocks, depth + 1);
            }
        }
    }

    fn directive(&mut self, directive: &Directive, depth: usize) {
        let scene = self.scene;
        match directive {
            Directive::Callout { blocks, .. }
            | Directive::Emergency(blocks)
            | Directive::Case { blocks, .. } => self.blocks(blocks, depth),
            Directive::Conditional { condition, blocks } => {
                if condition.admits(OutputKind::StaffCard, scene.variant.audience) {
                    self.blocks(blocks, depth);
                }
            }
            Directive::Scam(blocks) => self.labelled("骗子话术：", blocks, depth),
            Directive::Quotation { speaker, blocks } => {
                self.labelled(&format!("{speaker}："), blocks, depth);
            }
            Directive::Law { cite, blocks } => self.labelled(&law_name(cite), blocks, depth),
            Directive::RedFlags(flags) => {
                flags.iter().for_each(|flag| self.line(depth, &format!("× {}", scene.plain(flag))));
                self.gap(depth);
            }
            Directive::Steps(steps) => self.steps(steps, depth),
            Directive::Dialogue(turns) => {
                for turn in turns {
                    self.line(depth, &format!("{}：{}", turn.speaker, scene.plain(&turn.content)));
                }
                self.gap(depth);
            }
            Directive::Statistic { value, label, .. } => {
                self.line(depth, &format!("{value} {}", scene.plain(label)));
                self.gap(depth);
            }
            Directive::Calculation(lines) => self.calculation(lines, depth),
            Directive::Quiz(questions) => self.quiz(questions, depth),
            Directive::Glossary(entries) => {
                for entry in entries {
                    let text = scene.plain(&entry.explanation);
                    self.line(depth, &format!("{}：{text}", entry.term));
                }
                self.gap(depth);
            }
            Directive::HotlineTable(ids) => {
                for hotline in ids.iter().filter_map(|id| scene.library.hotline(id)) {
                    self.line(depth, &format!("{} {}", scene.number(&hotline.id), hotline.note));
                }
                self.gap(depth);
            }
            Directive::Image { alt, .. } => self.line(depth, &format!("（图：{alt}）")),
            Directive::QrCode => self.line(depth, &scene.qr_address()),
        }
    }

    fn steps(&mut self, steps: &[Step], depth: usize) {
        for (index, step) in steps.iter().enumerate() {
            let sentence = self.scene.plain(&step.sentence);
            let number = step.hotline.as_ref().map_or("", |id| self.scene.number(id));
            let number = if sentence.contains(number) { "" } else { number };
            let line = format!("{}. {} {sentence}{number}", index + 1, step.word);
            self.line(depth, line.trim_end());
        }
        self.gap(depth);
    }

    fn calculation(&mut self, lines: &[Calculation], depth: usize) {
        for line in lines {
            let equals = if line.approximate { "≈" } else { "=" };
            let expression = arithmetic(&line.expression);
            let text =
                format!("{}：{expression} {equals} {} {}", line.label, line.result, line.unit);
            self.line(depth, text.trim_end());
        }
        self.gap(depth);
    }

    fn quiz(&mut self, questions: &[Question], depth: usize) {
        for (index, question) in questions.iter().enumerate() {
            let text = self.scene.plain(&question.text);
            self.line(depth, &format!("{}. {text}", index + 1));
            for option in &question.options {
                let mark = if option.correct { "√" } else { "□" };
                self.line(depth + 1, &format!("{mark} {}", self.scene.plain(&option.content)));
            }
            self.line(depth + 1, &self.scene.plain(&question.explanation));
        }
        self.gap(depth);
    }

    fn labelled(&mut self, label: &str, blocks: &[Block], depth: usize) {
        self.line(depth, label);
        self.blocks(blocks, depth);
    }
}
