//! Importance of features as bars.

use super::axis::Axis;
use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::panel::TICK_EM;
use super::{Caption, Figure, draw_title};
use crate::EvalError;

/// How much one feature matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Its name.
    pub name: String,
    /// Its importance; negative where a model is better without it.
    pub value: f64,
    /// The deviation over repetitions or trees, where known.
    pub deviation: Option<f64>,
}

const MARGIN: f64 = 24.0;
const PLOT: f64 = 520.0;
const ROW: f64 = 26.0;

/// Draws the `most` (1 to 100) most important features, the highest on top; of equal ones the first given.
///
/// # Errors
/// [`EvalError::Empty`] without features, [`EvalError::Parameter`] for `most`, [`EvalError::NotFinite`],
/// [`EvalError::Drawing`] if the drawing library refuses.
pub fn importance_figure(
    caption: Caption<'_>,
    axis_title: &str,
    features: &[Importance],
    most: usize,
) -> Result<Figure, EvalError> {
    if features.is_empty() {
        return Err(EvalError::Empty { what: "list of features" });
    }
    if !(1..=100).contains(&most) {
        return Err(EvalError::Parameter { name: "most", value: most as f64, allowed: "1 to 100" });
    }
    for (row, feature) in features.iter().enumerate() {
        for value in [feature.value, feature.deviation.unwrap_or(0.0)] {
            if !value.is_finite() {
                return Err(EvalError::NotFinite { what: "importance", row, column: 0, value });
            }
        }
    }
    font::load(caption.name)?;
    let mut order: Vec<&Importance> = features.iter().collect();
    order.sort_by(|a, b| b.value.total_cmp(&a.value));
    order.truncate(most);
    let names: Vec<String> =
        order.iter().map(|f| font::fit(&f.name, TICK_EM, Weight::Regular, 260.0)).collect();
    let ends = |sign: f64| order.iter().map(move |f| f.value + sign * f.deviation.unwrap_or(0.0));
    let axis = Axis::covering(ends(-1.0).fold(0.0, f64::min), ends(1.0).fold(0.0, f64::max), false);

    let left = MARGIN + font::widest(&names, TICK_EM, Weight::Regular) + 12.0;
    let (top, bottom) = (72.0, 72.0 + ROW * order.len() as f64);
    let width = left + PLOT + 40.0 + MARGIN;
    let x_of = |value: f64| left + PLOT * axis.place(value);
    let mut scene = Scene::new(width, bottom + 68.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    for tick in axis.ticks() {
        scene.line(vec![(x_of(tick), top - 4.0), (x_of(tick), bottom)], Stroke::new(1.0, Colour::GRID));
        let style = TextStyle::new(TICK_EM, Colour::MUTED).align(Align::Middle);
        scene.text(x_of(tick), bottom + 9.0 + TICK_EM, &axis.label(tick, false), style);
    }
    for (row, (feature, name)) in order.iter().zip(&names).enumerate() {
        let middle = top + ROW * (row as f64 + 0.5);
        let style = TextStyle::new(TICK_EM, Colour::INK).align(Align::End);
        scene.centred_text(left - 12.0, middle, name, style);
        let (from, to) = (x_of(feature.value.min(0.0)), x_of(feature.value.max(0.0)));
        scene.rect(from, middle - 8.0, (to - from).max(1.0), 16.0, Colour::BLUE);
        if let Some(deviation) = feature.deviation.filter(|&deviation| deviation > 0.0) {
            whisker(&mut scene, middle, x_of(feature.value - deviation), x_of(feature.value + deviation));
        }
    }
    scene.line(vec![(x_of(0.0), top - 4.0), (x_of(0.0), bottom)], Stroke::new(1.5, Colour::MUTED));
    let style = TextStyle::new(15.0, Colour::INK).bold().align(Align::Middle);
    scene.text(left + 0.5 * PLOT, bottom + 50.0, axis_title, style);
    let listed: Vec<String> = order.iter().take(10).map(|f| format!("{} {:.4}", f.name, f.value)).collect();
    let alt = format!("{}: bars of {}, highest first: {}.", caption.title, axis_title, listed.join(", "));
    Figure::from_scene(caption, alt, scene)
}

/// A line from one value to another with ends, as a deviation is drawn.
pub(super) fn whisker(scene: &mut Scene, y: f64, from: f64, to: f64) {
    let stroke = Stroke::new(1.75, Colour::INK);
    scene.line(vec![(from, y), (to, y)], stroke);
    for x in [from, to] {
        scene.line(vec![(x, y - 4.0), (x, y + 4.0)], stroke);
    }
}
