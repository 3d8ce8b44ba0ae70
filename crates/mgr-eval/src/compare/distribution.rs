//! The distributions that tests and intervals need. All functions are for finite arguments in their documented range.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// P(Z < z) of a standard normal Z.
pub(crate) fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The z with P(Z < z) = p, for p strictly between 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    // The upper tail mirrors the lower one, where small probabilities keep their digits.
    if p > 0.5 { -root(-40.0, 0.0, 1.0 - p, normal_below) } else { root(-40.0, 0.0, p, normal_below) }
}

/// The x between `low` and `high` where a rising function reaches `target`, by bisection to the last bit or nearly.
fn root(mut low: f64, mut high: f64, target: f64, rising: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if rising(middle) < target { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// P(|T| > |t|) of Student's T with `freedom` > 0 degrees.
pub(crate) fn student_beyond(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)
}

/// The t with P(|T| > t) = `share`, for 0 < share < 1.
pub(crate) fn student_quantile(share: f64, freedom: f64) -> f64 {
    // The tail falls with t; beyond 1e12 no share of a double's size is left even with one degree.
    root(0.0, 1e12, -share, |t| -student_beyond(t, freedom))
}

/// P(F > f) of Snedecor's F.
pub(crate) fn fisher_above(f: f64, first: f64, second: f64) -> f64 {
    if f <= 0.0 {
        return 1.0;
    }
    if f.is_infinite() {
        return 0.0;
    }
    incomplete_beta(second / (second + first * f), 0.5 * second, 0.5 * first)
}

/// P(X > x) of chi-squared.
pub(crate) fn chi_squared_above(x: f64, freedom: f64) -> f64 {
    upper_gamma(0.5 * freedom, 0.5 * x)
}

/// P(X <= x) of a binomial X with n trials at 1/2, for x < n.
pub(crate) fn fair_binomial_up_to(x: u64, n: u64) -> f64 {
    incomplete_beta(0.5, (n - x) as f64, x as f64 + 1.0)
}

/// P(X = x) of the same.
pub(crate) fn fair_binomial_at(x: u64, n: u64) -> f64 {
    let ln = |count: u64| libm::lgamma(count as f64 + 1.0);
    (ln(n) - ln(x) - ln(n - x) - n as f64 * std::f64::consts::LN_2).exp()
}

/// P(range > q) of the range of `groups` (2 or more) standard normal values: the studentised range with infinitely many
/// degrees of freedom.
///
/// The complement is `k` times the integral of `phi(z) (Phi(z) - Phi(z - q))^(k-1)`. The trapezium rule converges faster
/// than any power of the step for such a function: 0.02 leaves rounding errors only.
pub(crate) fn range_above(q: f64, groups: usize) -> f64 {
    if q <= 0.0 {
        return 1.0;
    }
    const STEP: f64 = 0.02;
    // With q beyond 40 every double between 0 and 1 is passed; the bound keeps the loop short.
    let q = q.min(60.0);
    let steps = ((18.0 + q) / STEP) as i32;
    // 1 - k phi (D)^(k-1) is summed as the chance to exceed, phi (1 - D^(k-1)) weighted so that small tails keep digits.
    let mut below = 0.0;
    for index in 0..=steps {
        let z = -9.0 + STEP * f64::from(index);
        let inside = normal_below(z) - normal_below(z - q);
        below += (-0.5 * z * z).exp() * inside.powf((groups - 1) as f64);
    }
    (1.0 - groups as f64 * below * STEP / (2.0 * PI).sqrt()).clamp(0.0, 1.0)
}

/// The q with P(range > q) = `share`, for 0 < share < 1.
pub(crate) fn range_quantile(share: f64, groups: usize) -> f64 {
    root(0.0, 60.0, -share, |q| -range_above(q, groups))
}

/// The critical value of Nemenyi's test: the quantile of the range over the square root of 2.
pub(crate) fn nemenyi_quantile(share: f64, systems: usize) -> f64 {
    range_quantile(share, systems) / SQRT_2
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method).
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.8.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front =
        (libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

/// The regularised upper incomplete gamma function Q(a, x), by its series or its continued fraction.
///
/// Source: Abramowitz and Stegun, 6.5.29 and 6.5.31.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..10_000 {
        let n = f64::from(n);
        let term = n * (a - n);
        b += 2.0;
        d = 1.0 / (term * d + b);
        c = b + term / c;
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value} {expected}");
    }

    // Expected values: scipy 1.17.1; the continued fractions lose a few digits against its 16.
    #[test]
    fn tails_are_those_of_scipy() {
        close(student_beyond(0.5, 1.0), 0.7048327646991335, 1e-12);
        close(student_beyond(2.0, 4.0), 0.11611652351681556, 1e-12);
        close(student_beyond(2.262157, 9.0), 0.05000001330443163, 1e-12);
        close(student_beyond(-3.1, 99.0), 0.002520195824463759, 1e-12);
        close(student_beyond(12.0, 3.0), 0.0012450158007893362, 1e-12);
        close(student_quantile(0.05, 9.0), 2.2621571627982053, 1e-12);
        close(student_quantile(0.01, 99.0), 2.6264054572808275, 1e-12);
        close(student_quantile(0.5, 1.0), 1.0000000000000002, 1e-12);
        close(fisher_above(3.69, 3.0, 39.0), 0.01974409968948888, 1e-11);
        close(fisher_above(0.7, 2.0, 10.0), 0.5193686643598155, 1e-11);
        close(fisher_above(25.0, 4.0, 200.0), 8.444813531257508e-17, 1e-11);
        close(chi_squared_above(9.28, 3.0), 0.025790724198756772, 1e-12);
        close(chi_squared_above(0.2, 1.0), 0.6547208460185768, 1e-12);
        close(chi_squared_above(3.125, 1.0), 0.07709987174354202, 1e-12);
        close(chi_squared_above(60.0, 7.0), 1.5095553022989154e-10, 1e-12);
        close(fair_binomial_up_to(1, 8), 0.03515625, 1e-11);
        close(fair_binomial_at(1, 8), 0.031249999999999983, 1e-10);
        close(fair_binomial_up_to(3, 7), 0.5, 1e-11);
        close(fair_binomial_at(3, 7), 0.2734374999999999, 1e-10);
        close(fair_binomial_up_to(40, 100), 0.028443966820490444, 1e-11);
        close(fair_binomial_at(40, 100), 0.010843866711637978, 1e-10);
        close(fair_binomial_up_to(4900, 10000), 0.023292763852473225, 1e-11);
        close(fair_binomial_at(4900, 10000), 0.0010798643294333704, 1e-10);
        close(normal_quantile(0.975), 1.959963984540054, 1e-13);
        assert!(normal_quantile(0.5).abs() < 1e-12);
        close(normal_quantile(0.001), -3.090232306167813, 1e-13);
        close(normal_quantile(1e-12), -7.034483825301131, 1e-13);
        close(range_above(1.0, 2), 0.4795001221869535, 1e-12);
        close(range_above(3.6331, 4), 0.05000559174326898, 1e-12);
        close(range_above(4.5, 10), 0.047305827312928574, 1e-12);
        close(range_above(0.3, 30), 1.0, 1e-12);
        close(range_above(8.0, 5), 1.5380313803521567e-07, 1e-6);
        close(range_quantile(0.05, 4), 3.6331595749026278, 1e-6);
        close(range_quantile(0.1, 3), 2.9023802134282515, 1e-6);
        close(range_quantile(0.01, 20), 5.6452146979858515, 1e-6);
    }
}
