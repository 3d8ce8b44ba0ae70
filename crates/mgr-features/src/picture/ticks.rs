//! Marks beside the axes of a feature matrix.

use crate::extractor::{Axis, Unit};

/// A mark beside an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Place as an index of a row or column, with a fraction: 0 is the centre of the first.
    pub position: f64,
    /// What stands there, such as `440` or `A4`.
    pub label: String,
}

const PITCH_CLASSES: [&str; 12] = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

impl Axis {
    /// What the axis shows, with its unit.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Frequency { hz } if notes(hz) => "Note",
            Self::Frequency { .. } | Self::Band { .. } => "Frequency in Hz",
            Self::Modulation { .. } => "Modulation in Hz",
            Self::Time { .. } => "Time in s",
            Self::Coefficient { .. } => "Coefficient",
            Self::Name { .. } => "",
            Self::Lag { .. } => "Lag in s",
            Self::Tempo { .. } => "Beats a minute",
            Self::Path { .. } => "Path in Hz",
        }
    }

    /// At most `most` marks for the first `count` rows or columns: round seconds and Hz, notes C for frequencies that are semitones or
    /// finer, names one by one.
    #[must_use]
    pub fn ticks(&self, count: usize, most: usize) -> Vec<Tick> {
        if count == 0 || most == 0 {
            return Vec::new();
        }
        match self {
            Self::Frequency { hz } => frequency_ticks(&hz[..hz.len().min(count)], most),
            Self::Modulation { hz } => modulation_ticks(&hz[..hz.len().min(count)], most),
            Self::Time { start_s, step_s } => second_ticks(*start_s, *step_s, count, most),
            Self::Lag { step_s, .. } => second_ticks(0.0, *step_s, count, most),
            Self::Tempo { bpm } => frequency_ticks(&bpm[..bpm.len().min(count)], most),
            Self::Band { low_hz, high_hz } => every(count.min(low_hz.len()).min(high_hz.len()), most)
                .map(|i| Tick { position: i as f64, label: format!("{:.0}-{:.0}", low_hz[i], high_hz[i]) })
                .collect(),
            Self::Coefficient { first, .. } => every(count, most)
                .map(|i| Tick { position: i as f64, label: (first + i).to_string() })
                .collect(),
            Self::Name { names } => every(count.min(names.len()), most)
                .map(|i| Tick { position: i as f64, label: names[i].clone() })
                .collect(),
            Self::Path { order, hz } => every(count.min(order.len()).min(hz.len()), most)
                .map(|i| Tick { position: i as f64, label: path_label(order[i], hz[i]) })
                .collect(),
        }
    }
}

impl Unit {
    /// The unit as it stands beside a colour bar.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Magnitude => "Magnitude",
            Self::Power => "Power",
            Self::MagnitudePower => "Power of the magnitude",
            Self::Decibel => "dB",
            Self::LnPower => "ln power",
            Self::LnMagnitude => "ln magnitude",
            Self::Log10Power => "log10 power",
            Self::Hertz => "Hz",
            Self::BeatsPerMinute => "Beats a minute",
            Self::Ratio => "",
            Self::Coefficient => "Coefficient",
            Self::Mixed => "Value",
        }
    }
}

fn second_ticks(start_s: f64, step_s: f64, count: usize, most: usize) -> Vec<Tick> {
    let end = start_s + step_s * (count - 1) as f64;
    let values = round_values(start_s, end, most);
    values.map(|(t, label)| Tick { position: (t - start_s) / step_s, label }).collect()
}

fn path_label(order: u8, [first, second]: [f32; 2]) -> String {
    match order {
        0 => "mean".to_owned(),
        1 => hertz(f64::from(first)),
        _ => format!("{}, {}", hertz(f64::from(first)), hertz(f64::from(second))),
    }
}

fn hertz(f: f64) -> String {
    if f >= 10.0 { format!("{f:.0}") } else { format!("{f:.2}") }
}

/// Indices from 0, `most` of them or fewer, evenly spaced.
fn every(count: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(count.div_ceil(most).max(1))
}

/// Whether frequencies are semitones or finer steps of an octave.
fn notes(hz: &[f32]) -> bool {
    let [first, second, ..] = *hz else { return false };
    let step = f64::from(second) / f64::from(first);
    let octave = 1.0 / step.log2();
    hz.len() > 2
        && first > 0.0
        && step > 1.0
        && octave >= 11.5
        && (octave - octave.round()).abs() < 0.01 * octave
        && hz.windows(2).all(|w| (f64::from(w[1]) / f64::from(w[0]) / step - 1.0).abs() < 1e-3)
}

/// The index, with a fraction, at which ascending values reach `value`.
fn locate(values: &[f32], value: f64) -> Option<f64> {
    let above = values.iter().position(|&v| f64::from(v) >= value)?;
    if above == 0 {
        return (f64::from(values[0]) - value <= 1e-6 * value.abs().max(1.0)).then_some(0.0);
    }
    let (low, high) = (f64::from(values[above - 1]), f64::from(values[above]));
    Some(above as f64 - (high - value) / (high - low))
}

/// Round frequencies of an even scale.
fn modulation_ticks(hz: &[f32], most: usize) -> Vec<Tick> {
    let (Some(&first), Some(&last)) = (hz.first(), hz.last()) else { return Vec::new() };
    let values = round_values(f64::from(first), f64::from(last), most);
    values.filter_map(|(f, label)| Some(Tick { position: locate(hz, f)?, label })).collect()
}

fn frequency_ticks(hz: &[f32], most: usize) -> Vec<Tick> {
    let (Some(&first), Some(&last)) = (hz.first(), hz.last()) else { return Vec::new() };
    let (first, last) = (f64::from(first), f64::from(last));
    if !hz.windows(2).all(|w| w[1] > w[0]) {
        return every(hz.len(), most)
            .map(|i| Tick { position: i as f64, label: hertz(f64::from(hz[i])) })
            .collect();
    }
    if notes(hz) {
        return note_ticks(hz, most);
    }
    let steps = (f64::from(hz[hz.len() - 1]) - first) / (hz.len().max(2) - 1) as f64;
    let even = hz.windows(2).all(|w| (f64::from(w[1] - w[0]) / steps - 1.0).abs() < 0.05);
    let candidates: Vec<(f64, String)> = if even {
        round_values(first, last, most).collect()
    } else {
        // Octaves; where filters are linear at the bottom, these lie close together and are thinned out.
        (0..20).map(|k| 32.0 * f64::from(1_u32 << k)).map(|f| (f, format!("{f:.0}"))).collect()
    };
    let gap = hz.len() as f64 / (most as f64 + 1.0);
    let mut ticks: Vec<Tick> = Vec::new();
    // From above, so that the well spaced octaves stay.
    for (value, label) in candidates.into_iter().rev() {
        let Some(position) = locate(hz, value) else { continue };
        if ticks.last().is_none_or(|above| above.position - position >= gap) {
            ticks.push(Tick { position, label });
        }
    }
    ticks.reverse();
    ticks
}

fn note_ticks(hz: &[f32], most: usize) -> Vec<Tick> {
    let midi = |f: f32| 69.0 + 12.0 * (f64::from(f) / 440.0).log2();
    let (low, high) = (midi(hz[0]), midi(hz[hz.len() - 1]));
    let names = |step: i64| {
        let first = ((low - 0.5) / step as f64).ceil() as i64;
        (first..).map(move |k| k * step).take_while(move |&m| m as f64 <= high + 0.5)
    };
    let step = [1, 2, 3, 4, 6, 12, 24, 36, 48].into_iter().find(|&s| names(s).count() <= most).unwrap_or(60);
    let span = (hz.len() - 1) as f64;
    names(step)
        .take(most)
        .map(|m| Tick {
            position: ((m as f64 - low) / (high - low) * span).clamp(0.0, span),
            label: format!("{}{}", PITCH_CLASSES[m.rem_euclid(12) as usize], m.div_euclid(12) - 1),
        })
        .collect()
}

/// Round values from `low` to `high`: multiples of 1, 2 or 5 times a power of ten, at most `most`.
fn round_values(low: f64, high: f64, most: usize) -> impl DoubleEndedIterator<Item = (f64, String)> {
    let span = (high - low).max(f64::MIN_POSITIVE);
    let raw = span / most.max(1) as f64;
    let decade = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|s| *s >= raw).unwrap_or(decade);
    let slack = 1e-9;
    let first = (low / step - slack).ceil() as i64;
    let end = (high / step + slack).floor() as i64;
    let end = end.min(first.saturating_add(most as i64));
    let digits = (-step.log10().floor()).max(0.0) as usize;
    (first..=end).map(move |k| (k as f64 * step, format!("{:.*}", digits, k as f64 * step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn seconds_are_round() {
        let axis = Axis::Time { start_s: 0.0, step_s: 0.5 };
        let ticks = axis.ticks(61, 6);
        assert_eq!(labels(&ticks), ["0", "5", "10", "15", "20", "25", "30"]);
        assert_eq!(ticks[2].position, 20.0);
        let short = Axis::Time { start_s: 0.1, step_s: 0.01 }.ticks(21, 4);
        assert_eq!(labels(&short), ["0.1", "0.2", "0.3"]);
        assert_eq!(Axis::Time { start_s: 0.0, step_s: 1.0 }.ticks(1, 5).len(), 1);
    }

    #[test]
    fn frequencies_stand_where_they_are() {
        let linear: Vec<f32> = (0..=100).map(|k| k as f32 * 100.0).collect();
        let ticks = Axis::Frequency { hz: linear }.ticks(101, 5);
        assert_eq!(labels(&ticks), ["0", "2000", "4000", "6000", "8000", "10000"]);
        assert_eq!(ticks[1].position, 20.0);
        let bent: Vec<f32> = (0..100).map(|k| 20.0 * 1.07_f32.powi(k) - 15.0).collect();
        let ticks = Axis::Frequency { hz: bent }.ticks(100, 8);
        assert!(ticks.len() > 3 && ticks.len() <= 9, "{ticks:?}");
        assert!(ticks.windows(2).all(|w| w[1].position > w[0].position));
    }

    #[test]
    fn constant_q_axes_show_notes() {
        let hz: Vec<f32> = (0..84).map(|k| 32.703_197 * 2_f32.powf(k as f32 / 12.0)).collect();
        let axis = Axis::Frequency { hz };
        assert_eq!(axis.title(), "Note");
        let ticks = axis.ticks(84, 8);
        assert_eq!(labels(&ticks), ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]);
        assert!((ticks[3].position - 36.0).abs() < 1e-3);
    }

    #[test]
    fn every_axis_has_marks_and_none_too_many() {
        let axes = [
            Axis::Coefficient { first: 1, count: 20 },
            Axis::Name { names: (0..12).map(|k| k.to_string()).collect() },
            Axis::Band { low_hz: vec![0.0, 200.0], high_hz: vec![200.0, 400.0] },
            Axis::Path { order: vec![0, 1, 2], hz: vec![[0.0, 0.0], [100.0, 0.0], [100.0, 3.0]] },
            Axis::Lag { step_s: 0.02, count: 384 },
            Axis::Tempo { bpm: (0..193).map(|k| 6.7 * k as f32).collect() },
            Axis::Frequency { hz: vec![0.0] },
            Axis::Frequency { hz: vec![3.0, 2.0, 1.0] },
        ];
        for axis in axes {
            for most in [1, 2, 5, 50] {
                let count = axis.count().unwrap();
                let ticks = axis.ticks(count, most);
                assert!(!ticks.is_empty() && ticks.len() <= most + 1, "{axis:?} {most} {ticks:?}");
                assert!(ticks.iter().all(|t| t.position >= 0.0 && t.position < count as f64));
            }
            assert!(axis.ticks(0, 5).is_empty());
        }
    }
}
