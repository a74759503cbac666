//! Running text of a lesson as templates of paper see it.

use crate::{
    model::{
        Block, BlockKind, Calculation, Directive, Inline, InlineKind, ListItem, OutputKind, Step,
    },
    render::{
        Scene,
        text::{arithmetic, law_name},
    },
};
use serde::Serialize;

/// One block; exactly one field is filled.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct BlockView {
    pub heading: Option<Vec<RunView>>,
    pub paragraph: Option<Vec<RunView>>,
    /// Somebody's words, with who says them.
    pub said: Option<SaidView>,
    /// A list, numbered or not.
    pub items: Option<Vec<ItemView>>,
    /// What not to fall for.
    pub flags: Option<Vec<Vec<RunView>>>,
    /// What to do: number, word, sentence.
    pub steps: Option<Vec<StepView>>,
    /// A box: tip, law, arithmetic.
    pub note: Option<Vec<Vec<RunView>>>,
    /// A figure and what it says.
    pub figure: Option<FigureView>,
    /// A quiet line, such as 人物为化名.
    pub small: Option<String>,
}

/// A run of characters of one weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RunView {
    pub text: String,
    pub strong: bool,
}

/// Words and their speaker.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SaidView {
    pub speaker: String,
    pub lines: Vec<Vec<RunView>>,
}

/// A list item; its mark is a number or empty.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ItemView {
    pub mark: String,
    pub lines: Vec<Vec<RunView>>,
}

/// A step.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StepView {
    pub index: usize,
    pub word: String,
    pub sentence: Vec<RunView>,
}

/// A figure.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FigureView {
    pub value: String,
    pub label: Vec<RunView>,
}

/// Turns blocks into views for one output. Tables of numbers, pictures, QR codes and questions have
/// places of their own on paper and are left out here.
pub(super) fn blocks(scene: &Scene<'_>, blocks: &[Block], output: OutputKind) -> Vec<BlockView> {
    let mut views = Vec::new();
    for block in blocks {
        push(scene, block, output, &mut views);
    }
    views
}

fn push(scene: &Scene<'_>, block: &Block, output: OutputKind, views: &mut Vec<BlockView>) {
    let view = match &block.kind {
        BlockKind::Paragraph(content) => match &content[..] {
            [Inline { kind: InlineKind::Strong(heading), .. }] => heading_view(scene, heading),
            _ => BlockView { paragraph: Some(runs(scene, content)), ..BlockView::default() },
        },
        BlockKind::Heading { content, .. } => heading_view(scene, content),
        BlockKind::List { start, items } => {
            BlockView { items: Some(list(scene, *start, items)), ..BlockView::default() }
        }
        BlockKind::Quote(content) | BlockKind::Alert { blocks: content, .. } => {
            note(lines(scene, content))
        }
        BlockKind::Code { text, .. } => note(vec![vec![plain_run(text.trim_end())]]),
        BlockKind::Table { rows, .. } => BlockView {
            items: Some(rows.iter().map(|row| table_row(scene, row)).collect()),
            ..BlockView::default()
        },
        BlockKind::Rule | BlockKind::Footnote { .. } => return,
        BlockKind::Directive(directive) => {
            return push_directive(scene, directive, output, views);
        }
    };
    views.push(view);
}

fn push_directive(
    scene: &Scene<'_>,
    directive: &Directive,
    output: OutputKind,
    views: &mut Vec<BlockView>,
) {
    let view = match directive {
        Directive::Callout { blocks, .. } => note(lines(scene, blocks)),
        Directive::Law { cite, blocks } => law(scene, cite, blocks),
        Directive::Scam(content) => said("骗子说", lines(scene, content)),
        Directive::Quotation { speaker, blocks } => said(speaker, lines(scene, blocks)),
        Directive::RedFlags(flags) => BlockView {
            flags: Some(flags.iter().map(|flag| runs(scene, flag)).collect()),
            ..BlockView::default()
        },
        Directive::Steps(steps) => {
            BlockView { steps: Some(step_views(scene, steps)), ..BlockView::default() }
        }
        Directive::Emergency(content) => {
            views.extend(blocks(scene, content, output));
            return;
        }
        Directive::Case { fictional, blocks: content, .. } => {
            views.extend(blocks(scene, content, output));
            let small = fictional.then(|| "案例为改编，人物为化名。".to_owned());
            BlockView { small: Some(small.unwrap_or_default()), ..BlockView::default() }
        }
        Directive::Dialogue(turns) => {
            named(scene, turns.iter().map(|turn| (&turn.speaker, &turn.content)))
        }
        Directive::Statistic { value, label, .. } => BlockView {
            figure: Some(FigureView { value: value.clone(), label: runs(scene, label) }),
            ..BlockView::default()
        },
        Directive::Calculation(rows) => note(rows.iter().flat_map(calculation).collect()),
        Directive::Glossary(entries) => {
            named(scene, entries.iter().map(|entry| (&entry.term, &entry.explanation)))
        }
        Directive::Conditional { condition, blocks: content } => {
            if condition.admits(output, scene.variant.audience) {
                views.extend(blocks(scene, content, output));
            }
            return;
        }
        Directive::Quiz(_)
        | Directive::HotlineTable(_)
        | Directive::Image { .. }
        | Directive::QrCode => return,
    };
    if view.small.as_deref() != Some("") {
        views.push(view);
    }
}

fn step_views(scene: &Scene<'_>, steps: &[Step]) -> Vec<StepView> {
    let view = |(index, step): (usize, &Step)| {
        let mut sentence = runs(scene, &step.sentence);
        let said: String = sentence.iter().map(|run| run.text.as_str()).collect();
        let number = step.hotline.as_ref().map(|id| scene.number(id));
        if let Some(number) = number.filter(|number| !said.contains(*number)) {
            sentence.push(RunView { text: format!(" {number}"), strong: true });
        }
        StepView { index: index + 1, word: step.word.clone(), sentence }
    };
    steps.iter().enumerate().map(view).collect()
}

/// A list whose items begin with a name: who speaks, what a word is.
fn named<'b>(
    scene: &Scene<'_>,
    items: impl Iterator<Item = (&'b String, &'b Vec<Inline>)>,
) -> BlockView {
    let item = |(name, content): (&String, &Vec<Inline>)| {
        let name = RunView { text: format!("{name}："), strong: true };
        let line = std::iter::once(name).chain(runs(scene, content)).collect();
        ItemView { mark: String::new(), lines: vec![line] }
    };
    BlockView { items: Some(items.map(item).collect()), ..BlockView::default() }
}

fn law(scene: &Scene<'_>, cite: &str, blocks: &[Block]) -> BlockView {
    let mut said = lines(scene, blocks);
    let name = law_name(cite);
    // Most authors write it themselves.
    if !said.iter().flatten().any(|run| run.text.contains(&name)) {
        said.insert(0, vec![RunView { text: name, strong: true }]);
    }
    note(said)
}

fn heading_view(scene: &Scene<'_>, content: &[Inline]) -> BlockView {
    BlockView { heading: Some(runs(scene, content)), ..BlockView::default() }
}

fn note(lines: Vec<Vec<RunView>>) -> BlockView {
    BlockView { note: Some(lines), ..BlockView::default() }
}

fn said(speaker: &str, lines: Vec<Vec<RunView>>) -> BlockView {
    let speaker = speaker.to_owned();
    BlockView { said: Some(SaidView { speaker, lines }), ..BlockView::default() }
}

/// What is computed, and below it the sum, which stays on one line.
fn calculation(row: &Calculation) -> [Vec<RunView>; 2] {
    let expression = arithmetic(&row.expression);
    let result = format!("{}{}", row.result, row.unit);
    [
        vec![plain_run(&format!("{}：", row.label))],
        vec![plain_run(&format!("{expression} = ")), RunView { text: result, strong: true }],
    ]
}

fn list(scene: &Scene<'_>, start: Option<u64>, items: &[ListItem]) -> Vec<ItemView> {
    let item = |(index, item): (usize, &ListItem)| ItemView {
        mark: start.map(|start| (start + index as u64).to_string()).unwrap_or_default(),
        lines: lines(scene, &item.blocks),
    };
    items.iter().enumerate().map(item).collect()
}

fn table_row(scene: &Scene<'_>, row: &[Vec<Inline>]) -> ItemView {
    let mut line = Vec::new();
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            line.push(plain_run(if index == 1 { "：" } else { "，" }));
        }
        line.extend(runs(scene, cell));
    }
    ItemView { mark: String::new(), lines: vec![line] }
}

/// The paragraphs of blocks, one line of runs each; lists become their items.
fn lines(scene: &Scene<'_>, blocks: &[Block]) -> Vec<Vec<RunView>> {
    blocks
        .iter()
        .flat_map(|block| match &block.kind {
            BlockKind::Paragraph(content) | BlockKind::Heading { content, .. } => {
                vec![runs(scene, content)]
            }
            BlockKind::List { items, .. } => {
                items.iter().flat_map(|item| lines(scene, &item.blocks)).collect()
            }
            BlockKind::Quote(inner)
            | BlockKind::Alert { blocks: inner, .. }
            | BlockKind::Directive(
                Directive::Scam(inner)
                | Directive::Quotation { blocks: inner, .. }
                | Directive::Emergency(inner)
                | Directive::Case { blocks: inner, .. },
            ) => lines(scene, inner),
            _ => Vec::new(),
        })
        .collect()
}

/// Running text as runs; numbers from the registry are bold.
pub(super) fn runs(scene: &Scene<'_>, content: &[Inline]) -> Vec<RunView> {
    let mut runs = Vec::new();
    push_runs(scene, content, false, &mut runs);
    runs
}

fn push_runs(scene: &Scene<'_>, content: &[Inline], strong: bool, runs: &mut Vec<RunView>) {
    for (index, inline) in content.iter().enumerate() {
        match &inline.kind {
            InlineKind::Emphasis(inner) | InlineKind::Strong(inner) => {
                push_runs(scene, inner, true, runs);
            }
            InlineKind::Strikethrough(inner) | InlineKind::Link { content: inner, .. } => {
                push_runs(scene, inner, strong, runs);
            }
            InlineKind::Hotline(_) => {
                join(runs, scene.resolve(&inline.kind), true);
            }
            InlineKind::SoftBreak => {
                // Between Han characters a line end is nothing.
                let before = runs.last().is_some_and(|run| run.text.ends_with(is_latin));
                let after = scene.plain(&content[index + 1..]).starts_with(is_latin);
                if before && after {
                    join(runs, " ".into(), strong);
                }
            }
            InlineKind::HardBreak => join(runs, " ".into(), strong),
            _ => join(runs, scene.plain(std::slice::from_ref(inline)), strong),
        }
    }
}

fn join(runs: &mut Vec<RunView>, text: String, strong: bool) {
    match runs.last_mut() {
        Some(last) if last.strong == strong => last.text.push_str(&text),
        _ if text.is_empty() => {}
        _ => runs.push(RunView { text, strong }),
    }
}

fn is_latin(character: char) -> bool {
    character.is_ascii_graphic()
}

fn plain_run(text: &str) -> RunView {
    RunView { text: text.to_owned(), strong: false }
}

/// Every character that blocks show.
pub(super) fn text_of(blocks: &[BlockView]) -> String {
    let mut text = String::new();
    let mut add = |runs: &[RunView]| runs.iter().for_each(|run| text.push_str(&run.text));
    for block in blocks {
        block.heading.iter().chain(&block.paragraph).for_each(|runs| add(runs));
        for lines in block.flags.iter().chain(&block.note) {
            lines.iter().for_each(|line| add(line));
        }
        if let Some(said) = &block.said {
            add(&[plain_run(&said.speaker)]);
            said.lines.iter().for_each(|line| add(line));
        }
        for item in block.items.iter().flatten() {
            item.lines.iter().for_each(|line| add(line));
        }
        for step in block.steps.iter().flatten() {
            add(&[plain_run(&step.word)]);
            add(&step.sentence);
        }
        if let Some(figure) = &block.figure {
            add(&[plain_run(&figure.value)]);
            add(&figure.label);
        }
    }
    text
}
