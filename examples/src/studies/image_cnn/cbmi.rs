//! The protocol of CBMI 2016 (Pons, Lidy, Serra): chunks of 80 or 250 frames, a vote over the chunks of a clip, ten folds.

use std::collections::BTreeMap;
use std::path::Path;

use mgr_data::DataError;
use mgr_data::batch::Standardiser;
use mgr_data::dataset::Track;
use mgr_data::splits::Protocol;
use mgr_eval::metrics::{ClipRule, VoteTies, clip_verdicts, mean_and_deviation};
use mgr_eval::report::{self, Classification, ClipResult, Column, RunDescription, Table, published_results};
use mgr_eval::split::Fold;
use mgr_features::FeatureConfig;
use mgr_features::compress::Compression;
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{MelNorm, MelScale};
use mgr_features::window::Window;
use mgr_models::encode::probabilities;
use mgr_models::train::{OptimiserConfig, SgdConfig, TrainConfig};
use mgr_models::zoo::{
    BlackBoxConfig, FrequencyConfig, NetworkConfig, TimeConfig, TimeFrequencyConfig,
    initialise_time_frequency,
};
use mgr_models::{Network, TensorData};
use ndarray::{Array2, s};

use crate::studies::clips::{Made, Place, make, split};
use crate::studies::flags::Failure;
use crate::studies::matrices::{Matrices, Standardised};
use crate::studies::output::{accuracy, named_verdicts, percent, range};
use crate::studies::training::{Recipe, Trained};

/// The paper's sampling rate in Hz.
const SAMPLE_RATE: u32 = 44_100;

/// A network of the paper by name, with its published parameters and the row of its result.
struct Entry {
    name: &'static str,
    frames: usize,
    parameters: usize,
    published: &'static str,
    network: NetworkConfig,
}

/// All networks of the paper.
fn entries() -> Vec<Entry> {
    let entry =
        |name, frames, parameters, published, network| Entry { name, frames, parameters, published, network };
    let black = |frames, filter| NetworkConfig::BlackBox(BlackBoxConfig::cbmi(frames, filter));
    let time = |frames, filter| NetworkConfig::Time(TimeConfig::cbmi(frames, filter));
    let frequency = |filter| NetworkConfig::Frequency(FrequencyConfig::cbmi(filter));
    let both = NetworkConfig::TimeFrequency(TimeFrequencyConfig::default());
    vec![
        entry("black_box", 80, 3_275_312, "black box, 40 x 80", black(80, [12, 8])),
        entry("black_box_250", 250, 2_363_440, "black box, 40 x 250", black(250, [12, 200])),
        entry("time", 80, 7_336, "time, 40 x 80", time(80, 60)),
        entry("time_250", 250, 19_496, "time, 40 x 250", time(250, 200)),
        entry("frequency_30", 80, 3_816, "frequency, 30 x 1", frequency(30)),
        entry("frequency_32", 80, 3_368, "frequency, 32 x 1", frequency(32)),
        entry("frequency_34", 80, 2_920, "frequency, 34 x 1", frequency(34)),
        entry("frequency_36", 80, 2_472, "frequency, 36 x 1", frequency(36)),
        entry("frequency_38", 80, 2_024, "frequency, 38 x 1", frequency(38)),
        entry("frequency_40", 80, 1_576, "frequency, 40 x 1", frequency(40)),
        entry("time_frequency", 80, 196_816, "time-frequency", both.clone()),
        entry("time_frequency_init", 80, 196_816, "time-frequency, initialised", both),
    ]
}

/// The names of the paper's networks.
#[must_use]
pub fn names() -> Vec<&'static str> {
    entries().into_iter().map(|entry| entry.name).collect()
}

/// 40 mel bands of magnitudes, `log10(10000 x + 1)`, frames of 2048 every 1024 samples. The paper's are Essentia's; its window and the
/// edges of its bands differ a little from these.
fn front_end() -> FeatureConfig {
    let mut config =
        LogMelConfig { compression: Compression::Log10 { scale: 10_000.0 }, ..LogMelConfig::default() };
    config.mel.stft.hop_length = 1024;
    config.mel.stft.window = Window::BlackmanHarris;
    config.mel.power = 1.0;
    config.mel.bank.n_mels = 40;
    config.mel.bank.scale = MelScale::Htk;
    config.mel.bank.norm = MelNorm::L1;
    FeatureConfig::LogMel(config)
}

/// What the protocol needs to know.
pub struct Settings<'a> {
    /// Names of networks; all where there are none.
    pub networks: &'a [String],
    /// Folds.
    pub folds: usize,
    /// Epochs at most, of each network and fold.
    pub epochs: usize,
    /// Epochs without a better one after which training ends.
    pub patience: Option<usize>,
    /// Learning rate in place of the paper's.
    pub learning_rate: Option<f64>,
    /// Seed of folds, weights and batches.
    pub seed: u64,
    /// Threads of libtorch.
    pub threads: usize,
    /// The command, for the reports.
    pub command: &'a str,
}

/// One network's clips and curves over all folds.
struct Tested {
    entry: Entry,
    clips: Vec<ClipResult>,
    curves: Vec<mgr_eval::figure::FoldHistory>,
}

/// Runs the protocol; gives each network's classification and the table of the results.
///
/// # Errors
/// A sentence.
pub fn run(
    place: &Place,
    settings: &Settings<'_>,
    out: &Path,
) -> Result<(Vec<(String, Classification)>, Table), Failure> {
    let wanted = chosen(settings.networks)?;
    let collection = place.collection("folder")?;
    let extractor = front_end().plan(SAMPLE_RATE)?;
    let clips = make(collection, SAMPLE_RATE, |track: &Track, samples| {
        let wrong = |source| DataError::ClipFeature { name: track.id.clone(), source };
        extractor.extract(&samples).map_err(wrong)
    })?;
    let (folds, seed) = (settings.folds, settings.seed);
    // A ninth of nine tenths: the paper's 80 % for training and 10 % for validation, here of clips and not of chunks.
    let validation = 1.0 / 9.0;
    let rule = match place.groups {
        Some(_) => Protocol::GroupKFold { folds, seed, validation },
        None => Protocol::KFold { folds, seed, validation },
    };
    let folds = split(&rule, &clips.collection, out)?;
    println!("{}: {} clips, {} folds", clips.collection.name, clips.values.len(), folds.len());
    let mut tested: Vec<Tested> =
        wanted.into_iter().map(|entry| Tested { entry, clips: Vec::new(), curves: Vec::new() }).collect();
    for (number, fold) in folds.iter().enumerate() {
        // What the initialised network starts from, trained once a fold.
        let mut filters: BTreeMap<&str, BTreeMap<String, TensorData>> = BTreeMap::new();
        for result in &mut tested {
            let trained = one(&result.entry, &clips, fold, number, settings, &mut filters)?;
            let notes = [("frames", result.entry.frames.to_string())];
            let folder = out.join(result.entry.name).join(format!("fold_{number}"));
            trained.0.save(&folder, &clips.collection.labels, &notes)?;
            result.clips.extend(trained.1);
            result.curves.push(trained.0.curve());
        }
    }
    let table = table(&tested, folds.len())?;
    let mut leaks = rule.leaks();
    leaks.retain(|leak| place.groups.is_none() || !leak.contains("artist"));
    let named = |result: Tested| {
        let run = RunDescription {
            dataset: clips.collection.name.clone(),
            split: format!("{} folds, seed {seed}", folds.len()),
            protocol: format!(
                "CBMI 2016: chunks of {} frames, majority vote over a clip's chunks; the epoch is chosen on a tenth of the clips",
                result.entry.frames
            ),
            known_leaks: leaks.clone(),
            seeds: vec![seed],
            command: settings.command.to_owned(),
            ..RunDescription::default()
        };
        let classification = Classification {
            title: format!("CBMI 2016: {}", result.entry.name),
            run,
            classes: clips.collection.labels.clone(),
            clips: result.clips,
            histories: result.curves,
        };
        (result.entry.name.to_owned(), classification)
    };
    Ok((tested.into_iter().map(named).collect(), table))
}

fn chosen(networks: &[String]) -> Result<Vec<Entry>, Failure> {
    let mut wanted = entries();
    for name in networks {
        if !wanted.iter().any(|entry| entry.name == name) {
            let known = names().join(", ");
            return Err(
                format!("CBMI 2016 has no network {name}: --models takes some of {known}, or all").into()
            );
        }
    }
    wanted.retain(|entry| networks.is_empty() || networks.iter().any(|name| name == entry.name));
    Ok(wanted)
}

/// Chunks of so many frames, the rest left out; a clip shorter than one is one chunk, repeated where it is read.
fn chunks(clips: &Made<Array2<f32>>, frames: usize) -> (Matrices, Vec<usize>) {
    let (mut matrices, mut clip_of) = (Matrices::default(), Vec::new());
    for (clip, (matrix, label)) in clips.values.iter().zip(clips.labels()).enumerate() {
        let whole = (matrix.ncols() / frames).max(1);
        for chunk in 0..whole {
            let end = ((chunk + 1) * frames).min(matrix.ncols());
            matrices.items.push(matrix.slice(s![.., chunk * frames..end]).to_owned());
            matrices.labels.push(label);
            clip_of.push(clip);
        }
    }
    (matrices, clip_of)
}

fn recipe<'a>(name: &'a str, network: &NetworkConfig, classes: usize, settings: &Settings<'_>) -> Recipe<'a> {
    let sgd = SgdConfig {
        learning_rate: settings.learning_rate.unwrap_or(0.01),
        momentum: 0.0,
        ..SgdConfig::default()
    };
    Recipe {
        name,
        network: network.clone(),
        classes,
        train: TrainConfig {
            epochs: settings.epochs,
            batch_size: 10,
            optimiser: OptimiserConfig::Sgd(sgd),
            patience: settings.patience,
            seed: settings.seed,
            threads: Some(settings.threads),
            ..TrainConfig::default()
        },
        weights: None,
        checkpoints: None,
    }
}

fn one(
    entry: &Entry,
    clips: &Made<Array2<f32>>,
    fold: &Fold,
    number: usize,
    settings: &Settings<'_>,
    filters: &mut BTreeMap<&'static str, BTreeMap<String, TensorData>>,
) -> Result<(Trained, Vec<ClipResult>), Failure> {
    let (matrices, clip_of) = chunks(clips, entry.frames);
    let of = |part: &[usize]| -> Vec<usize> {
        (0..clip_of.len()).filter(|chunk| part.contains(&clip_of[*chunk])).collect()
    };
    let [train, validation, test] = [&fold.train, &fold.validation, &fold.test].map(|part| of(part));
    let standardiser = Standardiser::fit(&matrices, &train, false)?;
    let examples =
        |chosen: Vec<usize>| Standardised::new(&matrices, chosen, standardiser.clone(), [1, entry.frames]);
    let name = format!("{}, fold {number}", entry.name);
    let classes = clips.collection.labels.len();
    let (train, validation) = (examples(train), examples(validation));
    let trained = if entry.name == "time_frequency_init" {
        for other in entries().iter().filter(|other| ["time", "frequency_32"].contains(&other.name)) {
            if !filters.contains_key(other.name) {
                let name = format!("{name}, its {}", other.name);
                let trained = recipe(&name, &other.network, classes, settings).train(&train, &validation)?;
                filters.insert(other.name, trained.network.parameters().to_data()?);
            }
        }
        let recipe = recipe(&name, &entry.network, classes, settings);
        let network = recipe.build()?;
        initialise(network.as_ref(), filters)?;
        recipe.fit(network, &train, &validation)?
    } else {
        recipe(&name, &entry.network, classes, settings).train(&train, &validation)?
    };
    if ["time", "frequency_32"].contains(&entry.name) {
        filters.insert(entry.name, trained.network.parameters().to_data()?);
    }
    let scores = probabilities(trained.network.as_ref(), &examples(test.clone()), 32)?;
    let place = |chunk: &usize| fold.test.iter().position(|clip| *clip == clip_of[*chunk]).unwrap_or(0);
    let places: Vec<usize> = test.iter().map(place).collect();
    let (rule, ties) = (ClipRule::MajorityVote, VoteTies::LargerSum);
    let verdicts = clip_verdicts(scores.view(), &places, fold.test.len(), rule, ties)?;
    let labels = clips.labels();
    let collection = &clips.collection;
    let results =
        named_verdicts(collection, &fold.test, &labels, &verdicts.labels, verdicts.scores.view(), number);
    Ok((trained, results))
}

fn initialise(
    network: &dyn Network,
    filters: &BTreeMap<&'static str, BTreeMap<String, TensorData>>,
) -> Result<(), Failure> {
    match (filters.get("time"), filters.get("frequency_32")) {
        (Some(time), Some(frequency)) => Ok(initialise_time_frequency(network, time, frequency)?),
        _ => Err("the networks to start from were not trained".into()),
    }
}

fn table(tested: &[Tested], folds: usize) -> Result<Table, Failure> {
    let mut rows = Vec::new();
    for Tested { entry, clips, .. } in tested {
        let mut of_fold = Vec::with_capacity(folds);
        for fold in 0..folds {
            let part: Vec<ClipResult> = clips.iter().filter(|clip| clip.fold == fold).cloned().collect();
            of_fold.push(accuracy(&part)?.0);
        }
        let spread = mean_and_deviation(&of_fold)?;
        let (share, interval) = accuracy(clips)?;
        let published = published_results()
            .find(|r| r.protocol == report::Protocol::BallroomFolds && r.system == entry.published);
        let published = published.map_or("–".to_owned(), |r| match r.deviation {
            Some(deviation) => format!("{} ± {:.1}", percent(r.value), 100.0 * deviation),
            None => percent(r.value),
        });
        let deviation = spread.deviation.map_or(String::new(), |d| format!(" ± {:.1}", 100.0 * d));
        rows.push(vec![
            entry.name.to_owned(),
            format!("40 x {}", entry.frames),
            entry.parameters.to_string(),
            format!("{}{deviation}", percent(spread.mean)),
            format!("{} ({})", percent(share), range(interval)),
            published,
        ]);
    }
    Ok(Table {
        caption: "Networks of CBMI 2016 here and on the Ballroom dataset as published".to_owned(),
        columns: vec![
            Column::text("Network"),
            Column::text("Input"),
            Column::number("Parameters at 8 classes"),
            Column::number("Mean over folds"),
            Column::number("All clips (95 % interval)"),
            Column::number("Published, Ballroom"),
        ],
        rows,
    })
}

#[cfg(test)]
mod tests {
    use mgr_models::device::DeviceConfig;

    use super::*;

    #[test]
    fn every_network_has_the_paper_s_parameters() {
        for entry in entries() {
            let network = entry.network.build_blank(8, DeviceConfig::Cpu).unwrap();
            assert_eq!(network.parameters().trainable_count(), entry.parameters, "{}", entry.name);
        }
    }

    #[test]
    fn a_name_that_is_not_of_the_paper_is_refused_with_those_that_are() {
        let told = chosen(&["resnet".to_owned()]).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(told.contains("resnet") && told.contains("frequency_40"), "{told}");
        assert_eq!(chosen(&[]).unwrap().len(), 12);
    }
}
