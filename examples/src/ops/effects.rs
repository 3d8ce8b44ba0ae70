//! Effects on samples.

use mgr_features::compress::Reference;
use mgr_features::effects::{
    MuLaw, MuLawConfig, PhaseVocoder, PhaseVocoderConfig, PitchShift, PitchShiftConfig, PreEmphasis,
    PreEmphasisConfig, TimeStretch, TimeStretchConfig, Trim, TrimConfig,
};
use mgr_features::stft::Stft;
use ndarray::Array1;

use super::parameters::{stft, text};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] =
    &["preemphasis", "mu_law", "trim", "phase_vocoder", "time_stretch", "pitch_shift"];

pub(super) fn plan(op: &str, params: &mut Params, _: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "preemphasis" => {
            let coefficient = params.number_or("coef", 0.97)? as f32;
            let config = PreEmphasisConfig { coefficient, ..PreEmphasisConfig::default() };
            Box::new(Emphasis(config.plan().map_err(text)?))
        }
        "mu_law" => {
            let config = MuLawConfig { mu: params.number_or("mu", 255.0)? };
            Box::new(Companding { mu_law: config.plan().map_err(text)?, quantize: params.flag_or("quantize", true)? })
        }
        "trim" => {
            let default = TrimConfig::default();
            let config = TrimConfig {
                top_db: params.number_or("top_db", f64::from(default.top_db))? as f32,
                reference: Reference::Max,
                frame_length: params.count("frame_length")?.unwrap_or(default.frame_length),
                hop_length: params.count("hop_length")?.unwrap_or(default.hop_length),
            };
            Box::new(Silence(config.plan().map_err(text)?))
        }
        "phase_vocoder" => {
            let config = PhaseVocoderConfig { rate: params.number_or("rate", 0.8)? };
            let stft = stft(params, 2048, 512)?.plan().map_err(text)?;
            Box::new(Vocoder { vocoder: config.plan().map_err(text)?, stft })
        }
        "time_stretch" => {
            let rate = params.number_or("rate", 0.8)?;
            let config = TimeStretchConfig { rate, stft: stft(params, 2048, 512)? };
            Box::new(Stretch(config.plan().map_err(text)?))
        }
        _ => {
            let n_steps = params.number_or("n_steps", 2.0)?;
            let bins_per_octave = params.count("bins_per_octave")?.unwrap_or(12) as u32;
            match params.take("res_type").as_ref().and_then(|v| v.as_str()).unwrap_or("soxr_hq") {
                "soxr_hq" => {}
                other => return Err(format!("res_type {other} is not supported")),
            }
            let config = PitchShiftConfig { n_steps, bins_per_octave, stft: stft(params, 2048, 512)? };
            Box::new(Shift(config.plan().map_err(text)?))
        }
    })
}

struct Emphasis(PreEmphasis);

impl Op for Emphasis {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        Ok(vec![("out", Array::vector(self.0.process(samples).map_err(text)?))])
    }
}

struct Companding {
    mu_law: MuLaw,
    quantize: bool,
}

impl Op for Companding {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let (compressed, expanded) = if self.quantize {
            let codes = self.mu_law.encode(samples).map_err(text)?;
            let expanded = self.mu_law.decode(&codes).map_err(text)?;
            (Array::Integer(Array1::from_vec(codes).into_dyn()), expanded)
        } else {
            let compressed = self.mu_law.compress(samples).map_err(text)?;
            let expanded = self.mu_law.expand(&compressed).map_err(text)?;
            (Array::vector(compressed), expanded)
        };
        Ok(vec![("compressed", compressed), ("expanded", Array::vector(expanded))])
    }
}

struct Silence(Trim);

impl Op for Silence {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let interval = self.0.interval(samples).map_err(text)?;
        let index = vec![interval.start as i32, interval.end as i32];
        Ok(vec![("index", Array::Integer(Array1::from_vec(index).into_dyn()))])
    }
}

struct Vocoder {
    vocoder: PhaseVocoder,
    stft: Stft,
}

impl Op for Vocoder {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let spectrum = self.stft.process(samples).map_err(text)?;
        let out = self.vocoder.process(spectrum.view()).map_err(text)?;
        Ok(vec![("out", Array::Complex(out.into_dyn()))])
    }
}

struct Stretch(TimeStretch);

impl Op for Stretch {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        Ok(vec![("out", Array::vector(self.0.process(samples).map_err(text)?))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let (mut out, mut scratch) = (vec![0.0; self.0.output_length(samples.len())], self.0.scratch());
        Ok(Box::new(move || self.0.process_into(samples, &mut out, &mut scratch).map_err(text)))
    }
}

struct Shift(PitchShift);

impl Op for Shift {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        Ok(vec![("out", Array::vector(self.0.process(samples).map_err(text)?))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let mut out = vec![0.0; samples.len()];
        let mut scratch = self.0.scratch_for(samples.len()).map_err(text)?;
        Ok(Box::new(move || self.0.process_into(samples, &mut out, &mut scratch).map_err(text)))
    }
}
