//! Won's taggers, whose names are already those of our networks.

use super::super::WeightMap;
use super::{Mapping, Tensors};
use crate::Error;

/// [`crate::zoo::TaggingFcn`], [`crate::zoo::TaggingCrnn`] and [`crate::zoo::TaggingMusicnn`]. Left out are the window, which
/// is Hann's, and the counters of batches, which nothing reads. The network itself checks names and shapes of the rest.
pub(in super::super) fn sota(map: WeightMap) -> Result<Tensors, Error> {
    let mut m = Mapping::new(map, |name| {
        let name = name.strip_prefix("module.").unwrap_or(name);
        let unused = name == "spec.spectrogram.window" || name.ends_with(".num_batches_tracked");
        (!unused).then(|| name.to_owned())
    })?;
    let found: Vec<(String, Vec<usize>)> =
        m.left.iter().map(|(name, data)| (name.clone(), data.shape.clone())).collect();
    for (name, shape) in found {
        m.same(&name, &name, &shape)?;
    }
    m.finish()
}
