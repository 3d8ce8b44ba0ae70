//! Sample-rate conversion by a windowed sinc, from any rate to any rate.
//!
//! With `s = min(1, output_rate / input_rate)` the kernel, in input samples `t`, is
//!
//! `g(t) = s c sinc(s c t) w(s t / z)`, with `sinc(x) = sin(pi x) / (pi x)` and
//! `w(u) = I0(beta sqrt(1 - u^2)) / I0(beta)` for `|u| <= 1`, else 0
//!
//! (Kaiser 1974), and output sample `m` is `sum_k x[k] g(k - m input_rate / output_rate)`: symmetric, so that every frequency
//! keeps its phase; the signal is 0 outside its ends. [`ResampleKernel`] chooses `c`, `beta` and `z`.

use std::f64::consts::PI;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AudioError, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// Largest table that holds a row for every output phase, in values (4 MiB).
const MAX_EXACT_TABLE: u64 = 1 << 20;
/// Rows per sample of the lower rate in an interpolated table: linear interpolation errs by (pi / 4096)^2 / 8, -142 dB.
const INTERPOLATED_ROWS: f64 = 4096.0;
/// Independent partial sums of a dot product; a fixed number, so that results do not depend on the machine.
const LANES: usize = 16;
/// Stop band and pass band ripple of the default kernel in dB. 125 leaves a margin over the 120 dB of a 20-bit signal.
const ATTENUATION_DB: f64 = 125.0;
/// End of the default kernel's pass band, as a fraction of the lower Nyquist frequency (soxr HQ).
const PASS_BAND: f64 = 0.913;

/// The low-pass filter of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResampleKernel {
    /// Pass band to 0.913 and stop band from 1.0 of the lower rate's Nyquist frequency, the bands of soxr's HQ recipe, at
    /// 125 dB; `c`, `beta` and `z = 94` follow by Kaiser's formulas. Stands for librosa's `soxr_hq` (and its near kin
    /// `soxr_vhq`). The default.
    #[default]
    High,
    /// resampy 0.4's `kaiser_best`: `c = 0.917347`, `beta = 12.9846`, `z = 50`; the end of the band is rounded off and aliases
    /// a little.
    KaiserBest,
    /// resampy 0.4's `kaiser_fast`: `c = 0.868212`, `beta = 9.90322`, `z = 24`.
    KaiserFast,
    /// SciPy's `resample_poly` with its default window, librosa's `polyphase`: `c = 1`, `beta = 5`, `z = 10`.
    Polyphase,
}

/// Kaiser's constants of a kernel.
struct Shape {
    /// `z`, the reach to each side in samples of the lower rate.
    zeros: f64,
    /// `c`, the middle of the transition as a fraction of the lower Nyquist frequency.
    cutoff: f64,
    beta: f64,
    gain: Gain,
}

/// How the values of a kernel are scaled.
enum Gain {
    /// Every row sums to 1, so that a constant stays one at every phase.
    Rows,
    /// The rows sum to 1 in the mean, as the reference's filter design does.
    Mean,
    /// As the formula gives them, as the reference does.
    Formula,
}

impl ResampleKernel {
    fn shape(self) -> Shape {
        match self {
            Self::High => {
                let transition = PI * (1.0 - PASS_BAND);
                Shape {
                    zeros: 0.5 * (ATTENUATION_DB - 7.95) / (2.285 * transition),
                    cutoff: 0.5 * (1.0 + PASS_BAND),
                    beta: 0.1102 * (ATTENUATION_DB - 8.7),
                    gain: Gain::Rows,
                }
            }
            Self::KaiserBest => Shape { zeros: 50.0, cutoff: 0.917347, beta: 12.9846, gain: Gain::Formula },
            Self::KaiserFast => Shape { zeros: 24.0, cutoff: 0.868212, beta: 9.90322, gain: Gain::Formula },
            Self::Polyphase => Shape { zeros: 10.0, cutoff: 1.0, beta: 5.0, gain: Gain::Mean },
        }
    }
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
        Ok(Resampler { config: *self, kernel: Arc::new(Kernel::new(self)) })
    }
}

/// A conversion between two fixed rates. Cheap to clone, usable from many threads.
///
/// ```
/// use mgr_audio::ResampleConfig;
///
/// # fn main() -> Result<(), mgr_audio::AudioError> {
/// let resampler = ResampleConfig { input_rate: 48_000, output_rate: 22_050, ..ResampleConfig::default() }.plan()?;
/// assert_eq!(resampler.process(&vec![0.0; 48_001])?.len(), 22_051);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Resampler {
    config: ResampleConfig,
    kernel: Arc<Kernel>,
}

impl Resampler {
    /// The rates this conversion was planned for.
    #[must_use]
    pub fn config(&self) -> ResampleConfig {
        self.config
    }

    /// Length of the output for `samples` of input: `ceil(samples * output_rate / input_rate)`, saturating.
    #[must_use]
    pub fn output_len(&self, samples: usize) -> usize {
        let product = samples as u128 * u128::from(self.config.output_rate);
        usize::try_from(product.div_ceil(u128::from(self.config.input_rate))).unwrap_or(usize::MAX)
    }

    /// Converts a whole signal; no samples give no samples, equal rates a copy.
    ///
    /// A sample that is not finite makes the output around it not finite.
    ///
    /// # Errors
    /// [`AudioError::SignalTooLong`] where memory for the output cannot be had.
    pub fn process(&self, samples: &[f32]) -> Result<Vec<f32>, AudioError> {
        let len = self.output_len(samples.len());
        let mut out = Vec::new();
        out.try_reserve_exact(len).map_err(|_| AudioError::SignalTooLong {
            samples: samples.len(),
            input_rate: self.config.input_rate,
            output_rate: self.config.output_rate,
        })?;
        out.resize(len, 0.0);
        self.process_into(samples, &mut out)?;
        Ok(out)
    }

    /// Converts a whole signal into a buffer of [`output_len`](Self::output_len) samples, without allocating.
    ///
    /// # Errors
    /// [`AudioError::BufferLength`] for a buffer of another length.
    pub fn process_into(&self, samples: &[f32], out: &mut [f32]) -> Result<(), AudioError> {
        let expected = self.output_len(samples.len());
        if out.len() != expected {
            return Err(AudioError::BufferLength { expected, got: out.len() });
        }
        if self.config.input_rate == self.config.output_rate {
            out.copy_from_slice(samples);
        } else {
            self.kernel.process(samples, out);
        }
        Ok(())
    }
}

/// Values of `g`, one row per position between two input samples.
#[derive(Debug)]
struct Kernel {
    /// `output_rate` and `input_rate` over their greatest common divisor: output `m` lies at input `m down / up`.
    up: u64,
    down: u64,
    /// Taps on each side of an output sample; a row has twice as many.
    half: usize,
    rows: Vec<f32>,
    /// Rows per input sample where output positions fall between rows; `None` where every position has its row.
    interpolated: Option<f64>,
}

impl Kernel {
    fn new(config: &ResampleConfig) -> Self {
        let (input_rate, output_rate) = (u64::from(config.input_rate), u64::from(config.output_rate));
        let divisor = gcd(input_rate, output_rate);
        let (up, down) = (output_rate / divisor, input_rate / divisor);
        let scale = (up as f64 / down as f64).min(1.0);
        let shape = config.kernel.shape();
        let width = shape.zeros / scale;
        let half = width.ceil() as usize;
        let exact = up * 2 * half as u64 <= MAX_EXACT_TABLE;
        let per_sample = if exact { up as f64 } else { (INTERPOLATED_ROWS * scale).ceil().max(1.0) };
        // An interpolated position may lie between the last row and the next sample's first.
        let row_count = if exact { up as usize } else { per_sample as usize + 1 };
        let cutoff = scale * shape.cutoff;
        let unit = bessel_i0(shape.beta);
        let kernel = |t: f64| {
            let u = t / width;
            if u.abs() >= 1.0 {
                return 0.0;
            }
            let x = PI * cutoff * t;
            let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
            cutoff * sinc * bessel_i0(shape.beta * (1.0 - u * u).sqrt()) / unit
        };
        let mut values = Vec::with_capacity(row_count * 2 * half);
        for index in 0..row_count {
            let fraction = index as f64 / per_sample;
            values.extend((0..2 * half).map(|tap| kernel(tap as f64 + 1.0 - half as f64 - fraction)));
        }
        let total: f64 = values.iter().sum();
        let mut rows = Vec::with_capacity(values.len());
        for row in values.chunks_exact(2 * half) {
            let sum = match shape.gain {
                Gain::Rows => row.iter().sum(),
                Gain::Mean => total / row_count as f64,
                Gain::Formula => 1.0,
            };
            rows.extend(row.iter().map(|value| (value / sum) as f32));
        }
        Self { up, down, half, rows, interpolated: (!exact).then_some(per_sample) }
    }

    fn process(&self, samples: &[f32], out: &mut [f32]) {
        let (whole_step, part_step) = ((self.down / self.up) as usize, self.down % self.up);
        let (mut position, mut phase) = (0usize, 0u64);
        for value in out {
            *value = match self.interpolated {
                None => self.dot(phase as usize, samples, position),
                Some(per_sample) => {
                    let exact_row = phase as f64 / self.up as f64 * per_sample;
                    let row = exact_row as usize;
                    let weight = (exact_row - row as f64) as f32;
                    let (a, b) = (self.dot(row, samples, position), self.dot(row + 1, samples, position));
                    a + weight * (b - a)
                }
            };
            position += whole_step;
            phase += part_step;
            if phase >= self.up {
                phase -= self.up;
                position += 1;
            }
        }
    }

    /// Sum of a row times the samples around `position`, those beyond the ends being 0.
    fn dot(&self, row: usize, samples: &[f32], position: usize) -> f32 {
        let width = 2 * self.half;
        let taps = &self.rows[row * width..(row + 1) * width];
        let first = (position + 1).saturating_sub(self.half);
        let skipped = (self.half - 1).saturating_sub(position);
        let last = (position + self.half + 1).min(samples.len());
        if first >= last {
            return 0.0;
        }
        let samples = &samples[first..last];
        dot(&taps[skipped..skipped + samples.len()], samples)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Modified Bessel function of the first kind, order 0, by its power series: `sum_k ((x / 2)^k / k!)^2`.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
