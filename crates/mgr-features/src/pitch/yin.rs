//! YIN: the fundamental frequency of each frame by its difference from itself, shifted.

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::difference::{Difference, DifferenceScratch, Range, is_trough, shift};
use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::{Centering, Framing, Padding, Span};
use crate::spectrogram::framed_time_axis;
use crate::{ColumnStream, FeatureError, check};

/// The frequency of the note C2, the lowest that the reference recommends.
pub(super) const C2: f64 = 65.406_391_325_149_66;
/// The frequency of the note C7, the highest that the reference recommends.
pub(super) const C7: f64 = 2_093.004_522_404_789;

/// Parameters of [`Yin`]. Defaults are librosa's, which has none for the frequencies but recommends these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct YinConfig {
    /// Lowest frequency in Hz, over 0; its period is shorter than a frame by two samples or more. Default 65.4 (C2).
    ///
    /// The reference advises two periods to a frame, as does good sense.
    pub f_min: f64,
    /// Highest frequency in Hz, over `f_min`, at most half the sampling rate. Default 2093.0 (C7).
    pub f_max: f64,
    /// Samples in a frame, 1 to 2^24. Default 2048.
    pub frame_length: usize,
    /// Samples from one frame to the next, 1 to 2^24. Default 512.
    pub hop_length: usize,
    /// A period is taken as soon as the normalised difference is under this, 0 or more. Default 0.1.
    pub trough_threshold: f64,
    /// Centred frames (default) or frames that start at multiples of the hop.
    pub centering: Centering,
    /// What centred frames see beyond the ends. Default zeros.
    pub padding: Padding,
}

impl Default for YinConfig {
    fn default() -> Self {
        Self {
            f_min: C2,
            f_max: C7,
            frame_length: 2048,
            hop_length: 512,
            trough_threshold: 0.1,
            centering: Centering::default(),
            padding: Padding::default(),
        }
    }
}

impl YinConfig {
    /// Checks the parameters and plans the transforms.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, and frequencies, lengths or a threshold out of range.
    pub fn plan(&self, sample_rate: u32) -> Result<Yin, FeatureError> {
        let framing = Framing::new(self.frame_length, self.hop_length, self.centering, self.padding)?;
        check::within("trough_threshold", self.trough_threshold, 0.0, f64::MAX)?;
        let range = Range { f_min: self.f_min, f_max: self.f_max, sample_rate };
        let difference = Difference::new(range, framing)?;
        Ok(Yin { difference, trough_threshold: self.trough_threshold, sample_rate })
    }
}

/// A planned YIN: the fundamental frequency of each frame in Hz, (1, frames).
///
/// Of the normalised difference `d'(k)` of the frame and the frame `k` samples later, the first trough under the threshold is
/// the period, or the least value where there is none; a parabola through it and its neighbours refines it. Every frame has a
/// frequency, whether or not it sounds: silence has the highest, `sample_rate / floor(sample_rate / f_max)`. [`super::pyin`]
/// tells which frames have a pitch.
///
/// Source: de Cheveigné, Kawahara, "YIN, a fundamental frequency estimator for speech and music", J. Acoust. Soc. Am. 111(4),
/// 2002; librosa 0.11 `yin`.
///
/// ```
/// use mgr_features::pitch::yin::YinConfig;
/// let yin = YinConfig::default().plan(22_050)?;
/// let sine: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let f0 = yin.process(&sine)?;
/// assert_eq!(f0.dim(), (1, 44));
/// // The parabola is off by a bit: librosa says 440.5 Hz too.
/// assert!((f0[[0, 20]] - 440.0).abs() < 1.0);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Yin {
    difference: Difference,
    trough_threshold: f64,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Yin::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct YinScratch(DifferenceScratch);

impl Yin {
    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        self.difference.framing()
    }

    /// Buffers for [`Yin::process_into`].
    #[must_use]
    pub fn scratch(&self) -> YinScratch {
        YinScratch(self.difference.scratch())
    }

    /// The frequencies of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The frequencies of a signal into `out` of (1, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut YinScratch,
    ) -> Result<(), FeatureError> {
        if !self.difference.fits(&scratch.0) {
            return Err(FeatureError::Scratch { plan: "yin" });
        }
        check::shape(&out, 1, self.framing().frames(samples.len())?)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        for_each_column(out, &mut [0.0], |t, column| column[0] = self.at(t, span, scratch));
        Ok(())
    }

    fn at(&self, t: usize, span: Span<'_>, scratch: &mut YinScratch) -> f32 {
        self.difference.compute(t, span, &mut scratch.0);
        let values = &scratch.0.values;
        let under = |i: &usize| values[*i] < self.trough_threshold && is_trough(values, *i);
        let least = || {
            let lower = |best: usize, i: usize| if values[i] < values[best] { i } else { best };
            (1..values.len()).fold(0, lower)
        };
        let found = (0..values.len()).find(under).unwrap_or_else(least);
        let period = (self.difference.min_period() + found) as f64 + shift(values, found);
        (f64::from(self.sample_rate) / period) as f32
    }

    /// Computes the same columns while samples arrive.
    pub fn stream(&self) -> ColumnStream {
        let kernel = Kernel { plan: self.clone(), scratch: self.scratch() };
        ColumnStream::new(*self.framing(), 1, Box::new(kernel))
    }
}

struct Kernel {
    plan: Yin,
    scratch: YinScratch,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        out[0] = self.plan.at(t, span, &mut self.scratch);
    }
}

impl Extractor for Yin {
    by_process_into!("yin");

    fn frame_length(&self) -> usize {
        self.framing().frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: 1,
            columns: self.framing().frames(samples)?,
            row_axis: Axis::Name { names: vec!["f0".to_owned()] },
            column_axis: framed_time_axis(self.framing(), self.sample_rate),
            unit: Unit::Hertz,
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Ok(self.stream())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_has_the_highest_frequency() {
        let f0 = YinConfig::default().plan(22_050).unwrap().process(&[0.0; 3000]).unwrap();
        assert!(f0.iter().all(|hz| *hz == 2205.0), "{f0}");
    }

    #[test]
    fn of_equally_bad_periods_the_shortest_is_taken() {
        // An impulse far enough from the start of its frames is unlike itself at every period alike.
        let mut samples = [0.0; 9000];
        samples[4000] = 0.5;
        let f0 = YinConfig::default().plan(22_050).unwrap().process(&samples).unwrap();
        assert!(f0.iter().all(|hz| *hz == 2205.0), "{f0}");
    }

    #[test]
    fn frequencies_are_held_against_each_other_the_rate_and_the_frame() {
        let config = |f_min, f_max, frame_length| {
            YinConfig { f_min, f_max, frame_length, ..YinConfig::default() }.plan(22_050)
        };
        for (f_min, f_max, length, wrong) in [
            (65.0, 11_025.1, 2048, "f_max"),
            (65.0, f64::NAN, 2048, "f_max"),
            (500.0, 500.0, 2048, "f_min"),
            (0.0, 500.0, 2048, "f_min"),
            (f64::NAN, 500.0, 2048, "f_min"),
            (22_050.0 / 2047.0, 500.0, 2048, "f_min"),
            (65.0, 500.0, 1, "f_min"),
        ] {
            let error = config(f_min, f_max, length).unwrap_err();
            assert!(matches!(error, FeatureError::Parameter { field, .. } if field == wrong), "{error}");
        }
        assert!(config(22_050.0 / 2046.9, 11_025.0, 2048).is_ok());
        // As near as two numbers are: one period, which is no trough.
        let near = config(441.0f64.next_down(), 441.0, 2048).unwrap();
        assert!(near.process(&[0.5; 3000]).unwrap().iter().all(|hz| *hz == 441.0 || *hz == 22_050.0 / 51.0));
    }
}
