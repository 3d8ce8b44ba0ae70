//! Figures as SVG and PNG from one drawing.
//!
//! Both files have the same bytes for the same input, whatever fonts a machine has. Colours: a light-to-dark blue ramp whose
//! lightness alone carries the value, and Okabe and Ito's palette for lines and bars; line styles differ too, so
//! nothing hangs on colour.

mod bars;
mod confusion;
mod curves;
mod draw;
mod font;
mod matrix;

use serde::{Deserialize, Serialize};

pub use bars::per_class_figure;
pub use confusion::confusion_figure;
pub use curves::{Epoch, FoldHistory, learning_curve_figure};
pub use matrix::{AxisMarks, ColorBar, Mark, Pixels, encode_png, matrix_figure};

use crate::EvalError;
use draw::{Rgb, Scene, TextStyle};
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
}

/// Name and title of a figure to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caption<'a> {
    /// Name for files and links, such as `confusion`.
    pub name: &'a str,
    /// Title above the picture; shortened with an ellipsis where it does not fit.
    pub title: &'a str,
}

impl Figure {
    fn from_scene(caption: Caption<'_>, alt: String, scene: &Scene) -> Result<Self, EvalError> {
        Ok(Self {
            name: caption.name.to_owned(),
            title: caption.title.to_owned(),
            svg: scene.to_svg(caption.name, &alt)?,
            png: scene.to_png(caption.name)?,
            alt,
        })
    }
}

const TITLE_EM: f64 = 21.0;

/// Draws the title, smaller or shortened where it must be to fit.
fn draw_title(scene: &mut Scene, title: &str, left: f64, baseline: f64, room: f64) {
    let wide = font::width(title, TITLE_EM, Weight::Bold);
    let em = if wide > room { (TITLE_EM * room / wide).max(15.0) } else { TITLE_EM };
    let title = font::fit(title, em, Weight::Bold, room);
    scene.text(left, baseline, &title, TextStyle::new(em, Rgb::INK).bold());
}

fn check_classes(classes: usize, names: usize) -> Result<(), EvalError> {
    crate::error::same_length("class names", classes, names)?;
    if classes > LARGEST_CLASSES {
        let value = classes as f64;
        return Err(EvalError::Parameter { name: "classes of a figure", value, allowed: "1 to 64" });
    }
    Ok(())
}
