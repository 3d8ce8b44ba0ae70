//! A table of one's own.

use std::collections::BTreeSet;
use std::path::Path;

use super::rows::{Dialect, Rows, cell};
use super::{Collection, Entry, Facts, Part, Source, facts};
use crate::DataError;
use crate::table::text_rows;

/// A CSV or Parquet table with a line a clip, or a folder that holds `manifest.csv` or `manifest.parquet`.
///
/// Columns, by these names without regard to case: `file` (or `path`, `filename`), relative to the table's folder; `label` (or `genre`,
/// `class`, `style`, `genre_top`), several between semicolons or bars; and where they are there `id` (else the file), `artist` (or
/// `group`, `package`), `album`, `title`, `part` (or `split`), `start` and `end` in seconds.
#[derive(Debug)]
pub struct Manifest {
    facts: Facts,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { facts: facts::MANIFEST }
    }
}

impl Source for Manifest {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let inside = ["manifest.csv", "manifest.parquet"].map(|name| root.join(name));
        let path =
            if root.is_dir() { inside.iter().find(|p| p.exists()).unwrap_or(&inside[0]) } else { root };
        let folder = path.parent().unwrap_or(Path::new(""));
        let csv = path.extension().is_none_or(|e| !e.eq_ignore_ascii_case("parquet"));
        let table = if csv {
            Rows::read(path, Dialect::default())?
        } else {
            let (names, rows) = text_rows(path)?;
            let lines = (2..).take(rows.len()).collect();
            Rows { names, rows, lines }
        };
        let any = |names: &[&str]| names.iter().find_map(|name| table.find(name));
        let missing = |what: &str| {
            let there: Vec<&str> = table.names.iter().take(8).map(String::as_str).collect();
            let reason = format!("no column named {what}, there are {}", there.join(", "));
            DataError::Line { path: path.to_path_buf(), line: 1, reason }
        };
        let file = any(&["file", "path", "filename"]).ok_or_else(|| missing("file"))?;
        let label =
            any(&["label", "genre", "class", "style", "genre_top"]).ok_or_else(|| missing("label"))?;
        let id = any(&["id"]);
        let about = [any(&["artist", "group", "package"]), any(&["album"]), any(&["title"])];
        let part = any(&["part", "split"]);
        let (start, end) = (any(&["start"]), any(&["end"]));
        let mut found: Vec<(Entry, Vec<String>)> = Vec::new();
        for (number, row) in table.rows.iter().enumerate() {
            let refuse = |reason: String| DataError::Line {
                path: path.to_path_buf(),
                line: table.line(number),
                reason,
            };
            let file = cell(row, Some(file)).ok_or_else(|| refuse("no file is named".into()))?;
            let labels = cell(row, Some(label)).unwrap_or_default();
            let labels = labels.split([';', '|']).map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned);
            let part = match cell(row, part) {
                None => None,
                Some(name) => Some(Part::named(&name).ok_or_else(|| {
                    refuse(format!("{name:?} is no part, expected train, validation or test"))
                })?),
            };
            let time = |column: Option<usize>| match cell(row, column) {
                None => Ok(None),
                Some(text) => match text.parse::<f64>() {
                    Ok(time) if time.is_finite() && time >= 0.0 => Ok(Some(time)),
                    _ => Err(refuse(format!("{text:?} is no time in seconds"))),
                },
            };
            let segment = match (time(start)?, time(end)?) {
                (Some(start), Some(end)) if end > start => Some((start, end)),
                (None, None) => None,
                _ => return Err(refuse("start and end have to be two seconds in order".into())),
            };
            let [artist, album, title] = about.map(|column| cell(row, column));
            let path = folder.join(&file);
            let id = cell(row, id).unwrap_or(file);
            found.push((
                Entry { id, path, artist, album, title, part, segment, ..Entry::default() },
                labels.collect(),
            ));
        }
        let names: BTreeSet<&String> = found.iter().flat_map(|(_, labels)| labels).collect();
        let labels: Vec<String> = names.into_iter().cloned().collect();
        let entries = found.into_iter().map(|(entry, names)| {
            let mut of: Vec<usize> =
                names.iter().filter_map(|name| labels.binary_search(name).ok()).collect();
            of.sort_unstable();
            of.dedup();
            Entry { labels: of, ..entry }
        });
        let entries = entries.collect();
        let stem = crate::folder::readable(path.file_stem().unwrap_or_default());
        Collection::new(path, &stem, labels, entries, Vec::new())
    }
}
