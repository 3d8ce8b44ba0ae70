//! Tables of feature vectors: one row an item, one named column a feature, as Parquet, CSV, ARFF and NPZ.
//!
//! Beside its numbers a table has the names of its rows (`id`), and where known their class (`label`) and what must stay on one
//! side of a split (`group`, such as the artist).
//!
//! | ending | what | read by |
//! |---|---|---|
//! | `.parquet` | columns of 32 or 64 bits, text columns, Snappy | pandas, Polars, DuckDB, Spark |
//! | `.csv` | a header, quoted where need be, the shortest digits that give the same number | everything |
//! | `.arff` | numeric attributes, the label as a nominal one | Weka, scipy |
//! | `.npz` | the arrays `X`, `columns`, `id`, `label`, `group` | NumPy, without pickling |
//!
//! A missing value is NaN: an empty cell in CSV, `?` in ARFF, null in Parquet. All four give back what was written, bit for bit; in
//! Parquet and NPZ numbers that are all of 32 bits take 32 bits.
//!
//! ```
//! use mgr_data::table::Table;
//! use ndarray::array;
//!
//! let table = Table::new(
//!     vec!["a.wav".into(), "b.wav".into()],
//!     vec!["mfcc1_mean".into(), "mfcc1_std".into()],
//!     array![[0.5, 1.0], [0.25, f64::NAN]],
//! )?
//! .with_labels(vec!["rock".into(), "hip hop".into()])?;
//! # let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("features.parquet");
//! table.write(&path)?;
//! assert_eq!(Table::read(&path)?.labels(), table.labels());
//! # Ok::<(), mgr_data::DataError>(())
//! ```

mod arff;
mod builder;
mod npy;
mod npz;
mod parquet;
mod text;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use ndarray::{Array2, ArrayView2};

pub use builder::{Statistic, column_names, vector};

use crate::{DataError, write_atomic};

/// The names that the three text columns are written under.
const RESERVED: [&str; 3] = ["id", "label", "group"];

/// Feature vectors by row, with named columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    ids: Vec<String>,
    labels: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    columns: Vec<String>,
    values: Array2<f64>,
}

/// A kind of file that holds a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values.
    Csv,
    /// Weka's attribute-relation file format.
    Arff,
    /// NumPy's archive of arrays.
    Npz,
}

impl TableFormat {
    /// The format by a path's ending.
    ///
    /// # Errors
    /// [`DataError::Table`] for another ending.
    pub fn of(path: &Path) -> Result<Self, DataError> {
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or("").to_ascii_lowercase();
        match ending.as_str() {
            "parquet" | "pq" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            "arff" => Ok(Self::Arff),
            "npz" => Ok(Self::Npz),
            _ => Err(refuse(path, "the name of a table has to end in .parquet, .csv, .arff or .npz")),
        }
    }
}

/// Which columns of a file are what. Names are compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column that names the rows. Default: the first of `id`, `filename`, `file`, `path`, `track`, `track_id`; without one
    /// the rows are numbered from 0.
    pub id: Option<String>,
    /// The column of the class. Default: the first of `label`, `genre`, `class`, `genre_top`; without one there are no labels.
    pub label: Option<String>,
    /// The column of the group. Default: the first of `group`, `artist`; without one there are no groups.
    pub group: Option<String>,
    /// Columns to leave out, such as those of other texts.
    pub ignore: Vec<String>,
}

pub(crate) fn refuse(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Table { what: path.display().to_string(), reason: reason.into() }
}

fn wrong(reason: String) -> DataError {
    DataError::Table { what: "table".into(), reason }
}

impl Table {
    /// A table of named rows and columns.
    ///
    /// # Errors
    /// [`DataError::Table`] when the lengths do not agree, when a column's name is empty, is there twice or is `id`, `label` or
    /// `group`, or when a value is infinite (NaN stands for a missing one).
    pub fn new(ids: Vec<String>, columns: Vec<String>, values: Array2<f64>) -> Result<Self, DataError> {
        if values.dim() != (ids.len(), columns.len()) {
            let (rows, width) = values.dim();
            let (ids, columns) = (ids.len(), columns.len());
            return Err(wrong(format!("{rows} x {width} values for {ids} rows and {columns} columns")));
        }
        let mut seen = BTreeSet::new();
        for name in &columns {
            if name.is_empty() {
                return Err(wrong("a column has no name".into()));
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(wrong(format!("{name} cannot be a feature's name: it is that of a text column")));
            }
            if !seen.insert(name) {
                return Err(wrong(format!("two columns are named {name}")));
            }
        }
        if let Some(((row, column), value)) = values.indexed_iter().find(|(_, v)| v.is_infinite()) {
            let (id, name) = (&ids[row], &columns[column]);
            return Err(wrong(format!("{name} of {id} is {value}, a number or NaN (missing) is needed")));
        }
        let values =
            if values.is_standard_layout() { values } else { values.as_standard_layout().into_owned() };
        Ok(Self { ids, labels: None, groups: None, columns, values })
    }

    /// The same table with a class for each row.
    ///
    /// # Errors
    /// [`DataError::Table`] for another number of labels than rows.
    pub fn with_labels(mut self, labels: Vec<String>) -> Result<Self, DataError> {
        self.check_length("labels", labels.len())?;
        self.labels = Some(labels);
        Ok(self)
    }

    /// The same table with a group for each row.
    ///
    /// # Errors
    /// [`DataError::Table`] for another number of groups than rows.
    pub fn with_groups(mut self, groups: Vec<String>) -> Result<Self, DataError> {
        self.check_length("groups", groups.len())?;
        self.groups = Some(groups);
        Ok(self)
    }

    fn check_length(&self, what: &str, got: usize) -> Result<(), DataError> {
        let rows = self.ids.len();
        if got == rows { Ok(()) } else { Err(wrong(format!("{got} {what} for {rows} rows"))) }
    }

    /// Names of the rows.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Class of each row, where there are classes.
    #[must_use]
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// Group of each row, where there are groups.
    #[must_use]
    pub fn groups(&self) -> Option<&[String]> {
        self.groups.as_deref()
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The numbers, (rows, columns), each row contiguous in memory.
    #[must_use]
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The classes that occur, sorted, and the index of each row's class among them; none without labels.
    #[must_use]
    pub fn classes(&self) -> Option<(Vec<String>, Vec<usize>)> {
        let labels = self.labels.as_ref()?;
        let classes: Vec<String> = labels.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let index = labels.iter().map(|l| classes.binary_search(l).unwrap_or_default()).collect();
        Some((classes, index))
    }

    /// Writes the table in the format of the path's ending, whole or not at all.
    ///
    /// # Errors
    /// [`DataError::Table`] for an unknown ending or text that the format cannot hold, [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let bytes = match TableFormat::of(path)? {
            TableFormat::Parquet => parquet::encode(self, path)?,
            TableFormat::Csv => text::encode(self, path)?,
            TableFormat::Arff => arff::encode(self, path)?,
            TableFormat::Npz => npz::encode(self, path)?,
        };
        write_atomic(path, |out| out.write_all(&bytes))
    }

    /// Reads a table with [`ReadOptions::default`].
    ///
    /// # Errors
    /// As [`Table::read_with`].
    pub fn read(path: &Path) -> Result<Self, DataError> {
        Self::read_with(path, &ReadOptions::default())
    }

    /// Reads a table in the format of the path's ending. In CSV a byte order mark does no harm.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::Table`] and [`DataError::Line`] for what is not a table: no such column, a column of text
    /// that is not named in the options, rows of different lengths, a name twice.
    pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let format = TableFormat::of(path)?;
        let bytes = crate::folder::read_file(path)?;
        let raw = match format {
            TableFormat::Parquet => parquet::decode(bytes, path)?,
            TableFormat::Csv => text::decode(&bytes, path)?,
            TableFormat::Arff => arff::decode(&bytes, path)?,
            TableFormat::Npz => npz::decode(bytes, path)?,
        };
        raw.resolve(path, options)
    }

    /// The three text columns that are there, by name.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let texts = [Some(&self.ids), self.labels.as_ref(), self.groups.as_ref()];
        RESERVED.into_iter().zip(texts).filter_map(|(name, text)| Some((name, text?.as_slice())))
    }
}

/// One column as a file has it.
#[derive(Debug)]
pub(crate) enum RawColumn {
    Text(Vec<String>),
    Number(Vec<f64>),
}

/// A file's columns, before it is known which are what.
#[derive(Debug)]
pub(crate) struct RawTable {
    rows: usize,
    columns: Vec<(String, RawColumn)>,
}

impl RawTable {
    fn resolve(mut self, path: &Path, options: &ReadOptions) -> Result<Table, DataError> {
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = self.columns.iter().find(|(name, _)| !names.insert(name.clone())) {
            return Err(refuse(path, format!("two columns are named {twice}")));
        }
        for ignored in &options.ignore {
            let at = self.position(ignored).ok_or_else(|| self.missing(path, ignored))?;
            self.columns.remove(at);
        }
        let ids =
            self.take(path, options.id.as_deref(), &["id", "filename", "file", "path", "track", "track_id"])?;
        let labels = self.take(path, options.label.as_deref(), &["label", "genre", "class", "genre_top"])?;
        let groups = self.take(path, options.group.as_deref(), &["group", "artist"])?;
        let ids = ids.unwrap_or_else(|| (0..self.rows).map(|i| i.to_string()).collect());
        let mut values = Array2::zeros((self.rows, self.columns.len()));
        let mut columns = Vec::with_capacity(self.columns.len());
        for (number, (name, column)) in self.columns.into_iter().enumerate() {
            match column {
                RawColumn::Number(numbers) => {
                    for (to, from) in values.column_mut(number).iter_mut().zip(numbers) {
                        *to = from;
                    }
                }
                RawColumn::Text(text) => {
                    let is_no_number = |v: &&String| parse(v).is_none();
                    let (row, value) = text
                        .iter()
                        .enumerate()
                        .find(|(_, v)| is_no_number(v))
                        .map_or((0, ""), |(row, v)| (row, v.as_str()));
                    let reason = format!(
                        "column {name} is no number: {value:?} in row {}; name it as id, label or group, or leave it out",
                        row + 1
                    );
                    return Err(refuse(path, reason));
                }
            }
            columns.push(name);
        }
        let mut table = Table::new(ids, columns, values).map_err(|e| at(path, e))?;
        table.labels = labels;
        table.groups = groups;
        Ok(table)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    fn missing(&self, path: &Path, name: &str) -> DataError {
        let there: Vec<&str> = self.columns.iter().take(8).map(|(n, _)| n.as_str()).collect();
        let more = if self.columns.len() > there.len() { ", ..." } else { "" };
        refuse(path, format!("no column named {name}, there are {}{more}", there.join(", ")))
    }

    fn take(
        &mut self,
        path: &Path,
        asked: Option<&str>,
        usual: &[&str],
    ) -> Result<Option<Vec<String>>, DataError> {
        let at = match asked {
            Some(name) => Some(self.position(name).ok_or_else(|| self.missing(path, name))?),
            None => usual.iter().find_map(|name| self.position(name)),
        };
        Ok(at.map(|at| match self.columns.remove(at).1 {
            RawColumn::Text(text) => text,
            RawColumn::Number(numbers) => numbers.iter().map(ToString::to_string).collect(),
        }))
    }
}

/// All columns of a Parquet table as text: the names, and the rows.
pub(crate) fn text_rows(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), DataError> {
    let raw = parquet::decode(crate::folder::read_file(path)?, path)?;
    let mut rows = vec![Vec::with_capacity(raw.columns.len()); raw.rows];
    let mut names = Vec::with_capacity(raw.columns.len());
    for (name, column) in raw.columns {
        names.push(name);
        let cells: Vec<String> = match column {
            RawColumn::Text(text) => text,
            RawColumn::Number(numbers) => {
                numbers.iter().map(|n| if n.is_nan() { String::new() } else { n.to_string() }).collect()
            }
        };
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
    }
    Ok((names, rows))
}

/// Puts the path before a reason that does not know it.
fn at(path: &Path, error: DataError) -> DataError {
    match error {
        DataError::Table { reason, .. } => refuse(path, reason),
        other => other,
    }
}

/// A number as text has it; an empty cell, `?`, `nan` and `NA` are missing. None for what is no number.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    match text {
        "" | "?" => Some(f64::NAN),
        _ if text.eq_ignore_ascii_case("na") => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

/// Columns of text become numbers where every cell is one; `id`, `label` and `group` and the usual names for them stay text.
pub(crate) fn typed(name: String, cells: Vec<String>) -> (String, RawColumn) {
    const TEXT: [&str; 12] = [
        "id",
        "filename",
        "file",
        "path",
        "track",
        "track_id",
        "label",
        "genre",
        "class",
        "genre_top",
        "group",
        "artist",
    ];
    if !TEXT.iter().any(|t| name.eq_ignore_ascii_case(t))
        && let Some(numbers) = cells.iter().map(|c| parse(c)).collect::<Option<Vec<f64>>>()
    {
        return (name, RawColumn::Number(numbers));
    }
    (name, RawColumn::Text(cells))
}

/// A number as text: the shortest digits that give it back.
pub(crate) fn digits(value: f64, missing: &str) -> String {
    if value.is_nan() { missing.to_owned() } else { format!("{value:?}") }
}

/// Whether every value of a column is a number of 32 bits, or missing.
pub(crate) fn single<'a>(mut values: impl Iterator<Item = &'a f64>) -> bool {
    values.all(|v| v.is_nan() || f64::from(*v as f32).to_bits() == v.to_bits())
}
