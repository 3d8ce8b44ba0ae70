//! Parameters that several ops share, by the reference's names.

use mgr_features::FeatureError;
use mgr_features::frame::{Centering, Padding};
use mgr_features::mel::{Coverage, MelBankConfig, MelConfig, MelNorm, MelScale};
use mgr_features::stft::StftConfig;
use mgr_features::window::{Symmetry, Window};
use serde_json::Value;

use crate::golden::Params;

/// What the project refuses, as a sentence.
pub(super) fn text(error: FeatureError) -> String {
    error.to_string()
}

/// `top_db`: 80 where it is absent; an explicit null is none.
pub(super) fn top_db(params: &mut Params) -> Result<Option<f32>, String> {
    match params.take_given("top_db") {
        None => Ok(Some(80.0)),
        Some(Value::Null) => Ok(None),
        Some(v) => v.as_f64().map(|db| Some(db as f32)).ok_or_else(|| format!("top_db is {v}, not a number")),
    }
}

/// A transform; sizes that are not given as said.
pub(super) fn stft(params: &mut Params, n_fft: usize, hop_length: usize) -> Result<StftConfig, String> {
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
        conditioning: None,
        padding: match params.take("pad_mode").as_ref().and_then(Value::as_str).unwrap_or("constant") {
            "constant" => Padding::Zero,
            "reflect" => Padding::Reflect,
            "symmetric" => Padding::Symmetric,
            "edge" => Padding::Edge,
            other => return Err(format!("pad_mode {other} is not supported")),
        },
    })
}

/// A window by scipy's names.
pub(super) fn window(value: Option<Value>) -> Result<Window, String> {
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

/// A mel filter bank.
pub(super) fn bank(params: &mut Params, n_mels: usize) -> Result<MelBankConfig, String> {
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
        ..MelBankConfig::default()
    })
}

/// A mel spectrogram.
pub(super) fn mel(
    params: &mut Params,
    n_fft: usize,
    hop_length: usize,
    n_mels: usize,
) -> Result<MelConfig, String> {
    let stft = stft(params, n_fft, hop_length)?;
    Ok(MelConfig { stft, bank: bank(params, n_mels)?, power: params.number_or("power", 2.0)? as f32 })
}
