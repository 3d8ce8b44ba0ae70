//! Speed of training Base2DCNN on batches of 32 pictures of 96 x 313, alone or several runs side by side.
//!
//! `cargo run -p mgr-models --example training_speed -- THREADS STEPS RUNS`, by default 1 thread per run, 15 steps, 1 run.

use std::time::Instant;

use mgr_models::device::DeviceConfig;
use mgr_models::train::{ArrayExamples, FitOptions, Observer, Selection, TrainConfig};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Error, Random};
use ndarray::{ArrayD, IxDyn};

/// Seconds of every step, and when the running one began.
struct Clock(Vec<f64>, Instant);

impl Observer for Clock {
    fn step_finished(&mut self, _epoch: usize, _step: usize, _loss: f64) {
        self.0.push(self.1.elapsed().as_secs_f64());
        self.1 = Instant::now();
    }
}

fn median_step(train: &ArrayExamples, threads: usize) -> Result<f64, Error> {
    let config = TrainConfig {
        epochs: 1,
        selection: Selection::LastEpoch,
        threads: Some(threads),
        ..TrainConfig::default()
    };
    let mut network = NetworkConfig::Base2dCnn.build(8, 0, DeviceConfig::Cpu)?;
    let mut clock = Clock(Vec::new(), Instant::now());
    let _ = config.plan()?.fit(network.as_mut(), train, None, &FitOptions::default(), &mut clock)?;
    clock.0.sort_by(f64::total_cmp);
    Ok(clock.0.get(clock.0.len() / 2).copied().unwrap_or_default())
}

fn main() -> Result<(), Error> {
    let arguments: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let argument = |index: usize, default: usize| arguments.get(index).copied().unwrap_or(default);
    let (threads, steps, runs) = (argument(0, 1), argument(1, 15), argument(2, 1));
    let mut random = Random::keyed(&[0]);
    let inputs =
        ArrayD::from_shape_simple_fn(IxDyn(&[32 * steps, 1, 96, 313]), || random.uniform() as f32 - 0.5);
    let train = ArrayExamples::new(inputs, (0..32 * steps).map(|index| index % 8).collect())?;
    let begin = Instant::now();
    let medians = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..runs).map(|_| scope.spawn(|| median_step(&train, threads))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect::<Result<Vec<_>, _>>()
    })?;
    let total = (steps * runs) as f64 / begin.elapsed().as_secs_f64();
    println!(
        "{runs} runs of {threads} threads, {steps} steps each: median seconds per step {medians:.3?}, {total:.2} steps per second in all"
    );
    Ok(())
}
