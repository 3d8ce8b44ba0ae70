//! The one shape that every feature has for those who only use it: the store, the command line, the networks.

use std::any::Any;

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::{ColumnStream, FeatureError, check};

/// What one direction of a feature matrix stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "axis")]
#[non_exhaustive]
pub enum Axis {
    /// Frequencies in Hz, one per row or column.
    Frequency {
        /// Centre frequencies.
        hz: Vec<f32>,
    },
    /// Time: index `i` is centred on `start_s + i * step_s` seconds.
    Time {
        /// Seconds of index 0.
        start_s: f64,
        /// Seconds from one index to the next.
        step_s: f64,
    },
    /// Bands of frequencies in Hz.
    Band {
        /// Lower edges.
        low_hz: Vec<f32>,
        /// Upper edges.
        high_hz: Vec<f32>,
    },
    /// Coefficients of a transform, counted from `first`: cepstral, polynomial.
    Coefficient {
        /// Index of the first.
        first: usize,
        /// How many.
        count: usize,
    },
    /// Frequencies in Hz of the modulation of something.
    Modulation {
        /// The frequencies.
        hz: Vec<f32>,
    },
    /// Things with a name each: pitch classes, single-valued descriptors.
    Name {
        /// The names.
        names: Vec<String>,
    },
    /// Lags of an autocorrelation, from 0.
    Lag {
        /// Seconds from one lag to the next.
        step_s: f64,
        /// How many.
        count: usize,
    },
    /// Tempos in beats a minute, one per row or column.
    Tempo {
        /// The tempos.
        bpm: Vec<f32>,
    },
    /// Paths of a scattering transform.
    Path {
        /// Order of each path: 0, 1 or 2.
        order: Vec<u8>,
        /// Centre frequencies in Hz, first and second order; 0 where a path has none.
        hz: Vec<[f32; 2]>,
    },
}

impl Axis {
    /// The time axis of a single column that stands for a whole clip.
    pub(crate) fn clip(samples: usize, sample_rate: f64) -> Self {
        let length_s = samples as f64 / sample_rate;
        Self::Time { start_s: length_s / 2.0, step_s: length_s }
    }

    /// How many rows or columns it describes; a time axis goes on as long as the signal does.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Frequency { hz } | Self::Modulation { hz } => Some(hz.len()),
            Self::Time { .. } => None,
            Self::Band { low_hz, .. } => Some(low_hz.len()),
            Self::Coefficient { count, .. } => Some(*count),
            Self::Name { names } => Some(names.len()),
            Self::Lag { count, .. } => Some(*count),
            Self::Tempo { bpm } => Some(bpm.len()),
            Self::Path { order, .. } => Some(order.len()),
        }
    }
}

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// Linear magnitude.
    Magnitude,
    /// Linear power, magnitude squared.
    Power,
    /// Magnitude to some other power.
    MagnitudePower,
    /// Decibels.
    Decibel,
    /// Natural logarithm of power.
    LnPower,
    /// Natural logarithm of magnitude.
    LnMagnitude,
    /// Base-10 logarithm of scaled power plus one.
    Log10Power,
    /// Frequency in Hz.
    Hertz,
    /// Tempo in beats a minute.
    BeatsPerMinute,
    /// A share, mask, correlation or normalised value: no unit.
    Ratio,
    /// A coefficient of a transform of decibels or logarithms.
    Coefficient,
    /// Rows of different units, told by their names.
    Mixed,
}

/// Shape and meaning of a feature matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// What a row is.
    pub row_axis: Axis,
    /// What a column is.
    pub column_axis: Axis,
    /// What a value is.
    pub unit: Unit,
}

/// Buffers of one [`Extractor`], for one thread. Made by [`Extractor::scratch`].
pub struct Scratch(Box<dyn Any + Send>);

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
    }
}

impl Scratch {
    pub(crate) fn new<S: Send + 'static>(scratch: S) -> Self {
        Self(Box::new(scratch))
    }

    pub(crate) fn of<S: 'static>(&mut self, plan: &'static str) -> Result<&mut S, FeatureError> {
        self.0.downcast_mut().ok_or(FeatureError::Scratch { plan })
    }
}

/// A planned feature: immutable, shared by all threads, a pure function of the samples.
///
/// Same samples, same bytes, whatever the thread.
pub trait Extractor: Send + Sync + std::fmt::Debug {
    /// The feature's name, as in a configuration file.
    fn name(&self) -> &'static str;

    /// Samples that one column looks at.
    fn frame_length(&self) -> usize;

    /// Shape and meaning of the result for a signal of `samples` samples.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] when such a signal has no frame.
    fn layout(&self, samples: usize) -> Result<Layout, FeatureError>;

    /// Buffers for [`Extractor::extract_into`], one per thread.
    fn scratch(&self) -> Scratch;

    /// Buffers for signals of up to `samples` samples. The same as [`Extractor::scratch`] for a feature that looks at a bounded
    /// stretch at a time; one that needs the whole signal refuses a longer one than its scratch was made for.
    fn scratch_for(&self, samples: usize) -> Scratch {
        let _ = samples;
        self.scratch()
    }

    /// Computes the feature into `out`, of the announced shape and any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError`]: short or non-finite signal, wrong shape, foreign scratch.
    fn extract_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError>;

    /// What a reader of the result for a signal of `samples` samples should know, such as that zeros were put after it.
    fn remark(&self, samples: usize) -> Option<String> {
        let _ = samples;
        None
    }

    /// Computes the feature while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] for a feature that needs the whole signal first.
    fn stream(&self) -> Result<ColumnStream, FeatureError>;

    /// Computes the feature, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError`]: short or non-finite signal, no memory.
    fn extract(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        let layout = self.layout(samples.len())?;
        let mut out = check::matrix(layout.rows, layout.columns)?;
        self.extract_into(samples, out.view_mut(), &mut self.scratch_for(samples.len()))?;
        Ok(out)
    }
}

/// The methods of [`Extractor`] that are the same for every feature with a `scratch` and a `process_into` of its own.
macro_rules! by_process_into {
    ($name:literal) => {
        fn name(&self) -> &'static str {
            $name
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
            self.process_into(samples, out, scratch.of($name)?)
        }
    };
}
pub(crate) use by_process_into;
