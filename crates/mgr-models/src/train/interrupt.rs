//! Ctrl-C: finish the step, save, say how to go on.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use crate::Error;

#[expect(
    unsafe_code,
    reason = "signals are C's; native/interrupt.c keeps the address of a static and writes one byte there"
)]
mod native {
    unsafe extern "C" {
        /// The flag must live as long as the process: only [`super::PRESSED`] is given.
        pub(super) safe fn mgr_on_interrupt(flag: *mut bool) -> bool;
    }
}

static PRESSED: AtomicBool = AtomicBool::new(false);

/// Makes the first Ctrl-C (or a request of the system to end) set a flag, for [`FitOptions::cancel`](super::FitOptions), and
/// the second one end the process with status 130. Asking again gives the same flag.
///
/// ```no_run
/// use mgr_models::train::{FitOptions, interrupt};
/// # fn run(folder: &std::path::Path) -> Result<(), mgr_models::Error> {
/// let options = FitOptions { cancel: Some(interrupt::flag()?), checkpoints: Some(folder), ..FitOptions::default() };
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Interrupt`] where the system refuses.
pub fn flag() -> Result<&'static AtomicBool, Error> {
    static SET: OnceLock<bool> = OnceLock::new();
    if *SET.get_or_init(|| native::mgr_on_interrupt(PRESSED.as_ptr())) {
        Ok(&PRESSED)
    } else {
        Err(Error::Interrupt)
    }
}

/// What to tell whoever stopped a run.
#[must_use]
pub fn message(finished_epochs: usize, folder: Option<&Path>) -> String {
    match folder {
        Some(folder) => format!(
            "stopped after {finished_epochs} finished epochs; the step is saved in {}: the same command again goes on from it",
            folder.display()
        ),
        None => format!(
            "stopped after {finished_epochs} finished epochs; without a folder for checkpoints nothing is saved"
        ),
    }
}
