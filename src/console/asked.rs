//! What a page is asked for behind the `?`, whatever is there: a query never makes a page fail.

use axum::{extract::FromRequestParts, http::request::Parts};
use std::convert::Infallible;

/// Rows of a page.
pub(super) const PAGE: u32 = 80;

/// The query of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// The first value of that name, without blanks around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }

    /// Every value of that name that is not empty.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, value)| own == name && !value.trim().is_empty());
        own.map(|(_, value)| value.trim())
    }

    /// The number of the page, from one.
    pub(super) fn page(&self) -> u32 {
        self.text("page").parse::<u32>().unwrap_or(1).clamp(1, 1_000_000)
    }

    /// The query without these names, `?` first, ready for another name.
    pub(super) fn without(&self, names: &[&str]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::from("?"));
        for (name, value) in &self.0 {
            if !names.contains(&name.as_str()) && name != "done" && !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let mut query = query.finish();
        if query.len() > 1 {
            query.push('&');
        }
        query
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let pairs = url::form_urlencoded::parse(query).take(64);
        Ok(Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }
}

/// Which page of how many.
#[derive(Debug, Clone)]
pub(super) struct Pager {
    /// This one, from one.
    pub(super) page: u32,
    /// How many there are, at least one.
    pub(super) pages: u32,
    /// How many rows.
    pub(super) total: u64,
    /// What the address of another page begins with.
    pub(super) query: String,
}

impl Pager {
    /// The page that is asked for, of so many rows.
    pub(super) fn new(asked: &Asked, total: u64) -> Self {
        let pages = u32::try_from(total.div_ceil(u64::from(PAGE))).unwrap_or(u32::MAX).max(1);
        Self { page: asked.page().min(pages), pages, total, query: asked.without(&["page"]) }
    }

    /// How many rows come before it.
    pub(super) fn offset(&self) -> u32 {
        (self.page - 1).saturating_mul(PAGE)
    }
}

/// A text of a form: without blanks around it, at most so many characters.
pub(super) fn trimmed(text: &str, longest: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control() || *c == '\n').take(longest).collect()
}
