//! The ten folds of MLFCF (Ng, Zeng and Wang, IEEE Access 2020), list for list.

use super::scikit::DrawnSplit;
use super::{PythonRandom, clips_by_class};
use crate::EvalError;

/// The number of folds.
const FOLDS: usize = 10;

/// The folds that the published code writes, its lists in its order. Clips of a class have to stand in the order of their file names,
/// as those of a dataset do; classes count in ascending order of the label.
///
/// Each class is shuffled by CPython's `random`, seeded with 0 anew; fold `i` takes the i-th slice of `n / 10` clips, and what is left
/// over goes to folds 0, 1, ... one each. There is no validation part, and clips of one artist are on both sides.
///
/// # Errors
/// [`EvalError::Empty`] without labels, [`EvalError::TooFewClips`] where every class is so small that a fold would have no test clip.
pub fn mlfcf_folds(labels: &[usize]) -> Result<Vec<DrawnSplit>, EvalError> {
    if labels.is_empty() {
        return Err(EvalError::Empty { what: "labels" });
    }
    let mut folds = vec![DrawnSplit { train: Vec::new(), test: Vec::new() }; FOLDS];
    let classes = clips_by_class(labels);
    let largest = classes.iter().max_by_key(|(_, clips)| clips.len());
    if let Some((&class, clips)) = largest
        && clips.len() < FOLDS
    {
        return Err(EvalError::TooFewClips { class, clips: clips.len(), folds: FOLDS, largest: clips.len() });
    }
    for clips in classes.values() {
        let mut order: Vec<usize> = (0..clips.len()).collect();
        PythonRandom::new(0).shuffle(&mut order);
        let size = clips.len() / FOLDS;
        let parts: Vec<Vec<usize>> = (0..FOLDS)
            .map(|fold| {
                let slice = order.iter().skip(fold * size).take(size);
                slice.chain(order.get(FOLDS * size + fold)).map(|&place| clips[place]).collect()
            })
            .collect();
        for (number, fold) in folds.iter_mut().enumerate() {
            fold.test.extend(&parts[number]);
            let others = parts.iter().enumerate().filter(|(other, _)| *other != number);
            fold.train.extend(others.flat_map(|(_, part)| part));
        }
    }
    Ok(folds)
}
