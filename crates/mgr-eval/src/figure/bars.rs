//! Precision, recall and F1 of every class as bars.

use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::{Caption, Figure, check_classes, draw_title};
use crate::EvalError;
use crate::metrics::{ClassScores, ConfusionMatrix};

const MEASURES: [(&str, Colour); 3] =
    [("precision", Colour::SKY), ("recall", Colour::BLUE), ("F1", Colour::VERMILION)];
const MARGIN: f64 = 24.0;
const NAME_EM: f64 = 15.0;
const NAME_ROOM: f64 = 220.0;
const TICK_EM: f64 = 13.0;
const PLOT_WIDTH: f64 = 560.0;

/// Draws three horizontal bars per class, classes from top to bottom in label order.
///
/// Meant for 2 to 30 classes, possible up to 64; the picture grows with the classes.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and classes differ in number, [`EvalError::Parameter`] for more than
/// 64 classes, [`EvalError::Drawing`] if the drawing library refuses.
pub fn per_class_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    matrix: &ConfusionMatrix,
    class_names: &[N],
) -> Result<Figure, EvalError> {
    check_classes(matrix.classes(), class_names.len())?;
    font::load(caption.name)?;
    let scores = matrix.per_class();
    let scene = lay_out(caption.title, &scores, class_names);
    Figure::from_scene(caption, alt_text(&scores, class_names), scene)
}

fn lay_out<N: AsRef<str>>(title: &str, scores: &[ClassScores], class_names: &[N]) -> Scene {
    let bar = if scores.len() <= 12 { 13.0 } else { 10.0 };
    let row = 3.0 * bar + 15.0;
    let names: Vec<String> = class_names
        .iter()
        .map(|name| font::fit(name.as_ref(), NAME_EM, Weight::Regular, NAME_ROOM))
        .collect();
    let supports: Vec<String> = scores.iter().map(|class| format!("{} clips", class.support)).collect();
    let name_width = font::widest(&names, NAME_EM, Weight::Regular).max(font::widest(
        &supports,
        TICK_EM - 1.0,
        Weight::Regular,
    ));
    let left = MARGIN + name_width + 12.0;
    let top = 104.0;
    let bottom = top + row * scores.len() as f64;
    let width = left + PLOT_WIDTH + 48.0 + MARGIN;
    let mut scene = Scene::new(width, bottom + 64.0);

    draw_title(&mut scene, title, MARGIN, 40.0, width - 2.0 * MARGIN);
    let mut x = MARGIN;
    for (name, colour) in MEASURES {
        scene.rect(x, 64.0, 16.0, 16.0, colour);
        scene.centred_text(x + 23.0, 72.0, name, TextStyle::new(14.0, Colour::INK));
        x += 23.0 + font::width(name, 14.0, Weight::Regular) + 28.0;
    }
    for tick in 0..=5 {
        let x = left + PLOT_WIDTH * f64::from(tick) / 5.0;
        scene.line(vec![(x, top - 4.0), (x, bottom)], Stroke::new(1.0, Colour::GRID));
        let style = TextStyle::new(TICK_EM, Colour::MUTED).align(Align::Middle);
        scene.text(x, bottom + 8.0 + TICK_EM, &format!("0.{}", 2 * tick).replace("0.10", "1.0"), style);
    }
    let axis = TextStyle::new(16.0, Colour::INK).bold().align(Align::Middle);
    scene.text(left + 0.5 * PLOT_WIDTH, bottom + 48.0, "Score", axis);

    for (index, (class, name)) in scores.iter().zip(&names).enumerate() {
        let first = top + row * index as f64 + 7.5;
        let middle = first + 1.5 * bar;
        let end = TextStyle::new(NAME_EM, Colour::INK).align(Align::End);
        scene.centred_text(left - 12.0, middle - 9.0, name, end);
        let small = TextStyle::new(TICK_EM - 1.0, Colour::MUTED).align(Align::End);
        scene.centred_text(left - 12.0, middle + 9.0, &supports[index], small);
        let values = [class.precision, class.recall, class.f1];
        for (number, (value, (_, colour))) in values.into_iter().zip(MEASURES).enumerate() {
            let y = first + bar * number as f64;
            // A hair of a bar remains at 0, so that the row does not look unmeasured.
            scene.rect(left, y + 0.75, (PLOT_WIDTH * value).max(1.0), bar - 1.5, colour);
            let style = TextStyle::new(bar - 1.5, Colour::MUTED);
            scene.centred_text(left + PLOT_WIDTH * value + 6.0, y + 0.5 * bar, &format!("{value:.2}"), style);
        }
    }
    scene.line(vec![(left, top - 4.0), (left, bottom)], Stroke::new(1.5, Colour::MUTED));
    scene
}

/// The range of F1 and the classes at its ends.
fn alt_text<N: AsRef<str>>(scores: &[ClassScores], class_names: &[N]) -> String {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].f1.total_cmp(&scores[b].f1).then(a.cmp(&b)));
    let show = |class: usize| format!("{:.2} ({})", scores[class].f1, class_names[class].as_ref());
    match (order.first(), order.last()) {
        (Some(&worst), Some(&best)) => format!(
            "Bars of precision, recall and F1 for {} classes. F1 runs from {} to {}.",
            scores.len(),
            show(worst),
            show(best)
        ),
        _ => "Bars of precision, recall and F1 without a class.".to_owned(),
    }
}
