//! `index.html`: everything that was made, to look at.

use crate::model::{Library, Listing};

/// The gallery page.
#[must_use]
pub fn page(listings: &[&Listing], library: &Library) -> String {
    let _ = library;
    let mut html = String::from("<!doctype html><meta charset=utf-8><title>Caishi</title>");
    for listing in listings {
        html.push_str(&format!("<p><a href=\"{0}\">{0}</a>", listing.path));
    }
    html
}
