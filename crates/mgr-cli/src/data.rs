//! `mgr data`: which datasets are known, whether one is whole, splits of it, and downloads.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use mgr_data::census::check as check_dataset;
use mgr_data::duplicates::DuplicateConfig;
use mgr_data::fetch::{Checksum, fetch as fetch_file};
use mgr_data::sources::{self, Collection, Facts, Source};
use mgr_data::splits::{Protocol, SplitDocument, write_mlfcf};

use crate::outcome::{print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Name the datasets that are known, or tell all of one.
    List {
        /// A dataset's name.
        name: Option<String>,
    },
    /// Tell whether a dataset is what it should be: counts, unreadable files, repetitions, durations.
    Check(Check),
    /// Make a split of a dataset, or audit one.
    Split(Split),
    /// Download a dataset's files, or a file from an address; goes on where it stopped.
    Fetch(Fetch),
}

#[derive(Args)]
struct Place {
    /// The dataset's folder, or its table.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// What it is; see `mgr data list`. A manifest where there is one, else a folder of genre/file.
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
}

#[derive(Args)]
struct Check {
    #[command(flatten)]
    place: Place,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Largest share of differing bits of two fingerprints that are the same.
    #[arg(long, value_name = "SHARE", default_value_t = DuplicateConfig::default().max_error_rate)]
    max_error_rate: f64,
    /// Shortest overlap of two clips that are the same, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = DuplicateConfig::default().min_overlap_s)]
    min_overlap: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rule {
    KFold,
    GroupKFold,
    Ratio,
    OrderedRatio,
    GroupRatio,
    Official,
    Mlfcf,
    Gtzan8,
    MusicFeaturization,
    ScikitStratifiedKFold,
}

#[derive(Args)]
struct Split {
    #[command(flatten)]
    place: Place,
    /// How clips are divided. The group rules keep artists (else albums) apart.
    #[arg(long, value_enum, default_value_t = Rule::GroupKFold)]
    rule: Rule,
    /// Number of folds.
    #[arg(long, default_value_t = 10)]
    folds: usize,
    /// Seed of the draw.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Share of training clips (ratio).
    #[arg(long, default_value_t = 0.8)]
    train: f64,
    /// Share of validation clips: of all for ratio, of each class's training clips for folds.
    #[arg(long, default_value_t = 0.1)]
    validation: f64,
    /// Audit this split file instead of making a split.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Take sound into the audit: decodes every file and looks for repetitions.
    #[arg(long)]
    listen: bool,
    /// The split file, JSON.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder for MLFCF's twenty text files, with `--rule mlfcf`.
    #[arg(long, value_name = "DIR")]
    mlfcf_files: Option<PathBuf>,
}

#[derive(Args)]
struct Fetch {
    /// A dataset's name, for the files that its page names.
    name: Option<String>,
    /// An address to download instead.
    #[arg(long)]
    url: Option<String>,
    /// Checksum of the file at the address: SHA-256, SHA-1 or MD5 in hexadecimal.
    #[arg(long, value_name = "HEX", requires = "url")]
    checksum: Option<String>,
    /// Folder for the files.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Say yes to the licence that is shown.
    #[arg(long)]
    accept_licence: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let result = match &arguments.command {
        Command::List { name } => list(name.as_deref()),
        Command::Check(arguments) => check(arguments),
        Command::Split(arguments) => split(arguments),
        Command::Fetch(arguments) => fetch(arguments),
    };
    result.unwrap_or_else(refuse)
}

fn source(name: &str) -> Result<Box<dyn Source>, String> {
    sources::named(name).ok_or_else(|| {
        let names: Vec<&str> = sources::all().iter().map(|s| s.facts().name).collect();
        format!("no dataset is named {name}; there are: {}", names.join(", "))
    })
}

fn read(place: &Place) -> Result<(Collection, Box<dyn Source>), String> {
    let path = &place.path;
    let manifest =
        path.is_file() || ["manifest.csv", "manifest.parquet"].iter().any(|name| path.join(name).exists());
    let name = place.dataset.as_deref().unwrap_or(if manifest { "manifest" } else { "folder" });
    let source = source(name)?;
    let collection = source.read(path).map_err(|e| e.to_string())?;
    Ok((collection, source))
}

fn list(name: Option<&str>) -> Result<ExitCode, String> {
    let Some(name) = name else {
        for source in sources::all() {
            let Facts { name, title, .. } = source.facts();
            print(format_args!("{name:<26}{title}"))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let source = source(name)?;
    let facts = source.facts();
    print(facts.title)?;
    print(format_args!("licence: {}", facts.licence))?;
    print(format_args!("cite: {}", facts.citation))?;
    if let Some(page) = facts.page {
        print(format_args!("page: {page}"))?;
    }
    for (label, count) in facts.counts {
        print(format_args!("  {label:<22}{count:>6}"))?;
    }
    for file in facts.downloads {
        print(format_args!("file: {} from {}", file.file, file.url))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(arguments: &Check) -> Result<ExitCode, String> {
    let (collection, source) = read(&arguments.place)?;
    let config =
        DuplicateConfig { max_error_rate: arguments.max_error_rate, min_overlap_s: arguments.min_overlap };
    let census = check_dataset(&collection, source.facts(), &config, &|_| {}).map_err(|e| e.to_string())?;
    if arguments.json {
        print(serde_json::to_string_pretty(&census).map_err(|e| e.to_string())?)?;
    } else {
        print(census.to_string().trim_end())?;
    }
    let bad = census.missing.len() + census.unreadable.len();
    Ok(match bad {
        0 => ExitCode::SUCCESS,
        bad if bad == census.tracks => ExitCode::FAILURE,
        _ => ExitCode::from(2),
    })
}

fn protocol(arguments: &Split) -> Result<Protocol, String> {
    let Split { folds, seed, train, validation, .. } = *arguments;
    Ok(match arguments.rule {
        Rule::KFold => Protocol::KFold { folds, seed, validation },
        Rule::GroupKFold => Protocol::GroupKFold { folds, seed, validation },
        Rule::Ratio => Protocol::Ratio { train, validation, seed },
        Rule::OrderedRatio => Protocol::OrderedRatio { train, validation },
        Rule::GroupRatio => Protocol::GroupRatio { train, validation, seed },
        Rule::Official => Protocol::Official,
        Rule::Mlfcf => Protocol::Mlfcf,
        Rule::Gtzan8 => Protocol::Gtzan8,
        Rule::MusicFeaturization => Protocol::MusicFeaturization,
        Rule::ScikitStratifiedKFold => {
            let seed =
                u32::try_from(seed).map_err(|_| format!("seed is {seed}, allowed: 0 to {}", u32::MAX))?;
            Protocol::ScikitStratifiedKFold { folds, seed: Some(seed) }
        }
    })
}

fn split(arguments: &Split) -> Result<ExitCode, String> {
    if arguments.mlfcf_files.is_some()
        && (arguments.audit.is_some() || !matches!(arguments.rule, Rule::Mlfcf))
    {
        return Err(
            "--mlfcf-files writes the lists of the split that --rule mlfcf makes, and of no other".to_owned()
        );
    }
    let (collection, source) = read(&arguments.place)?;
    let document = match &arguments.audit {
        Some(path) => SplitDocument::read(path),
        None => protocol(arguments)?.split(&collection),
    };
    let document = document.map_err(|e| e.to_string())?;
    let duplicates = if arguments.listen {
        let census = check_dataset(&collection, source.facts(), &DuplicateConfig::default(), &|_| {});
        Some(census.map_err(|e| e.to_string())?.sets)
    } else {
        None
    };
    let audit = document.audit(&collection, duplicates.as_deref()).map_err(|e| e.to_string())?;
    print(audit.to_string().trim_end())?;
    for leak in &document.leaks {
        print(format_args!("known: {leak}"))?;
    }
    if let Some(path) = &arguments.out {
        document.write(path).map_err(|e| e.to_string())?;
        print(path.display())?;
    }
    if let Some(folder) = &arguments.mlfcf_files {
        write_mlfcf(folder, &collection).map_err(|e| e.to_string())?;
        print(folder.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fetch(arguments: &Fetch) -> Result<ExitCode, String> {
    let facts = arguments.name.as_deref().map(source).transpose()?;
    let facts = facts.as_ref().map(|source| source.facts());
    if let Some(facts) = facts {
        print(format_args!("{}\nlicence: {}\ncite: {}", facts.title, facts.licence, facts.citation))?;
    }
    let mut files: Vec<(String, String, Option<String>)> = Vec::new();
    match (&arguments.url, facts) {
        (Some(url), _) => {
            let name = url.split(['?', '#']).next().unwrap_or("").rsplit('/').next().unwrap_or("");
            if name.is_empty() || name.starts_with('.') {
                return Err(format!("{url}: names no file"));
            }
            files.push((name.to_owned(), url.clone(), arguments.checksum.clone()));
        }
        (None, Some(facts)) if facts.downloads.is_empty() => {
            let page = facts.page.map_or_else(String::new, |page| format!(", see {page}"));
            return Err(format!(
                "{}: no file to download is known{page}; give its address with --url",
                facts.name
            ));
        }
        (None, Some(facts)) => {
            let of =
                |d: &sources::Download| (d.file.to_owned(), d.url.to_owned(), d.checksum.map(str::to_owned));
            files.extend(facts.downloads.iter().map(of));
        }
        (None, None) => return Err("a dataset's name or --url is needed".to_owned()),
    }
    if facts.is_some() && !arguments.accept_licence {
        return Err(
            "nothing was downloaded: say --accept-licence if you may use it under this licence".to_owned()
        );
    }
    for (name, url, checksum) in files {
        let checksum = checksum.as_deref().map(Checksum::parse).transpose().map_err(|e| e.to_string())?;
        let target = arguments.out.join(&name);
        let fetched =
            fetch_file(&url, &target, checksum.as_ref(), &shown(&name)).map_err(|e| e.to_string())?;
        let how = if fetched.checked { "checksum right" } else { "no checksum to compare" };
        let path: &Path = &target;
        print(format_args!(
            "{}  {} bytes, {} of them from before, {how}",
            path.display(),
            fetched.bytes,
            fetched.resumed
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells how far a download is, where somebody watches.
fn shown(name: &str) -> impl Fn(u64, Option<u64>) {
    let watched = std::io::stderr().is_terminal();
    let last = std::cell::Cell::new(0);
    let name = name.to_owned();
    move |there, all| {
        let mib = there >> 20;
        if watched && mib > last.replace(mib) {
            match all {
                Some(all) => eprint!("\r{name}: {mib} of {} MiB ", all >> 20),
                None => eprint!("\r{name}: {mib} MiB "),
            }
        }
    }
}
