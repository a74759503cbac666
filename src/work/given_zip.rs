//! Everything that a branch has now as one zip, under names that people can read.

use super::{
    Publisher, WorkError,
    given::{Given, GivenScreen},
    packs::plain_name,
};
use crate::model::{MediaType, OutputKind, PackEntry};
use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// More is no pack for people; it would be held in memory.
const MOST_ZIPPED: u64 = 400 << 20;

impl Given {
    /// Every file that counts now, once, under a name for people.
    #[must_use]
    pub fn named(&self) -> BTreeMap<String, &PackEntry> {
        let mut named: BTreeMap<String, &PackEntry> = BTreeMap::new();
        let releases = self.releases.iter().filter(|release| release.active);
        for entry in releases.flat_map(|release| &release.lessons).flat_map(|l| &l.files) {
            let name = file_name(entry, &self.screens);
            let is_same = |other: &&PackEntry| other.sha256 == entry.sha256;
            let mut free = name.clone();
            let mut number = 2;
            while named.get(&free).is_some_and(|other| !is_same(other)) {
                let (stem, dot) = name.rsplit_once('.').unwrap_or((&name, ""));
                free = format!("{stem} {number}.{dot}");
                number += 1;
            }
            named.insert(free, entry);
        }
        named
    }
}

impl Publisher {
    /// Everything that counts at a branch now as one zip, with a note; the same files give the
    /// same bytes.
    ///
    /// # Errors
    /// The blobs'; [`WorkError::Refused`] where it would be too large.
    pub async fn given_zip(&self, given: &Given, note: &str) -> Result<Vec<u8>, WorkError> {
        let named = given.named();
        if named.values().map(|entry| entry.bytes).sum::<u64>() > MOST_ZIPPED {
            return Err(WorkError::Refused("文件太多，打不成一个包；请一个一个下载".to_owned()));
        }
        let failed = |error: zip::result::ZipError| WorkError::Faults(vec![error.to_string()]);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        // Pictures and PDF are compressed already.
        let options = SimpleFileOptions::default()
            .last_modified_time(DateTime::default())
            .compression_method(CompressionMethod::Stored);
        let mut files = vec![("说明.txt".to_owned(), note.as_bytes().to_vec())];
        for (name, entry) in named {
            files.push((name, self.store.blob(&entry.sha256).await?));
        }
        for (name, bytes) in files {
            zip.start_file(name, options).map_err(failed)?;
            zip.write_all(&bytes).map_err(|error| failed(error.into()))?;
        }
        Ok(zip.finish().map_err(failed)?.into_inner())
    }
}

/// The folder of a screen's posters, by the names that people know their screens by, and where in
/// its round a poster comes: `屏幕/s1、s2（portrait-uhd）/`, `02 `.
fn screen_folder(entry: &PackEntry, screens: &[GivenScreen]) -> (String, String) {
    let profile = plain_name(entry.profile.as_deref().unwrap_or("屏幕"));
    let own = || screens.iter().filter(|own| Some(&own.screen.profile) == entry.profile.as_ref());
    let names: Vec<String> = own().map(|own| plain_name(&own.screen.screen)).collect();
    let folder = if names.is_empty() {
        format!("屏幕/{profile}")
    } else {
        format!("屏幕/{}（{profile}）", plain_name(&names.join("、")))
    };
    let place = own()
        .find_map(|own| own.playlist.iter().position(|playing| playing.sha256 == entry.sha256));
    (folder, place.map(|place| format!("{:02} ", place + 1)).unwrap_or_default())
}

/// `打印/对方让你共享屏幕（telecom-fraud）通用版 A4.pdf`
fn file_name(entry: &PackEntry, screens: &[GivenScreen]) -> String {
    let extension = match entry.media_type {
        MediaType::Svg => "svg",
        MediaType::Png => "png",
        MediaType::Jpeg => "jpg",
        MediaType::Pdf => "pdf",
        MediaType::Html => "html",
        MediaType::Text => "txt",
        MediaType::Json => "json",
        MediaType::Zip => "zip",
    };
    let (folder, place) = match entry.output {
        OutputKind::Screen => screen_folder(entry, screens),
        OutputKind::Print | OutputKind::Notice => ("打印".to_owned(), String::new()),
        other => (other.label().to_owned(), String::new()),
    };
    let title = plain_name(&entry.alt);
    let lesson = entry.lesson.as_ref().map(|id| format!("（{id}）")).unwrap_or_default();
    let audience = if entry.lesson.is_some() { entry.audience.label() } else { "" };
    let paper = match (entry.output, &entry.profile) {
        (OutputKind::Screen, _) | (_, None) => String::new(),
        (_, Some(paper)) => format!(" {}", plain_name(paper)),
    };
    format!("{folder}/{place}{title}{lesson}{audience}{paper}.{extension}")
}
