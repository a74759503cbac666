//! PNG in segments: rows that many posters share are compressed once.
//!
//! A PNG's image data is one zlib stream (RFC 1950) cut into any number of `IDAT` chunks. The head
//! of a poster is deflated up to a sync flush (RFC 1951 §3.2.4: an empty stored block, which ends
//! on a byte), the strip is deflated on its own as the stream's end; the stream's Adler-32 is
//! combined from the two. Each part is an `IDAT` of its own, so the head's chunk, its CRC and even
//! the state of the file's SHA-256 up to there are made once and reused for every branch.
//!
//! The strip's first row is filtered without looking at the row above (filter None or Sub), so
//! that its bytes do not depend on the head.

use super::engine::Pixels;
use crate::{model::Digest, render::RenderError};
use flate2::{Compress, Compression, Crc, FlushCompress};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;

/// The compressed first rows of a family of PNG files.
#[derive(Debug, Clone)]
pub struct Head {
    bytes: Vec<u8>,
    hasher: Sha256,
    adler: Adler,
    width: u32,
}

/// A finished PNG file in two parts, so that the shared part is not copied.
#[derive(Debug, Clone)]
pub struct File<'a> {
    head: &'a [u8],
    tail: Vec<u8>,
    digest: Digest,
}

impl File<'_> {
    /// The two parts in order.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 2] {
        [self.head, &self.tail]
    }

    /// The whole file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.parts().concat()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Whether it has no bytes; never true of a PNG.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of the whole file.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Head {
    /// Compresses the rows that every file of the family begins with. `total_height` is the height
    /// of the whole picture; `pixels_per_metre` goes into `pHYs` where known.
    ///
    /// # Errors
    /// [`RenderError::Engine`] where the compressor fails.
    pub fn new(
        pixels: &Pixels,
        total_height: u32,
        pixels_per_metre: Option<u32>,
    ) -> Result<Self, RenderError> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = Vec::with_capacity(13);
        header.extend(pixels.width.to_be_bytes());
        header.extend(total_height.to_be_bytes());
        // Eight bits, colour type 2 (RGB), no interlace: PNG 3rd edition §11.2.1.
        header.extend([8, 2, 0, 0, 0]);
        chunk(&mut bytes, *b"IHDR", &[&header]);
        chunk(&mut bytes, *b"sRGB", &[&[0]]);
        if let Some(density) = pixels_per_metre {
            let density = density.to_be_bytes();
            chunk(&mut bytes, *b"pHYs", &[&density, &density, &[1]]);
        }
        let rows = filtered_rows(pixels);
        // The two-byte zlib header: deflate, 32 KiB window, no dictionary, level hint 2.
        let mut compressor = Compress::new(Compression::new(HEAD_LEVEL), false);
        let data = deflate(&rows, FlushCompress::Sync, &mut compressor)?;
        chunk(&mut bytes, *b"IDAT", &[&[0x78, 0x9c], &data]);
        let mut hasher = Sha256::new();
        hasher.update(&bytes);
        Ok(Self { bytes, hasher, adler: Adler::of(&rows), width: pixels.width })
    }

    /// The file whose last rows are `strip`.
    ///
    /// # Errors
    /// [`RenderError::Engine`] where the widths differ or the compressor fails.
    pub fn finish(&self, strip: &Pixels) -> Result<File<'_>, RenderError> {
        if strip.width != self.width {
            return Err(RenderError::Engine("网点条与海报宽度不同".into()));
        }
        let rows = filtered_rows(strip);
        let data = STRIP_COMPRESSOR.with_borrow_mut(|compressor| {
            compressor.reset();
            deflate(&rows, FlushCompress::Finish, compressor)
        })?;
        let adler = self.adler.then(Adler::of(&rows)).value().to_be_bytes();
        let mut tail = Vec::with_capacity(data.len() + 64);
        chunk(&mut tail, *b"IDAT", &[&data, &adler]);
        chunk(&mut tail, *b"IEND", &[]);
        let mut hasher = self.hasher.clone();
        hasher.update(&tail);
        let digest = Digest::from_bytes(hasher.finalize().into());
        Ok(File { head: &self.bytes, tail, digest })
    }
}

/// Encodes a whole picture.
///
/// # Errors
/// [`RenderError::Engine`] where the compressor fails.
pub fn encode(pixels: &Pixels, pixels_per_metre: Option<u32>) -> Result<Vec<u8>, RenderError> {
    let head_rows = pixels.height.saturating_sub(1);
    let split = (head_rows * pixels.width * 4) as usize;
    let part = |rows: &[u8], height| Pixels { width: pixels.width, height, rgba: rows.to_vec() };
    let head = Head::new(&part(&pixels.rgba[..split], head_rows), pixels.height, pixels_per_metre)?;
    Ok(head.finish(&part(&pixels.rgba[split..], pixels.height - head_rows))?.to_bytes())
}

/// Encodes a whole picture with its transparency: drawings that are laid over other grounds.
///
/// # Errors
/// [`RenderError::Engine`] where the encoder fails.
pub fn encode_transparent(pixels: &Pixels) -> Result<Vec<u8>, RenderError> {
    let failed = |error: png::EncodingError| RenderError::Engine(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels.rgba).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// The head is compressed once per design: worth the time.
const HEAD_LEVEL: u32 = 6;
/// The strip is compressed for every branch.
const STRIP_LEVEL: u32 = 1;

thread_local! {
    /// A compressor is a quarter of a megabyte of tables: each thread keeps one.
    static STRIP_COMPRESSOR: RefCell<Compress> =
        RefCell::new(Compress::new(Compression::new(STRIP_LEVEL), false));
}

/// Filter types (PNG 3rd edition §9.2): None is zero.
const UP: u8 = 2;

/// RGB rows, each preceded by its filter type. Flat drawings compress best where a row equals the
/// one above (Up gives zeros); other rows are left as they are, since runs of one colour are what
/// deflate likes best.
fn filtered_rows(pixels: &Pixels) -> Vec<u8> {
    let width = pixels.width as usize;
    let length = width * 3 + 1;
    // Zeros are what most rows become: only what differs is written over them.
    let mut rows = vec![0; length * pixels.height as usize];
    let mut previous: &[u8] = &[];
    for (filtered, row) in rows.chunks_exact_mut(length).zip(pixels.rgba.chunks_exact(width * 4)) {
        if row == previous {
            filtered[0] = UP;
        } else {
            for (rgb, rgba) in filtered[1..].chunks_exact_mut(3).zip(row.chunks_exact(4)) {
                rgb.copy_from_slice(&rgba[..3]);
            }
        }
        previous = row;
    }
    rows
}

fn deflate(
    data: &[u8],
    flush: FlushCompress,
    compressor: &mut Compress,
) -> Result<Vec<u8>, RenderError> {
    let mut output = Vec::with_capacity(data.len() / 16 + 1024);
    loop {
        let consumed = compressor.total_in() as usize;
        output.reserve(64 * 1024);
        let status = compressor
            .compress_vec(&data[consumed..], &mut output, flush)
            .map_err(|error| RenderError::Engine(error.to_string()))?;
        let all_read = compressor.total_in() as usize == data.len();
        let done = match flush {
            FlushCompress::Finish => status == flate2::Status::StreamEnd,
            _ => all_read && output.len() < output.capacity(),
        };
        if done {
            return Ok(output);
        }
    }
}

/// Appends a chunk: length, type, data, CRC-32 over type and data (PNG 3rd edition §5.3).
fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[&[u8]]) {
    let length: usize = data.iter().map(|part| part.len()).sum();
    bytes.extend((length as u32).to_be_bytes());
    let mut crc = Crc::new();
    crc.update(&kind);
    bytes.extend(kind);
    for part in data {
        crc.update(part);
        bytes.extend(*part);
    }
    bytes.extend(crc.sum().to_be_bytes());
}

/// Adler-32 (RFC 1950 §9) of a text, with its length, so that two can be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Adler {
    a: u64,
    b: u64,
    length: u64,
}

const ADLER_MODULUS: u64 = 65_521;

impl Adler {
    fn of(data: &[u8]) -> Self {
        let value = u64::from(simd_adler32::adler32(&data));
        Self { a: value & 0xffff, b: value >> 16, length: data.len() as u64 }
    }

    /// The checksum of this text followed by `other`.
    fn then(self, other: Self) -> Self {
        let a = (self.a + other.a + ADLER_MODULUS - 1) % ADLER_MODULUS;
        let carried =
            (other.length % ADLER_MODULUS) * ((self.a + ADLER_MODULUS - 1) % ADLER_MODULUS);
        let b = (self.b + other.b + carried) % ADLER_MODULUS;
        Self { a, b, length: self.length + other.length }
    }

    fn value(self) -> u32 {
        ((self.b << 16) | self.a) as u32
    }
}
