//! Statistics over time: moments, quantiles, histograms and covariance of the rows of any matrix, over all of it or in texture
//! windows, with or without weights; and [`StatsConfig`], which makes a named vector of any feature.
//!
//! Everything is computed in f64. With the `n` values `x` of a row, `m_k = 1/n sum (x - mean)^k`:
//!
//! | statistic | formula | a constant row | no value |
//! |---|---|---|---|
//! | mean | `1/n sum x` | the value | 0 |
//! | variance, standard deviation | `m_2`, `sqrt(m_2)` (divided by `n`) | 0 | 0 |
//! | skewness | `m_3 / m_2^1.5` | 0 | 0 |
//! | kurtosis by Pearson | `m_4 / m_2^2`: 3 for a normal distribution | 0 | 0 |
//! | excess kurtosis | Pearson's less 3: 0 for a normal distribution | -3 | -3 |
//! | median, quantiles | straight between the two values at `q (n - 1)` in order of size | the value | 0 |
//! | smallest, largest | | the value | 0 |
//!
//! So the tables of the references come out: `rp_extract` takes Pearson's kurtosis and turns the 0/0 of a constant row into 0, FMA
//! takes the excess and has -3 there. A row whose standard deviation is under 1e-13 of its mean counts as constant for both.
//! With weights `w` each sum is `sum w ...` and is divided by `sum w`; a value of weight 0 does not count at all, and a quantile
//! is the smallest value up to which there lie `q` of the weight (NumPy's `inverted_cdf`).
//! Weights that are all 0 are as no value.
//!
//! Derivatives over time are a feature too, [`DeltaConfig`](crate::delta::DeltaConfig), of which statistics can be taken.

mod aggregate;
mod aggregator;
mod quantile;
mod spread;
mod summary;

pub use aggregate::{Stats, StatsConfig, StatsScratch};
pub use aggregator::{Aggregator, AggregatorScratch, StatsOrder, TextureStart, TextureWindow};
pub(crate) use quantile::median;
pub use quantile::{quantile, weighted_quantile};
pub use spread::{Covariance, histogram_into};
pub use summary::{Statistic, Summary};
