//! What the styles share: chords, scales, groups of timbres.

use super::style::Timbre::{self, Brass, Flute, Keys, Organ, Piano, Pluck, Reed, Strings};
use super::style::{Part, Quality};

pub(super) const MAJOR_TRIAD: Quality = &[0, 4, 7];
pub(super) const MINOR_TRIAD: Quality = &[0, 3, 7];
pub(super) const SEVENTH: Quality = &[0, 4, 7, 10];
pub(super) const MAJOR_SEVENTH: Quality = &[0, 4, 11, 14];
pub(super) const MINOR_SEVENTH: Quality = &[0, 3, 7, 10];
pub(super) const ALTERED: Quality = &[0, 4, 10, 13];
pub(super) const POWER: Quality = &[0, 7, 12];
pub(super) const FIFTHS: Quality = &[0, 7, 14];

pub(super) const MAJOR: Quality = &[0, 2, 4, 5, 7, 9, 11];
pub(super) const MINOR: Quality = &[0, 2, 3, 5, 7, 8, 10];
pub(super) const DORIAN: Quality = &[0, 2, 3, 5, 7, 9, 10];
pub(super) const MIXOLYDIAN: Quality = &[0, 2, 4, 5, 7, 9, 10];
pub(super) const BLUES: Quality = &[0, 3, 5, 6, 7, 10];
pub(super) const PENTATONIC: Quality = &[0, 2, 4, 7, 9];
pub(super) const HIJAZ: Quality = &[0, 1, 4, 5, 7, 8, 10];

pub(super) const ANY: &[Timbre] = &[Organ, Strings, Reed, Brass, Flute, Pluck, Keys, Piano];
pub(super) const HELD: &[Timbre] = &[Organ, Strings, Reed, Brass, Flute];
pub(super) const STRUCK: &[Timbre] = &[Pluck, Keys, Piano, Organ];
pub(super) const LOW_TIMBRES: &[Timbre] = &[Pluck, Keys, Piano, Organ, Reed, Brass, Flute];

pub(super) const NO_PAD: Part =
    Part { patterns: &["."], timbres: HELD, range: (48.0, 72.0), gate: (1.0, 1.0), presence: 0.0 };
pub(super) const SOME_PAD: Part =
    Part { patterns: &["x"], timbres: HELD, range: (48.0, 72.0), gate: (1.0, 1.0), presence: 0.25 };
