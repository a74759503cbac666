//! What a page shows: which lesson, for whom, where, in which look. Read from a query and written
//! back into one; what is no name is left out, so that nothing of a query is shown back.

use crate::model::{Audience, BranchId, LessonId};
use std::{collections::BTreeMap, fmt::Write as _};

/// The fields of a query.
pub type Query = BTreeMap<String, String>;

/// In which look outputs are drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// As configured: what goes out.
    #[default]
    Current,
    /// With the built-in templates, where the bank has its own.
    BuiltIn,
    /// In a campaign's palette, as a trial.
    Palette(String),
}

/// What decides the bytes that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct View {
    /// The lesson.
    pub lesson: LessonId,
    /// For whom.
    pub audience: Audience,
    /// At which branch; without one, as the bank sends it everywhere.
    pub branch: Option<BranchId>,
    /// In which look.
    pub look: Look,
    /// Whether footers carry the number of the last approval.
    pub numbered: bool,
}

impl View {
    /// The view that a query asks for; names that are none count as absent.
    #[must_use]
    pub fn of(lesson: LessonId, query: &Query) -> Self {
        let text = |key: &str| query.get(key).map_or("", String::as_str);
        let look = match text("look") {
            "built-in" => Look::BuiltIn,
            other => match other.strip_prefix("palette-") {
                Some(name) if is_plain(name) => Look::Palette(name.to_owned()),
                _ => Look::Current,
            },
        };
        Self {
            lesson,
            audience: Audience::from_name(text("audience")).unwrap_or(Audience::General),
            branch: BranchId::new(text("branch")).ok(),
            look,
            numbered: text("number") == "approved",
        }
    }

    /// Whether the bytes are those that go out.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.look == Look::Current
    }

    fn query(&self) -> String {
        let mut query = format!("audience={}", self.audience);
        // Writing to a string cannot fail.
        if let Some(branch) = &self.branch {
            let _ = write!(query, "&branch={branch}");
        }
        match &self.look {
            Look::Current => {}
            Look::BuiltIn => query.push_str("&look=built-in"),
            Look::Palette(name) => {
                let _ = write!(query, "&look=palette-{name}");
            }
        }
        if self.numbered {
            query.push_str("&number=approved");
        }
        query
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

/// How finished bytes are looked at. Changes no byte that goes out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glasses {
    /// The article as WeChat shows it at night.
    pub dark: bool,
    /// The article in large letters.
    pub size: TextSize,
    /// Posters as large as they are seen from where people stand.
    pub stand: bool,
    /// The file of a gateway's package that is shown.
    pub entry: Option<String>,
}

/// WeChat's setting of the size of letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TextSize {
    /// As written.
    #[default]
    Standard,
    /// One and a quarter.
    Large,
    /// One and a half: the care mode.
    Huge,
}

impl TextSize {
    /// The name in queries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Large => "large",
            Self::Huge => "huge",
        }
    }

    /// By how much letters grow.
    #[must_use]
    pub fn factor(self) -> f64 {
        match self {
            Self::Standard => 1.0,
            Self::Large => 1.25,
            Self::Huge => 1.5,
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "large" => Self::Large,
            "huge" => Self::Huge,
            _ => Self::Standard,
        }
    }
}

impl Glasses {
    /// What a query asks for.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        let text = |key: &str| query.get(key).map_or("", String::as_str);
        let entry = text("entry");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_name = !entry.is_empty() && entry.len() <= 64 && entry.chars().all(plain);
        Self {
            dark: text("mode") == "dark",
            size: TextSize::from_name(text("size")),
            stand: text("zoom") == "stand",
            entry: is_name.then(|| entry.to_owned()),
        }
    }
}

/// The address of a page.
#[must_use]
pub fn address(view: &View, glasses: &Glasses) -> String {
    let mut address = format!("/lesson/{}?{}", view.lesson, view.query());
    if glasses.dark {
        address.push_str("&mode=dark");
    }
    if glasses.size != TextSize::Standard {
        // Writing to a string cannot fail.
        let _ = write!(address, "&size={}", glasses.size.as_str());
    }
    if glasses.stand {
        address.push_str("&zoom=stand");
    }
    if let Some(entry) = &glasses.entry {
        let _ = write!(address, "&entry={entry}");
    }
    address
}

/// The query of a view's event stream and of framed articles.
#[must_use]
pub fn query(view: &View) -> String {
    format!("lesson={}&{}", view.lesson, view.query())
}
