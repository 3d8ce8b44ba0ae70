//! How a command over many files ends.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use mgr_data::folder;

/// 0 when all was done, 2 when some failed, 1 when none was done.
pub(crate) fn exit_code(done: usize, failed: usize) -> ExitCode {
    match (done, failed) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        _ => ExitCode::from(2),
    }
}

/// Says what ended a command before it came to any file.
pub(crate) fn refuse(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("mgr: {message}");
    ExitCode::FAILURE
}

/// The audio files that the paths stand for.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let files = folder::files(paths).map_err(|e| e.to_string())?;
    if files.is_empty() {
        return Err("no audio file found (wav, flac, mp3, ogg, m4a, au, ...)".to_owned());
    }
    Ok(files)
}

/// A line on standard output.
///
/// Whoever reads it may have stopped listening (`mgr ... | head`), which is no error of ours; a full disk is.
pub(crate) fn print(line: impl std::fmt::Display) -> Result<(), String> {
    let mut out = std::io::stdout();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Set when the user wants the work to end.
#[cfg(feature = "nets")]
pub(crate) fn interrupted() -> &'static std::sync::atomic::AtomicBool {
    static STOP: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    &STOP
}
