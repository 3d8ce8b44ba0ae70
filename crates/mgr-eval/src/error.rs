//! The one error type of the crate.

use std::io;

/// Everything that can be wrong with labels, scores, splits and outputs.
///
/// Classes are named by their label index, because the functions that raise the error see labels only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Two inputs that describe the same clips (or classes) differ in length.
    #[error("{what} has {got} entries, expected {expected}")]
    LengthMismatch {
        /// The input that is too long or too short.
        what: &'static str,
        /// The length that the other input asks for.
        expected: usize,
        /// The length found.
        got: usize,
    },
    /// An input without a single entry.
    #[error("{what} is empty, at least one entry is needed")]
    Empty {
        /// The empty input.
        what: &'static str,
    },
    /// A label that names no class.
    #[error("{what} {label} at position {index} is out of range, allowed: 0 to {}", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// Which labels: true or predicted.
        what: &'static str,
        /// The label found.
        label: usize,
        /// Where it was found.
        index: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A score or measure that is NaN or infinite.
    #[error("{what} at row {row}, column {column} is {value}, a finite number is needed")]
    NotFinite {
        /// What was read.
        what: &'static str,
        /// The row (clip, fold or epoch).
        row: usize,
        /// The column (class); 0 for a plain list.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// A score that should be a probability and is below 0 or above 1.
    #[error("probability at row {row}, column {column} is {value}, allowed: 0 to 1")]
    NotProbability {
        /// The row (clip).
        row: usize,
        /// The column (class).
        column: usize,
        /// The value found.
        value: f64,
    },
    /// Probabilities of one clip that do not sum to 1.
    #[error("probabilities of row {row} sum to {sum}, allowed: 1 within {tolerance}")]
    ProbabilitySum {
        /// The row (clip).
        row: usize,
        /// The sum found.
        sum: f64,
        /// How far from 1 it may be.
        tolerance: f64,
    },
    /// A clip without a segment.
    #[error("clip {clip} has no segment")]
    NoSegment {
        /// The clip.
        clip: usize,
    },
    /// No resampling gave the statistic a value.
    #[error("none of {resamples} resamplings gave the statistic a value")]
    NoStatistic {
        /// How many were drawn.
        resamples: usize,
    },
    /// A parameter outside its range.
    #[error("{name} is {value}, allowed: {allowed}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value found.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },
    /// Fewer than two folds, or more folds than clips.
    #[error("{folds} folds are asked for, allowed: 2 to {largest}")]
    Folds {
        /// The number of folds asked for.
        folds: usize,
        /// The largest number possible.
        largest: usize,
    },
    /// All labels name the same class, so there is nothing to tell apart.
    #[error("every clip has class {class}, at least two classes are needed")]
    OneClass {
        /// The class found.
        class: usize,
    },
    /// A class has fewer clips than there are folds.
    #[error("class {class} has {clips} clips for {folds} folds, {}", largest_in_words(*largest))]
    TooFewClips {
        /// The class with the fewest clips.
        class: usize,
        /// Its number of clips.
        clips: usize,
        /// The number of folds asked for.
        folds: usize,
        /// The largest number of folds that works for every class; below 2 none does.
        largest: usize,
    },
    /// A class is spread over fewer groups than there are folds.
    #[error("class {class} has {groups} groups for {folds} folds, {}", largest_in_words(*largest))]
    TooFewGroups {
        /// The class with the fewest groups.
        class: usize,
        /// Its number of groups.
        groups: usize,
        /// The number of folds asked for.
        folds: usize,
        /// The largest number of folds that works for every class; below 2 none does.
        largest: usize,
    },
    /// Groups that mix classes left a class without a training clip.
    #[error("class {class} has no training clip in fold {fold}: all its clips are in that fold's test part")]
    ClassNotInTraining {
        /// The class.
        class: usize,
        /// The fold.
        fold: usize,
    },
    /// An index of a fold that names no clip.
    #[error("fold {fold} holds index {index}, allowed: 0 to {}", clips.saturating_sub(1))]
    IndexOutOfRange {
        /// The fold.
        fold: usize,
        /// The index found.
        index: usize,
        /// The number of clips.
        clips: usize,
    },
    /// A part of a fold that is not in ascending order or holds an index twice.
    #[error("the {part} part of fold {fold} is not strictly ascending at index {index}")]
    NotAscending {
        /// The fold.
        fold: usize,
        /// The part: train, validation or test.
        part: &'static str,
        /// The index that follows an equal or larger one.
        index: usize,
    },
    /// A clip in two parts of one fold.
    #[error("clip {index} is in the {first} and the {second} part of fold {fold}")]
    IndexOverlap {
        /// The fold.
        fold: usize,
        /// The clip.
        index: usize,
        /// One part.
        first: &'static str,
        /// The other part.
        second: &'static str,
    },
    /// A clip in the test parts of two folds.
    #[error("clip {index} is in the test parts of folds {first} and {second}")]
    TestOverlap {
        /// The clip.
        index: usize,
        /// One fold.
        first: usize,
        /// The other fold.
        second: usize,
    },
    /// A group in two parts of one fold.
    #[error("group {group} is in the {first} and the {second} part of fold {fold}")]
    GroupOverlap {
        /// The fold.
        fold: usize,
        /// The group, as its `Debug` text.
        group: String,
        /// One part.
        first: &'static str,
        /// The other part.
        second: &'static str,
    },
    /// A group in the test parts of two folds.
    #[error("group {group} is in the test parts of folds {first} and {second}")]
    GroupTestOverlap {
        /// The group, as its `Debug` text.
        group: String,
        /// One fold.
        first: usize,
        /// The other fold.
        second: usize,
    },
    /// The drawing library or the PNG encoder refused a figure.
    #[error("figure {name} cannot be drawn: {reason}")]
    Drawing {
        /// The figure.
        name: String,
        /// What the library said.
        reason: String,
    },
    /// A table without a column that is needed.
    #[error("the table has no column {name}, found: {found}")]
    MissingColumn {
        /// The column.
        name: String,
        /// The columns that it has.
        found: String,
    },
    /// A cell of a table that cannot be understood.
    #[error("line {line} of the table: {column} is {value:?}, expected {expected}")]
    BadCell {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// The reader of a table failed, or what it read is no CSV.
    #[error("table cannot be read: {reason}")]
    Read {
        /// What is wrong.
        reason: String,
    },
    /// The writer of a table failed.
    #[error("table cannot be written: {source}")]
    Write {
        /// The writer's error.
        #[from]
        source: io::Error,
    },
}

impl From<csv::Error> for EvalError {
    fn from(error: csv::Error) -> Self {
        Self::Write { source: error.into() }
    }
}

fn largest_in_words(largest: usize) -> String {
    if largest < 2 {
        "no number of folds works".to_owned()
    } else {
        format!("the largest number that works is {largest}")
    }
}

/// Two inputs must describe the same number of things.
pub(crate) fn same_length(what: &'static str, expected: usize, got: usize) -> Result<(), EvalError> {
    if expected == got { Ok(()) } else { Err(EvalError::LengthMismatch { what, expected, got }) }
}
