//! Another sound under the clip.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    AugmentError, Augmentation, Draw, MAX_DB, MAX_MAGNITUDE, Outcome, Random, Step, Values, add_scaled,
    check_rate, energy, snr_scale,
};

const NAME: &str = "background_mix";

/// A sound to be mixed under clips. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Background {
    name: String,
    samples: Arc<[f32]>,
}

impl Background {
    /// A sound under a name for the log; its samples are at the rate of the clips.
    ///
    /// # Errors
    /// [`AugmentError::Config`] without samples, or for one that is NaN, infinite or beyond 1e30.
    pub fn new(name: impl Into<String>, samples: impl Into<Arc<[f32]>>) -> Result<Self, AugmentError> {
        let (name, samples) = (name.into(), samples.into());
        if samples.is_empty() {
            return Err(AugmentError::config("background", format!("{name} of 0 samples"), "1 or more"));
        }
        if let Some(bad) = samples.iter().find(|x| !(-MAX_MAGNITUDE..=MAX_MAGNITUDE).contains(*x)) {
            let value = format!("{name} with a sample of {bad}");
            return Err(AugmentError::config("background", value, "-1e30 to 1e30"));
        }
        Ok(Self { name, samples })
    }

    /// The name in the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a piece of `samples` samples may begin: 0 to this. A background shorter than that repeats and may begin anywhere.
    fn last_offset(&self, samples: usize) -> usize {
        self.samples.len().checked_sub(samples).unwrap_or(self.samples.len() - 1)
    }

    /// The sound from `offset` on, repeated without end.
    fn from(&self, offset: usize) -> impl Iterator<Item = f32> + Clone + '_ {
        self.samples.iter().copied().cycle().skip(offset)
    }
}

/// A background under the clip: `y[n] = x[n] + a b[n + k]` with `a = sqrt(sum x^2 / sum b^2) / 10^(s / 20)` over the clip's length.
///
/// Background, offset `k` and signal-to-noise ratio `s` are drawn. A background longer than the clip gives a piece of it, a
/// shorter one repeats. Where the clip or the piece is silent (all samples 0) nothing is done, logged as [`Outcome::Silent`]. The
/// result may exceed full scale and is not clipped.
///
/// Logged: `background`, `offset`, `snr_db`.
///
/// ```
/// use mgr_audio::augment::{Background, BackgroundMixConfig, Chain};
///
/// let rain = Background::new("rain", vec![0.1, -0.2, 0.05, 0.1])?;
/// let chain = Chain::new(vec![BackgroundMixConfig::default().plan(22_050, vec![rain])?]);
/// let mixed = chain.process(&[0.5; 100], 1)?;
/// assert_ne!(mixed.samples, [0.5; 100]);
/// # Ok::<(), mgr_audio::augment::AugmentError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundMixConfig {
    /// Signal-to-noise ratio over the clip in dB, -120 to 120. Default uniform from 3 to 30.
    pub snr_db: Draw,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for BackgroundMixConfig {
    fn default() -> Self {
        Self { snr_db: Draw::Uniform(3.0, 30.0), probability: 1.0 }
    }
}

impl BackgroundMixConfig {
    /// Checks the range and the backgrounds, of which each is as likely.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a ratio or probability outside its range, no background or two of one name, or a rate outside
    /// 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32, backgrounds: Vec<Background>) -> Result<Step, AugmentError> {
        check_rate(sample_rate)?;
        self.snr_db.check("snr_db", -MAX_DB, MAX_DB)?;
        if backgrounds.is_empty() {
            return Err(AugmentError::config("backgrounds", "none", "1 or more"));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = backgrounds.iter().find(|b| !names.insert(b.name())) {
            return Err(AugmentError::config(
                "backgrounds",
                format!("{} twice", twice.name),
                "each name once",
            ));
        }
        Step::new(BackgroundMix { snr_db: self.snr_db.clone(), backgrounds }, self.probability)
    }
}

#[derive(Debug)]
struct BackgroundMix {
    snr_db: Draw,
    backgrounds: Vec<Background>,
}

impl Augmentation for BackgroundMix {
    fn name(&self) -> &'static str {
        NAME
    }

    fn draw(&self, samples: usize, random: &mut Random) -> Values {
        let index = random.integer(0, self.backgrounds.len() as i64 - 1);
        let background = self.backgrounds.get(index as usize);
        let last = background.map_or(0, |b| b.last_offset(samples));
        Values::new()
            .with_text("background", background.map_or("", |b| &b.name))
            .with_integer("offset", random.integer(0, last as i64))
            .with_number("snr_db", self.snr_db.draw(random))
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let name = values.text(NAME, "background")?;
        let Some(background) = self.backgrounds.iter().find(|b| b.name == name) else {
            return Err(AugmentError::log(
                NAME,
                format!("background is {name}, which the chain does not have"),
            ));
        };
        let last = background.last_offset(samples.len());
        let offset = values.integer(NAME, "offset", 0, last as i64)? as usize;
        let snr_db = values.number(NAME, "snr_db", -MAX_DB, MAX_DB)?;
        let piece: Vec<f32> = background.from(offset).take(samples.len()).collect();
        let Some(scale) = snr_scale(energy(samples), energy(&piece), snr_db) else {
            return Ok(Outcome::Silent);
        };
        add_scaled(samples, piece.iter().copied(), scale);
        Ok(Outcome::Applied)
    }
}
