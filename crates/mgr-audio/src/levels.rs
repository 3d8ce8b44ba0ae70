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
        if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
            let allowed = format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}");
            return Err(AudioError::config("sample_rate", sample_rate, allowed));
        }
        let Some(first) = channels.first().filter(|_| channels.len() <= MAX_CHANNELS) else {
            return Err(AudioError::config("channels", channels.len(), format!("1 to {MAX_CHANNELS}")));
        };
        let frames = first.len();
        if let Some(other) = channels.iter().find(|c| c.len() != frames) {
            return Err(AudioError::BufferLength { expected: frames, got: other.len() });
        }
        if frames == 0 {
            return Err(AudioError::EmptySignal);
        }
        let bad = |channel: &&[f32]| channel.iter().filter(|x| !is_usable(**x)).count() as u64;
        let non_finite_samples = channels.iter().map(bad).sum();
        let clean: Vec<Cow<'_, [f32]>> =
            channels.iter().map(|c| cleaned(c, non_finite_samples > 0)).collect();
        let clean: Vec<&[f32]> = clean.iter().map(AsRef::as_ref).collect();

        let peak = clean.iter().flat_map(|c| c.iter()).fold(0.0f32, |peak, x| peak.max(x.abs()));
        let energy: f64 = clean.iter().map(|c| energy(c)).sum();
        let rms = (energy / (frames * clean.len()) as f64).sqrt();
        let (clipped_samples, clipped_runs) = self.clipping(&clean);
        let programme = if clean.len() <= MAX_LOUDNESS_CHANNELS {
            programme(&clean, sample_rate).unwrap_or_default()
        } else {
            Programme::default()
        };
        Ok(Levels {
            sample_rate,
            channels: clean.len(),
            frames,
            peak_dbfs: decibels(f64::from(peak)),
            true_peak_dbtp: programme.true_peak.and_then(|p| decibels(p.max(f64::from(peak)))),
            rms_dbfs: decibels(rms),
            loudness_lufs: programme.loudness,
            loudness_range_lu: programme.range,
            clipped_samples,
            clipped_runs,
            silence_ratio: self.silence(&clean, frames, sample_rate),
            dc_offset: clean
                .iter()
                .map(|c| c.iter().map(|&x| f64::from(x)).sum::<f64>() / frames as f64)
                .collect(),
            non_finite_samples,
        })
    }

    /// Clipped samples, and runs of them.
    fn clipping(&self, channels: &[&[f32]]) -> (u64, u64) {
        let (mut samples, mut runs) = (0, 0);
        for channel in channels {
            let mut run = 0;
            for x in *channel {
                run = if x.abs() >= self.config.clip_level { run + 1 } else { 0 };
                samples += u64::from(run > 0);
                runs += u64::from(run == self.config.clip_run);
            }
        }
        (samples, runs)
    }

    /// Part of the frames that are silent.
    fn silence(&self, channels: &[&[f32]], samples: usize, sample_rate: u32) -> f64 {
        let length = ((self.config.silence_frame_s * f64::from(sample_rate)).round() as usize).max(1);
        let threshold = 10f64.powf(self.config.silence_dbfs / 10.0);
        let frames = samples.div_ceil(length);
        let is_silent = |frame: &usize| {
            let range = frame * length..((frame + 1) * length).min(samples);
            let count = (range.len() * channels.len()) as f64;
            let sum: f64 = channels.iter().map(|c| energy(c.get(range.clone()).unwrap_or_default())).sum();
            sum / count < threshold
        };
        (0..frames).filter(is_silent).count() as f64 / frames as f64
    }
}

fn is_usable(x: f32) -> bool {
    // NaN is in no range.
    (-MAX_MAGNITUDE..=MAX_MAGNITUDE).contains(&x)
}

/// The channel with 0 for samples that are no numbers; copied only where there are any.
fn cleaned(channel: &[f32], copy: bool) -> Cow<'_, [f32]> {
    if copy {
        Cow::Owned(channel.iter().map(|&x| if is_usable(x) { x } else { 0.0 }).collect())
    } else {
        Cow::Borrowed(channel)
    }
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

fn decibels(magnitude: f64) -> Option<f64> {
    (magnitude > 0.0).then(|| 20.0 * magnitude.log10())
}

#[derive(Debug, Default)]
struct Programme {
    loudness: Option<f64>,
    range: Option<f64>,
    true_peak: Option<f64>,
}

/// What the loudness meter gives; an error of it, which checked input does not cause, as no value.
fn programme(channels: &[&[f32]], sample_rate: u32) -> Result<Programme, ebur128::Error> {
    let frames = channels.first().map_or(0, |c| c.len());
    let is_measured = sample_rate >= MIN_LOUDNESS_RATE;
    let mode = if is_measured { Mode::I | Mode::LRA | Mode::TRUE_PEAK } else { Mode::TRUE_PEAK };
    let mut meter = EbuR128::new(channels.len() as u32, sample_rate, mode)?;
    meter.add_frames_planar_f32(channels)?;
    let mut peak = 0.0f64;
    for channel in 0..channels.len() as u32 {
        peak = peak.max(meter.true_peak(channel)?);
    }
    let mut programme = Programme { true_peak: Some(peak), ..Programme::default() };
    if is_measured {
        programme.loudness = Some(meter.loudness_global()?).filter(|l| l.is_finite());
        if programme.loudness.is_some() && frames / RANGE_WINDOW_S >= sample_rate as usize {
            programme.range = Some(meter.loudness_range()?).filter(|l| l.is_finite());
        }
    }
    Ok(programme)
}
