//! Circular shift in time.

use serde::{Deserialize, Serialize};

use super::{AugmentError, Augmentation, Outcome, Random, Step, Values, check_rate};

const NAME: &str = "circular_shift";
/// Largest shift in samples, the longest clip that is read.
const MAX_SHIFT: i64 = 1 << 30;

/// How far a clip is shifted; a positive shift moves the sound to a later time. Both bounds are included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShiftRange {
    /// Whole samples, each as likely; at most 2^30 either way.
    Samples(i64, i64),
    /// Seconds, rounded to samples of the plan's rate; at most 2^30 samples either way.
    Seconds(f64, f64),
    /// Parts of the clip's length, -1 to 1, rounded to samples.
    Fraction(f64, f64),
}

/// The clip turned round: `y[(n + k) mod N] = x[n]`, as numpy's `roll`. No sample is lost; a shift beyond the clip wraps.
///
/// Logged: `shift` in samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CircularShiftConfig {
    /// How far. Default 0 to 7,999 samples, that of the GTZAN-8 study (Choi, KAIST GCT634, 2020; half a second at 16 kHz).
    pub shift: ShiftRange,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for CircularShiftConfig {
    fn default() -> Self {
        Self { shift: ShiftRange::Samples(0, 7999), probability: 1.0 }
    }
}

impl CircularShiftConfig {
    /// Checks the range.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a range too wide or in falling order, a probability outside 0 to 1, or a rate outside 100 to
    /// 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        let rate = check_rate(sample_rate)?;
        let refuse = |low: &dyn ToString, high: &dyn ToString, max: f64, unit| {
            let value = format!("[{}, {}]", low.to_string(), high.to_string());
            Err(AugmentError::config("shift", value, format!("-{max} to {max} {unit} in rising order")))
        };
        let shift = match self.shift {
            ShiftRange::Samples(low, high) if -MAX_SHIFT <= low && low <= high && high <= MAX_SHIFT => {
                Range::Samples(low, high)
            }
            ShiftRange::Samples(low, high) => return refuse(&low, &high, MAX_SHIFT as f64, "samples"),
            ShiftRange::Seconds(low, high) => {
                let max = MAX_SHIFT as f64 / rate;
                // NaN fails every comparison.
                if !(-max <= low && low <= high && high <= max) {
                    return refuse(&low, &high, max, "seconds");
                }
                Range::Samples((low * rate).round() as i64, (high * rate).round() as i64)
            }
            ShiftRange::Fraction(low, high) => {
                if !(-1.0 <= low && low <= high && high <= 1.0) {
                    return refuse(&low, &high, 1.0, "of the clip");
                }
                Range::Fraction(low, high)
            }
        };
        Step::new(CircularShift { shift }, self.probability)
    }
}

#[derive(Debug)]
enum Range {
    Samples(i64, i64),
    Fraction(f64, f64),
}

#[derive(Debug)]
struct CircularShift {
    shift: Range,
}

impl Augmentation for CircularShift {
    fn name(&self) -> &'static str {
        NAME
    }

    fn draw(&self, samples: usize, random: &mut Random) -> Values {
        let (low, high) = match self.shift {
            Range::Samples(low, high) => (low, high),
            Range::Fraction(low, high) => {
                let length = samples as f64;
                ((low * length).round() as i64, (high * length).round() as i64)
            }
        };
        Values::new().with_integer("shift", random.integer(low, high))
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let shift = values.integer(NAME, "shift", i64::MIN, i64::MAX)?;
        if !samples.is_empty() {
            // At most the clip's length, which is a usize.
            let shift = shift.rem_euclid(samples.len() as i64) as usize;
            samples.rotate_right(shift);
        }
        Ok(Outcome::Applied)
    }
}
