//! What features that stand on one row of onset strength have in common.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::onset_strength::{OnsetStrength, OnsetStrengthScratch};
use crate::{FeatureError, check};

/// A feature of an envelope.
pub(super) trait OnEnvelope {
    /// Buffers for envelopes of a length.
    type Work;

    /// The feature's name.
    const NAME: &'static str;

    /// What gives the envelope, one row.
    fn strength(&self) -> &OnsetStrength;

    /// Rows and columns of the result for an envelope of so many frames, at least one.
    ///
    /// # Errors
    /// The fewest frames, where these are too few.
    fn shape(&self, frames: usize) -> Result<(usize, usize), usize>;

    /// Buffers for up to so many frames.
    fn work(&self, frames: usize) -> Result<Self::Work, FeatureError>;

    /// Whether buffers are of this plan and hold so many frames.
    fn holds(&self, work: &Self::Work, frames: usize) -> bool;

    /// The feature of an envelope into `out` of that shape. Allocates nothing.
    fn write(&self, envelope: &[f32], out: ArrayViewMut2<'_, f32>, work: &mut Self::Work);
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct EnvelopeScratch<W> {
    strength: OnsetStrengthScratch,
    envelope: Vec<f32>,
    /// None where memory does not suffice.
    work: Option<W>,
}

pub(super) fn scratch_for<F: OnEnvelope>(feature: &F, samples: usize) -> EnvelopeScratch<F::Work> {
    let strength = feature.strength();
    let frames = strength.framing().frames(samples).unwrap_or(0);
    EnvelopeScratch {
        strength: strength.scratch_for(samples),
        envelope: check::vector(1, frames).unwrap_or_default(),
        work: feature.work(frames).ok(),
    }
}

/// Rows and columns of the result for a signal of so many samples.
pub(super) fn shape_for<F: OnEnvelope>(feature: &F, samples: usize) -> Result<(usize, usize), FeatureError> {
    let strength = feature.strength();
    let frames = strength.framing().frames(samples)?;
    let too_short = |needed| FeatureError::TooShort { got: samples, needed: strength.samples_for(needed) };
    feature.shape(frames).map_err(too_short)
}

pub(super) fn extract<F: OnEnvelope>(feature: &F, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
    let (rows, columns) = shape_for(feature, samples.len())?;
    let mut out = check::matrix(rows, columns)?;
    let envelope = feature.strength().process(samples)?;
    let mut work = feature.work(envelope.ncols())?;
    feature.write(envelope.row(0).as_slice().unwrap_or(&[]), out.view_mut(), &mut work);
    Ok(out)
}

pub(super) fn process_into<F: OnEnvelope>(
    feature: &F,
    samples: &[f32],
    out: ArrayViewMut2<'_, f32>,
    scratch: &mut EnvelopeScratch<F::Work>,
) -> Result<(), FeatureError> {
    let (rows, columns) = shape_for(feature, samples.len())?;
    let refused = FeatureError::Scratch { plan: F::NAME };
    let frames = feature.strength().framing().frames(samples.len())?;
    let EnvelopeScratch { strength, envelope, work } = scratch;
    let work = work.as_mut().filter(|work| feature.holds(work, frames));
    let (Some(work), Some(envelope)) = (work, envelope.get_mut(..frames)) else { return Err(refused) };
    check::shape(&out, rows, columns)?;
    let Ok(row) = ArrayViewMut2::from_shape((1, frames), &mut *envelope) else { return Err(refused) };
    feature.strength().process_into(samples, row, strength).map_err(|error| match error {
        FeatureError::Scratch { .. } => refused,
        other => other,
    })?;
    feature.write(envelope, out, work);
    Ok(())
}

/// An envelope that is there already: not empty, finite, long enough.
pub(super) fn checked<F: OnEnvelope>(feature: &F, envelope: &[f32]) -> Result<(usize, usize), FeatureError> {
    if envelope.is_empty() {
        return Err(FeatureError::TooShort { got: 0, needed: 1 });
    }
    check::finite(envelope)?;
    let got = envelope.len();
    feature.shape(got).map_err(|needed| FeatureError::TooShort { got, needed })
}

pub(super) fn process_envelope<F: OnEnvelope>(
    feature: &F,
    envelope: &[f32],
) -> Result<Array2<f32>, FeatureError> {
    let (rows, columns) = checked(feature, envelope)?;
    let mut out = check::matrix(rows, columns)?;
    feature.write(envelope, out.view_mut(), &mut feature.work(envelope.len())?);
    Ok(out)
}

pub(super) fn process_mel<F: OnEnvelope>(
    feature: &F,
    mel: ArrayView2<'_, f32>,
) -> Result<Array2<f32>, FeatureError> {
    let envelope = feature.strength().process_mel(mel)?;
    process_envelope(feature, envelope.row(0).as_slice().unwrap_or(&[]))
}

/// Refuses an onset strength of several rows.
pub(super) fn one_row(strength: OnsetStrength) -> Result<OnsetStrength, FeatureError> {
    match strength.rows() {
        1 => Ok(strength),
        rows => Err(FeatureError::parameter("bands", format!("{rows} rows"), "one row of onset strength")),
    }
}

/// The methods that every feature of an envelope has, and its [`crate::Extractor`].
macro_rules! on_envelope {
    ($name:ident, $scratch:ident, $feature:literal, $reason:literal) => {
        /// Buffers of one computation; make one per thread with `scratch_for` and use it again.
        #[derive(Debug, Clone)]
        pub struct $scratch(on_envelope::EnvelopeScratch<<$name as OnEnvelope>::Work>);

        impl $name {
            /// The onset strength under it.
            #[must_use]
            pub fn onset_strength(&self) -> &OnsetStrength {
                OnEnvelope::strength(self)
            }

            /// Buffers for no signal; use `scratch_for`.
            #[must_use]
            pub fn scratch(&self) -> $scratch {
                self.scratch_for(0)
            }

            /// Buffers for `process_into` and signals of up to `samples` samples. Where memory does not suffice they are refused
            /// when they are used.
            #[must_use]
            pub fn scratch_for(&self, samples: usize) -> $scratch {
                $scratch(on_envelope::scratch_for(self, samples))
            }

            /// The feature of a signal, allocated, each column contiguous in memory.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
            pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
                on_envelope::extract(self, samples)
            }

            /// The feature of a signal into `out` of the announced shape, any memory layout. Allocates nothing.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] for
            /// a scratch of another plan or made for shorter signals.
            pub fn process_into(
                &self,
                samples: &[f32],
                out: ArrayViewMut2<'_, f32>,
                scratch: &mut $scratch,
            ) -> Result<(), FeatureError> {
                on_envelope::process_into(self, samples, out, &mut scratch.0)
            }

            /// The feature of an onset strength that is there already, one value a frame.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`] in frames, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
            pub fn process_envelope(&self, envelope: &[f32]) -> Result<Array2<f32>, FeatureError> {
                on_envelope::process_envelope(self, envelope)
            }

            /// The feature of a mel spectrogram that is there already, not yet compressed, (bands, frames).
            ///
            /// # Errors
            /// [`FeatureError`]: see [`OnsetStrength::process_mel`] and `process_envelope`.
            pub fn process_mel(&self, mel: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
                on_envelope::process_mel(self, mel)
            }
        }

        impl Extractor for $name {
            by_process_into!($feature);

            fn frame_length(&self) -> usize {
                self.onset_strength().framing().frame_length()
            }

            fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
                let (rows, columns) = on_envelope::shape_for(self, samples)?;
                Ok(self.described(rows, columns, samples))
            }

            fn scratch_for(&self, samples: usize) -> Scratch {
                Scratch::new(Self::scratch_for(self, samples))
            }

            fn extract(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
                on_envelope::extract(self, samples)
            }

            fn stream(&self) -> Result<ColumnStream, FeatureError> {
                Err(FeatureError::NotStreamable { feature: $feature, reason: $reason })
            }
        }
    };
}
pub(super) use on_envelope;
