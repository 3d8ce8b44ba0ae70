//! Tables as NumPy's archive of arrays: `X` (rows, columns), `columns`, `id`, `label`, `group`.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::npy::{self, Npy};
use super::{RawColumn, RawTable, Table, refuse};
use crate::DataError;

pub(super) fn encode(table: &Table, path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |e: &dyn std::fmt::Display| refuse(path, format!("cannot be written: {e}"));
    let mut arrays =
        vec![("X".to_owned(), npy::matrix(table.values())), ("columns".into(), npy::text(table.columns()))];
    for (name, text) in table.texts() {
        if text.iter().any(|t| t.ends_with('\0')) {
            return Err(refuse(path, format!("a {name} ends in a null character, which NumPy's text loses")));
        }
        arrays.push((name.into(), npy::text(text)));
    }
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    // No time of writing: the same table is the same bytes.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    for (name, bytes) in arrays {
        out.start_file(format!("{name}.npy"), options).map_err(|e| failed(&e))?;
        out.write_all(&bytes).map_err(|e| failed(&e))?;
    }
    Ok(out.finish().map_err(|e| failed(&e))?.into_inner())
}

pub(super) fn decode(bytes: Vec<u8>, path: &Path) -> Result<RawTable, DataError> {
    let bad = |e: &dyn std::fmt::Display| refuse(path, format!("is no .npz archive: {e}"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| bad(&e))?;
    let mut columns = Vec::new();
    let (mut matrix, mut names) = (None, None);
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).map_err(|e| bad(&e))?;
        let name = file.name().map_err(|e| bad(&e))?.trim_end_matches(".npy").to_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(|e| bad(&e))?;
        let array = npy::read(&content).map_err(|e| refuse(path, format!("{name} {e}")))?;
        match (name.as_str(), array) {
            ("X", Npy::Numbers(values, rows, width)) => matrix = Some((values, rows, width)),
            ("columns", Npy::Text(text)) => names = Some(text),
            (_, Npy::Text(text)) => columns.push((name, RawColumn::Text(text))),
            (_, Npy::Numbers(values, _, 1)) => columns.push((name, RawColumn::Number(values))),
            (_, Npy::Numbers(_, rows, width)) => {
                return Err(refuse(path, format!("{name} is {rows} x {width}, only X may have two axes")));
            }
        }
    }
    let Some((values, rows, width)) = matrix else {
        return Err(refuse(path, "has no array X of numbers"));
    };
    let names = names.unwrap_or_else(|| (0..width).map(|i| format!("x{i}")).collect());
    if names.len() != width {
        return Err(refuse(path, format!("{} names for {width} columns", names.len())));
    }
    for (name, column) in &columns {
        let length = match column {
            RawColumn::Text(text) => text.len(),
            RawColumn::Number(numbers) => numbers.len(),
        };
        if length != rows {
            return Err(refuse(path, format!("{name} has {length} values for {rows} rows")));
        }
    }
    for (at, name) in names.into_iter().enumerate() {
        let numbers = values.iter().skip(at).step_by(width.max(1)).copied().collect();
        columns.push((name, RawColumn::Number(numbers)));
    }
    Ok(RawTable { rows, columns })
}
