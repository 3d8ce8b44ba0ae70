//! Features whose column `t` depends on frame `t` alone: the shared loop over frames, in batch and streaming.

use ndarray::ArrayViewMut2;

use crate::FeatureError;
use crate::check;
use crate::frame::{FrameStream, Framing, Span};

/// Computes one column from one frame. Holds the plan and its own buffers.
pub(crate) trait ColumnKernel: Send {
    /// Takes frame `t` and writes column `t` of the feature into `out`; one with a delay writes column `t - delay`, if any.
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]);

    /// Frames after its own that a column looks at.
    fn delay(&self) -> usize {
        0
    }

    /// Writes column `t` of all `frames`, one of those that were still to come at the end, in order.
    fn late_column(&mut self, t: usize, frames: usize, out: &mut [f32]) {
        let _ = (t, frames, out);
    }
}

/// Calls `column` for every column of `out`, through `spare` where the columns of `out` are not contiguous.
pub(crate) fn for_each_column<T: Copy>(
    mut out: ArrayViewMut2<'_, T>,
    spare: &mut [T],
    mut column: impl FnMut(usize, &mut [T]),
) {
    for (t, mut place) in out.columns_mut().into_iter().enumerate() {
        if let Some(slice) = place.as_slice_mut() {
            column(t, slice);
        } else {
            column(t, spare);
            place.iter_mut().zip(spare.iter()).for_each(|(to, from)| *to = *from);
        }
    }
}

/// A feature computed while samples arrive, in blocks of any size: the same columns as in batch, bit for bit.
///
/// Memory is bounded by a frame, a hop, the padding and the largest block. A feature whose columns look at later frames gives
/// them that much later, the last ones when the stream ends.
///
/// ```
/// use mgr_features::mel::MelConfig;
/// let mel = MelConfig::default().plan(22_050)?;
/// let samples = vec![0.25; 10_000];
/// let mut columns = 0;
/// let mut stream = mel.stream();
/// for block in samples.chunks(777) {
///     stream.push(block, |column: &[f32]| { assert_eq!(column.len(), 128); columns += 1; })?;
/// }
/// stream.finish(|_| columns += 1)?;
/// assert_eq!(columns, mel.process(&samples)?.ncols());
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[must_use]
pub struct ColumnStream(Source);

enum Source {
    Frames { frames: FrameStream, kernel: Box<dyn ColumnKernel>, column: Vec<f32> },
    Blocks(Box<dyn BlockKernel>),
}

/// Computes columns from samples in blocks, where they come from more than a frame each.
pub(crate) trait BlockKernel: Send {
    /// Values of a column.
    fn rows(&self) -> usize;

    /// Samples given so far.
    fn seen(&self) -> usize;

    /// Takes finite samples and hands out the columns that they complete.
    fn push(&mut self, samples: &[f32], take: &mut dyn FnMut(&[f32]));

    /// Hands out the columns that are left.
    fn finish(&mut self, take: &mut dyn FnMut(&[f32])) -> Result<(), FeatureError>;
}

impl std::fmt::Debug for ColumnStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = match &self.0 {
            Source::Frames { column, .. } => column.len(),
            Source::Blocks(kernel) => kernel.rows(),
        };
        f.debug_struct("ColumnStream").field("rows", &rows).field("seen", &self.seen()).finish()
    }
}

impl ColumnStream {
    pub(crate) fn new(framing: Framing, rows: usize, kernel: Box<dyn ColumnKernel>) -> Self {
        Self(Source::Frames { frames: FrameStream::new(framing), kernel, column: vec![0.0; rows] })
    }

    pub(crate) fn of_blocks(kernel: Box<dyn BlockKernel>) -> Self {
        Self(Source::Blocks(kernel))
    }

    /// Samples given so far.
    #[must_use]
    pub fn seen(&self) -> usize {
        match &self.0 {
            Source::Frames { frames, .. } => frames.seen(),
            Source::Blocks(kernel) => kernel.seen(),
        }
    }

    /// Takes the next samples and hands every column that they complete to `take`.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`], the index counted from the start of the stream; the block is then not taken.
    pub fn push(&mut self, samples: &[f32], mut take: impl FnMut(&[f32])) -> Result<(), FeatureError> {
        let seen = self.seen();
        check::finite(samples).map_err(|e| match e {
            FeatureError::NotFinite { index, value } => {
                FeatureError::NotFinite { index: seen + index, value }
            }
            other => other,
        })?;
        match &mut self.0 {
            Source::Frames { frames, kernel, column } => {
                let delay = kernel.delay();
                frames.push(samples, |t, span| {
                    kernel.column(t, span, column);
                    if t >= delay {
                        take(column);
                    }
                });
            }
            Source::Blocks(kernel) => kernel.push(samples, &mut take),
        }
        Ok(())
    }

    /// Ends the signal and hands out the columns that reach into the padding at its end.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] when the whole signal is too short for a frame.
    pub fn finish(self, mut take: impl FnMut(&[f32])) -> Result<(), FeatureError> {
        match self.0 {
            Source::Frames { frames, mut kernel, mut column } => {
                let count = frames.frames()?;
                let delay = kernel.delay();
                frames.finish(|t, span| {
                    kernel.column(t, span, &mut column);
                    if t >= delay {
                        take(&column);
                    }
                })?;
                for t in count.saturating_sub(delay)..count {
                    kernel.late_column(t, count, &mut column);
                    take(&column);
                }
                Ok(())
            }
            Source::Blocks(mut kernel) => kernel.finish(&mut take),
        }
    }
}
