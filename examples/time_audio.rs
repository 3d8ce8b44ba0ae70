//! Times the reading of audio files, and writes what they decode to for a comparison with other decoders.
//!
//! ```text
//! cargo build --release -p examples --no-default-features --features opus --example time_audio
//! time_audio file FILE RUNS [--sample-rate HZ]     decoding and mixing, the same with resampling, resampling alone
//! time_audio folder FOLDER THREADS [--repeat N]    every file of a folder N times, resampled, on so many threads
//! time_audio dump FILE OUT.f32                     all channels at the file's rate, interleaved, little-endian
//! ```
//! Each prints one JSON object. Loaders and their resampling tables are planned before the clock starts; a clip's own samples are
//! allocated by each run, as for any caller.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use mgr_audio::{ChannelMix, LoadConfig, Loader, ResampleConfig, ResampleKernel};
use peak_alloc::PeakAlloc;
use rayon::prelude::*;
use serde_json::{Value, json};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Times the reading of audio files.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Times one file on one thread.
    File {
        file: PathBuf,
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        runs: u32,
        /// Rate of the clip in Hz.
        #[arg(long, default_value_t = 22_050)]
        sample_rate: u32,
    },
    /// Times all files of a folder.
    Folder {
        folder: PathBuf,
        threads: usize,
        /// Times that each file is loaded.
        #[arg(long, default_value_t = 1)]
        repeat: usize,
        /// Rate of the clips in Hz.
        #[arg(long, default_value_t = 22_050)]
        sample_rate: u32,
    },
    /// Writes the samples of a file.
    Dump { file: PathBuf, out: PathBuf },
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn loader(sample_rate: Option<u32>) -> Result<Loader, String> {
    LoadConfig { sample_rate, ..LoadConfig::default() }.plan().map_err(text)
}

/// Median and minimum in seconds, and the highest rise of allocated bytes in a run.
fn times(runs: u32, mut run: impl FnMut() -> Result<(), String>) -> Result<Value, String> {
    run()?;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut seconds = Vec::with_capacity(runs as usize);
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median_s = seconds.get(seconds.len() / 2).copied();
    let peak_bytes = MEMORY.peak_usage().saturating_sub(before);
    Ok(json!({ "median_s": median_s, "min_s": seconds.first(), "peak_bytes": peak_bytes }))
}

fn time_file(file: &Path, runs: u32, sample_rate: u32) -> Result<Value, String> {
    let (plain, resampled) = (loader(None)?, loader(Some(sample_rate))?);
    let load = |loader: &Loader| {
        std::hint::black_box(loader.load(file).map_err(text)?);
        Ok(())
    };
    let mut result = json!({
        "file": file.display().to_string(),
        "decode": times(runs, || load(&plain))?,
        "decode_resample": times(runs, || load(&resampled))?,
    });
    let clip = plain.load(file).map_err(text)?;
    for (name, kernel) in
        [("resample_high", ResampleKernel::High), ("resample_soxr_hq", ResampleKernel::SoxrHq)]
    {
        let config = ResampleConfig { input_rate: clip.sample_rate, output_rate: sample_rate, kernel };
        let resampler = config.plan().map_err(text)?;
        let mut out = vec![0.0; resampler.output_len(clip.samples.len())];
        let mut scratch = resampler.scratch();
        result[name] =
            times(runs, || resampler.process_into(&clip.samples, &mut out, &mut scratch).map_err(text))?;
    }
    Ok(result)
}

fn time_folder(folder: &Path, threads: usize, repeat: usize, sample_rate: u32) -> Result<Value, String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(text)? {
        files.push(entry.map_err(text)?.path());
    }
    files.retain(|file| file.is_file());
    files.sort();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(text)?;
    let loader = loader(Some(sample_rate))?;
    let work: Vec<&PathBuf> = std::iter::repeat_n(&files, repeat).flatten().collect();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let seconds: Vec<Option<f64>> = pool.install(|| {
        work.par_iter()
            .map(|file| loader.load(file).ok().map(|clip| clip.samples.len() as f64 / f64::from(sample_rate)))
            .collect()
    });
    let wall_s = start.elapsed().as_secs_f64();
    let audio_s: f64 = seconds.iter().flatten().sum();
    Ok(json!({
        "files": work.len(),
        "refused": seconds.iter().filter(|seconds| seconds.is_none()).count(),
        "threads": threads,
        "wall_s": wall_s,
        "audio_s": audio_s,
        "peak_bytes": MEMORY.peak_usage().saturating_sub(before),
    }))
}

fn dump(file: &Path, out: &Path) -> Result<Value, String> {
    let loader = LoadConfig { channels: ChannelMix::All, ..LoadConfig::default() }.plan().map_err(text)?;
    let clip = loader.load(file).map_err(text)?;
    let (damage, report) = (clip.report.damage(), clip.report.clone());
    let channels: Vec<&[f32]> = clip.channels().collect();
    let mut writer = std::io::BufWriter::new(std::fs::File::create(out).map_err(text)?);
    for frame in 0..clip.samples.len() {
        for sample in channels.iter().filter_map(|channel| channel.get(frame)) {
            writer.write_all(&sample.to_le_bytes()).map_err(text)?;
        }
    }
    writer.flush().map_err(text)?;
    Ok(json!({
        "sample_rate": clip.sample_rate, "channels": channels.len(), "frames": clip.samples.len(),
        "container": report.container, "codec": report.codec, "damage": damage,
    }))
}

fn main() -> ExitCode {
    let result = match Arguments::parse().what {
        What::File { file, runs, sample_rate } => time_file(&file, runs, sample_rate),
        What::Folder { folder, threads, repeat, sample_rate } => {
            time_folder(&folder, threads, repeat, sample_rate)
        }
        What::Dump { file, out } => dump(&file, &out),
    };
    match result {
        Ok(value) => {
            println!("{value}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("time_audio: {error}");
            ExitCode::FAILURE
        }
    }
}
