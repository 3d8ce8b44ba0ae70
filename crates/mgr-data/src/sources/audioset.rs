//! Segment lists in the form of AudioSet's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::rows::{Dialect, Rows, cell};
use super::{Collection, Entry, Facts, Part, Source, facts};
use crate::{DataError, folder};

/// The lists and the part of the split that they stand for.
const LISTS: [(&str, Part); 3] = [
    ("balanced_train_segments.csv", Part::Train),
    ("unbalanced_train_segments.csv", Part::Train),
    ("eval_segments.csv", Part::Test),
];

/// Segments of ten seconds: `YTID, start, end, "label,label"` after lines that begin with `#`. The folder holds any of AudioSet's three
/// lists, or else every `.csv` in it is one; `class_labels_indices.csv` gives the labels their names. The audio is `audio/YTID.ext`, of
/// which the segment is a stretch.
#[derive(Debug)]
pub(super) struct AudioSet;

impl Source for AudioSet {
    fn facts(&self) -> &Facts {
        &facts::AUDIOSET
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let ontology = root.join("class_labels_indices.csv");
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        if ontology.exists() {
            let table = Rows::read(&ontology, Dialect::default())?;
            let (mid, name) = (table.column(&ontology, "mid")?, table.column(&ontology, "display_name")?);
            let pairs =
                table.rows.iter().filter_map(|row| Some((cell(row, Some(mid))?, cell(row, Some(name))?)));
            names.extend(pairs);
        }
        let mut lists: Vec<_> = LISTS
            .iter()
            .map(|(name, part)| (root.join(name), Some(*part)))
            .filter(|(p, _)| p.exists())
            .collect();
        if lists.is_empty() {
            let others = std::fs::read_dir(root).map_err(DataError::io(root, "read the folder"))?;
            lists = others.filter_map(|entry| Some((entry.ok()?.path(), None))).collect();
            lists.retain(|(path, _)| path.extension().is_some_and(|e| e == "csv") && *path != ontology);
            lists.sort();
        }
        let files: BTreeMap<String, std::path::PathBuf> = match root.join("audio") {
            audio if audio.is_dir() => folder::files(&[audio])?
                .into_iter()
                .map(|path| (folder::readable(path.file_stem().unwrap_or_default()), path))
                .collect(),
            _ => BTreeMap::new(),
        };
        let mut found: Vec<(Entry, Vec<String>)> = Vec::new();
        for (path, part) in lists {
            // Spaces after commas stand before the quotes, which CSV does not know: the labels are what follows the third comma.
            let bytes = folder::read_file(&path)?;
            for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
                let line = line.trim_start_matches('\u{feff}').trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let refuse = |reason: &str| DataError::Line {
                    path: path.clone(),
                    line: number as u64 + 1,
                    reason: reason.into(),
                };
                let fields: Vec<&str> = line.splitn(4, ',').map(str::trim).collect();
                let [id, start, end, labels] = fields.as_slice() else {
                    return Err(refuse("expected YTID, start, end, \"labels\""));
                };
                let time = |text: &str| text.parse::<f64>().ok().filter(|t| t.is_finite() && *t >= 0.0);
                let (Some(start), Some(end)) = (time(start), time(end)) else {
                    return Err(refuse("start and end have to be seconds"));
                };
                if end <= start {
                    return Err(refuse("the end is not after the start"));
                }
                let labels = labels.trim_matches('"').split(',').map(str::trim).filter(|l| !l.is_empty());
                let labels = labels.map(|l| names.get(l).cloned().unwrap_or_else(|| l.to_owned())).collect();
                let path = files.get(*id).cloned().unwrap_or_else(|| root.join("audio").join(id));
                let id = format!("{id}_{start:.3}");
                found.push((
                    Entry { id, path, part, segment: Some((start, end)), ..Entry::default() },
                    labels,
                ));
            }
        }
        let labels: BTreeSet<String> = found.iter().flat_map(|(_, labels)| labels.iter().cloned()).collect();
        let labels: Vec<String> = labels.into_iter().collect();
        let entries = found.into_iter().map(|(entry, names)| {
            let mut of: Vec<usize> =
                names.iter().filter_map(|name| labels.binary_search(name).ok()).collect();
            of.sort_unstable();
            of.dedup();
            Entry { labels: of, ..entry }
        });
        let entries = entries.collect();
        Collection::new(root, "audioset", labels, entries, Vec::new())
    }
}
