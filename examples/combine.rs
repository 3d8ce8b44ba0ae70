//! The sum rule over every subset of the features, and the top subsets of each fold.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example combine -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use mgr_pipeline::run::Stage;

fn main() -> ExitCode {
    examples::stage::run(Stage::Combine, "how every subset did", "combination.json")
}
