//! The scattering front end of multi-level local feature coding fusion (Ng, Zeng and Wang 2020).

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::{Averaging, Scattering, ScatteringConfig, ScatteringScratch};
use crate::extractor::{Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};

/// Parameters of the front end. Defaults: `j` 10, `q` 6.
///
/// The published numbers come from [`Scaling::Legacy`](super::Scaling::Legacy): here rows then lie lower by a constant each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlfcfScatteringConfig {
    /// The transform.
    pub scattering: ScatteringConfig,
}

impl Default for MlfcfScatteringConfig {
    fn default() -> Self {
        Self { scattering: ScatteringConfig { j: 10, q: 6, ..ScatteringConfig::default() } }
    }
}

impl MlfcfScatteringConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`], as [`ScatteringConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<MlfcfScattering, FeatureError> {
        if self.scattering.averaging == Averaging::Global {
            return Err(FeatureError::parameter("averaging", "global", "scale or samples"));
        }
        Ok(MlfcfScattering { scattering: self.scattering.plan(sample_rate)? })
    }
}

/// The planned front end, (paths, columns + 1): the signal divided by its peak, its scattering, the last column once more,
/// `ln |value|`, with 1e-6 for zeros.
///
/// Silence stays as it is. Source: the authors' code, which stores the transpose.
///
/// ```
/// use mgr_features::scattering::MlfcfScatteringConfig;
/// let front_end = MlfcfScatteringConfig::default().plan(22_050)?;
/// assert_eq!(front_end.process(&[0.0; 22_050])?.dim(), (280, 22));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MlfcfScattering {
    scattering: Scattering,
}

/// In place of zeros.
const FLOOR: f64 = 1e-6;

impl MlfcfScattering {
    /// The transform.
    #[must_use]
    pub fn scattering(&self) -> &Scattering {
        &self.scattering
    }

    /// Buffers for long signals; see [`Scattering::scratch`].
    #[must_use]
    pub fn scratch(&self) -> ScatteringScratch {
        self.scattering.scratch()
    }

    /// The features of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// As [`Scattering::process`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The features of a signal into `out` of (paths, columns + 1). Allocates nothing.
    ///
    /// # Errors
    /// As [`Scattering::process_into`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut ScatteringScratch,
    ) -> Result<(), FeatureError> {
        let columns = self.scattering.columns(samples.len())?;
        check::shape(&out, self.scattering.paths().len(), columns + 1)?;
        check::finite(samples)?;
        self.run(samples, scratch, &mut |row: usize, at: usize, value: f64| {
            out[[row, at]] = value as f32;
            if at + 1 == columns {
                out[[row, columns]] = value as f32;
            }
        })
    }

    /// The same in double precision.
    ///
    /// # Errors
    /// As [`MlfcfScattering::process`].
    pub fn process_double(&self, samples: &[f32]) -> Result<Array2<f64>, FeatureError> {
        let columns = self.scattering.columns(samples.len())?;
        let mut out = check::matrix::<f64>(self.scattering.paths().len(), columns + 1)?;
        check::finite(samples)?;
        self.run(samples, &mut self.scattering.scratch_for(samples.len()), &mut |row, at, value| {
            out[[row, at]] = value;
        })?;
        let last = out.column(columns - 1).to_owned();
        out.column_mut(columns).assign(&last);
        Ok(out)
    }

    fn run(
        &self,
        samples: &[f32],
        scratch: &mut ScatteringScratch,
        take: &mut impl FnMut(usize, usize, f64),
    ) -> Result<(), FeatureError> {
        let peak = samples.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
        let gain = if peak > 0.0 { 1.0 / f64::from(peak) } else { 1.0 };
        self.scattering.run(samples, gain, scratch, &mut |row: usize, at: usize, value: f64| {
            take(row, at, if value == 0.0 { FLOOR.ln() } else { value.abs().ln() });
        })
    }
}

impl Extractor for MlfcfScattering {
    by_process_into!("mlfcf_scattering");

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(self.scattering.scratch_for(samples))
    }

    fn frame_length(&self) -> usize {
        self.scattering.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let layout = self.scattering.layout(samples)?;
        Ok(Layout { columns: layout.columns + 1, unit: Unit::LnMagnitude, ..layout })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Err(FeatureError::NotStreamable {
            feature: "mlfcf_scattering",
            reason: "it divides by the peak of the whole signal",
        })
    }
}
