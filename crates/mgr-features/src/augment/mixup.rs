//! Mixtures of two matrices.

use ndarray::{ArrayView, ArrayViewMut, Dimension};
use serde::{Deserialize, Serialize};

use super::Random;
use crate::{FeatureError, check};

/// Where the share of the first matrix comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixupLambda {
    /// A beta distribution with this number for both shapes, 1e-6 to 1e6: the smaller, the more often one of the two dominates.
    Beta(f64),
    /// Always this share, 0 to 1.
    Fixed(f64),
}

/// Parameters of [`Mixup`]. Default: a beta distribution with shapes of 0.2, as the paper has for its larger data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixupConfig {
    /// Where the share of the first matrix comes from.
    pub lambda: MixupLambda,
}

impl Default for MixupConfig {
    fn default() -> Self {
        Self { lambda: MixupLambda::Beta(0.2) }
    }
}

impl MixupConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a shape or a share out of range.
    pub fn plan(&self) -> Result<Mixup, FeatureError> {
        match self.lambda {
            MixupLambda::Beta(alpha) => check::within("lambda", alpha, 1e-6, 1e6)?,
            MixupLambda::Fixed(share) => check::within("lambda", share, 0.0, 1.0)?,
        }
        Ok(Mixup { lambda: self.lambda })
    }
}

/// Planned mixup: `lambda a + (1 - lambda) b` of two matrices, and of their labels.
///
/// Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
///
/// ```
/// use mgr_features::augment::{MixupConfig, Random};
/// use ndarray::{Array2, array};
/// let mixup = MixupConfig::default().plan()?;
/// let (mut a, b) = (Array2::from_elem((128, 216), 1.0), Array2::zeros((128, 216)));
/// let log = mixup.apply(a.view_mut(), b.view(), &mut Random::new(7))?;
/// let (mut label, other) = (array![1.0, 0.0, 0.0], array![0.0, 0.0, 1.0]);
/// log.replay(label.view_mut(), other.view())?;
/// assert_eq!(label[0], log.lambda as f32);
/// assert_eq!(a[[3, 5]], label[0]);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mixup {
    lambda: MixupLambda,
}

/// What was drawn for a mixture: replayed, it mixes two others, matrices or labels, in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixupLog {
    /// Share of the first, 0 to 1, a multiple of 1e-9: few enough digits that every reader of JSON gives them back to the last bit.
    pub lambda: f64,
}

impl Mixup {
    /// Draws a share: two or more numbers of the stream for a beta distribution, none for a fixed share.
    pub fn draw(&self, random: &mut Random) -> MixupLog {
        const GRID: f64 = 1e9;
        let lambda = match self.lambda {
            MixupLambda::Beta(alpha) => random.symmetric_beta(alpha),
            MixupLambda::Fixed(share) => share,
        };
        MixupLog { lambda: (lambda * GRID).round() / GRID }
    }

    /// Draws a share and mixes `b` into `a`. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] where the two have not the same shape; nothing is drawn then.
    pub fn apply<D: Dimension>(
        &self,
        a: ArrayViewMut<'_, f32, D>,
        b: ArrayView<'_, f32, D>,
        random: &mut Random,
    ) -> Result<MixupLog, FeatureError> {
        same_shape(a.shape(), b.shape())?;
        let log = self.draw(random);
        log.replay(a, b)?;
        Ok(log)
    }
}

impl MixupLog {
    /// Mixes `b` into `a`, in double precision and rounded once. A share of 1 leaves `a` as it is and one of 0 copies `b`;
    /// otherwise what is not finite in either is not finite in the mixture. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] where the two have not the same shape, [`FeatureError::Parameter`] for a share out of range.
    pub fn replay<D: Dimension>(
        &self,
        mut a: ArrayViewMut<'_, f32, D>,
        b: ArrayView<'_, f32, D>,
    ) -> Result<(), FeatureError> {
        same_shape(a.shape(), b.shape())?;
        check::within("lambda", self.lambda, 0.0, 1.0)?;
        let (first, second) = (self.lambda, 1.0 - self.lambda);
        if second == 0.0 {
            return Ok(());
        }
        a.zip_mut_with(&b, |a, b| {
            *a = if first == 0.0 { *b } else { (first * f64::from(*a) + second * f64::from(*b)) as f32 };
        });
        Ok(())
    }
}

fn same_shape(a: &[usize], b: &[usize]) -> Result<(), FeatureError> {
    if a == b {
        return Ok(());
    }
    // Vectors are columns.
    let rows = |shape: &[usize]| shape.first().copied().unwrap_or(1);
    let columns = |shape: &[usize]| shape.iter().skip(1).product();
    let (what, got_rows, got_columns) = ("second matrix", rows(b), columns(b));
    Err(FeatureError::Shape { what, got_rows, got_columns, rows: rows(a), columns: columns(a) })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder, array};

    use super::*;

    #[test]
    fn mixes_as_it_says() {
        let plan = MixupConfig { lambda: MixupLambda::Fixed(0.25) }.plan().unwrap();
        let mut a = array![[1.0, 2.0], [3.0, f32::INFINITY]];
        let b = array![[5.0, -2.0], [3.0, 0.0]];
        let log = plan.apply(a.view_mut(), b.view(), &mut Random::new(1)).unwrap();
        assert_eq!(log, MixupLog { lambda: 0.25 });
        assert_eq!(a, array![[4.0, -1.0], [3.0, f32::INFINITY]]);
        let mut whole = array![f32::NAN, 1.0];
        MixupLog { lambda: 0.0 }.replay(whole.view_mut(), array![2.0, 3.0].view()).unwrap();
        assert_eq!(whole, array![2.0, 3.0]);
        MixupLog { lambda: 1.0 }.replay(whole.view_mut(), array![f32::NAN, 0.0].view()).unwrap();
        assert_eq!(whole, array![2.0, 3.0]);
    }

    #[test]
    fn is_the_same_for_a_seed_a_layout_and_a_log() {
        let plan = MixupConfig::default().plan().unwrap();
        let start = Array2::from_shape_fn((20, 30), |(i, j)| (i * 31 + j) as f32 * 0.37);
        let other = start.mapv(f32::sin);
        let (mut a, mut b) = (start.clone(), Array2::zeros((20, 30).f()));
        b.assign(&start);
        let log = plan.apply(a.view_mut(), other.view(), &mut Random::new(99)).unwrap();
        let count = allocation_counter::measure(|| {
            assert_eq!(plan.apply(b.view_mut(), other.view(), &mut Random::new(99)), Ok(log));
        });
        assert_eq!(count.count_total, 0);
        assert_eq!(a, b);
        let text = serde_json::to_string(&log).unwrap();
        let read: MixupLog = serde_json::from_str(&text).unwrap();
        let mut c = start.clone();
        read.replay(c.view_mut(), other.view()).unwrap();
        assert_eq!((read, a), (log, c));
        assert!(log.lambda > 0.0 && log.lambda < 1.0 && plan.draw(&mut Random::new(98)) != log);
    }

    #[test]
    fn refuses_other_shapes_and_shares() {
        let plan = MixupConfig::default().plan().unwrap();
        let mut a = Array2::zeros((3, 4));
        let b = Array2::zeros((4, 3));
        let error = plan.apply(a.view_mut(), b.view(), &mut Random::new(1)).unwrap_err();
        let what = "second matrix";
        assert_eq!(error, FeatureError::Shape { what, got_rows: 4, got_columns: 3, rows: 3, columns: 4 });
        for lambda in [MixupLambda::Beta(0.0), MixupLambda::Beta(f64::NAN), MixupLambda::Fixed(1.5)] {
            assert!(matches!(
                MixupConfig { lambda }.plan(),
                Err(FeatureError::Parameter { field: "lambda", .. })
            ));
        }
        let (log, same) = (MixupLog { lambda: f64::NAN }, a.clone());
        assert!(log.replay(a.view_mut(), same.view()).is_err());
    }

    #[test]
    fn configuration_survives_toml() {
        let config: MixupConfig = toml::from_str("lambda = { fixed = 0.5 }").unwrap();
        assert_eq!(config.lambda, MixupLambda::Fixed(0.5));
        let text = toml::to_string(&MixupConfig::default()).unwrap();
        assert_eq!(toml::from_str::<MixupConfig>(&text).unwrap(), MixupConfig::default());
    }
}
