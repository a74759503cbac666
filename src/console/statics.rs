//! The style sheet and the one script, compiled in, under names that change with their bytes.

use super::trouble::Trouble;
use crate::model::Digest;
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::LazyLock;

/// A file: its name without version, its media type, its bytes.
type File = (&'static str, &'static str, &'static str);

const FILES: [File; 2] = [
    ("console.css", "text/css; charset=utf-8", include_str!("html/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("html/console.js")),
];

/// Twelve digits over all files: in their addresses, so that they may be kept for ever.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = Digest::of_fields(FILES.iter().map(|(_, _, text)| text.as_bytes())).to_string();
    digest[..12].to_owned()
});

/// The address of a file.
#[must_use]
pub(super) fn address(name: &str) -> String {
    format!("/console/static/{name}?{}", *VERSION)
}

pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Trouble> {
    let file = FILES.iter().find(|(own, _, _)| *own == name);
    let (_, media_type, text) = file.ok_or_else(|| Trouble::missing("没有这个文件"))?;
    let headers = [
        (header::CONTENT_TYPE, *media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, *text).into_response())
}
