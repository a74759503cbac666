//! A strict little reader of HTML, for scanning what was made: it takes only what our renderers
//! should write and panics at anything else.

/// One piece of a page, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// An opening tag.
    Open { tag: String, attributes: Vec<(String, String)> },
    /// A closing tag.
    Close(String),
    /// Text, entities decoded.
    Text(String),
}

/// Elements without a closing tag.
const VOID: [&str; 5] = ["br", "hr", "img", "input", "meta"];

/// Takes a page apart and checks that its tags nest.
#[track_caller]
pub fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>\n").unwrap_or(html);
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            pieces.push(Piece::Text(decode(&rest[..end])));
            rest = &rest[end..];
            continue;
        };
        if let Some(closing) = inner.strip_prefix('/') {
            let end = closing.find('>').expect("closing tag ends");
            assert_eq!(open.pop().as_deref(), Some(&closing[..end]), "tags nest");
            pieces.push(Piece::Close(closing[..end].to_owned()));
            rest = &closing[end + 1..];
            continue;
        }
        let (piece, after) = opening(inner);
        rest = after;
        let Piece::Open { tag, .. } = &piece else { unreachable!() };
        if tag == "style" {
            let end = rest.find("</style>").expect("style ends");
            let sheet = rest[..end].to_owned();
            rest = &rest[end + "</style>".len()..];
            pieces.extend([piece, Piece::Text(sheet), Piece::Close("style".into())]);
            continue;
        }
        let closed = html[..html.len() - rest.len()].ends_with("/>");
        if closed {
            pieces.extend([piece.clone(), Piece::Close(tag.clone())]);
            continue;
        }
        if !VOID.contains(&tag.as_str()) {
            open.push(tag.clone());
        }
        pieces.push(piece);
    }
    assert_eq!(open, Vec::<String>::new(), "every tag is closed");
    pieces
}

#[track_caller]
fn opening(inner: &str) -> (Piece, &str) {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':';
    let end = inner.find(|c| !name(c)).expect("tag ends");
    let tag = inner[..end].to_owned();
    assert!(!tag.is_empty(), "a bare < in {:?}", &inner[..inner.len().min(40)]);
    let mut rest = &inner[end..];
    let mut attributes = Vec::new();
    loop {
        // SVG shapes close themselves.
        if rest.starts_with("/>") && ["path", "rect"].contains(&tag.as_str()) {
            return (Piece::Open { tag, attributes }, &rest[2..]);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (Piece::Open { tag, attributes }, after);
        }
        rest = rest.strip_prefix(' ').expect("one space before an attribute");
        let end = rest.find("=\"").expect("attributes have quoted values");
        let key = rest[..end].to_owned();
        assert!(key.chars().all(name), "attribute name {key:?}");
        let value = &rest[end + 2..];
        let close = value.find('"').expect("value ends");
        attributes.push((key, decode(&value[..close])));
        rest = &value[close + 1..];
    }
}

fn decode(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#36;", "$")
        .replace("&amp;", "&")
}

impl Piece {
    /// The value of an attribute of an opening tag.
    pub fn attribute(&self, wanted: &str) -> Option<&str> {
        let Self::Open { attributes, .. } = self else { return None };
        attributes.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }
}

/// The declarations of a style attribute.
pub fn declarations(style: &str) -> Vec<(&str, &str)> {
    style.split(';').map(|part| part.split_once(':').expect("a declaration")).collect()
}

/// The text of a page without markup.
pub fn visible(html: &str) -> String {
    let texts = pieces(html).into_iter().filter_map(|piece| match piece {
        Piece::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}
