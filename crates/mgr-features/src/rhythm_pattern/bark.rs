//! Bark bands: which bins of a power spectrum belong to them, how they mask each other, how loud they are.

use std::ops::Range;

use crate::simd::loudness::BrokenLine;

/// Upper edges of the Bark bands in Hz; the first begins at 0.
pub(super) const BARK_HZ: [f64; 24] = [
    100.0, 200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1080.0, 1270.0, 1480.0, 1720.0, 2000.0, 2320.0,
    2700.0, 3150.0, 3700.0, 4400.0, 5300.0, 6400.0, 7700.0, 9500.0, 12_000.0, 15_500.0,
];

/// Lower edge of band `b`.
pub(super) fn lower_edge(b: usize) -> f64 {
    if b == 0 { 0.0 } else { BARK_HZ[b - 1] }
}

/// The bins of each of the first `n_bands` bands: those whose frequency is at its lower edge or over it and under its upper edge.
pub(super) fn bins_of_bands(n_bands: usize, n_fft: usize, sample_rate: u32) -> Vec<Range<usize>> {
    let bins = n_fft / 2 + 1;
    let hz = |k: usize| k as f64 * f64::from(sample_rate) / n_fft as f64;
    let first_at = |edge: f64| (0..bins).find(|k| hz(*k) >= edge).unwrap_or(bins);
    (0..n_bands).map(|b| first_at(lower_edge(b))..first_at(BARK_HZ[b])).collect()
}

/// How power spreads: row `i`, column `j` is the share of band `j` that comes to stand in band `i`.
///
/// `10 log10 S = 15.81 + 7.5 (d + 0.474) - 17.5 sqrt(1 + (d + 0.474)^2)`, `d = i - j`. Source: Schroeder, Atal and Hall,
/// "Optimizing digital speech coders by exploiting masking properties of the human ear" (1979).
pub(super) fn spreading(n_bands: usize) -> Vec<f64> {
    let share = |i: usize, j: usize| {
        let d = i as f64 - j as f64 + 0.474;
        10f64.powf((15.81 + 7.5 * d - 17.5 * (1.0 + d * d).sqrt()) / 10.0)
    };
    (0..n_bands * n_bands).map(|at| share(at / n_bands, at % n_bands)).collect()
}

/// Terhardt's transmission of the outer ear as a factor of power; 0 at 0 Hz.
pub(super) fn outer_ear(hz: f64) -> f64 {
    let f = hz / 1000.0;
    let db = -3.64 * f.powf(-0.8) + 6.5 * (-0.6 * (f - 3.3) * (f - 3.3)).exp() - 1e-3 * f.powi(4);
    10f64.powf(db / 10.0)
}

/// Frequencies in Hz of the curves of equal loudness.
const CURVE_HZ: [f64; 22] = [
    31.62, 50.0, 70.7, 100.0, 141.4, 200.0, 316.2, 500.0, 707.1, 1000.0, 1414.0, 1682.0, 2000.0, 2515.0,
    3162.0, 3976.0, 5000.0, 7071.0, 10_000.0, 11_890.0, 14_140.0, 15_500.0,
];

/// Loudness levels of the curves in phon.
const PHON: [f64; 6] = [3.0, 20.0, 40.0, 60.0, 80.0, 100.0];

/// Curves of equal loudness in dB, as rp_extract has them.
const CURVES: [[f64; 22]; 6] = [
    [
        55.0, 40.0, 32.0, 24.0, 19.0, 14.0, 10.0, 6.0, 4.0, 3.0, 2.0, 2.0, 0.0, -2.0, -5.0, -4.0, 0.0, 5.0,
        10.0, 14.0, 25.0, 35.0,
    ],
    [
        66.0, 52.0, 43.0, 37.0, 32.0, 27.0, 23.0, 21.0, 20.0, 20.0, 20.0, 20.0, 19.0, 16.0, 13.0, 13.0, 18.0,
        22.0, 25.0, 30.0, 40.0, 50.0,
    ],
    [
        76.0, 64.0, 57.0, 51.0, 47.0, 43.0, 41.0, 41.0, 40.0, 40.0, 40.0, 39.5, 38.0, 35.0, 33.0, 33.0, 35.0,
        41.0, 46.0, 50.0, 60.0, 70.0,
    ],
    [
        89.0, 79.0, 74.0, 70.0, 66.0, 63.0, 61.0, 60.0, 60.0, 60.0, 60.0, 59.0, 56.0, 53.0, 52.0, 53.0, 56.0,
        61.0, 65.0, 70.0, 80.0, 90.0,
    ],
    [
        103.0, 96.0, 92.0, 88.0, 85.0, 83.0, 81.0, 80.0, 80.0, 80.0, 80.0, 79.0, 76.0, 72.0, 70.0, 70.0,
        75.0, 79.0, 83.0, 87.0, 95.0, 105.0,
    ],
    [
        118.0, 110.0, 107.0, 105.0, 103.0, 102.0, 101.0, 100.0, 100.0, 100.0, 100.0, 99.0, 97.0, 94.0, 90.0,
        90.0, 95.0, 100.0, 103.0, 105.0, 108.0, 115.0,
    ],
];

/// The level in dB at which band `b` is as loud as each of the curves, at its upper edge.
fn levels(b: usize) -> [f64; 6] {
    let hz = BARK_HZ[b];
    let above = CURVE_HZ.iter().position(|f| *f >= hz).unwrap_or(CURVE_HZ.len() - 1).max(1);
    let (low, high) = (CURVE_HZ[above - 1], CURVE_HZ[above]);
    let share = (hz - low) / (high - low);
    CURVES.map(|curve| curve[above - 1] + share * (curve[above] - curve[above - 1]))
}

/// Phon of dB in band `b`: between the curves along a line, over the last but one along the last line without an end, 3 under the
/// first.
pub(super) fn phon(b: usize) -> BrokenLine {
    let levels = levels(b);
    let mut line = BrokenLine::default();
    for i in 0..5 {
        line.from[i] = levels[i];
        line.at[i] = PHON[i];
        line.slope[i] = (PHON[i + 1] - PHON[i]) / (levels[i + 1] - levels[i]);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_those_of_the_reference() {
        // Values that the reference was run for.
        let want = [
            24.0, 14.0, 10.557_659, 8.176_279, 5.903_428, 4.744_568, 3.785_251, 3.273_131, 2.806_763,
            2.347_826, 2.0, 1.761_006, 0.0, -1.242_718, -2.857_805, -4.944_359, -4.339_066, -2.343_75,
            0.724_288, 3.380_01, 6.073_745, 9.146_466, 14.537_778, 35.0,
        ];
        for (b, want) in want.into_iter().enumerate() {
            // 1480 Hz: the reference's check value of band 10 is that of 1414 to 1682 Hz, 2 dB at both.
            assert!((levels(b)[0] - want).abs() < 1e-6, "{b}: {}", levels(b)[0]);
            assert!(levels(b).windows(2).all(|w| w[0] < w[1]));
        }
        let s = spreading(24);
        for ((i, j), want) in
            [((0, 0), 0.999_680_21), ((0, 1), 0.161_872_64), ((1, 0), 0.371_021_21), ((2, 0), 0.058_438_08)]
        {
            assert!((s[24 * i + j] - want).abs() < 1e-8);
        }
        // Equal loudness around 3 to 4 kHz, where the ear canal resonates.
        assert!(outer_ear(0.0) == 0.0 && outer_ear(3300.0) > 1.0 && outer_ear(15_000.0) < 1e-4);
    }

    #[test]
    fn bands_lie_side_by_side() {
        for (rate, n_fft) in [(11_025, 256), (22_050, 512), (44_100, 1024)] {
            let bands = bins_of_bands(24, n_fft, rate);
            assert_eq!(bands[0].start, 0);
            assert!(bands.windows(2).all(|w| w[0].end == w[1].start));
            assert!(bands.iter().all(|b| b.end <= n_fft / 2 + 1));
        }
        assert_eq!(bins_of_bands(24, 256, 11_025)[23], 129..129);
    }
}
