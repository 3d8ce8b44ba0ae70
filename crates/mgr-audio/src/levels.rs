//! Levels of a recording: peaks, RMS, loudness after EBU R 128, clipping, silence, offset.

use std::borrow::Cow;

use ebur128::{EbuR128, Mode};
use serde::{Deserialize, Serialize};

use crate::{AudioError, MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// Beyond this a sample counts as not finite, as in decoding.
const MAX_MAGNITUDE: f32 = 1e30;
/// Most channels that loudness is measured of.
const MAX_LOUDNESS_CHANNELS: usize = 64;
/// Lowest rate in Hz that loudness is measured at: the K-weighting's shelf rises at 1.7 kHz.
const MIN_LOUDNESS_RATE: u32 = 8000;
/// A loudness range needs one window of 3 s.
const RANGE_WINDOW_S: usize = 3;

/// How [`Levels`] are measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelConfig {
    /// Magnitude from which a sample counts as clipped, above 0 to 1. Default 32767/32768, the largest 16-bit sample.
    pub clip_level: f32,
    /// Clipped samples in a row that make a run, 1 or more. Default 3: fewer are as likely peaks that were normalised.
    pub clip_run: usize,
    /// Length of the frames of `silence_ratio` in seconds, 0.001 to 60. Default 0.05.
    pub silence_frame_s: f64,
    /// RMS in dBFS below which a frame is silent, -200 to 0. Default -60.
    pub silence_dbfs: f64,
}

impl Default for LevelConfig {
    fn default() -> Self {
        Self { clip_level: 32767.0 / 32768.0, clip_run: 3, silence_frame_s: 0.05, silence_dbfs: -60.0 }
    }
}

impl LevelConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a field outside its range.
    pub fn plan(&self) -> Result<LevelMeter, AudioError> {
        if !(self.clip_level > 0.0 && self.clip_level <= 1.0) {
            return Err(AudioError::config("clip_level", self.clip_level, "above 0 to 1"));
        }
        if self.clip_run == 0 {
            return Err(AudioError::config("clip_run", 0, "1 or more"));
        }
        if !(0.001..=60.0).contains(&self.silence_frame_s) {
            return Err(AudioError::config("silence_frame_s", self.silence_frame_s, "0.001 to 60"));
        }
        if !(-200.0..=0.0).contains(&self.silence_dbfs) {
            return Err(AudioError::config("silence_dbfs", self.silence_dbfs, "-200 to 0"));
        }
        Ok(LevelMeter { config: *self })
    }
}

/// Levels of a recording. What has no value, such as the loudness of silence, is `None`.
///
/// Full scale is a sample of magnitude 1. Decibels are `20 log10` of the magnitude, so that a sine of amplitude 1 has a peak of
/// 0 dBFS and an RMS of -3.01 dBFS. Samples that are NaN, infinite or beyond 1e30 count as 0, and are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Levels {
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Samples per channel.
    pub frames: usize,
    /// Largest magnitude in dBFS; `None` where all samples are 0.
    pub peak_dbfs: Option<f64>,
    /// Largest magnitude between samples, by four-fold (from 96 kHz two-fold, from 192 kHz no) oversampling as in ITU-R
    /// BS.1770-4 annex 2, in dBTP; at least `peak_dbfs`. `None` where all samples are 0 and for more than 64 channels.
    pub true_peak_dbtp: Option<f64>,
    /// Root of the mean square over all channels in dBFS; `None` where all samples are 0.
    pub rms_dbfs: Option<f64>,
    /// Integrated loudness after EBU R 128 and ITU-R BS.1770-4 in LUFS. Channels count as mono (left alone), left and right,
    /// or in the order left, right, centre, LFE, left and right surround. `None` where no block of 0.4 s lies above the
    /// gate of -70 LUFS, for clips shorter than such a block, rates below 8 kHz, and more than 64 channels.
    pub loudness_lufs: Option<f64>,
    /// Loudness range after EBU Tech 3342 in LU. `None` without a loudness, and for clips shorter than its window of 3 s.
    pub loudness_range_lu: Option<f64>,
    /// Samples at or above [`LevelConfig::clip_level`], over all channels.
    pub clipped_samples: u64,
    /// Runs of at least [`LevelConfig::clip_run`] such samples in a row of one channel.
    pub clipped_runs: u64,
    /// Part of the frames that are silent, 0 to 1: blocks of `silence_frame_s`, one after the other, the last one perhaps
    /// shorter, whose RMS over all channels is below `silence_dbfs`.
    pub silence_ratio: f64,
    /// Mean of each channel.
    pub dc_offset: Vec<f64>,
    /// Samples that are NaN, infinite or beyond 1e30 in magnitude.
    pub non_finite_samples: u64,
}

/// Measures [`Levels`].
///
/// ```
/// use mgr_audio::LevelConfig;
///
/// // 1 kHz at -23 dBFS on both channels is -23 LUFS by definition.
/// let amplitude = 10f64.powf(-23.0 / 20.0);
/// let tone: Vec<f32> = (0..48_000 * 5)
///     .map(|n| (amplitude * (std::f64::consts::TAU * 1000.0 * f64::from(n) / 48_000.0).sin()) as f32)
///     .collect();
/// let levels = LevelConfig::default().plan()?.process(&[&tone, &tone], 48_000)?;
/// assert!((levels.loudness_lufs.unwrap_or(0.0) + 23.0).abs() < 0.1);
/// assert!((levels.peak_dbfs.unwrap_or(0.0) + 23.0).abs() < 0.01);
/// # Ok::<(), mgr_audio::AudioError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelMeter {
    config: LevelConfig,
}

impl LevelMeter {
    /// The config this plan was made from.
    #[must_use]
    pub fn config(&self) -> LevelConfig {
        self.config
    }

    /// Levels of a recording, given channel by channel.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a rate outside 100 to 1,000,000 Hz or a channel count outside 1 to 256,
    /// [`AudioError::BufferLength`] for channels of different lengths, [`AudioError::EmptySignal`] for channels of no samples.
    pub fn process(&self, channels: &[&[f32]], sample_rate: u32) -> Result<Levels, AudioError> {
        let mut stream = self.stream(channels.len(), sample_rate)?;
        stream.push(channels)?;
        stream.finish()
    }

    /// Measures a recording that comes in blocks, in memory that grows by 0.3 kB a second.
    ///
    /// # Errors
    /// [`AudioError::Config`] for a rate outside 100 to 1,000,000 Hz or a channel count outside 1 to 256.
    pub fn stream(&self, channels: usize, sample_rate: u32) -> Result<LevelStream, AudioError> {
        if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
            let allowed = format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}");
            return Err(AudioError::config("sample_rate", sample_rate, allowed));
        }
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(AudioError::config("channels", channels, format!("1 to {MAX_CHANNELS}")));
        }
        let mode = if sample_rate >= MIN_LOUDNESS_RATE {
            Mode::I | Mode::LRA | Mode::TRUE_PEAK
        } else {
            Mode::TRUE_PEAK
        };
        // The meter refuses nothing but channel counts and rates beyond its own limits.
        let loudness = (channels <= MAX_LOUDNESS_CHANNELS)
            .then(|| EbuR128::new(channels as u32, sample_rate, mode).ok())
            .flatten();
        let silence_frame = ((self.config.silence_frame_s * f64::from(sample_rate)).round() as usize).max(1);
        Ok(LevelStream {
            config: self.config,
            sample_rate,
            silence_frame,
            frames: 0,
            channels: vec![Channel::default(); channels],
            frame_energies: Vec::new(),
            loudness,
        })
    }
}

/// Measures a recording block by block; from [`LevelMeter::stream`]. The levels do not depend on how it is cut into blocks.
pub struct LevelStream {
    config: LevelConfig,
    sample_rate: u32,
    /// Samples of a frame of `silence_ratio`.
    silence_frame: usize,
    frames: usize,
    channels: Vec<Channel>,
    /// Sum of squares of each such frame over all channels.
    frame_energies: Vec<f64>,
    loudness: Option<EbuR128>,
}

/// What is gathered of one channel.
#[derive(Debug, Clone, Default)]
struct Channel {
    peak: f32,
    sum: f64,
    energy: f64,
    /// Clipped samples up to here without a break.
    run: usize,
    clipped_samples: u64,
    clipped_runs: u64,
    non_finite_samples: u64,
}

impl std::fmt::Debug for LevelStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config, sample_rate, frames, channels, .. } = self;
        f.debug_struct("LevelStream")
            .field("config", config)
            .field("sample_rate", sample_rate)
            .field("frames", frames)
            .field("channels", channels)
            .finish_non_exhaustive()
    }
}

impl LevelStream {
    /// Takes the next samples of every channel.
    ///
    /// # Errors
    /// [`AudioError::BufferLength`] for another number of channels, or channels of different lengths; nothing is taken then.
    pub fn push(&mut self, channels: &[&[f32]]) -> Result<(), AudioError> {
        if channels.len() != self.channels.len() {
            return Err(AudioError::BufferLength { expected: self.channels.len(), got: channels.len() });
        }
        let length = channels.first().map_or(0, |c| c.len());
        if let Some(other) = channels.iter().find(|c| c.len() != length) {
            return Err(AudioError::BufferLength { expected: length, got: other.len() });
        }
        let clean: Vec<Cow<'_, [f32]>> = channels.iter().map(|c| cleaned(c)).collect();
        let clean: Vec<&[f32]> = clean.iter().map(AsRef::as_ref).collect();
        let first = self.frames;
        self.frames += length;
        self.frame_energies.resize(self.frames.div_ceil(self.silence_frame), 0.0);
        for ((level, samples), raw) in self.channels.iter_mut().zip(&clean).zip(channels) {
            level.non_finite_samples += raw.iter().filter(|x| !is_usable(**x)).count() as u64;
            for &x in *samples {
                level.peak = level.peak.max(x.abs());
                level.sum += f64::from(x);
                level.energy += f64::from(x) * f64::from(x);
                level.run = if x.abs() >= self.config.clip_level { level.run + 1 } else { 0 };
                level.clipped_samples += u64::from(level.run > 0);
                level.clipped_runs += u64::from(level.run == self.config.clip_run);
            }
        }
        // Sample by sample over the channels, so that blocks make no difference to the sums.
        for n in 0..length {
            if let Some(energy) = self.frame_energies.get_mut((first + n) / self.silence_frame) {
                *energy +=
                    clean.iter().filter_map(|c| c.get(n)).map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
            }
        }
        if let Some(meter) = &mut self.loudness
            && meter.add_frames_planar_f32(&clean).is_err()
        {
            // Cannot be: the channels are as many as it was made for.
            self.loudness = None;
        }
        Ok(())
    }

    /// The levels of all that was pushed.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] where there were no samples.
    pub fn finish(self) -> Result<Levels, AudioError> {
        let Self { sample_rate, frames, ref channels, .. } = self;
        if frames == 0 {
            return Err(AudioError::EmptySignal);
        }
        let peak = channels.iter().fold(0.0, |peak: f32, c| peak.max(c.peak));
        let energy: f64 = channels.iter().map(|c| c.energy).sum();
        let rms = (energy / (frames as f64 * channels.len() as f64)).sqrt();
        let (loudness, range) = self.loudness();
        Ok(Levels {
            sample_rate,
            channels: channels.len(),
            frames,
            peak_dbfs: decibels(f64::from(peak)),
            true_peak_dbtp: self.true_peak().and_then(|p| decibels(p.max(f64::from(peak)))),
            rms_dbfs: decibels(rms),
            loudness_lufs: loudness,
            loudness_range_lu: range,
            clipped_samples: channels.iter().map(|c| c.clipped_samples).sum(),
            clipped_runs: channels.iter().map(|c| c.clipped_runs).sum(),
            silence_ratio: self.silence(),
            dc_offset: channels.iter().map(|c| c.sum / frames as f64).collect(),
            non_finite_samples: channels.iter().map(|c| c.non_finite_samples).sum(),
        })
    }

    /// Part of the frames that are silent.
    fn silence(&self) -> f64 {
        let threshold = 10f64.powf(self.config.silence_dbfs / 10.0);
        let is_silent = |(frame, energy): &(usize, &f64)| {
            let length = self.silence_frame.min(self.frames - frame * self.silence_frame);
            *energy / (length as f64 * self.channels.len() as f64) < threshold
        };
        let silent = self.frame_energies.iter().enumerate().filter(is_silent).count();
        silent as f64 / self.frame_energies.len() as f64
    }

    /// Integrated loudness and loudness range.
    fn loudness(&self) -> (Option<f64>, Option<f64>) {
        // Below 8 kHz the meter was not asked for it, which it answers with an error.
        let meter = self.loudness.as_ref();
        let Some(loudness) = meter.and_then(|m| m.loudness_global().ok()).filter(|l| l.is_finite()) else {
            return (None, None);
        };
        let is_long = self.frames / RANGE_WINDOW_S >= self.sample_rate as usize;
        let range = meter.filter(|_| is_long).and_then(|m| m.loudness_range().ok());
        (Some(loudness), range.filter(|r| r.is_finite()))
    }

    /// The largest magnitude between samples.
    fn true_peak(&self) -> Option<f64> {
        let meter = self.loudness.as_ref()?;
        (0..self.channels.len() as u32).try_fold(0.0, |peak: f64, c| Some(peak.max(meter.true_peak(c).ok()?)))
    }
}

fn is_usable(x: f32) -> bool {
    // NaN is in no range.
    (-MAX_MAGNITUDE..=MAX_MAGNITUDE).contains(&x)
}

/// The samples with 0 for those that are no numbers; copied only where there are any.
fn cleaned(samples: &[f32]) -> Cow<'_, [f32]> {
    if samples.iter().all(|&x| is_usable(x)) {
        return Cow::Borrowed(samples);
    }
    Cow::Owned(samples.iter().map(|&x| if is_usable(x) { x } else { 0.0 }).collect())
}

fn decibels(magnitude: f64) -> Option<f64> {
    (magnitude > 0.0).then(|| 20.0 * magnitude.log10())
}
