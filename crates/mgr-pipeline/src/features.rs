//! The features of clips: planned once, computed in parallel, kept in the store, each on its own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use mgr_audio::{DecodeReport, LoadConfig, Loader, Segmenter};
use mgr_data::dataset::Track;
use mgr_data::folder::read_file;
use mgr_data::front_end::{AUDIO_VERSION, ClipFeatures};
use mgr_data::sha256_hex;
use mgr_data::store::FeatureStore;
use mgr_features::Extractor;
use mgr_models::device::{DeviceConfig, set_threads};
use mgr_models::pretrained::{Patch, Pretrained, Tagger};
use ndarray::{Array2, Array3, Axis, s};
use rayon::prelude::*;
use serde::Serialize;

use crate::PipelineError;
use crate::catalogue::{Source, source};
use crate::config::RunConfig;
use crate::progress::Progress;
use crate::weights::Weights;

/// Counts changes in how features become what is stored.
const VERSION: u32 = 1;

/// In place of the zeros under a logarithm, as in the published system.
const ZERO: f32 = 1e-6;

/// A feature of a run, ready to compute.
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Fingerprint of all that its values depend on but the clip.
    pub(crate) fingerprint: String,
    pub(crate) rows: usize,
    pub(crate) frames: usize,
    sample_rate: u32,
    way: Way,
    normalise_peak: bool,
}

impl std::fmt::Debug for Feature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feature").field("name", &self.name).finish_non_exhaustive()
    }
}

enum Way {
    Matrix {
        extractor: Box<dyn Extractor>,
        segmenter: Segmenter,
        ln: bool,
    },
    Vector {
        extractor: Box<dyn Extractor>,
        minimum: usize,
    },
    /// One network for each thread.
    Embedding {
        taggers: Vec<Mutex<Tagger>>,
        outputs: Vec<String>,
        minimum: usize,
    },
}

/// All that a feature's values depend on but the clip.
#[derive(Serialize)]
struct Description<'a> {
    source: &'a Source,
    segment: Option<mgr_audio::SegmentConfig>,
    normalise_peak: bool,
    audio: u32,
    code: u32,
    version: u32,
    weights: Option<&'a str>,
    /// Patches of a long clip, where they are fewer than its authors take.
    #[serde(skip_serializing_if = "Option::is_none")]
    patches: Option<usize>,
}

/// Patches of 29 s that a tagger hears of a long clip; its authors spread 16 over it, most of which overlap.
const SPREAD: usize = 3;

/// A clip as a feature wants it.
pub(crate) struct Heard {
    samples: Vec<f32>,
    report: DecodeReport,
}

/// Decodes files at the rates that features ask for.
pub(crate) struct Ear {
    loaders: BTreeMap<u32, Loader>,
}

impl Ear {
    pub(crate) fn of(features: &[Feature]) -> Result<Self, PipelineError> {
        let mut loaders = BTreeMap::new();
        for feature in features {
            if let Entry::Vacant(place) = loaders.entry(feature.sample_rate) {
                let config = LoadConfig { sample_rate: Some(feature.sample_rate), ..LoadConfig::default() };
                place.insert(config.plan().map_err(mgr_data::DataError::from)?);
            }
        }
        Ok(Self { loaders })
    }

    /// What a feature hears of a file; an error in words that name the file.
    fn hear(&self, rate: u32, bytes: &[u8], name: &str) -> Result<Heard, String> {
        let Some(loader) = self.loaders.get(&rate) else { return Err(format!("no loader for {rate} Hz")) };
        let clip = loader.load_bytes(bytes.to_vec(), name).map_err(|e| e.to_string())?;
        // What is repeated to a second has to be something.
        if clip.samples.len() < rate as usize / 20 {
            return Err(format!(
                "{name}: too short, {} samples at {rate} Hz, 0.05 s are needed",
                clip.samples.len()
            ));
        }
        if clip.samples.iter().all(|&x| x == 0.0) {
            return Err(format!("{name}: silent, {} samples of zero", clip.samples.len()));
        }
        Ok(Heard { samples: clip.samples, report: clip.report })
    }

    /// Computes features of one file, each for itself.
    pub(crate) fn features<'a>(
        &self,
        features: &'a [Feature],
        wanted: &[usize],
        bytes: &[u8],
        name: &str,
    ) -> Vec<(usize, Result<ClipFeatures, String>)> {
        let mut heard: BTreeMap<u32, Result<Heard, String>> = BTreeMap::new();
        let mut results = Vec::with_capacity(wanted.len());
        for &index in wanted {
            let feature: &'a Feature = &features[index];
            let clip = heard
                .entry(feature.sample_rate)
                .or_insert_with(|| self.hear(feature.sample_rate, bytes, name));
            let result = match clip {
                Ok(clip) => {
                    feature.process(clip).map_err(|reason| format!("{name}: {}: {reason}", feature.name))
                }
                Err(reason) => Err(reason.clone()),
            };
            results.push((index, result));
        }
        results
    }
}

impl Feature {
    /// Plans a feature. None, with a sentence, for one whose weights are not there.
    pub(crate) fn plan(
        name: &str,
        config: &RunConfig,
        weights: &Weights,
        workers: usize,
    ) -> Result<Result<Self, String>, PipelineError> {
        let source = source(name)?;
        let in_feature = |e| PipelineError::Feature { name: name.to_owned(), source: e };
        let mut description = Description {
            source: &source,
            segment: None,
            normalise_peak: config.normalise_peak,
            audio: AUDIO_VERSION,
            code: 0,
            version: VERSION,
            weights: None,
            patches: None,
        };
        let mut digest = String::new();
        let (sample_rate, way, rows, frames) = match &source {
            Source::Matrix { sample_rate, feature, ln } => {
                let segment = config.segment(*sample_rate);
                let segmenter = segment.plan().map_err(mgr_data::DataError::from)?;
                let extractor = feature.plan(*sample_rate).map_err(in_feature)?;
                let layout = extractor.layout(segment.segment_length).map_err(in_feature)?;
                description.segment = Some(segment);
                description.code = feature.version();
                (*sample_rate, Way::Matrix { extractor, segmenter, ln: *ln }, layout.rows, layout.columns)
            }
            Source::Vector { sample_rate, feature } => {
                let extractor = feature.plan(*sample_rate).map_err(in_feature)?;
                // A second is long enough for statistics over frames; rhythm says itself what it needs.
                let minimum = extractor.frame_length().max(*sample_rate as usize);
                let layout = extractor.layout(minimum).map_err(in_feature)?;
                description.code = feature.version();
                (*sample_rate, Way::Vector { extractor, minimum }, layout.rows, 1)
            }
            Source::Embedding { weights: wanted, outputs } => {
                let Some(pretrained) = weights.find(wanted)? else {
                    return Ok(Err(format!("{name} is left out: {}", Weights::how(wanted))));
                };
                digest.clone_from(&pretrained.provenance().sha256);
                description.patches = long_patch(&pretrained).map(|_| SPREAD);
                let (way, rate, rows) = embedding(&pretrained, outputs, workers)?;
                (rate, way, rows, 1)
            }
        };
        if !digest.is_empty() {
            description.weights = Some(&digest);
        }
        let fingerprint = mgr_data::fingerprint(&description)?;
        let normalise_peak = config.normalise_peak;
        Ok(Ok(Self {
            name: name.to_owned(),
            fingerprint,
            rows,
            frames,
            sample_rate,
            way,
            normalise_peak,
            source,
        }))
    }

    /// Whether it is a matrix rather than a vector.
    pub(crate) fn is_matrix(&self) -> bool {
        matches!(self.source, Source::Matrix { .. })
    }

    /// The store of its values.
    pub(crate) fn store(&self, cache: &Path) -> Result<FeatureStore, PipelineError> {
        #[derive(Serialize)]
        struct Kept<'a> {
            feature: &'a Source,
            fingerprint: &'a str,
        }
        let kept = Kept { feature: &self.source, fingerprint: &self.fingerprint };
        let root = cache.join("features");
        Ok(FeatureStore::open_described(&root, "feature.json", &kept, [self.rows, self.frames])?)
    }

    fn process(&self, clip: &Heard) -> Result<ClipFeatures, String> {
        let scaled: Vec<f32>;
        let samples = if self.normalise_peak {
            let peak = clip.samples.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
            scaled = clip.samples.iter().map(|x| x / peak).collect();
            &scaled
        } else {
            &clip.samples
        };
        let segments = match &self.way {
            Way::Matrix { extractor, segmenter, ln } => {
                if samples.len() < extractor.frame_length() {
                    return Err(format!(
                        "{} samples, {} are needed",
                        samples.len(),
                        extractor.frame_length()
                    ));
                }
                let views = segmenter.views(samples).map_err(|e| e.to_string())?;
                let mut segments = Array3::zeros((views.len(), self.rows, self.frames));
                let mut scratch = extractor.scratch_for(segmenter.config().segment_length);
                for (segment, out) in views.iter().zip(segments.axis_iter_mut(Axis(0))) {
                    extractor.extract_into(segment, out, &mut scratch).map_err(|e| e.to_string())?;
                }
                if *ln {
                    segments.mapv_inplace(|v: f32| if v == 0.0 { ZERO.ln() } else { v.abs().ln() });
                }
                segments
            }
            Way::Vector { extractor, minimum } => {
                let long = repeated(samples, *minimum);
                let vector = extractor.extract(&long).map_err(|e| e.to_string())?;
                vector.insert_axis(Axis(0)).as_standard_layout().into_owned()
            }
            Way::Embedding { taggers, outputs, minimum } => {
                let long = repeated(samples, *minimum);
                let vector = embed(taggers, outputs, &long, self.sample_rate)?;
                vector.insert_axis(Axis(0))
            }
        };
        match segments.iter().find(|v| !v.is_finite()) {
            Some(value) => Err(format!("the feature holds {value}")),
            None => Ok(ClipFeatures { segments, report: clip.report.clone() }),
        }
    }
}

/// The clip, put one after the other until it is long enough.
fn repeated(samples: &[f32], minimum: usize) -> std::borrow::Cow<'_, [f32]> {
    if samples.len() >= minimum || samples.is_empty() {
        samples.into()
    } else {
        samples.iter().copied().cycle().take(minimum).collect::<Vec<f32>>().into()
    }
}

/// Samples of a patch of 10 s and more, of which a network takes many.
fn long_patch(pretrained: &Pretrained) -> Option<usize> {
    match pretrained.front_end() {
        Some((_, Patch::Spread { samples, .. })) if samples >= 160_000 => Some(samples),
        _ => None,
    }
}

fn embedding(
    pretrained: &Pretrained,
    outputs: &[String],
    workers: usize,
) -> Result<(Way, u32, usize), PipelineError> {
    let mut taggers = Vec::new();
    for _ in 0..workers.max(1) {
        let tagger = Tagger::new(pretrained, DeviceConfig::Cpu)?;
        let tagger = match long_patch(pretrained) {
            Some(samples) => tagger.with_patch(Patch::Spread { samples, count: SPREAD })?,
            None => tagger,
        };
        taggers.push(Mutex::new(tagger));
    }
    let minimum = match pretrained.front_end() {
        Some((_, Patch::Frames { samples, .. } | Patch::Start { samples, .. })) => samples,
        Some((_, Patch::Centre { samples } | Patch::Windows { samples } | Patch::Spread { samples, .. })) => {
            samples
        }
        _ => 1,
    };
    let rate = taggers.first().map_or(16_000, |t| held(t).sample_rate());
    let silence = vec![0.0; minimum];
    let rows = embed(&taggers, outputs, &silence, rate)
        .map_err(|reason| {
            PipelineError::config("features", format!("{}: {reason}", pretrained.name()), "its outputs")
        })?
        .nrows();
    Ok((Way::Embedding { taggers, outputs: outputs.to_vec(), minimum }, rate, rows))
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The means over the patches of several outputs, one below the other: (values, 1).
fn embed(
    taggers: &[Mutex<Tagger>],
    outputs: &[String],
    samples: &[f32],
    rate: u32,
) -> Result<Array2<f32>, String> {
    // Any network that is free; all are the same.
    let free = taggers.iter().find_map(|t| t.try_lock().ok());
    let tagger = match (free, taggers.first()) {
        (Some(tagger), _) => tagger,
        (None, Some(first)) => held(first),
        (None, None) => return Err("no network".into()),
    };
    // Sums depend on the number of threads.
    set_threads(1).map_err(|e| e.to_string())?;
    let values = tagger.joint_embedding(samples, rate, outputs).map_err(|e| e.to_string())?;
    Ok(values.insert_axis(Axis(1)))
}

/// What became of one clip.
pub(crate) struct Outcome {
    /// SHA-256 of the file; none where it cannot be read.
    pub(crate) content: Option<String>,
    pub(crate) report: Option<DecodeReport>,
    /// Segments of each feature; why there are none.
    pub(crate) features: Vec<Result<usize, String>>,
    pub(crate) reused: usize,
}

/// The features of a dataset in their stores.
pub(crate) struct Extracted {
    pub(crate) stores: Vec<FeatureStore>,
    pub(crate) clips: Vec<Outcome>,
    pub(crate) seconds: f64,
}

/// Brings the features of all tracks into the stores, over all threads of rayon's current pool.
pub(crate) fn extract(
    tracks: &[Track],
    features: &[Feature],
    cache: &Path,
    progress: &dyn Progress,
) -> Result<Extracted, PipelineError> {
    let start = Instant::now();
    let stores = features.iter().map(|f| f.store(cache)).collect::<Result<Vec<_>, _>>()?;
    let ear = Ear::of(features)?;
    let task = progress.begin("features", tracks.len());
    let done = AtomicUsize::new(0);
    let clips: Vec<Result<Outcome, PipelineError>> = tracks
        .par_iter()
        .map(|track| {
            let outcome = one(&track.path, &track.id, features, &stores, &ear);
            task.at(done.fetch_add(1, Ordering::Relaxed) + 1, "");
            outcome
        })
        .collect();
    task.end();
    let clips = clips.into_iter().collect::<Result<Vec<_>, _>>()?;
    for store in &stores {
        store.sync()?;
    }
    Ok(Extracted { stores, clips, seconds: start.elapsed().as_secs_f64() })
}

fn one(
    path: &Path,
    name: &str,
    features: &[Feature],
    stores: &[FeatureStore],
    ear: &Ear,
) -> Result<Outcome, PipelineError> {
    let bytes = match read_file(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let features = features.iter().map(|_| Err(error.to_string())).collect();
            return Ok(Outcome { content: None, report: None, features, reused: 0 });
        }
    };
    let content = sha256_hex(&bytes);
    let mut results: Vec<Result<usize, String>> = Vec::with_capacity(features.len());
    let mut wanted = Vec::new();
    let mut report = None;
    for (index, store) in stores.iter().enumerate() {
        // A damaged entry is computed again.
        let found = store.view(&content).ok().flatten();
        let count = found.as_ref().and_then(|clip| Some(clip.segments().ok()?.dim().0));
        results.push(count.ok_or_else(String::new));
        match (count, found) {
            (Some(_), Some(clip)) => report = report.or_else(|| clip.report().ok()),
            _ => wanted.push(index),
        }
    }
    let reused = features.len() - wanted.len();
    for (index, result) in ear.features(features, &wanted, &bytes, name) {
        results[index] = match result {
            Ok(clip) => {
                stores[index].put(&content, &clip)?;
                let count = clip.segments.dim().0;
                report = Some(clip.report);
                Ok(count)
            }
            Err(reason) => Err(reason),
        };
    }
    Ok(Outcome { content: Some(content), report, features: results, reused })
}

/// The mean and the deviation over time of every row of all segments: what a learner sees of a matrix.
pub(crate) fn pooled(segments: &ndarray::ArrayView3<'_, f32>) -> Vec<f64> {
    let (count, rows, frames) = segments.dim();
    let n = (count * frames).max(1) as f64;
    if frames == 1 {
        return (0..rows)
            .map(|r| segments.slice(s![.., r, 0]).iter().map(|&v| f64::from(v)).sum::<f64>() / n)
            .collect();
    }
    let mut means = Vec::with_capacity(2 * rows);
    let mut deviations = Vec::with_capacity(rows);
    for row in 0..rows {
        let values = segments.slice(s![.., row, ..]);
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        means.push(mean);
        deviations.push(variance.sqrt());
    }
    means.extend(deviations);
    means
}
