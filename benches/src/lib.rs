//! Shared signals of the benchmarks.

/// A tone with noise from a fixed formula, mono.
#[must_use]
pub fn clip(seconds: f64, sample_rate: u32) -> Vec<f32> {
    let count = (seconds * f64::from(sample_rate)) as usize;
    let mut state = 1_u32;
    (0..count)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            0.3 * (n as f32 * 0.125).sin() + 0.1 * noise
        })
        .collect()
}
