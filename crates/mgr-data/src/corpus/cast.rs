//! What is drawn once per clip: key, tempo, timbres and habits of the players.

use super::math::exp2;
use super::random::Stream;
use super::style::{Idiom, Part, Quality, Style, Timbre};

/// The four pitched roles, in the order in which a score keeps them.
pub(super) const PARTS: usize = 4;

/// What is fixed for a clip before a note is written.
#[derive(Debug)]
pub(super) struct Cast {
    /// Playing speed of the tape: scales every time and every frequency.
    pub(super) speed: f64,
    /// Timbre of bass, chords, pad and lead.
    pub(super) timbres: [Timbre; PARTS],
    /// Seconds of a beat, tape speed included.
    pub(super) beat: f64,
    pub(super) key: f64,
    pub(super) tuning: f64,
    pub(super) swing: f64,
    pub(super) scale: Quality,
    pub(super) progression: &'static [(u8, Quality)],
    pub(super) chord_offset: usize,
    pub(super) shifts: [f64; PARTS],
    pub(super) gates: [f64; PARTS],
    pub(super) fills: f64,
    pub(super) ghosts: f64,
    pub(super) jitter: f64,
    pub(super) lead_in: f64,
    pub(super) arpeggio: usize,
    pub(super) vibrato: f64,
}

/// The pitched parts of a style in the order of the roles.
pub(super) fn parts(idiom: &Idiom) -> [&Part; PARTS] {
    [&idiom.bass, &idiom.comp, &idiom.pad, &idiom.lead]
}

impl Cast {
    /// Draws key, tempo, timbres and habits.
    pub(super) fn new(style: Style, draw: &mut Stream) -> Self {
        let idiom = style.idiom();
        let tuning = draw.range((-0.8, 0.8));
        let speed = exp2(tuning / 12.0);
        let beat = 60.0 / draw.range(idiom.tempo) / speed;
        let progression = draw.pick(idiom.progressions, &[]);
        Self {
            speed,
            beat,
            tuning,
            timbres: parts(idiom).map(|p| draw.pick(p.timbres, Timbre::Organ)),
            key: f64::from(u8::try_from(draw.below(12)).unwrap_or(0)),
            swing: draw.range(idiom.swing),
            scale: draw.pick(idiom.scales, &[0]),
            progression,
            chord_offset: draw.below(progression.len()),
            shifts: [(); PARTS].map(|()| draw.unit()),
            gates: parts(idiom).map(|p| draw.range(p.gate)),
            fills: draw.range((0.0, 0.7)),
            ghosts: draw.range((0.2, 0.8)),
            jitter: draw.range((0.001, 0.010)),
            lead_in: draw.unit() * (idiom.beats * beat).min(4.0),
            arpeggio: draw.below(4),
            vibrato: draw.range((0.2, 0.6)),
        }
    }
}
