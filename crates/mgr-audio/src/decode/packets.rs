//! Everything else through symphonia: containers, codecs, corrupt packets.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use symphonia::core::audio::sample::Sample as StoredSample;
use symphonia::core::audio::{Audio, AudioBuffer, GenericAudioBufferRef};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AC3, CODEC_ID_DCA, CODEC_ID_EAC3, CODEC_ID_OPUS, CODEC_ID_SPEEX, CODEC_ID_WAVPACK, CODEC_ID_WMA,
};
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, CODEC_ID_NULL_AUDIO,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use super::bytes::field;
use super::sink::{Sample, Sink};
use super::{Damage, Source, check_stream, tags};
use crate::{AudioError, AudioInfo, Tags};

/// Failures in a row after which the rest of a stream is given up: a reader that makes no progress must not hang.
const MAX_FAILURES_IN_A_ROW: u32 = 512;
/// Shortest and longest hole between two packets that counts as lost sound, in seconds.
const MIN_GAP_S: f64 = 0.005;
const MAX_GAP_S: f64 = 86_400.0;
/// Magnitude beyond which a block of any codec but PCM is taken for a corrupt one: 36 dB over full scale.
const MAX_CODED_MAGNITUDE: f32 = 64.0;
/// Packets that can lie wholly in an encoder's padding: 4,095 frames and a decoder's delay, 576 frames a packet.
const MAX_PADDING_PACKETS: usize = 16;
/// Bytes symphonia reads ahead at most; a power of two.
const BUFFER_BYTES: usize = 1 << 18;

/// What is to be cut off a track that its container's reader leaves on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edits {
    /// The track, where there may be several.
    pub(crate) track: Option<u32>,
    /// Where the sound begins.
    pub(crate) start: u64,
    /// How long it is.
    pub(crate) frames: Option<u64>,
    /// What these count in, in Hz.
    pub(crate) rate: u32,
}

/// What is known of a source before symphonia reads it.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// Name of the container that was peeled off.
    pub(crate) container: Option<&'static str>,
    pub(crate) truncated: bool,
    pub(crate) tags: Tags,
    pub(crate) edits: Vec<Edits>,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The decoder holds a block.
    Block,
    /// Nothing came of it.
    Nothing,
    End,
}

/// What to do with the frames that a header takes for padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Undecided,
    Cut,
    Keep,
}

/// Decodes the first playable audio track of a source.
struct PacketSource {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    track: Track,
    decoder: Box<dyn AudioDecoder>,
    info: AudioInfo,
    /// Packets read ahead.
    queue: VecDeque<Packet>,
    tail: Tail,
    /// The decoder holds a block that has not been taken.
    pending: bool,
    /// Frames to be cut off at the start, and frames to be taken after that.
    start: u64,
    left: Option<u64>,
    /// Frames decoded, cut ones among them.
    decoded: u64,
    clock: Clock,
    failures: u32,
    damage: Damage,
    ended_early: bool,
    is_chained: bool,
}

/// The codecs of symphonia, and Opus where it is built in.
fn codecs() -> &'static CodecRegistry {
    static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
        let mut codecs = CodecRegistry::new();
        symphonia::default::register_enabled_codecs(&mut codecs);
        #[cfg(feature = "opus")]
        codecs.register_audio_decoder::<super::opus::OpusPackets>();
        codecs
    });
    &CODECS
}

/// Opens a source and decodes its first block.
pub(crate) fn open(
    path: &Path,
    input: Box<dyn MediaSource>,
    hints: Hints,
) -> Result<Box<dyn Source>, AudioError> {
    let stream = MediaSourceStream::new(input, MediaSourceStreamOptions { buffer_len: BUFFER_BYTES });
    // No hint: the content decides, not the extension.
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| open_error(path, error))?;
    let (track, decoder) = open_track(path, format.as_ref())?;
    let mut found = hints.tags;
    found.fill(tags_of(format.as_mut()));
    let info = AudioInfo {
        container: hints.container.unwrap_or(format.format_info().short_name).to_owned(),
        codec: decoder.codec_info().short_name.to_owned(),
        sample_rate: 0,
        channels: 0,
        bits_per_sample: None,
        frames: None,
        frames_exact: false,
        tags: found,
    };
    let mut source = PacketSource {
        path: path.to_path_buf(),
        format,
        track,
        decoder,
        info,
        queue: VecDeque::new(),
        tail: Tail::Undecided,
        pending: false,
        start: 0,
        left: None,
        decoded: 0,
        clock: Clock::default(),
        failures: 0,
        damage: Damage { truncated: hints.truncated, ..Damage::default() },
        ended_early: false,
        is_chained: false,
    };
    loop {
        match source.step()? {
            Step::Block => break,
            Step::Nothing => {}
            Step::End => {
                let skipped_packets = source.damage.skipped_packets;
                return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets });
            }
        }
    }
    source.pending = true;
    source.apply(&hints.edits);
    // Comments may follow the header.
    let later = tags_of(source.format.as_mut());
    source.info.tags.fill(later);
    Ok(Box::new(source))
}

impl PacketSource {
    /// Completes what is known, once the first block has told the rate.
    fn apply(&mut self, edits: &[Edits]) {
        let track = &self.track;
        let rate = self.info.sample_rate;
        let edits = edits.iter().find(|edits| edits.track.is_none_or(|id| id == track.id)).copied();
        let own = match self.info.container.as_str() {
            // The table of packets counts what is to be cut, and the reader leaves it on.
            "caf" if track.delay.is_some() || track.padding.is_some() => Some(Edits {
                track: None,
                start: u64::from(track.delay.unwrap_or(0)),
                frames: track.num_frames,
                rate,
            }),
            _ if self.info.codec == "opus" => {
                Some(Edits { track: None, start: opus_pre_skip(track), frames: None, rate })
            }
            _ => None,
        };
        let edits = edits.or(own);
        let scaled = |frames: u64| {
            let base = edits.map_or(rate, |edits| edits.rate).max(1);
            u64::try_from(u128::from(frames) * u128::from(rate) / u128::from(base)).unwrap_or(u64::MAX)
        };
        self.start = edits.map_or(0, |edits| scaled(edits.start));
        self.left = edits.and_then(|edits| edits.frames).map(scaled);
        let (frames, exact) = match (track.num_frames, track.duration, track.time_base) {
            (Some(frames), _, _) => (Some(frames), true),
            (None, Some(duration), Some(base)) => {
                let seconds =
                    duration.get() as f64 * f64::from(base.numer.get()) / f64::from(base.denom.get());
                (Some((seconds * f64::from(rate)).round() as u64), false)
            }
            _ => (None, false),
        };
        let exact = exact
            && match self.format.format_info().short_name {
                // Without an encoder's tag the count is an estimate by the bit rate.
                "mp1" | "mp2" | "mp3" => track.delay.is_some(),
                "adts" | "aac" => false,
                _ => true,
            };
        self.info.frames = self.left.or_else(|| frames.map(|frames| frames.saturating_sub(self.start)));
        self.info.frames_exact = exact || self.left.is_some();
        let parameters = self.decoder.codec_params();
        let stored =
            matches!(self.info.codec.as_str(), "flac" | "alac") || self.info.codec.starts_with("pcm_");
        // An ALAC track tells its bits in its decoder's configuration, after two other fields.
        let configured = parameters.extra_data.as_deref().map(|bytes| u32::from(field::<1>(bytes, 5)[0]));
        let configured = configured.filter(|bits| self.info.codec == "alac" && (1..=32).contains(bits));
        self.info.bits_per_sample = parameters.bits_per_sample.or(configured).filter(|_| stored);
    }

    /// The next packet of any track.
    fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        let packet = match self.queue.pop_front() {
            Some(packet) => packet,
            None => match self.format.next_packet()? {
                Some(packet) => packet,
                None => return Ok(None),
            },
        };
        Ok(Some(self.undo_false_padding(packet)))
    }

    /// An MP3 file's tag counts its frames, and symphonia cuts what comes after them as padding. An estimated count cuts
    /// sound, and so does that of a tag which more follows than an encoder pads (files put one after the other, tags copied
    /// from elsewhere): then all is kept.
    fn undo_false_padding(&mut self, mut packet: Packet) -> Packet {
        let is_mpeg = matches!(self.format.format_info().short_name, "mp1" | "mp2" | "mp3");
        if !is_mpeg || packet.trim_end == Duration::ZERO {
            return packet;
        }
        if self.tail == Tail::Undecided {
            while self.queue.len() < MAX_PADDING_PACKETS {
                match self.format.next_packet() {
                    Ok(Some(packet)) => self.queue.push_back(packet),
                    // An error will be met again when the queue is empty.
                    Ok(None) | Err(_) => break,
                }
            }
            let more = self.queue.len() >= MAX_PADDING_PACKETS;
            self.tail = if more || self.track.padding.is_none() { Tail::Keep } else { Tail::Cut };
        }
        if self.tail == Tail::Keep {
            packet.dur = packet.dur.saturating_add(packet.trim_end);
            packet.trim_end = Duration::ZERO;
        }
        packet
    }

    /// Reads a packet and decodes it.
    fn step(&mut self) -> Result<Step, AudioError> {
        if self.failures >= MAX_FAILURES_IN_A_ROW {
            self.ended_early = true;
            return Ok(Step::End);
        }
        let packet = match self.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(Step::End),
            Err(Error::ResetRequired) => return self.reopen(),
            Err(Error::DecodeError(_)) => {
                self.damage.skipped_packets += 1;
                self.failures += 1;
                return Ok(Step::Nothing);
            }
            Err(_) => {
                self.ended_early = true;
                return Ok(Step::End);
            }
        };
        if packet.track_id != self.track.id {
            return Ok(Step::Nothing);
        }
        self.decode(&packet)
    }

    fn decode(&mut self, packet: &Packet) -> Result<Step, AudioError> {
        let block = match self.decoder.decode(packet) {
            Ok(block) => block,
            Err(error) => {
                if matches!(error, Error::ResetRequired) {
                    self.decoder.reset();
                }
                self.damage.skipped_packets += 1;
                self.failures += 1;
                return Ok(Step::Nothing);
            }
        };
        let frames = block.frames();
        if frames == 0 {
            // A codec's priming packet decodes to nothing, and that is right.
            self.failures = 0;
            self.clock.advance(packet, &self.track);
            return Ok(Step::Nothing);
        }
        let (rate, channels) = (block.spec().rate(), block.spec().channels().count());
        if self.info.sample_rate == 0 {
            check_stream(&self.path, rate, channels)?;
            self.info.sample_rate = rate;
            self.info.channels = channels as u32;
        }
        let coded = !self.info.codec.starts_with("pcm_");
        if check_stream(&self.path, rate, channels).is_err() || coded && is_noise(&block) {
            self.damage.skipped_packets += 1;
            self.failures += 1;
            return Ok(Step::Nothing);
        }
        if rate != self.info.sample_rate || channels != self.info.channels as usize {
            self.damage.changed_packets += 1;
            if rate != self.info.sample_rate {
                return Ok(Step::Nothing);
            }
        }
        self.failures = 0;
        self.decoded += frames as u64;
        self.clock.advance(packet, &self.track);
        Ok(Step::Block)
    }

    /// A chained stream starts over with new tracks.
    fn reopen(&mut self) -> Result<Step, AudioError> {
        match open_track(&self.path, self.format.as_ref()) {
            Ok((track, decoder)) => (self.track, self.decoder) = (track, decoder),
            // What was decoded before a part that cannot be is kept.
            Err(_) if self.decoded > 0 => {
                self.ended_early = true;
                return Ok(Step::End);
            }
            Err(error) => return Err(error),
        }
        self.clock.restart();
        self.failures += 1;
        self.is_chained = true;
        if self.info.codec == "opus" {
            self.start = opus_pre_skip(&self.track);
        }
        Ok(Step::Nothing)
    }

    /// Hands the decoder's block on, without what is to be cut off.
    fn deliver(&mut self, sink: &mut Sink) {
        self.pending = false;
        let block = self.decoder.last_decoded();
        let count = block.frames() as u64;
        let start = self.start.min(count);
        self.start -= start;
        let taken = (count - start).min(self.left.unwrap_or(u64::MAX));
        self.left = self.left.map(|left| left - taken);
        let window = start as usize..(start + taken) as usize;
        match &block {
            GenericAudioBufferRef::U8(block) => push(sink, block, window),
            GenericAudioBufferRef::U16(block) => push(sink, block, window),
            GenericAudioBufferRef::U24(block) => push(sink, block, window),
            GenericAudioBufferRef::U32(block) => push(sink, block, window),
            GenericAudioBufferRef::S8(block) => push(sink, block, window),
            GenericAudioBufferRef::S16(block) => push(sink, block, window),
            GenericAudioBufferRef::S24(block) => push(sink, block, window),
            GenericAudioBufferRef::S32(block) => push(sink, block, window),
            GenericAudioBufferRef::F32(block) => push(sink, block, window),
            GenericAudioBufferRef::F64(block) => push(sink, block, window),
        }
    }

    /// At the end: whether the header counted on more.
    fn finish(&mut self) {
        let accounted = self.decoded.saturating_add(self.lost_frames());
        // Counts derived from a bit rate are estimates; a hundredth is beyond their error and short of any cut that matters.
        let slack = self.decoder.codec_params().max_frames_per_packet.unwrap_or(8192).max(1152);
        let short = |expected: u64| accounted.saturating_add(slack + expected / 100) < expected;
        self.damage.truncated |= self.ended_early || self.track.num_frames.is_some_and(short);
    }

    fn lost_frames(&self) -> u64 {
        (self.clock.lost_s * f64::from(self.info.sample_rate)).round() as u64
    }
}

impl Source for PacketSource {
    fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// FLAC in its own container and in Ogg, whose frames and pages carry checksums: a packet that is read will decode, and to
    /// as many frames as it says. Of other codecs only decoding tells.
    fn skip(&mut self, frames: u64) -> Result<u64, AudioError> {
        let countable = matches!(self.info.container.as_str(), "flac" | "ogg") && self.info.codec == "flac";
        let first = self.decoder.last_decoded().frames() as u64;
        if !countable || !self.pending || first > frames {
            return Ok(0);
        }
        self.pending = false;
        let mut passed = first;
        while self.queue.is_empty() {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Err(Error::DecodeError(_)) if self.failures < MAX_FAILURES_IN_A_ROW => {
                    self.damage.skipped_packets += 1;
                    self.failures += 1;
                    continue;
                }
                // Whatever it is, it will be met again.
                Ok(None) | Err(_) => break,
            };
            self.failures = 0;
            if packet.track_id != self.track.id {
                continue;
            }
            let length = packet.block_dur().get();
            if length == 0 || passed.saturating_add(length) > frames {
                self.queue.push_back(packet);
            } else {
                passed += length;
                self.decoded += length;
                self.clock.advance(&packet, &self.track);
            }
        }
        Ok(passed)
    }

    fn next(&mut self, sink: &mut Sink) -> Result<bool, AudioError> {
        if self.left == Some(0) {
            self.finish();
            return Ok(false);
        }
        let step = if self.pending { Step::Block } else { self.step()? };
        match step {
            Step::Block => self.deliver(sink),
            Step::Nothing => {}
            Step::End => self.finish(),
        }
        Ok(step != Step::End)
    }

    fn damage(&self) -> Damage {
        Damage { lost_frames: self.lost_frames(), ..self.damage }
    }
}

/// Hands on part of a block.
fn push<S: Sample + StoredSample>(sink: &mut Sink, block: &AudioBuffer<S>, window: std::ops::Range<usize>) {
    let planes: Vec<&[S]> =
        block.iter_planes().map(|plane| plane.get(window.clone()).unwrap_or_default()).collect();
    sink.planar(&planes);
}

/// Whether a block is far over full scale.
fn is_noise(block: &GenericAudioBufferRef<'_>) -> bool {
    let GenericAudioBufferRef::F32(block) = block else { return false };
    block.iter_planes().any(|plane| {
        // Without a way out of the loop it is vectorised.
        plane.iter().fold(false, |loud, sample| loud | (sample.abs() > MAX_CODED_MAGNITUDE))
    })
}

/// Frames before the sound, by the header that an Opus track carries.
fn opus_pre_skip(track: &Track) -> u64 {
    let parameters = track.codec_params.as_ref().and_then(CodecParameters::audio);
    let head = parameters.and_then(|parameters| parameters.extra_data.as_deref()).unwrap_or_default();
    u64::from(u16::from_le_bytes(field(head, 10)))
}

/// All tags that a container has shown so far; those of ID3v1, cut off at 30 characters, come last.
fn tags_of(format: &mut dyn FormatReader) -> Tags {
    let (mut found, mut short) = (Tags::default(), Tags::default());
    let mut metadata = format.metadata();
    loop {
        if let Some(revision) = metadata.current() {
            let is_short = revision.info.short_name == "id3v1";
            (if is_short { &mut short } else { &mut found }).fill(tags::revision(revision));
        }
        if metadata.pop().is_none() {
            break;
        }
    }
    found.fill(short);
    found
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
        match codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default()) {
            Ok(decoder) => return Ok((track.clone(), decoder)),
            Err(error) => {
                let codec = codec_name(parameters, &error);
                refused = AudioError::UnsupportedCodec { path: path.to_path_buf(), codec };
            }
        }
    }
    Err(refused)
}

/// The name of a codec that is not decoded.
fn codec_name(parameters: &AudioCodecParameters, error: &Error) -> String {
    match parameters.codec {
        CODEC_ID_NULL_AUDIO => "unknown".to_owned(),
        CODEC_ID_OPUS if cfg!(feature = "opus") => format!("opus ({error})"),
        CODEC_ID_OPUS => "opus (built without the feature `opus`)".to_owned(),
        CODEC_ID_SPEEX => "speex".to_owned(),
        CODEC_ID_AC3 => "ac-3".to_owned(),
        CODEC_ID_EAC3 => "e-ac-3".to_owned(),
        CODEC_ID_DCA => "dts".to_owned(),
        CODEC_ID_WAVPACK => "wavpack".to_owned(),
        CODEC_ID_WMA => "wma".to_owned(),
        other => format!("{other} ({error})"),
    }
}

/// A container that could not be opened: unknown, malformed or cut off in its header.
fn open_error(path: &Path, error: Error) -> AudioError {
    match error {
        // A part that should be there and is not: the container is known.
        Error::Unsupported(reason) if reason.contains("missing") => AudioError::malformed(path, reason),
        // The probe's own words, where nothing in the content is known to any reader.
        Error::Unsupported(reason) if reason.contains("no suitable format reader") => {
            AudioError::UnsupportedContainer { path: path.to_path_buf(), container: "unknown".to_owned() }
        }
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
