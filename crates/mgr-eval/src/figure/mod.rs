//! Figures as SVG and PNG from one drawing.
//!
//! Both files have the same bytes for the same input, whatever fonts a machine has. Colours: a light-to-dark blue ramp whose
//! lightness alone carries the value, and Okabe and Ito's palette for lines and bars; line styles differ too, so
//! nothing hangs on colour.

mod axis;
mod bars;
mod confusion;
mod critical;
mod curves;
mod draw;
mod font;
mod heat;
mod importance;
mod lines;
mod matrix;
mod panel;
mod reliability;
mod scatter;
mod subsets;
mod threshold;
mod vector;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use bars::per_class_figure;
pub use confusion::confusion_figure;
pub use critical::critical_difference_figure;
pub use curves::{Epoch, FoldHistory, learning_curve_figure};
pub use draw::Theme;
pub use heat::{HeatStyle, Palette, heat_figure, kernel_figure};
pub use importance::{Importance, importance_figure};
pub use lines::{Line, distribution_figure, line_figure};
pub use matrix::{AxisMarks, ColorBar, Mark, Pixels, encode_png, matrix_figure};

pub use reliability::calibration_figure;
pub use scatter::{filter_bank_figure, scatter_figure};
pub use subsets::{SubsetScore, subset_figure};
pub use threshold::{precision_recall_figure, roc_figure};
pub use vector::{Bars, vector_figure};

use crate::EvalError;
pub(crate) use draw::{Colour, Rgb};
use draw::{Scene, TextStyle};
use font::Weight;

/// More classes than this cannot be read in one picture.
const LARGEST_CLASSES: usize = 64;

/// A finished figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Name for files and links, such as `confusion`.
    pub name: String,
    /// Title, also drawn in the picture.
    pub title: String,
    /// What the picture shows, in words, for those who cannot see it.
    pub alt: String,
    /// The picture as an SVG document; a report inserts it as it is.
    pub svg: String,
    /// The picture as a PNG file with two pixels per point. Not serialised.
    #[serde(skip)]
    pub png: Vec<u8>,
    /// What was drawn; none in a figure that was read or given as SVG.
    #[serde(skip)]
    drawing: Drawing,
}

/// The scene behind a figure. It follows from the SVG, so it says nothing to equality.
#[derive(Debug, Clone, Default)]
struct Drawing(Option<Arc<Scene>>);

impl PartialEq for Drawing {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Drawing {}

/// Name and title of a figure to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caption<'a> {
    /// Name for files and links, such as `confusion`.
    pub name: &'a str,
    /// Title above the picture; shortened with an ellipsis where it does not fit.
    pub title: &'a str,
}

impl Figure {
    /// A figure that was drawn elsewhere. A report inserts the SVG as it is, so it must come from a trusted source.
    #[must_use]
    pub fn from_svg(
        name: impl Into<String>,
        title: impl Into<String>,
        alt: impl Into<String>,
        svg: impl Into<String>,
    ) -> Self {
        let (name, title, alt, svg) = (name.into(), title.into(), alt.into(), svg.into());
        Self { name, title, alt, svg, png: Vec::new(), drawing: Drawing(None) }
    }

    /// The same figure for another paper.
    ///
    /// # Errors
    /// [`EvalError::Drawing`] for a figure that was read from a file or made by [`from_svg`](Self::from_svg), and if the
    /// drawing library refuses.
    pub fn with_theme(&self, theme: Theme) -> Result<Self, EvalError> {
        let Some(scene) = &self.drawing.0 else {
            let reason = "only a figure that was drawn here can be drawn again".to_owned();
            return Err(EvalError::Drawing { name: self.name.clone(), reason });
        };
        Ok(Self {
            svg: scene.to_svg(&self.name, &self.alt, theme)?,
            png: scene.to_png(&self.name, theme)?,
            ..self.clone()
        })
    }

    /// The SVG on dark paper where a style sheet cannot make it from the light one, because it has colours beyond the palette.
    pub(crate) fn dark_svg(&self) -> Option<String> {
        let scene = self.drawing.0.as_ref().filter(|scene| scene.has_ramps())?;
        scene.to_svg(&self.name, &self.alt, Theme::Dark).ok()
    }

    fn from_scene(caption: Caption<'_>, alt: String, scene: Scene) -> Result<Self, EvalError> {
        Ok(Self {
            name: caption.name.to_owned(),
            title: caption.title.to_owned(),
            svg: scene.to_svg(caption.name, &alt, Theme::Light)?,
            png: scene.to_png(caption.name, Theme::Light)?,
            alt,
            drawing: Drawing(Some(Arc::new(scene))),
        })
    }
}

const TITLE_EM: f64 = 21.0;

/// Draws the title, smaller or shortened where it must be to fit.
fn draw_title(scene: &mut Scene, title: &str, left: f64, baseline: f64, room: f64) {
    let wide = font::width(title, TITLE_EM, Weight::Bold);
    let em = if wide > room { (TITLE_EM * room / wide).max(15.0) } else { TITLE_EM };
    let title = font::fit(title, em, Weight::Bold, room);
    scene.text(left, baseline, &title, TextStyle::new(em, Colour::INK).bold());
}

fn check_classes(classes: usize, names: usize) -> Result<(), EvalError> {
    crate::error::same_length("class names", classes, names)?;
    if classes > LARGEST_CLASSES {
        let value = classes as f64;
        return Err(EvalError::Parameter { name: "classes of a figure", value, allowed: "1 to 64" });
    }
    Ok(())
}
