//! Feature vectors of the literature: one vector of named values for a clip, as the tables have them that were published with them.
//!
//! | set | values | made for | of |
//! |---|---|---|---|
//! | [`Gtzan57Config`] | 57 | 22,050 Hz | the well-known table of GTZAN: means and variances, tempo |
//! | [`Fma518Config`] | 518 | 44,100 Hz | FMA (Defferrard et al. 2017): seven statistics of 74 rows |
//! | [`Bahuleyan97Config`] | 97 | 22,050 Hz | Bahuleyan 2018: means and deviations, tempo |
//! | [`ChoiMfcc120Config`] | 120 | 12,000 Hz | Choi et al. 2017: the MFCC that their networks are compared with |
//! | [`Gtzan8MfccConfig`] | 91 a frame | 16,000 Hz | GTZAN-8 study 2020: MFCC, derivatives, centroid; a matrix |
//!
//! A set takes any sampling rate that its parts take, and makes of it what its reference would; [`crate::presets`] has those that are
//! made for another than 22,050 Hz with their rate. The magnitudes of one transform in double precision serve all descriptors, the
//! chroma and the MFCC of a set, and, in the GTZAN table, the separation too.
//!
//! All were made with librosa before 0.10, which mirrors the signal at its ends: that is the default here
//! ([`crate::frame::Padding::Reflect`]), and zeros, as librosa pads today, are an option. Faults of the references that are known
//! are kept by default and have a switch.
//!
//! Silence gives what the parts give for silence (a tempo of what is likeliest beforehand, 117.5 at 22,050 Hz), and nothing that is not a
//! number: see [`crate::stats`] for constant rows.

mod bahuleyan97;
mod choi_mfcc120;
mod engine;
mod fma518;
mod gtzan57;
mod gtzan8_mfcc;
mod sources;

pub use bahuleyan97::{Bahuleyan97Config, FourthBandwidth, Rounding};
pub use choi_mfcc120::ChoiMfcc120Config;
pub use engine::{VectorSet, VectorSetScratch};
pub use fma518::{DescriptorRate, Fma518Config};
pub use gtzan8_mfcc::{Gtzan8Mfcc, Gtzan8MfccConfig, Gtzan8MfccScratch};
pub use gtzan57::{Gtzan57Config, SignalTail};

use crate::frame::Padding;
use crate::log_mel::LogMelConfig;
use crate::mel::MelConfig;
use crate::mfcc::MfccConfig;
use crate::stft::StftConfig;

/// librosa's default transform with that padding.
fn stft(padding: Padding) -> StftConfig {
    StftConfig { padding, ..StftConfig::default() }
}

/// librosa's default log-mel spectrogram with that padding.
fn log_mel(padding: Padding) -> LogMelConfig {
    let mel = MelConfig { stft: stft(padding), ..MelConfig::default() };
    LogMelConfig { mel, ..LogMelConfig::default() }
}

/// librosa's 20 MFCC with that padding.
fn mfcc(padding: Padding) -> MfccConfig {
    MfccConfig { log_mel: log_mel(padding), ..MfccConfig::default() }
}
