//! Inner loop of band-limited interpolation.

dispatched! {
    /// `out = (1 - share) a . x + share b . x`; lengths are multiples of 8.
    dot_between(a: &[f32], b: &[f32], x: &[f32], share: f32, out: &mut f32) = dot_between_body
}

#[inline(always)]
fn dot_between_body(a: &[f32], b: &[f32], x: &[f32], share: f32, out: &mut f32) {
    let (mut first, mut second) = ([0.0_f32; 8], [0.0_f32; 8]);
    let rows = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    for ((a, b), x) in rows.zip(x.as_chunks::<8>().0) {
        for i in 0..8 {
            first[i] += a[i] * x[i];
            second[i] += b[i] * x[i];
        }
    }
    let sum = |s: [f32; 8]| ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
    let (first, second) = (sum(first), sum(second));
    *out = first + share * (second - first);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for length in [8, 16, 72, 200] {
            let wave = |k: f32| -> Vec<f32> { (0..length).map(|n| (n as f32 * k).sin()).collect() };
            let (a, b, x) = (wave(0.3), wave(1.7), wave(0.9));
            let (mut wide, mut narrow) = (0.0, 1.0);
            dot_between(&a, &b, &x, 0.37, &mut wide);
            dot_between_body(&a, &b, &x, 0.37, &mut narrow);
            assert_eq!(wide.to_bits(), narrow.to_bits());
        }
    }
}
