//! Fetching one wheel with pip, and saying plainly why it failed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::recipe::Wheel;

/// Downloads a wheel into a folder and gives its path. `progress`: pip's own progress bar is shown.
pub(crate) fn download(
    program: &str,
    wheel: &Wheel,
    folder: &Path,
    progress: bool,
) -> Result<PathBuf, String> {
    let mut command = Command::new(program);
    command.args(["-m", "pip", "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check"]);
    // Fixed tags: any Python 3 may fetch the wheel, which need not fit that Python.
    command.args([
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        "3.11",
        "--platform",
        wheel.tag,
    ]);
    command.arg("--dest").arg(folder).arg(wheel.requirement);
    // What pip keeps on the way lies in our folder too: on the same disk, and removed with it.
    command.env("TMPDIR", folder).stdin(Stdio::null()).stderr(Stdio::piped());
    if !progress {
        command.arg("--quiet").stdout(Stdio::null());
    }
    let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    let mut said = String::new();
    for line in
        child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok)
    {
        eprintln!("  pip: {line}");
        said += &line;
        said.push('\n');
    }
    let status = child.wait().map_err(|error| format!("cannot wait for {program}: {error}"))?;
    if !status.success() {
        return Err(format!("cannot download {}: {}", wheel.requirement, reason(&said)));
    }
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("pip downloaded no wheel for {}", wheel.requirement))
}

/// What pip's messages mean for the user.
fn reason(said: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["No space left on device", "Disk quota exceeded"]) {
        "the disk is full; make room, or name a folder elsewhere by MGR_CACHE"
    } else if has(&[
        "DO NOT MATCH THE HASHES",
        "IncompleteRead",
        "Connection broken",
        "incomplete-download",
        "is invalid",
    ]) {
        "the download broke off; call the command again"
    } else if has(&[
        "Retrying",
        "NewConnectionError",
        "timed out",
        "ProxyError",
        "SSLError",
        "Connection refused",
    ]) {
        "the package index cannot be reached; check the network (and pip's proxy and index settings), then call the command again"
    } else if has(&["No matching distribution", "Could not find a version"]) {
        "the package index that pip is set to does not offer it; use one that does (PIP_INDEX_URL), or give your own libtorch by LIBTORCH"
    } else {
        "pip failed; its own words are above"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_apart() {
        let missing = "ERROR: No matching distribution found for torch==2.11.0";
        assert!(reason("OSError: [Errno 28] No space left on device").contains("disk"));
        assert!(reason(missing).contains("does not offer"));
        assert!(reason(&format!("WARNING: Retrying (Retry(total=4\n{missing}")).contains("network"));
        assert!(reason("urllib3.exceptions.IncompleteRead").contains("broke off"));
        assert!(reason("Segmentation fault").contains("above"));
    }
}
