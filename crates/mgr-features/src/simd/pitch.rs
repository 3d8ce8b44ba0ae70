//! The inner loop of the Viterbi decoder; see [`crate::simd`] for how it is compiled.

/// States handled together; four AVX2 registers.
pub(crate) const STATES: usize = 16;

dispatched! {
    /// `best[j] = max_e from[j + e] + kernel[e]`, and in `at` the first `e` that gives it, 0 where all are negative infinity.
    ///
    /// `best` and `at` are as long, a multiple of [`STATES`]; `from` is longer by the kernel less one.
    banded_maximum(from: &[f64], kernel: &[f64], best: &mut [f64], at: &mut [f64]) = banded_maximum_body
}

#[inline(always)]
fn banded_maximum_body(from: &[f64], kernel: &[f64], best: &mut [f64], at: &mut [f64]) {
    let blocks = best.as_chunks_mut::<STATES>().0.iter_mut().zip(at.as_chunks_mut::<STATES>().0);
    for (block, (best, at)) in blocks.enumerate() {
        let (mut most, mut place) = ([f64::NEG_INFINITY; STATES], [0.0; STATES]);
        let (mut index, reach) = (0.0, &from[block * STATES..]);
        for (k, window) in kernel.iter().zip(reach.windows(STATES)) {
            for j in 0..STATES {
                let value = window[j] + k;
                let more = value > most[j];
                most[j] = if more { value } else { most[j] };
                place[j] = if more { index } else { place[j] };
            }
            index += 1.0;
        }
        *best = most;
        *at = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits_and_the_first_maximum() {
        let mut state = 3_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Few values, so that there are ties.
            let value = f64::from(state >> 29);
            if value < 2.0 { f64::NEG_INFINITY } else { value }
        };
        for (states, width) in [(16, 1), (48, 2), (608, 101)] {
            let from: Vec<f64> = (0..states + width - 1).map(|_| next()).collect();
            let kernel: Vec<f64> = (0..width).map(|_| next()).collect();
            let (mut best, mut at) = (vec![0.0; states], vec![0.0; states]);
            banded_maximum(&from, &kernel, &mut best, &mut at);
            let (mut narrow_best, mut narrow_at) = (best.clone(), at.clone());
            banded_maximum_body(&from, &kernel, &mut narrow_best, &mut narrow_at);
            assert_eq!((&best, &at), (&narrow_best, &narrow_at));
            for j in 0..states {
                let (mut want, mut first) = (f64::NEG_INFINITY, 0);
                for e in 0..width {
                    if from[j + e] + kernel[e] > want {
                        (want, first) = (from[j + e] + kernel[e], e);
                    }
                }
                assert_eq!((best[j], at[j]), (want, first as f64), "{j}");
            }
        }
    }
}
