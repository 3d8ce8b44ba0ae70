//! Descriptors of spectra and of frames.

use mgr_features::FeatureConfig;
use mgr_features::spectral::{
    BandwidthConfig, CentroidConfig, ContrastConfig, ContrastScale, FlatnessConfig, PolyConfig, RmsConfig,
    RolloffConfig, SpectralRmsConfig, ZeroCrossingConfig, ZeroSign,
};

use super::Op;
use super::feature::{FeatureOp, Orientation};
use super::parameters::stft;
use crate::golden::Params;

pub(super) const OPS: &[&str] = &[
    "centroid",
    "bandwidth",
    "rolloff",
    "flatness",
    "contrast",
    "poly_features",
    "rms",
    "rms_S",
    "zcr",
];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    FeatureOp::plan(&feature(op, params)?, sample_rate, Orientation::RowsFrames)
}

fn feature(op: &str, params: &mut Params) -> Result<FeatureConfig, String> {
    Ok(match op {
        "centroid" => FeatureConfig::SpectralCentroid(CentroidConfig { stft: stft(params, 2048, 512)? }),
        "bandwidth" => FeatureConfig::SpectralBandwidth(BandwidthConfig {
            stft: stft(params, 2048, 512)?,
            p: params.number_or("p", 2.0)?,
            norm: params.flag_or("norm", true)?,
        }),
        "rolloff" => FeatureConfig::SpectralRolloff(RolloffConfig {
            stft: stft(params, 2048, 512)?,
            roll_percent: params.number_or("roll_percent", 0.85)? as f32,
        }),
        "flatness" => FeatureConfig::SpectralFlatness(FlatnessConfig {
            stft: stft(params, 2048, 512)?,
            amin: params.number_or("amin", 1e-10)? as f32,
            power: params.number_or("power", 2.0)? as f32,
        }),
        "contrast" => FeatureConfig::SpectralContrast(ContrastConfig {
            stft: stft(params, 2048, 512)?,
            f_min: params.number_or("fmin", 200.0)?,
            n_bands: params.count("n_bands")?.unwrap_or(6),
            quantile: params.number_or("quantile", 0.02)?,
            scale: match params.flag_or("linear", false)? {
                true => ContrastScale::Linear,
                false => ContrastScale::default(),
            },
        }),
        "poly_features" => FeatureConfig::PolyFeatures(PolyConfig {
            stft: stft(params, 2048, 512)?,
            order: params.count("order")?.unwrap_or(1),
        }),
        "rms_S" => FeatureConfig::SpectralRms(SpectralRmsConfig { stft: stft(params, 2048, 512)? }),
        "rms" => {
            let frame_length = params.count("frame_length")?.unwrap_or(2048);
            // Framing, centring and padding by the same names as the transform's.
            let framing = stft(params, frame_length, 512)?;
            FeatureConfig::Rms(RmsConfig {
                frame_length,
                hop_length: framing.hop_length,
                centering: framing.centering,
                padding: framing.padding,
            })
        }
        "zcr" => {
            let frame_length = params.count("frame_length")?.unwrap_or(2048);
            let framing = stft(params, frame_length, 512)?;
            FeatureConfig::ZeroCrossingRate(ZeroCrossingConfig {
                frame_length,
                hop_length: framing.hop_length,
                centering: framing.centering,
                threshold: params.number_or("threshold", 1e-10)? as f32,
                zero: if params.flag_or("zero_pos", true)? { ZeroSign::Positive } else { ZeroSign::Own },
                count_first: params.flag_or("pad", false)?,
            })
        }
        other => return Err(format!("{other} is no feature that is built")),
    })
}
