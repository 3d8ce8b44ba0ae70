//! The confusion matrix as a picture.

use super::draw::{Align, Colour, Rgb, Scene, TextStyle};
use super::font::{self, Weight};
use super::{Caption, Figure, check_classes, draw_title};
use crate::EvalError;
use crate::metrics::ConfusionMatrix;

const NAME_ROOM: f64 = 190.0;
const AXIS_EM: f64 = 16.0;
const MARGIN: f64 = 24.0;
const COLOUR_BAR: f64 = 100.0;

/// Draws a confusion matrix: counts in the cells, coloured by their share of the row (the true class).
///
/// Large cells also show the share. Counts from 100,000 on are shortened (`123k`). Meant for 2 to 30 classes,
/// possible up to 64.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and classes differ in number, [`EvalError::Parameter`] for more than
/// 64 classes, [`EvalError::Drawing`] if the drawing library refuses.
pub fn confusion_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    matrix: &ConfusionMatrix,
    class_names: &[N],
) -> Result<Figure, EvalError> {
    check_classes(matrix.classes(), class_names.len())?;
    font::load(caption.name)?;
    let scene = lay_out(caption.title, matrix, class_names);
    Figure::from_scene(caption, alt_text(matrix, class_names), scene)
}

fn lay_out<N: AsRef<str>>(title: &str, matrix: &ConfusionMatrix, class_names: &[N]) -> Scene {
    let classes = matrix.classes();
    let name_em = if classes <= 20 { 15.0 } else { 13.0 };
    let names: Vec<String> = class_names
        .iter()
        .map(|name| font::fit(name.as_ref(), name_em, Weight::Regular, NAME_ROOM))
        .collect();
    let name_width = font::widest(&names, name_em, Weight::Regular);

    let counts: Vec<Vec<String>> =
        matrix.rows().map(|row| row.iter().map(|&count| short_count(count)).collect()).collect();
    let widest_at = |em: f64| font::widest(&counts.concat(), em, Weight::Regular);
    let smallest_cell = (widest_at(11.0) + 8.0).max(28.0);
    let cell = (620.0 / classes as f64).clamp(smallest_cell, 120.0).round();
    let count_em = (0.3 * cell).clamp(11.0, 24.0).min((cell - 8.0) * 20.0 / widest_at(20.0));
    let upright_names = name_width > cell - 8.0;

    let side = cell * classes as f64;
    let left = MARGIN + AXIS_EM + 14.0 + name_width + 10.0;
    let top = 88.0;
    let below = if upright_names { name_width + 12.0 } else { name_em + 14.0 };
    let width = (left + side + COLOUR_BAR + MARGIN).max(560.0);
    let mut scene = Scene::new(width, top + side + below + AXIS_EM + 12.0 + MARGIN);

    draw_title(&mut scene, title, MARGIN, 40.0, width - 2.0 * MARGIN);
    let subtitle = format!(
        "{} of {} clips right ({:.1} %). Colour: share of the true class.",
        matrix.correct(),
        matrix.total(),
        100.0 * matrix.accuracy()
    );
    let subtitle = font::fit(&subtitle, 14.0, Weight::Regular, width - 2.0 * MARGIN);
    scene.text(MARGIN, 64.0, &subtitle, TextStyle::new(14.0, Colour::MUTED));

    for (row, row_counts) in counts.iter().enumerate() {
        let y = top + cell * row as f64;
        for (column, count) in row_counts.iter().enumerate() {
            let x = left + cell * column as f64;
            let share = matrix.row_share(row, column);
            let colour = ramp(share);
            let ink = Colour { light: readable_on(colour.light), dark: readable_on(colour.dark) };
            scene.rect(x + 0.5, y + 0.5, cell - 1.0, cell - 1.0, colour);
            let faint = matrix.count(row, column) == 0;
            let text = if faint { FAINT } else { ink };
            let style = TextStyle::new(count_em, text).align(Align::Middle);
            let (middle_x, middle_y) = (x + 0.5 * cell, y + 0.5 * cell);
            if cell >= 60.0 && !faint {
                scene.centred_text(middle_x, middle_y - 0.13 * cell, count, style.bold());
                let share_style = TextStyle::new((0.62 * count_em).max(11.0), text).align(Align::Middle);
                let share = format!("{:.0} %", 100.0 * share);
                scene.centred_text(middle_x, middle_y + 0.22 * cell, &share, share_style);
            } else {
                scene.centred_text(middle_x, middle_y, count, style);
            }
        }
    }

    let name_style = TextStyle::new(name_em, Colour::INK);
    for (class, name) in names.iter().enumerate() {
        let middle = cell * (class as f64 + 0.5);
        scene.centred_text(left - 10.0, top + middle, name, name_style.align(Align::End));
        if upright_names {
            scene.centred_text(left + middle, top + side + 8.0, name, name_style.align(Align::End).upward());
        } else {
            let baseline = top + side + 8.0 + name_em;
            scene.text(left + middle, baseline, name, name_style.align(Align::Middle));
        }
    }
    let axis = TextStyle::new(AXIS_EM, Colour::INK).bold().align(Align::Middle);
    scene.text(left + 0.5 * side, top + side + below + AXIS_EM + 8.0, "Predicted class", axis);
    scene.text(MARGIN + AXIS_EM * 0.8, top + 0.5 * side, "True class", axis.upward());
    colour_bar(&mut scene, left + side + 28.0, top, side);
    scene
}

fn colour_bar(scene: &mut Scene, x: f64, top: f64, height: f64) {
    const STEPS: usize = 60;
    const WIDTH: f64 = 18.0;
    let height = height.min(360.0);
    let step = height / STEPS as f64;
    for index in 0..STEPS {
        let share = 1.0 - (index as f64 + 0.5) / STEPS as f64;
        // The overlap of half a point hides seams between steps.
        let overlap = if index + 1 < STEPS { 0.5 } else { 0.0 };
        scene.rect(x, top + step * index as f64, WIDTH, step + overlap, ramp(share));
    }
    for percent in [0, 25, 50, 75, 100] {
        let y = top + height * (1.0 - f64::from(percent) / 100.0);
        let tick = vec![(x + WIDTH, y), (x + WIDTH + 5.0, y)];
        scene.line(tick, super::draw::Stroke::new(1.0, Colour::MUTED));
        scene.centred_text(x + WIDTH + 9.0, y, &format!("{percent} %"), TextStyle::new(13.0, Colour::MUTED));
    }
}

/// The zeros of cells without a clip.
const FAINT: Colour = Colour { light: Rgb(0x6B, 0x77, 0x85), dark: Rgb(0x8A, 0x97, 0xA4) };

/// Light to dark blue on white paper, dark to light blue on dark paper. Lightness changes evenly (CIE L* 97, 80, 61, 40, 16 and
/// 15, 31, 50, 70, 91), so the order holds without hue.
fn ramp(share: f64) -> Colour {
    const LIGHT: [[f64; 3]; 5] = [
        [245.0, 247.0, 250.0],
        [178.0, 202.0, 226.0],
        [106.0, 151.0, 197.0],
        [42.0, 97.0, 153.0],
        [8.0, 38.0, 84.0],
    ];
    const DARK: [[f64; 3]; 5] = [
        [32.0, 41.0, 52.0],
        [25.0, 75.0, 120.0],
        [54.0, 121.0, 180.0],
        [122.0, 175.0, 222.0],
        [214.0, 232.0, 248.0],
    ];
    let position = share.clamp(0.0, 1.0) * (LIGHT.len() - 1) as f64;
    let index = (position as usize).min(LIGHT.len() - 2);
    let weight = position - index as f64;
    let mix = |anchors: &[[f64; 3]; 5]| {
        let channel = |c: usize| {
            let value = anchors[index][c] * (1.0 - weight) + anchors[index + 1][c] * weight;
            value.round() as u8
        };
        Rgb(channel(0), channel(1), channel(2))
    };
    Colour { light: mix(&LIGHT), dark: mix(&DARK) }
}

/// Black or white, whichever has the higher contrast by the WCAG formula.
fn readable_on(colour: Rgb) -> Rgb {
    // Black and white are equally far at the luminance where (L + 0.05)^2 = 1.05 * 0.05.
    if luminance(colour) > 0.179 { Rgb(0, 0, 0) } else { Rgb(0xFF, 0xFF, 0xFF) }
}

fn luminance(Rgb(red, green, blue): Rgb) -> f64 {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

fn short_count(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        100_000..1_000_000 => format!("{}k", count / 1_000),
        1_000_000..1_000_000_000 => format!("{}M", count / 1_000_000),
        _ => format!("{:.0e}", count as f64),
    }
}

/// Size, accuracy and the three most frequent confusions.
fn alt_text<N: AsRef<str>>(matrix: &ConfusionMatrix, class_names: &[N]) -> String {
    let mut text = format!(
        "Confusion matrix of {} classes: {} of {} clips right, accuracy {:.1} %.",
        matrix.classes(),
        matrix.correct(),
        matrix.total(),
        100.0 * matrix.accuracy()
    );
    let mut errors: Vec<(u64, usize, usize)> = Vec::new();
    for (truth, row) in matrix.rows().enumerate() {
        for (predicted, &count) in row.iter().enumerate() {
            if truth != predicted && count > 0 {
                errors.push((count, truth, predicted));
            }
        }
    }
    errors.sort_by_key(|&(count, truth, predicted)| (std::cmp::Reverse(count), truth, predicted));
    let worst: Vec<String> = errors
        .iter()
        .take(3)
        .map(|&(count, truth, predicted)| {
            format!("{} taken for {} ({count})", class_names[truth].as_ref(), class_names[predicted].as_ref())
        })
        .collect();
    if worst.is_empty() {
        text.push_str(" No clip is confused.");
    } else {
        text.push_str(&format!(" Most frequent confusions: {}.", worst.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_darkens_steadily_and_its_text_is_readable() {
        let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
        let steps: Vec<Colour> = (0..=100).map(|step| ramp(f64::from(step) / 100.0)).collect();
        for pair in steps.windows(2) {
            assert!(luminance(pair[1].light) < luminance(pair[0].light), "{pair:?}");
            assert!(luminance(pair[1].dark) > luminance(pair[0].dark), "{pair:?}");
        }
        for colour in steps.iter().flat_map(|step| [step.light, step.dark]) {
            // 4.5 is WCAG's AA for small text; the better of black and white always reaches 4.58.
            assert!(contrast(luminance(colour), luminance(readable_on(colour))) > 4.5, "{colour:?}");
        }
        assert!(contrast(luminance(steps[0].light), luminance(FAINT.light)) > 4.0);
        assert!(contrast(luminance(steps[0].dark), luminance(FAINT.dark)) > 4.0);
    }
}
