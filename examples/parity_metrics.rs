//! Computes the metrics of a golden manifest and prints where they differ from the reference's values.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example parity_metrics -- --manifest M.json --out OUT.json [-v]
//! ```
//! OUT.json holds, for every case, the values under the manifest's own keys and in its shapes ("nan" and "inf" are
//! strings), and the differences. A measure that is undefined here is "nan", or null in a list by class. Values on which the
//! reference warns or raises are compared too, and listed apart: there the project decides (see `mgr_eval::metrics`).
//! A case whose `y_true` holds rows of 0 and 1 is a multi-label one. The exit status is 1 where a plain value differs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use examples::metrics::{MetricCase, compute};
use serde_json::{Map, Value, json};

/// Computes the metrics of a golden manifest and prints the differences.
#[derive(Parser)]
struct Arguments {
    /// The manifest; its files lie beside it.
    #[arg(long)]
    manifest: PathBuf,
    /// Where the values and the differences go.
    #[arg(long)]
    out: PathBuf,
    /// Print also what agrees.
    #[arg(short, long)]
    verbose: bool,
}

/// How far a value may be from the reference's.
#[derive(Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

/// What the reference said about a value.
enum Reference<'a> {
    Plain(&'a Value),
    Warned(&'a Value),
    Raised(&'a Value),
}

impl<'a> Reference<'a> {
    fn of(value: &'a Value) -> Self {
        match (value.get("value"), value.get("raises")) {
            (Some(inner), _) => Self::Warned(inner),
            (None, Some(error)) => Self::Raised(error),
            (None, None) => Self::Plain(value),
        }
    }
}

/// The largest distance between two values of one shape, in units of the tolerance; none where the shapes differ.
fn distance(ours: &Value, reference: &Value, tolerance: Tolerance) -> Option<f64> {
    match (ours, reference) {
        (Value::Array(a), Value::Array(b)) => {
            let pairs = (a.len() == b.len()).then(|| a.iter().zip(b))?;
            pairs.map(|(a, b)| distance(a, b, tolerance)).try_fold(0.0_f64, |most, d| Some(most.max(d?)))
        }
        (Value::Object(a), Value::Object(b)) => {
            let pairs = (a.len() == b.len()).then_some(b)?.iter();
            pairs
                .map(|(k, b)| distance(a.get(k)?, b, tolerance))
                .try_fold(0.0_f64, |most, d| Some(most.max(d?)))
        }
        _ if ours == reference => Some(0.0),
        _ => {
            let (a, b) = (number(ours)?, number(reference)?);
            if (a.is_nan() && b.is_nan()) || a == b {
                return Some(0.0);
            }
            let room = tolerance.absolute + tolerance.relative * b.abs();
            Some(if room > 0.0 { (a - b).abs() / room } else { f64::INFINITY })
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("nan") => Some(f64::NAN),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None if value.is_null() => Some(f64::NAN),
        None => value.as_f64(),
    }
}

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

#[derive(Default)]
struct Tally {
    equal: usize,
    different: usize,
    decided_equal: usize,
    decided_otherwise: usize,
    missing: usize,
    worst: f64,
}

fn run(arguments: &Arguments) -> Result<Tally, String> {
    let manifest = read(&arguments.manifest)?;
    let folder = arguments.manifest.parent().unwrap_or(Path::new("."));
    let entries = manifest["metrics"].as_array().ok_or("the manifest has no list of metrics")?;
    let mut tally = Tally::default();
    let mut cases = Vec::with_capacity(entries.len());
    for entry in entries {
        let file = entry["file"].as_str().ok_or("an entry of the metrics names no file")?;
        let tolerance = Tolerance {
            relative: entry["tolerance"]["rtol"].as_f64().unwrap_or(1e-12),
            absolute: entry["tolerance"]["atol"].as_f64().unwrap_or(1e-12),
        };
        let text = read(&folder.join(file))?;
        let id = entry["id"].as_str().or_else(|| text["id"].as_str()).unwrap_or(file).to_owned();
        let (values, differences) = match MetricCase::parse(&text) {
            Ok(case) => compare(&id, &case, &text["expected"], tolerance, arguments.verbose, &mut tally),
            Err(error) => {
                println!("{id}: cannot be read: {error}");
                tally.different += 1;
                (Map::new(), vec![json!({ "error": error })])
            }
        };
        cases.push(json!({ "id": id, "file": file, "values": values, "differences": differences }));
    }
    let summary = json!({
        "equal": tally.equal, "different": tally.different, "missing": tally.missing,
        "reference_warns_or_raises": { "equal": tally.decided_equal, "decided_otherwise": tally.decided_otherwise },
        "worst_in_tolerances": tally.worst,
    });
    let out = json!({ "metrics": cases, "summary": summary });
    if let Some(parent) = arguments.out.parent() {
        fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
    }
    let text = serde_json::to_string_pretty(&out).map_err(|e| e.to_string())? + "\n";
    fs::write(&arguments.out, text).map_err(|e| format!("{}: {e}", arguments.out.display()))?;
    Ok(tally)
}

fn compare(
    id: &str,
    case: &MetricCase,
    expected: &Value,
    tolerance: Tolerance,
    verbose: bool,
    tally: &mut Tally,
) -> (Map<String, Value>, Vec<Value>) {
    let (mut values, mut differences) = (Map::new(), Vec::new());
    for (key, reference) in expected.as_object().into_iter().flatten() {
        let (ours, refused) = match compute(case, key) {
            Some(Ok(value)) => (value, None),
            Some(Err(error)) => (Value::Null, Some(error)),
            None => {
                tally.missing += 1;
                println!("{id} {key}: not computed here");
                differences.push(json!({ "key": key, "missing": true }));
                continue;
            }
        };
        values
            .insert(key.clone(), refused.as_ref().map_or_else(|| ours.clone(), |e| json!({ "refused": e })));
        let shown = refused.as_ref().map_or_else(|| short(&ours), |e| format!("refused ({e})"));
        let (is_plain, wanted) = match Reference::of(reference) {
            Reference::Plain(value) => (true, Some(value)),
            Reference::Warned(value) => (false, Some(value)),
            Reference::Raised(error) => {
                println!("{id} {key}: {shown}, where the reference raises {error}");
                tally.decided_otherwise += 1;
                differences
                    .push(json!({ "key": key, "ours": ours, "reference": reference, "decided": true }));
                continue;
            }
        };
        let apart = wanted.filter(|_| refused.is_none()).and_then(|value| distance(&ours, value, tolerance));
        if let Some(apart) = apart.filter(|&apart| apart <= 1.0) {
            tally.worst = tally.worst.max(apart);
            if is_plain {
                tally.equal += 1
            } else {
                tally.decided_equal += 1
            }
            if verbose {
                println!("{id} {key}: {shown}, {apart:.3} of the tolerance");
            }
            continue;
        }
        if is_plain {
            tally.different += 1
        } else {
            tally.decided_otherwise += 1
        }
        let note = if is_plain { "" } else { " (with a warning)" };
        println!("{id} {key}: {shown}, reference {}{note}", wanted.map_or(String::new(), short));
        differences.push(json!({ "key": key, "ours": ours, "reference": reference, "decided": !is_plain }));
    }
    (values, differences)
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(tally) => {
            println!(
                "values equal {} different {} missing {}; where the reference warns or raises: equal {} decided otherwise {}; \
                 the worst equal one is {:.1e} of its tolerance away",
                tally.equal,
                tally.different,
                tally.missing,
                tally.decided_equal,
                tally.decided_otherwise,
                tally.worst
            );
            if tally.different + tally.missing > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("parity_metrics: {error}");
            ExitCode::from(2)
        }
    }
}
