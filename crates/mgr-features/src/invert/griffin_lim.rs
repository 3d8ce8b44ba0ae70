//! Signals from magnitudes alone, by the algorithm of Griffin and Lim.

use std::f64::consts::TAU;

use ndarray::ArrayView2;
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};

use crate::simd::invert::rephase;
use crate::stft::{InverseScratch, Stft, StftConfig, StftScratch};
use crate::{FeatureError, check};

/// The phases to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InitialPhase {
    /// Evenly distributed, drawn from a seed.
    Random {
        /// The seed: the same one, the same signal.
        seed: u64,
    },
    /// All zero.
    Zero,
}

impl Default for InitialPhase {
    fn default() -> Self {
        Self::Random { seed: 0 }
    }
}

/// How to find the phases. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GriffinLimConfig {
    /// Rounds of inverse and transform, at most 100,000. Default 32.
    pub n_iter: usize,
    /// How far each round goes on in the direction of the one before, 0 to 10; 0 is the algorithm of 1984. Over 1 it may
    /// not settle. Default 0.99.
    pub momentum: f32,
    /// The phases to begin with. Default: random, seed 0.
    pub init: InitialPhase,
}

impl Default for GriffinLimConfig {
    fn default() -> Self {
        Self { n_iter: 32, momentum: 0.99, init: InitialPhase::default() }
    }
}

impl GriffinLimConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a number of rounds or a momentum out of range, and all that [`StftConfig::plan`]
    /// refuses.
    pub fn plan(&self, stft: &StftConfig) -> Result<GriffinLim, FeatureError> {
        if self.n_iter > 100_000 {
            return Err(FeatureError::parameter("n_iter", self.n_iter, "0 to 100000"));
        }
        check::within("momentum", f64::from(self.momentum), 0.0, 10.0)?;
        let alpha = self.momentum / (1.0 + self.momentum);
        Ok(GriffinLim { stft: stft.plan()?, n_iter: self.n_iter, alpha, init: self.init })
    }
}

/// A planned search for a signal whose transform has given magnitudes `S`: from some phases, again and again the inverse
/// transform and the phases of its transform, extrapolated by the momentum.
///
/// Source: Griffin and Lim 1984, Perraudin et al. 2013; librosa 0.11 `griffinlim`. Random phases are another draw than
/// librosa's.
///
/// ```
/// use mgr_features::invert::GriffinLimConfig;
/// use mgr_features::stft::StftConfig;
/// let stft = StftConfig { n_fft: 512, hop_length: 128, ..StftConfig::default() };
/// let tone: Vec<f32> = (0..4000).map(|n| (n as f32 * 0.2).sin()).collect();
/// let magnitude = stft.plan()?.process(&tone)?.mapv(|z| z.norm());
/// let again = GriffinLimConfig::default().plan(&stft)?.process(magnitude.view(), Some(4000))?;
/// let energy = |x: &[f32]| x.iter().map(|v| v * v).sum::<f32>();
/// assert!((energy(&again) / energy(&tone) - 1.0).abs() < 0.05);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct GriffinLim {
    stft: Stft,
    n_iter: usize,
    alpha: f32,
    init: InitialPhase,
}

/// Buffers of one computation; make one per thread with [`GriffinLim::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct GriffinLimScratch {
    stft: StftScratch,
    inverse: InverseScratch,
    /// Column by column: the magnitudes, the spectrum of the round and the transform of the round before.
    magnitude: Vec<f32>,
    spectrum: Vec<Complex32>,
    before: Vec<Complex32>,
}

impl GriffinLim {
    /// The transform.
    #[must_use]
    pub fn stft(&self) -> &Stft {
        &self.stft
    }

    /// Buffers for [`GriffinLim::process_into`] of up to `frames` columns.
    ///
    /// # Errors
    /// [`FeatureError::Memory`].
    pub fn scratch_for(&self, frames: usize) -> Result<GriffinLimScratch, FeatureError> {
        let bins = self.stft.bins();
        Ok(GriffinLimScratch {
            stft: self.stft.scratch(),
            inverse: self.stft.inverse_scratch(),
            magnitude: check::matrix(bins, frames)?.into_raw_vec_and_offset().0,
            spectrum: check::matrix(bins, frames)?.into_raw_vec_and_offset().0,
            before: check::matrix(bins, frames)?.into_raw_vec_and_offset().0,
        })
    }

    /// The signal of a matrix of magnitudes, (bins, frames), allocated; without a length, what the frames cover.
    ///
    /// # Errors
    /// See [`GriffinLim::process_into`]; [`FeatureError::Memory`].
    pub fn process(
        &self,
        magnitude: ArrayView2<'_, f32>,
        length: Option<usize>,
    ) -> Result<Vec<f32>, FeatureError> {
        let length = length.unwrap_or(self.stft.covered(magnitude.ncols()));
        let mut out = check::matrix::<f32>(length, 1)?.into_raw_vec_and_offset().0;
        self.process_into(magnitude, &mut out, &mut self.scratch_for(magnitude.ncols())?)?;
        Ok(out)
    }

    /// The signal of a matrix of magnitudes, (bins, frames), into `out`. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a magnitude that is negative or not finite, [`FeatureError::Shape`] for a wrong
    /// number of bins, or of frames for a signal of the length of `out`, [`FeatureError::TooShort`] where such a signal has
    /// no frame, [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        magnitude: ArrayView2<'_, f32>,
        out: &mut [f32],
        scratch: &mut GriffinLimScratch,
    ) -> Result<(), FeatureError> {
        let (rows, columns) = (self.stft.bins(), self.stft.framing().frames(out.len())?);
        let (got_rows, got_columns) = magnitude.dim();
        if (got_rows, got_columns) != (rows, columns) {
            return Err(FeatureError::Shape { what: "magnitude", got_rows, got_columns, rows, columns });
        }
        if let Some(bad) = magnitude.iter().find(|v| !(0.0..=f32::MAX).contains(*v)) {
            return Err(FeatureError::parameter("magnitude", bad, "finite and 0 or more"));
        }
        let GriffinLimScratch { stft, inverse, magnitude: held, spectrum, before } = scratch;
        self.stft.fits(stft)?;
        let count = rows * columns;
        let (Some(held), Some(spectrum), Some(before)) =
            (held.get_mut(..count), spectrum.get_mut(..count), before.get_mut(..count))
        else {
            return Err(FeatureError::Scratch { plan: "griffin_lim" });
        };
        let values = magnitude.columns().into_iter().flatten();
        held.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
        let mut phase = self.phases();
        spectrum.iter_mut().zip(&*held).for_each(|(z, m)| *z = phase() * m);
        before.fill(Complex32::default());
        for round in 0..=self.n_iter {
            self.stft.inverse_with(columns, out, inverse, |t, column| {
                column.copy_from_slice(&spectrum[t * rows..(t + 1) * rows]);
            })?;
            if round < self.n_iter {
                self.stft.for_each_spectrum(out, stft, |t, rebuilt| {
                    let part = t * rows..(t + 1) * rows;
                    let (before, spectrum) = (&mut before[part.clone()], &mut spectrum[part.clone()]);
                    rephase(rebuilt, before, &held[part], self.alpha, spectrum);
                });
            }
        }
        Ok(())
    }

    /// A source of numbers of size one, with the phases to begin with.
    fn phases(&self) -> impl FnMut() -> Complex32 + use<> {
        let init = self.init;
        let mut state = if let InitialPhase::Random { seed } = init { seed } else { 0 };
        move || match init {
            InitialPhase::Zero => Complex32::new(1.0, 0.0),
            InitialPhase::Random { .. } => {
                // SplitMix64 (Steele, Lea and Flood 2014).
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let turn = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
                let phasor = Complex64::from_polar(1.0, TAU * turn);
                Complex32::new(phasor.re as f32, phasor.im as f32)
            }
        }
    }
}
