//! What a file says about itself before it is decoded.

use serde::{Deserialize, Serialize};

/// What the header of a file says, and its first packet where the header is silent.
///
/// ```
/// use mgr_audio::{LoadConfig, WavFormat, write_wav};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("silence.wav");
/// write_wav(&path, &[0.0; 16_000], 8_000, WavFormat::Pcm16)?;
/// let info = LoadConfig::default().plan()?.info(&path)?;
/// assert_eq!((info.container.as_str(), info.codec.as_str(), info.channels), ("wave", "pcm_s16le", 1));
/// assert_eq!((info.duration_s(), info.frames_exact), (Some(2.0), true));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AudioInfo {
    /// Short name of the container: `wave`, `aiff`, `au`, `flac`, `ogg`, `isomp4`, `mkv` ...
    pub container: String,
    /// Short name of the codec: `pcm_s16le`, `mp3`, `vorbis` ...
    pub codec: String,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Bits of a sample, where the codec stores samples as such (PCM, FLAC, ALAC); `None` for lossy codecs.
    pub bits_per_sample: Option<u32>,
    /// Samples per channel after the encoder's priming and padding are taken off, where the file tells.
    pub frames: Option<u64>,
    /// Whether `frames` is a count (of a header, an index or the bytes of PCM) or an estimate by a bit rate or a rounded
    /// duration. A count may still be wrong: only decoding tells.
    pub frames_exact: bool,
    /// What the file says about the recording.
    pub tags: Tags,
}

impl AudioInfo {
    /// `frames / sample_rate` in seconds, where `frames` is known.
    #[must_use]
    pub fn duration_s(&self) -> Option<f64> {
        self.frames.map(|frames| frames as f64 / f64::from(self.sample_rate))
    }
}

/// Tags of a recording as the file spells them (ID3v1, ID3v2, APE, Vorbis comments, MP4 atoms, RIFF INFO, AIFF text chunks).
/// Where several kinds of tags disagree the first that gives a field is taken; empty ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Tags {
    /// Title of the track.
    pub title: Option<String>,
    /// Artist of the track, else the album's.
    pub artist: Option<String>,
    /// Title of the album.
    pub album: Option<String>,
    /// Genre, a number of ID3 turned into its name.
    pub genre: Option<String>,
    /// Number of the track on its album, without the total.
    pub track: Option<String>,
}

impl Tags {
    /// Sets each field that is still empty.
    pub(crate) fn fill(&mut self, other: Self) {
        let Self { title, artist, album, genre, track } = other;
        for (field, value) in [
            (&mut self.title, title),
            (&mut self.artist, artist),
            (&mut self.album, album),
            (&mut self.genre, genre),
            (&mut self.track, track),
        ] {
            if field.is_none() {
                *field = value;
            }
        }
    }
}
