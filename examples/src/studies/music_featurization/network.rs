//! The network on pictures: trained with a file for each epoch, chosen, tested, and asked for its 512 features.

use std::path::{Path, PathBuf};

use mgr_eval::report::{Classification, ClipResult, RunDescription};
use mgr_models::device::DeviceConfig;
use mgr_models::encode::{codes, probabilities};
use mgr_models::pretrained::{Pretrained, library};
use mgr_models::train::{AdamConfig, EpochRecord, Fit, GroupConfig, OptimiserConfig, TrainConfig};
use mgr_models::zoo::{MusicFeaturizationConfig, NetworkConfig};
use mgr_models::{Network, SavedNetwork};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::preparation::Prepared;
use crate::studies::picture_parts::spoken::{Result, sentence};
use crate::studies::picture_parts::training::{Job, PictureExamples, files_ending, fit};

/// How the network is trained.
#[derive(Debug, Clone)]
pub struct Training {
    /// Epochs.
    pub epochs: usize,
    /// Pictures of a step.
    pub batch: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// What the sum of the squared weights is multiplied by in the loss.
    pub l2: f64,
    /// Share that dropout takes.
    pub dropout: f64,
    /// How many blocks of convolutions are trained, from the last.
    pub trainable_blocks: usize,
    /// Whether each genre counts the same in the loss.
    pub balanced: bool,
    /// `imagenet`, a file, or `none`.
    pub weights: String,
    /// Seed.
    pub seed: u64,
}

/// The convolutions to begin with.
fn convolutions(weights: &str) -> Result<Option<Pretrained>> {
    const NAME: &str = "imagenet-vgg16";
    match weights {
        "none" => Ok(None),
        "imagenet" => {
            let library = library::open().map_err(sentence)?;
            let found = library.get(NAME).map_err(sentence)?;
            found.map(Some).ok_or_else(|| {
                format!(
                    "{}: the ImageNet convolutions are not there; fetch them with `mgr weights fetch {NAME}`, or draw them with --weights none",
                    library.path(NAME).display()
                )
            })
        }
        file => Pretrained::load(Path::new(file)).map(Some).map_err(|e| {
            format!("{e}; --weights is imagenet, none, or a file that `mgr weights` has written")
        }),
    }
}

/// The name of an epoch's file: number and validation accuracy.
fn name_of(record: &EpochRecord) -> String {
    let accuracy = record.validation.map_or(0.0, |v| v.accuracy);
    format!("epoch_{:02}_{accuracy:.4}.safetensors", record.epoch)
}

/// Trains on the prepared pictures; `models` takes a file for each epoch, the history and the checkpoints.
///
/// # Errors
/// The sentences of mgr-models.
pub fn train(prepared: &Prepared, training: &Training, models: &Path) -> Result<Fit> {
    let [train, validation, _] = &prepared.parts;
    let examples = |rows: &[usize]| PictureExamples::new(&prepared.pictures, &prepared.labels, rows);
    let size = prepared.about.size;
    let config = NetworkConfig::MusicFeaturization(MusicFeaturizationConfig {
        input: [size, size],
        trainable_blocks: training.trainable_blocks,
        dropout: training.dropout,
    });
    let classes = prepared.about.classes.len();
    let mut network = config.build(classes, training.seed, DeviceConfig::Cpu).map_err(sentence)?;
    if let Some(pretrained) = convolutions(&training.weights)? {
        network.parameters().load_part(pretrained.tensors()).map_err(sentence)?;
    }
    // Of the training clips alone; the original counts validation and test clips too.
    let mut counts = vec![0_usize; classes];
    train.iter().for_each(|&row| counts[prepared.labels[row]] += 1);
    let weight = |&n: &usize| train.len() as f32 / (classes as f32 * n.max(1) as f32);
    let job = Job {
        network: config,
        classes: &prepared.about.classes,
        train: TrainConfig {
            epochs: training.epochs,
            batch_size: training.batch,
            optimiser: OptimiserConfig::Adam(AdamConfig {
                learning_rate: training.learning_rate,
                ..AdamConfig::default()
            }),
            // The derivative of l2 times the squared weight is 2 l2 times the weight.
            groups: vec![GroupConfig {
                prefix: "fc1.weight".to_owned(),
                weight_decay: Some(2.0 * training.l2),
                ..GroupConfig::default()
            }],
            class_weights: training.balanced.then(|| counts.iter().map(weight).collect()),
            seed: training.seed,
            ..TrainConfig::default()
        },
        folder: models,
        fingerprint: format!("{}\n{}", training.weights, prepared.files.join("\n")),
        keep_every: 1,
        name_of,
        print_every: 0,
    };
    let parameters = network.parameters();
    println!("{} weights, {} of them trained", parameters.weight_count(), parameters.trainable_count());
    let fit = fit(&job, network.as_mut(), &examples(train)?, &examples(validation)?)?;
    fit.history.save_csv(&models.join("history.csv")).map_err(sentence)?;
    fit.history.save_json(&models.join("history.json")).map_err(sentence)?;
    Ok(fit)
}

/// Which epoch is tested; `models/chosen.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Its number, from 1.
    pub epoch: usize,
    /// The name of its file.
    pub file: String,
    /// Its validation accuracy.
    pub validation_accuracy: f64,
    /// Its validation loss.
    pub validation_loss: f64,
}

/// Chooses an epoch: that of a number, else the one with the best validation accuracy, of equal ones the one with the lower loss.
///
/// # Errors
/// A sentence where nothing was trained, and for an epoch that there is not.
pub fn choose(models: &Path, epoch: Option<usize>) -> Result<Chosen> {
    let path = models.join("history.json");
    let refuse = |reason: String| format!("{}: {reason}; train first, with `train`", path.display());
    let text = std::fs::read_to_string(&path).map_err(|e| refuse(e.to_string()))?;
    let records: Vec<EpochRecord> = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    let validated = |r: &EpochRecord| r.validation.map(|v| (v.accuracy, v.loss));
    let best = match epoch {
        Some(number) => records.iter().find(|r| r.epoch == number),
        None => records.iter().filter(|r| r.validation.is_some()).reduce(|best, next| {
            match (validated(best), validated(next)) {
                (Some(b), Some(n)) if n.0 > b.0 || (n.0 == b.0 && n.1 < b.1) => next,
                _ => best,
            }
        }),
    };
    let best = best.ok_or_else(|| match epoch {
        Some(number) => format!("epoch {number} was not trained, there are 1 to {}", records.len()),
        None => refuse("no epoch has a validation accuracy".to_owned()),
    })?;
    let (validation_accuracy, validation_loss) = validated(best).unwrap_or((f64::NAN, f64::NAN));
    Ok(Chosen { epoch: best.epoch, file: name_of(best), validation_accuracy, validation_loss })
}

/// The network of the chosen epoch.
///
/// # Errors
/// A sentence where none was chosen or its file is gone.
pub fn chosen(models: &Path) -> Result<(Chosen, Box<dyn Network>)> {
    let path = models.join("chosen.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|e| format!("{}: {e}; choose an epoch first, with `choose`", path.display()))?;
    let chosen: Chosen = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let file = models.join(&chosen.file);
    let there: Vec<PathBuf> = files_ending(models, ".safetensors");
    if !file.is_file() {
        return Err(format!(
            "{}: not there, though it was chosen ({} files are); choose another epoch with `choose --epoch N`",
            file.display(),
            there.len()
        ));
    }
    let network = SavedNetwork::load(&file).and_then(|s| s.build(DeviceConfig::Cpu)).map_err(sentence)?;
    Ok((chosen, network))
}

/// Class probabilities of some pictures, each row by itself.
///
/// # Errors
/// The sentence of mgr-models.
pub fn scores(
    network: &dyn Network,
    prepared: &Prepared,
    rows: &[usize],
    batch: usize,
) -> Result<Array2<f32>> {
    let examples = PictureExamples::new(&prepared.pictures, &prepared.labels, rows)?;
    probabilities(network, &examples, batch).map_err(sentence)
}

/// The 512 features of some pictures.
///
/// # Errors
/// The sentence of mgr-models.
pub fn features(
    network: &dyn Network,
    prepared: &Prepared,
    rows: &[usize],
    batch: usize,
) -> Result<Array2<f32>> {
    let examples = PictureExamples::new(&prepared.pictures, &prepared.labels, rows)?;
    codes(network, &examples, batch).map_err(sentence)
}

/// Verdicts on the test part.
#[must_use]
pub fn classification(
    prepared: &Prepared,
    rows: &[usize],
    scores: &Array2<f32>,
    run: RunDescription,
) -> Classification {
    let clip = |(at, &row): (usize, &usize)| {
        let scores: Vec<f64> = scores.row(at).iter().map(|v| f64::from(*v)).collect();
        let best = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        ClipResult {
            id: prepared.files[row].clone(),
            class: prepared.labels[row],
            predicted: best.unwrap_or_default(),
            scores,
            fold: 0,
            group: prepared.about.artists.get(&prepared.files[row]).cloned(),
            audio: None,
        }
    };
    Classification {
        title: format!("MusicFeaturization: {}", prepared.about.dataset),
        run,
        classes: prepared.about.classes.clone(),
        clips: rows.iter().enumerate().map(clip).collect(),
        histories: Vec::new(),
    }
}

/// Both published layouts of the feature table, without a header: `file, 512 numbers`, and `genre's number, title, 512 numbers`.
#[must_use]
pub fn layouts(prepared: &Prepared, rows: &[usize], features: &Array2<f32>) -> [String; 2] {
    let mut texts = [String::new(), String::new()];
    for (at, &row) in rows.iter().enumerate() {
        let file = &prepared.files[row];
        let title = file.split('.').nth(1).unwrap_or(file);
        let numbers: String = features.row(at).iter().map(|v| format!(",{v}")).collect();
        texts[0] += &format!("{file}{numbers}\n");
        texts[1] += &format!("{},{title}{numbers}\n", prepared.about.codes[prepared.labels[row]]);
    }
    texts
}
