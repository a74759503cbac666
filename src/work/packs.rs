//! One zip per branch: its own posters and prints, under names that people can read; and for
//! pack repositories, what branches and their screens are.
//!
//! The same files give the same bytes: entries are sorted, carry no time, and pictures are stored
//! as they are (they are compressed already).

use super::{Content, Outline, WorkError};
use crate::{
    model::{Audience, Bank, Branch, BranchId, Digest, Listing, MediaType, OutputKind, Screen},
    packs::{BranchEntry, FACTS_PATH, PackFacts, ScreenEntry},
};
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Write as _},
    path::Path,
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// What a zip is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Screens are fed by hand: posters and paper.
    Everything,
    /// A player feeds the screens: paper only.
    Paper,
}

impl Contents {
    fn has(self, output: OutputKind) -> bool {
        match output {
            OutputKind::Screen => self == Self::Everything,
            OutputKind::Print
            | OutputKind::Leaflet
            | OutputKind::Morning
            | OutputKind::Booth
            | OutputKind::StaffCard
            | OutputKind::Notice => true,
            _ => false,
        }
    }

    /// Sheets to print are sent as PDF alone: their pictures would be four fifths of the pack.
    fn takes(self, media_type: MediaType) -> bool {
        self == Self::Everything || media_type != MediaType::Png
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Everything => "packs",
            Self::Paper => "paper",
        }
    }
}

/// Writes the packs below `folder/packs/` or `folder/paper/` and lists them. Branches without
/// files of their own get none.
///
/// # Errors
/// [`WorkError::File`] names the file.
pub fn write(
    folder: &Path,
    listings: &[Listing],
    content: &Content,
    outline: &Outline,
    contents: Contents,
) -> Result<Vec<Listing>, WorkError> {
    let mut packs = Vec::new();
    for branch in &content.library.branches {
        let is_own = |file: &&Listing| file.branch.as_ref() == Some(&branch.id);
        if !listings.iter().any(|file| is_own(&file) && contents.has(file.output)) {
            continue;
        }
        let own: Vec<&Listing> = listings
            .iter()
            .filter(|file| is_own(file) || file.branch.is_none())
            .filter(|file| contents.has(file.output) && contents.takes(file.media_type))
            .collect();
        let bytes = pack(folder, branch, &own, content, outline)?;
        let path = format!("{}/{}.zip", contents.folder(), branch.id);
        packs.push(written(folder, path, &bytes, Some(&branch.id), MediaType::Zip)?);
    }
    Ok(packs)
}

/// Writes `packs.json`, what a pack repository has to know besides the files.
///
/// # Errors
/// [`WorkError::File`] names the file.
pub fn write_facts(
    folder: &Path,
    bank: &Bank,
    content: &Content,
    outline: &Outline,
) -> Result<Listing, WorkError> {
    let library = &content.library;
    let variants = outline.lessons.iter().filter_map(|id| library.lesson(id)).flat_map(|lesson| {
        lesson.variants.values().map(move |variant| {
            let title = variant.short_title.as_ref().unwrap_or(&variant.title);
            (format!("{}/{}", lesson.id, variant.audience), title.value.clone())
        })
    });
    let facts = PackFacts {
        bank: bank.name.clone(),
        hotline: bank_number(bank, content),
        branches: branch_entries(content),
        titles: variants.collect(),
    };
    let json = serde_json::to_vec(&facts)
        .map_err(|error| WorkError::Manifest(format!("{FACTS_PATH}：{error}")))?;
    written(folder, FACTS_PATH.to_owned(), &json, None, MediaType::Json)
}

/// The branches and their screens, by id.
pub(super) fn branch_entries(content: &Content) -> BTreeMap<String, BranchEntry> {
    let library = &content.library;
    let entry = |branch: &Branch| {
        let screens = library.screens.iter().filter(|screen| screen.branch == branch.id);
        let entry = BranchEntry {
            name: branch.name.clone(),
            hotline: branch.hotline.clone(),
            tags: branch.tags.clone(),
            screens: screens.map(screen_entry).collect(),
        };
        (branch.id.to_string(), entry)
    };
    library.branches.iter().map(entry).collect()
}

/// The bank's own number, as shown.
pub(super) fn bank_number(bank: &Bank, content: &Content) -> String {
    let number = content.library.hotline(&bank.hotline).map(|hotline| hotline.number.clone());
    number.unwrap_or_default()
}

fn screen_entry(screen: &Screen) -> ScreenEntry {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 3,600")]
    let dwell_s = screen.dwell_s.clamp(1.0, 3600.0).round() as u32;
    ScreenEntry {
        screen: screen.screen.clone(),
        profile: screen.profile.clone(),
        width: screen.width,
        height: screen.height,
        dwell_s,
    }
}

fn written(
    folder: &Path,
    path: String,
    bytes: &[u8],
    branch: Option<&BranchId>,
    media_type: MediaType,
) -> Result<Listing, WorkError> {
    let file = folder.join(&path);
    let wrap = |source| WorkError::File { path: file.clone(), source };
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).map_err(wrap)?;
    }
    fs::write(&file, bytes).map_err(wrap)?;
    // A zip is for people: whoever wants only what plays leaves everything but `screen` out.
    Ok(Listing {
        path,
        lesson: None,
        output: OutputKind::Print,
        audience: Audience::General,
        profile: None,
        branch: branch.cloned(),
        media_type,
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
    })
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
        OutputKind::Print => {
            let paper = plain_name(file.profile.as_deref().unwrap_or(""));
            let paper = if file.profile.is_none() { String::new() } else { format!(" {paper}") };
            format!("打印/{title}（{id}）{audience}{paper}.{extension}")
        }
        OutputKind::Notice => format!("打印/{}.{extension}", file.output.label()),
        other => format!("{}/{title}（{id}）{audience}.{extension}", other.label()),
    }
}

/// A name that no file system takes for a path or a device: separators, control characters and
/// what Windows forbids become `_`; leading dots and trailing dots and spaces go.
pub(super) fn plain_name(text: &str) -> String {
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
    let posters = entries.values().any(|file| file.output == OutputKind::Screen);
    if posters {
        text.push_str("每块屏放哪几张：\r\n");
    }
    let screens = content.library.screens.iter().filter(|screen| screen.branch == branch.id);
    for screen in screens.filter(|_| posters) {
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
    let over = ended(branch, content, outline);
    if !over.is_empty() {
        text.push_str("\r\n已经结束、应该撤下的活动材料：\r\n");
        for line in over {
            text.push_str(&format!("  {line}\r\n"));
        }
    }
    text
}

/// Campaigns of this branch that ended in the quarter before this one begins: what still hangs of
/// them comes down. By the content alone, so that the same content gives the same bytes.
fn ended(branch: &Branch, content: &Content, outline: &Outline) -> Vec<String> {
    let Some(from) = outline.channels.iter().map(|channel| channel.window.from).max() else {
        return Vec::new();
    };
    let earliest = from.saturating_sub(jiff::Span::new().days(92));
    let editions = content.library.campaigns.iter().flat_map(|campaign| &campaign.editions);
    editions
        .filter(|edition| edition.id != outline.edition.id && edition.reach.covers(branch))
        .filter(|edition| earliest <= edition.until && edition.until < from)
        .map(|edition| format!("{}（{} 结束）", edition.name, edition.until))
        .collect()
}
