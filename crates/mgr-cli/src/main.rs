//! The `mgr` command: features and genres of audio files.
//!
//! Exit codes: 0 when all was done, 2 when some files failed, 1 when none was done or the command itself is wrong; `mgr audio info`
//! knows only 0 and 1. Errors go to standard error, one line a file, with the reason.

mod audio;
mod data;
mod extract;
mod feature;
mod features;
mod learn;
#[cfg(feature = "nets")]
mod memory;
#[cfg(feature = "nets")]
mod models;
mod outcome;
#[cfg(feature = "nets")]
mod predict;
mod profile;
#[cfg(feature = "nets")]
mod run;
mod table;
#[cfg(feature = "nets")]
mod tag;
#[cfg(feature = "nets")]
mod weights;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Music genre recognition: features of audio files, and their genre.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  mgr extract song.mp3 --out features            a log-mel spectrogram as features/song.mp3.npy
  mgr extract music/ --feature mel --out f       every audio file below a folder
  mgr extract music/ --feature mfcc --table f.parquet   one table, a row a file, its folder as the label
  mgr data check music/                          counts, unreadable files, repetitions, durations
  mgr features plot song.mp3 -o song.png         a picture of it, with axes
  mgr learn --table features.csv --all           every classifier, sorted by accuracy
  mgr audio info music/                          format, length, tags, loudness, damage
  mgr audio convert in.mp3 out.wav --rate 22050  a WAV file of it
  mgr run run.toml --out out/run                 the main job; --dry-run tells what it will take
  mgr run run.toml --final --out out/final       the same on all clips, for later use
  mgr predict --run out/demo song.mp3            its genre, by a finished run
  mgr predict --run out/demo music/ --json       one JSON document for many files
  mgr weights fetch musicnn                      pretrained weights, by pip
  mgr tag song.mp3 --top 5                       its tags, by musicnn
  mgr embed music/ --store out/store             embeddings of every file
  mgr models --json                              the networks and their counts of parameters

A run is made by `mgr run`, `cargo xtask demo` or `cargo run --release --example pipeline`.
Exit codes: 0 all done, 2 some files failed, 1 none done (audio info: 1 when any file is bad).";

#[derive(Subcommand)]
enum Command {
    /// Tell what audio files hold, and convert them to WAV.
    Audio(audio::Arguments),
    /// List, check, split and download datasets.
    Data(data::Arguments),
    /// Compute a feature of audio files and write it as .npy, or as one table.
    Extract(extract::Arguments),
    /// Name, describe and draw features.
    Features(features::Arguments),
    /// Fit classifiers to a table of features and tell how well they do.
    Learn(learn::Arguments),
    /// Run the main job: a folder of music to cross-validated verdicts and a report.
    #[cfg(feature = "nets")]
    Run(run::Arguments),
    /// Tell the genre of audio files, by a finished run.
    #[cfg(feature = "nets")]
    Predict(predict::Arguments),
    /// Tag audio files by a pretrained network.
    #[cfg(feature = "nets")]
    Tag(tag::Tag),
    /// Embed audio files by a pretrained network, into a store.
    #[cfg(feature = "nets")]
    Embed(tag::Embed),
    /// Import, list, verify and fetch pretrained weights.
    #[cfg(feature = "nets")]
    Weights(weights::Arguments),
    /// Name the networks, with their counts of parameters.
    #[cfg(feature = "nets")]
    Models(models::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's own exit code for a wrong command line is 2, which here means that some files failed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    #[cfg(feature = "nets")]
    if matches!(
        arguments.command,
        Command::Run(_) | Command::Predict(_) | Command::Tag(_) | Command::Embed(_)
    ) {
        memory::keep_freed_memory();
    }
    match arguments.command {
        Command::Audio(arguments) => audio::run(&arguments),
        Command::Data(arguments) => data::run(&arguments),
        Command::Extract(arguments) => extract::run(&arguments),
        Command::Features(arguments) => features::run(&arguments),
        Command::Learn(arguments) => learn::run(&arguments),
        #[cfg(feature = "nets")]
        Command::Run(arguments) => run::run(&arguments),
        #[cfg(feature = "nets")]
        Command::Predict(arguments) => predict::run(&arguments),
        #[cfg(feature = "nets")]
        Command::Tag(arguments) => tag::tag(&arguments),
        #[cfg(feature = "nets")]
        Command::Embed(arguments) => tag::embed(&arguments),
        #[cfg(feature = "nets")]
        Command::Weights(arguments) => weights::run(&arguments),
        #[cfg(feature = "nets")]
        Command::Models(arguments) => models::run(&arguments),
    }
}
