//! The folds of the main job: which clips train, choose and test. Features are computed on the way, since a clip without any is in no
//! fold.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example fold_split -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use mgr_pipeline::run::Stage;

fn main() -> ExitCode {
    examples::stage::run(Stage::Split, "the split files and the record of the run", "splits")
}
