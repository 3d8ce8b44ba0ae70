//! WAV files of several channels, written block by block.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::wav::{MAX_BYTES, into_io, temporary_beside, too_large};
use crate::{AudioError, MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, WavFormat};

/// Writes a WAV file block by block, in memory that does not grow.
///
/// The samples go to a temporary file beside the target, which [`finish`](Self::finish) renames over it: a reader sees the old
/// file or the whole new one. Dropped before that, or after an error, it leaves nothing behind.
///
/// ```
/// use mgr_audio::{LoadConfig, WavFormat, WavWriter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("stereo.wav");
/// let mut writer = WavWriter::create(&path, 2, 44_100, WavFormat::Pcm24)?;
/// writer.write(&[&[0.0, 0.5], &[0.25, 1.5]])?;
/// writer.write(&[&[0.0], &[0.0]])?;
/// assert_eq!(writer.clipped_samples(), 1);
/// assert_eq!(writer.finish()?, 3);
/// assert_eq!(LoadConfig::default().plan()?.info(&path)?.channels, 2);
/// # Ok(())
/// # }
/// ```
pub struct WavWriter {
    path: PathBuf,
    temporary: PathBuf,
    /// `None` once finished.
    writer: Option<hound::WavWriter<BufWriter<File>>>,
    format: WavFormat,
    channels: usize,
    frames: u64,
    clipped_samples: u64,
}

impl std::fmt::Debug for WavWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, format, channels, frames, .. } = self;
        f.debug_struct("WavWriter")
            .field("path", path)
            .field("format", format)
            .field("channels", channels)
            .field("frames", frames)
            .finish_non_exhaustive()
    }
}

impl WavWriter {
    /// Begins a file; a file that is there stays as it is until [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`AudioError::Config`] for a rate outside 100 to 1,000,000 Hz or a channel count outside 1 to 256, [`AudioError::Io`]
    /// where the folder cannot be written.
    pub fn create(
        path: &Path,
        channels: usize,
        sample_rate: u32,
        format: WavFormat,
    ) -> Result<Self, AudioError> {
        if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
            let allowed = format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}");
            return Err(AudioError::config("sample_rate", sample_rate, allowed));
        }
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(AudioError::config("channels", channels, format!("1 to {MAX_CHANNELS}")));
        }
        let temporary = temporary_beside(path);
        let io = |error| AudioError::io(path, "write", error);
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(io)?;
        let mut new = Self {
            path: path.to_path_buf(),
            temporary,
            writer: None,
            format,
            channels,
            frames: 0,
            clipped_samples: 0,
        };
        // From here on the temporary file is removed when `new` goes.
        let spec = format.spec(channels as u16, sample_rate);
        new.writer = Some(hound::WavWriter::new(BufWriter::new(file), spec).map_err(|e| io(into_io(e)))?);
        Ok(new)
    }

    /// Appends samples of every channel.
    ///
    /// # Errors
    /// [`AudioError::BufferLength`] for another number of channels or channels of different lengths, [`AudioError::Io`] where they
    /// cannot be written, also for more than the 4 GiB that a WAV file can hold.
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), AudioError> {
        if channels.len() != self.channels {
            return Err(AudioError::BufferLength { expected: self.channels, got: channels.len() });
        }
        let length = channels.first().map_or(0, |c| c.len());
        if let Some(other) = channels.iter().find(|c| c.len() != length) {
            return Err(AudioError::BufferLength { expected: length, got: other.len() });
        }
        let Self { path, writer, format, .. } = self;
        let io = |error| AudioError::io(path, "write", error);
        let frames = self.frames + length as u64;
        if frames.saturating_mul(self.channels as u64 * format.width()) > MAX_BYTES {
            return Err(io(too_large()));
        }
        if let Some(writer) = writer {
            for n in 0..length {
                for sample in channels.iter().filter_map(|c| c.get(n)) {
                    self.clipped_samples += u64::from(format.clips(*sample));
                    format.write(writer, *sample).map_err(|e| io(into_io(e)))?;
                }
            }
        }
        self.frames = frames;
        Ok(())
    }

    /// Samples so far that lay beyond full scale and were clipped; never any in [`WavFormat::Float32`].
    #[must_use]
    pub fn clipped_samples(&self) -> u64 {
        self.clipped_samples
    }

    /// Ends the file, puts it in its place, and gives its samples per channel.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] where nothing was written, [`AudioError::Io`].
    pub fn finish(mut self) -> Result<u64, AudioError> {
        if self.frames == 0 {
            return Err(AudioError::EmptySignal);
        }
        if let Some(writer) = self.writer.take() {
            let ended = writer.finalize().map_err(into_io);
            ended
                .and_then(|()| fs::rename(&self.temporary, &self.path))
                .map_err(|error| AudioError::io(&self.path, "write", error))?;
        }
        Ok(self.frames)
    }
}

impl Drop for WavWriter {
    fn drop(&mut self) {
        // The file is closed first, which some systems ask for. After a rename there is nothing here to remove.
        self.writer = None;
        let _ = fs::remove_file(&self.temporary);
    }
}
