//! Tuning and chroma.

use mgr_features::FeatureConfig;
use mgr_features::chroma::FirstClass;
use mgr_features::chroma::filters::{ChromaBankConfig, OctaveWeight};
use mgr_features::chroma::stft::ChromaStftConfig;
use mgr_features::normalize::Norm;
use mgr_features::pitch::piptrack::PiptrackConfig;
use mgr_features::pitch::tuning::{Tuning, TuningConfig, TuningSource};
use ndarray::Array1;
use serde_json::Value;

use super::feature::{FeatureOp, Orientation};
use super::parameters::{stft, text};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["chroma_filters", "chroma_stft", "estimate_tuning"];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "chroma_filters" => Box::new(Filters {
            n_fft: params.count("n_fft")?.unwrap_or(2048),
            tuning: params.number_or("tuning", 0.0)?,
            bank: ChromaBankConfig { norm: norm(params, Norm::L2)?, ..bank(params)? },
            sample_rate,
        }),
        "chroma_stft" => {
            let config = ChromaStftConfig {
                stft: stft(params, 2048, 512)?,
                bank: bank(params)?,
                tuning: tuning_source(params)?,
                norm: norm(params, Norm::Max)?,
            };
            FeatureOp::plan(&FeatureConfig::ChromaStft(config), sample_rate, Orientation::RowsFrames)?
        }
        "estimate_tuning" => Box::new(Estimate(tuning(params)?.plan(sample_rate).map_err(text)?)),
        other => return Err(format!("{other} is not built")),
    })
}

/// A filter bank: no signal goes in.
struct Filters {
    bank: ChromaBankConfig,
    sample_rate: u32,
    n_fft: usize,
    tuning: f64,
}

impl Op for Filters {
    fn run(&self, _: &[f32]) -> Result<Outputs, String> {
        let bank = self.bank.plan(self.sample_rate, self.n_fft, self.tuning).map_err(text)?;
        Ok(vec![("out", bank.to_matrix().map_err(text)?.into())])
    }
}

/// One number.
struct Estimate(Tuning);

impl Op for Estimate {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let tuning = self.0.estimate(samples).map_err(text)?;
        Ok(vec![("out", Array::Double(Array1::from_elem(1, tuning).into_dyn()))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let mut scratch = self.0.scratch_for(samples.len());
        Ok(Box::new(move || {
            std::hint::black_box(self.0.estimate_with(samples, &mut scratch).map_err(text)?);
            Ok(())
        }))
    }
}

fn tuning(params: &mut Params) -> Result<TuningConfig, String> {
    let mut stft = stft(params, 2048, 0)?;
    if stft.hop_length == 0 {
        // The reference takes a quarter of the window where no hop is given.
        stft.hop_length = stft.win_length.unwrap_or(stft.n_fft) / 4;
    }
    let default = PiptrackConfig::default();
    let peaks = PiptrackConfig {
        stft,
        f_min: params.number_or("fmin", default.f_min)?,
        f_max: params.number_or("fmax", default.f_max)?,
        threshold: params.number_or("threshold", f64::from(default.threshold))? as f32,
        floor: default.floor,
    };
    Ok(TuningConfig {
        peaks,
        resolution: params.number_or("resolution", 0.01)?,
        bins_per_octave: params.count("bins_per_octave")?.unwrap_or(12),
    })
}

/// A tuning; absent or null is estimated.
fn tuning_source(params: &mut Params) -> Result<TuningSource, String> {
    Ok(params.number("tuning")?.map_or(TuningSource::Estimated, TuningSource::Fixed))
}

/// A filter bank without its norm, which means something else where a whole feature has one.
fn bank(params: &mut Params) -> Result<ChromaBankConfig, String> {
    let center = params.number_or("ctroct", 5.0)?;
    let octaves = match params.take_given("octwidth") {
        None => OctaveWeight::Gaussian { center, width: 2.0 },
        Some(Value::Null) => OctaveWeight::Flat,
        Some(v) => OctaveWeight::Gaussian {
            center,
            width: v.as_f64().ok_or_else(|| format!("octwidth is {v}, not a number"))?,
        },
    };
    Ok(ChromaBankConfig {
        n_chroma: params.count("n_chroma")?.unwrap_or(12),
        octaves,
        first: if params.flag_or("base_c", true)? { FirstClass::C } else { FirstClass::A },
        ..ChromaBankConfig::default()
    })
}

/// A norm; an explicit null is none.
fn norm(params: &mut Params, default: Norm) -> Result<Norm, String> {
    if params.is_null("norm") {
        params.take_given("norm");
        return Ok(Norm::None);
    }
    Ok(match params.number("norm")? {
        None => default,
        Some(f64::INFINITY) => Norm::Max,
        Some(f64::NEG_INFINITY) => Norm::Min,
        Some(0.0) => Norm::Count,
        Some(1.0) => Norm::L1,
        Some(2.0) => Norm::L2,
        Some(p) => Norm::Lp(p as f32),
    })
}
