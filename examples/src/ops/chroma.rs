//! Tuning and chroma.

use mgr_features::pitch::piptrack::PiptrackConfig;
use mgr_features::pitch::tuning::{Tuning, TuningConfig};
use ndarray::Array1;

use super::parameters::{stft, text};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["estimate_tuning"];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "estimate_tuning" => Box::new(Estimate(tuning(params)?.plan(sample_rate).map_err(text)?)),
        other => return Err(format!("{other} is not built")),
    })
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
