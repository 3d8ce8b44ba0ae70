//! Finds the libtorch that torch-sys linked and makes this package's binaries find it at run time without `LD_LIBRARY_PATH`.
//!
//! Link arguments do not travel to dependents, so the folder is published as metadata: a direct dependent's build script reads it as
//! `DEP_MGR_MODELS_LIBTORCH_LIB`.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else { return };
    // Two places: the folder itself, and the workspace's link to it, which goes on working when set-up moves the folder.
    let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let path = format!("{}:{}", real.display(), folder.display());
    println!("cargo::metadata=LIBTORCH_LIB={path}");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{path}");
    }
}
