//! Music features, number for number as the references compute them: samples in, matrices and vectors out.
//!
//! Every feature has the same life:
//!
//! 1. a plain configuration, such as [`mel::MelConfig`], whose `Default` is the reference's;
//! 2. `config.plan(sample_rate)?` checks everything once and computes all tables: an immutable, `Send + Sync` plan;
//! 3. `plan.process(&samples)?` gives a matrix; `plan.process_into(&samples, out, &mut scratch)?` allocates nothing;
//!    `plan.stream()` takes samples in blocks of any size and gives the same columns, bit for bit.
//!
//! Those who only use features see them as an [`Extractor`], planned from a [`FeatureConfig`] that a TOML or JSON file holds.
//!
//! ```
//! use mgr_features::log_mel::LogMelConfig;
//!
//! let sample_rate = 22_050;
//! let samples: Vec<f32> = (0..sample_rate).map(|n| (n as f32 * 0.125).sin()).collect();
//! let log_mel = LogMelConfig::default().plan(sample_rate)?;
//! let matrix = log_mel.process(&samples)?;
//! assert_eq!(matrix.dim(), (128, 44));
//! # Ok::<(), mgr_features::FeatureError>(())
//! ```
//!
//! | room | what is in it |
//! |---|---|
//! | [`stft`] | short-time Fourier transform and its inverse |
//! | [`spectrogram`] | magnitudes and powers of it |
//! | [`mel`] | mel filter bank and mel spectrogram |
//! | [`log_mel`] | log-mel spectrogram |
//! | [`mfcc`] | mel-frequency cepstral coefficients |
//! | [`pcen`] | per-channel energy normalisation |
//! | [`delta`] | derivatives in time of any feature |
//! | [`stats`] | statistics over time of any feature or matrix: moments, quantiles, histograms, covariance, texture windows |
//! | [`cqt`] | constant-Q and variable-Q transforms, hybrid and pseudo |
//! | [`chroma`] | chroma of the STFT and of the CQT, CENS, tonal centroids |
//! | [`pitch`] | fundamental frequency (yin, pyin), spectral peaks, tuning |
//! | [`augment`] | masks and mixup of matrices |
//! | [`spectral`] | centroid, bandwidth, roll-off, flatness, contrast, polynomial, level, zero crossings |
//! | [`timbre`] | the timbre features of Marsyas |
//! | [`tzanetakis`] | the set of Tzanetakis and Cook, beat and pitch histograms |
//! | [`hpss`] | harmonic-percussive separation: spectrograms, masks, signals |
//! | [`rhythm_pattern`] | rhythm patterns, rhythm histograms, spectrum descriptors of the TU Wien |
//! | [`rhythm`] | onset strength, onsets, tempograms, tempo, beats, local pulse |
//! | [`scattering`] | time scattering |
//! | [`mlfcf`] | the spectrograms of multi-level local feature coding fusion |
//! | [`feature_set`] | several features planned together, batches of clips |
//! | [`vector_sets`] | vectors of the literature: GTZAN's 57, FMA's 518, Bahuleyan's 97, Choi's 120 |
//! | [`presets`] | front ends of published systems by name |
//! | [`effects`] | pre-emphasis, silence, mu-law, time stretch, pitch shift |
//! | [`invert`] | from mel, log-mel and MFCC back to sound |
//! | [`picture`] | a matrix as an array of colours |
//! | [`frame`], [`window`] | where frames lie, and what they are multiplied by |
//! | [`compress`], [`decibel`], [`normalize`], [`dct`] | what is done to columns and matrices |
//!
//! Samples are mono f32 and finite: NaN and infinities are refused with their index. Silence, one sample and constant
//! signals give defined values. Matrices are (rows, frames), with each column contiguous in memory.

pub mod augment;
mod check;
pub mod chroma;
mod column;
pub mod compress;
mod config;
pub mod cqt;
pub mod dct;
pub mod decibel;
pub mod delta;
pub mod effects;
mod error;
mod extractor;
pub mod feature_set;
pub mod frame;
mod frequency;
pub mod hpss;
pub mod invert;
mod log;
pub mod log_mel;
pub mod mel;
pub mod mfcc;
pub mod mlfcf;
pub mod normalize;
pub mod pcen;
pub mod picture;
pub mod pitch;
pub mod presets;
mod real_fft;
mod real_inverse;
pub mod rhythm;
pub mod rhythm_pattern;
pub mod scattering;
mod simd;
pub mod spectral;
pub mod spectrogram;
pub mod stats;
pub mod stft;
pub mod timbre;
pub mod tzanetakis;
pub mod vector_sets;
pub mod window;

pub use column::ColumnStream;
pub use config::FeatureConfig;
pub use error::FeatureError;
pub use extractor::{Axis, Extractor, Layout, Scratch, Unit};
