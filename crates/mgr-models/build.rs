//! Finds the libtorch that torch-sys linked and makes this package's binaries find it at run time without `LD_LIBRARY_PATH`.
//!
//! It also compiles `native/interrupt.c`, and `native/denormals.cpp` against libtorch's headers; where these are missing, denormal
//! numbers stay as they are.
//!
//! Link arguments do not travel to dependents, so the folder is published as metadata: a direct dependent's build script reads it as
//! `DEP_MGR_MODELS_LIBTORCH_LIB`.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=native/denormals.cpp");
    println!("cargo::rerun-if-changed=native/interrupt.c");
    println!("cargo::rerun-if-env-changed=LIBTORCH_INCLUDE");
    println!("cargo::rustc-check-cfg=cfg(mgr_native)");
    cc::Build::new().file("native/interrupt.c").compile("mgr_interrupt");
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else { return };
    // Two places: the folder itself, and the workspace's link to it, which goes on working when set-up moves the folder.
    let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let path = format!("{}:{}", real.display(), folder.display());
    println!("cargo::metadata=LIBTORCH_LIB={path}");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{path}");
    }
    compile_native(&folder);
}

/// The headers lie beside the libraries, or where torch-sys is told by `LIBTORCH_INCLUDE`.
fn compile_native(libraries: &Path) {
    let own = std::env::var_os("LIBTORCH_INCLUDE").map(PathBuf::from);
    let root = own.or_else(|| libraries.parent().map(Path::to_owned)).unwrap_or_default();
    let include = root.join("include");
    if !include.join("ATen/TensorIterator.h").is_file() {
        println!(
            "cargo::warning=no C++ headers of libtorch in {}: denormal numbers are not flushed",
            include.display()
        );
        return;
    }
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .file("native/denormals.cpp")
        .compile("mgr_native");
    println!("cargo::rustc-cfg=mgr_native");
}
