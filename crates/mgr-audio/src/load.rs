//! From a path or bytes to a mono clip at the rate asked for.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use symphonia::core::io::MediaSource;

use crate::report::{Collector, DecodeReport, check_stream};
use crate::riff::{self, WaveSource};
use crate::sniff::{Content, sniff};
use crate::{
    AudioError, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, ResampleConfig, ResampleKernel, Resampler, au, decode, wav,
};

/// Bytes looked at to tell what a file is.
const HEAD_BYTES: u64 = 4096;
/// Four hours, in seconds.
const DEFAULT_MAX_DURATION_S: f64 = 4.0 * 3600.0;
/// Resampler tables kept by a loader; a dataset has one or two source rates.
const MAX_KEPT_RESAMPLERS: usize = 16;

/// What a loader does with a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// Give what can be decoded and tell in the report what was wrong. The default.
    #[default]
    Lenient,
    /// Any damage ([`DecodeReport::damage`]) is [`AudioError::Damaged`], a clip over the limit [`AudioError::TooLong`].
    Strict,
}

/// How files are loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadConfig {
    /// Rate of the clip in Hz, 100 to 1,000,000; `None` (the default) keeps the file's.
    pub sample_rate: Option<u32>,
    /// Seconds decoded at most, above 0; the rest is cut off. Default 14,400 (4 h). Never more than 2^30 samples a channel.
    pub max_duration_s: f64,
    /// Low-pass filter of the resampler. Default [`ResampleKernel::High`].
    pub kernel: ResampleKernel,
    /// What to do with damaged files. Default [`Strictness::Lenient`].
    pub strict: Strictness,
}

impl Default for LoadConfig {
    fn default() -> Self {
        Self {
            sample_rate: None,
            max_duration_s: DEFAULT_MAX_DURATION_S,
            kernel: ResampleKernel::High,
            strict: Strictness::Lenient,
        }
    }
}

impl LoadConfig {
    /// Validates the config.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a rate outside 100 to 1,000,000 Hz or a duration that is not above 0 and finite.
    pub fn plan(&self) -> Result<Loader, AudioError> {
        if let Some(rate) = self.sample_rate
            && !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&rate)
        {
            let allowed = format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}");
            return Err(AudioError::config("sample_rate", rate, allowed));
        }
        if !(self.max_duration_s.is_finite() && self.max_duration_s > 0.0) {
            return Err(AudioError::config("max_duration_s", self.max_duration_s, "above 0 and finite"));
        }
        Ok(Loader { config: self.clone(), resamplers: Arc::default() })
    }
}

/// A decoded clip.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Clip {
    /// Mono samples, mean of the channels; full scale is -1 to 1, lossy and float files may exceed it. All finite.
    pub samples: Vec<f32>,
    /// Rate of `samples` in Hz.
    pub sample_rate: u32,
    /// What the decoder found.
    pub report: DecodeReport,
}

/// Loads files by a fixed [`LoadConfig`]. Cheap to clone, usable from many threads.
///
/// The content decides how a file is read, never its extension: plain PCM WAV (and RF64) through hound, AU through its own
/// reader, everything else (compressed WAV, AIFF, CAF, FLAC, MP1/2/3, Vorbis, AAC-LC, ALAC, ADPCM in ISO/MP4, MKV/WebM, Ogg,
/// ADTS) through symphonia. WavPack, WMA, Wave64 and Opus are refused by name.
///
/// A decoder that panics on hostile data is caught with [`catch_unwind`] and becomes [`AudioError::DecoderPanic`]; the
/// process's panic hook still prints its line, and a build with `panic = "abort"` cannot be guarded this way.
#[derive(Debug, Clone)]
pub struct Loader {
    config: LoadConfig,
    /// Kernels by source rate: tables are dear to build, a dataset repeats its rates.
    resamplers: Arc<Mutex<BTreeMap<u32, Resampler>>>,
}

/// Where the bytes are; opened anew for each reader that is tried.
#[derive(Clone, Copy)]
enum Input<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

impl<'a> Input<'a> {
    fn open(self, path: &Path) -> Result<Box<dyn MediaSource + 'a>, AudioError> {
        Ok(match self {
            Self::File(file) => {
                Box::new(File::open(file).map_err(|error| AudioError::io(path, "open", error))?)
            }
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        })
    }
}

impl Loader {
    /// The config this loader was planned from.
    #[must_use]
    pub fn config(&self) -> &LoadConfig {
        &self.config
    }

    /// Loads a file.
    ///
    /// Memory grows with the samples really decoded, never with what a header claims.
    ///
    /// # Errors
    /// [`AudioError::NotFound`], [`Directory`](AudioError::Directory), [`NotAFile`](AudioError::NotAFile),
    /// [`Io`](AudioError::Io) for the file itself; [`Empty`](AudioError::Empty), [`NotAudio`](AudioError::NotAudio),
    /// [`UnsupportedContainer`](AudioError::UnsupportedContainer), [`UnsupportedCodec`](AudioError::UnsupportedCodec),
    /// [`Malformed`](AudioError::Malformed), [`NoAudioTrack`](AudioError::NoAudioTrack),
    /// [`NoSamples`](AudioError::NoSamples), [`StreamParameter`](AudioError::StreamParameter),
    /// [`DecoderPanic`](AudioError::DecoderPanic) for its content; [`Damaged`](AudioError::Damaged) and
    /// [`TooLong`](AudioError::TooLong) in strict mode.
    pub fn load(&self, path: &Path) -> Result<Clip, AudioError> {
        let metadata = fs::metadata(path).map_err(|error| AudioError::io(path, "open", error))?;
        if metadata.is_dir() {
            return Err(AudioError::Directory { path: path.to_path_buf() });
        }
        if !metadata.is_file() {
            return Err(AudioError::NotAFile { path: path.to_path_buf() });
        }
        self.load_input(path, Input::File(path), metadata.len())
    }

    /// Loads a file's content from memory; `name` stands for the path in errors.
    ///
    /// # Errors
    /// Those of [`Loader::load`] that concern the content.
    pub fn load_bytes(&self, bytes: Vec<u8>, name: &str) -> Result<Clip, AudioError> {
        self.load_input(Path::new(name), Input::Bytes(&bytes), bytes.len() as u64)
    }

    fn load_input(&self, path: &Path, input: Input<'_>, len: u64) -> Result<Clip, AudioError> {
        if len == 0 {
            return Err(AudioError::Empty { path: path.to_path_buf() });
        }
        let max_duration_s = self.config.max_duration_s;
        let collector = catch_unwind(AssertUnwindSafe(|| read_input(path, input, len, max_duration_s)))
            .unwrap_or_else(|panic| {
                Err(AudioError::DecoderPanic {
                    path: path.to_path_buf(),
                    message: panic_message(panic.as_ref()),
                })
            })?;
        let (samples, report) = collector.finish(path)?;
        self.finish(path, samples, report)
    }

    /// Applies the strictness and the rate.
    fn finish(&self, path: &Path, samples: Vec<f32>, report: DecodeReport) -> Result<Clip, AudioError> {
        if self.config.strict == Strictness::Strict {
            if let Some(damage) = report.damage() {
                return Err(AudioError::Damaged { path: path.to_path_buf(), damage });
            }
            if report.cut {
                let limit_s = self.config.max_duration_s;
                return Err(AudioError::TooLong { path: path.to_path_buf(), limit_s });
            }
        }
        let source_rate = report.source_sample_rate;
        match self.config.sample_rate {
            Some(rate) if rate != source_rate => {
                let samples = self.resampler(source_rate, rate)?.process(&samples)?;
                Ok(Clip { samples, sample_rate: rate, report })
            }
            _ => Ok(Clip { samples, sample_rate: source_rate, report }),
        }
    }

    fn resampler(&self, input_rate: u32, output_rate: u32) -> Result<Resampler, AudioError> {
        // A map that another thread's panic left behind is still whole: entries are inserted complete.
        let mut kept = self.resamplers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resampler) = kept.get(&input_rate) {
            return Ok(resampler.clone());
        }
        let resampler = ResampleConfig { input_rate, output_rate, kernel: self.config.kernel }.plan()?;
        if kept.len() < MAX_KEPT_RESAMPLERS {
            kept.insert(input_rate, resampler.clone());
        }
        Ok(resampler)
    }
}

/// Chooses the reader by content.
fn read_input(path: &Path, input: Input<'_>, len: u64, max_duration_s: f64) -> Result<Collector, AudioError> {
    let mut head = Vec::new();
    input
        .open(path)?
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|error| AudioError::io(path, "read", error))?;
    match sniff(&head) {
        Content::NotAudio(content) => Err(AudioError::NotAudio { path: path.to_path_buf(), content }),
        Content::ForeignContainer(name) => {
            Err(AudioError::UnsupportedContainer { path: path.to_path_buf(), container: name.to_owned() })
        }
        Content::Au => au::read(path, &mut BufReader::new(input.open(path)?), len, max_duration_s),
        Content::Wave => read_wave(path, input, len, max_duration_s),
        Content::Other => decode::read(path, input.open(path)?, max_duration_s),
    }
}

/// A WAVE file: hound for plain PCM, symphonia for what hound refuses; both see corrected sizes.
fn read_wave(path: &Path, input: Input<'_>, len: u64, max_duration_s: f64) -> Result<Collector, AudioError> {
    let io = |error| AudioError::io(path, "read", error);
    let layout = riff::scan(path, &mut BufReader::new(input.open(path)?), len)?;
    let format = layout.format;
    check_stream(path, format.sample_rate, usize::from(format.channels))?;
    if layout.data_len == 0 {
        return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets: 0 });
    }
    let (rate, channels) = (format.sample_rate, usize::from(format.channels));
    if format.is_plain_pcm() {
        let codec = format.codec_name();
        let mut collector = Collector::new(path, "wave", &codec, rate, channels, max_duration_s)?;
        let source = BufReader::new(WaveSource::new(input.open(path)?, &layout).map_err(io)?);
        if wav::read_pcm(source, &mut collector) {
            collector.report.truncated |= layout.truncated && !collector.report.cut;
            return Ok(collector);
        }
    }
    let source = WaveSource::new(input.open(path)?, &layout).map_err(io)?;
    match decode::read(path, Box::new(source), max_duration_s) {
        Ok(mut collector) => {
            let frames = layout.sounding_frames(collector.mono.len());
            collector.mono.truncate(frames);
            collector.report.truncated |= layout.truncated && !collector.report.cut;
            Ok(collector)
        }
        Err(AudioError::UnsupportedContainer { path, container }) => {
            // The container is known by now: what the reader refused is the format in it.
            Err(AudioError::UnsupportedCodec {
                path,
                codec: format!("{} ({container})", format.codec_name()),
            })
        }
        Err(error) => Err(error),
    }
}

/// The text of a panic, where it is text.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
