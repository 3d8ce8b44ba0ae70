//! Sequential minimal optimisation with second-order working sets and shrinking.
//!
//! The algorithm of LIBSVM as published: R.-E. Fan, P.-H. Chen and C.-J. Lin, "Working set selection using second order
//! information for training support vector machines", JMLR 6, 2005 (WSS 2), with the shrinking of C.-C. Chang and
//! C.-J. Lin, "LIBSVM: a library for support vector machines", ACM TIST 2, 2011, section 5.1. It minimises
//! `1/2 sum_ij a_i a_j y_i y_j K_ij - sum_i a_i` with `0 <= a_i <= C_i` and `sum_i y_i a_i = 0`.
//!
//! The state is kept as `F_i = y_i G_i` (G the gradient), so that a step is `F += (y_i da_i) K_i + (y_j da_j) K_j`.

use super::kernel::Rows;

/// Where the curvature along a pair vanishes (equal rows), this stands for it.
const TAU: f64 = 1e-12;

/// A solved problem.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) alpha: Vec<f64>,
    /// The decision is `sum_i y_i a_i K(x_i, x) - rho`.
    pub(crate) rho: f64,
    pub(crate) iterations: usize,
    /// The violation of optimality reached.
    pub(crate) gap: f64,
}

/// A two-class problem.
pub(crate) struct Problem<'a> {
    pub(crate) rows: Rows<'a>,
    /// The kernel of each row with itself.
    pub(crate) diagonal: Vec<f64>,
    /// Whether each row is of the first class, `y = +1`.
    pub(crate) first: Vec<bool>,
    /// Upper bounds of the first and of the second class.
    pub(crate) c: (f64, f64),
    pub(crate) tolerance: f64,
    pub(crate) max_iterations: usize,
    pub(crate) shrinking: bool,
}

struct State {
    alpha: Vec<f64>,
    f: Vec<f64>,
    /// `sum over a_j = C_j of y_j C_j K_ij`: what F owes to rows at their upper bound.
    bound: Vec<f64>,
    active: Vec<usize>,
}

impl Problem<'_> {
    fn c_of(&self, i: usize) -> f64 {
        if self.first[i] { self.c.0 } else { self.c.1 }
    }

    fn sign(&self, i: usize) -> f64 {
        if self.first[i] { 1.0 } else { -1.0 }
    }

    /// Whether `y_i a_i` can grow.
    fn up(&self, state: &State, i: usize) -> bool {
        if self.first[i] { state.alpha[i] < self.c.0 } else { state.alpha[i] > 0.0 }
    }

    /// Whether `y_i a_i` can fall.
    fn low(&self, state: &State, i: usize) -> bool {
        if self.first[i] { state.alpha[i] > 0.0 } else { state.alpha[i] < self.c.1 }
    }

    /// The pair to work on and the violation; no pair where the violation is below the tolerance.
    fn select(&mut self, state: &State) -> (Option<(usize, usize)>, f64) {
        let (mut up, mut i) = (f64::NEG_INFINITY, None);
        for &t in &state.active {
            if -state.f[t] >= up && self.up(state, t) {
                (up, i) = (-state.f[t], Some(t));
            }
        }
        let Some(i) = i else { return (None, 0.0) };
        let own = self.diagonal[i];
        let (mut low, mut best, mut j) = (f64::NEG_INFINITY, f64::INFINITY, None);
        let Self { rows, diagonal, first, c, .. } = self;
        let row = rows.row(i);
        for &t in &state.active {
            let can_fall = if first[t] { state.alpha[t] > 0.0 } else { state.alpha[t] < c.1 };
            if !can_fall {
                continue;
            }
            low = low.max(state.f[t]);
            let difference = up + state.f[t];
            if difference > 0.0 {
                let curvature = own + diagonal[t] - 2.0 * row[t];
                let curvature = if curvature > 0.0 { curvature } else { TAU };
                let gain = -(difference * difference) / curvature;
                if gain <= best {
                    (best, j) = (gain, Some(t));
                }
            }
        }
        let gap = up + low;
        match j {
            Some(j) if gap >= self.tolerance => (Some((i, j)), gap),
            _ => (None, gap.max(0.0)),
        }
    }

    /// New values of a pair, within the bounds.
    fn step(&self, state: &State, i: usize, j: usize, product: f64) -> (f64, f64) {
        let curvature = self.diagonal[i] + self.diagonal[j] - 2.0 * product;
        let curvature = if curvature > 0.0 { curvature } else { TAU };
        let (ci, cj) = (self.c_of(i), self.c_of(j));
        let (mut a, mut b) = (state.alpha[i], state.alpha[j]);
        let (gi, gj) = (self.sign(i) * state.f[i], self.sign(j) * state.f[j]);
        if self.first[i] == self.first[j] {
            let delta = (gi - gj) / curvature;
            let sum = a + b;
            a -= delta;
            b += delta;
            if sum > ci {
                if a > ci {
                    (a, b) = (ci, sum - ci);
                }
            } else if b < 0.0 {
                (a, b) = (sum, 0.0);
            }
            if sum > cj {
                if b > cj {
                    (a, b) = (sum - cj, cj);
                }
            } else if a < 0.0 {
                (a, b) = (0.0, sum);
            }
        } else {
            let delta = (-gi - gj) / curvature;
            let difference = a - b;
            a += delta;
            b += delta;
            if difference > 0.0 {
                if b < 0.0 {
                    (a, b) = (difference, 0.0);
                }
            } else if a < 0.0 {
                (a, b) = (0.0, -difference);
            }
            if difference > ci - cj {
                if a > ci {
                    (a, b) = (ci, ci - difference);
                }
            } else if b > cj {
                (a, b) = (cj + difference, cj);
            }
        }
        (a, b)
    }

    /// Recomputes F where it was not kept.
    fn restore(&mut self, state: &mut State) {
        let n = state.alpha.len();
        if state.active.len() == n {
            return;
        }
        let mut kept = vec![false; n];
        state.active.iter().for_each(|&t| kept[t] = true);
        let lost: Vec<usize> = (0..n).filter(|&t| !kept[t]).collect();
        for &t in &lost {
            state.f[t] = state.bound[t] - self.sign(t);
        }
        for i in (0..n).filter(|&i| kept[i]) {
            let (a, sign) = (state.alpha[i], self.sign(i));
            if a > 0.0 && a < self.c_of(i) {
                let row = self.rows.row(i);
                lost.iter().for_each(|&t| state.f[t] += sign * a * row[t]);
            }
        }
        state.active = (0..n).collect();
    }

    /// Takes out rows that sit at a bound and pull away from the violating pair; `whole` once the end is near.
    fn shrink(&mut self, state: &mut State, unshrunk: &mut bool) {
        let (mut up, mut low) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for &t in &state.active {
            if self.up(state, t) {
                up = up.max(-state.f[t]);
            }
            if self.low(state, t) {
                low = low.max(state.f[t]);
            }
        }
        if !*unshrunk && up + low <= self.tolerance * 10.0 {
            *unshrunk = true;
            self.restore(state);
        }
        let mut active = std::mem::take(&mut state.active);
        active.retain(|&t| match (self.up(state, t), self.low(state, t)) {
            (false, true) => -state.f[t] <= up,
            (true, false) => state.f[t] <= low,
            _ => true,
        });
        state.active = active;
    }

    pub(crate) fn solve(mut self) -> Solution {
        let n = self.first.len();
        let mut state = State {
            alpha: vec![0.0; n],
            f: (0..n).map(|i| -self.sign(i)).collect(),
            bound: vec![0.0; n],
            active: (0..n).collect(),
        };
        let (mut iterations, mut unshrunk) = (0, false);
        let period = n.clamp(1, 1000);
        let mut countdown = period + 1;
        let gap = loop {
            countdown -= 1;
            if countdown == 0 {
                countdown = period;
                if self.shrinking {
                    self.shrink(&mut state, &mut unshrunk);
                }
            }
            let (mut pair, mut gap) = self.select(&state);
            if pair.is_none() && state.active.len() < n {
                self.restore(&mut state);
                (pair, gap) = self.select(&state);
                countdown = 1;
            }
            let Some((i, j)) = pair else { break gap };
            if iterations >= self.max_iterations {
                self.restore(&mut state);
                break gap;
            }
            iterations += 1;
            let product = self.rows.row(i)[j];
            let (a, b) = self.step(&state, i, j, product);
            self.move_to(&mut state, (i, a), (j, b));
        };
        self.restore(&mut state);
        let rho = self.rho(&state);
        Solution { alpha: state.alpha, rho, iterations, gap }
    }

    fn move_to(&mut self, state: &mut State, (i, a): (usize, f64), (j, b): (usize, f64)) {
        let (si, sj) = (self.sign(i), self.sign(j));
        let (ci, cj) = (self.c_of(i), self.c_of(j));
        let (di, dj) = (si * (a - state.alpha[i]), sj * (b - state.alpha[j]));
        let full = state.active.len() == state.alpha.len();
        let shrinking = self.shrinking;
        let bound = |before: f64, after: f64, c: f64| match (before >= c, after >= c) {
            (false, true) => 1.0,
            (true, false) => -1.0,
            _ => 0.0,
        };
        let (bi, bj) = (bound(state.alpha[i], a, ci) * si * ci, bound(state.alpha[j], b, cj) * sj * cj);
        (state.alpha[i], state.alpha[j]) = (a, b);
        let (row_i, row_j) = self.rows.two(i, j);
        if full && let (Some(row_i), Some(row_j)) = (row_i.as_slice(), row_j.as_slice()) {
            for ((f, p), q) in state.f.iter_mut().zip(row_i).zip(row_j) {
                *f += di * p + dj * q;
            }
        } else {
            for &t in &state.active {
                state.f[t] += di * row_i[t] + dj * row_j[t];
            }
        }
        if shrinking && (bi != 0.0 || bj != 0.0) {
            for ((f, p), q) in state.bound.iter_mut().zip(row_i).zip(row_j) {
                *f += bi * p + bj * q;
            }
        }
    }

    fn rho(&self, state: &State) -> f64 {
        let (mut highest, mut lowest) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut sum, mut free) = (0.0, 0_usize);
        for (t, &f) in state.f.iter().enumerate() {
            match (self.up(state, t), self.low(state, t)) {
                (true, true) => {
                    sum += f;
                    free += 1;
                }
                (true, false) => highest = highest.min(f),
                (false, true) => lowest = lowest.max(f),
                (false, false) => {}
            }
        }
        if free > 0 {
            return sum / free as f64;
        }
        match (highest.is_finite(), lowest.is_finite()) {
            (true, true) => f64::midpoint(highest, lowest),
            (true, false) => highest,
            (false, true) => lowest,
            (false, false) => 0.0,
        }
    }
}
