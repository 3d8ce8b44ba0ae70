//! Times one feature on one file: the median of N runs on one thread, the plan and the buffers reused.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example time_feature -- OP FILE.wav N [--params JSON] [--json]
//! ```
//! The clock starts at samples in memory: decoding is not timed, the STFT is. The last line is the median in seconds, or with
//! `--json` an object: `build_s` is the time of the plan, `prepare_s` that of the buffers and of tables that need the
//! clip's length, `plan_bytes` what the plan holds after all runs. OP is a golden op; parameters that are not given take the
//! reference's defaults.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use examples::ops;
use mgr_audio::LoadConfig;
use peak_alloc::PeakAlloc;
use serde_json::{Map, Value, json};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Times one feature on one file.
#[derive(Parser)]
struct Arguments {
    /// Name of the golden op.
    op: String,
    /// Audio file, taken at its own sampling rate, mixed to mono.
    file: PathBuf,
    /// Number of runs.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Parameters of the op as a JSON object.
    #[arg(long, default_value = "{}")]
    params: String,
    /// Print a JSON object instead of the median alone.
    #[arg(long)]
    json: bool,
}

fn time(arguments: &Arguments) -> Result<(), String> {
    let params: Map<String, Value> =
        serde_json::from_str(&arguments.params).map_err(|e| format!("--params is no JSON object: {e}"))?;
    let loader =
        LoadConfig { sample_rate: None, ..LoadConfig::default() }.plan().map_err(|e| e.to_string())?;
    let clip = loader.load(&arguments.file).map_err(|e| e.to_string())?;

    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let op = ops::plan(&arguments.op, &params, clip.sample_rate)?;
    let build_s = start.elapsed().as_secs_f64();
    let mut runs_s = Vec::with_capacity(arguments.runs as usize);
    let start = Instant::now();
    let mut repeat = op.repeat(&clip.samples)?;
    let prepare_s = start.elapsed().as_secs_f64();
    for _ in 0..arguments.runs {
        let start = Instant::now();
        repeat()?;
        runs_s.push(start.elapsed().as_secs_f64());
    }
    let peak_bytes = MEMORY.peak_usage().saturating_sub(before);
    drop(repeat);
    let lists = runs_s.capacity() * size_of::<f64>();
    let plan_bytes = MEMORY.current_usage().saturating_sub(before + lists);

    let mut sorted = runs_s.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median_s = if sorted.len().is_multiple_of(2) {
        (sorted[middle - 1] + sorted[middle]) / 2.0
    } else {
        sorted[middle]
    };
    if arguments.json {
        let result = json!({
            "op": arguments.op, "file": arguments.file.display().to_string(), "params": params, "runs_s": runs_s,
            "median_s": median_s, "min_s": sorted[0], "build_s": build_s, "prepare_s": prepare_s,
            "plan_bytes": plan_bytes, "peak_bytes": peak_bytes,
        });
        println!("{result}");
    } else {
        let duration_s = clip.samples.len() as f64 / f64::from(clip.sample_rate);
        println!(
            "{} on {duration_s:.3} s at {} Hz, median seconds of {} runs:",
            arguments.op, clip.sample_rate, arguments.runs
        );
        println!("{median_s:.9}");
    }
    Ok(())
}

fn main() -> ExitCode {
    match time(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("time_feature: {error}");
            ExitCode::FAILURE
        }
    }
}
