//! What can go wrong in learning.

use ndarray::ArrayView2;
use thiserror::Error;

/// An error of a learner.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LearnError {
    /// A table without rows or without columns.
    #[error("table is empty: {rows} rows, {columns} columns")]
    Empty {
        /// Rows of the table.
        rows: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// A value that is not a finite number.
    #[error("value {value} in row {row}, column {column} is not finite")]
    NotFinite {
        /// Row of the first such value.
        row: usize,
        /// Its column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A table of another width than the one fitted on.
    #[error("table has {found} columns, the model was fitted on {expected}")]
    Columns {
        /// Columns fitted on.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// Labels that do not go with the table.
    #[error("{labels} labels for {rows} rows")]
    LabelCount {
        /// Rows of the table.
        rows: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label that is not a class index.
    #[error("label {label} in row {row} is out of range, allowed 0 to {}", .classes.saturating_sub(1))]
    Label {
        /// Row of the first such label.
        row: usize,
        /// The label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Labels of a single class: there is nothing to tell apart.
    #[error("all labels are class {class}, at least two classes are needed")]
    OneClass {
        /// The class.
        class: usize,
    },
    /// A setting outside its range.
    #[error("setting {field} is {value}, allowed {allowed}")]
    Setting {
        /// Name of the field.
        field: &'static str,
        /// The offending value.
        value: f64,
        /// The allowed range.
        allowed: &'static str,
    },
    /// Values too large for sums of squares in `f64`.
    #[error("values are too large: {what} overflows")]
    Overflow {
        /// What overflowed.
        what: &'static str,
    },
    /// A value that is not a finite number, in a column with a name.
    #[error("value {value} in row {row}, column {column} is not finite")]
    NotFiniteIn {
        /// Row of the first such value.
        row: usize,
        /// Name of its column.
        column: String,
        /// The value.
        value: f64,
    },
    /// Too little data for what is asked.
    #[error("{what} needs {needed} rows or more, the table has {found}")]
    Rows {
        /// What needs them.
        what: &'static str,
        /// Rows needed.
        needed: usize,
        /// Rows found.
        found: usize,
    },
    /// More components asked for than the table can give.
    #[error("{components} components are asked for, allowed 1 to {largest}")]
    Components {
        /// Components asked for.
        components: usize,
        /// The most there can be.
        largest: usize,
    },
    /// A learner without what is asked of it.
    #[error("{learner} gives no {what}")]
    Unavailable {
        /// The learner.
        learner: &'static str,
        /// What it does not give.
        what: &'static str,
    },
    /// A split or a set of labels that the evaluation refuses.
    #[error("{reason}")]
    Split {
        /// Why.
        reason: String,
    },
    /// A grid that names a setting which the model has not, or a value that it refuses.
    #[error("grid of {setting}: {reason}")]
    Grid {
        /// The setting.
        setting: String,
        /// What is wrong.
        reason: String,
    },
    /// A file that cannot be read or written, or holds no model of this version.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// No thread could be started.
    #[error("no thread could be started: {reason}")]
    Threads {
        /// What the system said.
        reason: String,
    },
    /// A stored model whose parts do not fit together.
    #[error("stored model is inconsistent: {reason}")]
    Inconsistent {
        /// What does not fit.
        reason: &'static str,
    },
}

/// Checks that a table has values and that they are finite.
pub(crate) fn check(table: ArrayView2<'_, f64>) -> Result<(), LearnError> {
    let (rows, columns) = table.dim();
    if rows == 0 || columns == 0 {
        return Err(LearnError::Empty { rows, columns });
    }
    match table.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, column), &value)) => Err(LearnError::NotFinite { row, column, value }),
        None => Ok(()),
    }
}

/// [`check`], and that the table has as many columns as were fitted on.
pub(crate) fn check_columns(table: ArrayView2<'_, f64>, expected: usize) -> Result<(), LearnError> {
    check(table)?;
    if table.ncols() == expected {
        Ok(())
    } else {
        Err(LearnError::Columns { expected, found: table.ncols() })
    }
}
