//! Sample-rate conversion by a windowed sinc, from any rate to any rate.
//!
//! With `s = min(1, output_rate / input_rate)` the kernel, in input samples `t`, is
//!
//! `g(t) = s c sinc(s c t) w(s t / z)`, with `sinc(x) = sin(pi x) / (pi x)` and
//! `w(u) = I0(beta sqrt(1 - u^2)) / I0(beta)` for `|u| <= 1`, else 0
//!
//! (Kaiser 1974), and output sample `m` is `sum_k x[k] g(k - m input_rate / output_rate)`: symmetric, so that every frequency
//! keeps its phase; the signal is 0 outside its ends. [`ResampleKernel`] chooses `c`, `beta` and `z`.

//!
//! How it is computed depends on the ratio, see [`ResampleKernel::High`]; the numbers are those of the formula to the rounding of
//! `f32`.

mod design;
mod direct;
mod overlap;
mod rolloff;
mod stream;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::design::Ratio;
use self::stream::Path;
pub use self::stream::{ResampleScratch, ResampleStream};
use crate::{AudioError, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// Range of the ratio of two rates.
const RATIOS: std::ops::RangeInclusive<f64> = 1e-4..=1e4;

/// The low-pass filter of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResampleKernel {
    /// Pass band to 0.913, flat to 1e-6, and stop band from 1.0 of the lower rate's Nyquist frequency, the bands of soxr's HQ
    /// recipe, at 125 dB; `c`, `beta` and `z = 94` follow by Kaiser's formulas. The default.
    ///
    /// Ratios whose terms have no prime factor beyond 11 (all pairs of usual rates) are converted in overlapping blocks of
    /// spectra. Others go through spectra to at least twice the lower rate and from there by a short interpolation with the
    /// same bands; very great steps down, by more than 43, are summed directly.
    #[default]
    High,
    /// [`High`](Self::High) with the roll-off that soxr's HQ recipe has within its pass band, so that numbers are those of
    /// librosa's `soxr_hq` to 110 dB up to 0.9 of the lower Nyquist frequency. It is a loss of up to 0.01 dB towards the end of
    /// the band where a ratio has other prime factors than 2 and 3; it was measured for all ratios up and for the pairs of
    /// rates 11,025 Hz and 8,000 or 12,000 Hz with their halves and doubles. At other ratios down it is `High`.
    SoxrHq,
    /// resampy 0.4's `kaiser_best`: `c = 0.917347`, `beta = 12.9846`, `z = 50`, read from a table of `T = 8192` entries per zero
    /// crossing as resampy does, going from sample to sample in `floor(s T)` entries; the end of the band is rounded off and
    /// aliases a little.
    KaiserBest,
    /// resampy 0.4's `kaiser_fast`: `c = 0.868212`, `beta = 9.90322`, `z = 24`, `T = 512`. Where `s T` is not whole, the kernel is
    /// stretched by what is cut off, up to 0.4 %: the price of the same numbers.
    KaiserFast,
    /// SciPy's `resample_poly` with its default window, librosa's `polyphase`: `c = 1`, `beta = 5`, `z = 10`.
    Polyphase,
}

/// Rates and filter of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResampleConfig {
    /// Rate of the input in Hz, 100 to 1,000,000. Default 44,100.
    pub input_rate: u32,
    /// Rate of the output in Hz, 100 to 1,000,000. Default 22,050.
    pub output_rate: u32,
    /// The low-pass filter. Default [`ResampleKernel::High`].
    pub kernel: ResampleKernel,
}

impl Default for ResampleConfig {
    fn default() -> Self {
        Self { input_rate: 44_100, output_rate: 22_050, kernel: ResampleKernel::High }
    }
}

impl ResampleConfig {
    /// Validates the rates and computes the kernel.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self) -> Result<Resampler, AudioError> {
        for (field, rate) in [("input_rate", self.input_rate), ("output_rate", self.output_rate)] {
            if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&rate) {
                return Err(AudioError::config(
                    field,
                    rate,
                    format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"),
                ));
            }
        }
        let ratio = Ratio::of_rates(self.input_rate, self.output_rate);
        Ok(Resampler { config: Some(*self), ratio, path: Arc::new(Path::new(ratio, self.kernel)) })
    }
}

/// A conversion by a fixed ratio. Cheap to clone, usable from many threads.
///
/// ```
/// use mgr_audio::{ResampleConfig, ResampleKernel, Resampler};
///
/// # fn main() -> Result<(), mgr_audio::AudioError> {
/// let resampler = ResampleConfig { input_rate: 48_000, output_rate: 22_050, ..ResampleConfig::default() }.plan()?;
/// assert_eq!(resampler.process(&vec![0.0; 48_001])?.len(), 22_051);
///
/// // A semitone up, played at the old rate.
/// let resampler = Resampler::with_ratio(2f64.powf(-1.0 / 12.0), ResampleKernel::High)?;
/// assert_eq!(resampler.process(&vec![0.0; 22_050])?.len(), 20_813);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Resampler {
    config: Option<ResampleConfig>,
    ratio: Ratio,
    path: Arc<Path>,
}

impl Resampler {
    /// A conversion that gives `ratio` output samples per input sample.
    ///
    /// The ratio is that of the simplest fraction that rounds to `ratio`, with terms below 2^32; no fraction of that size is
    /// further off than 2^-62.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a ratio outside 1e-4 to 1e4.
    pub fn with_ratio(ratio: f64, kernel: ResampleKernel) -> Result<Self, AudioError> {
        if !RATIOS.contains(&ratio) {
            return Err(AudioError::config(
                "ratio",
                ratio,
                format!("{:e} to {:e}", RATIOS.start(), RATIOS.end()),
            ));
        }
        let ratio = Ratio::of_float(ratio);
        Ok(Self { config: None, ratio, path: Arc::new(Path::new(ratio, kernel)) })
    }

    /// The rates this conversion was planned for; `None` where it was made [`with_ratio`](Self::with_ratio).
    #[must_use]
    pub fn config(&self) -> Option<ResampleConfig> {
        self.config
    }

    /// Output samples per input sample.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ratio.value()
    }

    /// Length of the output for `samples` of input: `ceil(samples * output_rate / input_rate)`, saturating.
    #[must_use]
    pub fn output_len(&self, samples: usize) -> usize {
        usize::try_from(self.ratio.output_len(samples as u64)).unwrap_or(usize::MAX)
    }

    /// Converts a whole signal; no samples give no samples, equal rates a copy.
    ///
    /// A sample that is not finite makes the output around it not finite: as far as the kernel reaches, or, where blocks are
    /// transformed, as far as [`ResampleStream::delay`] and the kernel's reach.
    ///
    /// # Errors
    /// [`AudioError::SignalTooLong`] where memory for the output cannot be had.
    pub fn process(&self, samples: &[f32]) -> Result<Vec<f32>, AudioError> {
        let len = self.output_len(samples.len());
        let mut out = Vec::new();
        out.try_reserve_exact(len)
            .map_err(|_| AudioError::SignalTooLong { samples: samples.len(), ratio: self.ratio() })?;
        out.resize(len, 0.0);
        self.process_into(samples, &mut out, &mut self.scratch())?;
        Ok(out)
    }

    /// Buffers for [`process_into`](Self::process_into), for one thread.
    #[must_use]
    pub fn scratch(&self) -> ResampleScratch {
        ResampleScratch { state: self.path.state(), path: Arc::clone(&self.path) }
    }

    /// Converts a whole signal into a buffer of [`output_len`](Self::output_len) samples. Allocates nothing, unless the scratch
    /// is another conversion's: then it is made anew.
    ///
    /// # Errors
    /// [`AudioError::BufferLength`] for a buffer of another length.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: &mut [f32],
        scratch: &mut ResampleScratch,
    ) -> Result<(), AudioError> {
        let expected = self.output_len(samples.len());
        if out.len() != expected {
            return Err(AudioError::BufferLength { expected, got: out.len() });
        }
        if !Arc::ptr_eq(&self.path, &scratch.path) {
            *scratch = self.scratch();
        }
        self.path.reset(&mut scratch.state);
        let mut rest = out;
        let mut sink = |values: &[f32]| {
            let (now, later) = std::mem::take(&mut rest).split_at_mut(values.len());
            now.copy_from_slice(values);
            rest = later;
        };
        let written = self.path.push(&mut scratch.state, samples, expected as u64, &mut sink);
        self.path.flush(&mut scratch.state, expected as u64 - written, &mut sink);
        Ok(())
    }

    /// Inputs after which the computation repeats itself, and inputs that are needed for the first output.
    pub(crate) fn locality(&self) -> (u64, u64) {
        (self.path.period(), self.path.delay() as u64)
    }

    /// The conversion of a signal that comes in pieces.
    #[must_use]
    pub fn stream(&self) -> ResampleStream {
        ResampleStream::new(self.ratio, self.scratch())
    }
}
