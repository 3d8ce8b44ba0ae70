//! The front ends of published systems, as named configurations.
//!
//! The defaults of every configuration are librosa 0.11's: `MelConfig::default()` is `librosa.feature.melspectrogram`,
//! `LogMelConfig::default()` that in `power_to_db`, `MfccConfig::default()` is `librosa.feature.mfcc`, `DeltaConfig` and
//! `PcenConfig` what its documentation does with them.

use crate::compress::{Compression, Reference};
use crate::delta::DeltaConfig;
use crate::frame::{Centering, Padding};
use crate::log_mel::LogMelConfig;
use crate::mel::{MelBankConfig, MelConfig, MelNorm, MelScale, TriangleAxis};
use crate::mfcc::{LifterStart, MfccConfig};
use crate::stft::{Conditioning, StftConfig};
use crate::timbre::{TimbreConfig, TimbreDialect, TimbreOutput};
use crate::tzanetakis::TzanetakisCookConfig;
use crate::vector_sets::{ChoiMfcc120Config, Fma518Config, Gtzan8MfccConfig};
use crate::window::{Symmetry, Window};
use crate::{FeatureConfig, mlfcf};

/// A named front end.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// The sampling rate that it is made for, in Hz.
    pub sample_rate: u32,
    /// Where it comes from.
    pub source: &'static str,
    /// The feature.
    pub config: FeatureConfig,
}

/// All front ends, by name.
///
/// ```
/// for preset in mgr_features::presets::all() {
///     preset.config.plan(preset.sample_rate)?;
/// }
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[must_use]
pub fn all() -> Vec<Preset> {
    let log_mel = FeatureConfig::LogMel;
    let preset = |name, sample_rate, source, config| Preset { name, sample_rate, source, config };
    vec![
        preset("choi", 12_000, "Choi et al. 2017, transfer learning for music", log_mel(choi())),
        preset(
            "choi_mfcc",
            12_000,
            "Choi et al. 2017, its MFCC baseline",
            FeatureConfig::ChoiMfcc120(ChoiMfcc120Config::default()),
        ),
        preset("fma", 44_100, "FMA 2017, its 518 columns", FeatureConfig::Fma518(Fma518Config::default())),
        preset("fma_study", 22_050, "FMA genre study, log-mel images", log_mel(fma_study())),
        preset("gtzan8", 16_000, "GTZAN-8 study 2020", log_mel(gtzan8())),
        preset(
            "gtzan8_centroid",
            16_000,
            "GTZAN-8 study 2020, its MFCC and centroid",
            FeatureConfig::Gtzan8Mfcc(Gtzan8MfccConfig::default()),
        ),
        preset("gtzan8_mfcc", 16_000, "GTZAN-8 study 2020, its MFCC", FeatureConfig::Delta(gtzan8_mfcc())),
        preset("image_cnn", 22_050, "image networks on GTZAN", log_mel(image_cnn())),
        preset("kaldi_fbank", 16_000, "Kaldi compute-fbank-feats", log_mel(kaldi_fbank(23))),
        preset("kaldi_mfcc", 16_000, "Kaldi compute-mfcc-feats", FeatureConfig::Mfcc(kaldi_mfcc())),
        preset("marsyas", 22_050, "Marsyas bextract, 124 values a clip", FeatureConfig::Timbre(marsyas())),
        preset(
            "marsyas_classic",
            22_050,
            "Marsyas bextract of older versions, 68 values a clip",
            FeatureConfig::Timbre(marsyas_classic()),
        ),
        preset(
            "marsyas_clean",
            22_050,
            "Marsyas bextract without its oddities",
            FeatureConfig::Timbre(marsyas_clean()),
        ),
        preset(
            "mlfcf_harmonic",
            22_050,
            "MLFCF, its harmonic part",
            FeatureConfig::HpssSpectrogram(mlfcf::harmonic()),
        ),
        preset("mlfcf_mel", 22_050, "MLFCF", log_mel(mlfcf::mel())),
        preset(
            "mlfcf_percussive",
            22_050,
            "MLFCF, its percussive part",
            FeatureConfig::HpssSpectrogram(mlfcf::percussive()),
        ),
        preset("music_featurization", 22_050, "MusicFeaturization", log_mel(music_featurization())),
        preset("musicnn", 16_000, "Pons and Serra 2019, musicnn", log_mel(musicnn())),
        preset(
            "tzanetakis_cook",
            22_050,
            "Tzanetakis and Cook 2002, 30 values a clip",
            FeatureConfig::TzanetakisCook(TzanetakisCookConfig::default()),
        ),
        preset("vggish", 16_000, "Hershey et al. 2017, VGGish", log_mel(vggish())),
        preset("whisper", 16_000, "Radford et al. 2022, Whisper to version 2", log_mel(whisper(80))),
        preset("whisper_v3", 16_000, "Whisper version 3", log_mel(whisper(128))),
    ]
}

/// The front end of this name, if there is one.
#[must_use]
pub fn named(name: &str) -> Option<Preset> {
    all().into_iter().find(|preset| preset.name == name)
}

fn mel(n_fft: usize, hop_length: usize, n_mels: usize) -> MelConfig {
    MelConfig {
        stft: StftConfig { n_fft, hop_length, ..StftConfig::default() },
        bank: MelBankConfig { n_mels, ..MelBankConfig::default() },
        ..MelConfig::default()
    }
}

/// Decibels with a range of 80 dB under the clip's largest.
fn decibel(reference: Reference) -> Compression {
    Compression::Decibel { reference, amin: 1e-10, top_db: Some(80.0) }
}

/// musicnn (Pons and Serra 2019), for 16 kHz: 512/256, 96 bands, `log10(10000 s + 1)`. Its matrix is (frames, bands): transpose.
#[must_use]
pub fn musicnn() -> LogMelConfig {
    LogMelConfig { mel: mel(512, 256, 96), compression: Compression::Log10 { scale: 10_000.0 } }
}

/// The GTZAN-8 study (2020), for 16 kHz: 1024/512, 96 bands, decibels over a power of 1, range 80 dB under the clip's
/// largest.
#[must_use]
pub fn gtzan8() -> LogMelConfig {
    LogMelConfig { mel: mel(1024, 512, 96), compression: decibel(Reference::Value(1.0)) }
}

/// The cepstral part of the GTZAN-8 study's second feature, for 16 kHz: 30 coefficients, first and second derivative,
/// 2048/512.
#[must_use]
pub fn gtzan8_mfcc() -> DeltaConfig {
    let mfcc = MfccConfig { n_mfcc: 30, ..MfccConfig::default() };
    DeltaConfig { base: Box::new(FeatureConfig::Mfcc(mfcc)), ..DeltaConfig::default() }
}

/// The FMA genre study, for 22,050 Hz: 2048/512, 128 bands, decibels under the clip's largest.
#[must_use]
pub fn fma_study() -> LogMelConfig {
    LogMelConfig { mel: mel(2048, 512, 128), compression: decibel(Reference::Max) }
}

/// MusicFeaturization, for 22,050 Hz: 2048/512, 96 bands, decibels under the clip's largest. The whole clip is
/// pre-emphasised with 0.97 before.
#[must_use]
pub fn music_featurization() -> LogMelConfig {
    LogMelConfig { mel: mel(2048, 512, 96), compression: decibel(Reference::Max) }
}

/// The image networks on GTZAN, for 22,050 Hz: 2048/1024 with a Blackman window, 128 bands, decibels under the clip's
/// largest.
#[must_use]
pub fn image_cnn() -> LogMelConfig {
    let mut mel = mel(2048, 1024, 128);
    mel.stft.window = Window::Blackman;
    LogMelConfig { mel, compression: decibel(Reference::Max) }
}

/// Choi et al. (2017) on kapre, for 12 kHz: 512/256, 96 bands, decibels under the clip's largest, and the window from its
/// end, as Theano's convolution flips it.
#[must_use]
pub fn choi() -> LogMelConfig {
    let mut mel = mel(512, 256, 96);
    mel.stft.symmetry = Symmetry::Reversed;
    LogMelConfig { mel, compression: decibel(Reference::Max) }
}

/// Marsyas, `bextract -sv`: means and standard deviations of means and standard deviations over 20 frames of 31 values.
#[must_use]
pub fn marsyas() -> TimbreConfig {
    TimbreConfig { output: TimbreOutput::Clip, ..TimbreConfig::default() }
}

/// As [`marsyas`], with the 17 values of a frame that older versions had, and the 40 frames of the papers.
#[must_use]
pub fn marsyas_classic() -> TimbreConfig {
    TimbreConfig { chroma: false, memory: 40, ..marsyas() }
}

/// As [`marsyas`], with [`TimbreDialect::Clean`].
#[must_use]
pub fn marsyas_clean() -> TimbreConfig {
    TimbreConfig { dialect: TimbreDialect::Clean, ..marsyas() }
}

/// VGGish (Hershey et al. 2017), for 16 kHz: windows of 400 every 160 in transforms of 512, magnitudes, 64 HTK bands from
/// 125 to 7500 Hz, straight in mel, `ln(s + 0.01)`. Its matrix is (frames, bands), in patches of 96 frames.
#[must_use]
pub fn vggish() -> LogMelConfig {
    LogMelConfig {
        mel: MelConfig {
            stft: StftConfig {
                n_fft: 512,
                hop_length: 160,
                win_length: Some(400),
                centering: Centering::WindowAligned,
                ..StftConfig::default()
            },
            bank: htk_bank(64, 125.0, Some(7500.0)),
            power: 1.0,
        },
        compression: Compression::LnOffset { offset: 0.01 },
    }
}

/// Bands that are straight in mel and not scaled, as in HTK.
fn htk_bank(n_mels: usize, f_min: f64, f_max: Option<f64>) -> MelBankConfig {
    MelBankConfig {
        n_mels,
        f_min,
        f_max,
        scale: MelScale::Htk,
        norm: MelNorm::None,
        triangles: TriangleAxis::Mel,
        ..MelBankConfig::default()
    }
}

/// Kaldi's filter banks, for 16 kHz, with its defaults but for the dither, which is off: windows of 400 every 160 in
/// transforms of 512, mean taken off, pre-emphasis 0.97, Povey window, power, HTK bands from 20 Hz (23 by default, often 80),
/// natural logarithm. Kaldi takes samples as 16-bit integers: multiply by 32,768.
#[must_use]
pub fn kaldi_fbank(n_mels: usize) -> LogMelConfig {
    LogMelConfig {
        mel: MelConfig {
            stft: StftConfig {
                n_fft: 512,
                hop_length: 160,
                win_length: Some(400),
                window: Window::Povey,
                symmetry: Symmetry::Symmetric,
                centering: Centering::WindowAligned,
                conditioning: Some(Conditioning::default()),
                ..StftConfig::default()
            },
            bank: htk_bank(n_mels, 20.0, None),
            power: 2.0,
        },
        compression: Compression::Ln { floor: f32::EPSILON },
    }
}

/// Kaldi's cepstral coefficients, for 16 kHz, with its defaults but for the dither: 13 of 23 bands of [`kaldi_fbank`],
/// lifter 22, the first replaced by the logarithm of the energy.
#[must_use]
pub fn kaldi_mfcc() -> MfccConfig {
    MfccConfig {
        log_mel: kaldi_fbank(23),
        n_mfcc: 13,
        lifter: 22.0,
        lifter_start: LifterStart::Zero,
        energy_floor: Some(f32::EPSILON),
        ..MfccConfig::default()
    }
}

/// Whisper (Radford et al. 2022), for 16 kHz: 400/160, mirrored ends, the last frame left out, 80 bands (128 in version 3),
/// `(max(log10 s, largest - 8) + 4) / 4`. Clips are padded with zeros to 30 s before.
#[must_use]
pub fn whisper(n_mels: usize) -> LogMelConfig {
    let mut mel = mel(400, 160, n_mels);
    mel.stft.centering = Centering::CenteredTrimmed;
    mel.stft.padding = Padding::Reflect;
    let compression = Compression::Log10Range { floor: 1e-10, range: 8.0, shift: 4.0, divisor: 4.0 };
    LogMelConfig { mel, compression }
}
