//! The direct form: every output sample is a dot product of a row of the kernel with the samples around it.

use super::design::{Gain, Ratio, Shape, Sinc, Tabled};
use crate::simd::{LANES, Place, Rows, polyphase};

/// Largest table that holds a row for every output phase, in values (4 MiB).
const MAX_EXACT_TABLE: u64 = 1 << 20;
/// Rows of an interpolated table per half period of the highest frequency: linear interpolation errs by (pi / 4096)^2 / 8,
/// -142 dB.
const INTERPOLATED_ROWS: f64 = 4096.0;
/// Outputs computed between two looks at the buffer.
const CHUNK: usize = 1024;
/// Samples of the buffer beyond a row.
const ROOM: usize = 4096;

/// A polyphase filter.
#[derive(Debug)]
pub(super) struct Direct {
    rows: Rows,
    start: Place,
    /// Zeros before the first sample.
    prefill: usize,
}

/// What a [`Direct`] keeps between calls.
#[derive(Debug)]
pub(super) struct DirectState {
    window: Vec<f32>,
    filled: usize,
    place: Place,
    out: Vec<f32>,
}

impl Direct {
    /// A filter for `ratio` with the kernel of `shape`, whose lower rate is `scale` times the input's. `origin` is the index of the first sample's place in time 0 among the samples pushed:
    /// 0, or more where an earlier stage starts before time 0.
    pub(super) fn new(ratio: Ratio, shape: Shape, scale: f64, origin: usize) -> Self {
        let Ratio { up, down } = ratio;
        let sinc = Sinc::new(shape, scale);
        let tabled = shape.table.map(|table| Tabled::new(shape, scale, table));
        let half = tabled.as_ref().map_or(sinc.width.ceil() as usize, Tabled::half);
        let weight = |tap: i64, fraction: f64| match &tabled {
            Some(tabled) => tabled.at(tap, fraction),
            None => sinc.at(tap as f64 - fraction),
        };
        let width = (2 * half).next_multiple_of(LANES);
        let exact = up.saturating_mul(width as u64) <= MAX_EXACT_TABLE;
        let per_sample =
            if exact { up as f64 } else { (INTERPOLATED_ROWS * scale * shape.band).ceil().max(1.0) };
        // An interpolated position may lie between the last row and the next sample's first.
        let row_count = if exact { up as usize } else { per_sample as usize + 1 };
        let mut values = Vec::with_capacity(row_count * width);
        for index in 0..row_count {
            let fraction = index as f64 / per_sample;
            values.extend((0..width as i64).map(|tap| weight(tap + 1 - half as i64, fraction)));
        }
        let total: f64 = values.iter().sum();
        let mut taps = Vec::with_capacity(values.len());
        for row in values.chunks_exact(width) {
            let sum = match shape.gain {
                Gain::Rows => row.iter().sum(),
                Gain::Mean => total / row_count as f64,
                Gain::Formula => 1.0,
            };
            taps.extend(row.iter().map(|value| (value / sum) as f32));
        }
        let rows_per_phase = (!exact).then_some(per_sample / up as f64);
        let place = (origin + 1).saturating_sub(half) as u64;
        Self {
            rows: Rows { taps, width, up, down, rows_per_phase },
            start: Place { position: place, phase: 0 },
            prefill: half.saturating_sub(origin + 1),
        }
    }

    pub(super) fn state(&self) -> DirectState {
        DirectState {
            window: vec![0.0; self.rows.width + ROOM],
            filled: self.prefill,
            place: self.start,
            out: vec![0.0; CHUNK],
        }
    }

    pub(super) fn reset(&self, state: &mut DirectState) {
        state.window[..self.prefill].fill(0.0);
        state.filled = self.prefill;
        state.place = self.start;
    }

    pub(super) fn push(&self, state: &mut DirectState, mut samples: &[f32], sink: &mut dyn FnMut(&[f32])) {
        while !samples.is_empty() {
            let taken = (state.window.len() - state.filled).min(samples.len());
            let (now, later) = samples.split_at(taken);
            state.window[state.filled..state.filled + taken].copy_from_slice(now);
            state.filled += taken;
            samples = later;
            self.drain(state, sink);
        }
    }

    /// Computes what can be computed, and moves the rest to the front.
    fn drain(&self, state: &mut DirectState, sink: &mut dyn FnMut(&[f32])) {
        let DirectState { window, filled, place, out } = state;
        loop {
            let ready = self.ready(*place, *filled);
            if ready == 0 {
                break;
            }
            let out = &mut out[..ready.min(CHUNK)];
            polyphase(&self.rows, place, &window[..*filled], out);
            sink(out);
        }
        // A great step may lead beyond what has come.
        let done = (*filled).min(place.position as usize);
        window.copy_within(done..*filled, 0);
        *filled -= done;
        place.position -= done as u64;
    }

    /// Inputs after which positions between samples repeat themselves.
    pub(super) fn period(&self) -> u64 {
        self.rows.down
    }

    /// Samples needed for the first output.
    pub(super) fn delay(&self) -> usize {
        self.start.position as usize + self.rows.width - self.prefill
    }

    /// How many outputs from `place` lie whole within `filled` samples, up to [`CHUNK`] and more.
    fn ready(&self, place: Place, filled: usize) -> usize {
        let Some(last) = (filled as u64).checked_sub(self.rows.width as u64) else { return 0 };
        let Some(reach) = last.checked_sub(place.position) else { return 0 };
        // The positions of the outputs, in steps of 1 / up.
        let reach = u128::from(reach + 1) * u128::from(self.rows.up) - 1 - u128::from(place.phase);
        usize::try_from(reach / u128::from(self.rows.down) + 1).unwrap_or(usize::MAX)
    }
}
