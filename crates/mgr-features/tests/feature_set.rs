//! A set of features gives what each of them gives alone, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::feature_set::FeatureSetConfig;
use mgr_features::stft::StftConfig;
use mgr_features::{FeatureConfig, FeatureError};

const SAMPLE_RATE: u32 = 22_050;

fn signal(length: usize) -> Vec<f32> {
    let mut state = 3_u32;
    (0..length)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.3 * (n as f32 * 0.11).sin() + (state >> 8) as f32 / (1 << 24) as f32 * 0.2 - 0.1
        })
        .collect()
}

fn set(names: &[&str]) -> FeatureSetConfig {
    let features = names.iter().map(|n| ((*n).to_owned(), FeatureConfig::named(n).unwrap())).collect();
    FeatureSetConfig { features }
}

#[test]
fn every_feature_together_gives_the_bytes_that_it_gives_alone() {
    let mut config = set(FeatureConfig::NAMES);
    // Two features from the magnitude of another transform.
    let stft = StftConfig { n_fft: 512, hop_length: 300, ..StftConfig::default() };
    for power in [1.0, 2.0, 0.7] {
        let spectrogram = mgr_features::spectrogram::SpectrogramConfig { stft: stft.clone(), power };
        config.features.insert(format!("other {power}"), FeatureConfig::Spectrogram(spectrogram));
    }
    let plan = config.plan(SAMPLE_RATE).unwrap();
    assert!(plan.shared().len() >= 4, "{:?}", plan.shared());
    // A segment of the rhythm pattern family is 5.9 s long.
    let samples = signal(132_300);
    let results = plan.extract(&samples).unwrap();
    assert_eq!(results.len(), config.features.len());
    for (result, (name, feature)) in results.iter().zip(&config.features) {
        assert_eq!(result.name, *name);
        let extractor = feature.plan(SAMPLE_RATE).unwrap();
        let alone = extractor.extract(&samples).unwrap();
        assert_eq!(result.layout, extractor.layout(samples.len()).unwrap());
        assert_eq!(result.matrix.dim(), alone.dim(), "{name}");
        let same = result.matrix.iter().zip(&alone).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "{name} differs in the set");
    }
}

#[test]
fn only_what_two_need_is_shared() {
    let shared = |names: &[&str]| set(names).plan(SAMPLE_RATE).unwrap().shared();
    assert!(shared(&["mel"]).is_empty());
    assert!(shared(&["mel", "spectral_centroid", "rms"]).is_empty());
    assert_eq!(shared(&["mel", "log_mel"]), ["mel"]);
    assert_eq!(shared(&["spectrogram", "log_mel"]), ["power"]);
    assert_eq!(shared(&["chroma_stft", "log_mel", "mfcc"]), ["power", "mel"]);
    assert_eq!(shared(&["spectral_centroid", "spectral_rolloff"]), ["precise"]);
}

#[test]
fn errors_name_the_feature() {
    let text = r#"
        [features.good]
        feature = "mel"
        [features.bad]
        feature = "mel"
        stft.n_fft = 0
    "#;
    let config: FeatureSetConfig = toml::from_str(text).unwrap();
    let error = config.plan(SAMPLE_RATE).unwrap_err();
    assert_eq!(error.to_string().split(':').next(), Some("bad"), "{error}");
    assert!(FeatureSetConfig::default().plan(SAMPLE_RATE).is_err());
    let plan = set(&["mel"]).plan(SAMPLE_RATE).unwrap();
    assert!(matches!(plan.extract(&[]), Err(FeatureError::InSet { .. })));
    assert!(matches!(plan.extract(&[0.0, f32::NAN]), Err(FeatureError::NotFinite { index: 1, .. })));
    assert!(toml::from_str::<FeatureSetConfig>("[features.x]\nfeature = \"melody\"").is_err());
}

#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    use mgr_features::feature_set::extract_batch;
    let plan = set(&["log_mel", "mfcc", "chroma_stft"]).plan(SAMPLE_RATE).unwrap();
    let mut clips: Vec<Vec<f32>> = (1..8).map(|k| signal(3000 * k)).collect();
    clips[3].clear();
    let alone: Vec<_> = clips.iter().map(|clip| plan.extract(clip)).collect();
    let extractor = FeatureConfig::named("chroma_stft").unwrap().plan(SAMPLE_RATE).unwrap();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| plan.extract_batch(&clips)), alone);
        let batch = pool.install(|| extract_batch(extractor.as_ref(), &clips));
        for (got, clip) in batch.iter().zip(&clips) {
            assert_eq!(*got, extractor.extract(clip));
        }
    }
}
