//! Several features of the same clips, planned together: what they have in common is computed once a clip.
//!
//! ```
//! use mgr_features::feature_set::FeatureSetConfig;
//! let config: FeatureSetConfig = toml::from_str(r#"
//!     [features.timbre]
//!     feature = "mfcc"
//!     n_mfcc = 13
//!     [features.bands]
//!     feature = "log_mel"
//!     [features.brightness]
//!     feature = "spectral_centroid"
//! "#).unwrap();
//! let set = config.plan(22_050)?;
//! let results = set.extract(&vec![0.1; 22_050])?;
//! assert_eq!(results.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["bands", "brightness", "timbre"]);
//! assert_eq!(results[2].matrix.dim(), (13, 44));
//! // The MFCC and the bands share one mel spectrogram.
//! assert_eq!(set.shared(), ["mel"]);
//! # Ok::<(), mgr_features::FeatureError>(())
//! ```

mod stage;

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::extractor::{Extractor, Layout};
use crate::{FeatureConfig, FeatureError};
use stage::{Base, Way};

/// Features by the names that their user gives them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSetConfig {
    /// The features.
    pub features: BTreeMap<String, FeatureConfig>,
}

impl FeatureSetConfig {
    /// Checks the parameters, computes the tables, and finds what features have in common.
    ///
    /// # Errors
    /// [`FeatureError::InSet`] with the name of the feature that refuses its parameters; [`FeatureError::Parameter`] for an empty set.
    pub fn plan(&self, sample_rate: u32) -> Result<FeatureSet, FeatureError> {
        if self.features.is_empty() {
            return Err(FeatureError::parameter("features", "empty", "at least one feature"));
        }
        let in_set = |name: &String| {
            let name = name.clone();
            move |error| FeatureError::InSet { name, error: Box::new(error) }
        };
        let mut members = Vec::with_capacity(self.features.len());
        for (name, config) in &self.features {
            let extractor = config.plan(sample_rate).map_err(in_set(name))?;
            let way = stage::way(config, sample_rate).map_err(in_set(name))?;
            members.push(Member { name: name.clone(), extractor, way });
        }
        let bases = stage::bases(members.iter().filter_map(|m| m.way.as_ref()), sample_rate)?;
        for member in &mut members {
            if let Some(way) = &mut member.way {
                way.settle(&bases);
            }
        }
        Ok(FeatureSet { members, bases })
    }
}

/// A planned set of features. Every result has the same bytes as that feature computed alone.
#[derive(Debug)]
pub struct FeatureSet {
    members: Vec<Member>,
    /// Those after others may be computed from them.
    bases: Vec<Base>,
}

#[derive(Debug)]
struct Member {
    name: String,
    extractor: Box<dyn Extractor>,
    way: Option<Way>,
}

/// A feature of one clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Extracted {
    /// The name that the set gives it.
    pub name: String,
    /// What it is.
    pub layout: Layout,
    /// Its values, each column contiguous in memory.
    pub matrix: Array2<f32>,
}

impl FeatureSet {
    /// The names, in the order of the results.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// What is computed once for several features: `power` (a power spectrogram), `precise` (a spectrogram in double precision),
    /// `mel`.
    #[must_use]
    pub fn shared(&self) -> Vec<&'static str> {
        self.bases.iter().map(|base| base.key.name()).collect()
    }

    /// All features of a clip.
    ///
    /// # Errors
    /// [`FeatureError::InSet`] with the name of the first feature that refuses the clip.
    pub fn extract(&self, samples: &[f32]) -> Result<Vec<Extracted>, FeatureError> {
        let layouts: Result<Vec<Layout>, FeatureError> = self
            .members
            .iter()
            .map(|member| member.extractor.layout(samples.len()).map_err(|e| member.wrap(e)))
            .collect();
        let layouts = layouts?;
        crate::check::finite(samples)?;
        let mut matrices: Vec<Array2<f32>> = Vec::with_capacity(self.bases.len());
        for base in &self.bases {
            matrices.push(base.compute(samples, &matrices)?);
        }
        self.members
            .iter()
            .zip(layouts)
            .map(|(member, layout)| {
                let matrix = match member.way.as_ref().and_then(Way::settled) {
                    Some((base, from)) => from(matrices[base].view()),
                    None => member.extractor.extract(samples),
                };
                let matrix = matrix.map_err(|e| member.wrap(e))?;
                Ok(Extracted { name: member.name.clone(), layout, matrix })
            })
            .collect()
    }

    /// All features of many clips, in the order of the clips, in parallel over clips; the same bytes with any number of threads.
    #[cfg(feature = "rayon")]
    pub fn extract_batch<S: AsRef<[f32]> + Sync>(
        &self,
        clips: &[S],
    ) -> Vec<Result<Vec<Extracted>, FeatureError>> {
        use rayon::prelude::*;
        clips.par_iter().map(|clip| self.extract(clip.as_ref())).collect()
    }
}

impl Member {
    fn wrap(&self, error: FeatureError) -> FeatureError {
        FeatureError::InSet { name: self.name.clone(), error: Box::new(error) }
    }
}

/// A feature of many clips, in the order of the clips, in parallel over clips with buffers for each thread; the same bytes with any
/// number of threads. A clip that is refused leaves its error in its place.
#[cfg(feature = "rayon")]
pub fn extract_batch<S: AsRef<[f32]> + Sync>(
    extractor: &dyn Extractor,
    clips: &[S],
) -> Vec<Result<Array2<f32>, FeatureError>> {
    use rayon::prelude::*;
    let longest = clips.iter().map(|clip| clip.as_ref().len()).max().unwrap_or(0);
    clips
        .par_iter()
        .map_init(
            || extractor.scratch_for(longest),
            |scratch, clip| {
                let samples = clip.as_ref();
                let layout = extractor.layout(samples.len())?;
                let mut out = crate::check::matrix(layout.rows, layout.columns)?;
                extractor.extract_into(samples, out.view_mut(), scratch)?;
                Ok(out)
            },
        )
        .collect()
}
