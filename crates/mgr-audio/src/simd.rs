//! The inner loops of the resampler, compiled twice: for any processor, and for AVX2, chosen at run time.
//!
//! Both are the same safe code. Rust never fuses or reorders floating-point operations by itself, so both give the same bits;
//! a test holds them to that. The only unsafe step is to call what needs AVX2 once its presence is known.
#![allow(unsafe_code)]

use rustfft::num_complex::Complex32;

/// Defines `name`, which runs `body` as compiled for the widest vectors that this processor has.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) = $body:ident) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $kind),*) {
                    $body($($argument),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2, which is all that `wide` asks for.
                    return unsafe { wide($($argument),*) };
                }
            }
            $body($($argument),*);
        }
    };
}

/// Independent partial sums of a dot product; a fixed number, so that results do not depend on the machine.
pub(crate) const LANES: usize = 8;

/// Outputs whose sums are gathered before they are added up.
const TOGETHER: usize = 16;

/// The rows of a polyphase filter.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Row after row of `width` taps.
    pub(crate) taps: Vec<f32>,
    /// Taps of a row, a multiple of [`LANES`].
    pub(crate) width: usize,
    /// Output `m` lies at input `m down / up`.
    pub(crate) up: u64,
    pub(crate) down: u64,
    /// Rows per phase where outputs fall between rows; `None` where every phase has its row.
    pub(crate) rows_per_phase: Option<f64>,
}

/// Where the next output lies: at input `position + phase / up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) position: u64,
    pub(crate) phase: u64,
}

dispatched! {
    /// `out[i] = sum_k row(place_i)[k] window[place_i.position + k]`, and moves `place` on by `out.len()` outputs.
    polyphase(rows: &Rows, place: &mut Place, window: &[f32], out: &mut [f32]) = polyphase_body
}

#[inline(always)]
fn polyphase_body(rows: &Rows, place: &mut Place, window: &[f32], out: &mut [f32]) {
    match rows.width {
        // The length of the short kernels, known when compiled.
        24 => walk(rows, 24, place, window, out),
        width => walk(rows, width, place, window, out),
    }
}

#[inline(always)]
fn walk(rows: &Rows, width: usize, place: &mut Place, window: &[f32], out: &mut [f32]) {
    let (whole_step, part_step) = (rows.down / rows.up, rows.down % rows.up);
    let last_row = (rows.taps.len() / width).saturating_sub(2);
    // Sums over lanes are left to a loop of their own: beside the products they would keep those from wide registers.
    let mut lanes = [[0.0f32; LANES]; TOGETHER];
    for out in out.chunks_mut(TOGETHER) {
        for sums in &mut lanes[..out.len()] {
            let at = place.position as usize;
            let x = &window[at..at + width];
            *sums = match rows.rows_per_phase {
                None => {
                    let row = place.phase as usize * width;
                    products(&rows.taps[row..row + width], x)
                }
                Some(rows_per_phase) => {
                    let exact = place.phase as i64 as f64 * rows_per_phase;
                    let row = (exact as i32 as usize).min(last_row);
                    let weight = (exact - row as i32 as f64) as f32;
                    let both = &rows.taps[row * width..row * width + 2 * width];
                    let (mut a, b) = (products(&both[..width], x), products(&both[width..], x));
                    for lane in 0..LANES {
                        a[lane] += weight * (b[lane] - a[lane]);
                    }
                    a
                }
            };
            place.position += whole_step;
            place.phase += part_step;
            if place.phase >= rows.up {
                place.phase -= rows.up;
                place.position += 1;
            }
        }
        for (value, sums) in out.iter_mut().zip(&lanes) {
            *value =
                ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
        }
    }
}

/// Partial sums of products. Long rows go to four groups of [`LANES`] sums, so that additions need not wait for each other.
#[inline(always)]
fn products(a: &[f32], b: &[f32]) -> [f32; LANES] {
    let mut sums = [0.0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<{ 4 * LANES }>(), b.as_chunks::<{ 4 * LANES }>());
    if !a.is_empty() {
        let mut wide = [0.0f32; 4 * LANES];
        for (a, b) in a.iter().zip(b) {
            for lane in 0..4 * LANES {
                wide[lane] += a[lane] * b[lane];
            }
        }
        for lane in 0..LANES {
            sums[lane] =
                (wide[lane] + wide[lane + LANES]) + (wide[lane + 2 * LANES] + wide[lane + 3 * LANES]);
        }
    }
    for (a, b) in a_rest.as_chunks::<LANES>().0.iter().zip(b_rest.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums
}

dispatched! {
    /// `out[i] = (re[i], im[i])`.
    pair(re: &[f32], im: &[f32], out: &mut [Complex32]) = pair_body
}

#[inline(always)]
fn pair_body(re: &[f32], im: &[f32], out: &mut [Complex32]) {
    for (o, (re, im)) in out.iter_mut().zip(re.iter().zip(im)) {
        *o = Complex32::new(*re, *im);
    }
}

dispatched! {
    /// `re[i], im[i] = z[i]`.
    unpair(z: &[Complex32], re: &mut [f32], im: &mut [f32]) = unpair_body
}

#[inline(always)]
fn unpair_body(z: &[Complex32], re: &mut [f32], im: &mut [f32]) {
    for (z, (re, im)) in z.iter().zip(re.iter_mut().zip(im)) {
        *re = z.re;
        *im = z.im;
    }
}

dispatched! {
    /// `out[i] = gain[i] z[i]`.
    scale(z: &[Complex32], gain: &[f32], out: &mut [Complex32]) = scale_body
}

#[inline(always)]
fn scale_body(z: &[Complex32], gain: &[f32], out: &mut [Complex32]) {
    for (o, (z, gain)) in out.iter_mut().zip(z.iter().zip(gain)) {
        *o = Complex32::new(z.re * gain, z.im * gain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 99_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for width in [LANES, 3 * LANES, 4 * LANES, 13 * LANES] {
            for rows_per_phase in [None, Some(0.61)] {
                let rows = Rows { taps: noise(9 * width), width, up: 8, down: 19, rows_per_phase };
                let start = Place { position: 1, phase: 3 };
                let window = noise(width + 60);
                let ((mut a, mut b), mut places) = (([0.0; 20], [0.0; 20]), [start; 2]);
                polyphase(&rows, &mut places[0], &window, &mut a);
                polyphase_body(&rows, &mut places[1], &window, &mut b);
                assert_eq!((a, places[0]), (b, places[1]), "rows of {width}");
                assert!(a.iter().all(|x| *x != 0.0));
            }
        }
        for len in [1, 7, 64, 1001] {
            let (re, im) = (noise(len), noise(len + 1)[1..].to_vec());
            let (mut a, mut b) = (vec![Complex32::default(); len], vec![Complex32::default(); len]);
            pair(&re, &im, &mut a);
            pair_body(&re, &im, &mut b);
            assert_eq!(a, b);
            let mut scaled = [vec![Complex32::default(); len], vec![Complex32::default(); len]];
            scale(&a, &im, &mut scaled[0]);
            scale_body(&a, &im, &mut scaled[1]);
            assert_eq!(scaled[0], scaled[1]);
            let mut apart = [vec![0.0; len], vec![0.0; len], vec![0.0; len], vec![0.0; len]];
            let [a_re, a_im, b_re, b_im] = &mut apart;
            unpair(&a, a_re, a_im);
            unpair_body(&a, b_re, b_im);
            assert_eq!((&apart[0], &apart[1]), (&apart[2], &apart[3]));
            assert_eq!((&apart[0], &apart[1]), (&re, &im));
        }
    }
}
