//! A vector of the literature for each audio file, as lines of JSON: for comparing with what published it.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example vectors -- fma518 CLIP.wav ... [--params '{"pad_mode": "constant"}']
//! ```
//! Files are taken at their own sampling rate; a line holds the file, the names, and the values. Benches compare it with librosa:
//! `benches/compare_vectors.py`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use examples::golden::Array;
use examples::ops;
use mgr_audio::LoadConfig;
use mgr_features::FeatureConfig;
use serde_json::{Map, Value, json};

/// A vector of the literature for each audio file, as lines of JSON.
#[derive(Parser)]
struct Arguments {
    /// Its name: gtzan57, fma518, bahuleyan97, choi_mfcc120.
    name: String,
    /// The audio files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Parameters of the op as a JSON object.
    #[arg(long, default_value = "{}")]
    params: String,
    /// Sampling rate that files are brought to; their own where it is absent.
    #[arg(long)]
    sample_rate: Option<u32>,
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let params: Map<String, Value> =
        serde_json::from_str(&arguments.params).map_err(|e| format!("--params is no JSON object: {e}"))?;
    let config =
        FeatureConfig::named(&arguments.name).ok_or_else(|| format!("{} is no feature", arguments.name))?;
    let load = LoadConfig { sample_rate: arguments.sample_rate, ..LoadConfig::default() };
    let loader = load.plan().map_err(|e| e.to_string())?;
    for file in &arguments.files {
        let clip = loader.load(file).map_err(|e| e.to_string())?;
        let layout = config.plan(clip.sample_rate).and_then(|plan| plan.layout(clip.samples.len()));
        let layout = layout.map_err(|e| format!("{}: {e}", file.display()))?;
        let outputs = ops::plan(&arguments.name, &params, clip.sample_rate)?.run(&clip.samples)?;
        let Some((_, Array::Real(matrix))) = outputs.first() else { return Err("no vector".to_owned()) };
        let values: Vec<f32> = matrix.iter().copied().collect();
        let names = match &layout.row_axis {
            mgr_features::Axis::Name { names } => names.clone(),
            _ => Vec::new(),
        };
        println!("{}", json!({ "file": file.display().to_string(), "names": names, "values": values }));
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vectors: {error}");
            ExitCode::FAILURE
        }
    }
}
