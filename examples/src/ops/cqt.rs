//! Constant-Q and variable-Q transforms.

use mgr_features::FeatureConfig;
use mgr_features::cqt::{ComplexCqtScratch, Cqt, CqtConfig, Gamma, Vqt, VqtConfig, WaveletNorm};
use mgr_features::frame::Padding;
use ndarray::{Array2, ShapeBuilder};
use num_complex::Complex32;
use serde_json::Value;

use super::feature::{FeatureOp, Orientation};
use super::parameters::{text, window};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["cqt", "cqt_mag", "vqt", "vqt_mag"];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "cqt" => Box::new(Transform::Cqt(cqt(params)?.plan(sample_rate).map_err(text)?)),
        "vqt" => Box::new(Transform::Vqt(vqt(params)?.plan(sample_rate).map_err(text)?)),
        "cqt_mag" => FeatureOp::plan(&FeatureConfig::Cqt(cqt(params)?), sample_rate, Orientation::RowsFrames)?,
        _ => FeatureOp::plan(&FeatureConfig::Vqt(vqt(params)?), sample_rate, Orientation::RowsFrames)?,
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
