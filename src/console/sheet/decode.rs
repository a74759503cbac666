//! What kind of file it is, and CSV.

use super::{Fault, Grid, MOST_BYTES, MOST_COLUMNS, MOST_ROWS, Row, Table, workbook};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

/// Reads a table, whatever it came as, with every fault of it (at most some hundreds). A table
/// with faults is no table to use; it is there so that whoever knows its columns can add what else
/// is wrong.
#[must_use]
pub fn read(bytes: &[u8]) -> (Table, Vec<Fault>) {
    match grid_of(bytes) {
        Ok(grid) => grid.table(),
        Err(fault) => (Table::default(), vec![fault]),
    }
}

fn grid_of(bytes: &[u8]) -> Result<Grid, Fault> {
    if bytes.is_empty() {
        return Err(Fault::file("文件是空的", "选一个 CSV 或 XLSX 文件"));
    }
    if bytes.len() > MOST_BYTES {
        let what = format!("文件有 {} KB，最多 {} KB", bytes.len() / 1024, MOST_BYTES / 1024);
        return Err(Fault::file(what, "只留要导入的那张表，删掉图片和别的工作表"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        workbook::read(bytes)
    } else if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        let expected = "在 Excel 或 WPS 里“另存为”.xlsx 或 CSV，再来导入";
        Err(Fault::file("这是旧的 .xls 文件，或加了密码的工作簿", expected))
    } else {
        text_of(bytes).and_then(|text| csv(&text))
    }
}

/// The text in whichever encoding it is.
fn text_of(bytes: &[u8]) -> Result<String, Fault> {
    let decoded = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        [0xFF, 0xFE, rest @ ..] => whole(UTF_16LE, rest),
        [0xFE, 0xFF, rest @ ..] => whole(UTF_16BE, rest),
        other => match std::str::from_utf8(other) {
            Ok(text) => Some(text.to_owned()),
            // GB18030 holds all of GBK.
            Err(_) => whole(GB18030, other),
        },
    };
    let text = decoded.filter(|text| !text.contains('\0'));
    text.ok_or_else(|| {
        let expected = "存成 CSV（UTF-8）、CSV（GBK）或 XLSX，再来导入";
        Fault::file("读不出文字：不是 UTF-8，也不是 GBK，也不是 XLSX", expected)
    })
}

fn whole(encoding: &'static encoding_rs::Encoding, bytes: &[u8]) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned)
}

/// Commas, or what spreadsheets write instead of them.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |sign: u8| first.bytes().filter(|byte| *byte == sign).count();
    let mut best = b',';
    for sign in [b'\t', b';'] {
        if count(sign) > count(best) {
            best = sign;
        }
    }
    best
}

fn csv(text: &str) -> Result<Grid, Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut grid = Grid::default();
    let (mut counted, mut line) = (0, 1);
    for record in reader.records() {
        let record = record
            .map_err(|error| Fault::file(format!("CSV 读不下去：{error}"), "另存一次再导入"))?;
        // A record begins behind the line ends before it; the reader's own count does not.
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(text.len());
        let blank = text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
        line += text[counted..start + blank].matches('\n').count();
        counted = start + blank;
        let number = line;
        if record.len() > MOST_COLUMNS {
            let what = format!("第 {number} 行有 {} 列，最多 {MOST_COLUMNS} 列", record.len());
            return Err(Fault::file(what, "检查分隔符是不是逗号"));
        }
        if grid.rows.len() > MOST_ROWS {
            return Err(Fault::file(format!("超过 {MOST_ROWS} 行"), "拆成几个文件"));
        }
        grid.rows.push(Row { number, cells: record.iter().map(str::to_owned).collect() });
    }
    Ok(grid)
}
