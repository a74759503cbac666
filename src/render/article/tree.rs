//! A tree of styled nodes, and its text.
//!
//! Styles are written on the tree and serialised last, so that a child repeats only what its
//! parent does not already give it: twenty thousand characters are few when every element
//! carries its own style.

use super::style::{INHERITED, Property, Style};
use std::borrow::Cow;

/// A node of the article.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// Characters, not escaped yet.
    Text(Cow<'a, str>),
    /// An element.
    Element(Element<'a>),
}

/// An element with its styles; later ones win over earlier ones.
#[derive(Debug)]
pub(super) struct Element<'a> {
    tag: &'static str,
    styles: [Option<&'a Style>; 3],
    own: Vec<(Property, String)>,
    attributes: Vec<(&'static str, Cow<'a, str>)>,
    children: Vec<Node<'a>>,
}

impl<'a> Element<'a> {
    /// An element without style.
    pub(super) fn new(tag: &'static str) -> Self {
        Self {
            tag,
            styles: [None; 3],
            own: Vec::new(),
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    /// A block in that style.
    pub(super) fn section(style: &'a Style) -> Self {
        Self::new("section").style(style)
    }

    /// An inline in that style.
    pub(super) fn span(style: &'a Style) -> Self {
        Self::new("span").style(style)
    }

    /// Adds a style (at most three).
    pub(super) fn style(mut self, style: &'a Style) -> Self {
        if let Some(free) = self.styles.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(style);
        }
        self
    }

    /// Sets a property for this element only; it wins over the theme's.
    pub(super) fn with(mut self, property: Property, value: String) -> Self {
        self.own.push((property, value));
        self
    }

    /// As [`Self::with`], on an element that is already in place.
    pub(super) fn set(&mut self, property: Property, value: String) {
        self.own.push((property, value));
    }

    /// Adds an attribute.
    pub(super) fn attribute(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Adds a child.
    pub(super) fn child(mut self, child: impl Into<Node<'a>>) -> Self {
        self.children.push(child.into());
        self
    }

    /// Adds text; empty text adds nothing.
    pub(super) fn text(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.children.push(Node::Text(text));
        }
        self
    }

    /// Appends the characters below this element, a space after each section.
    pub(super) fn collect_text(&self, text: &mut String) {
        for child in &self.children {
            match child {
                Node::Text(part) => text.push_str(part),
                Node::Element(child) => child.collect_text(text),
            }
        }
        if self.tag == "section" {
            text.push(' ');
        }
    }

    /// Adds children.
    pub(super) fn children(mut self, children: Vec<Node<'a>>) -> Self {
        if self.children.is_empty() {
            self.children = children;
        } else {
            self.children.extend(children);
        }
        self
    }
}

impl<'a> From<Element<'a>> for Node<'a> {
    fn from(element: Element<'a>) -> Self {
        Self::Element(element)
    }
}

/// The HTML of a tree.
pub(super) fn serialise(root: &Element<'_>) -> String {
    let mut html = String::with_capacity(12 * 1024);
    write_element(root, &[""; INHERITED], &mut html);
    html
}

type Context<'n> = [&'n str; INHERITED];

fn write_element<'n>(element: &'n Element<'_>, parent: &Context<'n>, html: &mut String) {
    let mut context = *parent;
    forget_overruled(element.tag, &mut context);
    html.push('<');
    html.push_str(element.tag);
    write_style(element, &mut context, html);
    for (name, value) in &element.attributes {
        html.push(' ');
        html.push_str(name);
        html.push_str("=\"");
        escape(value, html);
        html.push('"');
    }
    html.push('>');
    if matches!(element.tag, "br" | "hr" | "img") {
        return;
    }
    for child in &element.children {
        match child {
            Node::Text(text) => escape(text, html),
            Node::Element(child) => write_element(child, &context, html),
        }
    }
    html.push_str("</");
    html.push_str(element.tag);
    html.push('>');
}

/// Browsers' own sheets and WeChat's set these properties on these elements (WeChat gives headings
/// weight 400 and 16 px), so what the parent says about them does not arrive.
fn forget_overruled(tag: &str, context: &mut Context<'_>) {
    let overruled: &[Property] = match tag {
        "h2" | "h3" | "h4" | "h5" | "h6" => &[Property::FontSize, Property::FontWeight],
        "strong" => &[Property::FontWeight],
        "em" => &[Property::FontStyle],
        "sup" => &[Property::FontSize],
        "code" => &[Property::FontSize, Property::FontFamily],
        "a" => &[Property::Color],
        "th" => &[Property::FontWeight, Property::TextAlign],
        _ => &[],
    };
    for property in overruled {
        context[*property as usize] = "";
    }
}

fn write_style<'n>(element: &'n Element<'_>, context: &mut Context<'n>, html: &mut String) {
    let mut declarations: Vec<(Property, &'n str)> = Vec::new();
    let styles = element.styles.iter().flatten().flat_map(|style| &style.0);
    for (property, value) in styles.chain(&element.own) {
        match declarations.iter_mut().find(|(known, _)| known == property) {
            Some(declaration) => declaration.1 = value,
            None => declarations.push((*property, value)),
        }
    }
    // WeChat recolours text and ground by themselves in dark mode: a coloured block therefore
    // says both, even where the colour would be inherited.
    let coloured = declarations.iter().any(|(property, _)| *property == Property::BackgroundColor);
    let mut opened = false;
    for (property, value) in declarations {
        if property.is_inherited() {
            let inherited = &mut context[property as usize];
            let needed = *inherited != value || (coloured && property == Property::Color);
            *inherited = value;
            if !needed {
                continue;
            }
        }
        html.push_str(if opened { ";" } else { " style=\"" });
        opened = true;
        html.push_str(property.as_str());
        html.push(':');
        html.push_str(value);
    }
    if opened {
        html.push('"');
    }
}

/// Writes text for HTML content and double-quoted attributes.
pub(super) fn escape(text: &str, html: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        html.push_str(&rest[..at]);
        html.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    html.push_str(rest);
}
