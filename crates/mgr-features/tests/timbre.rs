//! Timbre features against an independent computation: the formulas written plainly in f64, with a Fourier sum instead of a fast
//! transform and nothing from the library; and against printed values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::PI;

use mgr_features::timbre::{TimbreConfig, TimbreDialect, TimbreOutput};
use mgr_features::{Extractor, FeatureError};

/// The powers of the bins from 0 to half, of a frame in a symmetric Hamming window, the transform divided by its length.
fn power(frame: &[f64]) -> Vec<f64> {
    let n = frame.len();
    let turns: Vec<(f64, f64)> = (0..n).map(|i| (2.0 * PI * i as f64 / n as f64).sin_cos()).collect();
    let windowed: Vec<f64> = frame
        .iter()
        .enumerate()
        .map(|(i, x)| x * (0.54 - 0.46 * (2.0 * PI * i as f64 / (n as f64 - 1.0)).cos()))
        .collect();
    let bin = |k: usize| {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in windowed.iter().enumerate() {
            let (sine, cosine) = turns[k * i % n];
            re += x * cosine;
            im -= x * sine;
        }
        (re * re + im * im) / (n * n) as f64
    };
    (0..=n / 2).map(bin).collect()
}

/// 13 coefficients; `band` is the logarithm of a band's sum.
fn cepstrum(spectrum: &[f64], n: usize, rate: f64, band: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut edges = vec![];
    for i in 0..13 {
        edges.push(133.3333 + 66.66666 * f64::from(i));
    }
    for i in 1..30 {
        edges.push(edges[12] * 1.0711703_f64.powf(f64::from(i)));
    }
    let mut logs = vec![];
    for j in 0..40 {
        let (low, centre, high) = (edges[j], edges[j + 1], edges[j + 2]);
        let mut sum = 0.0;
        for (k, value) in spectrum.iter().enumerate() {
            let f = k as f64 * rate / n as f64;
            if low < f && f <= centre {
                sum += value * 2.0 / (high - low) * ((f - low) / (centre - low));
            } else if centre < f && f <= high {
                sum += value * 2.0 / (high - low) * ((high - f) / (high - centre));
            }
        }
        logs.push(band(sum));
    }
    (0..13)
        .map(|i| {
            let terms = logs.iter().enumerate();
            let sum: f64 =
                terms.map(|(j, e)| (f64::from(i) * (2 * j + 1) as f64 * PI / 80.0).cos() * e).sum();
            sum * (1.0_f64 / 20.0).sqrt() * if i == 0 { 2.0_f64.sqrt() / 2.0 } else { 1.0 }
        })
        .collect()
}

fn chroma(power: &[f64], rate: f64, divisor: f64) -> Vec<f64> {
    let bins = power.len();
    let mut place: Vec<f64> = (0..bins).map(|k| 12.0 * (k as f64 * rate / divisor / 27.5).log2()).collect();
    place[0] = place[1] - 18.0;
    let mut out = vec![0.0; 12];
    for k in 0..bins {
        let width = if k + 1 < bins { (place[k + 1] - place[k]).max(1.0) } else { 1.0 };
        let mut column = [0.0; 12];
        for (o, weight) in column.iter_mut().enumerate() {
            let d = (place[k] - o as f64 + 6.0 + 120.0) % 12.0 - 6.0;
            *weight = (-0.5 * (2.0 * d / width) * (2.0 * d / width)).exp();
        }
        let norm = column.iter().map(|w| w * w).sum::<f64>().sqrt();
        for (o, weight) in column.iter().enumerate() {
            out[o] += weight / norm * power[k];
        }
    }
    let (mean, max) = (out.iter().sum::<f64>() / 12.0, out.iter().copied().fold(0.0, f64::max));
    let min = out.iter().copied().fold(f64::INFINITY, f64::min);
    out.push(if mean == 0.0 { 0.0 } else { max / mean });
    out.push(if min == 0.0 { 0.0 } else { max / min });
    out
}

/// All frames of a signal, 31 values each.
fn frames(samples: &[f64], rate: f64, n: usize, hop: usize, dialect: TimbreDialect) -> Vec<Vec<f64>> {
    let marsyas = dialect == TimbreDialect::Marsyas;
    let mut padded = vec![0.0; n - hop];
    padded.extend(samples);
    let bins = (n / 2 + 1) as f64;
    let mut before = vec![0.0; n / 2 + 1];
    let mut all = vec![];
    for t in 0..samples.len() / hop {
        let x = &padded[t * hop..t * hop + n];
        let p = power(x);
        let crossings = (1..n)
            .filter(|&i| if marsyas { x[i - 1] * x[i] < 0.0 } else { (x[i - 1] < 0.0) != (x[i] < 0.0) })
            .count()
            + usize::from(marsyas);
        let total: f64 = p.iter().sum();
        let weighted: f64 = p.iter().enumerate().map(|(k, v)| k as f64 * v).sum();
        let up_to = |k: usize| p[..=k].iter().sum::<f64>();
        let (centroid, rolloff);
        if marsyas {
            centroid = if total == 0.0 { 0.5 } else { weighted / total / bins };
            let found = (2..=n / 2).rev().find(|&k| up_to(k) < 0.9 * total);
            rolloff = found.map_or(1.0, |k| k as f64 / bins);
        } else {
            centroid = if total == 0.0 { 0.0 } else { weighted / total / (bins - 1.0) };
            let found = (0..=n / 2).find(|&k| up_to(k) >= 0.9 * total);
            rolloff = if total == 0.0 { 0.0 } else { found.unwrap() as f64 / (bins - 1.0) };
        }
        let logs: Vec<f64> = p.iter().map(|v| (v + 2.2250738585072014e-308).ln()).collect();
        let steps: Vec<f64> = (1..=n / 2).map(|k| (logs[k] - before[k]).powi(2)).collect();
        let top = steps.iter().copied().fold(0.0, f64::max);
        let mut flux = if top == 0.0 { 0.0 } else { steps.iter().sum::<f64>() / (top * bins) };
        if t == 0 && !marsyas {
            flux = 0.0;
        }
        before = logs;
        let mut values = vec![crossings as f64 / n as f64, centroid, rolloff, flux];
        values.extend(if marsyas {
            cepstrum(&p, n, rate, |e| if e == 0.0 { 0.0 } else { e.log10() })
        } else {
            let roots: Vec<f64> = p.iter().map(|v| v.sqrt()).collect();
            cepstrum(&roots, n, rate, |e| e.max(1e-10).log10())
        });
        values.extend(chroma(&p, rate, if marsyas { bins } else { n as f64 }));
        all.push(values);
    }
    all
}

/// Means, then standard deviations of all rows.
fn statistics(rows: &[Vec<f64>]) -> Vec<f64> {
    let n = rows.len() as f64;
    let mean: Vec<f64> = (0..rows[0].len()).map(|i| rows.iter().map(|r| r[i]).sum::<f64>() / n).collect();
    let std = |i: usize| (rows.iter().map(|r| (r[i] - mean[i]).powi(2)).sum::<f64>() / n).sqrt();
    let stds: Vec<f64> = (0..mean.len()).map(std).collect();
    [mean, stds].concat()
}

fn textures(frames: &[Vec<f64>], memory: usize, dialect: TimbreDialect) -> Vec<Vec<f64>> {
    (0..frames.len())
        .map(|t| {
            let first = (t + 1).saturating_sub(memory);
            let mut window: Vec<Vec<f64>> = frames[first..=t].to_vec();
            while dialect == TimbreDialect::Marsyas && window.len() < memory {
                window.push(frames[0].clone());
            }
            statistics(&window)
        })
        .collect()
}

fn noise(count: usize) -> impl Iterator<Item = f64> {
    let mut state = 99_u32;
    (0..count).map(move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    })
}

/// Five signals: tones, noise, decaying clicks, a sweep with a gap of silence, quiet noise over a constant.
fn signals(count: usize) -> Vec<(&'static str, Vec<f32>)> {
    let at = |n: usize| n as f64 / 22_050.0;
    let tones = (0..count).map(|n| {
        0.5 * (2.0 * PI * 440.0 * at(n)).sin() + 0.2 * (2.0 * PI * 3000.0 * at(n)).sin() * (9.0 * at(n)).cos()
    });
    let clicks = (0..count).map(|n| (-((n % 2205) as f64) / 80.0).exp() * (0.9 * n as f64).sin());
    let sweep = (0..count).map(|n| {
        let gap = (4000..8000).contains(&n);
        if gap { 0.0 } else { 0.7 * (2.0 * PI * (50.0 + 9000.0 * at(n)) * at(n)).sin() }
    });
    let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
    vec![
        ("tones", narrow(tones.collect())),
        ("noise", narrow(noise(count).map(|x| 0.4 * x).collect())),
        ("clicks", narrow(clicks.collect())),
        ("sweep", narrow(sweep.collect())),
        ("quiet", narrow(noise(count).map(|x| 1e-6 * x + 0.25).collect())),
    ]
}

/// Compares a column: to 1e-6 of the value or of its row's scale, which is single precision and the rounding of a Fourier sum.
fn compare(what: &str, got: &[f32], want: &[f64], scale: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let tolerance = 1e-6 * want.abs().max(scale[i % scale.len()]);
        assert!((f64::from(*got) - want).abs() <= tolerance, "{what}, value {i}: {got} is not {want}");
    }
}

fn largest(frames: &[Vec<f64>]) -> Vec<f64> {
    (0..frames[0].len()).map(|i| frames.iter().map(|f| f[i].abs()).fold(1e-12, f64::max)).collect()
}

fn check(samples: &[f32], what: &str, base: &TimbreConfig, rate: u32) {
    let wide: Vec<f64> = samples.iter().map(|x| f64::from(*x)).collect();
    let frames = frames(&wide, f64::from(rate), base.win_length, base.hop_length, base.dialect);
    let frames: Vec<Vec<f64>> =
        frames.into_iter().map(|f| if base.chroma { f } else { f[..17].to_vec() }).collect();
    let textures = textures(&frames, base.memory, base.dialect);
    let clip = statistics(&textures);
    let scale = largest(&frames);
    let matrix = |output| {
        let config = TimbreConfig { output, ..base.clone() };
        config.plan(rate).unwrap().process(samples).unwrap()
    };
    for (output, want) in [
        (TimbreOutput::Frames, &frames),
        (TimbreOutput::Texture, &textures),
        (TimbreOutput::Clip, &vec![clip]),
    ] {
        let got = matrix(output);
        assert_eq!(got.ncols(), want.len(), "{what}");
        for (t, (got, want)) in got.columns().into_iter().zip(want).enumerate() {
            compare(&format!("{what}, {output:?} {t}"), got.as_slice().unwrap(), want, &scale);
        }
    }
}

#[test]
fn five_signals_are_as_the_formulas_say() {
    for (what, samples) in signals(16_000) {
        for dialect in [TimbreDialect::Marsyas, TimbreDialect::Clean] {
            let config = TimbreConfig { dialect, ..TimbreConfig::default() };
            check(&samples, &format!("{what} {dialect:?}"), &config, 22_050);
        }
    }
}

#[test]
fn windows_hops_memories_and_rates_are_options() {
    for (win_length, hop_length, memory, rate, chroma) in [
        (512, 256, 40, 22_050, false),
        (1024, 512, 5, 44_100, true),
        (255, 100, 1, 8000, true),
        (64, 64, 7, 11_025, true),
    ] {
        for (what, samples) in signals(6000) {
            for dialect in [TimbreDialect::Marsyas, TimbreDialect::Clean] {
                let output = TimbreOutput::default();
                let config = TimbreConfig { win_length, hop_length, memory, chroma, output, dialect };
                check(&samples, &format!("{what} {config:?}"), &config, rate);
            }
        }
    }
}

/// The signal of the printed values: three tones, one of them every other half second.
fn printed_signal() -> Vec<f64> {
    (0..60 * 512)
        .map(|n| {
            let t = f64::from(n) / 22_050.0;
            let gate = if (2.0 * PI * 2.0 * t).sin() > 0.0 { 1.0 } else { 0.0 };
            let tone = |hz: f64| (2.0 * PI * hz * t).sin();
            0.5 * tone(440.0) + 0.3 * tone(3000.0) * gate + 0.05 * tone(7001.3)
        })
        .collect()
}

#[test]
fn printed_values_come_out() {
    // Printed to 7 digits by a computation in NumPy.
    let frames = [
        (0, [0.1269531, 0.1048609, 0.2684825, 0.7025785, -52.07123, 5.331147, 1.204553, 5.789717, -2.463775]),
        (1, [0.1230469, 0.1048464, 0.2684825, 0.2998329, -52.21542, 5.035931, 1.597647, 5.794855, -2.095508]),
        (
            30,
            [0.1230469, 0.1048591, 0.2684825, 0.2722743, -52.24824, 6.101761, 0.2125633, 5.833669, -2.428457],
        ),
    ];
    let last = [0.4357151, -3.917821, -0.9826948, -1.594868, -4.105466, -0.2575892, -1.780952];
    let wide = printed_signal();
    let samples: Vec<f32> = wide.iter().map(|x| *x as f32).collect();
    // What is printed is of samples in f64; rounding them lifts the bins far from the tones, which shows in the flux.
    let plain = self::frames(&wide, 22_050.0, 512, 512, TimbreDialect::Marsyas);
    let plan = |output| {
        let config = TimbreConfig { chroma: false, output, ..TimbreConfig::default() };
        config.plan(22_050).unwrap().process(&samples).unwrap()
    };
    let close = |got: f32, want: f64, digits: f64, what: &str| {
        assert!((f64::from(got) - want).abs() <= digits * want.abs().max(0.1), "{what}: {got} is not {want}");
    };
    let got = plan(TimbreOutput::Frames);
    for (t, want) in frames {
        for (i, want) in want.into_iter().enumerate() {
            close(got[[i, t]], want, 1e-4, &format!("frame {t}, value {i}"));
            close(plain[t][i] as f32, want, 5e-7, &format!("plain frame {t}, value {i}"));
        }
    }
    for (i, want) in last.into_iter().enumerate() {
        close(got[[10 + i, 0]], want, 1e-4, &format!("frame 0, value {}", 10 + i));
    }
    let means = [0.0828125, 0.0781774, 0.165175, 0.173601, -54.4278, 6.46172, 2.61918, 3.824, -0.955466];
    let stds = [0.0330846, 0.0294456, 0.114211, 0.107887, 3.29195, 2.64022, 1.34356, 1.84938, 1.75389];
    let got = plan(TimbreOutput::Texture);
    for (i, (mean, std)) in means.into_iter().zip(stds).enumerate() {
        close(got[[i, 59]], mean, 1e-4, &format!("mean {i}"));
        close(got[[17 + i, 59]], std, 1e-4, &format!("standard deviation {i}"));
    }
    let means = [0.0917887, 0.0828326, 0.184624, 0.297299, -53.4044, 6.0185];
    let stds = [0.0179843, 0.0121461, 0.0462977, 0.159311, 0.853409, 0.529454];
    let got = plan(TimbreOutput::Clip);
    for (i, (mean, std)) in means.into_iter().zip(stds).enumerate() {
        close(got[[i, 0]], mean, 1e-4, &format!("mean {i}"));
        close(got[[34 + i, 0]], std, 1e-4, &format!("standard deviation {i}"));
    }
}

#[test]
fn columns_have_the_names_that_marsyas_gives() {
    let names = |chroma, output| {
        let config = TimbreConfig { chroma, output, ..TimbreConfig::default() };
        config.plan(22_050).unwrap().names()
    };
    let clip = names(true, TimbreOutput::Clip);
    assert_eq!(clip.len(), 124);
    let tail = "HopSize512_WinSize512_Sum_AudioCh0";
    let power = format!("Power_powerFFT_WinHamming_{tail}");
    assert_eq!(clip[0], format!("Mean_Acc5_Mean_Mem20_ZeroCrossings_{tail}"));
    assert_eq!(clip[1], format!("Mean_Acc5_Mean_Mem20_Centroid_{power}"));
    assert_eq!(clip[18], format!("Mean_Acc5_Mean_Mem20_PeakRatio_Chroma_A#_{power}"));
    assert_eq!(clip[30], format!("Mean_Acc5_Mean_Mem20_PeakRatio_Minimum_Chroma_A_{power}"));
    assert_eq!(clip[31], format!("Mean_Acc5_Std_Mem20_ZeroCrossings_{tail}"));
    assert_eq!(clip[123], format!("Std_Acc5_Std_Mem20_PeakRatio_Minimum_Chroma_A_{power}"));
    assert_eq!(names(false, TimbreOutput::Clip).len(), 68);
    assert_eq!(names(false, TimbreOutput::Texture)[20], format!("Std_Mem20_Flux_{power}"));
    assert_eq!(names(true, TimbreOutput::Frames)[4], format!("MFCC0_{power}"));
    assert_eq!((names(true, TimbreOutput::Frames).len(), names(false, TimbreOutput::Frames).len()), (31, 17));
}

#[test]
fn silence_constants_and_one_frame_are_defined() {
    for dialect in [TimbreDialect::Marsyas, TimbreDialect::Clean] {
        let frames = TimbreConfig { output: TimbreOutput::Frames, dialect, ..TimbreConfig::default() };
        let frames = frames.plan(22_050).unwrap();
        let silence = frames.process(&[0.0; 2048]).unwrap();
        let marsyas = dialect == TimbreDialect::Marsyas;
        let want = if marsyas { [1.0 / 512.0, 0.5, 1.0, 0.0] } else { [0.0; 4] };
        assert_eq!(silence.column(1).as_slice().unwrap()[..4], want);
        assert!(silence.iter().all(|v| v.is_finite()));
        let clip = TimbreConfig { output: TimbreOutput::Clip, dialect, ..TimbreConfig::default() };
        let clip = clip.plan(22_050).unwrap();
        for samples in [vec![0.0; 4096], vec![0.3; 4096], vec![0.3; 512], vec![0.0; 512]] {
            let vector = clip.process(&samples).unwrap();
            assert!(vector.iter().all(|v| v.is_finite()));
            if samples.len() == 512 {
                // One frame has no spread.
                assert!(vector.iter().skip(31).take(31).chain(vector.iter().skip(62)).all(|v| *v == 0.0));
                let one = frames.process(&samples).unwrap();
                assert!(one.iter().zip(&vector).all(|(a, b)| a == b));
            }
        }
        assert_eq!(clip.process(&[0.1; 511]).unwrap_err(), FeatureError::TooShort { got: 511, needed: 512 });
    }
}

#[test]
fn the_vector_of_a_clip_comes_at_the_end_of_a_stream() {
    let samples: Vec<f32> = printed_signal().into_iter().map(|x| x as f32).collect();
    let plan = TimbreConfig { output: TimbreOutput::Clip, ..TimbreConfig::default() }.plan(22_050).unwrap();
    let mut stream = Extractor::stream(&plan).unwrap();
    for block in samples.chunks(700) {
        stream.push(block, |_| panic!("too early")).unwrap();
    }
    let mut columns = vec![];
    stream.finish(|column| columns.push(column.to_vec())).unwrap();
    assert_eq!(columns, [plan.process(&samples).unwrap().into_raw_vec_and_offset().0]);
}
