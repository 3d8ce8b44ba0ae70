//! Effects on samples: samples in, samples out (or where to cut them).
//!
//! | effect | config -> plan |
//! |---|---|
//! | pre-emphasis and its inverse | [`PreEmphasisConfig`] -> [`PreEmphasis`] |
//! | silence at the ends, silence between | [`TrimConfig`] -> [`Trim`] |
//! | mu-law companding | [`MuLawConfig`] -> [`MuLaw`] |
//! | another speed at the same pitch | [`TimeStretchConfig`] -> [`TimeStretch`] |
//! | another pitch at the same speed | [`PitchShiftConfig`] -> [`PitchShift`] |
//! | another speed of a transform | [`PhaseVocoderConfig`] -> [`PhaseVocoder`] |

mod interpolate;
mod mu_law;
mod phase_vocoder;
mod pitch_shift;
mod pre_emphasis;
mod time_stretch;
mod trim;

pub use mu_law::{MuLaw, MuLawConfig};
pub use phase_vocoder::{PhaseVocoder, PhaseVocoderConfig};
pub use pitch_shift::{PitchShift, PitchShiftConfig, PitchShiftScratch};
pub use pre_emphasis::{PreEmphasis, PreEmphasisConfig, PreEmphasisStream, Start};
pub use time_stretch::{TimeStretch, TimeStretchConfig, TimeStretchScratch};
pub use trim::{Trim, TrimConfig};
