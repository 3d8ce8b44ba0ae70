//! Splits as files that people can read: which clips, by which rule, with which known leaks; made, read, audited, summed up.
//!
//! ```
//! use mgr_data::splits::Protocol;
//!
//! let protocol: Protocol = serde_json::from_str(r#"{"protocol": "group_k_fold", "folds": 5}"#).unwrap();
//! assert!(protocol.leaks().is_empty(), "artists are kept apart");
//! assert!(!Protocol::Mlfcf.leaks().is_empty());
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use mgr_eval::EvalError;
use mgr_eval::split::scikit::{self, PartSize};
use mgr_eval::split::{
    Fold, FoldSummary, RatioSplit, StratifiedGroupKFold, StratifiedKFold, check_split, mlfcf_folds,
};
use serde::{Deserialize, Serialize};

use crate::sources::Collection;
use crate::{DataError, write_atomic};

/// The version of the file's layout.
const FORMAT: u32 = 1;

const LEAK_ARTIST: &str = "clips of one artist may be in training and test";
const LEAK_NO_VALIDATION: &str = "there is no validation part: whatever is chosen is chosen on test clips";

/// A rule that makes a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Protocol {
    /// Stratified folds of this project, with a validation part.
    KFold {
        /// Number of folds.
        #[serde(default = "ten")]
        folds: usize,
        /// Seed.
        #[serde(default)]
        seed: u64,
        /// Share of each class's training clips that is for validation.
        #[serde(default)]
        validation: f64,
    },
    /// As `k_fold`, with artists (else albums, else tracks) kept apart.
    GroupKFold {
        /// Number of folds.
        #[serde(default = "ten")]
        folds: usize,
        /// Seed.
        #[serde(default)]
        seed: u64,
        /// Share of each class's training clips that is for validation.
        #[serde(default)]
        validation: f64,
    },
    /// Training, validation and test by shares.
    Ratio {
        /// Training share.
        train: f64,
        /// Validation share.
        validation: f64,
        /// Seed.
        #[serde(default)]
        seed: u64,
    },
    /// As `ratio`, without a draw: the first clips of each class in the order of their ids, the next, the last.
    OrderedRatio {
        /// Training share.
        train: f64,
        /// Validation share.
        validation: f64,
    },
    /// As `ratio`, with artists (else albums, else tracks) kept apart.
    GroupRatio {
        /// Training share.
        train: f64,
        /// Validation share.
        validation: f64,
        /// Seed.
        #[serde(default)]
        seed: u64,
    },
    /// The dataset's own: GTZAN's fault-filtered partition (443/197/290), FMA's, the parts of a manifest.
    Official,
    /// MLFCF's ten folds, list for list.
    Mlfcf,
    /// The GTZAN-8 study's: of the dataset `gtzan8`, 540 training, 40 validation and 150 test clips.
    Gtzan8,
    /// MusicFeaturization's rule: a fifth test, a tenth of the rest validation, by scikit-learn's `train_test_split` with seed 10. The
    /// study drew from the order of its file system, which nobody knows; here the ids are in ascending order. See
    /// [`music_featurization_lists`] for its very lists.
    MusicFeaturization,
    /// scikit-learn's `StratifiedKFold`.
    ScikitStratifiedKFold {
        /// Number of folds.
        #[serde(default = "ten")]
        folds: usize,
        /// `random_state` with `shuffle=True`; none for `shuffle=False`.
        #[serde(default)]
        seed: Option<u32>,
    },
}

fn ten() -> usize {
    10
}

impl Protocol {
    /// What is known to leak between the parts, a sentence each.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        let leaks: &[&str] = match self {
            Self::GroupKFold { .. } | Self::GroupRatio { .. } | Self::Official => &[],
            Self::KFold { validation, .. } if *validation > 0.0 => &[LEAK_ARTIST],
            Self::KFold { .. } | Self::Mlfcf | Self::ScikitStratifiedKFold { .. } => {
                &[LEAK_ARTIST, LEAK_NO_VALIDATION]
            }
            Self::Ratio { .. } | Self::OrderedRatio { .. } => &[LEAK_ARTIST],
            Self::MusicFeaturization => &[LEAK_ARTIST, "clips of one track may be in training and test"],
            Self::Gtzan8 => &["validation clips are drawn from the artists of the training clips"],
        };
        leaks.iter().map(ToString::to_string).collect()
    }

    /// Makes the split of a collection. Tracks without one single label take no part in it.
    ///
    /// # Errors
    /// [`DataError::Split`] where the rule cannot be kept: no official split, too few clips or artists of a class.
    pub fn split(&self, collection: &Collection) -> Result<SplitDocument, DataError> {
        let refuse = |reason: String| DataError::Split { name: collection.name.clone(), reason };
        let wrong = |error: EvalError| refuse(named_classes(&error, &collection.labels));
        let singles = collection.single_labels();
        let usable: Vec<usize> = (0..singles.len()).filter(|i| singles[*i].is_some()).collect();
        let labels: Vec<usize> = usable.iter().filter_map(|i| singles[*i]).collect();
        let folds = match self {
            Self::KFold { folds, seed, validation } => {
                let rule = StratifiedKFold { folds: *folds, seed: *seed, validation_fraction: *validation };
                rule.split(&labels).map_err(wrong)?
            }
            Self::GroupKFold { folds, seed, validation } => {
                let rule =
                    StratifiedGroupKFold { folds: *folds, seed: *seed, validation_fraction: *validation };
                rule.split(&labels, &of(&collection.groups(), &usable)).map_err(wrong)?
            }
            Self::Ratio { train, validation, seed } => {
                let rule = RatioSplit { train: *train, validation: *validation, seed: *seed };
                vec![rule.split(&labels).map_err(wrong)?]
            }
            Self::OrderedRatio { train, validation } => {
                let rule = RatioSplit { train: *train, validation: *validation, seed: 0 };
                vec![rule.split_in_order(&labels).map_err(wrong)?]
            }
            Self::GroupRatio { train, validation, seed } => {
                let rule = RatioSplit { train: *train, validation: *validation, seed: *seed };
                vec![rule.split_groups(&labels, &of(&collection.groups(), &usable)).map_err(wrong)?]
            }
            Self::Official => {
                let fold = collection.official_split();
                let fold = fold.ok_or_else(|| refuse("it has no official split".into()))?;
                return Ok(SplitDocument::new(self, collection, &[fold]));
            }
            Self::Mlfcf => {
                let folds = mlfcf_folds(&labels).map_err(wrong)?;
                folds.into_iter().map(scikit::DrawnSplit::into_fold).collect()
            }
            Self::Gtzan8 => vec![gtzan8(collection).map_err(wrong)?],
            Self::MusicFeaturization => {
                let outer = scikit::train_test_split(labels.len(), None, Some(PartSize::Share(0.2)), 10);
                let outer = outer.map_err(wrong)?;
                let inner = scikit::train_test_split(outer.train.len(), None, Some(PartSize::Share(0.1)), 10);
                let inner = inner.map_err(wrong)?;
                let sorted = |part: Vec<usize>| {
                    let mut part = part;
                    part.sort_unstable();
                    part
                };
                let validation = sorted(of(&outer.train, &inner.test));
                vec![Fold {
                    train: sorted(of(&outer.train, &inner.train)),
                    validation,
                    test: sorted(outer.test),
                }]
            }
            Self::ScikitStratifiedKFold { folds, seed } => {
                scikit::stratified_k_fold(&labels, *folds, *seed).map_err(wrong)?
            }
        };
        let whole = |part: Vec<usize>| of(&usable, &part);
        let folds: Vec<Fold> = folds
            .into_iter()
            .map(|f| Fold { train: whole(f.train), validation: whole(f.validation), test: whole(f.test) })
            .collect();
        Ok(SplitDocument::new(self, collection, &folds))
    }
}

/// The items at some places.
fn of<T: Clone>(items: &[T], places: &[usize]) -> Vec<T> {
    places.iter().filter_map(|&place| items.get(place).cloned()).collect()
}

/// The split of the GTZAN-8 study: `StratifiedShuffleSplit(1, test_size=40, random_state=1004)` takes five clips of each class from
/// training, which stands in the order of its ids.
fn gtzan8(collection: &Collection) -> Result<Fold, EvalError> {
    let official = collection.official_split().ok_or(EvalError::Empty { what: "official split" })?;
    let labels: Vec<usize> = of(&collection.single_labels(), &official.train).into_iter().flatten().collect();
    let drawn = scikit::stratified_shuffle_split(&labels, 1, None, Some(PartSize::Clips(40)), 1004)?;
    let drawn = drawn.into_iter().next().ok_or(EvalError::Empty { what: "split" })?.into_fold();
    let (train, validation) = (of(&official.train, &drawn.train), of(&official.train, &drawn.test));
    Ok(Fold { train, validation, test: official.test })
}

/// An error about a class by its name instead of its number.
fn named_classes(error: &EvalError, labels: &[String]) -> String {
    let class = match error {
        EvalError::TooFewClips { class, .. }
        | EvalError::TooFewGroups { class, .. }
        | EvalError::OneClass { class }
        | EvalError::ClassNotInTraining { class, .. } => labels.get(*class).map(|name| (*class, name)),
        _ => None,
    };
    match class {
        Some((class, name)) => error.to_string().replacen(&format!("class {class} "), &format!("{name} "), 1),
        None => error.to_string(),
    }
}

/// One fold by ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFold {
    /// Clips to fit on.
    pub train: Vec<String>,
    /// Clips to choose on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation: Vec<String>,
    /// Clips to report on.
    pub test: Vec<String>,
}

/// A split with what one has to know of it, as a JSON file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitDocument {
    format: u32,
    /// The collection's name.
    pub dataset: String,
    /// The rule; none for lists from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Protocol>,
    /// What is known to leak between the parts.
    pub leaks: Vec<String>,
    /// Clips by id.
    pub folds: Vec<NamedFold>,
}

impl SplitDocument {
    fn new(rule: &Protocol, collection: &Collection, folds: &[Fold]) -> Self {
        let ids: Vec<String> = collection.entries.iter().map(|e| e.id.clone()).collect();
        let named = |fold: &Fold| NamedFold {
            train: of(&ids, &fold.train),
            validation: of(&ids, &fold.validation),
            test: of(&ids, &fold.test),
        };
        Self {
            format: FORMAT,
            dataset: collection.name.clone(),
            rule: Some(rule.clone()),
            leaks: rule.leaks(),
            folds: folds.iter().map(named).collect(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::Line`] for what is no split file, or one of a later version.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = fs::read(path).map_err(DataError::io(path, "read"))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let line = |line: usize, reason: String| DataError::Line {
            path: path.to_path_buf(),
            line: line as u64,
            reason,
        };
        let document: Self = serde_json::from_slice(bytes).map_err(|e| line(e.line(), e.to_string()))?;
        if document.format > FORMAT {
            let found = document.format;
            return Err(line(0, format!("has format {found}, this program knows formats up to {FORMAT}")));
        }
        Ok(document)
    }

    /// Writes the file, an id a line, whole or not at all.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let json = serde_json::to_vec_pretty(self)?;
        write_atomic(path, |out| {
            out.write_all(&json)?;
            out.write_all(b"\n")
        })
    }

    /// The folds by index into the collection, checked by [`check_split`].
    ///
    /// # Errors
    /// [`DataError::Split`] for an id that the collection has not, and for parts that overlap.
    pub fn folds(&self, collection: &Collection) -> Result<Vec<Fold>, DataError> {
        let refuse = |reason: String| DataError::Split { name: self.dataset.clone(), reason };
        let index: HashMap<&str, usize> =
            collection.entries.iter().enumerate().map(|(i, e)| (e.id.as_str(), i)).collect();
        let part = |ids: &[String]| -> Result<Vec<usize>, DataError> {
            let found: Result<Vec<usize>, DataError> = ids
                .iter()
                .map(|id| {
                    index.get(id.as_str()).copied().ok_or_else(|| refuse(format!("the dataset has no {id}")))
                })
                .collect();
            let mut found = found?;
            found.sort_unstable();
            Ok(found)
        };
        let mut folds = Vec::with_capacity(self.folds.len());
        for fold in &self.folds {
            let (train, validation) = (part(&fold.train)?, part(&fold.validation)?);
            folds.push(Fold { train, validation, test: part(&fold.test)? });
        }
        check_split(&folds, collection.entries.len()).map_err(|e| refuse(self.told(&e, collection)))?;
        Ok(folds)
    }

    /// An error about a clip by its id.
    fn told(&self, error: &EvalError, collection: &Collection) -> String {
        let clip = match error {
            EvalError::IndexOverlap { index, .. } | EvalError::TestOverlap { index, .. } => Some(*index),
            EvalError::NotAscending { index, .. } => {
                let id = collection.entries.get(*index).map_or("", |e| &e.id);
                return format!("{id} is twice in one part");
            }
            _ => None,
        };
        let id = clip.and_then(|i| Some((i, &collection.entries.get(i)?.id)));
        id.map_or_else(
            || error.to_string(),
            |(i, id)| error.to_string().replacen(&format!("clip {i} "), &format!("{id} "), 1),
        )
    }

    /// Looks for what is on both sides of a fold: artists (or albums), and clips that sound the same (`duplicates`, sets of ids, such
    /// as [`crate::duplicates`] finds; `None` where nobody listened), and sums the parts up.
    ///
    /// # Errors
    /// Those of [`SplitDocument::folds`].
    pub fn audit(
        &self,
        collection: &Collection,
        duplicates: Option<&[Vec<String>]>,
    ) -> Result<Audit, DataError> {
        let folds = self.folds(collection)?;
        let groups = collection.groups();
        let mut same: HashMap<&str, usize> = HashMap::new();
        for (number, set) in duplicates.unwrap_or_default().iter().enumerate() {
            same.extend(set.iter().map(|id| (id.as_str(), number)));
        }
        let labels: Vec<usize> =
            collection.entries.iter().map(|e| e.labels.first().copied().unwrap_or(0)).collect();
        let mut audit = Audit {
            summaries: Vec::new(),
            clips: groups.len(),
            clips_without_group: groups.iter().filter(|group| group.starts_with("track:")).count(),
            shared_groups: Vec::new(),
            listened: duplicates.is_some(),
            shared_sound: Vec::new(),
        };
        for (number, fold) in folds.iter().enumerate() {
            let summary = FoldSummary::new(fold, &labels, &collection.labels);
            audit.summaries.push(
                summary
                    .map_err(|e| DataError::Split { name: self.dataset.clone(), reason: e.to_string() })?,
            );
            let mut part_of_group: BTreeMap<&str, [Vec<&str>; 3]> = BTreeMap::new();
            let mut part_of_set: BTreeMap<usize, [Vec<&str>; 3]> = BTreeMap::new();
            for (part, clips) in [&fold.train, &fold.validation, &fold.test].into_iter().enumerate() {
                for &clip in clips {
                    let id = collection.entries[clip].id.as_str();
                    if !groups[clip].starts_with("track:") {
                        part_of_group.entry(&groups[clip]).or_default()[part].push(id);
                    }
                    if let Some(set) = same.get(id) {
                        part_of_set.entry(*set).or_default()[part].push(id);
                    }
                }
            }
            let apart = |parts: &[Vec<&str>; 3]| parts.iter().filter(|p| !p.is_empty()).count() > 1;
            for (group, parts) in part_of_group.iter().filter(|(_, parts)| apart(parts)) {
                let counts = parts.each_ref().map(Vec::len);
                audit.shared_groups.push(SharedGroup { fold: number, group: (*group).to_owned(), counts });
            }
            for parts in part_of_set.values().filter(|parts| apart(parts)) {
                let clips = parts.iter().flatten().map(ToString::to_string).collect();
                audit.shared_sound.push(SharedSound { fold: number, clips });
            }
        }
        Ok(audit)
    }
}

/// An artist or album on more than one side of a fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedGroup {
    /// The fold.
    pub fold: usize,
    /// The group.
    pub group: String,
    /// Its clips in training, validation and test.
    pub counts: [usize; 3],
}

/// Clips that sound the same, on more than one side of a fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedSound {
    /// The fold.
    pub fold: usize,
    /// The clips.
    pub clips: Vec<String>,
}

/// What an audit of a split found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Clips by class and part, of each fold.
    pub summaries: Vec<FoldSummary>,
    /// Clips of the collection.
    pub clips: usize,
    /// Clips of which neither artist nor album is known, so that nothing can be said of them.
    pub clips_without_group: usize,
    /// Artists and albums on several sides.
    pub shared_groups: Vec<SharedGroup>,
    /// Whether clips were compared by their sound.
    pub listened: bool,
    /// Clips that sound the same on several sides.
    pub shared_sound: Vec<SharedSound>,
}

impl fmt::Display for Audit {
    /// The first fold's table, what differs in the others, and what is on several sides.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, summary) in self.summaries.iter().enumerate() {
            if number == 0 {
                writeln!(f, "{summary}")?;
            } else {
                let [train, validation, test, out] = summary.totals();
                writeln!(
                    f,
                    "fold {number}: {train} train, {validation} validation, {test} test, {out} left out"
                )?;
            }
            if !summary.absent().is_empty() {
                writeln!(f, "fold {number}: not in both training and test: {}", summary.absent().join(", "))?;
            }
        }
        write!(f, "artists or albums on several sides: ")?;
        match (self.shared_groups.len(), self.clips_without_group) {
            (_, without) if without == self.clips => writeln!(f, "not known, no clip names one")?,
            (found, 0) => writeln!(f, "{found}")?,
            (found, without) => writeln!(f, "{found}, {without} of {} clips name none", self.clips)?,
        }
        write!(f, "repeated clips on several sides: ")?;
        match self.listened {
            true => writeln!(f, "{}", self.shared_sound.len())?,
            false => writeln!(f, "not listened for")?,
        }
        for shared in self.shared_groups.iter().take(5) {
            let [train, validation, test] = shared.counts;
            let SharedGroup { fold, group, .. } = shared;
            writeln!(f, "  fold {fold}: {group} ({train} train, {validation} validation, {test} test)")?;
        }
        for shared in self.shared_sound.iter().take(5) {
            writeln!(f, "  fold {}: {}", shared.fold, shared.clips.join(", "))?;
        }
        Ok(())
    }
}

/// Writes MLFCF's twenty files, byte for byte as its script does for an empty folder: `test_split_0.txt` and so on, lines of genre, tab,
/// file name, in the order of the draw.
///
/// # Errors
/// [`DataError::Io`]; [`DataError::Split`] for too few clips.
pub fn write_mlfcf(folder: &Path, collection: &Collection) -> Result<(), DataError> {
    let singles = collection.single_labels();
    let usable: Vec<usize> = (0..singles.len()).filter(|i| singles[*i].is_some()).collect();
    let labels: Vec<usize> = usable.iter().filter_map(|i| singles[*i]).collect();
    let folds = mlfcf_folds(&labels).map_err(|e| DataError::Split {
        name: collection.name.clone(),
        reason: named_classes(&e, &collection.labels),
    })?;
    for (number, fold) in folds.iter().enumerate() {
        for (part, clips) in [("test", &fold.test), ("train", &fold.train)] {
            let mut text = String::new();
            for &clip in clips {
                let entry = &collection.entries[usable[clip]];
                let genre = collection.labels.get(labels[clip]).map_or("", String::as_str);
                let file = crate::folder::readable(entry.path.file_name().unwrap_or_default());
                text.push_str(&format!("{genre}\t{file}\n"));
            }
            let path = folder.join(format!("{part}_split_{number}.txt"));
            write_atomic(&path, |out| out.write_all(text.as_bytes()))?;
        }
    }
    Ok(())
}

/// Reads MusicFeaturization's own lists (`train_files.txt`, `val_files.txt`, `test_files.txt`, lines of `genre.clip_name.jpg`) as a split
/// of a MagnaTagATune collection.
///
/// # Errors
/// [`DataError::Io`]; [`DataError::Line`] for a line without a clip's number.
pub fn music_featurization_lists(folder: &Path, collection: &Collection) -> Result<SplitDocument, DataError> {
    let part = |name: &str| -> Result<Vec<String>, DataError> {
        let path: PathBuf = folder.join(name);
        let text = fs::read_to_string(&path).map_err(DataError::io(&path, "read"))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let clip = |(number, line): (usize, &str)| {
            let id = line.split_once('.').and_then(|(_, rest)| rest.split_once('_')).map(|(id, _)| id);
            let id = id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
            id.map(str::to_owned).ok_or_else(|| DataError::Line {
                path: path.clone(),
                line: number as u64 + 1,
                reason: format!("{line:?} names no clip, expected genre.number_name.jpg"),
            })
        };
        lines.map(clip).collect()
    };
    let fold = NamedFold {
        train: part("train_files.txt")?,
        validation: part("val_files.txt")?,
        test: part("test_files.txt")?,
    };
    let document = SplitDocument {
        format: FORMAT,
        dataset: collection.name.clone(),
        rule: None,
        leaks: Protocol::MusicFeaturization.leaks(),
        folds: vec![fold],
    };
    document.folds(collection)?;
    Ok(document)
}
