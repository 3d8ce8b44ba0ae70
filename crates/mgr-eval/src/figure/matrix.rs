//! A matrix that is already a coloured image, with axes and a colour bar around it.

use super::draw::{Align, Colour, Scene, Stroke, TextStyle, encode};
use super::font::{self, Weight};
use super::{Caption, Figure, draw_title};
use crate::EvalError;

/// The longest side of an image in pixels.
const LONGEST_SIDE: usize = 8192;
const MARGIN: f64 = 24.0;
const TICK_EM: f64 = 13.0;
const AXIS_EM: f64 = 15.0;
const BAR_WIDTH: f64 = 18.0;
const MARK: f64 = 5.0;

/// An image: red, green and blue bytes, rows from the top.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// Pixels across, 1 to 8192.
    pub width: usize,
    /// Pixels down, 1 to 8192.
    pub height: usize,
    /// `width * height * 3` bytes.
    pub rgb: &'a [u8],
}

/// A mark beside an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Place on the axis: 0 is its left or lower end, 1 the other.
    pub place: f64,
    /// What stands there.
    pub label: String,
}

/// What stands beside an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AxisMarks {
    /// Title; none where empty.
    pub title: String,
    /// Marks; those outside of 0 to 1 are left out.
    pub marks: Vec<Mark>,
}

/// The legend of the colours.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorBar {
    /// Colours from the lowest value to the highest.
    pub colors: Vec<[u8; 3]>,
    /// Title and marks; 0 is the lowest value.
    pub axis: AxisMarks,
}

/// Draws an image with an axis across, an axis upward and, where given, a colour bar. A point is two pixels of the image, so the PNG
/// shows every pixel as it is.
///
/// # Errors
/// [`EvalError::Parameter`] for a side outside 1 to 8192, [`EvalError::LengthMismatch`] where the bytes do not fit the sides,
/// [`EvalError::Empty`] for a colour bar without a colour, [`EvalError::Drawing`] if the drawing library refuses.
pub fn matrix_figure(
    caption: Caption<'_>,
    image: Pixels<'_>,
    across: &AxisMarks,
    upward: &AxisMarks,
    bar: Option<&ColorBar>,
) -> Result<Figure, EvalError> {
    check(image)?;
    if bar.is_some_and(|bar| bar.colors.is_empty()) {
        return Err(EvalError::Empty { what: "colour bar" });
    }
    font::load(caption.name)?;
    let scene = lay_out(caption.title, image, across, upward, bar);
    Figure::from_scene(caption, alt_text(caption.title, across, upward, bar), scene)
}

/// An image as a PNG file, pixel by pixel.
///
/// # Errors
/// Those of [`matrix_figure`] that concern the image.
pub fn encode_png(image: Pixels<'_>) -> Result<Vec<u8>, EvalError> {
    check(image)?;
    encode(image.rgb, image.width as u32, image.height as u32)
        .map_err(|e| EvalError::Drawing { name: "image".to_owned(), reason: e.to_string() })
}

fn check(image: Pixels<'_>) -> Result<(), EvalError> {
    for (name, side) in [("image width", image.width), ("image height", image.height)] {
        if !(1..=LONGEST_SIDE).contains(&side) {
            return Err(EvalError::Parameter { name, value: side as f64, allowed: "1 to 8192" });
        }
    }
    crate::error::same_length("image bytes", image.width * image.height * 3, image.rgb.len())
}

fn lay_out(
    title: &str,
    image: Pixels<'_>,
    across: &AxisMarks,
    upward: &AxisMarks,
    bar: Option<&ColorBar>,
) -> Scene {
    let (plot_width, plot_height) = (0.5 * image.width as f64, 0.5 * image.height as f64);
    let label_width = |axis: &AxisMarks| {
        let labels: Vec<&str> = axis.marks.iter().map(|mark| mark.label.as_str()).collect();
        font::widest(&labels, TICK_EM, Weight::Regular)
    };
    let title_room = |axis: &AxisMarks| if axis.title.is_empty() { 0.0 } else { AXIS_EM + 12.0 };
    let left = MARGIN + title_room(upward) + label_width(upward) + 2.0 * MARK;
    let (top, right) = (64.0, left + plot_width);
    let bottom = top + plot_height;
    let bar_room =
        bar.map_or(0.0, |bar| 20.0 + BAR_WIDTH + 2.0 * MARK + label_width(&bar.axis) + title_room(&bar.axis));
    // The last mark across may stand at the very edge.
    let overhang = 0.5 * across.marks.last().map_or(0.0, |m| font::width(&m.label, TICK_EM, Weight::Regular));
    let width = right + bar_room.max(overhang) + MARGIN;
    let mut scene = Scene::new(width, bottom + 2.0 * MARK + TICK_EM + title_room(across) + MARGIN);

    draw_title(&mut scene, title, MARGIN, 40.0, width - 2.0 * MARGIN);
    scene.image((left, top), (plot_width, plot_height), image);
    let frame = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    scene.line(frame, Stroke::new(1.0, Colour::MUTED));

    let tick = TextStyle::new(TICK_EM, Colour::MUTED);
    let axis_title = TextStyle::new(AXIS_EM, Colour::INK).bold().align(Align::Middle);
    for mark in visible(across) {
        let x = left + mark.place * plot_width;
        scene.line(vec![(x, bottom), (x, bottom + MARK)], Stroke::new(1.0, Colour::MUTED));
        scene.text(x, bottom + 2.0 * MARK + TICK_EM, &mark.label, tick.align(Align::Middle));
    }
    let below = bottom + 2.0 * MARK + TICK_EM + AXIS_EM + 10.0;
    scene.text(left + 0.5 * plot_width, below, &across.title, axis_title);
    for mark in visible(upward) {
        let y = bottom - mark.place * plot_height;
        scene.line(vec![(left - MARK, y), (left, y)], Stroke::new(1.0, Colour::MUTED));
        scene.centred_text(left - 2.0 * MARK, y, &mark.label, tick.align(Align::End));
    }
    scene.centred_text(MARGIN + 0.5 * AXIS_EM, top + 0.5 * plot_height, &upward.title, axis_title.upward());
    if let Some(bar) = bar {
        let x = right + 20.0;
        let rgb: Vec<u8> = bar.colors.iter().rev().flatten().copied().collect();
        let pixels = Pixels { width: 1, height: bar.colors.len(), rgb: &rgb };
        scene.image((x, top), (BAR_WIDTH, plot_height), pixels);
        let frame = [(x, top), (x + BAR_WIDTH, top), (x + BAR_WIDTH, bottom), (x, bottom), (x, top)];
        scene.line(frame.to_vec(), Stroke::new(1.0, Colour::MUTED));
        let edge = x + BAR_WIDTH;
        for mark in visible(&bar.axis) {
            let y = bottom - mark.place * plot_height;
            scene.line(vec![(edge, y), (edge + MARK, y)], Stroke::new(1.0, Colour::MUTED));
            scene.centred_text(edge + 2.0 * MARK, y, &mark.label, tick);
        }
        let title_x = width - MARGIN - 0.5 * AXIS_EM;
        scene.centred_text(title_x, top + 0.5 * plot_height, &bar.axis.title, axis_title.upward());
    }
    scene
}

fn visible(axis: &AxisMarks) -> impl Iterator<Item = &Mark> {
    axis.marks.iter().filter(|mark| (-1e-9..=1.0 + 1e-9).contains(&mark.place))
}

fn alt_text(title: &str, across: &AxisMarks, upward: &AxisMarks, bar: Option<&ColorBar>) -> String {
    let span = |axis: &AxisMarks| match (axis.marks.first(), axis.marks.last()) {
        (Some(first), Some(last)) => format!("{} from {} to {}", axis.title, first.label, last.label),
        _ => axis.title.clone(),
    };
    let colors = bar.map_or_else(String::new, |bar| format!(" Colours: {}.", span(&bar.axis)));
    format!("{title}. Across: {}. Upward: {}.{colors}", span(across), span(upward))
}
