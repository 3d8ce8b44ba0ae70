//! The image-CNN study (Ferhat, Dagmoune, Kadem 2021): spectrograms as pictures, eight networks, a support vector machine on
//! VGG16's codes; and the protocol of the paper that it builds on (Pons, Lidy, Serra, CBMI 2016).
//!
//! ```text
//! cargo run --release --example image_cnn_study -- --root GENRES --out out/image_cnn          # as published: days on a CPU
//! cargo run --release --example image_cnn_study -- --epochs 2 --size 48x80 --models frequency # the embedded corpus, minutes
//! cargo run --release --example image_cnn_study -- --protocol cbmi2016 --root BALLROOM        # the paper's ten folds
//! ```
//! Below `--out`: `report.html`, `results.csv`, `split.json`, `pictures/PART/GENRE/CLIP.png`, and a folder for each network with its
//! own report, figures, predictions, history and the saved network. Every flag of the originals is in README.md beside this file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use examples::studies::clips::{Made, Place, make, parts, split};
use examples::studies::flags::{Failure, advise, exit_code, parse};
use examples::studies::image_cnn::models::Model;
use examples::studies::image_cnn::pictures::{
    Analysis, Colouring, IMAGENET, Pictures, Rendering, SAMPLE_RATE, Sizes, Spectrogram, write_png,
};
use examples::studies::image_cnn::{cbmi, svm};
use examples::studies::output::{
    accuracy, json, named_verdicts, percent, print_table, range, verdicts, write_classification,
    write_report, write_table,
};
use examples::studies::training::Recipe;
use examples::studies::weights;
use mgr_data::splits::Protocol;
use mgr_eval::report::{
    Block, Classification, Column, Headline, Report, RunDescription, Section, Table, bad_files_table,
};
use mgr_eval::split::Fold;
use mgr_features::picture::ColorMap;
use mgr_models::TensorData;
use mgr_models::encode::{codes, probabilities};
use mgr_models::train::{AdamConfig, OptimiserConfig, RmsPropConfig, TrainConfig};
use ndarray::{Array2, Array3};

/// Recognises genres by pictures of spectrograms, as the image-CNN study did.
#[derive(Parser)]
#[command(name = "image_cnn_study")]
struct Flags {
    #[command(flatten)]
    place: Place,
    /// Folder for everything that is written.
    #[arg(long, value_name = "DIR", default_value = "out/image_cnn", alias = "dataset_path_out")]
    out: PathBuf,
    /// The study's split and pictures, or the chunks and folds of CBMI 2016.
    #[arg(long, value_enum, default_value_t = Kind::Study)]
    protocol: Kind,
    /// One spectrogram, or several separated by commas, each then a channel of the picture.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "melspectrogram", alias = "features")]
    feature: Vec<Spectrogram>,
    /// What the levels of each of several spectrograms are multiplied by.
    #[arg(long, value_delimiter = ',', default_value = "1,0.2,0.2")]
    channel_weights: Vec<f32>,
    #[command(flatten)]
    sizes: Sizes,
    /// Colours of a map, or the values in one channel.
    #[arg(long, value_enum, default_value_t = Colouring::Colour)]
    image: Colouring,
    /// The colour map: magma, inferno, plasma, viridis, cividis, jet or gray.
    #[arg(long, default_value = "magma")]
    color_map: String,
    /// Cepstra and chroma go through decibels of power as published, which cuts off what is negative.
    #[arg(long)]
    published_decibels: bool,
    /// Height and width of the pictures [default: each network's published ones].
    #[arg(long, value_name = "HxW")]
    size: Option<String>,
    /// Names of networks separated by commas, or all.
    #[arg(long, value_delimiter = ',', default_value = "all")]
    models: Vec<String>,
    /// Epochs of every network [default: each one's published number; 2000 for CBMI].
    #[arg(long)]
    epochs: Option<usize>,
    /// Epochs without a better one after which training ends [default: never; 40 for CBMI].
    #[arg(long)]
    patience: Option<usize>,
    /// Learning rate of every network [default: each one's published rate].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Pictures in a step.
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    /// Share of each genre for training.
    #[arg(long, default_value_t = 0.7, alias = "train_size")]
    train_size: f64,
    /// Share of each genre for validation; what is left is for test.
    #[arg(long, default_value_t = 0.1, alias = "validation_size")]
    validation_size: f64,
    /// Whether clips are drawn by the seed or taken in the order of their names, as the study took them.
    #[arg(long, value_enum, default_value_t = Order::Drawn)]
    order: Order,
    /// Folds of CBMI 2016.
    #[arg(long, default_value_t = 10)]
    folds: usize,
    /// Fit the support vector machine on VGG16's codes too.
    #[arg(long)]
    svm: bool,
    /// Weights of VGG16: a file, a name of `mgr weights list`, or `none` for drawn ones.
    #[arg(long, default_value = "imagenet-vgg16")]
    weights: String,
    /// VGG16 sees pixels from 0 to 1, as in the study, without ImageNet's mean and deviation.
    #[arg(long)]
    published_vgg_input: bool,
    /// Seed of the split, of first weights, of batches.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads of libtorch.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Study,
    Cbmi2016,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    Drawn,
    Listing,
}

/// Flags of the original programs that have no equivalent.
const FOREIGN: [(&str, &str); 1] = [(
    "--dataset_path",
    "the spectrograms are made and split in one run; name the clips with --root and what is written with --out",
)];

/// One tested network.
struct Tested {
    name: String,
    size: [usize; 2],
    published: Option<f64>,
    note: String,
    classification: Classification,
}

/// The study, from a command line to its reports.
///
/// # Errors
/// A sentence for whoever typed the command.
pub fn run<A: IntoIterator<Item = OsString>>(arguments: A) -> Result<(), Failure> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let words: Vec<_> = arguments.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let command = format!("image_cnn_study {}", words.join(" "));
    let flags: Flags = parse(arguments, &FOREIGN)?;
    match flags.protocol {
        Kind::Study => study(&flags, &command),
        Kind::Cbmi2016 => cbmi_2016(&flags, &command),
    }
}

fn study(flags: &Flags, command: &str) -> Result<(), Failure> {
    let models = models(&flags.models)?;
    let rule = rule(flags)?;
    let rendering = rendering(flags)?;
    let size = flags.size.as_deref().map(parse_size).transpose()?;
    if flags.svm && !models.contains(&Model::Vgg16) {
        return Err("--svm works on the codes of vgg16: add vgg16 to --models".into());
    }

    // 1. Clips become spectrograms.
    let analysis = Analysis::plan(&flags.feature, &flags.sizes, flags.published_decibels)?;
    let collection = flags.place.collection("folder")?;
    let vgg_weights = if models.iter().any(|model| model.is_vgg()) { vgg16(&flags.weights)? } else { None };
    let clips = make(collection, SAMPLE_RATE, |track, samples| analysis.process(&track.id, &samples))?;
    let labels = clips.labels();

    // 2. 70 / 10 / 20, artists apart where they are known.
    let folds = split(&rule, &clips.collection, &flags.out)?;
    let fold = folds.first().ok_or("the split has no part")?;
    println!("{}: {} clips, split {}", clips.collection.name, labels.len(), parts(fold));

    // 3. Every network on pictures of its size.
    let mut pictures: BTreeMap<[usize; 2], Vec<Array3<u8>>> = BTreeMap::new();
    let mut tested = Vec::new();
    for model in models {
        let size = size.unwrap_or(model.published_size());
        if !pictures.contains_key(&size) {
            let all = clips.values.iter().map(|spectrograms| rendering.render(spectrograms, size));
            let all = all.collect::<Result<Vec<_>, Failure>>()?;
            if pictures.is_empty() {
                write_pictures(&flags.out, &clips, &all, fold)?;
            }
            pictures.insert(size, all);
        }
        let task = Task { flags, command, model, size, labels: &labels, fold, leaks: rule.leaks() };
        tested.extend(task.train_and_test(&clips, &pictures[&size], vgg_weights.as_ref())?);
    }

    // 4. One report over all of them.
    let shown: Vec<String> = flags.feature.iter().map(|feature| feature.name()).collect();
    let table = results(&tested, &shown.join(" + "))?;
    print_table(&table);
    write_table(&flags.out.join("results.csv"), &table)?;
    let mut warnings = rule.leaks();
    warnings.extend(clips.collection.notes.iter().cloned());
    let mut sections = vec![Section {
        title: "Beside the published figures".to_owned(),
        id: "results".to_owned(),
        blocks: vec![
            Block::Table(table),
            Block::Paragraph(
                "The published figures are of 200 GTZAN clips in listing order, without an artist filter, the machine's settings \
                 chosen on the test clips; they compare with these only where the same clips were split alike."
                    .to_owned(),
            ),
        ],
    }];
    for result in &tested {
        sections.push(section(&flags.out, result)?);
    }
    sections.push(files(&clips));
    finish(flags, command, "Image-CNN study", &tested, warnings, sections)
}

/// One network to train and test.
struct Task<'a> {
    flags: &'a Flags,
    command: &'a str,
    model: Model,
    size: [usize; 2],
    labels: &'a [usize],
    fold: &'a Fold,
    leaks: Vec<String>,
}

impl Task<'_> {
    fn train_and_test(
        &self,
        clips: &Made<Vec<Array2<f32>>>,
        pictures: &[Array3<u8>],
        weights: Option<&BTreeMap<String, TensorData>>,
    ) -> Result<Vec<Tested>, Failure> {
        let Self { flags, model, size, labels, fold, .. } = *self;
        let (collection, classes) = (&clips.collection, &clips.collection.labels);
        let channels = pictures.first().map_or(0, |picture| picture.dim().0);
        if model.is_vgg() && channels != 3 {
            return Err(format!(
                "{} takes three channels and these pictures have {channels}: use --image colour or name three features",
                model.name()
            )
            .into());
        }
        let scaled = model.is_vgg() && weights.is_some() && !flags.published_vgg_input;
        let part =
            |clips: &[usize]| Pictures::new(pictures, labels, clips.to_vec(), scaled.then_some(IMAGENET));
        let (train, validation, test) = (part(&fold.train), part(&fold.validation), part(&fold.test));
        let name = model.name();
        let (optimiser, epochs) = model.training();
        let recipe = Recipe {
            name: &name,
            network: model.network([channels, size[0], size[1]], flags.feature.len()),
            classes: classes.len(),
            train: TrainConfig {
                epochs: flags.epochs.unwrap_or(epochs),
                batch_size: flags.batch_size,
                optimiser: with_rate(optimiser, flags.learning_rate),
                seed: flags.seed,
                patience: flags.patience,
                threads: Some(flags.threads),
                ..TrainConfig::default()
            },
            weights: weights.filter(|_| model.is_vgg()),
            checkpoints: None,
        };
        let trained = recipe.train(&train, &validation)?;
        let notes =
            [("feature", format!("{:?}", flags.feature)), ("size", format!("{}x{}", size[0], size[1]))];
        trained.save(&flags.out.join(&name), classes, &notes)?;
        let scores = probabilities(trained.network.as_ref(), &test, flags.batch_size)?.mapv(f64::from);
        let clips_of = verdicts(collection, &fold.test, labels, scores.view(), 0);
        let note = format!("epoch {} of {}", trained.epoch, trained.history.epochs().len());
        let curves = vec![trained.curve()];
        let mut tested = vec![self.tested(name.clone(), note, clips_of, curves, classes, false)];

        if flags.svm && model == Model::Vgg16 {
            let code = |part: &Pictures<'_>| codes(trained.network.as_ref(), part, flags.batch_size);
            let (train_codes, validation_codes) = (code(&train)?, code(&validation)?);
            let (train_labels, validation_labels) = (train.classes(), validation.classes());
            let chosen = svm::fit(
                svm::Codes { codes: train_codes.view(), labels: &train_labels },
                svm::Codes { codes: validation_codes.view(), labels: &validation_labels },
                code(&test)?.view(),
                classes.len(),
            )?;
            let (predicted, scores) = (&chosen.predicted, chosen.probabilities.view());
            let clips_of = named_verdicts(collection, &fold.test, labels, predicted, scores, 0);
            json(&flags.out.join("vgg16_svm").join("settings.json"), &chosen.settings)?;
            let note = format!("settings with {} in validation", percent(chosen.settings.accuracy));
            tested.push(self.tested("vgg16_svm".to_owned(), note, clips_of, Vec::new(), classes, true));
        }
        Ok(tested)
    }

    fn tested(
        &self,
        name: String,
        note: String,
        clips: Vec<mgr_eval::report::ClipResult>,
        histories: Vec<mgr_eval::figure::FoldHistory>,
        classes: &[String],
        svm: bool,
    ) -> Tested {
        let Self { flags, model, size, fold, .. } = self;
        let run = RunDescription {
            dataset: flags.place.root.as_ref().map_or("embedded corpus".to_owned(), |r| r.display().to_string()),
            split: format!("{} clips (training / validation / test), seed {}", parts(fold), flags.seed),
            protocol: "the epoch, and the machine's settings, are chosen on the validation part; each test clip is asked once"
                .to_owned(),
            known_leaks: self.leaks.clone(),
            seeds: vec![flags.seed],
            command: self.command.to_owned(),
            ..RunDescription::default()
        };
        let published = model.published(&flags.feature, svm);
        let title = format!("Image-CNN study: {name}");
        let classification = Classification { title, run, classes: classes.to_vec(), clips, histories };
        Tested { name, size: *size, published, note, classification }
    }
}

/// The protocol of CBMI 2016, with a report of its own.
fn cbmi_2016(flags: &Flags, command: &str) -> Result<(), Failure> {
    let all = flags.models.iter().any(|name| name == "all");
    let settings = cbmi::Settings {
        networks: if all { &[] } else { &flags.models },
        folds: flags.folds,
        epochs: flags.epochs.unwrap_or(2000),
        patience: Some(flags.patience.unwrap_or(40)),
        learning_rate: flags.learning_rate,
        seed: flags.seed,
        threads: flags.threads,
        command,
    };
    let (networks, table) = cbmi::run(&flags.place, &settings, &flags.out)?;
    print_table(&table);
    write_table(&flags.out.join("results.csv"), &table)?;
    let mut sections = vec![Section {
        title: "Beside the published figures".to_owned(),
        id: "results".to_owned(),
        blocks: vec![Block::Table(table)],
    }];
    let warnings = networks.first().map_or(Vec::new(), |(_, first)| first.run.leaks());
    let mut tested = Vec::new();
    for (name, classification) in networks {
        let result = Tested { name, size: [40, 80], published: None, note: String::new(), classification };
        sections.push(section(&flags.out, &result)?);
        tested.push(result);
    }
    finish(flags, command, "CBMI 2016", &tested, warnings, sections)
}

/// The table of all networks beside what was published of them.
fn results(tested: &[Tested], shown: &str) -> Result<Table, Failure> {
    let mut rows = Vec::new();
    for result in tested {
        let (share, interval) = accuracy(&result.classification.clips)?;
        rows.push(vec![
            result.name.clone(),
            format!("{}x{}", result.size[0], result.size[1]),
            percent(share),
            range(interval),
            result.note.clone(),
            result.published.map_or("–".to_owned(), percent),
        ]);
    }
    Ok(Table {
        caption: format!("Accuracy on the test part, {shown}"),
        columns: vec![
            Column::text("Network"),
            Column::text("Picture"),
            Column::number("Accuracy"),
            Column::number("95 % interval"),
            Column::text("Chosen"),
            Column::number("Published"),
        ],
        rows,
    })
}

/// Writes one network's own report and gives its section of the study's.
fn section(out: &Path, result: &Tested) -> Result<Section, Failure> {
    let figures = write_classification(&out.join(&result.name), &result.classification)?;
    let mut blocks = vec![Block::Paragraph(format!(
        "All measures and worst-confused clips are in {}/report.html.",
        result.name
    ))];
    for mut figure in figures {
        if ["confusion", "learning_curves"].contains(&figure.name.as_str()) {
            figure.name = format!("{}_{}", result.name, figure.name);
            blocks.push(Block::Figure(figure));
        }
    }
    Ok(Section { title: result.name.clone(), id: result.name.clone(), blocks })
}

fn files<T>(clips: &Made<T>) -> Section {
    let blocks = vec![bad_files_table(&clips.bad)];
    Section { title: "Files".to_owned(), id: "files".to_owned(), blocks }
}

fn finish(
    flags: &Flags,
    command: &str,
    title: &str,
    tested: &[Tested],
    warnings: Vec<String>,
    mut sections: Vec<Section>,
) -> Result<(), Failure> {
    let mut headline = Vec::new();
    for result in tested.iter().take(8) {
        let (share, interval) = accuracy(&result.classification.clips)?;
        let note = format!("95 % interval {}", range(interval));
        headline.push(Headline { label: result.name.clone(), value: percent(share), note });
    }
    sections.push(Section {
        title: "What was run".to_owned(),
        id: "run".to_owned(),
        blocks: vec![Block::Code(command.to_owned())],
    });
    let clips = tested.first().map_or(0, |result| result.classification.clips.len());
    let report = Report {
        title: title.to_owned(),
        subtitle: format!("{clips} tested clips, {} networks", tested.len()),
        headline,
        warnings,
        sections,
    };
    write_report(&flags.out, &report)?;
    println!("\n{}", flags.out.join("report.html").display());
    Ok(())
}

fn rule(flags: &Flags) -> Result<Protocol, Failure> {
    let (train, validation, seed) = (flags.train_size, flags.validation_size, flags.seed);
    Ok(match (flags.order, &flags.place.groups) {
        (Order::Listing, Some(_)) => {
            return Err("the listing order knows no artists: leave out --groups or --order listing".into());
        }
        (Order::Listing, None) => Protocol::OrderedRatio { train, validation },
        (Order::Drawn, Some(_)) => Protocol::GroupRatio { train, validation, seed },
        (Order::Drawn, None) => Protocol::Ratio { train, validation, seed },
    })
}

fn models(names: &[String]) -> Result<Vec<Model>, Failure> {
    if names.iter().any(|name| name == "all") {
        return Ok(Model::ALL.to_vec());
    }
    let model = |name: &String| {
        Model::from_str(name, false).map_err(|_| {
            let known: Vec<String> = Model::value_variants().iter().map(|model| model.name()).collect();
            format!("there is no network {name}: --models takes some of {}, or all", known.join(", ")).into()
        })
    };
    names.iter().map(model).collect()
}

fn rendering(flags: &Flags) -> Result<Rendering, Failure> {
    let color_map: ColorMap =
        serde_json::from_value(serde_json::Value::String(flags.color_map.clone())).map_err(|_| {
            format!(
                "there is no colour map {}: --color-map takes magma, inferno, plasma, viridis, cividis, jet or gray",
                flags.color_map
            )
        })?;
    if let Some(weight) = flags.channel_weights.iter().find(|w| !(0.0..=1.0).contains(*w)) {
        return Err(
            format!("a channel weight is {weight}: --channel-weights takes numbers from 0 to 1").into()
        );
    }
    let weights = flags.channel_weights.clone();
    Ok(Rendering { colouring: flags.image, color_map, weights })
}

fn parse_size(text: &str) -> Result<[usize; 2], Failure> {
    let sides: Vec<usize> = text.split('x').filter_map(|side| side.parse().ok()).collect();
    match sides.as_slice() {
        &[height, width] if height > 0 && width > 0 => Ok([height, width]),
        _ => {
            Err(format!("the size of a picture is {text}: --size takes HEIGHTxWIDTH, such as 120x200").into())
        }
    }
}

/// VGG16's convolutions, without the classifier that a file of torchvision's has.
fn vgg16(name: &str) -> Result<Option<BTreeMap<String, TensorData>>, Failure> {
    if name == "none" {
        return Ok(None);
    }
    let mut tensors = weights::of_photographs(name, "--weights")
        .map_err(advise("or train without them: --weights none"))?;
    tensors.retain(|name, _| name.starts_with("features."));
    Ok(Some(tensors))
}

fn with_rate(optimiser: OptimiserConfig, rate: Option<f64>) -> OptimiserConfig {
    match (optimiser, rate) {
        (OptimiserConfig::Adam(config), Some(learning_rate)) => {
            OptimiserConfig::Adam(AdamConfig { learning_rate, ..config })
        }
        (OptimiserConfig::RmsProp(config), Some(learning_rate)) => {
            OptimiserConfig::RmsProp(RmsPropConfig { learning_rate, ..config })
        }
        (optimiser, _) => optimiser,
    }
}

/// The pictures as the study kept them: a folder for each part with one for each genre.
fn write_pictures(
    out: &Path,
    clips: &Made<Vec<Array2<f32>>>,
    pictures: &[Array3<u8>],
    fold: &Fold,
) -> Result<(), Failure> {
    for (part, members) in [("train", &fold.train), ("validation", &fold.validation), ("test", &fold.test)] {
        for &clip in members {
            let entry = &clips.collection.entries[clip];
            let genre = entry.labels.first().and_then(|&label| clips.collection.labels.get(label));
            let stem = entry.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let folder = out.join("pictures").join(part).join(genre.map_or("", String::as_str));
            write_png(&folder.join(format!("{stem}.png")), &pictures[clip])?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    ExitCode::from(exit_code("image_cnn_study", run(std::env::args_os())))
}
