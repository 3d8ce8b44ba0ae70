//! Times training steps and inference of the zoo, for the cases of `tests/fixtures/zoo/cases.json` that have a "speed".
//!
//! `cargo run --release -p mgr-models --example zoo_speed -- THREADS SECONDS [CASE ...]`. With the file that
//! `tests/fixtures/zoo/speed.py` wrote in the environment variable `PYTORCH_SPEED`, the table shows PyTorch beside it.
//! A step is forward, cross-entropy, backward and SGD with Nesterov momentum; the shortest of at least three runs counts. With
//! one thread the time is the processor's time of that thread (on Linux), so that a busy machine matters less.

use std::error::Error;
use std::time::Instant;

use mgr_models::device::{DeviceConfig, set_threads};
use mgr_models::train::{CrossEntropy, Optimiser, OptimiserConfig, SgdConfig};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Mode, Random};
use serde_json::Value;
use tch::{Device, Tensor};

/// Seconds that this thread has computed, where the system tells it in nanoseconds, so that other programs do not count.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(1e-9 * text.split_whitespace().next()?.parse::<f64>().ok()?)
}

/// The shortest of at least three runs.
fn fastest(
    threads: usize,
    seconds: f64,
    mut work: impl FnMut() -> Result<(), mgr_models::Error>,
) -> Result<f64, mgr_models::Error> {
    let begin = Instant::now();
    work()?;
    // The system counts processor time in ticks of some milliseconds: short work is repeated within one measurement.
    let repeats = (0.1 / begin.elapsed().as_secs_f64().max(1e-6)).ceil().clamp(1.0, 10_000.0) as usize;
    let (mut shortest, mut runs, begin) = (f64::INFINITY, 0, Instant::now());
    while runs < 3 || begin.elapsed().as_secs_f64() < seconds {
        let start = (Instant::now(), processor_seconds());
        for _ in 0..repeats {
            work()?;
        }
        let taken = match (start.1, processor_seconds()) {
            (Some(start), Some(end)) if threads == 1 => end - start,
            _ => start.0.elapsed().as_secs_f64(),
        };
        shortest = shortest.min(taken / repeats as f64);
        runs += 1;
    }
    Ok(shortest)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let seconds: f64 = arguments.next().map_or(Ok(1.0), |text| text.parse())?;
    let only: Vec<String> = arguments.collect();
    set_threads(threads)?;
    let peer: Value = match std::env::var_os("PYTORCH_SPEED") {
        Some(path) => serde_json::from_slice(&std::fs::read(path)?)?,
        None => Value::Null,
    };
    let cases: Vec<Value> = serde_json::from_str(include_str!("../tests/fixtures/zoo/cases.json"))?;
    println!(
        "| case | batch | step, ms | PyTorch | ratio | inference, ms | PyTorch | ratio | clips per second |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for case in &cases {
        let name = case["case"].as_str().unwrap_or_default();
        if case["speed"].is_null() || !(only.is_empty() || only.iter().any(|one| one == name)) {
            continue;
        }
        let config: NetworkConfig = serde_json::from_value(case["network"].clone())?;
        let classes: usize = serde_json::from_value(case["classes"].clone())?;
        let shape: Vec<i64> = serde_json::from_value(case["speed"].clone())?;
        let [step, inference] = times(&config, classes, &shape, threads, seconds)?;
        let batch = shape.first().copied().unwrap_or(1);
        let beside = |part: &str, own: f64| {
            peer[name][part]
                .as_f64()
                .map_or(String::from("| |"), |peer| format!("| {:.1} | {:.2}", 1e3 * peer, own / peer))
        };
        println!(
            "| `{name}` | {batch} | {:.3} {} | {:.3} {} | {:.1} |",
            1e3 * step,
            beside("step", step),
            1e3 * inference,
            beside("inference", inference),
            batch as f64 / inference
        );
    }
    Ok(())
}

fn times(
    config: &NetworkConfig,
    classes: usize,
    shape: &[i64],
    threads: usize,
    seconds: f64,
) -> Result<[f64; 2], mgr_models::Error> {
    let network = config.build(classes, 0, DeviceConfig::Cpu)?;
    let count: i64 = shape.iter().product();
    let mut random = Random::keyed(&[0]);
    let values: Vec<f32> = (0..count).map(|_| 2.0 * random.uniform() as f32 - 1.0).collect();
    let input = Tensor::f_from_slice(&values)?.f_reshape(shape)?;
    let labels: Vec<i64> = (0..shape[0]).map(|index| index % classes as i64).collect();
    let labels = Tensor::f_from_slice(&labels)?;
    let loss = CrossEntropy::new(0.0, None, classes, Device::Cpu)?;
    let sgd = OptimiserConfig::Sgd(SgdConfig { learning_rate: 1e-6, ..SgdConfig::default() });
    let mut optimiser = Optimiser::new(sgd, network.parameters())?;
    let step = fastest(threads, seconds, || {
        let loss = loss.mean(&network.forward(&input, Mode::Train)?, &labels)?;
        loss.f_double_value(&[])?;
        let weights: Vec<&Tensor> = network.parameters().trainable().map(|(_, tensor)| tensor).collect();
        let gradients = Tensor::f_run_backward(&[&loss], &weights, false, false)?;
        optimiser.step(&gradients, 1e-6)
    })?;
    let inference =
        fastest(threads, seconds, || tch::no_grad(|| network.forward(&input, Mode::Evaluate)).map(|_| ()))?;
    Ok([step, inference])
}
