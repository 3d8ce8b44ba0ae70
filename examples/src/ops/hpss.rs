//! Harmonic-percussive separation, and the spectrograms of MLFCF.

use mgr_features::FeatureConfig;
use mgr_features::compress::{Compression, Reference};
use mgr_features::hpss::{
    Component, Hpss, HpssConfig, HpssMelConfig, HpssScratch, HpssSpectrogramConfig, Mask, Separated,
    SeparationConfig,
};
use mgr_features::mlfcf::{Mlfcf, MlfcfConfig, SEGMENT};
use ndarray::{Array2, ArrayViewMut2, ShapeBuilder};
use serde_json::Value;

use super::feature::{FeatureOp, Orientation};
use super::parameters::{bank, stft, text};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] =
    &["hpss", "hpss_mask", "hpss_time", "hpss_mel", "mlfcf_hp_log", "mlfcf_spectrograms"];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    Ok(match op {
        "hpss" => Box::new(Matrices {
            hpss: hpss(params, 2048, 512)?.plan().map_err(text)?,
            into: Hpss::process_into,
            names: ["harmonic", "percussive"],
        }),
        "hpss_mask" => Box::new(Matrices {
            hpss: hpss(params, 2048, 512)?.plan().map_err(text)?,
            into: Hpss::masks_into,
            names: ["mask_h", "mask_p"],
        }),
        "hpss_time" => Box::new(Signals(hpss(params, 2048, 512)?.plan().map_err(text)?)),
        "hpss_mel" => {
            let hpss = hpss(params, 2048, 512)?;
            let bank = bank(params, 128)?;
            let compression =
                Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: Some(80.0) };
            let part = |component| {
                let (hpss, bank) = (hpss.clone(), bank.clone());
                FeatureConfig::HpssMel(HpssMelConfig { hpss, component, bank, power: 2.0, compression })
            };
            both(["h", "p"], part, sample_rate, Orientation::RowsFrames)?
        }
        "mlfcf_hp_log" => {
            let hpss = hpss(params, 512, 1024)?;
            let part = |component| {
                let (hpss, compression) = (hpss.clone(), Some(Compression::Ln { floor: 1e-10 }));
                FeatureConfig::HpssSpectrogram(HpssSpectrogramConfig { hpss, component, power: 1.0, compression })
            };
            both(["h", "p"], part, sample_rate, Orientation::FramesRows)?
        }
        "mlfcf_spectrograms" => {
            Box::new(Mlfcfs(MlfcfConfig::default().plan(sample_rate).map_err(text)?))
        }
        other => return Err(format!("{other} is no op of this family")),
    })
}

fn hpss(params: &mut Params, n_fft: usize, hop_length: usize) -> Result<HpssConfig, String> {
    let stft = stft(params, n_fft, hop_length)?;
    let [harmonic_length, percussive_length] = pair(params, "kernel_size", 31.0)?;
    for length in [harmonic_length, percussive_length] {
        if length < 0.0 || length.fract() != 0.0 {
            return Err(format!("kernel_size {length} is not a count"));
        }
    }
    let [harmonic_margin, percussive_margin] = pair(params, "margin", 1.0)?;
    let power = params.number_or("power", 2.0)?;
    Ok(HpssConfig {
        stft,
        separation: SeparationConfig {
            harmonic_length: harmonic_length as usize,
            percussive_length: percussive_length as usize,
            mask: if power == f64::INFINITY { Mask::Hard } else { Mask::Soft { power: power as f32 } },
            harmonic_margin: harmonic_margin as f32,
            percussive_margin: percussive_margin as f32,
        },
    })
}

/// One number for both parts, or a list of two: harmonic, percussive.
fn pair(params: &mut Params, name: &str, default: f64) -> Result<[f64; 2], String> {
    match params.take(name) {
        None => Ok([default; 2]),
        Some(Value::Array(values)) => match values.as_slice() {
            [a, b] => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => Ok([a, b]),
                _ => Err(format!("{name} is not of numbers")),
            },
            _ => Err(format!("{name} has {} values, not 2", values.len())),
        },
        Some(value) => value.as_f64().map(|v| [v; 2]).ok_or_else(|| format!("{name} is {value}, not a number")),
    }
}

type Into = fn(
    &Hpss,
    &[f32],
    ArrayViewMut2<'_, f32>,
    ArrayViewMut2<'_, f32>,
    &mut HpssScratch,
) -> Result<(), mgr_features::FeatureError>;

/// Both parts, or both masks, in one pass.
struct Matrices {
    hpss: Hpss,
    into: Into,
    names: [&'static str; 2],
}

impl Matrices {
    fn room(&self, samples: &[f32]) -> Result<Separated<f32>, String> {
        let frames = self.hpss.stft().framing().frames(samples.len()).map_err(text)?;
        let zeros = || Array2::zeros((self.hpss.stft().bins(), frames).f());
        Ok(Separated { harmonic: zeros(), percussive: zeros() })
    }
}

impl Op for Matrices {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let mut out = self.room(samples)?;
        let (harmonic, percussive) = (out.harmonic.view_mut(), out.percussive.view_mut());
        (self.into)(&self.hpss, samples, harmonic, percussive, &mut self.hpss.scratch()).map_err(text)?;
        Ok(vec![(self.names[0], out.harmonic.into()), (self.names[1], out.percussive.into())])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let mut out = self.room(samples)?;
        let mut scratch = self.hpss.scratch();
        Ok(Box::new(move || {
            let (harmonic, percussive) = (out.harmonic.view_mut(), out.percussive.view_mut());
            (self.into)(&self.hpss, samples, harmonic, percussive, &mut scratch).map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}

/// Both parts as signals.
struct Signals(Hpss);

impl Op for Signals {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let (harmonic, percussive) = self.0.audio(samples).map_err(text)?;
        Ok(vec![("y_harmonic", Array::vector(harmonic)), ("y_percussive", Array::vector(percussive))])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let (mut harmonic, mut percussive) = (vec![0.0; samples.len()], vec![0.0; samples.len()]);
        let mut scratch = self.0.audio_scratch(samples.len());
        Ok(Box::new(move || {
            self.0.audio_into(samples, &mut harmonic, &mut percussive, &mut scratch).map_err(text)?;
            std::hint::black_box((&harmonic, &percussive));
            Ok(())
        }))
    }
}

/// A feature of both parts.
struct Both {
    names: [&'static str; 2],
    parts: [Box<dyn Op>; 2],
}

fn both(
    names: [&'static str; 2],
    part: impl Fn(Component) -> FeatureConfig,
    sample_rate: u32,
    orientation: Orientation,
) -> Result<Box<dyn Op>, String> {
    let plan = |component| FeatureOp::plan(&part(component), sample_rate, orientation);
    Ok(Box::new(Both { names, parts: [plan(Component::Harmonic)?, plan(Component::Percussive)?] }))
}

impl Op for Both {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let mut outputs = Vec::new();
        for (name, part) in self.names.iter().zip(&self.parts) {
            outputs.extend(part.run(samples)?.into_iter().map(|(_, array)| (*name, array)));
        }
        Ok(outputs)
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let [mut first, mut second] = [self.parts[0].repeat(samples)?, self.parts[1].repeat(samples)?];
        Ok(Box::new(move || {
            first()?;
            second()
        }))
    }
}

/// The spectrograms of the segments of a clip that are whole, as MLFCF cuts it.
struct Mlfcfs(Mlfcf);

impl Op for Mlfcfs {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let first = samples.get(..SEGMENT).ok_or("the clip is shorter than a segment")?;
        let all = self.0.process(first).map_err(text)?;
        Ok(vec![
            ("stft", all.stft.reversed_axes().into()),
            ("mel", all.mel.reversed_axes().into()),
            ("harmonic", all.harmonic.reversed_axes().into()),
            ("percussive", all.percussive.reversed_axes().into()),
            ("scattering", all.scattering.reversed_axes().into()),
        ])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let first = samples.get(..SEGMENT).ok_or("the clip is shorter than a segment")?;
        let mut out = self.0.process(first).map_err(text)?;
        let mut scratch = self.0.scratch_for(SEGMENT);
        Ok(Box::new(move || {
            for segment in samples.chunks_exact(SEGMENT) {
                self.0.process_into(segment, out.views(), &mut scratch).map_err(text)?;
                std::hint::black_box(&out);
            }
            Ok(())
        }))
    }
}
