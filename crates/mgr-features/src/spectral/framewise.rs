//! Descriptors of the samples of a frame: root mean square, zero crossings.

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit};
use crate::frame::{Centering, Framing, Padding, Span};
use crate::simd::sums::{sign_changes, sums};
use crate::spectrogram::framed_time_axis;
use crate::{ColumnStream, FeatureError, check};

/// Parameters of the root mean square of frames, `sqrt(mean x^2)`. Defaults are librosa's.
///
/// Source: librosa 0.11 `feature.rms` of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsConfig {
    /// Samples in a frame, 1 to 2^24. Default 2048.
    pub frame_length: usize,
    /// Samples from one frame to the next, 1 to 2^24. Default 512.
    pub hop_length: usize,
    /// Centred frames (default) or frames that start at multiples of the hop.
    pub centering: Centering,
    /// What centred frames see beyond the ends. Default zeros.
    pub padding: Padding,
}

impl Default for RmsConfig {
    fn default() -> Self {
        Self {
            frame_length: 2048,
            hop_length: 512,
            centering: Centering::default(),
            padding: Padding::default(),
        }
    }
}

impl RmsConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0 and a length out of range.
    pub fn plan(&self, sample_rate: u32) -> Result<Framewise, FeatureError> {
        let framing = Framing::new(self.frame_length, self.hop_length, self.centering, self.padding)?;
        Framewise::new(framing, Measure::Rms, sample_rate)
    }
}

/// Which sign zero has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroSign {
    /// It is positive: from minus to zero is a crossing, from zero to plus is none.
    #[default]
    Positive,
    /// It is a sign of its own: both are crossings.
    Own,
}

/// Parameters of a zero-crossing rate: the share of the samples of a frame whose sign is not that of the sample before.
/// Defaults are librosa's.
///
/// The first sample of a frame has none before it within the frame. Beyond the ends of the signal centred frames see the end
/// sample, held. Source: librosa 0.11 `feature.zero_crossing_rate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroCrossingConfig {
    /// Samples in a frame, 1 to 2^24. Default 2048.
    pub frame_length: usize,
    /// Samples from one frame to the next, 1 to 2^24. Default 512.
    pub hop_length: usize,
    /// Centred frames (default) or frames that start at multiples of the hop.
    pub centering: Centering,
    /// Values from `-threshold` to `threshold` are taken for zero. Default 1e-10.
    pub threshold: f32,
    /// Which sign zero has.
    pub zero: ZeroSign,
    /// Whether the first sample of a frame counts as a crossing. Default false.
    pub count_first: bool,
}

impl Default for ZeroCrossingConfig {
    fn default() -> Self {
        Self {
            frame_length: 2048,
            hop_length: 512,
            centering: Centering::default(),
            threshold: 1e-10,
            zero: ZeroSign::default(),
            count_first: false,
        }
    }
}

impl ZeroCrossingConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, a length out of range, and a threshold that is negative or not
    /// finite.
    pub fn plan(&self, sample_rate: u32) -> Result<Framewise, FeatureError> {
        check::within("threshold", f64::from(self.threshold), 0.0, f64::from(f32::MAX))?;
        let framing = Framing::new(self.frame_length, self.hop_length, self.centering, Padding::Edge)?;
        let Self { threshold, zero, count_first, .. } = *self;
        Framewise::new(framing, Measure::ZeroCrossings { threshold, zero, count_first }, sample_rate)
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measure {
    Rms,
    ZeroCrossings { threshold: f32, zero: ZeroSign, count_first: bool },
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Rms => "rms",
            Self::ZeroCrossings { .. } => "zero_crossing_rate",
        }
    }

    fn of(self, frame: &[f32]) -> f32 {
        let count = frame.len() as f64;
        match self {
            Self::Rms => {
                let mut both = [0.0; 2];
                sums(frame, &mut both);
                (both[1] / count).sqrt() as f32
            }
            Self::ZeroCrossings { threshold, zero, count_first } => {
                let crossings = match zero {
                    ZeroSign::Positive => {
                        let mut changes = 0;
                        sign_changes(frame, threshold, &mut changes);
                        changes as usize
                    }
                    ZeroSign::Own => {
                        let sign = |x: f32| i8::from(x > threshold) - i8::from(x < -threshold);
                        frame.windows(2).filter(|pair| sign(pair[0]) != sign(pair[1])).count()
                    }
                };
                ((crossings + usize::from(count_first)) as f64 / count) as f32
            }
        }
    }
}

/// A planned descriptor of the samples of each frame, (1, frames).
///
/// ```
/// use mgr_features::spectral::{RmsConfig, ZeroCrossingConfig};
/// let sine: Vec<f32> = (0..22_050).map(|n| (n as f32 * 1000.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let rms = RmsConfig::default().plan(22_050)?.process(&sine)?;
/// assert!((rms[[0, 20]] - 0.5f32.sqrt()).abs() < 1e-3);
/// let crossings = ZeroCrossingConfig::default().plan(22_050)?.process(&sine)?;
/// assert!((crossings[[0, 20]] - 2.0 * 1000.0 / 22_050.0).abs() < 1e-3);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Framewise {
    framing: Framing,
    measure: Measure,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Framewise::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct FramewiseScratch {
    /// A frame that reaches into the padding.
    frame: Vec<f32>,
}

impl Framewise {
    fn new(framing: Framing, measure: Measure, sample_rate: u32) -> Result<Self, FeatureError> {
        check::rate(sample_rate)?;
        Ok(Self { framing, measure, sample_rate })
    }

    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        &self.framing
    }

    /// Buffers for [`Framewise::process_into`].
    #[must_use]
    pub fn scratch(&self) -> FramewiseScratch {
        FramewiseScratch { frame: vec![0.0; self.framing.frame_length()] }
    }

    /// The descriptor of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The descriptor of a signal into `out` of (1, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut FramewiseScratch,
    ) -> Result<(), FeatureError> {
        if scratch.frame.len() != self.framing.frame_length() {
            return Err(FeatureError::Scratch { plan: self.measure.name() });
        }
        check::shape(&out, 1, self.framing.frames(samples.len())?)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        for_each_column(out, &mut [0.0], |t, column| column[0] = self.at(t, span, scratch));
        Ok(())
    }

    fn at(&self, t: usize, span: Span<'_>, scratch: &mut FramewiseScratch) -> f32 {
        if let Some(frame) = self.framing.inside(t, span) {
            return self.measure.of(frame);
        }
        let sample = self.framing.padded_at_once(t, span);
        scratch.frame.iter_mut().enumerate().for_each(|(i, to)| *to = sample(i));
        self.measure.of(&scratch.frame)
    }

    /// Computes the same columns while samples arrive.
    pub fn stream(&self) -> ColumnStream {
        let kernel = Kernel { plan: self.clone(), scratch: self.scratch() };
        ColumnStream::new(self.framing, 1, Box::new(kernel))
    }
}

struct Kernel {
    plan: Framewise,
    scratch: FramewiseScratch,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        out[0] = self.plan.at(t, span, &mut self.scratch);
    }
}

impl Extractor for Framewise {
    fn name(&self) -> &'static str {
        self.measure.name()
    }

    fn frame_length(&self) -> usize {
        self.framing.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: 1,
            columns: self.framing.frames(samples)?,
            row_axis: Axis::Name { names: vec![self.measure.name().to_owned()] },
            column_axis: framed_time_axis(&self.framing, self.sample_rate),
            unit: match self.measure {
                Measure::Rms => Unit::Magnitude,
                Measure::ZeroCrossings { .. } => Unit::Ratio,
            },
        })
    }

    fn scratch(&self) -> Scratch {
        Scratch::new(Self::scratch(self))
    }

    fn extract_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.process_into(samples, out, scratch.of(self.measure.name())?)
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Ok(self.stream())
    }
}
