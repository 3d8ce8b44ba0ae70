//! A constant-Q transform whose tuning is known only with the signal: tables made anew in one place.

use ndarray::ArrayViewMut2;

use super::config::{CqtConfig, Gamma};
use super::kernel::Work;
use super::process_rows;
use super::tree::{Design, State, Tables};
use crate::FeatureError;

/// The tables and buffers of whichever tuning came last.
pub(crate) struct Retuned {
    design: Design,
    tables: Tables,
    work: Work,
    state: State<f32>,
    tuning: f64,
}

impl std::fmt::Debug for Retuned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retuned").field("tuning", &self.tuning).finish_non_exhaustive()
    }
}

impl Retuned {
    /// With room for any tuning of half a bin.
    pub(crate) fn new(config: &CqtConfig, sample_rate: u32) -> Result<Self, FeatureError> {
        let design = config.design(Gamma::Hz(0.0), sample_rate)?;
        let (mut tables, mut work) = (Tables::new(&design, 0.0)?, Work::default());
        let mut state = State::new(&design, &tables);
        // The lowest tuning has the longest filters; the highest may be over the Nyquist frequency, and is then refused again
        // when it is met.
        for tuning in [0.499, -0.499, 0.0] {
            if tables.rebuild(&design, tuning, &mut work).is_ok() {
                tables.reserve();
                state.reset(&design, &tables);
            }
        }
        tables.rebuild(&design, 0.0, &mut work)?;
        Ok(Self { design, tables, work, state, tuning: 0.0 })
    }

    /// Magnitudes of a signal at a tuning in -0.5 to 0.5; `out` has at most the columns that there are.
    pub(crate) fn process_into(
        &mut self,
        samples: &[f32],
        tuning: f64,
        out: ArrayViewMut2<'_, f32>,
    ) -> Result<(), FeatureError> {
        if tuning != self.tuning {
            self.tables.rebuild(&self.design, tuning, &mut self.work)?;
            self.tuning = tuning;
        }
        process_rows(&self.design, &self.tables, samples, out, &mut self.state)
    }
}
