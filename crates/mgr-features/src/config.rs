//! Any feature as one value that a TOML or JSON file can hold.

use serde::{Deserialize, Serialize};

use crate::FeatureError;
use crate::chroma::cens::ChromaCensConfig;
use crate::chroma::cqt::{ChromaCqtConfig, TonnetzConfig};
use crate::chroma::stft::ChromaStftConfig;
use crate::cqt::{CqtConfig, HybridCqtConfig, PseudoCqtConfig, VqtConfig};
use crate::delta::DeltaConfig;
use crate::extractor::Extractor;
use crate::hpss::{HpssMaskConfig, HpssMelConfig, HpssSpectrogramConfig};
use crate::log_mel::LogMelConfig;
use crate::mel::MelConfig;
use crate::mfcc::MfccConfig;
use crate::pcen::PcenConfig;
use crate::pitch::pyin::PyinConfig;
use crate::pitch::yin::YinConfig;
use crate::rhythm::{
    BeatTrackConfig, FourierTempogramConfig, OnsetDetectConfig, OnsetStrengthConfig, PlpConfig, TempoConfig,
    TempogramConfig, TempogramRatioConfig,
};
use crate::rhythm_pattern::{RhythmPatternConfig, RpFeaturesConfig};
use crate::scattering::{MlfcfScatteringConfig, ScatteringConfig};
use crate::spectral::{
    BandwidthConfig, CentroidConfig, ContrastConfig, FlatnessConfig, PolyConfig, RmsConfig, RolloffConfig,
    SpectralRmsConfig, ZeroCrossingConfig,
};
use crate::spectrogram::SpectrogramConfig;
use crate::stats::StatsConfig;
use crate::timbre::TimbreConfig;
use crate::tzanetakis::{BeatHistogramConfig, PitchHistogramConfig, TzanetakisCookConfig};
use crate::vector_sets::{
    Bahuleyan97Config, ChoiMfcc120Config, Fma518Config, Gtzan8MfccConfig, Gtzan57Config,
};

/// Declares [`FeatureConfig`]: one line a feature, with its name in files and the version of its numbers.
macro_rules! features {
    ($(#[$enum_doc:meta])* { $($(#[$doc:meta])* $variant:ident($config:ty) = $name:literal version $version:literal,)* }) => {
        $(#[$enum_doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "feature")]
        #[non_exhaustive]
        pub enum FeatureConfig {
            $($(#[$doc])* #[serde(rename = $name)] $variant($config),)*
        }

        impl FeatureConfig {
            /// The names of all features.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The feature's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Counts changes of the code that change numbers; whoever stores a feature stores this with its configuration.
            #[must_use]
            pub fn version(&self) -> u32 {
                match self {
                    $(Self::$variant(_) => $version,)*
                }
            }

            /// The defaults of the feature of this name; `None` where no feature has it.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant(<$config>::default())),)*
                    _ => None,
                }
            }

            /// Checks the parameters and computes the tables.
            ///
            /// # Errors
            /// [`FeatureError::Parameter`], from the feature's own `plan`.
            pub fn plan(&self, sample_rate: u32) -> Result<Box<dyn Extractor>, FeatureError> {
                Ok(match self {
                    $(Self::$variant(config) => Box::new(config.plan(sample_rate)?),)*
                })
            }
        }
    };
}

features! {
    /// The configuration of any feature, tagged by its name.
    ///
    /// ```
    /// use mgr_features::FeatureConfig;
    /// let config: FeatureConfig = toml::from_str(r#"
    ///     feature = "log_mel"
    ///     compression = { ln = { floor = 1e-6 } }
    ///     [mel.stft]
    ///     hop_length = 1024
    /// "#).unwrap();
    /// let extractor = config.plan(22_050)?;
    /// assert_eq!(extractor.extract(&vec![0.1; 220_500])?.dim(), (128, 216));
    /// # Ok::<(), mgr_features::FeatureError>(())
    /// ```
    {
        /// Magnitude or power spectrogram.
        Spectrogram(SpectrogramConfig) = "spectrogram" version 1,
        /// Mel spectrogram.
        Mel(MelConfig) = "mel" version 1,
        /// Log-mel spectrogram.
        LogMel(LogMelConfig) = "log_mel" version 1,
        /// Magnitudes of a constant-Q transform.
        Cqt(CqtConfig) = "cqt" version 1,
        /// Magnitudes of a variable-Q transform.
        Vqt(VqtConfig) = "vqt" version 1,
        /// Magnitudes of a hybrid constant-Q transform.
        HybridCqt(HybridCqtConfig) = "hybrid_cqt" version 1,
        /// Magnitudes of a pseudo constant-Q transform.
        PseudoCqt(PseudoCqtConfig) = "pseudo_cqt" version 1,
        /// Chroma of a constant-Q transform.
        ChromaCqt(ChromaCqtConfig) = "chroma_cqt" version 1,
        /// Chroma energy normalised statistics.
        ChromaCens(ChromaCensConfig) = "chroma_cens" version 1,
        /// Tonal centroids.
        Tonnetz(TonnetzConfig) = "tonnetz" version 1,
        /// Mel-frequency cepstral coefficients.
        Mfcc(MfccConfig) = "mfcc" version 1,
        /// Per-channel energy normalisation of a mel spectrogram.
        Pcen(PcenConfig) = "pcen" version 1,
        /// Another feature and its derivatives in time.
        Delta(DeltaConfig) = "delta" version 1,
        /// Statistics over time of another feature.
        Stats(StatsConfig) = "stats" version 1,
        /// The timbre features of Marsyas.
        Timbre(TimbreConfig) = "timbre" version 1,
        /// The feature set of Tzanetakis and Cook.
        TzanetakisCook(TzanetakisCookConfig) = "tzanetakis_cook" version 1,
        /// Beat histogram.
        BeatHistogram(BeatHistogramConfig) = "beat_histogram" version 1,
        /// Pitch histogram.
        PitchHistogram(PitchHistogramConfig) = "pitch_histogram" version 1,
        /// Spectrogram of the harmonic, percussive or residual part.
        HpssSpectrogram(HpssSpectrogramConfig) = "hpss_spectrogram" version 1,
        /// Mask of the harmonic, percussive or residual part.
        HpssMask(HpssMaskConfig) = "hpss_mask" version 1,
        /// Log-mel spectrogram of the harmonic, percussive or residual part.
        HpssMel(HpssMelConfig) = "hpss_mel" version 1,
        /// Chroma of the short-time Fourier transform.
        ChromaStft(ChromaStftConfig) = "chroma_stft" version 1,
        /// Spectral centroid.
        SpectralCentroid(CentroidConfig) = "spectral_centroid" version 1,
        /// Spectral bandwidth.
        SpectralBandwidth(BandwidthConfig) = "spectral_bandwidth" version 1,
        /// Spectral roll-off.
        SpectralRolloff(RolloffConfig) = "spectral_rolloff" version 1,
        /// Spectral flatness.
        SpectralFlatness(FlatnessConfig) = "spectral_flatness" version 1,
        /// Spectral contrast.
        SpectralContrast(ContrastConfig) = "spectral_contrast" version 1,
        /// Coefficients of a polynomial through the spectrum.
        PolyFeatures(PolyConfig) = "poly_features" version 1,
        /// Root mean square of the windowed frame, from its spectrum.
        SpectralRms(SpectralRmsConfig) = "spectral_rms" version 1,
        /// Root mean square of the frame.
        Rms(RmsConfig) = "rms" version 1,
        /// Zero-crossing rate.
        ZeroCrossingRate(ZeroCrossingConfig) = "zero_crossing_rate" version 1,
        /// Fundamental frequency by YIN.
        Yin(YinConfig) = "yin" version 1,
        /// Fundamental frequency and voicing by probabilistic YIN.
        Pyin(PyinConfig) = "pyin" version 1,
        /// Onset strength.
        OnsetStrength(OnsetStrengthConfig) = "onset_strength" version 1,
        /// Onsets.
        OnsetDetect(OnsetDetectConfig) = "onset_detect" version 1,
        /// Local autocorrelation of the onset strength.
        Tempogram(TempogramConfig) = "tempogram" version 1,
        /// Short-time Fourier transform of the onset strength.
        FourierTempogram(FourierTempogramConfig) = "fourier_tempogram" version 1,
        /// The tempogram at multiples of the tempo.
        TempogramRatio(TempogramRatioConfig) = "tempogram_ratio" version 1,
        /// Tempo.
        Tempo(TempoConfig) = "tempo" version 1,
        /// Beats.
        BeatTrack(BeatTrackConfig) = "beat_track" version 1,
        /// Predominant local pulse.
        Plp(PlpConfig) = "plp" version 1,
        /// Time scattering.
        Scattering(ScatteringConfig) = "scattering" version 1,
        /// Logarithm of the time scattering of a signal of peak 1.
        MlfcfScattering(MlfcfScatteringConfig) = "mlfcf_scattering" version 1,
        /// Rhythm pattern: modulation of the loudness of Bark bands.
        RhythmPattern(RhythmPatternConfig) = "rhythm_pattern" version 1,
        /// Vectors of the rhythm pattern family.
        RpFeatures(RpFeaturesConfig) = "rp_features" version 1,
        /// The 57 columns of the table of GTZAN.
        Gtzan57(Gtzan57Config) = "gtzan57" version 1,
        /// The 518 columns of FMA.
        Fma518(Fma518Config) = "fma518" version 1,
        /// The 97 values of Bahuleyan.
        Bahuleyan97(Bahuleyan97Config) = "bahuleyan97" version 1,
        /// The 120 values of Choi's MFCC.
        ChoiMfcc120(ChoiMfcc120Config) = "choi_mfcc120" version 1,
        /// MFCC, derivatives and centroid of the GTZAN-8 study.
        Gtzan8Mfcc(Gtzan8MfccConfig) = "gtzan8_mfcc_centroid" version 1,
    }
}
