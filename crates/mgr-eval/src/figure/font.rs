//! The one font of the pictures, and how wide text is in it.
//!
//! DejaVu Sans (Bitstream Vera licence, free to embed) comes out of the `dejavu` crate, so that a PNG has the same
//! bytes on a machine without fonts. SVG text asks for `sans-serif`; DejaVu is among the widest of those, so room
//! measured here is enough there.

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use crate::EvalError;

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// DejaVu's ascent and descent over its em: plotters asks its rasteriser for this height, not for the em.
pub(super) const HEIGHT_PER_EM: f64 = 0.928_223 + 0.235_840;

/// Height of a capital or digit over the em.
pub(super) const CAP_PER_EM: f64 = 0.729;

/// Text is measured this much larger, because plotters rounds widths to whole pixels.
const MEASURE_SCALE: f64 = 16.0;

/// Makes the font known to plotters under the family that SVG files name.
pub(super) fn load(figure: &str) -> Result<(), EvalError> {
    for (style, bytes) in
        [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())]
    {
        register_font("sans-serif", style, bytes).map_err(|_| EvalError::Drawing {
            name: figure.to_owned(),
            reason: "the built-in font is damaged".to_owned(),
        })?;
    }
    Ok(())
}

/// A font of `em` pixels per em in plotters' terms.
pub(super) fn font(em: f64, weight: Weight) -> FontDesc<'static> {
    let style = match weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    };
    FontDesc::new(FontFamily::SansSerif, em, style)
}

/// Width of a text at `em` pixels per em.
pub(super) fn width(text: &str, em: f64, weight: Weight) -> f64 {
    match font(em * HEIGHT_PER_EM * MEASURE_SCALE, weight).layout_box(text) {
        Ok(((left, _), (right, _))) => f64::from(right - left) / MEASURE_SCALE,
        // Only before `load`; every figure loads first. 0.65 em is wider than DejaVu's mean letter.
        Err(_) => text.chars().count() as f64 * 0.65 * em,
    }
}

/// The widest of several texts; 0 for none.
pub(super) fn widest<T: AsRef<str>>(texts: &[T], em: f64, weight: Weight) -> f64 {
    texts.iter().map(|text| width(text.as_ref(), em, weight)).fold(0.0, f64::max)
}

/// The text, or as much of it as fits into `room` with an ellipsis.
pub(super) fn fit(text: &str, em: f64, weight: Weight, room: f64) -> String {
    if width(text, em, weight) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    // A hostile name may be megabytes long; no glyph is narrower than a tenth of an em.
    kept.truncate((room / (0.1 * em)).max(0.0) as usize);
    while kept.pop().is_some() {
        let shorter: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&shorter, em, weight) <= room {
            return shorter;
        }
    }
    "…".to_owned()
}
