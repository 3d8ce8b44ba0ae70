//! How well the well-known table of GTZAN is reproduced: for each of its 57 columns, the largest and the median relative difference over
//! the clips of a folder that it has a row for.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example gtzan_table -- features_30_sec.csv FOLDER [--padding zero] [--tail inverse]
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use examples::gtzan_table::{Table, audio_files, compare};
use mgr_features::frame::Padding;
use mgr_features::vector_sets::{Gtzan57Config, SignalTail};

/// How well the well-known table of GTZAN is reproduced.
#[derive(Parser)]
struct Arguments {
    /// The table, `features_30_sec.csv`.
    table: PathBuf,
    /// Folder with clips, named as in the table, in folders or not.
    folder: PathBuf,
    /// What frames see beyond the ends.
    #[arg(long, value_enum, default_value_t = Ends::Reflect)]
    padding: Ends,
    /// What separated signals are after the last whole hop.
    #[arg(long, value_enum, default_value_t = Tail::Zero)]
    tail: Tail,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ends {
    Reflect,
    Zero,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tail {
    Zero,
    Inverse,
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let config = Gtzan57Config {
        padding: match arguments.padding {
            Ends::Reflect => Padding::Reflect,
            Ends::Zero => Padding::Zero,
        },
        tail: match arguments.tail {
            Tail::Zero => SignalTail::Zero,
            Tail::Inverse => SignalTail::Inverse,
        },
    };
    let table = Table::read(&arguments.table)?;
    let (clips, all) = compare(&table, &config, &audio_files(&arguments.folder)?)?;
    if clips.is_empty() {
        return Err("no clip of the folder is in the table".to_owned());
    }
    println!("{} clips: {}\n", clips.len(), clips.join(", "));
    println!("| column | largest relative difference | median |\n|---|---|---|");
    for agreement in all {
        println!("| {} | {:.1e} | {:.1e} |", agreement.column, agreement.largest(), agreement.median());
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gtzan_table: {error}");
            ExitCode::FAILURE
        }
    }
}
