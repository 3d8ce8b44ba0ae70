//! Segments of stored clips as what batches are made of.

use ndarray::{ArrayView2, Axis};

use super::Items;
use crate::DataError;
use crate::extract::StoredClip;
use crate::store::FeatureStore;

/// Every segment of some clips of a store, read through its memory maps.
#[derive(Debug, Clone)]
pub struct StoredSegments {
    store: FeatureStore,
    /// Content, class.
    clips: Vec<(String, usize)>,
    /// Clip and segment of each item.
    items: Vec<(usize, usize)>,
}

impl StoredSegments {
    /// The segments of clips, clip by clip, with the class of each clip's track.
    ///
    /// # Errors
    /// [`DataError::Batch`] for a clip whose track has no class.
    pub fn new(store: FeatureStore, clips: &[StoredClip], labels: &[usize]) -> Result<Self, DataError> {
        let mut known = Vec::with_capacity(clips.len());
        let mut items = Vec::new();
        for (at, clip) in clips.iter().enumerate() {
            let class = labels.get(clip.track).copied();
            let class = class
                .ok_or_else(|| DataError::Batch { reason: format!("track {} has no label", clip.track) })?;
            known.push((clip.content.clone(), class));
            items.extend((0..clip.segments).map(|segment| (at, segment)));
        }
        Ok(Self { store, clips: known, items })
    }

    /// The items of some of the clips, by the clips' positions in the list given.
    #[must_use]
    pub fn of_clips(&self, clips: &[usize]) -> Vec<usize> {
        let wanted: std::collections::BTreeSet<usize> = clips.iter().copied().collect();
        (0..self.items.len()).filter(|item| wanted.contains(&self.items[*item].0)).collect()
    }

    /// The position of an item's clip in the list given, to join the scores of its segments.
    #[must_use]
    pub fn clip_of(&self, item: usize) -> Option<usize> {
        self.items.get(item).map(|(clip, _)| *clip)
    }
}

impl Items for StoredSegments {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn label(&self, item: usize) -> usize {
        self.items.get(item).and_then(|(clip, _)| self.clips.get(*clip)).map_or(0, |(_, class)| *class)
    }

    fn with(&self, item: usize, take: &mut dyn FnMut(ArrayView2<'_, f32>)) -> Result<(), DataError> {
        let gone = || DataError::Batch { reason: format!("item {item} is not in the store") };
        let &(clip, segment) = self.items.get(item).ok_or_else(gone)?;
        let (content, _) = self.clips.get(clip).ok_or_else(gone)?;
        let mapped = self.store.view(content)?.ok_or_else(gone)?;
        let segments = mapped.segments()?;
        if segment >= segments.dim().0 {
            return Err(gone());
        }
        take(segments.index_axis(Axis(0), segment));
        Ok(())
    }
}
