//! The steps of MusicFeaturization and of the study that it builds on.
