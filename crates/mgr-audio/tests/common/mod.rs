//! Where the shared data is, for the tests that read it.

use std::path::{Path, PathBuf};

/// The folder `shared` beside the project root, or the one that `MGR_SHARED` names. `None`, with a line on stderr, where there
/// is none; a failure then if `MGR_REQUIRE_SHARED` is 1.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let named = std::env::var_os("MGR_SHARED").map(PathBuf::from);
    let beside = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|folder| folder.join("shared")).find(|folder| folder.is_dir())
    };
    let found = named.or_else(beside).map(|folder| folder.join(part)).filter(|folder| folder.exists());
    if found.is_none() {
        assert!(
            std::env::var_os("MGR_REQUIRE_SHARED").is_none_or(|value| value != "1"),
            "shared data {part} is required and missing"
        );
        eprintln!("SKIPPED: shared data not found ({part})");
    }
    found
}
