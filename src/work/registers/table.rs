//! Rows as text and back, and what differs between two tables.

use super::{NumberedRow, Register, RowChange, RowFate, RowFault};
use crate::{model::Diagnostic, work::WorkError};
use std::collections::BTreeMap;

/// UTF-8 or GBK, without a byte order mark: as the reader takes it.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GBK.decode_without_bom_handling(bytes).0.into_owned(),
    };
    text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text)
}

/// The rows below the header, their columns in the register's order.
pub(super) fn rows_of(register: Register, text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records().filter_map(Result::ok);
    let header = records.next().unwrap_or_default();
    let places: Vec<Option<usize>> = register
        .columns()
        .iter()
        .map(|(name, _, _)| header.iter().position(|own| own == *name))
        .collect();
    let cell = |record: &csv::StringRecord, place: &Option<usize>| {
        place.and_then(|place| record.get(place)).unwrap_or_default().to_owned()
    };
    records.map(|record| places.iter().map(|place| cell(&record, place)).collect()).collect()
}

/// The file that rows make: one line a row, so that line numbers and rows belong together.
pub(super) fn text_of(register: Register, rows: &[NumberedRow]) -> Result<String, WorkError> {
    let failed = |error: &dyn std::fmt::Display| WorkError::Faults(vec![error.to_string()]);
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let header = register.columns().iter().map(|(name, _, _)| *name);
    writer.write_record(header).map_err(|error| failed(&error))?;
    for (_, row) in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

pub(super) fn fault_of(register: Register, found: &Diagnostic, rows: &[NumberedRow]) -> RowFault {
    let line = found.position().map_or(0, |(line, _)| line);
    // Line 1 is the header.
    let row =
        line.checked_sub(2).and_then(|index| rows.get(index)).map_or(0, |(number, _)| *number);
    let columns = register.columns().iter().map(|(name, _, _)| *name);
    let mut named = columns.filter(|name| found.reason.starts_with(&format!("{name} ")));
    // A row that is there twice is told of its key.
    let key = register.columns()[register.key_columns() - 1].0;
    let twice = (found.code == "read/duplicate-id").then_some(key);
    RowFault {
        row,
        column: named.next().or(twice).unwrap_or_default().to_owned(),
        what: found.reason.clone(),
        expected: found.help.clone(),
    }
}

pub(super) fn changes(
    register: Register,
    old: &[Vec<String>],
    new: &[Vec<String>],
) -> (Vec<RowChange>, usize) {
    let keys = register.key_columns();
    let key = |row: &Vec<String>| row[..keys].join(" ");
    let mut before: BTreeMap<String, &Vec<String>> =
        old.iter().map(|row| (key(row), row)).collect();
    let mut changes = Vec::new();
    let mut same = 0;
    for row in new {
        let (fate, fields) = match before.remove(&key(row)) {
            None => (RowFate::New, Vec::new()),
            Some(was) if was == row => {
                same += 1;
                continue;
            }
            Some(was) => {
                let pairs = was.iter().zip(row).zip(register.columns());
                let changed = pairs.filter(|((was, now), _)| was != now);
                let fields =
                    changed.map(|((was, now), (name, _, _))| (*name, was.clone(), now.clone()));
                (RowFate::Changed, fields.collect())
            }
        };
        changes.push(RowChange { fate, key: key(row), name: row[keys].clone(), fields });
    }
    let gone = before.into_iter().map(|(key, row)| RowChange {
        fate: RowFate::Gone,
        key,
        name: row[keys].clone(),
        fields: Vec::new(),
    });
    changes.extend(gone);
    changes.sort_by_key(|change| std::cmp::Reverse(change.fate));
    (changes, same)
}
