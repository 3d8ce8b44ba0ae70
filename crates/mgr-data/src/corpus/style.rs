//! The ten styles and the form in which a style is written down.

use super::{duple_styles, triple_styles};
use serde::{Deserialize, Serialize};

/// A synthetic style. The names suggest a groove; none stands for a real genre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Style {
    /// Triplet boogie bass under a twelve-bar progression.
    Shuffle,
    /// Three in a bar: bass on one, chords on two and three, a legato melody.
    Waltz,
    /// Two in a bar: bass and after-beat chords, rolls, dotted melody.
    March,
    /// Walking bass, ride pattern, sparse seventh chords, running triplet-eighth lines.
    Swing,
    /// A kick on every beat, off-beat bass, running sixteenths, pumping pads.
    FourFloor,
    /// Straight eighths of power chords with a backbeat and long bends.
    Backbeat,
    /// Slow, the drop on three, off-beat chops, syncopated bass, echoes.
    OneDrop,
    /// Broken sixteenths with ghost notes, gliding bass, rapid repeated syllables.
    Breaks,
    /// Slow compound time: overlapping arpeggios, held pads, vibrato.
    Ballad,
    /// No pulse to speak of: held fifths, tremolo, slow glides.
    Drone,
}

impl Style {
    /// Every style, in the corpus's order.
    pub const ALL: [Self; 10] = [
        Self::Shuffle,
        Self::Waltz,
        Self::March,
        Self::Swing,
        Self::FourFloor,
        Self::Backbeat,
        Self::OneDrop,
        Self::Breaks,
        Self::Ballad,
        Self::Drone,
    ];

    /// The name of the style's folder and the start of its clips' names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shuffle => "shuffle",
            Self::Waltz => "waltz",
            Self::March => "march",
            Self::Swing => "swing",
            Self::FourFloor => "four_floor",
            Self::Backbeat => "backbeat",
            Self::OneDrop => "one_drop",
            Self::Breaks => "breaks",
            Self::Ballad => "ballad",
            Self::Drone => "drone",
        }
    }

    /// The style's place in [`Style::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// How the style is played.
    pub(super) const fn idiom(self) -> &'static Idiom {
        match self {
            Self::Shuffle => &triple_styles::SHUFFLE,
            Self::Waltz => &triple_styles::WALTZ,
            Self::March => &duple_styles::MARCH,
            Self::Swing => &triple_styles::SWING,
            Self::FourFloor => &duple_styles::FOUR_FLOOR,
            Self::Backbeat => &duple_styles::BACKBEAT,
            Self::OneDrop => &duple_styles::ONE_DROP,
            Self::Breaks => &duple_styles::BREAKS,
            Self::Ballad => &triple_styles::BALLAD,
            Self::Drone => &duple_styles::DRONE,
        }
    }
}

impl std::fmt::Display for Style {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A drum's place in a groove. Which drum fills it is drawn per clip, so that a groove has no spectrum of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DrumRole {
    /// Kick and its like.
    Low,
    /// Snare, clap, rim.
    Back,
    /// Short hats and shakers.
    Tick,
    /// Cymbals that ring.
    Ring,
    /// Toms and hand drums.
    Mid,
}

/// A timbre of the palette that all styles share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timbre {
    /// Drawbar-like additive tone.
    Organ,
    /// Two detuned saws, soft onset.
    Strings,
    /// Narrow pulse.
    Reed,
    /// Saw with a filter that opens.
    Brass,
    /// Nearly a sine, with breath.
    Flute,
    /// Karplus-Strong string.
    Pluck,
    /// Frequency modulation, electric-piano-like.
    Keys,
    /// Decaying additive tone.
    Piano,
}

/// A set of notes over a root, in semitones.
pub(super) type Quality = &'static [u8];

/// Pitched material of one role.
#[derive(Debug)]
pub(super) struct Part {
    /// Alternatives, one drawn per section. Bars are divided by `|`, each evenly by its characters.
    ///
    /// `-` holds, `.` rests. Bass: `1 3 5 6 7 8` chord members, `w` a walking note, `g` the root slid into. Chords:
    /// `x X` a chord, `a` the next note of an arpeggio, `t` a chord in tremolo. Lead: `n` a note, `g` one slid into,
    /// `v` one with vibrato. `o` anywhere: a note that comes half of the time.
    pub(super) patterns: &'static [&'static str],
    /// Timbres, one drawn per clip.
    pub(super) timbres: &'static [Timbre],
    /// Lowest and highest note number.
    pub(super) range: (f64, f64),
    /// Sounding part of a step.
    pub(super) gate: (f64, f64),
    /// Probability that a section has the part at all.
    pub(super) presence: f64,
}

/// How a style is played.
#[derive(Debug)]
pub(super) struct Idiom {
    /// Beats in a bar.
    pub(super) beats: f64,
    /// Beats per minute.
    pub(super) tempo: (f64, f64),
    /// Where in a beat its second half begins; 0.5 is straight.
    pub(super) swing: (f64, f64),
    /// Scales of the melody, one drawn per clip.
    pub(super) scales: &'static [Quality],
    /// Chord sequences, one drawn per clip: root over the key, and notes.
    pub(super) progressions: &'static [&'static [(u8, Quality)]],
    /// Bars a chord lasts.
    pub(super) chord_bars: f64,
    /// Drum patterns, one drawn per section; `X` accent, `x` hit, `o` ghost, `r` roll.
    pub(super) grooves: &'static [&'static [(DrumRole, &'static str)]],
    /// Probability that a section has drums.
    pub(super) drum_presence: f64,
    /// Bass part.
    pub(super) bass: Part,
    /// Chord part.
    pub(super) comp: Part,
    /// Held background.
    pub(super) pad: Part,
    /// Melody.
    pub(super) lead: Part,
    /// How far the kick ducks the pitched parts, 0 to 1.
    pub(super) pump: (f64, f64),
    /// Echo level on chords and melody, 0 to 1.
    pub(super) echo: (f64, f64),
}
