//! Pictures of one clip's signal: wave, transform, spectrograms, the mel filter bank.

use mgr_eval::figure::{
    AxisMarks, Caption, Figure, HeatStyle, Line, Mark, Palette, filter_bank_figure, heat_figure, line_figure,
};
use mgr_features::compress::Reference;
use mgr_features::decibel::Decibel;
use mgr_features::effects::TrimConfig;
use mgr_features::mel::MelBankConfig;
use mgr_features::presets;
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::{Axis, Extractor};
use ndarray::{Array2, s};

use crate::studies::picture_parts::clips::SAMPLE_RATE;
use crate::studies::picture_parts::spoken::{Result, sentence};

const N_FFT: usize = 2048;

/// All pictures of one clip; `name` stands in their titles.
///
/// # Errors
/// The sentences of mgr-features and mgr-eval.
pub fn pictures(samples: &[f32], name: &str) -> Result<Vec<Figure>> {
    let trim = TrimConfig::default().plan().map_err(sentence)?;
    let sounding = trim.interval(samples).map_err(sentence)?;
    let trimmed = samples.get(sounding).filter(|part| part.len() >= N_FFT).unwrap_or(samples);
    let spectrogram = SpectrogramConfig { power: 1.0, ..SpectrogramConfig::default() };
    let spectrogram = spectrogram.plan(SAMPLE_RATE).map_err(sentence)?;
    let magnitude = spectrogram.process(trimmed).map_err(sentence)?;
    let layout = spectrogram.layout(trimmed.len()).map_err(sentence)?;
    let seconds = marks(&layout.column_axis, magnitude.ncols());
    let mut decibels = magnitude.clone();
    let scale = Decibel { reference: Reference::Max, ..Decibel::amplitude() };
    scale.amplitude_to_db(decibels.view_mut()).map_err(sentence)?;
    let mut figures = vec![wave(trimmed, name)?, transform(&magnitude, name)?];
    let style = |unit: &str| HeatStyle { unit: unit.to_owned(), range: None, palette: Palette::Viridis };
    let heat = |file, title: String, matrix: &Array2<f32>, upward: &AxisMarks, unit| {
        heat_figure(Caption { name: file, title: &title }, matrix.view(), &seconds, upward, &style(unit))
            .map_err(sentence)
    };
    let linear = marks(&layout.row_axis, magnitude.nrows());
    figures.push(heat("linear", format!("{name}: linear spectrogram"), &magnitude, &linear, "Magnitude")?);
    let (logarithmic, octaves) = log_rows(&decibels);
    figures.push(heat(
        "logarithmic",
        format!("{name}: spectrogram over octaves"),
        &logarithmic,
        &octaves,
        "dB",
    )?);
    let mel = presets::fma_study().plan(SAMPLE_RATE).map_err(sentence)?;
    let bands = mel.process(trimmed).map_err(sentence)?;
    let of_mel = mel.layout(trimmed.len()).map_err(sentence)?;
    let upward = marks(&of_mel.row_axis, bands.nrows());
    figures.push(heat("mel", format!("{name}: mel spectrogram"), &bands, &upward, "dB")?);
    figures.extend(banks()?);
    Ok(figures)
}

/// Marks of an axis with so many rows or columns.
#[must_use]
pub fn marks(axis: &Axis, count: usize) -> AxisMarks {
    let mark = |tick: mgr_features::picture::Tick| Mark {
        place: (tick.position + 0.5) / count.max(1) as f64,
        label: tick.label,
    };
    AxisMarks { title: axis.title().to_owned(), marks: axis.ticks(count, 9).into_iter().map(mark).collect() }
}

/// The wave as the lowest and highest sample of each of a thousand stretches.
fn wave(samples: &[f32], name: &str) -> Result<Figure> {
    let length = samples.len().div_ceil(1000).max(1);
    let points = samples.chunks(length).enumerate().flat_map(|(index, part)| {
        let time = (index * length) as f64 / f64::from(SAMPLE_RATE);
        let low = part.iter().copied().fold(f32::INFINITY, f32::min);
        let high = part.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [(time, f64::from(low)), (time, f64::from(high))]
    });
    let title = format!("{name}: wave, silence at the ends trimmed");
    let line = Line { name: "wave".to_owned(), points: points.collect() };
    let caption = Caption { name: "wave", title: &title };
    line_figure(caption, ["Time in s", "Amplitude"], &[line]).map_err(sentence)
}

/// The transform of the frame in the middle.
fn transform(magnitude: &Array2<f32>, name: &str) -> Result<Figure> {
    let bin = f64::from(SAMPLE_RATE) / N_FFT as f64;
    let frame = magnitude.column(magnitude.ncols() / 2);
    let points = frame.iter().enumerate().map(|(index, v)| (bin * index as f64, f64::from(*v))).collect();
    let title = format!("{name}: Fourier transform of 2048 samples in the middle");
    let caption = Caption { name: "fourier", title: &title };
    let line = Line { name: "magnitude".to_owned(), points };
    line_figure(caption, ["Frequency in Hz", "Magnitude"], &[line]).map_err(sentence)
}

/// Rows at even steps of pitch from 32 Hz: each the bin that is nearest.
fn log_rows(matrix: &Array2<f32>) -> (Array2<f32>, AxisMarks) {
    const ROWS: usize = 256;
    let bin = f64::from(SAMPLE_RATE) / N_FFT as f64;
    let (low, high) = (32.0_f64, f64::from(SAMPLE_RATE) / 2.0);
    let hertz = |row: usize| low * (high / low).powf((row as f64 + 0.5) / ROWS as f64);
    let nearest = |row: usize| ((hertz(row) / bin).round() as usize).min(matrix.nrows() - 1);
    let rows = Array2::from_shape_fn((ROWS, matrix.ncols()), |(row, column)| matrix[(nearest(row), column)]);
    let octaves = (0..9).map(|octave| low * f64::from(1_u32 << octave)).filter(|f| *f < high);
    let place = |f: f64| (f / low).ln() / (high / low).ln();
    let marks = octaves.map(|f| Mark { place: place(f), label: format!("{f:.0}") }).collect();
    (rows, AxisMarks { title: "Frequency in Hz".to_owned(), marks })
}

/// The mel filters: all of ten, and five of the study's 128.
fn banks() -> Result<Vec<Figure>> {
    let bank = |n_mels: usize| {
        let config = MelBankConfig { n_mels, ..MelBankConfig::default() };
        let matrix = config.plan(SAMPLE_RATE, N_FFT).and_then(|bank| bank.to_matrix());
        matrix.map_err(sentence)
    };
    let (ten, all) = (bank(10)?, bank(128)?);
    let bin = f64::from(SAMPLE_RATE) / N_FFT as f64;
    let hertz: Vec<f64> = (0..all.ncols()).map(|index| bin * index as f64).collect();
    let some: Vec<usize> = vec![0, 9, 49, 99, 127];
    let five = all.select(ndarray::Axis(0), &some);
    let titles = ["Frequency in Hz", "Weight"];
    let rows = AxisMarks {
        title: "Mel filter".to_owned(),
        marks: (0..128_u32)
            .step_by(16)
            .map(|row| Mark { place: (f64::from(row) + 0.5) / 128.0, label: (row + 1).to_string() })
            .collect(),
    };
    let across = AxisMarks {
        title: "Frequency in Hz".to_owned(),
        marks: (0..=10_u32)
            .map(|k| Mark {
                place: f64::from(k) * 1000.0 / (f64::from(SAMPLE_RATE) / 2.0),
                label: (1000 * k).to_string(),
            })
            .collect(),
    };
    let caption = |name, title| Caption { name, title };
    let style = HeatStyle { unit: "Weight".to_owned(), range: None, palette: Palette::Viridis };
    Ok(vec![
        heat_figure(
            caption("filters", "The 128 mel filters, from Hz to mel"),
            all.slice(s![.., ..]),
            &across,
            &rows,
            &style,
        )
        .map_err(sentence)?,
        filter_bank_figure(caption("filters_10", "A bank of ten mel filters"), titles, &hertz, ten.view())
            .map_err(sentence)?,
        filter_bank_figure(
            caption("filters_5", "Filters 1, 10, 50, 100 and 128 of 128"),
            titles,
            &hertz,
            five.view(),
        )
        .map_err(sentence)?,
    ])
}
