//! What the portal's templates see.

use super::{
    flavour::{Flavour, FormRules, Message},
    object::{Detail, Object, object},
};
use crate::{
    model::{
        Audience, Block, BlockKind, Directive, Hotline, HotlineKind, OutputKind, PosterText,
        Question, Step, Turn, count_words,
    },
    render::{
        Palette, RenderError, Scene,
        text::{chinese_date, chinese_month, chinese_number},
    },
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The page.
#[derive(Debug, Serialize)]
pub(super) struct Page<'a> {
    style: String,
    style_hash: String,
    /// What gets a guest on; none on pages that only tell something.
    form: Option<Form>,
    /// Whether the form stands again behind the lesson.
    pub(super) twice: bool,
    /// What a page tells that is not the lesson.
    pub(super) message: Option<&'a Message>,
    /// Settings of the gateway's rules.
    pub(super) gateway: Option<&'a BTreeMap<String, String>>,
    /// The branch's identifier, or `bank`: part of addresses.
    place: &'a str,
    elder: bool,
    /// 你 or 您
    you: &'static str,
    title: &'a str,
    bank: &'a str,
    bank_number: &'a str,
    branch: Option<Place<'a>>,
    headline: Vec<Line<'a>>,
    english: Option<&'a str>,
    object: Option<Object<'a>>,
    seconds: usize,
    lead: Option<Lead>,
    dialogue: Vec<Bubble<'a>>,
    lines_title: String,
    lines: Vec<String>,
    cue: String,
    steps: Vec<StepRow<'a>>,
    phones: Vec<Phone<'a>>,
    quiz: Vec<Quiz>,
    valid_until: String,
    review: Option<String>,
    approval: Option<String>,
}

/// A form as the templates see it. Texts are safe in attributes already, so that they may hold
/// variables of the gateway.
#[derive(Debug, Serialize)]
pub(super) struct Form {
    action: String,
    method: String,
    fields: Vec<Field>,
    button: Option<Field>,
    label: Option<String>,
    label_en: Option<String>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    value: String,
}

impl Form {
    /// A form without fields.
    pub(super) fn leading_to(address: &str) -> Self {
        Self {
            action: address.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;"),
            method: "get".into(),
            fields: Vec::new(),
            button: None,
            label: None,
            label_en: None,
        }
    }

    /// The form of a gateway.
    pub(super) fn new(flavour: &Flavour, rules: &FormRules, continue_url: &str) -> Self {
        let field = |(name, value): (&String, &String)| Field {
            name: flavour.filled(name, continue_url),
            value: flavour.filled(value, continue_url),
        };
        Self {
            action: flavour.filled(&rules.action, continue_url),
            method: rules.method.clone(),
            fields: rules.fields.iter().map(field).collect(),
            button: rules.button.as_ref().map(|button| field((&button.name, &button.value))),
            label: rules.label.clone(),
            label_en: rules.label_en.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Place<'a> {
    name: &'a str,
    address: &'a str,
    hours: &'a str,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    text: &'a str,
    lure: bool,
}

#[derive(Debug, Serialize)]
struct Lead {
    plain: String,
    imperative: String,
}

#[derive(Debug, Serialize)]
struct Bubble<'a> {
    side: &'static str,
    initial: String,
    speaker: &'a str,
    text: String,
}

#[derive(Debug, Serialize)]
struct StepRow<'a> {
    kind: &'static str,
    label: String,
    text: String,
    phone: Option<Phone<'a>>,
}

#[derive(Debug, Serialize)]
struct Phone<'a> {
    kind: &'static str,
    number: &'a str,
    /// What is dialled; a placeholder such as `95XXX` is no link.
    tel: Option<String>,
    note: &'a str,
}

#[derive(Debug, Serialize)]
struct Quiz {
    number: usize,
    text: String,
    options: Vec<Choice>,
    answer: String,
    explanation: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    letter: char,
    text: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(
        scene: &'a Scene<'_>,
        palette: &'a Palette,
        detail: Detail,
        form: Option<Form>,
        (style, style_hash): (String, String),
    ) -> Result<Self, RenderError> {
        let variant = scene.variant;
        let elder = variant.audience == Audience::Elder;
        let tier = variant.tiers.portal.as_ref().ok_or_else(|| RenderError::MissingText {
            block: ":::portal",
            help: "请写上网认证页的文案，至多 300 字".into(),
        })?;
        let lines: Vec<String> = tier.lines.iter().map(|line| scene.plain(line)).collect();
        let phones = variant.hotlines.iter().filter_map(|id| scene.library.hotline(id));
        Ok(Self {
            style,
            style_hash,
            form,
            twice: true,
            message: None,
            gateway: None,
            place: scene.branch.map_or("bank", |branch| branch.id.as_str()),
            elder,
            you: if variant.audience == Audience::Student { "你" } else { "您" },
            title: &variant.title.value,
            bank: &scene.bank.name,
            bank_number: scene.number(&scene.bank.hotline),
            branch: scene.branch.map(|branch| Place {
                name: &branch.name,
                address: &branch.address,
                hours: &branch.hours,
            }),
            headline: headline(scene),
            english: variant.english.as_deref(),
            object: if elder { None } else { object(scene, palette, detail)? },
            seconds: seconds(scene, tier),
            lead: lead(scene, tier),
            dialogue: tier.dialogue.iter().map(|turn| bubble(scene, turn)).collect(),
            lines_title: lines_title(lines.len()),
            lines,
            cue: cue(scene, tier),
            steps: steps(scene, &tier.steps, elder),
            phones: phones.map(|hotline| phone(scene, hotline)).collect(),
            quiz: quiz(scene),
            valid_until: chinese_date(variant.valid_until),
            review: variant.facts_review_by.map(chinese_month),
            approval: scene.approval_line(),
        })
    }
}

impl Page<'_> {
    /// Whether there is something to answer.
    pub(super) fn has_quiz(&self) -> bool {
        !self.quiz.is_empty()
    }
}

fn headline<'a>(scene: &'a Scene<'_>) -> Vec<Line<'a>> {
    let lines = scene.variant.headline.value.lines.iter();
    lines
        .map(|line| Line {
            parts: line.iter().map(|part| Part { text: &part.text, lure: part.lure }).collect(),
        })
        .collect()
}

fn lead(scene: &Scene<'_>, tier: &PosterText) -> Option<Lead> {
    let lead = tier.lead.as_ref()?;
    Some(Lead { plain: scene.plain(&lead.plain), imperative: scene.plain(&lead.imperative) })
}

fn lines_title(count: usize) -> String {
    // The title promises as many lines as there are.
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    format!("守住{}条线", if count == 2 { "两".to_owned() } else { chinese_number(count) })
}

fn cue(scene: &Scene<'_>, tier: &PosterText) -> String {
    let cue = tier.cue.as_ref().map(|cue| scene.plain(cue));
    let cue = cue.map(|cue| cue.trim_end_matches(['：', ':']).to_owned());
    cue.filter(|cue| !cue.is_empty()).unwrap_or_else(|| {
        let count = u16::try_from(tier.steps.len()).unwrap_or(u16::MAX);
        format!("记住{}步", if count == 2 { "两".to_owned() } else { chinese_number(count) })
    })
}

fn bubble<'a>(scene: &Scene<'_>, turn: &'a Turn) -> Bubble<'a> {
    Bubble {
        side: match (turn.is_mine(), turn.is_scammer()) {
            (true, _) => "me",
            (_, true) => "they",
            _ => "other",
        },
        initial: turn.speaker.chars().take(1).collect(),
        speaker: &turn.speaker,
        text: scene.plain(&turn.content),
    }
}

fn steps<'a>(scene: &'a Scene<'_>, steps: &'a [Step], elder: bool) -> Vec<StepRow<'a>> {
    let row = |(index, step): (usize, &'a Step)| {
        let text = scene.plain(&step.sentence);
        let number = step.hotline.as_ref().and_then(|id| scene.library.hotline(id));
        let number = number.filter(|hotline| !text.contains(scene.number(&hotline.id)));
        let last = index + 1 == steps.len();
        StepRow {
            kind: match (last && step.hotline.is_some(), step.word.chars().count() > 1) {
                (true, true) => "act wide",
                (true, false) => "act",
                (false, true) => "wide",
                (false, false) => "step",
            },
            label: if elder {
                step.word.clone()
            } else {
                format!("{}\u{A0}{}", index + 1, step.word)
            },
            text: if text.is_empty() && number.is_some() { "拨打".into() } else { text },
            phone: number.map(|hotline| phone(scene, hotline)),
        }
    };
    steps.iter().enumerate().map(row).collect()
}

fn phone<'a>(scene: &'a Scene<'_>, hotline: &'a Hotline) -> Phone<'a> {
    let number = scene.number(&hotline.id);
    Phone {
        kind: if hotline.kind == HotlineKind::Emergency { "act" } else { "row" },
        number,
        tel: dialled(number),
        note: &hotline.note,
    }
}

/// The digits of a number that can be dialled.
fn dialled(number: &str) -> Option<String> {
    let written = |c: char| c.is_ascii_digit() || matches!(c, '-' | ' ' | '+');
    let digits: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    (number.chars().all(written) && digits.len() >= 3).then_some(digits)
}

/// Seconds of reading, rounded up to tens: 4 字 a second, elders 3 (formats §3b).
fn seconds(scene: &Scene<'_>, tier: &PosterText) -> usize {
    let lead = tier.lead.iter().flat_map(|lead| [&lead.plain, &lead.imperative]);
    let sentences = tier.steps.iter().map(|step| &step.sentence);
    let turns = tier.dialogue.iter().map(|turn| &turn.content);
    let inlines = lead.chain(&tier.lines).chain(sentences).chain(turns);
    let words: usize = inlines.map(|inlines| count_words(&scene.plain(inlines))).sum();
    let words = words + tier.steps.len() + scene.variant.headline.value.plain().chars().count();
    let per_second = if scene.variant.audience == Audience::Elder { 3 } else { 4 };
    words.div_ceil(per_second).div_ceil(10).max(1) * 10
}

fn quiz(scene: &Scene<'_>) -> Vec<Quiz> {
    let mut questions: Vec<&Question> = Vec::new();
    collect_questions(&scene.variant.body, scene.variant.audience, &mut questions);
    let view = |(index, question): (usize, &&Question)| {
        let letters = ('A'..='Z').zip(&question.options);
        Quiz {
            number: index + 1,
            text: scene.plain(&question.text),
            answer: letters
                .clone()
                .filter(|(_, option)| option.correct)
                .map(|(letter, _)| letter)
                .collect(),
            options: letters
                .map(|(letter, option)| Choice { letter, text: scene.plain(&option.content) })
                .collect(),
            explanation: scene.plain(&question.explanation),
        }
    };
    questions.iter().enumerate().map(view).collect()
}

fn collect_questions<'a>(
    blocks: &'a [Block],
    audience: Audience,
    questions: &mut Vec<&'a Question>,
) {
    for block in blocks {
        match &block.kind {
            BlockKind::Directive(Directive::Quiz(found)) => questions.extend(found),
            BlockKind::Directive(Directive::Conditional { condition, blocks })
                if condition.admits(OutputKind::Portal, audience) =>
            {
                collect_questions(blocks, audience, questions);
            }
            _ => {}
        }
    }
}
