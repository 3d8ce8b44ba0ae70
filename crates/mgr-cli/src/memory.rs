//! What glibc's allocator does with the memory of networks.

/// Starts the program once more with settings under which glibc keeps freed memory, where nobody has chosen any.
///
/// Networks take and free the same large tensors all the time. By default glibc hands each back to the system, which then clears
/// every page anew: a step of the encoder for spectrograms took half as long again (docs/benchmarks.md). glibc reads its settings
/// before the program begins.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_freed_memory() {
    use std::os::unix::process::CommandExt as _;

    const SETTINGS: [(&str, &str); 2] =
        [("MALLOC_MMAP_THRESHOLD_", "1000000000"), ("MALLOC_TRIM_THRESHOLD_", "4000000000")];
    if SETTINGS.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    let (Ok(program), mut arguments) = (std::env::current_exe(), std::env::args_os()) else { return };
    let mut again = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Comes back only where it could not be started: then all goes on as it is, only slower.
    let _ = again.args(arguments).envs(SETTINGS).exec();
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_freed_memory() {}
