//! From a path or bytes to a clip at the rate asked for: whole, in part, or block by block.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::engine::{self, Engine, Frames, Input};
use crate::rate::{Locality, RateStream};
use crate::{
    AudioError, AudioInfo, BlockReader, ChannelMix, DecodeReport, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE,
    ResampleConfig, ResampleKernel, Resampler,
};

/// Four hours, in seconds.
const DEFAULT_MAX_DURATION_S: f64 = 4.0 * 3600.0;
/// Six hours of one channel at 48 kHz. A few bytes of FLAC can claim more.
const DEFAULT_MAX_MEMORY_BYTES: u64 = 4 << 30;
const MIN_MAX_MEMORY_BYTES: u64 = 1 << 10;
const DEFAULT_BLOCK_LENGTH: usize = 1 << 16;
const MAX_BLOCK_LENGTH: usize = 1 << 28;
/// Resampler tables kept by a loader; a dataset has one or two source rates.
const MAX_KEPT_RESAMPLERS: usize = 16;

/// What a loader does with a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// Give what can be decoded and tell in the report what was wrong. The default.
    #[default]
    Lenient,
    /// Any damage ([`DecodeReport::damage`]) is [`AudioError::Damaged`], a clip over a limit [`AudioError::TooLong`].
    Strict,
}

/// How files are loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadConfig {
    /// Rate of the clip in Hz, 100 to 1,000,000; `None` (the default) keeps the file's.
    pub sample_rate: Option<u32>,
    /// Which channels are kept. Default [`ChannelMix::Mean`].
    pub channels: ChannelMix,
    /// Start of the wanted range in seconds, 0 or more; rounded to a sample of the clip. Default 0.
    pub offset_s: f64,
    /// Length of the wanted range in seconds, above 0, rounded to samples of the clip but at least one; `None` (the default)
    /// is all that follows. A file that ends within the range gives what there is of it.
    pub duration_s: Option<f64>,
    /// Seconds decoded at most, above 0; the rest is cut off. Default 14,400 (4 h).
    pub max_duration_s: f64,
    /// Bytes of samples that a clip may take, 1,024 or more, before and after resampling together; the rest is cut off. Default
    /// 4 GiB. Does not apply to [`Loader::open`], whose memory does not grow.
    pub max_memory_bytes: u64,
    /// Samples per channel in the blocks of [`Loader::open`], 1 to 2^28. Default 65,536.
    pub block_length: usize,
    /// Low-pass filter of the resampler. Default [`ResampleKernel::High`].
    pub kernel: ResampleKernel,
    /// What to do with damaged files. Default [`Strictness::Lenient`].
    pub strict: Strictness,
}

impl Default for LoadConfig {
    fn default() -> Self {
        Self {
            sample_rate: None,
            channels: ChannelMix::Mean,
            offset_s: 0.0,
            duration_s: None,
            max_duration_s: DEFAULT_MAX_DURATION_S,
            max_memory_bytes: DEFAULT_MAX_MEMORY_BYTES,
            block_length: DEFAULT_BLOCK_LENGTH,
            kernel: ResampleKernel::High,
            strict: Strictness::Lenient,
        }
    }
}

impl LoadConfig {
    /// Validates the config.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a field outside its range.
    pub fn plan(&self) -> Result<Loader, AudioError> {
        self.check()?;
        Ok(Loader { config: self.clone(), resamplers: Arc::default() })
    }

    fn check(&self) -> Result<(), AudioError> {
        if let Some(rate) = self.sample_rate
            && !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&rate)
        {
            let allowed = format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}");
            return Err(AudioError::config("sample_rate", rate, allowed));
        }
        if !(self.offset_s.is_finite() && self.offset_s >= 0.0) {
            return Err(AudioError::config("offset_s", self.offset_s, "0 or more and finite"));
        }
        let duration_s = self.duration_s.unwrap_or(1.0);
        for (field, value) in [("duration_s", duration_s), ("max_duration_s", self.max_duration_s)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(AudioError::config(field, value, "above 0 and finite"));
            }
        }
        if self.max_memory_bytes < MIN_MAX_MEMORY_BYTES {
            let allowed = format!("{MIN_MAX_MEMORY_BYTES} or more");
            return Err(AudioError::config("max_memory_bytes", self.max_memory_bytes, allowed));
        }
        if !(1..=MAX_BLOCK_LENGTH).contains(&self.block_length) {
            let allowed = format!("1 to {MAX_BLOCK_LENGTH}");
            return Err(AudioError::config("block_length", self.block_length, allowed));
        }
        Ok(())
    }
}

/// A decoded clip.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Clip {
    /// The samples of the mix, or of the first channel with [`ChannelMix::All`]. Full scale is -1 to 1, lossy and float files
    /// may exceed it. All finite.
    pub samples: Vec<f32>,
    /// The other channels with [`ChannelMix::All`], each as long as `samples`; else empty.
    pub other_channels: Vec<Vec<f32>>,
    /// Rate of the samples in Hz.
    pub sample_rate: u32,
    /// What the decoder found.
    pub report: DecodeReport,
}

impl Clip {
    /// The samples of each channel, `samples` first.
    pub fn channels(&self) -> impl Iterator<Item = &[f32]> {
        std::iter::once(&self.samples).chain(&self.other_channels).map(Vec::as_slice)
    }

    /// How many channels the clip holds: 1, or those of the file with [`ChannelMix::All`].
    #[must_use]
    pub fn channel_count(&self) -> usize {
        1 + self.other_channels.len()
    }

    /// The channels as planes, `samples` first.
    #[must_use]
    pub fn into_channels(self) -> Vec<Vec<f32>> {
        let mut channels = self.other_channels;
        channels.insert(0, self.samples);
        channels
    }
}

/// Loads files by a fixed [`LoadConfig`]. Cheap to clone, usable from many threads.
///
/// The content decides how a file is read, never its extension. WAV (also RF64, BW64, Wave64), AIFF, AIFC and AU are read here
/// where they store samples as such, everything else (their compressed dialects, CAF, FLAC, MP1/2/3, Vorbis, AAC-LC, ALAC and
/// ADPCM in ISO/MP4, MKV/WebM, Ogg, ADTS) through symphonia, Opus with the cargo feature `opus`. WavPack, WMA and others are
/// refused by name.
///
/// A range is what the same samples of the whole file are, bit for bit. It is found at once in files that store samples as such,
/// without decoding in FLAC, and by decoding from the start in the others, whose packets cannot be counted unseen.
///
/// A decoder that panics on hostile data is caught with [`catch_unwind`](std::panic::catch_unwind) and becomes
/// [`AudioError::DecoderPanic`]; the process's panic hook still prints its line, and a build with `panic = "abort"` cannot be
/// guarded this way.
#[derive(Debug, Clone)]
pub struct Loader {
    config: LoadConfig,
    /// Kernels by source rate: tables are dear to build, a dataset repeats its rates.
    resamplers: Arc<Mutex<BTreeMap<u32, Resampler>>>,
}

/// Rate of the file, rate of the clip, and what leads from the one to the other.
struct Rates {
    source: u32,
    clip: u32,
    change: Option<(Resampler, Locality)>,
}

impl Rates {
    /// A stream for each plane of a part of a file; none where the rate stays.
    fn streams(&self, span: &Span, planes: usize) -> impl Iterator<Item = RateStream> {
        let (start, first) = (span.frames.start, span.first);
        let change = self.change.iter().flat_map(move |change| std::iter::repeat_n(change, planes));
        change.map(move |(resampler, locality)| locality.stream(resampler, start, first))
    }
}

/// A config's range in a file of known rate.
struct Span {
    frames: Frames,
    /// The first sample of the clip and how many there may be.
    first: u64,
    count: u64,
}

impl Span {
    fn is_whole(&self) -> bool {
        self.first == 0 && self.count == u64::MAX
    }
}

impl Loader {
    /// The config this loader was planned from.
    #[must_use]
    pub fn config(&self) -> &LoadConfig {
        &self.config
    }

    /// Loads a file, or the range of it that the config asks for.
    ///
    /// Memory grows with the samples really decoded, never with what a header claims.
    ///
    /// # Errors
    /// [`AudioError::NotFound`], [`Directory`](AudioError::Directory), [`NotAFile`](AudioError::NotAFile),
    /// [`Io`](AudioError::Io) for the file itself; [`Empty`](AudioError::Empty), [`NotAudio`](AudioError::NotAudio),
    /// [`UnsupportedContainer`](AudioError::UnsupportedContainer), [`UnsupportedCodec`](AudioError::UnsupportedCodec),
    /// [`Malformed`](AudioError::Malformed), [`NoAudioTrack`](AudioError::NoAudioTrack),
    /// [`NoSamples`](AudioError::NoSamples), [`StreamParameter`](AudioError::StreamParameter),
    /// [`DecoderPanic`](AudioError::DecoderPanic) for its content; [`ChannelMissing`](AudioError::ChannelMissing) and
    /// [`RangeBeyondEnd`](AudioError::RangeBeyondEnd) for what the config asks of it; [`Damaged`](AudioError::Damaged) and
    /// [`TooLong`](AudioError::TooLong) in strict mode.
    pub fn load(&self, path: &Path) -> Result<Clip, AudioError> {
        self.load_input(Input::File(path), &self.config)
    }

    /// Loads a file's content from memory; `name` stands for the path in errors.
    ///
    /// # Errors
    /// Those of [`Loader::load`] that concern the content.
    pub fn load_bytes(&self, bytes: Vec<u8>, name: &str) -> Result<Clip, AudioError> {
        self.load_input(Input::Bytes(bytes, Path::new(name)), &self.config)
    }

    /// Loads a range of a file in place of the config's: `duration_s` seconds, or all that follows, from `offset_s` on.
    ///
    /// ```
    /// use mgr_audio::{LoadConfig, WavFormat, write_wav};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("ramp.wav");
    /// let ramp: Vec<f32> = (0..8_000).map(|n| n as f32 / 8_000.0).collect();
    /// write_wav(&path, &ramp, 8_000, WavFormat::Float32)?;
    /// let clip = LoadConfig::default().plan()?.load_range(&path, 0.5, Some(0.25))?;
    /// assert_eq!(clip.samples, ramp[4_000..6_000]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Loader::load`], and [`AudioError::Config`] for times outside the ranges of `offset_s` and `duration_s`.
    pub fn load_range(
        &self,
        path: &Path,
        offset_s: f64,
        duration_s: Option<f64>,
    ) -> Result<Clip, AudioError> {
        let config = LoadConfig { offset_s, duration_s, ..self.config.clone() };
        config.check()?;
        self.load_input(Input::File(path), &config)
    }

    /// Opens a file to be read block by block.
    ///
    /// # Errors
    /// Those of [`Loader::load`] that its beginning gives cause for.
    pub fn open(&self, path: &Path) -> Result<BlockReader, AudioError> {
        self.open_input(Input::File(path))
    }

    /// Opens a file's content in memory to be read block by block; `name` stands for the path in errors.
    ///
    /// # Errors
    /// Those of [`Loader::load`] that its beginning gives cause for.
    pub fn open_bytes(&self, bytes: Vec<u8>, name: &str) -> Result<BlockReader, AudioError> {
        self.open_input(Input::Bytes(bytes, Path::new(name)))
    }

    /// What a file's header says: its format, length and tags. Decodes one packet at most (until one is sound), of files that
    /// store samples as such none.
    ///
    /// # Errors
    /// Those of [`Loader::load`] that its beginning gives cause for.
    pub fn info(&self, path: &Path) -> Result<AudioInfo, AudioError> {
        engine::open(Input::File(path)).map(|(_, source)| source.info().clone())
    }

    /// As [`info`](Self::info), for a file's content in memory.
    ///
    /// # Errors
    /// Those of [`Loader::load`] that its beginning gives cause for.
    pub fn info_bytes(&self, bytes: Vec<u8>, name: &str) -> Result<AudioInfo, AudioError> {
        engine::open(Input::Bytes(bytes, Path::new(name))).map(|(_, source)| source.info().clone())
    }

    fn load_input(&self, input: Input<'_>, config: &LoadConfig) -> Result<Clip, AudioError> {
        let (path, source) = engine::open(input)?;
        let rates = self.rates(source.info())?;
        let planes = planes(config, source.info());
        let span = span(config, &rates, Some(planes));
        let mut engine = Engine::new(path, source, config, span.frames)?;
        let mut streams: Vec<RateStream> = rates.streams(&span, planes).collect();
        let channels = if streams.is_empty() {
            engine.run()?;
            std::mem::take(&mut engine.sink.planes)
        } else {
            // Block by block: what was decoded is still in the cache, and never in memory as a whole.
            let mut channels: Vec<Vec<f32>> = vec![Vec::new(); planes];
            let expected = engine.expected_frames() as f64 * f64::from(rates.clip) / f64::from(rates.source);
            for out in &mut channels {
                // Where memory is short, growing step by step will say so.
                let _ = out.try_reserve((expected as u64).saturating_add(1).min(span.count) as usize);
            }
            loop {
                let more = engine.pump()?;
                for ((plane, stream), out) in
                    engine.sink.planes.iter_mut().zip(&mut streams).zip(&mut channels)
                {
                    stream.push(plane, !more, out);
                    plane.clear();
                }
                if !more {
                    break;
                }
            }
            let count = usize::try_from(span.count).unwrap_or(usize::MAX);
            channels.iter_mut().for_each(|out| out.truncate(count));
            channels
        };
        let report = engine.finish(config)?;
        let mut channels = channels.into_iter();
        let samples = channels.next().unwrap_or_default();
        if samples.is_empty() {
            return Err(engine.beyond_end());
        }
        Ok(Clip { samples, other_channels: channels.collect(), sample_rate: rates.clip, report })
    }

    fn open_input(&self, input: Input<'_>) -> Result<BlockReader, AudioError> {
        let config = &self.config;
        let (path, source) = engine::open(input)?;
        let rates = self.rates(source.info())?;
        let span = span(config, &rates, None);
        let engine = Engine::new(path, source, config, span.frames)?;
        let streams = rates.streams(&span, engine.sink.planes.len()).collect();
        Ok(BlockReader::new(config.clone(), engine, rates.clip, streams, span.count))
    }

    fn rates(&self, info: &AudioInfo) -> Result<Rates, AudioError> {
        let source = info.sample_rate;
        let clip = self.config.sample_rate.unwrap_or(source);
        if clip == source {
            return Ok(Rates { source, clip, change: None });
        }
        let resampler = self.resampler(source, clip)?;
        let locality = Locality::new(&resampler, source, clip);
        Ok(Rates { source, clip, change: Some((resampler, locality)) })
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

/// Planes that a clip will hold.
fn planes(config: &LoadConfig, info: &AudioInfo) -> usize {
    if config.channels == ChannelMix::All { info.channels as usize } else { 1 }
}

/// Turns seconds into frames. `planes` counts where the memory limit applies.
fn span(config: &LoadConfig, rates: &Rates, planes: Option<usize>) -> Span {
    let (source_hz, clip_hz) = (f64::from(rates.source), f64::from(rates.clip));
    // Casts of floats saturate. The limits are at least one frame.
    let mut room = ((config.max_duration_s * source_hz) as u64).max(1);
    if let Some(planes) = planes {
        let copies = if rates.change.is_none() { 1.0 } else { 1.0 + clip_hz / source_hz };
        let frame_bytes = 4.0 * planes as f64 * copies;
        room = room.min((config.max_memory_bytes as f64 / frame_bytes) as u64).max(1);
    }
    let first = (config.offset_s * clip_hz).round() as u64;
    let count = config.duration_s.map_or(u64::MAX, |seconds| ((seconds * clip_hz).round() as u64).max(1));
    let span = Span { frames: Frames { start: first, count, room }, first, count };
    let Some((_, locality)) = rates.change.as_ref().filter(|_| !span.is_whole()) else { return span };
    // The filter reaches beyond the range; what it needs there is decoded without being counted against the limits.
    let most = ((room as f64 * clip_hz / source_hz) as u64).max(1);
    let start = locality.first_input(first);
    let reached = |count: u64| locality.last_input(first.saturating_add(count)).saturating_sub(start);
    let frames =
        Frames { start, count: if count == u64::MAX { count } else { reached(count) }, room: reached(most) };
    Span { frames, first, count: count.min(most) }
}
