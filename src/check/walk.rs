//! Takes a lesson's text apart into passages, links and pictures.

use super::passage::{Passage, Place, REFERENCE, Scope};
use crate::model::{
    AlertKind, Bank, Block, BlockKind, CalloutKind, Condition, Directive, Inline, InlineKind,
    ListItem, PosterText, Question, Span, Turn, Variant,
};

/// Everything a reader of a variant meets.
#[derive(Debug, Default)]
pub struct Texts<'a> {
    /// The text.
    pub passages: Vec<Passage<'a>>,
    /// The links.
    pub links: Vec<Link>,
    /// The pictures that the text shows, with alternative text.
    pub pictures: Vec<(String, String, Span)>,
    /// Words that `:::glossary` explains.
    pub explained: Vec<String>,
    /// Levels and places of the headings.
    pub headings: Vec<(u8, Span)>,
    /// `law` blocks: the citation and its place.
    pub citations: Vec<(String, Span)>,
}

/// A link and what it shows.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// What is read.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// Takes a variant apart.
#[must_use]
pub fn texts<'a>(variant: &'a Variant, bank: &'a Bank) -> Texts<'a> {
    let mut walk = Walk {
        texts: Texts::default(),
        bank,
        place: Place::Body,
        scope: Scope::Own,
        cleared_case: false,
        warns: false,
        section: 0,
        conditions: Vec::new(),
    };
    walk.front_matter(variant);
    walk.tiers(variant);
    walk.at(Place::Body, |walk| walk.blocks(&variant.body));
    let mut texts = walk.texts;
    mark_inherited(&mut texts);
    texts
}

struct Walk<'a> {
    texts: Texts<'a>,
    bank: &'a Bank,
    place: Place,
    scope: Scope,
    cleared_case: bool,
    warns: bool,
    section: usize,
    conditions: Vec<&'a Condition>,
}

impl<'a> Walk<'a> {
    fn at(&mut self, place: Place, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.place, place);
        visit(self);
        self.place = before;
    }

    fn within(&mut self, scope: Scope, visit: impl FnOnce(&mut Self)) {
        // The words inside a scammer's words are a scammer's.
        let inner = if self.scope.is_quoted() { self.scope } else { scope };
        let before = std::mem::replace(&mut self.scope, inner);
        visit(self);
        self.scope = before;
    }

    fn warning(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.warns, true);
        visit(self);
        self.warns = before;
    }

    fn passage(&mut self, span: Span) -> Passage<'a> {
        let mut passage = Passage::new(self.place, span);
        passage.scope = self.scope;
        passage.cleared_case = self.cleared_case;
        passage.section = self.section;
        passage.warns = self.warns;
        passage.conditions.clone_from(&self.conditions);
        passage
    }

    fn plain(&mut self, text: &str, span: Span) {
        let mut passage = self.passage(span);
        passage.push(text, span);
        self.finish(passage);
    }

    fn finish(&mut self, passage: Passage<'a>) {
        if !passage.text.trim().is_empty() {
            self.texts.passages.push(passage);
        }
    }

    fn inlines(&mut self, inlines: &'a [Inline]) {
        let first = inlines.first().map_or(Span::default(), |inline| inline.span);
        let span = inlines.iter().map(|inline| inline.span).fold(first, Span::join);
        let mut passage = self.passage(span);
        self.collect(inlines, &mut passage);
        self.finish(passage);
    }

    fn collect(&mut self, inlines: &'a [Inline], passage: &mut Passage<'a>) {
        for (index, inline) in inlines.iter().enumerate() {
            match &inline.kind {
                InlineKind::Text(text) | InlineKind::Code(text) => passage.push(text, inline.span),
                InlineKind::Emphasis(content)
                | InlineKind::Strong(content)
                | InlineKind::Strikethrough(content) => self.collect(content, passage),
                InlineKind::Link { url, content } => {
                    let start = passage.text.len();
                    self.collect(content, passage);
                    self.texts.links.push(Link {
                        url: url.clone(),
                        text: passage.text[start..].to_owned(),
                        span: inline.span,
                    });
                }
                InlineKind::Image { file, alt } => {
                    self.texts.pictures.push((file.clone(), alt.clone(), inline.span));
                }
                InlineKind::FootnoteReference(_) => passage.sourced = true,
                InlineKind::SoftBreak => {
                    let ascii = |c: char| c.is_ascii();
                    let next = inlines.get(index + 1).map(|next| &next.kind);
                    let after = matches!(next, Some(InlineKind::Text(t)) if t.starts_with(ascii));
                    if passage.text.ends_with(ascii) && after {
                        passage.push(" ", inline.span);
                    }
                }
                InlineKind::HardBreak => passage.push("\n", inline.span),
                InlineKind::Hotline(_) => {
                    passage.push(REFERENCE.encode_utf8(&mut [0; 4]), inline.span);
                }
                InlineKind::BankName => passage.push(&self.bank.name, inline.span),
                InlineKind::BranchName => passage.push("本网点", inline.span),
            }
        }
    }

    fn front_matter(&mut self, variant: &'a Variant) {
        let title = &variant.title;
        self.at(Place::Title, |walk| walk.plain(&title.value, title.span));
        if let Some(short) = &variant.short_title {
            self.at(Place::ShortTitle, |walk| walk.plain(&short.value, short.span));
        }
        let headline = &variant.headline;
        self.at(Place::Headline, |walk| walk.plain(&headline.value.plain(), headline.span));
        let digest = &variant.digest_text;
        self.at(Place::Digest, |walk| walk.plain(&digest.value, digest.span));
        for label in &variant.object_labels {
            self.at(Place::Label, |walk| walk.plain(&label.text.value, label.text.span));
        }
    }

    fn tiers(&mut self, variant: &'a Variant) {
        let tiers = &variant.tiers;
        let lines = [
            (Place::Banner, &tiers.banner),
            (Place::Ticker, &tiers.ticker),
            (Place::Sms, &tiers.sms),
            (Place::Post, &tiers.post),
        ];
        for (place, line) in lines {
            if let Some(line) = line {
                self.at(place, |walk| walk.inlines(&line.value));
            }
        }
        let posters = [
            (Place::Screen, &tiers.screen),
            (Place::Poster, &tiers.poster),
            (Place::Portal, &tiers.portal),
        ];
        for (place, text) in posters {
            if let Some(text) = text {
                self.at(place, |walk| walk.poster(text));
            }
        }
        if let Some(leaflet) = &tiers.leaflet {
            self.at(Place::Leaflet, |walk| walk.blocks(leaflet));
        }
        if let Some(staff) = &tiers.staff {
            self.at(Place::Staff, |walk| walk.blocks(staff));
        }
    }

    fn poster(&mut self, text: &'a PosterText) {
        if let Some(lead) = &text.lead {
            // One line to the reader: “谁花钱收您的卡，一口回绝。”
            let span = lead.plain.iter().chain(&lead.imperative).map(|i| i.span).reduce(Span::join);
            let mut passage = self.passage(span.unwrap_or(text.span));
            self.collect(&lead.plain, &mut passage);
            self.collect(&lead.imperative, &mut passage);
            self.finish(passage);
        }
        text.lines.iter().for_each(|line| self.inlines(line));
        if let Some(cue) = &text.cue {
            self.inlines(cue);
        }
        self.warning(|walk| walk.steps(&text.steps));
        self.turns(&text.dialogue);
    }

    fn steps(&mut self, steps: &'a [crate::model::Step]) {
        for step in steps {
            let mut passage = self.passage(step.span);
            passage.push(&step.word, step.span);
            passage.push("：", step.span);
            self.collect(&step.sentence, &mut passage);
            self.finish(passage);
        }
    }

    fn turns(&mut self, turns: &'a [Turn]) {
        for turn in turns {
            let scope = if turn.is_scammer() { Scope::Scammer } else { Scope::Turn };
            if scope == Scope::Turn {
                // The answer to a scammer is the warning.
                self.within(scope, |walk| walk.warning(|walk| walk.inlines(&turn.content)));
            } else {
                self.within(scope, |walk| walk.inlines(&turn.content));
            }
        }
    }

    fn blocks(&mut self, blocks: &'a [Block]) {
        blocks.iter().for_each(|block| self.block(block));
    }

    fn block(&mut self, block: &'a Block) {
        match &block.kind {
            BlockKind::Paragraph(content) => self.inlines(content),
            BlockKind::Heading { level, content, .. } => {
                self.section += 1;
                self.texts.headings.push((*level, block.span));
                let place = if self.place == Place::Body { Place::Heading } else { self.place };
                self.at(place, |walk| walk.inlines(content));
            }
            BlockKind::List { items, .. } => {
                for ListItem { blocks, .. } in items {
                    self.blocks(blocks);
                }
            }
            BlockKind::Quote(blocks) => self.within(Scope::Quote, |walk| walk.blocks(blocks)),
            BlockKind::Alert { kind, blocks } => {
                if matches!(kind, AlertKind::Warning | AlertKind::Caution | AlertKind::Important) {
                    self.warning(|walk| walk.blocks(blocks));
                } else {
                    self.blocks(blocks);
                }
            }
            BlockKind::Footnote { blocks, .. } => {
                self.within(Scope::Law, |walk| walk.blocks(blocks));
            }
            BlockKind::Code { text, .. } => {
                self.within(Scope::Code, |walk| walk.plain(text, block.span));
            }
            BlockKind::Table { head, rows, .. } => {
                for cell in std::iter::once(head).chain(rows).flatten() {
                    self.inlines(cell);
                }
            }
            BlockKind::Rule => {}
            BlockKind::Directive(directive) => self.directive(directive, block.span),
        }
    }

    fn directive(&mut self, directive: &'a Directive, span: Span) {
        match directive {
            Directive::Callout { kind: CalloutKind::Warning, blocks }
            | Directive::Emergency(blocks) => self.warning(|walk| walk.blocks(blocks)),
            Directive::Callout { blocks, .. } => self.blocks(blocks),
            Directive::Scam(blocks) => self.within(Scope::Scam, |walk| walk.blocks(blocks)),
            Directive::Quotation { blocks, .. } => {
                self.within(Scope::Quote, |walk| walk.blocks(blocks));
            }
            Directive::RedFlags(flags) => self.within(Scope::RedFlag, |walk| {
                walk.warning(|walk| flags.iter().for_each(|flag| walk.inlines(flag)));
            }),
            Directive::Steps(steps) => self.warning(|walk| walk.steps(steps)),
            Directive::Case { fictional, consent, blocks } => {
                let before = self.cleared_case;
                self.cleared_case = *fictional || consent.is_some();
                self.within(Scope::Case, |walk| walk.blocks(blocks));
                self.cleared_case = before;
            }
            Directive::Dialogue(turns) => self.turns(turns),
            Directive::Statistic { value, label, .. } => self.within(Scope::Statistic, |walk| {
                walk.plain(value, span);
                walk.inlines(label);
            }),
            Directive::Calculation(lines) => self.within(Scope::Calculation, |walk| {
                lines.iter().for_each(|line| walk.plain(&line.label, line.span));
            }),
            Directive::Quiz(questions) => questions.iter().for_each(|q| self.question(q)),
            Directive::Law { cite, blocks } => {
                self.texts.citations.push((cite.clone(), span));
                self.within(Scope::Law, |walk| walk.blocks(blocks));
            }
            Directive::Glossary(entries) => self.within(Scope::Glossary, |walk| {
                for entry in entries {
                    walk.texts.explained.push(entry.term.clone());
                    walk.inlines(&entry.explanation);
                }
            }),
            Directive::Image { file, alt } => {
                self.texts.pictures.push((file.clone(), alt.clone(), span));
            }
            Directive::Conditional { condition, blocks } => {
                self.conditions.push(condition);
                self.blocks(blocks);
                self.conditions.pop();
            }
            Directive::HotlineTable(_) | Directive::QrCode => {}
        }
    }

    fn question(&mut self, question: &'a Question) {
        self.within(Scope::Quiz, |walk| {
            walk.inlines(&question.text);
            walk.inlines(&question.explanation);
        });
        for option in &question.options {
            let scope = if option.correct { Scope::Quiz } else { Scope::WrongOption };
            self.within(scope, |walk| walk.inlines(&option.content));
        }
    }
}

/// Front matter that a variant takes over from the general text has no place in this file (reading
/// empties it); what is found there is reported there.
fn mark_inherited(texts: &mut Texts<'_>) {
    for passage in &mut texts.passages {
        passage.inherited = passage.span == Span::default();
    }
}
