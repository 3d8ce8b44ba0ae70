//! Soft masks from two medians.

/// How the two medians of a value weigh against each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weighing {
    pub(crate) harmonic_margin: f32,
    pub(crate) percussive_margin: f32,
    /// The mask where both are zero.
    pub(crate) neither: f32,
}

dispatched! {
    /// Soft masks of power 1 from the medians: harmonic and percussive in, masks out, both in place.
    masks_1(harmonic: &mut [f32], percussive: &mut [f32], weighing: Weighing) = masks_1_body
}

#[inline(always)]
fn masks_1_body(harmonic: &mut [f32], percussive: &mut [f32], weighing: Weighing) {
    masks(harmonic, percussive, weighing, |x| x);
}

dispatched! {
    /// As [`masks_1`], of power 2.
    masks_2(harmonic: &mut [f32], percussive: &mut [f32], weighing: Weighing) = masks_2_body
}

#[inline(always)]
fn masks_2_body(harmonic: &mut [f32], percussive: &mut [f32], weighing: Weighing) {
    masks(harmonic, percussive, weighing, |x| x * x);
}

/// Soft masks: `x^p / (x^p + r^p)`, with `x` one median and `r` the other times its margin, both over the larger of the two.
#[inline(always)]
pub(crate) fn masks(
    harmonic: &mut [f32],
    percussive: &mut [f32],
    weighing: Weighing,
    raise: impl Fn(f32) -> f32 + Copy,
) {
    for (h, p) in harmonic.iter_mut().zip(percussive) {
        let (x, y) = (*h, *p);
        *h = mask(x, y, weighing.harmonic_margin, weighing.neither, raise);
        *p = mask(y, x, weighing.percussive_margin, weighing.neither, raise);
    }
}

#[inline(always)]
fn mask(x: f32, other: f32, margin: f32, neither: f32, raise: impl Fn(f32) -> f32) -> f32 {
    let product = other * margin;
    let r = if product < f32::MAX { product } else { f32::MAX };
    let larger = if x > r { x } else { r };
    let none = larger < f32::MIN_POSITIVE;
    let unit = if none { 1.0 } else { larger };
    let (a, b) = (raise(x / unit), raise(r / unit));
    let share = a / (a + b);
    if none { neither } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        // A few zeros among the rest.
        super::super::noise(count, 5).iter().map(|v| v.max(0.0)).collect()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        let weighing = Weighing { harmonic_margin: 1.0, percussive_margin: 3.0, neither: 0.5 };
        for (wide, narrow) in [
            (
                masks_1 as fn(&mut [f32], &mut [f32], Weighing),
                masks_1_body as fn(&mut [f32], &mut [f32], Weighing),
            ),
            (masks_2, masks_2_body),
        ] {
            let (mut a, mut b) = (noise(501), noise(1002)[501..].to_vec());
            let (mut c, mut d) = (a.clone(), b.clone());
            wide(&mut a, &mut b, weighing);
            narrow(&mut c, &mut d, weighing);
            assert_eq!((a, b), (c, d));
        }
    }
}
