//! Weights that others trained, by the name of the library or from a file.

use std::collections::BTreeMap;
use std::path::Path;

use mgr_models::TensorData;
use mgr_models::pretrained::{self, Pretrained, library};

use super::flags::{Failure, advise};

/// Weights of the catalogue: a file of them, or the library's of that name. `flag` is the one that names a file.
///
/// # Errors
/// A sentence that says where weights come from.
pub fn named(name: &str, flag: &str) -> Result<Pretrained, Failure> {
    let path = Path::new(name);
    let advice = format!("fetch weights with `mgr weights fetch NAME`, or name a file of them with {flag}");
    if path.is_file() {
        return Pretrained::load(path).map_err(advise(advice));
    }
    let found = library::open().and_then(|library| library.get(name)).map_err(advise(&advice))?;
    found.ok_or_else(|| format!("the weights {name} are not there; {advice}").into())
}

/// The tensors of a network for photographs without its last layer: a file of torchvision's, or the library's of that name.
///
/// # Errors
/// A sentence that says where weights come from.
pub fn of_photographs(name: &str, flag: &str) -> Result<BTreeMap<String, TensorData>, Failure> {
    let path = Path::new(name);
    let tensors = match named(name, flag) {
        Ok(pretrained) => pretrained.tensors().clone(),
        Err(_) if path.is_file() => {
            let advice = format!("name a file of torchvision's weights with {flag}");
            pretrained::read(path).map_err(advise(advice))?.into_tensors()
        }
        Err(error) => return Err(error),
    };
    let last = |name: &str| name.starts_with("fc.") || name.starts_with("classifier.6.");
    // torchvision counts batches; nothing here does.
    let kept = |name: &str| !last(name) && !name.ends_with("num_batches_tracked");
    Ok(tensors.into_iter().filter(|(name, _)| kept(name)).collect())
}
