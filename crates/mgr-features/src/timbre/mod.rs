//! The timbre features of Marsyas (`bextract`): zero crossings, centroid, roll-off, flux, 13 MFCC, chroma and its peaks, per
//! frame, per texture window or per clip.

pub(crate) mod bank;
mod frame;
mod memory;
mod names;

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::column::{BlockKernel, for_each_column};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};
use frame::{FrameScratch, FrameTables};
use memory::{Accumulator, Memory};

/// What a column of timbre features stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimbreOutput {
    /// A frame: 31 or 17 values.
    Frames,
    /// The last `memory` frames at every frame, a running texture window: means, then standard deviations, 62 or 34 values. The
    /// default, as `bextract` without `-sv`.
    #[default]
    Texture,
    /// The whole clip: means, then standard deviations of all texture windows, 124 or 68 values (`bextract -sv`).
    Clip,
}

/// By whose rules timbre features are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimbreDialect {
    /// Those of Marsyas, to the constant. The default.
    #[default]
    Marsyas,
    /// The same features without what is odd in them, see [`Timbre`].
    Clean,
}

/// Parameters of the timbre features of Marsyas. Defaults are those of `bextract`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimbreConfig {
    /// Samples in a frame, 4 to 65,536. Default 512.
    pub win_length: usize,
    /// Samples from one frame to the next, 1 to `win_length`. Default 512.
    pub hop_length: usize,
    /// Frames in a texture window, 1 to 65,536. Default 20; the papers have 40, some 1 s.
    pub memory: usize,
    /// Whether chroma and its two peak ratios are among the features: 31 of a frame, or the 17 of older versions. Default yes.
    pub chroma: bool,
    /// What a column is.
    pub output: TimbreOutput,
    /// By whose rules.
    pub dialect: TimbreDialect,
}

impl Default for TimbreConfig {
    fn default() -> Self {
        Self {
            win_length: 512,
            hop_length: 512,
            memory: 20,
            chroma: true,
            output: TimbreOutput::default(),
            dialect: TimbreDialect::default(),
        }
    }
}

impl TimbreConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, a window, hop or memory out of range.
    pub fn plan(&self, sample_rate: u32) -> Result<Timbre, FeatureError> {
        check::rate(sample_rate)?;
        let Self { win_length, hop_length, memory, chroma, .. } = *self;
        let whole = |field, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(FeatureError::parameter(field, value, format!("{low} to {high}")))
        };
        whole("win_length", win_length, 4, 1 << 16)?;
        whole("hop_length", hop_length, 1, win_length)?;
        whole("memory", memory, 1, 1 << 16)?;
        let tables = FrameTables::new(sample_rate, win_length, chroma, self.dialect)?;
        Ok(Timbre { config: self.clone(), tables, sample_rate })
    }
}

/// Planned timbre features of Marsyas.
///
/// A frame ends with every hop and holds the last `win_length` samples, zeros before the first; what is left over at the end is
/// no frame. With the power spectrum `P` of the frame in a symmetric Hamming window, its transform divided by its length, over the
/// bins `k` from 0 to half:
///
/// | value | by Marsyas | clean |
/// |---|---|---|
/// | zero crossings | one more than the neighbours of opposite sign, over `win_length`; a zero hides a crossing | not one more; a zero is positive |
/// | centroid | `sum k P / sum P`, over the number of bins; 0.5 for silence | over half the length; 0 for silence |
/// | roll-off | the last bin under 90 % of the power, over the number of bins; 1 where that is bin 0 or 1, and for silence | the first bin with 90 %, over half the length; 0 for silence |
/// | flux | of `d = (ln P - ln P before)^2` the sum over the largest and the number of bins; before the first frame every `ln P` is 0 | 0 for the first frame |
/// | MFCC 0 to 12 | Auditory Toolbox, of powers; an empty band counts as 1 | of magnitudes; at least 1e-10 |
/// | chroma, 12 | Ellis's, frequencies read as `k` times the rate over the number of bins | over the length |
/// | peak ratios | the largest class over the mean, and over the smallest; 0 for silence | the same |
/// | texture window | the first frame stands for those before it | only the frames that there are |
///
/// Standard deviations are those of the population. Everything is computed in f64. Source: Marsyas, `bextract -timbral`.
///
/// ```
/// use mgr_features::timbre::{TimbreConfig, TimbreOutput};
/// let config = TimbreConfig { output: TimbreOutput::Clip, ..TimbreConfig::default() };
/// assert_eq!(config.plan(22_050)?.process(&vec![0.1; 22_050])?.dim(), (124, 1));
/// let classic = TimbreConfig { chroma: false, ..config };
/// assert_eq!(classic.plan(22_050)?.process(&vec![0.1; 22_050])?.dim(), (68, 1));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timbre {
    config: TimbreConfig,
    tables: FrameTables,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Timbre::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct TimbreScratch {
    tables: FrameScratch,
    /// The last samples, as many as a frame has.
    frame: Vec<f32>,
    frames: usize,
    values: Vec<f64>,
    memory: Memory,
    texture: Vec<f64>,
    clip: Accumulator,
    column: Vec<f32>,
}

impl Timbre {
    /// Values of a column.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self.config.output {
            TimbreOutput::Frames => self.tables.width(),
            TimbreOutput::Texture => 2 * self.tables.width(),
            TimbreOutput::Clip => 4 * self.tables.width(),
        }
    }

    /// Columns for a signal of so many samples.
    fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        let hop = self.config.hop_length;
        match samples / hop {
            0 => Err(FeatureError::TooShort { got: samples, needed: hop }),
            _ if self.config.output == TimbreOutput::Clip => Ok(1),
            frames => Ok(frames),
        }
    }

    /// The names of the values of a column, as Marsyas gives them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        names::names(&self.config)
    }

    /// Buffers for [`Timbre::process_into`].
    #[must_use]
    pub fn scratch(&self) -> TimbreScratch {
        let width = self.tables.width();
        let memory = if self.config.output == TimbreOutput::Frames { 0 } else { self.config.memory };
        TimbreScratch {
            tables: self.tables.scratch(),
            frame: vec![0.0; self.config.win_length],
            frames: 0,
            values: vec![0.0; width],
            memory: Memory::new(self.config.dialect, memory, width),
            texture: vec![0.0; 2 * width],
            clip: Accumulator::new(2 * width),
            column: vec![0.0; self.rows()],
        }
    }

    /// The features of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for less than a hop, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The features of a signal into `out`, any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut TimbreScratch,
    ) -> Result<(), FeatureError> {
        if !self.fits(scratch) {
            return Err(FeatureError::Scratch { plan: "timbre" });
        }
        check::shape(&out, self.rows(), self.columns(samples.len())?)?;
        check::finite(samples)?;
        self.reset(scratch);
        let mut spare = std::mem::take(&mut scratch.column);
        let mut blocks = samples.chunks_exact(self.config.hop_length);
        for_each_column(out, &mut spare, |_, column| {
            if self.config.output == TimbreOutput::Clip {
                for block in blocks.by_ref() {
                    self.advance(block, scratch, None);
                }
                scratch.clip.write(column);
            } else if let Some(block) = blocks.next() {
                self.advance(block, scratch, Some(column));
            }
        });
        scratch.column = spare;
        Ok(())
    }

    fn fits(&self, scratch: &TimbreScratch) -> bool {
        let rows = self.rows();
        self.tables.fits(&scratch.tables)
            && scratch.frame.len() == self.config.win_length
            && scratch.values.len() == self.tables.width()
            && scratch.column.len() == rows
            && scratch.memory.fits(self.memory_shape())
    }

    /// Length and dialect of the memory.
    fn memory_shape(&self) -> (usize, TimbreDialect) {
        let frames = self.config.output == TimbreOutput::Frames;
        (if frames { 0 } else { self.config.memory * self.tables.width() }, self.config.dialect)
    }

    fn reset(&self, scratch: &mut TimbreScratch) {
        scratch.tables.reset();
        scratch.frame.fill(0.0);
        scratch.frames = 0;
        scratch.memory.reset();
        scratch.clip.reset();
    }

    /// Takes a hop of samples and writes the column that ends with it; none for the vector of a clip, which is gathered.
    fn advance(&self, block: &[f32], scratch: &mut TimbreScratch, column: Option<&mut [f32]>) {
        let TimbreScratch { tables, frame, frames, values, memory, texture, clip, .. } = scratch;
        let kept = frame.len() - block.len();
        frame.copy_within(block.len().., 0);
        frame[kept..].copy_from_slice(block);
        self.tables.frame(frame, *frames == 0, tables, values);
        *frames += 1;
        let narrow = |from: &[f64], to: Option<&mut [f32]>| {
            if let Some(to) = to {
                to.iter_mut().zip(from).for_each(|(o, v)| *o = *v as f32);
            }
        };
        match self.config.output {
            TimbreOutput::Frames => narrow(values, column),
            TimbreOutput::Texture => {
                memory.push(values, texture);
                narrow(texture, column);
            }
            TimbreOutput::Clip => {
                memory.push(values, texture);
                clip.push(texture);
            }
        }
    }

    /// Computes the same columns while samples arrive; the vector of a clip when they end.
    pub fn stream(&self) -> ColumnStream {
        let scratch = self.scratch();
        ColumnStream::of_blocks(Box::new(Kernel {
            plan: self.clone(),
            scratch,
            pending: Vec::new(),
            seen: 0,
        }))
    }
}

struct Kernel {
    plan: Timbre,
    scratch: TimbreScratch,
    /// Less than a hop.
    pending: Vec<f32>,
    seen: usize,
}

impl Kernel {
    fn advance(&mut self, block: &[f32], take: &mut dyn FnMut(&[f32])) {
        if self.plan.config.output == TimbreOutput::Clip {
            return self.plan.advance(block, &mut self.scratch, None);
        }
        let mut column = std::mem::take(&mut self.scratch.column);
        self.plan.advance(block, &mut self.scratch, Some(&mut column));
        take(&column);
        self.scratch.column = column;
    }
}

impl BlockKernel for Kernel {
    fn rows(&self) -> usize {
        self.plan.rows()
    }

    fn seen(&self) -> usize {
        self.seen
    }

    fn push(&mut self, mut samples: &[f32], take: &mut dyn FnMut(&[f32])) {
        let hop = self.plan.config.hop_length;
        self.seen += samples.len();
        if !self.pending.is_empty() {
            let (more, rest) = samples.split_at(samples.len().min(hop - self.pending.len()));
            self.pending.extend_from_slice(more);
            samples = rest;
            if self.pending.len() < hop {
                return;
            }
            let pending = std::mem::take(&mut self.pending);
            self.advance(&pending, take);
            self.pending = pending;
            self.pending.clear();
        }
        let blocks = samples.chunks_exact(hop);
        self.pending.extend_from_slice(blocks.remainder());
        for block in blocks {
            self.advance(block, take);
        }
    }

    fn finish(&mut self, take: &mut dyn FnMut(&[f32])) -> Result<(), FeatureError> {
        self.plan.columns(self.seen)?;
        if self.plan.config.output == TimbreOutput::Clip {
            self.scratch.clip.write(&mut self.scratch.column);
            take(&self.scratch.column);
        }
        Ok(())
    }
}

impl Extractor for Timbre {
    by_process_into!("timbre");

    fn frame_length(&self) -> usize {
        self.config.win_length
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let columns = self.columns(samples)?;
        let TimbreConfig { win_length, hop_length, memory, output, .. } = self.config;
        let rate = f64::from(self.sample_rate);
        let hop = hop_length as f64 / rate;
        let frame = hop - win_length as f64 / 2.0 / rate;
        let frames = samples / hop_length;
        let (start_s, step_s) = match output {
            TimbreOutput::Frames => (frame, hop),
            TimbreOutput::Texture => (frame - hop * (memory as f64 - 1.0) / 2.0, hop),
            TimbreOutput::Clip => (frames as f64 * hop / 2.0, frames as f64 * hop),
        };
        Ok(Layout {
            rows: self.rows(),
            columns,
            row_axis: Axis::Name { names: self.names() },
            column_axis: Axis::Time { start_s, step_s },
            unit: Unit::Mixed,
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Ok(self.stream())
    }
}
