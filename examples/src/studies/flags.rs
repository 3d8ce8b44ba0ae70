//! Command lines of studies: every refusal is one sentence that says what to do, and exit code 1.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Display;

use clap::Parser;
use clap::error::ErrorKind;

/// What a study fails with: a sentence for its user.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Reads a command line. `foreign` names flags of the original that have no equivalent here, with what to do instead; they
/// are refused in those words.
///
/// # Errors
/// A sentence. Asking for help or the version is not an error: it prints and ends the program, as clap does.
pub fn parse<F: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
    foreign: &[(&str, &str)],
) -> Result<F, Failure> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    for argument in &arguments {
        let argument = argument.to_string_lossy();
        let name = argument.split('=').next().unwrap_or_default();
        if let Some((flag, instead)) = foreign.iter().find(|(flag, _)| *flag == name) {
            return Err(format!("the original's flag {flag} has no equivalent here: {instead}").into());
        }
    }
    F::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            format!("{first}; --help lists every flag and its values").into()
        }
    })
}

/// Says how a study ended: 0, or 1 after its sentence on the standard error.
pub fn exit_code(study: &str, result: Result<(), Failure>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{study}: {error}");
            1
        }
    }
}

/// Adds to an error what its reader can do about it.
pub fn advise<E: Display>(advice: impl Display) -> impl FnOnce(E) -> Failure {
    move |error| format!("{error}; {advice}").into()
}
