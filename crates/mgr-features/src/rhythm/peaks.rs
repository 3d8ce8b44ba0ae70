//! Peaks of an envelope, and where each begins.

use serde::{Deserialize, Serialize};

use crate::{FeatureError, check};

/// What a peak is. Frame counts that are not given are the reference's spans of time. Defaults are librosa's.
///
/// Source: Böck, Krebs, Schedl, "Evaluating the online capabilities of onset detection methods", ISMIR 2012; librosa 0.11
/// `util.peak_pick` with the values of `onset.onset_detect`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeakPickConfig {
    /// Frames before a peak that are not higher. Default 30 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_max: Option<usize>,
    /// Frames from the peak on that are not higher, itself included, at least 1. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_max: Option<usize>,
    /// Frames before a peak over whose mean it stands. Default 100 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_avg: Option<usize>,
    /// Frames from the peak on over whose mean it stands, itself included, at least 1. Default 100 ms and one frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_avg: Option<usize>,
    /// By how much it stands over the mean, 0 or more. Default 0.07.
    pub delta: f32,
    /// Frames after a peak in which there is no other. Default 30 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<usize>,
}

impl Default for PeakPickConfig {
    fn default() -> Self {
        Self { pre_max: None, post_max: None, pre_avg: None, post_avg: None, delta: 0.07, wait: None }
    }
}

impl PeakPickConfig {
    /// Checks the parameters, and turns spans of time into frames of `hop_length` samples.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a rate or hop of 0, a count after the peak of 0 and a negative or infinite `delta`.
    pub fn plan(&self, sample_rate: u32, hop_length: usize) -> Result<PeakPick, FeatureError> {
        check::rate(sample_rate)?;
        if hop_length == 0 {
            return Err(FeatureError::parameter("hop_length", hop_length, "at least 1"));
        }
        check::within("delta", f64::from(self.delta), 0.0, f64::from(f32::MAX))?;
        for (field, count) in [("post_max", self.post_max), ("post_avg", self.post_avg)] {
            if count == Some(0) {
                return Err(FeatureError::parameter(field, 0, "at least 1"));
            }
        }
        let frames = |seconds: f64| (seconds * f64::from(sample_rate) / hop_length as f64).floor() as usize;
        Ok(PeakPick {
            pre_max: self.pre_max.unwrap_or_else(|| frames(0.03)),
            post_max: self.post_max.unwrap_or(1),
            pre_avg: self.pre_avg.unwrap_or_else(|| frames(0.1)),
            post_avg: self.post_avg.unwrap_or_else(|| frames(0.1) + 1),
            delta: self.delta,
            wait: self.wait.unwrap_or_else(|| frames(0.03)),
        })
    }
}

/// A planned picking of peaks: frame `n` is one if `x[n] = max x[n - pre_max .. n + post_max]`,
/// `x[n] >= mean x[n - pre_avg .. n + post_avg] + delta`, and more than `wait` frames lie between it and the last.
///
/// ```
/// use mgr_features::rhythm::PeakPickConfig;
/// let peaks = PeakPickConfig { delta: 0.5, wait: Some(2), ..PeakPickConfig::default() }.plan(22_050, 512)?;
/// let mut found = vec![0.0; 8];
/// peaks.mark(&[0.0, 1.0, 0.0, 0.9, 0.0, 0.0, 1.0, 0.2], &mut found)?;
/// assert_eq!(found, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PeakPick {
    pre_max: usize,
    post_max: usize,
    pre_avg: usize,
    post_avg: usize,
    delta: f32,
    wait: usize,
}

impl PeakPick {
    /// Writes 1 where a peak is and 0 elsewhere. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`]; [`FeatureError::Shape`] for an output of another length.
    pub fn mark(&self, values: &[f32], out: &mut [f32]) -> Result<(), FeatureError> {
        if values.len() != out.len() {
            let (rows, columns) = (1, values.len());
            return Err(FeatureError::Shape {
                what: "output",
                got_rows: 1,
                got_columns: out.len(),
                rows,
                columns,
            });
        }
        check::finite(values)?;
        out.fill(0.0);
        self.each(values, |frame| out[frame] = 1.0);
        Ok(())
    }

    /// Gives `take` the peaks in order.
    pub(super) fn each(&self, values: &[f32], mut take: impl FnMut(usize)) {
        let mut n = 0;
        while n < values.len() {
            if self.is_peak(values, n) {
                take(n);
                n = n.saturating_add(self.wait);
            }
            n = n.saturating_add(1);
        }
    }

    fn is_peak(&self, values: &[f32], n: usize) -> bool {
        let around = |before: usize, after: usize| {
            &values[n.saturating_sub(before)..n.saturating_add(after).min(values.len())]
        };
        let value = values[n];
        if around(self.pre_max, self.post_max).iter().any(|v| *v > value) {
            return false;
        }
        let near = around(self.pre_avg, self.post_avg);
        // The sum in f32 and the rest in f64, as the reference: it decides where a value stands just so high.
        let mean = f64::from(near.iter().sum::<f32>()) / near.len() as f64;
        f64::from(value) >= mean + f64::from(self.delta)
    }
}

/// Moves each event back to the nearest frame before it, or its own, where `energy` stops falling and begins to rise; to frame 0
/// where there is none.
///
/// `energy` may be the onset strength itself or, say, the root mean square. Source: Jehan, "Creating music by listening", 2005;
/// librosa 0.11 `onset.onset_backtrack`.
///
/// ```
/// let energy = [3.0, 1.0, 2.0, 5.0, 4.0, 4.0, 6.0, 0.0];
/// let mut events = [0, 3, 4, 6];
/// mgr_features::rhythm::backtrack(&mut events, &energy);
/// assert_eq!(events, [0, 1, 1, 5]);
/// ```
pub fn backtrack(events: &mut [usize], energy: &[f32]) {
    for event in events {
        *event = start_of(*event, energy);
    }
}

pub(super) fn start_of(event: usize, energy: &[f32]) -> usize {
    let is_minimum = |i: &usize| match energy.get(i.saturating_sub(1)..i.saturating_add(2)) {
        Some([before, here, after]) => here <= before && here < after,
        _ => false,
    };
    (1..=event).rev().find(is_minimum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peaks(plan: &PeakPick, values: &[f32]) -> Vec<usize> {
        let mut found = Vec::new();
        plan.each(values, |n| found.push(n));
        found
    }

    #[test]
    fn spans_of_time_are_those_of_the_reference() {
        let plan = PeakPickConfig::default().plan(22_050, 512).unwrap();
        let want = PeakPick { pre_max: 1, post_max: 1, pre_avg: 4, post_avg: 5, delta: 0.07, wait: 1 };
        assert_eq!(plan, want);
        let coarse = PeakPickConfig::default().plan(8000, 4096).unwrap();
        assert_eq!((coarse.pre_max, coarse.post_avg, coarse.wait), (0, 1, 0));
    }

    #[test]
    fn conditions_one_by_one() {
        let plan = |pre_max, post_max, pre_avg, post_avg, delta, wait| PeakPick {
            pre_max,
            post_max,
            pre_avg,
            post_avg,
            delta,
            wait,
        };
        let x = [0.0, 2.0, 2.0, 0.0, 1.0, 0.0, 3.0];
        // Equals are no hindrance; waiting is.
        assert_eq!(peaks(&plan(1, 2, 0, 1, 0.0, 0), &x), [1, 2, 4, 6]);
        assert_eq!(peaks(&plan(1, 2, 0, 1, 0.0, 1), &x), [1, 4, 6]);
        assert_eq!(peaks(&plan(9, 9, 0, 1, 0.0, 0), &x), [6]);
        assert_eq!(peaks(&plan(0, 1, 3, 3, 1.0, 0), &x), [1, 2, 6]);
        assert_eq!(peaks(&plan(usize::MAX, usize::MAX, usize::MAX, usize::MAX, 0.0, usize::MAX), &x), [6]);
        assert_eq!(peaks(&plan(0, 1, 0, 1, 0.0, usize::MAX), &x), [0]);
        assert!(peaks(&plan(0, 1, 0, 1, 0.0, 0), &[]).is_empty());
    }
}
