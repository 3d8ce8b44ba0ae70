//! Opus packets (RFC 6716) with the header of Ogg (RFC 7845), as a decoder of symphonia's kind.
//!
//! The frames before the sound (pre-skip) are cut off by the reader of packets, the gain of the header is applied here.

use opus_pure::{OpusDecoder, OpusMSDecoder};
use symphonia::core::audio::layouts::CHANNEL_LAYOUT_MONO;
use symphonia::core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, Channels, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia::core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia::core::errors::{Error, Result};
use symphonia::core::packet::PacketRef;

use super::bytes::field;

/// Opus decodes at this rate whatever went in.
const RATE: i32 = 48_000;
/// Frames of the longest packet, 120 ms.
const MAX_FRAMES: usize = 5760;

enum Decoder {
    Single(Box<OpusDecoder>),
    Several(OpusMSDecoder),
}

/// Decodes the packets of one stream.
pub(crate) struct OpusPackets {
    parameters: AudioCodecParameters,
    decoder: Decoder,
    channels: usize,
    gain: f32,
    /// Interleaved.
    samples: Vec<f32>,
    block: AudioBuffer<f32>,
}

/// Order of the channels of family 1 (that of Vorbis) in the order of WAVE, by count: entry `i` is the source of channel `i`.
const VORBIS_ORDER: [&[usize]; 8] = [
    &[0],
    &[0, 1],
    &[0, 2, 1],
    &[0, 1, 2, 3],
    &[0, 2, 1, 3, 4],
    &[0, 2, 1, 5, 3, 4],
    &[0, 2, 1, 6, 5, 3, 4],
    &[0, 2, 1, 7, 5, 6, 3, 4],
];

impl OpusPackets {
    fn new(parameters: &AudioCodecParameters) -> Result<Self> {
        let head = parameters.extra_data.as_deref().unwrap_or_default();
        let declared = parameters.channels.as_ref().map_or(0, Channels::count);
        let count = if head.len() > 9 { usize::from(field::<1>(head, 9)[0]) } else { declared };
        // The header in MP4 has version 0 and big-endian fields.
        let gain: [u8; 2] = field(head, 16);
        let gain =
            if field::<1>(head, 8) == [0] { i16::from_be_bytes(gain) } else { i16::from_le_bytes(gain) };
        let [family] = field(head, 18);
        let unsupported = || Error::Unsupported("opus: channel mapping");
        let decoder = if family == 0 {
            Decoder::Single(Box::new(OpusDecoder::new(RATE, count).map_err(|_| unsupported())?))
        } else {
            let decoder = OpusMSDecoder::new(RATE, count, family).map_err(|_| unsupported())?;
            // The decoder knows each family's own mapping, which is what encoders write.
            let layout = decoder.layout();
            let [streams, coupled] = field(head, 19);
            let is_known = layout.nb_streams == usize::from(streams)
                && layout.nb_coupled_streams == usize::from(coupled)
                && head.get(21..) == Some(layout.mapping.as_slice());
            if !is_known {
                return Err(unsupported());
            }
            Decoder::Several(decoder)
        };
        let channels = match count {
            1 => CHANNEL_LAYOUT_MONO,
            count => Channels::Discrete(count as u16),
        };
        Ok(Self {
            parameters: parameters.clone(),
            decoder,
            channels: count,
            // Decibels, in steps of 1/256.
            gain: 10f32.powf(f32::from(gain) / (20.0 * 256.0)),
            samples: vec![0.0; MAX_FRAMES * count],
            block: AudioBuffer::new(AudioSpec::new(RATE as u32, channels), MAX_FRAMES),
        })
    }

    fn decode_packet(&mut self, packet: &PacketRef<'_>) -> Result<()> {
        self.block.clear();
        if packet.data.is_empty() {
            // To the decoder this would mean a packet that was lost.
            return Err(Error::DecodeError("opus: empty packet"));
        }
        let decoded = match &mut self.decoder {
            Decoder::Single(decoder) => decoder.decode(packet.data, MAX_FRAMES, &mut self.samples),
            Decoder::Several(decoder) => decoder.decode(packet.data, MAX_FRAMES, &mut self.samples),
        };
        let frames = decoded.map_err(|_| Error::DecodeError("opus: invalid packet"))?.min(MAX_FRAMES);
        self.block.resize_with_silence(frames);
        let order = VORBIS_ORDER.get(self.channels.wrapping_sub(1)).copied().unwrap_or_default();
        for channel in 0..self.channels {
            let Some(plane) = self.block.plane_mut(channel) else { continue };
            let from = order.get(channel).copied().unwrap_or(channel);
            let samples = self.samples.get(from..).unwrap_or_default().iter().step_by(self.channels);
            plane.iter_mut().zip(samples).for_each(|(to, &sample)| *to = sample * self.gain);
        }
        self.block.trim(packet.trim_start.get() as usize, packet.trim_end.get() as usize);
        Ok(())
    }
}

impl AudioDecoder for OpusPackets {
    fn reset(&mut self) {
        // It fails for no state that `new` accepted.
        let _ = match &mut self.decoder {
            Decoder::Single(decoder) => decoder.reset_state(),
            Decoder::Several(decoder) => decoder.reset_state(),
        };
    }

    fn codec_info(&self) -> &CodecInfo {
        &Self::SUPPORTED.info
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.parameters
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        match self.decode_packet(packet) {
            Ok(()) => Ok(self.block.as_generic_audio_buffer_ref()),
            Err(error) => {
                self.block.clear();
                Err(error)
            }
        }
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.block.as_generic_audio_buffer_ref()
    }
}

impl OpusPackets {
    const SUPPORTED: SupportedAudioCodec = SupportedAudioCodec {
        id: CODEC_ID_OPUS,
        info: CodecInfo { short_name: "opus", long_name: "Opus", profiles: &[] },
    };
}

impl RegisterableAudioDecoder for OpusPackets {
    fn try_registry_new(
        parameters: &AudioCodecParameters,
        _: &AudioDecoderOptions,
    ) -> Result<Box<dyn AudioDecoder>> {
        Ok(Box::new(Self::new(parameters)?))
    }

    fn supported_codecs() -> &'static [SupportedAudioCodec] {
        &[Self::SUPPORTED]
    }
}
