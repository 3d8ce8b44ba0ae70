//! Denormal numbers as zeros.

#[cfg(mgr_native)]
#[expect(
    unsafe_code,
    reason = "the switch is in libtorch's C++ interface; native/denormals.cpp catches what it throws"
)]
mod native {
    unsafe extern "C" {
        pub(super) safe fn mgr_flush_denormals(on: bool) -> bool;
    }
}

/// Runs `work` with denormal numbers taken and given as zeros, on the calling thread and on those that libtorch computes
/// with for it, and puts the switch back after.
///
/// Numbers under 1.2e-38 say nothing in a network, and processors are up to a hundred times slower on them. Weights that
/// decayed towards zero in training make them in every pass. Where the processor has no such switch, or this package was
/// built without libtorch's C++ headers, `work` runs as it is.
pub fn flushing_denormals<T>(work: impl FnOnce() -> T) -> T {
    /// Puts the switch back, also when `work` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            if self.0 {
                set(false);
            }
        }
    }
    let _restore = Restore(!are_flushed() && set(true));
    work()
}

/// Whether the calling thread takes denormal numbers as zeros.
#[must_use]
pub fn are_flushed() -> bool {
    use std::hint::black_box;
    black_box(f32::MIN_POSITIVE) * black_box(0.5) == 0.0
}

#[cfg(mgr_native)]
fn set(on: bool) -> bool {
    native::mgr_flush_denormals(on)
}

#[cfg(not(mgr_native))]
fn set(_: bool) -> bool {
    false
}
