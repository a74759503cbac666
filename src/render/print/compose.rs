//! What a printed poster says and how large: variant + text + shrink → [`PosterView`].

use super::{
    places::Places,
    strip::strip,
    view::{BoxedView, Fonts as FontSizes, LabelView, ObjectView, PosterView, StepView, TurnView},
};
use crate::{
    model::{Audience, HotlineKind, PosterText, Step, Turn},
    render::{
        Fonts, Palette, RenderError, Scene,
        fonts::Weight,
        poster::{
            compose::headline_parts,
            engine::Rect,
            object::Drawing,
            view::{LeadView, PartView},
        },
    },
};

/// What the elder family's giant number may fill beside the object.
const NUMBER_MM: f64 = 104.0;
/// Left margin of the posters.
pub(super) const MARGIN_MM: f64 = 15.0;
const WIDTH_MM: f64 = 210.0;

/// Everything a poster is made from.
pub(super) struct Composer<'a> {
    pub scene: &'a Scene<'a>,
    pub palette: &'a Palette,
    pub fonts: &'a Fonts,
    pub mark: String,
}

impl<'a> Composer<'a> {
    fn places(&self) -> &'static Places {
        Places::of(self.scene.variant.audience)
    }

    /// The smallest font size, in millimetres.
    pub fn floor(&self) -> f64 {
        self.places().floor
    }

    /// The view with `text` at a shrink factor (1 is the design's size), without its object.
    pub fn view(&self, text: &PosterText, shrink: f64) -> Result<PosterView<'a>, RenderError> {
        let audience = self.scene.variant.audience;
        let headline = headline_parts(self.scene, false);
        let mut fonts = self.font_sizes(&headline, shrink);
        let lead = text.lead.as_ref().map(|lead| LeadView {
            plain: self.scene.plain(&lead.plain),
            imperative: self.scene.plain(&lead.imperative),
        });
        let number = text.steps.iter().rev().find_map(|step| step.hotline.as_ref());
        let number = number.map(|id| self.scene.number(id).to_owned());
        if let (Audience::Elder, Some(number)) = (audience, &number) {
            fonts.number = fonts.number.min(NUMBER_MM / self.bold(number));
        }
        Ok(PosterView {
            palette: self.palette,
            fonts,
            mark: self.mark.clone(),
            bank: &self.scene.bank.name,
            tag: if audience == Audience::Elder { "" } else { self.scene.tag() },
            dash: audience == Audience::General,
            headline,
            lead,
            lines: text.lines.iter().map(|line| self.scene.plain(line)).collect(),
            cue: text.cue.as_ref().map(|cue| self.scene.plain(cue)).unwrap_or_default(),
            boxed: self.boxed(text),
            steps: match audience {
                Audience::General => self.treads(&text.steps, &fonts),
                Audience::Elder => self.slabs(&text.steps),
                Audience::Student => self.cards(&text.steps, &fonts),
            },
            number,
            // A conversation stands where the lines and steps would.
            turns: if text.steps.is_empty() {
                text.dialogue.iter().map(|turn| self.turn(turn)).collect()
            } else {
                Vec::new()
            },
            object: None,
            strip: strip(self.scene, self.palette, self.fonts, self.floor())?,
        })
    }

    /// The headline fills its column; everything else has its size of the design, shrunk.
    fn font_sizes(&self, headline: &[Vec<PartView>], shrink: f64) -> FontSizes {
        let places = self.places();
        let longest = headline
            .iter()
            .map(|line| line.iter().map(|part| self.bold(&part.text)).sum::<f64>())
            .fold(1.0, f64::max);
        let full = places.fonts;
        let font = |size: f64| (size * shrink).max(places.floor);
        FontSizes {
            headline: full.headline.min(places.column / longest) * shrink.max(0.9),
            lead: font(full.lead),
            imperative: font(full.imperative),
            line: font(full.line),
            cue: font(full.cue),
            word: font(full.word),
            numeral: font(full.numeral),
            sentence: font(full.sentence),
            number: font(full.number),
            boxed: font(full.boxed),
            note: font(full.note),
            ..full
        }
    }

    /// The advice number where the lesson names one, else the number of the last step.
    fn boxed(&self, text: &PosterText) -> Option<BoxedView> {
        let library = self.scene.library;
        let advice = self.scene.variant.hotlines.iter().find(|id| {
            library.hotline(id).is_some_and(|hotline| hotline.kind == HotlineKind::Advice)
        });
        let last = || text.steps.iter().rev().find_map(|step| step.hotline.as_ref());
        let id = advice.or_else(last)?;
        let note = library.hotline(id)?.note.clone();
        Some(BoxedView { number: self.scene.number(id).to_owned(), note })
    }

    /// The general family's stairs. The first tread's text stands on the margin, so it is wider;
    /// the outer ones reach into the bleed.
    fn treads(&self, steps: &[Step], fonts: &FontSizes) -> Vec<StepView> {
        const PADDING: f64 = 6.5;
        const BLEED: f64 = super::BLEED_MM;
        let count = steps.len().max(1) as f64;
        let extra = MARGIN_MM - PADDING;
        let each = (WIDTH_MM - extra) / count;
        let [low, high] = self.places().stair;
        let palette = self.palette;
        let tread = |(index, step): (usize, &Step)| {
            let (first, last) = (index == 0, index + 1 == steps.len());
            let rise = if steps.len() > 1 { index as f64 / (count - 1.0) } else { 1.0 };
            let ground = if last { &palette.ground } else { &palette.pale[index.min(2)] };
            let right = extra + each * (index as f64 + 1.0);
            let left = if first { 0.0 } else { right - each };
            let width = right - left;
            // Nothing essential stands within ten millimetres of the edge.
            let inner = each - PADDING - if last { super::sheet::SAFE_MM } else { 2.5 };
            StepView {
                left,
                width,
                field_left: left - if first { BLEED } else { 0.0 },
                field_width: width + if first || last { BLEED } else { 0.0 },
                height: low + (high - low) * rise,
                padding: if first { MARGIN_MM } else { PADDING },
                ground: ground.clone(),
                text: if last { &palette.paper } else { &palette.ink }.clone(),
                numeral: if last { &palette.numeral } else { &palette.mute }.clone(),
                ..self.step(index, step, steps.len(), fonts, inner)
            }
        };
        steps.iter().enumerate().map(tread).collect()
    }

    fn slabs(&self, steps: &[Step]) -> Vec<StepView> {
        const FIELD: f64 = 72.0;
        const GAP: f64 = 2.6;
        let count = steps.len().max(1) as f64;
        let height = ((FIELD + GAP) / count - GAP).min(25.0);
        let slab = |(index, step): (usize, &Step)| {
            let last = index + 1 == steps.len();
            StepView {
                height,
                ground: if last { &self.palette.alert } else { &self.palette.paper }.clone(),
                text: self.palette.ink.clone(),
                numeral: "#FFFFFF".into(),
                sentence: vec![trimmed(&self.scene.plain(&step.sentence)).to_owned()],
                ..self.step(index, step, steps.len(), &self.places().fonts, 140.0)
            }
        };
        steps.iter().enumerate().map(slab).collect()
    }

    fn cards(&self, steps: &[Step], fonts: &FontSizes) -> Vec<StepView> {
        const GAP: f64 = 4.0;
        let count = steps.len().max(1) as f64;
        let width = (WIDTH_MM - 2.0 * MARGIN_MM + GAP) / count - GAP;
        let card = |(index, step): (usize, &Step)| {
            let last = index + 1 == steps.len();
            StepView {
                width,
                ground: if last { self.palette.ink.clone() } else { "#FFFFFF".into() },
                text: if last { "#FFFFFF".into() } else { self.palette.ink.clone() },
                numeral: if last { &self.palette.lemon } else { &self.palette.mute }.clone(),
                ..self.step(index, step, steps.len(), fonts, width - 10.0)
            }
        };
        steps.iter().enumerate().map(card).collect()
    }

    /// What all families share: words, fitted to `inner` millimetres.
    fn step(
        &self,
        index: usize,
        step: &Step,
        count: usize,
        fonts: &FontSizes,
        inner: f64,
    ) -> StepView {
        let number = step.hotline.as_ref().map(|id| self.scene.number(id).to_owned());
        let fit = |em: f64, size: f64| size.min(inner / em.max(0.1));
        let sentence = self.scene.plain(&step.sentence);
        StepView {
            index: index + 1,
            last: index + 1 == count,
            left: 0.0,
            width: 0.0,
            field_left: 0.0,
            field_width: 0.0,
            height: 0.0,
            padding: 0.0,
            ground: String::new(),
            text: String::new(),
            numeral: String::new(),
            word_size: fit(self.bold(&step.word) + 1.0, fonts.word),
            word: step.word.clone(),
            sentence: self.broken(trimmed(&sentence), inner / fonts.sentence),
            number_size: number.as_deref().map_or(0.0, |n| fit(self.bold(n), fonts.number)),
            number,
        }
    }

    /// A sentence on one line, else one line a clause where each fits (the comma at the break is
    /// dropped), else broken once between words.
    fn broken(&self, sentence: &str, room_em: f64) -> Vec<String> {
        let fits = |text: &str| self.fonts.advance_em(text, Weight::Regular) <= room_em;
        if sentence.is_empty() {
            return Vec::new();
        }
        let clauses: Vec<&str> = sentence.split(['，', '；']).collect();
        if fits(sentence) {
            vec![sentence.to_owned()]
        } else if clauses.iter().all(|clause| fits(clause)) {
            clauses.into_iter().map(str::to_owned).collect()
        } else {
            let (first, rest) = split_between_words(sentence, &self.scene.variant.file.text, fits)
                .unwrap_or((sentence, ""));
            [first, rest].into_iter().filter(|l| !l.is_empty()).map(str::to_owned).collect()
        }
    }

    fn turn(&self, turn: &Turn) -> TurnView {
        let mine = turn.is_mine();
        TurnView {
            align: if mine { "flex-end" } else { "flex-start" },
            ground: if mine { self.palette.lemon.clone() } else { "#FFFFFF".into() },
            text: self.palette.ink.clone(),
            words: self.scene.plain(&turn.content),
        }
    }

    fn bold(&self, text: &str) -> f64 {
        self.fonts.advance_em(text, Weight::Bold)
    }

    /// Stands the object in its field, clear of the measured lines (CSS pixels of A4).
    pub fn object(&self, drawing: &Drawing, letters: &[Rect], px: f32) -> Option<ObjectView> {
        let [left, top, right, bottom] = self.places().object.map(|mm| mm * px);
        let field = Rect { left, top, right, bottom };
        let rect = drawing.fit(field, 3.0 * px, self.scene.variant.audience, letters, &[])?;
        let mm = |length: f32| f64::from(length / px);
        let (width, height) = (mm(rect.right - rect.left), mm(rect.bottom - rect.top));
        let (left, top) = (mm(rect.left), mm(rect.top));
        Some(ObjectView {
            left,
            top,
            width,
            height,
            svg: drawing.markup(1000, (1000.0 / drawing.ratio()).round() as u32),
            labels: LabelView::all(
                &self.scene.variant.object_labels,
                [left, top, width, height],
                self.palette,
                self.fonts,
                self.floor(),
            ),
        })
    }
}

fn trimmed(sentence: &str) -> &str {
    sentence.trim().trim_end_matches(['。', '！'])
}

/// Splits text in two lines that fit, near the middle and where the characters on both sides of the
/// break stand together least often in the lesson, which is rarely inside a word.
fn split_between_words<'t>(
    text: &'t str,
    lesson: &str,
    fits: impl Fn(&str) -> bool,
) -> Option<(&'t str, &'t str)> {
    const NOT_AT_START: &str = "，。、；：？！”’）》】…的了";
    const NOT_AT_END: &str = "“‘（《【";
    let count = text.chars().count();
    let cost = |index: usize, at: usize| -> usize {
        let before = text[..at].chars().next_back().map_or(0, char::len_utf8);
        let after = text[at..].chars().next().map_or(0, char::len_utf8);
        let together = lesson.matches(&text[at - before..at + after]).count();
        let pause = if text[..at].ends_with('、') { 0 } else { 6 };
        pause + together * 3 + (2 * index).abs_diff(count) + usize::from(2 * index < count)
    };
    text.char_indices()
        .enumerate()
        .skip(1)
        .filter(|&(index, (ref at, ref next))| {
            // Less than a third of a sentence on a line of its own looks lost.
            index * 3 >= count
                && (count - index) * 3 >= count
                && !NOT_AT_START.contains(*next)
                && !text[..*at].ends_with(|last| NOT_AT_END.contains(last))
                && fits(&text[..*at])
                && fits(&text[*at..])
        })
        .min_by_key(|(index, (at, _))| cost(*index, *at))
        .map(|(_, (at, _))| text.split_at(at))
}
