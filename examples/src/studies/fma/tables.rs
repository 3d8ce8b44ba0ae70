//! The tables that the study on metadata takes, with their split.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mgr_data::sources::fma::{self, Fma, Subset};
use mgr_data::sources::{Collection, Source};
use mgr_data::table::{ReadOptions, Table};
use mgr_eval::split::{Fold, RatioSplit};
use ndarray::{Array2, Axis};
use serde_json::Value;

use crate::studies::picture_parts::output::some_of;
use crate::studies::picture_parts::spoken::{Result, sentence, split_refused};

/// A measure that is described by genre and not learned from.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Its value for each row; NaN where there is none.
    pub values: Vec<f64>,
}

/// A table with its genres, its split, and what a reader must know of them.
#[derive(Debug, Clone)]
pub struct StudyTable {
    /// Name for headings.
    pub name: String,
    /// Names of the rows.
    pub ids: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// (rows, columns), all finite.
    pub values: Array2<f64>,
    /// Class of each row.
    pub labels: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Rows to fit on, to choose on, to report on.
    pub fold: Fold,
    /// The split in words.
    pub split: String,
    /// What is known to make figures too high.
    pub leaks: Vec<String>,
    /// What was left out.
    pub notes: Vec<String>,
    /// What is described beside the columns.
    pub measures: Vec<Measure>,
}

/// How rows are divided where a table has no split of its own.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    /// Training share.
    pub train: f64,
    /// Validation share.
    pub validation: f64,
    /// Seed.
    pub seed: u64,
    /// Classes with fewer rows than this are left out.
    pub least: usize,
}

impl StudyTable {
    /// Rows, labels of some rows.
    #[must_use]
    pub fn part(&self, rows: &[usize]) -> (Array2<f64>, Vec<usize>) {
        (self.values.select(Axis(0), rows), rows.iter().map(|&row| self.labels[row]).collect())
    }

    /// The values of one list by class.
    #[must_use]
    pub fn by_class(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let mut by_class = vec![Vec::new(); self.classes.len()];
        for (value, &label) in values.iter().zip(&self.labels) {
            by_class[label].push(*value);
        }
        by_class
    }
}

/// Rows before they are checked and divided.
struct Rows {
    name: String,
    ids: Vec<String>,
    labels: Vec<String>,
    groups: Option<Vec<String>>,
    parts: Option<Vec<usize>>,
    columns: Vec<String>,
    values: Array2<f64>,
    measures: Vec<Measure>,
    notes: Vec<String>,
}

/// FMA's own tables: `tracks.csv`, `features.csv` and, where it is there, `echonest.csv`; the subset by size, the official split.
///
/// # Errors
/// A sentence for a folder without them, tables with another header, a group of columns that there is not.
pub fn fma(root: &Path, subset: Subset, group: &str, least: usize) -> Result<StudyTable> {
    let folder =
        if root.join("fma_metadata").is_dir() { root.join("fma_metadata") } else { root.to_path_buf() };
    for name in ["tracks.csv", "features.csv"] {
        if !folder.join(name).is_file() {
            return Err(format!(
                "{}: no {name}, so this is not FMA's metadata or only half of it; unpack fma_metadata.zip there and name its folder with --root",
                folder.display()
            ));
        }
    }
    let tracks: Collection = Fma::new(subset).read(root).map_err(sentence)?;
    let (features, of_text) = fma::features(&folder.join("features.csv")).map_err(sentence)?;
    let columns = columns_of(&features, group, &folder.join("features.csv"))?;
    let row_of: BTreeMap<&str, usize> =
        features.ids().iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    let (mut notes, mut kept, mut without_features) = (tracks.notes.clone(), Vec::new(), 0);
    if !of_text.is_empty() {
        let names: Vec<&str> = of_text.iter().map(String::as_str).collect();
        notes
            .push(format!("columns of features.csv that hold text and are left out: {}", some_of(&names, 5)));
    }
    for (entry, label) in tracks.entries.iter().zip(tracks.single_labels()) {
        match (label, row_of.get(entry.id.as_str())) {
            (Some(label), Some(&row)) => kept.push((entry, label, row)),
            (Some(_), None) => without_features += 1,
            (None, _) => {}
        }
    }
    if without_features > 0 {
        notes.push(format!("{without_features} tracks stand in tracks.csv and not in features.csv"));
    }
    let values = Array2::from_shape_fn((kept.len(), columns.len()), |(row, column)| {
        features.values()[(kept[row].2, columns[column])]
    });
    let ids: Vec<String> = kept.iter().map(|(entry, ..)| entry.id.clone()).collect();
    let part = |entry: &mgr_data::sources::Entry| match entry.part {
        Some(mgr_data::sources::Part::Train) => 0,
        Some(mgr_data::sources::Part::Validation) => 1,
        Some(mgr_data::sources::Part::Test) => 2,
        None => 3,
    };
    let rows = Rows {
        name: format!("{}, columns {group}", tracks.name),
        labels: kept.iter().map(|(_, label, _)| tracks.labels[*label].clone()).collect(),
        groups: None,
        parts: Some(kept.iter().map(|(entry, ..)| part(entry)).collect()),
        columns: columns.iter().map(|&at| features.columns()[at].clone()).collect(),
        values,
        measures: echonest(&folder.join("echonest.csv"), &ids)?,
        ids,
        notes,
    };
    finish(rows, Shares { train: 0.8, validation: 0.1, seed: 0, least })
}

/// The columns of a group, or all.
fn columns_of(table: &Table, group: &str, path: &Path) -> Result<Vec<usize>> {
    let start = format!("{group}.");
    let is_one = |name: &str| group == "all" || name.starts_with(&start);
    let found: Vec<usize> =
        table.columns().iter().enumerate().filter(|(_, name)| is_one(name)).map(|(at, _)| at).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let groups: BTreeSet<&str> =
        table.columns().iter().map(|name| name.split('.').next().unwrap_or(name)).collect();
    let groups: Vec<&str> = groups.into_iter().collect();
    Err(format!(
        "{}: no columns of the group {group}, there are {}; name one of them, or all, with --features",
        path.display(),
        some_of(&groups, 12)
    ))
}

/// Echo Nest's measures of some tracks; none without the table.
fn echonest(path: &Path, ids: &[String]) -> Result<Vec<Measure>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let (table, _) = fma::features(path).map_err(sentence)?;
    let row_of: BTreeMap<&str, usize> =
        table.ids().iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    let described = |name: &str| name.split('.').nth(1) == Some("audio_features");
    let columns = table.columns().iter().enumerate().filter(|(_, name)| described(name));
    Ok(columns
        .map(|(column, name)| Measure {
            name: name.rsplit('.').next().unwrap_or(name).to_owned(),
            values: ids
                .iter()
                .map(|id| row_of.get(id.as_str()).map_or(f64::NAN, |&row| table.values()[(row, column)]))
                .collect(),
        })
        .collect())
}

/// The tables of rock and hip-hop: `fma-rock-vs-hiphop.csv` and `echonest-metrics.json`.
///
/// # Errors
/// A sentence for a folder without them and for tables with another header.
pub fn rock_hiphop(folder: &Path, shares: Shares) -> Result<StudyTable> {
    let (tracks, metrics) = (folder.join("fma-rock-vs-hiphop.csv"), folder.join("echonest-metrics.json"));
    for path in [&tracks, &metrics] {
        if !path.is_file() {
            return Err(format!(
                "{}: not there; name with --root the folder that holds fma-rock-vs-hiphop.csv and echonest-metrics.json",
                path.display()
            ));
        }
    }
    let mut reader = csv::Reader::from_path(&tracks).map_err(sentence)?;
    let header = reader.headers().map_err(sentence)?.clone();
    let place = |name: &str| {
        header.iter().position(|h| h == name).ok_or_else(|| {
            format!(
                "{}: no column named {name}, so this is another table; it has {}",
                tracks.display(),
                some_of(&header.iter().collect::<Vec<_>>(), 8)
            )
        })
    };
    let [id, genre, listens, duration] = ["track_id", "genre_top", "listens", "duration"].map(place);
    let (id, genre, listens, duration) = (id?, genre?, listens?, duration?);
    let mut about: BTreeMap<i64, (String, f64, f64)> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|e| format!("{}: {e}", tracks.display()))?;
        let number = |at: usize| record.get(at).and_then(|v| v.parse::<f64>().ok()).unwrap_or(f64::NAN);
        let named = record.get(id).and_then(|v| v.parse().ok());
        let named = named.ok_or_else(|| format!("{}: a row without a track's number", tracks.display()))?;
        let genre = record.get(genre).unwrap_or_default().to_owned();
        about.insert(named, (genre, number(listens), number(duration)));
    }
    let text = std::fs::read_to_string(&metrics).map_err(|e| format!("{}: {e}", metrics.display()))?;
    let columns: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&text).map_err(|e| {
        format!("{}: {e}; expected columns of rows, as pandas writes them", metrics.display())
    })?;
    let ids_of = columns
        .get("track_id")
        .ok_or_else(|| format!("{}: no column track_id, so this is another table", metrics.display()))?;
    let names: Vec<&String> = columns.keys().filter(|name| *name != "track_id").collect();
    let mut in_order: Vec<(i64, &String)> =
        ids_of.iter().filter_map(|(key, id)| Some((id.as_i64()?, key))).collect();
    in_order.sort_unstable();
    let described = in_order.len();
    in_order.retain(|(id, _)| about.contains_key(id));
    let cell = |name: &String, key: &String| {
        columns.get(name).and_then(|c| c.get(key)).and_then(Value::as_f64).unwrap_or(f64::NAN)
    };
    let values = Array2::from_shape_fn((in_order.len(), names.len()), |(row, column)| {
        cell(names[column], in_order[row].1)
    });
    let measure = |name: &str, of: &dyn Fn(&(String, f64, f64)) -> f64| Measure {
        name: name.to_owned(),
        values: in_order.iter().map(|(id, _)| of(&about[id])).collect(),
    };
    let mut measures: Vec<Measure> = names
        .iter()
        .enumerate()
        .map(|(at, name)| Measure { name: (*name).clone(), values: values.column(at).to_vec() })
        .collect();
    measures.push(measure("log10 of listens", &|about| (about.1 + 1.0).log10()));
    measures.push(measure("duration in s", &|about| about.2));
    let rows = Rows {
        name: "FMA, rock and hip-hop, Echo Nest measures".to_owned(),
        ids: in_order.iter().map(|(id, _)| format!("{id:06}")).collect(),
        labels: in_order.iter().map(|(id, _)| about[id].0.clone()).collect(),
        groups: None,
        parts: None,
        columns: names.into_iter().cloned().collect(),
        values,
        measures,
        notes: vec![format!(
            "{} tracks have a genre, {described} measures of Echo Nest, {} both",
            about.len(),
            in_order.len()
        )],
    };
    finish(rows, shares)
}

/// Any table of numbers with a column of genres.
///
/// # Errors
/// A sentence for a file that is no table and one without a column of genres.
pub fn any(path: &Path, ignore: &[String], label: Option<&str>, shares: Shares) -> Result<StudyTable> {
    if !path.is_file() {
        let what = if path.is_dir() { "a folder, expected one file" } else { "not there" };
        return Err(format!(
            "{}: {what}; name a table (.csv, .parquet, .arff, .npz) with --root",
            path.display()
        ));
    }
    let options =
        ReadOptions { ignore: ignore.to_vec(), label: label.map(str::to_owned), ..ReadOptions::default() };
    let table = Table::read_with(path, &options).map_err(|e| {
        format!("{e}; --ignore NAME leaves a column out, --label NAME names that of the genres")
    })?;
    let labels = table.labels().ok_or_else(|| {
        format!(
            "{}: no column of genres (label, genre, class, genre_top), there are {}; name it with --label",
            path.display(),
            some_of(table.columns(), 8)
        )
    })?;
    let rows = Rows {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        ids: table.ids().to_vec(),
        labels: labels.to_vec(),
        groups: table.groups().map(<[String]>::to_vec),
        parts: None,
        columns: table.columns().to_vec(),
        values: table.values().to_owned(),
        measures: Vec::new(),
        notes: Vec::new(),
    };
    finish(rows, shares)
}

/// Leaves out what cannot be used, and divides the rest.
fn finish(mut rows: Rows, shares: Shares) -> Result<StudyTable> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    rows.labels.iter().for_each(|label| *counts.entry(label).or_default() += 1);
    let small: Vec<String> =
        counts.iter().filter(|(_, n)| **n < shares.least).map(|(l, n)| format!("{l} ({n})")).collect();
    let is_small: BTreeSet<String> =
        counts.iter().filter(|(_, n)| **n < shares.least).map(|(l, _)| (*l).to_owned()).collect();
    if !small.is_empty() {
        rows.notes.push(format!("left out for fewer than {} rows: {}", shares.least, some_of(&small, 20)));
    }
    let is_whole = |row: usize| rows.values.row(row).iter().all(|v| v.is_finite());
    let kept: Vec<usize> = (0..rows.labels.len())
        .filter(|&row| !is_small.contains(&rows.labels[row]) && !rows.labels[row].is_empty() && is_whole(row))
        .collect();
    let holes = (0..rows.labels.len()).filter(|&row| !is_whole(row)).count();
    if holes > 0 {
        rows.notes.push(format!("{holes} rows have a missing value and are left out"));
    }
    let of = |list: &[String]| kept.iter().map(|&row| list[row].clone()).collect::<Vec<_>>();
    let names = of(&rows.labels);
    let classes: Vec<String> = names.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    if classes.len() < 2 {
        return Err(format!(
            "{}: {} genres are left ({}), at least two are needed to tell apart",
            rows.name,
            classes.len(),
            some_of(&classes, 4)
        ));
    }
    let labels: Vec<usize> =
        names.iter().map(|name| classes.binary_search(name).unwrap_or_default()).collect();
    let mut leaks = Vec::new();
    let (fold, split) = match (&rows.parts, &rows.groups) {
        (Some(parts), _) => {
            let part = |number: usize| {
                kept.iter().enumerate().filter(|(_, row)| parts[**row] == number).map(|(at, _)| at).collect()
            };
            let fold = Fold { train: part(0), validation: part(1), test: part(2) };
            for (name, rows) in
                [("training", &fold.train), ("validation", &fold.validation), ("test", &fold.test)]
            {
                if rows.is_empty() {
                    return Err(format!(
                        "the official split has no {name} part in this subset; choose another with --subset"
                    ));
                }
            }
            (fold, "FMA's own, apart by artist".to_owned())
        }
        (None, groups) => {
            let rule = RatioSplit { train: shares.train, validation: shares.validation, seed: shares.seed };
            let fold = match groups {
                Some(groups) => rule.split_groups(&labels, &of(groups)),
                None => rule.split(&labels),
            };
            if groups.is_none() {
                leaks.push(
                    "Artists are not known to the table, so they stand on both sides of the split."
                        .to_owned(),
                );
            }
            let apart = if groups.is_some() { ", apart by artist" } else { ", by row" };
            let (a, b) = (100.0 * shares.train, 100.0 * shares.validation);
            let split =
                format!("{a:.0} / {b:.0} / {:.0} by class{apart}, seed {}", 100.0 - a - b, shares.seed);
            (fold.map_err(|e| split_refused(&e, &classes))?, split)
        }
    };
    let values = rows.values.select(Axis(0), &kept);
    let measures = rows
        .measures
        .into_iter()
        .map(|m| Measure { values: kept.iter().map(|&row| m.values[row]).collect(), ..m })
        .collect();
    Ok(StudyTable {
        name: rows.name,
        ids: of(&rows.ids),
        columns: rows.columns,
        values,
        labels,
        classes,
        fold,
        split,
        leaks,
        notes: rows.notes,
        measures,
    })
}
