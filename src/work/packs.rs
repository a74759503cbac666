//! One zip per branch: its own posters and prints, under names that people can read.
//!
//! The same files give the same bytes: entries are sorted, carry no time, and pictures are stored
//! as they are (they are compressed already).

use super::{Content, Outline, WorkError};
use crate::model::{Audience, Branch, Digest, Listing, MediaType, OutputKind};
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Write as _},
    path::Path,
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// Writes the packs below `folder/packs/` and lists them. Branches without files get none.
///
/// # Errors
/// [`WorkError::File`] names the file.
pub fn write(
    folder: &Path,
    listings: &[Listing],
    content: &Content,
    outline: &Outline,
) -> Result<Vec<Listing>, WorkError> {
    let mut packs = Vec::new();
    for branch in &content.library.branches {
        let own: Vec<&Listing> = listings
            .iter()
            .filter(|file| file.branch.as_ref() == Some(&branch.id))
            .filter(|file| matches!(file.output, OutputKind::Screen | OutputKind::Print))
            .collect();
        if own.is_empty() {
            continue;
        }
        let bytes = pack(folder, branch, &own, content, outline)?;
        let path = format!("packs/{}.zip", branch.id);
        let file = folder.join(&path);
        let wrap = |source| WorkError::File { path: file.clone(), source };
        fs::create_dir_all(folder.join("packs")).map_err(wrap)?;
        fs::write(&file, &bytes).map_err(wrap)?;
        packs.push(Listing {
            path,
            lesson: None,
            output: OutputKind::Screen,
            audience: Audience::General,
            profile: None,
            branch: Some(branch.id.clone()),
            media_type: MediaType::Zip,
            bytes: bytes.len() as u64,
            sha256: Digest::of(&bytes),
        });
    }
    Ok(packs)
}

fn pack(
    folder: &Path,
    branch: &Branch,
    own: &[&Listing],
    content: &Content,
    outline: &Outline,
) -> Result<Vec<u8>, WorkError> {
    let mut entries: BTreeMap<String, &Listing> = BTreeMap::new();
    for file in own {
        entries.insert(entry_name(file, content), file);
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    let packing = |error: zip::result::ZipError| WorkError::File {
        path: folder.join(format!("packs/{}.zip", branch.id)),
        source: error.into(),
    };
    let deflated = options.compression_method(CompressionMethod::Deflated);
    zip.start_file("说明.txt", deflated).map_err(packing)?;
    let note = note(branch, &entries, content, outline);
    zip.write_all(note.as_bytes()).map_err(|error| packing(error.into()))?;
    for (name, file) in &entries {
        let path = folder.join(&file.path);
        let bytes = fs::read(&path).map_err(|source| WorkError::File { path, source })?;
        let method = if file.media_type == MediaType::Png {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        zip.start_file(name.as_str(), options.compression_method(method)).map_err(packing)?;
        zip.write_all(&bytes).map_err(|error| packing(error.into()))?;
    }
    Ok(zip.finish().map_err(packing)?.into_inner())
}

/// `屏幕/portrait-fhd/01 对方让你共享屏幕 通用版.png`
fn entry_name(file: &Listing, content: &Content) -> String {
    let lesson = file.lesson.as_ref().and_then(|id| content.library.lesson(id));
    let title = lesson.and_then(|lesson| {
        let variant = lesson.variants.get(&file.audience)?;
        let short = variant.short_title.as_ref().unwrap_or(&variant.title);
        Some(plain_name(&short.value))
    });
    let id = file.lesson.as_ref().map_or("", |id| id.as_str());
    let title = title.unwrap_or_else(|| id.to_owned());
    let extension = file.path.rsplit('.').next().unwrap_or("bin");
    let audience = file.audience.label();
    match file.output {
        OutputKind::Screen => {
            let profile = plain_name(file.profile.as_deref().unwrap_or("屏幕"));
            format!("屏幕/{profile}/{title}（{id}）{audience}.{extension}")
        }
        _ => format!("打印/{title}（{id}）{audience}.{extension}"),
    }
}

/// A name that no file system takes for a path or a device: separators, control characters and
/// what Windows forbids become `_`; leading dots and trailing dots and spaces go.
fn plain_name(text: &str) -> String {
    let replaced: String = text
        .chars()
        .map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c })
        .take(40)
        .collect();
    let trimmed = replaced.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if trimmed.is_empty() { "未命名".to_owned() } else { trimmed.to_owned() }
}

fn note(
    branch: &Branch,
    entries: &BTreeMap<String, &Listing>,
    content: &Content,
    outline: &Outline,
) -> String {
    let mut text = format!("{}\r\n{}\r\n\r\n", branch.name, outline.edition.name);
    text.push_str("每块屏放哪几张：\r\n");
    for screen in content.library.screens.iter().filter(|screen| screen.branch == branch.id) {
        let own = entries.iter().filter(|(_, file)| {
            file.output == OutputKind::Screen
                && file.profile.as_deref() == Some(screen.profile.as_str())
        });
        text.push_str(&format!(
            "  {}（{}×{}，每张 {} 秒）：\r\n",
            screen.screen, screen.width, screen.height, screen.dwell_s
        ));
        for (name, _) in own {
            text.push_str(&format!("    {name}\r\n"));
        }
    }
    let until = outline.channels.iter().map(|channel| channel.window.until).min();
    if let Some(until) = until {
        text.push_str(&format!("\r\n请在 {until} 之后撤下。\r\n"));
    }
    text
}
