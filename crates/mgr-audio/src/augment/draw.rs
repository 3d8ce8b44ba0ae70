//! What values are drawn from.

use serde::{Deserialize, Serialize};

use super::{AugmentError, Random};

/// A distribution of one parameter, such as `{ uniform = [-6.0, 6.0] }` in TOML.
///
/// Drawn values lie on a grid of 1e-9: few enough decimal digits that a log in JSON gives them back to the last bit with any
/// reader. A bound of more digits is rounded to the grid as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// Always this value.
    Fixed(f64),
    /// Every value from the first to the second is as likely.
    Uniform(f64, f64),
    /// The logarithm is uniform, as suits frequencies and rates; both bounds above 0.
    LogUniform(f64, f64),
    /// One of these, each as likely; 1 to 1000 values.
    OneOf(Vec<f64>),
}

/// Values on the grid per unit.
const GRID: f64 = 1e9;

impl Draw {
    /// Checks that everything that can be drawn lies in `min..=max` (at most 9e6 in magnitude, where the grid is exact).
    ///
    /// # Errors
    /// [`AugmentError::Config`] with `field`.
    pub fn check(&self, field: &'static str, min: f64, max: f64) -> Result<(), AugmentError> {
        let allowed = || format!("{min} to {max}");
        let inside = |value: f64| (min..=max).contains(&value);
        let bad = match self {
            Self::Fixed(value) => (!inside(*value)).then(|| (value.to_string(), allowed())),
            Self::Uniform(low, high) | Self::LogUniform(low, high) => {
                let text = format!("[{low}, {high}]");
                if !inside(*low) || !inside(*high) {
                    Some((text, allowed()))
                } else if low > high {
                    Some((text, "bounds in rising order".to_owned()))
                } else if matches!(self, Self::LogUniform(..)) && *low <= 0.0 {
                    Some((text, "bounds above 0".to_owned()))
                } else {
                    None
                }
            }
            Self::OneOf(values) if values.is_empty() || values.len() > 1000 => {
                Some((format!("of {} values", values.len()), "1 to 1000 values".to_owned()))
            }
            Self::OneOf(values) => {
                values.iter().find(|v| !inside(**v)).map(|value| (value.to_string(), allowed()))
            }
        };
        bad.map_or(Ok(()), |(value, allowed)| Err(AugmentError::config(field, value, allowed)))
    }

    /// A value; one draw of the stream, none for [`Fixed`](Self::Fixed).
    pub fn draw(&self, random: &mut Random) -> f64 {
        let value = match self {
            Self::Fixed(value) => *value,
            Self::Uniform(low, high) => (low + (high - low) * random.unit()).clamp(*low, *high),
            Self::LogUniform(low, high) => {
                let (from, to) = (libm::log(*low), libm::log(*high));
                libm::exp(from + (to - from) * random.unit()).clamp(*low, *high)
            }
            Self::OneOf(values) => {
                let index = random.integer(0, values.len() as i64 - 1);
                values.get(index as usize).copied().unwrap_or_default()
            }
        };
        (value * GRID).round() / GRID
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_lie_in_range_and_spread_over_it() {
        let mut random = Random::new(5);
        let (mut uniform, mut log_uniform) = (0.0, 0.0);
        let mut counts = [0; 3];
        for _ in 0..20_000 {
            let u = Draw::Uniform(-2.0, 4.0).draw(&mut random);
            assert!((-2.0..=4.0).contains(&u));
            uniform += u;
            let f = Draw::LogUniform(100.0, 10_000.0).draw(&mut random);
            assert!((100.0..=10_000.0).contains(&f));
            log_uniform += f.log10();
            counts[(Draw::OneOf(vec![0.0, 1.0, 2.0]).draw(&mut random)) as usize] += 1;
        }
        // Five standard deviations of the means of uniform numbers of widths 6 and 2, and of a count.
        assert!((uniform / 20_000.0 - 1.0).abs() < 0.062);
        assert!((log_uniform / 20_000.0 - 3.0).abs() < 0.021);
        assert!(counts.iter().all(|c: &i32| c.abs_diff(6667) < 334), "{counts:?}");
        assert_eq!(Draw::Fixed(0.0025).draw(&mut random), 0.0025);
        assert_eq!(Draw::Uniform(0.8, 0.8).draw(&mut random), 0.8);
    }

    #[test]
    fn drawn_values_come_back_from_json_bit_for_bit() {
        let mut random = Random::new(9);
        for width in [1e-6, 1e-3, 1.0, 1e3, 5e5] {
            for _ in 0..2000 {
                let value = Draw::Uniform(-width, width).draw(&mut random);
                let read: f64 = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
                assert_eq!(value.to_bits(), read.to_bits(), "{value}");
            }
        }
    }

    #[test]
    fn bounds_are_checked() {
        let refused = |draw: Draw| draw.check("x", 0.0, 1.0).unwrap_err().to_string();
        assert_eq!(refused(Draw::Fixed(2.0)), "invalid x 2, allowed is 0 to 1");
        assert_eq!(refused(Draw::Fixed(f64::NAN)), "invalid x NaN, allowed is 0 to 1");
        assert_eq!(refused(Draw::Uniform(0.0, 1.5)), "invalid x [0, 1.5], allowed is 0 to 1");
        assert_eq!(refused(Draw::Uniform(1.0, 0.5)), "invalid x [1, 0.5], allowed is bounds in rising order");
        assert_eq!(refused(Draw::LogUniform(0.0, 0.5)), "invalid x [0, 0.5], allowed is bounds above 0");
        assert_eq!(refused(Draw::OneOf(vec![])), "invalid x of 0 values, allowed is 1 to 1000 values");
        assert_eq!(refused(Draw::OneOf(vec![0.5, -1.0])), "invalid x -1, allowed is 0 to 1");
        assert!(Draw::OneOf(vec![0.0, 1.0]).check("x", 0.0, 1.0).is_ok());
    }
}
