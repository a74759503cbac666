//! The approved bytes themselves. Whatever stands in them, they can do nothing here: pages are
//! shown in a sandbox without scripts and without our origin (CSP `sandbox`).

use super::views;
use crate::{
    console::{Desk, page::Shown, trouble::Trouble},
    model::{Digest, Listing, Manifest, MediaType},
};
use axum::{
    extract::{Path, Query, State},
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::sync::Arc;

/// For pages: nothing from anywhere, no script, an origin of its own; to be framed by us only.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                       frame-ancestors 'self'; form-action 'none'; base-uri 'none'";

/// For documents that the browser's own viewer shows.
const PLAIN: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                     frame-ancestors 'self'; form-action 'none'; base-uri 'none'";

/// How it is wanted.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    /// `look`: pictures of an article in their slots, letters as on a phone. `marked`: the same with
    /// findings. `changes`: the same with what changed since `before`.
    view: Option<String>,
    /// `large`: letters half as large again.
    letters: Option<String>,
    /// The output that it is compared with: manifest and digest, with a slash between them.
    before: Option<String>,
}

/// An output, found by the addresses that submissions give.
pub(super) struct Output {
    /// The manifest that lists it.
    pub manifest: Arc<Manifest>,
    /// Its hash.
    pub hash: Digest,
    /// The output.
    pub file: Listing,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Only what a submission carries can be had. Of both digests the first 16 digits are enough.
async fn find(desk: &Desk, manifest: &str, digest: &str) -> Result<Output, Trouble> {
    let missing = || Trouble::missing("没有这个输出");
    let hash = desk.manifest_hash(manifest).await?;
    let manifest = desk.manifest(&hash).await?;
    let is_it = |file: &&Listing| file.sha256.to_string().starts_with(digest);
    let file = Some(digest).filter(|digest| digest.len() >= 16);
    let file = file.and_then(|_| manifest.files.iter().find(is_it)).ok_or_else(missing)?.clone();
    let bytes = desk.publisher().store.blob(&file.sha256).await?;
    Ok(Output { manifest, hash, file, bytes })
}

/// `/console/outputs/<manifest>/<digest>`: the bytes; with `view`, what they are to be looked at as.
pub(in crate::console) async fn output(
    State(desk): State<Desk>,
    shown: Shown,
    Path((manifest, digest)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let output = find(&desk, &manifest, &digest).await?;
    let is_page = output.file.media_type == MediaType::Html;
    match asked.view.as_deref() {
        Some("marked") => views::marked(&desk, shown.language, &output).await,
        Some("changes") => {
            let before = asked.before.as_deref().and_then(|before| before.split_once('/'));
            let (manifest, digest) =
                before.ok_or_else(|| Trouble::missing("没有说和哪个输出比：before=清单/摘要"))?;
            let before = find(&desk, manifest, digest).await?;
            views::changes(&desk, shown.language, &before, &output).await
        }
        Some(_) if is_page => {
            let large = asked.letters.as_deref() == Some("large");
            let html = String::from_utf8_lossy(&output.bytes);
            let text = look(&desk, &output.manifest.files, &html, large).await?;
            Ok(answer(&output.file, text.into_bytes()))
        }
        _ => Ok(answer(&output.file, output.bytes)),
    }
}

/// The bytes of an output, as they were approved and go out.
#[utoipa::path(get, path = "/api/v1/outputs/{manifest}/{sha256}", tag = "reviews",
    params(("manifest" = String, Path, description = "清单的 SHA-256，至少前 16 位"),
        ("sha256" = String, Path, description = "文件的 SHA-256，至少前 16 位")),
    responses((status = 200, description = "文件", content_type = "application/octet-stream"),
        (status = 404, body = crate::console::api::Problem)))]
pub(in crate::console) async fn bytes(
    State(desk): State<Desk>,
    Path((manifest, digest)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let output = find(&desk, &manifest, &digest).await?;
    Ok(answer(&output.file, output.bytes))
}

/// The bytes, with headers that let them do nothing.
pub(in crate::console) fn answer(file: &Listing, bytes: Vec<u8>) -> Response {
    let policy = match file.media_type {
        MediaType::Html | MediaType::Svg => SANDBOX,
        _ => PLAIN,
    };
    let name = file.path.rsplit('/').next().unwrap_or("output");
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect();
    let way = if file.media_type == MediaType::Zip { "attachment" } else { "inline" };
    let headers = [
        (header::CONTENT_TYPE, file.media_type.as_str().to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy.to_owned()),
        (header::CONTENT_DISPOSITION, format!("{way}; filename=\"{safe}\"")),
        // The address holds the digest: it is these bytes for ever, for whoever may see them.
        (header::CACHE_CONTROL, "private, max-age=86400, immutable".to_owned()),
        (HeaderName::from_static("x-content-sha256"), file.sha256.to_string()),
    ];
    (headers, bytes).into_response()
}

/// A page that was made of an output to look at it. It can do as little; it is not the bytes, and
/// says of which it is a view.
pub(super) fn view(file: &Listing, html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, MediaType::Html.as_str().to_owned()),
        (header::CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
        // Findings change with the day and with the rules.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (HeaderName::from_static("x-view-of-sha256"), file.sha256.to_string()),
    ];
    (headers, html).into_response()
}

/// The page as a phone shows it. Its pictures stand inside: a page in a sandbox cannot fetch them
/// in our name.
pub(super) async fn look(
    desk: &Desk,
    files: &[Listing],
    html: &str,
    large: bool,
) -> Result<String, Trouble> {
    let mut html = html.to_owned();
    for file in files {
        let slot = format!("caishi-slot:{}", file.sha256);
        if html.contains(&slot) {
            let bytes = desk.publisher().store.blob(&file.sha256).await?;
            let data =
                format!("data:{};base64,{}", file.media_type.as_str(), STANDARD.encode(bytes));
            html = html.replace(&slot, &data);
        }
    }
    if html.trim_start().to_ascii_lowercase().starts_with("<!doctype") {
        return Ok(html);
    }
    // An article is a fragment: WeChat puts it into a page of its own.
    let zoom = if large { "1.5" } else { "1" };
    Ok(format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>文章</title>\
         <style>*{{box-sizing:border-box;max-width:100%}}body{{margin:0;background:#fff;zoom:{zoom};\
         font-family:-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif}}\
         </style></head><body>{html}</body></html>"
    ))
}
