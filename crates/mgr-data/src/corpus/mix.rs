//! The mixing desk: levels, echo, reverberation, ducking, equalisation, noise floor.

use super::math::{cos_turns, exp, exp2, gain, samples, sin_turns, soft_clip};
use super::random::Noise;

/// A second-order filter section (R. Bristow-Johnson, Audio EQ Cookbook), transposed direct form II.
#[derive(Debug)]
pub(super) struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
}

impl Biquad {
    #[allow(clippy::cast_possible_truncation)]
    fn new(b: [f64; 3], a: [f64; 3]) -> Self {
        Self { b: b.map(|v| (v / a[0]) as f32), a: [(a[1] / a[0]) as f32, (a[2] / a[0]) as f32] }
    }

    fn angle(hz: f64, q: f64, rate: f64) -> (f64, f64) {
        let turns = (hz / rate).clamp(1e-4, 0.45);
        (cos_turns(turns), sin_turns(turns) / (2.0 * q))
    }

    /// A bell of `db` at `hz`.
    pub(super) fn peak(hz: f64, q: f64, db: f64, rate: f64) -> Self {
        let (c, alpha) = Self::angle(hz, q, rate);
        let a = gain(db / 2.0);
        Self::new([1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a], [1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a])
    }

    /// A shelf of `db` above `hz`.
    pub(super) fn high_shelf(hz: f64, db: f64, rate: f64) -> Self {
        let (c, alpha) = Self::angle(hz, 0.6, rate);
        let a = gain(db / 2.0);
        let root = 2.0 * a.sqrt() * alpha;
        Self::new(
            [
                a * ((a + 1.0) + (a - 1.0) * c + root),
                -2.0 * a * ((a - 1.0) + (a + 1.0) * c),
                a * ((a + 1.0) + (a - 1.0) * c - root),
            ],
            [
                (a + 1.0) - (a - 1.0) * c + root,
                2.0 * ((a - 1.0) - (a + 1.0) * c),
                (a + 1.0) - (a - 1.0) * c - root,
            ],
        )
    }

    /// A low-pass at `hz`.
    pub(super) fn low_pass(hz: f64, rate: f64) -> Self {
        let (c, alpha) = Self::angle(hz, 0.707, rate);
        Self::new([(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
    }

    /// A high-pass at `hz`.
    pub(super) fn high_pass(hz: f64, rate: f64) -> Self {
        let (c, alpha) = Self::angle(hz, 0.707, rate);
        Self::new([(1.0 + c) / 2.0, -(1.0 + c), (1.0 + c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
    }

    /// Filters in place.
    pub(super) fn run(&self, signal: &mut [f32]) {
        let ([b0, b1, b2], [a1, a2]) = (self.b, self.a);
        let (mut s1, mut s2) = (0.0_f32, 0.0_f32);
        for v in signal {
            let x = *v;
            let y = b0 * x + s1;
            s1 = b1 * x - a1 * y + s2;
            s2 = b2 * x - a2 * y;
            *v = y;
        }
    }
}

/// Brings a part to `db` below full scale: the level of its frames that are within 20 dB of the loudest.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub(super) fn level(signal: &mut [f32], db: f64) {
    let powers: Vec<f64> = signal
        .chunks(1024)
        .map(|c| c.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / c.len() as f64)
        .collect();
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let (mut sum, mut count) = (0.0, 0.0);
    for power in powers.into_iter().filter(|p| *p >= 0.01 * loudest) {
        sum += power;
        count += 1.0;
    }
    if loudest > 1e-12 {
        let scale = (gain(db) / (sum / count).sqrt()) as f32;
        signal.iter_mut().for_each(|v| *v *= scale);
    }
}

/// Soft saturation: `drive` times the signal through a tanh-like curve, level kept for small signals.
pub(super) fn drive(signal: &mut [f32], drive: f32) {
    if drive > 0.0 {
        signal.iter_mut().for_each(|v| *v = soft_clip(*v * drive) / drive);
    }
}

/// A feedback echo: `wet` of what was `delay` seconds ago, repeated at `feedback`, darker each time.
pub(super) fn echo(signal: &mut [f32], delay: f64, feedback: f32, wet: f32, rate: f64) {
    let mut line = vec![0.0_f32; samples(delay, rate).max(1)];
    let (mut at, mut dark) = (0, 0.0_f32);
    for v in signal {
        dark += 0.35 * (line[at] - dark);
        line[at] = *v + feedback * dark;
        *v += wet * dark;
        at += 1;
        if at == line.len() {
            at = 0;
        }
    }
}

/// Schroeder's reverberator: four combs in parallel, two all-passes in series.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub(super) fn reverb(signal: &mut [f32], seconds: f64, wet: f32, rate: f64) {
    struct Line {
        cells: Vec<f32>,
        at: usize,
        feedback: f32,
        dark: f32,
    }
    let line = |delay: f64, feedback: f64| Line {
        cells: vec![0.0; samples(delay, rate).max(1)],
        at: 0,
        feedback: feedback as f32,
        dark: 0.0,
    };
    // 60 dB in `seconds`: a factor of 10^(-3 delay / seconds) per turn.
    let mut combs = [0.0297, 0.0371, 0.0411, 0.0437].map(|d| line(d, exp2(-9.966 * d / seconds)));
    let mut passes = [0.005, 0.0017].map(|d| line(d, 0.7));
    for v in signal {
        let mut sum = 0.0;
        for c in &mut combs {
            let cell = c.cells[c.at];
            sum += cell;
            c.dark += 0.6 * (cell - c.dark);
            c.cells[c.at] = *v + c.feedback * c.dark;
            c.at = if c.at + 1 == c.cells.len() { 0 } else { c.at + 1 };
        }
        let mut x = 0.25 * sum;
        for p in &mut passes {
            let cell = p.cells[p.at];
            let y = cell - p.feedback * x;
            p.cells[p.at] = x + p.feedback * y;
            p.at = if p.at + 1 == p.cells.len() { 0 } else { p.at + 1 };
            x = y;
        }
        *v += wet * x;
    }
}

/// Ducks a signal by `depth` at each of `times` (seconds, ascending), recovering within about `recovery` seconds.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn pump(signal: &mut [f32], times: &[f64], depth: f64, recovery: f64, rate: f64) {
    let fall = exp(-1.0 / (recovery * rate)) as f32;
    let mut onsets = times.iter().map(|t| samples(*t, rate)).peekable();
    let mut duck = 0.0_f32;
    for (i, v) in signal.iter_mut().enumerate() {
        while onsets.next_if(|t| *t <= i).is_some() {
            duck = depth as f32;
        }
        *v *= 1.0 - duck;
        duck *= fall;
    }
}

/// Adds noise at `db`, darkened by a one-pole low-pass of coefficient `pole`.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn noise_floor(signal: &mut [f32], db: f64, pole: f32, noise: &mut Noise) {
    let scale = (gain(db) * 1.732) as f32;
    let mut dark = 0.0;
    for v in signal {
        dark += pole * (noise.next() - dark);
        *v += scale * dark;
    }
}

/// Scales the signal to a peak of `db` below full scale; silence stays.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn normalise(signal: &mut [f32], db: f64) {
    let peak = signal.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    if peak > 1e-9 {
        let scale = gain(db) as f32 / peak;
        signal.iter_mut().for_each(|v| *v *= scale);
    }
}
