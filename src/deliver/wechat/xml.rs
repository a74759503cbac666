//! The XML of callbacks: small, and from outside. No document types, no entities but the five of
//! XML itself, and bounds on depth and number.

use quick_xml::{Reader, XmlVersion, escape::resolve_xml_entity, events::Event};

/// Deeper than any callback.
const DEPTH: usize = 12;
/// More than any callback has.
const ELEMENTS: usize = 2000;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document. `None` where it is not well-formed or more than it should be.
    pub(super) fn parse(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document);
        reader.config_mut().enable_all_checks(true);
        let mut open = vec![Self::default()];
        let mut elements = 0;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    elements += 1;
                    if elements > ELEMENTS || open.len() > DEPTH {
                        return None;
                    }
                    let name = start.name().as_ref().to_owned();
                    open.push(Self { name, ..Self::default() });
                }
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Empty(empty) => {
                    let name = empty.name().as_ref().to_owned();
                    elements += 1;
                    open.last_mut()?.children.push(Self { name, ..Self::default() });
                }
                Event::Text(text) => {
                    open.last_mut()?.text.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
                Event::CData(text) => {
                    open.last_mut()?.text.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok()?;
                    let known = resolve_xml_entity(&reference);
                    let open = open.last_mut()?;
                    match (character, known) {
                        (Some(character), _) => open.text.push(character),
                        (None, Some(text)) => open.text.push_str(text),
                        (None, None) => return None,
                    }
                }
                Event::Decl(_) | Event::Comment(_) => {}
                Event::DocType(_) | Event::PI(_) => return None,
                Event::Eof => break,
            }
        }
        let [mut root] = <[Self; 1]>::try_from(open).ok()?;
        (root.children.len() == 1).then(|| root.children.remove(0))
    }

    /// The text of a child; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every descendant of that name, in order.
    pub(super) fn all<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.all(name));
        }
        found
    }

    /// Its own text.
    pub(super) fn own_text(&self) -> &str {
        self.text.trim()
    }
}
