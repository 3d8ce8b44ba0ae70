//! What decoding a file found, and the collector every reader pushes its samples into.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{AudioError, MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// A magnitude no recording has; beyond it a sample counts as not finite, so that sums of samples stay finite.
const MAX_MAGNITUDE: f32 = 1e30;

/// Frames of one clip at most, 4 GiB of samples, whatever the rate: 6 hours at 48 kHz. A few bytes of FLAC can claim more.
const MAX_FRAMES: usize = 1 << 30;

/// What the decoder found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecodeReport {
    /// Sample rate of the file in Hz.
    pub source_sample_rate: u32,
    /// Channels of the file, before they were averaged.
    pub channels: u32,
    /// Short name of the container: `wave`, `au`, `flac`, `ogg`, `isomp4` ...
    pub container: String,
    /// Short name of the codec: `pcm_s16le`, `mp3`, `vorbis` ...
    pub codec: String,
    /// Frames (samples per channel) decoded, at the source's rate.
    pub frames: u64,
    /// Packets that were corrupt and left out; the sound before and after them is joined.
    pub skipped_packets: u64,
    /// Frames missing between packets by their time stamps, at the source's rate: corrupt packets, and what a container's
    /// reader dropped by itself (pages with a wrong checksum).
    pub lost_frames: u64,
    /// The file ends before its header says it does.
    pub truncated: bool,
    /// The sound was cut at the loader's `max_duration_s`.
    pub cut: bool,
    /// Samples (of any channel) that were NaN, infinite or beyond 1e30 in magnitude; each was replaced by 0.
    pub non_finite_samples: u64,
}

impl DecodeReport {
    /// What is wrong with the file in words, or `None` for a sound one. A cut at the duration limit is no damage.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.truncated {
            parts.push(format!("file ends early after {} frames", self.frames));
        }
        if self.skipped_packets > 0 {
            parts.push(format!("{} corrupt packets", self.skipped_packets));
        }
        if self.lost_frames > 0 {
            parts.push(format!("{} frames missing in between", self.lost_frames));
        }
        if self.non_finite_samples > 0 {
            parts.push(format!("{} samples not finite", self.non_finite_samples));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// Collects decoded blocks as mono and counts what is wrong with them.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) mono: Vec<f32>,
    pub(crate) report: DecodeReport,
    max_frames: usize,
}

impl Collector {
    /// Checks the stream's rate and channel count, and turns the duration limit into frames.
    pub(crate) fn new(
        path: &Path,
        container: &str,
        codec: &str,
        sample_rate: u32,
        channels: usize,
        max_duration_s: f64,
    ) -> Result<Self, AudioError> {
        check_stream(path, sample_rate, channels)?;
        // Float to integer casts saturate, and the limit is at least one frame.
        let max_frames = ((max_duration_s * f64::from(sample_rate)) as usize).clamp(1, MAX_FRAMES);
        let report = DecodeReport {
            source_sample_rate: sample_rate,
            channels: channels as u32,
            container: container.to_owned(),
            codec: codec.to_owned(),
            frames: 0,
            skipped_packets: 0,
            lost_frames: 0,
            truncated: false,
            cut: false,
            non_finite_samples: 0,
        };
        Ok(Self { mono: Vec::new(), report, max_frames })
    }

    /// Appends interleaved samples as the mean of their channels; a rest shorter than a frame is dropped.
    pub(crate) fn push(&mut self, interleaved: &[f32], channels: usize) {
        for frame in interleaved.chunks_exact(channels.max(1)) {
            if self.is_full() {
                self.report.cut = true;
                return;
            }
            let mut sum = 0.0f64;
            for &sample in frame {
                if sample.abs() <= MAX_MAGNITUDE {
                    sum += f64::from(sample);
                } else {
                    self.report.non_finite_samples += 1;
                }
            }
            self.mono.push((sum / frame.len() as f64) as f32);
        }
    }

    /// Whether the duration limit is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.mono.len() >= self.max_frames
    }

    /// The samples and the report; no samples at all is an error.
    pub(crate) fn finish(mut self, path: &Path) -> Result<(Vec<f32>, DecodeReport), AudioError> {
        self.report.frames = self.mono.len() as u64;
        if self.mono.is_empty() {
            let skipped_packets = self.report.skipped_packets;
            return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets });
        }
        Ok((self.mono, self.report))
    }
}

/// Refuses a rate or a channel count that no recording has.
pub(crate) fn check_stream(path: &Path, sample_rate: u32, channels: usize) -> Result<(), AudioError> {
    if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
        return Err(AudioError::StreamParameter {
            path: path.to_path_buf(),
            parameter: "sample rate",
            value: u64::from(sample_rate),
            min: u64::from(MIN_SAMPLE_RATE),
            max: u64::from(MAX_SAMPLE_RATE),
        });
    }
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(AudioError::StreamParameter {
            path: path.to_path_buf(),
            parameter: "channel count",
            value: channels as u64,
            min: 1,
            max: MAX_CHANNELS as u64,
        });
    }
    Ok(())
}
