//! The short-time Fourier transform, mel spectrograms and their logarithms.

use mgr_features::FeatureConfig;
use mgr_features::compress::{Compression, Reference};
use mgr_features::dct::{DctNorm, DctType};
use mgr_features::delta::{DeltaConfig, DeltaMode};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{MelBankConfig, MelNorm};
use mgr_features::mfcc::MfccConfig;
use mgr_features::pcen::{MaxAxis, PcenConfig, PcenCurveConfig};
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::stft::Stft;
use ndarray::{Array2, ShapeBuilder};
use serde_json::Value;

use super::feature::{FeatureOp, Orientation};
use super::parameters::{bank, mel, stft, text, top_db};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &[
    "stft_mag",
    "stft_complex",
    "istft_roundtrip",
    "mel_filters",
    "mel",
    "logmel",
    "logmel_ln",
    "musicnn_input",
    "mfcc",
    "mfcc_delta",
    "pcen",
];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "stft_complex" => Box::new(Transform(stft(params, 2048, 512)?.plan().map_err(text)?)),
        "istft_roundtrip" => Box::new(RoundTrip(stft(params, 2048, 512)?.plan().map_err(text)?)),
        "mel_filters" => {
            let n_fft = params.count("n_fft")?.unwrap_or(2048);
            Box::new(Filters { bank: bank(params, 128)?, sample_rate, n_fft })
        }
        "musicnn_input" => FeatureOp::plan(&feature(op, params)?, sample_rate, Orientation::FramesRows)?,
        _ => FeatureOp::plan(&feature(op, params)?, sample_rate, Orientation::RowsFrames)?,
    })
}

/// A complex transform.
struct Transform(Stft);

impl Op for Transform {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        Ok(vec![("out", Array::Complex(self.0.process(samples).map_err(text)?.into_dyn()))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let frames = self.0.framing().frames(samples.len()).map_err(text)?;
        let mut out = Array2::zeros((self.0.bins(), frames).f());
        let mut scratch = self.0.scratch();
        Ok(Box::new(move || {
            self.0.process_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}

/// A transform and its inverse.
struct RoundTrip(Stft);

impl Op for RoundTrip {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let spectrum = self.0.process(samples).map_err(text)?;
        Ok(vec![("out", Array::vector(self.0.inverse(spectrum.view(), Some(samples.len())).map_err(text)?))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let frames = self.0.framing().frames(samples.len()).map_err(text)?;
        let mut spectrum = Array2::zeros((self.0.bins(), frames).f());
        let mut out = vec![0.0; samples.len()];
        let (mut forward, mut inverse) = (self.0.scratch(), self.0.inverse_scratch());
        Ok(Box::new(move || {
            self.0.process_into(samples, spectrum.view_mut(), &mut forward).map_err(text)?;
            self.0.inverse_into(spectrum.view(), &mut out, &mut inverse).map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}

/// A filter bank: no signal goes in.
struct Filters {
    bank: MelBankConfig,
    sample_rate: u32,
    n_fft: usize,
}

impl Op for Filters {
    fn run(&self, _: &[f32]) -> Result<Outputs, String> {
        let bank = self.bank.plan(self.sample_rate, self.n_fft).map_err(text)?;
        Ok(vec![("out", bank.to_matrix().map_err(text)?.into())])
    }
}

fn mfcc(params: &mut Params) -> Result<MfccConfig, String> {
    // Taken first: what the filter bank calls so is here `mel_norm`.
    let norm = match params.take_given("norm") {
        None => DctNorm::Ortho,
        Some(Value::String(s)) if s == "ortho" => DctNorm::Ortho,
        Some(Value::Null) => DctNorm::None,
        Some(other) => return Err(format!("norm {other} is not supported")),
    };
    let mut mel = mel(params, 2048, 512, 128)?;
    mel.bank.norm = match params.take_given("mel_norm") {
        None => MelNorm::Slaney,
        Some(Value::String(s)) if s == "slaney" => MelNorm::Slaney,
        Some(Value::Null) => MelNorm::None,
        Some(other) => return Err(format!("mel_norm {other} is not supported")),
    };
    let log_mel = LogMelConfig { mel, ..LogMelConfig::default() };
    let n_mfcc = params.count("n_mfcc")?.unwrap_or(20);
    Ok(MfccConfig {
        // The reference gives what there is where more coefficients than bands are asked for.
        n_mfcc: n_mfcc.min(log_mel.mel.bank.n_mels),
        log_mel,
        dct_type: match params.count("dct_type")?.unwrap_or(2) {
            1 => DctType::One,
            2 => DctType::Two,
            3 => DctType::Three,
            other => return Err(format!("dct_type {other} is not supported")),
        },
        norm,
        lifter: params.number_or("lifter", 0.0)?,
        ..MfccConfig::default()
    })
}

fn feature(op: &str, params: &mut Params) -> Result<FeatureConfig, String> {
    Ok(match op {
        "stft_mag" => {
            FeatureConfig::Spectrogram(SpectrogramConfig { stft: stft(params, 2048, 512)?, power: 1.0 })
        }
        "mel" => FeatureConfig::Mel(mel(params, 2048, 512, 128)?),
        "logmel" => {
            let reference = match params.take("ref") {
                None => Reference::Max,
                Some(Value::String(s)) if s == "max" => Reference::Max,
                Some(v) => Reference::Value(v.as_f64().ok_or_else(|| format!("ref is {v}"))?.abs() as f32),
            };
            let amin = params.number_or("amin", 1e-10)? as f32;
            let top_db = top_db(params)?;
            let compression = Compression::Decibel { reference, amin, top_db };
            FeatureConfig::LogMel(LogMelConfig { mel: mel(params, 2048, 512, 128)?, compression })
        }
        "logmel_ln" => {
            let compression = Compression::Ln { floor: params.number_or("floor", 0.0)? as f32 };
            FeatureConfig::LogMel(LogMelConfig { mel: mel(params, 2048, 512, 128)?, compression })
        }
        "mfcc" => FeatureConfig::Mfcc(mfcc(params)?),
        "mfcc_delta" => {
            let mode = match params.take("mode").as_ref().and_then(Value::as_str).unwrap_or("interp") {
                "interp" => DeltaMode::Interp,
                "nearest" => DeltaMode::Nearest,
                "mirror" => DeltaMode::Mirror,
                "constant" => DeltaMode::Constant,
                "wrap" => DeltaMode::Wrap,
                other => return Err(format!("mode {other} is not supported")),
            };
            FeatureConfig::Delta(DeltaConfig {
                orders: vec![params.count("order")?.unwrap_or(1)],
                width: params.count("width")?.unwrap_or(9),
                mode,
                base: Box::new(FeatureConfig::Mfcc(mfcc(params)?)),
            })
        }
        "pcen" => {
            let defaults = PcenCurveConfig::default();
            let curve = PcenCurveConfig {
                gain: params.number_or("gain", defaults.gain)?,
                bias: params.number_or("bias", defaults.bias)?,
                power: params.number_or("power", defaults.power)?,
                time_constant: params.number_or("time_constant", defaults.time_constant)?,
                eps: params.number_or("eps", defaults.eps)?,
                b: params.number("b")?,
                max_size: params.count("max_size")?.unwrap_or(defaults.max_size),
                max_axis: match params.count("max_axis")? {
                    None | Some(0) => MaxAxis::Frequency,
                    Some(1) => MaxAxis::Time,
                    Some(other) => return Err(format!("max_axis {other} is not supported")),
                },
            };
            let stft = stft(params, 2048, 512)?;
            let bank = bank(params, 128)?;
            FeatureConfig::Pcen(PcenConfig { stft, bank, curve, ..PcenConfig::default() })
        }
        "musicnn_input" => {
            let compression = Compression::Log10 { scale: 10_000.0 };
            FeatureConfig::LogMel(LogMelConfig { mel: mel(params, 512, 256, 96)?, compression })
        }
        other => return Err(format!("{other} is no feature that is built")),
    })
}
