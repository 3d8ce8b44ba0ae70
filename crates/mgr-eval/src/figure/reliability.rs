//! Calibration: confidence against accuracy.

use super::axis::Axis;
use super::draw::{Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::panel::{Name, Panel, TICK_EM, marker, series_stroke};
use super::{Caption, Figure, draw_title};
use crate::EvalError;
use crate::error::same_length;
use crate::metrics::Calibration;

const MARGIN: f64 = 24.0;
const SIDE: f64 = 480.0;
const COUNTS: f64 = 110.0;

/// Draws accuracy against confidence for one system or a few, and below how many clips of the first each bin holds.
/// On the dashed diagonal a system is as often right as it says; below it, it is too sure.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and calibrations differ in number, [`EvalError::Empty`] without one or with one
/// without bins, [`EvalError::Parameter`] for more than 7, [`EvalError::Drawing`] if the drawing library refuses.
pub fn calibration_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    systems: &[Calibration],
    names: &[N],
) -> Result<Figure, EvalError> {
    same_length("names of systems", systems.len(), names.len())?;
    if systems.is_empty() || systems.iter().any(|system| system.bins.is_empty()) {
        return Err(EvalError::Empty { what: "calibration" });
    }
    if systems.len() > 7 {
        let value = systems.len() as f64;
        return Err(EvalError::Parameter {
            name: "systems of a calibration figure",
            value,
            allowed: "1 to 7",
        });
    }
    font::load(caption.name)?;
    let beside = Panel::room_beside(&Axis::SHARE, true);
    let panel =
        Panel { left: MARGIN + beside, top: 72.0, width: SIDE, height: SIDE, x: Axis::SHARE, y: Axis::SHARE };
    let names: Vec<String> = names
        .iter()
        .zip(systems)
        .map(|(name, system)| {
            let name = font::fit(name.as_ref(), TICK_EM, Weight::Regular, 180.0);
            format!("{name}, ECE {:.1} %", 100.0 * system.expected_error())
        })
        .collect();
    let legend = panel.right() + 32.0;
    let entries = font::widest(&names, TICK_EM, Weight::Regular).max(140.0);
    let width = legend + 50.0 + entries + MARGIN;
    let most = systems[0].bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let counts = Panel {
        top: panel.bottom() + 36.0,
        height: COUNTS,
        y: Axis::covering(0.0, most as f64, false),
        ..Panel { left: panel.left, top: 0.0, width: SIDE, height: 0.0, x: Axis::SHARE, y: Axis::SHARE }
    };
    let mut scene = Scene::new(width, counts.bottom() + 72.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    panel.frame(&mut scene, Name("", true), Name("Accuracy", true), beside);
    counts.frame(&mut scene, Name("Confidence", true), Name("Clips", false), beside);
    let diagonal = Stroke { dashed: true, ..Stroke::new(1.5, Colour::MUTED) };
    scene.line(vec![panel.at((0.0, 0.0)), panel.at((1.0, 1.0))], diagonal);
    for (index, system) in systems.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            system.bins.iter().map(|bin| panel.at((bin.confidence, bin.accuracy))).collect();
        scene.line(points.clone(), series_stroke(index, 2.25));
        for point in points {
            marker(&mut scene, point, 5.5, index);
        }
    }
    for bin in &systems[0].bins {
        let (x, top) = counts.at((bin.confidence, bin.count as f64));
        scene.rect(x - 5.0, top, 10.0, (counts.bottom() - top).max(1.0), Colour::SERIES[0]);
    }
    let ink = TextStyle::new(TICK_EM, Colour::INK);
    for (index, name) in names.iter().enumerate() {
        let y = panel.top + 8.0 + 26.0 * index as f64;
        scene.line(vec![(legend, y), (legend + 38.0, y)], series_stroke(index, 2.25));
        marker(&mut scene, (legend + 19.0, y), 5.5, index);
        scene.centred_text(legend + 48.0, y, name, ink);
    }
    let y = panel.top + 8.0 + 26.0 * names.len() as f64;
    scene.line(vec![(legend, y), (legend + 38.0, y)], diagonal);
    scene.centred_text(legend + 48.0, y, "as sure as right", TextStyle::new(TICK_EM, Colour::MUTED));
    let alt = format!("{}: accuracy against confidence. {}.", caption.title, names.join("; "));
    Figure::from_scene(caption, alt, scene)
}
