//! Scattering while samples arrive, block by block.

use super::geometry::Blocks;
use super::paths::Averaged;
use super::{Scattering, ScatteringScratch};
use crate::frame::Span;
use crate::{FeatureError, check};

/// Scattering columns while samples arrive, in blocks of any size: the same as in batch, bit for bit.
///
/// Memory is bounded by two blocks of the transform and the largest block given. Signals that batch computes in one piece
/// are held until they are whole.
///
/// ```
/// use mgr_features::scattering::ScatteringConfig;
/// let scattering = ScatteringConfig { j: 5, q: 2, ..ScatteringConfig::default() }.plan(22_050)?;
/// let samples = vec![0.25; 50_000];
/// let mut columns = 0;
/// let mut stream = scattering.stream(samples.len())?;
/// for block in samples.chunks(1000) {
///     stream.push(block, |column: &[f32]| { assert_eq!(column.len(), scattering.paths().len()); columns += 1; })?;
/// }
/// stream.finish(|_| columns += 1)?;
/// assert_eq!(columns, scattering.columns(samples.len())?);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[must_use]
pub struct ScatteringStream {
    plan: Scattering,
    scratch: ScatteringScratch,
    blocks: Blocks,
    next: usize,
    held: Vec<f32>,
    base: usize,
    columns: Vec<f32>,
}

impl std::fmt::Debug for ScatteringStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScatteringStream").field("seen", &self.seen()).finish_non_exhaustive()
    }
}

impl ScatteringStream {
    pub(super) fn new(plan: Scattering, samples: usize) -> Result<Self, FeatureError> {
        let refused = |reason| FeatureError::NotStreamable { feature: "scattering", reason };
        let blocks = plan.blocks(samples)?;
        let Averaged::Local { level, .. } = plan.0.tree.averaged else {
            return Err(refused("an average over the whole signal comes at its end"));
        };
        if !blocks.is_whole() && blocks.wraps() {
            return Err(refused("its filters reach from one end of the padded signal to the other"));
        }
        let most = blocks.most_columns(level);
        let scratch = plan.scratch_for(samples);
        let columns = vec![0.0; most * plan.0.tree.rows];
        Ok(Self { plan, scratch, blocks, next: 0, held: Vec::new(), base: 0, columns })
    }

    /// Samples given so far.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.base + self.held.len()
    }

    /// Takes the next samples and hands every column that they complete to `take`.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`], the index counted from the start of the stream, and [`FeatureError::Parameter`] for more
    /// samples than were announced; nothing is then taken.
    pub fn push(&mut self, samples: &[f32], mut take: impl FnMut(&[f32])) -> Result<(), FeatureError> {
        let (seen, total) = (self.seen(), self.blocks.padded.samples);
        if samples.len() > total - seen {
            let allowed = format!("{total}, as announced");
            return Err(FeatureError::parameter("samples", seen.saturating_add(samples.len()), allowed));
        }
        check::finite(samples).map_err(|e| match e {
            FeatureError::NotFinite { index, value } => {
                FeatureError::NotFinite { index: seen + index, value }
            }
            other => other,
        })?;
        self.held.extend_from_slice(samples);
        while self.next < self.blocks.count() && self.blocks.looks_until(self.next) <= self.seen() {
            self.block(&mut take)?;
        }
        Ok(())
    }

    /// Ends the signal. All columns have come by then: the last with the last sample.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] when fewer samples came than were announced.
    pub fn finish(self, _take: impl FnMut(&[f32])) -> Result<(), FeatureError> {
        let (got, needed) = (self.seen(), self.blocks.padded.samples);
        if got < needed { Err(FeatureError::TooShort { got, needed }) } else { Ok(()) }
    }

    fn block(&mut self, take: &mut impl FnMut(&[f32])) -> Result<(), FeatureError> {
        let Self { plan, scratch, blocks, next, held, base, columns } = self;
        let rows = plan.0.tree.rows;
        let signal = Span { samples: held, base: *base, total: blocks.padded.samples };
        let level = plan.column_level().unwrap_or(0);
        let (_, first, count) = blocks.columns(*next, level);
        plan.block(blocks, *next, signal, 1.0, scratch, &mut |row: usize, at: usize, value: f64| {
            columns[(at - first) * rows + row] = value as f32;
        })?;
        columns.chunks_exact(rows).take(count).for_each(take);
        *next += 1;
        if *next < blocks.count() {
            let keep = blocks.looks_from(*next).max(*base);
            held.drain(..(keep - *base).min(held.len()));
            *base = keep;
        }
        Ok(())
    }
}
