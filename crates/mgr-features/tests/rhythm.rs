//! Rhythm on signals whose beat is known, and from what is there already.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::FeatureError;
use mgr_features::log_mel::LogMelConfig;
use mgr_features::rhythm::{
    BeatTempo, BeatTrackConfig, FourierTempogramConfig, OnsetBands, OnsetDetectConfig, OnsetStrengthConfig,
    PlpConfig, PulseNorm, TempoConfig, TempoPrior, TempoResolution, TempoSearch, TempogramConfig,
};
use ndarray::{Array2, array};

const RATE: u32 = 22_050;

/// Bursts of noise every `period` frames of 512 samples, over a quiet tone.
fn pulses(seconds: usize, period: usize) -> Vec<f32> {
    let mut state = 7_u32;
    (0..seconds * RATE as usize)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            let since = (n % (period * 512)) as f32;
            0.05 * (n as f32 * 0.1).sin() + 0.5 * noise * (-since / 400.0).exp()
        })
        .collect()
}

fn envelope(samples: &[f32], config: &OnsetStrengthConfig) -> Vec<f32> {
    config.plan(RATE).unwrap().process(samples).unwrap().row(0).to_vec()
}

#[test]
fn pulses_have_their_tempo_whatever_estimates_it() {
    for period in [18, 22, 26] {
        let samples = pulses(12, period);
        let bpm = 60.0 * f64::from(RATE) / (512 * period) as f64;
        assert!((TempoConfig::default().plan(RATE).unwrap().of(&samples).unwrap() - bpm).abs() < 1e-9);
        let beats = BeatTrackConfig::default().plan(RATE).unwrap().track(&samples).unwrap();
        assert!((beats.bpm[0] - bpm).abs() < 1e-9);
        let frames = beats.events.frames();
        assert!(frames.len() + 2 >= 12 * RATE as usize / (512 * period), "{frames:?}");
        // The chain ends at the last local maximum of its sums, which need not be a pulse.
        let steady = &frames[..frames.len() - 1];
        assert!(steady.windows(2).all(|pair| pair[1] - pair[0] == period), "{frames:?}");
        let frame = TempoConfig { resolution: TempoResolution::Frame, ..TempoConfig::default() };
        let each = frame.plan(RATE).unwrap().process(&samples).unwrap();
        assert!(each.iter().filter(|t| (f64::from(**t) - bpm).abs() < 1e-3).count() > 400);
        let known = BeatTrackConfig { tempo: BeatTempo::Bpm(bpm), ..BeatTrackConfig::default() };
        assert_eq!(known.plan(RATE).unwrap().track(&samples).unwrap().events, beats.events);
    }
}

#[test]
fn the_median_over_time_is_that_of_the_tempogram() {
    // Two thirds of one tempo, a third of another, louder one.
    let mut samples = pulses(20, 20);
    let cut = 2 * samples.len() / 3;
    let other = pulses(20, 29);
    samples.truncate(cut);
    samples.extend(other[..cut / 2].iter().map(|v| 8.0 * v));
    let config = TempoConfig { resolution: TempoResolution::ClipMedian, ..TempoConfig::default() };
    let tempo = config.plan(RATE).unwrap();
    let bpm = tempo.of(&samples).unwrap();
    assert!((bpm - 60.0 * f64::from(RATE) / (512.0 * 20.0)).abs() < 1e-9, "{bpm}");
    let lags = (TempoSearch::default().ac_size * f64::from(RATE)) as usize / 512;
    let tempogram = TempogramConfig { win_length: lags, ..TempogramConfig::default() };
    let tempogram = tempogram.plan(RATE).unwrap().process(&samples).unwrap();
    assert_eq!(tempo.of_tempogram(tempogram.view()).unwrap(), [bpm]);
    assert_eq!(tempo.process(&samples).unwrap(), ndarray::array![[bpm as f32]]);
}

#[test]
fn an_envelope_gives_what_its_signal_gives() {
    let samples = pulses(6, 20);
    let (mean, median) = (
        envelope(&samples, &OnsetStrengthConfig::default()),
        envelope(&samples, &OnsetStrengthConfig::median()),
    );
    let tempogram = TempogramConfig { win_length: 100, ..TempogramConfig::default() }.plan(RATE).unwrap();
    assert_eq!(tempogram.process(&samples).unwrap(), tempogram.process_envelope(&mean).unwrap());
    let fourier =
        FourierTempogramConfig { win_length: 101, ..FourierTempogramConfig::default() }.plan(RATE).unwrap();
    assert_eq!(fourier.process(&samples).unwrap(), fourier.process_envelope(&mean).unwrap());
    let complex = fourier.complex(&samples).unwrap();
    assert_eq!(complex, fourier.complex_of_envelope(&mean).unwrap());
    let magnitudes = fourier.process(&samples).unwrap();
    assert!(magnitudes.iter().zip(&complex).all(|(m, z)| (m - z.norm()).abs() <= 1e-5 * m));
    let track = BeatTrackConfig::default().plan(RATE).unwrap();
    let beats = track.track(&samples).unwrap();
    assert_eq!(beats, track.track_envelope(&median).unwrap());
    // A tempo for every frame, always the same, is the same.
    let each = track.track_envelope_by(&median, &vec![beats.bpm[0]; median.len()]).unwrap();
    assert_eq!(each.events, beats.events);
    let tempo = TempoConfig::default().plan(RATE).unwrap();
    assert_eq!(tempo.of(&samples).unwrap(), tempo.of_envelope(&mean).unwrap());
    let whole = TempogramConfig { win_length: 344, ..TempogramConfig::default() }.plan(RATE).unwrap();
    let matrix = whole.process(&samples).unwrap();
    assert_eq!(tempo.of_tempogram(matrix.view()).unwrap(), [tempo.of(&samples).unwrap()]);
    let onsets = OnsetDetectConfig::default().plan(RATE).unwrap();
    let found = onsets.detect(&samples).unwrap();
    assert_eq!(found, onsets.detect_in_envelope(&mean).unwrap());
    let row = onsets.process(&samples).unwrap();
    let marked: Vec<usize> = (0..row.ncols()).filter(|t| row[[0, *t]] == 1.0).collect();
    assert_eq!(marked, found.frames());
    assert_eq!(found.samples().collect::<Vec<_>>(), marked.iter().map(|t| t * 512).collect::<Vec<_>>());
}

#[test]
fn a_spectrogram_gives_what_its_signal_gives() {
    let samples = pulses(3, 20);
    let strength =
        OnsetStrengthConfig { lag: 2, max_size: 3, ..OnsetStrengthConfig::default() }.plan(RATE).unwrap();
    let want = strength.process(&samples).unwrap();
    let log_mel = LogMelConfig::default().plan(RATE).unwrap().process(&samples).unwrap();
    assert_eq!(strength.process_log_spectrogram(log_mel.view()).unwrap(), want);
    let mel = LogMelConfig::default().mel.plan(RATE).unwrap().process(&samples).unwrap();
    assert_eq!(strength.process_mel(mel.view()).unwrap(), want);
    // Compared with itself there is the filter no more.
    let itself = strength.process_log_spectrogram_with_reference(log_mel.view(), log_mel.view()).unwrap();
    let plain = OnsetStrengthConfig { lag: 2, ..OnsetStrengthConfig::default() }.plan(RATE).unwrap();
    assert_eq!(itself, plain.process(&samples).unwrap());
}

#[test]
fn matrices_and_envelopes_that_are_none_are_refused() {
    let edges =
        OnsetStrengthConfig { bands: OnsetBands::Edges(vec![0, 3]), ..OnsetStrengthConfig::default() };
    let strength = edges.plan(RATE).unwrap();
    let small = Array2::<f32>::zeros((2, 9));
    assert!(matches!(strength.process_log_spectrogram(small.view()), Err(FeatureError::Shape { .. })));
    let bad = array![[0.0, f32::NAN], [0.0, 0.0], [0.0, 0.0]];
    assert!(matches!(strength.process_log_spectrogram(bad.view()), Err(FeatureError::NotFinite { .. })));
    let good = Array2::<f32>::zeros((3, 9));
    let other = Array2::<f32>::zeros((3, 8));
    let refused = strength.process_log_spectrogram_with_reference(good.view(), other.view());
    assert!(matches!(refused, Err(FeatureError::Shape { what: "reference", .. })));
    let track = BeatTrackConfig::default().plan(RATE).unwrap();
    assert!(matches!(track.track_envelope(&[]), Err(FeatureError::TooShort { .. })));
    assert!(matches!(track.track_envelope(&[0.0, f32::INFINITY]), Err(FeatureError::NotFinite { .. })));
    assert!(matches!(track.track_envelope_by(&[0.0, 1.0], &[120.0]), Err(FeatureError::Shape { .. })));
    assert!(matches!(
        track.track_envelope_by(&[0.0, 1.0], &[120.0, 0.0]),
        Err(FeatureError::Parameter { .. })
    ));
    let left =
        TempogramConfig { win_length: 10, center: false, ..TempogramConfig::default() }.plan(RATE).unwrap();
    assert_eq!(left.process_envelope(&[1.0; 9]).unwrap_err(), FeatureError::TooShort { got: 9, needed: 10 });
    assert_eq!(left.process_envelope(&[1.0; 10]).unwrap().dim(), (10, 1));
}

#[test]
fn envelopes_that_never_change_or_are_extreme_give_numbers() {
    let track = BeatTrackConfig::default().plan(RATE).unwrap();
    let plp = PlpConfig { norm: PulseNorm::Magnitude, ..PlpConfig::default() };
    for envelope in
        [vec![0.0; 50], vec![3.0; 50], vec![1.0], vec![1e30; 40], vec![f32::MAX; 3], vec![1e-40; 9]]
    {
        let beats = track.track_envelope(&envelope).unwrap();
        assert_eq!((beats.bpm, beats.events.len()), (vec![0.0], 0));
    }
    let mut spikes = vec![0.0; 300];
    spikes.iter_mut().step_by(21).for_each(|v| *v = 1e30);
    for envelope in [vec![0.0; 50], vec![3.0; 50], vec![1.0], vec![1e-30; 700], spikes] {
        assert!(track.track_envelope(&envelope).unwrap().bpm[0].is_finite());
        for config in [&PlpConfig::default(), &plp] {
            let pulse = config.plan(RATE).unwrap().process_envelope(&envelope).unwrap();
            assert!(pulse.iter().all(|v| (0.0..=1.0).contains(v)), "{envelope:?}");
        }
        let tempogram = TempogramConfig::default().plan(RATE).unwrap().process_envelope(&envelope).unwrap();
        assert!(tempogram.iter().all(|v| v.is_finite()));
        let tempo = TempoConfig::default().plan(RATE).unwrap().of_envelope(&envelope).unwrap();
        assert!(tempo > 0.0 && tempo < 320.0);
    }
}

#[test]
fn a_prior_decides_between_a_tempo_and_its_half() {
    let samples = pulses(12, 20);
    let bpm = 60.0 * f64::from(RATE) / (512.0 * 20.0);
    for (prior, want) in [
        (TempoPrior::Uniform { low: 100.0, high: 200.0 }, bpm),
        (TempoPrior::Uniform { low: 40.0, high: 100.0 }, bpm / 2.0),
        (TempoPrior::Normal { mean: 60.0, deviation: 5.0 }, bpm / 2.0),
        (TempoPrior::LogNormal { deviation: 0.1, shift: 0.0, scale: 130.0 }, bpm),
    ] {
        let search = TempoSearch { prior: Some(prior.clone()), ..TempoSearch::default() };
        let tempo =
            TempoConfig { search, ..TempoConfig::default() }.plan(RATE).unwrap().of(&samples).unwrap();
        assert!((tempo - want).abs() < 1e-9, "{prior:?}: {tempo}");
    }
}
