//! Which channels of a file are kept.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::AudioError;

/// Which channels of a file a clip holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelMix {
    /// The mean of all channels: `(l + r) / 2` in f32 for two, the sum in f64 over their number for more. The default.
    #[default]
    Mean,
    /// The first channel.
    Left,
    /// The second channel; that of a mono file is its only one.
    Right,
    /// The channel of this number, from 0, in the order of the file.
    Channel(usize),
    /// Every channel, planar.
    All,
}

/// A choice that a file of known channel count can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    Mean,
    One(usize),
    All,
}

impl ChannelMix {
    /// Checks the choice against a file.
    pub(crate) fn pick(self, path: &Path, channels: usize) -> Result<Pick, AudioError> {
        let wanted = match self {
            Self::Mean => return Ok(Pick::Mean),
            Self::All => return Ok(Pick::All),
            Self::Left => 0,
            Self::Right => usize::from(channels > 1),
            Self::Channel(channel) => channel,
        };
        if wanted >= channels {
            let path = path.to_path_buf();
            return Err(AudioError::ChannelMissing { path, channel: wanted, channels });
        }
        Ok(Pick::One(wanted))
    }
}

impl Pick {
    /// Planes that hold the choice for a file of `channels`.
    pub(crate) fn planes(self, channels: usize) -> usize {
        if self == Self::All { channels } else { 1 }
    }
}
