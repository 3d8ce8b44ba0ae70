//! The GTZAN-8 study (E. Choi, KAIST GCT634, 2020): eight genres, twelve networks by name, augmentation and segments by flag,
//! musicnn's embeddings, several runs with seeds.
//!
//! ```text
//! cargo run --release --example gtzan8_study -- --root GTZAN --model q2 --augment            # the study's best row
//! cargo run --release --example gtzan8_study -- --root GTZAN --model baseline,q1,base2dcnn   # several rows at once
//! cargo run --release --example gtzan8_study -- --n-epochs 3 --n-train 1                     # the embedded corpus, minutes
//! ```
//! Below `--out`: `report.html`, `results.csv`, `split.json`, and for each network a folder with `log.txt` and one folder for each
//! run: its report, figures, predictions, history and the saved network. Every flag of the original is in README.md beside this
//! file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use examples::studies::clips::{Made, Place, parts};
use examples::studies::flags::{Failure, exit_code, parse};
use examples::studies::gtzan8::material::{Ear, Feature, Heard, Items};
use examples::studies::gtzan8::models::{Branch, Embedding, Model, Variant};
use examples::studies::gtzan8::split::{collection, make_split};
use examples::studies::output::{
    accuracy, named_verdicts, percent, print_table, range, write, write_classification, write_report,
    write_table,
};
use examples::studies::training::{Recipe, Trained};
use examples::studies::weights;
use mgr_eval::figure::{Caption, Figure, FoldHistory, confusion_figure, learning_curve_figure};
use mgr_eval::metrics::{
    ClipRule, ConfusionMatrix, VoteTies, clip_verdicts, mean_and_deviation, wilson_interval,
};
use mgr_eval::report::{
    Block, Classification, ClipResult, Column, Headline, Report, RunDescription, Section, Table,
    bad_files_table,
};
use mgr_eval::split::Fold;
use mgr_models::TensorData;
use mgr_models::encode::probabilities;
use mgr_models::train::{
    AdamConfig, CrossEntropy, Examples, Loss, Momentum, OptimiserConfig, SgdConfig, TrainConfig, evaluate,
};

/// Recognises eight genres of GTZAN, as the GTZAN-8 study did.
#[derive(Parser)]
#[command(name = "gtzan8_study")]
struct Flags {
    #[command(flatten)]
    place: Place,
    /// Folder for everything that is written.
    #[arg(long, value_name = "DIR", default_value = "out/gtzan8", alias = "work_dir")]
    out: PathBuf,
    /// A name added to the folders of the networks.
    #[arg(long, default_value = "")]
    title: String,
    /// Networks separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "base2dcnn")]
    model: Vec<Model>,
    /// The spectrogram network of spec_and_embed.
    #[arg(long, value_enum, default_value_t = Branch::Resnet34)]
    model2: Branch,
    /// The weights that embeddings come from.
    #[arg(long, value_enum, default_value_t = Embedding::Msd, alias = "embed_dir")]
    embed: Embedding,
    /// A file of musicnn's weights in place of those of the library.
    #[arg(long, value_name = "FILE")]
    embed_weights: Option<String>,
    /// First weights of VGG and ResNet: a file of torchvision's, or a name of `mgr weights list` (imagenet-vgg16).
    #[arg(long, value_name = "FILE")]
    weights: Option<String>,
    /// Channels that VGG and ResNet get, all alike: one that stands for three, or three.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    channels: u8,
    /// `study` (540 / 40 / 150), `random` (the same shares, seeded), or a file of `mgr data split`. Artists in --groups are kept
    /// apart in the first two.
    #[arg(long, default_value = "study")]
    split: String,
    /// Go on where some of the study's 730 clips are not there.
    #[arg(long)]
    partial: bool,
    /// Mel spectrogram, or the cepstra with centroid that the study began.
    #[arg(long, value_enum, default_value_t = Feature::Mel)]
    feature: Feature,
    /// Mel bands.
    #[arg(long, default_value_t = 96, alias = "num_mels")]
    num_mels: usize,
    /// Clips shorter than this many seconds are repeated to that length.
    #[arg(long, default_value_t = 0.0)]
    seconds: f64,
    /// An augmented variant beside each training clip: noise, circular shift, time stretch.
    #[arg(long)]
    augment: bool,
    /// Segments of four seconds, and a vote over those of a clip.
    #[arg(long, alias = "use_segment")]
    use_segment: bool,
    /// The optimiser.
    #[arg(long, value_enum, ignore_case = true, default_value_t = OptimiserName::Adam)]
    optimizer: OptimiserName,
    /// Learning rate.
    #[arg(long, default_value_t = 1e-4)]
    lr: f64,
    /// Momentum of SGD, in Nesterov's form.
    #[arg(long, default_value_t = 0.9)]
    momentum: f64,
    /// Weight decay.
    #[arg(long, default_value_t = 0.0, alias = "weight_decay")]
    weight_decay: f64,
    /// Independent runs of each network.
    #[arg(long, default_value_t = 3, alias = "n_train")]
    n_train: usize,
    /// Epochs of a run.
    #[arg(long, default_value_t = 100, alias = "n_epochs")]
    n_epochs: usize,
    /// Epochs without a better one after which a run ends [default: never].
    #[arg(long)]
    patience: Option<usize>,
    /// Items in a step of training.
    #[arg(long, default_value_t = 32, alias = "train_bsz")]
    train_bsz: usize,
    /// Taken as the original took it; batches of validation have no part in the result.
    #[arg(long, hide = true, alias = "val_bsz")]
    val_bsz: Option<usize>,
    /// Items at once in test; no part in the result.
    #[arg(long, default_value_t = 32, alias = "test_bsz")]
    test_bsz: usize,
    /// Taken as the original took it; every run is tested.
    #[arg(long, hide = true, alias = "do_test")]
    do_test: bool,
    /// Keep checkpoints with the optimiser's state, and go on from those that are there.
    #[arg(long)]
    checkpoints: bool,
    /// Seed of the first run; the next ones count up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads of libtorch.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OptimiserName {
    Adam,
    Sgd,
}

/// Flags of the original without an equivalent.
const FOREIGN: [(&str, &str); 1] =
    [("--debug", "for a quick look use --n-epochs 1 --n-train 1 --clips-per-genre 10 --split random")];

/// One run of one network.
struct Run {
    /// Accuracy by item in training, by item in validation, by clip in test.
    shares: [f64; 3],
    epoch: usize,
    clips: Vec<ClipResult>,
    curve: FoldHistory,
}

/// All runs of one network.
struct Tested {
    model: Model,
    folder: String,
    runs: Vec<Run>,
}

/// The study, from a command line to its reports.
///
/// # Errors
/// A sentence for whoever typed the command.
pub fn run<A: IntoIterator<Item = OsString>>(arguments: A) -> Result<(), Failure> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let words: Vec<_> = arguments.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let command = format!("gtzan8_study {}", words.join(" "));
    let flags: Flags = parse(arguments, &FOREIGN)?;
    if flags.channels == 2 {
        return Err("pictures of two channels are none of VGG's and ResNet's: --channels takes 1 or 3".into());
    }
    if flags.n_train == 0 {
        return Err("no run is asked for: --n-train takes 1 and more".into());
    }

    // 1. Clips, their spectrograms and embeddings.
    let wanted = flags.model.iter().any(|model| model.takes_embedding());
    let weights = flags.embed_weights.as_deref().unwrap_or(flags.embed.weights());
    let ear = Ear::plan(flags.feature, flags.num_mels, wanted.then_some(weights), flags.seconds)?;
    let clips = ear.clips(collection(&flags.place, &flags.split, flags.partial)?)?;

    // 2. 540 / 40 / 150, and variants of the training clips.
    let (fold, mut warnings) =
        make_split(&flags.split, &flags.place, &clips.collection, flags.seed, &flags.out)?;
    println!("{}: {} clips, split {}", clips.collection.name, clips.values.len(), parts(&fold));
    let variants =
        if flags.augment { ear.variants(&clips.collection, &fold.train, flags.seed)? } else { Vec::new() };
    let items = Items::new(&clips, variants, &fold, flags.use_segment)?;

    warnings.extend(absent(&clips, &fold));

    // 3. Every network, several times.
    let mut tested = Vec::new();
    for &model in &flags.model {
        let study = Study { flags: &flags, command: &command, clips: &clips, fold: &fold, items: &items };
        tested.push(study.network(model)?);
    }

    // 4. Averages beside the published ones, and one report.
    let table = results(&flags, &tested)?;
    print_table(&table);
    write_table(&flags.out.join("results.csv"), &table)?;
    warnings.extend(clips.collection.notes.iter().cloned());
    write_report(&flags.out, &report(&flags, &command, &tested, table, warnings, &clips)?)?;
    println!("\n{}", flags.out.join("report.html").display());
    Ok(())
}

struct Study<'a> {
    flags: &'a Flags,
    command: &'a str,
    clips: &'a Made<Heard>,
    fold: &'a Fold,
    items: &'a Items,
}

impl Study<'_> {
    /// Trains and tests a network as often as asked for, and writes its log.
    fn network(&self, model: Model) -> Result<Tested, Failure> {
        let flags = self.flags;
        let folder = match flags.title.as_str() {
            "" => model.name(),
            title => format!("{}-{title}", model.name()),
        };
        let weights = match &flags.weights {
            Some(name) if model.is_for_photographs() => Some(weights::of_photographs(name, "--weights")?),
            _ => None,
        };
        let mut log = format!("{}\n", self.command);
        let mut runs = Vec::new();
        for number in 1..=flags.n_train {
            let seed = flags.seed.wrapping_add(number as u64 - 1);
            let run = self.run(model, &folder, number, seed, weights.as_ref())?;
            let [train, validation, test] = run.shares.map(percent);
            let epoch = run.epoch;
            writeln!(log, "\nrun {number}, seed {seed}")?;
            writeln!(log, "{}", history(&run.curve))?;
            writeln!(log, "epoch {epoch}: training {train}, validation {validation}, test {test}")?;
            writeln!(log, "{}", confusion(&self.clips.collection.labels, &run.clips)?)?;
            runs.push(run);
        }
        let [train, validation, test] = averages(&runs)?.map(|(mean, _)| percent(mean));
        writeln!(log, "mean of {} runs: training {train}, validation {validation}, test {test}", runs.len())?;
        write(&flags.out.join(&folder).join("log.txt"), log.as_bytes())?;
        Ok(Tested { model, folder, runs })
    }

    /// The items of a part as this network takes them.
    fn examples(&self, model: Model, chosen: Vec<usize>) -> Box<dyn Examples + '_> {
        match (model.takes_spectrogram(), model.takes_embedding()) {
            (false, _) => Box::new(self.items.embeddings(chosen)),
            (true, true) => Box::new(self.items.joined(chosen)),
            (true, false) => {
                let channels = model.channels(usize::from(self.flags.channels));
                Box::new(self.items.spectrograms(chosen, channels))
            }
        }
    }

    fn run(
        &self,
        model: Model,
        folder: &str,
        number: usize,
        seed: u64,
        weights: Option<&BTreeMap<String, TensorData>>,
    ) -> Result<Run, Failure> {
        let Self { flags, clips, fold, items, .. } = *self;
        let classes = &clips.collection.labels;
        let name = format!("{}, run {number}", model.name());
        let out = flags.out.join(folder).join(format!("run_{number}"));
        let checkpoints = out.join("checkpoints");
        let channels = model.channels(usize::from(flags.channels));
        let recipe = Recipe {
            name: &name,
            network: model.network(items.bands(), items.embedding_length(), channels, flags.model2),
            classes: classes.len(),
            train: TrainConfig {
                epochs: flags.n_epochs,
                batch_size: flags.train_bsz,
                optimiser: optimiser(flags),
                seed,
                patience: flags.patience,
                threads: Some(flags.threads),
                ..TrainConfig::default()
            },
            weights,
            checkpoints: flags.checkpoints.then_some(checkpoints.as_path()),
        };
        let train = self.examples(model, items.training());
        let validation = self.examples(model, items.originals(&fold.validation));
        let trained = recipe.train(train.as_ref(), validation.as_ref())?;
        let notes = [("bands", items.bands().to_string()), ("frames", items.frames.to_string())];
        trained.save(&out, classes, &notes)?;

        // The vote of a clip's segments; a whole clip is one.
        let test = items.originals(&fold.test);
        let scores = probabilities(
            trained.network.as_ref(),
            self.examples(model, test.clone()).as_ref(),
            flags.test_bsz.max(1),
        )?;
        let place = |item: &usize| fold.test.binary_search(&items.clip(*item)).unwrap_or(0);
        let places: Vec<usize> = test.iter().map(place).collect();
        let rule = if flags.use_segment { ClipRule::MajorityVote } else { ClipRule::Mean };
        let ties = VoteTies::LowerClass;
        let verdicts = clip_verdicts(scores.view(), &places, fold.test.len(), rule, ties)?;
        let labels = clips.labels();
        let clips_of = named_verdicts(
            &clips.collection,
            &fold.test,
            &labels,
            &verdicts.labels,
            verdicts.scores.view(),
            0,
        );
        let classification = Classification {
            title: format!("GTZAN-8 study: {}, run {number}", model.system(&variant(flags))),
            run: self.description(seed),
            classes: classes.clone(),
            clips: clips_of.clone(),
            histories: vec![trained.curve()],
        };
        write_classification(&out, &classification)?;
        let shares = shares(&trained, train.as_ref(), validation.as_ref(), &clips_of)?;
        Ok(Run { shares, epoch: trained.epoch, clips: clips_of, curve: trained.curve() })
    }

    fn description(&self, seed: u64) -> RunDescription {
        RunDescription {
            dataset: self.clips.collection.name.clone(),
            split: format!("{}: {} clips (training / validation / test)", self.flags.split, parts(self.fold)),
            protocol: "the epoch is chosen on the validation part, which holds no variants; each test clip is asked once".to_owned(),
            seeds: vec![seed],
            command: self.command.to_owned(),
            ..RunDescription::default()
        }
    }
}

/// A warning where a genre has no test clip, as happens to a dataset that is half there.
fn absent(clips: &Made<Heard>, fold: &Fold) -> Option<String> {
    let labels = clips.labels();
    let genres = clips.collection.labels.iter().enumerate();
    let absent: Vec<&str> = genres
        .filter(|(genre, _)| !fold.test.iter().any(|&clip| labels[clip] == *genre))
        .map(|(_, name)| name.as_str())
        .collect();
    let names = absent.join(", ");
    (!absent.is_empty()).then(|| format!("No test clip of: {names}. The accuracy is over the other genres."))
}

fn variant(flags: &Flags) -> Variant {
    Variant {
        branch: flags.model2,
        embedding: flags.embed,
        augment: flags.augment,
        segment: flags.use_segment,
    }
}

fn optimiser(flags: &Flags) -> OptimiserConfig {
    let (learning_rate, weight_decay) = (flags.lr, flags.weight_decay);
    match flags.optimizer {
        OptimiserName::Adam => {
            OptimiserConfig::Adam(AdamConfig { learning_rate, weight_decay, ..AdamConfig::default() })
        }
        OptimiserName::Sgd => {
            let (momentum, form) = (flags.momentum, Momentum::Nesterov);
            OptimiserConfig::Sgd(SgdConfig { learning_rate, momentum, form, weight_decay })
        }
    }
}

/// Accuracies of the kept weights over all items of training and validation, and over the test clips.
fn shares(
    trained: &Trained,
    train: &dyn Examples,
    validation: &dyn Examples,
    clips: &[ClipResult],
) -> Result<[f64; 3], Failure> {
    let network = trained.network.as_ref();
    let loss: Loss = CrossEntropy::new(0.0, None, network.classes(), network.parameters().device())?.into();
    let of = |part| Ok::<_, Failure>(evaluate(network, part, 32, &loss)?.accuracy);
    Ok([of(train)?, of(validation)?, accuracy(clips)?.0])
}

/// Mean and deviation over runs of training, validation and test.
fn averages(runs: &[Run]) -> Result<[(f64, Option<f64>); 3], Failure> {
    let mut averages = [(0.0, None); 3];
    for (part, average) in averages.iter_mut().enumerate() {
        let shares: Vec<f64> = runs.iter().map(|run| run.shares[part]).collect();
        let summary = mean_and_deviation(&shares)?;
        *average = (summary.mean, summary.deviation);
    }
    Ok(averages)
}

fn history(curve: &FoldHistory) -> String {
    let line = |(number, epoch): (usize, &mgr_eval::figure::Epoch)| {
        format!(
            "epoch {}: training loss {:.4} accuracy {:.4}, validation loss {:.4} accuracy {:.4}",
            number + 1,
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.validation_loss.unwrap_or(f64::NAN),
            epoch.validation_accuracy.unwrap_or(f64::NAN)
        )
    };
    curve.epochs.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn matrix(classes: usize, clips: &[ClipResult]) -> Result<ConfusionMatrix, Failure> {
    let (truth, predicted): (Vec<usize>, Vec<usize>) = clips.iter().map(|c| (c.class, c.predicted)).unzip();
    Ok(ConfusionMatrix::from_labels(&truth, &predicted, classes)?)
}

/// The confusion matrix as the log shows it: a row for each true genre.
fn confusion(classes: &[String], clips: &[ClipResult]) -> Result<String, Failure> {
    let matrix = matrix(classes.len(), clips)?;
    let mut text = "confusion, rows are true:".to_owned();
    for (truth, name) in classes.iter().enumerate() {
        let row: Vec<String> =
            (0..classes.len()).map(|predicted| format!("{:4}", matrix.count(truth, predicted))).collect();
        write!(text, "\n{name:>12} {}", row.concat())?;
    }
    Ok(text)
}

/// The study's table with the published column beside it.
fn results(flags: &Flags, tested: &[Tested]) -> Result<Table, Failure> {
    let mut rows = Vec::new();
    for Tested { model, runs, .. } in tested {
        let [(train, _), (validation, _), (test, deviation)] = averages(runs)?;
        let clips = runs.first().map_or(0, |run| run.clips.len());
        // The runs share their test clips: the interval is that of one run's number of clips.
        let right = (test * clips as f64).round() as u64;
        let interval = wilson_interval(right, clips as u64, 0.95)?;
        let variant = variant(flags);
        rows.push(vec![
            model.system(&variant),
            percent(train),
            percent(validation),
            format!(
                "{}{}",
                percent(test),
                deviation.map_or(String::new(), |d| format!(" ± {:.1}", 100.0 * d))
            ),
            range(interval),
            model.published(&variant).map_or("–".to_owned(), percent),
        ]);
    }
    Ok(Table {
        caption: format!("Mean of {} runs, by clip in test, by item elsewhere", flags.n_train),
        columns: vec![
            Column::text("System"),
            Column::number("Training"),
            Column::number("Validation"),
            Column::number("Test"),
            Column::number("95 % interval"),
            Column::number("Published test"),
        ],
        rows,
    })
}

fn report(
    flags: &Flags,
    command: &str,
    tested: &[Tested],
    table: Table,
    warnings: Vec<String>,
    clips: &Made<Heard>,
) -> Result<Report, Failure> {
    let classes = &clips.collection.labels;
    let mut headline = Vec::new();
    let mut sections = vec![Section {
        title: "Beside the published figures".to_owned(),
        id: "results".to_owned(),
        blocks: vec![
            Block::Table(table),
            Block::Paragraph(
                "The published figures are means of three runs on 150 clips; in training and validation they are capped by \
                 batches that were dropped and still counted, so only the test column compares, on the same clips."
                    .to_owned(),
            ),
        ],
    }];
    for Tested { model, folder, runs } in tested {
        let [.., (test, _)] = averages(runs)?;
        let note = format!("test, mean of {} runs", runs.len());
        headline.push(Headline { label: model.system(&variant(flags)), value: percent(test), note });
        let all: Vec<ClipResult> = runs.iter().flat_map(|run| run.clips.iter().cloned()).collect();
        let curves: Vec<FoldHistory> = runs.iter().map(|run| run.curve.clone()).collect();
        let [confusion, learning] = ["confusion", "learning_curves"].map(|name| format!("{folder}_{name}"));
        let drawn: [Figure; 2] = [
            confusion_figure(
                Caption { name: &confusion, title: "Confusion matrix, all runs together" },
                &matrix(classes.len(), &all)?,
                classes,
            )?,
            learning_curve_figure(
                Caption { name: &learning, title: "Learning curves of the runs" },
                &curves,
            )?,
        ];
        let mut blocks = vec![Block::Paragraph(format!(
            "Each run has a report of its own in {folder}/run_1 and so on; {folder}/log.txt has every epoch."
        ))];
        blocks.extend(drawn.into_iter().map(Block::Figure));
        sections.push(Section { title: model.system(&variant(flags)), id: folder.clone(), blocks });
    }
    sections.push(Section {
        title: "Files".to_owned(),
        id: "files".to_owned(),
        blocks: vec![bad_files_table(&clips.bad)],
    });
    sections.push(Section {
        title: "What was run".to_owned(),
        id: "run".to_owned(),
        blocks: vec![Block::Code(command.to_owned())],
    });
    Ok(Report {
        title: "GTZAN-8 study".to_owned(),
        subtitle: format!("{}, {} clips", clips.collection.name, clips.values.len()),
        headline,
        warnings,
        sections,
    })
}

fn main() -> ExitCode {
    ExitCode::from(exit_code("gtzan8_study", run(std::env::args_os())))
}
