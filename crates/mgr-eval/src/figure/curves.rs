//! Learning curves: loss and accuracy by epoch, over several folds.

use serde::{Deserialize, Serialize};

use super::axis::{Axis, round_step};
use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::{Caption, Figure, draw_title};
use crate::EvalError;

/// Measures at the end of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Mean training loss.
    pub train_loss: f64,
    /// Training accuracy, 0 to 1.
    pub train_accuracy: f64,
    /// Mean validation loss, where there is a validation part.
    #[serde(default)]
    pub validation_loss: Option<f64>,
    /// Validation accuracy, 0 to 1, where there is a validation part.
    #[serde(default)]
    pub validation_accuracy: Option<f64>,
}

/// The training history of one fold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FoldHistory {
    /// Epochs in order; the first is epoch 1.
    pub epochs: Vec<Epoch>,
    /// The epoch (from 1) whose weights were kept.
    pub best_epoch: Option<usize>,
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 28.0;
const PANEL_TOPS: [f64; 2] = [124.0, 482.0];
const PANEL_HEIGHT: f64 = 280.0;
const HEIGHT: f64 = 826.0;
const TICK: f64 = 14.0;

/// Values beyond this are drawn as gaps, like NaN and infinity: a diverged run has no place on an axis.
const LARGEST_VALUE: f64 = 1e30;

/// One fold's values of one measure by epoch; `None` is a gap.
type Line = Vec<Option<f64>>;

struct Panel {
    title: &'static str,
    /// Lines of the folds: training, then validation.
    curves: [Vec<Line>; 2],
}

/// Draws training and validation loss and accuracy by epoch.
///
/// With several folds each is a thin line and their mean a bold one; the mean at an epoch is over the folds that
/// reached it. Training is dashed, validation solid; dots mark the kept epoch of each fold. A value that is NaN,
/// infinite or beyond 1e30 leaves a gap.
///
/// # Errors
/// [`EvalError::Empty`] without folds or without a finite value, [`EvalError::Parameter`] for a best epoch outside
/// the history, [`EvalError::Drawing`] if the drawing library refuses.
pub fn learning_curve_figure(caption: Caption<'_>, folds: &[FoldHistory]) -> Result<Figure, EvalError> {
    for fold in folds {
        if let Some(best) = fold.best_epoch
            && !(1..=fold.epochs.len()).contains(&best)
        {
            let allowed = "1 to the number of epochs of its fold";
            return Err(EvalError::Parameter { name: "best_epoch", value: best as f64, allowed });
        }
    }
    let lines = |value: fn(&Epoch) -> Option<f64>| -> Vec<Line> {
        let usable = |value: f64| value.abs() <= LARGEST_VALUE;
        folds
            .iter()
            .map(|fold| fold.epochs.iter().map(|e| value(e).filter(|&v| usable(v))).collect())
            .collect()
    };
    let panels = [
        Panel { title: "Loss", curves: [lines(|e| Some(e.train_loss)), lines(|e| e.validation_loss)] },
        Panel {
            title: "Accuracy",
            curves: [lines(|e| Some(e.train_accuracy)), lines(|e| e.validation_accuracy)],
        },
    ];
    if panels.iter().flat_map(Panel::values).next().is_none() {
        return Err(EvalError::Empty { what: "learning history" });
    }
    font::load(caption.name)?;
    let scene = lay_out(caption.title, folds, &panels);
    Figure::from_scene(caption, alt_text(folds, &panels), scene)
}

impl Panel {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.curves.iter().flatten().flatten().copied().flatten()
    }
}

fn lay_out(title: &str, folds: &[FoldHistory], panels: &[Panel; 2]) -> Scene {
    let mut scene = Scene::new(WIDTH, HEIGHT);
    draw_title(&mut scene, title, 24.0, 40.0, WIDTH - 48.0);
    let last_epoch = folds.iter().map(|fold| fold.epochs.len()).max().unwrap_or(1).max(2);
    legend(&mut scene, folds, panels);
    for (panel, top) in panels.iter().zip(PANEL_TOPS) {
        draw_panel(&mut scene, panel, top, last_epoch, folds);
    }
    scene
}

fn x_of(epoch: usize, last_epoch: usize) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * (epoch as f64 - 1.0) / (last_epoch as f64 - 1.0)
}

fn stroke_of(series: usize, bold: bool) -> Stroke {
    let colour = if series == 0 { Colour::VERMILION } else { Colour::BLUE };
    let (width, alpha) = if bold { (3.0, 1.0) } else { (1.25, 0.3) };
    Stroke { width, colour, alpha, dashed: bold && series == 0 }
}

fn legend(scene: &mut Scene, folds: &[FoldHistory], panels: &[Panel; 2]) {
    let y = 72.0;
    let mut x = 24.0;
    let style = TextStyle::new(TICK, Colour::INK);
    for (series, name) in ["training", "validation"].into_iter().enumerate() {
        if panels.iter().all(|panel| panel.curves[series].iter().flatten().flatten().next().is_none()) {
            continue;
        }
        scene.line(vec![(x, y), (x + 40.0, y)], stroke_of(series, true));
        scene.centred_text(x + 48.0, y, name, style);
        x += 48.0 + font::width(name, TICK, Weight::Regular) + 28.0;
    }
    if folds.iter().any(|fold| fold.best_epoch.is_some()) {
        let name = if folds.len() > 1 { "kept epoch of each fold" } else { "kept epoch" };
        dot(scene, (x + 7.0, y));
        scene.centred_text(x + 20.0, y, name, style);
        x += 20.0 + font::width(name, TICK, Weight::Regular) + 28.0;
    }
    if folds.len() > 1 {
        let note = format!("bold: mean of {} folds", folds.len());
        scene.centred_text(x, y, &note, TextStyle::new(TICK, Colour::MUTED));
    }
}

fn dot(scene: &mut Scene, centre: (f64, f64)) {
    scene.disc(centre, 6.5, Colour::PAPER);
    scene.disc(centre, 5.0, Colour::GREEN);
}

fn draw_panel(scene: &mut Scene, panel: &Panel, top: f64, last_epoch: usize, folds: &[FoldHistory]) {
    let bottom = top + PANEL_HEIGHT;
    let is_share = panel.title == "Accuracy";
    let (low, high) = panel
        .values()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let axis = Axis::covering(low, high, is_share);
    let y_of = |value: f64| bottom - PANEL_HEIGHT * (value - axis.low) / (axis.high - axis.low);

    scene.text(LEFT, top - 14.0, panel.title, TextStyle::new(16.0, Colour::INK).bold());
    for tick in axis.ticks() {
        let y = y_of(tick);
        scene.line(vec![(LEFT, y), (WIDTH - RIGHT, y)], Stroke::new(1.0, Colour::GRID));
        let label = axis.label(tick, is_share);
        scene.centred_text(LEFT - 10.0, y, &label, TextStyle::new(TICK, Colour::MUTED).align(Align::End));
    }
    for epoch in epoch_ticks(last_epoch) {
        let x = x_of(epoch, last_epoch);
        scene.line(vec![(x, bottom), (x, bottom + 5.0)], Stroke::new(1.0, Colour::MUTED));
        let style = TextStyle::new(TICK, Colour::MUTED).align(Align::Middle);
        scene.text(x, bottom + 9.0 + TICK, &epoch.to_string(), style);
    }
    scene.line(vec![(LEFT, bottom), (WIDTH - RIGHT, bottom)], Stroke::new(1.0, Colour::MUTED));
    if is_share {
        let style = TextStyle::new(16.0, Colour::INK).bold().align(Align::Middle);
        scene.text(0.5 * (LEFT + WIDTH - RIGHT), bottom + 48.0, "Epoch", style);
    }

    for (series, lines) in panel.curves.iter().enumerate() {
        if lines.len() > 1 {
            for line in lines {
                draw_line(scene, line, last_epoch, stroke_of(series, false), y_of);
            }
        }
        draw_line(scene, &mean_line(lines), last_epoch, stroke_of(series, true), y_of);
    }
    for (number, fold) in folds.iter().enumerate() {
        let Some(best) = fold.best_epoch else { continue };
        let value_at = |series: usize| panel.curves[series][number].get(best - 1).copied().flatten();
        // The validation line decides; without one the training line carries the mark.
        if let Some(value) = value_at(1).or_else(|| value_at(0)) {
            dot(scene, (x_of(best, last_epoch), y_of(value)));
        }
    }
}

fn draw_line(
    scene: &mut Scene,
    line: &[Option<f64>],
    last_epoch: usize,
    stroke: Stroke,
    y_of: impl Fn(f64) -> f64,
) {
    let mut run: Vec<(f64, f64)> = Vec::new();
    for (index, value) in line.iter().copied().chain([None]).enumerate() {
        match value {
            Some(value) => run.push((x_of(index + 1, last_epoch), y_of(value))),
            None if run.len() == 1 => {
                scene.disc(run[0], 1.2 * stroke.width, stroke.colour);
                run.clear();
            }
            None => scene.line(std::mem::take(&mut run), stroke),
        }
    }
}

/// The mean over the folds that have a value at an epoch.
fn mean_line(lines: &[Line]) -> Line {
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest)
        .map(|epoch| {
            let values: Vec<f64> =
                lines.iter().filter_map(|line| line.get(epoch).copied().flatten()).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        })
        .collect()
}

/// Epoch 1 and round numbers up to the last epoch.
fn epoch_ticks(last_epoch: usize) -> Vec<usize> {
    let step = round_step(last_epoch as f64 / 10.0).max(1.0) as usize;
    let mut ticks = vec![1];
    // A tick right next to epoch 1 would touch its label.
    ticks.extend((1..=last_epoch / step).map(|index| index * step).filter(|&epoch| epoch > 1.max(step / 2)));
    ticks
}

/// Where the mean lines begin, end and peak.
fn alt_text(folds: &[FoldHistory], panels: &[Panel; 2]) -> String {
    let epochs = folds.iter().map(|fold| fold.epochs.len()).max().unwrap_or(0);
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut text = format!(
        "Learning curves of {} fold{} over up to {epochs} epoch{}.",
        folds.len(),
        plural(folds.len()),
        plural(epochs)
    );
    for (panel, measure) in panels.iter().zip(["loss", "accuracy"]) {
        for (lines, part) in panel.curves.iter().zip(["training", "validation"]) {
            let values: Vec<f64> = mean_line(lines).into_iter().flatten().collect();
            if let (Some(first), Some(last)) = (values.first(), values.last()) {
                let show = |value: f64| {
                    if measure == "loss" { format!("{value:.3}") } else { format!("{:.1} %", 100.0 * value) }
                };
                text.push_str(&format!(" Mean {part} {measure}: {} to {}.", show(*first), show(*last)));
            }
        }
    }
    let kept: Vec<String> = folds.iter().filter_map(|fold| fold.best_epoch).map(|e| e.to_string()).collect();
    if !kept.is_empty() {
        text.push_str(&format!(" Kept epoch{} by fold: {}.", plural(kept.len()), kept.join(", ")));
    }
    text
}
