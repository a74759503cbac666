//! The tables of branches and screens.

use super::{faults::Faults, fields::shorten, suggest};
use crate::model::{Branch, BranchId, Screen, Span};
use std::collections::{BTreeMap, BTreeSet};

const BRANCH_COLUMNS: &[&str] =
    &["id", "name", "district", "tags", "address", "hotline", "hours", "gateway"];
/// Columns that a table may leave out.
const OPTIONAL_COLUMNS: &[&str] = &["gateway"];
const SCREEN_COLUMNS: &[&str] =
    &["branch", "screen", "profile", "width", "height", "mm_width", "distance_m", "dwell_s"];
/// More pixels than any screen has; a limit, because posters are drawn in memory.
const MAX_PIXELS: u32 = 16_384;

/// Reads `branches.csv`. A row with a fault is left out.
pub(super) fn read_branches(faults: &mut Faults) -> Vec<Branch> {
    let mut branches = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows(BRANCH_COLUMNS, faults) {
        let before = faults.len();
        let id = BranchId::new(row.get("id"));
        if id.is_err() {
            row.bad(faults, "id", "只用小写字母、数字和连字符，以字母开头，例如 b001。");
        }
        row.require(faults, "name", "写网点的名字。");
        let Ok(id) = id else { continue };
        if !seen.insert(id.clone()) {
            row.twice(faults, "id");
        }
        if faults.len() > before {
            continue;
        }
        let hotline = Some(row.get("hotline")).filter(|hotline| !hotline.is_empty());
        branches.push(Branch {
            id,
            name: row.get("name").to_owned(),
            district: row.get("district").to_owned(),
            tags: tags(row.get("tags")),
            address: row.get("address").to_owned(),
            hotline: hotline.map(str::to_owned),
            hours: row.get("hours").to_owned(),
            gateway: Some(row.get("gateway")).filter(|name| !name.is_empty()).map(str::to_owned),
        });
    }
    branches
}

/// Reads `screens.csv`. A row with a fault is left out. `branches` is `None` where that table has
/// faults of its own.
pub(super) fn read_screens(branches: Option<&[Branch]>, faults: &mut Faults) -> Vec<Screen> {
    let mut screens = Vec::new();
    let mut seen = BTreeSet::new();
    let mut sizes: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for row in rows(SCREEN_COLUMNS, faults) {
        let before = faults.len();
        let name = row.get("branch");
        let branch = BranchId::new(name);
        row.check_branch(branches, faults);
        row.require(faults, "screen", "写屏幕在网点里的名字，例如 s1。");
        row.require(faults, "profile", "写规格名；同一规格的屏幕共用海报。");
        let width = row.pixels(faults, "width");
        let height = row.pixels(faults, "height");
        let mm_width = row.measure(faults, "mm_width");
        let distance_m = row.measure(faults, "distance_m");
        let dwell_s = row.measure(faults, "dwell_s");
        if !seen.insert((name.to_owned(), row.get("screen").to_owned())) {
            row.twice(faults, "screen");
        }
        let profile = row.get("profile").to_owned();
        let size = *sizes.entry(profile.clone()).or_insert((width, height));
        if faults.len() == before && size != (width, height) {
            row.bad(
                faults,
                "profile",
                &format!("这个规格前面是 {}×{}；尺寸不同就另起一个规格名。", size.0, size.1),
            );
        }
        let Ok(branch) = branch else { continue };
        if faults.len() > before {
            continue;
        }
        let screen = row.get("screen").to_owned();
        screens.push(Screen {
            branch,
            screen,
            profile,
            width,
            height,
            mm_width,
            distance_m,
            dwell_s,
        });
    }
    screens
}

fn tags(text: &str) -> Vec<String> {
    let parts = text.split([';', '；']).map(str::trim);
    parts.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// One row below the header.
struct Row {
    columns: Vec<usize>,
    names: &'static [&'static str],
    record: csv::StringRecord,
    span: Span,
}

/// Reads the header and all rows that have as many fields as it.
fn rows(names: &'static [&'static str], faults: &mut Faults) -> Vec<Row> {
    let file = std::sync::Arc::clone(faults.file());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(file.text.as_bytes());
    let mut columns: Option<Vec<usize>> = None;
    let mut width = 0;
    let mut rows = Vec::new();
    for record in reader.records() {
        // The text is valid UTF-8 and the reader flexible, so nothing is left that could fail.
        let Ok(record) = record else { continue };
        let start = record
            .position()
            .map_or(0, |position| usize::try_from(position.byte()).unwrap_or_default());
        let start = start.min(file.text.len());
        let blank =
            file.text[start..].len() - file.text[start..].trim_start_matches(['\r', '\n']).len();
        let start = start + blank;
        let length = file.text[start..].lines().next().map_or(0, str::len);
        let span = Span::new(start, start + length);
        let Some(columns) = &columns else {
            let Some(header) = read_header(names, &record, span, faults) else {
                return rows;
            };
            width = record.len();
            columns = Some(header);
            continue;
        };
        if record.len() != width {
            faults.error(
                "read/csv-columns",
                span,
                format!("这一行有 {} 列，表头有 {width} 列", record.len()),
                "补上或删掉逗号；空着的列也要留逗号，内容里有逗号就加英文双引号。".into(),
            );
            continue;
        }
        rows.push(Row { columns: columns.clone(), names, record, span });
    }
    rows
}

fn read_header(
    names: &[&str],
    record: &csv::StringRecord,
    span: Span,
    faults: &mut Faults,
) -> Option<Vec<usize>> {
    let before = faults.len();
    for column in record {
        if !names.contains(&column) {
            faults.error(
                "read/csv-header",
                span,
                format!("表头里没有“{}”这一列", shorten(column)),
                suggest::known(column, names.iter().copied()),
            );
        }
    }
    let required: Vec<&str> =
        names.iter().copied().filter(|name| !OPTIONAL_COLUMNS.contains(name)).collect();
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        match record.iter().position(|column| column == *name) {
            Some(index) => columns.push(index),
            // No record has so many fields: it reads as empty.
            None if OPTIONAL_COLUMNS.contains(name) => columns.push(usize::MAX),
            None => faults.error(
                "read/csv-header",
                span,
                format!("表头缺少 {name} 这一列"),
                format!("第一行写：{}", required.join(",")),
            ),
        }
    }
    (faults.len() == before).then_some(columns)
}

impl Row {
    fn get(&self, name: &str) -> &str {
        let index = self.names.iter().position(|other| *other == name);
        let column = index.and_then(|index| self.columns.get(index));
        column.and_then(|column| self.record.get(*column)).unwrap_or_default()
    }

    fn bad(&self, faults: &mut Faults, name: &str, help: &str) {
        let reason = format!("{name} 这一列不能是“{}”", shorten(self.get(name)));
        faults.error("read/csv-value", self.field_span(name, faults), reason, help.to_owned());
    }

    fn require(&self, faults: &mut Faults, name: &str, help: &str) {
        if self.get(name).is_empty() {
            faults.error(
                "read/csv-value",
                self.span,
                format!("{name} 这一列是空的"),
                help.to_owned(),
            );
        }
    }

    fn twice(&self, faults: &mut Faults, name: &str) {
        let reason = format!("“{}”写了两行", self.get(name));
        let span = self.field_span(name, faults);
        faults.error("read/duplicate-id", span, reason, "改掉或删掉其中一行。".into());
    }

    /// Reports a branch that is not in the table of branches.
    fn check_branch(&self, branches: Option<&[Branch]>, faults: &mut Faults) {
        let name = self.get("branch");
        let known = branches.is_none_or(|all| all.iter().any(|branch| branch.id.as_str() == name));
        if known && BranchId::new(name).is_ok() {
            return;
        }
        let ids = branches.unwrap_or_default().iter().map(|branch| branch.id.as_str());
        let near = suggest::nearest(name, ids);
        let hint = near.map(|near| format!("是不是想写 {near}？")).unwrap_or_default();
        self.bad(faults, "branch", &format!("{hint}写 branches.csv 里有的网点。"));
    }

    fn pixels(&self, faults: &mut Faults, name: &str) -> u32 {
        match self.get(name).parse() {
            Ok(pixels) if (1..=MAX_PIXELS).contains(&pixels) => pixels,
            _ => {
                self.bad(faults, name, &format!("写像素数，1 到 {MAX_PIXELS} 的整数。"));
                0
            }
        }
    }

    fn measure(&self, faults: &mut Faults, name: &str) -> f32 {
        match self.get(name).parse::<f32>() {
            Ok(measure) if measure.is_finite() && measure > 0.0 => measure,
            _ => {
                self.bad(faults, name, "写一个大于 0 的数。");
                0.0
            }
        }
    }

    /// The field's own place, or the row's where quotes make counting commas wrong.
    fn field_span(&self, name: &str, faults: &Faults) -> Span {
        let line = faults.text().get(self.span.start..self.span.end).unwrap_or_default();
        let index = self.names.iter().position(|other| *other == name);
        let column = index.and_then(|index| self.columns.get(index)).copied();
        let (Some(column), false) = (column, line.contains('"')) else {
            return self.span;
        };
        let start: usize = line.split(',').take(column).map(|field| field.len() + 1).sum();
        let length = line.split(',').nth(column).map_or(0, str::len);
        Span::new(self.span.start + start, self.span.start + start + length)
    }
}
