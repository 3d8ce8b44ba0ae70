//! Times the conversion of 30 s of noise between common rates, single thread: minimum and median over runs.
//!
//! `cargo run --release -p mgr-audio --example time_resample -- [RUNS [PART OF "INPUT_RATE OUTPUT_RATE KERNEL"]]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::Instant;

use mgr_audio::{ResampleConfig, ResampleKernel};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs: usize = std::env::args().nth(1).map_or(Ok(25), |text| text.parse())?;
    let pairs = [
        (44_100, 22_050),
        (48_000, 22_050),
        (44_100, 16_000),
        (22_050, 16_000),
        (48_000, 16_000),
        (96_000, 22_050),
        (8_000, 22_050),
        (22_050, 44_100),
        (44_100, 44_099),
        (44_101, 22_050),
    ];
    let wanted = std::env::args().nth(2).unwrap_or_default();
    let kernels = [ResampleKernel::High, ResampleKernel::KaiserBest, ResampleKernel::Polyphase];
    for (input_rate, output_rate) in pairs {
        for kernel in kernels {
            if !format!("{input_rate} {output_rate} {kernel:?}").contains(&wanted) {
                continue;
            }
            let mut state = 1u32;
            let samples: Vec<f32> = (0..30 * input_rate)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 24) as f32 - 0.5
                })
                .collect();
            let planned = Instant::now();
            let resampler = ResampleConfig { input_rate, output_rate, kernel }.plan()?;
            let planned = planned.elapsed();
            let mut times = Vec::with_capacity(runs);
            for _ in 0..runs {
                let start = Instant::now();
                std::hint::black_box(resampler.process(std::hint::black_box(&samples))?);
                times.push(start.elapsed());
            }
            times.sort();
            let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
            println!(
                "{input_rate} -> {output_rate} {kernel:?}: min {:.2} ms, median {:.2} ms, plan {:.2} ms, delay {}",
                ms(times[0]),
                ms(times[runs / 2]),
                ms(planned),
                resampler.stream().delay()
            );
        }
    }
    Ok(())
}
