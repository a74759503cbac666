//! Tables as people exchange them: CSV in UTF-8 (with or without a byte order mark) or GBK, and
//! XLSX; in and out.
//!
//! What comes in is not trusted: files are read within limits (a kilobyte of XLSX can inflate to
//! gigabytes), formulas are refused, and every fault of every row is told with its row, its column
//! and what was expected. What goes out carries no formula either: a cell that a spreadsheet would
//! run gets an apostrophe before it (OWASP, “CSV Injection”).

mod decode;
mod encode;
mod workbook;

pub use decode::read;
pub use encode::{EncodeError, Format, write};

use std::fmt;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 2 << 20;
/// The most rows below the header.
pub const MOST_ROWS: usize = 20_000;
/// The most columns.
pub const MOST_COLUMNS: usize = 64;
/// The longest cell, in characters.
pub const LONGEST_CELL: usize = 2_000;

/// A table that was read: every cell trimmed, rows without anything in them left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows below it, each as wide as the header.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file, counted from one with the header.
    pub number: usize,
    /// Its cells.
    pub cells: Vec<String>,
}

/// Something in a file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The row, counted from one; 0 for the whole file.
    pub row: usize,
    /// The column by its name, or by its letter where it has none; empty for the whole row.
    pub column: String,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub expected: String,
}

impl Fault {
    /// Something about the whole file.
    pub fn file(what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { row: 0, column: String::new(), what: what.into(), expected: expected.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.row > 0 {
            write!(f, "第 {} 行", self.row)?;
        }
        if !self.column.is_empty() {
            write!(f, " {} 列", self.column)?;
        }
        let colon = if self.row > 0 { "：" } else { "" };
        write!(f, "{colon}{}。{}", self.what, self.expected)
    }
}

/// Whether a spreadsheet would take a cell for a formula (OWASP, “CSV Injection”; full-width signs
/// count as well where the input method is Chinese or Japanese).
#[must_use]
pub fn is_formula(cell: &str) -> bool {
    let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    cell.starts_with(signs)
}

/// A cell as it may leave: text that would run stands behind an apostrophe.
#[must_use]
pub fn neutral(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// A column's letters: `A`, `Z`, `AA`.
#[must_use]
pub fn letters(index: usize) -> String {
    let mut text = String::new();
    let mut rest = index + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        text.insert(0, char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    text
}

/// Cells as they came, with their places; made into a [`Table`] in one way for every format.
#[derive(Debug, Default)]
struct Grid {
    rows: Vec<Row>,
    faults: Vec<Fault>,
}

/// So many faults are told; whoever has more mends these first.
const MOST_FAULTS: usize = 500;

impl Grid {
    fn fault(&mut self, row: usize, column: usize, what: String, expected: &str) {
        if self.faults.len() < MOST_FAULTS {
            let column = letters(column);
            self.faults.push(Fault { row, column, what, expected: expected.to_owned() });
        }
    }

    /// Looks at every cell and puts the rows under the header.
    fn table(mut self) -> (Table, Vec<Fault>) {
        let rows = std::mem::take(&mut self.rows);
        let mut rows = rows.into_iter().map(trimmed).filter(|row| !row.cells.is_empty());
        let Some(header) = rows.next() else {
            self.faults
                .insert(0, Fault::file("文件里没有内容", "第一行写列名，从第二行起一行一条"));
            return (Table::default(), self.faults);
        };
        let mut table = Table { header: header.cells, rows: Vec::new() };
        self.check_cells(header.number, &table.header.clone());
        for row in rows {
            self.check_cells(row.number, &row.cells);
            let width = table.header.len();
            if let Some(index) = row.cells.iter().skip(width).position(|cell| !cell.is_empty()) {
                let what = format!("表头只有 {width} 列，这一行多出了内容");
                let expected = "删掉多出的一格；内容里有逗号就整格加英文双引号";
                self.fault(row.number, width + index, what, expected);
            }
            let mut cells = row.cells;
            cells.resize(width, String::new());
            table.rows.push(Row { number: row.number, cells });
        }
        if table.rows.len() > MOST_ROWS {
            let what = format!("有 {} 行，最多 {MOST_ROWS} 行", table.rows.len());
            self.faults.insert(0, Fault::file(what, "拆成几个文件"));
        }
        self.name_columns(&table.header);
        (table, self.faults)
    }

    fn check_cells(&mut self, number: usize, cells: &[String]) {
        for (index, cell) in cells.iter().enumerate() {
            let quoted = cell.strip_prefix('\'').is_some_and(is_formula);
            if is_formula(cell) || quoted {
                let what = format!("“{}”会被表格软件当成公式", shortened(cell));
                let expected = "单元格不能以 = + - @ 开头；电话写 0086… 或区号在前";
                self.fault(number, index, what, expected);
            } else if cell.chars().any(char::is_control) {
                let what = format!("“{}”里有换行或看不见的控制字符", shortened(cell));
                self.fault(number, index, what, "一格只写一行文字");
            } else if cell.chars().count() > LONGEST_CELL {
                let what = format!("这一格有 {} 个字", cell.chars().count());
                let expected = format!("至多 {LONGEST_CELL} 个字");
                self.fault(number, index, what, &expected);
            }
        }
    }

    /// Letters become the names that the header gives the columns.
    fn name_columns(&mut self, header: &[String]) {
        for fault in &mut self.faults {
            let named =
                header.iter().enumerate().find(|(index, _)| letters(*index) == fault.column);
            if let Some((_, name)) = named.filter(|(_, name)| !name.is_empty()) {
                fault.column.clone_from(name);
            }
        }
    }
}

/// Cells without blanks around them; empty cells at the end go.
fn trimmed(mut row: Row) -> Row {
    for cell in &mut row.cells {
        // A tab or a carriage return at the start is no blank: it is how formulas are smuggled.
        let inner = cell.trim_matches(|c: char| c.is_whitespace() && !c.is_control());
        let inner = if is_formula(inner) { inner } else { inner.trim() };
        if inner.len() != cell.len() {
            *cell = inner.to_owned();
        }
    }
    while row.cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        row.cells.pop();
    }
    row
}

fn shortened(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(24).collect();
    if text.chars().count() > 24 { format!("{shown}…") } else { shown }
}
