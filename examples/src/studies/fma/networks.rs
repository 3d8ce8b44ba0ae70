//! The ConvNet and the vision transformer on mel pictures: what is trained, what is measured, what is drawn.

use mgr_eval::figure::{AxisMarks, Caption, Figure, HeatStyle, Mark, Palette, heat_figure, kernel_figure};
use mgr_eval::metrics::{ScoreTies, predicted_labels, top_k_accuracy};
use mgr_eval::report::{Classification, ClipResult, RunDescription};
use mgr_models::device::DeviceConfig;
use mgr_models::encode::{layers, probabilities};
use mgr_models::train::{OptimiserConfig, SgdConfig, TrainConfig};
use mgr_models::zoo::{FmaConvNetConfig, NetworkConfig, VitConfig};
use mgr_models::{Network, SavedNetwork, TensorData};
use ndarray::{Array2, Array3, ArrayView2};
use std::collections::BTreeMap;

use crate::studies::picture_parts::output::Output;
use crate::studies::picture_parts::spoken::{Result, sentence};
use crate::studies::picture_parts::training::{Job, PictureExamples, curve, fit};

/// The pictures, their genres and parts.
#[derive(Debug)]
pub struct Material<'a> {
    /// Names of the clips.
    pub ids: &'a [String],
    /// Artists, where they are known.
    pub groups: &'a [Option<String>],
    /// (128, frames, 3) each.
    pub pictures: &'a [Array3<u8>],
    /// Class of each.
    pub labels: &'a [usize],
    /// Names of the classes.
    pub classes: &'a [String],
    /// Rows to train on, to choose the epoch on, to report on.
    pub parts: [&'a [usize]; 3],
}

/// How a network is trained.
#[derive(Debug, Clone, Copy)]
pub struct Training {
    /// Epochs.
    pub epochs: usize,
    /// Clips of a step.
    pub batch: usize,
    /// Settings of SGD.
    pub sgd: SgdConfig,
    /// The network of every so many epochs is kept.
    pub save_every: usize,
    /// The loss is said every so many steps.
    pub print_every: usize,
    /// Seed.
    pub seed: u64,
}

/// The size of a vision transformer.
#[derive(Debug, Clone, Copy)]
pub struct VitSize {
    /// Side of a patch.
    pub patch: usize,
    /// Length of a token.
    pub dim: usize,
    /// Layers.
    pub depth: usize,
    /// Heads.
    pub heads: usize,
    /// Units of the perceptron.
    pub mlp: usize,
}

/// The networks of some names for pictures of so many frames.
///
/// # Errors
/// A sentence for another name, and for patches that do not divide the picture.
pub fn networks(names: &[String], frames: usize, vit: VitSize) -> Result<Vec<(String, NetworkConfig)>> {
    let mut found = Vec::new();
    for name in names {
        let network = match name.as_str() {
            "convnet" => NetworkConfig::FmaConvNet(FmaConvNetConfig { input: [3, 128, frames] }),
            "vit" => {
                if vit.patch == 0 || 128 % vit.patch != 0 || !frames.is_multiple_of(vit.patch) {
                    return Err(format!(
                        "--vit-patch {} does not divide a picture of 128 x {frames}",
                        vit.patch
                    ));
                }
                NetworkConfig::Vit(VitConfig {
                    input: [3, 128, frames],
                    patch: [vit.patch, vit.patch],
                    dim: vit.dim,
                    depth: vit.depth,
                    heads: vit.heads,
                    dim_head: (vit.dim / vit.heads.max(1)).max(1),
                    mlp_dim: vit.mlp,
                    ..VitConfig::default()
                })
            }
            "none" => continue,
            other => {
                return Err(format!("no model of the study is named {other}, there are convnet, vit, none"));
            }
        };
        found.push((name.clone(), network));
    }
    Ok(found)
}

/// A trained network and what it reached.
#[allow(missing_debug_implementations)]
pub struct Trained {
    /// Its name.
    pub name: String,
    /// The test part.
    pub test: Classification,
    /// Share of test clips whose genre is first, and among the first three.
    pub top: [f64; 2],
    /// The same on the validation part.
    pub validation_top: [f64; 2],
    /// Trained values.
    pub parameters: usize,
    /// The epoch that was kept.
    pub epoch: usize,
    /// The network.
    pub network: Box<dyn Network>,
}

/// Trains a network, keeps it, and asks it once for the test part.
///
/// # Errors
/// The sentences of mgr-models and mgr-eval.
pub fn train(
    [name, command]: [&str; 2],
    network: &NetworkConfig,
    material: &Material<'_>,
    training: Training,
    run: &RunDescription,
    out: &Output,
) -> Result<Trained> {
    let [train, validation, test] = material.parts;
    let examples = |rows| PictureExamples::new(material.pictures, material.labels, rows);
    let (train, validation_part, test_part) = (examples(train)?, examples(validation)?, examples(test)?);
    let mut built =
        network.build(material.classes.len(), training.seed, DeviceConfig::Cpu).map_err(sentence)?;
    let folder = out.path(name);
    let config = TrainConfig {
        epochs: training.epochs,
        batch_size: training.batch,
        optimiser: OptimiserConfig::Sgd(training.sgd),
        seed: training.seed,
        ..TrainConfig::default()
    };
    let job = Job {
        network: network.clone(),
        classes: material.classes,
        train: config,
        folder: &folder,
        fingerprint: material.ids.join("\n"),
        keep_every: training.save_every,
        name_of: |record| format!("epoch-{}.safetensors", record.epoch),
        print_every: training.print_every,
    };
    println!("{name}: {} trained values", built.parameters().trainable_count());
    let fit = fit(&job, built.as_mut(), &train, &validation_part)?;
    fit.history.save_csv(&folder.join("history.csv")).map_err(sentence)?;
    fit.history.save_json(&folder.join("history.json")).map_err(sentence)?;
    let saved =
        SavedNetwork::new(network.clone(), built.as_ref(), material.classes.to_vec(), BTreeMap::new());
    saved.and_then(|saved| saved.save(&out.path(&format!("{name}.safetensors")))).map_err(sentence)?;
    let top = |rows: &[usize], scores: ArrayView2<'_, f32>| -> Result<[f64; 2]> {
        let truth: Vec<usize> = rows.iter().map(|&row| material.labels[row]).collect();
        let share = |k: usize| {
            let k = k.min(material.classes.len());
            top_k_accuracy(&truth, scores, k, ScoreTies::LowerClass).map_err(sentence)
        };
        Ok([share(1)?, share(3)?])
    };
    let scores = probabilities(built.as_ref(), &test_part, 16).map_err(sentence)?;
    let of_validation = probabilities(built.as_ref(), &validation_part, 16).map_err(sentence)?;
    let predicted = predicted_labels(scores.view()).map_err(sentence)?;
    let clip = |(at, &row): (usize, &usize)| ClipResult {
        id: material.ids[row].clone(),
        class: material.labels[row],
        predicted: predicted[at],
        scores: scores.row(at).iter().map(|v| f64::from(*v)).collect(),
        fold: 0,
        group: material.groups[row].clone(),
        audio: None,
    };
    let classification = Classification {
        title: format!("FMA study, audio: {name}"),
        run: RunDescription { command: command.to_owned(), ..run.clone() },
        classes: material.classes.to_vec(),
        clips: test.iter().enumerate().map(clip).collect(),
        histories: vec![curve(&fit.history, fit.selected_epoch)],
    };
    out.classification(&format!("{name}/"), &classification)?;
    Ok(Trained {
        name: name.to_owned(),
        top: top(test, scores.view())?,
        validation_top: top(validation, of_validation.view())?,
        parameters: built.parameters().trainable_count(),
        epoch: fit.selected_epoch,
        test: classification,
        network: built,
    })
}

/// Kernels and what they make of one picture: sixteen of the second convolution, twenty-four of the sixth.
///
/// # Errors
/// The sentences of mgr-models and mgr-eval.
pub fn what_the_convnet_sees(trained: &Trained, material: &Material<'_>, row: usize) -> Result<Vec<Figure>> {
    let weights = trained.network.parameters().to_data().map_err(sentence)?;
    let mut figures = Vec::new();
    for (tensor, most, file, title) in [
        ("conv2.weight", 16, "filters_block1", "Sixteen of the filters of block 1"),
        ("conv6.weight", 24, "filters_block5", "Twenty-four of the filters of block 5"),
    ] {
        let Some(data) = weights.get(tensor) else { continue };
        let kernels: Vec<Array2<f32>> = data
            .values
            .chunks_exact(9)
            .take(most)
            .map(|kernel| Array2::from_shape_vec((3, 3), kernel.to_vec()).map_err(sentence))
            .collect::<Result<_>>()?;
        let views: Vec<ArrayView2<'_, f32>> = kernels.iter().map(|kernel| kernel.view()).collect();
        figures.push(kernel_figure(Caption { name: file, title }, &views, 8).map_err(sentence)?);
    }
    let examples = PictureExamples::new(material.pictures, material.labels, &[row])?;
    let seen = layers(trained.network.as_ref(), &examples, 0).map_err(sentence)?;
    for (layer, most, across) in [("block1", 8, 2), ("block5", 24, 6)] {
        let Some((_, data)) = seen.iter().find(|(name, _)| *name == layer) else { continue };
        let title = format!("{}: what {layer} makes of it", material.ids[row]);
        let file = format!("activations_{layer}");
        figures.push(tiles(Caption { name: &file, title: &title }, data, most, across)?);
    }
    Ok(figures)
}

/// Channels of a layer side by side, `across` of them in a row, from the top.
fn tiles(caption: Caption<'_>, data: &TensorData, most: usize, across: usize) -> Result<Figure> {
    let [channels, height, width] = data.shape[..] else {
        return Err(format!("a layer of shape {:?} cannot be drawn", data.shape));
    };
    let shown = most.min(channels);
    let down = shown.div_ceil(across);
    let (gap_y, gap_x) = (height.div_ceil(16), width.div_ceil(32));
    let mut picture =
        Array2::from_elem((down * (height + gap_y) - gap_y, across * (width + gap_x) - gap_x), f32::NAN);
    let rows = picture.nrows();
    for channel in 0..shown {
        let values = &data.values[channel * height * width..(channel + 1) * height * width];
        // Each channel has its own largest value: what it looks at is shown, not how strongly.
        let largest = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let (left, top) = ((channel % across) * (width + gap_x), (channel / across) * (height + gap_y));
        for (index, value) in values.iter().enumerate() {
            let (y, x) = (index / width, index % width);
            picture[(rows - 1 - top - y, left + x)] = value / largest;
        }
    }
    let title = |title: &str| AxisMarks { title: title.to_owned(), marks: Vec::<Mark>::new() };
    let style = HeatStyle {
        unit: "Share of the channel's largest".to_owned(),
        range: Some((0.0, 1.0)),
        palette: Palette::Viridis,
    };
    let (across_title, upward) = (title("Time, channel by channel"), title("Frequency"));
    heat_figure(caption, picture.view(), &across_title, &upward, &style).map_err(sentence)
}
