//! Every feature with its defaults on 30 s at 22,050 Hz, one thread, plan and buffers reused.

use benches::clip;
use criterion::{Criterion, criterion_group, criterion_main};
use mgr_features::mel::MelConfig;
use mgr_features::stft::StftConfig;
use mgr_features::{Extractor, FeatureConfig};
use ndarray::{Array2, ShapeBuilder};

const SAMPLE_RATE: u32 = 22_050;

fn feature(criterion: &mut Criterion, name: &str, config: &FeatureConfig) {
    let samples = clip(30.0, SAMPLE_RATE);
    let extractor: Box<dyn Extractor> = config.plan(SAMPLE_RATE).expect("the defaults are valid");
    let layout = extractor.layout(samples.len()).expect("30 s are enough");
    let mut out = Array2::zeros((layout.rows, layout.columns).f());
    let mut scratch = extractor.scratch_for(samples.len());
    criterion.bench_function(name, |bencher| {
        bencher
            .iter(|| extractor.extract_into(&samples, out.view_mut(), &mut scratch).expect("the shape fits"));
    });
}

fn benchmarks(criterion: &mut Criterion) {
    for name in FeatureConfig::NAMES {
        if let Some(config) = FeatureConfig::named(name) {
            feature(criterion, name, &config);
        }
    }

    let samples = clip(30.0, SAMPLE_RATE);
    let stft = StftConfig::default().plan().expect("the defaults are valid");
    let frames = stft.framing().frames(samples.len()).expect("30 s are enough");
    let mut out = Array2::zeros((stft.bins(), frames).f());
    let mut scratch = stft.scratch();
    criterion.bench_function("stft_complex", |bencher| {
        bencher.iter(|| stft.process_into(&samples, out.view_mut(), &mut scratch).expect("the shape fits"));
    });
    criterion.bench_function("mel plan", |bencher| bencher.iter(|| MelConfig::default().plan(SAMPLE_RATE)));
}

criterion_group! {
    name = time_frequency;
    config = Criterion::default().sample_size(20);
    targets = benchmarks
}
criterion_main!(time_frequency);
