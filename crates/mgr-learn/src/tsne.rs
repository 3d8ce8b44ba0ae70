//! t-SNE, for pictures.

use bhtsne::{Neighbor, tSNE};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::check;
use crate::learner::{at_least_one, plan, within};
use crate::neighbours::{Metric, nearest, prepared};
use crate::{LearnError, Pca, PcaConfig};

/// Settings of t-SNE (L. van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 15, 2014), with the defaults of
/// `sklearn.manifold.TSNE`: two dimensions, begun from the principal components, learning rate `max(n / 12 / 4, 50)`.
///
/// The picture shows which rows are neighbours; distances between groups and their sizes mean little.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TsneConfig {
    /// How many neighbours a row has, softly; 1 or more, and below a third of the rows. Default 30.
    pub perplexity: f64,
    /// Iterations, 1 or more. Default 1000.
    pub iterations: usize,
    /// How far off a cell may be to count as one point, above 0. Default 0.5.
    pub angle: f64,
}

impl Default for TsneConfig {
    fn default() -> Self {
        Self { perplexity: 30.0, iterations: 1000, angle: 0.5 }
    }
}

impl TsneConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Tsne, LearnError> {
        within("perplexity", self.perplexity, 1.0, 1e6, "1 to 1000000")?;
        within("angle", self.angle, 0.01, 1.0, "0.01 to 1")?;
        at_least_one("iterations", self.iterations)?;
        Ok(Tsne { config: self.clone() })
    }
}

plan! {
    /// t-SNE ready to embed.
    Tsne of TsneConfig
}

/// The first two principal components, the first with this standard deviation; zeros for a column that is missing.
pub(crate) fn start(table: ArrayView2<'_, f64>, deviation: f64) -> Result<Array2<f64>, LearnError> {
    let components = table.ncols().min(table.nrows()).min(2);
    let config = PcaConfig { components: Some(components), ..PcaConfig::default() };
    let pca = Pca::fit(&config, table)?;
    let found = pca.transform(table)?;
    let scale = pca.explained_variance().first().copied().unwrap_or(0.0).sqrt();
    let scale = if scale > 0.0 { deviation / scale } else { 0.0 };
    Ok(Array2::from_shape_fn((table.nrows(), 2), |(i, j)| found.get((i, j)).map_or(0.0, |v| v * scale)))
}

impl Tsne {
    /// Coordinates `(rows, 2)` of a table's rows.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Overflow`], and [`LearnError::Rows`] where there are not more
    /// than three times the perplexity.
    pub fn embed(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check(table)?;
        let rows = table.nrows();
        let neighbours = (3.0 * self.config.perplexity) as usize;
        if rows < neighbours + 2 {
            let what = "t-SNE of this perplexity";
            return Err(LearnError::Rows { what, needed: neighbours + 2, found: rows });
        }
        let begin = start(table, 1e-4)?;
        let prepared = prepared(table, Metric::Euclidean);
        let found = nearest(prepared.view(), prepared.view(), neighbours, Metric::Euclidean, true);
        if !found.iter().flatten().all(|(d, _)| d.is_finite()) {
            return Err(LearnError::Overflow { what: "a distance" });
        }
        let neighbours: Vec<Vec<Neighbor<f64>>> = found
            .into_iter()
            .map(|row| row.into_iter().map(|(distance, index)| Neighbor { index, distance }).collect())
            .collect();
        let places: Vec<usize> = (0..rows).collect();
        // bhtsne adds up in the order in which threads come: with one the result is the same everywhere.
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let one = one.map_err(|e| LearnError::Threads { reason: e.to_string() })?;
        let found = one.install(|| {
            let mut tsne: tSNE<'_, f64, usize, 2> = tSNE::new(&places);
            tsne.perplexity(self.config.perplexity)
                .epochs(self.config.iterations)
                .initial_embedding(begin.iter().copied().collect::<Vec<f64>>())
                .barnes_hut_with_neighbors(self.config.angle, &neighbours);
            tsne.embedding()
        });
        let out = Array2::from_shape_vec((rows, 2), found)
            .map_err(|_| LearnError::Inconsistent { reason: "the embedding has another number of rows" })?;
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a coordinate" })
        }
    }
}
