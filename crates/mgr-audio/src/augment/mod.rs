//! Augmentation of mono clips: noise, shift, gain, polarity, fades, filters, backgrounds; seeded, composed and logged.
//!
//! | config | step | what |
//! |---|---|---|
//! | [`WhiteNoiseConfig`] | `white_noise` | Gaussian noise by its standard deviation or by signal-to-noise ratio |
//! | [`CircularShiftConfig`] | `circular_shift` | the clip turned round in time |
//! | [`GainConfig`] | `gain` | louder or softer, in dB |
//! | [`PolarityInversionConfig`] | `polarity_inversion` | every sample negated |
//! | [`FadeConfig`] | `fade` | fades at both ends |
//! | [`LowPassConfig`], [`HighPassConfig`] | `low_pass`, `high_pass` | Butterworth filters |
//! | [`BackgroundMixConfig`] | `background_mix` | another sound at a signal-to-noise ratio |
//!
//! Each config's `plan` checks it once and gives a [`Step`]; steps make a [`Chain`]. A chain is a pure function of the samples
//! and a seed: it gives the samples and a [`StepLog`] per step with every value that was drawn, and [`Chain::replay`] repeats
//! a run from its log, bit for bit. A step of your own is an [`Augmentation`]; time stretch and pitch shift, which need transforms,
//! join the chain in `mgr-data`.
//!
//! Every step has random numbers of its own, keyed by the seed, its place in the chain and its name: another range in one step
//! leaves the draws of the others alone. Only IEEE additions, multiplications, divisions and square roots and the `libm` crate's
//! functions make the samples, so a seed gives the same bytes on every platform, whatever the thread.
//!
//! ```
//! use mgr_audio::augment::{Chain, Draw, GainConfig, NoiseLevel, WhiteNoiseConfig};
//!
//! let noise = WhiteNoiseConfig { level: NoiseLevel::SnrDb(Draw::Uniform(10.0, 30.0)), probability: 0.5 };
//! let gain = GainConfig { gain_db: Draw::Uniform(-6.0, 6.0), ..GainConfig::default() };
//! let chain = Chain::new(vec![noise.plan(22_050)?, gain.plan(22_050)?]);
//!
//! let clip: Vec<f32> = (0..22_050).map(|n| (n as f32 * 0.05).sin() * 0.5).collect();
//! let first = chain.process(&clip, 7)?;
//! assert_eq!(first.samples.len(), clip.len());
//! assert_eq!(first.log[1].step, "gain");
//! assert_eq!(chain.replay(&clip, &first.log)?, first);
//! # Ok::<(), mgr_audio::augment::AugmentError>(())
//! ```

mod background;
mod chain;
mod draw;
mod error;
mod fade;
mod filter;
mod gain;
mod log;
mod noise;
mod random;
mod shift;

pub use background::{Background, BackgroundMixConfig};
pub use chain::{Augmentation, Augmented, Chain, Step};
pub use draw::Draw;
pub use error::AugmentError;
pub use fade::{FadeConfig, FadeShape};
pub use filter::{HighPassConfig, LowPassConfig};
pub use gain::{GainConfig, PolarityInversionConfig};
pub use log::{Outcome, StepLog, Value, Values};
pub use noise::{NoiseLevel, WhiteNoiseConfig};
pub use random::Random;
pub use shift::{CircularShiftConfig, ShiftRange};

use crate::{MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// The largest sample, as in decoding: beyond it a sample counts as not finite, so that sums of squares stay finite.
const MAX_MAGNITUDE: f32 = 1e30;

/// The largest gain and the largest signal-to-noise ratio in dB, either way.
const MAX_DB: f64 = 120.0;

/// Refuses a rate that nothing in this crate reads or writes.
fn check_rate(sample_rate: u32) -> Result<f64, AugmentError> {
    if (MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
        return Ok(f64::from(sample_rate));
    }
    Err(AugmentError::config("sample_rate", sample_rate, format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}")))
}

/// Amplitude ratio of a level, `10^(db / 20)`.
fn amplitude(db: f64) -> f64 {
    libm::pow(10.0, db / 20.0)
}

/// Sum of squares; at most 2^30 samples of at most 1e30 each, so it is finite.
fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

/// `samples + scale * added`, rounded once.
fn add_scaled(samples: &mut [f32], added: impl Iterator<Item = f32>, scale: f64) {
    for (sample, other) in samples.iter_mut().zip(added) {
        *sample = (f64::from(*sample) + scale * f64::from(other)) as f32;
    }
}

/// The factor that brings a sound of `noise_energy` to `snr_db` below one of `signal_energy` over as many samples; `None` where
/// one of them is silent, so that there is no such factor.
fn snr_scale(signal_energy: f64, noise_energy: f64, snr_db: f64) -> Option<f64> {
    (signal_energy > 0.0 && noise_energy > 0.0)
        .then(|| (signal_energy / noise_energy).sqrt() / amplitude(snr_db))
}
