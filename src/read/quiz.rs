//! Quizzes: an ordered list of questions, a task list of options, a quotation that explains.

use super::{convert::Content, faults::Faults, inline};
use crate::model::{Block, BlockKind, Directive, ListItem, Question, QuestionOption, Span};

const FORM: &str =
    "题目写“1. ”，选项缩进三格写“   - [ ] ”，对的写“   - [x] ”，解释缩进三格写“   > ”。";

/// Reads the questions of `:::quiz`.
pub(super) fn read(mut content: Content, faults: &mut Faults) -> Option<Directive> {
    let blocks = std::mem::take(&mut content.blocks);
    let Some(items) = inline::only_list(blocks, true) else {
        content.refuse(faults, "是一个有序列表，题目、选项和解释都在列表的项里", FORM);
        return None;
    };
    let questions = items.into_iter().filter_map(|item| question(item, faults));
    Some(Directive::Quiz(questions.collect()))
}

fn question(item: ListItem, faults: &mut Faults) -> Option<Question> {
    let span = inline::item_span(&item);
    let mut blocks = item.blocks.into_iter();
    let text = match blocks.next() {
        Some(Block { kind: BlockKind::Paragraph(text), .. }) => inline::trim(text),
        _ => return refuse(span, "题目应当以一句话开头", faults),
    };
    let Some(Block { kind: BlockKind::List { start: None, items: options }, .. }) = blocks.next()
    else {
        return refuse(span, "题目后面应当是选项列表", faults);
    };
    let explanation = match blocks.next() {
        Some(Block { kind: BlockKind::Quote(quote), .. }) => inline::only_paragraph(quote),
        _ => None,
    };
    let Some(explanation) = explanation else {
        return refuse(span, "选项后面应当是一段引用，说明为什么", faults);
    };
    if let Some(extra) = blocks.next() {
        return refuse(extra.span, "解释后面不能再有内容", faults);
    }
    let options = read_options(options, faults)?;
    let right = options.iter().filter(|option| option.correct).count();
    if right != 1 || options.len() < 2 {
        faults.error(
            "read/quiz-answer",
            first_line(span, faults),
            format!("这道题有 {} 个选项，其中 {right} 个对的", options.len()),
            "至少写两个选项，正好一个用 [x]，其余用 [ ]。".into(),
        );
        return None;
    }
    let explanation = inline::trim(explanation);
    Some(Question { span, text, options, explanation })
}

fn read_options(items: Vec<ListItem>, faults: &mut Faults) -> Option<Vec<QuestionOption>> {
    let mut options = Vec::with_capacity(items.len());
    for item in items {
        let span = inline::item_span(&item);
        match (item.task, inline::only_paragraph(item.blocks)) {
            (Some(correct), Some(content)) => {
                let content = inline::trim(content);
                options.push(QuestionOption { correct, content });
            }
            _ => return refuse(span, "选项应当是“[ ] ”或“[x] ”加一句话", faults),
        }
    }
    Some(options)
}

fn refuse<T>(span: Span, reason: &str, faults: &mut Faults) -> Option<T> {
    let span = first_line(span, faults);
    faults.error("read/quiz-form", span, reason.to_owned(), FORM.to_owned());
    None
}

fn first_line(span: Span, faults: &Faults) -> Span {
    let text = faults.text().get(span.start..span.end).unwrap_or_default();
    let length = text.lines().next().map_or(0, str::len);
    Span::new(span.start, span.start + length)
}
