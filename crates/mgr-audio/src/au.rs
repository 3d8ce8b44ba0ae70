//! Sun/NeXT audio (`.au`, `.snd`), which symphonia has no reader for: the format in which GTZAN is distributed.
//!
//! The header is six or more big-endian words: magic, offset of the data, size of the data, encoding, rate, channels.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F64BE, CODEC_ID_PCM_MULAW, CODEC_ID_PCM_S8,
    CODEC_ID_PCM_S16BE, CODEC_ID_PCM_S24BE, CODEC_ID_PCM_S32BE,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use crate::AudioError;
use crate::report::{Collector, check_stream};

const HEADER_BYTES: u64 = 24;
/// Size field of a stream whose length was not known.
const UNKNOWN_SIZE: u32 = u32::MAX;
/// Frames per packet handed to the PCM decoder.
const BLOCK_FRAMES: usize = 4096;

/// Encoding number of the header -> codec, name, bytes per sample.
fn encoding(number: u32) -> Option<(AudioCodecId, &'static str, usize)> {
    Some(match number {
        1 => (CODEC_ID_PCM_MULAW, "pcm_mulaw", 1),
        2 => (CODEC_ID_PCM_S8, "pcm_s8", 1),
        3 => (CODEC_ID_PCM_S16BE, "pcm_s16be", 2),
        4 => (CODEC_ID_PCM_S24BE, "pcm_s24be", 3),
        5 => (CODEC_ID_PCM_S32BE, "pcm_s32be", 4),
        6 => (CODEC_ID_PCM_F32BE, "pcm_f32be", 4),
        7 => (CODEC_ID_PCM_F64BE, "pcm_f64be", 8),
        27 => (CODEC_ID_PCM_ALAW, "pcm_alaw", 1),
        _ => return None,
    })
}

/// Reads a whole AU file.
pub(crate) fn read<R: Read + Seek>(
    path: &Path,
    source: &mut R,
    file_len: u64,
    max_duration_s: f64,
) -> Result<Collector, AudioError> {
    let io = |error| AudioError::io(path, "read", error);
    if file_len < HEADER_BYTES {
        return Err(AudioError::malformed(
            path,
            format!("au header of {file_len} bytes, it takes {HEADER_BYTES}"),
        ));
    }
    let mut header = [0u8; HEADER_BYTES as usize];
    source.seek(SeekFrom::Start(0)).and_then(|_| source.read_exact(&mut header)).map_err(io)?;
    let word = |i: usize| {
        u32::from_be_bytes([header[4 * i], header[4 * i + 1], header[4 * i + 2], header[4 * i + 3]])
    };
    let (offset, size, number, sample_rate, channels) =
        (u64::from(word(1)), word(2), word(3), word(4), word(5));
    if !(HEADER_BYTES..file_len).contains(&offset) {
        let reason = format!("au data offset {offset}, allowed is {HEADER_BYTES} to {}", file_len - 1);
        return Err(AudioError::malformed(path, reason));
    }
    let channels = channels as usize;
    check_stream(path, sample_rate, channels)?;
    let Some((codec, name, width)) = encoding(number) else {
        return Err(AudioError::UnsupportedCodec {
            path: path.to_path_buf(),
            codec: format!("au encoding {number}"),
        });
    };
    let mut parameters = AudioCodecParameters::new();
    parameters
        .for_codec(codec)
        .with_sample_rate(sample_rate)
        .with_channels(Channels::Discrete(channels as u16));
    parameters.with_max_frames_per_packet(BLOCK_FRAMES as u64);
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| AudioError::UnsupportedCodec {
            path: path.to_path_buf(),
            codec: error.to_string(),
        })?;

    let mut collector = Collector::new(path, "au", name, sample_rate, channels, max_duration_s)?;
    let present = file_len - offset;
    let claimed = if size == UNKNOWN_SIZE || size == 0 { present } else { u64::from(size) };
    collector.report.truncated = claimed > present;
    let frame_bytes = width * channels;
    let mut frames_left = claimed.min(present) / frame_bytes as u64;
    source.seek(SeekFrom::Start(offset)).map_err(io)?;
    let mut interleaved: Vec<f32> = Vec::new();
    while frames_left > 0 && !collector.report.cut {
        let frames = frames_left.min(BLOCK_FRAMES as u64) as usize;
        let mut bytes = vec![0u8; frames * frame_bytes];
        source.read_exact(&mut bytes).map_err(io)?;
        let packet = Packet::new(0, Timestamp::new(0), Duration::from(frames as u64), bytes);
        match decoder.decode(&packet) {
            Ok(buffer) => {
                buffer.copy_to_vec_interleaved(&mut interleaved);
                collector.push(&interleaved, channels);
            }
            Err(_) => collector.report.skipped_packets += 1,
        }
        frames_left -= frames as u64;
    }
    Ok(collector)
}
