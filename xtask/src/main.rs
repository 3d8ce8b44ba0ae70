//! Project commands: `cargo xtask setup`, `cargo xtask demo`, `cargo xtask test`.

mod host;
mod libtorch;
mod pip;
mod recipe;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use crate::host::Compiler;

const HELP: &str = "\
usage: cargo xtask <command> [arguments]

commands:
  setup   prepare libtorch (about 0.5 GB in the user's cache folder; once for all clones)
  demo    setup, then the whole pipeline on the built-in synthetic music; the report goes to out/demo
  test    setup, then all tests
  help    print this text

Arguments of demo go to the pipeline example, those of test to `cargo test --workspace`.

environment:
  MGR_CACHE              folder for the prepared libtorch, in place of the user's cache folder
  LIBTORCH               a libtorch 2.11.0 of your own; nothing is prepared then
  LIBTORCH_USE_PYTORCH   set to 1: use the PyTorch 2.11.0 installed for Python; nothing is prepared then
  CXX                    the C++ compiler, in place of c++
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command and gives the exit status to end with.
fn run(arguments: &[OsString]) -> Result<u8, String> {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.to_string_lossy(), rest),
        None => ("help".into(), arguments),
    };
    match name.as_ref() {
        "setup" if rest.is_empty() => set_up_only(),
        "setup" => Err("setup takes no arguments".to_owned()),
        "demo" => build_and_run(&root()?, Profile::Release, &demo_arguments(rest)),
        "test" => {
            let cargo = ["test", "--workspace"].map(OsString::from);
            build_and_run(&root()?, Profile::Dev, &[&cargo, rest].concat())
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(0)
        }
        other => Err(format!("no command `{other}`\n\n{HELP}")),
    }
}

fn set_up_only() -> Result<u8, String> {
    if let Compiler::Named(name) = libtorch::set_up(&root()?)? {
        println!("setup: there is no c++ here: set CXX={name} when you call cargo yourself");
    }
    Ok(0)
}

/// The workspace's folder: of the checkout that cargo runs this from, which may have been moved since the build.
fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let root = package.parent().filter(|root| root.join("Cargo.toml").is_file());
    root.map(Path::to_owned).ok_or_else(|| format!("{} is not in a workspace", package.display()))
}

/// Arguments of the cargo call that runs the demo. What the user gives wins over the demo's own choice.
fn demo_arguments(rest: &[OsString]) -> Vec<OsString> {
    let given = |name: &str| {
        let with_value = format!("{name}=");
        rest.iter()
            .map(|word| word.to_string_lossy())
            .any(|word| word == name || word.starts_with(&with_value))
    };
    let mut words = vec!["run", "--release", "-p", "examples", "--example", "pipeline", "--"];
    for (name, value) in [("--dataset", "demo"), ("--out", "out/demo")] {
        if !given(name) {
            words.extend([name, value]);
        }
    }
    words.into_iter().map(OsString::from).chain(rest.iter().cloned()).collect()
}

#[derive(Clone, Copy)]
enum Profile {
    Dev,
    Release,
}

/// Sets libtorch up, then calls cargo and hands its exit status on.
fn build_and_run(root: &Path, profile: Profile, arguments: &[OsString]) -> Result<u8, String> {
    let compiler = libtorch::set_up(root)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments);
    // cargo sets these for this process; the inner cargo is to start as from a shell, and to set LIBTORCH by the same rule.
    for (name, value) in std::env::vars_os() {
        let by_cargo = name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "CARGO_MANIFEST_DIR"
            || name == "CARGO_MANIFEST_PATH";
        if by_cargo || (name == "LIBTORCH" && value == *root.join(".libtorch")) {
            command.env_remove(name);
        }
    }
    if let Compiler::Named(name) = compiler {
        command.env("CXX", name);
    }
    if !binding_is_built(profile) {
        println!("building; the first build compiles the libtorch binding, which takes 2 to 3 minutes");
    }
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    Ok(exit_code(status))
}

/// Whether this target folder holds the compiled libtorch binding.
fn binding_is_built(profile: Profile) -> bool {
    let profile = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    // This program lies in <target>/debug.
    let program = std::env::current_exe().unwrap_or_default();
    let Some(target) = program.parent().and_then(Path::parent) else { return false };
    let builds = std::fs::read_dir(target.join(profile).join("build")).into_iter().flatten().flatten();
    builds.map(|entry| entry.path().join("out/libtch.a")).any(|library| library.is_file())
}

/// The status to end with: cargo's own; as a shell tells it (128 and the signal) where a signal ended cargo.
fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1);
    // A code that no byte holds must not turn into success.
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn demo_hands_arguments_on() {
        let fixed = "run --release -p examples --example pipeline --";
        assert_eq!(demo_arguments(&[]), words(&format!("{fixed} --dataset demo --out out/demo")));
        let more = demo_arguments(&words("--seed 3"));
        assert_eq!(more, words(&format!("{fixed} --dataset demo --out out/demo --seed 3")));
    }

    #[test]
    fn users_choice_replaces_the_demos() {
        let fixed = "run --release -p examples --example pipeline --";
        let own = demo_arguments(&words("--out=/tmp/x --dataset folder"));
        assert_eq!(own, words(&format!("{fixed} --out=/tmp/x --dataset folder")));
    }

    #[test]
    fn unknown_commands_are_refused_with_help() {
        assert!(run(&words("tets")).is_err_and(|text| text.contains("`tets`") && text.contains("usage")));
        assert!(run(&words("setup --now")).is_err());
        assert_eq!(run(&words("help")), Ok(0));
    }

    #[cfg(unix)]
    #[test]
    fn exit_codes_are_handed_on() {
        let ended = |script: &str| exit_code(Command::new("sh").args(["-c", script]).status().unwrap());
        assert_eq!([ended("exit 0"), ended("exit 101"), ended("kill -9 $$")], [0, 101, 137]);
    }
}
