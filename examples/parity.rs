//! Runs the cases of a golden manifest and writes the outputs as .npy, for a scorer to compare.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example parity -- --manifest M.json --out DIR [--op NAME]
//! ```
//! Cases whose op is not built are reported as missing; cases that the project refuses are reported with the error.
//! `--list-ops` prints the ops that are built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use examples::golden::{Case, Manifest, read_wav, write_npy};
use examples::ops;

/// Runs the cases of a golden manifest and writes the outputs as .npy.
#[derive(Parser)]
struct Arguments {
    /// The manifest; its files lie beside it.
    #[arg(long, required_unless_present = "list_ops")]
    manifest: Option<PathBuf>,
    /// Folder for the outputs, under the names that the manifest gives.
    #[arg(long, required_unless_present = "list_ops")]
    out: Option<PathBuf>,
    /// Only the cases of this op.
    #[arg(long)]
    op: Option<String>,
    /// Precision of the ops that have both: the reference computes scattering in double.
    #[arg(long, value_parser = ["single", "double"], default_value = "double")]
    precision: String,
    /// Print the ops that are built and stop.
    #[arg(long)]
    list_ops: bool,
}

/// What became of the cases of one op.
#[derive(Default)]
struct Tally {
    written: usize,
    refused: usize,
    missing: usize,
    /// Refused although the reference gives a result.
    lost: usize,
}

fn run_case(case: &Case, folder: &Path, out: &Path, precision: &str) -> Result<(), String> {
    let samples = match &case.input {
        Some(input) => read_wav(&folder.join(input))?,
        None => Vec::new(),
    };
    let mut params = case.params.clone();
    if ops::has_precisions(&case.op) {
        params.entry("precision").or_insert_with(|| precision.into());
    }
    let results = ops::plan(&case.op, &params, case.sr)?.run_named(&samples)?;
    for output in &case.outputs {
        let result = results
            .iter()
            .find(|(name, _)| *name == output.name)
            .ok_or_else(|| format!("the op gives no output named {}", output.name))?;
        write_npy(&out.join(&output.file), &result.1)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list_ops {
        ops::built().for_each(|op| println!("{op}"));
        return ExitCode::SUCCESS;
    }
    let (Some(path), Some(out)) = (&arguments.manifest, &arguments.out) else { return ExitCode::from(2) };
    let manifest = match Manifest::read(path) {
        Ok(manifest) => manifest,
        Err(error) => {
            eprintln!("parity: {error}");
            return ExitCode::from(2);
        }
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for case in manifest.cases.iter().filter(|c| arguments.op.as_ref().is_none_or(|op| *op == c.op)) {
        let tally = tallies.entry(&case.op).or_default();
        if !ops::built().any(|op| op == case.op) {
            tally.missing += 1;
            continue;
        }
        match run_case(case, folder, out, &arguments.precision) {
            Ok(()) => {
                tally.written += 1;
                if let Some(raises) = &case.raises {
                    println!("computed {}, on which the reference raises {raises}", case.id);
                }
            }
            Err(error) => {
                tally.refused += 1;
                tally.lost += usize::from(case.raises.is_none());
                let reference =
                    case.raises.as_ref().map_or(String::new(), |r| format!(" (the reference raises {r})"));
                println!("refused {}: {error}{reference}", case.id);
            }
        }
    }
    for (op, tally) in &tallies {
        println!(
            "{op:<20} written {:3}  refused {:3}  missing {:3}",
            tally.written, tally.refused, tally.missing
        );
    }
    let total = |f: fn(&Tally) -> usize| tallies.values().map(f).sum::<usize>();
    let (written, refused, missing) = (total(|t| t.written), total(|t| t.refused), total(|t| t.missing));
    println!("total written {written} refused {refused} missing {missing}");
    let lost = total(|t| t.lost);
    if lost > 0 {
        eprintln!("parity: {lost} cases are refused that the reference computes");
        return ExitCode::FAILURE;
    }
    if tallies.is_empty() {
        eprintln!("parity: the manifest has no such case");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
