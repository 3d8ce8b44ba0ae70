//! One encoder for each feature, fold and split: a network or a learner, trained on the training part, its epoch chosen on the
//! validation part; then the scores and codes of every clip.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use mgr_learn::{Classifier, Learner, ModelFile};
use mgr_models::device::DeviceConfig;
use mgr_models::train::{EpochRecord, FitOptions, History, Observer, Outcome};
use mgr_models::zoo::{MlfcfSpectrogramConfig, MlfcfVariant, MlfcfVectorConfig, NetworkConfig};
use mgr_models::{Network, SavedNetwork, encode};
use ndarray::{Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::budget::Training;
use crate::clips::Clips;
use crate::config::{MatrixEncoder, RunConfig, VectorEncoder};
use crate::features::{Feature, pooled};
use crate::files::{read_array, read_json, write_array, write_json};
use crate::folds::{Parts, Split};
use crate::inputs::{Scale, Segments, Values, table};
use crate::progress::{Progress, Task};

/// Segments in one step of inference.
pub(crate) const INFERENCE_BATCH: usize = 16;

/// Clips that are encoded at a time, which bounds memory.
const CLIPS_AT_A_TIME: usize = 64;

/// Length of a code, in networks and learners.
pub(crate) const CODE: usize = 1024;

/// What encodes a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EncoderKind {
    Network(NetworkConfig),
    Learner(mgr_learn::PipelineConfig),
}

impl EncoderKind {
    pub(crate) fn of(config: &RunConfig, feature: &Feature) -> Self {
        let spectrogram = |variant| {
            let config = MlfcfSpectrogramConfig { variant, ..MlfcfSpectrogramConfig::default() };
            Self::Network(NetworkConfig::MlfcfSpectrogram(config))
        };
        let vector = |variant| {
            let length = feature.rows;
            let config = MlfcfVectorConfig { variant, length, ..MlfcfVectorConfig::default() };
            Self::Network(NetworkConfig::MlfcfVector(config))
        };
        let learner = || {
            let mut learner = config.learner.clone();
            learner.learner = learner.learner.with_seed(config.seed);
            Self::Learner(learner)
        };
        if feature.is_matrix() {
            match config.matrix_encoder {
                MatrixEncoder::Efficient => spectrogram(MlfcfVariant::Efficient),
                MatrixEncoder::Published => spectrogram(MlfcfVariant::Published),
                MatrixEncoder::Learner => learner(),
            }
        } else {
            match config.vector_encoder {
                VectorEncoder::Learner => learner(),
                VectorEncoder::Efficient => vector(MlfcfVariant::Efficient),
                VectorEncoder::Published => vector(MlfcfVariant::Published),
            }
        }
    }
}

/// A trained encoder.
pub(crate) enum Encoder {
    Network { network: Box<dyn Network>, scale: Scale },
    Learner(Box<ModelFile>),
}

/// What a finished unit leaves beside its scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnitRecord {
    /// Fingerprint of all that it depends on.
    pub(crate) key: String,
    pub(crate) feature: String,
    pub(crate) encoder: EncoderKind,
    scale: Option<Scale>,
    /// Numbers of a code that are not padding.
    pub(crate) code_width: usize,
    pub(crate) selected_epoch: Option<usize>,
    pub(crate) history: Option<History>,
}

/// Where an encoder stands among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) fold: usize,
    pub(crate) split: usize,
    pub(crate) feature: usize,
}

/// The folder of a fold's split.
pub(crate) fn split_folder(out: &Path, fold: usize, split: usize) -> PathBuf {
    out.join("folds").join(fold.to_string()).join(split.to_string())
}

/// The name of a feature as a folder.
pub(crate) fn folder_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Everything that encoders share.
pub(crate) struct Encoders<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) training: &'a Training,
    pub(crate) features: &'a [Feature],
    pub(crate) classes: &'a [String],
    pub(crate) clips: &'a Clips,
    /// Fingerprint of the clips and their classes.
    pub(crate) clips_fingerprint: &'a str,
    pub(crate) folds: &'a [Parts],
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancel: &'a AtomicBool,
}

impl Encoders<'_> {
    pub(crate) fn folder(&self, place: Place) -> PathBuf {
        split_folder(&self.config.out, place.fold, place.split)
            .join(folder_name(&self.features[place.feature].name))
    }

    fn split(&self, place: Place) -> &Split {
        &self.folds[place.fold].splits[place.split]
    }

    /// All that the encoder of a place depends on.
    fn key(&self, place: Place, kind: &EncoderKind) -> Result<String, PipelineError> {
        #[derive(Serialize)]
        struct Key<'a> {
            clips: &'a str,
            feature: &'a str,
            has: Vec<bool>,
            split: &'a Split,
            kind: &'a EncoderKind,
            training: Option<(&'a mgr_models::train::TrainConfig, usize, bool, u64)>,
        }
        let feature = &self.features[place.feature];
        let network = matches!(kind, EncoderKind::Network(_));
        let seed = self.seed(place);
        let training = (&self.training.encoder, self.training.crop_frames, self.config.standardise, seed);
        Ok(mgr_data::fingerprint(&Key {
            clips: self.clips_fingerprint,
            feature: &feature.fingerprint,
            has: self.clips.clips.iter().map(|c| c.segments[place.feature] > 0).collect(),
            split: self.split(place),
            kind,
            training: network.then_some(training),
        })?)
    }

    fn seed(&self, place: Place) -> u64 {
        let name = &self.features[place.feature].name;
        let of_name =
            name.bytes().fold(0_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)) % 999_983);
        let place = (place.fold as u64) * 1000 + place.split as u64;
        self.config.seed.wrapping_mul(1_000_003).wrapping_add(place * 7919).wrapping_add(of_name) >> 1
    }

    /// Trains the encoder of a place and encodes all clips, unless that is done. Whether it was done before; none where it was
    /// interrupted.
    pub(crate) fn unit(&self, place: Place) -> Result<Option<bool>, PipelineError> {
        let kind = EncoderKind::of(self.config, &self.features[place.feature]);
        let key = self.key(place, &kind)?;
        let folder = self.folder(place);
        let done = folder.join("unit.json");
        if done.exists() && read_json::<UnitRecord>(&done).is_ok_and(|r| r.key == key) && self.whole(&folder)
        {
            return Ok(Some(true));
        }
        // What is there belongs to other settings.
        let mark = folder.join("key");
        if folder.exists() && std::fs::read_to_string(&mark).is_ok_and(|there| there != key) {
            std::fs::remove_dir_all(&folder).map_err(mgr_data::DataError::io(&folder, "remove"))?;
        }
        mgr_data::write_atomic(&mark, |out| out.write_all(key.as_bytes()))?;
        let split = self.split(place);
        self.check_classes(place, &split.train)?;
        let (encoder, selected_epoch, history) = match &kind {
            EncoderKind::Network(network) => match self.train(place, network, split, &folder, &key)? {
                Some((encoder, epoch, history)) => (encoder, Some(epoch), Some(history)),
                None => return Ok(None),
            },
            EncoderKind::Learner(learner) => (self.fit(place, learner, split, &folder)?, None, None),
        };
        let (scores, codes) = self.encode(place.feature, &encoder)?;
        write_array(&folder.join("scores.npy"), scores.view())?;
        write_array(&folder.join("codes.npy"), codes.view())?;
        let code_width = encoder.code_width();
        let scale = match encoder {
            Encoder::Network { scale, .. } => Some(scale),
            Encoder::Learner(_) => None,
        };
        let feature = self.features[place.feature].name.clone();
        let record = UnitRecord { key, feature, encoder: kind, scale, code_width, selected_epoch, history };
        // Last, since its presence says that the unit is done.
        write_json(&done, &record)?;
        Ok(Some(false))
    }

    fn whole(&self, folder: &Path) -> bool {
        let shape = |name: &str| read_array(&folder.join(name)).map(|a| a.dim());
        let (clips, classes) = (self.clips.clips.len(), self.classes.len());
        let model = folder.join("network.safetensors").exists() || folder.join("model.json").exists();
        model
            && shape("scores.npy").is_ok_and(|d| d == (clips, classes))
            && shape("codes.npy").is_ok_and(|d| d == (clips, CODE))
    }

    fn check_classes(&self, place: Place, train: &[usize]) -> Result<(), PipelineError> {
        let mut seen = vec![false; self.classes.len()];
        for &clip in train {
            if self.clips.clips[clip].segments[place.feature] > 0 {
                seen[self.clips.clips[clip].class] = true;
            }
        }
        match seen.iter().position(|s| !s) {
            None => Ok(()),
            Some(class) => Err(PipelineError::Folds {
                reason: format!(
                    "class {} has no clip to train {} on in fold {}",
                    self.classes[class], self.features[place.feature].name, place.fold
                ),
            }),
        }
    }

    fn train(
        &self,
        place: Place,
        config: &NetworkConfig,
        split: &Split,
        folder: &Path,
        key: &str,
    ) -> Result<Option<(Encoder, usize, History)>, PipelineError> {
        let in_fold = |source| PipelineError::Fold { fold: place.fold, source };
        let feature = &self.features[place.feature];
        let scale = if self.config.standardise {
            Scale::fit(self.clips, place.feature, &split.train, feature.rows)?
        } else {
            Scale::identity(feature.rows)
        };
        let seed = self.seed(place);
        let mut network = config.build(self.classes.len(), seed, DeviceConfig::Cpu).map_err(in_fold)?;
        let plan = mgr_models::train::TrainConfig { seed, ..self.training.encoder.clone() };
        let plan = plan.plan().map_err(in_fold)?;
        let options =
            FitOptions { checkpoints: Some(folder), data_fingerprint: key, cancel: Some(self.cancel) };
        let crop = self.training.crop_frames;
        let train = Segments::stored(self.clips, place.feature, &split.train, &scale, crop)?;
        let validation = Segments::stored(self.clips, place.feature, &split.validation, &scale, 0)?;
        let title = format!("{} {}.{}", feature.name, place.fold, place.split);
        let task = self.progress.begin(&title, self.training.encoder.epochs);
        let mut observer = Teller { task: task.as_ref(), steps: 0 };
        let outcome = plan.fit(network.as_mut(), &train, Some(&validation), &options, &mut observer);
        task.end();
        let Outcome::Finished(fit) = outcome.map_err(in_fold)? else { return Ok(None) };
        let saved =
            SavedNetwork::new(config.clone(), network.as_ref(), self.classes.to_vec(), BTreeMap::new());
        saved.and_then(|s| s.save(&folder.join("network.safetensors"))).map_err(in_fold)?;
        // The network is saved; the checkpoints, three times its size, have served.
        for name in ["last.safetensors", "best.safetensors"] {
            let path = folder.join(name);
            if path.exists() {
                std::fs::remove_file(&path).map_err(mgr_data::DataError::io(&path, "remove"))?;
            }
        }
        drop((train, validation));
        Ok(Some((Encoder::Network { network, scale }, fit.selected_epoch, fit.history)))
    }

    fn fit(
        &self,
        place: Place,
        learner: &mgr_learn::PipelineConfig,
        split: &Split,
        folder: &Path,
    ) -> Result<Encoder, PipelineError> {
        let (rows, has) = table(self.clips, place.feature, &split.train)?;
        let labels: Vec<usize> = has.iter().map(|&i| self.clips.clips[i].class).collect();
        let model = learner.plan()?.fit(rows.view(), &labels, self.classes.len())?;
        let names = (0..rows.ncols()).map(|i| format!("{}_{i}", self.features[place.feature].name)).collect();
        let file = ModelFile::new(model, names, self.classes.to_vec())?;
        file.save(&folder.join("model.json"))?;
        Ok(Encoder::Learner(Box::new(file)))
    }

    /// Scores (clips, classes) and codes (clips, [`CODE`]) of every clip; rows of NaN where it has not got the feature.
    fn encode(&self, feature: usize, encoder: &Encoder) -> Result<(Array2<f32>, Array2<f32>), PipelineError> {
        let clips = self.clips.clips.len();
        let mut scores = Array2::from_elem((clips, self.classes.len()), f32::NAN);
        let mut codes = Array2::from_elem((clips, CODE), f32::NAN);
        let all: Vec<usize> = (0..clips).filter(|&i| self.clips.clips[i].segments[feature] > 0).collect();
        for part in all.chunks(CLIPS_AT_A_TIME) {
            let mut values = Vec::with_capacity(part.len());
            for &clip in part {
                if let Some(view) = self.clips.view(feature, clip)? {
                    values.push(Values::Stored(view));
                }
            }
            let (of_scores, of_codes) = encoder.encode(values)?;
            for (row, &clip) in part.iter().enumerate() {
                scores.row_mut(clip).assign(&of_scores.row(row));
                codes.row_mut(clip).assign(&of_codes.row(row));
            }
        }
        Ok((scores, codes))
    }
}

impl Encoder {
    /// Loads the encoder of a finished unit, for a feature of so many rows and these classes.
    pub(crate) fn load(folder: &Path, rows: usize, classes: &[String]) -> Result<Self, PipelineError> {
        let record: UnitRecord = read_json(&folder.join("unit.json"))?;
        let refuse = |reason: &str| PipelineError::Run { path: folder.to_path_buf(), reason: reason.into() };
        let other = || refuse("it knows other classes than the run");
        match (record.encoder, record.scale) {
            (EncoderKind::Network(_), Some(scale)) if scale.fits(rows) => {
                let saved = SavedNetwork::load(&folder.join("network.safetensors"))?;
                if saved.facts().classes != classes {
                    return Err(other());
                }
                let network = saved.build(DeviceConfig::Cpu)?;
                if network.code_size() != Some(CODE) {
                    return Err(refuse("its network has no code of the run's length"));
                }
                Ok(Self::Network { network, scale })
            }
            (EncoderKind::Learner(_), _) => {
                let file = ModelFile::load(&folder.join("model.json"))?;
                if file.classes() == classes { Ok(Self::Learner(Box::new(file))) } else { Err(other()) }
            }
            _ => Err(refuse("a network without a scale for its feature's rows")),
        }
    }

    /// Numbers of a code that are not padding.
    pub(crate) fn code_width(&self) -> usize {
        match self {
            Self::Network { .. } => CODE,
            Self::Learner(file) => file.pipeline().model().columns().min(CODE),
        }
    }

    /// Mean probabilities and mean codes of clips, one row each.
    pub(crate) fn encode<'a>(
        &'a self,
        values: Vec<Values<'a>>,
    ) -> Result<(Array2<f32>, Array2<f32>), PipelineError> {
        match self {
            Self::Network { network, scale } => {
                let counts: Vec<usize> =
                    values.iter().map(|v| v.with(|v| v.dim().0)).collect::<Result<_, _>>()?;
                let inputs = Segments::new(values.into_iter().map(|v| (v, 0)).collect(), scale, 0)?;
                let (scores, codes) =
                    encode::probabilities_and_codes(network.as_ref(), &inputs, INFERENCE_BATCH)?;
                Ok((clip_means(scores.view(), &counts), clip_means(codes.view(), &counts)))
            }
            Self::Learner(file) => {
                let rows: Vec<Vec<f64>> =
                    values.iter().map(|v| v.with(|v| pooled(&v))).collect::<Result<_, _>>()?;
                let width = rows.first().map_or(0, Vec::len);
                let count = rows.len();
                let table = Array2::from_shape_vec((count, width), rows.concat())
                    .map_err(|e| PipelineError::Folds { reason: format!("table of features: {e}") })?;
                let scores = file.pipeline().predict_proba(table.view())?;
                let seen = file.pipeline().transform(table.view())?;
                Ok((scores.mapv(|v| v as f32), hashed(seen.view())))
            }
        }
    }
}

/// A learner's code: its scaled columns; those beyond [`CODE`] are added to the first ones again, with the sign turned each round.
fn hashed(seen: ArrayView2<'_, f64>) -> Array2<f32> {
    let mut codes = Array2::zeros((seen.nrows(), CODE));
    for (row, mut code) in seen.rows().into_iter().zip(codes.rows_mut()) {
        for (column, value) in row.iter().enumerate() {
            let sign = if (column / CODE).is_multiple_of(2) { 1.0 } else { -1.0 };
            code[column % CODE] += sign * *value as f32;
        }
    }
    codes
}

/// The mean of the rows that belong to each clip, given how many each has.
fn clip_means(rows: ArrayView2<'_, f32>, counts: &[usize]) -> Array2<f32> {
    let mut means = Array2::zeros((counts.len(), rows.ncols()));
    let mut from = 0;
    for (&count, mut mean) in counts.iter().zip(means.rows_mut()) {
        let own = rows.slice(s![from..from + count, ..]);
        from += count;
        for (column, out) in own.axis_iter(Axis(1)).zip(&mut mean) {
            *out = (column.iter().map(|&v| f64::from(v)).sum::<f64>() / count.max(1) as f64) as f32;
        }
    }
    means
}

pub(crate) struct Teller<'a> {
    pub(crate) task: &'a dyn Task,
    pub(crate) steps: usize,
}

impl Observer for Teller<'_> {
    fn epoch_started(&mut self, _epoch: usize, steps: usize) {
        self.steps = steps;
    }

    fn step_finished(&mut self, epoch: usize, step: usize, loss: f64) {
        self.task.at(epoch - 1, &format!("step {step}/{} loss {loss:.3}", self.steps));
    }

    fn epoch_finished(&mut self, record: &EpochRecord) {
        let validation =
            record.validation.map_or(String::new(), |v| format!(", validation {:.1} %", 100.0 * v.accuracy));
        self.task.at(record.epoch, &format!("loss {:.3}{validation}", record.train.loss));
    }
}
