//! Sums over the values of one row in double precision: total and extremes, powers of deviations, products.

/// Values handled together; two AVX2 registers.
const LANES: usize = 8;

#[inline(always)]
fn total(sums: [f64; LANES]) -> f64 {
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

dispatched! {
    /// Sum, smallest and largest of values; `0, inf, -inf` where there is none.
    extent(values: &[f64], out: &mut [f64; 3]) = extent_body
}

#[inline(always)]
fn extent_body(values: &[f64], out: &mut [f64; 3]) {
    let (mut sums, mut low, mut high) = ([0.0; LANES], [f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut take = |i: usize, x: f64| {
        sums[i] += x;
        low[i] = if x < low[i] { x } else { low[i] };
        high[i] = if x > high[i] { x } else { high[i] };
    };
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for (i, x) in block.iter().enumerate() {
            take(i, *x);
        }
    }
    for (i, x) in rest.iter().enumerate() {
        take(i, *x);
    }
    let low = low.into_iter().fold(f64::INFINITY, |a, b| if b < a { b } else { a });
    let high = high.into_iter().fold(f64::NEG_INFINITY, |a, b| if b > a { b } else { a });
    *out = [total(sums), low, high];
}

dispatched! {
    /// Sums of the second, third and fourth powers of `values - mean`.
    deviation_powers(values: &[f64], mean: f64, out: &mut [f64; 3]) = deviation_powers_body
}

#[inline(always)]
fn deviation_powers_body(values: &[f64], mean: f64, out: &mut [f64; 3]) {
    let mut sums = [[0.0; LANES]; 3];
    let mut take = |i: usize, x: f64| {
        let d = x - mean;
        let square = d * d;
        sums[0][i] += square;
        sums[1][i] += square * d;
        sums[2][i] += square * square;
    };
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for (i, x) in block.iter().enumerate() {
            take(i, *x);
        }
    }
    for (i, x) in rest.iter().enumerate() {
        take(i, *x);
    }
    *out = sums.map(total);
}

dispatched! {
    /// `out = sum_i a[i] b[i]`, over the shorter of both.
    product(a: &[f64], b: &[f64], out: &mut f64) = product_body
}

#[inline(always)]
fn product_body(a: &[f64], b: &[f64], out: &mut f64) {
    let count = a.len().min(b.len());
    let (a, a_rest) = a[..count].as_chunks::<LANES>();
    let (b, b_rest) = b[..count].as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * b;
    }
    *out = total(sums);
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 7, 8, 9, 64, 1025] {
            let values: Vec<f64> = noise(n, 3).into_iter().map(f64::from).collect();
            let (mut a, mut b) = ([1.0; 3], [2.0; 3]);
            extent(&values, &mut a);
            extent_body(&values, &mut b);
            assert_eq!(a, b, "extent of {n}");
            deviation_powers(&values, 0.1, &mut a);
            deviation_powers_body(&values, 0.1, &mut b);
            assert_eq!(a, b, "deviations of {n}");
            let (mut a, mut b) = (1.0, 2.0);
            product(&values, &values, &mut a);
            product_body(&values, &values, &mut b);
            assert_eq!(a, b, "product of {n}");
            let want: f64 = values.iter().map(|x| x * x).sum();
            assert!((a - want).abs() <= 1e-12 * want);
        }
    }
}
