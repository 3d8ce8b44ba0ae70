//! `mgr features`: which features there are, their parameters, and pictures of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use mgr_audio::LoadConfig;
use mgr_data::write_atomic;
use mgr_eval::figure::{AxisMarks, Caption, ColorBar, Mark, Pixels, Theme, encode_png, matrix_figure};
use mgr_features::picture::{ColorMap, MAX_SIDE, Picture, PictureConfig, Tick};
use mgr_features::{FeatureConfig, Layout, Unit};
use ndarray::Array2;

use crate::feature;
use crate::outcome::{print, refuse};
use crate::profile;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Name the features and the front ends of published systems.
    List,
    /// Print all parameters of a feature as TOML, to change and give to --config.
    Show {
        /// The feature's name.
        name: String,
    },
    /// Draw a feature of an audio file, as PNG or SVG.
    Plot(Plot),
}

#[derive(Args)]
struct Plot {
    /// The audio file.
    file: PathBuf,
    #[command(flatten)]
    feature: feature::Choice,
    /// The picture, .png or .svg.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Width of the matrix in pixels.
    #[arg(long, default_value_t = 1440, value_parser = clap::value_parser!(u16).range(1..=8192))]
    width: u16,
    /// Height of the matrix in pixels.
    #[arg(long, default_value_t = 640, value_parser = clap::value_parser!(u16).range(1..=8192))]
    height: u16,
    /// Colours.
    #[arg(long, value_enum, default_value_t = Colors::Magma)]
    color_map: Colors,
    /// Magnitudes and powers in decibels under their largest value, down to -80.
    #[arg(long)]
    db: bool,
    /// Paper of the picture.
    #[arg(long, value_enum, default_value_t = Paper::Light)]
    theme: Paper,
    /// Only the matrix, without axes, as networks see it (PNG).
    #[arg(long)]
    bare: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colors {
    Magma,
    Inferno,
    Plasma,
    Viridis,
    Cividis,
    Jet,
    Gray,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Paper {
    Light,
    Dark,
}

impl From<Colors> for ColorMap {
    fn from(colors: Colors) -> Self {
        match colors {
            Colors::Magma => Self::Magma,
            Colors::Inferno => Self::Inferno,
            Colors::Plasma => Self::Plasma,
            Colors::Viridis => Self::Viridis,
            Colors::Cividis => Self::Cividis,
            Colors::Jet => Self::Jet,
            Colors::Gray => Self::Gray,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let result = match &arguments.command {
        Command::List => feature::names().into_iter().try_for_each(print),
        Command::Show { name } => show(name),
        Command::Plot(arguments) => plot(arguments),
    };
    result.map_or_else(refuse, |()| ExitCode::SUCCESS)
}

fn show(name: &str) -> Result<(), String> {
    let (config, rate) = feature::named(name)
        .ok_or_else(|| format!("no feature is named {name}; there are: {}", feature::names().join(", ")))?;
    let text = toml::to_string(&config).map_err(|e| e.to_string())?;
    print(format_args!("# {name}, by default at {rate} Hz\n{}", text.trim_end()))
}

fn plot(arguments: &Plot) -> Result<(), String> {
    let extension = arguments.out.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    if !matches!((extension.as_str(), arguments.bare), ("png", _) | ("svg", false)) {
        let allowed = if arguments.bare { ".png" } else { ".png or .svg" };
        return Err(format!("{}: the picture's name has to end in {allowed}", arguments.out.display()));
    }
    let (config, sample_rate) = arguments.feature.resolve()?;
    let extractor = config.plan(sample_rate).map_err(|e| e.to_string())?;
    let loader = LoadConfig { sample_rate: Some(sample_rate), ..LoadConfig::default() };
    let clip = loader.plan().and_then(|loader| loader.load(&arguments.file)).map_err(|e| e.to_string())?;
    if let Some(damage) = clip.report.damage() {
        eprintln!("mgr: {}: used in spite of damage: {damage}", arguments.file.display());
    }
    let wrong = |e: mgr_features::FeatureError| format!("{}: {e}", arguments.file.display());
    let mut layout = extractor.layout(clip.samples.len()).map_err(wrong)?;
    let mut matrix = extractor.extract(&clip.samples).map_err(wrong)?;
    if let Some(remark) = extractor.remark(clip.samples.len()) {
        eprintln!("mgr: {}: {remark}", arguments.file.display());
    }
    if arguments.db {
        to_decibels(&mut matrix, &mut layout)?;
    }
    let config_of_picture = PictureConfig {
        width: Some(usize::from(arguments.width)),
        height: Some(usize::from(arguments.height)),
        color_map: arguments.color_map.into(),
        ..PictureConfig::default()
    };
    let picture = config_of_picture.plan().map_err(wrong)?;
    let image = picture.process(matrix.view()).map_err(wrong)?;
    let (rgb, _) = image.into_raw_vec_and_offset();
    let pixels =
        Pixels { width: usize::from(arguments.width), height: usize::from(arguments.height), rgb: &rgb };
    let bytes = if arguments.bare {
        encode_png(pixels).map_err(|e| e.to_string())?
    } else {
        let title = title(&arguments.file, &config);
        let caption = Caption { name: config.name(), title: &title };
        let figure = if let Some(figure) = profile::figure(caption, &matrix, &layout) {
            figure.map_err(|e| e.to_string())?
        } else {
            let axes = Axes::new(&layout, &matrix, &picture, arguments).map_err(wrong)?;
            matrix_figure(caption, pixels, &axes.across, &axes.upward, Some(&axes.bar))
                .map_err(|e| e.to_string())?
        };
        let figure = match arguments.theme {
            Paper::Light => figure,
            Paper::Dark => figure.with_theme(Theme::Dark).map_err(|e| e.to_string())?,
        };
        if extension == "svg" { figure.svg.into_bytes() } else { figure.png }
    };
    write_atomic(&arguments.out, |out| std::io::Write::write_all(out, &bytes)).map_err(|e| e.to_string())?;
    let (rows, columns) = matrix.dim();
    print(format_args!("{}  {} {rows} x {columns}", arguments.out.display(), config.name()))
}

fn to_decibels(matrix: &mut Array2<f32>, layout: &mut Layout) -> Result<(), String> {
    let factor = match layout.unit {
        Unit::Magnitude => 20.0,
        Unit::Power => 10.0,
        _ => return Err("--db is for features that are magnitudes or powers; this one is neither".to_owned()),
    };
    let largest = matrix.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    matrix.mapv_inplace(|v| (factor * (v / largest).max(f32::MIN_POSITIVE).log10()).max(-80.0));
    layout.unit = Unit::Decibel;
    Ok(())
}

fn title(file: &Path, config: &FeatureConfig) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    format!("{}: {name}", config.name().replace('_', " "))
}

struct Axes {
    across: AxisMarks,
    upward: AxisMarks,
    bar: ColorBar,
}

impl Axes {
    fn new(
        layout: &Layout,
        matrix: &Array2<f32>,
        picture: &Picture,
        arguments: &Plot,
    ) -> Result<Self, mgr_features::FeatureError> {
        // A label takes some 60 pixels across, 40 upward.
        let (across, upward) = (usize::from(arguments.width) / 120, usize::from(arguments.height) / 50);
        let (low, high) = picture.range(matrix.view())?;
        let (low, high) = (f64::from(low), f64::from(high));
        let values = mgr_features::Axis::Time { start_s: low, step_s: (high - low) / (MAX_SIDE - 1) as f64 };
        let marks = |ticks: Vec<Tick>, count: usize, at: f64| {
            // An index has its centre in the middle of its pixels.
            let mark =
                |t: Tick| Mark { place: (t.position + at) / (count as f64 - 1.0 + 2.0 * at), label: t.label };
            ticks.into_iter().map(mark).collect()
        };
        let axis = |axis: &mgr_features::Axis, count: usize, most: usize| AxisMarks {
            title: axis.title().to_owned(),
            marks: marks(axis.ticks(count, most), count, 0.5),
        };
        Ok(Self {
            across: axis(&layout.column_axis, layout.columns, across.max(2)),
            upward: axis(&layout.row_axis, layout.rows, upward.max(2)),
            bar: ColorBar {
                colors: ColorMap::from(arguments.color_map).table().to_vec(),
                axis: AxisMarks {
                    title: layout.unit.title().to_owned(),
                    marks: marks(values.ticks(MAX_SIDE, upward.max(2)), MAX_SIDE, 0.0),
                },
            },
        })
    }
}
