//! The files of a branch: handed out by the list of what it was given, by nothing else.

use super::{
    super::{Desk, caller::Caller, permit::Action, routes::Routes, trouble::Trouble},
    visit,
};
use crate::{
    model::{Branch, Digest, MediaType, PackEntry},
    work::{clock::shanghai, given::Given, take_down::OldPicture},
};
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Cursor,
    sync::{Mutex, PoisonError},
};

/// The longer side of a small picture.
const SMALL: u32 = 320;
/// So many small pictures are kept.
const KEPT: usize = 600;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/b/{branch}/file/{digest}", Action::ReadBranch, file)
        .get("/b/{branch}/small/{digest}", Action::ReadBranch, small)
        .get("/b/{branch}/zip", Action::ReadBranch, zip)
        .get("/api/v1/branches/{branch}/files/{digest}", Action::ReadBranch, give_file)
        .get("/api/v1/branches/{branch}/zip", Action::ReadBranch, give_zip)
}

/// Small pictures by the digest of the large one.
#[derive(Debug, Default)]
pub(in super::super) struct Smalls(Mutex<BTreeMap<Digest, Bytes>>);

/// Whether a file is to be looked at or kept.
#[derive(Debug, Default, Deserialize)]
pub struct Keep {
    save: Option<String>,
}

async fn own_entry(
    desk: &Desk,
    caller: &Caller,
    branch: &str,
    digest: &str,
) -> Result<(String, PackEntry), Trouble> {
    entry_of(&visit(desk, caller, branch).await?.given, digest)
}

fn entry_of(given: &Given, digest: &str) -> Result<(String, PackEntry), Trouble> {
    let missing = || Trouble::missing("没有这个文件，或它不是这个网点的");
    let digest = Digest::from_hex(digest).ok_or_else(missing)?;
    let named = given.named().into_iter().find(|(_, entry)| entry.sha256 == digest);
    if let Some((name, entry)) = named {
        let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
        return Ok((name, entry.clone()));
    }
    let entry = given.file(&digest).ok_or_else(missing)?;
    Ok((entry.name.clone(), entry.clone()))
}

async fn file(
    State(desk): State<Desk>,
    caller: Caller,
    Path((branch, digest)): Path<(String, String)>,
    Query(keep): Query<Keep>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (name, entry) = own_entry(&desk, &caller, &branch, &digest).await?;
    if let Some(same) = unchanged(&headers, &entry.sha256) {
        return Ok(same);
    }
    let bytes = desk.publisher().store.blob(&entry.sha256).await?;
    let mut answer = sent(&entry.sha256, entry.media_type.as_str(), Bytes::from(bytes));
    let kind = if keep.save.is_some() { "attachment" } else { "inline" };
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition(kind, &name));
    Ok(answer)
}

/// `304`, where the browser has it already: files are named by what they hold.
fn unchanged(headers: &HeaderMap, digest: &Digest) -> Option<Response> {
    let tag = format!("\"{digest}\"");
    let known = headers.get(header::IF_NONE_MATCH)?;
    (known.as_bytes() == tag.as_bytes()).then(|| StatusCode::NOT_MODIFIED.into_response())
}

fn sent(digest: &Digest, media_type: &str, bytes: Bytes) -> Response {
    // What is recalled must not be found in a shared cache; the session is asked about each time.
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    headers.insert(header::CONTENT_TYPE, value(media_type));
    headers.insert(header::ETAG, value(&format!("\"{digest}\"")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let policy = match media_type {
        "application/pdf" => "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'",
        _ => "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    (headers, bytes).into_response()
}

/// RFC 6266 with RFC 8187: a plain name for old programs, the Chinese one for the others.
fn disposition(kind: &str, name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    let text = format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// A picture to be shown small: of what must come down too, to be known again, although it is not
/// handed out any more.
fn pictured(given: &Given, digest: &str) -> Result<OldPicture, Trouble> {
    let wanted = Digest::from_hex(digest);
    let mut old = given.take_down.iter().filter_map(|one| one.picture.as_ref());
    if let Some(old) = old.find(|picture| Some(picture.sha256) == wanted) {
        return Ok(old.clone());
    }
    let (_, entry) = entry_of(given, digest)?;
    Ok(OldPicture { sha256: entry.sha256, media_type: entry.media_type })
}

async fn small(
    State(desk): State<Desk>,
    caller: Caller,
    Path((branch, digest)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let given = visit(&desk, &caller, &branch).await?.given;
    let entry = pictured(&given, &digest)?;
    if !matches!(entry.media_type, MediaType::Png | MediaType::Jpeg) {
        return Err(Trouble::missing("这个文件不是图片"));
    }
    if let Some(same) = unchanged(&headers, &entry.sha256) {
        return Ok(same);
    }
    let smalls = &desk.smalls().0;
    let lock = || smalls.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().get(&entry.sha256).cloned();
    let bytes = match known {
        Some(bytes) => bytes,
        None => {
            let large = desk.publisher().store.blob(&entry.sha256).await?;
            let made = tokio::task::spawn_blocking(move || smaller(&large)).await;
            let made = made.ok().flatten().ok_or_else(|| Trouble::missing("这张图打不开"))?;
            let mut smalls = lock();
            if smalls.len() >= KEPT {
                smalls.clear();
            }
            smalls.insert(entry.sha256, made.clone());
            made
        }
    };
    Ok(sent(&entry.sha256, "image/png", bytes))
}

fn smaller(large: &[u8]) -> Option<Bytes> {
    let picture = image::load_from_memory(large).ok()?;
    let picture = picture.thumbnail(SMALL, SMALL).into_rgb8();
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).ok()?;
    Some(Bytes::from(bytes.into_inner()))
}

async fn zip(
    State(desk): State<Desk>,
    caller: Caller,
    Path(branch): Path<String>,
) -> Result<Response, Trouble> {
    let visited = visit(&desk, &caller, &branch).await?;
    let now = desk.publisher().store.now().await?;
    let note = note(&visited.branch, &visited.given, now);
    let turn = desk.archives().acquire().await;
    let _turn = turn.map_err(|error| Trouble::conflict(error.to_string()))?;
    let bytes = desk.publisher().given_zip(&visited.given, &note).await?;
    let day = shanghai(now).date();
    let name = format!("{} {day}.zip", visited.branch.name);
    let digest = Digest::of(&bytes);
    let mut answer = sent(&digest, "application/zip", Bytes::from(bytes));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition("attachment", &name));
    Ok(answer)
}

/// What the zip says of itself, with the line ends that the Windows notepad wants.
fn note(branch: &Branch, given: &Given, now: Timestamp) -> String {
    let day = |at: Timestamp| shanghai(at).strftime("%Y-%m-%d %H:%M").to_string();
    let mut text = format!("{}（{}）\r\n{} 的材料\r\n\r\n", branch.name, branch.id, day(now));
    let open: Vec<_> = given.open().collect();
    if !open.is_empty() {
        text.push_str("要撤下的：\r\n");
        for one in open {
            let _ = write!(
                text,
                "  {}（{}，短码 {}）：{}\r\n",
                one.title,
                one.number,
                one.code(),
                one.reason
            );
        }
        text.push_str("\r\n");
    }
    let named = given.named();
    for screen in &given.screens {
        let own = &screen.screen;
        let _ = write!(
            text,
            "屏幕 {}（{}，{}×{}，每张 {} 秒）：\r\n",
            own.screen, own.profile, own.width, own.height, own.dwell_s
        );
        for entry in &screen.playlist {
            let name = named.iter().find(|(_, other)| other.sha256 == entry.sha256);
            let _ = write!(text, "  {}\r\n", name.map_or(entry.alt.as_str(), |(name, _)| name));
        }
    }
    text.push_str("\r\n每一期什么时候撤下：\r\n");
    for release in given.releases.iter().filter(|release| release.active) {
        let until = day(release.show_until);
        let _ = write!(text, "  {} {}：{until} 之前\r\n", release.name, release.number);
    }
    text
}

/// One file of a branch.
#[utoipa::path(get, path = "/api/v1/branches/{branch}/files/{digest}", tag = "branches",
    params(("branch" = String, Path), ("digest" = String, Path)),
    responses((status = 200, content((Vec<u8> = "image/png"), (Vec<u8> = "application/pdf"),
        (Vec<u8> = "text/plain"), (Vec<u8> = "image/svg+xml"), (Vec<u8> = "image/jpeg")))))]
pub(in super::super) async fn give_file(
    desk: State<Desk>,
    caller: Caller,
    path: Path<(String, String)>,
    keep: Query<Keep>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    file(desk, caller, path, keep, headers).await
}

/// Everything that counts at a branch now, as one zip.
#[utoipa::path(get, path = "/api/v1/branches/{branch}/zip", tag = "branches",
    params(("branch" = String, Path)),
    responses((status = 200, content((Vec<u8> = "application/zip")))))]
pub(in super::super) async fn give_zip(
    desk: State<Desk>,
    caller: Caller,
    path: Path<String>,
) -> Result<Response, Trouble> {
    zip(desk, caller, path).await
}
