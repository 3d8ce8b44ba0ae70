//! Fundamental frequency.

use mgr_features::frame::{Centering, Padding};
use mgr_features::pitch::pyin::{Pyin, PyinConfig, Unvoiced};
use mgr_features::pitch::yin::{Yin, YinConfig};
use ndarray::{Array1, Array2};
use serde_json::Value;

use super::parameters::text;
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["yin", "pyin"];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    let common = yin(params)?;
    if op == "yin" {
        return Ok(Box::new(Frequency(common.plan(sample_rate).map_err(text)?)));
    }
    let default = PyinConfig::default();
    let [a, b] = default.beta_parameters;
    let shapes = params.take("beta_parameters");
    let shape = |i: usize, or: f64| match &shapes {
        None => Ok(or),
        Some(v) => v.get(i).and_then(Value::as_f64).ok_or_else(|| format!("beta_parameters is {v}, not two numbers")),
    };
    // Frames without pitch are NaN where nothing else is said, and a guess where null is said.
    let (unvoiced, nan) = match params.take_given("fill_na") {
        None => (Unvoiced::default(), true),
        Some(Value::Null) => (Unvoiced::BestGuess, false),
        Some(Value::String(s)) if s == "nan" => (Unvoiced::default(), true),
        Some(v) => (Unvoiced::Value(v.as_f64().ok_or_else(|| format!("fill_na is {v}"))? as f32), false),
    };
    let config = PyinConfig {
        f_min: common.f_min,
        f_max: common.f_max,
        frame_length: common.frame_length,
        hop_length: common.hop_length,
        n_thresholds: params.count("n_thresholds")?.unwrap_or(default.n_thresholds),
        beta_parameters: [shape(0, a)?, shape(1, b)?],
        boltzmann_parameter: params.number_or("boltzmann_parameter", default.boltzmann_parameter)?,
        resolution: params.number_or("resolution", default.resolution)?,
        max_transition_rate: params.number_or("max_transition_rate", default.max_transition_rate)?,
        switch_prob: params.number_or("switch_prob", default.switch_prob)?,
        no_trough_prob: params.number_or("no_trough_prob", default.no_trough_prob)?,
        unvoiced,
        centering: common.centering,
        padding: common.padding,
    };
    Ok(Box::new(Track { pyin: config.plan(sample_rate).map_err(text)?, nan }))
}

/// What both take, by the reference's names.
fn yin(params: &mut Params) -> Result<YinConfig, String> {
    let default = YinConfig::default();
    let frame_length = params.count("frame_length")?.unwrap_or(default.frame_length);
    // Deprecated, and without effect.
    params.take("win_length");
    Ok(YinConfig {
        f_min: params.number_or("fmin", default.f_min)?,
        f_max: params.number_or("fmax", default.f_max)?,
        frame_length,
        // The reference takes a quarter of the frame where the hop is null.
        hop_length: params.count("hop_length")?.unwrap_or(frame_length / 4),
        trough_threshold: params.number_or("trough_threshold", default.trough_threshold)?,
        centering: match params.flag_or("center", true)? {
            true => Centering::Centered,
            false => Centering::LeftAligned,
        },
        padding: match params.take("pad_mode").as_ref().and_then(Value::as_str).unwrap_or("constant") {
            "constant" => Padding::Zero,
            "reflect" => Padding::Reflect,
            "symmetric" => Padding::Symmetric,
            "edge" => Padding::Edge,
            other => return Err(format!("pad_mode {other} is not supported")),
        },
    })
}

struct Frequency(Yin);

impl Op for Frequency {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let f0 = self.0.process(samples).map_err(text)?;
        Ok(vec![("out", Array::Real(f0.row(0).to_owned().into_dyn()))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let frames = self.0.framing().frames(samples.len()).map_err(text)?;
        let (mut out, mut scratch) = (Array2::zeros((1, frames)), self.0.scratch());
        Ok(Box::new(move || self.0.process_into(samples, out.view_mut(), &mut scratch).map_err(text)))
    }
}

struct Track {
    pyin: Pyin,
    /// Frames without pitch have NaN for a frequency.
    nan: bool,
}

impl Op for Track {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let mut track = self.pyin.process(samples).map_err(text)?;
        if self.nan {
            track.f0.iter_mut().zip(&track.voiced).filter(|(_, v)| !**v).for_each(|(f0, _)| *f0 = f32::NAN);
        }
        let voiced = track.voiced.iter().map(|v| i32::from(*v)).collect();
        Ok(vec![
            ("f0", Array::vector(track.f0)),
            ("voiced", Array::Integer(Array1::from_vec(voiced).into_dyn())),
            ("voiced_prob", Array::vector(track.voiced_probability)),
        ])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let frames = self.pyin.framing().frames(samples.len()).map_err(text)?;
        let (mut out, mut scratch) = (Array2::zeros((3, frames)), self.pyin.scratch_for(samples.len()));
        Ok(Box::new(move || self.pyin.process_into(samples, out.view_mut(), &mut scratch).map_err(text)))
    }
}
