//! `mgr audio`: what files hold, and WAV files made of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use mgr_audio::{
    AudioError, AudioInfo, ChannelMix, DecodeReport, LevelConfig, Levels, LoadConfig, Strictness, WavFormat,
    WavWriter,
};
use rayon::prelude::*;
use serde::Serialize;

use crate::outcome::{exit_code, files, print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell format, length, tags, levels and damage of audio files.
    ///
    /// Every file is decoded to its end. Levels are of all channels: peak and true peak in dBFS and dBTP, RMS in dBFS, loudness
    /// in LUFS and its range in LU (EBU R 128), runs of clipped samples, share of silence (frames of 50 ms below -60 dBFS),
    /// largest offset. Exit code: 0, or 1 when any file is bad; the others are shown all the same.
    Info(InfoArguments),
    /// Write an audio file, or a part of it, as WAV.
    ///
    /// The file is read and written in blocks, and stands in its place only when it is whole.
    Convert(ConvertArguments),
}

#[derive(Args)]
struct InfoArguments {
    /// Audio files, or folders to search through.
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// One JSON document, bad files included.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ConvertArguments {
    /// The audio file to read.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The WAV file to write.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Sampling rate to bring it to; without it the file's own.
    #[arg(long, value_name = "HZ")]
    rate: Option<u32>,
    /// Which channels to keep.
    #[arg(long, value_enum, default_value_t = Channels::All)]
    channels: Channels,
    /// How samples are stored.
    #[arg(long, value_enum, default_value_t = Format::Pcm16)]
    format: Format,
    /// Where to begin, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    offset: f64,
    /// How much to take, in seconds; without it all that follows.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Refuse damaged files instead of taking what can be decoded.
    #[arg(long)]
    strict: bool,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Channels {
    /// The mean of all channels.
    Mono,
    /// The first channel.
    Left,
    /// The second channel.
    Right,
    /// Every channel.
    All,
}

impl From<Channels> for ChannelMix {
    fn from(channels: Channels) -> Self {
        match channels {
            Channels::Mono => Self::Mean,
            Channels::Left => Self::Left,
            Channels::Right => Self::Right,
            Channels::All => Self::All,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// 16-bit integers.
    Pcm16,
    /// 24-bit integers.
    Pcm24,
    /// 32-bit floats.
    F32,
}

impl From<Format> for WavFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Pcm16 => Self::Pcm16,
            Format::Pcm24 => Self::Pcm24,
            Format::F32 => Self::Float32,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Info(arguments) => info(arguments),
        Command::Convert(arguments) => match convert(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(error),
        },
    }
}

/// What is told of a sound file.
struct Sound {
    info: AudioInfo,
    report: DecodeReport,
    levels: Levels,
}

/// One file in the JSON document.
#[derive(Serialize)]
struct Entry<'a> {
    path: String,
    /// Why there is nothing else.
    error: Option<String>,
    #[serde(flatten)]
    info: Option<&'a AudioInfo>,
    /// Seconds that were decoded.
    duration_s: Option<f64>,
    levels: Option<&'a Levels>,
    /// What is wrong with a file that was decoded nevertheless.
    damage: Option<String>,
    report: Option<&'a DecodeReport>,
}

#[derive(Serialize)]
struct Document<'a> {
    files: Vec<Entry<'a>>,
}

/// Decodes a file to its end in blocks.
fn examine(path: &Path) -> Result<Sound, AudioError> {
    let loader = LoadConfig { channels: ChannelMix::All, ..LoadConfig::default() }.plan()?;
    let mut reader = loader.open(path)?;
    let mut levels = LevelConfig::default().plan()?.stream(reader.channel_count(), reader.sample_rate())?;
    while let Some(block) = reader.next_block()? {
        levels.push(&block.channels().collect::<Vec<_>>())?;
    }
    Ok(Sound { info: reader.info().clone(), report: reader.report(), levels: levels.finish()? })
}

impl Sound {
    fn duration_s(&self) -> f64 {
        self.levels.frames as f64 / f64::from(self.levels.sample_rate)
    }
}

fn info(arguments: &InfoArguments) -> ExitCode {
    let files = match files(&arguments.paths) {
        Ok(files) => files,
        Err(error) => return refuse(error),
    };
    let sounds: Vec<_> = files.par_iter().map(|file| examine(file)).collect();
    let printed =
        if arguments.json { print_json(&files, &sounds) } else { print(table(&files, &sounds).trim_end()) };
    if let Err(error) = printed {
        return refuse(error);
    }
    let mut failed = 0;
    for error in sounds.iter().filter_map(|sound| sound.as_ref().err()) {
        eprintln!("mgr: {error}");
        failed += 1;
    }
    exit_code(sounds.len() - failed, failed)
}

fn print_json(files: &[PathBuf], sounds: &[Result<Sound, AudioError>]) -> Result<(), String> {
    let entries: Vec<Entry<'_>> = files
        .iter()
        .zip(sounds)
        .map(|(file, sound)| {
            let (sound, error) = match sound {
                Ok(sound) => (Some(sound), None),
                Err(error) => (None, Some(error.to_string())),
            };
            Entry {
                path: file.display().to_string(),
                error,
                info: sound.map(|s| &s.info),
                duration_s: sound.map(Sound::duration_s),
                levels: sound.map(|s| &s.levels),
                damage: sound.and_then(|s| s.report.damage()),
                report: sound.map(|s| &s.report),
            }
        })
        .collect();
    print(serde_json::to_string_pretty(&Document { files: entries }).map_err(|e| e.to_string())?)
}

const HEADINGS: [&str; 15] = [
    "file",
    "container",
    "codec",
    "rate",
    "ch",
    "bits",
    "duration",
    "peak",
    "true peak",
    "RMS",
    "LUFS",
    "LU",
    "clips",
    "silence",
    "offset",
];
/// Columns of words, which stand at the left.
const WORDS: usize = 3;

/// A line a file in columns, with its tags and what is wrong with it below.
fn table(files: &[PathBuf], sounds: &[Result<Sound, AudioError>]) -> String {
    let mut lines: Vec<(Vec<String>, Vec<String>)> = vec![(HEADINGS.map(str::to_owned).to_vec(), Vec::new())];
    for (file, sound) in files.iter().zip(sounds) {
        let name = file.display().to_string();
        lines.push(match sound {
            Ok(sound) => (cells(name, sound), notes(sound)),
            // The reason begins with the path.
            Err(error) => (vec![name], vec![format!("bad: {}", reason(error))]),
        });
    }
    let mut widths = [0; HEADINGS.len()];
    for (cells, _) in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (cells, notes) in &lines {
        let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column < WORDS { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
        for note in notes {
            text.push_str(&format!("    {note}\n"));
        }
    }
    text
}

/// An error without the path that it begins with.
fn reason(error: &AudioError) -> String {
    let text = error.to_string();
    let path = error.path().map(|path| format!("{}: ", path.display()));
    path.and_then(|path| text.strip_prefix(&path).map(str::to_owned)).unwrap_or(text)
}

fn cells(name: String, sound: &Sound) -> Vec<String> {
    let Sound { info, levels, .. } = sound;
    let decibels = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}"));
    let offset =
        levels.dc_offset.iter().fold(0.0, |most: f64, x| if x.abs() > most.abs() { *x } else { most });
    vec![
        name,
        info.container.clone(),
        info.codec.clone(),
        info.sample_rate.to_string(),
        info.channels.to_string(),
        info.bits_per_sample.map_or_else(|| "-".to_owned(), |bits| bits.to_string()),
        clock(sound.duration_s()),
        decibels(levels.peak_dbfs),
        decibels(levels.true_peak_dbtp),
        decibels(levels.rms_dbfs),
        decibels(levels.loudness_lufs),
        decibels(levels.loudness_range_lu),
        levels.clipped_runs.to_string(),
        format!("{:.1} %", 100.0 * levels.silence_ratio),
        format!("{offset:.4}"),
    ]
}

/// Seconds as `h:mm:ss.sss` or `m:ss.sss`.
fn clock(seconds: f64) -> String {
    let milliseconds = (seconds * 1000.0).round() as u64;
    let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
    let tail = format!("{:02}.{:03}", rest / 1000, rest % 1000);
    if minutes < 60 {
        format!("{minutes}:{tail}")
    } else {
        format!("{}:{:02}:{tail}", minutes / 60, minutes % 60)
    }
}

fn notes(sound: &Sound) -> Vec<String> {
    // The report's tags may know more than the header's: some stand at the end of a file.
    let (header, report) = (&sound.info.tags, &sound.report.tags);
    let tags = [
        ("title", header.title.as_ref().or(report.title.as_ref())),
        ("artist", header.artist.as_ref().or(report.artist.as_ref())),
        ("album", header.album.as_ref().or(report.album.as_ref())),
        ("genre", header.genre.as_ref().or(report.genre.as_ref())),
        ("track", header.track.as_ref().or(report.track.as_ref())),
    ];
    // A tag may hold line breaks and escape sequences; shown as Rust writes a string they do no harm.
    let tags: Vec<String> =
        tags.iter().filter_map(|(name, tag)| tag.map(|tag| format!("{name} {tag:?}"))).collect();
    let mut notes = Vec::new();
    if !tags.is_empty() {
        notes.push(tags.join(", "));
    }
    if let Some(damage) = sound.report.damage() {
        notes.push(format!("damaged: {damage}"));
    }
    if sound.report.cut {
        notes.push("cut: longer than the limit of 4 h".to_owned());
    }
    notes
}

fn convert(arguments: &ConvertArguments) -> Result<(), String> {
    let output = &arguments.output;
    let is_there = || output.symlink_metadata().is_ok();
    let occupied = || format!("{}: is there already; --force writes over it", output.display());
    if output.is_dir() {
        return Err(format!("{}: is a folder", output.display()));
    }
    if is_there() && !arguments.force {
        return Err(occupied());
    }
    let text = |error: AudioError| error.to_string();
    let config = LoadConfig {
        sample_rate: arguments.rate,
        channels: arguments.channels.into(),
        offset_s: arguments.offset,
        duration_s: arguments.duration,
        strict: if arguments.strict { Strictness::Strict } else { Strictness::Lenient },
        ..LoadConfig::default()
    };
    let mut reader = config.plan().and_then(|loader| loader.open(&arguments.input)).map_err(text)?;
    let (channels, rate) = (reader.channel_count(), reader.sample_rate());
    let mut writer = WavWriter::create(output, channels, rate, arguments.format.into()).map_err(text)?;
    while let Some(block) = reader.next_block().map_err(text)? {
        writer.write(&block.channels().collect::<Vec<_>>()).map_err(text)?;
    }
    let (report, clipped) = (reader.report(), writer.clipped_samples());
    // Someone else may have written it in the meantime.
    if is_there() && !arguments.force {
        return Err(occupied());
    }
    let frames = writer.finish().map_err(text)?;
    if let Some(damage) = report.damage() {
        eprintln!("mgr: {}: used in spite of damage: {damage}", arguments.input.display());
    }
    if report.cut {
        eprintln!("mgr: {}: cut at the limit of 4 h", arguments.input.display());
    }
    if clipped > 0 {
        eprintln!("mgr: {}: {clipped} samples beyond full scale were clipped", output.display());
    }
    let duration = clock(frames as f64 / f64::from(rate));
    let plural = if channels == 1 { "" } else { "s" };
    print(format_args!("{}  {rate} Hz, {channels} channel{plural}, {duration}", output.display()))
}
