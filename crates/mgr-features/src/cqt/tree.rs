//! The octave recursion: kernels at the full rate for the top octave, and at half the rate for each octave below.

use std::sync::Arc;

use num_complex::Complex32;

use super::half_band::{CHUNK, Filters, Phases, Stage};
use super::kernel::{Filter, Kernel, Shape, Transforms, Way, Work};
use crate::FeatureError;
use crate::frame::{Centering, Framing, Padding, Span};
use crate::real_fft::RealFftScratch;
use crate::simd::cqt::{self as simd, GROUP};
use crate::window::Window;

/// What is known without the tuning.
pub(super) struct Design {
    pub(super) sample_rate: f64,
    pub(super) hop_length: usize,
    /// Without the tuning.
    pub(super) f_min: f64,
    pub(super) n_bins: usize,
    pub(super) bins_per_octave: usize,
    pub(super) filter_scale: f64,
    /// Added to the bandwidth in Hz.
    pub(super) gamma: f64,
    pub(super) shape: Shape,
    pub(super) scaled: bool,
    pub(super) padding: Padding,
    /// Equivalent noise bandwidth of the window in bins.
    pub(super) window_bandwidth: f64,
    pub(super) filters: Filters,
    pub(super) transforms: Transforms,
}

/// Longest kernel in samples.
pub(super) const LONGEST: f64 = (1 << 22) as f64;

impl Design {
    /// Half the bandwidth over the frequency: `(2^(2/b) - 1) / (2^(2/b) + 1)`.
    pub(super) fn alpha(&self) -> f64 {
        let ratio = (2.0 / self.bins_per_octave as f64).exp2();
        (ratio - 1.0) / (ratio + 1.0)
    }

    /// Frequency of a bin.
    pub(super) fn hz(&self, bin: usize, tuning: f64) -> f64 {
        let bins = self.bins_per_octave as f64;
        self.f_min * (tuning / bins).exp2() * (bin as f64 / bins).exp2()
    }

    /// Length in samples of the wavelet of a frequency.
    pub(super) fn length(&self, hz: f64, rate: f64) -> f64 {
        let alpha = self.alpha();
        self.filter_scale / alpha * rate / (hz + self.gamma / alpha)
    }

    /// Where the highest filter ends.
    pub(super) fn cutoff(&self, tuning: f64) -> f64 {
        let q = self.filter_scale / self.alpha();
        self.hz(self.n_bins - 1, tuning) * (1.0 + 0.5 * self.window_bandwidth / q) + 0.5 * self.gamma
    }

    /// Whether the kernels see next to nothing of far frequencies: no step in the window, little pruned away.
    fn blind(&self) -> bool {
        self.shape.sparsity <= 0.01
            && matches!(self.shape.window, Window::Hann | Window::Blackman | Window::BlackmanHarris)
    }

    /// Octaves, the lowest perhaps not whole.
    fn octaves(&self) -> usize {
        self.n_bins.div_ceil(self.bins_per_octave)
    }

    /// Halvings before the top octave: as many as leave it under half the Nyquist frequency and the hop even enough.
    fn early(&self, tuning: f64) -> usize {
        let spare = (self.sample_rate / 2.0 / self.cutoff(tuning)).log2().ceil() as isize - 2;
        let halvings = self.hop_length.trailing_zeros() as isize - self.octaves() as isize + 1;
        spare.min(halvings).max(0) as usize
    }
}

/// One octave.
#[derive(Debug, Clone, Copy)]
struct Level {
    /// Index of its rate.
    rate: usize,
    framing: Framing,
    kernel: usize,
    /// Factor of what the kernel gives.
    gain: f32,
    first_row: usize,
}

/// The tables of one tuning.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    /// The halvings; rate `i + 1` comes from rate `i` through stage `i`.
    stages: Vec<Stage>,
    /// How many of them come before the top octave.
    early: usize,
    /// From the top.
    levels: Vec<Level>,
    kernels: Vec<Kernel>,
    filters: Vec<Filter>,
    /// The sampling rate of the top octave.
    pub(super) rate: f64,
}

impl Tables {
    pub(super) fn empty() -> Self {
        Self {
            stages: Vec::new(),
            early: 0,
            levels: Vec::new(),
            kernels: Vec::new(),
            filters: Vec::new(),
            rate: 0.0,
        }
    }

    pub(super) fn new(design: &Design, tuning: f64) -> Result<Self, FeatureError> {
        let mut tables = Self::empty();
        tables.rebuild(design, tuning, &mut Work::default())?;
        Ok(tables)
    }

    /// Makes the tables anew, in the memory of the old ones where it suffices.
    pub(super) fn rebuild(
        &mut self,
        design: &Design,
        tuning: f64,
        work: &mut Work,
    ) -> Result<(), FeatureError> {
        let nyquist = design.sample_rate / 2.0;
        let cutoff = design.cutoff(tuning);
        if cutoff.is_nan() || cutoff > nyquist {
            let allowed =
                format!("so many that the highest filter, which ends at {cutoff} Hz, ends by {nyquist} Hz");
            return Err(FeatureError::parameter("n_bins", design.n_bins, allowed));
        }
        let Self { stages, early, levels, kernels, filters, rate } = self;
        stages.clear();
        levels.clear();
        *early = design.early(tuning);
        stages.resize(*early, Stage::Inner);
        *rate = design.sample_rate / (1_u64 << *early) as f64;
        let mut hop = design.hop_length >> *early;
        let loudness = if design.scaled { 1.0 } else { (1_u64 << *early) as f64 };
        let loudness = loudness.sqrt() * ((1_u64 << *early) as f64).sqrt();

        let (mut end, mut halvings, mut kernels_made, mut same) = (design.n_bins, 0_u32, 0, None);
        // The highest filter that looks at a rate, by rate, decides on the stage that leads to it.
        if let Some(last) = stages.last_mut() {
            *last = Filters::stage(highest(design, end, tuning) / (*rate / 2.0), design.blind());
        }
        while end > 0 {
            let first = end.saturating_sub(design.bins_per_octave);
            let my_rate = *rate / f64::from(halvings).exp2();
            filters.clear();
            filters.extend((first..end).map(|bin| {
                let hz = design.hz(bin, tuning);
                let length = design.length(hz, my_rate);
                let scale = if design.scaled { loudness / length.sqrt() } else { loudness };
                Filter { hz, length, scale }
            }));
            // A factor of sqrt 2 by each halving, and as much in the kernel; of which the square root of the lengths at the
            // top rate takes half.
            let gain = f64::from(halvings).exp2();
            let gain = if design.scaled { gain.sqrt() } else { gain };
            // Where the bandwidth is a share of the frequency, a whole octave below has the kernels of the one above.
            let key = (end - first, levels.len() - halvings as usize);
            let index = match same {
                Some((known, index)) if known == key && design.gamma == 0.0 => index,
                _ => {
                    if kernels.len() == kernels_made {
                        kernels.push(Kernel::empty());
                    }
                    kernels[kernels_made].rebuild(filters, my_rate, design.shape, work, &design.transforms);
                    kernels_made += 1;
                    kernels_made - 1
                }
            };
            same = Some((key, index));
            let n_fft = kernels[index].n_fft;
            let framing = Framing::new(n_fft, hop, Centering::Centered, design.padding)?;
            let gain = gain as f32;
            levels.push(Level { rate: stages.len(), framing, kernel: index, gain, first_row: first });
            end = first;
            if hop.is_multiple_of(2) && end > 0 {
                hop /= 2;
                halvings += 1;
                let rate_below = *rate / f64::from(halvings).exp2();
                stages
                    .push(Filters::stage(highest(design, end, tuning) / (rate_below / 2.0), design.blind()));
            }
        }
        // Kernels that are not used any more stay for their memory.
        Ok(())
    }

    /// Samples of the whole signal at each rate, from the first.
    fn lengths(&self, samples: usize) -> impl Iterator<Item = usize> + '_ {
        (0..=self.stages.len()).scan(samples, move |length, rate| {
            if rate > 0 {
                *length = self.length_after(rate - 1, *length, samples).0;
            }
            Some(*length)
        })
    }

    /// Outputs of stage `i` from `length` inputs, and how many of them are not zero. The signal has `samples` at first.
    ///
    /// The reference decimates early in one call, whose inner stages go on as long as they ring, and which gives
    /// `samples / 2^early` outputs, rounded; a missing one becomes zero.
    fn length_after(&self, i: usize, length: usize, samples: usize) -> (usize, usize) {
        if i + 1 < self.early {
            let longer = length / 2 + 64;
            (longer, longer)
        } else if i + 1 == self.early {
            let factor = 1 << self.early;
            (samples.div_ceil(factor), (samples + factor / 2) / factor)
        } else {
            (length.div_ceil(2), length.div_ceil(2))
        }
    }

    /// Columns of a signal.
    pub(super) fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        let needed = 1 << self.early;
        if samples < needed {
            return Err(FeatureError::TooShort { got: samples, needed });
        }
        let mut columns = usize::MAX;
        for (rate, length) in self.lengths(samples).enumerate() {
            for level in self.levels.iter().filter(|level| level.rate == rate) {
                columns = columns.min(level.framing.frames(length)?);
            }
        }
        Ok(columns)
    }

    /// Samples, at the rate of the signal, that one column looks at.
    pub(super) fn frame_length(&self) -> usize {
        self.levels.iter().map(|level| level.framing.frame_length() << level.rate).max().unwrap_or(1)
    }

    /// The kernels of the levels.
    fn used(&self) -> impl Iterator<Item = &Kernel> {
        let count = self.levels.iter().map(|level| level.kernel + 1).max().unwrap_or(0);
        self.kernels.iter().take(count)
    }

    /// Room for the kernels of other tunings, which may have a few bins more.
    pub(super) fn reserve(&mut self) {
        for kernel in &mut self.kernels {
            kernel.re.reserve(kernel.re.len() / 2);
            kernel.im.reserve(kernel.im.len() / 2);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.used().map(|k| 4 * (k.re.len() + k.im.len() + 2 * k.turns.len())).sum()
    }
}

/// Where the main lobe of the highest filter below `end`, and its first side lobes, end.
fn highest(design: &Design, end: usize, tuning: f64) -> f64 {
    let hz = design.hz(end - 1, tuning);
    hz + 3.0 * design.sample_rate / design.length(hz, design.sample_rate)
}

/// What the values of the result are made of: sums of products, their factor, and what turns them.
pub(super) trait Value: Copy + Default + Send + 'static {
    fn convert(re: &[f32], im: &[f32], gain: f32, turns: &[Complex32], out: &mut [Self]);
}

impl Value for f32 {
    fn convert(re: &[f32], im: &[f32], gain: f32, _: &[Complex32], out: &mut [Self]) {
        simd::magnitude(re, im, gain, out);
    }
}

impl Value for Complex32 {
    fn convert(re: &[f32], im: &[f32], gain: f32, turns: &[Complex32], out: &mut [Self]) {
        for (((o, re), im), turn) in out.iter_mut().zip(re).zip(im).zip(turns) {
            *o = Complex32::new(gain * *re, gain * *im) * turn;
        }
    }
}

/// The newest samples of one rate.
#[derive(Debug, Clone, Default)]
struct Held {
    samples: Vec<f32>,
    base: usize,
}

impl Held {
    fn end(&self) -> usize {
        self.base + self.samples.len()
    }

    fn span(&self) -> Span<'_> {
        Span { samples: &self.samples, base: self.base, total: self.end() }
    }

    /// Lets go of what lies before `keep`, when that is worth moving the rest.
    fn release(&mut self, keep: usize) {
        let count = keep.saturating_sub(self.base).min(self.samples.len());
        if 2 * count >= self.samples.len() {
            self.samples.drain(..count);
            self.base += count;
        }
    }
}

/// Buffers of one computation. They grow to what the tables need and fit any tables.
#[derive(Clone)]
pub(super) struct State<T> {
    held: Vec<Held>,
    /// The next frame of each level.
    next: Vec<usize>,
    phases: Phases,
    frames: Vec<f32>,
    even: Vec<f32>,
    odd: Vec<f32>,
    re: Vec<f32>,
    im: Vec<f32>,
    fft: Vec<(usize, RealFftScratch)>,
    spectrum: Vec<Complex32>,
    planes: (Vec<f32>, Vec<f32>),
    values: Vec<T>,
    /// Samples of the whole signal and columns of the result, once they are known.
    end: Option<(usize, usize)>,
}

impl<T: Value> State<T> {
    pub(super) fn new(design: &Design, tables: &Tables) -> Self {
        let mut state = Self {
            held: Vec::new(),
            next: Vec::new(),
            phases: design.filters.phases(),
            frames: Vec::new(),
            even: Vec::new(),
            odd: Vec::new(),
            re: Vec::new(),
            im: Vec::new(),
            fft: Vec::new(),
            spectrum: Vec::new(),
            planes: (Vec::new(), Vec::new()),
            values: Vec::new(),
            end: None,
        };
        state.reset(design, tables);
        state
    }

    /// Ready for a new signal, with room for everything.
    pub(super) fn reset(&mut self, design: &Design, tables: &Tables) {
        self.end = None;
        self.next.clear();
        self.next.resize(tables.levels.len(), 0);
        self.held.resize_with(tables.stages.len() + 1, Held::default);
        for (rate, held) in self.held.iter_mut().enumerate() {
            held.base = 0;
            held.samples.clear();
            let frame = |l: &Level| 2 * l.framing.frame_length() + l.framing.hop_length();
            let frames = tables.levels.iter().filter(|l| l.rate == rate).map(frame).max().unwrap_or(0);
            let reach = tables.stages.get(rate).map_or(0, |&stage| 2 * design.filters.reach(stage));
            held.samples.reserve(2 * (frames + reach) + 2 * CHUNK);
        }
        let grow = |v: &mut Vec<f32>, length: usize| v.resize(length.max(v.len()), 0.0);
        for kernel in tables.used() {
            let n = kernel.n_fft;
            grow(&mut self.frames, GROUP * n);
            grow(&mut self.re, GROUP * kernel.padded_rows());
            grow(&mut self.im, GROUP * kernel.padded_rows());
            let rows = kernel.padded_rows().max(self.values.len());
            self.values.resize(rows, T::default());
            match kernel.way {
                Way::Time => {}
                Way::Folded => {
                    grow(&mut self.even, GROUP * n / 2);
                    grow(&mut self.odd, GROUP * n / 2);
                }
                Way::Spectrum => {
                    let bins = (n / 2 + 1).max(self.spectrum.len());
                    self.spectrum.resize(bins, Complex32::default());
                    grow(&mut self.planes.0, kernel.padded_bins());
                    grow(&mut self.planes.1, kernel.padded_bins());
                    if self.fft.iter().all(|(length, _)| *length != n) {
                        self.fft.push((n, design.transforms.real(n).scratch()));
                    }
                }
            }
        }
    }

    /// Samples taken so far while streaming.
    pub(super) fn seen(&self) -> usize {
        self.held.first().map_or(0, Held::end)
    }

    /// Frames that every level has given.
    pub(super) fn complete(&self) -> usize {
        self.next.iter().copied().min().unwrap_or(0)
    }
}

/// A computation under way.
pub(super) struct Run<'a, T> {
    pub(super) design: &'a Design,
    pub(super) tables: &'a Tables,
    pub(super) state: &'a mut State<T>,
}

impl<T: Value> Run<'_, T> {
    /// Computes the first `columns` columns, or all, of a whole signal. `emit` is called with the first row, the column and
    /// the values of each level.
    pub(super) fn whole(
        &mut self,
        samples: &[f32],
        columns: usize,
        emit: &mut dyn FnMut(usize, usize, &[T]),
    ) -> Result<(), FeatureError> {
        self.state.reset(self.design, self.tables);
        self.state.end = Some((samples.len(), self.tables.columns(samples.len())?.min(columns)));
        self.feed(0, Span::whole(samples), true, emit);
        Ok(())
    }

    /// Takes the next samples of a stream.
    pub(super) fn push(&mut self, samples: &[f32], emit: &mut dyn FnMut(usize, usize, &[T])) {
        let Some(first) = self.state.held.first_mut() else { return };
        first.samples.extend_from_slice(samples);
        let held = std::mem::take(first);
        self.feed(0, held.span(), false, emit);
        self.put_back(0, held);
    }

    /// Ends a stream; gives the count of columns.
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(usize, usize, &[T])) -> Result<usize, FeatureError> {
        let samples = self.state.seen();
        let columns = self.tables.columns(samples)?;
        self.state.end = Some((samples, columns));
        let Some(first) = self.state.held.first_mut() else { return Ok(columns) };
        let held = std::mem::take(first);
        self.feed(0, held.span(), true, emit);
        Ok(columns)
    }

    fn put_back(&mut self, rate: usize, mut held: Held) {
        let seen = held.end();
        let mut keep = seen;
        for (level, next) in self.tables.levels.iter().zip(&self.state.next).filter(|(l, _)| l.rate == rate) {
            let framing = &level.framing;
            // What padding at the end may mirror, and what the next frame needs.
            keep = keep.min(seen.saturating_sub(framing.frame_length() + framing.pad() + 1));
            keep = keep.min(framing.start(*next).max(0) as usize);
        }
        if let (Some(&stage), Some(below)) = (self.tables.stages.get(rate), self.state.held.get(rate + 1)) {
            keep = keep.min((2 * below.end()).saturating_sub(self.design.filters.reach(stage)));
        }
        held.release(keep);
        if let Some(place) = self.state.held.get_mut(rate) {
            *place = held;
        }
    }

    /// Works on what has become possible at a rate and below it.
    fn feed(&mut self, rate: usize, span: Span<'_>, ended: bool, emit: &mut dyn FnMut(usize, usize, &[T])) {
        let tables = self.tables;
        for (index, level) in tables.levels.iter().enumerate().filter(|(_, level)| level.rate == rate) {
            self.level(index, level, span, ended, emit);
        }
        let Some(&stage) = tables.stages.get(rate) else { return };
        let filters = &self.design.filters;
        let all = self.state.end.filter(|_| ended);
        let all = all.map(|(samples, _)| tables.length_after(rate, span.total, samples));
        let ready = all.map_or_else(|| filters.ready(stage, span.total), |(outputs, _)| outputs);
        loop {
            let Some(place) = self.state.held.get_mut(rate + 1) else { return };
            let mut held = std::mem::take(place);
            let from = held.end();
            let to = ready.min(from + CHUNK).max(from);
            let sounding = all.map_or(to, |(_, sounding)| to.min(sounding)).max(from);
            let phases = &mut self.state.phases;
            let outputs = all.map(|(_, sounding)| sounding);
            filters.produce(stage, span, from..sounding, outputs, phases, &mut held.samples);
            held.samples.resize(to - held.base, 0.0);
            let last = to >= ready;
            self.feed(rate + 1, held.span(), ended && last, emit);
            self.put_back(rate + 1, held);
            if last {
                return;
            }
        }
    }

    /// The frames of a level that have become possible.
    fn level(
        &mut self,
        index: usize,
        level: &Level,
        span: Span<'_>,
        ended: bool,
        emit: &mut dyn FnMut(usize, usize, &[T]),
    ) {
        let framing = &level.framing;
        let complete = |t: usize| {
            let start = framing.start(t);
            let end = start + framing.frame_length() as isize;
            let needed = if start < 0 { end.max(framing.pad() as isize + 1) } else { end };
            needed <= span.total as isize
        };
        let limit = if ended { self.state.end.map_or(0, |(_, columns)| columns) } else { usize::MAX };
        let mut t = self.state.next[index];
        while t < limit {
            let count = (0..GROUP).take_while(|f| t + f < limit && (ended || complete(t + f))).count();
            if count == 0 {
                break;
            }
            self.group(level, t, count, span, emit);
            t += count;
        }
        self.state.next[index] = t;
    }

    /// Computes `count` frames from `t` on.
    fn group(
        &mut self,
        level: &Level,
        t: usize,
        count: usize,
        span: Span<'_>,
        emit: &mut dyn FnMut(usize, usize, &[T]),
    ) {
        let kernel = &self.tables.kernels[level.kernel];
        let (n, rows, padded) = (kernel.n_fft, kernel.rows, kernel.padded_rows());
        let State { frames, even, odd, re, im, fft, spectrum, planes, values, .. } = &mut *self.state;
        for (f, place) in frames.chunks_exact_mut(n).take(count).enumerate() {
            if level.framing.inside(t + f, span).is_none() {
                let sample = level.framing.padded(t + f, span);
                place.iter_mut().enumerate().for_each(|(i, o)| *o = sample(i));
            }
        }
        let frames: &[f32] = frames;
        // A group that is not full repeats its last frame.
        let x: [&[f32]; GROUP] = std::array::from_fn(|f| {
            let f = f.min(count - 1);
            level.framing.inside(t + f, span).unwrap_or(&frames[f * n..(f + 1) * n])
        });
        let (re, im) = (&mut re[..GROUP * padded], &mut im[..GROUP * padded]);
        match kernel.way {
            Way::Folded => {
                let half = n / 2;
                for ((x, e), o) in x.iter().zip(even.chunks_exact_mut(half)).zip(odd.chunks_exact_mut(half)) {
                    simd::fold(x, e, o);
                }
                simd::project(
                    &kernel.re,
                    padded,
                    std::array::from_fn(|f| &even[f * half..(f + 1) * half]),
                    re,
                );
                simd::project(
                    &kernel.im,
                    padded,
                    std::array::from_fn(|f| &odd[f * half..(f + 1) * half]),
                    im,
                );
            }
            Way::Time => {
                simd::project(&kernel.re, padded, x, re);
                simd::project(&kernel.im, padded, x, im);
            }
            Way::Spectrum => {
                let transform = self.design.transforms.real(n);
                let bins = n / 2 + 1;
                let scratch = fft.iter_mut().find(|(length, _)| *length == n);
                let Some((_, scratch)) = scratch else { return };
                for (f, x) in x.iter().take(count).enumerate() {
                    transform.transform(x, scratch);
                    transform.spectrum(scratch, &mut spectrum[..bins]);
                    for ((z, a), b) in spectrum[..bins].iter().zip(&mut planes.0).zip(&mut planes.1) {
                        (*a, *b) = (z.re, z.im);
                    }
                    let weights = (&kernel.re[..], &kernel.im[..]);
                    let place = f * padded..f * padded + rows;
                    let (re, im) = (&mut re[place.clone()], &mut im[place]);
                    simd::project_sparse(&kernel.segments, weights, (&planes.0, &planes.1), re, im);
                }
            }
        }
        for f in 0..count {
            let place = f * padded..f * padded + rows;
            T::convert(&re[place.clone()], &im[place], level.gain, &kernel.turns, &mut values[..rows]);
            emit(level.first_row, t + f, &values[..rows]);
        }
    }
}

/// A design and its tables, shared by all threads.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) design: Arc<Design>,
    pub(super) tables: Arc<Tables>,
    pub(super) tuning: f64,
    /// Centre frequencies.
    pub(super) hz: Arc<[f32]>,
}
