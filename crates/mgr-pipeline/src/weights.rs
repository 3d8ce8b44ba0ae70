//! Pretrained weights for a run: imported ones, and those in a folder of published files.

use std::fs;
use std::path::{Path, PathBuf};

use mgr_models::pretrained::library::Library;
use mgr_models::pretrained::{Pretrained, published};

use crate::PipelineError;

/// Names of published files by the names of the weights in them.
const FILES: [(&str, &str); 14] = [
    ("choi-transfer", "weights_theano.hdf5"),
    ("choi-transfer-keras2", "keras2_model_best.hdf5"),
    ("choi-cnn", "music_tagger_cnn_weights_theano.h5"),
    ("choi-crnn", "music_tagger_crnn_weights_tensorflow.h5"),
    ("choi-crnn-std", "music_tagger_crnn_weights_tensorflow.h5"),
    ("genre-crnn", "crnn_net_gru_adam_ours_epoch_40.h5"),
    ("won-fcn-mtat", "mtat_fcn.pth"),
    ("won-fcn-jamendo", "jamendo_fcn.pth"),
    ("won-fcn-msd", "msd_fcn.pth"),
    ("won-crnn-jamendo", "jamendo_crnn.pth"),
    ("won-crnn-msd", "msd_crnn.pth"),
    ("won-musicnn-mtat", "mtat_musicnn.pth"),
    ("won-musicnn-jamendo", "jamendo_musicnn.pth"),
    ("musicnn-msd", "MSD_musicnn.index"),
];

/// Where weights are looked for.
pub(crate) struct Weights {
    library: Library,
    folder: Option<PathBuf>,
}

impl Weights {
    pub(crate) fn new(cache: &Path, folder: Option<&Path>) -> Self {
        Self { library: Library::at(&cache.join("weights")), folder: folder.map(Path::to_path_buf) }
    }

    /// The weights of a name: imported ones, else those of the folder, which are then imported.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Pretrained>, PipelineError> {
        if let Some(found) = self.library.get(published(name)?.name)? {
            return Ok(Some(found));
        }
        let Some(folder) = &self.folder else { return Ok(None) };
        let Some((_, file)) = FILES.iter().find(|(known, _)| *known == name) else { return Ok(None) };
        let Some(path) = below(folder, file, 4)? else { return Ok(None) };
        let pretrained = Pretrained::import(&path, name)?;
        self.library.put(&pretrained)?;
        Ok(Some(pretrained))
    }

    /// How to get weights that are not there.
    pub(crate) fn how(name: &str) -> String {
        if name.starts_with("musicnn-") {
            format!("the weights {name} are not there; `mgr weights fetch musicnn` brings them")
        } else {
            format!(
                "the weights {name} are not there; `mgr weights import FILE --as {name}` imports them, or name a folder of \
                 published files with `weights`"
            )
        }
    }
}

/// The first file of that name in a folder or below it, in the order of the names.
fn below(folder: &Path, file: &str, depth: usize) -> Result<Option<PathBuf>, PipelineError> {
    let wrong =
        |e: std::io::Error| PipelineError::Output { path: folder.to_path_buf(), reason: e.to_string() };
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(wrong)?
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(wrong)?;
    entries.sort();
    if let Some(found) = entries.iter().find(|p| p.is_file() && p.file_name().is_some_and(|n| n == file)) {
        return Ok(Some(found.clone()));
    }
    if depth > 0 {
        for entry in entries.iter().filter(|p| p.is_dir()) {
            if let Some(found) = below(entry, file, depth - 1)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

impl Weights {
    /// Copies what a run uses into its folder, so that it can be used on its own.
    pub(crate) fn keep(
        &self,
        out: &Path,
        features: &[crate::features::Feature],
    ) -> Result<(), PipelineError> {
        let own = Library::at(&out.join("weights"));
        for feature in features {
            if let crate::catalogue::Source::Embedding { weights, .. } = &feature.source
                && own.get(weights)?.is_none()
                && let Some(pretrained) = self.find(weights)?
            {
                own.put(&pretrained)?;
            }
        }
        Ok(())
    }

    /// The weights that a finished run keeps.
    pub(crate) fn of_run(out: &Path) -> Self {
        Self { library: Library::at(&out.join("weights")), folder: None }
    }
}
