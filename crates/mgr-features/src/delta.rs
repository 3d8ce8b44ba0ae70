//! Derivatives in time, by Savitzky-Golay filters.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use crate::column::for_each_column;
use crate::extractor::{Axis, Extractor, Layout, Scratch, by_process_into};
use crate::mfcc::MfccConfig;
use crate::simd::products::combine;
use crate::{ColumnStream, FeatureConfig, FeatureError, check};

/// What a derivative sees beyond the first and last column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaMode {
    /// Nothing: near the ends the polynomial of the first or last `width` columns is taken; needs that many. The default.
    #[default]
    Interp,
    /// The end column, held.
    Nearest,
    /// The columns mirrored about the end one, which is not repeated.
    Mirror,
    /// Zeros.
    Constant,
    /// The columns from the other end.
    Wrap,
}

/// Parameters of a derivative in time. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DerivativeConfig {
    /// Columns that the derivative looks at: odd, 3 to 65,535. Default 9.
    pub width: usize,
    /// Order of the derivative, 1 to 16. Default 1.
    pub order: usize,
    /// Degree of the fitted polynomial, under `width` and at most 16. Default: the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poly_order: Option<usize>,
    /// What lies beyond the ends.
    pub mode: DeltaMode,
}

impl Default for DerivativeConfig {
    fn default() -> Self {
        Self { width: 9, order: 1, poly_order: None, mode: DeltaMode::default() }
    }
}

/// A planned derivative of the rows of any matrix: at each column, that of the polynomial fitted by least squares to the
/// `width` columns around it.
///
/// Source: Savitzky and Golay 1964; librosa 0.11 `feature.delta`.
///
/// ```
/// use mgr_features::delta::DerivativeConfig;
/// let derivative = DerivativeConfig::default().plan()?;
/// let ramp = ndarray::Array2::from_shape_fn((1, 20), |(_, t)| 3.0 * t as f32);
/// assert!(derivative.process(ramp.view())?.iter().all(|v| (v - 3.0).abs() < 1e-5));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Derivative {
    /// For each position in the window, the weights of the derivative there.
    weights: Arc<[f64]>,
    width: usize,
    mode: DeltaMode,
}

impl DerivativeConfig {
    /// Checks the parameters and computes the weights.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a width that is even or out of range, and orders out of range.
    pub fn plan(&self) -> Result<Derivative, FeatureError> {
        let Self { width, order, mode, .. } = *self;
        if !(3..1 << 16).contains(&width) || width.is_multiple_of(2) {
            return Err(FeatureError::parameter("width", width, "an odd number from 3 to 65535"));
        }
        if !(1..=16).contains(&order) {
            return Err(FeatureError::parameter("order", order, "1 to 16"));
        }
        let degree = self.poly_order.unwrap_or(order);
        let highest = (width - 1).min(16);
        if degree > highest {
            return Err(FeatureError::parameter("poly_order", degree, format!("0 to {highest}")));
        }
        let positions = if mode == DeltaMode::Interp { 0..width } else { width / 2..width / 2 + 1 };
        let weights = positions.flat_map(|at| derivative_weights(width, degree, order, at)).collect();
        Ok(Derivative { weights, width, mode })
    }
}

/// Weights of the `order`-th derivative at position `at` of the polynomial of `degree` fitted to `width` values.
///
/// The polynomial is a sum of the polynomials `p` that are orthogonal over the positions `x`, which follow from each other
/// by `p[k+1] = x p[k] - b[k] p[k-1]`, `b[k] = |p[k]|^2 / |p[k-1]|^2`; differentiated `d` times,
/// `p[k+1]^(d) = x p[k]^(d) + d p[k]^(d-1) - b[k] p[k-1]^(d)`.
fn derivative_weights(width: usize, degree: usize, order: usize, at: usize) -> Vec<f64> {
    let half = (width / 2) as f64;
    let positions: Vec<f64> = (0..width).map(|i| i as f64 - half).collect();
    let here = at as f64 - half;
    let mut weights = vec![0.0; width];
    let (mut before, mut values) = (vec![0.0; width], vec![1.0; width]);
    let (mut norm_before, mut norm) = (1.0, width as f64);
    // The derivatives of p[k-1] and p[k] at this position, order 0 first.
    let (mut derived_before, mut derived) = (vec![0.0; order + 1], vec![0.0; order + 1]);
    derived[0] = 1.0;
    for k in 0..=degree {
        let factor = derived[order] / norm;
        weights.iter_mut().zip(&values).for_each(|(w, p)| *w += factor * p);
        let b = if k == 0 { 0.0 } else { norm / norm_before };
        let next: Vec<f64> = (0..width).map(|i| positions[i] * values[i] - b * before[i]).collect();
        let next_derived = (0..=order)
            .map(|d| {
                let lower = if d == 0 { 0.0 } else { d as f64 * derived[d - 1] };
                here * derived[d] + lower - b * derived_before[d]
            })
            .collect();
        (before, values) = (values, next);
        (derived_before, derived) = (derived, next_derived);
        (norm_before, norm) = (norm, values.iter().map(|p| p * p).sum());
    }
    weights
}

impl Derivative {
    /// The fewest columns that it can be taken of.
    #[must_use]
    pub fn shortest(&self) -> usize {
        if self.mode == DeltaMode::Interp { self.width } else { 1 }
    }

    /// The derivative of each row of a matrix of (rows, frames), allocated.
    ///
    /// Values that are not finite give values that are not finite.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for fewer columns than `width` in mode `interp`, or none; [`FeatureError::Memory`].
    pub fn process(&self, matrix: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let (rows, columns) = matrix.dim();
        if columns < self.shortest() {
            let (what, got_rows, needed) = ("matrix", rows, self.shortest());
            return Err(FeatureError::Shape { what, got_rows, got_columns: columns, rows, columns: needed });
        }
        let mut values = check::matrix(rows, columns)?;
        values.assign(&matrix);
        let mut out = check::matrix(rows, columns)?;
        let values = values.as_slice_memory_order().unwrap_or_default();
        let mut spare = vec![0.0; self.width * rows];
        for (t, mut column) in out.columns_mut().into_iter().enumerate() {
            if let Some(column) = column.as_slice_mut() {
                self.column(t, values, columns, &mut spare, column);
            }
        }
        Ok(out)
    }

    /// Column `t` of the derivative of `columns` columns, at least the shortest; `spare` has `width` columns.
    fn column(&self, t: usize, values: &[f32], columns: usize, spare: &mut [f32], out: &mut [f32]) {
        let (rows, width, half) = (out.len(), self.width, self.width / 2);
        if rows == 0 {
            return;
        }
        let inside = |first: usize| &values[first * rows..(first + width) * rows];
        if self.mode == DeltaMode::Interp {
            let first = t.saturating_sub(half).min(columns - width);
            let at = t - first;
            combine(&self.weights[at * width..(at + 1) * width], inside(first), out);
        } else if t >= half && t + half < columns {
            combine(&self.weights, inside(t - half), out);
        } else {
            for (j, column) in spare.chunks_exact_mut(rows).enumerate() {
                match self.source((t + j) as isize - half as isize, columns) {
                    Some(from) => column.copy_from_slice(&values[from * rows..(from + 1) * rows]),
                    None => column.fill(0.0),
                }
            }
            combine(&self.weights, spare, out);
        }
    }

    /// The column that stands at index `i`, or none for zeros.
    fn source(&self, i: isize, columns: usize) -> Option<usize> {
        let n = columns as isize;
        let index = match self.mode {
            _ if (0..n).contains(&i) => i,
            DeltaMode::Constant => return None,
            DeltaMode::Wrap => i.rem_euclid(n),
            DeltaMode::Mirror if n > 1 => {
                let p = i.rem_euclid(2 * (n - 1));
                if p < n { p } else { 2 * (n - 1) - p }
            }
            DeltaMode::Interp | DeltaMode::Nearest | DeltaMode::Mirror => i.clamp(0, n - 1),
        };
        Some(index as usize)
    }
}

/// Parameters of a feature that is another one and its derivatives, one above the other. Default: MFCC with first and second
/// derivative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeltaConfig {
    /// The other feature.
    pub base: Box<FeatureConfig>,
    /// What stands above what, 1 to 16 orders of derivative; 0 is the other feature itself. Default 0, 1, 2.
    pub orders: Vec<usize>,
    /// Columns that a derivative looks at: odd, 3 to 65,535. Default 9.
    pub width: usize,
    /// What lies beyond the ends.
    pub mode: DeltaMode,
}

impl Default for DeltaConfig {
    fn default() -> Self {
        Self {
            base: Box::new(FeatureConfig::Mfcc(MfccConfig::default())),
            orders: vec![0, 1, 2],
            width: 9,
            mode: DeltaMode::default(),
        }
    }
}

impl DeltaConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`DerivativeConfig::plan`], no order or too many, and what the other feature refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Delta, FeatureError> {
        if !(1..=16).contains(&self.orders.len()) {
            return Err(FeatureError::parameter("orders", self.orders.len(), "1 to 16 of them"));
        }
        let derivative =
            |order| DerivativeConfig { width: self.width, order, poly_order: None, mode: self.mode };
        // The width is checked even where no derivative is asked for.
        derivative(1).plan()?;
        let parts: Vec<_> = self
            .orders
            .iter()
            .map(|&order| match order {
                0 => Ok((0, None)),
                _ => derivative(order).plan().map(|d| (order, Some(d))),
            })
            .collect::<Result<_, _>>()?;
        let base: Arc<dyn Extractor> = Arc::from(self.base.plan(sample_rate)?);
        let shortest = parts.iter().filter_map(|(_, d)| Some(d.as_ref()?.shortest())).max().unwrap_or(1);
        let shortest_samples = samples_for(base.as_ref(), shortest);
        Ok(Delta { base, parts: parts.into(), width: self.width, shortest, shortest_samples })
    }
}

/// The fewest samples of which a feature has so many columns, found by halving.
pub(crate) fn samples_for(base: &dyn Extractor, columns: usize) -> usize {
    let enough = |samples: usize| base.layout(samples).is_ok_and(|layout| layout.columns >= columns);
    let (mut low, mut high) = (0, 1);
    while !enough(high) && high < 1 << 40 {
        (low, high) = (high, 2 * high);
    }
    while low + 1 < high {
        let middle = low.midpoint(high);
        (low, high) = if enough(middle) { (low, middle) } else { (middle, high) };
    }
    high
}

/// A planned feature with its derivatives, (orders times rows, frames).
///
/// It needs the other feature's whole matrix first, which the scratch holds: no streaming.
///
/// ```
/// use mgr_features::delta::DeltaConfig;
/// let delta = DeltaConfig::default().plan(22_050)?;
/// assert_eq!(delta.process(&vec![0.1; 22_050])?.dim(), (60, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Delta {
    base: Arc<dyn Extractor>,
    /// Order and derivative, none for the feature itself.
    parts: Arc<[(usize, Option<Derivative>)]>,
    width: usize,
    shortest: usize,
    shortest_samples: usize,
}

/// Buffers of one computation; make one per thread with [`Delta::scratch_for`] and use it again.
#[derive(Debug)]
pub struct DeltaScratch {
    base: Scratch,
    rows: usize,
    values: Vec<f32>,
    column: Vec<f32>,
    spare: Vec<f32>,
}

impl Delta {
    /// The other feature.
    #[must_use]
    pub fn base(&self) -> &dyn Extractor {
        self.base.as_ref()
    }

    fn base_layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let layout = self.base.layout(samples)?;
        if layout.columns < self.shortest {
            return Err(FeatureError::TooShort { got: samples, needed: self.shortest_samples });
        }
        Ok(layout)
    }

    /// Buffers for [`Delta::process_into`] of signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> DeltaScratch {
        let (rows, columns) = self.base_layout(samples).map_or((0, 0), |l| (l.rows, l.columns));
        DeltaScratch {
            base: self.base.scratch_for(samples),
            rows,
            values: vec![0.0; rows.saturating_mul(columns)],
            column: vec![0.0; rows * self.parts.len()],
            spare: vec![0.0; rows * self.width],
        }
    }

    fn scratch(&self) -> DeltaScratch {
        self.scratch_for(0)
    }

    /// The feature of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The feature of a signal into `out` of (orders times rows, frames), any memory layout.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`] also for
    /// a signal longer than the scratch was made for.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut DeltaScratch,
    ) -> Result<(), FeatureError> {
        const MISFIT: FeatureError = FeatureError::Scratch { plan: "delta" };
        let DeltaScratch { base, rows, values, column, spare } = scratch;
        let columns = out.ncols();
        let rows = *rows;
        if rows == 0 || column.len() != rows * self.parts.len() || spare.len() != rows * self.width {
            return Err(MISFIT);
        }
        check::shape(&out, column.len(), columns)?;
        if columns < self.shortest || values.len() < rows * columns {
            // Only here, where it ends in an error, may the announced shape be asked for: that allocates.
            let announced = self.base_layout(samples.len())?.columns;
            check::shape(&out, column.len(), announced)?;
            return Err(MISFIT);
        }
        let values = &mut values[..rows * columns];
        let view = ArrayViewMut2::from_shape((rows, columns).f(), &mut *values).map_err(|_| MISFIT)?;
        // The other feature checks the signal, and that the columns are as many as it gives.
        self.base.extract_into(samples, view, base)?;
        for_each_column(out, column, |t, out| {
            for ((_, derivative), out) in self.parts.iter().zip(out.chunks_exact_mut(rows)) {
                match derivative {
                    Some(derivative) => derivative.column(t, values, columns, spare, out),
                    None => out.copy_from_slice(&values[t * rows..(t + 1) * rows]),
                }
            }
        });
        Ok(())
    }
}

/// What a row of a feature is called.
fn row_names(axis: &Axis, rows: usize) -> Vec<String> {
    match axis {
        Axis::Frequency { hz } => hz.iter().map(|f| format!("{f} Hz")).collect(),
        Axis::Coefficient { first, count } => (*first..first + count).map(|i| i.to_string()).collect(),
        Axis::Name { names } => names.clone(),
        Axis::Tempo { bpm } => bpm.iter().map(|bpm| format!("{bpm} bpm")).collect(),
        _ => (0..rows).map(|i| i.to_string()).collect(),
    }
}

impl Extractor for Delta {
    by_process_into!("delta");

    fn frame_length(&self) -> usize {
        self.base.frame_length()
    }

    /// One order alone has the rows of the other feature; several have names: `3`, `d 3`, `d2 3`.
    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let base = self.base_layout(samples)?;
        if self.parts.len() == 1 {
            return Ok(base);
        }
        let names = row_names(&base.row_axis, base.rows);
        let prefixed = |(order, _): &(usize, Option<Derivative>)| {
            let prefix = match order {
                0 => String::new(),
                1 => "d ".to_owned(),
                order => format!("d{order} "),
            };
            names.iter().map(move |name| format!("{prefix}{name}")).collect::<Vec<_>>()
        };
        Ok(Layout {
            rows: base.rows * self.parts.len(),
            row_axis: Axis::Name { names: self.parts.iter().flat_map(prefixed).collect() },
            ..base
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "a derivative looks at later columns";
        Err(FeatureError::NotStreamable { feature: "delta", reason })
    }
}
