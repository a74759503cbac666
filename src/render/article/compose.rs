//! The frame of an article: hero, body, numbers, references, sources, footer.

use super::{
    blocks::{Place, Writer},
    inlines::clean,
    references::Reference,
    theme::ObjectPlace,
    tree::{Element, Node},
};
use crate::{
    model::{Block, BlockKind, Inline, count_words},
    render::{
        RenderError,
        text::{chinese_date, chinese_month, source_line},
    },
};

/// A headline line longer than this takes the smaller title style.
const TITLE_LINE: usize = 6;

impl<'a> Writer<'a> {
    /// The whole tree.
    pub(super) fn article(&mut self) -> Result<Element<'a>, RenderError> {
        let parts = &self.sheet.parts;
        let hero = self.hero()?;
        let mut body = Element::section(&parts.body).children(self.body()?);
        if !self.has_hotlines {
            body = body.children(self.hotlines(&self.scene.variant.hotlines).into_iter().collect());
        }
        let body = body.children(self.reference_list()?).child(self.sources()).child(self.footer());
        Ok(Element::section(&parts.root).child(hero).child(body))
    }

    fn hero(&mut self) -> Result<Node<'a>, RenderError> {
        let (scene, parts) = (self.scene, &self.sheet.parts);
        let lines = &scene.variant.headline.value.lines;
        let longest = lines
            .iter()
            .map(|line| line.iter().map(|part| part.text.chars().count()).sum::<usize>())
            .max();
        let mut title = Element::section(&parts.title);
        if longest > Some(TITLE_LINE) {
            title = title.style(&parts.title_long);
        }
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                title = title.child(Element::new("br"));
            }
            for part in line {
                title = if part.lure {
                    title.child(Element::span(&parts.lure).text(clean(&part.text)))
                } else {
                    title.text(clean(&part.text))
                };
            }
        }
        let kicker = match scene.tag() {
            "" => scene.bank.name.clone(),
            tag => format!("{} · {tag}", scene.bank.name),
        };
        let text = Element::section(&parts.hero_text)
            .child(Element::section(&parts.kicker).text(kicker))
            .child(title);
        let hero = Element::section(&parts.hero).child(text);
        if self.theme.object == ObjectPlace::Story {
            return Ok(hero.into());
        }
        let object = scene.object()?;
        let image = self.slot(&object.file, &object.alt)?.style(&parts.hero_image);
        Ok(hero.child(Element::section(&parts.hero_picture).child(image)).into())
    }

    /// The author's blocks in the author's order; the first paragraph is the opening.
    fn body(&mut self) -> Result<Vec<Node<'a>>, RenderError> {
        let blocks = self.scene.variant.body.as_slice();
        let Some((first, rest)) = blocks.split_first() else { return Ok(Vec::new()) };
        let BlockKind::Paragraph(content) = &first.kind else {
            return self.blocks(blocks, Place::Column);
        };
        let opening = Element::new("p").style(&self.sheet.parts.opening);
        let mut nodes = vec![opening.children(self.inlines(content)?).into()];
        nodes.extend(self.blocks(rest, Place::Column)?);
        Ok(nodes)
    }

    fn reference_list(&mut self) -> Result<Vec<Node<'a>>, RenderError> {
        self.references.use_remaining_notes();
        let mut list = Element::section(&self.sheet.parts.references);
        let mut index = 0;
        // A footnote may refer to further links: they join the end of the list.
        while let Some(reference) = self.references.get(index) {
            index += 1;
            let entry = Element::new("section").text(format!("[{index}] "));
            list = list.child(match reference {
                Reference::Link(content, url) => {
                    let text = self.scene.plain(content);
                    match clean(&text) {
                        text if text.is_empty() || text == url => entry.text(clean(url)),
                        text => entry.text(format!("{text}: {}", clean(url))),
                    }
                }
                Reference::Note(blocks) => {
                    let (first, rest) = opening_line(blocks);
                    let entry = entry.children(self.inlines(first)?);
                    entry.children(self.blocks(rest, Place::Box)?)
                }
            });
        }
        Ok(if index == 0 { Vec::new() } else { vec![list.into()] })
    }

    fn sources(&self) -> Element<'a> {
        let variant = self.scene.variant;
        let mut text = String::new();
        if !variant.sources.is_empty() {
            let lines: Vec<String> = variant.sources.iter().map(source_line).collect();
            text.push_str(&format!("依据：{}。", lines.join("；")));
        }
        if self.fictional && !self.scene.bank.disclaimer.contains("化名") {
            text.push_str("人物为化名。");
        }
        if let Some(date) = variant.facts_review_by {
            text.push_str(&format!("内容核对至{}。", chinese_month(date)));
        }
        text.push_str(&self.scene.bank.disclaimer);
        Element::section(&self.sheet.parts.sources).text(clean(&text).into_owned())
    }

    fn footer(&self) -> Element<'a> {
        let (scene, variant) = (self.scene, self.scene.variant);
        let digest = variant.digest.to_string();
        let approval = scene.approval_line().map(|line| format!(" · {line}"));
        let text = format!(
            "{} · 有效期至{} · 课件编号 {}-v{}-{}{}",
            scene.bank.name,
            chinese_date(variant.valid_until),
            scene.lesson.id,
            variant.version,
            &digest[..8],
            approval.unwrap_or_default()
        );
        Element::section(&self.sheet.parts.footer).text(text)
    }
}

/// The first paragraph's text, which stands on the line of the number, and the other blocks.
fn opening_line(blocks: &[Block]) -> (&[Inline], &[Block]) {
    match blocks.split_first() {
        Some((Block { kind: BlockKind::Paragraph(content), .. }, rest)) => (content, rest),
        _ => (&[], blocks),
    }
}

/// 字 that a reader meets in a tree.
pub(super) fn words(element: &Element<'_>) -> usize {
    let mut text = String::new();
    element.collect_text(&mut text);
    count_words(&text)
}
