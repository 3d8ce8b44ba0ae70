//! The front ends of published systems, as named configurations.

use crate::compress::{Compression, Reference};
use crate::log_mel::LogMelConfig;
use crate::mel::{MelBankConfig, MelConfig};
use crate::stft::StftConfig;

fn mel(n_fft: usize, hop_length: usize, n_mels: usize) -> MelConfig {
    MelConfig {
        stft: StftConfig { n_fft, hop_length, ..StftConfig::default() },
        bank: MelBankConfig { n_mels, ..MelBankConfig::default() },
        ..MelConfig::default()
    }
}

/// musicnn (Pons and Serra 2019), for 16 kHz: 512/256, 96 bands, `log10(10000 s + 1)`. Its matrix is (frames, bands): transpose.
#[must_use]
pub fn musicnn() -> LogMelConfig {
    LogMelConfig { mel: mel(512, 256, 96), compression: Compression::Log10 { scale: 10_000.0 } }
}

/// The GTZAN-8 study (2020), for 16 kHz: 1024/512, 96 bands, decibels over a power of 1, range 80 dB under the clip's
/// largest.
#[must_use]
pub fn gtzan8() -> LogMelConfig {
    let compression =
        Compression::Decibel { reference: Reference::Value(1.0), amin: 1e-10, top_db: Some(80.0) };
    LogMelConfig { mel: mel(1024, 512, 96), compression }
}
