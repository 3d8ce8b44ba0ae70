//! What the machine has to offer: a C++ compiler, a Python 3 with pip, a place for caches.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROBE: &str = include_str!("probe.py");

/// The C++ compiler that the libtorch binding is built with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// Build scripts find it by themselves: `c++`, or what `CXX` names.
    Found,
    /// It has another name, which has to be handed on as `CXX`.
    Named(&'static str),
}

/// Finds a C++ compiler. `cxx` is the value of `CXX`; `runs` tells whether a command answers `--version`.
pub(crate) fn compiler(cxx: Option<&str>, runs: impl Fn(&str) -> bool) -> Result<Compiler, String> {
    if let Some(cxx) = cxx.filter(|cxx| !cxx.trim().is_empty()) {
        return if runs(cxx) {
            Ok(Compiler::Found)
        } else {
            Err(format!("CXX names the C++ compiler `{cxx}`, which does not run here: correct or unset CXX"))
        };
    }
    if runs("c++") {
        return Ok(Compiler::Found);
    }
    match ["g++", "clang++"].into_iter().find(|name| runs(name)) {
        Some(name) => Ok(Compiler::Named(name)),
        None => Err(format!("no C++ compiler found (looked for c++, g++, clang++); {}", compiler_hint())),
    }
}

fn compiler_hint() -> &'static str {
    if cfg!(target_os = "macos") {
        "install the Xcode command line tools: xcode-select --install"
    } else {
        "install one: on Debian or Ubuntu `sudo apt install build-essential`, on Fedora or openSUSE the package gcc-c++"
    }
}

/// Whether a command, which may carry arguments of its own, answers `--version`.
pub(crate) fn answers_version(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else { return false };
    let mut command = Command::new(program);
    command.args(words).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A Python that can fetch and unpack wheels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Python {
    /// The command.
    pub(crate) program: &'static str,
    /// Version of glibc, empty on other systems.
    pub(crate) glibc: String,
    /// Free space in the cache folder, in bytes.
    pub(crate) free_bytes: u64,
}

/// Finds a Python 3 with pip and asks it for the free space of `folder`.
pub(crate) fn python(folder: &Path) -> Result<Python, String> {
    let mut complaint = None;
    for program in ["python3", "python"] {
        let probe = Command::new(program).args(["-c", PROBE]).arg(folder).stdin(Stdio::null()).output();
        let Ok(answer) = probe else { continue };
        match read_probe(program, &String::from_utf8_lossy(&answer.stdout)) {
            Ok(python) => return Ok(python),
            Err(text) => complaint = complaint.or(Some(text)),
        }
    }
    let text =
        complaint.unwrap_or_else(|| "Python 3 is not installed (looked for python3, python)".to_owned());
    Err(format!("{text}; {}", python_hint()))
}

fn python_hint() -> &'static str {
    if cfg!(target_os = "macos") {
        "install it with the Xcode command line tools (xcode-select --install) or from python.org"
    } else {
        "install Python 3 and its pip: on Debian or Ubuntu `sudo apt install python3 python3-pip`, on Fedora or openSUSE the packages python3 and python3-pip"
    }
}

/// Reads the answer of `probe.py`.
fn read_probe(program: &'static str, answer: &str) -> Result<Python, String> {
    let lines: Vec<&str> = answer.lines().map(str::trim).collect();
    let [version, pip, glibc, free] = lines[..] else {
        return Err(format!("`{program}` is there but does not run as Python 3"));
    };
    if !version.starts_with("3.") {
        return Err(format!("`{program}` is Python {version}, Python 3 is needed"));
    }
    if let Some(module) = pip.strip_prefix("missing ") {
        return Err(format!("`{program}` (Python {version}) has no {module}"));
    }
    let free_bytes =
        free.parse().map_err(|_| format!("`{program}` cannot tell the free disk space: {free}"))?;
    Ok(Python { program, glibc: glibc.to_owned(), free_bytes })
}

/// Whether a version of glibc is too old for the wheels, which want 2.28.
pub(crate) fn glibc_is_too_old(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (2, 28),
        _ => false,
    }
}

/// The folder for prepared files: `MGR_CACHE`, else `mgr` below the user's cache folder as the platform has it.
pub(crate) fn cache_folder(os: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, String> {
    let folder = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = folder("MGR_CACHE") {
        return std::path::absolute(&own).map_err(|error| format!("MGR_CACHE={}: {error}", own.display()));
    }
    let home = || folder("HOME").ok_or("HOME is not set: name a folder for prepared files by MGR_CACHE");
    if os == "macos" {
        return Ok(home()?.join("Library/Caches/mgr"));
    }
    // The XDG rules: a relative path is invalid and is to be ignored.
    match folder("XDG_CACHE_HOME").filter(|path| path.is_absolute()) {
        Some(cache) => Ok(cache.join("mgr")),
        None => Ok(home()?.join(".cache/mgr")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(os: &str, variables: &[(&str, &str)]) -> Result<PathBuf, String> {
        let find =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        cache_folder(os, find)
    }

    #[test]
    fn cache_folder_follows_the_platform() {
        let home = ("HOME", "/home/ada");
        assert_eq!(cache("linux", &[home]), Ok("/home/ada/.cache/mgr".into()));
        assert_eq!(cache("macos", &[home]), Ok("/home/ada/Library/Caches/mgr".into()));
        assert_eq!(cache("linux", &[home, ("XDG_CACHE_HOME", "/big")]), Ok("/big/mgr".into()));
        assert_eq!(
            cache("macos", &[home, ("XDG_CACHE_HOME", "/big")]),
            Ok("/home/ada/Library/Caches/mgr".into())
        );
    }

    #[test]
    fn own_cache_folder_wins_and_odd_values_do_not_count() {
        let home = ("HOME", "/home/ada");
        assert_eq!(
            cache("linux", &[home, ("XDG_CACHE_HOME", "/big"), ("MGR_CACHE", "/own")]),
            Ok("/own".into())
        );
        assert_eq!(
            cache("linux", &[home, ("XDG_CACHE_HOME", "here"), ("MGR_CACHE", "")]),
            Ok("/home/ada/.cache/mgr".into())
        );
        assert!(cache("linux", &[]).is_err_and(|text| text.contains("MGR_CACHE")));
    }

    #[test]
    fn compiler_is_looked_for_by_name() {
        let among = |names: &'static [&str]| move |name: &str| names.contains(&name);
        assert_eq!(compiler(None, among(&["c++", "g++"])), Ok(Compiler::Found));
        assert_eq!(compiler(None, among(&["clang++"])), Ok(Compiler::Named("clang++")));
        assert_eq!(compiler(Some(""), among(&["g++"])), Ok(Compiler::Named("g++")));
        assert_eq!(compiler(Some("zig c++"), among(&["zig c++"])), Ok(Compiler::Found));
        assert!(compiler(Some("icpc"), among(&["c++"])).is_err_and(|text| text.contains("icpc")));
        assert!(compiler(None, among(&[])).is_err_and(|text| text.contains("install")));
    }

    #[test]
    fn probe_answers_are_told_apart() {
        let good = read_probe("python3", "3.12\n24.0\n2.39\n5000\n");
        let python = Python { program: "python3", glibc: "2.39".to_owned(), free_bytes: 5000 };
        assert_eq!(good, Ok(python));
        assert!(
            read_probe("python3", "3.12\nmissing pip\n2.39\n1\n")
                .is_err_and(|text| text.contains("has no pip"))
        );
        assert!(read_probe("python", "2.7\n9.0\n2.31\n1\n").is_err_and(|text| text.contains("Python 2.7")));
        assert!(read_probe("python3", "").is_err_and(|text| text.contains("does not run")));
    }

    #[test]
    fn old_glibc_is_noticed() {
        assert!(glibc_is_too_old("2.27") && glibc_is_too_old("2.17"));
        assert!(!glibc_is_too_old("2.28") && !glibc_is_too_old("3.0") && !glibc_is_too_old(""));
    }
}
