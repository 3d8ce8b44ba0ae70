//! Frequencies of the bins of a transform.

/// Centre frequency in Hz of each of the `n_fft / 2 + 1` bins.
///
/// Rounded as numpy's `rfftfreq` rounds: band edges that fall on a bin must fall on the same side of it.
pub(crate) fn fft_frequencies(sample_rate: u32, n_fft: usize) -> impl Iterator<Item = f64> + Clone {
    let period = 1.0 / f64::from(sample_rate);
    let step = 1.0 / (n_fft as f64 * period);
    (0..=n_fft / 2).map(move |k| k as f64 * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_up_to_half_the_rate() {
        let hz: Vec<f64> = fft_frequencies(8000, 8).collect();
        assert_eq!(hz, [0.0, 1000.0, 2000.0, 3000.0, 4000.0]);
        assert_eq!(fft_frequencies(8000, 7).count(), 4);
        // numpy.fft.rfftfreq(2205, 1 / 22050)[20]
        assert_eq!(fft_frequencies(22_050, 2205).nth(20), Some(200.0));
    }
}
