//! Onset strength and what stands on it.
//!
//! Beside the reference's parameters all ops take `precision`, "single" (default) or "double", of the transform under the onset strength.

use mgr_features::mel::{Coverage, MelBankConfig, MelConfig};
use mgr_features::normalize::Norm;
use mgr_features::rhythm::{
    Aggregate, BeatTempo, BeatTrackConfig, FourierTempogramConfig, OnsetDetectConfig, OnsetStrengthConfig, PeakPickConfig,
    PlpConfig, TempoConfig, TempoResolution, TempoSearch, TempogramConfig, TempogramRatioConfig,
};
use mgr_features::scattering::Precision;
use mgr_features::{Extractor, FeatureConfig};
use ndarray::{Array1, Array2, ShapeBuilder};
use serde_json::Value;

use super::parameters::{text, window};
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &[
    "onset_strength",
    "onset_detect",
    "tempogram",
    "fourier_tempogram",
    "tempogram_ratio",
    "tempo",
    "beat_track",
    "plp",
];

pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    let (config, run): (FeatureConfig, Run) = match op {
        "onset_strength" => {
            let mut strength = strength(params, Aggregate::Mean)?;
            strength.center = params.flag_or("center", true)?;
            let plan = strength.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| {
                let rows = plan.process(samples).map_err(text)?;
                Ok(vec![("out", Array::vector(rows.row(0).to_vec()))])
            });
            (FeatureConfig::OnsetStrength(strength), run)
        }
        "onset_detect" => {
            let config = OnsetDetectConfig {
                strength: strength(params, Aggregate::Mean)?,
                normalize: params.flag_or("normalize", true)?,
                peaks: PeakPickConfig {
                    pre_max: params.count("pre_max")?,
                    post_max: params.count("post_max")?,
                    pre_avg: params.count("pre_avg")?,
                    post_avg: params.count("post_avg")?,
                    delta: params.number_or("delta", 0.07)? as f32,
                    wait: params.count("wait")?,
                },
                backtrack: params.flag_or("backtrack", false)?,
            };
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| {
                let events = plan.detect(samples).map_err(text)?;
                Ok(vec![("out", frames(events.frames()))])
            });
            (FeatureConfig::OnsetDetect(config), run)
        }
        "tempogram" => {
            let config = tempogram(params)?;
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| Ok(vec![("out", plan.process(samples).map_err(text)?.into())]));
            (FeatureConfig::Tempogram(config), run)
        }
        "fourier_tempogram" => {
            let config = FourierTempogramConfig {
                strength: strength(params, Aggregate::Mean)?,
                win_length: params.count("win_length")?.unwrap_or(384),
                window: window(params.take("window"))?,
                center: params.flag_or("center", true)?,
            };
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| {
                Ok(vec![("out", Array::Complex(plan.complex(samples).map_err(text)?.into_dyn()))])
            });
            (FeatureConfig::FourierTempogram(config), run)
        }
        "tempogram_ratio" => {
            let config = TempogramRatioConfig {
                search: search(params)?,
                bpm: params.number("bpm")?,
                tempogram: tempogram(params)?,
                ..TempogramRatioConfig::default()
            };
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| Ok(vec![("out", plan.process(samples).map_err(text)?.into())]));
            (FeatureConfig::TempogramRatio(config), run)
        }
        "tempo" => {
            let config = TempoConfig {
                strength: strength(params, Aggregate::Mean)?,
                search: search(params)?,
                resolution: if params.flag_or("per_frame", false)? {
                    TempoResolution::Frame
                } else {
                    TempoResolution::Clip
                },
            };
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| {
                let row = plan.process(samples).map_err(text)?;
                let tempos = match config.resolution {
                    TempoResolution::Frame => row.iter().map(|bpm| f64::from(*bpm)).collect(),
                    _ => vec![plan.of(samples).map_err(text)?],
                };
                Ok(vec![("out", Array::Double(Array1::from_vec(tempos).into_dyn()))])
            });
            (FeatureConfig::Tempo(config.clone()), run)
        }
        "beat_track" => {
            let per_frame = params.flag_or("per_frame", false)?;
            let config = BeatTrackConfig {
                strength: strength(params, Aggregate::Median)?,
                search: search(params)?,
                tempo: match params.number("bpm")? {
                    Some(bpm) => BeatTempo::Bpm(bpm),
                    None if per_frame => BeatTempo::Frame,
                    None => BeatTempo::Clip,
                },
                tightness: params.number_or("tightness", 100.0)?,
                trim: params.flag_or("trim", true)?,
            };
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| {
                let beats = plan.track(samples).map_err(text)?;
                let tempo = Array::Double(Array1::from_vec(beats.bpm).into_dyn());
                Ok(vec![("tempo", tempo), ("beats", frames(beats.events.frames()))])
            });
            (FeatureConfig::BeatTrack(config), run)
        }
        "plp" => {
            let default = PlpConfig::default();
            let config = PlpConfig {
                strength: strength(params, Aggregate::Median)?,
                win_length: params.count("win_length")?.unwrap_or(default.win_length),
                tempo_min: limit(params, "tempo_min", default.tempo_min, 0.0)?,
                tempo_max: limit(params, "tempo_max", default.tempo_max, UNLIMITED)?,
                ..default
            };
            let plan = config.plan(sample_rate).map_err(text)?;
            let run: Run = Box::new(move |samples| {
                let rows = plan.process(samples).map_err(text)?;
                Ok(vec![("out", Array::vector(rows.row(0).to_vec()))])
            });
            (FeatureConfig::Plp(config), run)
        }
        other => return Err(format!("{other} is no feature that is built")),
    };
    Ok(Box::new(Planned { extractor: config.plan(sample_rate).map_err(text)?, run }))
}

/// Gives the outputs as the reference has them.
type Run = Box<dyn Fn(&[f32]) -> Result<Outputs, String>>;

/// A feature: its outputs as the reference has them, and as a matrix to be timed.
struct Planned {
    extractor: Box<dyn Extractor>,
    run: Run,
}

impl Op for Planned {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        (self.run)(samples)
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let layout = self.extractor.layout(samples.len()).map_err(text)?;
        let mut out = Array2::zeros((layout.rows, layout.columns).f());
        let mut scratch = self.extractor.scratch_for(samples.len());
        Ok(Box::new(move || {
            self.extractor.extract_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}

fn frames(list: &[usize]) -> Array {
    Array::Integer(list.iter().map(|frame| *frame as i32).collect::<Array1<i32>>().into_dyn())
}

/// An onset strength, but for `center`, which other ops have for something else.
fn strength(params: &mut Params, aggregate: Aggregate) -> Result<OnsetStrengthConfig, String> {
    let mut mel = MelConfig::default();
    mel.stft.n_fft = params.count("n_fft")?.unwrap_or(mel.stft.n_fft);
    mel.stft.hop_length = params.count("hop_length")?.unwrap_or(mel.stft.hop_length);
    // The reference only warns of empty filters.
    mel.bank = MelBankConfig { coverage: Coverage::Lenient, ..mel.bank };
    mel.bank.n_mels = params.count("n_mels")?.unwrap_or(mel.bank.n_mels);
    let mut config = OnsetStrengthConfig { aggregate, ..OnsetStrengthConfig::default() };
    config.log_mel.mel = mel;
    config.lag = params.count("lag")?.unwrap_or(1);
    config.max_size = params.count("max_size")?.unwrap_or(1);
    config.detrend = params.flag_or("detrend", false)?;
    config.aggregate = match params.take("aggregate").as_ref().map(|v| v.as_str()) {
        None => aggregate,
        Some(Some("mean" | "average")) => Aggregate::Mean,
        Some(Some("median")) => Aggregate::Median,
        Some(Some("max" | "amax")) => Aggregate::Max,
        Some(Some("min" | "amin")) => Aggregate::Min,
        Some(Some("sum")) => Aggregate::Sum,
        Some(other) => return Err(format!("aggregate {other:?} is not supported")),
    };
    config.precision = match params.take("precision").as_ref().map(|v| v.as_str()) {
        None | Some(Some("single")) => Precision::Single,
        Some(Some("double")) => Precision::Double,
        Some(other) => return Err(format!("precision is {other:?}, neither single nor double")),
    };
    Ok(config)
}

/// Over every tempo there is.
const UNLIMITED: f64 = 1e9;

/// A limit that null takes away.
fn limit(params: &mut Params, name: &str, default: f64, none: f64) -> Result<f64, String> {
    let default = if params.is_null(name) { none } else { default };
    params.number_or(name, default)
}

fn search(params: &mut Params) -> Result<TempoSearch, String> {
    let default = TempoSearch::default();
    Ok(TempoSearch {
        start_bpm: params.number_or("start_bpm", default.start_bpm)?,
        std_bpm: params.number_or("std_bpm", default.std_bpm)?,
        ac_size: params.number_or("ac_size", default.ac_size)?,
        max_tempo: limit(params, "max_tempo", default.max_tempo, UNLIMITED)?,
        prior: None,
    })
}

fn tempogram(params: &mut Params) -> Result<TempogramConfig, String> {
    let norm = match params.take_given("norm") {
        None => Norm::Max,
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
    };
    Ok(TempogramConfig {
        strength: strength(params, Aggregate::Mean)?,
        win_length: params.count("win_length")?.unwrap_or(384),
        window: window(params.take("window"))?,
        center: params.flag_or("center", true)?,
        norm,
    })
}
