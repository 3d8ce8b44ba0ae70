//! How an iterative fit ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convergence {
    /// The gap fell to the tolerance.
    Converged {
        /// Iterations it took.
        iterations: usize,
    },
    /// The iterations ran out, or rounding stopped progress, above the tolerance.
    Stopped {
        /// Iterations done.
        iterations: usize,
        /// What was left, on the scale of the tolerance: the largest gradient entry, or the violation of optimality.
        gradient: f64,
    },
}

impl Convergence {
    /// Whether the fit reached its tolerance.
    #[must_use]
    pub const fn is_converged(&self) -> bool {
        matches!(self, Self::Converged { .. })
    }

    /// By the gap reached.
    pub(crate) fn of(iterations: usize, gap: f64, tolerance: f64) -> Self {
        if gap <= tolerance {
            Self::Converged { iterations }
        } else {
            Self::Stopped { iterations, gradient: gap }
        }
    }

    /// The worse of two, with the iterations of both.
    pub(crate) fn and(self, other: Self) -> Self {
        let count = |c: Self| match c {
            Self::Converged { iterations } | Self::Stopped { iterations, .. } => iterations,
        };
        let iterations = count(self).saturating_add(count(other));
        match (self, other) {
            (Self::Stopped { gradient: a, .. }, Self::Stopped { gradient: b, .. }) => {
                Self::Stopped { iterations, gradient: a.max(b) }
            }
            (Self::Stopped { gradient, .. }, _) | (_, Self::Stopped { gradient, .. }) => {
                Self::Stopped { iterations, gradient }
            }
            _ => Self::Converged { iterations },
        }
    }
}

impl fmt::Display for Convergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Converged { iterations } => write!(f, "converged in {iterations} iterations"),
            Self::Stopped { iterations, gradient } => {
                write!(f, "did not converge: a gap of {gradient:.3e} was left after {iterations} iterations")
            }
        }
    }
}
