//! Medians and masks on a spectrogram: [`SeparationConfig`] is planned into a [`Separation`].

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Zip};
use num_complex::Complex32;

use super::config::{Mask, SeparationConfig};
use super::median::{MedianScratch, RunningMedian, mirror};
use crate::simd::masks::{Weighing, masks, masks_1, masks_2};
use crate::{FeatureError, check};

impl SeparationConfig {
    /// Checks the parameters and makes the networks of the medians.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for an even length or one out of range, a margin under 1 or over 10^6, a power out of range.
    pub fn plan(&self) -> Result<Separation, FeatureError> {
        const LONGEST: usize = 16_383;
        for (field, length) in
            [("harmonic_length", self.harmonic_length), ("percussive_length", self.percussive_length)]
        {
            if length > LONGEST || length.is_multiple_of(2) {
                return Err(FeatureError::parameter(field, length, format!("an odd number, 1 to {LONGEST}")));
            }
        }
        check::within("harmonic_margin", f64::from(self.harmonic_margin), 1.0, 1e6)?;
        check::within("percussive_margin", f64::from(self.percussive_margin), 1.0, 1e6)?;
        if let Mask::Soft { power } = self.mask {
            check::within("power", f64::from(power), f64::from(f32::MIN_POSITIVE), 1000.0)?;
        }
        let harmonic = Arc::new(RunningMedian::new(self.harmonic_length));
        let percussive = match self.harmonic_length == self.percussive_length {
            true => Arc::clone(&harmonic),
            false => Arc::new(RunningMedian::new(self.percussive_length)),
        };
        let both_are_one = self.harmonic_margin == 1.0 && self.percussive_margin == 1.0;
        let weighing = Weighing {
            harmonic_margin: self.harmonic_margin,
            percussive_margin: self.percussive_margin,
            neither: if both_are_one { 0.5 } else { 0.0 },
        };
        Ok(Separation { harmonic, percussive, mask: self.mask, weighing })
    }
}

/// Two matrices of one shape: what is harmonic and what is percussive of one, or the masks of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Separated<T> {
    /// Harmonic part.
    pub harmonic: Array2<T>,
    /// Percussive part.
    pub percussive: Array2<T>,
}

/// A planned separation of a magnitude spectrogram `S` of (bins, frames).
///
/// With `H` the running median of `S` along time and `P` that along frequency, both mirrored at the ends, the harmonic mask
/// weighs `H` against `P` times the harmonic margin, and the percussive mask `P` against `H` times the percussive margin; see
/// [`Mask`]. The parts are `S` times the masks. What is left, `S` minus both, is nothing when both margins are 1, and the
/// residual otherwise. Source: Fitzgerald 2010; Driedger, Müller and Disch 2014; librosa 0.11 `decompose.hpss`.
///
/// ```
/// use mgr_features::hpss::SeparationConfig;
/// use ndarray::Array2;
/// // A steady tone in bin 20 and a click in frame 30.
/// let s = Array2::from_shape_fn((64, 60), |(k, t)| if k == 20 || t == 30 { 1.0 } else { 0.0 });
/// let parts = SeparationConfig::default().plan()?.separate(s.view())?;
/// assert_eq!((parts.harmonic[[20, 7]], parts.percussive[[20, 7]]), (1.0, 0.0));
/// assert_eq!((parts.harmonic[[41, 30]], parts.percussive[[41, 30]]), (0.0, 1.0));
/// // Both claim the crossing.
/// assert_eq!(parts.harmonic[[20, 30]], 0.5);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Separation {
    pub(super) harmonic: Arc<RunningMedian>,
    percussive: Arc<RunningMedian>,
    mask: Mask,
    weighing: Weighing,
}

/// Buffers of one separation: the columns that the harmonic median looks at, and a block of results. Their size does not depend
/// on the length of the signal.
#[derive(Debug, Clone)]
pub struct SeparationScratch {
    bins: usize,
    /// Column `t` is at place `t` modulo the number of places.
    ring: Vec<f32>,
    filled: usize,
    /// Medians, then masks, of the columns of the block.
    harmonic: Vec<f32>,
    percussive: Vec<f32>,
    extended: Vec<f32>,
    across: MedianScratch,
    along: MedianScratch,
}

impl SeparationScratch {
    pub(super) fn start(&mut self) {
        self.filled = 0;
    }
}

impl Separation {
    /// Buffers for spectrograms of `bins` bins.
    #[must_use]
    pub fn scratch(&self, bins: usize) -> SeparationScratch {
        self.scratch_with(&self.harmonic, bins)
    }

    pub(super) fn scratch_with(&self, harmonic: &RunningMedian, bins: usize) -> SeparationScratch {
        let block = harmonic.outputs();
        SeparationScratch {
            bins,
            ring: vec![0.0; (2 * harmonic.half() + block) * bins],
            filled: 0,
            harmonic: vec![0.0; block * bins],
            percussive: vec![0.0; block * self.percussive.padded(bins)],
            extended: vec![0.0; block * self.percussive.extended(bins)],
            across: harmonic.scratch(),
            along: self.percussive.scratch(),
        }
    }

    pub(super) fn fits(&self, bins: usize, scratch: &SeparationScratch) -> bool {
        let block = self.harmonic.outputs();
        scratch.bins == bins
            && scratch.ring.len() == (2 * self.harmonic.half() + block) * bins
            && scratch.percussive.len() == block * self.percussive.padded(bins)
            && scratch.extended.len() == block * self.percussive.extended(bins)
            && self.harmonic.fits(&scratch.across)
            && self.percussive.fits(&scratch.along)
    }

    /// Columns that are separated at a time.
    pub(super) fn block(&self) -> usize {
        self.harmonic.outputs()
    }

    /// The parts of a magnitude spectrogram, finite and not negative, of any memory layout.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for no bins or no frames, [`FeatureError::NotFinite`] (the index counts down the columns),
    /// [`FeatureError::Parameter`] for a negative magnitude, [`FeatureError::Memory`].
    pub fn separate(&self, magnitude: ArrayView2<'_, f32>) -> Result<Separated<f32>, FeatureError> {
        let mut parts = self.masks(magnitude)?;
        for part in [&mut parts.harmonic, &mut parts.percussive] {
            Zip::from(part).and(magnitude).for_each(|m, s| *m *= s);
        }
        Ok(parts)
    }

    /// The masks of a magnitude spectrogram, finite and not negative, of any memory layout.
    ///
    /// # Errors
    /// As [`Separation::separate`].
    pub fn masks(&self, magnitude: ArrayView2<'_, f32>) -> Result<Separated<f32>, FeatureError> {
        let (bins, frames) = magnitude.dim();
        let mut harmonic = check::matrix(bins, frames)?;
        let mut percussive = check::matrix(bins, frames)?;
        let mut scratch = self.scratch(bins);
        self.masks_into(magnitude, harmonic.view_mut(), percussive.view_mut(), &mut scratch)?;
        Ok(Separated { harmonic, percussive })
    }

    /// As [`Separation::masks`], into matrices of the same shape and any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// As [`Separation::separate`], and [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn masks_into(
        &self,
        magnitude: ArrayView2<'_, f32>,
        mut harmonic: ArrayViewMut2<'_, f32>,
        mut percussive: ArrayViewMut2<'_, f32>,
        scratch: &mut SeparationScratch,
    ) -> Result<(), FeatureError> {
        let (bins, frames) = magnitude.dim();
        if bins == 0 || frames == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        if !self.fits(bins, scratch) {
            return Err(FeatureError::Scratch { plan: "separation" });
        }
        check::shape(&harmonic, bins, frames)?;
        check::shape(&percussive, bins, frames)?;
        // Columns first: the index of an error counts as the documentation says.
        for (index, value) in magnitude.t().iter().copied().enumerate() {
            if !value.is_finite() {
                return Err(FeatureError::NotFinite { index, value });
            }
            if value < 0.0 {
                return Err(FeatureError::parameter("magnitude", value, "0 or more"));
            }
        }
        self.each_column(
            frames,
            scratch,
            |t, column| column.iter_mut().zip(magnitude.column(t)).for_each(|(to, s)| *to = *s),
            |t, column| {
                let places = harmonic.column_mut(t).into_iter().zip(column.harmonic.iter());
                places.for_each(|(to, m)| *to = *m);
                let places = percussive.column_mut(t).into_iter().zip(column.percussive.iter());
                places.for_each(|(to, m)| *to = *m);
            },
        );
        Ok(())
    }

    /// The parts of a complex spectrogram: its values times the masks of its magnitude.
    ///
    /// # Errors
    /// As [`Separation::separate`]; a magnitude over the largest f32 is not finite.
    pub fn separate_complex(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
    ) -> Result<Separated<Complex32>, FeatureError> {
        let (bins, frames) = spectrogram.dim();
        let mut magnitude = check::matrix(bins, frames)?;
        // In f64, where neither squares nor their sum leave the range.
        let norm = |c: &Complex32| f64::from(c.re).hypot(f64::from(c.im)) as f32;
        Zip::from(&mut magnitude).and(spectrogram).for_each(|m, c| *m = norm(c));
        let masks = self.masks(magnitude.view())?;
        let part = |mask: &Array2<f32>| -> Result<Array2<Complex32>, FeatureError> {
            let mut part = check::matrix(bins, frames)?;
            Zip::from(&mut part).and(mask).and(spectrogram).for_each(|p, m, c| *p = c * *m);
            Ok(part)
        };
        Ok(Separated { harmonic: part(&masks.harmonic)?, percussive: part(&masks.percussive)? })
    }

    /// Takes the magnitudes of all columns from `fill`, in order, and hands each with its masks to `take`. The scratch must fit.
    pub(super) fn each_column(
        &self,
        frames: usize,
        scratch: &mut SeparationScratch,
        mut fill: impl FnMut(usize, &mut [f32]),
        mut take: impl FnMut(usize, Column<'_>),
    ) {
        scratch.start();
        for t in 0..frames {
            self.advance(t, frames, scratch, &mut fill);
            take(t, self.column(t, scratch));
        }
    }

    /// Makes column `t` ready, where all before it have been: takes magnitudes as far as its block needs them.
    pub(super) fn advance(
        &self,
        t: usize,
        frames: usize,
        scratch: &mut SeparationScratch,
        mut fill: impl FnMut(usize, &mut [f32]),
    ) {
        let block = self.block();
        if !t.is_multiple_of(block) {
            return;
        }
        let needed = (t + block + self.harmonic.half()).min(frames);
        while scratch.filled < needed {
            fill(scratch.filled, scratch.next_column());
            scratch.filled += 1;
        }
        self.separate_block(&self.harmonic, t, block.min(frames - t), frames, scratch);
    }

    /// A column of the block made last.
    pub(super) fn column<'a>(&self, t: usize, scratch: &'a mut SeparationScratch) -> Column<'a> {
        let (bins, j) = (scratch.bins, t % self.block());
        self.column_of_block(t, j, bins, scratch)
    }

    pub(super) fn column_of_block<'a>(
        &self,
        t: usize,
        j: usize,
        bins: usize,
        scratch: &'a mut SeparationScratch,
    ) -> Column<'a> {
        let place = t % (scratch.ring.len() / bins) * bins;
        Column {
            magnitude: &scratch.ring[place..place + bins],
            harmonic: &mut scratch.harmonic[j * bins..(j + 1) * bins],
            percussive: &mut scratch.percussive[j * self.percussive.padded(bins)..][..bins],
        }
    }

    /// The masks of `count` columns from `first` on, of `frames` in all; every column that they look at is in the ring.
    pub(super) fn separate_block(
        &self,
        median: &RunningMedian,
        first: usize,
        count: usize,
        frames: usize,
        scratch: &mut SeparationScratch,
    ) {
        let SeparationScratch { bins, ring, harmonic, percussive, extended, across, along, .. } = scratch;
        let (bins, places) = (*bins, ring.len() / *bins);
        let column = |t: usize| &ring[t % places * bins..][..bins];
        let half = median.half();
        let seen = |i: usize| column(mirror((first + i) as isize - half as isize, frames));
        let take = |j: usize, at: usize, values: &[f32]| {
            harmonic[j * bins + at..][..values.len()].copy_from_slice(values);
        };
        median.across(bins, count, seen, take, across);

        let stride = self.percussive.extended(bins);
        for (j, to) in extended.chunks_exact_mut(stride).take(count).enumerate() {
            self.percussive.extend(column(first + j), to);
        }
        self.percussive.along(bins, count, extended, percussive, along);

        let lines = percussive.chunks_exact_mut(self.percussive.padded(bins)).take(count);
        for (h, p) in harmonic.chunks_exact_mut(bins).zip(lines) {
            self.apply_mask(h, &mut p[..bins]);
        }
    }

    /// Medians in, masks out.
    fn apply_mask(&self, harmonic: &mut [f32], percussive: &mut [f32]) {
        /// The greatest power that is raised by multiplying; the error grows with it, by half a unit a step.
        const BY_SQUARING: f32 = 64.0;
        let weighing = self.weighing;
        match self.mask {
            Mask::Soft { power: 1.0 } => masks_1(harmonic, percussive, weighing),
            Mask::Soft { power: 2.0 } => masks_2(harmonic, percussive, weighing),
            Mask::Soft { power } if power.fract() == 0.0 && power <= BY_SQUARING => {
                masks(harmonic, percussive, weighing, |x| x.powi(power as i32));
            }
            Mask::Soft { power } => masks(harmonic, percussive, weighing, |x| x.powf(power)),
            Mask::Hard => {
                for (h, p) in harmonic.iter_mut().zip(percussive) {
                    let (x, y) = (*h, *p);
                    *h = if x > y * weighing.harmonic_margin { 1.0 } else { 0.0 };
                    *p = if y > x * weighing.percussive_margin { 1.0 } else { 0.0 };
                }
            }
        }
    }
}

impl SeparationScratch {
    /// Where the magnitudes of the next column go.
    pub(super) fn next_column(&mut self) -> &mut [f32] {
        let at = self.filled % (self.ring.len() / self.bins) * self.bins;
        &mut self.ring[at..at + self.bins]
    }

    /// Takes the column that was written last.
    pub(super) fn step(&mut self) {
        self.filled += 1;
    }
}

/// A column of a spectrogram and its masks.
pub(super) struct Column<'a> {
    pub(super) magnitude: &'a [f32],
    pub(super) harmonic: &'a mut [f32],
    pub(super) percussive: &'a mut [f32],
}

#[cfg(test)]
mod tests {
    use ndarray::ShapeBuilder;

    use super::*;

    fn spectrogram(bins: usize, frames: usize) -> Array2<f32> {
        let mut state = 3_u32;
        Array2::from_shape_simple_fn((bins, frames).f(), || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 24) as f32 - 40.0).max(0.0)
        })
    }

    fn median(mut values: Vec<f32>) -> f32 {
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    }

    /// The definition, in f64.
    fn naive(s: &Array2<f32>, config: &SeparationConfig) -> Separated<f32> {
        let (bins, frames) = s.dim();
        let window = |i: usize, length: usize, n: usize| {
            let half = (length / 2) as isize;
            (-half..=half).map(move |d| mirror(i as isize + d, n))
        };
        let mut out = Separated { harmonic: s.clone(), percussive: s.clone() };
        for ((k, t), _) in s.indexed_iter() {
            let h = median(window(t, config.harmonic_length, frames).map(|u| s[[k, u]]).collect());
            let p = median(window(k, config.percussive_length, bins).map(|l| s[[l, t]]).collect());
            let both_one = config.harmonic_margin == 1.0 && config.percussive_margin == 1.0;
            let mask = |x: f32, r: f32| match config.mask {
                Mask::Hard => f32::from(u8::from(x > r)),
                Mask::Soft { .. } if x.max(r) < f32::MIN_POSITIVE => {
                    if both_one {
                        0.5
                    } else {
                        0.0
                    }
                }
                Mask::Soft { power } => {
                    let ratio = (f64::from(r) / f64::from(x)).powf(f64::from(power));
                    (1.0 / (1.0 + ratio)) as f32
                }
            };
            out.harmonic[[k, t]] = mask(h, p * config.harmonic_margin);
            out.percussive[[k, t]] = mask(p, h * config.percussive_margin);
        }
        out
    }

    #[test]
    fn masks_are_those_of_the_definition() {
        let masks =
            [1.0, 2.0, 3.0, 0.7, 40.5].map(|power| Mask::Soft { power }).into_iter().chain([Mask::Hard]);
        for (i, mask) in masks.enumerate() {
            for (bins, frames) in [(1, 1), (33, 70), (70, 5), (9, 40)] {
                let config = SeparationConfig {
                    harmonic_length: [31, 17, 1, 5][i % 4],
                    percussive_length: [31, 13, 7, 1][i % 4],
                    mask,
                    harmonic_margin: [1.0, 2.5][i % 2],
                    percussive_margin: [1.0, 1.0, 3.0][i % 3],
                };
                let s = spectrogram(bins, frames);
                let got = config.plan().unwrap().masks(s.view()).unwrap();
                let want = naive(&s, &config);
                for (a, b) in got
                    .harmonic
                    .iter()
                    .chain(&got.percussive)
                    .zip(want.harmonic.iter().chain(&want.percussive))
                {
                    // f32 quotients, raised: the relative error of a power is the power times that of its base.
                    assert!((a - b).abs() <= 1e-5 * b + 1e-30, "{config:?} {bins} x {frames}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn layouts_and_complex_values_agree() {
        let plan = SeparationConfig { harmonic_margin: 2.0, ..SeparationConfig::default() }.plan().unwrap();
        let s = spectrogram(40, 50);
        let want = plan.separate(s.view()).unwrap();
        let rows_first = s.as_standard_layout().into_owned();
        assert_eq!(plan.separate(rows_first.view()).unwrap(), want);
        let turned = s.map(|&v| Complex32::new(0.6 * v, -0.8 * v));
        let parts = plan.separate_complex(turned.view()).unwrap();
        for (c, m) in parts.harmonic.iter().zip(&want.harmonic) {
            assert!((c.norm() - m).abs() <= 1e-5 * m);
        }
        let left = s.iter().zip(want.harmonic.iter().zip(&want.percussive)).map(|(s, (h, p))| s - (h + p));
        assert!(left.into_iter().all(|r| r > -1e-4));
    }

    #[test]
    fn refuses_what_has_no_meaning() {
        let refused = |config: SeparationConfig, field: &str| {
            let error = config.plan().unwrap_err();
            assert!(matches!(error, FeatureError::Parameter { field: f, .. } if f == field), "{error}");
        };
        let default = SeparationConfig::default;
        for length in [0, 2, 30, 16_384, 16_385, usize::MAX] {
            refused(SeparationConfig { harmonic_length: length, ..default() }, "harmonic_length");
            refused(SeparationConfig { percussive_length: length, ..default() }, "percussive_length");
        }
        for margin in [0.0, 0.99, -1.0, f32::NAN, f32::INFINITY] {
            refused(SeparationConfig { harmonic_margin: margin, ..default() }, "harmonic_margin");
            refused(SeparationConfig { percussive_margin: margin, ..default() }, "percussive_margin");
        }
        for power in [0.0, -2.0, f32::NAN, f32::INFINITY] {
            refused(SeparationConfig { mask: Mask::Soft { power }, ..default() }, "power");
        }
        let plan = default().plan().unwrap();
        assert!(matches!(plan.masks(Array2::zeros((0, 3)).view()), Err(FeatureError::TooShort { .. })));
        assert!(matches!(plan.masks(Array2::zeros((3, 0)).view()), Err(FeatureError::TooShort { .. })));
        let mut s = spectrogram(4, 5);
        s[[1, 2]] = f32::NAN;
        assert!(matches!(plan.masks(s.view()), Err(FeatureError::NotFinite { index: 9, .. })));
        s[[1, 2]] = -1.0;
        assert!(matches!(plan.masks(s.view()), Err(FeatureError::Parameter { field: "magnitude", .. })));
        // Magnitudes near the largest f32, times a margin.
        let plan = SeparationConfig { harmonic_margin: 3.0, ..default() }.plan().unwrap();
        let masks = plan.masks(Array2::from_elem((5, 5), f32::MAX).view()).unwrap();
        assert!(masks.harmonic.iter().chain(&masks.percussive).all(|m| m.is_finite()));
    }
}
