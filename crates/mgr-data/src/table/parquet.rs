//! Tables as Parquet, without Arrow.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::{RawColumn, RawTable, Table, refuse, single};
use crate::DataError;

/// Rows of one group: what a reader may take at a time.
const GROUP: usize = 65_536;

fn field(name: &str, physical: Physical, repetition: Repetition) -> Result<TypePtr, ParquetError> {
    let mut builder = Type::primitive_type_builder(name, physical).with_repetition(repetition);
    if physical == Physical::BYTE_ARRAY {
        builder = builder.with_logical_type(Some(LogicalType::String));
    }
    Ok(Arc::new(builder.build()?))
}

pub(super) fn encode(table: &Table, path: &Path) -> Result<Vec<u8>, DataError> {
    write(table).map_err(|e| refuse(path, format!("cannot be written: {e}")))
}

fn write(table: &Table) -> Result<Vec<u8>, ParquetError> {
    let texts: Vec<_> = table.texts().collect();
    let values = table.values();
    let narrow: Vec<bool> = values.columns().into_iter().map(|c| single(c.iter())).collect();
    let mut fields = Vec::new();
    for (name, _) in &texts {
        fields.push(field(name, Physical::BYTE_ARRAY, Repetition::REQUIRED)?);
    }
    for (name, narrow) in table.columns().iter().zip(&narrow) {
        let physical = if *narrow { Physical::FLOAT } else { Physical::DOUBLE };
        fields.push(field(name, physical, Repetition::OPTIONAL)?);
    }
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    // No dictionaries: numbers of features seldom repeat, and texts are few.
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_created_by("mgr".into())
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    for start in (0..values.nrows()).step_by(GROUP) {
        let end = (start + GROUP).min(values.nrows());
        let mut group = writer.next_row_group()?;
        for (_, text) in &texts {
            let Some(mut column) = group.next_column()? else { break };
            let bytes: Vec<ByteArray> =
                text.iter().take(end).skip(start).map(|t| ByteArray::from(t.as_str())).collect();
            column.typed::<ByteArrayType>().write_batch(&bytes, None, None)?;
            column.close()?;
        }
        for (number, narrow) in narrow.iter().enumerate() {
            let Some(mut column) = group.next_column()? else { break };
            let cells = values.column(number);
            let cells = cells.iter().take(end).skip(start);
            let levels: Vec<i16> = cells.clone().map(|v| i16::from(!v.is_nan())).collect();
            let present = cells.filter(|v| !v.is_nan());
            if *narrow {
                let present: Vec<f32> = present.map(|v| *v as f32).collect();
                column.typed::<FloatType>().write_batch(&present, Some(&levels), None)?;
            } else {
                let present: Vec<f64> = present.copied().collect();
                column.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
            }
            column.close()?;
        }
        group.close()?;
    }
    writer.into_inner()
}

pub(super) fn decode(bytes: Vec<u8>, path: &Path) -> Result<RawTable, DataError> {
    read(bytes).map_err(|e| refuse(path, format!("cannot be read as Parquet: {e}")))
}

fn read(bytes: Vec<u8>) -> Result<RawTable, ParquetError> {
    // The reader wants its own type of bytes, which a vector becomes without copying.
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let mut columns: Vec<(String, RawColumn)> = Vec::with_capacity(schema.num_columns());
    for column in schema.columns() {
        if column.max_rep_level() > 0 || column.max_def_level() > 1 || column.path().parts().len() > 1 {
            return Err(ParquetError::General(format!("column {} is nested", column.path())));
        }
        let content = match column.physical_type() {
            Physical::BYTE_ARRAY => RawColumn::Text(Vec::new()),
            Physical::BOOLEAN | Physical::INT32 | Physical::INT64 | Physical::FLOAT | Physical::DOUBLE => {
                RawColumn::Number(Vec::new())
            }
            other => {
                return Err(ParquetError::General(format!(
                    "column {} is of the type {other}, which is not read",
                    column.name()
                )));
            }
        };
        columns.push((column.name().to_owned(), content));
    }
    let mut rows = 0;
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number)?;
        let count = usize::try_from(group.metadata().num_rows())
            .map_err(|_| ParquetError::General("a negative number of rows".into()))?;
        rows += count;
        for (index, (name, content)) in columns.iter_mut().enumerate() {
            let got = fill(group.get_column_reader(index)?, content)?;
            if got != count {
                return Err(ParquetError::General(format!("column {name} has {got} of {count} rows")));
            }
        }
    }
    // pandas keeps the numbers of its rows where they are not 0, 1, 2, ...
    columns.retain(|(name, _)| !name.starts_with("__index_level_"));
    Ok(RawTable { rows, columns })
}

/// Reads one column of one group to its end; how many rows it has.
fn fill(reader: ColumnReader, content: &mut RawColumn) -> Result<usize, ParquetError> {
    macro_rules! numbers {
        ($reader:expr, $numbers:expr, $convert:expr) => {{
            let (values, levels) =
                all(|levels, values| $reader.read_records(GROUP, Some(levels), None, values))?;
            spread(values.into_iter().map($convert), &levels, f64::NAN, $numbers)
        }};
    }
    Ok(match (reader, content) {
        (ColumnReader::ByteArrayColumnReader(mut reader), RawColumn::Text(texts)) => {
            let (values, levels) =
                all(|levels, values| reader.read_records(GROUP, Some(levels), None, values))?;
            let decoded: Result<Vec<String>, ParquetError> =
                values.iter().map(|v: &ByteArray| v.as_utf8().map(str::to_owned)).collect();
            spread(decoded?.into_iter(), &levels, String::new(), texts)
        }
        (ColumnReader::BoolColumnReader(mut r), RawColumn::Number(n)) => {
            numbers!(r, n, |v: bool| f64::from(u8::from(v)))
        }
        (ColumnReader::Int32ColumnReader(mut r), RawColumn::Number(n)) => {
            numbers!(r, n, |v: i32| f64::from(v))
        }
        (ColumnReader::Int64ColumnReader(mut r), RawColumn::Number(n)) => numbers!(r, n, |v: i64| v as f64),
        (ColumnReader::FloatColumnReader(mut r), RawColumn::Number(n)) => {
            numbers!(r, n, |v: f32| f64::from(v))
        }
        (ColumnReader::DoubleColumnReader(mut r), RawColumn::Number(n)) => numbers!(r, n, |v: f64| v),
        _ => return Err(ParquetError::General("a column changes its type".into())),
    })
}

/// All records of a column: the values that are there, and for each record whether it has one (empty where all have).
fn all<T>(
    mut read: impl FnMut(&mut Vec<i16>, &mut Vec<T>) -> Result<(usize, usize, usize), ParquetError>,
) -> Result<(Vec<T>, Vec<i16>), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    while read(&mut levels, &mut values)?.0 > 0 {}
    Ok((values, levels))
}

fn spread<T: Clone>(
    mut values: impl Iterator<Item = T>,
    levels: &[i16],
    missing: T,
    out: &mut Vec<T>,
) -> usize {
    let before = out.len();
    if levels.is_empty() {
        out.extend(values);
    } else {
        out.extend(
            levels
                .iter()
                .map(|l| (*l > 0).then(|| values.next()).flatten().unwrap_or_else(|| missing.clone())),
        );
    }
    out.len() - before
}
