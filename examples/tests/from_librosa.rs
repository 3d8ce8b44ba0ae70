//! `docs/from-librosa.md`, compiled and run: every row of its tables stands here as code, and the test compares the two.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use mgr_audio::*;
use mgr_features::chroma::cens::*;
use mgr_features::chroma::cqt::*;
use mgr_features::chroma::filters::*;
use mgr_features::chroma::stft::*;
use mgr_features::cqt::*;
use mgr_features::decibel::*;
use mgr_features::delta::*;
use mgr_features::effects::*;
use mgr_features::hpss::*;
use mgr_features::invert::*;
use mgr_features::log_mel::*;
use mgr_features::mel::*;
use mgr_features::mfcc::*;
use mgr_features::pcen::*;
use mgr_features::pitch::piptrack::*;
use mgr_features::pitch::pyin::*;
use mgr_features::pitch::tuning::*;
use mgr_features::pitch::yin::*;
use mgr_features::rhythm::*;
use mgr_features::spectral::*;
use mgr_features::stft::*;
use mgr_features::window::*;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex32;

/// Declares the rows: what the document's table shows, and a function that runs them.
macro_rules! rows {
    (($($name:ident: $type:ty),* $(,)?) $($librosa:literal => $code:expr;)*) => {
        const ROWS: &[(&str, &str)] = &[$(($librosa, stringify!($code))),*];

        #[allow(unused_must_use, clippy::too_many_arguments)]
        fn run($($name: $type),*) -> Result<(), Box<dyn Error>> {
            $($code;)*
            Ok(())
        }
    };
}

rows! {
    (y: &[f32], sr: u32, path: &Path, codes: &[i32], stft: ArrayView2<'_, Complex32>, cqt: ArrayView2<'_, Complex32>,
     magnitude: ArrayView2<'_, f32>, power: ArrayView2<'_, f32>, mel: ArrayView2<'_, f32>, log_mel: ArrayView2<'_, f32>,
     mfcc: ArrayView2<'_, f32>, chroma: ArrayView2<'_, f32>, cqt36: ArrayView2<'_, f32>, values: &mut Array2<f32>)
    "librosa.load(path)" => LoadConfig::default().plan()?.load(path)?;
    "librosa.load(path, sr=None, mono=False)" => LoadConfig { sample_rate: None, channels: ChannelMix::All, ..LoadConfig::default() }.plan()?.load(path)?;
    "librosa.load(path, offset=0.5, duration=1.0)" => LoadConfig { offset_s: 0.5, duration_s: Some(1.0), ..LoadConfig::default() }.plan()?.load(path)?;
    "librosa.stream(path, block_length=.., frame_length=.., hop_length=..)" => LoadConfig::default().plan()?.open(path)?;
    "librosa.get_duration(path=path)" => LoadConfig::default().plan()?.info(path)?.duration_s();
    "librosa.resample(y, orig_sr=22050, target_sr=16000)" => ResampleConfig { input_rate: 22_050, output_rate: 16_000, kernel: ResampleKernel::SoxrHq }.plan()?.process(y)?;
    "librosa.stft(y)" => StftConfig::default().plan()?.process(y)?;
    "librosa.istft(D, length=len(y))" => StftConfig::default().plan()?.inverse(stft, Some(y.len()))?;
    "librosa.griffinlim(S)" => GriffinLimConfig::default().plan(&StftConfig::default())?.process(magnitude, None)?;
    "librosa.phase_vocoder(D, rate=1.5)" => PhaseVocoderConfig { rate: 1.5 }.plan()?.process(stft)?;
    "librosa.feature.melspectrogram(y=y, sr=sr)" => MelConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.melspectrogram(S=S, sr=sr)" => MelConfig::default().plan(sr)?.process_spectrogram(power)?;
    "librosa.power_to_db(melspectrogram(y=y, sr=sr))" => LogMelConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.mfcc(y=y, sr=sr)" => MfccConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.mfcc(S=S_db)" => MfccConfig::default().plan(sr)?.process_log_mel(log_mel)?;
    "librosa.feature.delta(M)" => DerivativeConfig::default().plan()?.process(log_mel)?;
    "librosa.feature.delta(M, order=2)" => DerivativeConfig { order: 2, ..DerivativeConfig::default() }.plan()?.process(log_mel)?;
    "librosa.pcen(S, sr=sr)" => PcenCurveConfig::default().plan(f64::from(sr) / 512.0)?.process(power, None)?;
    "librosa.cqt(y, sr=sr)" => CqtConfig::default().plan(sr)?.process_complex(y)?;
    "librosa.icqt(C, sr=sr)" => CqtConfig::default().plan(sr)?.inverse(cqt, None)?;
    "librosa.vqt(y, sr=sr)" => VqtConfig::default().plan(sr)?.process_complex(y)?;
    "librosa.hybrid_cqt(y, sr=sr)" => HybridCqtConfig::default().plan(sr)?.process(y)?;
    "librosa.pseudo_cqt(y, sr=sr)" => PseudoCqtConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.chroma_stft(y=y, sr=sr)" => ChromaStftConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.chroma_stft(S=S, sr=sr)" => ChromaStftConfig::default().plan(sr)?.process_spectrogram(power)?;
    "librosa.feature.chroma_cqt(y=y, sr=sr)" => ChromaCqtConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.chroma_cqt(C=C, sr=sr)" => ChromaCqtConfig::default().plan(sr)?.process_cqt(cqt36)?;
    "librosa.feature.chroma_cens(y=y, sr=sr)" => ChromaCensConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.tonnetz(y=y, sr=sr)" => TonnetzConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.tonnetz(chroma=M)" => TonnetzConfig::default().plan(sr)?.process_chroma(chroma)?;
    "librosa.feature.spectral_centroid(y=y, sr=sr)" => CentroidConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.spectral_centroid(S=S, sr=sr)" => CentroidConfig::default().plan(sr)?.process_spectrogram(magnitude)?;
    "librosa.feature.spectral_bandwidth(y=y, sr=sr)" => BandwidthConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.spectral_rolloff(y=y, sr=sr)" => RolloffConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.spectral_flatness(y=y)" => FlatnessConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.spectral_contrast(y=y, sr=sr)" => ContrastConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.poly_features(y=y, sr=sr)" => PolyConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.rms(y=y)" => RmsConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.rms(S=S)" => SpectralRmsConfig::default().plan(sr)?.process_spectrogram(magnitude)?;
    "librosa.feature.zero_crossing_rate(y)" => ZeroCrossingConfig::default().plan(sr)?.process(y)?;
    "librosa.decompose.hpss(S)" => SeparationConfig::default().plan()?.separate(magnitude)?;
    "librosa.decompose.hpss(S, mask=True)" => SeparationConfig::default().plan()?.masks(magnitude)?;
    "librosa.effects.hpss(y)" => HpssConfig::default().plan()?.audio(y)?;
    "librosa.effects.time_stretch(y, rate=0.8)" => TimeStretchConfig { rate: 0.8, ..TimeStretchConfig::default() }.plan()?.process(y)?;
    "librosa.effects.pitch_shift(y, sr=sr, n_steps=2)" => PitchShiftConfig { n_steps: 2.0, ..PitchShiftConfig::default() }.plan()?.process(y)?;
    "librosa.effects.trim(y)" => TrimConfig::default().plan()?.interval(y)?;
    "librosa.effects.split(y)" => TrimConfig::default().plan()?.split(y)?;
    "librosa.effects.preemphasis(y)" => PreEmphasisConfig::default().plan()?.process(y)?;
    "librosa.effects.deemphasis(y)" => PreEmphasisConfig::default().plan()?.inverse(y)?;
    "librosa.mu_compress(y, quantize=True)" => MuLawConfig::default().plan()?.encode(y)?;
    "librosa.mu_expand(codes)" => MuLawConfig::default().plan()?.decode(codes)?;
    "librosa.yin(y, fmin=65, fmax=2093, sr=sr)" => YinConfig { f_min: 65.0, f_max: 2093.0, ..YinConfig::default() }.plan(sr)?.process(y)?;
    "librosa.pyin(y, fmin=65, fmax=2093, sr=sr)" => PyinConfig { f_min: 65.0, f_max: 2093.0, ..PyinConfig::default() }.plan(sr)?.process(y)?;
    "librosa.piptrack(y=y, sr=sr)" => PiptrackConfig::default().plan(sr)?.process(y)?;
    "librosa.estimate_tuning(y=y, sr=sr)" => TuningConfig::default().plan(sr)?.estimate(y)?;
    "librosa.pitch_tuning(frequencies)" => pitch_tuning(&[440.0, 554.4], 0.01, 12)?;
    "librosa.power_to_db(S)" => Decibel::default().power_to_db(values.view_mut())?;
    "librosa.amplitude_to_db(S)" => Decibel::amplitude().amplitude_to_db(values.view_mut())?;
    "librosa.db_to_power(S_db)" => db_to_power(values.view_mut(), 1.0)?;
    "librosa.db_to_amplitude(S_db)" => db_to_amplitude(values.view_mut(), 1.0)?;
    "librosa.feature.inverse.mel_to_stft(M, sr=sr)" => InversionConfig::default().of_mel(&MelConfig::default(), sr)?.magnitude(mel)?;
    "librosa.feature.inverse.mel_to_audio(M, sr=sr)" => InversionConfig::default().of_mel(&MelConfig::default(), sr)?.audio(mel, None)?;
    "librosa.feature.inverse.mfcc_to_mel(mfcc)" => InversionConfig::default().of_mfcc(&MfccConfig::default(), sr)?.mel(mfcc)?;
    "librosa.feature.inverse.mfcc_to_audio(mfcc)" => InversionConfig::default().of_mfcc(&MfccConfig::default(), sr)?.audio(mfcc, None)?;
    "librosa.filters.mel(sr=sr, n_fft=2048)" => MelBankConfig::default().plan(sr, 2048)?.to_matrix()?;
    "librosa.filters.chroma(sr=sr, n_fft=2048)" => ChromaBankConfig::default().plan(sr, 2048, 0.0)?.to_matrix()?;
    "librosa.filters.get_window('hann', 2048)" => Window::Hann.coefficients(2048, Symmetry::Periodic)?;
    "librosa.mel_frequencies(128, fmin=0, fmax=11025)" => MelScale::Slaney.frequencies(128, 0.0, 11_025.0);
    "librosa.hz_to_mel(440)" => MelScale::Slaney.mel(440.0);
    "librosa.mel_to_hz(10)" => MelScale::Slaney.hz(10.0);
    "librosa.cqt_frequencies(84, fmin=32.7)" => CqtConfig::default().plan(sr)?.frequencies();
    "librosa.onset.onset_strength(y=y, sr=sr)" => OnsetStrengthConfig::default().plan(sr)?.process(y)?;
    "librosa.onset.onset_strength(S=S_db, sr=sr)" => OnsetStrengthConfig::default().plan(sr)?.process_log_spectrogram(log_mel)?;
    "librosa.onset.onset_strength_multi(y=y, sr=sr, channels=[0, 64, 128])" => OnsetStrengthConfig { bands: OnsetBands::Edges(vec![0, 64, 128]), ..OnsetStrengthConfig::default() }.plan(sr)?.process(y)?;
    "librosa.onset.onset_detect(y=y, sr=sr)" => OnsetDetectConfig::default().plan(sr)?.detect(y)?;
    "librosa.feature.tempogram(y=y, sr=sr)" => TempogramConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.fourier_tempogram(y=y, sr=sr)" => FourierTempogramConfig::default().plan(sr)?.complex(y)?;
    "librosa.feature.tempogram_ratio(y=y, sr=sr)" => TempogramRatioConfig::default().plan(sr)?.process(y)?;
    "librosa.feature.tempo(y=y, sr=sr)" => TempoConfig::default().plan(sr)?.of(y)?;
    "librosa.feature.tempo(y=y, sr=sr, aggregate=np.median)" => TempoConfig { resolution: TempoResolution::ClipMedian, ..TempoConfig::default() }.plan(sr)?.of(y)?;
    "librosa.feature.tempo(y=y, sr=sr, aggregate=None)" => TempoConfig { resolution: TempoResolution::Frame, ..TempoConfig::default() }.plan(sr)?.process(y)?;
    "librosa.beat.beat_track(y=y, sr=sr)" => BeatTrackConfig::default().plan(sr)?.track(y)?;
    "librosa.beat.beat_track(y=y, sr=sr, bpm=120)" => BeatTrackConfig { tempo: BeatTempo::Bpm(120.0), ..BeatTrackConfig::default() }.plan(sr)?.track(y)?;
    "librosa.beat.plp(y=y, sr=sr)" => PlpConfig::default().plan(sr)?.process(y)?;
}

/// Without white space, and without the commas that only a formatter sets.
fn bare(code: &str) -> String {
    code.split_whitespace().collect::<String>().replace(",)", ")").replace(",}", "}")
}

#[test]
fn the_document_shows_what_compiles() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/from-librosa.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut shown = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `librosa.")) {
        let mut cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`'));
        let (librosa, code) = (cells.next().unwrap(), cells.next().unwrap());
        assert!(shown.insert(librosa.to_owned(), bare(code)).is_none(), "{librosa} twice");
    }
    let compiled: BTreeMap<_, _> = ROWS.iter().map(|(name, code)| ((*name).to_owned(), bare(code))).collect();
    assert_eq!(compiled.len(), ROWS.len(), "a call stands twice");
    for (librosa, code) in &compiled {
        assert_eq!(shown.get(librosa), Some(code), "{librosa}");
    }
    assert_eq!(shown.len(), compiled.len(), "rows that are not compiled: {:?}", {
        shown.keys().filter(|name| !compiled.contains_key(*name)).collect::<Vec<_>>()
    });
}

/// Makes what the rows take, and runs them.
fn prepare_and_run(y: &[f32], sr: u32, path: &Path) -> Result<(), Box<dyn Error>> {
    let stft = StftConfig::default().plan()?.process(y)?;
    let magnitude = stft.mapv(|z| z.norm());
    let power = magnitude.mapv(|m| m * m);
    let log_mel = LogMelConfig::default().plan(sr)?.process(y)?;
    let cqt = CqtConfig::default().plan(sr)?.process_complex(y)?;
    let cqt36 =
        CqtConfig { n_bins: 252, bins_per_octave: 36, ..CqtConfig::default() }.plan(sr)?.process(y)?;
    run(
        y,
        sr,
        path,
        &[-128, 0, 127],
        stft.view(),
        cqt.view(),
        magnitude.view(),
        power.view(),
        MelConfig::default().plan(sr)?.process(y)?.view(),
        log_mel.view(),
        MfccConfig::default().plan(sr)?.process(y)?.view(),
        ChromaCqtConfig::default().plan(sr)?.process(y)?.view(),
        cqt36.view(),
        &mut power.clone(),
    )
}

#[test]
fn the_rows_run() {
    let sr = 22_050;
    let y: Vec<f32> =
        (0..2 * sr).map(|n| (n as f32 * 0.07).sin() * (1.0 - (n % 11_025) as f32 / 11_025.0)).collect();
    let folder = std::env::temp_dir().join(format!("from_librosa_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("clip.wav");
    write_wav(&path, &y, sr, WavFormat::Float32).unwrap();
    let done = prepare_and_run(&y, sr, &path);
    std::fs::remove_dir_all(&folder).unwrap();
    done.unwrap();
}
