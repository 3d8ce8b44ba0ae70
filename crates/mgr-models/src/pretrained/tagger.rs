//! From the samples of a clip to its tags and embeddings.

use ndarray::{Array1, Array2, Array3, Axis, s};
use tch::{Kind, Tensor};

use super::Pretrained;
use super::front_end::{FrontEnd, FrontEndPlan, Patch};
use crate::device::{self, DeviceConfig};
use crate::parameters::mismatch;
use crate::{Error, Mode, Network, TensorData};

/// How many patches go through a network at once. Bounds memory; other sizes give the same up to rounding.
const BATCH: usize = 4;

/// A network with pretrained weights, its front end and the names of its outputs.
///
/// All computing happens with denormal numbers flushed to zero ([`device::flushing_denormals`]): real weights and real
/// clips make them, and processors are up to a hundred times slower on them.
pub struct Tagger {
    network: Box<dyn Network>,
    front_end: FrontEndPlan,
    bank: Option<TensorData>,
    kind: FrontEnd,
    tags: Vec<String>,
    name: String,
    /// Whether scores are divided by their sum, as a network does that was trained on one class each but ends in sigmoids.
    shares: bool,
}

/// The scores of every patch of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Taggram {
    /// The names of the columns.
    pub tags: Vec<String>,
    /// (patches, tags), each from 0 to 1.
    pub scores: Array2<f32>,
}

/// An inner output of a network for every patch of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The name of the output, such as `max_pool`.
    pub output: String,
    /// (patches, values). Outputs that are maps or sequences are averaged over bands and frames.
    pub values: Array2<f32>,
}

impl Taggram {
    /// The mean over the patches, in the order of the tags.
    #[must_use]
    pub fn mean(&self) -> Array1<f32> {
        mean(&self.scores)
    }

    /// The `count` tags of the highest mean, highest first; of equals the one that stands first.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(&str, f32)> {
        let mean = self.mean();
        let mut all: Vec<(&str, f32)> = self.tags.iter().map(String::as_str).zip(mean).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(count);
        all
    }
}

impl Embedding {
    /// The mean over the patches.
    #[must_use]
    pub fn mean(&self) -> Array1<f32> {
        mean(&self.values)
    }
}

/// The output of a name.
fn picked<'a>(outputs: &'a [(&'static str, Tensor)], name: &str) -> Result<&'a Tensor, Error> {
    let found = outputs.iter().find(|(own, _)| *own == name).map(|(_, tensor)| tensor);
    found.ok_or_else(|| Error::InvalidConfig {
        field: "output",
        value: format!("{name:?}"),
        allowed: "an output of the network, see its documentation",
    })
}

/// Maps and sequences averaged over bands and frames.
fn averaged(tensor: &Tensor) -> Result<Tensor, Error> {
    let axes: Vec<i64> = (2..tensor.dim() as i64).collect();
    if axes.is_empty() {
        return Ok(tensor.shallow_clone());
    }
    Ok(tensor.f_mean_dim(axes.as_slice(), false, Kind::Float)?)
}

fn mean(matrix: &Array2<f32>) -> Array1<f32> {
    matrix.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(matrix.ncols()))
}

impl Tagger {
    /// Builds the network on a device.
    ///
    /// # Errors
    /// The errors of [`Pretrained::build`], [`Error::Feature`].
    pub fn new(pretrained: &Pretrained, device: DeviceConfig) -> Result<Self, Error> {
        let network = pretrained.build(device)?;
        let (kind, patch) = pretrained.front_end().ok_or_else(|| Error::InvalidConfig {
            field: "weights",
            value: pretrained.name().to_owned(),
            allowed: "weights of a network that hears audio",
        })?;
        let bank = pretrained.tensors().get("spec.mel_scale.fb").cloned();
        let front_end = kind.plan(patch, bank.as_ref())?;
        Ok(Self {
            network,
            front_end,
            bank,
            kind,
            tags: pretrained.tags().to_vec(),
            name: pretrained.name().to_owned(),
            shares: pretrained.name() == "genre-crnn",
        })
    }

    /// The same with other patches, such as overlapping ones.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a patch of no length.
    pub fn with_patch(mut self, patch: Patch) -> Result<Self, Error> {
        self.front_end = self.kind.plan(patch, self.bank.as_ref())?;
        Ok(self)
    }

    /// The name of the weights.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sampling rate that clips are to have, in Hz.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.kind.sample_rate()
    }

    /// The names of the scores.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }

    /// What the network sees of a clip: (patches, bands, frames).
    ///
    /// # Errors
    /// [`Error::SampleRate`] for another rate than [`Tagger::sample_rate`]; [`Error::Feature`] for samples that are not finite.
    pub fn pictures(&self, samples: &[f32], sample_rate: u32) -> Result<Array3<f32>, Error> {
        let expected = self.sample_rate();
        if sample_rate != expected {
            return Err(Error::SampleRate { network: self.network.name(), got: sample_rate, expected });
        }
        self.front_end.pictures(samples)
    }

    /// The scores of every patch of a mono clip.
    ///
    /// # Errors
    /// Those of [`Tagger::pictures`]; [`Error::NetworkOutput`] where a score is not a number; [`Error::Torch`].
    pub fn taggram(&self, samples: &[f32], sample_rate: u32) -> Result<Taggram, Error> {
        self.scores(&self.pictures(samples, sample_rate)?)
    }

    /// The scores of pictures, (patches, bands, frames).
    ///
    /// # Errors
    /// [`Error::InputShape`] for pictures of another size, [`Error::NetworkOutput`], [`Error::Torch`].
    pub fn scores(&self, pictures: &Array3<f32>) -> Result<Taggram, Error> {
        let scores = self.rows(pictures, self.tags.len(), |input| {
            self.shared(&self.network.forward(input, Mode::Evaluate)?.f_sigmoid()?)
        })?;
        Ok(Taggram { tags: self.tags.clone(), scores })
    }

    /// The names of the outputs that [`Tagger::embedding`] gives.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn outputs(&self) -> Result<Vec<&'static str>, Error> {
        let silence = self.front_end.pictures(&[])?;
        let input = self.batch(&silence.slice_move(s![..1, .., ..]))?;
        let outputs =
            device::flushing_denormals(|| tch::no_grad(|| self.network.outputs(&input, Mode::Evaluate)))?;
        Ok(outputs.into_iter().map(|(name, _)| name).collect())
    }

    /// An inner output for every patch of a mono clip.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an output that the network has not; those of [`Tagger::taggram`].
    pub fn embedding(&self, samples: &[f32], sample_rate: u32, output: &str) -> Result<Embedding, Error> {
        let pictures = self.pictures(samples, sample_rate)?;
        let pick = |input: &Tensor| -> Result<Tensor, Error> {
            averaged(picked(&self.network.outputs(input, Mode::Evaluate)?, output)?)
        };
        let first = self.rows_of(&pictures, pick)?;
        Ok(Embedding { output: output.to_owned(), values: first })
    }

    /// The means over the patches of several outputs, one after the other, in one pass; `scores` stands for the scores of the tags.
    ///
    /// # Errors
    /// Those of [`Tagger::embedding`].
    pub fn joint_embedding(
        &self,
        samples: &[f32],
        sample_rate: u32,
        outputs: &[String],
    ) -> Result<Array1<f32>, Error> {
        let pictures = self.pictures(samples, sample_rate)?;
        let joint = self.rows_of(&pictures, |input| {
            let all = self.network.outputs(input, Mode::Evaluate)?;
            let mut parts = Vec::with_capacity(outputs.len());
            for name in outputs {
                parts.push(if name == "scores" {
                    self.shared(&picked(&all, "logits")?.f_sigmoid()?)?
                } else {
                    averaged(picked(&all, name)?)?
                });
            }
            Ok(Tensor::f_cat(&parts, 1)?)
        })?;
        Ok(mean(&joint))
    }

    /// Scores divided by their sum where the network was trained on one class each.
    fn shared(&self, scores: &Tensor) -> Result<Tensor, Error> {
        if !self.shares {
            return Ok(scores.shallow_clone());
        }
        let sum = scores.f_sum_dim_intlist(&[1_i64][..], true, Kind::Float)?;
        Ok(scores.f_div(&sum.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)?)
    }

    fn batch(&self, pictures: &Array3<f32>) -> Result<Tensor, Error> {
        let (patches, bands, frames) = pictures.dim();
        let pictures = pictures.as_standard_layout();
        let values = pictures.as_slice().unwrap_or_default();
        let shape = [patches as i64, 1, bands as i64, frames as i64];
        let tensor = Tensor::f_from_slice(values)?.f_reshape(shape)?;
        Ok(tensor.f_to(self.network.parameters().device())?)
    }

    fn rows(
        &self,
        pictures: &Array3<f32>,
        width: usize,
        compute: impl Fn(&Tensor) -> Result<Tensor, Error>,
    ) -> Result<Array2<f32>, Error> {
        let rows = self.rows_of(pictures, compute)?;
        if rows.ncols() != width {
            return Err(mismatch("output", &format!("{} scores for {width} tags", rows.ncols())));
        }
        Ok(rows)
    }

    /// One row for each picture, computed in batches.
    fn rows_of(
        &self,
        pictures: &Array3<f32>,
        compute: impl Fn(&Tensor) -> Result<Tensor, Error>,
    ) -> Result<Array2<f32>, Error> {
        let patches = pictures.len_of(Axis(0));
        let (mut values, mut width) = (Vec::new(), 0);
        for start in (0..patches).step_by(BATCH) {
            let part = pictures.slice(s![start..patches.min(start + BATCH), .., ..]).to_owned();
            let input = self.batch(&part)?;
            let output = device::flushing_denormals(|| tch::no_grad(|| compute(&input)))?;
            let data = TensorData::from_tensor(&output)?;
            let expected = part.len_of(Axis(0));
            let finite = data.values.iter().all(|value| value.is_finite());
            let &[rows, columns] = data.shape.as_slice() else {
                return Err(self.wrong_output(&data));
            };
            if rows != expected || !finite {
                return Err(self.wrong_output(&data));
            }
            width = columns;
            values.extend(data.values);
        }
        Array2::from_shape_vec((patches, width), values)
            .map_err(|error| mismatch("output", &error.to_string()))
    }

    fn wrong_output(&self, data: &TensorData) -> Error {
        Error::NetworkOutput {
            network: self.network.name(),
            got: format!("values of shape {:?}, perhaps not finite", data.shape),
            expected: "finite values, one row for each patch".to_string(),
        }
    }
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tagger").field("name", &self.name).finish_non_exhaustive()
    }
}
