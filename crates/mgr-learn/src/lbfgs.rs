//! Limited-memory BFGS for a smooth convex function (Nocedal and Wright, Numerical Optimization, algorithm 7.5).

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that are kept.
const MEMORY: usize = 10;

/// Where a minimisation ended.
#[derive(Debug)]
pub(crate) struct Minimum {
    pub(crate) at: Vec<f64>,
    /// Largest absolute entry of the gradient there.
    pub(crate) gradient: f64,
    pub(crate) iterations: usize,
}

struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    rho: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, x| x.abs().max(m))
}

/// `-H g` by the two-loop recursion.
fn direction(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.step, &q);
        q.iter_mut().zip(&pair.change).for_each(|(q, y)| *q -= alpha * y);
        alphas.push(alpha);
    }
    if let Some(last) = pairs.back() {
        let scale = 1.0 / (last.rho * dot(&last.change, &last.change));
        q.iter_mut().for_each(|v| *v *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = pair.rho * dot(&pair.change, &q);
        q.iter_mut().zip(&pair.step).for_each(|(q, s)| *q += (alpha - beta) * s);
    }
    q
}

/// Minimises `f` from the origin until the largest gradient entry is at most `tolerance`, or `limit` iterations are done,
/// or rounding stops all progress. `f` writes the gradient and returns the value.
pub(crate) fn minimise(
    size: usize,
    tolerance: f64,
    limit: usize,
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut at = vec![0.0; size];
    let mut gradient = vec![0.0; size];
    let mut value = f(&at, &mut gradient);
    let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let (mut trial, mut trial_gradient) = (at.clone(), gradient.clone());
    let mut iterations = 0;
    while iterations < limit && largest(&gradient) > tolerance {
        let mut way = direction(&gradient, &pairs);
        let mut slope = dot(&way, &gradient);
        if slope >= 0.0 || !slope.is_finite() {
            pairs.clear();
            way = gradient.iter().map(|g| -g).collect();
            slope = dot(&way, &gradient);
        }
        let first = if pairs.is_empty() { 1.0 / largest(&gradient).max(1.0) } else { 1.0 };
        let Some(reached) = weak_wolfe(first, value, slope, |t| {
            trial.iter_mut().zip(at.iter().zip(&way)).for_each(|(x, (a, w))| *x = a + t * w);
            let value = f(&trial, &mut trial_gradient);
            (value, dot(&way, &trial_gradient))
        }) else {
            if pairs.is_empty() {
                break;
            }
            // The curvature at hand is of no use here: once more along the gradient.
            pairs.clear();
            continue;
        };
        iterations += 1;
        let step: Vec<f64> = trial.iter().zip(&at).map(|(x, a)| x - a).collect();
        let change: Vec<f64> = trial_gradient.iter().zip(&gradient).map(|(x, g)| x - g).collect();
        let curvature = dot(&step, &change);
        if curvature > f64::EPSILON * dot(&change, &change) {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
        }
        std::mem::swap(&mut at, &mut trial);
        std::mem::swap(&mut gradient, &mut trial_gradient);
        value = reached;
    }
    Minimum { gradient: largest(&gradient), at, iterations }
}

/// A step with sufficient decrease and curvature, by bracketing; the last evaluation is at the step found. None where
/// rounding leaves no decrease.
fn weak_wolfe(first: f64, value: f64, slope: f64, mut f: impl FnMut(f64) -> (f64, f64)) -> Option<f64> {
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, first);
    // Near the minimum the decrease drowns in rounding; there the slope alone decides.
    let slack = 4.0 * f64::EPSILON * value.abs();
    for _ in 0..60 {
        let (reached, steep) = f(t);
        if !reached.is_finite() || reached > value + 1e-4 * t * slope + slack {
            high = t;
        } else if steep < 0.9 * slope {
            low = t;
        } else {
            return Some(reached);
        }
        t = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    None
}
