//! Rhythm: onset strength, onsets, tempograms, tempo, beats, and the predominant local pulse.
//!
//! All stand on the onset strength, [`OnsetStrengthConfig`]: by how much a log-mel spectrogram rises. The others are features of that
//! envelope, and take one that is there already with `process_envelope`; from a mel spectrogram that is there already, with
//! `process_mel`. A [`crate::feature_set::FeatureSet`] computes the mel spectrogram once for all of them.
//!
//! | feature | result |
//! |---|---|
//! | [`OnsetStrength`] | (1, frames), or a row for each group of bands |
//! | [`OnsetDetect`] | [`Events`], or (1, frames) of 0 and 1 |
//! | [`Tempogram`] | (lags, frames) |
//! | [`FourierTempogram`] | (tempos, frames), magnitudes or complex |
//! | [`TempogramRatio`] | (multiples of the tempo, frames) |
//! | [`Tempo`] | beats a minute of the clip, or (1, frames) |
//! | [`BeatTrack`] | [`Beats`], or (1, frames) of 0 and 1 |
//! | [`Plp`] | (1, frames), pulses from 0 to 1 |
//!
//! Events are lists of no fixed length. As a feature with a shape they are the row of 0 and 1 that the reference gives with
//! `sparse=False`; the typed methods give lists of frames, samples and seconds.
//!
//! Cost for 30 s with the defaults (1,292 frames): the mel spectrogram, 1,292 transforms of 2048 in f32; a tempogram, two transforms of
//! 768 in f64 for every two frames; a tempo of the clip half of that, since the mean is taken of powers; beats, 60 sums and comparisons
//! a frame.

mod autocorrelation;
mod beat;
mod beat_program;
mod events;
mod flux;
mod fourier_tempogram;
mod on_envelope;
mod onset_detect;
mod onset_strength;
mod peaks;
mod plp;
mod prior;
mod tempo;
mod tempogram;
mod tempogram_ratio;

pub use beat::{BeatTempo, BeatTrack, BeatTrackConfig, BeatTrackScratch, Beats};
pub use events::Events;
pub use flux::Aggregate;
pub use fourier_tempogram::{FourierTempogram, FourierTempogramConfig, FourierTempogramScratch};
pub use onset_detect::{OnsetDetect, OnsetDetectConfig, OnsetDetectScratch};
pub use onset_strength::{OnsetBands, OnsetStrength, OnsetStrengthConfig, OnsetStrengthScratch};
pub use peaks::{PeakPick, PeakPickConfig, backtrack};
pub use plp::{Plp, PlpConfig, PlpScratch, PulseNorm};
pub use prior::{TempoPrior, TempoSearch};
pub use tempo::{Tempo, TempoConfig, TempoResolution, TempoScratch};
pub use tempogram::{Tempogram, TempogramConfig, TempogramScratch};
pub use tempogram_ratio::{TempogramRatio, TempogramRatioConfig, TempogramRatioScratch};
