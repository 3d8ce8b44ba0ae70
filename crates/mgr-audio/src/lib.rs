//! Audio files to mono `f32` samples at a known rate: decoding, resampling, segmentation, WAV output.
//!
//! | room | what |
//! |---|---|
//! | [`LoadConfig`] -> [`Loader`] | any file, or a range of it -> [`Clip`], with a [`DecodeReport`] |
//! | [`Loader::open`] -> [`BlockReader`] | a file of any length -> blocks of bounded memory |
//! | [`Loader::info`] -> [`AudioInfo`] | a file -> its format, length and [`Tags`] |
//! | [`ResampleConfig`] -> [`Resampler`] | any rate to any rate, linear phase, 120 dB stop band |
//! | [`SegmentConfig`] -> [`Segmenter`] | a clip -> segments of equal length by published or own rules, short clips too |
//! | [`augment`] | noise, shift, gain, fades, filters, backgrounds: seeded chains with a log that repeats them |
//! | [`LevelConfig`] -> [`LevelMeter`] | peaks, RMS, loudness, clipping, silence -> [`Levels`] |
//! | [`write_wav`] | samples -> a mono WAV file, written atomically |
//! | [`WavWriter`] | blocks of channels -> a WAV file of any length, written atomically |
//!
//! Every config is plain data; `plan()` validates it once into an immutable plan that is `Send + Sync` and cheap to clone. Input
//! never panics: it gives samples and a report, or an [`AudioError`] that names the file and the reason.
//!
//! ```
//! use mgr_audio::{LoadConfig, SegmentConfig, WavFormat, write_wav};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("tone.wav");
//! let tone: Vec<f32> = (0..44_100).map(|n| (n as f32 * 0.05).sin() * 0.5).collect();
//! write_wav(&path, &tone, 44_100, WavFormat::Pcm16)?;
//!
//! let loader = LoadConfig { sample_rate: Some(22_050), ..LoadConfig::default() }.plan()?;
//! let clip = loader.load(&path)?;
//! assert_eq!((clip.sample_rate, clip.samples.len()), (22_050, 22_050));
//! assert_eq!(clip.report.source_sample_rate, 44_100);
//!
//! let segmenter = SegmentConfig::default().plan()?;
//! let segments = segmenter.process(&clip.samples)?;
//! assert_eq!((segments.len(), segments[0].len()), (3, 220_500));
//! # Ok(())
//! # }
//! ```

pub mod augment;
mod blocks;
mod channels;
mod decode;
mod engine;
mod error;
mod info;
mod levels;
mod load;
mod rate;
mod report;
mod resample;
mod segment;
mod simd;
mod wav;
mod wav_writer;

pub use blocks::{Block, BlockReader};
pub use channels::ChannelMix;
pub use error::AudioError;
pub use info::{AudioInfo, Tags};
pub use levels::{LevelConfig, LevelMeter, LevelStream, Levels};
pub use load::{Clip, LoadConfig, Loader, Strictness};
pub use report::DecodeReport;
pub use resample::{ResampleConfig, ResampleKernel, ResampleScratch, ResampleStream, Resampler};
pub use segment::{SegmentChoice, SegmentConfig, SegmentPreset, SegmentSpan, Segmenter, ShortClip, Tail};
pub use wav::{WavFormat, write_wav};
pub use wav_writer::WavWriter;

/// The lowest sample rate in Hz that is read, written or resampled.
pub const MIN_SAMPLE_RATE: u32 = 100;
/// The highest sample rate in Hz that is read, written or resampled.
pub const MAX_SAMPLE_RATE: u32 = 1_000_000;
/// The largest channel count that is read.
pub const MAX_CHANNELS: usize = 256;
