//! Features that have one column, as bars.

use mgr_eval::EvalError;
use mgr_eval::figure::{AxisMarks, Bars, Caption, Figure, Mark, vector_figure};
use mgr_features::{Axis, Layout};
use ndarray::Array2;

/// Marks below upright bars.
const MARKS: usize = 10;

/// The picture of a matrix of one column and more than one row; none of another.
pub(crate) fn figure(
    caption: Caption<'_>,
    matrix: &Array2<f32>,
    layout: &Layout,
) -> Option<Result<Figure, EvalError>> {
    let count = matrix.nrows();
    if matrix.ncols() != 1 || count < 2 {
        return None;
    }
    let values: Vec<f64> = matrix.iter().map(|v| f64::from(*v)).collect();
    let title = layout.unit.title();
    let continuous = match &layout.row_axis {
        Axis::Frequency { .. } | Axis::Modulation { .. } | Axis::Lag { .. } | Axis::Tempo { .. } => true,
        Axis::Name { .. } | Axis::Coefficient { .. } | Axis::Band { .. } | Axis::Path { .. } => false,
        _ => true,
    };
    if continuous {
        let ticks = layout.row_axis.ticks(count, MARKS).into_iter();
        let mark = |tick: mgr_features::picture::Tick| Mark {
            place: (tick.position + 0.5) / count as f64,
            label: tick.label,
        };
        let marks = AxisMarks { title: layout.row_axis.title().to_owned(), marks: ticks.map(mark).collect() };
        return Some(vector_figure(caption, title, &Bars::Scale(&marks), &values));
    }
    let mut names = vec![String::new(); count];
    for tick in layout.row_axis.ticks(count, count) {
        if let Some(name) = names.get_mut(tick.position.round() as usize) {
            *name = tick.label;
        }
    }
    Some(vector_figure(caption, title, &Bars::Named(&names), &values))
}
