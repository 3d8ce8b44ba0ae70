//! ROC and precision-recall curves of several classes.

use super::axis::Axis;
use super::draw::{Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::panel::{Name, Panel, TICK_EM, series_stroke};
use super::{Caption, Figure, check_classes, draw_title};
use crate::EvalError;
use crate::metrics::{PrecisionRecallCurve, RocCurve};

const MARGIN: f64 = 24.0;
const SIDE: f64 = 520.0;
const ROW: f64 = 25.0;
const NAME_ROOM: f64 = 190.0;

/// One class's line, its area and what the legend says.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    /// None where the curve is undefined.
    area: Option<f64>,
}

/// Draws the ROC curves of classes or systems, the legend in the order of their areas. A curve that is undefined, for want
/// of positive or negative clips, stands in the legend only.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and curves differ in number, [`EvalError::Empty`] without a curve,
/// [`EvalError::Parameter`] for more than 64, [`EvalError::Drawing`] if the drawing library refuses.
pub fn roc_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    curves: &[RocCurve],
    names: &[N],
) -> Result<Figure, EvalError> {
    let lines = curves.iter().zip(names).map(|(curve, name)| {
        let corners = curve.corners();
        let points: Vec<(f64, f64)> =
            corners.false_positive_rate.into_iter().zip(corners.true_positive_rate).collect();
        let area: f64 = points.windows(2).map(|w| (w[1].0 - w[0].0) * 0.5 * (w[1].1 + w[0].1)).sum();
        Line { name: name.as_ref().to_owned(), points, area: Some(area).filter(|area| area.is_finite()) }
    });
    let axes = ["False positive rate", "True positive rate"];
    draw(caption, curves.len(), names.len(), lines.collect(), axes, "AUC", Some([(0.0, 0.0), (1.0, 1.0)]))
}

/// Draws the precision-recall curves of classes or systems as steps, the legend in the order of average precision.
///
/// # Errors
/// Those of [`roc_figure`].
pub fn precision_recall_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    curves: &[PrecisionRecallCurve],
    names: &[N],
) -> Result<Figure, EvalError> {
    let lines = curves.iter().zip(names).map(|(curve, name)| {
        let steps = curve.recall.iter().zip(&curve.precision);
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut area = 0.0;
        for (&recall, &precision) in steps.rev() {
            // Precision holds from the recall before up to this one: the steps that average precision sums.
            if let Some(&(before, _)) = points.last() {
                area += (recall - before) * precision;
                points.push((before, precision));
            }
            points.push((recall, precision));
        }
        // Precision 1 at recall 0 is a convention, not a measurement.
        let points: Vec<(f64, f64)> = points.into_iter().skip(1).collect();
        let defined = curve.precision.len() > 1
            && curve.precision[..curve.precision.len() - 1].iter().any(|&p| p > 0.0);
        Line { name: name.as_ref().to_owned(), points, area: defined.then_some(area) }
    });
    let axes = ["Recall", "Precision"];
    draw(caption, curves.len(), names.len(), lines.collect(), axes, "AP", None)
}

fn draw(
    caption: Caption<'_>,
    curves: usize,
    names: usize,
    mut lines: Vec<Line>,
    axes: [&str; 2],
    measure: &str,
    chance: Option<[(f64, f64); 2]>,
) -> Result<Figure, EvalError> {
    check_classes(curves, names)?;
    if lines.is_empty() {
        return Err(EvalError::Empty { what: "list of curves" });
    }
    font::load(caption.name)?;
    // The style belongs to the class, so that two figures of the same classes agree; only the legend is sorted.
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let rank = |index: usize| lines[index].area.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)).then(a.cmp(&b)));
    for line in &mut lines {
        line.name = font::fit(&line.name, TICK_EM, Weight::Regular, NAME_ROOM);
    }

    let beside = Panel::room_beside(&Axis::SHARE, false);
    let height = SIDE.max(ROW * (lines.len() + 1) as f64);
    let panel =
        Panel { left: MARGIN + beside, top: 72.0, width: SIDE, height, x: Axis::SHARE, y: Axis::SHARE };
    let entries: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let name_width = font::widest(&entries, TICK_EM, Weight::Regular);
    let legend = panel.right() + 32.0;
    let width = legend + 48.0 + name_width + 70.0 + MARGIN;
    let mut scene = Scene::new(width, panel.bottom() + 60.0 + 12.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    panel.frame(&mut scene, Name(axes[0], false), Name(axes[1], false), beside);
    if let Some(ends) = chance {
        let stroke = Stroke { dashed: true, ..Stroke::new(1.5, Colour::MUTED) };
        scene.line(ends.map(|point| panel.at(point)).to_vec(), stroke);
    }
    // The best last, so that it lies on top.
    for &index in order.iter().rev().filter(|&&index| lines[index].area.is_some()) {
        let points = lines[index].points.iter().map(|&point| panel.at(point)).collect();
        scene.line(points, series_stroke(index, 2.25));
    }
    let head = TextStyle::new(TICK_EM, Colour::MUTED);
    scene.centred_text(legend + 48.0 + name_width + 16.0, panel.top + 6.0, measure, head);
    for (row, &index) in order.iter().enumerate() {
        let y = panel.top + ROW * (row as f64 + 1.0) + 6.0;
        let line = &lines[index];
        if line.area.is_some() {
            scene.line(vec![(legend, y), (legend + 38.0, y)], series_stroke(index, 3.0));
        }
        let style = TextStyle::new(TICK_EM, Colour::INK);
        scene.centred_text(legend + 48.0, y, &line.name, style);
        let value = line.area.map_or("–".to_owned(), |area| format!("{area:.3}"));
        scene.centred_text(legend + 48.0 + name_width + 16.0, y, &value, style);
    }
    let listed: Vec<String> = order
        .iter()
        .map(|&index| {
            let value = lines[index].area.map_or("undefined".to_owned(), |area| format!("{area:.3}"));
            format!("{} {value}", lines[index].name)
        })
        .collect();
    let alt =
        format!("{}: {} against {}. {measure}: {}.", caption.title, axes[1], axes[0], listed.join(", "));
    Figure::from_scene(caption, alt, scene)
}
