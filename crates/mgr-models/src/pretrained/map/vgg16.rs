//! ImageNet's VGG16, the 13 convolutions under torchvision's names.

use super::super::WeightMap;
use super::super::layout::permuted;
use super::{Mapping, Tensors};
use crate::Error;
use crate::parameters::mismatch;

/// Places of the convolutions among torchvision's layers, and their channels.
const LAYERS: [(usize, [usize; 2]); 13] = [
    (0, [3, 64]),
    (2, [64, 64]),
    (5, [64, 128]),
    (7, [128, 128]),
    (10, [128, 256]),
    (12, [256, 256]),
    (14, [256, 256]),
    (17, [256, 512]),
    (19, [512, 512]),
    (21, [512, 512]),
    (24, [512, 512]),
    (26, [512, 512]),
    (28, [512, 512]),
];

/// `features.N.weight` and `features.N.bias` of torchvision, or `Conv_N.kernel` and `Conv_N.bias` of Flax at any depth; a
/// classifier of torchvision and other parts of a Flax file are left out.
pub(in super::super) fn vgg16(map: WeightMap) -> Result<Tensors, Error> {
    let flax = !map.iter().any(|(name, _)| name.contains("features.0."));
    let mut m = Mapping::new(map, |name| {
        let parts: Vec<&str> = name.split('.').collect();
        let [above @ .., layer, variable] = parts.as_slice() else { return None };
        if flax {
            // Beside it may lie layers of other parts with names of their own: `NetLinLayer_0.Conv_0`.
            let own = above.last().is_none_or(|above| *above == "params" || above.starts_with("VGG16"));
            (own && layer.starts_with("Conv_")).then(|| format!("{layer}.{variable}"))
        } else {
            (!name.contains("classifier.")).then(|| format!("features.{layer}.{variable}"))
        }
    })?;
    if m.left.is_empty() {
        return Err(mismatch("features.0.weight", "missing"));
    }
    for (index, (place, [from, to])) in LAYERS.into_iter().enumerate() {
        let name = format!("features.{place}");
        if flax {
            let kernel = m.take(&format!("Conv_{index}.kernel"), &[3, 3, from, to])?;
            m.put(format!("{name}.weight"), permuted(&kernel, &[3, 2, 0, 1]));
            m.same(&format!("Conv_{index}.bias"), &format!("{name}.bias"), &[to])?;
        } else {
            m.same(&format!("{name}.weight"), &format!("{name}.weight"), &[to, from, 3, 3])?;
            m.same(&format!("{name}.bias"), &format!("{name}.bias"), &[to])?;
        }
    }
    m.finish()
}
