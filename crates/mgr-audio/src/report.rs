//! What decoding a file found.

use serde::{Deserialize, Serialize};

use crate::Tags;

/// What the decoder found in a file.
///
/// A range of a file is reported on as far as it was read: damage before the range may be found or not, damage after it is not.
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
    /// Frames (samples per channel) decoded, at the source's rate; of a range that is resampled, those that its filter reached.
    pub frames: u64,
    /// Packets that were corrupt and left out; the sound before and after them is joined.
    pub skipped_packets: u64,
    /// Frames missing between packets by their time stamps, at the source's rate: corrupt packets, and what a container's
    /// reader dropped by itself (pages with a wrong checksum).
    pub lost_frames: u64,
    /// The file ends before its header says it does.
    pub truncated: bool,
    /// The sound was cut at the loader's `max_duration_s` or `max_memory_bytes`.
    pub cut: bool,
    /// Samples (of any channel) that were NaN, infinite or beyond 1e30 in magnitude; each was replaced by 0.
    pub non_finite_samples: u64,
    /// Packets whose rate or channel count is not that of the first (files put one after the other). Those of another rate are
    /// left out. Those of another channel count are taken: their own channels are averaged, channels they lack are silent. Where a decoder refuses such a packet by
    /// itself (MP3) it counts as a corrupt one.
    #[serde(default)]
    pub changed_packets: u64,
    /// Bits of a sample, where the codec stores samples as such.
    #[serde(default)]
    pub bits_per_sample: Option<u32>,
    /// Frames the header counts, an estimate for some files ([`AudioInfo::frames`](crate::AudioInfo::frames)).
    #[serde(default)]
    pub header_frames: Option<u64>,
    /// What the file says about the recording.
    #[serde(default)]
    pub tags: Tags,
}

impl DecodeReport {
    /// What is wrong with the file in words, or `None` for a sound one. A cut at a limit is no damage.
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
        if self.changed_packets > 0 {
            parts.push(format!("{} packets of another rate or channel count", self.changed_packets));
        }
        if self.non_finite_samples > 0 {
            parts.push(format!("{} samples not finite", self.non_finite_samples));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
