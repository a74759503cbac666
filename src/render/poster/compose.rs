//! Chooses what a poster says and how large: lesson + tier + scale → [`PosterView`].

use super::{
    scale::{Profile, Scaled, Scheme},
    stairs::Stairs,
    view::{FontSizes, LeadView, NumberView, PartView, PosterView, SlabView, TreadView, TurnView},
};
use crate::{
    model::{Audience, HeadlinePart, HotlineId, PosterText, Step},
    render::{Fonts, Palette, RenderError, Scene, fonts::Weight},
};

/// How much of its text a poster keeps. A poster that cannot hold, or whose slot is too short to
/// read, one tier falls to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Everything that was written for it.
    Full,
    /// Without lead and cue; of a conversation the last two turns.
    Short,
    /// Headline, number and strip.
    Headline,
}

impl Tier {
    /// From the fullest to the shortest.
    pub const ALL: [Self; 3] = [Self::Full, Self::Short, Self::Headline];
}

/// Everything a composition is made from.
pub struct Composer<'a> {
    /// What it is for.
    pub scene: &'a Scene<'a>,
    /// What it says.
    pub text: &'a PosterText,
    /// The screen.
    pub profile: &'a Profile,
    /// The sizes there.
    pub scaled: Scaled<'a>,
    /// The colours.
    pub palette: &'a Palette,
    /// The faces, for widths.
    pub fonts: &'a Fonts,
    /// Height of the branch strip.
    pub strip_height: u32,
    /// The bank's mark, painted.
    pub mark: &'a str,
}

impl<'a> Composer<'a> {
    /// The view at one tier and one shrink factor (1 is the design's size).
    ///
    /// # Errors
    /// [`RenderError`] for missing text.
    pub fn view(&self, tier: Tier, shrink: f64) -> Result<PosterView<'a>, RenderError> {
        let scaled = &self.scaled;
        let sizes = scaled.sizes;
        let audience = self.scene.variant.audience;
        let height = self.profile.height - self.strip_height;
        let one_line = scaled.scheme == Scheme::Ribbon;
        let headline = headline_parts(self.scene, one_line);
        let fonts = self.font_sizes(&headline, shrink);
        let lead = (tier == Tier::Full).then(|| self.lead()).flatten();
        let cue = if tier == Tier::Full { self.cue() } else { String::new() };
        let treads = self.treads(tier, &fonts);
        let object = sizes.object.map(|length| f64::from(scaled.px(length)));
        let [_, _, first, last] = sizes.stair;
        let copy_width = scaled.px(sizes.column).min(self.profile.width - scaled.px(sizes.margin));
        let sentence = self.sentence(lead.as_ref(), &cue, f64::from(copy_width), fonts.lead);
        Ok(PosterView {
            unit: scaled.unit,
            at: sizes,
            width: self.profile.width,
            height,
            palette: self.palette,
            fonts,
            margin: scaled.px(sizes.margin),
            column: self.column(),
            copy_width,
            copy_height: (object[1] as u32).saturating_sub(scaled.px(sizes.copy_top)),
            stair: if treads.is_empty() { 0 } else { scaled.px(last) },
            mark: self.mark,
            bank: &self.scene.bank.name,
            tag: if audience == Audience::Elder { "" } else { self.scene.tag() },
            dash: audience == Audience::General,
            headline,
            lead,
            sentence,
            cue_bottom: scaled.px(first + 20.0),
            cue: if treads.is_empty() || cue.is_empty() {
                Vec::new()
            } else {
                self.balanced(&cue, f64::from(treads[0].width - treads[0].padding), fonts.cue)
            },
            treads,
            slabs: self.slabs(tier),
            slabs_left: scaled.px(sizes.slabs),
            slab_direction: if tier == Tier::Full { "column" } else { "row" },
            slab_align: if tier == Tier::Full { "flex-start" } else { "center" },
            lead_left: (object[0] + object[2]) as u32 + scaled.px(36.0),
            lead_width: scaled.px(sizes.slabs).saturating_sub((object[0] + object[2]) as u32),
            number: self.number(&fonts),
            turns: self.turns(tier)?,
            panel_left: scaled.px(sizes.panel),
            chat_left: scaled.px(sizes.chat),
            object: None,
        })
    }

    /// 字 that the view asks a passer-by to read; the strip's name and address are not counted,
    /// numbers count one each.
    #[must_use]
    pub fn word_count(view: &PosterView<'_>) -> usize {
        let mut text: Vec<&str> = view.headline.iter().flatten().map(|p| p.text.as_str()).collect();
        if let Some(lead) = &view.lead {
            text.extend([lead.plain.as_str(), lead.imperative.as_str()]);
        }
        text.extend(view.cue.iter().map(String::as_str));
        for tread in &view.treads {
            text.extend([tread.word.as_str(), tread.number.as_deref().unwrap_or("")]);
        }
        for slab in &view.slabs {
            text.extend([slab.word.as_str(), slab.text.as_str()]);
        }
        text.extend(view.turns.iter().map(|turn| turn.words.as_str()));
        text.into_iter().map(crate::model::count_words).sum()
    }

    fn column(&self) -> u32 {
        let sizes = self.scaled.sizes;
        let spare = f64::from(self.profile.width) - sizes.design[0] * self.scaled.unit;
        let share = if self.scaled.scheme == Scheme::Portrait { 1.0 } else { 0.5 };
        self.scaled.px(sizes.column) + (spare * share).max(0.0) as u32
    }

    /// The headline fills its column; everything else has its size of the scale, shrunk.
    fn font_sizes(&self, headline: &[Vec<PartView>], shrink: f64) -> FontSizes {
        let sizes = self.scaled.sizes;
        let part = |part: &PartView| {
            let gap = if part.gap { 0.3 } else { 0.0 };
            self.fonts.advance_em(&part.text, Weight::Bold) + gap
        };
        let width = |line: &Vec<PartView>| line.iter().map(part).sum::<f64>();
        // The headline gives way half as fast as the rest: it is what is read from afar.
        let headline_shrink = 1.0 - (1.0 - shrink) * 0.5;
        let longest = headline.iter().map(width).fold(1.0, f64::max);
        let fits = (f64::from(self.column()) / longest).floor();
        let font = |size: f64| self.scaled.font(size, shrink);
        let label = |size: f64| self.scaled.font(size, 1.0);
        FontSizes {
            brand: label(sizes.brand),
            mark: self.scaled.px(sizes.mark),
            tag: label(sizes.tag),
            headline: f64::from(self.scaled.font(sizes.headline, headline_shrink)).min(fits) as u32,
            lead: font(sizes.lead),
            imperative: font(sizes.imperative),
            cue: font(sizes.cue),
            word: font(sizes.word),
            slab: font(sizes.slab),
            bubble: font(sizes.bubble),
            numeral: font(sizes.numeral),
            number: font(sizes.number),
        }
    }

    fn lead(&self) -> Option<LeadView> {
        self.text.lead.as_ref().map(|lead| LeadView {
            plain: self.scene.plain(&lead.plain),
            imperative: self.scene.plain(&lead.imperative),
        })
    }

    fn cue(&self) -> String {
        self.text.cue.as_ref().map(|cue| self.scene.plain(cue)).unwrap_or_default()
    }

    /// Lead and cue on one line where they fit, else on two.
    fn sentence(&self, lead: Option<&LeadView>, cue: &str, width: f64, font: u32) -> Vec<String> {
        let lead = lead.map(|lead| format!("{}{}", lead.plain, lead.imperative));
        let lines: Vec<String> =
            lead.into_iter().chain((!cue.is_empty()).then(|| cue.to_owned())).collect();
        let joined = lines.concat();
        let fits = self.fonts.advance_em(&joined, Weight::Bold) * f64::from(font) <= width;
        match (fits, self.scene.variant.audience) {
            (true, Audience::General) => vec![joined],
            (false, Audience::General) => lines,
            // Beside the elder family's object there is room for a short column: one clause each.
            _ => lines
                .iter()
                .flat_map(|line| line.split_inclusive(['，', '。', '；']).map(str::to_owned))
                .collect(),
        }
    }

    /// The text on one line, or on two lines of equal length where one is too narrow.
    fn balanced(&self, text: &str, width: f64, font: u32) -> Vec<String> {
        if self.fonts.advance_em(text, Weight::Bold) * f64::from(font) <= width {
            return vec![text.to_owned()];
        }
        let letters: Vec<char> = text.chars().collect();
        let words = letters.iter().filter(|c| !"，。？：".contains(**c)).count();
        let middle = words.div_ceil(2);
        vec![letters[..middle].iter().collect(), letters[middle..].iter().collect()]
    }

    fn treads(&self, tier: Tier, fonts: &FontSizes) -> Vec<TreadView> {
        if self.scene.variant.audience != Audience::General {
            return Vec::new();
        }
        let steps: &[Step] = match tier {
            Tier::Full | Tier::Short => &self.text.steps,
            Tier::Headline => self.text.steps.last().map_or(&[], |step| std::slice::from_ref(step)),
        };
        let count = steps.len();
        let stairs = Stairs::new(&self.scaled, self.profile.width, count, tier == Tier::Headline);
        steps
            .iter()
            .enumerate()
            .map(|(index, step)| {
                let last = index + 1 == count;
                let (left, width, height) = stairs.tread(index);
                let padding = stairs.padding(index);
                let inner = f64::from(width.saturating_sub(padding + self.scaled.px(8.0)));
                let fitted = |text: &str, font: u32| {
                    let widest = inner / self.fonts.advance_em(text, Weight::Bold).max(0.1);
                    f64::from(font).min(widest) as u32
                };
                let number = step.hotline.as_ref().map(|id| self.scene.number(id).to_owned());
                let number_px = number.as_deref().map_or(0, |n| fitted(n, fonts.number));
                // A number too narrow to read in its tread is still in the branch strip below.
                let number = number.filter(|_| f64::from(number_px) >= self.scaled.floor_px);
                let tread = self.palette.treads.get(index.min(2));
                TreadView {
                    index: index + 1 + self.text.steps.len() - count,
                    left,
                    width,
                    height,
                    padding,
                    ground: if last {
                        self.palette.strip.clone()
                    } else {
                        tread.cloned().unwrap_or_default()
                    },
                    text: if last { &self.palette.strip_text } else { &self.palette.paper }.clone(),
                    numeral: if last { &self.palette.strip_mute } else { &self.palette.numeral }
                        .clone(),
                    word_px: fitted(&step.word, fonts.word),
                    word: step.word.clone(),
                    icon: self.icon(&step.word, last),
                    number,
                    number_px,
                }
            })
            .collect()
    }

    fn icon(&self, word: &str, last: bool) -> Option<String> {
        let assets = self.scene.library.assets.by_file.values();
        let asset = assets.into_iter().find(|asset| {
            asset.tags.iter().any(|tag| tag == "icon") && asset.tags.iter().any(|tag| tag == word)
        })?;
        let colour = if last { &self.palette.strip_mute } else { &self.palette.numeral };
        let svg = std::str::from_utf8(&asset.bytes).ok()?.replace("currentColor", colour);
        let side = self.scaled.px(64.0);
        Some(super::object::sized(&svg, side, side))
    }

    fn slabs(&self, tier: Tier) -> Vec<SlabView> {
        if self.scene.variant.audience != Audience::Elder || tier == Tier::Headline {
            return Vec::new();
        }
        let count = self.text.steps.len();
        let slab = |(index, step): (usize, &Step)| {
            let act = index + 1 == count;
            SlabView {
                ground: if act { &self.palette.alert } else { &self.palette.paper }.clone(),
                word: step.word.clone(),
                text: if tier == Tier::Full {
                    self.scene.plain(&step.sentence).trim_end_matches('。').trim().to_owned()
                } else {
                    String::new()
                },
            }
        };
        self.text.steps.iter().enumerate().map(slab).collect()
    }

    /// The number that the last step ends with; the elder family shows it as its picture. A long
    /// number is set smaller, so that the object keeps its place beside it.
    fn number(&self, fonts: &FontSizes) -> Option<NumberView> {
        let id: &HotlineId = self.text.steps.iter().rev().find_map(|step| step.hotline.as_ref())?;
        let hotline = self.scene.library.hotline(id)?;
        let number = self.scene.number(id).to_owned();
        let label = match self.scaled.scheme {
            Scheme::Ribbon => vec![format!("{}电话", hotline.short)],
            _ => vec![hotline.short.clone(), "电话".to_owned()],
        };
        let sizes = self.scaled.sizes;
        let label_em = label.iter().map(|line| self.fonts.advance_em(line, Weight::Bold));
        let label_width = label_em.fold(0.0, f64::max) * f64::from(fonts.lead);
        let width = match self.scaled.scheme {
            Scheme::Portrait => (sizes.object[0] - sizes.margin - 24.0) * self.scaled.unit,
            Scheme::Landscape | Scheme::Kiosk => {
                f64::from(self.profile.width)
                    - (sizes.slabs + sizes.margin + 44.0) * self.scaled.unit
                    - label_width
            }
            Scheme::Bar | Scheme::Ribbon => 480.0 * self.scaled.unit,
        };
        let widest = width / self.fonts.advance_em(&number, Weight::Bold).max(0.1);
        let font = f64::from(fonts.number).min(widest) as u32;
        Some(NumberView { label, number, font })
    }

    fn turns(&self, tier: Tier) -> Result<Vec<TurnView>, RenderError> {
        if self.scene.variant.audience != Audience::Student || tier == Tier::Headline {
            return Ok(Vec::new());
        }
        let dialogue = &self.text.dialogue;
        if dialogue.is_empty() {
            return Err(RenderError::MissingText {
                block: ":::screen 里的 :::dialogue",
                help: "学生版屏幕海报是一段三到四句的对话".into(),
            });
        }
        let shown = match (tier, self.scaled.scheme) {
            (Tier::Full, Scheme::Bar) => 3,
            (Tier::Full, Scheme::Ribbon) | (Tier::Short, _) => 2,
            _ => dialogue.len(),
        };
        let first = dialogue.len().saturating_sub(shown);
        let turn = |(index, turn): (usize, &crate::model::Turn)| {
            let last = index + 1 == dialogue.len();
            let mine = turn.is_mine();
            let (ground, text) = match (mine, last) {
                (_, true) => (self.palette.paper.clone(), "#FFFFFF".to_owned()),
                (true, false) => (self.palette.lemon.clone(), self.palette.ink.clone()),
                (false, false) => ("#FFFFFF".to_owned(), self.palette.ink.clone()),
            };
            Ok(TurnView {
                mine,
                align: if mine { "flex-end" } else { "flex-start" },
                ground,
                text,
                words: self.scene.plain(&turn.content),
                avatar: self.avatar(if mine {
                    "avatar-student.svg"
                } else {
                    "avatar-lender.svg"
                })?,
            })
        };
        dialogue.iter().enumerate().skip(first).map(turn).collect()
    }

    fn avatar(&self, file: &str) -> Result<String, RenderError> {
        let asset = self.scene.library.assets.get(file).ok_or_else(|| RenderError::Picture {
            file: format!("assets/{file}"),
            reason: "没有这张图".into(),
        })?;
        let svg = String::from_utf8_lossy(&asset.bytes);
        let design = match self.scaled.scheme {
            Scheme::Portrait => 100.0,
            _ => self.scaled.sizes.avatar,
        };
        let side = self.scaled.px(design);
        Ok(super::object::sized(&self.palette.paint(&svg), side, side))
    }
}

/// The headline's lines and parts; on one line where the scheme asks for it.
#[must_use]
pub fn headline_parts(scene: &Scene<'_>, one_line: bool) -> Vec<Vec<PartView>> {
    let lines = scene.variant.headline.value.lines.iter().enumerate();
    let lines = lines.map(|(number, line)| {
        let part = |(index, part): (usize, &HeadlinePart)| PartView {
            text: part.text.clone(),
            lure: part.lure,
            gap: one_line && number > 0 && index == 0,
        };
        line.iter().enumerate().map(part).collect::<Vec<_>>()
    });
    if one_line { vec![lines.flatten().collect()] } else { lines.collect() }
}
