//! Whether a dataset is what it should be: counts, files, durations, repetitions.

use std::fmt;

use mgr_audio::{LoadConfig, Loader};
use rayon::prelude::*;
use serde::Serialize;

use crate::duplicates::{self, Duplicate, DuplicateConfig};
use crate::sources::{Collection, Entry, Facts};
use crate::{DataError, sha256_hex};

/// A file with something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileNote {
    /// The track.
    pub id: String,
    /// What is the matter.
    pub reason: String,
}

/// Durations in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Durations {
    /// Shortest.
    pub shortest: f64,
    /// Middle.
    pub median: f64,
    /// Longest.
    pub longest: f64,
    /// All together.
    pub total: f64,
}

/// Two tracks that sound the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeated {
    /// One track.
    pub first: String,
    /// The other.
    pub second: String,
    /// Whether the files are the same, byte for byte.
    pub same_file: bool,
    /// Whether they have different labels.
    pub other_label: bool,
    /// Where the second begins in the first, in seconds.
    pub offset_s: f64,
    /// Share of the fingerprint's bits that differ.
    pub error_rate: f64,
}

/// What a check of a dataset found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Census {
    /// The collection.
    pub name: String,
    /// Tracks that it names.
    pub tracks: usize,
    /// Labels and their tracks.
    pub counts: Vec<(String, usize)>,
    /// Where the counts are not the published ones.
    pub differences: Vec<String>,
    /// Files that are not there.
    pub missing: Vec<String>,
    /// Files that cannot be decoded.
    pub unreadable: Vec<FileNote>,
    /// Files that can be used in spite of damage, and silent ones.
    pub damaged: Vec<FileNote>,
    /// Durations of what was decoded; none where nothing was.
    pub durations: Option<Durations>,
    /// Tracks too short to be compared by sound.
    pub without_fingerprint: usize,
    /// Tracks that sound the same.
    pub repeated: Vec<Repeated>,
    /// The same, joined to sets.
    pub sets: Vec<Vec<String>>,
    /// What the reader of the dataset noted.
    pub notes: Vec<String>,
}

struct Heard {
    seconds: f64,
    content: String,
    print: Vec<u32>,
    note: Option<String>,
}

enum State {
    Missing,
    Unreadable(String),
    Heard(Heard),
}

/// Decodes every file of a collection and takes its fingerprint, over all threads of rayon's current pool, and tells what is there, what
/// is wrong and what is repeated. `done` is called with the number of tracks that are finished.
///
/// # Errors
/// [`DataError::Audio`] never in practice: the loader's configuration is fixed.
pub fn check(
    collection: &Collection,
    facts: &Facts,
    config: &DuplicateConfig,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Census, DataError> {
    let loader = LoadConfig { sample_rate: Some(duplicates::SAMPLE_RATE), ..LoadConfig::default() }.plan()?;
    let finished = std::sync::atomic::AtomicUsize::new(0);
    let states: Vec<State> = collection
        .entries
        .par_iter()
        .map(|entry| {
            let state = hear(entry, &loader);
            done(finished.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
            state
        })
        .collect();
    let counts = collection.counts();
    let mut census = Census {
        name: collection.name.clone(),
        tracks: collection.entries.len(),
        counts: collection.labels.iter().cloned().zip(counts.iter().copied()).collect(),
        differences: facts.differences(&collection.labels, &counts, collection.entries.len()),
        missing: Vec::new(),
        unreadable: Vec::new(),
        damaged: Vec::new(),
        durations: None,
        without_fingerprint: 0,
        repeated: Vec::new(),
        sets: Vec::new(),
        notes: collection.notes.clone(),
    };
    let mut seconds = Vec::new();
    let mut prints = vec![Vec::new(); states.len()];
    let mut contents = vec![String::new(); states.len()];
    for (at, (entry, state)) in collection.entries.iter().zip(states).enumerate() {
        let id = entry.id.clone();
        match state {
            State::Missing => census.missing.push(id),
            State::Unreadable(reason) => census.unreadable.push(FileNote { id, reason }),
            State::Heard(heard) => {
                seconds.push(heard.seconds);
                let short = heard.print.is_empty() || heard.seconds < config.min_overlap_s;
                census.without_fingerprint += usize::from(short);
                census.damaged.extend(heard.note.map(|reason| FileNote { id, reason }));
                prints[at] = heard.print;
                contents[at] = heard.content;
            }
        }
    }
    seconds.sort_by(f64::total_cmp);
    if let (Some(&shortest), Some(&longest)) = (seconds.first(), seconds.last()) {
        let (median, total) = (seconds[seconds.len() / 2], seconds.iter().sum());
        census.durations = Some(Durations { shortest, median, longest, total });
    }
    let mut pairs = duplicates::find(&prints, config);
    pairs.extend(same_files(&contents, &pairs));
    pairs.sort_by_key(|pair| (pair.first, pair.second));
    let id = |at: usize| collection.entries[at].id.clone();
    let labels = |at: usize| &collection.entries[at].labels;
    census.repeated = pairs
        .iter()
        .map(|pair| Repeated {
            first: id(pair.first),
            second: id(pair.second),
            same_file: contents[pair.first] == contents[pair.second],
            other_label: labels(pair.first) != labels(pair.second),
            offset_s: pair.offset_s,
            error_rate: pair.error_rate,
        })
        .collect();
    census.sets = duplicates::sets(&pairs).into_iter().map(|set| set.into_iter().map(id).collect()).collect();
    Ok(census)
}

/// Pairs of files that are equal byte for byte and that no fingerprint told: too short, or silent. Each with the first of its kind.
fn same_files(contents: &[String], known: &[Duplicate]) -> Vec<Duplicate> {
    let mut first: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let mut found = Vec::new();
    for (second, content) in contents.iter().enumerate().filter(|(_, content)| !content.is_empty()) {
        let first = *first.entry(content).or_insert(second);
        if first != second && !known.iter().any(|pair| (pair.first, pair.second) == (first, second)) {
            found.push(Duplicate { first, second, offset_s: 0.0, overlap_s: 0.0, error_rate: 0.0 });
        }
    }
    found
}

fn hear(entry: &Entry, loader: &Loader) -> State {
    let bytes = match crate::folder::read_file(&entry.path) {
        Ok(bytes) => bytes,
        Err(_) if !entry.path.exists() => return State::Missing,
        Err(error) => return State::Unreadable(error.to_string()),
    };
    let content = sha256_hex(&bytes);
    let clip = match loader.load_bytes(bytes, &entry.id) {
        Ok(clip) => clip,
        Err(error) => return State::Unreadable(error.to_string()),
    };
    let samples = match entry.segment {
        Some((start, end)) => {
            let at = |time: f64| (time * f64::from(duplicates::SAMPLE_RATE)) as usize;
            let end = at(end).min(clip.samples.len());
            clip.samples.get(at(start).min(end)..end).unwrap_or_default()
        }
        None => &clip.samples[..],
    };
    let silent = samples.iter().all(|x| *x == 0.0);
    let note = clip.report.damage().or_else(|| silent.then(|| "silent: all samples are zero".to_owned()));
    let print = if silent { Vec::new() } else { duplicates::fingerprint(samples, duplicates::SAMPLE_RATE) };
    let seconds = samples.len() as f64 / f64::from(duplicates::SAMPLE_RATE);
    State::Heard(Heard { seconds, content, print, note })
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} tracks", self.name, self.tracks)?;
        let width = self.counts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, count) in &self.counts {
            writeln!(f, "  {label:<width$}  {count:>6}")?;
        }
        for note in self.differences.iter().chain(&self.notes) {
            writeln!(f, "note: {note}")?;
        }
        if let Some(Durations { shortest, median, longest, total }) = self.durations {
            let hours = total / 3600.0;
            writeln!(
                f,
                "durations: {shortest:.2} to {longest:.2} s, median {median:.2} s, {hours:.2} h together"
            )?;
        }
        writeln!(f, "missing: {}{}", self.missing.len(), such_as(&self.missing))?;
        for (what, notes) in [("unreadable", &self.unreadable), ("damaged or silent", &self.damaged)] {
            writeln!(f, "{what}: {}", notes.len())?;
            for note in notes.iter().take(10) {
                writeln!(f, "  {}: {}", note.id, note.reason)?;
            }
        }
        if self.without_fingerprint > 0 {
            writeln!(f, "too short to compare by sound: {}", self.without_fingerprint)?;
        }
        writeln!(f, "repeated: {} pairs in {} sets", self.repeated.len(), self.sets.len())?;
        for pair in self.repeated.iter().take(20) {
            let how = if pair.same_file {
                "the same file".to_owned()
            } else {
                format!("{:+.1} s, {:.1} % of the bits differ", pair.offset_s, 100.0 * pair.error_rate)
            };
            let label = if pair.other_label { ", ANOTHER LABEL" } else { "" };
            writeln!(f, "  {} = {} ({how}{label})", pair.first, pair.second)?;
        }
        Ok(())
    }
}

fn such_as(ids: &[String]) -> String {
    ids.first().map_or_else(String::new, |first| format!(", such as {first}"))
}
