//! Principal components, of a whole table or of one that comes in parts.

use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};
use serde::{Deserialize, Serialize};

use crate::LearnError;
use crate::error::{check, check_columns};
use crate::learner::at_least_one;
use crate::linalg::{singular, symmetric_eigen};
use crate::matrix::Matrix;

/// How the components are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PcaSolver {
    /// The covariance for tables with ten times as many rows as columns, and for those with more than 128 rows and columns;
    /// else the singular values.
    #[default]
    Auto,
    /// Singular values of the centred table: exact also for components of very little variance.
    Svd,
    /// Eigenvectors of the covariance: quicker; components whose variance is below about 1e-12 of the first are noise.
    Covariance,
}

/// Settings of principal component analysis.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcaConfig {
    /// Components to keep, 1 to the smaller of rows and columns; none for all. Default none.
    pub components: Option<usize>,
    /// Whether the components are divided by their standard deviation. Default no.
    pub whiten: bool,
    /// How they are found. Default by the table's shape.
    pub solver: PcaSolver,
}

/// A fitted principal component analysis: `(x - mean) components^T`.
///
/// The sign of each component is such that its largest entry by magnitude is positive, as in scikit-learn.
///
/// ```
/// use mgr_learn::{Pca, PcaConfig};
/// use ndarray::array;
///
/// let table = array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
/// let pca = Pca::fit(&PcaConfig { components: Some(1), ..PcaConfig::default() }, table.view())?;
/// assert!(pca.explained_variance_ratio()[0] > 0.999_999); // the points lie on a line
/// # Ok::<(), mgr_learn::LearnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Pca {
    mean: Vec<f64>,
    components: Matrix,
    variance: Vec<f64>,
    ratio: Vec<f64>,
    whiten: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    mean: Vec<f64>,
    components: Matrix,
    variance: Vec<f64>,
    ratio: Vec<f64>,
    whiten: bool,
}

impl TryFrom<Stored> for Pca {
    type Error = LearnError;

    fn try_from(Stored { mean, components, variance, ratio, whiten }: Stored) -> Result<Self, LearnError> {
        let finite = mean.iter().chain(&variance).chain(&ratio).all(|v| v.is_finite());
        if mean.is_empty()
            || components.dim() != (variance.len(), mean.len())
            || ratio.len() != variance.len()
            || variance.is_empty()
            || !finite
        {
            return Err(LearnError::Inconsistent { reason: "mean, components and variances do not match" });
        }
        Ok(Self { mean, components, variance, ratio, whiten })
    }
}

/// Makes the largest entry of each row positive.
pub(crate) fn settle_signs(rows: &mut Array2<f64>) {
    for mut row in rows.rows_mut() {
        let largest = row.iter().fold(0.0_f64, |m, &v| if v.abs() > m.abs() { v } else { m });
        if largest < 0.0 {
            row.mapv_inplace(|v| -v);
        }
    }
}

impl Pca {
    /// Finds the components of a table `(rows, columns)`, of two rows or more.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Rows`], [`LearnError::Components`],
    /// [`LearnError::Overflow`].
    pub fn fit(config: &PcaConfig, table: ArrayView2<'_, f64>) -> Result<Self, LearnError> {
        check(table)?;
        let (rows, columns) = table.dim();
        if rows < 2 {
            return Err(LearnError::Rows { what: "principal component analysis", needed: 2, found: rows });
        }
        let largest = rows.min(columns);
        let keep = config.components.unwrap_or(largest);
        if keep == 0 || keep > largest {
            return Err(LearnError::Components { components: keep, largest });
        }
        let mean = table.sum_axis(Axis(0)) / rows as f64;
        let centred = &table - &mean;
        if !centred.iter().all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a column's mean" });
        }
        let covariance = match config.solver {
            PcaSolver::Auto => rows >= 10 * columns || largest > 128,
            PcaSolver::Svd => false,
            PcaSolver::Covariance => true,
        };
        let divisor = (rows - 1) as f64;
        let total = centred.iter().map(|v| v * v).sum::<f64>() / divisor;
        if !total.is_finite() {
            return Err(LearnError::Overflow { what: "a column's variance" });
        }
        let (variance, mut components) = if !covariance {
            let (values, vectors) = singular(centred.view())?;
            let variance: Vec<f64> = values.iter().take(keep).map(|s| s * s / divisor).collect();
            (variance, vectors.slice(s![..keep, ..]).to_owned())
        } else if columns <= rows {
            let (values, vectors) = symmetric_eigen(centred.t().dot(&centred).view())?;
            let variance = values.iter().rev().take(keep).map(|v| v.max(0.0) / divisor).collect();
            (variance, vectors.slice(s![.., ..;-1]).slice(s![.., ..keep]).t().to_owned())
        } else {
            // More columns than rows: the eigenvectors of the rows' products, taken back to the columns.
            let (values, vectors) = symmetric_eigen(centred.dot(&centred.t()).view())?;
            let variance = values.iter().rev().take(keep).map(|v| v.max(0.0) / divisor).collect();
            let left = vectors.slice(s![.., ..;-1]).slice(s![.., ..keep]).to_owned();
            let mut components = left.t().dot(&centred);
            for mut row in components.rows_mut() {
                let length = row.dot(&row).sqrt();
                if length > 0.0 {
                    row.mapv_inplace(|v| v / length);
                }
            }
            (variance, components)
        };
        settle_signs(&mut components);
        let ratio = variance.iter().map(|v: &f64| if total > 0.0 { v / total } else { 0.0 }).collect();
        Ok(Self {
            mean: mean.to_vec(),
            components: Matrix::new(components),
            variance,
            ratio,
            whiten: config.whiten,
        })
    }

    /// The table's coordinates, `(rows, components)`.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Columns`], [`LearnError::Overflow`].
    pub fn transform(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.mean.len())?;
        let mut out = (&table - &Array1::from(self.mean.clone())).dot(&self.components.view().t());
        if self.whiten {
            for (mut column, variance) in out.columns_mut().into_iter().zip(&self.variance) {
                let scale = variance.sqrt().max(f64::EPSILON);
                column.mapv_inplace(|v| v / scale);
            }
        }
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a coordinate" })
        }
    }

    /// Components `(components, columns)`, of length 1.
    #[must_use]
    pub fn components(&self) -> ArrayView2<'_, f64> {
        self.components.view()
    }

    /// Mean of each column.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Variance along each component (divisor rows - 1), descending.
    #[must_use]
    pub fn explained_variance(&self) -> &[f64] {
        &self.variance
    }

    /// Its share of the variance of all columns.
    #[must_use]
    pub fn explained_variance_ratio(&self) -> &[f64] {
        &self.ratio
    }
}

/// Principal components of a table that comes in parts, with the memory of one part.
///
/// After D. A. Ross et al., "Incremental learning for robust visual tracking", IJCV 77, 2008, as
/// `sklearn.decomposition.IncrementalPCA`. With all components kept it is exact; else what earlier parts dropped is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct IncrementalPca {
    components: usize,
    whiten: bool,
    rows: usize,
    mean: Array1<f64>,
    /// Sum of squares about the mean by column.
    squares: Array1<f64>,
    values: Vec<f64>,
    vectors: Array2<f64>,
}

impl IncrementalPca {
    /// Begins; `components` is what is kept, 1 or more.
    ///
    /// # Errors
    /// [`LearnError::Setting`] for no components.
    pub fn new(components: usize, whiten: bool) -> Result<Self, LearnError> {
        at_least_one("components", components)?;
        Ok(Self {
            components,
            whiten,
            rows: 0,
            mean: Array1::zeros(0),
            squares: Array1::zeros(0),
            values: Vec::new(),
            vectors: Array2::zeros((0, 0)),
        })
    }

    /// Takes a part of the table; the first needs as many rows as components are kept.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Columns`], [`LearnError::Components`],
    /// [`LearnError::Overflow`]. After an error the state is as before.
    pub fn add(&mut self, part: ArrayView2<'_, f64>) -> Result<(), LearnError> {
        check(part)?;
        let (rows, columns) = part.dim();
        if self.rows > 0 && self.mean.len() != columns {
            return Err(LearnError::Columns { expected: self.mean.len(), found: columns });
        }
        if self.components > columns || (self.rows == 0 && self.components > rows) {
            let largest = if self.rows == 0 { rows.min(columns) } else { columns };
            return Err(LearnError::Components { components: self.components, largest });
        }
        let own = part.sum_axis(Axis(0)) / rows as f64;
        let centred = &part - &own;
        let own_squares = centred.mapv(|v| v * v).sum_axis(Axis(0));
        let (before, all) = (self.rows as f64, (self.rows + rows) as f64);
        let (stack, mean, squares) = if self.rows == 0 {
            (centred, own, own_squares)
        } else {
            let shift = &self.mean - &own;
            let known = &self.vectors * &Array1::from(self.values.clone()).insert_axis(Axis(1));
            let weight = (before / all * rows as f64).sqrt();
            let correction = (&shift * weight).insert_axis(Axis(0));
            let stack = concatenate(Axis(0), &[known.view(), centred.view(), correction.view()])
                .map_err(|_| LearnError::Inconsistent { reason: "parts differ in columns" })?;
            let mean = (&self.mean * before + &own * rows as f64) / all;
            let squares = &self.squares + &own_squares + &shift.mapv(|v| v * v * before * rows as f64 / all);
            (stack, mean, squares)
        };
        if !stack.iter().chain(&squares).all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a column's variance" });
        }
        let (values, mut vectors) = singular(stack.view())?;
        settle_signs(&mut vectors);
        let keep = self.components.min(values.len());
        self.values = values[..keep].to_vec();
        self.vectors = vectors.slice(s![..keep, ..]).to_owned();
        (self.mean, self.squares, self.rows) = (mean, squares, self.rows + rows);
        Ok(())
    }

    /// The components of all parts.
    ///
    /// # Errors
    /// [`LearnError::Rows`] where fewer than two rows came.
    pub fn finish(self) -> Result<Pca, LearnError> {
        if self.rows < 2 {
            return Err(LearnError::Rows {
                what: "principal component analysis",
                needed: 2,
                found: self.rows,
            });
        }
        let divisor = (self.rows - 1) as f64;
        let total = self.squares.sum() / divisor;
        let variance: Vec<f64> = self.values.iter().map(|s| s * s / divisor).collect();
        let ratio = variance.iter().map(|v| if total > 0.0 { v / total } else { 0.0 }).collect();
        let components = Matrix::new(self.vectors);
        Ok(Pca { mean: self.mean.to_vec(), components, variance, ratio, whiten: self.whiten })
    }
}
