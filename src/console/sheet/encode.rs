//! Tables on their way out. No cell leaves as a formula.

use super::neutral;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as CellFormat, Workbook, XlsxError};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSV in UTF-8 with a byte order mark: every spreadsheet program knows it then.
    Csv,
    /// CSV in GBK, for old spreadsheets on Chinese Windows.
    Gbk,
    /// XLSX; every cell is text.
    Xlsx,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Gbk, Self::Xlsx];

    /// Its name in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Gbk => "gbk",
            Self::Xlsx => "xlsx",
        }
    }

    /// By that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// What stands behind a file's dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        if self == Self::Xlsx { "xlsx" } else { "csv" }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Gbk => "text/csv; charset=gbk",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Why a table cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// GBK has no such character.
    #[error("GBK 里没有“{0}”这个字；请导出 CSV（UTF-8）或 XLSX")]
    NotInGbk(char),
    /// The writer's.
    #[error("XLSX 写不成：{0}")]
    Xlsx(#[from] XlsxError),
    /// The writer's.
    #[error("CSV 写不成：{0}")]
    Csv(String),
}

/// Writes a table: the same cells give the same bytes.
///
/// # Errors
/// [`EncodeError`].
pub fn write<R: AsRef<[String]>>(
    sheet: &str,
    header: &[&str],
    rows: &[R],
    format: Format,
) -> Result<Vec<u8>, EncodeError> {
    match format {
        Format::Xlsx => xlsx(sheet, header, rows),
        Format::Csv => {
            let mut bytes = vec![0xEF, 0xBB, 0xBF];
            bytes.extend_from_slice(csv(header, rows)?.as_bytes());
            Ok(bytes)
        }
        Format::Gbk => {
            let text = csv(header, rows)?;
            let (bytes, _, unmappable) = encoding_rs::GBK.encode(&text);
            if unmappable {
                return Err(EncodeError::NotInGbk(first_unmappable(&text)));
            }
            Ok(bytes.into_owned())
        }
    }
}

/// Every field in quotes, lines as spreadsheets on Windows end them (RFC 4180).
fn csv<R: AsRef<[String]>>(header: &[&str], rows: &[R]) -> Result<String, EncodeError> {
    let failed = |error: &dyn std::fmt::Display| EncodeError::Csv(error.to_string());
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(header).map_err(|error| failed(&error))?;
    for row in rows {
        let cells = row.as_ref().iter().map(|cell| neutral(cell));
        writer.write_record(cells).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn first_unmappable(text: &str) -> char {
    let missing = |c: &char| encoding_rs::GBK.encode(c.encode_utf8(&mut [0; 4])).2;
    text.chars().find(missing).unwrap_or('？')
}

fn xlsx<R: AsRef<[String]>>(
    sheet: &str,
    header: &[&str],
    rows: &[R],
) -> Result<Vec<u8>, EncodeError> {
    let mut workbook = Workbook::new();
    // A fixed day: the same table is the same file.
    let day = ExcelDateTime::from_ymd(2026, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&day));
    let text = CellFormat::new().set_num_format("@");
    let bold = text.clone().set_bold();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet)?;
    worksheet.set_freeze_panes(1, 0)?;
    for (column, name) in (0_u16..).zip(header) {
        worksheet.set_column_format(column, &text)?;
        worksheet.set_column_width(column, 16)?;
        worksheet.write_string_with_format(0, column, *name, &bold)?;
    }
    for (number, row) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(row.as_ref()) {
            worksheet.write_string_with_format(number, column, neutral(cell), &text)?;
        }
    }
    Ok(workbook.save_to_buffer()?)
}
