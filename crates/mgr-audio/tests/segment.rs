//! The segmentation rule, case by case and against a naive twin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::borrow::Cow;

use mgr_audio::{AudioError, SegmentConfig, ShortClip};
use proptest::prelude::*;

/// The rule as it is written in the paper's code: build the long clip, cut all blocks, keep the middle ones.
fn naive(samples: &[f32], config: SegmentConfig) -> Vec<Vec<f32>> {
    let goal = match config.short_clip {
        ShortClip::Repeat => config.clip_length,
        ShortClip::Own if samples.len() < config.segment_length => config.segment_length,
        ShortClip::Own => 0,
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
    ] {
        assert!(matches!(config.plan(), Err(AudioError::Config { .. })), "{config:?}");
    }
    assert!(serde_json::from_str::<SegmentConfig>(r#"{"segment_count": 3}"#).is_err());
    let config: SegmentConfig = serde_json::from_str(r#"{"short_clip": "own"}"#).unwrap();
    assert_eq!(config, SegmentConfig { short_clip: ShortClip::Own, ..SegmentConfig::default() });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn equals_the_naive_twin(
        len in 1usize..200, segment_length in 1usize..30, segments in 1usize..7, extra in 0usize..60, own: bool,
    ) {
        let short_clip = if own { ShortClip::Own } else { ShortClip::Repeat };
        let config =
            SegmentConfig { clip_length: segments * segment_length + extra, segment_length, segments, short_clip };
        let segmenter = config.plan().unwrap();
        let samples = ramp(len);
        let expected = naive(&samples, config);
        prop_assert_eq!(segmenter.segment_count(len), expected.len());
        let mut flat = vec![0.0; expected.len() * segment_length];
        segmenter.process_into(&samples, &mut flat).unwrap();
        prop_assert_eq!(&flat, &expected.concat());
        prop_assert_eq!(segmenter.process(&samples).unwrap(), expected);
    }
}
