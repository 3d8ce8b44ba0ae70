//! Clips that sound the same, by acoustic fingerprints (Chromaprint): the same excerpt in other clothes, or another excerpt of the same
//! recording that overlaps.
//!
//! A fingerprint is one number of 32 bits for each 0.124 s. Two clips are compared at every shift at which they have numbers in common; at
//! the best of them the bits of the overlap are counted. Of two unrelated clips half the bits differ, of an excerpt coded twice a few in
//! a hundred.

use std::collections::HashMap;

use rayon::prelude::*;
use rusty_chromaprint::{Configuration, Fingerprinter};
use serde::{Deserialize, Serialize};

/// How alike two clips have to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DuplicateConfig {
    /// Largest share of differing bits in the overlap, in `[0, 0.5)`. Default 0.15.
    pub max_error_rate: f64,
    /// Shortest overlap in seconds. Default 4; at least half of the shorter clip in any case.
    pub min_overlap_s: f64,
}

impl Default for DuplicateConfig {
    fn default() -> Self {
        Self { max_error_rate: 0.15, min_overlap_s: 4.0 }
    }
}

/// Two clips that sound the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duplicate {
    /// The first clip, by position.
    pub first: usize,
    /// The second clip, by position, larger than the first.
    pub second: usize,
    /// Where the second begins in the first, in seconds; negative where it begins before.
    pub offset_s: f64,
    /// Length of what both have, in seconds.
    pub overlap_s: f64,
    /// Share of bits that differ there.
    pub error_rate: f64,
}

/// Numbers that are in more clips than this tell nothing: silence, a hum.
const COMMON: usize = 500;

/// The rate that fingerprints are taken at.
pub const SAMPLE_RATE: u32 = 11_025;

/// The fingerprint of samples at a rate; empty for less than about three seconds.
#[must_use]
pub fn fingerprint(samples: &[f32], sample_rate: u32) -> Vec<u32> {
    let mut printer = Fingerprinter::new(&Configuration::preset_test2());
    if printer.start(sample_rate, 1).is_err() {
        return Vec::new();
    }
    let block: Vec<i16> = samples.iter().map(|x| (x * 32_767.0).clamp(-32_768.0, 32_767.0) as i16).collect();
    printer.consume(&block);
    printer.finish();
    printer.fingerprint().to_vec()
}

/// All pairs of clips that sound the same, in order of their positions.
#[must_use]
pub fn find(prints: &[Vec<u32>], config: &DuplicateConfig) -> Vec<Duplicate> {
    let item_s = f64::from(Configuration::preset_test2().item_duration_in_seconds());
    let mut places: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
    for (clip, print) in prints.iter().enumerate() {
        let mut last = None;
        for (at, &item) in print.iter().enumerate() {
            // Held notes and silence repeat one number.
            if last != Some(item) {
                places.entry(item).or_default().push((clip as u32, at as u32));
            }
            last = Some(item);
        }
    }
    places.retain(|_, found| found.len() > 1 && found.len() <= COMMON);
    let mut pairs: Vec<Duplicate> = prints
        .par_iter()
        .enumerate()
        .flat_map_iter(|(first, print)| {
            let mut hits: HashMap<(u32, i64), u32> = HashMap::new();
            for (at, item) in print.iter().enumerate() {
                for &(second, place) in places.get(item).map_or(&[][..], Vec::as_slice) {
                    if second as usize > first {
                        *hits.entry((second, at as i64 - i64::from(place))).or_default() += 1;
                    }
                }
            }
            let mut best: HashMap<u32, Duplicate> = HashMap::new();
            for (&(second, shift), _) in hits.iter().filter(|(_, count)| **count >= 2) {
                let other = &prints[second as usize];
                if let Some((overlap, error_rate)) = compare(print, other, shift, item_s, config) {
                    let overlap_s = overlap as f64 * item_s;
                    let offset_s = shift as f64 * item_s;
                    let found = Duplicate { first, second: second as usize, offset_s, overlap_s, error_rate };
                    let kept = best.entry(second).or_insert_with(|| found.clone());
                    // By the error, then by the shift, so that the order of the table does not matter.
                    let order = found.error_rate.total_cmp(&kept.error_rate);
                    if order.then(found.offset_s.total_cmp(&kept.offset_s)).is_lt() {
                        *kept = found;
                    }
                }
            }
            best.into_values()
        })
        .collect();
    pairs.sort_by_key(|pair| (pair.first, pair.second));
    pairs
}

/// The overlap of two prints at a shift, and the share of bits that differ there, if they are the same by the configuration.
fn compare(a: &[u32], b: &[u32], shift: i64, item_s: f64, config: &DuplicateConfig) -> Option<(usize, f64)> {
    let (skip_a, skip_b) = (usize::try_from(shift.max(0)).ok()?, usize::try_from((-shift).max(0)).ok()?);
    let (a_part, b_part) = (a.get(skip_a..)?, b.get(skip_b..)?);
    let overlap = a_part.len().min(b_part.len());
    let shortest = a.len().min(b.len()).div_ceil(2);
    if overlap < shortest.max(1) || (overlap as f64 * item_s) < config.min_overlap_s {
        return None;
    }
    let differing: u32 = a_part.iter().zip(b_part).map(|(x, y)| (x ^ y).count_ones()).sum();
    let error_rate = f64::from(differing) / (32.0 * overlap as f64);
    (error_rate <= config.max_error_rate).then_some((overlap, error_rate))
}

/// Pairs joined to sets: whatever is connected by pairs is one set, sorted, of two clips or more.
#[must_use]
pub fn sets(pairs: &[Duplicate]) -> Vec<Vec<usize>> {
    let mut set_of: HashMap<usize, usize> = HashMap::new();
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for pair in pairs {
        match (set_of.get(&pair.first).copied(), set_of.get(&pair.second).copied()) {
            (Some(a), Some(b)) if a != b => {
                let moved = std::mem::take(&mut sets[b]);
                moved.iter().for_each(|clip| {
                    set_of.insert(*clip, a);
                });
                sets[a].extend(moved);
            }
            (Some(_), Some(_)) => {}
            (Some(set), None) => {
                set_of.insert(pair.second, set);
                sets[set].push(pair.second);
            }
            (None, Some(set)) => {
                set_of.insert(pair.first, set);
                sets[set].push(pair.first);
            }
            (None, None) => {
                set_of.extend([(pair.first, sets.len()), (pair.second, sets.len())]);
                sets.push(vec![pair.first, pair.second]);
            }
        }
    }
    sets.retain(|set| !set.is_empty());
    sets.iter_mut().for_each(|set| set.sort_unstable());
    sets.sort();
    sets
}
