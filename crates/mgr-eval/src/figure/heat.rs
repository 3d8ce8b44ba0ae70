//! Matrices of numbers as pictures: spectrograms, activations, kernels.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::draw::{Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::matrix::{AxisMarks, ColorBar, Mark, Pixels, matrix_figure};
use super::panel::TICK_EM;
use super::{Caption, Figure, draw_title};
use crate::EvalError;

/// Colours of a picture; all are in order of lightness (or, for the diverging one, of distance from the middle) and told
/// apart with every common colour blindness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Palette {
    /// Dark blue to yellow (default).
    #[default]
    Cividis,
    /// Violet over green to yellow.
    Viridis,
    /// Orange over white to purple, for values on both sides of 0.
    PurpleOrange,
}

impl Palette {
    fn at(self, share: f64) -> [u8; 3] {
        let gradient = match self {
            Self::Cividis => colorous::CIVIDIS,
            Self::Viridis => colorous::VIRIDIS,
            Self::PurpleOrange => colorous::PURPLE_ORANGE,
        };
        let colour = gradient.eval_continuous(share.clamp(0.0, 1.0));
        [colour.r, colour.g, colour.b]
    }
}

/// Cells without a finite value.
const NO_VALUE: [u8; 3] = [0x9A, 0xA5, 0xB1];

/// What the cells of a matrix show and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatStyle {
    /// The unit beside the colour bar, `dB` say.
    pub unit: String,
    /// The values at the ends of the colours; those of the matrix where none.
    pub range: Option<(f64, f64)>,
    /// The colours.
    pub palette: Palette,
}

fn ends(values: impl Iterator<Item = f32> + Clone) -> Option<(f64, f64)> {
    let finite = || values.clone().filter(|value| value.is_finite()).map(f64::from);
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    (low <= high).then_some((low, high))
}

/// Draws a matrix (rows, columns) with its first row at the bottom, as spectrograms are: frequencies upward, time across.
///
/// A small matrix is enlarged in whole steps, a large one (more than 1600 columns or 1024 rows) shows the mean of neighbours.
/// Cells that are NaN or infinite are grey.
///
/// # Errors
/// [`EvalError::Empty`] without cells or finite values, [`EvalError::Parameter`] for a range whose ends are not finite or not in
/// order, [`EvalError::Drawing`] if the drawing library refuses.
pub fn heat_figure(
    caption: Caption<'_>,
    matrix: ArrayView2<'_, f32>,
    across: &AxisMarks,
    upward: &AxisMarks,
    style: &HeatStyle,
) -> Result<Figure, EvalError> {
    let no_value = EvalError::Empty { what: "matrix of finite values" };
    let (rows, columns) = matrix.dim();
    let (low, high) = style.range.or_else(|| ends(matrix.iter().copied())).ok_or(no_value)?;
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return Err(EvalError::Parameter { name: "range", value: high, allowed: "finite, from low to high" });
    }
    if rows == 0 || columns == 0 {
        return Err(EvalError::Empty { what: "matrix" });
    }
    let span = if high > low { high - low } else { 1.0 };
    let pixels_of = |count: usize, least: usize, most: usize| {
        if count > most { most } else { count * least.div_ceil(count).max(1) }
    };
    let (width, height) = (pixels_of(columns, 1200, 1600), pixels_of(rows, 560, 1024));
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            // From the top: the last row first.
            let range = |pixel: usize, pixels: usize, count: usize| {
                let first = pixel * count / pixels;
                first..((pixel + 1) * count / pixels).max(first + 1)
            };
            let (mut sum, mut number) = (0.0, 0.0);
            for row in range(height - 1 - y, height, rows) {
                for column in range(x, width, columns) {
                    let value = f64::from(matrix[(row, column)]);
                    if value.is_finite() {
                        sum += value;
                        number += 1.0;
                    }
                }
            }
            let colour = if number > 0.0 { style.palette.at((sum / number - low) / span) } else { NO_VALUE };
            rgb.extend(colour);
        }
    }
    let axis = Axis::covering(low, high, false);
    let marks = axis
        .ticks()
        .map(|tick| Mark { place: (tick - low) / span, label: axis.label(tick, false) })
        .filter(|mark| (0.0..=1.0).contains(&mark.place))
        .collect();
    let bar = ColorBar {
        colors: (0..256).map(|step| style.palette.at(f64::from(step) / 255.0)).collect(),
        axis: AxisMarks { title: style.unit.clone(), marks },
    };
    matrix_figure(caption, Pixels { width, height, rgb: &rgb }, across, upward, Some(&bar))
}

/// Draws kernels of one layer as tiles in `columns` columns with a common range that is symmetric about 0, orange for negative
/// weights and purple for positive ones. The first row of a kernel is at the bottom.
///
/// # Errors
/// [`EvalError::Empty`] without kernels or weights, [`EvalError::Parameter`] for more than 1024 kernels or `columns` outside 1 to
/// 64, [`EvalError::NotFinite`], [`EvalError::Drawing`] if the drawing library refuses.
pub fn kernel_figure(
    caption: Caption<'_>,
    kernels: &[ArrayView2<'_, f32>],
    columns: usize,
) -> Result<Figure, EvalError> {
    const MARGIN: f64 = 24.0;
    if kernels.is_empty() || kernels.iter().any(|kernel| kernel.is_empty()) {
        return Err(EvalError::Empty { what: "list of kernels" });
    }
    for (name, value, most) in [("kernels", kernels.len(), 1024), ("columns of kernels", columns, 64)] {
        if !(1..=most).contains(&value) {
            let allowed = if most == 64 { "1 to 64" } else { "1 to 1024" };
            return Err(EvalError::Parameter { name, value: value as f64, allowed });
        }
    }
    for kernel in kernels {
        if let Some(((row, column), &value)) = kernel.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(EvalError::NotFinite { what: "weight", row, column, value: f64::from(value) });
        }
    }
    font::load(caption.name)?;
    let most = kernels.iter().flatten().fold(0.0_f32, |most, weight| most.max(weight.abs()));
    let reach = f64::from(most.max(f32::MIN_POSITIVE));
    let share = |weight: f64| 0.5 + 0.5 * weight / reach;
    let columns = columns.min(kernels.len());
    let tallest = kernels.iter().map(|kernel| kernel.nrows()).max().unwrap_or(1) as f64;
    let widest = kernels.iter().map(|kernel| kernel.ncols()).max().unwrap_or(1) as f64;
    let cell = (640.0 / columns as f64 - 10.0).clamp(14.0, 96.0) / widest.max(tallest);
    let (tile_width, tile_height) = (cell * widest, cell * tallest);
    let rows = kernels.len().div_ceil(columns);
    let grid_width = (tile_width + 10.0) * columns as f64 - 10.0;
    let legend = font::width("-0.0000", TICK_EM, Weight::Regular);
    let bar_x = MARGIN + grid_width + 28.0;
    let width = (bar_x + 18.0 + 10.0 + legend + MARGIN).max(420.0);
    let (top, least_height) = (64.0, 160.0);
    let grid_height = (tile_height + 10.0) * rows as f64 - 10.0;
    let mut scene = Scene::new(width, top + grid_height.max(least_height) + MARGIN);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    let frame = Stroke::new(1.0, Colour::MUTED);
    let boxed = |scene: &mut Scene, x: f64, y: f64, w: f64, h: f64| {
        scene.line(vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], frame);
    };
    for (index, kernel) in kernels.iter().enumerate() {
        let (height, across) = kernel.dim();
        let mut rgb = Vec::with_capacity(3 * kernel.len());
        for row in (0..height).rev() {
            for column in 0..across {
                rgb.extend(Palette::PurpleOrange.at(1.0 - share(f64::from(kernel[(row, column)]))));
            }
        }
        let x = MARGIN + (tile_width + 10.0) * (index % columns) as f64;
        let y = top + (tile_height + 10.0) * (index / columns) as f64;
        let (w, h) = (cell * across as f64, cell * height as f64);
        scene.image((x, y), (w, h), Pixels { width: across, height, rgb: &rgb });
        boxed(&mut scene, x, y, w, h);
    }
    let bar: Vec<u8> = (0..128).flat_map(|step| Palette::PurpleOrange.at(f64::from(step) / 127.0)).collect();
    scene.image((bar_x, top), (18.0, least_height), Pixels { width: 1, height: 128, rgb: &bar });
    boxed(&mut scene, bar_x, top, 18.0, least_height);
    for (place, value) in [(0.0, reach), (0.5, 0.0), (1.0, -reach)] {
        let label = if value == 0.0 { "0".to_owned() } else { format!("{value:.3}") };
        scene.centred_text(
            bar_x + 28.0,
            top + 6.0 + (least_height - 12.0) * place,
            &label,
            TextStyle::new(TICK_EM, Colour::MUTED),
        );
    }
    let alt =
        format!("{}: {} kernels, weights from -{reach:.3} to {reach:.3}.", caption.title, kernels.len());
    Figure::from_scene(caption, alt, scene)
}
