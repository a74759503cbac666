//! Emphasis beside Chinese characters comes out as comrak's CJK-friendly option does it.

use super::{case, good_general};
use caishi::{
    model::{AssetSet, Audience, Block, BlockKind, Inline, InlineKind, Library, SourceFile},
    read::{Registry, Surroundings, read_variant},
};
use std::sync::Arc;

/// The body of a text, read as an elder variant so that it needs no front matter of its own.
fn body(text: &str) -> Vec<Block> {
    let library = Library::default();
    let mut registry = Registry::complete(&library);
    registry.topics_complete = false;
    registry.hotlines_complete = false;
    registry.campaigns_complete = false;
    let surroundings =
        Surroundings { registry, assets: &AssetSet::default(), assets_complete: false };
    let file = |text: &str| Arc::new(SourceFile { path: "lesson.md".into(), text: text.into() });
    let general =
        read_variant(&file(&good_general("good")), Audience::General, None, &surroundings);
    let base = Some(&general.front_matter);
    let reading = read_variant(&file(text), Audience::Elder, base, &surroundings);
    let faults = &reading.diagnostics;
    assert!(faults.is_empty(), "{text}: {faults:?}");
    reading.variant.map(|variant| variant.body).unwrap_or_default()
}

fn comrak(text: &str) -> String {
    let mut options = comrak::Options::default();
    options.extension.strikethrough = true;
    options.extension.cjk_friendly_emphasis = true;
    comrak::markdown_to_html(text, &options)
}

fn html(blocks: &[Block]) -> String {
    blocks.iter().map(block_html).collect()
}

fn block_html(block: &Block) -> String {
    match &block.kind {
        BlockKind::Paragraph(content) => format!("<p>{}</p>\n", inline_html(content)),
        BlockKind::Heading { level, content, .. } => {
            format!("<h{level}>{}</h{level}>\n", inline_html(content))
        }
        BlockKind::Quote(blocks) => format!("<blockquote>\n{}</blockquote>\n", html(blocks)),
        BlockKind::List { start, items } => {
            let tag = if start.is_some() { "ol" } else { "ul" };
            let items = items.iter().map(|item| {
                let text = html(&item.blocks).replace("<p>", "").replace("</p>\n", "");
                format!("<li>{text}</li>\n")
            });
            format!("<{tag}>\n{}</{tag}>\n", items.collect::<String>())
        }
        other => panic!("the corpus holds no {other:?}"),
    }
}

fn inline_html(content: &[Inline]) -> String {
    let wrap = |tag: &str, content: &[Inline]| format!("<{tag}>{}</{tag}>", inline_html(content));
    let one = |inline: &Inline| match &inline.kind {
        InlineKind::Text(text) => escape(text),
        InlineKind::Code(text) => format!("<code>{}</code>", escape(text)),
        InlineKind::Emphasis(content) => wrap("em", content),
        InlineKind::Strong(content) => wrap("strong", content),
        InlineKind::Strikethrough(content) => wrap("del", content),
        InlineKind::Link { url, content } => {
            let url = url.replace('中', "%E4%B8%AD");
            format!("<a href=\"{url}\">{}</a>", inline_html(content))
        }
        InlineKind::SoftBreak => "\n".to_owned(),
        other => panic!("the corpus holds no {other:?}"),
    };
    content.iter().map(one).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn emphasis_beside_chinese_equals_comrak() {
    let corpus = case("cjk-emphasis.txt");
    let lines = corpus.lines().filter(|line| !line.is_empty() && !line.starts_with("## "));
    let mut count = 0;
    let mut differences = String::new();
    for line in lines {
        let (text, given) = match line.split_once(" ==> ") {
            Some((text, expected)) => (text, Some(format!("{expected}\n"))),
            None => (line, None),
        };
        let text = text.replace("\\n", "\n");
        let expected = given.unwrap_or_else(|| comrak(&text));
        let got = html(&body(&text));
        if got != expected {
            differences += &format!("{text}\n  expected {expected}  got      {got}");
        }
        count += 1;
    }
    assert!(count >= 60);
    assert!(differences.is_empty(), "\n{differences}");
}
