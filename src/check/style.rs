//! The colours and sizes that a finished page's text is shown in: as much of CSS as our own pages
//! use. What is written otherwise is not understood, and nothing is said of it.

use super::markup::Node;

/// A page's style sheet, rule by rule.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: Vec<Rule>,
}

/// One selector and its declarations.
#[derive(Debug)]
struct Rule {
    /// The compounds of a selector, ancestors first.
    selector: Vec<Compound>,
    specificity: (usize, usize),
    declarations: Vec<(String, String)>,
    /// Holds only where the reader's device is set to dark.
    dark: bool,
}

/// `li.they:nth-last-child(2)`
#[derive(Debug, Default)]
struct Compound {
    name: Option<String>,
    classes: Vec<String>,
    /// Counted from one; zero is any.
    from_last: Option<usize>,
}

/// How a text is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// `#RRGGBB`; `None` where it is written in a way that is not understood.
    pub ink: Option<String>,
    /// What lies behind it, likewise.
    pub paper: Option<String>,
    /// Font size in pixels.
    pub font_px: f32,
    /// Whether it is bold.
    pub bold: bool,
    /// Whether nobody sees it.
    pub hidden: bool,
}

impl Default for Shown {
    fn default() -> Self {
        let colour = |text: &str| Some(text.to_owned());
        Self {
            ink: colour("#000000"),
            paper: colour("#FFFFFF"),
            font_px: 16.0,
            bold: false,
            hidden: false,
        }
    }
}

impl Sheet {
    /// Reads the text inside `style`.
    pub(super) fn parse(text: &str) -> Self {
        let mut sheet = Self::default();
        sheet.block(text, false);
        sheet
    }

    /// Whether it has colours of its own for the dark.
    pub(super) fn has_dark(&self) -> bool {
        self.rules.iter().any(|rule| rule.dark)
    }

    fn block(&mut self, mut text: &str, dark: bool) {
        while let Some(open) = text.find('{') {
            let head = text[..open].trim();
            let Some(length) = matching(&text[open..]) else { return };
            let body = &text[open + 1..open + length];
            if !head.starts_with('@') {
                self.rule(head, body, dark);
            } else if head.contains("prefers-color-scheme") && head.contains("dark") {
                self.block(body, true);
            }
            text = &text[open + length + 1..];
        }
    }

    fn rule(&mut self, head: &str, body: &str, dark: bool) {
        for selector in head.split(',').filter_map(selector) {
            let count = |of: fn(&Compound) -> usize| selector.iter().map(of).sum();
            let specificity = (
                count(|part| part.classes.len() + usize::from(part.from_last.is_some())),
                count(|part| usize::from(part.name.is_some())),
            );
            let declarations = declarations(body);
            self.rules.push(Rule { selector, specificity, declarations, dark });
        }
    }

    /// How each node's own text is shown, in the nodes' order; parents stand before children.
    pub(super) fn shown(&self, nodes: &[Node], dark: bool) -> Vec<Shown> {
        let mut all: Vec<Shown> = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let around = node.parent.map_or_else(Shown::default, |parent| all[parent].clone());
            let mut own = around.clone();
            own.bold |=
                matches!(node.tag.name.as_str(), "b" | "strong" | "h1" | "h2" | "h3" | "th");
            own.hidden |= matches!(node.tag.name.as_str(), "svg" | "head" | "title");
            let mut rules: Vec<&Rule> = self
                .rules
                .iter()
                .filter(|rule| (dark || !rule.dark) && matches(&rule.selector, nodes, index))
                .collect();
            // Stable: of two that are as exact, the later one stands.
            rules.sort_by_key(|rule| rule.specificity);
            let inline = declarations(node.tag.attribute("style").unwrap_or(""));
            let declared = rules.iter().flat_map(|rule| &rule.declarations).chain(&inline);
            for (name, value) in declared {
                own.take(name, value, &around);
            }
            all.push(own);
        }
        all
    }
}

impl Shown {
    fn take(&mut self, name: &str, value: &str, around: &Self) {
        let parent_px = around.font_px;
        match (name, value) {
            ("color", "inherit") => self.ink.clone_from(&around.ink),
            ("color", _) => self.ink = colour(value),
            ("background" | "background-color", "none" | "transparent" | "inherit") => {
                self.paper.clone_from(&around.paper);
            }
            ("background" | "background-color", _) => self.paper = colour(value),
            ("font-size", _) => self.font_px = size(value, parent_px).unwrap_or(self.font_px),
            ("font", _) => {
                let first = value.split(['/', ' ']).find_map(|part| size(part, parent_px));
                self.font_px = first.unwrap_or(self.font_px);
            }
            ("font-weight", _) => {
                self.bold =
                    value == "bold" || value.parse::<u32>().is_ok_and(|weight| weight >= 600);
            }
            ("display", _) => self.hidden |= value == "none",
            // Read aloud only.
            ("clip-path", _) => self.hidden = true,
            // What shines through cannot be told from the declarations.
            ("opacity" | "filter" | "mix-blend-mode", _) => self.ink = None,
            _ => {}
        }
    }
}

/// Where the brace that stands first is closed.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn declarations(text: &str) -> Vec<(String, String)> {
    let pairs = text.split(';').filter_map(|one| one.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect()
}

/// A selector of elements, classes and places among siblings; `None` for every other.
fn selector(text: &str) -> Option<Vec<Compound>> {
    let parts: Option<Vec<Compound>> = text.split_whitespace().map(compound).collect();
    parts.filter(|parts| !parts.is_empty())
}

fn compound(text: &str) -> Option<Compound> {
    let (text, place) = text.split_once(':').map_or((text, None), |(t, place)| (t, Some(place)));
    let from_last = match place {
        None => None,
        Some("last-child") => Some(1),
        Some("nth-last-child(n)") => Some(0),
        Some(place) => {
            let inside = place.strip_prefix("nth-last-child(")?.strip_suffix(')')?;
            Some(inside.parse().ok().filter(|count| *count > 0)?)
        }
    };
    let mut parts = text.split('.');
    let name = parts.next().filter(|name| !name.is_empty() && *name != "*");
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let classes: Vec<String> = parts.map(str::to_owned).collect();
    (name.is_none_or(plain) && classes.iter().all(|class| plain(class))).then(|| Compound {
        name: name.map(str::to_ascii_lowercase),
        classes,
        from_last,
    })
}

fn matches(selector: &[Compound], nodes: &[Node], index: usize) -> bool {
    let Some((last, ancestors)) = selector.split_last() else { return true };
    if !last.is_of(&nodes[index]) {
        return false;
    }
    let mut wanted = ancestors.iter().rev().peekable();
    let mut at = nodes[index].parent;
    while let (Some(compound), Some(parent)) = (wanted.peek(), at) {
        if compound.is_of(&nodes[parent]) {
            wanted.next();
        }
        at = nodes[parent].parent;
    }
    wanted.peek().is_none()
}

impl Compound {
    fn is_of(&self, node: &Node) -> bool {
        let classes = node.tag.attribute("class").unwrap_or("");
        let has = |class: &String| classes.split_whitespace().any(|own| own == class);
        self.name.as_ref().is_none_or(|name| *name == node.tag.name)
            && self.classes.iter().all(has)
            && self.from_last.is_none_or(|place| place == 0 || place == node.from_last)
    }
}

/// `#abc`, `#aabbcc`, `rgb(…)` and the names that people write.
fn colour(value: &str) -> Option<String> {
    let value = value.trim_end_matches("!important").trim().to_ascii_lowercase();
    if let Some(digits) = value.strip_prefix('#') {
        let long = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return None,
        };
        let sound = long.chars().all(|digit| digit.is_ascii_hexdigit());
        return sound.then(|| format!("#{}", long.to_ascii_uppercase()));
    }
    if let Some(inside) = value.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        let parts: Option<Vec<u8>> =
            inside.split(',').map(|part| part.trim().parse().ok()).collect();
        return match parts?.as_slice() {
            [red, green, blue] => Some(format!("#{red:02X}{green:02X}{blue:02X}")),
            _ => None,
        };
    }
    let named = [
        ("black", "#000000"),
        ("white", "#FFFFFF"),
        ("grey", "#808080"),
        ("gray", "#808080"),
        ("silver", "#C0C0C0"),
        ("red", "#FF0000"),
    ];
    named.iter().find(|(name, _)| *name == value).map(|(_, colour)| (*colour).to_owned())
}

/// A font size in pixels; `min()` and `calc()` depend on the screen and are not understood.
fn size(value: &str, parent_px: f32) -> Option<f32> {
    let number = |unit: &str| value.strip_suffix(unit)?.trim().parse::<f32>().ok();
    number("px")
        .or_else(|| number("rem").map(|count| count * 16.0))
        .or_else(|| number("em").map(|count| count * parent_px))
        .or_else(|| number("%").map(|count| count / 100.0 * parent_px))
}
