//! Pictures and their entries in `assets.toml`.

use super::{
    faults::Faults,
    fields::Fields,
    files::{self, Folder, MAX_PICTURE_BYTES},
    node, suggest,
};
use crate::model::{Asset, AssetSet, Diagnostic, Digest, Located, MediaType};
use std::path::Path;

/// The pictures of one folder.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// Those without a fault.
    pub(super) set: AssetSet,
    /// What is wrong with the others.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Reads the pictures of a folder, relative to the content folder. Every picture must have an
/// entry, and every entry a picture.
pub(super) fn read(folder: &Folder, path: &Path) -> Pictures {
    let mut pictures = Pictures::default();
    let names = match folder.names(path) {
        Ok(names) => names,
        Err(diagnostic) => {
            pictures.diagnostics.push(diagnostic);
            return pictures;
        }
    };
    let files: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| media_type(name).is_some()).collect();
    let list = path.join("assets.toml");
    let mut mentioned: Vec<String> = Vec::new();
    if folder.has(&list) {
        match folder.text(&list) {
            Ok(source) => {
                let mut faults = Faults::new(&source);
                let shelf = Shelf { folder, path, files: &files };
                mentioned = shelf.read_entries(&mut faults, &mut pictures);
                pictures.diagnostics.extend(faults.into_list());
            }
            Err(diagnostic) => {
                pictures.diagnostics.push(diagnostic);
                return pictures;
            }
        }
    }
    for file in files.iter().filter(|file| !mentioned.iter().any(|other| other == *file)) {
        pictures.diagnostics.push(files::fault(
            &path.join(file),
            "read/picture-without-entry",
            format!("图片 {file} 没有在 assets.toml 里登记"),
            format!(
                "在 {} 里加一条 [[asset]]，写 file、alt、author、licence、source。",
                list.display()
            ),
        ));
    }
    pictures
}

/// The type of a picture, by its name.
fn media_type(name: &str) -> Option<MediaType> {
    match Path::new(name).extension()?.to_str()? {
        "svg" => Some(MediaType::Svg),
        "png" => Some(MediaType::Png),
        "jpg" | "jpeg" => Some(MediaType::Jpeg),
        _ => None,
    }
}

struct Shelf<'a> {
    folder: &'a Folder,
    path: &'a Path,
    files: &'a [&'a str],
}

impl Shelf<'_> {
    /// Reads the entries; answers which files they mention.
    fn read_entries(&self, faults: &mut Faults, pictures: &mut Pictures) -> Vec<String> {
        let root = node::from_toml(faults);
        let mut mentioned: Vec<String> = Vec::new();
        let Some(mut fields) = Fields::new(&root, "assets.toml", faults) else {
            return mentioned;
        };
        for item in fields.items("asset").unwrap_or_default() {
            let Some(entry) = Fields::new(item, "[[asset]]", fields.faults) else {
                continue;
            };
            let (file, asset) = self.read_entry(entry, &mut pictures.diagnostics);
            let Some(file) = file else { continue };
            if mentioned.contains(&file.value) {
                fields.faults.error(
                    "read/duplicate-id",
                    file.span,
                    format!("图片“{}”登记了两次", file.value),
                    "只留一条。".into(),
                );
                continue;
            }
            if let Some(asset) = asset {
                pictures.set.by_file.insert(file.value.clone(), asset);
            }
            mentioned.push(file.value);
        }
        fields.finish();
        mentioned
    }

    fn read_entry(
        &self,
        mut entry: Fields<'_, '_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> (Option<Located<String>>, Option<Asset>) {
        entry.require("file", "写图片的文件名，例如 file = \"object.svg\"");
        let file = entry.text("file");
        entry.require("alt", "写图里画了什么，给看不见图的人听，例如 alt = \"一只手挡住手机\"");
        let alt = entry.parsed("alt", |text| {
            if text.is_empty() {
                Err("写图里画了什么，给看不见图的人听。".into())
            } else {
                Ok(text.to_owned())
            }
        });
        let author = entry.required_text("author", "写是谁画的。");
        let licence = entry.required_text("licence", "写许可，例如 CC0-1.0。");
        let source = entry.required_text("source", "写图从哪里来，例如 本项目绘制。");
        let tags = entry.texts("tags").unwrap_or_default();
        let bytes = file.as_ref().and_then(|file| self.load(file, &mut entry, diagnostics));
        let (listed_in, span) = (std::sync::Arc::clone(entry.faults.file()), entry.span);
        entry.finish();
        let asset = || {
            let file = file.as_ref()?;
            let (media_type, bytes) = bytes?;
            Some(Asset {
                file: file.value.clone(),
                path: self.path.join(&file.value),
                alt: alt?.value,
                author: author?,
                licence: licence?,
                source: source?,
                tags: tags.into_iter().map(|tag| tag.value).collect(),
                media_type,
                digest: Digest::of(&bytes),
                bytes: bytes.into(),
                listed_in,
                entry: span,
            })
        };
        let asset = asset();
        (file, asset)
    }

    fn load(
        &self,
        file: &Located<String>,
        entry: &mut Fields<'_, '_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<(MediaType, Vec<u8>)> {
        // Only a name: a path could lead out of the folder.
        if !self.files.contains(&file.value.as_str()) {
            entry.faults.error(
                "read/missing-picture",
                file.span,
                format!("文件夹里没有图片“{}”", super::fields::shorten(&file.value)),
                format!(
                    "只写文件名，不写路径；图片要是 svg、png 或 jpg。{}",
                    suggest::known(&file.value, self.files.iter().copied())
                ),
            );
            return None;
        }
        let media_type = media_type(&file.value)?;
        match self.folder.bytes(&self.path.join(&file.value), MAX_PICTURE_BYTES) {
            Ok(bytes) if has_signature(media_type, &bytes) => Some((media_type, bytes)),
            Ok(_) => {
                diagnostics.push(files::fault(
                    &self.path.join(&file.value),
                    "read/picture-type",
                    format!("{} 的内容不是 {media_type}", file.value),
                    "检查文件是不是改错了扩展名，或者没有存完整。".into(),
                ));
                None
            }
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                None
            }
        }
    }
}

fn has_signature(media_type: MediaType, bytes: &[u8]) -> bool {
    match media_type {
        MediaType::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        MediaType::Jpeg => bytes.starts_with(b"\xFF\xD8\xFF"),
        _ => std::str::from_utf8(bytes).is_ok_and(|text| text.contains("<svg")),
    }
}
