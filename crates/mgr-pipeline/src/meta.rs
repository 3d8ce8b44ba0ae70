//! The meta network: the codes of a subset of features become one verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mgr_learn::{Classifier, Learner, ModelFile};
use mgr_models::device::DeviceConfig;
use mgr_models::train::{Draw, Examples, FitOptions, History, Inputs, Outcome};
use mgr_models::zoo::{MlfcfMetaConfig, MlfcfVariant, NetworkConfig};
use mgr_models::{Network, SavedNetwork, encode};
use ndarray::{Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::combine::members;
use crate::config::{MetaKind, Protocol};
use crate::encoder::{CODE, EncoderKind, Encoders, Place, Teller, UnitRecord, split_folder};
use crate::files::{read_array, read_json, write_array, write_json};

/// Clips in one step of inference.
const BATCH: usize = 64;

/// Where a meta network stands among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MetaPlace {
    pub(crate) fold: usize,
    pub(crate) split: usize,
    pub(crate) mask: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MetaRecord {
    key: String,
    features: Vec<String>,
    widths: Vec<usize>,
    selected_epoch: Option<usize>,
    history: Option<History>,
}

/// The codes of clips, one above the other: (features, [`CODE`]); zeros for a feature that a clip has not got.
pub(crate) struct Codes<'a> {
    codes: Vec<ArrayView2<'a, f32>>,
    clips: Vec<usize>,
    labels: Vec<usize>,
    shape: [usize; 2],
}

impl<'a> Codes<'a> {
    pub(crate) fn new(codes: Vec<ArrayView2<'a, f32>>, clips: Vec<usize>, labels: Vec<usize>) -> Self {
        let shape = [codes.len(), CODE];
        Self { codes, clips, labels, shape }
    }
}

impl Inputs for Codes<'_> {
    fn len(&self) -> usize {
        self.clips.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(&clip) = self.clips.get(index) else { return Err(format!("no example {index}").into()) };
        for (codes, out) in self.codes.iter().zip(out.chunks_exact_mut(CODE)) {
            for (to, value) in out.iter_mut().zip(codes.row(clip)) {
                *to = if value.is_nan() { 0.0 } else { *value };
            }
        }
        Ok(())
    }
}

impl Examples for Codes<'_> {
    fn label(&self, index: usize) -> usize {
        self.labels.get(index).copied().unwrap_or(usize::MAX)
    }
}

/// The network of a subset; none without one.
pub(crate) fn network(kind: MetaKind, codes: usize) -> Option<NetworkConfig> {
    let variant = match kind {
        MetaKind::None | MetaKind::Learner => return None,
        MetaKind::Efficient => MlfcfVariant::Efficient,
        MetaKind::Published => MlfcfVariant::Published,
    };
    Some(NetworkConfig::MlfcfMeta(MlfcfMetaConfig { codes, variant, ..MlfcfMetaConfig::default() }))
}

/// The codes of several features side by side, without their padding; zeros for a feature that a clip has not got.
fn side_by_side(codes: &[ArrayView2<'_, f32>], widths: &[usize]) -> Array2<f64> {
    let clips = codes.first().map_or(0, |c| c.nrows());
    let mut table = Array2::zeros((clips, widths.iter().sum()));
    let mut from = 0;
    for (codes, &width) in codes.iter().zip(widths) {
        let own = codes.slice(s![.., ..width]).mapv(|v| if v.is_nan() { 0.0 } else { f64::from(v) });
        table.slice_mut(s![.., from..from + width]).assign(&own);
        from += width;
    }
    table
}

/// A trained meta network or learner.
pub(crate) enum Meta {
    Network(Box<dyn Network>),
    Learner(Box<ModelFile>, Vec<usize>),
}

impl Meta {
    /// Loads the one of a finished unit.
    pub(crate) fn load(folder: &Path, classes: &[String]) -> Result<Self, PipelineError> {
        let record: MetaRecord = read_json(&folder.join("unit.json"))?;
        let other = |path: PathBuf| {
            let reason = "it knows other classes than the run".into();
            Err(PipelineError::Run { path, reason })
        };
        let path = folder.join("model.json");
        if path.exists() {
            let file = ModelFile::load(&path)?;
            let columns: usize = record.widths.iter().sum();
            if record.widths.iter().any(|&w| w > CODE) || file.columns().len() != columns {
                let reason = "its columns are not those of the features' codes".into();
                return Err(PipelineError::Run { path, reason });
            }
            return if file.classes() == classes {
                Ok(Self::Learner(Box::new(file), record.widths))
            } else {
                other(path)
            };
        }
        let path = folder.join("network.safetensors");
        let saved = SavedNetwork::load(&path)?;
        if saved.facts().classes == classes {
            Ok(Self::Network(saved.build(DeviceConfig::Cpu)?))
        } else {
            other(path)
        }
    }

    /// Probabilities of one clip by the codes of the subset's features, a row each.
    pub(crate) fn probabilities(
        &self,
        codes: Vec<ArrayView2<'_, f32>>,
    ) -> Result<Array2<f64>, PipelineError> {
        match self {
            Self::Network(network) => {
                let inputs = Codes::new(codes, vec![0], vec![0]);
                Ok(encode::probabilities(network.as_ref(), &inputs, 1)?.mapv(f64::from))
            }
            Self::Learner(file, widths) => {
                Ok(file.pipeline().predict_proba(side_by_side(&codes, widths).view())?)
            }
        }
    }
}

impl EncoderKind {
    fn file(&self) -> &'static str {
        match self {
            Self::Network(_) => "network.safetensors",
            Self::Learner(_) => "model.json",
        }
    }
}

/// The folder of a meta network.
pub(crate) fn meta_folder(out: &Path, place: MetaPlace) -> PathBuf {
    split_folder(out, place.fold, place.split).join(format!("meta-{:04x}", place.mask))
}

impl Encoders<'_> {
    fn meta_kind(&self, codes: usize) -> Option<EncoderKind> {
        if self.config.meta == MetaKind::Learner {
            return Some(EncoderKind::Learner(self.config.learner.clone()));
        }
        network(self.config.meta, codes).map(EncoderKind::Network)
    }

    /// Trains the meta network of a place and scores all clips, unless that is done. None where it was interrupted.
    pub(crate) fn meta(&self, place: MetaPlace) -> Result<Option<bool>, PipelineError> {
        let features = members(place.mask);
        let Some(kind) = self.meta_kind(features.len()) else { return Ok(Some(true)) };
        let at = |feature| Place { fold: place.fold, split: place.split, feature };
        let (mut keys, mut widths) = (Vec::new(), Vec::new());
        for &feature in &features {
            let unit = read_json::<UnitRecord>(&self.folder(at(feature)).join("unit.json"))?;
            keys.push(unit.key);
            widths.push(unit.code_width);
        }
        let published = self.config.protocol == Protocol::Published;
        let seed = self
            .config
            .seed
            .wrapping_mul(7_654_321)
            .wrapping_add((place.fold as u64) << 40 | (place.split as u64) << 32 | u64::from(place.mask))
            >> 1;
        let key = mgr_data::fingerprint(&(&keys, &kind, &self.training.meta, seed, published))?;
        let folder = meta_folder(&self.config.out, place);
        let done = folder.join("unit.json");
        let shape = (self.clips.clips.len(), self.classes.len());
        let scored = |folder: &Path| read_array(&folder.join("scores.npy")).is_ok_and(|a| a.dim() == shape);
        let saved = folder.join(kind.file());
        if done.exists()
            && read_json::<MetaRecord>(&done).is_ok_and(|r| r.key == key)
            && scored(&folder)
            && saved.exists()
        {
            return Ok(Some(true));
        }
        let mark = folder.join("key");
        if folder.exists() && std::fs::read_to_string(&mark).is_ok_and(|there| there != key) {
            std::fs::remove_dir_all(&folder).map_err(mgr_data::DataError::io(&folder, "remove"))?;
        }
        mgr_data::write_atomic(&mark, |out| out.write_all(key.as_bytes()))?;

        let codes: Vec<Array2<f32>> = features
            .iter()
            .map(|&feature| read_array(&self.folder(at(feature)).join("codes.npy")))
            .collect::<Result<_, _>>()?;
        let split = &self.folds[place.fold].splits[place.split];
        let names = features.iter().map(|&f| self.features[f].name.clone()).collect();
        let record = |selected_epoch, history| MetaRecord {
            key: key.clone(),
            features: names,
            widths: widths.clone(),
            selected_epoch,
            history,
        };
        let config = match kind {
            EncoderKind::Network(config) => config,
            EncoderKind::Learner(learner) => {
                let views: Vec<_> = codes.iter().map(|a| a.view()).collect();
                let table = side_by_side(&views, &widths);
                let labels: Vec<usize> = split.train.iter().map(|&i| self.clips.clips[i].class).collect();
                let own = table.select(Axis(0), &split.train);
                let model = learner.plan()?.fit(own.view(), &labels, self.classes.len())?;
                let columns = (0..table.ncols()).map(|i| format!("code_{i}")).collect();
                let file = ModelFile::new(model, columns, self.classes.to_vec())?;
                file.save(&saved)?;
                let scores = file.pipeline().predict_proba(table.view())?;
                // What the classes are told apart by, for pictures.
                let seen = scores.mapv(|p| p.max(1e-6).ln() as f32);
                write_array(&folder.join("scores.npy"), scores.mapv(|p| p as f32).view())?;
                write_array(&folder.join("codes.npy"), seen.view())?;
                write_json(&done, &record(None, None))?;
                return Ok(Some(false));
            }
        };
        let part = |clips: &[usize]| {
            let labels = clips.iter().map(|&i| self.clips.clips[i].class).collect();
            Codes::new(codes.iter().map(|a| a.view()).collect(), clips.to_vec(), labels)
        };
        let in_fold = |source| PipelineError::Fold { fold: place.fold, source };
        let mut network = config.build(self.classes.len(), seed, DeviceConfig::Cpu).map_err(in_fold)?;
        let plan = mgr_models::train::TrainConfig { seed, ..self.training.meta.clone() };
        let plan = plan.plan().map_err(in_fold)?;
        let options =
            FitOptions { checkpoints: Some(&folder), data_fingerprint: &key, cancel: Some(self.cancel) };
        let title = format!("meta {}.{} {:x}", place.fold, place.split, place.mask);
        let task = self.progress.begin(&title, self.training.meta.epochs);
        let mut observer = Teller { task: task.as_ref(), steps: 0 };
        let (train, validation) = (part(&split.train), part(&split.validation));
        let outcome = plan.fit(network.as_mut(), &train, Some(&validation), &options, &mut observer);
        task.end();
        let Outcome::Finished(fit) = outcome.map_err(in_fold)? else { return Ok(None) };
        let all = part(&(0..self.clips.clips.len()).collect::<Vec<_>>());
        let (scores, fused) =
            encode::probabilities_and_codes(network.as_ref(), &all, BATCH).map_err(in_fold)?;
        let saved_network =
            SavedNetwork::new(config, network.as_ref(), self.classes.to_vec(), BTreeMap::new());
        saved_network.and_then(|s| s.save(&saved)).map_err(in_fold)?;
        for name in ["last.safetensors", "best.safetensors"] {
            let path = folder.join(name);
            if path.exists() {
                std::fs::remove_file(&path).map_err(mgr_data::DataError::io(&path, "remove"))?;
            }
        }
        write_array(&folder.join("scores.npy"), scores.view())?;
        write_array(&folder.join("codes.npy"), fused.view())?;
        write_json(&done, &record(Some(fit.selected_epoch), Some(fit.history)))?;
        Ok(Some(false))
    }
}
