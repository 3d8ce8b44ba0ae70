//! Batches for training: shuffled by a seed, standardised by training data, cropped, augmented, balanced, made ahead by threads.
//!
//! A batch is plain arrays. The same configuration, epoch and items give the same batches, whatever the number of threads: every draw is
//! keyed by the seed, the epoch and the place in the epoch.
//!
//! ```
//! use mgr_data::batch::{BatchConfig, Items, Standardiser};
//! use ndarray::{Array2, Array3, ArrayView2};
//!
//! struct Memory(Array3<f32>, Vec<usize>);
//! impl Items for Memory {
//!     fn len(&self) -> usize {
//!         self.1.len()
//!     }
//!     fn label(&self, item: usize) -> usize {
//!         self.1[item]
//!     }
//!     fn with(&self, item: usize, take: &mut dyn FnMut(ArrayView2<'_, f32>)) -> Result<(), mgr_data::DataError> {
//!         take(self.0.index_axis(ndarray::Axis(0), item));
//!         Ok(())
//!     }
//! }
//!
//! let items = Memory(Array3::from_shape_fn((10, 4, 20), |(i, r, f)| (i + r + f) as f32), vec![0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
//! let standardiser = Standardiser::fit(&items, &[0, 1, 2, 3, 4, 5], false)?;
//! let config = BatchConfig { batch_size: 4, frames: 16, ..BatchConfig::default() };
//! let batches = config.plan(&items, &[0, 1, 2, 3, 4, 5], Some(standardiser))?;
//! batches.epoch(0, |batch| {
//!     assert_eq!(batch.inputs.shape()[1..], [4, 16]);
//!     true
//! })?;
//! # Ok::<(), mgr_data::DataError>(())
//! ```

mod sampling;
mod standardise;
mod stored;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use mgr_features::augment::Random;
use ndarray::{Array3, ArrayView2, ArrayViewMut2, Axis, s};
use serde::{Deserialize, Serialize};

pub use sampling::{Sampling, class_weights};
pub use standardise::Standardiser;
pub use stored::StoredSegments;

use crate::DataError;

/// What batches are made of: matrices (rows, frames) with a class each, such as the segments of clips in a store.
pub trait Items: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of an item.
    fn label(&self, item: usize) -> usize;

    /// Calls `take` with the matrix of an item, once.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn with(&self, item: usize, take: &mut dyn FnMut(ArrayView2<'_, f32>)) -> Result<(), DataError>;
}

/// Which frames of a matrix are taken, where it has more than are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// The first ones.
    Start,
    /// The middle ones.
    Centre,
    /// Another stretch each time. The default.
    #[default]
    Random,
}

/// What is done with a matrix of too few frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Short {
    /// It is an error. The default.
    #[default]
    Refuse,
    /// It is repeated from its beginning.
    Repeat,
    /// Zeros follow, after standardisation.
    Zero,
}

/// How batches are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Items of a batch, at least 1. Default 32.
    pub batch_size: usize,
    /// Frames of each item, at least 1. Default 128.
    pub frames: usize,
    /// Which frames.
    pub crop: Crop,
    /// What to do where there are too few.
    pub short: Short,
    /// In which order, and how often, items come.
    pub sampling: Sampling,
    /// Seed of every draw. Default 0.
    pub seed: u64,
    /// Whether the last batch of an epoch is left out where it is not full. Default false.
    pub drop_last: bool,
    /// Threads that make batches ahead; 0 makes them in the caller's. Default 1.
    pub threads: usize,
    /// Batches made ahead by each thread, at least 1. Default 2.
    pub ahead: usize,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            batch_size: 32,
            frames: 128,
            crop: Crop::default(),
            short: Short::default(),
            sampling: Sampling::default(),
            seed: 0,
            drop_last: false,
            threads: 1,
            ahead: 2,
        }
    }
}

/// One batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// (items, rows, frames), standard layout.
    pub inputs: Array3<f32>,
    /// Class of each item.
    pub labels: Vec<usize>,
    /// Which items they are.
    pub items: Vec<usize>,
}

/// What is done to each item's matrix after standardisation and cropping, by a source of random numbers of its own.
pub type Augment = dyn Fn(ArrayViewMut2<'_, f32>, &mut Random) -> Result<(), DataError> + Send + Sync;

/// Planned batches over some of the items.
pub struct Batches<'a, I: ?Sized> {
    config: BatchConfig,
    items: &'a I,
    chosen: Vec<usize>,
    rows: usize,
    standardiser: Option<Standardiser>,
    augment: Option<Arc<Augment>>,
}

impl<I: ?Sized> fmt::Debug for Batches<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("config", &self.config)
            .field("items", &self.chosen.len())
            .finish_non_exhaustive()
    }
}

fn refuse(name: &'static str, value: impl fmt::Display, allowed: &str) -> DataError {
    DataError::Batch { reason: format!("{name} is {value}, allowed: {allowed}") }
}

impl BatchConfig {
    /// Plans batches of the chosen items, one part of a split. The standardiser has to be fitted on training items alone.
    ///
    /// # Errors
    /// [`DataError::Batch`] for a size of zero, no items, one that is not there, a standardiser of other rows, matrices of different
    /// rows or, by [`Short::Refuse`], too few frames.
    pub fn plan<'a, I: Items + ?Sized>(
        &self,
        items: &'a I,
        chosen: &[usize],
        standardiser: Option<Standardiser>,
    ) -> Result<Batches<'a, I>, DataError> {
        for (name, value) in [("batch_size", self.batch_size), ("frames", self.frames), ("ahead", self.ahead)]
        {
            if value == 0 {
                return Err(refuse(name, 0, "1 and more"));
            }
        }
        if self.threads > 256 {
            return Err(refuse("threads", self.threads, "0 to 256"));
        }
        if let Some(item) = chosen.iter().find(|item| **item >= items.len()) {
            return Err(refuse("item", item, &format!("below {}", items.len())));
        }
        let Some(&first) = chosen.first() else {
            return Err(DataError::Batch { reason: "no items are chosen, at least one is needed".into() });
        };
        if self.drop_last && chosen.len() < self.batch_size {
            let allowed = format!("at most the {} items, since smaller batches are left out", chosen.len());
            return Err(refuse("batch_size", self.batch_size, &allowed));
        }
        let mut rows = 0;
        items.with(first, &mut |matrix| rows = matrix.nrows())?;
        if let Some(found) = standardiser.as_ref().and_then(Standardiser::rows).filter(|found| *found != rows)
        {
            return Err(refuse("the standardiser's rows", found, &rows.to_string()));
        }
        let (config, chosen) = (self.clone(), chosen.to_vec());
        Ok(Batches { config, items, chosen, rows, standardiser, augment: None })
    }
}

impl<I: Items + ?Sized> Batches<'_, I> {
    /// The same batches with an augmentation on the fly.
    #[must_use]
    pub fn with_augment(
        mut self,
        augment: impl Fn(ArrayViewMut2<'_, f32>, &mut Random) -> Result<(), DataError> + Send + Sync + 'static,
    ) -> Self {
        self.augment = Some(Arc::new(augment));
        self
    }

    /// Batches of an epoch.
    #[must_use]
    pub fn count(&self) -> usize {
        let items = self.chosen.len();
        if self.config.drop_last {
            items / self.config.batch_size
        } else {
            items.div_ceil(self.config.batch_size)
        }
    }

    /// The items of an epoch in their order.
    #[must_use]
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        let labels: Vec<usize> = self.chosen.iter().map(|&item| self.items.label(item)).collect();
        let places = self.config.sampling.order(&labels, self.config.seed, epoch);
        places.into_iter().filter_map(|place| self.chosen.get(place).copied()).collect()
    }

    /// Gives the batches of an epoch in order to `take`, until it returns false. Threads make the next ones meanwhile.
    ///
    /// # Errors
    /// The first error of an item, in the order of the batches: [`DataError::Batch`] for a matrix of other rows or too few frames, and
    /// what [`Items::with`] or the augmentation says.
    pub fn epoch(&self, epoch: u64, mut take: impl FnMut(Batch) -> bool) -> Result<(), DataError> {
        let order = self.order(epoch);
        let (count, size) = (self.count(), self.config.batch_size);
        let part = |batch: usize| &order[batch * size..((batch + 1) * size).min(order.len())];
        if self.config.threads == 0 {
            for batch in 0..count {
                if !take(self.make(epoch, batch, part(batch))?) {
                    break;
                }
            }
            return Ok(());
        }
        let threads = self.config.threads.min(count.max(1));
        std::thread::scope(|scope| {
            let part = &part;
            // Thread t makes the batches t, t + threads, ...: taken in turn they are in order. A thread whose batches nobody takes any
            // more ends when it cannot send.
            let made: Vec<_> = (0..threads)
                .map(|thread| {
                    let (send, receive) = sync_channel(self.config.ahead);
                    scope.spawn(move || {
                        for batch in (thread..count).step_by(threads) {
                            let made = self.make(epoch, batch, part(batch));
                            let failed = made.is_err();
                            if send.send(made).is_err() || failed {
                                break;
                            }
                        }
                    });
                    receive
                })
                .collect();
            for batch in 0..count {
                let made = made[batch % threads].recv();
                let made = made
                    .map_err(|_| DataError::Batch { reason: "a thread that makes batches ended".into() })?;
                if !take(made?) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn make(&self, epoch: u64, batch: usize, items: &[usize]) -> Result<Batch, DataError> {
        let frames = self.config.frames;
        let mut inputs = Array3::zeros((items.len(), self.rows, frames));
        let labels = items.iter().map(|&item| self.items.label(item)).collect();
        for (place, (&item, mut out)) in items.iter().zip(inputs.axis_iter_mut(Axis(0))).enumerate() {
            let mut random = Random::keyed(self.config.seed, &[1, epoch, batch as u64, place as u64]);
            let mut fits = Ok(());
            self.items
                .with(item, &mut |matrix| fits = self.fill(item, matrix, out.view_mut(), &mut random))?;
            fits?;
            if let Some(augment) = &self.augment {
                augment(out, &mut random)?;
            }
        }
        Ok(Batch { inputs, labels, items: items.to_vec() })
    }

    fn fill(
        &self,
        item: usize,
        matrix: ArrayView2<'_, f32>,
        mut out: ArrayViewMut2<'_, f32>,
        random: &mut Random,
    ) -> Result<(), DataError> {
        let (rows, frames) = matrix.dim();
        let wanted = out.ncols();
        if rows != self.rows || frames == 0 {
            let reason =
                format!("item {item} is {rows} x {frames}, expected {} rows and a frame or more", self.rows);
            return Err(DataError::Batch { reason });
        }
        if frames < wanted && self.config.short == Short::Refuse {
            let reason =
                format!("item {item} has {frames} frames, {wanted} are needed: repeat or pad short ones");
            return Err(DataError::Batch { reason });
        }
        let spare = frames.saturating_sub(wanted);
        let start = match self.config.crop {
            Crop::Start => 0,
            Crop::Centre => spare / 2,
            Crop::Random => random.integer(0, spare),
        };
        let there = frames.min(wanted);
        let mut first = out.slice_mut(s![.., ..there]);
        first.assign(&matrix.slice(s![.., start..start + there]));
        if let Some(standardiser) = &self.standardiser {
            standardiser.apply(first);
        }
        if self.config.short == Short::Repeat {
            for at in there..wanted {
                let (before, mut rest) = out.view_mut().split_at(Axis(1), at);
                rest.column_mut(0).assign(&before.column(at - there));
            }
        }
        Ok(())
    }
}
