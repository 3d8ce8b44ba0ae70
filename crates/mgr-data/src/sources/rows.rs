//! Tables of text with a header, as datasets ship them.

use std::path::Path;

use crate::DataError;

/// A table of text.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// The line of the file that each row begins on: a quoted cell may go over several.
    pub(crate) lines: Vec<u64>,
}

/// How a table of text is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Header rows; names of several are joined by a point, such as `track.genre_top`, and rows of names may have gaps.
    pub(crate) headers: usize,
    pub(crate) comment: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', headers: 1, comment: None }
    }
}

impl Rows {
    pub(crate) fn read(path: &Path, dialect: Dialect) -> Result<Self, DataError> {
        let bytes = crate::folder::read_file(path)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let line = |line: u64, reason: String| DataError::Line { path: path.to_path_buf(), line, reason };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .comment(dialect.comment)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let mut names: Vec<String> = Vec::new();
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        for (number, record) in reader.records().enumerate() {
            let record =
                record.map_err(|e| line(e.position().map_or(0, csv::Position::line), e.to_string()))?;
            let at = record.position().map_or(0, csv::Position::line);
            if number < dialect.headers {
                if number == 0 {
                    names = record.iter().map(str::to_owned).collect();
                } else {
                    // The last of FMA's rows of names holds that of the index and nothing else.
                    for (name, more) in names.iter_mut().zip(&record).filter(|(_, more)| !more.is_empty()) {
                        if !name.is_empty() {
                            name.push('.');
                        }
                        name.push_str(more);
                    }
                }
                continue;
            }
            if dialect.headers > 0 && record.len() != names.len() {
                return Err(line(at, format!("{} columns, expected {}", record.len(), names.len())));
            }
            rows.push(record.iter().map(str::to_owned).collect());
            lines.push(at);
        }
        if names.is_empty() && dialect.headers > 0 {
            return Err(line(0, "is empty, expected a first line with the columns' names".into()));
        }
        Ok(Self { names, rows, lines })
    }

    /// The line of the file that a row begins on.
    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or(0)
    }

    /// The place of a column.
    pub(crate) fn column(&self, path: &Path, name: &str) -> Result<usize, DataError> {
        self.find(name).ok_or_else(|| {
            let there: Vec<&str> = self.names.iter().take(8).map(String::as_str).collect();
            let there: String = there.join(", ").chars().take(100).collect();
            let advice = if self.names.len() == 1 { " (one column: is it separated otherwise?)" } else { "" };
            let reason = format!("no column named {name}, there are {there}, ...{advice}");
            DataError::Line { path: path.to_path_buf(), line: 1, reason }
        })
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.eq_ignore_ascii_case(name))
    }
}

/// The text of a cell, if there is any.
pub(crate) fn cell(row: &[String], column: Option<usize>) -> Option<String> {
    row.get(column?).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
