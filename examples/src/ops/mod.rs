//! The golden ops: parameters by the reference's names, onto configurations of mgr-features. One file a family.

mod feature;
mod parameters;

use serde_json::{Map, Value};

use crate::golden::{Array, Params};

/// The outputs of an op by name.
pub type Outputs = Vec<(&'static str, Array)>;

/// Computes an op once more.
pub type Repeat<'a> = Box<dyn FnMut() -> Result<(), String> + 'a>;

/// A golden op, planned.
pub trait Op {
    /// The outputs by name.
    ///
    /// # Errors
    /// A sentence: what the project refuses.
    fn run(&self, samples: &[f32]) -> Result<Outputs, String>;

    /// The same, for ops whose outputs have names that depend on the signal.
    ///
    /// # Errors
    /// A sentence: what the project refuses.
    fn run_named(&self, samples: &[f32]) -> Result<Vec<(String, Array)>, String> {
        Ok(self.run(samples)?.into_iter().map(|(name, array)| (name.to_owned(), array)).collect())
    }

    /// Everything that one run needs and that can be made beforehand; each call computes the op once more.
    ///
    /// # Errors
    /// A sentence: what the project refuses.
    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        Ok(Box::new(move || {
            std::hint::black_box(self.run(samples)?);
            Ok(())
        }))
    }
}

/// Plans an op by name from its parameters and the sampling rate.
type Planner = fn(&str, &mut Params, u32) -> Result<Box<dyn Op>, String>;

/// Declares the families: their modules, and the table of their ops.
macro_rules! families {
    ($($family:ident,)*) => {
        $(mod $family;)*

        /// The ops of each family, and what plans them.
        const FAMILIES: &[(&[&str], Planner)] = &[$(($family::OPS, $family::plan)),*];
    };
}

families! {
    cqt,
    effects,
    hpss,
    chroma,
    mel,
    pitch,
    resample,
    rhythm_pattern,
    rhythm,
    spectral,
    scattering,
    timbre,
    vector_sets,
}

/// Ops that exist to be timed: no golden set has them.
const TIMED: [&str; 10] = [
    "bahuleyan97",
    "choi_mfcc120",
    "fma518",
    "gtzan57",
    "gtzan8_mfcc_centroid",
    "marsyas",
    "mlfcf_spectrograms",
    "rhythm_pattern",
    "tempogram_ratio",
    "tzanetakis_cook",
];

/// The golden ops that are built.
pub fn built() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|(ops, _)| ops.iter().copied()).filter(|op| !TIMED.contains(op))
}

/// Whether an op takes the parameter `precision`, "single" or "double", beside the reference's own.
#[must_use]
pub fn has_precisions(op: &str) -> bool {
    scattering::OPS.contains(&op) || rhythm::OPS.contains(&op)
}

/// Plans an op; a parameter that is absent takes the reference's default.
///
/// # Errors
/// A sentence: an op that is not built, a parameter that is not supported, or what the project refuses.
pub fn plan(op: &str, params: &Map<String, Value>, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    let Some((_, planner)) = FAMILIES.iter().find(|(ops, _)| ops.contains(&op)) else {
        return Err(format!("{op} is not built"));
    };
    let mut params = Params::new(params);
    let op = planner(op, &mut params, sample_rate)?;
    params.done()?;
    Ok(op)
}
