//! Makes this package's binaries find libtorch at run time without `LD_LIBRARY_PATH`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Published by the build script of mgr-models; absent where this package is built without it.
    let Ok(folder) = std::env::var("DEP_MGR_MODELS_LIBTORCH_LIB") else { return };
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
