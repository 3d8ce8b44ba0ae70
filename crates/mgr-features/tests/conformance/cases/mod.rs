//! What the suite runs over: one file a family. Each case is a configuration and what is true of it.

use mgr_features::FeatureConfig;

/// A configuration, and the promises that it makes beyond those that every feature makes.
pub(crate) struct Case {
    pub(crate) config: FeatureConfig,
    /// It streams. One that does not has to say why.
    pub(crate) streams: bool,
    /// Twice the signal gives `2^p` times the values.
    pub(crate) homogeneous: Option<f32>,
    /// Silence gives zeros.
    pub(crate) zero_for_silence: bool,
    /// Silence may give negative infinity.
    pub(crate) minus_infinity: bool,
    /// Its columns are no times.
    pub(crate) no_time: bool,
    /// Samples of the signals on which costly promises are checked; longer than any frame.
    pub(crate) length: usize,
}

impl Case {
    pub(crate) fn new(config: FeatureConfig) -> Self {
        Self {
            config,
            streams: true,
            homogeneous: None,
            zero_for_silence: false,
            minus_infinity: false,
            no_time: false,
            length: 6000,
        }
    }

    /// It needs the whole signal first.
    pub(crate) fn whole(self) -> Self {
        Self { streams: false, ..self }
    }

    /// Twice the signal gives `2^power` times the values, silence zeros.
    pub(crate) fn homogeneous(self, power: f32) -> Self {
        Self { homogeneous: Some(power), zero_for_silence: true, ..self }
    }

    /// Silence may give negative infinity.
    pub(crate) fn minus_infinity(self) -> Self {
        Self { minus_infinity: true, ..self }
    }

    /// Its columns are no times.
    pub(crate) fn no_time(self) -> Self {
        Self { no_time: true, ..self }
    }

    /// It takes longer signals than most.
    pub(crate) fn length(self, length: usize) -> Self {
        Self { length, ..self }
    }
}

/// Declares the families: their modules, all their cases, and all that they refuse.
macro_rules! families {
    ($($family:ident,)*) => {
        $(mod $family;)*

        /// All cases of all families.
        pub(crate) fn all() -> Vec<Case> {
            let mut all = Vec::new();
            $(all.extend($family::cases());)*
            all
        }

        /// Configurations that are refused, with the field that the error names.
        pub(crate) fn refused() -> Vec<(FeatureConfig, &'static str)> {
            let mut all = Vec::new();
            $(all.extend($family::refused());)*
            all
        }
    };
}

families! {
    hpss,
    chroma,
    cqt,
    mel,
    pitch,
    rhythm_pattern,
    rhythm,
    scattering,
    spectral,
    stats,
    timbre,
    vector_sets,
    tzanetakis,
}
