//! XML from outside: small trees without document types, entities of their own, or depth.

use quick_xml::{
    Reader, XmlVersion, escape::resolve_xml_entity, events::BytesStart, events::Event,
};

/// Deeper than anything a player says.
const DEPTH: usize = 16;
/// A week of plays of one player, a line each.
const ELEMENTS: usize = 60_000;

/// An element, names without their prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a document. `None` where it is not well-formed or more than it should be.
    pub(super) fn parse(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document);
        reader.config_mut().enable_all_checks(true);
        let mut open = vec![Self::default()];
        let mut elements = 0;
        loop {
            let event = reader.read_event().ok()?;
            if matches!(event, Event::Start(_) | Event::Empty(_)) {
                elements += 1;
                if elements > ELEMENTS || open.len() > DEPTH {
                    return None;
                }
            }
            match event {
                Event::Start(start) => open.push(begun(&start)?),
                Event::Empty(start) => open.last_mut()?.children.push(begun(&start)?),
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Text(text) => {
                    open.last_mut()?.text.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
                Event::CData(text) => {
                    open.last_mut()?.text.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok()?;
                    let known = resolve_xml_entity(&reference).map(str::to_owned);
                    let text = character.map(String::from).or(known)?;
                    open.last_mut()?.text.push_str(&text);
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::Eof => break,
                Event::DocType(_) | Event::PI(_) => return None,
            }
        }
        let mut root = open.pop()?;
        let whole = open.is_empty() && root.children.len() == 1 && root.text.trim().is_empty();
        if whole { root.children.pop() } else { None }
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name; empty where there is none.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }

    /// An attribute; empty where there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

fn begun(start: &BytesStart<'_>) -> Option<Element> {
    let mut element = Element { name: local(start.name().as_ref()), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        element.attributes.push((local(attribute.key.as_ref()), value.into_owned()));
    }
    Some(element)
}

/// A name without its prefix.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// As text or as the value of an attribute in double quotes. Characters that XML cannot hold are
/// left out.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            control if control < ' ' => {}
            other => escaped.push(other),
        }
    }
    escaped
}
