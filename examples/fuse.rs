//! The meta networks of the main job, on the codes of the top subsets.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example fuse -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use mgr_pipeline::run::Stage;

fn main() -> ExitCode {
    examples::stage::run(Stage::Fuse, "a folder for each meta network", "folds")
}
