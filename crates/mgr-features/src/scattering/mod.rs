//! Time scattering: averaged envelopes of Morlet wavelets, and of the envelopes' own wavelets.

mod bank;
mod cascade;
mod config;
mod geometry;
mod mlfcf;
mod paths;
mod stream;

use std::sync::{Arc, OnceLock};

use ndarray::{Array2, ArrayViewMut2};

pub use bank::Wavelet;
pub use config::{Averaging, Precision, Scaling, ScatteringConfig};
pub use mlfcf::{MlfcfScattering, MlfcfScatteringConfig};
pub use paths::Path;
pub use stream::ScatteringStream;

use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit};
use crate::frame::Span;
use crate::simd::scattering::Scattered;
use crate::{ColumnStream, FeatureError, check};
use cascade::{Buffers, Cascade, Sink, Stretch, reach};
use geometry::{Blocks, Padded};
use paths::{Averaged, Tree};

/// The longest scale of averaging, in samples.
const LONGEST: u32 = 1 << 24;

impl ScatteringConfig {
    fn tree(&self) -> Result<(Tree, f64), FeatureError> {
        let within = |field, value: u32, low: u32, high: u32| {
            check::within(field, f64::from(value), f64::from(low), f64::from(high))
        };
        within("j", self.j, 1, 16)?;
        within("q", self.q, 1, 128)?;
        within("q2", self.q2, 1, 128)?;
        within("max_order", self.max_order.into(), 1, 2)?;
        within("oversampling", self.oversampling, 0, 32)?;
        let t = match self.averaging {
            Averaging::Samples(t) => {
                within("averaging.samples", t, 1, LONGEST)?;
                t
            }
            _ => 1 << self.j,
        };
        let averaged = match self.averaging {
            Averaging::Scale | Averaging::Samples(_) => {
                Averaged::Local { t: t.into(), level: t.ilog2().saturating_sub(self.oversampling) as usize }
            }
            Averaging::Global => Averaged::Global,
            Averaging::None => Averaged::No,
        };
        let tree = Tree::new(self.j, [self.q, self.q2], self.max_order == 2, averaged, self.oversampling);
        Ok((Tree { legacy: self.scaling == Scaling::Legacy, ..tree }, t.into()))
    }

    fn plan_any(&self, sample_rate: u32) -> Result<Scattering, FeatureError> {
        check::rate(sample_rate)?;
        let (tree, t) = self.tree()?;
        let engine = match self.precision {
            Precision::Single => AnyEngine::Single(Engine::new(&tree)),
            Precision::Double => AnyEngine::Double(Engine::new(&tree)),
        };
        let needed = (1_usize << self.j).max(if tree.averaged.is_local() { t as usize } else { 2 });
        let paths = tree.paths();
        Ok(Scattering(Arc::new(Inner { tree, paths, t, needed, sample_rate, engine })))
    }

    /// Checks the parameters and makes the table of paths. Filters are made for the first signal that needs them, since they
    /// depend on its length, and kept.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, a field that is not in its range, and no averaging, for which
    /// rows have different lengths: see [`ScatteringConfig::plan_lists`].
    pub fn plan(&self, sample_rate: u32) -> Result<Scattering, FeatureError> {
        if self.averaging == Averaging::None {
            return Err(FeatureError::parameter(
                "averaging",
                "none",
                "scale, samples or global for a matrix",
            ));
        }
        self.plan_any(sample_rate)
    }

    /// The same for a list of rows, each of its own length: the only way without averaging.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`].
    pub fn plan_lists(&self, sample_rate: u32) -> Result<ScatteringLists, FeatureError> {
        self.plan_any(sample_rate).map(ScatteringLists)
    }
}

/// Tables by transform length, made when first asked for.
struct Engine<F> {
    cascades: [OnceLock<Arc<Cascade<F>>>; 64],
    /// Length of a block, a power of two; a shorter signal goes through in one piece.
    longest: usize,
    /// How far filters reach.
    reach: usize,
}

impl<F: Scattered> Engine<F> {
    fn new(tree: &Tree) -> Self {
        let reach = reach::<F>(tree);
        // A third at most is computed twice, and all that a block needs stays in cache.
        let longest = (6 * reach).next_power_of_two().max(1 << 12);
        Self { cascades: [const { OnceLock::new() }; 64], longest, reach }
    }

    fn cascade(&self, tree: &Tree, length: usize) -> Arc<Cascade<F>> {
        let slot = &self.cascades[length.ilog2() as usize % 64];
        slot.get_or_init(|| Arc::new(Cascade::new(tree, length))).clone()
    }

    fn blocks(&self, tree: &Tree, padded: Padded) -> Blocks {
        let whole = Blocks::whole(padded);
        if padded.circle <= self.longest {
            return whole;
        }
        let align = 1 << tree.levels().max().unwrap_or(0);
        let cut = Blocks::cut(padded, self.longest, align, self.reach);
        if padded.circle <= 2 * self.longest && whole.cost() <= cut.cost() { whole } else { cut }
    }

    /// Tables and buffers for one length of transform.
    fn part(&self, tree: &Tree, length: usize) -> Part<F> {
        let cascade = self.cascade(tree, length);
        Part { length, buffers: cascade.buffers(), cascade }
    }

    /// The part of a scratch for that length, made where it is missing; none if the scratch is of another plan.
    fn find<'a>(&self, tree: &Tree, parts: &'a mut Vec<Part<F>>, length: usize) -> Option<&'a mut Part<F>> {
        if !parts.iter().all(|part| self.made(part)) {
            return None;
        }
        let at = parts.iter().position(|part| part.length == length).unwrap_or(parts.len());
        if at == parts.len() {
            parts.push(self.part(tree, length));
        }
        parts.get_mut(at)
    }

    /// Whether a part has this plan's tables.
    fn made(&self, part: &Part<F>) -> bool {
        let ours = self.cascades.get(part.length.ilog2() as usize).and_then(OnceLock::get);
        ours.is_some_and(|ours| Arc::ptr_eq(ours, &part.cascade))
    }
}

enum AnyEngine {
    Single(Engine<f32>),
    Double(Engine<f64>),
}

struct Part<F> {
    length: usize,
    cascade: Arc<Cascade<F>>,
    buffers: Buffers<F>,
}

enum Parts {
    Single(Vec<Part<f32>>),
    Double(Vec<Part<f64>>),
}

/// Buffers of one computation; make one per thread with [`Scattering::scratch_for`] and use it again.
///
/// It serves signals of any length, and grows where one is padded to another length than those before.
pub struct ScatteringScratch {
    parts: Parts,
    /// For averages over the whole signal.
    sums: Vec<f64>,
}

impl std::fmt::Debug for ScatteringScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScatteringScratch").finish_non_exhaustive()
    }
}

struct Inner {
    tree: Tree,
    paths: Vec<Path>,
    t: f64,
    needed: usize,
    sample_rate: u32,
    engine: AnyEngine,
}

/// A planned scattering transform, (paths, columns).
///
/// With wavelets `psi`, the low-pass filter `phi` and `*` for convolution:
/// order 0 is `x * phi`; order 1 `|x * psi1| * phi`; order 2 `||x * psi1| * psi2| * phi`, for all pairs of which the second
/// is the slower one (`j2 > j1`). Every filter has unit L1 norm. Rows are ordered as the reference's: order 0, the first-order
/// wavelets from high to low frequency, then pairs by first and second wavelet; [`Scattering::paths`] tells them. Columns
/// are `2^floor(log2 T) / 2^oversampling` samples apart, where the reference puts them: that depends on the signal's length.
///
/// The signal is mirrored at its ends. Long signals are computed in blocks that overlap by what the filters reach, so
/// memory does not grow with the signal. Samples beyond 1e19 overflow in single precision.
///
/// Source: Andén and Mallat, Deep Scattering Spectrum (2014); numbers of kymatio 0.3 `Scattering1D`.
///
/// ```
/// use mgr_features::scattering::ScatteringConfig;
/// let scattering = ScatteringConfig { j: 6, q: 4, ..ScatteringConfig::default() }.plan(22_050)?;
/// // A tone at 2756 Hz, an eighth of the sampling rate.
/// let tone: Vec<f32> = (0..8192).map(|n| (n as f32 * std::f32::consts::TAU / 8.0).cos()).collect();
/// let matrix = scattering.process(&tone)?;
/// assert_eq!(matrix.dim(), (scattering.paths().len(), 128));
/// let column = matrix.column(64);
/// let loudest = (0..column.len()).max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap();
/// let path = scattering.paths()[loudest];
/// assert_eq!(path.order(), 1);
/// assert!((path.hz(22_050)[0] / 2756.0).log2().abs() < 0.125);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Clone)]
pub struct Scattering(Arc<Inner>);

impl std::fmt::Debug for Scattering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scattering").field("paths", &self.0.paths.len()).finish_non_exhaustive()
    }
}

impl Scattering {
    /// What every row is.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.0.paths
    }

    /// Columns for a signal of `samples` samples.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for fewer samples than the largest scale, `2^j` or that of averaging.
    pub fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        let padded = self.padded(samples)?;
        Ok(self.column_level().map_or(1, |level| padded.count(level)))
    }

    fn column_level(&self) -> Option<usize> {
        match self.0.tree.averaged {
            Averaged::Local { level, .. } => Some(level),
            Averaged::Global | Averaged::No => None,
        }
    }

    fn padded(&self, samples: usize) -> Result<Padded, FeatureError> {
        if samples < self.0.needed {
            return Err(FeatureError::TooShort { got: samples, needed: self.0.needed });
        }
        Ok(Padded::new(samples, self.0.t))
    }

    fn blocks(&self, samples: usize) -> Result<Blocks, FeatureError> {
        let padded = self.padded(samples)?;
        Ok(match &self.0.engine {
            AnyEngine::Single(engine) => engine.blocks(&self.0.tree, padded),
            AnyEngine::Double(engine) => engine.blocks(&self.0.tree, padded),
        })
    }

    /// Buffers for signals that need blocks: those of many times the largest scale.
    #[must_use]
    pub fn scratch(&self) -> ScatteringScratch {
        self.scratch_of(None)
    }

    /// Buffers for signals of `samples` samples, and all others that are padded to the same length.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> ScatteringScratch {
        self.scratch_of(self.blocks(samples.max(self.0.needed)).ok().map(|blocks| blocks.length))
    }

    /// For one length of transform, or for that of blocks.
    fn scratch_of(&self, length: Option<usize>) -> ScatteringScratch {
        let Inner { tree, engine, .. } = &*self.0;
        let parts = match engine {
            AnyEngine::Single(e) => Parts::Single(vec![e.part(tree, length.unwrap_or(e.longest))]),
            AnyEngine::Double(e) => Parts::Double(vec![e.part(tree, length.unwrap_or(e.longest))]),
        };
        ScatteringScratch { parts, sums: vec![0.0; tree.rows] }
    }

    /// The transform of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The same with values in double precision.
    ///
    /// # Errors
    /// As [`Scattering::process`].
    pub fn process_double(&self, samples: &[f32]) -> Result<Array2<f64>, FeatureError> {
        let mut out = check::matrix::<f64>(self.0.tree.rows, self.columns(samples.len())?)?;
        check::finite(samples)?;
        let mut sink = |row: usize, at: usize, value: f64| out[[row, at]] = value;
        self.run(samples, 1.0, &mut self.scratch_for(samples.len()), &mut sink)?;
        Ok(out)
    }

    /// The transform of a signal into `out` of (paths, columns), any memory layout. Allocates nothing with a scratch of
    /// [`Scattering::scratch_for`] for that length.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut ScatteringScratch,
    ) -> Result<(), FeatureError> {
        check::shape(&out, self.0.tree.rows, self.columns(samples.len())?)?;
        check::finite(samples)?;
        self.run(samples, 1.0, scratch, &mut |row: usize, at: usize, value: f64| {
            out[[row, at]] = value as f32
        })
    }

    /// Computes all of `samples`, which are finite, times `gain`, and gives every value to `take` with its row and column.
    fn run(
        &self,
        samples: &[f32],
        gain: f64,
        scratch: &mut ScatteringScratch,
        take: &mut impl FnMut(usize, usize, f64),
    ) -> Result<(), FeatureError> {
        let blocks = self.blocks(samples.len())?;
        scratch.sums.fill(0.0);
        for block in 0..blocks.count() {
            self.block(&blocks, block, Span::whole(samples), gain, scratch, take)?;
        }
        self.means(&blocks, scratch, take);
        Ok(())
    }

    /// Computes one block, without what is averaged over the whole signal.
    fn block(
        &self,
        blocks: &Blocks,
        block: usize,
        signal: Span<'_>,
        gain: f64,
        scratch: &mut ScatteringScratch,
        take: &mut impl FnMut(usize, usize, f64),
    ) -> Result<(), FeatureError> {
        let Inner { tree, engine, .. } = &*self.0;
        let ScatteringScratch { parts, sums } = scratch;
        let foreign = FeatureError::Scratch { plan: "scattering" };
        let mut sink = Collector { sums: (tree.averaged == Averaged::Global).then_some(sums), take };
        match (engine, parts) {
            (AnyEngine::Single(e), Parts::Single(parts)) => {
                let part = e.find(tree, parts, blocks.length).ok_or(foreign)?;
                part.cascade.block(tree, blocks, block, signal, gain, &mut part.buffers, &mut sink);
            }
            (AnyEngine::Double(e), Parts::Double(parts)) => {
                let part = e.find(tree, parts, blocks.length).ok_or(foreign)?;
                part.cascade.block(tree, blocks, block, signal, gain, &mut part.buffers, &mut sink);
            }
            _ => return Err(foreign),
        }
        Ok(())
    }

    /// Ends averages over the whole signal.
    fn means(&self, blocks: &Blocks, scratch: &ScatteringScratch, take: &mut impl FnMut(usize, usize, f64)) {
        let tree = &self.0.tree;
        if tree.averaged == Averaged::Global {
            for (row, (sum, &level)) in scratch.sums.iter().zip(&tree.row_levels).enumerate() {
                take(row, 0, sum / blocks.padded.count(level) as f64);
            }
        }
    }

    /// Computes the same columns while samples arrive, of a signal of `samples` samples: where columns lie depends on its
    /// length.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`]; [`FeatureError::NotStreamable`] for a global average, and where the scale of averaging is
    /// so much shorter than that of the wavelets that they reach from one end of the padded signal to the other.
    pub fn stream(&self, samples: usize) -> Result<ScatteringStream, FeatureError> {
        ScatteringStream::new(self.clone(), samples)
    }

    fn time_axis(&self, samples: usize) -> Result<Axis, FeatureError> {
        let padded = self.padded(samples)?;
        let rate = f64::from(self.0.sample_rate);
        Ok(match self.column_level() {
            Some(level) => {
                let first = (padded.columns(level).0 << level) - padded.left;
                Axis::Time { start_s: first as f64 / rate, step_s: (1_u64 << level) as f64 / rate }
            }
            None => Axis::Time { start_s: samples as f64 / 2.0 / rate, step_s: samples as f64 / rate },
        })
    }

    fn path_axis(&self) -> Axis {
        let paths = self.paths();
        Axis::Path {
            order: paths.iter().map(Path::order).collect(),
            hz: paths.iter().map(|p| p.hz(self.0.sample_rate).map(|f| f as f32)).collect(),
        }
    }

    /// Samples that one column looks at, both sides together.
    fn span(&self) -> usize {
        let reach = match &self.0.engine {
            AnyEngine::Single(engine) => engine.reach,
            AnyEngine::Double(engine) => engine.reach,
        };
        2 * reach + 1
    }
}

/// Hands values on one by one, or sums them up.
struct Collector<'a, T> {
    sums: Option<&'a mut Vec<f64>>,
    take: &'a mut T,
}

impl<T: FnMut(usize, usize, f64)> Sink for Collector<'_, T> {
    fn put<V: Scattered>(&mut self, stretch: &Stretch<'_, V>) {
        if let Some(sums) = &mut self.sums {
            sums[stretch.row] += stretch.values().sum::<f64>();
        } else {
            for (i, value) in stretch.values().enumerate() {
                (self.take)(stretch.row, stretch.at + i, value);
            }
        }
    }
}

impl Extractor for Scattering {
    fn name(&self) -> &'static str {
        "scattering"
    }

    fn frame_length(&self) -> usize {
        self.span()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.0.tree.rows,
            columns: self.columns(samples)?,
            row_axis: self.path_axis(),
            column_axis: self.time_axis(samples)?,
            unit: Unit::Magnitude,
        })
    }

    fn scratch(&self) -> Scratch {
        Scratch::new(Self::scratch(self))
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn extract_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.process_into(samples, out, scratch.of("scattering")?)
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Err(FeatureError::NotStreamable {
            feature: "scattering",
            reason: "where its columns lie depends on the length of the signal; Scattering::stream takes it",
        })
    }
}

/// A planned scattering transform whose rows are lists, each of its own length.
///
/// Without averaging row 0 is the signal itself, and the envelope of every other path comes subsampled by `2^j` of its last
/// wavelet, less the oversampling.
///
/// ```
/// use mgr_features::scattering::{Averaging, ScatteringConfig};
/// let config = ScatteringConfig { j: 4, q: 2, averaging: Averaging::None, ..ScatteringConfig::default() };
/// let lists = config.plan_lists(22_050)?;
/// let rows = lists.process(&[0.5; 4096])?;
/// assert_eq!(rows.len(), lists.paths().len());
/// assert_eq!(rows[0], [0.5; 4096]);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScatteringLists(Scattering);

impl ScatteringLists {
    /// What every row is.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        self.0.paths()
    }

    /// Length of every row for a signal of `samples` samples.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`].
    pub fn lengths(&self, samples: usize) -> Result<Vec<usize>, FeatureError> {
        let padded = self.0.padded(samples)?;
        let tree = &self.0.0.tree;
        Ok(match tree.averaged {
            Averaged::No => tree.row_levels.iter().map(|&level| padded.count(level)).collect(),
            Averaged::Local { level, .. } => vec![padded.count(level); tree.rows],
            Averaged::Global => vec![1; tree.rows],
        })
    }

    /// The rows for a signal.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`].
    pub fn process(&self, samples: &[f32]) -> Result<Vec<Vec<f32>>, FeatureError> {
        let mut rows: Vec<Vec<f32>> =
            self.lengths(samples.len())?.into_iter().map(|n| vec![0.0; n]).collect();
        self.collect(samples, |row, at, value| rows[row][at] = value as f32)?;
        Ok(rows)
    }

    /// The same with values in double precision.
    ///
    /// # Errors
    /// As [`ScatteringLists::process`].
    pub fn process_double(&self, samples: &[f32]) -> Result<Vec<Vec<f64>>, FeatureError> {
        let mut rows: Vec<Vec<f64>> =
            self.lengths(samples.len())?.into_iter().map(|n| vec![0.0; n]).collect();
        self.collect(samples, |row, at, value| rows[row][at] = value)?;
        Ok(rows)
    }

    fn collect(&self, samples: &[f32], mut take: impl FnMut(usize, usize, f64)) -> Result<(), FeatureError> {
        check::finite(samples)?;
        self.0.run(samples, 1.0, &mut self.0.scratch_for(samples.len()), &mut take)
    }
}
