//! The vectors of the family, for a clip or for each segment.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};

use super::analysis::{Analysis, AnalysisScratch};
use super::config::{Per, RhythmPart, RpFeaturesConfig};
use super::segments::{FRAMES, Segments};
use super::statistics::{COUNT, NAMES, median, statistics};
use super::{WHOLE, remark};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};

impl RpFeaturesConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for no part, a part that stands twice, TSSD or TRH of single segments, and all that
    /// [`super::RhythmPatternConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<RpFeatures, FeatureError> {
        let analysis = Analysis::new(&self.analysis, sample_rate)?;
        if self.parts.is_empty() {
            return Err(FeatureError::parameter("parts", "empty", "at least one part"));
        }
        for (i, part) in self.parts.iter().enumerate() {
            if self.parts[..i].contains(part) {
                return Err(FeatureError::parameter("parts", part.name(), "each part once"));
            }
            if self.per == Per::Segment && matches!(part, RhythmPart::Tssd | RhythmPart::Trh) {
                return Err(FeatureError::parameter(
                    "parts",
                    part.name(),
                    "rp, rh, ssd, mvd for each segment",
                ));
            }
        }
        Ok(RpFeatures(Arc::new(Inner { analysis, parts: self.parts.clone(), per: self.per })))
    }
}

impl RhythmPart {
    /// Its short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rp => "rp",
            Self::Rh => "rh",
            Self::Ssd => "ssd",
            Self::Trh => "trh",
            Self::Tssd => "tssd",
            Self::Mvd => "mvd",
        }
    }

    /// The part that it is made of in each segment.
    fn of_segment(self) -> Self {
        match self {
            Self::Tssd => Self::Ssd,
            Self::Trh => Self::Rh,
            part => part,
        }
    }

    /// Values in a segment, for so many rows and modulations.
    fn size_in_segment(self, rows: usize, modulations: usize) -> usize {
        match self.of_segment() {
            Self::Rp => rows * modulations,
            Self::Ssd => rows * COUNT,
            Self::Mvd => modulations * COUNT,
            _ => modulations,
        }
    }

    /// Values in a vector.
    fn size(self, rows: usize, modulations: usize) -> usize {
        let of_segment = self.size_in_segment(rows, modulations);
        if matches!(self, Self::Tssd | Self::Trh) { of_segment * COUNT } else { of_segment }
    }
}

struct Inner {
    analysis: Analysis,
    parts: Vec<RhythmPart>,
    per: Per,
}

/// Planned vectors of the rhythm pattern family: (values, 1) for a clip, (values, segments) for its segments. Values are named
/// `rp_bark09_2.02hz`, `ssd_bark09_skew`, `rh_2.02hz`, `mvd_2.02hz_median`, `tssd_bark09_skew_mean`, `trh_2.02hz_max`; the band of
/// bark01 is the lowest. Without Bark bands rows are bins: `rp_bin001_2.02hz`.
///
/// ```
/// use mgr_features::Extractor;
/// use mgr_features::rhythm_pattern::{RhythmPart, RpFeaturesConfig};
/// let parts = vec![RhythmPart::Ssd, RhythmPart::Rh];
/// let plan = RpFeaturesConfig { parts, ..RpFeaturesConfig::default() }.plan(22_050)?;
/// let vector = plan.process(&vec![0.1; 140_000])?;
/// assert_eq!(vector.dim(), (168 + 60, 1));
/// assert_eq!(plan.names()[..2], ["ssd_bark01_mean", "ssd_bark02_mean"]);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Clone)]
pub struct RpFeatures(Arc<Inner>);

impl std::fmt::Debug for RpFeatures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpFeatures")
            .field("parts", &self.0.parts)
            .field("per", &self.0.per)
            .finish_non_exhaustive()
    }
}

/// Buffers of one computation; make one per thread with [`RpFeatures::scratch_for`] and use it again.
pub struct RpFeaturesScratch {
    analysis: AnalysisScratch,
    /// Parts of all segments, each as [`RhythmPart::of_segment`].
    values: Vec<f64>,
    work: Vec<f64>,
}

impl std::fmt::Debug for RpFeaturesScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpFeaturesScratch").field("values", &self.values.len()).finish_non_exhaustive()
    }
}

impl RpFeatures {
    /// Names of the values.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let analysis = &self.0.analysis;
        let (rows, modulations) = (analysis.rows(), analysis.n_modulations());
        let row = |b: usize| match analysis.config.stages.bark {
            true => format!("bark{:02}", b + 1),
            false => format!("bin{b:03}"),
        };
        let hz = |m: usize| format!("{:.2}hz", analysis.modulation_hz(m));
        let mut names = Vec::new();
        for part in &self.0.parts {
            let of_segment: Vec<String> = match part.of_segment() {
                RhythmPart::Rp => {
                    (0..rows * modulations).map(|i| format!("{}_{}", row(i % rows), hz(i / rows))).collect()
                }
                RhythmPart::Ssd => {
                    (0..rows * COUNT).map(|i| format!("{}_{}", row(i % rows), NAMES[i / rows])).collect()
                }
                RhythmPart::Mvd => (0..modulations * COUNT)
                    .map(|i| format!("{}_{}", hz(i % modulations), NAMES[i / modulations]))
                    .collect(),
                _ => (0..modulations).map(hz).collect(),
            };
            let name = part.name();
            if *part == part.of_segment() {
                names.extend(of_segment.iter().map(|value| format!("{name}_{value}")));
            } else {
                let statistics =
                    NAMES.iter().flat_map(|s| of_segment.iter().map(move |v| format!("{name}_{v}_{s}")));
                names.extend(statistics);
            }
        }
        names
    }

    /// Values of a vector.
    #[must_use]
    pub fn size(&self) -> usize {
        let (rows, modulations) = (self.0.analysis.rows(), self.0.analysis.n_modulations());
        self.0.parts.iter().map(|part| part.size(rows, modulations)).sum()
    }

    /// Where each part begins in the vector, with its length.
    #[must_use]
    pub fn parts(&self) -> Vec<(RhythmPart, std::ops::Range<usize>)> {
        let (rows, modulations) = (self.0.analysis.rows(), self.0.analysis.n_modulations());
        let mut at = 0;
        let place = |part: &RhythmPart| {
            let start = at;
            at += part.size(rows, modulations);
            (*part, start..at)
        };
        self.0.parts.iter().map(place).collect()
    }

    /// Zeros that are put after a clip of so many samples; not 0 only with [`super::ShortClip::PadZeros`].
    ///
    /// # Errors
    /// [`FeatureError::TooShort`].
    pub fn padding(&self, samples: usize) -> Result<usize, FeatureError> {
        Ok(self.0.analysis.segmentation.of(samples)?.padding)
    }

    /// First sample of each segment of a clip of so many samples.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`].
    pub fn segment_starts(&self, samples: usize) -> Result<Vec<usize>, FeatureError> {
        let Segments { first, step, count, .. } = self.0.analysis.segmentation.of(samples)?;
        Ok((0..count).map(|i| first + i * step).collect())
    }

    fn size_in_segment(&self) -> usize {
        let (rows, modulations) = (self.0.analysis.rows(), self.0.analysis.n_modulations());
        self.0.parts.iter().map(|part| part.size_in_segment(rows, modulations)).sum()
    }

    /// Buffers for [`RpFeatures::process_into`] and signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> RpFeaturesScratch {
        let analysis = &self.0.analysis;
        let segments = analysis.segmentation.of(samples).map_or(0, |s| s.count);
        RpFeaturesScratch {
            analysis: analysis.scratch(),
            values: check::vector(segments, self.size_in_segment()).unwrap_or_default(),
            work: vec![0.0; segments.max(FRAMES).max(analysis.rows())],
        }
    }

    fn scratch(&self) -> RpFeaturesScratch {
        self.scratch_for(0)
    }

    /// The vectors of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The vectors of a signal into `out` of (values, 1) or (values, segments), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for a
    /// scratch made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut RpFeaturesScratch,
    ) -> Result<(), FeatureError> {
        const MISFIT: FeatureError = FeatureError::Scratch { plan: "rp_features" };
        let Inner { analysis, parts, per } = &*self.0;
        let segments = analysis.segmentation.of(samples.len())?;
        let size = self.size_in_segment();
        let RpFeaturesScratch { analysis: room, values, work } = scratch;
        let values = values.get_mut(..segments.count * size).ok_or(MISFIT)?;
        if !analysis.fits(room) || work.len() < segments.count.max(FRAMES).max(analysis.rows()) {
            return Err(MISFIT);
        }
        check::shape(&out, self.size(), if *per == Per::Clip { 1 } else { segments.count })?;
        check::finite(samples)?;
        let modulates = parts.iter().any(|part| part.of_segment() != RhythmPart::Ssd);
        let (rows, modulations) = (analysis.rows(), analysis.n_modulations());
        for (i, mut values) in values.chunks_exact_mut(size).enumerate() {
            analysis.loudness(segments.get(i, samples, analysis.segmentation.length()), room);
            if modulates {
                analysis.modulation(room);
            }
            for part in parts {
                let (own, rest) = values.split_at_mut(part.size_in_segment(rows, modulations));
                part.of_one_segment(analysis, room, work, own);
                values = rest;
            }
        }
        if *per == Per::Segment {
            for (values, mut column) in values.chunks_exact(size).zip(out.columns_mut()) {
                column.iter_mut().zip(values).for_each(|(to, v)| *to = *v as f32);
            }
            return Ok(());
        }
        let work = &mut work[..segments.count];
        let mut column = out.column_mut(0);
        let (mut from, mut to) = (0, 0);
        for part in parts {
            let own = part.size_in_segment(rows, modulations);
            for i in 0..own {
                work.iter_mut().zip(values.iter().skip(from + i).step_by(size)).for_each(|(w, v)| *w = *v);
                match part {
                    RhythmPart::Rp | RhythmPart::Rh => column[to + i] = median(work) as f32,
                    RhythmPart::Ssd | RhythmPart::Mvd => {
                        column[to + i] = (work.iter().sum::<f64>() / work.len() as f64) as f32;
                    }
                    RhythmPart::Tssd | RhythmPart::Trh => {
                        for (s, value) in statistics(work).into_iter().enumerate() {
                            column[to + s * own + i] = value as f32;
                        }
                    }
                }
            }
            from += own;
            to += part.size(rows, modulations);
        }
        Ok(())
    }
}

impl RhythmPart {
    /// Writes the part of the segment that has been analysed.
    fn of_one_segment(self, analysis: &Analysis, room: &AnalysisScratch, work: &mut [f64], out: &mut [f64]) {
        let (rows, modulations) = (analysis.rows(), analysis.n_modulations());
        let of_band = room.modulation.chunks_exact(modulations);
        match self.of_segment() {
            Self::Rp => {
                for (b, values) in of_band.enumerate() {
                    let weighted = values.iter().zip(analysis.fluctuation()).map(|(v, w)| v * w);
                    out.iter_mut().skip(b).step_by(rows).zip(weighted).for_each(|(to, v)| *to = v);
                }
            }
            Self::Ssd => {
                for (b, row) in room.rows.chunks_exact(FRAMES).enumerate() {
                    let work = &mut work[..FRAMES];
                    work.copy_from_slice(row);
                    out.iter_mut().skip(b).step_by(rows).zip(statistics(work)).for_each(|(to, v)| *to = v);
                }
            }
            Self::Mvd => {
                for m in 0..modulations {
                    let work = &mut work[..rows];
                    work.iter_mut()
                        .zip(room.modulation.iter().skip(m).step_by(modulations))
                        .for_each(|(w, v)| *w = *v);
                    out.iter_mut()
                        .skip(m)
                        .step_by(modulations)
                        .zip(statistics(work))
                        .for_each(|(to, v)| *to = v);
                }
            }
            _ => {
                out.fill(0.0);
                for values in of_band {
                    out.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
                }
            }
        }
    }
}

impl Extractor for RpFeatures {
    by_process_into!("rp_features");

    fn frame_length(&self) -> usize {
        self.0.analysis.segmentation.shortest()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let Segments { first, step, count, .. } = self.0.analysis.segmentation.of(samples)?;
        let rate = f64::from(self.0.analysis.sample_rate());
        let half = self.0.analysis.segmentation.length() as f64 / 2.0;
        let names = self.names();
        let (columns, column_axis) = match self.0.per {
            Per::Clip => (1, Axis::clip(samples, rate)),
            Per::Segment => {
                (count, Axis::Time { start_s: (first as f64 + half) / rate, step_s: step as f64 / rate })
            }
        };
        Ok(Layout {
            rows: names.len(),
            columns,
            row_axis: Axis::Name { names },
            column_axis,
            unit: Unit::Mixed,
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn remark(&self, samples: usize) -> Option<String> {
        remark(self.0.analysis.segmentation.of(samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Err(FeatureError::NotStreamable { feature: "rp_features", reason: WHOLE })
    }
}
