//! Fits every model that a golden manifest's `models` list names, and writes what it gives as .npy under the manifest's names.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example parity_tables -- --manifest M.json --out DIR
//! ```
//! Learners are known by the name of the entry (`svc_...`, `logreg_...`, `knn...`, `random_forest_...`) and its `params`;
//! accuracies over seeds and trustworthiness go to `DIR/models.json`. Where the manifest's own files lie beside it they are
//! compared with, and the exit code tells whether all is within the stated tolerances.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use examples::tables::{Outcome, Suite};
use serde_json::{Map, Value, json};

/// Fits the models of a golden manifest and writes what they give as .npy.
#[derive(Parser)]
struct Arguments {
    /// The manifest; its files lie beside it.
    #[arg(long)]
    manifest: PathBuf,
    /// Folder for the outputs, under the names that the manifest gives.
    #[arg(long)]
    out: PathBuf,
    /// Only the entries whose name holds this.
    #[arg(long)]
    only: Option<String>,
    /// Seeds of the learners with chance, 10 or more.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(10..=1000))]
    seeds: u64,
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let text = std::fs::read_to_string(&arguments.manifest)
        .map_err(|e| format!("{}: {e}", arguments.manifest.display()))?;
    let manifest: Value = serde_json::from_str(&text).map_err(|e| format!("not a manifest: {e}"))?;
    let folder = arguments.manifest.parent().unwrap_or(Path::new("."));
    let tables =
        manifest.get("models").and_then(Value::as_array).ok_or("the manifest has no list of models")?;
    let mut summary = Map::new();
    let (mut held, mut missed) = (0, 0);
    for table in tables {
        let suite = Suite::read(folder, &arguments.out, table, arguments.seeds)?;
        let mut of_table = Map::new();
        let entries = table.get("expected").and_then(Value::as_object).ok_or("a table expects nothing")?;
        for (name, entry) in entries {
            if arguments.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
                continue;
            }
            let outcome = suite.run(name, entry, entries).unwrap_or_else(|reason| Outcome::refused(&reason));
            let mark = if outcome.holds { "ok  " } else { "FAIL" };
            println!("{mark} {:<16} {name:<38} {}", suite.id(), outcome.text);
            if outcome.holds {
                held += 1
            } else {
                missed += 1
            }
            of_table.insert(name.clone(), outcome.json);
        }
        summary.insert(suite.id().to_owned(), Value::Object(of_table));
    }
    std::fs::create_dir_all(&arguments.out).map_err(|e| e.to_string())?;
    let path = arguments.out.join("models.json");
    let text = serde_json::to_string_pretty(&json!(summary)).map_err(|e| e.to_string())?;
    std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("entries held {held}, missed {missed}; seeds and pictures in {}", path.display());
    Ok(missed == 0 && held > 0)
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("parity_tables: {error}");
            ExitCode::from(2)
        }
    }
}
