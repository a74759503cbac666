//! The boxes a printer cuts by: TrimBox and BleedBox, which the layout engine does not write.
//!
//! They are added as an incremental update (ISO 32000-1 §7.5.6): the engine's bytes stay as they
//! are; behind them stand new page dictionaries and a cross-reference stream that points to them.

use crate::render::RenderError;
use std::fmt::Write as _;

/// Adds to every page a bleed box of the whole page and a trim box `bleed` points inside it.
///
/// # Errors
/// [`RenderError::Engine`] where the file is not what the engine is known to write.
pub(super) fn with_boxes(mut pdf: Vec<u8>, bleed: f64) -> Result<Vec<u8>, RenderError> {
    let unknown = || RenderError::Engine("排版引擎写出的 PDF 结构变了，加不上裁切框".into());
    let trailer = Trailer::of(&pdf).ok_or_else(unknown)?;
    let pages = pages(&pdf, bleed).filter(|pages| !pages.is_empty()).ok_or_else(unknown)?;
    let mut entries: Vec<(usize, usize)> = Vec::new();
    if !pdf.ends_with(b"\n") {
        pdf.push(b'\n');
    }
    for page in pages {
        entries.push((page.number, pdf.len()));
        pdf.extend_from_slice(format!("{} 0 obj\n", page.number).as_bytes());
        pdf.extend_from_slice(&page.dictionary);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let start = pdf.len();
    entries.push((trailer.size, start));
    entries.sort_unstable();
    let mut index = String::new();
    let mut rows: Vec<u8> = Vec::new();
    for (number, offset) in &entries {
        // Writing to a string cannot fail.
        let _ = write!(index, "{number} 1 ");
        rows.push(1);
        rows.extend_from_slice(&u32::try_from(*offset).map_err(|_| unknown())?.to_be_bytes());
        rows.extend_from_slice(&[0, 0]);
    }
    let head = format!(
        "{} 0 obj\n<</Type/XRef/Size {}/Prev {}/Index[{}]/W[1 4 2]/Length {}",
        trailer.size,
        trailer.size + 1,
        trailer.previous,
        index.trim_end(),
        rows.len()
    );
    pdf.extend_from_slice(head.as_bytes());
    pdf.extend_from_slice(&trailer.references);
    pdf.extend_from_slice(b">>\nstream\n");
    pdf.extend_from_slice(&rows);
    pdf.extend_from_slice(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n").as_bytes());
    Ok(pdf)
}

/// What the update repeats of the engine's cross-reference stream.
struct Trailer {
    size: usize,
    previous: usize,
    /// `/Root … /Info … /ID[…]` as written.
    references: Vec<u8>,
}

impl Trailer {
    fn of(pdf: &[u8]) -> Option<Self> {
        let marker = rfind(pdf, b"startxref")?;
        let previous = number(&pdf[marker + b"startxref".len()..])?;
        let dictionary = &pdf[previous..marker];
        let dictionary = &dictionary[find(dictionary, b"<<")?..find(dictionary, b">>\nstream")?];
        let size_at = find(dictionary, b"/Size ")? + b"/Size ".len();
        let root = find(dictionary, b"/Root ")?;
        let widths = find(dictionary, b"/W[")?;
        let references = dictionary.get(root..widths)?.to_vec();
        Some(Self { size: number(&dictionary[size_at..])?, previous, references })
    }
}

struct Page {
    number: usize,
    dictionary: Vec<u8>,
}

/// Every page dictionary of the file, boxes added. Page dictionaries stand outside of streams.
fn pages(pdf: &[u8], bleed: f64) -> Option<Vec<Page>> {
    const MARK: &[u8] = b" 0 obj\n<</Type/Page/";
    let mut pages = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&pdf[from..], MARK).map(|at| from + at) {
        let line = rfind(&pdf[..at], b"\n").map_or(0, |newline| newline + 1);
        let start = at + b" 0 obj\n".len();
        let end = start + find(&pdf[start..], b"\nendobj")?;
        let dictionary = &pdf[start..end];
        let media = find(dictionary, b"/MediaBox[")?;
        let media_end = media + find(&dictionary[media..], b"]")?;
        let media_box =
            std::str::from_utf8(&dictionary[media + b"/MediaBox[".len()..media_end]).ok()?;
        let [left, bottom, right, top] = rectangle(media_box)?;
        let boxes = format!(
            "]/BleedBox[{media_box}]/TrimBox[{:.3} {:.3} {:.3} {:.3}",
            left + bleed,
            bottom + bleed,
            right - bleed,
            top - bleed
        );
        let mut with = dictionary[..media_end].to_vec();
        with.extend_from_slice(boxes.as_bytes());
        with.extend_from_slice(&dictionary[media_end..]);
        pages.push(Page { number: number(&pdf[line..at])?, dictionary: with });
        from = end;
    }
    Some(pages)
}

fn rectangle(text: &str) -> Option<[f64; 4]> {
    let numbers: Vec<f64> =
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn number(bytes: &[u8]) -> Option<usize> {
    let digits: Vec<u8> = bytes
        .iter()
        .copied()
        .skip_while(u8::is_ascii_whitespace)
        .take_while(u8::is_ascii_digit)
        .collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn rfind(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).rposition(|window| window == needle)
}
