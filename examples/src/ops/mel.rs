//! The short-time Fourier transform, mel spectrograms and their logarithms.

use mgr_features::FeatureConfig;
use mgr_features::compress::{Compression, Reference};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::MelBankConfig;
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
        "musicnn_input" => {
            let compression = Compression::Log10 { scale: 10_000.0 };
            FeatureConfig::LogMel(LogMelConfig { mel: mel(params, 512, 256, 96)?, compression })
        }
        other => return Err(format!("{other} is no feature that is built")),
    })
}
