//! XLSX, read within limits: every part is inflated and counted before anything looks inside, and
//! cells are taken one after the other, so that a cell far away makes no large grid.

use super::{Fault, Grid, LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Row, letters};
use calamine::{DataRef, Reader as _, Xlsx};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

/// All parts of a workbook together, inflated.
const MOST_INFLATED: u64 = 48 << 20;
/// A workbook of one table has about a dozen parts.
const MOST_PARTS: usize = 300;
/// The most cells with something in them; texts are kept once each.
const MOST_CELLS: usize = MOST_ROWS * 16;

pub(super) fn read(bytes: &[u8]) -> Result<Grid, Fault> {
    inspect(bytes)?;
    let unread = |error: calamine::XlsxError| {
        Fault::file(format!("XLSX 读不下去：{error}"), "在 Excel 或 WPS 里另存一次再导入")
    };
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unread)?;
    let Some(sheet) = workbook.sheet_names().first().cloned() else {
        return Err(Fault::file("工作簿里没有工作表", "第一张工作表放要导入的表"));
    };
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(unread)?;
    let mut grid = Grid::default();
    let mut rows: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    while let Some(cell) = cells.next_cell_with_formula().map_err(unread)? {
        let number = cell.pos.0 as usize + 1;
        let column = cell.pos.1 as usize;
        if matches!(cell.value, DataRef::Empty) && cell.formula.is_none() {
            continue;
        }
        count += 1;
        if column >= MOST_COLUMNS {
            let what =
                format!("第 {number} 行 {} 列有内容，最多 {MOST_COLUMNS} 列", letters(column));
            return Err(Fault::file(what, "清掉表外的内容"));
        }
        if rows.len() > MOST_ROWS || count > MOST_CELLS {
            return Err(Fault::file(format!("超过 {MOST_ROWS} 行"), "拆成几个文件"));
        }
        let cells = rows.entry(number).or_default();
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        if cell.formula.is_some() {
            let expected = "复制，再“选择性粘贴 → 数值”";
            grid.fault(number, column, "这一格是公式".to_owned(), expected);
            continue;
        }
        match text(&cell.value) {
            Ok(text) => text.clone_into(&mut cells[column]),
            Err((what, expected)) => grid.fault(number, column, what, expected),
        }
    }
    grid.rows = rows.into_iter().map(|(number, cells)| Row { number, cells }).collect();
    Ok(grid)
}

/// A cell as text, or what is wrong with it and what was expected.
fn text(value: &DataRef<'_>) -> Result<String, (String, &'static str)> {
    let kept = |text: &str| {
        // Longer ones are told as faults; a copy of each would fill the memory.
        text.chars().take(LONGEST_CELL + 1).collect()
    };
    match value {
        DataRef::Empty => Ok(String::new()),
        DataRef::Int(number) => Ok(number.to_string()),
        DataRef::Float(number) => Ok(number.to_string()),
        DataRef::String(text) => Ok(kept(text)),
        DataRef::SharedString(text) => Ok(kept(text)),
        DataRef::Bool(value) => Ok(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        DataRef::Error(error) => Err((format!("这一格是错误值 {error}"), "改成应有的内容")),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => {
            Err(("这一格是日期或时间格式".to_owned(), "把这一列设成“文本”，再重新填"))
        }
    }
}

/// Inflates every part, counting: what the file says of its sizes is not believed.
fn inspect(bytes: &[u8]) -> Result<(), Fault> {
    let broken = |error: &dyn std::fmt::Display| {
        Fault::file(format!("XLSX 打不开：{error}"), "在 Excel 或 WPS 里另存一次再导入")
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if archive.len() > MOST_PARTS {
        let what = format!("压缩包里有 {} 个文件，不像一张表", archive.len());
        return Err(Fault::file(what, "只留要导入的那张表"));
    }
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(Fault::file("这个压缩包不是 XLSX 工作簿", "选一个 CSV 或 XLSX 文件"));
    }
    let mut total = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| broken(&error))?;
        let name = part.name().map_err(|error| broken(&error))?.to_ascii_lowercase();
        let mut part = part.take(MOST_INFLATED - total + 1);
        let mut counted = Vec::new();
        let shared = name.ends_with("sharedstrings.xml");
        total += if shared {
            part.read_to_end(&mut counted).map_err(|error| broken(&error))? as u64
        } else {
            std::io::copy(&mut part, &mut std::io::sink()).map_err(|error| broken(&error))?
        };
        if total > MOST_INFLATED {
            let what = format!("解开后超过 {} MB，没有读", MOST_INFLATED >> 20);
            return Err(Fault::file(what, "只留要导入的那张表，删掉空白行、图片和别的工作表"));
        }
        if shared {
            check_announced(&counted)?;
        }
    }
    Ok(())
}

/// The table of texts announces how many there are, and room for as many is made at once.
fn check_announced(xml: &[u8]) -> Result<(), Fault> {
    use quick_xml::events::Event;
    let garbled = || Fault::file("XLSX 的文字表读不懂", "在 Excel 或 WPS 里另存一次再导入");
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut buffer = Vec::new();
    loop {
        let event = reader.read_event_into(&mut buffer).map_err(|_| garbled())?;
        match event {
            Event::Start(start) | Event::Empty(start) => {
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|_| garbled())?;
                    let count = attribute.value.parse::<u64>().unwrap_or(0);
                    let is_count = attribute.key.local_name().as_ref() == "uniqueCount";
                    if is_count && count > MOST_CELLS as u64 {
                        let what = format!("工作簿自称有 {count} 段文字，没有读");
                        return Err(Fault::file(what, "只留要导入的那张表"));
                    }
                }
                return Ok(());
            }
            Event::Eof => return Ok(()),
            _ => buffer.clear(),
        }
    }
}
