//! The distribution function of the beta distribution.

/// The share of a beta distribution with the shapes `a` and `b` that lies under `x`: the regularised incomplete beta function.
///
/// By its continued fraction, evaluated after Lentz (NIST DLMF 8.17.22), on the side of the mean where it converges fast.
pub(crate) fn distribution(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - lower(1.0 - x, b, a);
    }
    lower(x, a, b)
}

fn lower(x: f64, a: f64, b: f64) -> f64 {
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - log_beta) / a;
    front * fraction(x, a, b)
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    /// Enough for shapes up to some 10^8; it grows with their square root.
    const MOST: u32 = 100_000;
    let away = |v: f64| if v.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { v };
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut value) = (1.0, d);
    for m in 1..MOST {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_shapes_are_binomial_sums() {
        // I_x(2, 18) = 1 - (1-x)^19 - 19 x (1-x)^18.
        for i in 0..=100 {
            let x = f64::from(i) / 100.0;
            let want = 1.0 - (1.0 - x).powi(19) - 19.0 * x * (1.0 - x).powi(18);
            assert!((distribution(x, 2.0, 18.0) - want).abs() < 2e-15, "{x}");
        }
    }

    #[test]
    fn other_shapes_are_those_of_tables() {
        // scipy 1.16 stats.beta.cdf.
        for (x, a, b, want) in CASES {
            let got = distribution(*x, *a, *b);
            // Logarithms as large as the shapes cancel.
            assert!((got - want).abs() < 1e-14 + 1e-15 * (a + b), "{x} {a} {b}: {got} {want}");
        }
    }

    const CASES: &[(f64, f64, f64, f64)] = &[
        (0.3, 0.5, 0.5, 0.36901011956554536),
        (0.01, 0.1, 3.7, 0.7446497394476423),
        (0.9, 11.3, 2.2, 0.7016792843486992),
        (0.5, 1000.0, 990.0, 0.4112948754753034),
        (1e-06, 1.0, 1.0, 1e-06),
        (0.999, 0.2, 40.0, 1.0),
    ];
}
