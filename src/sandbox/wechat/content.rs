//! What the platform makes of the text and the HTML that it is sent.

use super::media::address;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Elements that go with all that is in them.
const GONE: &[&str] = &[
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "video",
    "audio",
    "noscript",
    "template",
    "foreignObject",
    "title",
    "head",
];

/// Elements that stay. Others are taken away, and what is in them stays.
const KEPT: &[&str] = &[
    "a",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Elements of drawings that stay: without `defs`, `marker`, `use` and whatever refers.
const DRAWN: &[&str] = &[
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "animate",
    "animateMotion",
    "animateTransform",
];

/// Attributes of drawings that stay.
const DRAWING_ATTRIBUTES: &[&str] = &[
    "viewBox",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "d",
    "points",
    "fill",
    "fill-rule",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-opacity",
    "opacity",
    "transform",
    "text-anchor",
    "dominant-baseline",
    "font-size",
    "font-weight",
    "font-family",
    "preserveAspectRatio",
    "dx",
    "dy",
    "attributeName",
    "from",
    "to",
    "values",
    "dur",
    "begin",
    "repeatCount",
    "type",
    "keyTimes",
    "path",
    "xmlns",
];

/// Style properties that do not survive.
const GONE_PROPERTIES: &[&str] = &[
    "animation",
    "behavior",
    "-moz-binding",
    "content",
    "position",
    "top",
    "left",
    "right",
    "bottom",
    "inset",
    "z-index",
    "transform",
    "filter",
    "clip-path",
    "src",
];

/// Doubles the backslash of every `\uXXXX` in JSON text: the platform stores such an escape as it
/// was typed, so it is what the documents tell clients not to send.
pub(super) fn keep_escapes(json: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(json.len());
    let mut bytes = json.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        kept.push(byte);
        if byte != b'\\' {
            continue;
        }
        if bytes.peek() == Some(&b'u') {
            kept.push(b'\\');
        }
        // Whatever follows belongs to this backslash and begins no escape of its own.
        kept.extend(bytes.next());
    }
    kept
}

/// The content as the platform keeps it. `pictures` are the addresses (host and path) of the
/// pictures that the account uploaded: no others survive.
pub(super) fn sanitise(html: &str, pictures: HashSet<String>) -> String {
    let mut cleaner = ammonia::Builder::empty();
    let drawing: HashSet<&str> = DRAWING_ATTRIBUTES.iter().copied().collect();
    let mut attributes: HashMap<&str, HashSet<&str>> =
        DRAWN.iter().map(|element| (*element, drawing.clone())).collect();
    attributes.insert("a", HashSet::from(["href"]));
    attributes.insert("img", HashSet::from(["src", "alt", "width", "height"]));
    attributes.insert("font", HashSet::from(["color", "size", "face"]));
    for cell in ["td", "th"] {
        let names = ["colspan", "rowspan", "align", "valign", "width", "height"];
        attributes.insert(cell, HashSet::from(names));
    }
    attributes.insert("table", HashSet::from(["width", "border", "cellpadding", "cellspacing"]));
    attributes.insert("col", HashSet::from(["width", "span"]));
    attributes.insert("ol", HashSet::from(["start", "type"]));
    let pictures = Arc::new(pictures);
    let cleaned = cleaner
        .tags(KEPT.iter().chain(DRAWN).copied().collect())
        .clean_content_tags(GONE.iter().copied().collect())
        .tag_attributes(attributes)
        .generic_attributes(HashSet::from(["style", "class", "align"]))
        .generic_attribute_prefixes(HashSet::from(["data-"]))
        .url_schemes(HashSet::from(["http", "https"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(None)
        .attribute_filter(move |element, attribute, value| {
            filtered(element, attribute, value, &pictures)
        })
        .clean(html)
        .to_string();
    // A no-break space is written as it came, not as our serialiser likes it.
    let cleaned =
        if html.contains("&nbsp;") { cleaned } else { cleaned.replace("&nbsp;", "\u{a0}") };
    blank_items(&cleaned)
}

/// The editor makes an empty item of every white space between the items of a list.
fn blank_items(html: &str) -> String {
    let mut made = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(end) = rest.find('>') {
        let (upto, after) = rest.split_at(end + 1);
        made.push_str(upto);
        rest = after;
        let tag = upto.rfind('<').map_or("", |start| &upto[start..]);
        let opens = tag == "</li>" || tag.starts_with("<ul") || tag.starts_with("<ol");
        let trimmed = rest.trim_start();
        if opens && trimmed.len() < rest.len() && trimmed.starts_with("<li") {
            made.push_str("<li><br></li>");
            rest = trimmed;
        }
    }
    made.push_str(rest);
    made
}

fn filtered<'v>(
    element: &str,
    attribute: &str,
    value: &'v str,
    pictures: &HashSet<String>,
) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        (_, "style") => {
            let style = styled(value, pictures);
            (!style.is_empty()).then_some(Cow::Owned(style))
        }
        ("img", "src") => is_own(value, pictures).then_some(Cow::Borrowed(value)),
        ("a", "href") => is_article(value).then_some(Cow::Borrowed(value)),
        // Drawings may not be told apart by class, and nothing in them may refer.
        (element, "class") if DRAWN.contains(&element) => None,
        (element, _) if DRAWN.contains(&element) && value.contains("url(") => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

fn is_own(url: &str, pictures: &HashSet<String>) -> bool {
    address(url).is_some_and(|address| pictures.contains(address))
}

/// Whether a link leads to another article: the only ones that stay.
fn is_article(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str() == Some("mp.weixin.qq.com")
    })
}

/// A style without the declarations that do not survive; as typed where all of them do.
fn styled(style: &str, pictures: &HashSet<String>) -> String {
    let declarations: Vec<&str> = declarations(style);
    let kept: Vec<&str> =
        declarations.iter().copied().filter(|text| survives(text, pictures)).collect();
    if kept.len() == declarations.len() {
        return style.to_owned();
    }
    kept.iter().map(|declaration| declaration.trim()).collect::<Vec<_>>().join(";")
}

/// Splits at the semicolons that stand outside of quotes and brackets.
fn declarations(style: &str) -> Vec<&str> {
    let (mut start, mut depth, mut quote) = (0, 0_u32, None);
    let mut found = Vec::new();
    for (index, character) in style.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ';') if depth == 0 => {
                found.push(&style[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    found.push(&style[start..]);
    found.retain(|declaration| !declaration.trim().is_empty());
    found
}

fn survives(declaration: &str, pictures: &HashSet<String>) -> bool {
    let Some((name, value)) = declaration.split_once(':') else { return false };
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase());
    // A backslash may spell any of the words below in another way.
    if name.starts_with("--") || value.contains(['\\', '<', '@']) || value.contains("/*") {
        return false;
    }
    if name == "position" {
        return matches!(value.as_str(), "relative" | "static");
    }
    if name == "white-space" {
        return !value.starts_with("pre") && !value.starts_with("break-spaces");
    }
    if GONE_PROPERTIES.contains(&name.as_str()) || name.starts_with("animation") {
        return false;
    }
    if ["var(", "expression(", "javascript:", "attr(", "image-set(", "src("]
        .iter()
        .any(|word| value.contains(word))
    {
        return false;
    }
    // The case of an address counts, so it is taken from what was typed.
    let typed = declaration.split_once(':').map_or("", |(_, value)| value);
    addresses(typed).iter().all(|url| is_own(url, pictures))
}

/// The addresses in `url(…)`.
fn addresses(value: &str) -> Vec<&str> {
    let lower = value.to_ascii_lowercase();
    lower
        .match_indices("url(")
        .map(|(index, word)| {
            let rest = &value[index + word.len()..];
            let inner = rest.split(')').next().unwrap_or("");
            inner.trim().trim_matches(['"', '\''])
        })
        .collect()
}

/// Whether a text has tags or entities in it, where plain text is asked for.
pub(super) fn is_html(text: &str) -> bool {
    ammonia::is_html(text)
}
