//! Axes with round numbers.

/// An axis from one round number to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

impl Axis {
    /// From 0 to 1 in fifths.
    pub(super) const SHARE: Self = Self { low: 0.0, high: 1.0, step: 0.2 };

    /// The axis that covers two finite values. A share is shown in percent and does not go beyond 1.
    pub(super) fn covering(low: f64, high: f64, is_share: bool) -> Self {
        // A flat line still needs an axis with two ends.
        let span = (high - low).max(if is_share { 0.05 } else { 1e-3 * high.abs().max(1e-3) });
        let step = round_step(span / 5.0);
        let mut axis = Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step };
        if is_share && low >= 0.0 && high <= 1.0 {
            axis.high = axis.high.min(1.0);
        }
        if axis.high - axis.low < 0.5 * step {
            axis.low -= step;
            axis.high += if is_share && axis.high >= 1.0 { 0.0 } else { step };
        }
        axis
    }

    /// Where a value lies, 0 at the low end and 1 at the high one.
    pub(super) fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step + 1e-6) as usize;
        (0..=count.min(20)).map(|index| self.low + index as f64 * self.step)
    }

    pub(super) fn label(&self, tick: f64, is_share: bool) -> String {
        let (tick, step) = if is_share { (100.0 * tick, 100.0 * self.step) } else { (tick, self.step) };
        let unit = if is_share { " %" } else { "" };
        if tick.abs() >= 1e6 || step < 1e-5 {
            return format!("{tick:.1e}{unit}");
        }
        let decimals = (0..5).find(|&n| step * 10_f64.powi(n) >= 1.0 - 1e-9).unwrap_or(5) as usize;
        format!("{}{unit}", crate::table::fixed(tick, decimals))
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `step`.
pub(super) fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor =
        [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}
