//! A file as a row of blocks of bounded memory.

use crate::engine::Engine;
use crate::rate::RateStream;
use crate::{AudioError, AudioInfo, DecodeReport, LoadConfig};

/// Reads a file block by block, in memory that does not grow with the file's length; from [`Loader::open`](crate::Loader::open).
///
/// The blocks put one after the other are what [`Loader::load`](crate::Loader::load) gives, bit for bit, and so is the report
/// after the last one. `max_memory_bytes` does not apply, `max_duration_s` does. In strict mode damage is found when it is met:
/// the last call fails, blocks before it have been given.
///
/// ```
/// use mgr_audio::{LoadConfig, WavFormat, write_wav};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tone.wav");
/// let tone: Vec<f32> = (0..100_000).map(|n| (n as f32 * 0.05).sin() * 0.5).collect();
/// write_wav(&path, &tone, 44_100, WavFormat::Float32)?;
///
/// let loader = LoadConfig { block_length: 30_000, ..LoadConfig::default() }.plan()?;
/// let mut reader = loader.open(&path)?;
/// let (mut loudest, mut lengths) = (0.0f32, Vec::new());
/// while let Some(block) = reader.next_block()? {
///     loudest = block.samples().iter().fold(loudest, |peak, x| peak.max(x.abs()));
///     lengths.push(block.len());
/// }
/// assert_eq!(lengths, [30_000, 30_000, 30_000, 10_000]);
/// assert_eq!(reader.report().frames, 100_000);
/// # assert!(loudest > 0.49);
/// # Ok(())
/// # }
/// ```
pub struct BlockReader {
    config: LoadConfig,
    engine: Engine,
    sample_rate: u32,
    /// One for each plane, where the rate is changed.
    streams: Vec<RateStream>,
    /// Samples that are ready, by plane, and how many of them have been given.
    ready: Vec<Vec<f32>>,
    given: usize,
    /// Samples still to be given, of a range.
    left: u64,
    has_ended: bool,
    /// Nothing has been given.
    is_first: bool,
}

impl std::fmt::Debug for BlockReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config, engine, sample_rate, .. } = self;
        f.debug_struct("BlockReader")
            .field("path", &engine.path)
            .field("config", config)
            .field("sample_rate", sample_rate)
            .finish_non_exhaustive()
    }
}

/// Consecutive samples of each channel, of [`LoadConfig::block_length`](crate::LoadConfig::block_length); the last block of a
/// file may be shorter, none is empty.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    planes: &'a [Vec<f32>],
    start: usize,
    end: usize,
}

impl<'a> Block<'a> {
    /// The samples: of the mix, or of the first channel with [`ChannelMix::All`](crate::ChannelMix::All).
    #[must_use]
    pub fn samples(&self) -> &'a [f32] {
        self.channels().next().unwrap_or_default()
    }

    /// The samples of each channel: one, or all of the file with [`ChannelMix::All`](crate::ChannelMix::All).
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        let (start, end) = (self.start, self.end);
        self.planes.iter().map(move |plane| plane.get(start..end).unwrap_or_default())
    }

    /// Samples of a channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Never true: there is no empty block.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl BlockReader {
    pub(crate) fn new(
        config: LoadConfig,
        engine: Engine,
        sample_rate: u32,
        streams: Vec<RateStream>,
        left: u64,
    ) -> Self {
        let ready = vec![Vec::new(); engine.sink.planes.len()];
        Self { config, engine, sample_rate, streams, ready, given: 0, left, has_ended: false, is_first: true }
    }

    /// What the file's header says.
    #[must_use]
    pub fn info(&self) -> &AudioInfo {
        self.engine.info()
    }

    /// Rate of the blocks in Hz.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Channels of the blocks.
    #[must_use]
    pub fn channel_count(&self) -> usize {
        self.ready.len()
    }

    /// What was found so far; complete when [`next_block`](Self::next_block) has given `None`.
    #[must_use]
    pub fn report(&self) -> DecodeReport {
        self.engine.report()
    }

    /// The next block, `None` after the last.
    ///
    /// # Errors
    /// Those of [`Loader::load`](crate::Loader::load) that concern the content. After an error there is nothing more.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, AudioError> {
        let length = self.config.block_length;
        for plane in &mut self.ready {
            plane.drain(..self.given.min(plane.len()));
        }
        self.given = 0;
        while !self.has_ended && self.buffered() < length {
            if let Err(error) = self.read() {
                self.has_ended = true;
                self.is_first = false;
                self.ready.iter_mut().for_each(Vec::clear);
                return Err(error);
            }
        }
        let count = self.buffered().min(length).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= count as u64;
        self.given = count;
        if count == 0 {
            return if std::mem::take(&mut self.is_first) { Err(self.engine.beyond_end()) } else { Ok(None) };
        }
        self.is_first = false;
        Ok(Some(Block { planes: &self.ready, start: 0, end: count }))
    }

    fn buffered(&self) -> usize {
        self.ready.first().map_or(0, Vec::len)
    }

    /// Decodes a block, and resamples it where that is asked for.
    fn read(&mut self) -> Result<(), AudioError> {
        let more = self.engine.pump()?;
        self.has_ended = !more;
        let decoded = &mut self.engine.sink.planes;
        if self.streams.is_empty() {
            for (plane, ready) in decoded.iter_mut().zip(&mut self.ready) {
                ready.append(plane);
            }
        } else {
            for ((plane, stream), ready) in decoded.iter_mut().zip(&mut self.streams).zip(&mut self.ready) {
                stream.push(plane, !more, ready);
                plane.clear();
            }
        }
        if !more {
            self.engine.finish(&self.config)?;
        }
        Ok(())
    }
}
