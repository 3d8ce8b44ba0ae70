//! Colour maps of 256 steps.

use serde::{Deserialize, Serialize};

/// A colour map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColorMap {
    /// Black over purple and orange to pale yellow, perceptually even (Smith and van der Walt 2015). The default.
    #[default]
    Magma,
    /// Black over red to yellow, perceptually even.
    Inferno,
    /// Blue over red to yellow, perceptually even.
    Plasma,
    /// Violet over green to yellow, perceptually even.
    Viridis,
    /// Blue to yellow, even for those with colour blindness too (Nuñez et al. 2018).
    Cividis,
    /// Blue, cyan, yellow, red: not even, but what MATLAB and the older studies used. The numbers are Matplotlib's.
    Jet,
    /// Black to white.
    Gray,
}

impl ColorMap {
    /// The 256 colours, from the lowest value to the highest.
    #[must_use]
    pub fn table(self) -> [[u8; 3]; 256] {
        let gradient = match self {
            Self::Magma => colorous::MAGMA,
            Self::Inferno => colorous::INFERNO,
            Self::Plasma => colorous::PLASMA,
            Self::Viridis => colorous::VIRIDIS,
            Self::Cividis => colorous::CIVIDIS,
            Self::Jet => return std::array::from_fn(|i| jet(i as f64)),
            Self::Gray => return std::array::from_fn(|i| [i as u8; 3]),
        };
        std::array::from_fn(|i| gradient.eval_rational(i, 256).into_array())
    }
}

/// Matplotlib's segments of each channel, cut to a byte as Matplotlib cuts.
fn jet(index: f64) -> [u8; 3] {
    let red = [(0.0, 0.0), (0.35, 0.0), (0.66, 1.0), (0.89, 1.0), (1.0, 0.5)];
    let green = [(0.0, 0.0), (0.125, 0.0), (0.375, 1.0), (0.64, 1.0), (0.91, 0.0), (1.0, 0.0)];
    let blue = [(0.0, 0.5), (0.11, 1.0), (0.34, 1.0), (0.65, 0.0), (1.0, 0.0)];
    [&red[..], &green[..], &blue[..]].map(|segments| (255.0 * between(segments, index)) as u8)
}

/// The value at `index` of 0 to 255, in the order of operations that Matplotlib has: a byte hangs on the last bit here and there.
fn between(segments: &[(f64, f64)], index: f64) -> f64 {
    for pair in segments.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let (x0, x1) = (255.0 * x0, 255.0 * x1);
        if index <= x1 {
            return (index - x0) / (x1 - x0) * (y1 - y0) + y0;
        }
    }
    segments.last().map_or(0.0, |last| last.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colors() {
        // Matplotlib 3.11: `cmap(i, bytes=True)` of jet at 0, 64, 128, 200, 255.
        let jet = ColorMap::Jet.table();
        assert_eq!(
            [0, 64, 128, 200, 255].map(|i| jet[i]),
            [[0, 0, 127], [0, 128, 255], [124, 255, 121], [255, 118, 0], [127, 0, 0]]
        );
        let sums = [0, 1, 2].map(|c| jet.iter().map(|rgb| u32::from(rgb[c])).sum::<u32>());
        assert_eq!(sums, [30408, 34073, 30410]);
        assert_eq!(ColorMap::Gray.table()[77], [77; 3]);
    }

    #[test]
    fn perceptual_maps_grow_lighter() {
        for map in [ColorMap::Magma, ColorMap::Inferno, ColorMap::Viridis, ColorMap::Cividis] {
            let luma: Vec<f64> = map
                .table()
                .iter()
                .map(|[r, g, b]| 0.2126 * f64::from(*r) + 0.7152 * f64::from(*g) + 0.0722 * f64::from(*b))
                .collect();
            // A byte a channel makes steps of up to a unit.
            assert!(luma.windows(2).all(|w| w[1] >= w[0] - 1.0), "{map:?}");
            assert!(luma[255] - luma[0] > 100.0, "{map:?}");
        }
    }
}
