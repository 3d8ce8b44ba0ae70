//! The pitched voices: band-limited wavetables, frequency modulation and plucked strings.

use super::math::{exp, exp2, note_hz, samples, sin_turns};
use super::random::{Noise, Stream};
use super::style::Timbre;

/// Samples between two updates of pitch, envelope and filter.
const CONTROL: usize = 32;
const TABLE: usize = 1024;
/// Octaves of tables, from 32.7 Hz (note 24) up.
const OCTAVES: usize = 7;

/// One note to be sounded.
#[derive(Debug, Clone)]
pub(super) struct Note {
    /// Onset in seconds.
    pub(super) start: f64,
    /// Seconds until the release.
    pub(super) length: f64,
    /// Note number, fractional.
    pub(super) pitch: f64,
    /// Loudness, 0 to 1.
    pub(super) velocity: f64,
    /// Semitones from which the note slides to its pitch.
    pub(super) slide: f64,
    /// Seconds of the slide.
    pub(super) slide_time: f64,
    /// Vibrato depth in semitones.
    pub(super) vibrato: f64,
    /// Tremolo in hertz; 0 for none.
    pub(super) tremolo: f64,
}

/// What the oscillator is.
#[derive(Debug)]
enum Source {
    /// Wavetables per octave, a second oscillator `detune` (ratio) away where it is not 1, and breath noise.
    Table { tables: Vec<Vec<f32>>, detune: f64, breath: f32 },
    /// Two sine operators: frequency ratio, index and the index's decay in seconds.
    Modulated { sine: Vec<f32>, ratio: f64, index: f64, fade: f64 },
    /// A delay line with a loss: brightness of the pluck, and seconds to fall by 60 dB at 220 Hz.
    String { brightness: f32, ring: f64 },
}

/// A timbre with its settings for one clip.
#[derive(Debug)]
pub(super) struct Patch {
    source: Source,
    attack: f64,
    /// Seconds in which a struck tone falls to 1/e; infinite for a held one.
    decay: f64,
    release: f64,
    /// Cut-off of the low-pass over the fundamental, at rest and at the onset.
    cutoff: (f64, f64),
    vibrato_rate: f64,
}

/// A cycle of a sum of harmonics below the Nyquist frequency, with one guard sample, peak-normalised.
fn wavetable(harmonics: &[f64], top_hz: f64, rate: f64) -> Vec<f32> {
    let sine: Vec<f64> = (0..TABLE).map(|i| sin_turns(fraction(i, TABLE))).collect();
    let mut sum = vec![0.0; TABLE];
    for (h, &level) in (1_usize..).zip(harmonics) {
        #[allow(clippy::cast_precision_loss)]
        let hz = h as f64 * top_hz;
        if level == 0.0 {
            continue;
        }
        if hz > 0.48 * rate && h > 1 {
            break;
        }
        for (i, value) in sum.iter_mut().enumerate() {
            *value += level * sine[(i * h) % TABLE];
        }
    }
    let peak = sum.iter().fold(1e-9_f64, |m, v| m.max(v.abs()));
    #[allow(clippy::cast_possible_truncation)]
    let mut table: Vec<f32> = sum.iter().map(|v| (v / peak) as f32).collect();
    table.push(table[0]);
    table
}

#[allow(clippy::cast_precision_loss)]
fn fraction(i: usize, n: usize) -> f64 {
    i as f64 / n as f64
}

/// Linear interpolation in a table at a phase in `[0, 1)`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
#[inline]
fn look(table: &[f32], phase: f32) -> f32 {
    let at = phase * TABLE as f32;
    let i = (at as usize).min(TABLE - 1);
    let t = at - i as f32;
    table[i] + t * (table[i + 1] - table[i])
}

impl Patch {
    /// Draws the settings of a timbre.
    pub(super) fn new(timbre: Timbre, rate: f64, draw: &mut Stream) -> Self {
        let tables = |level: &dyn Fn(usize) -> f64| {
            let harmonics: Vec<f64> = (1..=32).map(level).collect();
            (0..OCTAVES)
                .map(|o| wavetable(&harmonics, note_hz(24.0 + 12.0 * fraction(o + 1, 1)), rate))
                .collect::<Vec<_>>()
        };
        let slope = draw.range((0.8, 1.6));
        // h^-slope without a power function: exp2 of the slope times log2 h.
        let fall = |h: usize| exp2(-slope * log2(h));
        let held = f64::INFINITY;
        let one = |tables, breath| Source::Table { tables, detune: 1.0, breath };
        let (source, attack, decay, cutoff) = match timbre {
            Timbre::Organ => {
                let bars: Vec<f64> = (0..6).map(|_| draw.unit()).collect();
                let places = [1, 2, 3, 4, 6, 8];
                let level = |h: usize| {
                    let bar = places.iter().position(|&p| p == h).map_or(0.0, |i| bars[i]);
                    if h == 1 { 1.0 } else { bar }
                };
                (one(tables(&level), 0.0), (0.004, 0.02), (held, held), (8.0, 8.0))
            }
            Timbre::Strings => {
                let detune = exp2(draw.range((4.0, 14.0)) / 1200.0);
                let source = Source::Table { tables: tables(&fall), detune, breath: 0.0 };
                (source, (0.03, 0.12), (held, held), (6.0, 6.0))
            }
            Timbre::Reed => {
                let width = draw.range((0.15, 0.5));
                let level = |h: usize| sin_turns(fraction(h, 2) * width) * exp2(-log2(h));
                (one(tables(&level), 0.02), (0.01, 0.04), (held, held), (6.0, 8.0))
            }
            Timbre::Brass => (one(tables(&fall), 0.0), (0.015, 0.05), (held, held), (7.0, 2.0)),
            Timbre::Flute => {
                let level = |h: usize| if h > 4 { 0.0 } else { exp2(-2.0 * log2(h)) };
                let breath = draw.range((0.02, 0.1)) as f32;
                (one(tables(&level), breath), (0.02, 0.06), (held, held), (6.0, 6.0))
            }
            Timbre::Pluck => {
                let brightness = draw.range((0.25, 0.95)) as f32;
                let source = Source::String { brightness, ring: draw.range((1.5, 5.0)) };
                (source, (0.0005, 0.002), (held, held), (30.0, 30.0))
            }
            Timbre::Keys => {
                let ratio = draw.pick(&[1.0, 1.0, 2.0, 3.0, 3.5], 1.0);
                let index = draw.range((0.1, 0.45));
                let sine = wavetable(&[1.0], 1.0, rate);
                let source = Source::Modulated { sine, ratio, index, fade: draw.range((0.1, 0.8)) };
                (source, (0.002, 0.006), (0.7, 2.2), (20.0, 20.0))
            }
            Timbre::Piano => (one(tables(&fall), 0.0), (0.002, 0.006), (0.4, 1.6), (3.0, 14.0)),
        };
        let brightness = exp2(draw.range((-0.8, 0.8)));
        Self {
            source,
            attack: draw.range(attack),
            decay: if decay.0.is_finite() { draw.range(decay) } else { held },
            release: draw.range((0.03, 0.09)),
            cutoff: (cutoff.0 * brightness, cutoff.1 * brightness),
            vibrato_rate: draw.range((4.6, 6.6)),
        }
    }

    /// Adds a note to `out`; what lies before its start or past its end is left out.
    pub(super) fn sound(&self, note: &Note, rate: f64, noise: &mut Noise, out: &mut [f32]) {
        let start = samples(note.start, rate);
        let total = samples(note.length + 6.0 * self.release, rate);
        let end = start.saturating_add(total).min(out.len());
        if start >= end || !(8.0..0.4 * rate).contains(&note_hz(note.pitch)) {
            return;
        }
        let out = &mut out[start..end];
        let mut control = Control::new(self, note, rate);
        match &self.source {
            Source::Table { tables, detune, breath } => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let octave = (((note.pitch - 24.0) / 12.0).max(0.0) as usize).min(OCTAVES - 1);
                let table = &tables[octave];
                let (mut a, mut b) = (0.0_f32, 0.37_f32);
                let (mut low, mut low2) = (0.0_f32, 0.0_f32);
                for block in out.chunks_mut(CONTROL) {
                    let c = control.next(block.len());
                    let (da, db) = (c.increment as f32, (c.increment * detune) as f32);
                    let double = *detune != 1.0;
                    let mut level = c.level;
                    for y in block {
                        let mut x = look(table, a);
                        a += da;
                        a -= f32::from(u8::from(a >= 1.0));
                        if double {
                            x = 0.5 * (x + look(table, b));
                            b += db;
                            b -= f32::from(u8::from(b >= 1.0));
                        }
                        if *breath > 0.0 {
                            x += breath * noise.next();
                        }
                        low += c.pole * (x - low);
                        low2 += c.pole * (low - low2);
                        *y += level * low2;
                        level += c.slope;
                    }
                }
            }
            Source::Modulated { sine, ratio, index, fade } => {
                let (mut a, mut b) = (0.0_f32, 0.0_f32);
                let mut depth = index * note.velocity;
                #[allow(clippy::cast_precision_loss)]
                let fall = exp(-(CONTROL as f64) / (fade * rate));
                for block in out.chunks_mut(CONTROL) {
                    let c = control.next(block.len());
                    let (da, db) = (c.increment as f32, (c.increment * ratio) as f32);
                    let mut level = c.level;
                    for y in block {
                        let x = a + depth as f32 * look(sine, b);
                        *y += level * look(sine, x - x.floor());
                        a += da;
                        a -= f32::from(u8::from(a >= 1.0));
                        b += db;
                        b -= b.floor();
                        level += c.slope;
                    }
                    depth *= fall;
                }
            }
            Source::String { brightness, ring } => {
                pluck(*brightness, *ring, note, rate, &mut control, noise, out)
            }
        }
    }
}

/// Base-two logarithm of a small whole number, by its series: exact enough for a spectrum's slope.
fn log2(h: usize) -> f64 {
    // ln h = 2 atanh((h - 1) / (h + 1)) after scaling h into [1, 2).
    let mut x = fraction(h.max(1), 1);
    let mut whole = 0.0;
    while x >= 2.0 {
        x *= 0.5;
        whole += 1.0;
    }
    let t = (x - 1.0) / (x + 1.0);
    let q = t * t;
    let series = t * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q / 9.0))));
    whole + 2.0 * series * std::f64::consts::LOG2_E
}

/// The Karplus-Strong string: a noise burst in a delay line with a two-point average.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn pluck(
    brightness: f32,
    ring: f64,
    note: &Note,
    rate: f64,
    control: &mut Control<'_>,
    noise: &mut Noise,
    out: &mut [f32],
) {
    // Room for slides of an octave down.
    let mut line = vec![0.0_f32; samples(2.2 / note_hz(note.pitch), rate) + 4];
    let size = line.len();
    let period = samples(1.0 / note_hz(note.pitch), rate).min(size);
    let mut low = 0.0;
    for cell in &mut line[..period] {
        low += brightness * (noise.next() - low);
        *cell = low;
    }
    let mean = line[..period].iter().sum::<f32>() / period.max(1) as f32;
    let peak = line[..period].iter().fold(1e-6_f32, |m, v| m.max((v - mean).abs()));
    for cell in &mut line[..period] {
        *cell = (*cell - mean) / peak;
    }
    let loss = exp(-6.9 / (ring * note_hz(note.pitch).max(110.0)) * 1.0) as f32;
    let mut write = period % size;
    let mut last = 0.0_f32;
    for block in out.chunks_mut(CONTROL) {
        let c = control.next(block.len());
        // The average delays by half a sample.
        let delay = (1.0 / c.increment - 0.5).clamp(2.0, (size - 2) as f64);
        let whole = delay as usize;
        let t = (delay - whole as f64) as f32;
        let mut level = c.level;
        for y in block {
            let mut i = write + size - whole;
            if i >= size {
                i -= size;
            }
            let j = if i == 0 { size - 1 } else { i - 1 };
            let x = line[i] + t * (line[j] - line[i]);
            let fed = loss * 0.5 * (x + last);
            last = x;
            line[write] = fed;
            write += 1;
            if write == size {
                write = 0;
            }
            *y += level * x;
            level += c.slope;
        }
    }
}

/// What holds for one block.
struct Setting {
    increment: f64,
    level: f32,
    slope: f32,
    pole: f32,
}

/// Pitch, envelope and filter of a note over time.
struct Control<'a> {
    patch: &'a Patch,
    note: &'a Note,
    rate: f64,
    time: f64,
    level: f64,
}

impl<'a> Control<'a> {
    fn new(patch: &'a Patch, note: &'a Note, rate: f64) -> Self {
        Self { patch, note, rate, time: 0.0, level: 0.0 }
    }

    fn envelope(&self, time: f64) -> f64 {
        let sounding = time.min(self.note.length);
        let mut level = (sounding / self.patch.attack).min(1.0);
        if self.patch.decay.is_finite() {
            level *= exp(-sounding / self.patch.decay);
        }
        if time > self.note.length {
            level *= exp(-(time - self.note.length) / self.patch.release);
        }
        if self.note.tremolo > 0.0 {
            level *= 0.55 + 0.45 * sin_turns(time * self.note.tremolo);
        }
        level * self.note.velocity
    }

    #[allow(clippy::cast_possible_truncation)]
    fn next(&mut self, count: usize) -> Setting {
        let (patch, note) = (self.patch, self.note);
        let mut bend = 0.0;
        if self.time < note.slide_time {
            bend += note.slide * (1.0 - self.time / note.slide_time);
        }
        if note.vibrato > 0.0 {
            // The vibrato grows over the first 0.3 s.
            bend += note.vibrato * (self.time / 0.3).min(1.0) * sin_turns(self.time * patch.vibrato_rate);
        }
        let hz = note_hz(note.pitch + bend);
        let (rest, onset) = patch.cutoff;
        let opened = rest + (onset - rest) * exp(-self.time / 0.12);
        let cutoff = (hz.max(110.0) * opened).min(0.42 * self.rate);
        let level = self.level;
        self.time += fraction(count, 1) / self.rate;
        self.level = self.envelope(self.time);
        Setting {
            increment: hz / self.rate,
            level: level as f32,
            slope: ((self.level - level) / fraction(count, 1)) as f32,
            pole: (1.0 - exp(-std::f64::consts::TAU * cutoff / self.rate)) as f32,
        }
    }
}
