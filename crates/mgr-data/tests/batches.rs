//! Batches: the same for any number of threads, standardised by training alone, balanced, never short of the next one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use mgr_data::DataError;
use mgr_data::batch::{Batch, BatchConfig, Crop, Items, Sampling, Short, Standardiser, class_weights};
use ndarray::{Array2, ArrayView2};

struct Memory(Vec<Array2<f32>>, Vec<usize>);

impl Items for Memory {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn label(&self, item: usize) -> usize {
        self.1[item]
    }

    fn with(&self, item: usize, take: &mut dyn FnMut(ArrayView2<'_, f32>)) -> Result<(), DataError> {
        take(self.0[item].view());
        Ok(())
    }
}

/// 50 matrices of 3 x 40, the value telling item, row and frame; two in five of class 0.
fn memory() -> Memory {
    let matrix = |i: usize| Array2::from_shape_fn((3, 40), |(r, f)| (i * 1000 + r * 100 + f) as f32);
    Memory((0..50).map(matrix).collect(), (0..50).map(|i| [0, 0, 1, 1, 2][i % 5]).collect())
}

fn all(items: &Memory, config: &BatchConfig, chosen: &[usize], epoch: u64) -> Vec<Batch> {
    let batches = config.plan(items, chosen, None).unwrap();
    let mut made = Vec::new();
    batches
        .epoch(epoch, |batch| {
            made.push(batch);
            true
        })
        .unwrap();
    assert_eq!(made.len(), batches.count());
    made
}

#[test]
fn any_number_of_threads_makes_the_same_batches() {
    let items = memory();
    let chosen: Vec<usize> = (5..48).collect();
    let config = BatchConfig { batch_size: 8, frames: 16, seed: 3, threads: 0, ..BatchConfig::default() };
    let want = all(&items, &config, &chosen, 1);
    for threads in [1, 2, 5, 40] {
        assert_eq!(all(&items, &BatchConfig { threads, ..config.clone() }, &chosen, 1), want);
    }
    assert_ne!(all(&items, &config, &chosen, 2), want, "another epoch, another order");
    assert_ne!(all(&items, &BatchConfig { seed: 4, ..config.clone() }, &chosen, 1), want);
    let mut seen: Vec<usize> = want.iter().flat_map(|b| b.items.clone()).collect();
    seen.sort_unstable();
    assert_eq!(seen, chosen, "each item once");
    assert_eq!(want.last().unwrap().items.len(), 43 % 8);
    let full = all(&items, &BatchConfig { drop_last: true, ..config }, &chosen, 1);
    assert!(full.len() == 5 && full.iter().all(|b| b.items.len() == 8));
}

#[test]
fn crops_and_short_items() {
    let items = memory();
    let base =
        BatchConfig { batch_size: 50, frames: 10, sampling: Sampling::InOrder, ..BatchConfig::default() };
    let chosen: Vec<usize> = (0..50).collect();
    let first = |config: &BatchConfig, item: usize| all(&items, config, &chosen, 0)[0].inputs[(item, 0, 0)];
    assert_eq!(first(&BatchConfig { crop: Crop::Start, ..base.clone() }, 2), 2000.0);
    assert_eq!(first(&BatchConfig { crop: Crop::Centre, ..base.clone() }, 2), 2015.0);
    let random = &all(&items, &base, &chosen, 0)[0];
    let starts: std::collections::BTreeSet<u32> =
        (0..50).map(|i| random.inputs[(i, 0, 0)] as u32 % 1000).collect();
    assert!(starts.len() > 10 && *starts.iter().max().unwrap() <= 30, "{starts:?}");
    assert!((0..50).all(|i| random.inputs[(i, 2, 9)] == random.inputs[(i, 0, 0)] + 209.0));

    let long = BatchConfig { frames: 100, ..base };
    let told = long.plan(&items, &chosen, None).unwrap().epoch(0, |_| true).unwrap_err().to_string();
    assert!(told.contains("item 0 has 40 frames, 100 are needed"), "{told}");
    let repeated = &all(&items, &BatchConfig { short: Short::Repeat, ..long.clone() }, &chosen, 0)[0];
    assert!((0..100).all(|f| repeated.inputs[(1, 1, f)] == (1100 + f % 40) as f32));
    let padded = &all(&items, &BatchConfig { short: Short::Zero, ..long }, &chosen, 0)[0];
    assert!((0..100).all(|f| padded.inputs[(1, 1, f)] == if f < 40 { (1100 + f) as f32 } else { 0.0 }));
}

#[test]
fn standardised_by_training_alone() {
    let items = memory();
    let training: Vec<usize> = (0..10).collect();
    let scalar = Standardiser::fit(&items, &training, false).unwrap();
    let values: Vec<f64> = training.iter().flat_map(|i| items.0[*i].iter().map(|v| f64::from(*v))).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    assert!(
        (f64::from(scalar.mean()[0]) - mean).abs() < 1e-3
            && (f64::from(scalar.deviation()[0]) - deviation).abs() < 1e-3
    );
    let bands = Standardiser::fit(&items, &training, true).unwrap();
    assert_eq!((bands.rows(), scalar.rows()), (Some(3), None));
    let chosen: Vec<usize> = (0..10).collect();
    for standardiser in [&scalar, &bands] {
        let config = BatchConfig { batch_size: 10, frames: 40, ..BatchConfig::default() };
        let batches = config.plan(&items, &chosen, Some(standardiser.clone())).unwrap();
        batches
            .epoch(0, |batch| {
                let n = batch.inputs.len() as f64;
                let mean = batch.inputs.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
                let square = batch.inputs.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
                assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-4, "{mean} {square}");
                true
            })
            .unwrap();
    }
    let json = serde_json::to_string(&bands).unwrap();
    assert_eq!(serde_json::from_str::<Standardiser>(&json).unwrap(), bands);
    assert!(Standardiser::fit(&items, &[], false).is_err());
    let constant = Memory(vec![Array2::from_elem((2, 5), 7.0)], vec![0]);
    assert_eq!(Standardiser::fit(&constant, &[0], false).unwrap().deviation(), [1.0]);
    let bad = Memory(vec![Array2::from_elem((2, 5), f32::NAN)], vec![0]);
    assert!(Standardiser::fit(&bad, &[0], true).unwrap_err().to_string().contains("no numbers"));
}

#[test]
fn balanced_sampling_and_weights() {
    // 40 of class 0, 8 of class 1, 2 of class 2.
    let labels: Vec<usize> = (0..50)
        .map(|i| {
            if i < 40 {
                0
            } else if i < 48 {
                1
            } else {
                2
            }
        })
        .collect();
    let items = Memory(memory().0, labels.clone());
    let config = BatchConfig { sampling: Sampling::Balanced, frames: 4, ..BatchConfig::default() };
    let chosen: Vec<usize> = (0..50).collect();
    let order = config.plan(&items, &chosen, None).unwrap().order(0);
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut times = [0; 50];
    for item in order {
        *counts.entry(labels[item]).or_default() += 1;
        times[item] += 1;
    }
    assert!(counts.values().all(|n| (16..=17).contains(n)), "{counts:?}");
    for class in 0..3 {
        let of: Vec<i32> = (0..50).filter(|i| labels[*i] == class).map(|i| times[i]).collect();
        assert!(
            of.iter().max().unwrap() - of.iter().min().unwrap() <= 1,
            "all before one comes again: {of:?}"
        );
    }
    let weights = class_weights(&labels, 4);
    assert_eq!(weights, [50.0 / 120.0, 50.0 / 24.0, 50.0 / 6.0, 0.0]);
}

#[test]
fn augmentation_is_on_the_fly_and_repeatable() {
    let items = memory();
    let chosen: Vec<usize> = (0..20).collect();
    let config = BatchConfig { batch_size: 5, frames: 40, threads: 2, ..BatchConfig::default() };
    let run = || {
        let masked = mgr_features::augment::SpecAugmentConfig::default().plan().unwrap();
        let batches = config
            .plan(&items, &chosen, None)
            .unwrap()
            .with_augment(move |matrix, random| Ok(masked.apply(matrix, random, &mut masked.log())?));
        let mut made = Vec::new();
        batches
            .epoch(0, |batch| {
                made.push(batch);
                true
            })
            .unwrap();
        made
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert_ne!(first, all(&items, &config, &chosen, 0));
    let failing = config.plan(&items, &chosen, None).unwrap();
    let failing = failing.with_augment(|_, _| Err(DataError::Batch { reason: "broken".into() }));
    assert!(failing.epoch(0, |_| true).unwrap_err().to_string().contains("broken"));
}

#[test]
fn bad_configurations_are_told_and_a_loop_may_stop() {
    let items = memory();
    let chosen: Vec<usize> = (0..50).collect();
    let told =
        |config: BatchConfig, chosen: &[usize]| config.plan(&items, chosen, None).unwrap_err().to_string();
    let config = BatchConfig { frames: 4, ..BatchConfig::default() };
    assert!(told(BatchConfig { batch_size: 0, ..config.clone() }, &chosen).contains("batch_size is 0"));
    assert!(told(BatchConfig { frames: 0, ..config.clone() }, &chosen).contains("frames is 0"));
    assert!(told(BatchConfig { threads: 1000, ..config.clone() }, &chosen).contains("threads is 1000"));
    assert!(
        told(BatchConfig { batch_size: 60, drop_last: true, ..config.clone() }, &chosen)
            .contains("at most the 50")
    );
    assert!(told(config.clone(), &[]).contains("no items"));
    assert!(told(config.clone(), &[50]).contains("item is 50, allowed: below 50"));
    let other = Standardiser::fit(
        &Memory(vec![Array2::from_shape_fn((4, 4), |(r, f)| (r * f) as f32)], vec![0]),
        &[0],
        true,
    );
    assert!(config.plan(&items, &chosen, Some(other.unwrap())).is_err());
    let batches = BatchConfig { batch_size: 5, threads: 3, ..config }.plan(&items, &chosen, None).unwrap();
    let mut taken = 0;
    batches
        .epoch(0, |_| {
            taken += 1;
            taken < 3
        })
        .unwrap();
    assert_eq!(taken, 3);
}
