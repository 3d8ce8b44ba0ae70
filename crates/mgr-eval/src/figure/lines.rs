//! Lines over a common axis: signals, spectra, and how a measure is distributed in each class.

use super::axis::Axis;
use super::draw::{Colour, Scene, TextStyle};
use super::font::{self, Weight};
use super::panel::{Name, Panel, TICK_EM, series_stroke};
use super::{Caption, Figure, LARGEST_CLASSES, draw_title};
use crate::EvalError;
use crate::error::same_length;

const MARGIN: f64 = 24.0;
const WIDTH: f64 = 780.0;
const HEIGHT: f64 = 320.0;
const ROW: f64 = 25.0;
const NAME_ROOM: f64 = 190.0;
/// More points of one line than this are no more seen than these.
const MOST_POINTS: usize = 4_000_000;

/// A line of a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its points (across, upward), in the order in which they are joined.
    pub points: Vec<(f64, f64)>,
}

/// Draws lines with linear axes; with several a legend stands beside them.
///
/// ```
/// use mgr_eval::figure::{Caption, Line, line_figure};
///
/// let wave = (0..100).map(|i| (f64::from(i), (f64::from(i) / 9.0).sin())).collect();
/// let caption = Caption { name: "wave", title: "A sine" };
/// let figure = line_figure(caption, ["Sample", "Amplitude"], &[Line { name: "sine".into(), points: wave }])?;
/// assert!(figure.svg.contains("Amplitude"));
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
///
/// # Errors
/// [`EvalError::Empty`] without a point, [`EvalError::Parameter`] for more than 64 lines or four million points,
/// [`EvalError::NotFinite`], [`EvalError::Drawing`] if the drawing library refuses.
pub fn line_figure(
    caption: Caption<'_>,
    axis_titles: [&str; 2],
    lines: &[Line],
) -> Result<Figure, EvalError> {
    if lines.len() > LARGEST_CLASSES {
        let value = lines.len() as f64;
        return Err(EvalError::Parameter { name: "lines of a figure", value, allowed: "1 to 64" });
    }
    let count: usize = lines.iter().map(|line| line.points.len()).sum();
    if count == 0 {
        return Err(EvalError::Empty { what: "list of points" });
    }
    if count > MOST_POINTS {
        let allowed = "up to 4000000: join neighbouring points";
        return Err(EvalError::Parameter { name: "points of a figure", value: count as f64, allowed });
    }
    for (row, line) in lines.iter().enumerate() {
        for &(x, y) in &line.points {
            for (column, value) in [x, y].into_iter().enumerate() {
                // An axis from one to the other must have a length.
                if !value.is_finite() || value.abs() > 1e300 {
                    return Err(EvalError::NotFinite { what: "coordinate", row, column, value });
                }
            }
        }
    }
    font::load(caption.name)?;
    let axis = |of: fn(&(f64, f64)) -> f64| {
        let values = || lines.iter().flat_map(|line| &line.points).map(of);
        let low = values().fold(f64::INFINITY, f64::min);
        Axis::covering(low, values().fold(f64::NEG_INFINITY, f64::max), false)
    };
    let (x, y) = (axis(|point| point.0), axis(|point| point.1));
    let beside = Panel::room_beside(&y, false);
    let has_legend = lines.len() > 1;
    let height = if has_legend { HEIGHT.max(ROW * lines.len() as f64) } else { HEIGHT };
    let panel = Panel { left: MARGIN + beside, top: 72.0, width: WIDTH, height, x, y };
    let names: Vec<String> =
        lines.iter().map(|line| font::fit(&line.name, TICK_EM, Weight::Regular, NAME_ROOM)).collect();
    let legend = panel.right() + 32.0;
    let room = if has_legend { 32.0 + 48.0 + font::widest(&names, TICK_EM, Weight::Regular) } else { 12.0 };
    let width = panel.right() + room + MARGIN;
    let mut scene = Scene::new(width, panel.bottom() + 72.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    panel.frame(&mut scene, Name(axis_titles[0], false), Name(axis_titles[1], false), beside);
    // A crowd of points is a thin line, or it would be a block.
    let weight = if count / lines.len().max(1) > 500 { 1.0 } else { 2.25 };
    for (index, line) in lines.iter().enumerate() {
        let points = line.points.iter().map(|&point| panel.at(point)).collect();
        scene.line(points, series_stroke(index, weight));
        if has_legend {
            let at = panel.top + ROW * (index as f64 + 0.5);
            scene.line(vec![(legend, at), (legend + 38.0, at)], series_stroke(index, 3.0));
            let style = TextStyle::new(TICK_EM, Colour::INK);
            scene.centred_text(legend + 48.0, at, &names[index], style);
        }
    }
    let alt =
        format!("{}: {} against {}, {}.", caption.title, axis_titles[1], axis_titles[0], names.join(", "));
    Figure::from_scene(caption, alt, scene)
}

/// Draws how a measure is distributed in each class: the share of the class's values by bin, over bins of one width that reach from
/// the lowest to the highest of the middle 98 % of all values. Values that are not finite are left out, those beyond the bins too; a
/// class without a value stands in the legend only.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and classes differ in number, [`EvalError::Empty`] without a finite value,
/// [`EvalError::Parameter`] for bins outside 2 to 200 or more than 64 classes, [`EvalError::Drawing`] if the drawing library refuses.
pub fn distribution_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    axis_title: &str,
    values_of_class: &[Vec<f64>],
    class_names: &[N],
    bins: usize,
) -> Result<Figure, EvalError> {
    same_length("class names", values_of_class.len(), class_names.len())?;
    if !(2..=200).contains(&bins) {
        return Err(EvalError::Parameter { name: "bins", value: bins as f64, allowed: "2 to 200" });
    }
    let mut all: Vec<f64> =
        values_of_class.iter().flatten().copied().filter(|v| v.is_finite() && v.abs() < 1e300).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all.get((share * (all.len().max(1) - 1) as f64).round() as usize).copied();
    let (Some(low), Some(high)) = (at(0.01), at(0.99)) else {
        return Err(EvalError::Empty { what: "list of finite values" });
    };
    let high = if high > low { high } else { low + low.abs().max(1.0) * 1e-3 };
    let width = (high - low) / bins as f64;
    let line = |(values, name): (&Vec<f64>, &N)| {
        let mut counts = vec![0_usize; bins];
        let finite = values.iter().filter(|v| v.is_finite()).count();
        for value in values.iter().filter(|v| (low..=high).contains(*v)) {
            if let Some(count) = counts.get_mut((((value - low) / width) as usize).min(bins - 1)) {
                *count += 1;
            }
        }
        let points = counts.iter().enumerate().filter(|_| finite > 0).flat_map(|(bin, &count)| {
            let share = 100.0 * count as f64 / finite as f64;
            [bin, bin + 1].map(|edge| (low + width * edge as f64, share))
        });
        Line { name: name.as_ref().to_owned(), points: points.collect() }
    };
    let lines: Vec<Line> = values_of_class.iter().zip(class_names).map(line).collect();
    line_figure(caption, [axis_title, "% of the class"], &lines)
}
