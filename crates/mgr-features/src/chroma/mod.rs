//! Chroma: how strong each pitch class is, whatever the octave.

pub mod cens;
mod classes;
pub mod cqt;
pub mod filters;
pub mod stft;
pub(crate) mod together;

use serde::{Deserialize, Serialize};

pub use classes::{CqtClassesConfig, CqtMode};

use crate::extractor::Axis;

/// The pitch class of the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstClass {
    /// C.
    #[default]
    C,
    /// A.
    A,
}

/// The row axis: names of the twelve pitch classes; for any other number of rows, counted from 0.
pub(crate) fn class_axis(n_chroma: usize, first: FirstClass) -> Axis {
    const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
    let start = match first {
        FirstClass::C => 0,
        FirstClass::A => 9,
    };
    let name = |i: usize| match n_chroma {
        12 => NAMES[(start + i) % 12].to_owned(),
        _ => i.to_string(),
    };
    Axis::Name { names: (0..n_chroma).map(name).collect() }
}
