//! From the bytes of an audio file to the feature of each of its segments.

use std::sync::Arc;

use mgr_audio::{DecodeReport, LoadConfig, Loader, SegmentConfig, Segmenter};
use mgr_features::{Extractor, FeatureConfig, Layout};
use ndarray::{Array3, Axis};
use serde::{Deserialize, Serialize};

use crate::{DataError, fingerprint};

/// Counts changes of decoding, resampling and segmentation that change numbers. 3: an encoder's priming and padding are cut off
/// AAC in MP4.
pub const AUDIO_VERSION: u32 = 3;

/// How a file becomes features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEndConfig {
    /// Sampling rate in Hz that clips are brought to.
    pub sample_rate: u32,
    /// Which segments of a clip are taken.
    pub segment: SegmentConfig,
    /// The feature of each segment.
    pub feature: FeatureConfig,
}

/// A planned front end: a pure function of a file's bytes.
#[derive(Debug, Clone)]
pub struct FrontEnd {
    config: FrontEndConfig,
    loader: Loader,
    segmenter: Segmenter,
    extractor: Arc<dyn Extractor>,
    layout: Layout,
    fingerprint: String,
}

/// The features of one clip, and what decoding it was like.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipFeatures {
    /// (segments, rows, frames), standard layout.
    pub segments: Array3<f32>,
    /// The decoder's report.
    pub report: DecodeReport,
}

impl FrontEndConfig {
    /// Checks the parts and plans them.
    ///
    /// # Errors
    /// [`DataError::Audio`] and [`DataError::Feature`] from the parts.
    pub fn plan(&self) -> Result<FrontEnd, DataError> {
        let loader = LoadConfig { sample_rate: Some(self.sample_rate), ..LoadConfig::default() }.plan()?;
        let segmenter = self.segment.plan()?;
        let extractor: Arc<dyn Extractor> = self.feature.plan(self.sample_rate)?.into();
        let layout = extractor.layout(self.segment.segment_length)?;
        let fingerprint = fingerprint(&(self, AUDIO_VERSION, self.feature.version()))?;
        Ok(FrontEnd { config: self.clone(), loader, segmenter, extractor, layout, fingerprint })
    }
}

impl FrontEnd {
    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &FrontEndConfig {
        &self.config
    }

    /// Shape and meaning of one segment's feature.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Fingerprint of the configuration and of the versions of the code behind it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The features of a file's content; `name` stands for the path in errors.
    ///
    /// # Errors
    /// [`DataError::Audio`] when it cannot be decoded, [`DataError::ShortClip`] when it is shorter than one frame of the feature,
    /// [`DataError::Silent`] when it is all zeros, [`DataError::NotFinite`] when its samples are so large that the feature
    /// overflows (float files may hold any number), [`DataError::ClipFeature`] when the feature cannot be computed.
    pub fn process(&self, bytes: Vec<u8>, name: &str) -> Result<ClipFeatures, DataError> {
        let clip = self.loader.load_bytes(bytes, name)?;
        let samples = clip.samples.len();
        let needed = self.extractor.frame_length();
        if samples < needed {
            let sample_rate = clip.sample_rate;
            return Err(DataError::ShortClip { name: name.into(), samples, needed, sample_rate });
        }
        if clip.samples.iter().all(|&x| x == 0.0) {
            return Err(DataError::Silent { name: name.into(), samples });
        }
        let views = self.segmenter.views(&clip.samples)?;
        let mut segments = Array3::zeros((views.len(), self.layout.rows, self.layout.columns));
        let mut scratch = self.extractor.scratch_for(self.config.segment.segment_length);
        for (segment, out) in views.iter().zip(segments.axis_iter_mut(Axis(0))) {
            let feature = self.extractor.extract_into(segment, out, &mut scratch);
            feature.map_err(|source| DataError::ClipFeature { name: name.into(), source })?;
        }
        if let Some(value) = segments.iter().find(|v| !v.is_finite()) {
            return Err(DataError::NotFinite {
                name: name.into(),
                feature: self.extractor.name(),
                value: *value,
            });
        }
        Ok(ClipFeatures { segments, report: clip.report })
    }
}
