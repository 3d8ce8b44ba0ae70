//! The encoders of the main job: a network or a learner for each feature, fold and split, with the scores and codes of every clip.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example encode -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use mgr_pipeline::run::Stage;

fn main() -> ExitCode {
    examples::stage::run(Stage::Encode, "a folder for each encoder, with scores.npy and codes.npy", "folds")
}
