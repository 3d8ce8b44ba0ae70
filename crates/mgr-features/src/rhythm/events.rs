//! Events: onsets and beats as lists of frames.

/// Frames of events, in order, with what turns them into samples and seconds.
///
/// Frame `t` stands at sample `t hop_length`, whether or not frames are centred, as in the reference.
///
/// ```
/// use mgr_features::rhythm::OnsetDetectConfig;
/// let mut x = vec![0.0; 44_100];
/// (5120..44_100).step_by(11_264).for_each(|n| x[n] = 1.0);
/// let onsets = OnsetDetectConfig::default().plan(22_050)?.detect(&x)?;
/// assert_eq!(onsets.len(), 4);
/// assert!(onsets.times().zip([0.232, 0.743, 1.254, 1.765]).all(|(t, want): (f64, f64)| (t - want).abs() < 0.05));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Events {
    frames: Vec<usize>,
    hop_length: usize,
    sample_rate: u32,
}

impl Events {
    pub(super) fn new(frames: Vec<usize>, hop_length: usize, sample_rate: u32) -> Self {
        Self { frames, hop_length, sample_rate }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Their frames.
    #[must_use]
    pub fn frames(&self) -> &[usize] {
        &self.frames
    }

    /// Their samples: `frame hop_length`.
    pub fn samples(&self) -> impl Iterator<Item = usize> + '_ {
        self.frames.iter().map(|frame| frame * self.hop_length)
    }

    /// Their seconds: `frame hop_length / sample_rate`.
    pub fn times(&self) -> impl Iterator<Item = f64> + '_ {
        self.samples().map(|sample| sample as f64 / f64::from(self.sample_rate))
    }
}
