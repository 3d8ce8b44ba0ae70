//! Augmentation: what each step does, what a seed and a log promise, what bad input meets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::TAU;

use mgr_audio::augment::{
    AugmentError, Augmentation, Augmented, Background, BackgroundMixConfig, Chain, CircularShiftConfig, Draw,
    FadeConfig, FadeShape, GainConfig, HighPassConfig, LowPassConfig, NoiseLevel, Outcome,
    PolarityInversionConfig, Random, ShiftRange, Step, StepLog, Value, Values, WhiteNoiseConfig,
};
use proptest::prelude::*;

const RATE: u32 = 16_000;

fn tone(samples: usize) -> Vec<f32> {
    (0..samples)
        .map(|n| (0.4 * (TAU * 0.01 * n as f64).sin() + 0.1 * (TAU * 0.137 * n as f64).cos()) as f32)
        .collect()
}

fn run(step: Step, samples: &[f32], seed: u64) -> Augmented {
    Chain::new(vec![step]).process(samples, seed).unwrap()
}

fn number(log: &StepLog, name: &str) -> f64 {
    match log.values.get(name) {
        Some(Value::Number(value)) => *value,
        Some(Value::Integer(value)) => *value as f64,
        other => panic!("{name} is {other:?}"),
    }
}

fn noise(level: NoiseLevel) -> Step {
    WhiteNoiseConfig { level, ..WhiteNoiseConfig::default() }.plan(RATE).unwrap()
}

fn background(name: &str, samples: usize) -> Background {
    let mut random = Random::new(samples as u64);
    Background::new(name, (0..samples).map(|_| random.normal() as f32).collect::<Vec<_>>()).unwrap()
}

fn power(samples: impl Iterator<Item = f64>) -> f64 {
    samples.map(|x| x * x).sum()
}

/// 10 log10 of the energy of `clean` over that of `mixed - clean`.
fn snr(clean: &[f32], mixed: &[f32]) -> f64 {
    let added = clean.iter().zip(mixed).map(|(&x, &y)| f64::from(y) - f64::from(x));
    10.0 * (power(clean.iter().map(|&x| f64::from(x))) / power(added)).log10()
}

#[test]
fn noise_by_amplitude_has_that_standard_deviation() {
    let clip = tone(200_000);
    let result = run(WhiteNoiseConfig::default().plan(RATE).unwrap(), &clip, 1);
    assert_eq!((result.log[0].outcome, number(&result.log[0], "amplitude")), (Outcome::Applied, 0.0025));
    let added: Vec<f64> =
        clip.iter().zip(&result.samples).map(|(&x, &y)| f64::from(y) - f64::from(x)).collect();
    let mean = added.iter().sum::<f64>() / 200_000.0;
    let deviation = (power(added.iter().copied()) / 200_000.0).sqrt();
    // Five standard deviations of both estimates.
    assert!(mean.abs() < 5.0 * 0.0025 / 447.0, "{mean}");
    assert!((deviation / 0.0025 - 1.0).abs() < 5.0 / 632.0, "{deviation}");
    // White: neighbours have nothing in common.
    let neighbours: f64 = added.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / power(added.iter().copied());
    assert!(neighbours.abs() < 5.0 / 447.0, "{neighbours}");
    let none = run(noise(NoiseLevel::Amplitude(Draw::Fixed(0.0))), &clip, 1);
    assert_eq!(none.samples, clip);
}

#[test]
fn ratios_to_noise_and_background_are_exact() {
    for (seed, snr_db) in [(1, -20.0), (2, 0.0), (3, 12.5), (4, 40.0), (5, 60.0)] {
        let clip = tone(20_000);
        let draw = Draw::Fixed(snr_db);
        let mix = BackgroundMixConfig { snr_db: draw.clone(), ..BackgroundMixConfig::default() };
        for step in [
            noise(NoiseLevel::SnrDb(draw)),
            mix.plan(RATE, vec![background("short", 700)]).unwrap(),
            mix.plan(RATE, vec![background("long", 50_000)]).unwrap(),
        ] {
            let result = run(step, &clip, seed);
            // 1e-4 of the power ratio is 4.3e-4 dB.
            let found = snr(&clip, &result.samples);
            assert!((found - snr_db).abs() < 4.3e-4, "{}: {found}, wanted {snr_db}", result.log[0].step);
        }
    }
}

#[test]
fn silence_has_no_ratio_to_noise() {
    let silence = vec![0.0f32; 1000];
    let mix = BackgroundMixConfig::default();
    let quiet = Background::new("quiet", vec![0.0; 500]).unwrap();
    for (step, clip) in [
        (noise(NoiseLevel::SnrDb(Draw::Fixed(20.0))), silence.clone()),
        (mix.plan(RATE, vec![background("hum", 500)]).unwrap(), silence.clone()),
        (mix.plan(RATE, vec![quiet]).unwrap(), tone(1000)),
    ] {
        let chain = Chain::new(vec![step]);
        let result = chain.process(&clip, 3).unwrap();
        assert_eq!((&result.samples, result.log[0].outcome), (&clip, Outcome::Silent));
        assert!(!result.log[0].values.is_empty());
        assert_eq!(chain.replay(&clip, &result.log).unwrap(), result);
    }
    // By amplitude noise needs no signal.
    let result = run(WhiteNoiseConfig::default().plan(RATE).unwrap(), &silence, 3);
    assert_eq!(result.log[0].outcome, Outcome::Applied);
    assert!(result.samples.iter().all(|&x| x != 0.0));
}

#[test]
fn shift_is_numpys_roll() {
    let clip: Vec<f32> = (0..10).map(|n| n as f32).collect();
    let shift = |shift, seed| {
        let config = CircularShiftConfig { shift, ..CircularShiftConfig::default() };
        run(config.plan(RATE).unwrap(), &clip, seed)
    };
    assert_eq!(shift(ShiftRange::Samples(3, 3), 0).samples, [7., 8., 9., 0., 1., 2., 3., 4., 5., 6.]);
    assert_eq!(shift(ShiftRange::Samples(-3, -3), 0).samples, [3., 4., 5., 6., 7., 8., 9., 0., 1., 2.]);
    assert_eq!(shift(ShiftRange::Samples(23, 23), 0).samples, shift(ShiftRange::Samples(3, 3), 0).samples);
    assert_eq!(number(&shift(ShiftRange::Seconds(0.001, 0.001), 0).log[0], "shift"), 16.0);
    assert_eq!(number(&shift(ShiftRange::Fraction(-0.5, -0.5), 0).log[0], "shift"), -5.0);
    let mut seen = [false; 4];
    for seed in 0..100 {
        seen[number(&shift(ShiftRange::Samples(0, 3), seed).log[0], "shift") as usize] = true;
    }
    assert_eq!(seen, [true; 4]);
}

#[test]
fn defaults_are_those_of_the_gtzan_8_study() {
    // y + 0.0025 N(0, 1), then np.roll by randint(0, 8000), which is 0 to 7999.
    assert_eq!(WhiteNoiseConfig::default().level, NoiseLevel::Amplitude(Draw::Fixed(0.0025)));
    assert_eq!(CircularShiftConfig::default().shift, ShiftRange::Samples(0, 7999));
    let step = CircularShiftConfig::default().plan(RATE).unwrap();
    let shifts: Vec<f64> =
        (0..2000).map(|seed| number(&run(step.clone(), &[0.5, 0.25], seed).log[0], "shift")).collect();
    assert!(shifts.iter().all(|s| (0.0..=7999.0).contains(s)));
    let mean = shifts.iter().sum::<f64>() / 2000.0;
    // Five standard deviations of the mean: 5 * 8000 / sqrt(12 * 2000).
    assert!((mean - 3999.5).abs() < 258.0, "{mean}");
}

#[test]
fn gains_and_polarity_are_exact() {
    let clip = tone(1000);
    for (gain_db, factor) in
        [(0.0, 1.0), (20.0, 10.0), (-40.0, 0.01), (6.0, 10f64.powf(0.3)), (-3.5, 10f64.powf(-0.175))]
    {
        let config = GainConfig { gain_db: Draw::Fixed(gain_db), ..GainConfig::default() };
        let result = run(config.plan(RATE).unwrap(), &clip, 0);
        for (&x, &y) in clip.iter().zip(&result.samples) {
            // The factor may differ by a unit in the last place of f64 between two maths libraries, then the product by one of f32.
            let wanted = f64::from(x) * factor;
            assert!(
                (f64::from(y) - wanted).abs() <= wanted.abs() * 6.0e-8,
                "{gain_db}: {y}, wanted {wanted}"
            );
        }
        if gain_db == 0.0 {
            assert_eq!(result.samples, clip);
        }
    }
    let always = PolarityInversionConfig { probability: 1.0 }.plan(RATE).unwrap();
    let negated: Vec<f32> = clip.iter().map(|x| -x).collect();
    assert_eq!(run(always, &clip, 0).samples, negated);
}

#[test]
fn probability_is_kept() {
    let applied = |probability| {
        let step = PolarityInversionConfig { probability }.plan(RATE).unwrap();
        (0..4000).filter(|&seed| run(step.clone(), &[0.5], seed).samples == [-0.5]).count()
    };
    assert_eq!((applied(0.0), applied(1.0)), (0, 4000));
    // Five standard deviations: 5 sqrt(4000 * 0.25 * 0.75).
    assert!(applied(0.25).abs_diff(1000) < 137, "{}", applied(0.25));
    let log = &run(PolarityInversionConfig { probability: 0.0 }.plan(RATE).unwrap(), &[0.5], 0).log[0];
    assert_eq!(
        serde_json::to_string(log).unwrap(),
        "{\"step\":\"polarity_inversion\",\"outcome\":\"skipped\"}"
    );
}

#[test]
fn fades_follow_their_course() {
    let fade = |fade_in: f64, fade_out: f64, shape, samples| {
        let (fade_in_s, fade_out_s) = (Draw::Fixed(fade_in), Draw::Fixed(fade_out));
        let config = FadeConfig { fade_in_s, fade_out_s, shape, probability: 1.0 };
        run(config.plan(1000).unwrap(), &vec![1.0; samples], 0).samples
    };
    let linear = fade(0.004, 0.002, FadeShape::Linear, 8);
    assert_eq!(linear, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.0]);
    assert_eq!(fade(0.0, 0.0, FadeShape::Linear, 3), [1.0; 3]);
    // Longer than the clip: cut to it, and both multiply.
    assert_eq!(fade(9.0, 9.0, FadeShape::Linear, 4), [0.0, 0.25 * 0.5, 0.5 * 0.25, 0.0]);
    assert_eq!(fade(0.1, 0.1, FadeShape::Linear, 1), [0.0]);
    let middle = |shape| fade(0.002, 0.0, shape, 3)[1];
    assert_eq!(middle(FadeShape::QuarterSine), 0.5f32.sqrt());
    assert_eq!(middle(FadeShape::HalfSine), 0.5);
    assert_eq!(middle(FadeShape::Quadratic), 0.25);
    assert_eq!(middle(FadeShape::SquareRoot), 0.5f32.sqrt());
    for shape in [
        FadeShape::Linear,
        FadeShape::QuarterSine,
        FadeShape::HalfSine,
        FadeShape::Quadratic,
        FadeShape::SquareRoot,
    ] {
        let up = fade(0.1, 0.0, shape, 150);
        assert!(up[0] == 0.0 && up.is_sorted() && up[100..] == [1.0; 50], "{shape:?}");
        let mut down = fade(0.0, 0.1, shape, 150);
        down.reverse();
        assert_eq!(up, down);
    }
}

fn low_pass(cutoff: f64, order: u32, rate: u32) -> Step {
    LowPassConfig { cutoff_hz: Draw::Fixed(cutoff), order, probability: 1.0 }.plan(rate).unwrap()
}

fn high_pass(cutoff: f64, order: u32, rate: u32) -> Step {
    HighPassConfig { cutoff_hz: Draw::Fixed(cutoff), order, probability: 1.0 }.plan(rate).unwrap()
}

/// Magnitude of a filter at a frequency, from its impulse response.
fn magnitude(step: &Step, frequency: f64, rate: u32) -> f64 {
    let mut impulse = vec![0.0f32; 1 << 15];
    impulse[0] = 1.0;
    let response = run(step.clone(), &impulse, 0).samples;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &x) in response.iter().enumerate() {
        let (sin, cos) = (TAU * frequency * n as f64 / f64::from(rate)).sin_cos();
        re += f64::from(x) * cos;
        im -= f64::from(x) * sin;
    }
    re.hypot(im)
}

#[test]
fn filters_have_butterworths_magnitude() {
    let warp = |f: f64, rate: u32| (std::f64::consts::PI * f / f64::from(rate)).tan();
    for rate in [16_000, 44_100] {
        for order in [1, 2, 3, 4, 7, 12] {
            for cutoff in [200.0, 1000.0, 5000.0] {
                let (low, high) = (low_pass(cutoff, order, rate), high_pass(cutoff, order, rate));
                for f in [0.0, 100.0, 200.0, 800.0, 1000.0, 3000.0, 5000.0, 7900.0] {
                    let power = 2 * i32::try_from(order).unwrap();
                    let ratio = (warp(f, rate) / warp(cutoff, rate)).powi(power);
                    // The impulse response is stored as f32.
                    let wanted = (1.0 + ratio).sqrt().recip();
                    assert!(
                        (magnitude(&low, f, rate) - wanted).abs() < 2e-6,
                        "low {rate} {order} {cutoff} {f}"
                    );
                    let wanted = (ratio / (1.0 + ratio)).sqrt();
                    assert!(
                        (magnitude(&high, f, rate) - wanted).abs() < 2e-6,
                        "high {rate} {order} {cutoff} {f}"
                    );
                }
            }
        }
    }
}

#[test]
fn filters_are_scipys() {
    // scipy 1.17: sosfilt(butter(order, cutoff, kind, fs=rate, output="sos"), impulse).
    let cases: [(Step, [f64; 8]); 3] = [
        (
            low_pass(1000.0, 3, 22_050),
            [
                0.0022177013152073605,
                0.012046368750101668,
                0.031482139828032066,
                0.05576856167364909,
                0.07901529141743709,
                0.09760435434175262,
                0.10969846434032235,
                0.11479164402204382,
            ],
        ),
        (
            high_pass(6000.0, 2, 16_000),
            [
                0.0976310729378175,
                -0.28730960418076723,
                0.3359654745135361,
                -0.22098141897051435,
                0.09635478832252298,
                -0.017183692640029016,
                -0.015917321985387818,
                0.020734892632272933,
            ],
        ),
        (
            high_pass(300.0, 5, 44_100),
            [
                0.9331720012141003,
                -0.12907205599436078,
                -0.1201007061600641,
                -0.11151716190150798,
                -0.10331097247386237,
                -0.09547182990424014,
                -0.08798956899146758,
                -0.08085416730560269,
            ],
        ),
    ];
    for (step, wanted) in cases {
        let result = run(step, &[1.0, 0., 0., 0., 0., 0., 0., 0.], 0).samples;
        for (&y, wanted) in result.iter().zip(wanted) {
            assert!((f64::from(y) - wanted).abs() <= wanted.abs() * 6e-8, "{y}, wanted {wanted}");
        }
    }
}

#[test]
fn background_piece_is_the_one_logged() {
    let clip = tone(300);
    for length in [1, 299, 300, 301, 1000] {
        let sound = background("sound", length);
        let config = BackgroundMixConfig { snr_db: Draw::Fixed(0.0), probability: 1.0 };
        let result = run(config.plan(RATE, vec![sound]).unwrap(), &clip, 5);
        let offset = number(&result.log[0], "offset") as usize;
        let mut random = Random::new(length as u64);
        let sound: Vec<f32> = (0..length).map(|_| random.normal() as f32).collect();
        assert!(length < 300 || offset + 300 <= length);
        // What was added over what should have been is one factor all along.
        let added = |n: usize| f64::from(result.samples[n]) - f64::from(clip[n]);
        let wanted = |n: usize| f64::from(sound[(offset + n) % length]);
        let factor = added(0) / wanted(0);
        assert!((0..300).all(|n| (added(n) - factor * wanted(n)).abs() < 1e-5), "{length}");
    }
    let sounds = vec![background("a", 10), background("b", 20), background("c", 30)];
    let step = BackgroundMixConfig::default().plan(RATE, sounds).unwrap();
    let names: std::collections::BTreeSet<String> = (0..50)
        .map(|seed| run(step.clone(), &clip, seed).log[0].values.text("", "background").unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3);
}

/// One of every step.
fn everything(probability: f64, rate: u32) -> Vec<Step> {
    let snr = NoiseLevel::SnrDb(Draw::Uniform(0.0, 40.0));
    let sounds = vec![background("a", 777), background("b", 4000)];
    vec![
        WhiteNoiseConfig { probability, ..WhiteNoiseConfig::default() }.plan(rate).unwrap(),
        WhiteNoiseConfig { probability, level: snr }.plan(rate).unwrap(),
        CircularShiftConfig { probability, shift: ShiftRange::Fraction(-1.0, 1.0) }.plan(rate).unwrap(),
        GainConfig { probability, ..GainConfig::default() }.plan(rate).unwrap(),
        PolarityInversionConfig { probability }.plan(rate).unwrap(),
        FadeConfig { probability, shape: FadeShape::HalfSine, ..FadeConfig::default() }.plan(rate).unwrap(),
        LowPassConfig { probability, ..LowPassConfig::default() }.plan(rate).unwrap(),
        HighPassConfig { probability, order: 3, ..HighPassConfig::default() }.plan(rate).unwrap(),
        BackgroundMixConfig { probability, ..BackgroundMixConfig::default() }.plan(rate, sounds).unwrap(),
    ]
}

#[test]
fn bytes_of_a_seed_are_fixed() {
    // A change of this number changes what a seed gives: logs replay as before only if `replay` of old logs is unchanged too.
    let clip: Vec<f32> = (0..4000).map(|n| (n % 101) as f32 / 101.0 - 0.5).collect();
    let result = Chain::new(everything(1.0, RATE)).process(&clip, 20).unwrap();
    let sum =
        result.samples.iter().fold(0u64, |sum, x| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(x.to_bits()));
    assert_eq!(sum, 4_676_963_388_214_703_000, "{:?}", result.log);
}

#[test]
fn threads_and_neighbours_do_not_matter() {
    let clip = tone(5000);
    let chain = Chain::new(everything(0.7, RATE));
    let alone: Vec<Augmented> = (0..8).map(|seed| chain.process(&clip, seed).unwrap()).collect();
    let threads: Vec<_> = (0..8)
        .map(|seed| {
            let (chain, clip) = (chain.clone(), clip.clone());
            std::thread::spawn(move || chain.process(&clip, seed).unwrap())
        })
        .collect();
    for (thread, alone) in threads.into_iter().zip(&alone) {
        assert_eq!(&thread.join().unwrap(), alone);
    }
    assert_ne!(alone[0].samples, alone[1].samples);
    // Another range in one step leaves the draws of the others alone.
    let mut steps = everything(0.7, RATE);
    steps[3] = GainConfig { gain_db: Draw::Fixed(1.0), probability: 0.7 }.plan(RATE).unwrap();
    for (seed, before) in (0..8).zip(&alone) {
        let after = Chain::new(steps.clone()).process(&clip, seed).unwrap();
        for (place, (a, b)) in before.log.iter().zip(&after.log).enumerate() {
            assert!(place == 3 || a == b, "{a:?} {b:?}");
        }
    }
}

#[test]
fn log_of_other_ranges_still_replays() {
    let clip = tone(3000);
    let wide = low_pass(900.0, 4, RATE);
    let result = run(wide, &clip, 1);
    assert_eq!(Chain::new(vec![low_pass(4000.0, 1, RATE)]).replay(&clip, &result.log).unwrap(), result);
}

#[test]
fn bad_samples_are_refused() {
    let chain = Chain::new(everything(1.0, RATE));
    assert!(matches!(chain.process(&[], 0), Err(AugmentError::EmptySignal)));
    assert!(matches!(chain.replay(&[], &[]), Err(AugmentError::EmptySignal)));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2e30] {
        let error = chain.process(&[0.0, 0.5, bad], 0).unwrap_err();
        assert_eq!(error.to_string(), format!("sample 2 is {bad:?} in the input, allowed is -1e30 to 1e30"));
    }
    let loud = GainConfig { gain_db: Draw::Fixed(120.0), probability: 1.0 }.plan(RATE).unwrap();
    let error = Chain::new(vec![loud]).process(&[1e29], 0).unwrap_err().to_string();
    assert!(error.contains("after gain"), "{error}");
    assert_eq!(Chain::default().process(&[0.5], 0).unwrap().samples, [0.5]);
    for seed in 0..20 {
        assert_eq!(chain.process(&[0.5], seed).unwrap().samples.len(), 1);
        assert!(chain.process(&[0.0; 50], seed).unwrap().samples.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn bad_configs_are_refused() {
    let refused = |step: Result<Step, AugmentError>| step.unwrap_err().to_string();
    let text = refused(
        WhiteNoiseConfig { level: NoiseLevel::SnrDb(Draw::Fixed(200.0)), probability: 1.0 }.plan(RATE),
    );
    assert_eq!(text, "invalid snr_db 200, allowed is -120 to 120");
    let text = refused(
        WhiteNoiseConfig { level: NoiseLevel::Amplitude(Draw::Fixed(-1.0)), probability: 1.0 }.plan(RATE),
    );
    assert_eq!(text, "invalid amplitude -1, allowed is 0 to 1000");
    let text = refused(PolarityInversionConfig { probability: f64::NAN }.plan(RATE));
    assert_eq!(text, "invalid probability NaN, allowed is 0 to 1");
    assert_eq!(refused(GainConfig::default().plan(7)), "invalid sample_rate 7, allowed is 100 to 1000000");
    let text = refused(GainConfig { gain_db: Draw::Fixed(121.0), probability: 1.0 }.plan(RATE));
    assert_eq!(text, "invalid gain_db 121, allowed is -120 to 120");
    assert!(refused(LowPassConfig::default().plan(8000)).contains("cutoff_hz"));
    assert!(
        refused(HighPassConfig { order: 13, ..HighPassConfig::default() }.plan(RATE)).contains("order 13")
    );
    let text = refused(FadeConfig { fade_out_s: Draw::Fixed(-0.1), ..FadeConfig::default() }.plan(RATE));
    assert_eq!(text, "invalid fade_out_s -0.1, allowed is 0 to 3600");
    for shift in [
        ShiftRange::Samples(3, 2),
        ShiftRange::Samples(0, i64::MAX),
        ShiftRange::Seconds(f64::NAN, 1.0),
        ShiftRange::Seconds(0.0, 1e9),
        ShiftRange::Fraction(-1.5, 0.0),
    ] {
        assert!(
            refused(CircularShiftConfig { shift, probability: 1.0 }.plan(RATE))
                .starts_with("invalid shift [")
        );
    }
    let mix = BackgroundMixConfig::default();
    assert!(refused(mix.plan(RATE, vec![])).contains("backgrounds none"));
    assert!(refused(mix.plan(RATE, vec![background("a", 3), background("a", 4)])).contains("a twice"));
    assert!(Background::new("e", vec![]).is_err() && Background::new("n", vec![f32::NAN]).is_err());
}

#[test]
fn bad_logs_are_refused() {
    let clip = tone(100);
    let chain = Chain::new(everything(1.0, RATE));
    let log = chain.process(&clip, 0).unwrap().log;
    let refused = |log: &[StepLog]| chain.replay(&clip, log).unwrap_err().to_string();
    assert_eq!(refused(&log[..3]), "log of step all: 3 entries for 9 steps");
    let mut swapped = log.clone();
    swapped.swap(2, 3);
    assert_eq!(refused(&swapped), "log of step gain: the chain has circular_shift here");
    let with = |place: usize, values: Values| {
        let mut log = log.clone();
        log[place].values = values;
        refused(&log)
    };
    assert_eq!(with(3, Values::new()), "log of step gain: no number gain_db");
    assert!(with(3, Values::new().with_number("gain_db", f64::NAN)).contains("gain_db is NaN"));
    assert!(with(3, Values::new().with_number("gain_db", 1e6)).contains("allowed is -120 to 120"));
    assert!(with(2, Values::new().with_number("shift", 0.5)).contains("no whole number shift"));
    let fade =
        Values::new().with_integer("fade_in", 101).with_integer("fade_out", 0).with_text("shape", "linear");
    assert!(with(5, fade).contains("fade_in is 101, allowed is 0 to 100"));
    let fade = Values::new().with_integer("fade_in", 1).with_integer("fade_out", 0).with_text("shape", "odd");
    assert!(with(5, fade).contains("shape is odd"));
    let filter = Values::new().with_number("cutoff_hz", 8000.0).with_integer("order", 2);
    assert!(with(6, filter).contains("cutoff_hz is 8000"));
    let mix = Values::new().with_text("background", "z").with_integer("offset", 0).with_number("snr_db", 0.0);
    assert!(with(8, mix).contains("background is z, which the chain does not have"));
    let mix =
        Values::new().with_text("background", "a").with_integer("offset", 800).with_number("snr_db", 0.0);
    assert!(with(8, mix).contains("offset is 800"));
}

#[test]
fn configs_are_data() {
    let toml_like = r#"{"level":{"snr_db":{"uniform":[10,30]}},"probability":0.5}"#;
    let config: WhiteNoiseConfig = serde_json::from_str(toml_like).unwrap();
    assert_eq!(config.level, NoiseLevel::SnrDb(Draw::Uniform(10.0, 30.0)));
    assert_eq!(serde_json::from_str::<GainConfig>("{}").unwrap(), GainConfig::default());
    assert!(serde_json::from_str::<GainConfig>("{\"gain\":1}").is_err());
    assert_eq!(
        serde_json::to_string(&FadeConfig::default()).unwrap(),
        r#"{"fade_in_s":{"uniform":[0.0,0.5]},"fade_out_s":{"uniform":[0.0,0.5]},"shape":"linear","probability":1.0}"#
    );
}

/// A step that halves the length: a step of one's own.
#[derive(Debug)]
struct Halve;

impl Augmentation for Halve {
    fn name(&self) -> &'static str {
        "halve"
    }

    fn draw(&self, samples: usize, _random: &mut Random) -> Values {
        Values::new().with_integer("kept", samples as i64 / 2)
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        samples.truncate(values.integer("halve", "kept", 0, samples.len() as i64)? as usize);
        Ok(Outcome::Applied)
    }
}

#[test]
fn steps_of_ones_own_join_in() {
    let mut steps = everything(1.0, RATE);
    steps.insert(4, Step::new(Halve, 1.0).unwrap());
    let chain = Chain::new(steps);
    let clip = tone(999);
    let result = chain.process(&clip, 1).unwrap();
    assert_eq!(result.samples.len(), 499);
    assert_eq!(chain.replay(&clip, &result.log).unwrap(), result);
    let error = chain.process(&[0.5], 1).unwrap_err().to_string();
    assert_eq!(error, "step halve left 0 samples, allowed is 1 or more");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_chain_repeats_by_seed_and_by_log(
        order in proptest::sample::subsequence((0..9usize).collect::<Vec<_>>(), 0..=9).prop_shuffle(),
        clip in proptest::collection::vec(-1.0f32..1.0, 1..600),
        seed: u64,
        probability in 0.0f64..=1.0,
    ) {
        let steps = everything(probability, RATE);
        let chain = Chain::new(order.iter().map(|&i| steps[i].clone()).collect());
        let result = chain.process(&clip, seed).unwrap();
        prop_assert_eq!(result.samples.len(), clip.len());
        prop_assert!(result.samples.iter().all(|x| x.is_finite()));
        prop_assert_eq!(&chain.process(&clip, seed).unwrap(), &result);
        // Through JSON, as a log is kept.
        let text = serde_json::to_string(&result.log).unwrap();
        let log: Vec<StepLog> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&chain.replay(&clip, &log).unwrap(), &result);
    }

    #[test]
    fn shift_is_a_permutation_that_shifts_back(
        clip in proptest::collection::vec(-1.0f32..1.0, 1..300),
        shift in -1000i64..1000,
    ) {
        let by = |shift| {
            let config = CircularShiftConfig { shift: ShiftRange::Samples(shift, shift), probability: 1.0 };
            config.plan(RATE).unwrap()
        };
        let there = run(by(shift), &clip, 0).samples;
        let (mut a, mut b) = (clip.clone(), there.clone());
        a.sort_by(f32::total_cmp);
        b.sort_by(f32::total_cmp);
        prop_assert_eq!(a, b);
        prop_assert_eq!(run(by(-shift), &there, 0).samples, clip);
    }
}
