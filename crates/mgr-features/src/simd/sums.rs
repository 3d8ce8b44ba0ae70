//! Sums over the values of one column or frame, in double precision.

/// Double-precision values handled together; two AVX2 registers.
const WIDE_LANES: usize = 8;

#[inline(always)]
fn total(sums: [f64; WIDE_LANES]) -> f64 {
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

/// `sum_k term(k)`, eight sums side by side.
#[inline(always)]
fn sum_of(count: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0f64; WIDE_LANES];
    let whole = count / WIDE_LANES * WIDE_LANES;
    for at in (0..whole).step_by(WIDE_LANES) {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += term(at + i);
        }
    }
    for k in whole..count {
        sums[k - whole] += term(k);
    }
    total(sums)
}

dispatched! {
    /// `out[r] = sum_k rows[r n + k] values[k]` in double precision, with `n = values.len()`.
    dot_rows(rows: &[f64], values: &[f32], out: &mut [f64]) = dot_rows_body
}

#[inline(always)]
fn dot_rows_body(rows: &[f64], values: &[f32], out: &mut [f64]) {
    for (o, row) in out.iter_mut().zip(rows.chunks_exact(values.len().max(1))) {
        let row = &row[..values.len()];
        *o = sum_of(values.len(), |k| row[k] * f64::from(values[k]));
    }
}

dispatched! {
    /// The sum of values and the sum of their squares in double precision.
    sums(values: &[f32], out: &mut [f64; 2]) = sums_body
}

#[inline(always)]
fn sums_body(values: &[f32], out: &mut [f64; 2]) {
    out[0] = sum_of(values.len(), |k| f64::from(values[k]));
    out[1] = sum_of(values.len(), |k| f64::from(values[k]) * f64::from(values[k]));
}

dispatched! {
    /// `out = sum_k values[k] |hz[k] - centre|^power`, a whole power from 1 to 4.
    deviations(values: &[f32], hz: &[f64], centre: f64, power: u32, out: &mut f64) = deviations_body
}

#[inline(always)]
fn deviations_body(values: &[f32], hz: &[f64], centre: f64, power: u32, out: &mut f64) {
    let hz = &hz[..values.len()];
    let term = |k: usize, shape: fn(f64) -> f64| f64::from(values[k]) * shape(hz[k] - centre);
    *out = match power {
        1 => sum_of(values.len(), |k| term(k, f64::abs)),
        2 => sum_of(values.len(), |k| term(k, |d| d * d)),
        3 => sum_of(values.len(), |k| term(k, |d| d * d * d.abs())),
        _ => sum_of(values.len(), |k| term(k, |d| (d * d) * (d * d))),
    };
}

dispatched! {
    /// How many values lie under `-threshold` where their predecessor does not, or the other way round.
    sign_changes(values: &[f32], threshold: f32, out: &mut u32) = sign_changes_body
}

#[inline(always)]
fn sign_changes_body(values: &[f32], threshold: f32, out: &mut u32) {
    let after = values.get(1..).unwrap_or(&[]);
    *out = values.iter().zip(after).map(|(a, b)| u32::from((*a < -threshold) != (*b < -threshold))).sum();
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 7, 8, 9, 64, 1025] {
            let values = noise(n, 7);
            let rows: Vec<f64> = noise(3 * n, 7).into_iter().map(f64::from).collect();
            let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
            dot_rows(&rows, &values, &mut a);
            dot_rows_body(&rows, &values, &mut b);
            assert_eq!(a, b, "dot of {n}");
            for power in 1..=4 {
                let (mut a, mut b) = (0.0, 0.0);
                deviations(&values, &rows, 0.3, power, &mut a);
                deviations_body(&values, &rows, 0.3, power, &mut b);
                assert_eq!(a, b, "deviation of {n}");
            }
            let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
            sums(&values, &mut a);
            sums_body(&values, &mut b);
            assert_eq!(a, b, "sums of {n}");
            let (mut a, mut b) = (0, 0);
            sign_changes(&values, 0.01, &mut a);
            sign_changes_body(&values, 0.01, &mut b);
            assert_eq!(a, b, "sign changes of {n}");
        }
    }

    #[test]
    fn sums_are_what_they_say() {
        let values = noise(1001, 7);
        let hz: Vec<f64> = (0..1001).map(f64::from).collect();
        for power in 1..=4 {
            let mut got = 0.0;
            deviations(&values, &hz, 500.5, power, &mut got);
            let terms = values.iter().zip(&hz);
            let want: f64 = terms.map(|(v, f)| f64::from(*v) * (f - 500.5f64).abs().powi(power as i32)).sum();
            assert!((got - want).abs() <= 1e-12 * 1001.0 * 500f64.powi(power as i32), "{got} {want}");
        }
        let mut changes = 0;
        sign_changes(&[1.0, -1.0, -0.0, 1.0, -2.0, -1e-11], 1e-10, &mut changes);
        assert_eq!(changes, 4);
    }
}
