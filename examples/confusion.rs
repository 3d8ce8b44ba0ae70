//! The verdict of the main job: confusion matrix with recall, precision and F1 margins, tables, figures, report.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example confusion -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use mgr_pipeline::run::Stage;

fn main() -> ExitCode {
    examples::stage::run(Stage::Judge, "the confusion matrix", "confusion.csv")
}
