//! The well-known table of GTZAN, and how well its 57 columns are reproduced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mgr_audio::LoadConfig;
use mgr_features::vector_sets::Gtzan57Config;

/// The table: names of its columns of numbers, and a row for each clip by its name without the extension.
#[derive(Debug, Clone)]
pub struct Table {
    /// Names of the columns: `filename`, `length` and `label` are left out.
    pub columns: Vec<String>,
    /// Rows by clip, such as `blues.00000`.
    pub rows: BTreeMap<String, Vec<f64>>,
}

impl Table {
    /// Reads `features_30_sec.csv`.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
        let [filename, length, columns @ .., label] = head.as_slice() else {
            return Err(format!("{}: no table of features", path.display()));
        };
        if (*filename, *length, *label) != ("filename", "length", "label") {
            return Err(format!("{}: its columns are not those of the table", path.display()));
        }
        let mut rows = BTreeMap::new();
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            let (Some(name), Some(values)) = (cells.first(), cells.get(2..2 + columns.len())) else {
                return Err(format!("{}: a row with {} cells", path.display(), cells.len()));
            };
            let values =
                values.iter().map(|v| v.parse().map_err(|e| format!("{}: {v}: {e}", path.display())));
            rows.insert(name.trim_end_matches(".wav").to_owned(), values.collect::<Result<_, _>>()?);
        }
        Ok(Self { columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows })
    }
}

/// Relative differences of a column over all clips.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The column.
    pub column: String,
    /// Differences relative to the table's value, ascending.
    pub differences: Vec<f64>,
}

impl Agreement {
    /// The largest.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.differences.last().copied().unwrap_or(0.0)
    }

    /// The one in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.differences.get(self.differences.len() / 2).copied().unwrap_or(0.0)
    }
}

/// Audio files in a folder and its folders, sorted.
///
/// # Errors
/// A sentence that names the folder.
pub fn audio_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
        if path.is_dir() {
            files.extend(audio_files(&path)?);
        } else if path.extension().is_some_and(|e| ["flac", "wav", "au"].iter().any(|known| e == *known)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Computes the 57 columns of each file that the table has a row for, and compares; the names of the clips, and a result for each column.
///
/// # Errors
/// A sentence: a file that cannot be read, columns that are not those of the table.
pub fn compare(
    table: &Table,
    config: &Gtzan57Config,
    files: &[PathBuf],
) -> Result<(Vec<String>, Vec<Agreement>), String> {
    let loader = LoadConfig { sample_rate: Some(22_050), ..LoadConfig::default() }
        .plan()
        .map_err(|e| e.to_string())?;
    let plan = config.plan(22_050).map_err(|e| e.to_string())?;
    let names: Vec<String> = plan.names().map(str::to_owned).collect();
    if names != table.columns {
        return Err("the columns are not those of the table, in its order".to_owned());
    }
    let mut clips = Vec::new();
    let mut all: Vec<Agreement> =
        names.into_iter().map(|column| Agreement { column, differences: Vec::new() }).collect();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(row) = table.rows.get(&name) else { continue };
        let clip = loader.load(file).map_err(|e| e.to_string())?;
        let vector = plan.process(&clip.samples).map_err(|e| format!("{}: {e}", file.display()))?;
        for ((agreement, got), want) in all.iter_mut().zip(vector.column(0)).zip(row) {
            agreement.differences.push((f64::from(*got) - want).abs() / want.abs().max(f64::MIN_POSITIVE));
        }
        clips.push(name);
    }
    all.iter_mut().for_each(|agreement| agreement.differences.sort_by(f64::total_cmp));
    Ok((clips, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference data, where it is; a failure where it has to be and is not.
    fn shared() -> Option<PathBuf> {
        let named = std::env::var_os("MGR_SHARED").map(PathBuf::from);
        let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
        if folder.join("data/tables/gtzan_features_30_sec.csv").is_file() {
            return Some(folder);
        }
        eprintln!("no {}: the table of GTZAN is not compared", folder.display());
        assert!(std::env::var("MGR_REQUIRE_SHARED").as_deref() != Ok("1"), "the table of GTZAN is required");
        None
    }

    #[test]
    fn the_table_is_reproduced_in_every_column() {
        let Some(shared) = shared() else { return };
        let table = Table::read(&shared.join("data/tables/gtzan_features_30_sec.csv")).unwrap();
        // Two with a part of a hop at their end, one without.
        let files: Vec<_> = audio_files(&shared.join("data/gtzan/full30"))
            .unwrap()
            .into_iter()
            .filter(|f| {
                ["blues.00001", "disco.00000", "metal.00021"].iter().any(|n| f.ends_with(format!("{n}.flac")))
            })
            .collect();
        let (clips, all) = compare(&table, &Gtzan57Config::default(), &files).unwrap();
        assert_eq!((clips.len(), all.len()), (3, 57));
        for agreement in &all {
            // The table was computed in f32. A mean over a separated signal is of positive and negative values that almost cancel.
            let allowed = match agreement.column.as_str() {
                "tempo" => 1e-7,
                "harmony_mean" | "perceptr_mean" => 1e-3,
                _ => 2e-5,
            };
            assert!(agreement.largest() <= allowed, "{}: {:e}", agreement.column, agreement.largest());
        }
        // Zeros beyond the ends, as librosa pads today, give other numbers: the switch is one.
        let zeros = Gtzan57Config { padding: mgr_features::frame::Padding::Zero, ..Gtzan57Config::default() };
        let (_, all) = compare(&table, &zeros, &files[..1]).unwrap();
        assert!(all[0].largest() > 1e-5);
    }
}
