//! The Fourier tempogram: short-time Fourier transform of the onset strength.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::on_envelope::{self, OnEnvelope, on_envelope, one_row};
use super::onset_strength::{OnsetStrength, OnsetStrengthConfig};
use crate::column::for_each_column;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::{Centering, Span};
use crate::spectrogram::time_axis;
use crate::stft::{Precision, Stft, StftConfig, StftScratch};
use crate::window::Window;
use crate::{ColumnStream, FeatureError, check};

/// Parameters of [`FourierTempogram`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FourierTempogramConfig {
    /// The onset strength, of one row.
    pub strength: OnsetStrengthConfig,
    /// Frames in a stretch, 1 to 2^20. Default 384: 8.9 s.
    pub win_length: usize,
    /// What a stretch is multiplied by. Default Hann.
    pub window: Window,
    /// Whether stretch `t` is centred on frame `t`, with zeros beyond the ends (default), or starts there.
    pub center: bool,
}

impl Default for FourierTempogramConfig {
    fn default() -> Self {
        Self {
            strength: OnsetStrengthConfig::default(),
            win_length: 384,
            window: Window::default(),
            center: true,
        }
    }
}

impl FourierTempogramConfig {
    /// Checks the parameters and plans the transform.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a length or window out of range, and all that [`OnsetStrengthConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<FourierTempogram, FeatureError> {
        let strength = one_row(self.strength.plan(sample_rate)?)?;
        Ok(FourierTempogram { stft: transform(self.win_length, self.window, self.center)?, strength })
    }
}

/// The transform of an envelope, frame by frame.
pub(super) fn transform(win_length: usize, window: Window, center: bool) -> Result<Stft, FeatureError> {
    const LARGEST: usize = 1 << 20;
    if !(1..=LARGEST).contains(&win_length) {
        return Err(FeatureError::parameter("win_length", win_length, format!("1 to {LARGEST}")));
    }
    let centering = if center { Centering::Centered } else { Centering::LeftAligned };
    let config = StftConfig { n_fft: win_length, hop_length: 1, window, centering, ..StftConfig::default() };
    config.plan_in(Precision::Double)
}

/// A planned Fourier tempogram: magnitudes, (win_length / 2 + 1, frames), with one frame more than the onset strength where stretches
/// are centred and of even length.
///
/// Row `k` is a tempo of `60 k sample_rate / (hop_length win_length)` beats a minute. The complex values are at
/// [`FourierTempogram::complex`]. Source: Grosche, Müller, Kurth, "Cyclic tempogram", ICASSP 2010; librosa 0.11
/// `feature.fourier_tempogram`.
///
/// ```
/// use mgr_features::rhythm::FourierTempogramConfig;
/// let plan = FourierTempogramConfig::default().plan(22_050)?;
/// assert_eq!(plan.process(&vec![0.1; 220_500])?.dim(), (193, 432));
/// assert!((plan.tempos()[1] - 6.729).abs() < 1e-3);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FourierTempogram {
    strength: OnsetStrength,
    stft: Stft,
}

/// Buffers of the transform, and one column.
#[derive(Debug, Clone)]
pub(super) struct FourierWork {
    stft: StftScratch,
    column: Vec<f32>,
}

impl FourierTempogram {
    /// Beats a minute of each row.
    #[must_use]
    pub fn tempos(&self) -> Vec<f64> {
        tempos(&self.stft, self.strength.frame_rate())
    }

    /// The complex Fourier tempogram of a signal.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn complex(&self, samples: &[f32]) -> Result<Array2<Complex32>, FeatureError> {
        on_envelope::shape_for(self, samples.len())?;
        let envelope = self.strength.process(samples)?;
        self.stft.process(envelope.row(0).as_slice().unwrap_or(&[]))
    }

    /// The complex Fourier tempogram of an onset strength that is there already, one value a frame.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] in frames, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn complex_of_envelope(&self, envelope: &[f32]) -> Result<Array2<Complex32>, FeatureError> {
        on_envelope::checked(self, envelope)?;
        self.stft.process(envelope)
    }

    fn described(&self, rows: usize, columns: usize, _samples: usize) -> Layout {
        let mel = self.strength.mel();
        Layout {
            rows,
            columns,
            row_axis: Axis::Tempo { bpm: self.tempos().iter().map(|bpm| *bpm as f32).collect() },
            column_axis: time_axis(mel.stft(), mel.sample_rate()),
            unit: Unit::Magnitude,
        }
    }
}

/// Beats a minute of the bins of a transform of an envelope.
pub(super) fn tempos(stft: &Stft, frame_rate: f64) -> Vec<f64> {
    (0..stft.bins()).map(|k| 60.0 * frame_rate * k as f64 / stft.n_fft() as f64).collect()
}

impl OnEnvelope for FourierTempogram {
    type Work = FourierWork;
    const NAME: &'static str = "fourier_tempogram";

    fn strength(&self) -> &OnsetStrength {
        &self.strength
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        let framing = self.stft.framing();
        Ok((self.stft.bins(), framing.frames(frames).map_err(|_| framing.shortest())?))
    }

    fn work(&self, _frames: usize) -> Result<FourierWork, FeatureError> {
        Ok(FourierWork { stft: self.stft.scratch(), column: check::vector(1, self.stft.bins())? })
    }

    fn holds(&self, work: &FourierWork, _frames: usize) -> bool {
        self.stft.fits(&work.stft).is_ok() && work.column.len() == self.stft.bins()
    }

    fn write(&self, envelope: &[f32], out: ArrayViewMut2<'_, f32>, work: &mut FourierWork) {
        let span = Span::whole(envelope);
        let FourierWork { stft, column } = work;
        for_each_column(out, column, |t, column| {
            self.stft.transform(t, span, stft);
            self.stft.magnitude(stft, column);
        });
    }
}

on_envelope!(
    FourierTempogram,
    FourierTempogramScratch,
    "fourier_tempogram",
    "its onset strength counts from the largest value of the signal"
);
