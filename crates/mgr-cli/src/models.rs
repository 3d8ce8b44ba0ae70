//! `mgr models`: the networks of the zoo, and trained ones as TorchScript.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use mgr_models::device::DeviceConfig;
use mgr_models::pretrained::library;
use mgr_models::{Network, SavedNetwork, torch_script, zoo};

use crate::outcome::{print, refuse};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Write a trained network as TorchScript, for programs in C++ and Python.
    Export {
        /// A saved network, a folder of a run's fold with a network.safetensors, or the name of imported weights.
        network: PathBuf,
        /// The file to write.
        #[arg(short, long)]
        output: PathBuf,
        /// Shape of one example, without the batch, such as 1,96,313; the smallest that the network takes without it.
        #[arg(long, value_delimiter = ',')]
        shape: Vec<usize>,
    },
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let result = match &arguments.command {
        None => list(arguments.json),
        Some(Command::Export { network, output, shape }) => export(network, output, shape),
    };
    result.map_or_else(refuse, |()| ExitCode::SUCCESS)
}

fn list(json: bool) -> Result<(), String> {
    let networks = zoo::listed();
    if json {
        return print(serde_json::to_string_pretty(&networks).map_err(|e| e.to_string())?);
    }
    for listed in networks {
        let config = serde_json::to_value(&listed.network).map_err(|e| e.to_string())?;
        let name = config["name"].as_str().unwrap_or_default().to_owned();
        let input = product(&listed.input);
        let weights = if listed.weights.is_empty() {
            String::new()
        } else {
            format!("; weights: {}", listed.weights.join(", "))
        };
        print(format_args!(
            "{name:<18} {:>11} parameters for {:>2} classes  {input:<14} {}{weights}",
            listed.parameters, listed.classes, listed.paper
        ))?;
    }
    Ok(())
}

fn product(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}

fn export(source: &Path, output: &Path, shape: &[usize]) -> Result<(), String> {
    let network = build(source)?;
    let smallest = network.input().smallest();
    let shape = if shape.is_empty() { &smallest } else { shape };
    torch_script::export(network.as_ref(), shape, output).map_err(|e| e.to_string())?;
    print(format_args!(
        "{}: {} for inputs of batch x {}, {} outputs",
        output.display(),
        network.name(),
        product(shape),
        network.classes()
    ))
}

fn build(source: &Path) -> Result<Box<dyn Network>, String> {
    let file = if source.is_dir() { source.join("network.safetensors") } else { source.to_path_buf() };
    if file.exists() {
        let saved = SavedNetwork::load(&file).map_err(|e| e.to_string())?;
        return saved.build(DeviceConfig::Cpu).map_err(|e| e.to_string());
    }
    let name = source.to_str().unwrap_or_default();
    let imported = library::open().and_then(|library| library.get(name));
    match imported {
        Ok(Some(pretrained)) => pretrained.build(DeviceConfig::Cpu).map_err(|e| e.to_string()),
        Ok(None) => {
            Err(format!("the weights {name} are not imported (mgr weights import, mgr weights fetch)"))
        }
        Err(_) => Err(format!("{} is neither a saved network nor the name of weights", source.display())),
    }
}
