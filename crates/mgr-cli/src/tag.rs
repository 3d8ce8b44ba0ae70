//! `mgr tag` and `mgr embed`: pretrained networks on audio files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mgr_audio::{Clip, LoadConfig, Loader};
use mgr_data::folder::readable;
use mgr_data::front_end::ClipFeatures;
use mgr_data::sha256_hex;
use mgr_data::store::FeatureStore;
use mgr_models::device::DeviceConfig;
use mgr_models::pretrained::{Pretrained, Tagger, Taggram, library};
use ndarray::Axis;
use serde::Serialize;

use crate::outcome::{exit_code, files, print, refuse};

/// Counts changes of front ends and networks that change embeddings.
const VERSION: u32 = 1;

#[derive(Args)]
pub(crate) struct Tag {
    /// Audio files, or folders to search through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Which imported weights.
    #[arg(long, value_name = "NAME", default_value = "musicnn-msd")]
    weights: String,
    /// How many tags.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Embed {
    /// Audio files, or folders to search through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Which imported weights.
    #[arg(long, value_name = "NAME", default_value = "musicnn-msd")]
    weights: String,
    /// Which output of the network. Default: features, max_pool or embedding, whichever it has.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
}

/// A tagger with the loader of its clips.
struct Ready {
    pretrained: Pretrained,
    tagger: Tagger,
    loader: Loader,
}

impl Ready {
    fn new(weights: &str) -> Result<Self, String> {
        let found = library::open().and_then(|library| library.get(weights)).map_err(|e| e.to_string())?;
        let pretrained = found.ok_or_else(|| {
            let how = if weights.starts_with("musicnn-") {
                "`mgr weights fetch musicnn` brings them".to_owned()
            } else {
                format!("`mgr weights import FILE --as {weights}` imports them")
            };
            format!("the weights {weights} are not there; {how}")
        })?;
        let tagger = Tagger::new(&pretrained, DeviceConfig::Cpu).map_err(|e| e.to_string())?;
        let loader = LoadConfig { sample_rate: Some(tagger.sample_rate()), ..LoadConfig::default() };
        let loader = loader.plan().map_err(|e| e.to_string())?;
        Ok(Self { pretrained, tagger, loader })
    }

    fn clip(&self, bytes: Vec<u8>, file: &Path) -> Result<Clip, String> {
        let clip = self.loader.load_bytes(bytes, &shown(file)).map_err(|e| e.to_string())?;
        if let Some(damage) = clip.report.damage() {
            eprintln!("mgr: {}: used in spite of damage: {damage}", file.display());
        }
        Ok(clip)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The document of `mgr tag --json`.
#[derive(Serialize)]
struct Document {
    weights: String,
    files: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    path: String,
    patches: Option<usize>,
    top: Option<Vec<String>>,
    scores: Option<BTreeMap<String, f32>>,
    error: Option<String>,
}

pub(crate) fn tag(arguments: &Tag) -> ExitCode {
    match tag_all(arguments) {
        Ok((done, failed)) => exit_code(done, failed),
        Err(error) => refuse(error),
    }
}

fn tag_all(arguments: &Tag) -> Result<(usize, usize), String> {
    let ready = Ready::new(&arguments.weights)?;
    let files = files(&arguments.paths)?;
    let top = usize::from(arguments.top);
    let width = files.iter().map(|f| shown(f).chars().count()).max().unwrap_or(0);
    let mut document = Document { weights: ready.tagger.name().to_owned(), files: Vec::new() };
    let (mut done, mut failed) = (0, 0);
    for file in &files {
        let taggram = read(file).and_then(|bytes| ready.clip(bytes, file)).and_then(|clip| {
            let taggram = ready.tagger.taggram(&clip.samples, clip.sample_rate);
            taggram.map_err(|e| format!("{}: {e}", file.display()))
        });
        match &taggram {
            Ok(taggram) => {
                done += 1;
                if !arguments.json {
                    let named: Vec<String> =
                        taggram.top(top).iter().map(|(tag, score)| format!("{tag} {score:.3}")).collect();
                    print(format_args!("{:<width$}  {}", shown(file), named.join(", ")))?;
                }
            }
            Err(error) => {
                failed += 1;
                eprintln!("mgr: {error}");
            }
        }
        if arguments.json {
            document.files.push(entry(file, taggram, top));
        }
    }
    if arguments.json {
        print(serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?)?;
    }
    Ok((done, failed))
}

fn entry(file: &Path, taggram: Result<Taggram, String>, top: usize) -> Entry {
    let path = shown(file);
    match taggram {
        Ok(taggram) => Entry {
            path,
            patches: Some(taggram.scores.nrows()),
            top: Some(taggram.top(top).into_iter().map(|(tag, _)| tag.to_owned()).collect()),
            scores: Some(taggram.tags.iter().cloned().zip(taggram.mean()).collect()),
            error: None,
        },
        Err(error) => Entry { path, patches: None, top: None, scores: None, error: Some(error) },
    }
}

/// All that embeddings in a store depend on.
#[derive(Serialize)]
struct Description<'a> {
    weights: &'a str,
    sha256: &'a str,
    output: &'a str,
    sample_rate: u32,
    version: u32,
}

pub(crate) fn embed(arguments: &Embed) -> ExitCode {
    match embed_all(arguments) {
        Ok((done, failed)) => exit_code(done, failed),
        Err(error) => refuse(error),
    }
}

fn embed_all(arguments: &Embed) -> Result<(usize, usize), String> {
    let ready = Ready::new(&arguments.weights)?;
    let files = files(&arguments.paths)?;
    let outputs = ready.tagger.outputs().map_err(|e| e.to_string())?;
    let output = match &arguments.output {
        Some(output) => outputs.iter().find(|name| *name == output),
        None => ["features", "max_pool", "embedding", "pool5"]
            .iter()
            .find_map(|wanted| outputs.iter().find(|name| *name == wanted)),
    };
    let output = output.ok_or_else(|| format!("no such output; there are: {}", outputs.join(", ")))?;
    let silence = ready.tagger.embedding(&[], ready.tagger.sample_rate(), output);
    let width = silence.map_err(|e| e.to_string())?.values.ncols();
    let description = Description {
        weights: ready.pretrained.name(),
        sha256: &ready.pretrained.provenance().sha256,
        output,
        sample_rate: ready.tagger.sample_rate(),
        version: VERSION,
    };
    let store = FeatureStore::open_described(&arguments.store, "embedding.json", &description, [width, 1])
        .map_err(|e| e.to_string())?;
    let (mut done, mut failed) = (0, 0);
    for file in &files {
        match embed_one(&ready, &store, file, output) {
            Ok(patches) => {
                done += 1;
                print(format_args!("{}  {output} {patches} x {width}", shown(file)))?;
            }
            Err(error) => {
                failed += 1;
                eprintln!("mgr: {error}");
            }
        }
    }
    print(format_args!("{} embeddings in {}", done, store.folder().display()))?;
    Ok((done, failed))
}

/// Embeds a file unless the store has it; how many patches it has.
fn embed_one(ready: &Ready, store: &FeatureStore, file: &Path, output: &str) -> Result<usize, String> {
    let bytes = read(file)?;
    let content = sha256_hex(&bytes);
    if let Some(stored) = store.get(&content).map_err(|e| e.to_string())? {
        return Ok(stored.segments.len_of(Axis(0)));
    }
    let clip = ready.clip(bytes, file)?;
    let embedding = ready
        .tagger
        .embedding(&clip.samples, clip.sample_rate, output)
        .map_err(|e| format!("{}: {e}", file.display()))?;
    let segments = embedding.values.insert_axis(Axis(2));
    let patches = segments.len_of(Axis(0));
    store.put(&content, &ClipFeatures { segments, report: clip.report }).map_err(|e| e.to_string())?;
    Ok(patches)
}

/// A path as text: as it is, or with bytes that are not UTF-8 escaped so that no two paths look alike.
fn shown(path: &Path) -> String {
    path.to_str().map_or_else(|| readable(path.as_os_str()), str::to_owned)
}
