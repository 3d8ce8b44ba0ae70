//! How long a pretrained tagger takes for a WAV file, from the file to the scores.
//!
//! `cargo run --release -p mgr-models --example tag_speed -- WAV [NAME [THREADS [RUNS]]]`, by default musicnn-msd on one thread,
//! the best of 7 runs. The weights have to be in the cache (`mgr weights fetch musicnn`).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::time::{Duration, Instant};

use mgr_models::device::{DeviceConfig, set_threads};
use mgr_models::pretrained::{Tagger, library};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let wav = arguments.next().ok_or("a WAV file is needed")?;
    let name = arguments.next().unwrap_or_else(|| "musicnn-msd".to_owned());
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let runs = arguments.next().map_or(Ok(7), |runs| runs.parse())?;
    set_threads(threads)?;
    let pretrained = library::open()?.get(&name)?.ok_or("the weights are not in the cache")?;
    let tagger = Tagger::new(&pretrained, DeviceConfig::Cpu)?;
    let config =
        mgr_audio::LoadConfig { sample_rate: Some(tagger.sample_rate()), ..mgr_audio::LoadConfig::default() };
    let loader = config.plan()?;
    let mut best = [Duration::MAX; 4];
    let mut top = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        let clip = loader.load(wav.as_ref())?;
        let loaded = started.elapsed();
        let pictures = tagger.pictures(&clip.samples, clip.sample_rate)?;
        let seen = started.elapsed();
        let taggram = tagger.scores(&pictures)?;
        let all = started.elapsed();
        for (best, time) in best.iter_mut().zip([loaded, seen - loaded, all - seen, all]) {
            *best = (*best).min(time);
        }
        top = taggram.top(3).into_iter().map(|(tag, score)| format!("{tag} {score:.3}")).collect();
    }
    let [load, front_end, network, all] = best.map(|time| time.as_secs_f64() * 1e3);
    println!(
        "{name}, {threads} threads, best of {runs}: {all:.1} ms = load {load:.1} + front end {front_end:.1} + network {network:.1}"
    );
    println!("{}", top.join(", "));
    Ok(())
}
