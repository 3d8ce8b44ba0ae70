//! Octave bands by Daubechies' wavelet of four taps.

/// Low-pass taps; the high-pass ones are these backwards with every other sign changed.
fn low_pass() -> [f64; 4] {
    let root = 3.0_f64.sqrt();
    [1.0 + root, 3.0 + root, 3.0 - root, 1.0 - root].map(|h| h / (4.0 * 2.0_f64.sqrt()))
}

/// A planned decomposition of a window into octave bands, each at the full rate again.
#[derive(Debug, Clone)]
pub(super) struct OctaveBands {
    low: [f64; 4],
    high: [f64; 4],
    levels: usize,
}

impl OctaveBands {
    pub(super) fn new(levels: usize) -> Self {
        let low = low_pass();
        Self { low, high: [low[3], -low[2], low[1], -low[0]], levels }
    }

    /// Bands: one a level, the highest octave first, and what is under them.
    pub(super) fn count(&self) -> usize {
        self.levels + 1
    }

    /// The transform of a window, a multiple of `2^levels` long, in place: the details of the last level stand behind the rest of
    /// the last level, those of the first level in the upper half. The ends are joined to a ring.
    pub(super) fn analyse(&self, window: &mut [f64], spare: &mut [f64]) {
        let mut length = window.len();
        for _ in 0..self.levels {
            let half = length / 2;
            for i in 0..half {
                let tap = |k: usize| window[(2 * i + k) % length];
                spare[i] = self.low.iter().enumerate().map(|(k, h)| h * tap(k)).sum();
                spare[half + i] = self.high.iter().enumerate().map(|(k, g)| g * tap(k)).sum();
            }
            window[..length].copy_from_slice(&spare[..length]);
            length = half;
        }
    }

    /// One band of a transform at the full rate, into `out`; `spare` is as long.
    pub(super) fn synthesise(&self, transform: &[f64], band: usize, out: &mut [f64], spare: &mut [f64]) {
        let level = (band + 1).min(self.levels);
        let details = band < self.levels;
        let mut length = transform.len() >> level;
        let first = if details { length } else { 0 };
        out[..length].copy_from_slice(&transform[first..first + length]);
        for step in 0..level {
            let taps = if step == 0 && details { &self.high } else { &self.low };
            let doubled = 2 * length;
            spare[..doubled].fill(0.0);
            for (i, value) in out[..length].iter().enumerate() {
                for (k, tap) in taps.iter().enumerate() {
                    let at = 2 * i + k;
                    spare[if at < doubled { at } else { at - doubled }] += tap * value;
                }
            }
            out[..doubled].copy_from_slice(&spare[..doubled]);
            length = doubled;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_add_up_to_the_window_and_are_orthogonal() {
        let window: Vec<f64> = (0..256).map(|n| (f64::from(n) * 0.7).sin() + f64::from(n % 7)).collect();
        let bands = OctaveBands::new(4);
        let (mut transform, mut spare) = (window.clone(), vec![0.0; 256]);
        bands.analyse(&mut transform, &mut spare);
        let energy = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>();
        assert!((energy(&transform) / energy(&window) - 1.0).abs() < 1e-12);
        let mut sum = vec![0.0; 256];
        let mut energies = 0.0;
        for band in 0..bands.count() {
            let mut out = vec![0.0; 256];
            bands.synthesise(&transform, band, &mut out, &mut spare);
            sum.iter_mut().zip(&out).for_each(|(s, x)| *s += x);
            energies += energy(&out);
        }
        assert!(sum.iter().zip(&window).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((energies / energy(&window) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_has_no_details() {
        let bands = OctaveBands::new(3);
        let (mut window, mut spare) = (vec![1.0; 64], vec![0.0; 64]);
        bands.analyse(&mut window, &mut spare);
        assert!(window[8..].iter().all(|d| d.abs() < 1e-15));
    }
}
