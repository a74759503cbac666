//! Pictures with findings framed, or with what changed since the approved ones.

use super::{
    judged::Marked,
    outputs::{self, Output},
    views::{Note, judged_of, notes, rendered},
};
use crate::{
    console::{
        Desk,
        language::Language,
        marks::{
            flow::Flow,
            pixels::{self, Area},
        },
        trouble::Trouble,
    },
    model::{Digest, PlacedBox},
    work::laid::Laid,
};
use askama::Template;
use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{collections::BTreeSet, sync::Arc};

/// Pictures larger than this are only shown as they are.
const LARGEST: usize = 8 * 1024 * 1024;

/// A frame around words, with the numbers of what was found there.
struct Frame {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    numbers: Vec<usize>,
    /// The number that leads here, on the first frame of a finding.
    id: Option<usize>,
    label: Label,
    waived: bool,
}

/// What stands above a frame, or in it where there is no room above.
#[derive(Default)]
struct Label {
    text: String,
    y: f32,
    width: f32,
    height: f32,
    /// Where its letters begin, on their line.
    start: (f32, f32),
}

impl Label {
    fn new(text: String, frame: &Frame, letters: u32) -> Self {
        let letter = letters as f32;
        let height = letter * 1.3;
        let y = if frame.y >= height { frame.y - height } else { frame.y };
        let start = (frame.x + letter * 0.3, y + letter);
        Self { width: letter * (1.1 * weight(&text) + 0.6), text, y, height, start }
    }
}

/// How wide a text is, in letters as wide as high.
fn weight(text: &str) -> f32 {
    text.chars().map(|c| if c.is_ascii() { 0.55 } else { 1.0 }).sum()
}

/// A picture in a page of its own.
#[derive(Template)]
#[template(path = "console/html/output-picture.html")]
struct PicturePage<'a> {
    language: Language,
    sha256: String,
    title: String,
    width: u32,
    height: u32,
    /// Letters of frames, in pixels of the picture.
    letters: u32,
    data: &'a str,
    seen: Seen,
}

enum Seen {
    /// Findings: frames, reasons, findings without a place, and why there are no frames.
    Marked { frames: Vec<Frame>, notes: Vec<Note>, absent: Vec<Note>, why: Option<&'static str> },
    /// Changes: the old picture, its digest and size, the veil, areas, percent.
    Changed(Box<Changed>),
}

struct Changed {
    old: String,
    old_sha256: String,
    before: (u32, u32),
    sheet: (u32, u32),
    veil: String,
    areas: Vec<Area>,
    percent: String,
}

impl PicturePage<'_> {
    fn t<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.of_two(chinese, english)
    }
}

fn data(output: &Output) -> String {
    let kind = output.file.media_type.as_str();
    format!("data:{kind};base64,{}", STANDARD.encode(&output.bytes))
}

fn title(output: &Output) -> String {
    let file = &output.file;
    let profile = file.profile.as_deref().unwrap_or_default();
    format!("{} {} {profile}", file.output.label(), file.audience.label())
}

fn size(bytes: &[u8]) -> Result<(u32, u32), Trouble> {
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    size.ok_or_else(|| Trouble::missing("这张图片打不开"))
}

/// Makes a view where it was not made before. Few at a time: pictures are large when unpacked.
async fn kept(
    desk: &Desk,
    output: &Output,
    key: Digest,
    make: impl FnOnce() -> Result<String, Trouble> + Send + 'static,
) -> Result<Response, Trouble> {
    if output.bytes.len() > LARGEST {
        return Err(Trouble::missing("这张图片太大，标不了；请打开原件看"));
    }
    if let Some(view) = desk.past().view(&key) {
        return Ok(outputs::view(&output.file, (*view).clone()));
    }
    let turn = desk.looking().acquire().await;
    let _turn = turn.map_err(|error| Trouble::wrong(error.to_string()))?;
    let view = match desk.past().view(&key) {
        Some(view) => view,
        None => {
            let made = tokio::task::spawn_blocking(make).await;
            Arc::new(made.map_err(|error| Trouble::wrong(error.to_string()))??)
        }
    };
    desk.past().keep_view(key, Arc::clone(&view));
    Ok(outputs::view(&output.file, (*view).clone()))
}

/// Findings, framed where their letters stand.
pub(super) async fn marked(
    desk: &Desk,
    language: Language,
    output: &Output,
) -> Result<Response, Trouble> {
    let (judged, content) = judged_of(desk, output).await?;
    let key = Digest::of_fields([
        b"marked".as_slice(),
        judged.key.as_bytes(),
        output.file.sha256.as_bytes(),
        language.tag().as_bytes(),
    ]);
    let (width, height) = size(&output.bytes)?;
    let publisher = desk.publisher().clone();
    let number = output.manifest.number.clone();
    let file = output.file.clone();
    let (title, data) = (title(output), data(output));
    kept(desk, output, key, move || {
        let laid = publisher.laid(&content, &number, &file, width);
        let (lines, why) = match laid {
            Ok(Laid::Lines(lines)) => (lines, None),
            Ok(Laid::Otherwise) => (Vec::new(), Some("otherwise")),
            Ok(Laid::Unknown) => (Vec::new(), Some("unknown")),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "海报的字画不出位置");
                (Vec::new(), Some("otherwise"))
            }
        };
        let words: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let flow = Flow::of_text(&words.join("\n"));
        let mut marked = judged.marked(&file, &flow);
        if why.is_some() {
            // Nothing is known of the places: what may concern it is listed.
            marked.absent = judged.concerning(&file);
        }
        let waived = |number: &usize| judged.finding(*number).is_some_and(|f| f.waiver.is_some());
        let code = |number: &usize| judged.finding(*number).map_or("", |found| found.code);
        let letters = (width.min(height) / 36).max(12);
        let mut frames = frames(&lines, &marked);
        let mut met = BTreeSet::new();
        for frame in &mut frames {
            frame.waived = frame.numbers.iter().all(waived);
            let label = |number: &usize| format!("{number} {}", code(number));
            let label = frame.numbers.iter().map(label).collect::<Vec<_>>().join("，");
            frame.label = Label::new(label, frame, letters);
            frame.id = frame.numbers.first().copied().filter(|number| met.insert(*number));
        }
        let (notes, absent) = notes(&judged, &marked);
        let seen = Seen::Marked { frames, notes, absent, why };
        rendered(&PicturePage {
            language,
            sha256: file.sha256.to_string(),
            title,
            width,
            height,
            letters,
            data: &data,
            seen,
        })
    })
    .await
}

/// Frames around the letters of each place; a place of two lines has two.
fn frames(lines: &[PlacedBox], marked: &Marked) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut start = 0;
    for line in lines {
        let range = start..start + line.text.len();
        start = range.end + 1;
        let whole = weight(&line.text).max(0.1);
        for spot in &marked.spots {
            let from = spot.range.start.clamp(range.start, range.end) - range.start;
            let to = spot.range.end.clamp(range.start, range.end) - range.start;
            let (Some(before), Some(words)) = (line.text.get(..from), line.text.get(from..to))
            else {
                continue;
            };
            if words.trim().is_empty() {
                continue;
            }
            let rim = line.font_px * 0.08;
            let x = line.x + line.width * weight(before) / whole - rim;
            let width = line.width * weight(words) / whole + 2.0 * rim;
            let same = |frame: &&mut Frame| {
                (frame.x - x).abs() < 1.0 && (frame.y - line.y + rim).abs() < 1.0
            };
            if let Some(frame) = frames.iter_mut().find(same) {
                frame.width = frame.width.max(width);
                if !frame.numbers.contains(&spot.finding) {
                    frame.numbers.push(spot.finding);
                }
                continue;
            }
            frames.push(Frame {
                x,
                y: line.y - rim,
                width,
                height: line.height + 2.0 * rim,
                numbers: vec![spot.finding],
                id: None,
                label: Label::default(),
                waived: false,
            });
        }
    }
    frames
}

/// Before, after, and what differs.
pub(super) async fn changes(
    desk: &Desk,
    language: Language,
    before: &Output,
    output: &Output,
) -> Result<Response, Trouble> {
    if before.bytes.len() > LARGEST {
        return Err(Trouble::missing("以前的图片太大，比不了；请把两份都打开看"));
    }
    let key = Digest::of_fields([
        b"changes".as_slice(),
        before.file.sha256.as_bytes(),
        output.file.sha256.as_bytes(),
        language.tag().as_bytes(),
    ]);
    let (old_bytes, bytes) = (before.bytes.clone(), output.bytes.clone());
    let (old, data) = (data(before), data(output));
    let (old_sha256, sha256) = (before.file.sha256.to_string(), output.file.sha256.to_string());
    let title = title(output);
    kept(desk, output, key, move || {
        let compared = pixels::compare(&old_bytes, &bytes).map_err(Trouble::wrong)?;
        let percent = compared.percent();
        let (width, height) = compared.after;
        let sheet = (width.max(compared.before.0), height.max(compared.before.1));
        let seen = Seen::Changed(Box::new(Changed {
            old,
            old_sha256,
            before: compared.before,
            sheet,
            veil: format!("data:image/png;base64,{}", STANDARD.encode(&compared.veil)),
            areas: compared.areas,
            percent: if percent > 0.0 && percent < 0.01 {
                "< 0.01".to_owned()
            } else {
                format!("{percent:.2}")
            },
        }));
        rendered(&PicturePage {
            language,
            sha256,
            title,
            width,
            height,
            letters: (width.min(height) / 36).max(12),
            data: &data,
            seen,
        })
    })
    .await
}
