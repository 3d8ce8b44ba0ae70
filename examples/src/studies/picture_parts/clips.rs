//! The clips of a study: which dataset, which are there, how they are divided, and the pictures that spectrograms make of them.

use std::path::{Path, PathBuf};

use mgr_audio::{LoadConfig, Loader};
use mgr_data::corpus::CorpusConfig;
use mgr_data::dataset::Track;
use mgr_data::groups::Groups;
use mgr_data::sources::{self, Collection};
use mgr_data::splits::Protocol;
use mgr_eval::split::Fold;

use mgr_features::effects::{PreEmphasis, PreEmphasisConfig, Start};
use mgr_features::log_mel::{LogMel, LogMelConfig};
use mgr_features::picture::{ColorMap, Picture, PictureConfig, Range, ResizeStage};
use ndarray::{Array2, Array3, s};
use rayon::prelude::*;

use super::output::some_of;
use super::spoken::{Result, sentence};

/// The sampling rate of both studies.
pub const SAMPLE_RATE: u32 = 22_050;

/// Which clips.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Name of the dataset, as `mgr data` lists them.
    pub dataset: &'a str,
    /// Its folder; none for the embedded synthetic corpus, which is for trying things out.
    pub root: Option<&'a Path>,
    /// CSV of `track` and `artist`.
    pub groups: Option<&'a Path>,
    /// Whether to go on where files are not there.
    pub allow_missing: bool,
    /// Genres with fewer clips are left out.
    pub least: usize,
}

/// Reads a dataset, checks that its files are there, and leaves out what has not one genre.
///
/// # Errors
/// A sentence for a dataset that is not there, half there or of another kind.
pub fn collection(wanted: &Wanted<'_>) -> Result<Collection> {
    let (folder, dataset) = match wanted.root {
        Some(root) => (root.to_path_buf(), wanted.dataset),
        None => (embedded()?, "folder"),
    };
    let root = folder.display();
    let source = sources::named(dataset).ok_or_else(|| {
        let names: Vec<&str> = sources::all().iter().map(|s| s.facts().name).collect();
        format!("no dataset is named {dataset}, there are {}", names.join(", "))
    })?;
    if !folder.exists() {
        return Err(format!("{root}: not there; name the folder of {dataset} with --root"));
    }
    let found = source.read(&folder);
    let mut found = found
        .map_err(|e| format!("{e}; if this is another dataset than {dataset}, name it with --dataset"))?;
    if wanted.root.is_none() {
        found.name = "embedded synthetic corpus".to_owned();
        found.notes.push("synthetic music, for trying things out; no measure of quality".to_owned());
    }
    found.entries.retain(|entry| entry.labels.len() == 1);
    let counts = found.counts();
    let is_small = |label: usize| counts.get(label).is_some_and(|&n| n < wanted.least);
    found.entries.retain(|entry| !entry.labels.iter().any(|&label| is_small(label)));
    let small: Vec<&str> = (0..found.labels.len())
        .filter(|&label| counts[label] > 0 && is_small(label))
        .map(|label| found.labels[label].as_str())
        .collect();
    if !small.is_empty() {
        let note = format!("left out for fewer than {} clips: {}", wanted.least, some_of(&small, 20));
        found.notes.push(note);
    }
    let missing: Vec<&str> =
        found.entries.iter().filter(|e| !e.path.is_file()).map(|e| e.id.as_str()).collect();
    if !missing.is_empty() {
        let (gone, all) = (missing.len(), found.entries.len());
        let told = format!("{gone} of {all} files of {dataset} are not there, such as {}", missing[0]);
        if !wanted.allow_missing || gone == all {
            let way = if gone == all {
                "is --root the dataset's own folder?"
            } else {
                "fetch them, or go on without them by --allow-missing"
            };
            return Err(format!("{root}: {told}; {way}"));
        }
        found.notes.push(told);
        found.entries.retain(|entry| entry.path.is_file());
    }
    if let Some(path) = wanted.groups {
        let groups = Groups::read(path).map_err(sentence)?;
        for entry in &mut found.entries {
            let track = Track { id: entry.id.clone(), path: entry.path.clone(), class: 0 };
            entry.artist = groups.group(&track).strip_prefix("artist:").map(str::to_owned);
        }
    }
    drop_empty_labels(&mut found);
    if found.labels.len() < 2 {
        return Err(format!(
            "{root}: {} genres are left ({}), at least two are needed to tell apart",
            found.labels.len(),
            some_of(&found.labels, 4)
        ));
    }
    Ok(found)
}

/// The embedded corpus in the user's cache folder, made at first use.
fn embedded() -> Result<PathBuf> {
    let cache = mgr_data::cache_folder().ok_or(
        "no cache folder is known for the embedded corpus (MGR_CACHE, HOME); name a dataset with --root",
    )?;
    let corpus = CorpusConfig::default().plan().map_err(sentence)?;
    let folder = cache.join("corpus").join(corpus.folder_name());
    println!("no --root: the embedded synthetic corpus, for trying things out");
    corpus.write_to(&folder, &|_| ()).map_err(sentence)?;
    Ok(folder)
}

/// Numbers the labels anew without those that no clip has.
fn drop_empty_labels(collection: &mut Collection) {
    let counts = collection.counts();
    let kept: Vec<usize> = (0..collection.labels.len()).filter(|&label| counts[label] > 0).collect();
    collection.labels = kept.iter().map(|&label| collection.labels[label].clone()).collect();
    for label in collection.entries.iter_mut().flat_map(|entry| &mut entry.labels) {
        *label = kept.iter().position(|k| k == label).unwrap_or_default();
    }
}

/// Whether artists are known.
#[must_use]
pub fn knows_artists(collection: &Collection) -> bool {
    collection.entries.iter().any(|entry| entry.artist.is_some())
}

/// The class of every clip.
#[must_use]
pub fn labels(collection: &Collection) -> Vec<usize> {
    collection.entries.iter().map(|entry| entry.labels.first().copied().unwrap_or_default()).collect()
}

/// The first fold of a rule, with what is known to leak.
///
/// # Errors
/// A sentence for a genre too small for the split, a dataset without an official one.
pub fn split(collection: &Collection, rule: &Protocol) -> Result<(Fold, Vec<String>)> {
    let advice =
        "give the genre more clips, leave small ones out with --least N, or divide otherwise with --split";
    let document = rule.split(collection).map_err(|e| format!("{e}; {advice}"))?;
    let fold = document.folds(collection).map_err(sentence)?.into_iter().next().unwrap_or_default();
    for (name, part) in [("training", &fold.train), ("validation", &fold.validation), ("test", &fold.test)] {
        if part.is_empty() {
            return Err(format!("the {name} part of the split has no clip: {advice}"));
        }
    }
    Ok((fold, document.leaks))
}

/// How a clip becomes a picture.
#[derive(Debug, Clone)]
pub struct Imager {
    loader: Loader,
    emphasis: Option<PreEmphasis>,
    samples: Option<usize>,
    columns: Option<usize>,
    mel: LogMel,
    picture: Picture,
}

/// Settings of an [`Imager`].
#[derive(Debug, Clone)]
pub struct Imaging {
    /// The spectrogram, in decibels from -80 to 0.
    pub mel: LogMelConfig,
    /// Whether `y[n] = x[n] - 0.97 x[n - 1]`, `y[0] = x[0]`, comes first.
    pub pre_emphasis: bool,
    /// Length that clips are cut, or by repetition filled, to; none for as they are.
    pub seconds: Option<f64>,
    /// Frames that are kept, from the first; none for all.
    pub columns: Option<usize>,
    /// Height and width of the picture; none for a pixel a band and frame.
    pub size: Option<[usize; 2]>,
    /// The colours.
    pub colors: ColorMap,
}

impl Imaging {
    /// Checks the settings.
    ///
    /// # Errors
    /// The sentences of mgr-audio and mgr-features; one for a length out of range.
    pub fn plan(&self) -> Result<Imager> {
        if let Some(seconds) = self.seconds
            && !(0.1..=3600.0).contains(&seconds)
        {
            return Err(format!("--seconds is {seconds}, allowed is 0.1 to 3600"));
        }
        let picture = PictureConfig {
            height: self.size.map(|s| s[0]),
            width: self.size.map(|s| s[1]),
            color_map: self.colors,
            range: Range::Fixed { low: -80.0, high: 0.0 },
            // The studies resize finished images.
            resize: ResizeStage::Colors,
        };
        let emphasis = PreEmphasisConfig { coefficient: 0.97, start: Start::Zero };
        let load = LoadConfig { sample_rate: Some(SAMPLE_RATE), ..LoadConfig::default() };
        Ok(Imager {
            loader: load.plan().map_err(sentence)?,
            emphasis: self.pre_emphasis.then(|| emphasis.plan()).transpose().map_err(sentence)?,
            samples: self.seconds.map(|seconds| (seconds * f64::from(SAMPLE_RATE)).round() as usize),
            columns: self.columns,
            mel: self.mel.plan(SAMPLE_RATE).map_err(sentence)?,
            picture: picture.plan().map_err(sentence)?,
        })
    }
}

impl Imager {
    /// The samples of a clip, cut or repeated to the wanted length.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn samples(&self, path: &Path) -> Result<Vec<f32>> {
        let clip = self.loader.load(path).map_err(sentence)?;
        let mut samples = clip.samples;
        if samples.iter().all(|&x| x == 0.0) {
            return Err(format!("{}: silent or empty", path.display()));
        }
        if let Some(length) = self.samples {
            let own = samples.len();
            samples.truncate(length);
            while samples.len() < length {
                samples.push(samples[samples.len() - own]);
            }
        }
        Ok(samples)
    }

    /// The spectrogram of a clip in decibels.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn spectrogram(&self, path: &Path) -> Result<Array2<f32>> {
        let mut samples = self.samples(path)?;
        let named = |e: mgr_features::FeatureError| format!("{}: {e}", path.display());
        if let Some(emphasis) = &self.emphasis {
            emphasis.process_in_place(&mut samples).map_err(named)?;
        }
        let matrix = self.mel.process(&samples).map_err(named)?;
        match self.columns {
            Some(columns) if matrix.ncols() < columns => {
                Err(format!("{}: {} frames, {columns} are needed", path.display(), matrix.ncols()))
            }
            Some(columns) => Ok(matrix.slice_move(s![.., ..columns])),
            None => Ok(matrix),
        }
    }

    /// The picture of a clip: (height, width, 3).
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn picture(&self, path: &Path) -> Result<Array3<u8>> {
        let matrix = self.spectrogram(path)?;
        self.picture.process(matrix.view()).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// The pictures of some clips in order, over all threads; a sentence in place of one that cannot be made.
    pub fn pictures(&self, paths: &[PathBuf]) -> Vec<Result<Array3<u8>>> {
        paths.par_iter().map(|path| self.picture(path)).collect()
    }
}

/// Writes a picture as PNG.
///
/// # Errors
/// The system's reason.
pub fn write_png(path: &Path, picture: &Array3<u8>) -> Result<()> {
    let (height, width, _) = picture.dim();
    let bytes: Vec<u8> = picture.iter().copied().collect();
    let image = mgr_eval::figure::Pixels { width, height, rgb: &bytes };
    let png = mgr_eval::figure::encode_png(image).map_err(sentence)?;
    mgr_data::write_atomic(path, |to| to.write_all(&png)).map_err(sentence)
}

/// Reads a picture of three bytes a pixel.
///
/// # Errors
/// A sentence for a file that is no such picture.
pub fn read_png(path: &Path) -> Result<Array3<u8>> {
    let refuse = |reason: String| format!("{}: {reason}; prepare the pictures anew", path.display());
    let file = std::fs::File::open(path).map_err(|e| refuse(e.to_string()))?;
    let mut reader =
        png::Decoder::new(std::io::BufReader::new(file)).read_info().map_err(|e| refuse(e.to_string()))?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    if info.color_type != png::ColorType::Rgb || info.bit_depth != png::BitDepth::Eight {
        return Err(refuse("no picture of three bytes a pixel".to_owned()));
    }
    let mut bytes = vec![0; width * height * 3];
    if reader.output_buffer_size() != Some(bytes.len()) {
        return Err(refuse("no picture of three bytes a pixel".to_owned()));
    }
    reader.next_frame(&mut bytes).map_err(|e| refuse(e.to_string()))?;
    Array3::from_shape_vec((height, width, 3), bytes).map_err(|e| refuse(e.to_string()))
}
