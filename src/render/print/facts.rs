//! What several outputs show of a lesson: its questions and its numbers.

use super::prose::{self, RunView};
use crate::{
    model::{BlockKind, Directive, Question},
    render::{Scene, text::chinese_date},
};
use serde::Serialize;

/// A question with its options.
#[derive(Debug, Clone, Serialize)]
pub(super) struct QuestionView {
    pub index: usize,
    pub text: Vec<RunView>,
    pub options: Vec<OptionView>,
}

/// An option and its letter.
#[derive(Debug, Clone, Serialize)]
pub(super) struct OptionView {
    pub letter: char,
    pub text: Vec<RunView>,
}

/// The right letter and why.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AnswerView {
    pub index: usize,
    pub letter: char,
    pub why: Vec<RunView>,
}

/// A number of the registry.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HotlineView {
    pub number: String,
    pub name: String,
    pub note: String,
    pub hours: String,
    pub verified: String,
}

/// The article's questions.
pub(super) fn questions<'a>(scene: &Scene<'a>) -> &'a [Question] {
    let quiz = scene.variant.body.iter().find_map(|block| match &block.kind {
        BlockKind::Directive(Directive::Quiz(questions)) => Some(questions),
        _ => None,
    });
    quiz.map_or(&[], Vec::as_slice)
}

/// Questions and answers as templates see them.
pub(super) fn quiz(scene: &Scene<'_>) -> (Vec<QuestionView>, Vec<AnswerView>) {
    const LETTERS: [char; 8] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
    let view = |(index, question): (usize, &Question)| {
        let options = question.options.iter().zip(LETTERS);
        let right = options.clone().find(|(option, _)| option.correct);
        let answer = AnswerView {
            index: index + 1,
            letter: right.map_or('A', |(_, letter)| letter),
            why: prose::runs(scene, &question.explanation),
        };
        let options = options
            .map(|(option, letter)| OptionView {
                letter,
                text: prose::runs(scene, &option.content),
            })
            .collect();
        let text = prose::runs(scene, &question.text);
        (QuestionView { index: index + 1, text, options }, answer)
    };
    questions(scene).iter().enumerate().map(view).unzip()
}

/// The variant's numbers in the order of its front matter.
pub(super) fn hotlines(scene: &Scene<'_>) -> Vec<HotlineView> {
    let ids = scene.variant.hotlines.iter();
    ids.filter_map(|id| {
        let hotline = scene.library.hotline(id)?;
        Some(HotlineView {
            number: scene.number(id).to_owned(),
            name: hotline.name.clone(),
            note: hotline.note.clone(),
            hours: hotline.hours.clone(),
            verified: chinese_date(hotline.verified_on),
        })
    })
    .collect()
}
