//! Probabilities from decision values.
//!
//! The sigmoid is fitted by the Newton method of H.-T. Lin, C.-J. Lin and R. C. Weng, "A note on Platt's probabilistic
//! outputs for support vector machines", Machine Learning 68, 2007; the probabilities of pairs are joined by the second
//! method of T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability estimates for multi-class classification by pairwise
//! coupling", JMLR 5, 2004.

use ndarray::Array2;

/// `P(first class) = 1 / (1 + exp(a f + b))` of a decision value f.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sigmoid {
    pub(crate) a: f64,
    pub(crate) b: f64,
}

/// `p log2-like` cross entropy of one value, without overflow.
fn loss(fapb: f64, target: f64) -> f64 {
    if fapb >= 0.0 {
        target * fapb + (-fapb).exp().ln_1p()
    } else {
        (target - 1.0) * fapb + fapb.exp().ln_1p()
    }
}

impl Sigmoid {
    /// Fits the sigmoid to decision values of rows that are of the first class or not.
    pub(crate) fn fit(decisions: &[f64], first: &[bool]) -> Self {
        let positive = first.iter().filter(|f| **f).count() as f64;
        let negative = first.len() as f64 - positive;
        let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
        let targets: Vec<f64> = first.iter().map(|&f| if f { high } else { low }).collect();
        let value = |a: f64, b: f64| -> f64 {
            decisions.iter().zip(&targets).map(|(f, &t)| loss(f * a + b, t)).sum()
        };
        let (mut a, mut b) = (0.0, ((negative + 1.0) / (positive + 1.0)).ln());
        let mut reached = value(a, b);
        for _ in 0..100 {
            // The ridge keeps the Hessian invertible.
            let (mut h11, mut h22, mut h21, mut g1, mut g2) = (1e-12, 1e-12, 0.0, 0.0, 0.0);
            for (&f, &t) in decisions.iter().zip(&targets) {
                let p = Self { a, b }.first(f);
                let (d2, d1) = (p * (1.0 - p), t - p);
                h11 += f * f * d2;
                h22 += d2;
                h21 += f * d2;
                g1 += f * d1;
                g2 += d1;
            }
            if f64::abs(g1) < 1e-5 && f64::abs(g2) < 1e-5 {
                break;
            }
            let determinant = h11 * h22 - h21 * h21;
            let (da, db) = (-(h22 * g1 - h21 * g2) / determinant, -(-h21 * g1 + h11 * g2) / determinant);
            let slope = g1 * da + g2 * db;
            let mut step = 1.0;
            while step >= 1e-10 {
                let found = value(a + step * da, b + step * db);
                if found < reached + 1e-4 * step * slope {
                    (a, b, reached) = (a + step * da, b + step * db, found);
                    break;
                }
                step /= 2.0;
            }
            if step < 1e-10 {
                break;
            }
        }
        Self { a, b }
    }

    /// Probability of the first class.
    pub(crate) fn first(self, decision: f64) -> f64 {
        let x = decision * self.a + self.b;
        if x >= 0.0 { (-x).exp() / (1.0 + (-x).exp()) } else { 1.0 / (1.0 + x.exp()) }
    }
}

/// Class probabilities from those of pairs: `pairs[i][j]` is the probability of i among i and j.
pub(crate) fn couple(pairs: &Array2<f64>) -> Vec<f64> {
    let k = pairs.nrows();
    let mut q = Array2::<f64>::zeros((k, k));
    for t in 0..k {
        for j in 0..k {
            if j != t {
                q[[t, t]] += pairs[[j, t]] * pairs[[j, t]];
                q[[t, j]] = -pairs[[j, t]] * pairs[[t, j]];
            }
        }
    }
    let mut p = vec![1.0 / k as f64; k];
    let tolerance = 0.005 / k as f64;
    for _ in 0..k.max(100) {
        let mut qp: Vec<f64> = (0..k).map(|t| (0..k).map(|j| q[[t, j]] * p[j]).sum()).collect();
        let mut pqp: f64 = p.iter().zip(&qp).map(|(p, q)| p * q).sum();
        if qp.iter().all(|v| (v - pqp).abs() < tolerance) {
            break;
        }
        for t in 0..k {
            let difference = (pqp - qp[t]) / q[[t, t]];
            p[t] += difference;
            let scale = 1.0 + difference;
            pqp = (pqp + difference * (difference * q[[t, t]] + 2.0 * qp[t])) / scale / scale;
            for j in 0..k {
                qp[j] = (qp[j] + difference * q[[t, j]]) / scale;
                p[j] /= scale;
            }
        }
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consistent_pairs_give_their_classes() {
        let truth = [0.5, 0.3, 0.2];
        let pairs = Array2::from_shape_fn((3, 3), |(i, j)| truth[i] / (truth[i] + truth[j]));
        for (p, t) in couple(&pairs).iter().zip(truth) {
            // The iteration stops at 0.005 / 3.
            assert!((p - t).abs() < 2e-3);
        }
    }

    #[test]
    fn the_sigmoid_rises_with_the_decision() {
        let decisions: Vec<f64> = (0..40).map(|i| f64::from(i) / 10.0 - 2.0).collect();
        let first: Vec<bool> = decisions.iter().map(|d| *d + 0.3 * (d * 37.0).sin() > 0.0).collect();
        let sigmoid = Sigmoid::fit(&decisions, &first);
        assert!(sigmoid.first(2.0) > 0.9 && sigmoid.first(-2.0) < 0.1);
    }
}
