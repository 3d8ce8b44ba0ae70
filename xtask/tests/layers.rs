//! The map of the workspace as a test: who may depend on whom, where libtorch may reach, how large the small crates may grow, and which
//! licences come in. `docs/architecture.md` shows the same table to readers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const LIBRARIES: [&str; 7] =
    ["mgr-audio", "mgr-features", "mgr-eval", "mgr-data", "mgr-learn", "mgr-models", "mgr-pipeline"];

/// The packages of the workspace and the packages of the workspace that each may use.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("mgr-audio", &[]),
    ("mgr-features", &[]),
    ("mgr-eval", &[]),
    ("mgr-data", &["mgr-audio", "mgr-features", "mgr-eval"]),
    ("mgr-learn", &["mgr-eval"]),
    ("mgr-models", &["mgr-features", "mgr-data", "mgr-eval"]),
    ("mgr-pipeline", &["mgr-audio", "mgr-features", "mgr-eval", "mgr-data", "mgr-learn", "mgr-models"]),
    ("mgr-cli", &LIBRARIES),
    ("examples", &LIBRARIES),
    ("benches", &LIBRARIES),
    ("xtask", &[]),
];

/// The binding of libtorch, and the only package that may name it.
const BINDING: [&str; 2] = ["tch", "torch-sys"];
const BINDING_USER: &str = "mgr-models";

/// Packages, with the cargo features they are looked at with, whose normal dependency tree is free of libtorch.
const WITHOUT_LIBTORCH: [(&str, &[&str]); 7] = [
    ("mgr-audio", &[]),
    ("mgr-features", &[]),
    ("mgr-eval", &[]),
    ("mgr-data", &[]),
    ("mgr-learn", &[]),
    ("mgr-cli", &["--no-default-features"]),
    ("examples", &["--no-default-features"]),
];

/// Packages whose normal dependency tree, themselves included, stays below `SMALL` packages.
const SMALL_PACKAGES: [&str; 3] = ["mgr-audio", "mgr-features", "mgr-eval"];
const SMALL: usize = 60;

/// Licences under which a dependency may come in. MPL-2.0 binds only its own, unmodified, files.
const LICENCES: [&str; 18] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // The root certificates of webpki-roots: data, free to use and pass on.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "NCSA",
    "OFL-1.1",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// The workspace's folder. Asked at run time: checkouts that share a target folder share this program.
fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells its tests where the package lies");
    Path::new(&package).parent().unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8(output.stdout).unwrap())
}

fn metadata(more: &[&str]) -> Result<Value, String> {
    cargo(&[&["metadata", "--format-version", "1"], more].concat())
        .map(|text| serde_json::from_str(&text).unwrap())
}

/// The workspace's own packages, by name.
fn workspace() -> BTreeMap<String, Value> {
    let all = metadata(&["--no-deps"]).unwrap();
    let named = |package: &Value| (text(package, "name").to_owned(), package.clone());
    all["packages"].as_array().unwrap().iter().map(named).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn may_use(package: &str) -> &'static [&'static str] {
    MAY_USE.iter().find(|(name, _)| *name == package).map_or(&[], |&(_, used)| used)
}

/// A package and all it may use, directly or not.
fn reach(package: &str) -> BTreeSet<&str> {
    may_use(package).iter().flat_map(|used| reach(used)).chain([package]).collect()
}

/// What is wrong with one dependency, if anything is. `kind` is cargo's word: normal, build or dev.
///
/// Dev-dependencies are held to a looser rule, since they reach nobody else: a test may use any package of the workspace that does not
/// itself reach back to the tested one, and that brings no libtorch where the tested one has none.
fn fault(package: &str, kind: &str, dependency: &str) -> Option<String> {
    if BINDING.contains(&dependency) {
        let name = format!("{package} names {dependency} ({kind}): only {BINDING_USER} may");
        return (package != BINDING_USER).then_some(name);
    }
    let ours = MAY_USE.iter().any(|(name, _)| *name == dependency);
    if !ours || may_use(package).contains(&dependency) {
        return None;
    }
    if kind != "dev" {
        return Some(format!(
            "{package} depends on {dependency} ({kind}): it may use only {:?}",
            may_use(package)
        ));
    }
    let reached = reach(dependency);
    if reached.contains(package) {
        return Some(format!("{package} depends on {dependency} (dev), which depends on {package}"));
    }
    let brings = reached.contains(BINDING_USER) && !reach(package).contains(BINDING_USER);
    brings.then(|| format!("{package} depends on {dependency} (dev), which brings libtorch"))
}

#[test]
fn packages_use_only_what_the_table_allows() {
    let packages = workspace();
    let table: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(
        found, table,
        "the workspace (left) and the table of this test (right) name different packages"
    );
    let mut faults = Vec::new();
    for (name, package) in &packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            faults.extend(fault(name, kind, text(dependency, "name")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rule_finds_each_kind_of_offender() {
    let found = |package, kind, dependency| fault(package, kind, dependency).unwrap_or_default();
    assert!(found("mgr-audio", "normal", "mgr-eval").contains("mgr-audio depends on mgr-eval"));
    assert!(found("mgr-learn", "build", "mgr-data").contains("mgr-data"));
    assert!(found("mgr-pipeline", "normal", "tch").contains("only mgr-models"));
    assert!(found("mgr-eval", "dev", "mgr-learn").contains("which depends on mgr-eval"));
    assert!(found("mgr-learn", "dev", "mgr-pipeline").contains("which depends on mgr-learn"));
    assert!(found("mgr-audio", "dev", "mgr-models").contains("mgr-audio"));
    assert!(found("xtask", "dev", "mgr-models").contains("brings libtorch"));
    assert_eq!(found("mgr-learn", "dev", "mgr-features"), "");
    assert_eq!(found("mgr-models", "normal", "tch"), "");
    assert_eq!(found("mgr-cli", "normal", "mgr-pipeline"), "");
    assert_eq!(found("mgr-audio", "normal", "serde"), "");
}

/// Names and versions of the packages in the normal dependency tree for this machine, the package itself included.
fn normal_tree(package: &str, features: &[&str]) -> BTreeSet<String> {
    let fixed = ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = cargo(&[&fixed, features].concat()).unwrap();
    // A line may end in ` (proc-macro)`, a path or ` (*)`.
    let name = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    tree.lines().filter(|line| !line.is_empty()).map(name).collect()
}

#[test]
fn libtorch_reaches_only_where_it_may() {
    for (package, features) in WITHOUT_LIBTORCH {
        let tree = normal_tree(package, features);
        let found: Vec<_> = tree
            .iter()
            .filter(|line| BINDING.contains(&line.split(' ').next().unwrap_or_default()))
            .collect();
        assert!(
            found.is_empty(),
            "{package} {features:?} reaches {found:?}; see `cargo tree -p {package} -i tch`"
        );
    }
    let models = normal_tree(BINDING_USER, &[]);
    assert!(
        models.iter().any(|line| line.starts_with("tch ")),
        "no tch in the tree of {BINDING_USER}: {models:?}"
    );
}

#[test]
fn small_crates_stay_small() {
    for package in SMALL_PACKAGES {
        let tree = normal_tree(package, &[]);
        assert!(
            tree.len() < SMALL,
            "{package} has {} packages in its normal tree, allowed are fewer than {SMALL}: {tree:?}",
            tree.len()
        );
    }
}

#[test]
fn libraries_share_the_lint_table() {
    for (name, package) in workspace() {
        let path = Path::new(text(&package, "manifest_path"));
        if path.parent().and_then(Path::parent).is_none_or(|folder| !folder.ends_with("crates")) {
            continue;
        }
        let manifest = std::fs::read_to_string(path).unwrap();
        let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
        let shared = lines
            .by_ref()
            .take_while(|line| !line.starts_with('['))
            .any(|line| line.replace(' ', "") == "workspace=true");
        assert!(shared, "{name}: its Cargo.toml lacks the table [lints] with workspace = true");
    }
}

#[test]
fn every_third_party_crate_has_its_reason() {
    let root = root();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let reasons = std::fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let crates = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    let names: Vec<_> = crates
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(names.contains(&"serde"), "the table was not read: {names:?}");
    let ours = |name: &str| MAY_USE.iter().any(|(package, _)| *package == name);
    let missing: Vec<_> = names
        .into_iter()
        .filter(|name| !ours(name) && !reasons.contains(&format!("\n| `{name}` |")))
        .collect();
    assert!(missing.is_empty(), "no line in docs/dependencies.md for {missing:?}");
}

/// Whether a licence expression can be met by the listed licences alone.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

/// `a OR b`, where AND binds tighter. `None`: not an expression.
fn either(rest: &mut &[&str]) -> Option<bool> {
    let mut allowed = both(rest)?;
    while let Some(next) = rest.strip_prefix(&["OR"]) {
        *rest = next;
        allowed |= both(rest)?;
    }
    Some(allowed)
}

fn both(rest: &mut &[&str]) -> Option<bool> {
    let mut allowed = single(rest)?;
    while let Some(next) = rest.strip_prefix(&["AND"]) {
        *rest = next;
        allowed &= single(rest)?;
    }
    Some(allowed)
}

fn single(rest: &mut &[&str]) -> Option<bool> {
    let (&word, next) = rest.split_first()?;
    *rest = next;
    if word == "(" {
        let allowed = either(rest)?;
        *rest = rest.strip_prefix(&[")"])?;
        return Some(allowed);
    }
    let mut licence = word.to_owned();
    if let Some([exception, next @ ..]) = rest.strip_prefix(&["WITH"]) {
        licence = format!("{word} WITH {exception}");
        *rest = next;
    }
    Some(LICENCES.contains(&licence.as_str()))
}

#[test]
fn licence_expressions_are_read() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0-only",
        "MIT AND LGPL-2.1-or-later",
        "(MIT OR AGPL-3.0) AND GPL-2.0",
        "MIT OR",
        "(MIT",
        "MIT )",
        "Apache-2.0 WITH other",
    ] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

#[test]
fn licences_are_permissive() {
    // Every platform's packages where they have all been fetched, else those of this machine.
    let host = cargo_host();
    let all = metadata(&["--offline"]).or_else(|_| metadata(&["--filter-platform", &host])).unwrap();
    let named = |package: &Value| {
        format!("{} {}: {:?}", text(package, "name"), text(package, "version"), text(package, "license"))
    };
    let packages = all["packages"].as_array().unwrap();
    let bad: Vec<_> =
        packages.iter().filter(|package| !is_allowed(text(package, "license"))).map(named).collect();
    assert!(bad.is_empty(), "not under an allowed licence:\n{}", bad.join("\n"));
}

fn cargo_host() -> String {
    let version = cargo(&["-vV"]).unwrap();
    version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host").to_owned()
}
