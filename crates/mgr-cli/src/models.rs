//! `mgr models`: the networks of the zoo.

use std::process::ExitCode;

use clap::Args;
use mgr_models::zoo;

use crate::outcome::{print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    list(arguments.json).map_or_else(refuse, |()| ExitCode::SUCCESS)
}

fn list(json: bool) -> Result<(), String> {
    let networks = zoo::listed();
    if json {
        return print(serde_json::to_string_pretty(&networks).map_err(|e| e.to_string())?);
    }
    for listed in networks {
        let config = serde_json::to_value(&listed.network).map_err(|e| e.to_string())?;
        let name = config["name"].as_str().unwrap_or_default().to_owned();
        let [channels, bands, frames] = listed.input;
        let input = format!("{channels} x {bands} x {frames}");
        print(format_args!(
            "{name:<18} {:>11} parameters for {:>2} classes  {input:<13} {}",
            listed.parameters, listed.classes, listed.paper
        ))?;
    }
    Ok(())
}
