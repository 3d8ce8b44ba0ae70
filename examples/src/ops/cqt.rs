//! Constant-Q and variable-Q transforms, and the chroma of them.

use mgr_features::FeatureConfig;
use mgr_features::chroma::cens::ChromaCensConfig;
use mgr_features::chroma::cqt::{ChromaCqtConfig, TonnetzConfig};
use mgr_features::chroma::{CqtClassesConfig, CqtMode};
use mgr_features::cqt::{
    ComplexCqtScratch, Cqt, CqtConfig, Gamma, HybridCqtConfig, PseudoCqtConfig, Vqt, VqtConfig, WaveletNorm,
};
use mgr_features::frame::Padding;
use mgr_features::normalize::Norm;
use mgr_features::pitch::tuning::TuningSource;
use ndarray::{Array2, ShapeBuilder};
use num_complex::Complex32;
use serde_json::Value;

use super::feature::{FeatureOp, Orientation};
use super::parameters::{text, window};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &[
    "cqt",
    "cqt_mag",
    "vqt",
    "vqt_mag",
    "hybrid_cqt",
    "pseudo_cqt",
    "chroma_cqt",
    "chroma_cens",
    "tonnetz",
];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "cqt" => Box::new(Transform::Cqt(cqt(params)?.plan(sample_rate).map_err(text)?)),
        "vqt" => Box::new(Transform::Vqt(vqt(params)?.plan(sample_rate).map_err(text)?)),
        _ => FeatureOp::plan(&feature(op, params)?, sample_rate, Orientation::RowsFrames)?,
    })
}

fn feature(op: &str, params: &mut Params) -> Result<FeatureConfig, String> {
    Ok(match op {
        "cqt_mag" => FeatureConfig::Cqt(cqt(params)?),
        "vqt_mag" => FeatureConfig::Vqt(vqt(params)?),
        "hybrid_cqt" => FeatureConfig::HybridCqt(HybridCqtConfig { cqt: cqt(params)? }),
        "pseudo_cqt" => FeatureConfig::PseudoCqt(PseudoCqtConfig { cqt: cqt(params)? }),
        "chroma_cqt" => FeatureConfig::ChromaCqt(chroma(params)?),
        "chroma_cens" => FeatureConfig::ChromaCens(ChromaCensConfig {
            win_len_smooth: match params.take_given("win_len_smooth") {
                None => 41,
                Some(Value::Null) => 0,
                Some(v) => v.as_u64().ok_or_else(|| format!("win_len_smooth is {v}, not a count"))? as usize,
            },
            smoothing_window: window(params.take("smoothing_window"))?,
            norm: norm(params, Norm::L2)?,
            classes: classes(params)?,
        }),
        "tonnetz" => FeatureConfig::Tonnetz(TonnetzConfig { chroma: chroma(params)? }),
        other => return Err(format!("{other} is not built")),
    })
}

fn chroma(params: &mut Params) -> Result<ChromaCqtConfig, String> {
    let threshold = match params.take_given("threshold") {
        None => 0.0,
        Some(Value::Null) => f32::MIN,
        Some(v) => v.as_f64().ok_or_else(|| format!("threshold is {v}, not a number"))? as f32,
    };
    Ok(ChromaCqtConfig { threshold, norm: norm(params, Norm::Max)?, classes: classes(params)? })
}

fn classes(params: &mut Params) -> Result<CqtClassesConfig, String> {
    let default = CqtClassesConfig::default();
    let n_chroma = params.count("n_chroma")?.unwrap_or(default.n_chroma);
    // An explicit null is a bin to a class.
    let bins_per_octave = if params.is_null("bins_per_octave") { n_chroma } else { default.bins_per_octave };
    Ok(CqtClassesConfig {
        hop_length: params.count("hop_length")?.unwrap_or(default.hop_length),
        f_min: params.number_or("fmin", default.f_min)?,
        n_octaves: params.count("n_octaves")?.unwrap_or(default.n_octaves),
        bins_per_octave: params.count("bins_per_octave")?.unwrap_or(bins_per_octave),
        n_chroma,
        tuning: params.number("tuning")?.map_or(TuningSource::Estimated, TuningSource::Fixed),
        mode: match params.take("cqt_mode").as_ref().and_then(Value::as_str).unwrap_or("full") {
            "full" => CqtMode::Full,
            "hybrid" => CqtMode::Hybrid,
            other => return Err(format!("cqt_mode {other} is not supported")),
        },
    })
}

fn norm(params: &mut Params, default: Norm) -> Result<Norm, String> {
    Ok(match params.take_given("norm") {
        None => default,
        Some(Value::Null) => Norm::None,
        Some(v) => match (v.as_str(), v.as_f64()) {
            (Some("inf"), _) => Norm::Max,
            (Some("-inf"), _) => Norm::Min,
            (_, Some(0.0)) => Norm::Count,
            (_, Some(1.0)) => Norm::L1,
            (_, Some(2.0)) => Norm::L2,
            (_, Some(p)) => Norm::Lp(p as f32),
            _ => return Err(format!("norm {v} is not supported")),
        },
    })
}

/// A complex transform.
enum Transform {
    Cqt(Cqt),
    Vqt(Vqt),
}

impl Op for Transform {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let matrix = match self {
            Self::Cqt(plan) => plan.process_complex(samples),
            Self::Vqt(plan) => plan.process_complex(samples),
        };
        Ok(vec![("out", Array::Complex(matrix.map_err(text)?.into_dyn()))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let (rows, columns) = match self {
            Self::Cqt(plan) => plan.process_complex(samples),
            Self::Vqt(plan) => plan.process_complex(samples),
        }
        .map_err(text)?
        .dim();
        let mut out: Array2<Complex32> = Array2::zeros((rows, columns).f());
        let mut scratch: ComplexCqtScratch = match self {
            Self::Cqt(plan) => plan.complex_scratch(),
            Self::Vqt(plan) => plan.complex_scratch(),
        };
        Ok(Box::new(move || {
            match self {
                Self::Cqt(plan) => plan.process_complex_into(samples, out.view_mut(), &mut scratch),
                Self::Vqt(plan) => plan.process_complex_into(samples, out.view_mut(), &mut scratch),
            }
            .map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}

fn vqt(params: &mut Params) -> Result<VqtConfig, String> {
    let gamma = params.number("gamma")?.map_or(Gamma::Erb, Gamma::Hz);
    match params.take("intervals") {
        None => {}
        Some(Value::String(s)) if s == "equal" => {}
        Some(other) => return Err(format!("intervals {other} are not supported")),
    }
    Ok(VqtConfig { cqt: cqt(params)?, gamma })
}

/// A constant-Q transform.
fn cqt(params: &mut Params) -> Result<CqtConfig, String> {
    let default = CqtConfig::default();
    // Better recipes of the same resampler agree with the default one within the tolerance.
    match params.take("res_type").as_ref().and_then(Value::as_str).unwrap_or("soxr_hq") {
        "soxr_hq" | "soxr_vhq" => {}
        other => return Err(format!("res_type {other} is not supported")),
    }
    let norm = match params.take_given("norm") {
        None => WaveletNorm::L1,
        Some(Value::Null) => WaveletNorm::None,
        Some(v) => match (v.as_str(), v.as_f64()) {
            (Some("inf"), _) => WaveletNorm::Max,
            (_, Some(1.0)) => WaveletNorm::L1,
            (_, Some(2.0)) => WaveletNorm::L2,
            _ => return Err(format!("norm {v} is not supported")),
        },
    };
    let padding = match params.take("pad_mode").as_ref().and_then(Value::as_str).unwrap_or("constant") {
        "constant" => Padding::Zero,
        "reflect" => Padding::Reflect,
        "symmetric" => Padding::Symmetric,
        "edge" => Padding::Edge,
        other => return Err(format!("pad_mode {other} is not supported")),
    };
    Ok(CqtConfig {
        hop_length: params.count("hop_length")?.unwrap_or(default.hop_length),
        f_min: params.number_or("fmin", default.f_min)?,
        n_bins: params.count("n_bins")?.unwrap_or(default.n_bins),
        bins_per_octave: params.count("bins_per_octave")?.unwrap_or(default.bins_per_octave),
        tuning: params.number_or("tuning", default.tuning)?,
        filter_scale: params.number_or("filter_scale", default.filter_scale)?,
        norm,
        sparsity: params.number_or("sparsity", default.sparsity)?,
        window: window(params.take("window"))?,
        scale: params.flag_or("scale", default.scale)?,
        padding,
    })
}
