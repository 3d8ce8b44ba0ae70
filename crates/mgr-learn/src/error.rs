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
