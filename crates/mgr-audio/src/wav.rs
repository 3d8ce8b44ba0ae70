//! Writing mono WAV files, through hound.

use std::fs;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hound::{SampleFormat, WavSpec, WavWriter};
use serde::{Deserialize, Serialize};

use crate::{AudioError, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// How samples are stored by [`write_wav`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WavFormat {
    /// 16-bit integers: `round(32768 x)` clamped to -32768..=32767, NaN as 0. Read back within half a step, 2^-16.
    #[default]
    Pcm16,
    /// 24-bit integers: `round(8388608 x)` clamped to -8388608..=8388607, NaN as 0. Read back within half a step, 2^-24.
    Pcm24,
    /// 32-bit IEEE floats, bit for bit.
    Float32,
}

/// Writes mono samples to a WAV file.
///
/// The bytes depend on the arguments alone. They go to a temporary file beside the target, which is renamed over it at the end:
/// a reader sees the old file or the whole new one.
///
/// # Errors
/// [`AudioError::Config`] for a rate outside 100 to 1,000,000 Hz, [`AudioError::EmptySignal`] without samples,
/// [`AudioError::Io`] where the file cannot be written, also for more than the 4 GiB that a WAV file can hold.
pub fn write_wav(
    path: &Path,
    samples: &[f32],
    sample_rate: u32,
    format: WavFormat,
) -> Result<(), AudioError> {
    if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
        let allowed = format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}");
        return Err(AudioError::config("sample_rate", sample_rate, allowed));
    }
    if samples.is_empty() {
        return Err(AudioError::EmptySignal);
    }
    if samples.len() as u64 * format.width() > MAX_BYTES {
        return Err(AudioError::io(path, "write", too_large()));
    }
    let temporary = temporary_beside(path);
    let written =
        write_to(&temporary, samples, sample_rate, format).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The write's error is the one to report, whether or not the temporary file can be removed.
        let _ = fs::remove_file(&temporary);
        AudioError::io(path, "write", error)
    })
}

fn write_to(path: &Path, samples: &[f32], sample_rate: u32, format: WavFormat) -> std::io::Result<()> {
    let spec = format.spec(1, sample_rate);
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut writer = WavWriter::new(BufWriter::new(file), spec).map_err(into_io)?;
    for &sample in samples {
        format.write(&mut writer, sample).map_err(into_io)?;
    }
    writer.finalize().map_err(into_io)
}

impl WavFormat {
    /// Bytes of a sample.
    pub(crate) fn width(self) -> u64 {
        match self {
            Self::Pcm16 => 2,
            Self::Pcm24 => 3,
            Self::Float32 => 4,
        }
    }

    pub(crate) fn spec(self, channels: u16, sample_rate: u32) -> WavSpec {
        let (bits_per_sample, sample_format) = match self {
            Self::Pcm16 => (16, SampleFormat::Int),
            Self::Pcm24 => (24, SampleFormat::Int),
            Self::Float32 => (32, SampleFormat::Float),
        };
        WavSpec { channels, sample_rate, bits_per_sample, sample_format }
    }

    /// Whether a sample is stored as another than its nearest step, the largest or smallest there is.
    pub(crate) fn clips(self, sample: f32) -> bool {
        let steps = match self {
            Self::Pcm16 => 32_768.0f32,
            Self::Pcm24 => 8_388_608.0,
            Self::Float32 => return false,
        };
        let rounded = (sample * steps).round();
        rounded < -steps || rounded > steps - 1.0
    }

    pub(crate) fn write<W: Write + Seek>(self, writer: &mut WavWriter<W>, sample: f32) -> hound::Result<()> {
        match self {
            // The casts saturate and take NaN to 0.
            Self::Pcm16 => writer.write_sample((sample * 32_768.0).round() as i16),
            Self::Pcm24 => {
                let rounded = (sample * 8_388_608.0).round() as i32;
                writer.write_sample(rounded.clamp(-8_388_608, 8_388_607))
            }
            Self::Float32 => writer.write_sample(sample),
        }
    }
}

/// 4 GiB less room for the header.
pub(crate) const MAX_BYTES: u64 = u32::MAX as u64 - 1024;

pub(crate) fn too_large() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::FileTooLarge, "a wav file holds at most 4 gib")
}

pub(crate) fn into_io(error: hound::Error) -> std::io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => std::io::Error::other(other),
    }
}

/// A name in the same folder (a rename across file systems is not atomic) that no other writer uses.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    path.with_file_name(format!(".partial-{}-{}-{number}", std::process::id(), now.as_nanos()))
}
