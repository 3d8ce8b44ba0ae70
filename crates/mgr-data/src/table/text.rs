//! Tables as comma-separated values.

use std::path::Path;

use super::{RawTable, Table, digits, refuse, typed};
use crate::DataError;

pub(super) fn encode(table: &Table, path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |e: csv::Error| refuse(path, format!("cannot be written: {e}"));
    let mut out = csv::Writer::from_writer(Vec::new());
    let texts: Vec<_> = table.texts().collect();
    let header = texts.iter().map(|(name, _)| *name).chain(table.columns().iter().map(String::as_str));
    out.write_record(header).map_err(failed)?;
    for (row, values) in table.values().outer_iter().enumerate() {
        for (_, text) in &texts {
            out.write_field(text.get(row).map_or("", String::as_str)).map_err(failed)?;
        }
        for value in values {
            out.write_field(digits(*value, "")).map_err(failed)?;
        }
        out.write_record(None::<&[u8]>).map_err(failed)?;
    }
    out.into_inner().map_err(|e| refuse(path, format!("cannot be written: {e}")))
}

pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<RawTable, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = |line: u64, reason: String| DataError::Line { path: path.to_path_buf(), line, reason };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let headers = reader.headers().map_err(|e| line(1, e.to_string()))?.clone();
    if headers.iter().all(str::is_empty) {
        return Err(refuse(path, "is empty, expected a first line with the columns' names"));
    }
    let mut names: Vec<String> = headers.iter().map(|h| h.trim().to_owned()).collect();
    // pandas writes its row numbers under no name.
    let numbered = names.first().is_some_and(String::is_empty);
    if numbered {
        "row".clone_into(&mut names[0]);
    }
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|e| line(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        if record.len() != names.len() {
            let at = record.position().map_or(0, csv::Position::line);
            return Err(line(at, format!("{} columns, expected {}", record.len(), names.len())));
        }
        for (column, cell) in cells.iter_mut().zip(&record) {
            column.push(cell.to_owned());
        }
        rows += 1;
    }
    let mut columns: Vec<_> = names.into_iter().zip(cells).map(|(name, cells)| typed(name, cells)).collect();
    if numbered {
        columns.remove(0);
    }
    Ok(RawTable { rows, columns })
}
