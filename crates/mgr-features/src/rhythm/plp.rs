//! Predominant local pulse: the strongest tempo of each stretch, with its phase, laid over each other.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::fourier_tempogram::{tempos, transform};
use super::on_envelope::{self, OnEnvelope, on_envelope, one_row};
use super::onset_strength::{OnsetStrength, OnsetStrengthConfig};
use super::prior::TempoPrior;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Span;
use crate::spectrogram::time_axis;
use crate::stft::{Stft, StftScratch};
use crate::window::{Symmetry, Window};
use crate::{ColumnStream, FeatureError, check};

/// By what the strongest tempo of a stretch is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PulseNorm {
    /// As the reference: by the largest complex value of the column, real parts compared first. Where the real part of the strongest
    /// tempo is negative that is one of the zeros beside it, and the stretch counts some 1e19 times as much as one where it is
    /// positive: in effect only such stretches count, each by its strength. The default.
    #[default]
    Reference,
    /// By its magnitude, as the paper has it: every stretch counts the same.
    Magnitude,
}

/// Parameters of [`Plp`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlpConfig {
    /// The onset strength, of one row. Default: the median of the bands.
    pub strength: OnsetStrengthConfig,
    /// Frames in a stretch, 1 to 2^20. Default 384: 8.9 s.
    pub win_length: usize,
    /// The slowest tempo in beats a minute, 0 or more. Default 30.
    pub tempo_min: f64,
    /// The fastest tempo in beats a minute, over `tempo_min`; a large number is no limit. Default 300.
    pub tempo_max: f64,
    /// A density of tempos that is added to the logarithm of the magnitudes. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<TempoPrior>,
    /// By what the strongest tempo of a stretch is divided.
    pub norm: PulseNorm,
}

impl Default for PlpConfig {
    fn default() -> Self {
        Self {
            strength: OnsetStrengthConfig::median(),
            win_length: 384,
            tempo_min: 30.0,
            tempo_max: 300.0,
            prior: None,
            norm: PulseNorm::default(),
        }
    }
}

impl PlpConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for lengths and tempos out of range, and all that [`OnsetStrengthConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Plp, FeatureError> {
        check::within("tempo_min", self.tempo_min, 0.0, f64::MAX)?;
        check::within("tempo_max", self.tempo_max, 0.0, f64::MAX)?;
        if self.tempo_max <= self.tempo_min {
            let allowed = format!("over tempo_min = {}", self.tempo_min);
            return Err(FeatureError::parameter("tempo_max", self.tempo_max, allowed));
        }
        self.prior.as_ref().map_or(Ok(()), TempoPrior::check)?;
        let strength = one_row(self.strength.plan(sample_rate)?)?;
        let stft = transform(self.win_length, Window::Hann, true)?;
        let tempos = tempos(&stft, strength.frame_rate());
        let first = tempos.partition_point(|bpm| *bpm < self.tempo_min);
        let last = tempos.partition_point(|bpm| *bpm <= self.tempo_max);
        let weight = |bpm: &f64| self.prior.as_ref().map_or(0.0, |prior| prior.ln_density(*bpm)) as f32;
        let n = self.win_length;
        let window = Window::Hann.coefficients(n, Symmetry::Periodic)?;
        let mut squares = vec![0.0; n + 1];
        for (i, w) in window.iter().enumerate() {
            squares[i + 1] = squares[i] + w * w;
        }
        let turn = |i: usize| 2.0 * std::f64::consts::PI * i as f64 / n as f64;
        Ok(Plp(Arc::new(Inner {
            strength,
            stft,
            range: (first, last.max(first)),
            weights: tempos.iter().map(weight).collect(),
            has_prior: self.prior.is_some(),
            norm: self.norm,
            window,
            squares,
            turns: (0..n).map(|i| [turn(i).cos(), turn(i).sin()]).collect(),
        })))
    }
}

/// A planned local pulse, (1, frames), values from 0 to 1: where beats are due by what the seconds around say.
///
/// Of each column of the Fourier tempogram only the bin with the largest `ln(1 + 1e6 |F|) + ln prior` is kept, within the tempos
/// allowed, and divided by its norm; the inverse transform, with overlapping stretches added up, its negative part cut off and its largest
/// value 1, is the pulse. Silence is zeros. Source: Grosche, Müller, "Extracting predominant local pulse information from music
/// recordings", IEEE TASLP 19(6), 2011; librosa 0.11 `beat.plp`.
///
/// ```
/// use mgr_features::rhythm::PlpConfig;
/// // A click every 21 frames.
/// let mut x = vec![0.0; 220_500];
/// (5120..220_500).step_by(21 * 512).for_each(|n| x[n] = 1.0);
/// let pulse = PlpConfig::default().plan(22_050)?.process(&x)?;
/// let peaks: Vec<usize> = (150..300).filter(|t| pulse[[0, *t]] > pulse[[0, t - 1]] && pulse[[0, *t]] > pulse[[0, t + 1]]).collect();
/// assert!(peaks.windows(2).all(|pair| pair[1] - pair[0] == 21));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Clone)]
pub struct Plp(Arc<Inner>);

struct Inner {
    strength: OnsetStrength,
    stft: Stft,
    /// Bins allowed.
    range: (usize, usize),
    weights: Vec<f32>,
    has_prior: bool,
    norm: PulseNorm,
    window: Vec<f64>,
    /// Sums of its squares up to each place.
    squares: Vec<f64>,
    /// Cosine and sine of a turn in as many steps as a stretch has frames.
    turns: Vec<[f64; 2]>,
}

impl std::fmt::Debug for Plp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plp")
            .field("win_length", &self.0.window.len())
            .field("bins", &self.0.range)
            .finish_non_exhaustive()
    }
}

/// Buffers of the transform, and sums.
#[derive(Debug, Clone)]
pub(super) struct PulseWork {
    stft: StftScratch,
    column: Vec<Complex32>,
    magnitudes: Vec<f32>,
    pulse: Vec<f64>,
}

impl Inner {
    /// `ln(1 + 1e6 m)` and the prior, in f32 as the reference has it, so that the same bins are equals.
    fn score(&self, bin: usize, magnitude: f32) -> f32 {
        (1e6 * magnitude).ln_1p() + self.weights[bin]
    }

    /// Adds the stretch at `t` to the pulse of so many frames.
    fn add(&self, t: usize, frames: usize, work: &mut PulseWork) {
        let PulseWork { column, magnitudes, pulse, .. } = work;
        let pulse = &mut pulse[..frames];
        let (first, last) = self.range;
        let n = self.window.len();
        magnitudes[first..last].iter_mut().zip(&column[first..last]).for_each(|(m, z)| *m = z.norm());
        let largest = magnitudes[first..last].iter().copied().fold(0.0, f32::max);
        if largest == 0.0 {
            return;
        }
        // Outside of the range the magnitude is 0, and the prior alone counts.
        let outside = self.weights[..first].iter().chain(&self.weights[last..]).copied();
        // The logarithm only loses digits: without a prior no bin under this is as high as the largest.
        let floor = if self.has_prior { 0.0 } else { largest * (1.0 - 1e-4) };
        let heard = || (first..last).filter(|k| magnitudes[*k] >= floor);
        let top =
            heard().map(|k| self.score(k, magnitudes[k])).chain(outside).fold(f32::NEG_INFINITY, f32::max);
        let kept = || heard().filter(|k| self.score(*k, magnitudes[*k]) >= top);
        let divisor = match self.norm {
            PulseNorm::Magnitude => largest,
            PulseNorm::Reference => {
                // Complex numbers in the order of their real parts, then of their imaginary parts; what is not kept is 0.
                let zero = (kept().count() < self.weights.len()).then_some(Complex32::default());
                let above = |a: Complex32, b: Complex32| if (b.re, b.im) > (a.re, a.im) { b } else { a };
                let most = kept().map(|k| column[k]).chain(zero).reduce(above).unwrap_or_default();
                f32::MIN_POSITIVE.sqrt() + most.norm()
            }
        };
        // Stretch `t` starts half a stretch before frame `t`; what lies before frame 0 or after the last is not wanted.
        let half = n / 2;
        let (from, to) = (half.saturating_sub(t), n.min((pulse.len() + half).saturating_sub(t)));
        for bin in kept() {
            // Bins between the first and the last stand for two.
            let both = if bin == 0 || 2 * bin == n { 1.0 } else { 2.0 };
            let scale = both / n as f64 / f64::from(divisor);
            let (re, im) = (f64::from(column[bin].re) * scale, f64::from(column[bin].im) * scale);
            // As in any inverse transform of real signals, the imaginary parts of those two have no effect.
            let im = if both == 1.0 { 0.0 } else { im };
            let mut phase = (bin * from) % n;
            for (i, sum) in (from..to).zip(&mut pulse[(t + from).saturating_sub(half)..]) {
                let [cos, sin] = self.turns[phase];
                *sum += self.window[i] * (re * cos - im * sin);
                phase += bin;
                if phase >= n {
                    phase -= n;
                }
            }
        }
    }
}

impl Plp {
    fn described(&self, rows: usize, columns: usize, _samples: usize) -> Layout {
        let mel = self.0.strength.mel();
        let row_axis = Axis::Name { names: vec!["pulse".to_owned()] };
        let column_axis = time_axis(mel.stft(), mel.sample_rate());
        Layout { rows, columns, row_axis, column_axis, unit: Unit::Ratio }
    }
}

impl OnEnvelope for Plp {
    type Work = PulseWork;
    const NAME: &'static str = "plp";

    fn strength(&self) -> &OnsetStrength {
        &self.0.strength
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        // A centred stretch of odd length reaches as far as the envelope does.
        Ok((1, frames))
    }

    fn work(&self, frames: usize) -> Result<PulseWork, FeatureError> {
        let stft = &self.0.stft;
        Ok(PulseWork {
            stft: stft.scratch(),
            column: check::vector(1, stft.bins())?,
            magnitudes: check::vector(1, stft.bins())?,
            pulse: check::vector(1, frames)?,
        })
    }

    fn holds(&self, work: &PulseWork, frames: usize) -> bool {
        let bins = self.0.stft.bins();
        self.0.stft.fits(&work.stft).is_ok()
            && (work.column.len(), work.magnitudes.len()) == (bins, bins)
            && work.pulse.len() >= frames
    }

    fn write(&self, envelope: &[f32], mut out: ArrayViewMut2<'_, f32>, work: &mut PulseWork) {
        let inner = &*self.0;
        let (n, frames) = (inner.window.len(), envelope.len());
        let columns = inner.stft.framing().frames(frames).unwrap_or(0);
        let span = Span::whole(envelope);
        work.pulse[..frames].fill(0.0);
        for t in 0..columns {
            inner.stft.transform(t, span, &mut work.stft);
            inner.stft.spectrum(&work.stft, &mut work.column);
            inner.add(t, frames, work);
        }
        // Divided by what the windows of all stretches add up to at each frame.
        let half = n / 2;
        let mut top = 0.0f64;
        for (t, sum) in work.pulse[..frames].iter_mut().enumerate() {
            let (low, high) = ((t + half + 1).saturating_sub(columns), (t + half + 1).min(n));
            let overlap = if low < high { inner.squares[high] - inner.squares[low] } else { 0.0 };
            if overlap > f64::from(f32::MIN_POSITIVE) {
                *sum /= overlap;
            }
            *sum = sum.max(0.0);
            top = top.max(*sum);
        }
        let scale = if top >= f64::from(f32::MIN_POSITIVE) { 1.0 / top } else { 1.0 };
        out.iter_mut().zip(&work.pulse).for_each(|(to, sum)| *to = (sum * scale) as f32);
    }
}

on_envelope!(Plp, PlpScratch, "plp", "its onset strength counts from the largest value of the signal");
