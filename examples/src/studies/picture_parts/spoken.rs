//! How a study speaks to whoever started it: flags that are not its own, and what went wrong, in one sentence.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use mgr_eval::EvalError;
use mgr_eval::metrics::wilson_interval;

/// What a study ends with: nothing, or a sentence that says what to do.
pub type Result<T> = std::result::Result<T, String>;

/// Any error as its sentence.
pub fn sentence(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A flag or setting of an original program without an equivalent, and what to do instead.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// The name as the original spells it, without dashes; `_` and `-` are the same.
    pub name: &'static str,
    /// What to do instead, as the rest of a sentence.
    pub instead: &'static str,
}

/// The flags of a study.
///
/// # Errors
/// The sentence for a flag of the original that has no equivalent; what clap says of any other flag that cannot be read, also of
/// `--help`, as its own error.
pub fn flags<P: Parser>(
    arguments: impl IntoIterator<Item = String>,
    foreign: &[Foreign],
) -> std::result::Result<P, Refusal> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    for argument in &arguments {
        let Some(flag) = argument.strip_prefix("--") else { continue };
        let name = flag.split('=').next().unwrap_or_default().replace('_', "-").to_lowercase();
        if let Some(found) = foreign.iter().find(|f| f.name.replace('_', "-") == name) {
            return Err(Refusal::Sentence(format!(
                "--{name} of the original has no equivalent here: {}",
                found.instead
            )));
        }
    }
    P::try_parse_from(arguments).map_err(|error| Refusal::Usage(Box::new(error)))
}

/// Why flags were not taken.
#[derive(Debug)]
pub enum Refusal {
    /// A sentence.
    Sentence(String),
    /// What clap has to say.
    Usage(Box<clap::Error>),
}

/// Runs a study and ends the program: 0 when it ended well, 1 with one sentence on standard error when not.
pub fn end<P: Parser>(
    name: &str,
    foreign: &[Foreign],
    study: impl FnOnce(&P, &str) -> Result<()>,
) -> ExitCode {
    let command = std::iter::once(name.to_owned()).chain(std::env::args().skip(1)).collect::<Vec<_>>();
    let outcome = match flags::<P>(std::env::args(), foreign) {
        Ok(flags) => study(&flags, &command.join(" ")),
        Err(Refusal::Sentence(reason)) => Err(reason),
        Err(Refusal::Usage(error)) => {
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// A share in percent.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// So many of so many with the 95 % Wilson interval: `72.3 % (70.1 to 74.4)`.
///
/// # Errors
/// The sentence of mgr-eval where there is none at all.
pub fn with_interval(right: u64, all: u64) -> Result<String> {
    let interval = wilson_interval(right, all, 0.95).map_err(sentence)?;
    let [share, low, high] = [right as f64 / all as f64, interval.low, interval.high].map(|v| 100.0 * v);
    Ok(format!("{share:.1} % ({low:.1} to {high:.1})"))
}

/// An error of a split with the class by its name, and what to do.
pub fn split_refused(error: &EvalError, classes: &[String]) -> String {
    let class = match error {
        EvalError::TooFewClips { class, .. }
        | EvalError::TooFewGroups { class, .. }
        | EvalError::OneClass { class }
        | EvalError::ClassNotInTraining { class, .. } => Some(*class),
        _ => None,
    };
    let named = class.and_then(|class| Some((class, classes.get(class)?)));
    let what = named.map_or(error.to_string(), |(class, name)| {
        error.to_string().replacen(&format!("class {class} "), &format!("{name} "), 1)
    });
    format!(
        "the split cannot be made: {what}; give that class more clips, or leave small classes out with --least N"
    )
}
