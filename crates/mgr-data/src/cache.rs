//! Where things are kept that can be made again.

use std::env;
use std::path::PathBuf;

/// The user's cache folder for mgr: `MGR_CACHE`, else `XDG_CACHE_HOME/mgr`, else `Library/Caches/mgr` on macOS and
/// `.cache/mgr` elsewhere under the home folder; none when no home is known.
///
/// The same rule as `cargo xtask setup` follows.
#[must_use]
pub fn cache_folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(own) = set("MGR_CACHE") {
        return Some(own);
    }
    if let Some(xdg) = set("XDG_CACHE_HOME") {
        return Some(xdg.join("mgr"));
    }
    let below = if cfg!(target_os = "macos") { "Library/Caches/mgr" } else { ".cache/mgr" };
    set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(below))
}
