//! UMAP, for pictures.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::LearnError;
use crate::error::check;
use crate::learner::{plan, within};
use crate::neighbours::{Metric, nearest, prepared};
use crate::random::Random;
use crate::tsne::start;

/// Settings of UMAP (L. McInnes, J. Healy and J. Melville, "UMAP: uniform manifold approximation and projection", 2018), with the
/// defaults of umap-learn; two dimensions, exact neighbours, begun from the principal components.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UmapConfig {
    /// Rows that a row's surroundings are made of, itself among them; 2 or more. Default 15.
    pub neighbours: usize,
    /// How near points may come, 0 to 3. Default 0.1.
    pub min_dist: f64,
    /// Distance. Default Euclidean.
    pub metric: Metric,
    /// Passes over the edges; none for 500, or 200 for more than 10,000 rows. Default none.
    pub iterations: Option<usize>,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

impl Default for UmapConfig {
    fn default() -> Self {
        Self { neighbours: 15, min_dist: 0.1, metric: Metric::default(), iterations: None, seed: 0 }
    }
}

impl UmapConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Umap, LearnError> {
        within("neighbours", self.neighbours as f64, 2.0, 1e6, "2 or more")?;
        within("min_dist", self.min_dist, 0.0, 3.0, "0 to 3")?;
        if let Some(iterations) = self.iterations {
            within("iterations", iterations as f64, 1.0, 1e6, "1 to 1000000")?;
        }
        Ok(Umap { config: self.clone() })
    }
}

plan! {
    /// UMAP ready to embed.
    Umap of UmapConfig
}

/// `a` and `b` for which `1 / (1 + a x^2b)` is nearest to a curve that is 1 up to `min_dist` and falls off exponentially.
fn curve(min_dist: f64) -> (f64, f64) {
    let points: Vec<(f64, f64)> = (1..300)
        .map(|i| {
            let x = 3.0 * f64::from(i) / 299.0;
            (x, if x < min_dist { 1.0 } else { (min_dist - x).exp() })
        })
        .collect();
    let error = |a: f64, b: f64| -> f64 {
        points.iter().map(|(x, y)| (1.0 / (1.0 + a * x.powf(2.0 * b)) - y).powi(2)).sum()
    };
    // Levenberg's method in (ln a, ln b).
    let (mut la, mut lb, mut damping) = (0.0_f64, 0.0_f64, 1e-3);
    let mut value = error(1.0, 1.0);
    for _ in 0..200 {
        let (a, b) = (la.exp(), lb.exp());
        let (mut h11, mut h12, mut h22, mut g1, mut g2) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, y) in &points {
            let p = x.powf(2.0 * b);
            let f = 1.0 / (1.0 + a * p);
            let (da, db) = (-f * f * p * a, -f * f * a * p * 2.0 * x.ln() * b);
            h11 += da * da;
            h12 += da * db;
            h22 += db * db;
            g1 += da * (f - y);
            g2 += db * (f - y);
        }
        let (d1, d2) = (h11 * (1.0 + damping), h22 * (1.0 + damping));
        let determinant = d1 * d2 - h12 * h12;
        let (sa, sb) = (-(d2 * g1 - h12 * g2) / determinant, -(d1 * g2 - h12 * g1) / determinant);
        let reached = error((la + sa).exp(), (lb + sb).exp());
        if reached < value {
            (la, lb, value, damping) = (la + sa, lb + sb, reached, damping * 0.3);
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    (la.exp(), lb.exp())
}

/// How strongly a row is tied to each of its neighbours; distances ascend, the row itself is not among them.
fn memberships(distances: &[f64], neighbours: usize, mean_of_all: f64) -> Vec<f64> {
    let nearest = distances.iter().copied().find(|d| *d > 0.0).unwrap_or(0.0);
    let target = (neighbours as f64).log2();
    let strength = |d: f64, sigma: f64| if d > nearest { (-(d - nearest) / sigma).exp() } else { 1.0 };
    let (mut low, mut high, mut sigma) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..64 {
        let sum: f64 = distances.iter().map(|&d| strength(d, sigma)).sum();
        if (sum - target).abs() < 1e-5 {
            break;
        }
        if sum > target {
            high = sigma;
            sigma = f64::midpoint(low, high);
        } else {
            low = sigma;
            sigma = if high.is_finite() { f64::midpoint(low, high) } else { sigma * 2.0 };
        }
    }
    let own = distances.iter().sum::<f64>() / neighbours as f64;
    let least = 1e-3 * if nearest > 0.0 { own } else { mean_of_all };
    let sigma = sigma.max(least).max(f64::MIN_POSITIVE);
    distances.iter().map(|&d| strength(d, sigma)).collect()
}

struct Edge {
    from: usize,
    to: usize,
    /// Passes between two visits.
    period: f64,
    next: f64,
    next_far: f64,
}

impl Umap {
    /// Coordinates `(rows, 2)` of a table's rows.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Overflow`], and [`LearnError::Rows`] where there are not more
    /// than the neighbours.
    pub fn embed(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check(table)?;
        let (rows, neighbours) = (table.nrows(), self.config.neighbours);
        if rows <= neighbours.max(2) {
            return Err(LearnError::Rows { what: "UMAP", needed: neighbours.max(2) + 1, found: rows });
        }
        let passes = self.config.iterations.unwrap_or(if rows <= 10_000 { 500 } else { 200 });
        let mut edges = self.edges(table, passes)?;
        let mut random = Random::new(self.config.seed, &[]);
        let mut places = self.first(table, &mut random)?;
        let (a, b) = curve(self.config.min_dist);
        for pass in 0..passes {
            let rate = 1.0 - pass as f64 / passes as f64;
            let now = pass as f64;
            for edge in &mut edges {
                if edge.next > now {
                    continue;
                }
                let (mut p, q) = (places[edge.from], places[edge.to]);
                let square = distance(p, q);
                if square > 0.0 {
                    let power = square.powf(b);
                    let factor = -2.0 * a * b * power / square / (1.0 + a * power);
                    let pull = [0, 1].map(|d| (factor * (p[d] - q[d])).clamp(-4.0, 4.0) * rate);
                    p = [p[0] + pull[0], p[1] + pull[1]];
                    places[edge.to] = [q[0] - pull[0], q[1] - pull[1]];
                }
                edge.next += edge.period;
                // Five rows drawn at random push it away for every one that pulls.
                let far_period = edge.period / 5.0;
                let count = ((now - edge.next_far) / far_period).max(0.0) as usize;
                for _ in 0..count {
                    let other = random.below(rows);
                    let q = places[other];
                    let square = distance(p, q);
                    if other != edge.from && square > 0.0 {
                        let factor = 2.0 * b / ((0.001 + square) * (1.0 + a * square.powf(b)));
                        for d in 0..2 {
                            p[d] += (factor * (p[d] - q[d])).clamp(-4.0, 4.0) * rate;
                        }
                    }
                }
                edge.next_far += count as f64 * far_period;
                places[edge.from] = p;
            }
        }
        let out = Array2::from_shape_fn((rows, 2), |(i, d)| places[i][d]);
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a coordinate" })
        }
    }

    fn edges(&self, table: ArrayView2<'_, f64>, passes: usize) -> Result<Vec<Edge>, LearnError> {
        let UmapConfig { neighbours, metric, .. } = self.config;
        let prepared = prepared(table, metric);
        let found = nearest(prepared.view(), prepared.view(), neighbours - 1, metric, true);
        if !found.iter().flatten().all(|(d, _)| d.is_finite()) {
            return Err(LearnError::Overflow { what: "a distance" });
        }
        let count: usize = found.iter().map(|f| f.len() + 1).sum();
        let mean = found.iter().flatten().map(|(d, _)| d.max(0.0)).sum::<f64>() / count as f64;
        // Both directions of a pair, joined as the probability of one or the other.
        let mut weights: BTreeMap<(usize, usize), (f64, f64)> = BTreeMap::new();
        for (i, row) in found.iter().enumerate() {
            let distances: Vec<f64> = row.iter().map(|(d, _)| d.max(0.0)).collect();
            for (weight, &(_, j)) in memberships(&distances, neighbours, mean).into_iter().zip(row) {
                let pair = weights.entry((i.min(j), i.max(j))).or_default();
                if i < j { pair.0 = weight } else { pair.1 = weight }
            }
        }
        let mut directed: Vec<(usize, usize, f64)> = Vec::with_capacity(2 * weights.len());
        for (&(i, j), &(there, back)) in &weights {
            let weight = there + back - there * back;
            directed.push((i, j, weight));
            directed.push((j, i, weight));
        }
        directed.sort_unstable_by_key(|&(i, j, _)| (i, j));
        let strongest = directed.iter().fold(0.0_f64, |m, e| m.max(e.2));
        Ok(directed
            .into_iter()
            .filter(|(_, _, weight)| *weight >= strongest / passes as f64 && *weight > 0.0)
            .map(|(from, to, weight)| {
                let period = strongest / weight;
                Edge { from, to, period, next: period, next_far: period / 5.0 }
            })
            .collect())
    }

    /// The first two principal components over a square of side 10, with a little noise so that equal rows part.
    fn first(&self, table: ArrayView2<'_, f64>, random: &mut Random) -> Result<Vec<[f64; 2]>, LearnError> {
        let mut begin = start(table, 1.0)?;
        for mut column in begin.columns_mut() {
            let (low, high) =
                column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
            let scale = if high > low { 10.0 / (high - low) } else { 0.0 };
            column.mapv_inplace(|v| (v - low) * scale + 1e-2 * random.normal());
        }
        Ok(begin.rows().into_iter().map(|r| [r[0], r[1]]).collect())
    }
}

fn distance(p: [f64; 2], q: [f64; 2]) -> f64 {
    (p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_the_known_one() {
        // umap-learn 0.5 with min_dist 0.1 and spread 1.
        let (a, b) = curve(0.1);
        assert!((a - 1.576_943).abs() < 2e-3 && (b - 0.895_061).abs() < 1e-3, "{a} {b}");
    }
}
