//! Everything else through symphonia: containers, codecs, corrupt packets.

use std::path::Path;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AC3, CODEC_ID_EAC3, CODEC_ID_OPUS, CODEC_ID_SPEEX,
};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions, CODEC_ID_NULL_AUDIO};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use crate::AudioError;
use crate::report::{Collector, check_stream};

/// Failures in a row after which the rest of a stream is given up: a reader that makes no progress must not hang.
const MAX_FAILURES_IN_A_ROW: u32 = 512;
/// Shortest and longest hole between two packets that counts as lost sound, in seconds.
const MIN_GAP_S: f64 = 0.005;
const MAX_GAP_S: f64 = 86_400.0;
/// Magnitude beyond which a block of any codec but PCM is taken for a corrupt one: 36 dB over full scale.
const MAX_CODED_MAGNITUDE: f32 = 64.0;

/// Decodes the first playable audio track of a source.
pub(crate) fn read(
    path: &Path,
    source: Box<dyn MediaSource + '_>,
    max_duration_s: f64,
) -> Result<Collector, AudioError> {
    let stream = MediaSourceStream::new(source, Default::default());
    // No hint: the content decides, not the extension.
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| open_error(path, error))?;
    let (mut track, mut decoder) = open_track(path, format.as_ref())?;
    let mut state =
        Stream { path, container: format.format_info().short_name, max_duration_s, collector: None };
    let mut failures = 0;
    let mut skipped = 0u64;
    let mut clock = Clock::default();
    let mut ended_early = false;
    while failures < MAX_FAILURES_IN_A_ROW {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::ResetRequired) => {
                // A chained stream starts over with new tracks.
                match open_track(path, format.as_ref()) {
                    Ok(opened) => (track, decoder) = opened,
                    // What was decoded before a part that cannot be is kept.
                    Err(_) if state.collector.is_some() => {
                        ended_early = true;
                        break;
                    }
                    Err(error) => return Err(error),
                }
                clock.restart();
                failures += 1;
                continue;
            }
            Err(Error::DecodeError(_)) => {
                skipped += 1;
                failures += 1;
                continue;
            }
            Err(_) => {
                ended_early = true;
                break;
            }
        };
        if packet.track_id != track.id {
            continue;
        }
        let codec = decoder.codec_info().short_name;
        let taken = match decoder.decode(&packet) {
            Ok(buffer) => state.take(codec, &buffer)?,
            Err(Error::ResetRequired) => {
                decoder.reset();
                false
            }
            Err(_) => false,
        };
        if taken {
            failures = 0;
            clock.advance(&packet, &track);
        } else {
            skipped += 1;
            failures += 1;
        }
        if state.collector.as_ref().is_some_and(|collector| collector.report.cut) {
            break;
        }
    }
    let Some(mut collector) = state.collector else {
        return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets: skipped });
    };
    collector.report.skipped_packets = skipped;
    collector.report.lost_frames =
        (clock.lost_s * f64::from(collector.report.source_sample_rate)).round() as u64;
    if !collector.report.cut {
        let accounted = (collector.mono.len() as u64).saturating_add(collector.report.lost_frames);
        collector.report.truncated |= ended_early
            || failures >= MAX_FAILURES_IN_A_ROW
            || falls_short(&track, decoder.as_ref(), accounted);
    }
    Ok(collector)
}

/// Finds what is missing between packets by their time stamps: containers drop damaged pages and frames silently.
#[derive(Default)]
struct Clock {
    /// End of the last packet taken, in ticks of its track.
    end: Option<i64>,
    lost_s: f64,
}

impl Clock {
    /// Takes note of a packet that was decoded.
    fn advance(&mut self, packet: &Packet, track: &Track) {
        let Some(base) = track.time_base else { return };
        let start = packet.pts.get();
        let tick_s = f64::from(base.numer.get()) / f64::from(base.denom.get());
        let gap_s = self.end.map_or(0.0, |end| start.saturating_sub(end) as f64 * tick_s);
        // Coarse time stamps (Matroska's are milliseconds) jitter by a tick; a day is no gap but a broken stamp.
        if gap_s > MIN_GAP_S && gap_s < MAX_GAP_S {
            self.lost_s += gap_s;
        }
        let length = i64::try_from(packet.block_dur().get()).unwrap_or(i64::MAX);
        self.end = Some(start.saturating_add(length));
    }

    /// A new stream begins, with time stamps of its own.
    fn restart(&mut self) {
        self.end = None;
    }
}

/// The samples of one stream, once its first packet has told its rate.
struct Stream<'a> {
    path: &'a Path,
    container: &'static str,
    max_duration_s: f64,
    collector: Option<Collector>,
}

impl Stream<'_> {
    /// Takes a decoded block; `false` for a corrupt one: a rate that is not the stream's, or noise far over full scale.
    fn take(
        &mut self,
        codec: &str,
        buffer: &symphonia::core::audio::GenericAudioBufferRef<'_>,
    ) -> Result<bool, AudioError> {
        if buffer.frames() == 0 {
            // A codec's priming packet decodes to nothing, and that is right.
            return Ok(true);
        }
        let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
        let collector = match &mut self.collector {
            Some(collector) => collector,
            none => none.insert(Collector::new(
                self.path,
                self.container,
                codec,
                rate,
                channels,
                self.max_duration_s,
            )?),
        };
        if rate != collector.report.source_sample_rate || check_stream(self.path, rate, channels).is_err() {
            return Ok(false);
        }
        let mut interleaved: Vec<f32> = Vec::new();
        buffer.copy_to_vec_interleaved(&mut interleaved);
        let coded = !codec.starts_with("pcm_");
        if coded && interleaved.iter().any(|sample| sample.abs() > MAX_CODED_MAGNITUDE) {
            return Ok(false);
        }
        collector.push(&interleaved, channels);
        Ok(true)
    }
}

/// Whether a stream ended more than a packet before the header's count of frames.
fn falls_short(track: &Track, decoder: &dyn AudioDecoder, frames: u64) -> bool {
    // Counts derived from a bit rate are estimates; a hundredth is beyond their error and short of any cut that matters.
    let slack = decoder.codec_params().max_frames_per_packet.unwrap_or(8192).max(1152);
    track.num_frames.is_some_and(|expected| frames.saturating_add(slack + expected / 100) < expected)
}

/// The first audio track that has a decoder, and the decoder.
fn open_track(path: &Path, format: &dyn FormatReader) -> Result<(Track, Box<dyn AudioDecoder>), AudioError> {
    let mut refused = AudioError::NoAudioTrack { path: path.to_path_buf() };
    for track in format.tracks() {
        if track.track_type() != Some(TrackType::Audio) {
            continue;
        }
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { continue };
        if let Some(rate) = parameters.sample_rate {
            let channels = parameters.channels.as_ref().map_or(1, |channels| channels.count());
            check_stream(path, rate, channels)?;
        }
        match symphonia::default::get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default())
        {
            Ok(decoder) => return Ok((track.clone(), decoder)),
            Err(error) => {
                let codec = match parameters.codec {
                    CODEC_ID_NULL_AUDIO => "unknown".to_owned(),
                    CODEC_ID_OPUS => "opus".to_owned(),
                    CODEC_ID_SPEEX => "speex".to_owned(),
                    CODEC_ID_AC3 => "ac-3".to_owned(),
                    CODEC_ID_EAC3 => "e-ac-3".to_owned(),
                    other => format!("{other} ({error})"),
                };
                refused = AudioError::UnsupportedCodec { path: path.to_path_buf(), codec };
            }
        }
    }
    Err(refused)
}

/// A container that could not be opened: unknown, malformed or cut off in its header.
fn open_error(path: &Path, error: Error) -> AudioError {
    match error {
        // A part that should be there and is not: the container is known.
        Error::Unsupported(reason) if reason.contains("missing") => AudioError::malformed(path, reason),
        Error::Unsupported(reason) => {
            AudioError::UnsupportedContainer { path: path.to_path_buf(), container: reason.to_owned() }
        }
        Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            AudioError::io(path, "read", error)
        }
        Error::IoError(_) => AudioError::malformed(path, "file ends inside its header"),
        other => AudioError::malformed(path, other.to_string()),
    }
}
