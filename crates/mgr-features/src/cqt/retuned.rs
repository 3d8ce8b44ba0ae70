//! A constant-Q transform whose tuning is known only with the signal: tables made anew in one place.

use ndarray::{ArrayViewMut2, s};

use super::config::{CqtConfig, Gamma};
use super::hybrid::{check_highest, low_bins};
use super::kernel::Work;
use super::process_rows;
use super::pseudo::{Pseudo, PseudoScratch, Rows};
use super::tree::{Design, State, Tables};
use crate::FeatureError;
use crate::column::for_each_column;
use crate::frame::Span;
use crate::stft::Stft;

/// The tables and buffers of whichever tuning came last.
pub(crate) struct Retuned {
    /// Of the bins that are computed by octaves.
    design: Design,
    n_bins: usize,
    tables: Tables,
    work: Work,
    state: State<f32>,
    tuning: f64,
    /// The bins without phase, in a hybrid transform.
    high: Option<High>,
}

struct High {
    stft: Stft,
    rows: Rows,
    scratch: PseudoScratch,
    column: Vec<f32>,
}

impl std::fmt::Debug for Retuned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retuned").field("tuning", &self.tuning).finish_non_exhaustive()
    }
}

impl Retuned {
    /// With room for any tuning of half a bin.
    pub(crate) fn new(config: &CqtConfig, hybrid: bool, sample_rate: u32) -> Result<Self, FeatureError> {
        let design = config.design(Gamma::Hz(0.0), sample_rate)?;
        let n_bins = config.n_bins;
        let high = if hybrid {
            // Its transform is as long for every tuning: two hops hold every filter that is not computed by octaves. Of the
            // highest bin alone it is that too, also where no tuning leaves it any.
            let pseudo = Pseudo::new(config, &design, n_bins, 0.0)?;
            let (stft, scratch) = (pseudo.stft().clone(), pseudo.scratch());
            Some(High { stft, rows: Rows::default(), scratch, column: vec![0.0; n_bins] })
        } else {
            None
        };
        let (tables, work) = (Tables::empty(), Work::default());
        let state = State::new(&design, &tables);
        let mut retuned = Self { design, n_bins, tables, work, state, tuning: f64::NAN, high };
        // The lowest tuning has the longest filters; the highest may be over the Nyquist frequency, and is then refused again
        // when it is met. Where a hybrid transform has a bin more or less by octaves, the octaves begin elsewhere: there, the
        // filters are the longest and the shortest of all.
        let mut tunings = vec![0.499, -0.499];
        if hybrid {
            let low = |step: i32| low_bins(&retuned.design, n_bins, f64::from(step) / 1000.0);
            let changes = (-499..499).filter(|step| low(*step) != low(step + 1));
            tunings.extend(changes.flat_map(|step| [f64::from(step) / 1000.0, f64::from(step + 1) / 1000.0]));
        }
        tunings.push(0.0);
        for tuning in tunings {
            if retuned.tune(tuning).is_ok() {
                retuned.tables.reserve();
                if let Some(high) = &mut retuned.high {
                    high.rows.reserve();
                }
                retuned.state.reset(&retuned.design, &retuned.tables);
            }
        }
        Ok(retuned)
    }

    fn tune(&mut self, tuning: f64) -> Result<(), FeatureError> {
        // Half-made tables are no tuning's.
        self.tuning = f64::NAN;
        if let Some(high) = &mut self.high {
            check_highest(&self.design, self.n_bins, tuning)?;
            let low = low_bins(&self.design, self.n_bins, tuning);
            self.design.n_bins = self.n_bins;
            high.rows.rebuild(&self.design, low, tuning, high.stft.n_fft(), &mut self.work);
            self.design.n_bins = low;
        }
        if self.design.n_bins > 0 {
            self.tables.rebuild(&self.design, tuning, &mut self.work)?;
        }
        self.tuning = tuning;
        Ok(())
    }

    /// Magnitudes of a signal at a tuning in -0.5 to 0.5; `out` has at most the columns that there are.
    pub(crate) fn process_into(
        &mut self,
        samples: &[f32],
        tuning: f64,
        mut out: ArrayViewMut2<'_, f32>,
    ) -> Result<(), FeatureError> {
        if tuning != self.tuning {
            self.tune(tuning)?;
        }
        let low = self.design.n_bins;
        if low > 0 {
            let out = out.slice_mut(s![..low, ..]);
            process_rows(&self.design, &self.tables, samples, out, &mut self.state)?;
        }
        if let Some(High { stft, rows, scratch, column }) = &mut self.high
            && low < self.n_bins
        {
            let span = Span::whole(samples);
            for_each_column(out.slice_mut(s![low.., ..]), &mut column[low..], |t, column| {
                rows.column(stft, t, span, scratch, column);
            });
        }
        Ok(())
    }
}
