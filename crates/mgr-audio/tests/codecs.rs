//! Every file of the codec collection has a known outcome.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;

use mgr_audio::{AudioError, Clip, LoadConfig, Strictness};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// Rate, channels, frames, codec; undamaged.
    Sound(u32, u32, u64, &'static str),
    /// Rate, fewest and most frames: decoded with damage that the report names.
    Damaged(u32, u64, u64),
    /// The name of the error.
    Refused(&'static str),
}
use Outcome::{Damaged, Refused, Sound};

/// The matrix is one clip of 6 s. AAC in ADTS keeps the encoder's 1,024 frames of priming and its padding, 260 frames of 1,024,
/// since the format cannot tell; the edit list of the MP4 file does. ADPCM is whole blocks, and its fact chunk says so.
const TABLE: &[(&str, Outcome)] = &[
    ("matrix/aac_lc.m4a", Sound(44_100, 2, 264_600, "aac")),
    ("matrix/aac_lc_adts.aac", Sound(44_100, 2, 266_240, "aac")),
    ("matrix/adpcm_ima_22k.wav", Sound(22_050, 1, 132_665, "adpcm_ima_wav")),
    ("matrix/adpcm_ms_22k.wav", Sound(22_050, 1, 132_340, "adpcm_ms")),
    ("matrix/aifc_f32_22k.aif", Sound(22_050, 1, 132_300, "pcm_f32be")),
    ("matrix/aiff_s16.aiff", Sound(44_100, 2, 264_600, "pcm_s16be")),
    ("matrix/aiff_s24.aiff", Sound(44_100, 2, 264_600, "pcm_s24be")),
    ("matrix/alac.m4a", Sound(44_100, 2, 264_600, "alac")),
    ("matrix/alaw_8k.wav", Sound(8_000, 1, 48_000, "pcm_alaw")),
    ("matrix/au_mulaw_8k.au", Sound(8_000, 1, 48_000, "pcm_mulaw")),
    ("matrix/au_s16be_22k_mono.au", Sound(22_050, 1, 132_300, "pcm_s16be")),
    ("matrix/caf_s16.caf", Sound(44_100, 2, 264_600, "pcm_s16be")),
    ("matrix/f32_22k_mono.wav", Sound(22_050, 1, 132_300, "pcm_f32le")),
    ("matrix/f64_22k_mono.wav", Sound(22_050, 1, 132_300, "pcm_f64le")),
    ("matrix/flac16_22k_mono.flac", Sound(22_050, 1, 132_300, "flac")),
    ("matrix/flac16_44k.flac", Sound(44_100, 2, 264_600, "flac")),
    ("matrix/flac24_96k.flac", Sound(96_000, 2, 576_000, "flac")),
    ("matrix/flac_in_ogg.oga", Sound(44_100, 2, 264_600, "flac")),
    ("matrix/mp3_cbr128.mp3", Sound(44_100, 2, 264_600, "mp3")),
    ("matrix/mp3_mpeg25_8k.mp3", Sound(8_000, 1, 48_000, "mp3")),
    ("matrix/mp3_mpeg2_22k_mono32.mp3", Sound(22_050, 1, 132_300, "mp3")),
    ("matrix/mp3_vbr.mp3", Sound(44_100, 2, 264_600, "mp3")),
    ("matrix/mulaw_8k.wav", Sound(8_000, 1, 48_000, "pcm_mulaw")),
    #[cfg(feature = "opus")]
    ("matrix/opus_48k.opus", Sound(48_000, 2, 288_000, "opus")),
    #[cfg(not(feature = "opus"))]
    ("matrix/opus_48k.opus", Refused("UnsupportedCodec")),
    ("matrix/rf64_22k.wav", Sound(22_050, 1, 132_300, "pcm_s16le")),
    ("matrix/s16.w64", Sound(44_100, 2, 264_600, "pcm_s16le")),
    ("matrix/s16_22k_5.1ch_extensible.wav", Sound(22_050, 6, 132_300, "pcm_s16le")),
    ("matrix/s16_44k_stereo.wav", Sound(44_100, 2, 264_600, "pcm_s16le")),
    ("matrix/s24_48k.wav", Sound(48_000, 2, 288_000, "pcm_s24le")),
    ("matrix/s32_22k_mono.wav", Sound(22_050, 1, 132_300, "pcm_s32le")),
    ("matrix/u8_22k_mono.wav", Sound(22_050, 1, 132_300, "pcm_u8")),
    ("matrix/vorbis_22k_mono.ogg", Sound(22_050, 1, 132_300, "vorbis")),
    ("matrix/vorbis_44k.ogg", Sound(44_100, 2, 264_600, "vorbis")),
    ("matrix/wavpack_22k.wv", Refused("UnsupportedContainer")),
    ("matrix/wma2.wma", Refused("UnsupportedContainer")),
    ("broken/au_bad_offset.au", Refused("Malformed")),
    ("broken/au_unknown_len.au", Sound(22_050, 1, 29_984, "pcm_s16be")),
    ("broken/bad_crc.ogg", Damaged(22_050, 100_000, 132_300)),
    ("broken/bitflips.mp3", Damaged(44_100, 200_000, 264_600)),
    ("broken/clipped.wav", Sound(22_050, 1, 132_300, "pcm_s16le")),
    ("broken/corrupt_frame.flac", Damaged(22_050, 120_000, 132_000)),
    ("broken/data_size_ffffffff.wav", Sound(44_100, 2, 49_980, "pcm_s16le")),
    ("broken/data_size_zero_stream.wav", Sound(44_100, 2, 49_980, "pcm_s16le")),
    ("broken/empty.mp3", Refused("Empty")),
    ("broken/empty.wav", Refused("Empty")),
    ("broken/garbage_prefix.mp3", Sound(44_100, 2, 264_600, "mp3")),
    ("broken/half_header.wav", Refused("Malformed")),
    ("broken/header_only.wav", Refused("Malformed")),
    ("broken/html_error_page.mp3", Refused("NotAudio")),
    ("broken/id3_huge_size.mp3", Refused("Malformed")),
    ("broken/mp3_named.wav", Sound(44_100, 2, 264_600, "mp3")),
    ("broken/nan_inf_float.wav", Damaged(22_050, 99_971, 99_971)),
    ("broken/odd_bytes.wav", Damaged(44_100, 88_187, 88_187)),
    ("broken/random.wav", Refused("UnsupportedContainer")),
    ("broken/silence_30s.wav", Sound(22_050, 1, 661_500, "pcm_s16le")),
    ("broken/text.wav", Refused("NotAudio")),
    ("broken/truncated.au", Damaged(22_050, 66_142, 66_142)),
    ("broken/truncated.flac", Damaged(22_050, 55_000, 66_150)),
    ("broken/truncated.m4a", Refused("Malformed")),
    ("broken/truncated.mp3", Damaged(44_100, 120_000, 132_300)),
    ("broken/truncated.ogg", Damaged(22_050, 40_000, 66_150)),
    ("broken/truncated.wav", Damaged(44_100, 88_187, 88_187)),
    ("broken/unknown_fmt_tag.wav", Refused("UnsupportedCodec")),
    ("broken/very_short_10ms.wav", Sound(22_050, 1, 221, "pcm_s16le")),
    ("broken/wav_named.mp3", Damaged(44_100, 49_980, 49_980)),
    ("broken/zero_channels.wav", Refused("StreamParameter")),
    ("broken/zero_rate.wav", Refused("StreamParameter")),
];

fn name(error: &AudioError) -> String {
    format!("{error:?}").split([' ', '{', '(']).next().unwrap().to_owned()
}

fn judge(result: &Result<Clip, AudioError>, expected: Outcome) -> bool {
    match (result, expected) {
        (Ok(clip), Sound(rate, channels, frames, codec)) => {
            let report = &clip.report;
            report.damage().is_none()
                && (report.source_sample_rate, report.channels, report.frames) == (rate, channels, frames)
                && report.codec == codec
        }
        (Ok(clip), Damaged(rate, fewest, most)) => {
            let report = &clip.report;
            report.damage().is_some()
                && report.source_sample_rate == rate
                && (fewest..=most).contains(&report.frames)
        }
        (Err(error), Refused(expected)) => name(error) == expected && error.path().is_some(),
        _ => false,
    }
}

#[test]
fn every_file_has_its_documented_outcome() {
    let Some(folder) = common::shared("data/codecs") else { return };
    let manifest = std::fs::read_to_string(folder.join("manifest.csv")).unwrap();
    let expected: BTreeMap<&str, Outcome> = TABLE.iter().copied().collect();
    let listed: Vec<&str> = manifest.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(listed.len(), TABLE.len(), "the manifest and the table list the same files");
    let lenient = LoadConfig::default().plan().unwrap();
    let strict = LoadConfig { strict: Strictness::Strict, ..LoadConfig::default() }.plan().unwrap();
    let mut wrong = Vec::new();
    for file in listed {
        let path = folder.join(file);
        let result = lenient.load(&path);
        let shown = result.as_ref().map(|clip| &clip.report);
        if !judge(&result, expected[file]) {
            wrong.push(format!("{file}: expected {:?}, got {shown:?}", expected[file]));
        }
        if let Err(error) = &result {
            assert!(error.to_string().contains(file.rsplit('/').next().unwrap()), "{error} names the file");
        }
        // The same bytes from memory give the same clip; strict refuses exactly the damaged ones.
        let from_memory = lenient.load_bytes(std::fs::read(&path).unwrap(), file);
        assert_eq!(result.as_ref().ok(), from_memory.as_ref().ok(), "{file} from memory");
        match (strict.load(&path), expected[file]) {
            (Ok(clip), Sound(..)) => assert_eq!(Some(&clip), result.as_ref().ok()),
            (Err(AudioError::Damaged { .. }), Damaged(..)) | (Err(_), Refused(_)) => {}
            (other, _) => wrong.push(format!("{file}: strict gives {:?}", other.map(|clip| clip.report))),
        }
        if let Ok(clip) = &result {
            assert!(clip.samples.iter().all(|sample| sample.is_finite()), "{file}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The matrix holds one clip in many encodings: at 22,050 Hz the lossless ones agree, the others come close.
#[test]
fn encodings_of_one_clip_agree() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    let loader = LoadConfig { sample_rate: Some(22_050), ..LoadConfig::default() }.plan().unwrap();
    let load = |file: &str| loader.load(&folder.join(file)).unwrap().samples;
    // Signal to error in dB over the common length.
    let snr = |a: &[f32], b: &[f32]| {
        let power: f64 = a.iter().map(|x| f64::from(*x).powi(2)).sum();
        let error: f64 = a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum();
        10.0 * (power / error.max(1e-30)).log10()
    };
    let stereo = load("s16_44k_stereo.wav");
    for file in ["flac16_44k.flac", "aiff_s16.aiff", "caf_s16.caf", "alac.m4a", "flac_in_ogg.oga"] {
        assert_eq!(load(file), stereo, "{file} is lossless");
    }
    let mono = load("au_s16be_22k_mono.au");
    for file in ["flac16_22k_mono.flac", "rf64_22k.wav", "s32_22k_mono.wav"] {
        // The quantisation to 16 bits lies 78 dB below this clip.
        assert!(snr(&mono, &load(file)) > 75.0, "{file}: {} dB", snr(&mono, &load(file)));
    }
    // 24 bits against 16 bits: the same quantisation, on two channels.
    assert!(snr(&stereo, &load("aiff_s24.aiff")) > 70.0);
    // 8 bits and 4-bit ADPCM: their step sizes.
    for (file, floor) in [("u8_22k_mono.wav", 25.0), ("adpcm_ms_22k.wav", 15.0), ("adpcm_ima_22k.wav", 15.0)]
    {
        assert!(snr(&mono, &load(file)) > floor, "{file}: {} dB", snr(&mono, &load(file)));
    }
    // Waveform coders at their bit rates, aligned: any shift by a sample would fall below.
    for (file, floor) in [("mp3_cbr128.mp3", 5.0), ("mp3_vbr.mp3", 10.0), ("vorbis_44k.ogg", 8.0)] {
        assert!(snr(&stereo, &load(file)) > floor, "{file}: {} dB", snr(&stereo, &load(file)));
    }
}

/// A fact chunk that counts fewer frames than the blocks of an ADPCM file hold tells where the filling begins.
#[test]
fn fact_chunk_ends_an_adpcm_file() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    let mut bytes = std::fs::read(folder.join("adpcm_ima_22k.wav")).unwrap();
    let loader = LoadConfig::default().plan().unwrap();
    let whole = loader.load_bytes(bytes.clone(), "whole").unwrap();
    let at = bytes.windows(4).position(|four| four == b"fact").unwrap() + 8;
    bytes[at..at + 4].copy_from_slice(&132_300u32.to_le_bytes());
    let clip = loader.load_bytes(bytes, "shorter").unwrap();
    assert_eq!(clip.samples, whole.samples[..132_300]);
    assert_eq!(clip.report.frames, 132_300);
}
