//! The segmentation rule, case by case and against a naive twin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::borrow::Cow;

use mgr_audio::{AudioError, SegmentChoice, SegmentConfig, SegmentPreset, ShortClip, Tail};
use proptest::prelude::*;

/// The rule as it is written in the paper's code: build the long clip, cut all blocks, keep the middle ones.
fn naive(samples: &[f32], config: SegmentConfig) -> Vec<Vec<f32>> {
    let goal = match config.short_clip {
        ShortClip::Repeat => config.clip_length,
        ShortClip::Own if samples.len() < config.segment_length => config.segment_length,
        _ => 0,
    };
    let mut clip = samples.to_vec();
    if clip.len() < goal {
        if config.short_clip == ShortClip::Repeat && clip.len() > goal / 2 {
            clip.extend_from_slice(&samples[samples.len() - (goal - samples.len())..]);
        } else {
            while clip.len() < goal {
                clip.extend_from_slice(samples);
            }
            clip.truncate(goal);
        }
    }
    let blocks: Vec<Vec<f32>> = clip.chunks_exact(config.segment_length).map(<[f32]>::to_vec).collect();
    let count = blocks.len().min(config.segments);
    let first = blocks.len() / 2 - count / 2;
    blocks[first..first + count].to_vec()
}

fn ramp(len: usize) -> Vec<f32> {
    (0..len).map(|n| n as f32).collect()
}

#[test]
fn the_published_rule_at_its_own_lengths() {
    let config = SegmentConfig::default();
    assert_eq!((config.clip_length, config.segment_length, config.segments), (661_795, 220_500, 3));
    let segmenter = config.plan().unwrap();
    // One sample short: the last sample is doubled, beyond the third block.
    let one_short = ramp(661_794);
    let segments = segmenter.process(&one_short).unwrap();
    assert_eq!(segments.concat(), one_short[..661_500]);
    // Just over half: x, then its own last 330,897 samples.
    let over_half = ramp(330_898);
    let segments = segmenter.process(&over_half).unwrap().concat();
    assert_eq!(segments[330_897], 330_897.0);
    assert_eq!(segments[330_898], 1.0);
    // Exactly half by integer division: repeated from the start.
    let half = ramp(330_897);
    let segments = segmenter.process(&half).unwrap().concat();
    assert_eq!((segments[330_896], segments[330_897], segments[661_499]), (330_896.0, 0.0, 330_602.0));
    // A song of 20 blocks: 9, 10 and 11.
    let song = ramp(20 * 220_500 + 77);
    let starts: Vec<f32> = segmenter.process(&song).unwrap().iter().map(|segment| segment[0]).collect();
    assert_eq!(starts, [9.0 * 220_500.0, 10.0 * 220_500.0, 11.0 * 220_500.0]);
    for len in [1, 2, 100_000, 220_500, 330_896, 441_000, 661_795, 882_000, 882_001, 1_102_500] {
        let samples = ramp(len);
        assert_eq!(segmenter.process(&samples).unwrap(), naive(&samples, config), "{len} samples");
    }
}

#[test]
fn own_length_gives_a_short_clip_one_segment() {
    let config = SegmentConfig { short_clip: ShortClip::Own, ..SegmentConfig::default() };
    let segmenter = config.plan().unwrap();
    // 2.5 s at 22,050 Hz.
    let segments = segmenter.process(&ramp(55_125)).unwrap();
    assert_eq!((segments.len(), segments[0].len()), (1, 220_500));
    assert_eq!(&segments[0][55_124..55_127], &[55_124.0, 0.0, 1.0]);
    for (len, count) in
        [(1, 1), (220_499, 1), (220_500, 1), (440_999, 1), (441_000, 2), (661_500, 3), (9_000_000, 3)]
    {
        assert_eq!(segmenter.segment_count(len), count, "{len} samples");
        assert_eq!(segmenter.process(&ramp(len)).unwrap().len(), count);
    }
}

#[test]
fn views_borrow_what_needs_no_repeating() {
    let segmenter = SegmentConfig::default().plan().unwrap();
    let long = ramp(700_000);
    assert!(segmenter.views(&long).unwrap().iter().all(|view| matches!(view, Cow::Borrowed(_))));
    let short = ramp(400_000);
    let owned: Vec<bool> =
        segmenter.views(&short).unwrap().iter().map(|v| matches!(v, Cow::Owned(_))).collect();
    assert_eq!(owned, [false, true, true]);
}

#[test]
fn bad_input_is_an_error() {
    let segmenter = SegmentConfig::default().plan().unwrap();
    assert!(matches!(segmenter.process(&[]), Err(AudioError::EmptySignal)));
    assert!(matches!(segmenter.views(&[]), Err(AudioError::EmptySignal)));
    assert_eq!(segmenter.segment_count(0), 0);
    assert!(matches!(
        segmenter.process_into(&[1.0], &mut [0.0; 7]),
        Err(AudioError::BufferLength { expected: 661_500, got: 7 })
    ));
    for config in [
        SegmentConfig { segments: 0, ..SegmentConfig::default() },
        SegmentConfig { segment_length: 0, ..SegmentConfig::default() },
        SegmentConfig { clip_length: 661_499, ..SegmentConfig::default() },
        SegmentConfig { segments: usize::MAX, segment_length: 2, ..SegmentConfig::default() },
        SegmentConfig { hop_length: Some(0), ..SegmentConfig::default() },
        SegmentConfig { hop_length: Some(usize::MAX), ..SegmentConfig::default() },
        SegmentConfig { hop_length: Some(220_648), ..SegmentConfig::default() },
    ] {
        assert!(matches!(config.plan(), Err(AudioError::Config { .. })), "{config:?}");
    }
    assert!(serde_json::from_str::<SegmentConfig>(r#"{"segment_count": 3}"#).is_err());
    let config: SegmentConfig = serde_json::from_str(r#"{"short_clip": "own"}"#).unwrap();
    assert_eq!(config, SegmentConfig { short_clip: ShortClip::Own, ..SegmentConfig::default() });
}

/// The general rule, sample by sample: the lengthened clip, then the start of every segment.
fn naive_general(samples: &[f32], config: SegmentConfig) -> Vec<(usize, Vec<f32>)> {
    let (len, length) = (samples.len(), config.segment_length);
    let goal = match config.short_clip {
        _ if len >= config.clip_length => len,
        ShortClip::Reject => return Vec::new(),
        ShortClip::Own => len.max(length),
        _ => config.clip_length,
    };
    let clip: Vec<f32> = (0..goal)
        .map(|i| match config.short_clip {
            _ if i < len => samples[i],
            ShortClip::Repeat if len > config.clip_length / 2 => samples[i - (config.clip_length - len)],
            ShortClip::Pad => 0.0,
            ShortClip::Mirror if (i / len) % 2 == 1 => samples[len - 1 - i % len],
            _ => samples[i % len],
        })
        .collect();
    let hop = config.hop_length.unwrap_or(length);
    let mut starts: Vec<usize> = (0..goal).step_by(hop).filter(|start| start + length <= goal).collect();
    let uncovered = starts.last().unwrap() + length < goal;
    match config.tail {
        Tail::Pad if uncovered && starts.len() * hop < goal => starts.push(starts.len() * hop),
        Tail::Back if uncovered => starts.push(goal - length),
        _ => {}
    }
    let count =
        if config.choice == SegmentChoice::All { starts.len() } else { config.segments.min(starts.len()) };
    let first = if config.choice == SegmentChoice::Middle { starts.len() / 2 - count / 2 } else { 0 };
    let segment =
        |start: usize| (start..start + length).map(|i| clip.get(i).copied().unwrap_or(0.0)).collect();
    starts[first..first + count].iter().map(|&start| (start, segment(start))).collect()
}

#[test]
fn the_default_is_written_as_ever() {
    assert_eq!(
        serde_json::to_string(&SegmentConfig::default()).unwrap(),
        r#"{"clip_length":661795,"segment_length":220500,"segments":3,"short_clip":"repeat"}"#
    );
    for preset in SegmentPreset::ALL {
        let config = preset.config();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<SegmentConfig>(&text).unwrap(), config);
        assert_eq!(preset.name().parse::<SegmentPreset>().unwrap(), preset);
        assert_eq!(serde_json::to_string(&preset).unwrap(), format!("{:?}", preset.name()));
    }
    let error = "gtzan9".parse::<SegmentPreset>().unwrap_err().to_string();
    assert!(error.contains("gtzan9") && error.contains("musicnn"), "{error}");
}

#[test]
fn presets_cut_what_their_papers_cut() {
    let plan = |preset: SegmentPreset| preset.config().plan().unwrap();
    // As many blocks of frames as the studies cut from the spectrogram of the clip, which has 1 + floor(n / hop) frames.
    for (preset, frames, hop) in [(SegmentPreset::Gtzan8, 125, 512), (SegmentPreset::Musicnn, 187, 256)] {
        let segmenter = plan(preset);
        for len in (1..=500_000).step_by(127).chain([30 * 16_000, 124 * 512, 124 * 512 - 1, 186 * 256]) {
            let spans: Vec<_> = segmenter.spans(len).collect();
            assert_eq!(spans.len(), (1 + len / hop) / frames, "{preset:?}, {len} samples");
            assert!(spans.iter().enumerate().all(|(k, span)| span.start == k * frames * hop));
            assert!(spans.iter().all(|span| span.own == (frames - 1) * hop));
        }
        assert!(matches!(
            segmenter.process(&ramp((frames - 1) * hop - 1)),
            Err(AudioError::ClipTooShort { needed, .. }) if needed == (frames - 1) * hop
        ));
    }
    assert_eq!(plan(SegmentPreset::Gtzan8).segment_count(30 * 16_000), 7);
    assert_eq!(plan(SegmentPreset::Musicnn).segment_count(30 * 16_000), 10);
    let choi = plan(SegmentPreset::Choi);
    let (short, long) = (choi.process(&ramp(1000)).unwrap(), choi.process(&ramp(360_000)).unwrap());
    assert_eq!((short.len(), short[0].len(), long.len()), (1, 29 * 12_000, 1));
    assert!(short[0][..1000] == ramp(1000) && short[0][1000..].iter().all(|x| *x == 0.0));
    assert_eq!(long[0], ramp(348_000));
    assert_eq!(SegmentPreset::Mlfcf.config(), SegmentConfig::default());
}

#[test]
fn cutting_into_a_buffer_allocates_nothing() {
    for preset in SegmentPreset::ALL {
        let (segmenter, samples) = (preset.config().plan().unwrap(), ramp(300_000));
        let mut out = vec![0.0; segmenter.segment_count(300_000) * preset.config().segment_length];
        let info = allocation_counter::measure(|| {
            segmenter.process_into(&samples, &mut out).unwrap();
            assert!(segmenter.spans(300_000).all(|span| span.start < 700_000));
        });
        assert_eq!(info.count_total, 0, "{preset:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn equals_the_naive_twin(
        len in 1usize..200, segment_length in 1usize..30, segments in 1usize..7, extra in 0usize..60, own: bool,
    ) {
        let short_clip = if own { ShortClip::Own } else { ShortClip::Repeat };
        let clip_length = segments * segment_length + extra;
        let config =
            SegmentConfig { clip_length, segment_length, segments, short_clip, ..SegmentConfig::default() };
        let segmenter = config.plan().unwrap();
        let samples = ramp(len);
        let expected = naive(&samples, config);
        prop_assert_eq!(segmenter.segment_count(len), expected.len());
        let mut flat = vec![0.0; expected.len() * segment_length];
        segmenter.process_into(&samples, &mut flat).unwrap();
        prop_assert_eq!(&flat, &expected.concat());
        prop_assert_eq!(segmenter.process(&samples).unwrap(), expected);
    }

    #[test]
    fn every_rule_equals_the_naive_twin(
        len in 1usize..200, segment_length in 1usize..30, segments in 1usize..7, extra in 0usize..60,
        hop_length in prop::option::of(1usize..50), short in 0..6usize, choice in 0..3usize, tail in 0..3usize,
    ) {
        let short_clip = [ShortClip::Repeat, ShortClip::Own, ShortClip::Pad, ShortClip::Tile, ShortClip::Mirror, ShortClip::Reject][short];
        let choice = [SegmentChoice::Middle, SegmentChoice::First, SegmentChoice::All][choice];
        let tail = [Tail::Drop, Tail::Pad, Tail::Back][tail];
        let clip_length = (segments - 1) * hop_length.unwrap_or(segment_length) + segment_length + extra;
        let config = SegmentConfig { clip_length, segment_length, segments, short_clip, hop_length, choice, tail };
        let segmenter = config.plan().unwrap();
        let samples: Vec<f32> = ramp(len + 1)[1..].to_vec();
        let expected = naive_general(&samples, config);
        prop_assert_eq!(segmenter.segment_count(len), expected.len());
        let spans: Vec<_> = segmenter.spans(len).collect();
        prop_assert_eq!(spans.len(), expected.len());
        for (span, (start, segment)) in spans.iter().zip(&expected) {
            prop_assert_eq!(span.start, *start);
            // What is the clip's own stands where the span says.
            prop_assert_eq!(span.own, len.saturating_sub(*start).min(segment_length));
            prop_assert_eq!(&segment[..span.own], &samples[(*start).min(len)..(*start).min(len) + span.own]);
        }
        let segments: Vec<Vec<f32>> = expected.into_iter().map(|(_, segment)| segment).collect();
        if short_clip == ShortClip::Reject && len < clip_length {
            prop_assert!(matches!(segmenter.process(&samples), Err(AudioError::ClipTooShort { .. })), "refused");
        } else {
            let mut flat = vec![f32::NAN; segments.len() * segment_length];
            segmenter.process_into(&samples, &mut flat).unwrap();
            prop_assert_eq!(&flat, &segments.concat());
            prop_assert_eq!(segmenter.process(&samples).unwrap(), segments.clone());
            let views: Vec<Vec<f32>> = segmenter.views(&samples).unwrap().into_iter().map(Cow::into_owned).collect();
            prop_assert_eq!(views, segments);
        }
    }

    #[test]
    fn side_by_side_no_sample_is_lost_or_doubled(len in 1usize..300, segment_length in 1usize..40) {
        let config = SegmentConfig {
            clip_length: segment_length,
            segment_length,
            choice: SegmentChoice::All,
            tail: Tail::Pad,
            short_clip: ShortClip::Pad,
            ..SegmentConfig::default()
        };
        let samples = ramp(len);
        let joined = config.plan().unwrap().process(&samples).unwrap().concat();
        prop_assert_eq!(&joined[..len], &samples[..]);
        prop_assert!(joined.len() < len + segment_length && joined[len..].iter().all(|x| *x == 0.0));
        // With the last one moved back, the new samples of all segments are the clip.
        let segmenter = SegmentConfig { tail: Tail::Back, ..config }.plan().unwrap();
        let mut joined = Vec::new();
        for (span, segment) in segmenter.spans(len).zip(segmenter.process(&samples).unwrap()) {
            joined.extend_from_slice(&segment[joined.len() - span.start..span.own]);
        }
        prop_assert_eq!(joined, samples);
    }
}
