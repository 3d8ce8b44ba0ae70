//! In which order items come.

use mgr_features::augment::Random;
use serde::{Deserialize, Serialize};

/// In which order, and how often, the items of an epoch come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// As they are, for testing.
    InOrder,
    /// Each once, shuffled anew in each epoch. The default.
    #[default]
    Shuffled,
    /// As many as there are, each class as often as any other: within a class all items come before one comes again.
    Balanced,
}

fn shuffle(items: &mut [usize], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.integer(0, last));
    }
}

impl Sampling {
    /// The places of an epoch's items.
    pub(super) fn order(self, labels: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
        let mut random = Random::keyed(seed, &[0, epoch]);
        let mut all: Vec<usize> = (0..labels.len()).collect();
        match self {
            Self::InOrder => {}
            Self::Shuffled => shuffle(&mut all, &mut random),
            Self::Balanced => {
                let mut classes: std::collections::BTreeMap<usize, Vec<usize>> =
                    std::collections::BTreeMap::new();
                for (place, &label) in labels.iter().enumerate() {
                    classes.entry(label).or_default().push(place);
                }
                let mut decks: Vec<Vec<usize>> = classes.into_values().collect();
                let mut turn: Vec<usize> = (0..decks.len()).collect();
                let mut next = vec![usize::MAX; decks.len()];
                all.clear();
                while all.len() < labels.len() {
                    // Classes in a new order each round, so that the last, shorter round favours none.
                    shuffle(&mut turn, &mut random);
                    for &class in turn.iter().take(labels.len() - all.len()) {
                        if next[class] >= decks[class].len() {
                            shuffle(&mut decks[class], &mut random);
                            next[class] = 0;
                        }
                        all.push(decks[class][next[class]]);
                        next[class] += 1;
                    }
                }
            }
        }
        all
    }
}

/// Weights of classes that make up for their shares, n / (classes * n_c), as scikit-learn's `balanced`; 0 for a class without items.
///
/// ```
/// assert_eq!(mgr_data::batch::class_weights(&[0, 0, 0, 1], 2), [2.0 / 3.0, 2.0]);
/// ```
#[must_use]
pub fn class_weights(labels: &[usize], classes: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; classes];
    labels.iter().filter_map(|l| counts.get_mut(*l).map(|n| *n += 1)).count();
    let present = counts.iter().filter(|n| **n > 0).count() as f64;
    let all = counts.iter().sum::<usize>() as f64;
    counts.iter().map(|&n| if n == 0 { 0.0 } else { all / (present * n as f64) }).collect()
}
