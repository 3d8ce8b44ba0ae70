//! Points in the plane, as embeddings give them.

use super::axis::Axis;
use super::draw::{Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::panel::{TICK_EM, marker};
use super::{Caption, Figure, check_classes, draw_title};
use crate::EvalError;
use crate::error::same_length;

const MARGIN: f64 = 24.0;
const SIDE: f64 = 600.0;
const ROW: f64 = 25.0;

/// Draws a point for every clip, its colour and shape by class. Axes have no ticks: the directions of t-SNE or UMAP mean
/// nothing. Both axes have one scale.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where points and classes differ in number, [`EvalError::Empty`] without points,
/// [`EvalError::NotFinite`], [`EvalError::LabelOutOfRange`], [`EvalError::Parameter`] for more than 35 classes,
/// [`EvalError::Drawing`] if the drawing library refuses.
pub fn scatter_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    points: &[(f64, f64)],
    classes: &[usize],
    class_names: &[N],
) -> Result<Figure, EvalError> {
    same_length("classes of points", points.len(), classes.len())?;
    check_classes(class_names.len(), class_names.len())?;
    if class_names.len() > 35 {
        let value = class_names.len() as f64;
        return Err(EvalError::Parameter { name: "classes of a scatter figure", value, allowed: "1 to 35" });
    }
    if points.is_empty() {
        return Err(EvalError::Empty { what: "list of points" });
    }
    for (row, &(x, y)) in points.iter().enumerate() {
        for (column, value) in [x, y].into_iter().enumerate() {
            if !value.is_finite() {
                return Err(EvalError::NotFinite { what: "coordinate", row, column, value });
            }
        }
    }
    if let Some((index, &label)) = classes.iter().enumerate().find(|&(_, &class)| class >= class_names.len())
    {
        return Err(EvalError::LabelOutOfRange { what: "class", label, index, classes: class_names.len() });
    }
    font::load(caption.name)?;
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = || points.iter().map(of);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let (x, y) = (range(|p| p.0), range(|p| p.1));
    // Halves, because the difference of two doubles may overflow.
    let middle = |(low, high): (f64, f64)| 0.5 * low + 0.5 * high;
    let reach = (0.5 * x.1 - 0.5 * x.0).max(0.5 * y.1 - 0.5 * y.0).max(f64::MIN_POSITIVE) * 1.04;
    let place = |value: f64, centre: f64| 0.5 + (0.5 * value - 0.5 * centre) / reach;
    let names: Vec<String> =
        class_names.iter().map(|name| font::fit(name.as_ref(), TICK_EM, Weight::Regular, 190.0)).collect();
    let (left, top) = (MARGIN, 64.0);
    let legend = left + SIDE + 28.0;
    let width = legend + 24.0 + font::widest(&names, TICK_EM, Weight::Regular) + MARGIN;
    let bottom = top + SIDE.max(ROW * names.len() as f64);
    let mut scene = Scene::new(width, bottom + MARGIN);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    let frame = [(left, top), (left + SIDE, top), (left + SIDE, top + SIDE), (left, top + SIDE), (left, top)];
    scene.line(frame.to_vec(), Stroke::new(1.0, Colour::GRID));
    let radius = (60.0 / (points.len() as f64).sqrt()).clamp(2.5, 5.5);
    // By turns through the classes, so that no class covers another wholly.
    let mut order: Vec<(usize, usize)> = Vec::with_capacity(points.len());
    let mut seen = vec![0_usize; names.len()];
    for (index, &class) in classes.iter().enumerate() {
        order.push((seen[class], index));
        seen[class] += 1;
    }
    order.sort_unstable();
    for (_, index) in order {
        let (px, py) = points[index];
        let at = (left + SIDE * place(px, middle(x)), top + SIDE * (1.0 - place(py, middle(y))));
        marker(&mut scene, at, radius, classes[index]);
    }
    for (class, name) in names.iter().enumerate() {
        let y = top + 12.0 + ROW * class as f64;
        marker(&mut scene, (legend + 8.0, y), 6.0, class);
        scene.centred_text(legend + 24.0, y, name, TextStyle::new(TICK_EM, Colour::INK));
    }
    let counts: Vec<String> =
        names.iter().zip(&seen).map(|(name, count)| format!("{name} {count}")).collect();
    let alt =
        format!("{}: {} points in the plane, by class: {}.", caption.title, points.len(), counts.join(", "));
    Figure::from_scene(caption, alt, scene)
}

/// Draws the responses of a filter bank: one line for each row of `weights` (filters, bins) over `positions`, the places of the
/// bins (frequencies, say). Colours run through viridis from the first filter to the last.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where positions and bins differ in number, [`EvalError::Empty`], [`EvalError::NotFinite`],
/// [`EvalError::Parameter`] for more than 512 filters, [`EvalError::Drawing`] if the drawing library refuses.
pub fn filter_bank_figure(
    caption: Caption<'_>,
    axis_titles: [&str; 2],
    positions: &[f64],
    weights: ndarray::ArrayView2<'_, f32>,
) -> Result<Figure, EvalError> {
    use super::panel::{Name, Panel};
    same_length("positions of bins", weights.ncols(), positions.len())?;
    if weights.is_empty() {
        return Err(EvalError::Empty { what: "filter bank" });
    }
    if weights.nrows() > 512 {
        return Err(EvalError::Parameter {
            name: "filters",
            value: weights.nrows() as f64,
            allowed: "1 to 512",
        });
    }
    if let Some((column, &value)) = positions.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(EvalError::NotFinite { what: "position", row: 0, column, value });
    }
    if let Some(((row, column), &value)) = weights.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(EvalError::NotFinite { what: "weight", row, column, value: f64::from(value) });
    }
    font::load(caption.name)?;
    let low = positions.iter().copied().fold(f64::INFINITY, f64::min);
    let high = positions.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = weights.iter().copied().fold(0.0_f32, f32::min);
    let most = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let (x, y) = (Axis::covering(low, high, false), Axis::covering(f64::from(least), f64::from(most), false));
    let beside = Panel::room_beside(&y, false);
    let panel = Panel { left: MARGIN + beside, top: 72.0, width: 780.0, height: 320.0, x, y };
    let width = panel.right() + 36.0 + MARGIN;
    let mut scene = Scene::new(width, panel.bottom() + 72.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    panel.frame(&mut scene, Name(axis_titles[0], false), Name(axis_titles[1], false), beside);
    let last = weights.nrows().saturating_sub(1).max(1) as f64;
    for (row, filter) in weights.outer_iter().enumerate() {
        // The ends of viridis are too faint on one of the papers.
        let colour = |from: f64, to: f64| {
            let c = colorous::VIRIDIS.eval_continuous(from + (to - from) * row as f64 / last);
            super::draw::Rgb(c.r, c.g, c.b)
        };
        let colour = Colour { light: colour(0.0, 0.82), dark: colour(0.3, 1.0) };
        // Runs of zeros are left out but for their ends: the axis is there already.
        let is_zero = |i: usize| filter[i] == 0.0;
        let last_bin = filter.len() - 1;
        let shown =
            |i: usize| !(is_zero(i) && (i == 0 || is_zero(i - 1)) && (i == last_bin || is_zero(i + 1)));
        let mut run: Vec<(f64, f64)> = Vec::new();
        for i in 0..=last_bin {
            if shown(i) {
                run.push(panel.at((positions[i], f64::from(filter[i]))));
            } else {
                scene.line(std::mem::take(&mut run), Stroke::new(1.5, colour));
            }
        }
        scene.line(run, Stroke::new(1.5, colour));
    }
    let alt = format!(
        "{}: {} filters over {} from {} to {}.",
        caption.title,
        weights.nrows(),
        axis_titles[0],
        x.label(low, false),
        x.label(high, false)
    );
    Figure::from_scene(caption, alt, scene)
}
