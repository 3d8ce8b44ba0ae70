//! The golden ops: parameters by the reference's names, onto configurations of mgr-features.

use mgr_features::compress::{Compression, Reference};
use mgr_features::frame::{Centering, Padding};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{Coverage, MelBankConfig, MelConfig, MelNorm, MelScale};
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::stft::{Stft, StftConfig};
use mgr_features::window::{Symmetry, Window};
use mgr_features::{Extractor, FeatureConfig, FeatureError};
use ndarray::{Array2, ShapeBuilder};
use serde_json::{Map, Value};

use crate::golden::{Array, Params};

/// The ops that are built.
pub const BUILT: [&str; 8] = [
    "stft_mag",
    "stft_complex",
    "istft_roundtrip",
    "mel_filters",
    "mel",
    "logmel",
    "logmel_ln",
    "musicnn_input",
];

/// A golden op, planned.
#[derive(Debug)]
pub enum Op {
    /// A feature matrix, and how the reference lays it out.
    Feature(Box<dyn Extractor>, Orientation),
    /// A complex transform.
    Transform(Stft),
    /// A transform and its inverse.
    RoundTrip(Stft),
    /// A filter bank: no signal goes in.
    Filters(MelBankConfig, u32, usize),
}

/// How the reference lays out a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// (rows, frames), as ours.
    RowsFrames,
    /// (frames, rows).
    FramesRows,
}

impl Op {
    /// Plans an op; a parameter that is absent takes the reference's default.
    ///
    /// # Errors
    /// A sentence: a parameter that is not supported, or what the project refuses.
    pub fn plan(op: &str, params: &Map<String, Value>, sample_rate: u32) -> Result<Self, String> {
        let mut params = Params::new(params);
        let op = match op {
            "stft_complex" => Self::Transform(stft(&mut params, 2048, 512)?.plan().map_err(text)?),
            "istft_roundtrip" => Self::RoundTrip(stft(&mut params, 2048, 512)?.plan().map_err(text)?),
            "mel_filters" => {
                let n_fft = params.count("n_fft")?.unwrap_or(2048);
                Self::Filters(bank(&mut params, 128)?, sample_rate, n_fft)
            }
            name => {
                let orientation = match name {
                    "musicnn_input" => Orientation::FramesRows,
                    _ => Orientation::RowsFrames,
                };
                Self::Feature(feature(name, &mut params)?.plan(sample_rate).map_err(text)?, orientation)
            }
        };
        params.done()?;
        Ok(op)
    }

    /// The outputs by name.
    ///
    /// # Errors
    /// A sentence: what the project refuses.
    pub fn run(&self, samples: &[f32]) -> Result<Vec<(&'static str, Array)>, String> {
        let array = match self {
            Self::Feature(extractor, Orientation::RowsFrames) => {
                extractor.extract(samples).map_err(text)?.into()
            }
            Self::Feature(extractor, Orientation::FramesRows) => {
                extractor.extract(samples).map_err(text)?.reversed_axes().into()
            }
            Self::Transform(stft) => Array::Complex(stft.process(samples).map_err(text)?.into_dyn()),
            Self::RoundTrip(stft) => {
                let spectrum = stft.process(samples).map_err(text)?;
                Array::vector(stft.inverse(spectrum.view(), Some(samples.len())).map_err(text)?)
            }
            Self::Filters(config, sample_rate, n_fft) => {
                config.plan(*sample_rate, *n_fft).map_err(text)?.to_matrix().map_err(text)?.into()
            }
        };
        Ok(vec![("out", array)])
    }

    /// Everything that one run needs and that can be made beforehand; each call computes the op once more.
    ///
    /// # Errors
    /// A sentence: what the project refuses.
    pub fn repeat<'a>(
        &'a self,
        samples: &'a [f32],
    ) -> Result<Box<dyn FnMut() -> Result<(), String> + 'a>, String> {
        Ok(match self {
            Self::Feature(extractor, _) => {
                let layout = extractor.layout(samples.len()).map_err(text)?;
                let mut out = Array2::zeros((layout.rows, layout.columns).f());
                let mut scratch = extractor.scratch();
                Box::new(move || {
                    extractor.extract_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
                    std::hint::black_box(&out);
                    Ok(())
                })
            }
            Self::Transform(stft) => {
                let frames = stft.framing().frames(samples.len()).map_err(text)?;
                let mut out = Array2::zeros((stft.bins(), frames).f());
                let mut scratch = stft.scratch();
                Box::new(move || {
                    stft.process_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
                    std::hint::black_box(&out);
                    Ok(())
                })
            }
            Self::RoundTrip(_) | Self::Filters(..) => Box::new(move || {
                std::hint::black_box(self.run(samples)?);
                Ok(())
            }),
        })
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

/// 80 where it is absent; an explicit null is none.
fn top_db(params: &mut Params) -> Result<Option<f32>, String> {
    match params.take_given("top_db") {
        None => Ok(Some(80.0)),
        Some(Value::Null) => Ok(None),
        Some(v) => v.as_f64().map(|db| Some(db as f32)).ok_or_else(|| format!("top_db is {v}, not a number")),
    }
}

fn text(error: FeatureError) -> String {
    error.to_string()
}

fn stft(params: &mut Params, n_fft: usize, hop_length: usize) -> Result<StftConfig, String> {
    let n_fft = params.count("n_fft")?.unwrap_or(n_fft);
    let win_length = params.count("win_length")?;
    // The reference takes a quarter of the window where the hop is null.
    let quarter = win_length.unwrap_or(n_fft) / 4;
    let hop_length = if params.is_null("hop_length") { quarter } else { hop_length };
    Ok(StftConfig {
        n_fft,
        hop_length: params.count("hop_length")?.unwrap_or(hop_length),
        win_length,
        window: window(params.take("window"))?,
        symmetry: Symmetry::Periodic,
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

fn window(value: Option<Value>) -> Result<Window, String> {
    let Some(value) = value else { return Ok(Window::Hann) };
    let (name, parameter) = match &value {
        Value::String(name) => (name.as_str(), None),
        Value::Array(parts) => {
            (parts.first().and_then(Value::as_str).unwrap_or(""), parts.get(1).and_then(Value::as_f64))
        }
        // scipy takes a bare number for the beta of a Kaiser window.
        Value::Number(beta) => ("kaiser", beta.as_f64()),
        _ => ("", None),
    };
    Ok(match (name, parameter) {
        ("hann" | "hanning" | "han", None) => Window::Hann,
        ("hamming" | "hamm" | "ham", None) => Window::Hamming,
        ("blackman" | "black" | "blk", None) => Window::Blackman,
        ("blackmanharris" | "blackharr" | "bkh", None) => Window::BlackmanHarris,
        ("boxcar" | "box" | "ones" | "rect" | "rectangular", None) => Window::Rectangular,
        ("kaiser" | "ksr", Some(beta)) => Window::Kaiser { beta },
        _ => return Err(format!("window {value} is not supported")),
    })
}

fn bank(params: &mut Params, n_mels: usize) -> Result<MelBankConfig, String> {
    let norm = match params.take_given("norm") {
        None => MelNorm::Slaney,
        Some(Value::Null) => MelNorm::None,
        Some(v) => match (v.as_str(), v.as_f64()) {
            (Some("slaney"), _) => MelNorm::Slaney,
            (Some("inf"), _) => MelNorm::Max,
            (_, Some(1.0)) => MelNorm::L1,
            (_, Some(2.0)) => MelNorm::L2,
            _ => return Err(format!("norm {v} is not supported")),
        },
    };
    Ok(MelBankConfig {
        n_mels: params.count("n_mels")?.unwrap_or(n_mels),
        f_min: params.number_or("fmin", 0.0)?,
        f_max: params.number("fmax")?,
        scale: if params.flag_or("htk", false)? { MelScale::Htk } else { MelScale::Slaney },
        norm,
        // The reference only warns of empty filters.
        coverage: Coverage::Lenient,
    })
}

fn mel(params: &mut Params, n_fft: usize, hop_length: usize, n_mels: usize) -> Result<MelConfig, String> {
    let stft = stft(params, n_fft, hop_length)?;
    Ok(MelConfig { stft, bank: bank(params, n_mels)?, power: params.number_or("power", 2.0)? as f32 })
}
