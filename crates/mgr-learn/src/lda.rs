//! Linear discriminant analysis, as classifier and as projection.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, common, one_column_of_two, plan, targets, within};
use crate::linalg::{singular, solve_positive};
use crate::matrix::Matrix;
use crate::matrix::by_rows;
use crate::{Classifier, LearnError, Learner};

/// Settings of linear discriminant analysis by singular values (`sklearn.discriminant_analysis.LinearDiscriminantAnalysis`
/// with `solver="svd"`): classes are normal with a common covariance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LdaConfig {
    /// Singular values at most this are taken for 0. Default 1e-4.
    pub tolerance: f64,
    /// Directions of the projection; none for all, one less than there are classes. Default none.
    pub components: Option<usize>,
    /// How far the common covariance is drawn to a multiple of the identity, above 0 to 1, for tables of few rows: with `s` it is
    /// `(1 - s) S + s (trace S / columns) I`, `scikit-learn`'s `solver="lsqr", shrinkage=s`. There are then no directions to project
    /// on. Default none: the solver by singular values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shrinkage: Option<f64>,
}

impl Default for LdaConfig {
    fn default() -> Self {
        Self { tolerance: 1e-4, components: None, shrinkage: None }
    }
}

impl LdaConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Lda, LearnError> {
        within("tolerance", self.tolerance, 0.0, 1.0, "0 to 1")?;
        if let Some(components) = self.components {
            crate::learner::at_least_one("components", components)?;
        }
        if let Some(shrinkage) = self.shrinkage {
            within("shrinkage", shrinkage, 1e-9, 1.0, "1e-9 to 1")?;
            if self.components.is_some() {
                return within("components", 1.0, 0.0, 0.0, "none with shrinkage, which has no directions")
                    .map(|()| Lda { config: self.clone() });
            }
        }
        Ok(Lda { config: self.clone() })
    }
}

plan! {
    /// Linear discriminant analysis ready to fit.
    Lda of LdaConfig
}

/// A fitted discriminant analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct LdaModel {
    classes: Classes,
    columns: usize,
    mean: Vec<f64>,
    /// Directions, (columns, directions).
    scalings: Matrix,
    ratio: Vec<f64>,
    /// One row a class present.
    weights: Matrix,
    intercepts: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    mean: Vec<f64>,
    scalings: Matrix,
    ratio: Vec<f64>,
    weights: Matrix,
    intercepts: Vec<f64>,
}

impl TryFrom<Stored> for LdaModel {
    type Error = LearnError;

    fn try_from(s: Stored) -> Result<Self, LearnError> {
        let k = s.classes.len();
        if s.columns == 0
            || s.mean.len() != s.columns
            || s.scalings.rows() != s.columns
            || s.ratio.len() != s.scalings.columns()
            || s.weights.dim() != (k, s.columns)
            || s.intercepts.len() != k
        {
            return Err(LearnError::Inconsistent { reason: "directions, weights and classes do not match" });
        }
        let Stored { classes, columns, mean, scalings, ratio, weights, intercepts } = s;
        Ok(Self { classes, columns, mean, scalings, ratio, weights, intercepts })
    }
}

impl Learner for Lda {
    type Model = LdaModel;

    /// Also [`LearnError::Rows`] where there are no more rows than classes, and [`LearnError::Components`].
    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LdaModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let (rows, columns) = table.dim();
        let k = targets.classes.len();
        if rows <= k {
            return Err(LearnError::Rows { what: "discriminant analysis", needed: k + 1, found: rows });
        }
        let n = rows as f64;
        let mut means = Array2::<f64>::zeros((k, columns));
        for (row, &c) in table.rows().into_iter().zip(&targets.of_row) {
            let mut mean = means.row_mut(c);
            mean += &row;
        }
        for (mut mean, &count) in means.rows_mut().into_iter().zip(&targets.counts) {
            mean /= count as f64;
        }
        let priors = Array1::from_iter(targets.counts.iter().map(|&c| c as f64 / n));
        let centre = priors.dot(&means);
        let mut within = table.as_standard_layout().into_owned();
        for (mut row, &c) in within.rows_mut().into_iter().zip(&targets.of_row) {
            row -= &means.row(c);
        }
        if let Some(shrinkage) = self.config.shrinkage {
            within /= n.sqrt();
            let weights = shrunk(&within, &means, shrinkage)?;
            let own = (0..k).map(|c| -0.5 * means.row(c).dot(&weights.row(c)) + priors[c].ln());
            let intercepts: Vec<f64> = own.collect();
            if !weights.iter().chain(&intercepts).all(|v| v.is_finite()) {
                return Err(LearnError::Overflow { what: "a weight" });
            }
            return Ok(LdaModel {
                columns,
                mean: centre.to_vec(),
                scalings: Matrix::new(Array2::zeros((columns, 0))),
                ratio: Vec::new(),
                weights: Matrix::new(weights),
                intercepts,
                classes: targets.classes,
            });
        }
        let deviation = within.mapv(|v| v * v).sum_axis(Axis(0)).mapv(|v| {
            let deviation = (v / n).sqrt();
            if deviation > 0.0 { deviation } else { 1.0 }
        });
        let factor = (1.0 / n).sqrt();
        for mut row in within.rows_mut() {
            row.iter_mut().zip(&deviation).for_each(|(v, d)| *v *= factor / d);
        }
        if !within.iter().all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a column's variance" });
        }
        // Within the classes: directions of unit variance.
        let (values, vectors) = singular(within.view())?;
        let rank = values.iter().filter(|v| **v > self.config.tolerance).count();
        if rank == 0 {
            return Err(LearnError::Overflow {
                what: "the variance within classes, which vanishes; its inverse",
            });
        }
        let mut whitening = vectors.slice(s![..rank, ..]).t().to_owned();
        for (mut row, d) in whitening.rows_mut().into_iter().zip(&deviation) {
            row.iter_mut().zip(&values).for_each(|(v, s)| *v /= d * s);
        }
        // Between the classes, in those directions.
        let mut between = &means - &centre;
        for (mut row, &count) in between.rows_mut().into_iter().zip(&targets.counts) {
            row *= (count as f64 / (k - 1) as f64).sqrt();
        }
        let (values, vectors) = singular(between.dot(&whitening).view())?;
        let first = values.first().copied().unwrap_or(0.0);
        let directions = values.iter().filter(|v| **v > self.config.tolerance * first).count();
        let all: f64 = values.iter().map(|v| v * v).sum();
        let largest = (k - 1).min(columns);
        let keep = self.config.components.unwrap_or(largest);
        if keep > largest {
            return Err(LearnError::Components { components: keep, largest });
        }
        let scalings = whitening.dot(&vectors.slice(s![..directions, ..]).t());
        let projected = (&means - &centre).dot(&scalings);
        let weights = projected.dot(&scalings.t());
        let intercepts: Vec<f64> = (0..k)
            .map(|c| {
                let row = projected.row(c);
                -0.5 * row.dot(&row) + priors[c].ln() - centre.dot(&weights.row(c))
            })
            .collect();
        if !weights.iter().chain(&intercepts).all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a weight" });
        }
        let keep = keep.min(directions);
        Ok(LdaModel {
            columns,
            mean: centre.to_vec(),
            scalings: Matrix::new(scalings.slice(s![.., ..keep]).to_owned()),
            ratio: values.iter().take(keep).map(|v| if all > 0.0 { v * v / all } else { 0.0 }).collect(),
            weights: Matrix::new(weights),
            intercepts,
            classes: targets.classes,
        })
    }
}

/// `C^-1 m` for the class means `m`, with the shrunk covariance `C = a A^T A + b I` of deviations `A`: in as many unknowns as there
/// are rows or columns, whichever are fewer.
fn shrunk(within: &Array2<f64>, means: &Array2<f64>, shrinkage: f64) -> Result<Array2<f64>, LearnError> {
    let (rows, columns) = within.dim();
    let trace: f64 = within.iter().map(|v| v * v).sum();
    let (a, b) = (1.0 - shrinkage, shrinkage * trace / columns as f64);
    if !(b.is_finite() && b > 0.0) {
        return Err(LearnError::Overflow {
            what: "the variance within classes, which vanishes; its inverse",
        });
    }
    if columns <= rows {
        let mut covariance = within.t().dot(within) * a;
        covariance.diag_mut().mapv_inplace(|v| v + b);
        return Ok(by_rows(solve_positive(covariance.view(), means.t())?.t().to_owned()));
    }
    // (a A^T A + b I)^-1 m = (m - a A^T (a A A^T + b I)^-1 A m) / b
    let mut gram = within.dot(&within.t()) * a;
    gram.diag_mut().mapv_inplace(|v| v + b);
    let inner = solve_positive(gram.view(), within.dot(&means.t()).view())?;
    Ok(by_rows((means - &(within.t().dot(&inner) * a).t()) / b))
}

impl LdaModel {
    /// The table in the directions that separate the classes best, `(rows, directions)`.
    ///
    /// # Errors
    /// As [`Classifier::predict`].
    pub fn transform(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        Ok((&table - &Array1::from(self.mean.clone())).dot(&self.scalings.view()))
    }

    /// Share of the variance between classes in each direction.
    #[must_use]
    pub fn explained_variance_ratio(&self) -> &[f64] {
        &self.ratio
    }

    /// Weights, one row a class present.
    #[must_use]
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    fn scores(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let out = by_rows(table.dot(&self.weights.view().t())) + Array1::from(self.intercepts.clone());
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a score" })
        }
    }
}

impl Classifier for LdaModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.scores(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Ok(self.classes.softmax(self.scores(table)?))
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Ok(one_column_of_two(self.scores(table)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn table() -> (Array2<f64>, Vec<usize>) {
        let t = array![
            [1.0, 2.0, 0.5],
            [1.5, 1.0, 0.1],
            [0.5, 1.8, 0.9],
            [4.0, 0.2, 2.0],
            [3.5, 0.9, 2.5],
            [4.4, 0.4, 1.5],
            [2.0, 5.0, 3.0],
            [2.4, 4.2, 3.9],
            [1.4, 5.5, 3.3]
        ];
        (t, vec![0, 0, 0, 1, 1, 1, 2, 2, 2])
    }

    /// `LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3)` of scikit-learn 1.9.1 on the same rows.
    #[test]
    fn shrinkage_is_that_of_scikit_learn() {
        let (table, labels) = table();
        let config = LdaConfig { shrinkage: Some(0.3), ..LdaConfig::default() };
        let model = config.plan().unwrap().fit(table.view(), &labels, 3).unwrap();
        let decision = model.decision(array![[2.0, 2.0, 1.0]].view()).unwrap();
        let expected = [63.67125253926838, 53.39357500408633, 7.834105558331771];
        for (got, want) in decision.iter().zip(expected) {
            assert!((got - want).abs() <= 1e-10 * want.abs(), "{got} {want}");
        }
    }

    #[test]
    fn fewer_rows_than_columns_give_the_same_as_the_covariance() {
        let (table, labels) = table();
        // Columns of zeros change the identity's share alone.
        let wide = ndarray::concatenate(Axis(1), &[table.view(), Array2::zeros((9, 17)).view()]).unwrap();
        let shrinkage = 0.3_f64;
        let fit = |table: &Array2<f64>, shrinkage| {
            let config = LdaConfig { shrinkage: Some(shrinkage), ..LdaConfig::default() };
            config.plan().unwrap().fit(table.view(), &labels, 3).unwrap()
        };
        // s' / 20 / (1 - s') = s / 3 / (1 - s) makes the ratio of the two terms the same; weights then differ by a factor.
        let ratio = shrinkage / (1.0 - shrinkage) * 20.0 / 3.0;
        let (narrow, broad) = (fit(&table, shrinkage), fit(&wide, ratio / (1.0 + ratio)));
        let factor = (1.0 - shrinkage) * (1.0 + ratio);
        for c in 0..3 {
            for j in 0..3 {
                let (got, want) = (broad.weights()[[c, j]], narrow.weights()[[c, j]] * factor);
                assert!((got - want).abs() <= 1e-9 * want.abs(), "{got} {want}");
            }
        }
    }

    #[test]
    fn shrinkage_has_its_range_and_no_directions() {
        let config = LdaConfig { shrinkage: Some(1.5), ..LdaConfig::default() };
        assert!(config.plan().unwrap_err().to_string().contains("shrinkage"));
        let config = LdaConfig { shrinkage: Some(0.5), components: Some(1), ..LdaConfig::default() };
        assert!(config.plan().unwrap_err().to_string().contains("directions"));
    }
}
