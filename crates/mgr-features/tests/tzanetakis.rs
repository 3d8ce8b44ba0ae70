//! The set of Tzanetakis and Cook against an independent computation: the formulas written plainly in f64, with sums instead of fast
//! transforms and nothing from the library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::PI;

use mgr_features::tzanetakis::{
    BeatColumns, BeatHistogramConfig, PitchHistogramConfig, TzanetakisCook, TzanetakisCookConfig,
};
use mgr_features::{Axis, Extractor, FeatureError};

/// Magnitudes of the bins from 0 to `bins - 1` of a Fourier sum over `n` points.
fn magnitudes(x: &[f64], n: usize, bins: usize) -> Vec<f64> {
    let turns: Vec<(f64, f64)> = (0..n).map(|i| (2.0 * PI * i as f64 / n as f64).sin_cos()).collect();
    (0..bins)
        .map(|k| {
            let re: f64 = x.iter().enumerate().map(|(i, v)| v * turns[k * i % n].1).sum();
            let im: f64 = x.iter().enumerate().map(|(i, v)| v * turns[k * i % n].0).sum();
            (re * re + im * im).sqrt()
        })
        .collect()
}

fn hamming(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.54 - 0.46 * (2.0 * PI * i as f64 / (n as f64 - 1.0)).cos()).collect()
}

/// Octave bands of a window at the full rate: each level filtered on a ring and put together again with all else zero.
fn octave_bands(x: &[f64], levels: usize) -> Vec<Vec<f64>> {
    let r = 3.0_f64.sqrt();
    let s = 4.0 * 2.0_f64.sqrt();
    let h = [(1.0 + r) / s, (3.0 + r) / s, (3.0 - r) / s, (1.0 - r) / s];
    let g = [h[3], -h[2], h[1], -h[0]];
    let down = |x: &[f64], taps: &[f64; 4]| -> Vec<f64> {
        (0..x.len() / 2).map(|i| (0..4).map(|k| taps[k] * x[(2 * i + k) % x.len()]).sum()).collect()
    };
    // x[m] = sum over i of taps[m - 2i], on a ring.
    let up = |x: &[f64], taps: &[f64; 4]| -> Vec<f64> {
        let n = 2 * x.len();
        (0..n)
            .map(|m| {
                (0..4)
                    .filter(|k| (m + n - k).is_multiple_of(2))
                    .map(|k| taps[k] * x[(m + n - k) % n / 2])
                    .sum()
            })
            .collect()
    };
    let mut bands = vec![];
    let mut rest = x.to_vec();
    for level in 0..levels {
        let mut band = up(&down(&rest, &g), &g);
        for _ in 0..level {
            band = up(&band, &h);
        }
        bands.push(band);
        rest = down(&rest, &h);
    }
    for _ in 0..levels {
        rest = up(&rest, &h);
    }
    bands.push(rest);
    bands
}

fn enhanced(lags: &[f64], factors: usize) -> Vec<f64> {
    let clipped: Vec<f64> = lags.iter().map(|r| r.max(0.0)).collect();
    let mut out = clipped.clone();
    for factor in 2..=factors {
        for (k, value) in out.iter_mut().enumerate() {
            let place = k as f64 / factor as f64;
            let (low, share) = (place.floor(), place.fract());
            let next = clipped.get(low as usize + 1).copied().unwrap_or(0.0);
            let stretched = clipped[low as usize] * (1.0 - share) + next * share;
            *value = (*value - stretched).max(0.0);
        }
    }
    out
}

/// Lag and height of the highest peaks.
fn highest(curve: &[f64], first: usize, last: usize, most: usize, least: f64) -> Vec<(usize, f64)> {
    let mut all: Vec<(usize, f64)> = (first.max(1)..=last.min(curve.len() - 2))
        .filter(|&k| curve[k] > curve[k - 1] && curve[k] >= curve[k + 1] && curve[k] > least)
        .map(|k| (k, curve[k]))
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(most);
    all
}

fn beat_windows(samples: &[f32], rate: f64, c: &BeatHistogramConfig) -> Vec<Vec<f64>> {
    let mut x: Vec<f64> = samples.iter().map(|v| f64::from(*v)).collect();
    if x.len() < c.win_length {
        x.resize(c.win_length, 0.0);
    }
    (0..=(x.len() - c.win_length) / c.hop_length)
        .map(|t| {
            let mut envelope = vec![0.0; c.win_length.div_ceil(c.decimation)];
            for band in octave_bands(&x[t * c.hop_length..t * c.hop_length + c.win_length], c.levels) {
                let mut y = 0.0;
                let mut smooth = vec![];
                for v in band {
                    y = (1.0 - c.smoothing) * v.abs() + c.smoothing * y;
                    smooth.push(y);
                }
                let kept: Vec<f64> = smooth.into_iter().step_by(c.decimation).collect();
                let mean = kept.iter().sum::<f64>() / kept.len() as f64;
                envelope.iter_mut().zip(kept).for_each(|(e, v)| *e += v - mean);
            }
            let n = envelope.len();
            let lags_a_minute = 60.0 * rate / c.decimation as f64;
            let first = (lags_a_minute / c.bpm_max as f64).ceil() as usize;
            let last = (lags_a_minute / c.bpm_min as f64).floor() as usize;
            let lags: Vec<f64> = (0..(last + 2).min(n))
                .map(|k| envelope.iter().zip(&envelope[k..]).map(|(a, b)| a * b).sum::<f64>() / n as f64)
                .collect();
            let mut histogram = vec![0.0; c.bpm_max - c.bpm_min + 1];
            if lags[0] > 0.0 {
                for (lag, height) in
                    highest(&enhanced(&lags, c.enhancement), first, last, c.peaks, 1e-9 * lags[0])
                {
                    let bpm = (lags_a_minute / lag as f64).round() as usize;
                    histogram[bpm - c.bpm_min] += if c.normalize { height / lags[0] } else { height };
                }
            }
            histogram
        })
        .collect()
}

fn sum_of(columns: &[Vec<f64>]) -> Vec<f64> {
    (0..columns[0].len()).map(|i| columns.iter().map(|c| c[i]).sum()).collect()
}

fn beat_content(h: &[f64], bpm_min: usize) -> [f64; 6] {
    let sum: f64 = h.iter().sum();
    let mut all: Vec<(usize, f64)> = (0..h.len())
        .filter(|&i| h[i] > 0.0 && (i == 0 || h[i] > h[i - 1]) && (i + 1 == h.len() || h[i] >= h[i + 1]))
        .map(|i| (bpm_min + i, h[i]))
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some(&(p1, first)) = all.first() else { return [0.0; 6] };
    let (p2, second) = all.get(1).copied().unwrap_or_default();
    [first / sum, second / sum, second / first, p1 as f64, p2 as f64, sum]
}

/// A Butterworth filter of second order in direct form.
fn butterworth(x: &[f64], hz: f64, rate: f64, high: bool) -> Vec<f64> {
    let k = (PI * hz / rate).tan();
    let d = 1.0 + 2.0_f64.sqrt() * k + k * k;
    let b = if high { [1.0 / d, -2.0 / d, 1.0 / d] } else { [k * k / d, 2.0 * k * k / d, k * k / d] };
    let a = [2.0 * (k * k - 1.0) / d, (1.0 - 2.0_f64.sqrt() * k + k * k) / d];
    let mut y = vec![];
    for n in 0..x.len() {
        let past = |v: &[f64], i: usize| if n >= i { v[n - i] } else { 0.0 };
        y.push(
            b[0] * x[n] + b[1] * past(x, 1) + b[2] * past(x, 2)
                - if n >= 1 { a[0] * y[n - 1] } else { 0.0 }
                - if n >= 2 { a[1] * y[n - 2] } else { 0.0 },
        );
    }
    y
}

fn pitch_notes(samples: &[f32], rate: f64, c: &PitchHistogramConfig) -> Vec<f64> {
    let x: Vec<f64> = samples.iter().map(|v| f64::from(*v)).collect();
    let band = |x: &[f64]| butterworth(&butterworth(x, c.split_hz, rate, false), c.low_cut_hz, rate, true);
    let low = band(&x);
    let rectified: Vec<f64> =
        butterworth(&x, c.split_hz, rate, true).into_iter().map(|v| v.max(0.0)).collect();
    let high = band(&rectified);
    let n = c.win_length;
    let size = (2 * n).next_power_of_two();
    let window = hamming(n);
    let mut notes = vec![0.0; 128];
    let mut at = 0;
    while at + n <= x.len() {
        let spectrum = |channel: &[f64]| {
            let frame: Vec<f64> = channel[at..at + n].iter().zip(&window).map(|(v, w)| v * w).collect();
            magnitudes(&frame, size, size / 2 + 1)
        };
        let sum: Vec<f64> = spectrum(&low)
            .into_iter()
            .zip(spectrum(&high))
            .map(|(a, b)| a.powf(c.exponent) + b.powf(c.exponent))
            .collect();
        let lags: Vec<f64> = (0..n)
            .map(|lag| {
                let term = |(k, s): (usize, &f64)| {
                    let twice = if k == 0 || k == size / 2 { 1.0 } else { 2.0 };
                    twice * s * (2.0 * PI * ((k * lag) % size) as f64 / size as f64).cos()
                };
                sum.iter().enumerate().map(term).sum::<f64>() / size as f64
            })
            .collect();
        if lags[0] > 0.0 {
            let curve = enhanced(&lags, c.enhancement);
            let (first, last) = ((rate / c.f_max).ceil() as usize, (rate / c.f_min).floor() as usize);
            for (lag, height) in highest(&curve, first, last, c.peaks, 1e-9 * lags[0]) {
                let (a, b) = (curve[lag - 1], curve[lag + 1]);
                let bend = a - 2.0 * height + b;
                let place = lag as f64 + if bend < 0.0 { 0.5 * (a - b) / bend } else { 0.0 };
                let note = (69.0 + 12.0 * (rate / place / 440.0).log2()).round();
                notes[note as usize] += if c.normalize { height / lags[0] } else { height };
            }
        }
        at += c.hop_length;
    }
    notes
}

fn folded(notes: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; 12];
    notes.iter().enumerate().for_each(|(n, v)| out[7 * (n % 12) % 12] += v);
    out
}

fn pitch_content(notes: &[f64]) -> [f64; 5] {
    let sum: f64 = notes.iter().sum();
    if sum == 0.0 {
        return [0.0; 5];
    }
    let order = |v: &[f64]| {
        let mut all: Vec<usize> = (0..v.len()).collect();
        all.sort_by(|a, b| v[*b].total_cmp(&v[*a]));
        all
    };
    let fold = folded(notes);
    let best = order(&fold);
    let mut interval = best[1] as f64 - best[0] as f64;
    while interval > 6.0 {
        interval -= 12.0;
    }
    while interval < -5.0 {
        interval += 12.0;
    }
    let interval = if fold[best[1]] > 0.0 { interval } else { 0.0 };
    [fold[best[0]] / sum, order(notes)[0] as f64, best[0] as f64, interval, sum]
}

fn cepstrum(spectrum: &[f64], n: usize, rate: f64) -> Vec<f64> {
    let mut edges: Vec<f64> = (0..13).map(|i| 133.3333 + 66.66666 * f64::from(i)).collect();
    for i in 1..30 {
        edges.push(edges[12] * 1.0711703_f64.powf(f64::from(i)));
    }
    let band = |j: usize| {
        let (low, centre, high) = (edges[j], edges[j + 1], edges[j + 2]);
        let weight = |f: f64| {
            if low < f && f <= centre {
                2.0 / (high - low) * (f - low) / (centre - low)
            } else if centre < f && f <= high {
                2.0 / (high - low) * (high - f) / (high - centre)
            } else {
                0.0
            }
        };
        let sum: f64 = spectrum.iter().enumerate().map(|(k, v)| v * weight(k as f64 * rate / n as f64)).sum();
        sum.max(1e-10).log10()
    };
    let logs: Vec<f64> = (0..40).map(band).collect();
    let cosine = |i: usize, j: usize| (i as f64 * (2 * j + 1) as f64 * PI / 80.0).cos();
    (1..=5)
        .map(|i| logs.iter().enumerate().map(|(j, e)| e * cosine(i, j)).sum::<f64>() / 20.0_f64.sqrt())
        .collect()
}

fn texture(samples: &[f32], rate: f64, n: usize, hop: usize, memory: usize) -> Vec<f64> {
    let window = hamming(n);
    let mut frames: Vec<Vec<f64>> = vec![];
    let mut before: Vec<f64> = vec![];
    for frame in samples.windows(n).step_by(hop) {
        let x: Vec<f64> = frame.iter().map(|v| f64::from(*v)).collect();
        let windowed: Vec<f64> = x.iter().zip(&window).map(|(v, w)| v * w).collect();
        let m = magnitudes(&windowed, n, n / 2 + 1);
        let total: f64 = m.iter().sum();
        let norm = m.iter().map(|v| v * v).sum::<f64>().sqrt();
        let unit: Vec<f64> = m.iter().map(|v| if norm > 0.0 { v / norm } else { 0.0 }).collect();
        let flux: f64 = unit.iter().zip(&before).map(|(a, b)| (a - b).powi(2)).sum();
        before = unit;
        let centroid = m.iter().enumerate().map(|(k, v)| k as f64 * v).sum::<f64>() / total;
        let rolloff = (0..m.len()).find(|k| m[..=*k].iter().sum::<f64>() >= 0.85 * total);
        let crossings = x.windows(2).filter(|p| (p[0] < 0.0) != (p[1] < 0.0)).count();
        let mut values = vec![
            if total > 0.0 { centroid } else { 0.0 },
            if total > 0.0 { rolloff.unwrap() as f64 } else { 0.0 },
            flux,
            crossings as f64,
        ];
        values.extend(cepstrum(&m, n, rate));
        values.push((x.iter().map(|v| v * v).sum::<f64>() / n as f64).sqrt());
        frames.push(values);
    }
    let mut all = vec![];
    for window in frames.windows(memory) {
        let mean: Vec<f64> =
            (0..10).map(|i| window.iter().map(|f| f[i]).sum::<f64>() / memory as f64).collect();
        let variance =
            |i: usize| window.iter().map(|f| (f[i] - mean[i]).powi(2)).sum::<f64>() / memory as f64;
        let mut values = mean[..9].to_vec();
        values.extend((0..9).map(variance));
        values.push(window.iter().filter(|f| f[9] < mean[9]).count() as f64 / memory as f64);
        all.push(values);
    }
    sum_of(&all).into_iter().map(|v| v / all.len() as f64).collect()
}

fn noise(count: usize) -> impl Iterator<Item = f64> {
    let mut state = 5_u32;
    (0..count).map(move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    })
}

/// Five signals: a beat of 125 a minute, a chord in a slow swell, noise in bursts, a melody, quiet noise with a pulse.
fn signals(count: usize) -> Vec<(&'static str, Vec<f32>)> {
    let at = |n: usize| n as f64 / 22_050.0;
    let tone = |hz: f64, n: usize| (2.0 * PI * hz * at(n)).sin();
    let beat = (0..count).map(|n| (-((n % 10_584) as f64) / 900.0).exp() * tone(180.0, n));
    let chord = (0..count).map(|n| {
        let swell = 0.6 + 0.4 * tone(1.3, n);
        0.25 * swell * (tone(261.63, n) + tone(329.63, n) + tone(392.0, n) + 0.4 * tone(1569.0, n))
    });
    let bursts = noise(count).enumerate().map(|(n, x)| if n % 7350 < 2500 { 0.5 * x } else { 0.03 * x });
    let melody = (0..count).map(|n| {
        let hz = [220.0, 246.94, 293.66, 329.63, 440.0][n / 5512 % 5];
        0.4 * tone(hz, n) + 0.2 * tone(2.0 * hz, n) + 0.1 * tone(5.0 * hz, n)
    });
    let pulse = noise(count).enumerate().map(|(n, x)| 1e-3 * x * (1.0 + 0.7 * tone(2.2, n)));
    let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
    vec![
        ("beat", narrow(beat.collect())),
        ("chord", narrow(chord.collect())),
        ("bursts", narrow(bursts.collect())),
        ("melody", narrow(melody.collect())),
        ("pulse", narrow(pulse.collect())),
    ]
}

/// To 1e-6 of the value, single precision, or of 1e-3.
fn compare(what: &str, got: impl IntoIterator<Item = f32>, want: &[f64]) {
    let got: Vec<f32> = got.into_iter().collect();
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let tolerance = 1e-6 * want.abs().max(1e-3);
        assert!((f64::from(*got) - want).abs() <= tolerance, "{what}, value {i}: {got} is not {want}");
    }
}

#[test]
fn five_signals_are_as_the_formulas_say() {
    for (what, samples) in signals(100_000) {
        let config = TzanetakisCookConfig::default();
        let got = config.plan(22_050).unwrap().process(&samples).unwrap();
        let mut want = texture(&samples, 22_050.0, 512, 512, 43);
        let beats = sum_of(&beat_windows(&samples, 22_050.0, &config.beat));
        want.extend(beat_content(&beats, 40));
        let notes = pitch_notes(&samples, 22_050.0, &config.pitch);
        want.extend(pitch_content(&notes));
        compare(what, got.iter().copied(), &want);
        let beat = config.beat.plan(22_050).unwrap().process(&samples).unwrap();
        compare(what, beat.iter().copied(), &beats);
        let pitch = config.pitch.plan(22_050).unwrap().process(&samples).unwrap();
        compare(what, pitch.iter().copied(), &notes);
    }
}

#[test]
fn options_do_what_they_say() {
    let beat = BeatHistogramConfig {
        win_length: 16_384,
        hop_length: 5000,
        levels: 3,
        smoothing: 0.95,
        decimation: 20,
        enhancement: 2,
        peaks: 5,
        bpm_min: 90,
        bpm_max: 333,
        normalize: false,
        pad: true,
        columns: BeatColumns::Windows,
    };
    let pitch = PitchHistogramConfig {
        win_length: 700,
        hop_length: 900,
        split_hz: 800.0,
        low_cut_hz: 50.0,
        exponent: 2.0,
        enhancement: 3,
        peaks: 2,
        f_min: 60.0,
        f_max: 1500.0,
        normalize: true,
        folded: true,
    };
    for (what, samples) in signals(30_000) {
        for samples in [&samples[..], &samples[..9000]] {
            let got = beat.plan(16_000).unwrap().process(samples).unwrap();
            let want = beat_windows(samples, 16_000.0, &beat);
            assert_eq!(got.ncols(), want.len());
            for (got, want) in got.columns().into_iter().zip(&want) {
                // Heights are the squares of the signal's here.
                let largest = want.iter().copied().fold(1e-30, f64::max);
                let share = |v: f64| v / largest;
                let got: Vec<f32> = got.iter().map(|v| share(f64::from(*v)) as f32).collect();
                compare(what, got, &want.iter().map(|v| share(*v)).collect::<Vec<_>>());
            }
        }
        let got = pitch.plan(16_000).unwrap().process(&samples[..12_000]).unwrap();
        compare(what, got.iter().copied(), &folded(&pitch_notes(&samples[..12_000], 16_000.0, &pitch)));
    }
}

#[test]
fn a_beat_and_a_note_are_found() {
    let (_, beat) = &signals(300_000)[0];
    let set = TzanetakisCookConfig::default().plan(22_050).unwrap();
    let names = TzanetakisCook::names();
    let value = |samples: &[f32], name: &str| {
        let i = names.iter().position(|n| *n == name).unwrap();
        set.process(samples).unwrap()[[i, 0]]
    };
    assert_eq!(value(beat, "beat_p1"), 125.0);
    let a3: Vec<f32> =
        (0..70_000).map(|n| (2.0 * PI * 220.0 * f64::from(n) / 22_050.0).sin() as f32).collect();
    assert_eq!((value(&a3, "pitch_up0"), value(&a3, "pitch_fp0")), (57.0, 3.0));
}

#[test]
fn silence_constants_and_short_clips_are_defined() {
    let set = TzanetakisCookConfig::default().plan(22_050).unwrap();
    let silence = set.process(&[0.0; 65_536]).unwrap();
    // Empty bands have equal logarithms, whose transform is 0 up to rounding.
    assert!(silence.iter().all(|v| v.abs() < 1e-12), "{silence}");
    assert!(set.process(&[0.5; 65_536]).unwrap().iter().all(|v| v.is_finite()));
    assert_eq!(
        set.process(&[0.5; 65_535]).unwrap_err(),
        FeatureError::TooShort { got: 65_535, needed: 65_536 }
    );
    // With zeros behind it, a clip has only to have a texture window.
    let beat = BeatHistogramConfig { pad: true, ..BeatHistogramConfig::default() };
    let padded = TzanetakisCookConfig { beat, ..TzanetakisCookConfig::default() }.plan(22_050).unwrap();
    assert_eq!(padded.process(&[0.5; 43 * 512]).unwrap().dim(), (30, 1));
    let needed = 43 * 512;
    assert_eq!(
        padded.process(&[0.5; 43 * 512 - 1]).unwrap_err(),
        FeatureError::TooShort { got: needed - 1, needed }
    );
}

#[test]
fn rows_have_names() {
    let Axis::Name { names } =
        TzanetakisCookConfig::default().plan(22_050).unwrap().layout(70_000).unwrap().row_axis
    else {
        panic!()
    };
    assert_eq!(names.len(), 30);
    assert_eq!(
        (names[0].as_str(), names[18].as_str(), names[29].as_str()),
        ("centroid_mean", "low_energy", "pitch_sum")
    );
    let folded = PitchHistogramConfig { folded: true, ..PitchHistogramConfig::default() };
    let Axis::Name { names } = folded.plan(22_050).unwrap().layout(512).unwrap().row_axis else { panic!() };
    assert_eq!(names, ["C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F"]);
}
