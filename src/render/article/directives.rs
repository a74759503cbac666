//! Directive blocks.

use super::{
    blocks::{Place, Writer, drawing},
    references::content,
    style::Property,
    theme::ObjectPlace,
    tree::{Element, Node},
};
use crate::{
    model::{
        Block, Calculation, CalloutKind, Directive, GlossaryEntry, HotlineId, HotlineKind, Inline,
        InlineKind, Question, Step, Turn,
    },
    render::{
        RenderError,
        text::{arithmetic, law_name, source_line},
    },
};
use std::borrow::Cow;

/// More steps than this do not move further to the right.
const MAX_STEP_INDENTS: usize = 4;

impl<'a> Writer<'a> {
    pub(super) fn directive(
        &mut self,
        directive: &'a Directive,
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        let parts = &self.sheet.parts;
        match directive {
            Directive::Callout { kind: CalloutKind::Tip, blocks } => {
                nodes.push(self.callout("提示", false, blocks)?);
            }
            Directive::Callout { kind: CalloutKind::Warning, blocks } => {
                nodes.push(self.callout("警示", true, blocks)?);
            }
            Directive::Scam(blocks) => nodes.push(self.speech("骗子话术".into(), blocks)?),
            Directive::Quotation { speaker, blocks } => {
                let scammer = speaker == "骗子";
                let label =
                    if scammer { "骗子话术".into() } else { format!("{speaker}说").into() };
                nodes.push(self.speech(label, blocks)?);
            }
            Directive::RedFlags(lines) => self.red_flags(lines, nodes)?,
            Directive::Steps(steps) => self.steps(steps, nodes)?,
            Directive::Emergency(blocks) => {
                let label = Element::section(&parts.emergency_label).text("马上做这几件事");
                nodes.push(self.boxed(Element::section(&parts.emergency), label, blocks)?);
            }
            Directive::Case { fictional, blocks, .. } => {
                self.fictional |= fictional;
                self.story_object(nodes)?;
                nodes.extend(self.blocks(blocks, Place::Column)?);
            }
            Directive::Dialogue(turns) => nodes.push(self.dialogue(turns)?),
            Directive::Statistic { value, source, label } => {
                nodes.push(self.statistic(value, source, label)?);
            }
            Directive::Calculation(lines) => nodes.push(self.calculation(lines)),
            Directive::Quiz(questions) => self.quiz(questions, nodes)?,
            Directive::Law { cite, blocks } => {
                let label = Element::section(&parts.law_label).text(law_name(cite));
                nodes.push(self.boxed(Element::section(&parts.law), label, blocks)?);
            }
            Directive::Glossary(entries) => self.glossary(entries, nodes)?,
            Directive::HotlineTable(ids) => nodes.extend(self.hotlines(ids)),
            Directive::Image { file, alt } => {
                let image = self.slot(file, alt)?.style(&parts.figure_image);
                nodes.push(Element::section(&parts.figure).child(image).into());
            }
            Directive::QrCode => {
                let address = format!("网址：{}", self.scene.qr_address());
                nodes.push(Element::section(&parts.address).text(address).into());
            }
            Directive::Conditional { .. } => {
                if let Some(blocks) = content(directive, self.scene.variant.audience) {
                    nodes.extend(self.blocks(blocks, Place::Column)?);
                }
            }
        }
        Ok(())
    }

    /// A box with a label of its own.
    fn boxed(
        &mut self,
        outer: Element<'a>,
        label: Element<'a>,
        blocks: &'a [Block],
    ) -> Result<Node<'a>, RenderError> {
        Ok(outer.child(label).children(self.blocks(blocks, Place::Box)?).into())
    }

    fn speech(
        &mut self,
        label: Cow<'a, str>,
        blocks: &'a [Block],
    ) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let bubble = Element::section(&parts.bubble).children(self.blocks(blocks, Place::Box)?);
        let label = Element::section(&parts.speech_label).text(label);
        Ok(Element::section(&parts.speech).child(label).child(bubble).into())
    }

    fn red_flags(
        &mut self,
        lines: &'a [Vec<Inline>],
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        for line in lines {
            nodes.push(self.red_flag(line)?);
        }
        Ok(())
    }

    fn quiz(
        &mut self,
        questions: &'a [Question],
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        for (index, question) in questions.iter().enumerate() {
            nodes.push(self.question(index + 1, question)?);
        }
        Ok(())
    }

    fn glossary(
        &mut self,
        entries: &'a [GlossaryEntry],
        nodes: &mut Vec<Node<'a>>,
    ) -> Result<(), RenderError> {
        for entry in entries {
            nodes.push(self.glossary_entry(entry)?);
        }
        Ok(())
    }

    fn red_flag(&mut self, line: &'a [Inline]) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let cross = Element::new("path")
            .attribute("d", "M4 4l12 12M16 4L4 16")
            .attribute("stroke", "currentColor")
            .attribute("stroke-width", "3");
        let key =
            Element::section(&parts.flag_key).child(drawing("20", "20", "0 0 20 20").child(cross));
        let text = Element::section(&parts.flag_text).children(self.inlines(line)?);
        Ok(Element::section(&parts.flag_row).child(key).child(text).into())
    }

    fn steps(&mut self, steps: &'a [Step], nodes: &mut Vec<Node<'a>>) -> Result<(), RenderError> {
        let parts = &self.sheet.parts;
        let wide = steps.iter().any(|step| step.word.chars().count() > 1);
        for (index, step) in steps.iter().enumerate() {
            let from_last = steps.len() - 1 - index;
            let mut key = Element::section(&parts.step_key);
            if wide {
                key = key.style(&parts.step_key_wide);
            }
            if from_last == 0 && step_hotline(step).is_some() {
                key = key.style(&parts.step_key_act);
            }
            let word = if self.theme.step_numbers {
                Cow::Owned(format!("{}\u{A0}{}", index + 1, step.word))
            } else {
                Cow::Borrowed(step.word.as_str())
            };
            let mut text =
                Element::section(&parts.step_text).children(self.inlines(&step.sentence)?);
            if let Some(id) = step.hotline.as_ref().filter(|id| !names(&step.sentence, id)) {
                let number = Element::new("strong").style(&parts.step_number);
                text = text.child(number.text(self.scene.number(id)));
            }
            let mut row = Element::section(&parts.step_row).style(self.sheet.step_level(from_last));
            let indent = from_last.min(MAX_STEP_INDENTS) * self.theme.step_indent_px;
            if indent > 0 {
                row = row.with(Property::MarginLeft, format!("{indent}px"));
            }
            nodes.push(row.child(key.text(word)).child(text).into());
        }
        Ok(())
    }

    /// The elder family shows its object where the story begins: above it stand the steps and the
    /// number, which matter more.
    fn story_object(&mut self, nodes: &mut Vec<Node<'a>>) -> Result<(), RenderError> {
        if self.theme.object == ObjectPlace::Story && self.object_pending {
            self.object_pending = false;
            let object = self.scene.object()?;
            let image = self.slot(&object.file, &object.alt)?.style(&self.sheet.parts.hero_image);
            nodes.push(Element::section(&self.sheet.parts.hero_picture).child(image).into());
        }
        Ok(())
    }

    fn dialogue(&mut self, turns: &'a [Turn]) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let last_mine = turns.iter().rposition(Turn::is_mine);
        let mut chat = Element::section(&parts.chat);
        for (index, turn) in turns.iter().enumerate() {
            let initial: String = turn.speaker.chars().take(1).collect();
            let mut avatar = Element::section(&parts.avatar);
            let mut bubble = Element::section(&parts.chat_bubble);
            if turn.is_mine() {
                avatar = avatar.style(&parts.avatar_mine);
                bubble = bubble.style(&parts.chat_bubble_mine);
            } else if turn.is_scammer() {
                avatar = avatar.style(&parts.avatar_scammer);
            }
            if last_mine == Some(index) {
                bubble = bubble.style(&parts.chat_bubble_last);
            }
            let (avatar, bubble) =
                (avatar.text(initial), bubble.children(self.inlines(&turn.content)?));
            chat = chat.child(if turn.is_mine() {
                let row = Element::section(&parts.chat_row).style(&parts.chat_row_mine);
                row.child(bubble).child(avatar)
            } else {
                Element::section(&parts.chat_row).child(avatar).child(bubble)
            });
        }
        Ok(chat.into())
    }

    fn statistic(
        &mut self,
        value: &'a str,
        source: &str,
        label: &'a [Inline],
    ) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let found = self.scene.variant.source(source).ok_or_else(|| RenderError::Unknown {
            kind: "来源",
            name: source.to_owned(),
            help: "请在前言的 sources 里补上".into(),
        })?;
        let origin = format!("来源：{}", source_line(found));
        let statistic = Element::section(&parts.statistic)
            .child(Element::section(&parts.statistic_value).text(value))
            .child(Element::section(&parts.statistic_label).children(self.inlines(label)?))
            .child(Element::section(&parts.statistic_source).text(origin));
        Ok(statistic.into())
    }

    fn calculation(&self, lines: &'a [Calculation]) -> Node<'a> {
        let parts = &self.sheet.parts;
        let mut sum = Element::section(&parts.sum);
        for (index, line) in lines.iter().enumerate() {
            let last = index + 1 == lines.len();
            // A single line has nothing above it to be ruled off from.
            let row = if last && index > 0 { &parts.total_row } else { &parts.sum_row };
            let (label, figure) = if last {
                (&parts.total_label, &parts.total_figure)
            } else {
                (&parts.sum_label, &parts.sum_figure)
            };
            let equals = if line.approximate { "≈" } else { "=" };
            let expression = format!("{} {equals}", arithmetic(&line.expression));
            let label = Element::section(label)
                .text(line.label.as_str())
                .child(Element::section(&parts.sum_expression).text(expression));
            let result = match line.unit.as_str() {
                "" => line.result.clone(),
                unit => format!("{}\u{A0}{unit}", line.result),
            };
            let figure = Element::section(figure).text(result);
            sum = sum.child(Element::section(row).child(label).child(figure));
        }
        sum.into()
    }

    /// The answer is a visible line: scripts and hidden text do not survive.
    fn question(&mut self, number: usize, question: &'a Question) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let text = Element::section(&parts.question)
            .text(format!("{number}. "))
            .children(self.inlines(&question.text)?);
        let mut card = Element::section(&parts.quiz).child(text);
        let mut right = String::new();
        for (letter, option) in ('A'..='Z').zip(&question.options) {
            if option.correct {
                right.push(letter);
            }
            let option = Element::section(&parts.option)
                .text(format!("{letter}\u{A0} "))
                .children(self.inlines(&option.content)?);
            card = card.child(option);
        }
        let answer = Element::section(&parts.answer)
            .text(format!("答案：{right}。"))
            .children(self.inlines(&question.explanation)?);
        Ok(card.child(answer).into())
    }

    fn glossary_entry(&mut self, entry: &'a GlossaryEntry) -> Result<Node<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let term = Element::new("strong").style(&parts.term).text(entry.term.as_str());
        let row = Element::section(&parts.glossary).child(term).text("：");
        Ok(row.children(self.inlines(&entry.explanation)?).into())
    }

    /// The table of numbers, in the given order.
    pub(super) fn hotlines(&mut self, ids: &'a [HotlineId]) -> Option<Node<'a>> {
        let parts = &self.sheet.parts;
        self.has_hotlines = true;
        let known = ids.iter().filter_map(|id| Some((id, self.scene.library.hotline(id)?)));
        let mut table = Element::section(&parts.hotlines);
        let mut count = 0;
        for (id, hotline) in known {
            let mut row = Element::section(if count == 0 {
                &parts.hotline_first
            } else {
                &parts.hotline_next
            });
            if hotline.kind == HotlineKind::Emergency {
                row = row.style(&parts.hotline_emergency);
            }
            let mut number = Element::section(&parts.hotline_number);
            if count == 0 {
                number = number.style(&parts.hotline_number_first);
            }
            let number = number.text(self.scene.number(id));
            let label = Element::section(&parts.hotline_label).text(hotline.note.as_str());
            let (first, second) =
                if self.theme.hotline_label_first { (label, number) } else { (number, label) };
            table = table.child(row.child(first).child(second));
            count += 1;
        }
        (count > 0).then(|| table.into())
    }
}

fn step_hotline(step: &Step) -> Option<&HotlineId> {
    step.hotline.as_ref().or_else(|| {
        step.sentence.iter().rev().find_map(|inline| match &inline.kind {
            InlineKind::Hotline(id) => Some(id),
            _ => None,
        })
    })
}

/// Whether the sentence already says the number.
fn names(sentence: &[Inline], id: &HotlineId) -> bool {
    sentence.iter().any(|inline| matches!(&inline.kind, InlineKind::Hotline(said) if said == id))
}
