//! Every figure from seeded data, as SVG and PNG on light and dark paper, and one page that shows them.
//!
//! ```text
//! cargo run -p mgr-eval --example figures -- OUT_FOLDER
//! ```

use std::error::Error;
use std::path::PathBuf;

use mgr_eval::compare::friedman;
use mgr_eval::figure::{
    AxisMarks, Caption, Epoch, Figure, FoldHistory, HeatStyle, Importance, Mark, SubsetScore, Theme,
    calibration_figure, confusion_figure, critical_difference_figure, filter_bank_figure, heat_figure,
    importance_figure, kernel_figure, learning_curve_figure, per_class_figure, precision_recall_figure,
    roc_figure, scatter_figure, subset_figure,
};
use mgr_eval::metrics::{
    Binning, Calibration, ConfusionMatrix, precision_recall_curve, predicted_labels, roc_curve,
};
use mgr_eval::report::{Block, Report, Section, render_html};
use ndarray::Array2;

const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/// A small generator (Lehmer's, modulus 2^61 - 1), so that the pictures never change.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 = (u128::from(self.0) * 437_799_614_237_992_725 % ((1 << 61) - 1)) as u64;
        self.0 as f64 / ((1_u64 << 61) - 1) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// True classes and probabilities of a system that is right about seven times in ten.
fn predictions(draw: &mut Draw, clips: usize) -> (Vec<usize>, Array2<f64>) {
    let truth: Vec<usize> = (0..clips).map(|clip| clip % GENRES.len()).collect();
    let mut scores = Array2::from_shape_fn((clips, GENRES.len()), |(clip, class)| {
        // Some genres are harder than others, and rock is near to metal and country.
        let own = if truth[clip] == class { 3.4 - 0.25 * ((class * 7) % 10) as f64 } else { 0.0 };
        let near = if truth[clip] == 9 && [2, 6].contains(&class) { 1.5 } else { 0.0 };
        (1.7 * (own + near + draw.normal())).exp()
    });
    for mut row in scores.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    (truth, scores)
}

fn spectrogram(draw: &mut Draw) -> Array2<f32> {
    Array2::from_shape_fn((96, 430), |(band, frame)| {
        let (band, time) = (band as f64, frame as f64 / 43.0);
        let beat = (-8.0 * (time * 2.0).fract()).exp();
        let melody = 22.0 + 9.0 * (time * 0.9).sin() + 3.0 * (time * 4.1).sin();
        let tone: f64 = (1..5)
            .map(|h| (-0.25 * (band - melody * f64::from(h).sqrt()).powi(2)).exp() / f64::from(h))
            .sum();
        let level = tone + 0.8 * beat * (-band / 40.0).exp() + 0.02 * draw.uniform();
        (10.0 * level.max(1e-8).log10()).max(-60.0) as f32
    })
}

fn figures() -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut draw = Draw(20_261_121);
    let caption = |name, title| Caption { name, title };
    let (truth, scores) = predictions(&mut draw, 1000);
    let labels = predicted_labels(scores.view())?;
    let matrix = ConfusionMatrix::from_labels(&truth, &labels, GENRES.len())?;
    let mut all = vec![
        confusion_figure(caption("confusion", "Confusion matrix"), &matrix, &GENRES)?,
        per_class_figure(caption("per_class", "Precision, recall and F1"), &matrix, &GENRES)?,
    ];

    let (mut roc, mut precision) = (Vec::new(), Vec::new());
    for class in 0..GENRES.len() {
        let positive: Vec<bool> = truth.iter().map(|&t| t == class).collect();
        let column = scores.column(class).to_vec();
        roc.push(roc_curve(&positive, &column)?);
        precision.push(precision_recall_curve(&positive, &column)?);
    }
    all.push(roc_figure(caption("roc", "ROC curves, each genre against the rest"), &roc, &GENRES)?);
    all.push(precision_recall_figure(
        caption("precision_recall", "Precision and recall"),
        &precision,
        &GENRES,
    )?);

    let softer = scores.mapv(|p: f64| p.powf(0.55));
    let sums = softer.sum_axis(ndarray::Axis(1));
    let softer = Array2::from_shape_fn(softer.dim(), |(i, j)| softer[(i, j)] / sums[i]);
    let calibrations = [
        Calibration::of_predictions(&truth, scores.view(), 10, Binning::Uniform)?,
        Calibration::of_predictions(&truth, softer.view(), 10, Binning::Uniform)?,
    ];
    let names = ["network", "with temperature"];
    all.push(calibration_figure(caption("calibration", "Calibration"), &calibrations, &names)?);

    let histories: Vec<FoldHistory> = (0..5)
        .map(|_| {
            let shift = 0.05 * draw.normal();
            let epoch = |e: i32, noise: f64| Epoch {
                train_loss: 0.15 + 2.0 * (-0.09 * f64::from(e)).exp(),
                train_accuracy: 0.96 - 0.8 * (-0.08 * f64::from(e)).exp(),
                validation_loss: Some(
                    0.75 + 1.5 * (-0.12 * f64::from(e)).exp() + 0.006 * f64::from(e) + shift + noise,
                ),
                validation_accuracy: Some(0.74 - 0.55 * (-0.1 * f64::from(e)).exp() - 0.3 * (shift + noise)),
            };
            let epochs: Vec<Epoch> = (0..40).map(|e| epoch(e, 0.03 * draw.normal())).collect();
            let accuracy = |e: &Epoch| e.validation_accuracy.unwrap_or(0.0);
            let best = (0..40).max_by(|&a, &b| accuracy(&epochs[a]).total_cmp(&accuracy(&epochs[b])));
            FoldHistory { epochs, best_epoch: best.map(|b| b + 1) }
        })
        .collect();
    all.push(learning_curve_figure(caption("learning_curves", "Learning curves"), &histories)?);

    let inputs = ["mel", "cqt", "percussive", "harmonic", "scatter", "transfer", "timbre"];
    let worth = [0.05, 0.03, 0.015, 0.01, 0.055, 0.06, 0.02];
    let subsets: Vec<SubsetScore> = (1_usize..128)
        .filter(|subset| subset.count_ones() > 1)
        .map(|subset| {
            let members: Vec<usize> = (0..7).filter(|member| subset >> member & 1 == 1).collect();
            let sum: f64 = members.iter().map(|&member| worth[member]).sum();
            let mean = 0.70 + 0.27 * (1.0 - (-6.0 * sum).exp()) - 0.004 * members.len() as f64
                + 0.003 * draw.normal();
            SubsetScore { members, mean, deviation: Some(0.012 + 0.008 * draw.uniform()) }
        })
        .collect();
    all.push(subset_figure(
        caption("subsets", "Fusion of feature subsets"),
        "Accuracy, mean and deviation over 10 folds",
        &inputs,
        &subsets,
        15,
    )?);

    let systems =
        ["SVM, SSD", "SVM, RP", "random forest", "boosting", "Base2DCNN", "musicnn + SVM", "late fusion"];
    let skill = [0.68, 0.66, 0.70, 0.72, 0.75, 0.80, 0.815];
    let measures = Array2::from_shape_fn((20, systems.len()), |(_, j)| skill[j] + 0.035 * draw.normal());
    let comparison = friedman(measures.view())?.nemenyi(0.05)?;
    let title = caption("critical_difference", "Mean ranks of seven systems on 20 folds");
    all.push(critical_difference_figure(title, &comparison, &systems)?);

    let points: Vec<(f64, f64)> = truth
        .iter()
        .map(|&class| {
            let angle = class as f64 * 0.628;
            let far = 3.2 + (class % 3) as f64;
            (far * angle.cos() + 0.75 * draw.normal(), far * angle.sin() + 0.75 * draw.normal())
        })
        .collect();
    all.push(scatter_figure(caption("embedding", "Embedding of the test clips"), &points, &truth, &GENRES)?);

    let kinds = ["mfcc", "spectral_contrast", "chroma", "tonnetz", "rolloff", "centroid", "zcr"];
    let statistics = ["mean", "std", "skew", "kurtosis", "median", "max", "min"];
    let features: Vec<Importance> = kinds
        .iter()
        .flat_map(|kind| statistics.iter().map(move |statistic| format!("{kind} {statistic}")))
        .map(|name| {
            let value = 0.05 * (-4.0 * draw.uniform()).exp();
            Importance { name, value, deviation: Some(0.15 * value) }
        })
        .collect();
    all.push(importance_figure(
        caption("importance", "Feature importance"),
        "Mean decrease of impurity",
        &features,
        20,
    )?);

    let marks = |labels: &[(f64, &str)], title: &str| AxisMarks {
        title: title.to_owned(),
        marks: labels.iter().map(|&(place, label)| Mark { place, label: label.to_owned() }).collect(),
    };
    let across =
        marks(&[(0.0, "0"), (0.2, "2"), (0.4, "4"), (0.6, "6"), (0.8, "8"), (1.0, "10")], "Time (s)");
    let upward =
        marks(&[(0.0, "0"), (0.29, "1k"), (0.49, "2k"), (0.72, "4k"), (1.0, "8k")], "Frequency (Hz)");
    let style = HeatStyle { unit: "dB".to_owned(), ..HeatStyle::default() };
    let picture = spectrogram(&mut draw);
    all.push(heat_figure(
        caption("spectrogram", "Log-mel spectrogram"),
        picture.view(),
        &across,
        &upward,
        &style,
    )?);

    let frequencies: Vec<f64> = (0..513).map(|bin| f64::from(bin) * 8000.0 / 512.0).collect();
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let bank = Array2::from_shape_fn((24, 513), |(filter, bin)| {
        let place = mel(frequencies[bin]) / mel(8000.0) * 25.0 - (filter + 1) as f64;
        (1.0 - place.abs()).max(0.0) as f32
    });
    let titles = ["Frequency (Hz)", "Weight"];
    all.push(filter_bank_figure(
        caption("filter_bank", "Mel filter bank"),
        titles,
        &frequencies,
        bank.view(),
    )?);

    let kernels: Vec<Array2<f32>> = (0..32)
        .map(|index| {
            let (u, v) = (f64::from(index % 6) - 2.5, f64::from(index / 6) - 2.5);
            Array2::from_shape_fn((7, 7), |(y, x)| {
                let (y, x) = (y as f64 - 3.0, x as f64 - 3.0);
                ((-0.12 * (x * x + y * y)).exp() * (0.5 * (u * x + v * y) + 0.3 * u).sin() * 0.2
                    + 0.01 * draw.normal()) as f32
            })
        })
        .collect();
    let views: Vec<_> = kernels.iter().map(|kernel| kernel.view()).collect();
    all.push(kernel_figure(caption("kernels", "Kernels of the first layer"), &views, 8)?);
    Ok(all)
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("usage: figures OUT_FOLDER")?);
    std::fs::create_dir_all(&out)?;
    let figures = figures()?;
    for figure in &figures {
        for (suffix, theme) in [("", Theme::Light), ("_dark", Theme::Dark)] {
            let figure = figure.with_theme(theme)?;
            std::fs::write(out.join(format!("{}{suffix}.svg", figure.name)), &figure.svg)?;
            std::fs::write(out.join(format!("{}{suffix}.png", figure.name)), &figure.png)?;
        }
    }
    let section = |figure: &Figure| Section {
        title: figure.title.clone(),
        id: figure.name.clone(),
        blocks: vec![Block::Figure(figure.clone())],
    };
    let report = Report {
        title: "Figures".to_owned(),
        subtitle: "Each from seeded data".to_owned(),
        sections: figures.iter().map(section).collect(),
        ..Report::default()
    };
    std::fs::write(out.join("index.html"), render_html(&report))?;
    println!("{} figures in {}", figures.len(), out.display());
    Ok(())
}
