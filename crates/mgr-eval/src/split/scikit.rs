//! The splits of scikit-learn, index for index, for studies that were published with them.
//!
//! The generators of [`super`] are this project's own; these give the very lists that scikit-learn 0.2x to 1.x give for an integer
//! `random_state` (checked against 1.9.1). None of them knows groups: they are for comparing with published figures.

use super::{Fold, NumpyRandom, clips_by_class};
use crate::EvalError;

/// A part of the clips: a share of them, or a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PartSize {
    /// A share in `(0, 1)`.
    Share(f64),
    /// A number of clips.
    Clips(usize),
}

/// Clip indices in the order that scikit-learn gives them, which matters where a part is split again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnSplit {
    /// Clips to fit on.
    pub train: Vec<usize>,
    /// Clips to report on.
    pub test: Vec<usize>,
}

impl DrawnSplit {
    /// The split as a fold, its parts in ascending order.
    #[must_use]
    pub fn into_fold(self) -> Fold {
        let sorted = |mut part: Vec<usize>| {
            part.sort_unstable();
            part
        };
        Fold { train: sorted(self.train), validation: Vec::new(), test: sorted(self.test) }
    }
}

/// Numbers of training and test clips, rounded as scikit-learn does: the test share up, the training share down.
fn sizes(clips: usize, train: Option<PartSize>, test: Option<PartSize>) -> Result<(usize, usize), EvalError> {
    let check = |name: &'static str, size: PartSize| match size {
        PartSize::Share(share) if !(share > 0.0 && share < 1.0) => {
            Err(EvalError::Parameter { name, value: share, allowed: "between 0 and 1, both excluded" })
        }
        PartSize::Clips(n) if n == 0 || n >= clips => Err(EvalError::Parameter {
            name,
            value: n as f64,
            allowed: "at least one clip, and fewer than all",
        }),
        size => Ok(size),
    };
    let train = train.map(|size| check("train_size", size)).transpose()?;
    let test = test.map(|size| check("test_size", size)).transpose()?;
    let count = |size: PartSize, round: fn(f64) -> f64| match size {
        PartSize::Share(share) => round(share * clips as f64) as usize,
        PartSize::Clips(n) => n,
    };
    let n_test = test.map(|size| count(size, f64::ceil));
    let n_train = train.map(|size| count(size, f64::floor));
    let (n_train, n_test) = match (n_train, n_test) {
        (Some(n_train), Some(n_test)) => (n_train, n_test),
        (None, Some(n_test)) => (clips.saturating_sub(n_test), n_test),
        (Some(n_train), None) => (n_train, clips.saturating_sub(n_train)),
        (None, None) => return Err(EvalError::Empty { what: "sizes of the parts" }),
    };
    if n_train == 0 {
        return Err(EvalError::Empty { what: "train part" });
    }
    if n_test == 0 {
        return Err(EvalError::Empty { what: "test part" });
    }
    if n_train + n_test > clips {
        return Err(EvalError::Parameter {
            name: "train_size + test_size",
            value: (n_train + n_test) as f64,
            allowed: "at most the number of clips",
        });
    }
    Ok((n_train, n_test))
}

/// `train_test_split(range(clips), train_size=.., test_size=.., random_state=seed)`, without `stratify`. One size is enough.
///
/// ```
/// use mgr_eval::split::scikit::{PartSize, train_test_split};
///
/// let split = train_test_split(10, None, Some(PartSize::Share(0.2)), 10)?;
/// assert_eq!(split.test, [8, 2]);
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
///
/// # Errors
/// [`EvalError::Parameter`] and [`EvalError::Empty`] for sizes that are none or leave a part empty.
pub fn train_test_split(
    clips: usize,
    train: Option<PartSize>,
    test: Option<PartSize>,
    seed: u32,
) -> Result<DrawnSplit, EvalError> {
    let (n_train, n_test) = sizes(clips, train, test)?;
    let order = NumpyRandom::new(seed).permutation(clips);
    let test = order.iter().take(n_test).copied().collect();
    let train = order.iter().skip(n_test).take(n_train).copied().collect();
    Ok(DrawnSplit { train, test })
}

/// `StratifiedShuffleSplit(n_splits=splits, ..).split(.., labels)`; with one split also `train_test_split(.., stratify=labels)`.
///
/// # Errors
/// Those of [`train_test_split`], [`EvalError::TooFewClips`] for a class of a single clip, [`EvalError::Parameter`] for a part with
/// fewer clips than classes.
pub fn stratified_shuffle_split(
    labels: &[usize],
    splits: usize,
    train: Option<PartSize>,
    test: Option<PartSize>,
    seed: u32,
) -> Result<Vec<DrawnSplit>, EvalError> {
    if labels.is_empty() {
        return Err(EvalError::Empty { what: "labels" });
    }
    let (n_train, n_test) = sizes(labels.len(), train, test)?;
    let classes = clips_by_class(labels);
    if let Some((&class, clips)) = classes.iter().find(|(_, clips)| clips.len() < 2) {
        return Err(EvalError::TooFewClips { class, clips: clips.len(), folds: 2, largest: clips.len() });
    }
    for (name, value) in [("train_size", n_train), ("test_size", n_test)] {
        if value < classes.len() {
            let allowed = "at least one clip for each class";
            return Err(EvalError::Parameter { name, value: value as f64, allowed });
        }
    }
    let counts: Vec<usize> = classes.values().map(Vec::len).collect();
    let mut random = NumpyRandom::new(seed);
    let mut result = Vec::with_capacity(splits);
    for _ in 0..splits {
        let of_train = approximate_mode(&counts, n_train, &mut random);
        let left: Vec<usize> = counts.iter().zip(&of_train).map(|(all, taken)| all - taken).collect();
        let of_test = approximate_mode(&left, n_test, &mut random);
        let (mut train, mut test) = (Vec::with_capacity(n_train), Vec::with_capacity(n_test));
        for ((clips, &n_train), &n_test) in classes.values().zip(&of_train).zip(&of_test) {
            let order = random.permutation(clips.len());
            train.extend(order.iter().take(n_train).map(|&i| clips[i]));
            test.extend(order.iter().skip(n_train).take(n_test).map(|&i| clips[i]));
        }
        random.shuffle(&mut train);
        random.shuffle(&mut test);
        result.push(DrawnSplit { train, test });
    }
    Ok(result)
}

/// How many of each class, so that all are `draws`: shares rounded down, what is missing given by the largest remainder, ties by lot.
fn approximate_mode(counts: &[usize], draws: usize, random: &mut NumpyRandom) -> Vec<usize> {
    let total = counts.iter().sum::<usize>() as f64;
    let shares: Vec<f64> = counts.iter().map(|&n| n as f64 / total * draws as f64).collect();
    let mut result: Vec<usize> = shares.iter().map(|share| share.floor() as usize).collect();
    let mut missing = draws.saturating_sub(result.iter().sum());
    let remainders: Vec<f64> = shares.iter().map(|share| share - share.floor()).collect();
    let mut values = remainders.clone();
    values.sort_by(|a, b| b.total_cmp(a));
    values.dedup();
    for value in values {
        if missing == 0 {
            break;
        }
        let tied: Vec<usize> = (0..counts.len()).filter(|&i| remainders[i] == value).collect();
        let taken = random.choice_without_replacement(tied.len(), tied.len().min(missing));
        missing -= taken.len();
        for i in taken {
            result[tied[i]] += 1;
        }
    }
    result
}

/// `KFold(folds, shuffle=seed.is_some(), random_state=seed)`.
///
/// # Errors
/// [`EvalError::Folds`] for fewer than two folds, or more than clips.
pub fn k_fold(clips: usize, folds: usize, seed: Option<u32>) -> Result<Vec<Fold>, EvalError> {
    if folds < 2 || folds > clips {
        return Err(EvalError::Folds { folds, largest: clips });
    }
    let mut order: Vec<usize> = (0..clips).collect();
    if let Some(seed) = seed {
        NumpyRandom::new(seed).shuffle(&mut order);
    }
    let mut fold_of = vec![0; clips];
    let mut start = 0;
    for fold in 0..folds {
        let size = clips / folds + usize::from(fold < clips % folds);
        for &clip in &order[start..start + size] {
            fold_of[clip] = fold;
        }
        start += size;
    }
    Ok(super::folds_from_assignment(&fold_of, folds))
}

/// `StratifiedKFold(folds, shuffle=seed.is_some(), random_state=seed)`. Classes count in the order in which they first occur. Unlike
/// there, a class with fewer clips than folds is an error.
///
/// # Errors
/// [`EvalError::Empty`], [`EvalError::Folds`], [`EvalError::TooFewClips`].
pub fn stratified_k_fold(labels: &[usize], folds: usize, seed: Option<u32>) -> Result<Vec<Fold>, EvalError> {
    if labels.is_empty() {
        return Err(EvalError::Empty { what: "labels" });
    }
    if folds < 2 || folds > labels.len() {
        return Err(EvalError::Folds { folds, largest: labels.len() });
    }
    let mut classes: Vec<Vec<usize>> = clips_by_class(labels).into_values().collect();
    if let Some(clips) = classes.iter().find(|clips| clips.len() < folds) {
        let class = labels[clips[0]];
        return Err(EvalError::TooFewClips { class, clips: clips.len(), folds, largest: clips.len() });
    }
    classes.sort_by_key(|clips| clips[0]);
    // As if the labels stood sorted and were dealt to the folds in turn.
    let sorted: Vec<usize> = classes.iter().enumerate().flat_map(|(c, clips)| vec![c; clips.len()]).collect();
    let mut allocation = vec![vec![0_usize; classes.len()]; folds];
    for (place, &class) in sorted.iter().enumerate() {
        allocation[place % folds][class] += 1;
    }
    let mut random = seed.map(NumpyRandom::new);
    let mut fold_of = vec![0; labels.len()];
    for (class, clips) in classes.iter().enumerate() {
        let mut folds_of_class: Vec<usize> =
            allocation.iter().enumerate().flat_map(|(fold, counts)| vec![fold; counts[class]]).collect();
        if let Some(random) = &mut random {
            random.shuffle(&mut folds_of_class);
        }
        for (&clip, fold) in clips.iter().zip(folds_of_class) {
            fold_of[clip] = fold;
        }
    }
    Ok(super::folds_from_assignment(&fold_of, folds))
}
