//! Pictures as examples of a network, and a run that says how it goes and keeps the network of its epochs.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use mgr_eval::figure::{Epoch, FoldHistory};
use mgr_models::device::DeviceConfig;
use mgr_models::train::{
    Checkpoint, CheckpointKind, Draw, EpochRecord, Examples, Fit, FitOptions, History, Inputs, Observer,
    Outcome, TrainConfig,
};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Network, SavedNetwork};
use ndarray::Array3;

use super::spoken::{Result, sentence};

/// Some of many pictures, as (3, height, width) with values from 0 to 1.
#[derive(Debug, Clone)]
pub struct PictureExamples<'a> {
    pictures: &'a [Array3<u8>],
    labels: &'a [usize],
    rows: Vec<usize>,
    shape: [usize; 3],
}

impl<'a> PictureExamples<'a> {
    /// The pictures of some rows.
    ///
    /// # Errors
    /// A sentence for a picture of another size than the first.
    pub fn new(pictures: &'a [Array3<u8>], labels: &'a [usize], rows: &[usize]) -> Result<Self> {
        let size = pictures.first().map_or((0, 0, 3), |picture| picture.dim());
        if let Some(other) = rows.iter().filter_map(|&row| pictures.get(row)).find(|p| p.dim() != size) {
            let (height, width, _) = other.dim();
            return Err(format!(
                "a picture of {height} x {width} among those of {} x {}; prepare the pictures anew",
                size.0, size.1
            ));
        }
        Ok(Self { pictures, labels, rows: rows.to_vec(), shape: [3, size.0, size.1] })
    }
}

impl Inputs for PictureExamples<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let picture =
            self.rows.get(index).and_then(|&row| self.pictures.get(row)).ok_or("no such picture")?;
        let [_, height, width] = self.shape;
        let planes = out.chunks_exact_mut((height * width).max(1));
        for (plane, values) in planes.zip(picture.axis_iter(ndarray::Axis(2))) {
            plane.iter_mut().zip(values).for_each(|(to, value)| *to = f32::from(*value) / 255.0);
        }
        Ok(())
    }
}

impl Examples for PictureExamples<'_> {
    fn label(&self, index: usize) -> usize {
        self.rows.get(index).and_then(|&row| self.labels.get(row)).copied().unwrap_or(usize::MAX)
    }
}

/// A training to be done.
#[derive(Debug)]
pub struct Job<'a> {
    /// The network.
    pub network: NetworkConfig,
    /// Names of the classes.
    pub classes: &'a [String],
    /// How it is trained.
    pub train: TrainConfig,
    /// Folder of checkpoints, and of the networks that are kept.
    pub folder: &'a Path,
    /// Tells data and initial weights apart from others.
    pub fingerprint: String,
    /// The network of every so many epochs is kept.
    pub keep_every: usize,
    /// The name of the file of an epoch's network.
    pub name_of: fn(&EpochRecord) -> String,
    /// What the loss is like is said every so many steps; 0 for never.
    pub print_every: usize,
}

/// Trains a network that has its initial weights; returns its history and the epoch whose weights it holds.
///
/// # Errors
/// The sentences of mgr-models.
pub fn fit(
    job: &Job<'_>,
    network: &mut dyn Network,
    train: &dyn Examples,
    validation: &dyn Examples,
) -> Result<Fit> {
    let stop = AtomicBool::new(false);
    let blank = job.network.build_blank(job.classes.len(), DeviceConfig::Cpu).map_err(sentence)?;
    let mut keeper =
        Keeper { job, blank, losses: VecDeque::new(), sum: (0.0, 0), failure: None, stop: &stop };
    let options =
        FitOptions { checkpoints: Some(job.folder), data_fingerprint: &job.fingerprint, cancel: Some(&stop) };
    let plan = job.train.plan().map_err(sentence)?;
    let outcome = plan.fit(network, train, Some(validation), &options, &mut keeper);
    if let Some(reason) = keeper.failure {
        return Err(reason);
    }
    match outcome.map_err(sentence)? {
        Outcome::Finished(fit) => Ok(fit),
        Outcome::Interrupted { finished_epochs } => Err(format!("interrupted after epoch {finished_epochs}")),
    }
}

struct Keeper<'a> {
    job: &'a Job<'a>,
    /// Takes the weights of the last checkpoint, to be saved without the optimiser's state.
    blank: Box<dyn Network>,
    losses: VecDeque<f64>,
    sum: (f64, usize),
    failure: Option<String>,
    stop: &'a AtomicBool,
}

impl Keeper<'_> {
    fn save(&self, record: &EpochRecord) -> Result<()> {
        let last = Checkpoint::load(&CheckpointKind::Last.path(self.job.folder)).map_err(sentence)?;
        self.blank.parameters().load_data(&last.model).map_err(sentence)?;
        let notes = BTreeMap::from([("epoch".to_owned(), record.epoch.to_string())]);
        let classes = self.job.classes.to_vec();
        let saved = SavedNetwork::new(self.job.network.clone(), self.blank.as_ref(), classes, notes);
        saved.and_then(|s| s.save(&self.job.folder.join((self.job.name_of)(record)))).map_err(sentence)
    }
}

impl Observer for Keeper<'_> {
    fn epoch_started(&mut self, _epoch: usize, _steps: usize) {
        self.losses.clear();
        self.sum = (0.0, 0);
    }

    fn step_finished(&mut self, epoch: usize, step: usize, loss: f64) {
        self.losses.push_back(loss);
        if self.losses.len() > 20 {
            self.losses.pop_front();
        }
        self.sum = (self.sum.0 + loss, self.sum.1 + 1);
        if self.job.print_every > 0 && step.is_multiple_of(self.job.print_every) {
            let mut window: Vec<f64> = self.losses.iter().copied().collect();
            window.sort_by(f64::total_cmp);
            let median = window.get(window.len() / 2).copied().unwrap_or(f64::NAN);
            println!("epoch {epoch} step {step}: loss {median:.4} ({:.4})", self.sum.0 / self.sum.1 as f64);
        }
    }

    fn epoch_finished(&mut self, record: &EpochRecord) {
        let validation = record.validation.map_or((f64::NAN, f64::NAN), |v| (v.loss, v.accuracy));
        println!(
            "epoch {}: loss {:.4}, accuracy {:.4}; validation loss {:.4}, accuracy {:.4}",
            record.epoch, record.train.loss, record.train.accuracy, validation.0, validation.1
        );
        if self.job.keep_every > 0
            && record.epoch.is_multiple_of(self.job.keep_every)
            && let Err(reason) = self.save(record)
        {
            self.failure = Some(reason);
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// A history as a learning curve.
#[must_use]
pub fn curve(history: &History, best: usize) -> FoldHistory {
    let epoch = |record: &EpochRecord| Epoch {
        train_loss: record.train.loss,
        train_accuracy: record.train.accuracy,
        validation_loss: record.validation.map(|v| v.loss),
        validation_accuracy: record.validation.map(|v| v.accuracy),
    };
    FoldHistory { epochs: history.epochs().iter().map(epoch).collect(), best_epoch: Some(best) }
}

/// The newest files of a folder with this ending, by name.
#[must_use]
pub fn files_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|p| p.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}
