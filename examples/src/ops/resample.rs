//! Sample-rate conversion.

use mgr_audio::{ResampleConfig, ResampleKernel, Resampler};

use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["resample"];

pub(super) fn plan(_: &str, params: &mut Params, input_rate: u32) -> Result<Box<dyn Op>, String> {
    let target = params.number_or("target_sr", 22_050.0)?;
    if target.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&target) {
        return Err(format!("target_sr is {target}, not a whole number of Hz"));
    }
    let output_rate = target as u32;
    let res_type = match params.take("res_type") {
        None => "soxr_hq".to_owned(),
        Some(value) => value.as_str().map(str::to_owned).ok_or_else(|| format!("res_type is {value}"))?,
    };
    let ratio = f64::from(output_rate) / f64::from(input_rate.max(1));
    let rounding: fn(f64) -> f64 = match res_type.as_str() {
        "kaiser_best" | "kaiser_fast" => f64::floor,
        "polyphase" => f64::ceil,
        _ => |samples| (samples + 0.5).floor(),
    };
    let kernel = match res_type.as_str() {
        "soxr_hq" => ResampleKernel::SoxrHq,
        "soxr_vhq" => ResampleKernel::High,
        "kaiser_best" => ResampleKernel::KaiserBest,
        "kaiser_fast" => ResampleKernel::KaiserFast,
        "polyphase" => ResampleKernel::Polyphase,
        other => return Err(format!("no kernel stands for res_type {other}")),
    };
    let fix = params.flag_or("fix", true)?;
    // The reference returns early where the rates are equal.
    let scale = params.flag_or("scale", false)? && output_rate != input_rate;
    let resampler =
        ResampleConfig { input_rate, output_rate, kernel }.plan().map_err(|error| error.to_string())?;
    Ok(Box::new(Resample { resampler, ratio, rounding, fix, scale }))
}

struct Resample {
    resampler: Resampler,
    ratio: f64,
    /// How the reference's backend rounds the length that it computes.
    rounding: fn(f64) -> f64,
    /// Bring that length to the ceiling, with zeros.
    fix: bool,
    /// Keep the energy of the signal.
    scale: bool,
}

impl Resample {
    fn finish(&self, inputs: usize, out: &mut Vec<f32>) {
        let len = out.len();
        out.truncate((self.rounding)(inputs as f64 * self.ratio) as usize);
        if self.fix {
            out.resize(len, 0.0);
        }
        if self.scale {
            let divisor = self.ratio.sqrt();
            out.iter_mut().for_each(|sample| *sample = (f64::from(*sample) / divisor) as f32);
        }
    }
}

impl Op for Resample {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let mut out = self.resampler.process(samples).map_err(|error| error.to_string())?;
        self.finish(samples.len(), &mut out);
        Ok(vec![("out", Array::vector(out))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let len = self.resampler.output_len(samples.len());
        let mut out = vec![0.0; len];
        let mut scratch = self.resampler.scratch();
        Ok(Box::new(move || {
            out.resize(len, 0.0);
            self.resampler
                .process_into(samples, &mut out, &mut scratch)
                .map_err(|error| error.to_string())?;
            self.finish(samples.len(), &mut out);
            Ok(())
        }))
    }
}
