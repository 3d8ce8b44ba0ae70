//! Onset strength, onsets, tempograms, tempo, beats, local pulse.

use mgr_features::FeatureConfig;
use mgr_features::compress::Compression;
use mgr_features::frame::{Centering, Padding};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{MelBankConfig, MelConfig};
use mgr_features::normalize::Norm;
use mgr_features::rhythm::{
    Aggregate, BeatTempo, BeatTrackConfig, FourierTempogramConfig, OnsetBands, OnsetDetectConfig, OnsetStrengthConfig,
    PeakPickConfig, PlpConfig, PulseNorm, TempoConfig, TempoPrior, TempoResolution, TempoSearch, TempogramConfig,
    TempogramRatioConfig,
};
use mgr_features::scattering::Precision;
use mgr_features::stft::StftConfig;
use mgr_features::window::Window;

use super::Case;

/// A small, coarse onset strength, whose many frames make short signals long.
fn small(compression: Compression) -> OnsetStrengthConfig {
    let stft = StftConfig { n_fft: 256, hop_length: 64, padding: Padding::Reflect, ..StftConfig::default() };
    let bank = MelBankConfig { n_mels: 20, ..MelBankConfig::default() };
    let log_mel = LogMelConfig { mel: MelConfig { stft, bank, ..MelConfig::default() }, compression };
    OnsetStrengthConfig { log_mel, ..OnsetStrengthConfig::default() }
}

fn quick() -> OnsetStrengthConfig {
    OnsetStrengthConfig { aggregate: Aggregate::Median, ..small(Compression::default()) }
}

pub(super) fn cases() -> Vec<Case> {
    let strength = |config| Case::new(FeatureConfig::OnsetStrength(config));
    let local = || small(Compression::Ln { floor: 1e-8 });
    let left = |config: OnsetStrengthConfig| {
        let mut config = config;
        config.log_mel.mel.stft.centering = Centering::LeftAligned;
        config
    };
    let search = || TempoSearch { ac_size: 0.2, max_tempo: 1e6, ..TempoSearch::default() };
    let prior = |prior| TempoSearch { prior: Some(prior), ..search() };
    let tempogram = || TempogramConfig { strength: quick(), win_length: 33, ..TempogramConfig::default() };
    let zero = |case: Case| Case { zero_for_silence: true, ..case };
    vec![
        zero(strength(OnsetStrengthConfig::default()).whole()),
        zero(strength(OnsetStrengthConfig { precision: Precision::Double, ..quick() }).whole()),
        zero(strength(OnsetStrengthConfig { bands: OnsetBands::Each, detrend: true, ..quick() }).whole()),
        zero(strength(local())),
        zero(strength(OnsetStrengthConfig { detrend: true, lag: 3, max_size: 4, center: false, ..local() })),
        zero(strength(OnsetStrengthConfig { bands: OnsetBands::Each, max_size: 99, lag: 500, ..local() })),
        zero(strength(OnsetStrengthConfig {
            bands: OnsetBands::Edges(vec![1, 5, 6, 20]),
            aggregate: Aggregate::Max,
            ..left(local())
        })),
        zero(strength(OnsetStrengthConfig { aggregate: Aggregate::Min, ..local() })),
        zero(strength(OnsetStrengthConfig { aggregate: Aggregate::Sum, lag: 2, ..local() })),
        zero(Case::new(FeatureConfig::OnsetDetect(OnsetDetectConfig::default())).whole()),
        zero(
            Case::new(FeatureConfig::OnsetDetect(OnsetDetectConfig {
                strength: quick(),
                backtrack: true,
                normalize: false,
                peaks: PeakPickConfig { delta: 0.0, wait: Some(0), pre_avg: Some(usize::MAX), ..PeakPickConfig::default() },
            }))
            .whole(),
        ),
        zero(Case::new(FeatureConfig::Tempogram(TempogramConfig::default())).whole()),
        zero(Case::new(FeatureConfig::Tempogram(tempogram())).whole()),
        zero(
            Case::new(FeatureConfig::Tempogram(TempogramConfig {
                strength: left(quick()),
                win_length: 20,
                center: false,
                window: Window::Rectangular,
                norm: Norm::L2,
            }))
            .whole(),
        ),
        zero(Case::new(FeatureConfig::Tempogram(TempogramConfig { win_length: 1, norm: Norm::None, ..tempogram() })).whole()),
        zero(Case::new(FeatureConfig::FourierTempogram(FourierTempogramConfig::default())).whole()),
        zero(
            Case::new(FeatureConfig::FourierTempogram(FourierTempogramConfig {
                strength: quick(),
                win_length: 31,
                window: Window::Hamming,
                center: false,
            }))
            .whole(),
        ),
        zero(Case::new(FeatureConfig::TempogramRatio(TempogramRatioConfig::default())).whole()),
        zero(
            Case::new(FeatureConfig::TempogramRatio(TempogramRatioConfig {
                tempogram: tempogram(),
                search: search(),
                bpm: Some(900.0),
                factors: vec![0.5, 1.0, 7.7],
            }))
            .whole(),
        ),
        Case::new(FeatureConfig::Tempo(TempoConfig::default())).whole(),
        Case::new(FeatureConfig::Tempo(TempoConfig {
            strength: quick(),
            search: prior(TempoPrior::Uniform { low: 200.0, high: 9000.0 }),
            resolution: TempoResolution::Frame,
        }))
        .whole(),
        Case::new(FeatureConfig::Tempo(TempoConfig {
            strength: OnsetStrengthConfig { detrend: true, ..quick() },
            search: prior(TempoPrior::Points(vec![[100.0, -1.0], [1000.0, 3.5], [20_000.0, 0.0]])),
            resolution: TempoResolution::Clip,
        }))
        .whole(),
        Case::new(FeatureConfig::Tempo(TempoConfig {
            strength: quick(),
            resolution: TempoResolution::ClipMedian,
            ..TempoConfig::default()
        }))
        .whole(),
        zero(Case::new(FeatureConfig::BeatTrack(BeatTrackConfig::default())).whole()),
        zero(
            Case::new(FeatureConfig::BeatTrack(BeatTrackConfig {
                strength: quick(),
                search: prior(TempoPrior::LogNormal { deviation: 0.5, shift: 0.0, scale: 900.0 }),
                tempo: BeatTempo::Frame,
                tightness: 5.0,
                trim: false,
            }))
            .whole(),
        ),
        zero(
            Case::new(FeatureConfig::BeatTrack(BeatTrackConfig {
                strength: quick(),
                search: prior(TempoPrior::Normal { mean: 800.0, deviation: 100.0 }),
                tempo: BeatTempo::Bpm(700.0),
                ..BeatTrackConfig::default()
            }))
            .whole(),
        ),
        zero(Case::new(FeatureConfig::Plp(PlpConfig::default())).whole()),
        zero(
            Case::new(FeatureConfig::Plp(PlpConfig {
                strength: quick(),
                win_length: 27,
                tempo_min: 0.0,
                tempo_max: 1e6,
                prior: Some(TempoPrior::Normal { mean: 1000.0, deviation: 500.0 }),
                norm: PulseNorm::Magnitude,
            }))
            .whole(),
        ),
        zero(Case::new(FeatureConfig::Plp(PlpConfig { strength: quick(), win_length: 32, ..PlpConfig::default() })).whole()),
    ]
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let default = OnsetStrengthConfig::default;
    let strength = FeatureConfig::OnsetStrength;
    let bands = |edges: &[usize]| strength(OnsetStrengthConfig { bands: OnsetBands::Edges(edges.to_vec()), ..default() });
    let detect = |peaks| FeatureConfig::OnsetDetect(OnsetDetectConfig { peaks, ..OnsetDetectConfig::default() });
    let peaks = PeakPickConfig::default;
    let search = |search| FeatureConfig::Tempo(TempoConfig { search, ..TempoConfig::default() });
    let prior = |prior| search(TempoSearch { prior: Some(prior), ..TempoSearch::default() });
    let beats = |config| FeatureConfig::BeatTrack(config);
    let track = BeatTrackConfig::default;
    let plp = |config| FeatureConfig::Plp(config);
    let mut all = vec![
        (strength(OnsetStrengthConfig { lag: 0, ..default() }), "lag"),
        (strength(OnsetStrengthConfig { lag: usize::MAX, ..default() }), "lag"),
        (strength(OnsetStrengthConfig { max_size: 0, ..default() }), "max_size"),
        (bands(&[]), "bands"),
        (bands(&[5]), "bands"),
        (bands(&[5, 5]), "bands"),
        (bands(&[0, 129]), "bands"),
        (
            FeatureConfig::Tempogram(TempogramConfig {
                strength: OnsetStrengthConfig { bands: OnsetBands::Each, ..default() },
                ..TempogramConfig::default()
            }),
            "bands",
        ),
        (detect(PeakPickConfig { delta: -0.1, ..peaks() }), "delta"),
        (detect(PeakPickConfig { delta: f32::NAN, ..peaks() }), "delta"),
        (detect(PeakPickConfig { post_max: Some(0), ..peaks() }), "post_max"),
        (detect(PeakPickConfig { post_avg: Some(0), ..peaks() }), "post_avg"),
        (FeatureConfig::Tempogram(TempogramConfig { win_length: 0, ..Default::default() }), "win_length"),
        (FeatureConfig::Tempogram(TempogramConfig { win_length: usize::MAX, ..Default::default() }), "win_length"),
        (FeatureConfig::Tempogram(TempogramConfig { norm: Norm::Lp(-1.0), ..Default::default() }), "norm"),
        (FeatureConfig::FourierTempogram(FourierTempogramConfig { win_length: 0, ..Default::default() }), "win_length"),
        (FeatureConfig::TempogramRatio(TempogramRatioConfig { factors: vec![], ..Default::default() }), "factors"),
        (FeatureConfig::TempogramRatio(TempogramRatioConfig { factors: vec![0.0], ..Default::default() }), "factors"),
        (FeatureConfig::TempogramRatio(TempogramRatioConfig { bpm: Some(-1.0), ..Default::default() }), "bpm"),
        (prior(TempoPrior::Uniform { low: 100.0, high: 100.0 }), "prior"),
        (prior(TempoPrior::Uniform { low: 10_000.0, high: 20_000.0 }), "prior"),
        (prior(TempoPrior::Normal { mean: 100.0, deviation: 0.0 }), "prior"),
        (prior(TempoPrior::LogNormal { deviation: 1.0, shift: f64::NAN, scale: 1.0 }), "prior"),
        (prior(TempoPrior::Points(vec![])), "prior"),
        (prior(TempoPrior::Points(vec![[100.0, 0.0], [90.0, 0.0]])), "prior"),
        (beats(BeatTrackConfig { tightness: 0.0, ..track() }), "tightness"),
        (beats(BeatTrackConfig { tightness: f64::NAN, ..track() }), "tightness"),
        (beats(BeatTrackConfig { tempo: BeatTempo::Bpm(0.0), ..track() }), "bpm"),
        (beats(BeatTrackConfig { tempo: BeatTempo::Bpm(1e9), ..track() }), "bpm"),
        (plp(PlpConfig { win_length: 0, ..PlpConfig::default() }), "win_length"),
        (plp(PlpConfig { tempo_max: 30.0, ..PlpConfig::default() }), "tempo_max"),
        (plp(PlpConfig { tempo_min: f64::NAN, ..PlpConfig::default() }), "tempo_min"),
    ];
    for bad in [0.0, -3.0, f64::NAN, f64::INFINITY] {
        all.extend([
            (search(TempoSearch { start_bpm: bad, ..TempoSearch::default() }), "start_bpm"),
            (search(TempoSearch { std_bpm: bad, ..TempoSearch::default() }), "std_bpm"),
            (search(TempoSearch { ac_size: bad, ..TempoSearch::default() }), "ac_size"),
            (search(TempoSearch { max_tempo: bad, ..TempoSearch::default() }), "max_tempo"),
        ]);
    }
    all
}
