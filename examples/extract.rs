//! The features of every clip of the main job, into the store; those that are there are not computed again.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example extract -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use mgr_pipeline::run::Stage;

fn main() -> ExitCode {
    examples::stage::run(Stage::Split, "what was computed and what could not be", "run.json")
}
