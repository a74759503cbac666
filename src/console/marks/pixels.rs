//! Which part of a picture changed.

use image::{ImageReader, Limits, RgbaImage};
use std::io::Cursor;

/// No picture of ours is longer or wider.
const LONGEST: u32 = 12_000;
/// Bytes that one may take when it is unpacked.
const UNPACKED: u64 = 192 * 1024 * 1024;
/// Pixels that are changed and lie no further apart belong to one area, in parts of the longer side.
const NEAR: u32 = 48;
/// So many areas are told apart.
const AREAS: usize = 40;
/// What is laid over changed pixels.
const INK: [u8; 3] = [216, 0, 110];

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From above.
    pub y: u32,
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
}

impl Area {
    fn reach(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// What changed from one picture to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The old picture's width and height.
    pub before: (u32, u32),
    /// The new picture's.
    pub after: (u32, u32),
    /// How many pixels differ. Where the sizes differ, what only one of them has differs.
    pub changed: u64,
    /// Of how many: of the smallest sheet that holds both.
    pub pixels: u64,
    /// Where they lie, those near each other together; from above.
    pub areas: Vec<Area>,
    /// A PNG as large as that sheet, clear but for the pixels that differ.
    pub veil: Vec<u8>,
}

impl Compared {
    /// How many of a hundred pixels differ.
    #[must_use]
    pub fn percent(&self) -> f64 {
        100.0 * self.changed as f64 / self.pixels.max(1) as f64
    }
}

/// Compares two pictures pixel by pixel.
///
/// # Errors
/// In Chinese, why one of them cannot be unpacked.
pub fn compare(before: &[u8], after: &[u8]) -> Result<Compared, String> {
    let (old, new) = (unpacked(before)?, unpacked(after)?);
    let (width, height) = (old.width().max(new.width()), old.height().max(new.height()));
    let mut veil = Veil::new(width, height);
    for y in 0..height {
        let (one, other) = (row(&old, y), row(&new, y));
        if one == other {
            continue;
        }
        for x in 0..width {
            let at = x as usize * 4;
            if one.get(at..at + 4) != other.get(at..at + 4) {
                veil.set(x, y);
            }
        }
    }
    Ok(Compared {
        before: old.dimensions(),
        after: new.dimensions(),
        changed: veil.changed,
        pixels: u64::from(width) * u64::from(height),
        areas: veil.areas(),
        veil: veil.png().map_err(|error| format!("标不出改动：{error}"))?,
    })
}

fn unpacked(bytes: &[u8]) -> Result<RgbaImage, String> {
    let broken = |error: image::ImageError| format!("图片打不开：{error}");
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|error| format!("图片打不开：{error}"))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST);
    limits.max_image_height = Some(LONGEST);
    limits.max_alloc = Some(UNPACKED);
    reader.limits(limits);
    Ok(reader.decode().map_err(broken)?.into_rgba8())
}

fn row(picture: &RgbaImage, y: u32) -> &[u8] {
    let length = picture.width() as usize * 4;
    let start = y as usize * length;
    picture.as_raw().get(start..start + length).unwrap_or_default()
}

/// One bit a pixel.
struct Veil {
    width: u32,
    height: u32,
    stride: usize,
    bits: Vec<u8>,
    changed: u64,
}

impl Veil {
    fn new(width: u32, height: u32) -> Self {
        let stride = (width as usize).div_ceil(8);
        Self { width, height, stride, bits: vec![0; stride * height as usize], changed: 0 }
    }

    fn set(&mut self, x: u32, y: u32) {
        self.bits[y as usize * self.stride + x as usize / 8] |= 0x80 >> (x % 8);
        self.changed += 1;
    }

    /// What differs in a row: from its first to its last pixel, run by run.
    fn runs(&self, y: u32, gap: u32) -> Vec<Area> {
        let bits = &self.bits[y as usize * self.stride..][..self.stride];
        let mut runs: Vec<Area> = Vec::new();
        for (index, byte) in bits.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                let x = index as u32 * 8 + bit;
                match runs.last_mut() {
                    Some(run) if x <= run.x + run.width + gap => run.width = x + 1 - run.x,
                    _ => runs.push(Area { x, y, width: 1, height: 1 }),
                }
            }
        }
        runs
    }

    /// Areas, from above. Too many of them are one.
    fn areas(&self) -> Vec<Area> {
        let gap = (self.width.max(self.height) / NEAR).max(1);
        let near = |one: &Area, other: &Area| {
            one.x <= other.x + other.width + gap
                && other.x <= one.x + one.width + gap
                && one.y <= other.y + other.height + gap
                && other.y <= one.y + one.height + gap
        };
        let mut areas: Vec<Area> = Vec::new();
        for y in 0..self.height {
            for mut run in self.runs(y, gap) {
                // What it touches becomes one with it, which may touch more.
                while let Some(index) = areas.iter().position(|area| near(area, &run)) {
                    run = areas.swap_remove(index).reach(run);
                }
                areas.push(run);
            }
            if areas.len() > AREAS {
                areas = areas.into_iter().reduce(Area::reach).into_iter().collect();
            }
        }
        areas.sort_by_key(|area| (area.y, area.x));
        areas
    }

    fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width.max(1), self.height.max(1));
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_palette([&[0, 0, 0], INK.as_slice()].concat());
        encoder.set_trns(vec![0, 190]);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.bits)?;
        writer.finish()?;
        Ok(bytes)
    }
}
