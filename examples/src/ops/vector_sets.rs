//! Feature vectors of the literature. No golden set has them: they are timed and compared with what published them.

use mgr_features::FeatureConfig;
use mgr_features::frame::Padding;
use mgr_features::vector_sets::{
    Bahuleyan97Config, ChoiMfcc120Config, DescriptorRate, Fma518Config, Gtzan8MfccConfig, Gtzan57Config, SignalTail,
};
use serde_json::Value;

use super::Op;
use super::feature::{FeatureOp, Orientation};
use crate::golden::Params;

pub(super) const OPS: &[&str] = &["gtzan57", "fma518", "bahuleyan97", "choi_mfcc120", "gtzan8_mfcc_centroid"];

/// `pad_mode` as elsewhere, "reflect" where it is absent; `own_rate` for descriptors at the signal's own rate; `full_tail` for separated
/// signals up to their end.
pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    let padding = match params.take("pad_mode").as_ref().and_then(Value::as_str).unwrap_or("reflect") {
        "constant" => Padding::Zero,
        "reflect" => Padding::Reflect,
        other => return Err(format!("pad_mode {other} is not supported")),
    };
    let own = params.flag_or("own_rate", false)?;
    let descriptor_rate = if own { DescriptorRate::Own } else { DescriptorRate::Nominal };
    let tail = if params.flag_or("full_tail", false)? { SignalTail::Inverse } else { SignalTail::Zero };
    let config = match op {
        "gtzan57" => FeatureConfig::Gtzan57(Gtzan57Config { padding, tail }),
        "fma518" => FeatureConfig::Fma518(Fma518Config { descriptor_rate, padding }),
        "bahuleyan97" => FeatureConfig::Bahuleyan97(Bahuleyan97Config { padding, ..Bahuleyan97Config::default() }),
        "choi_mfcc120" => FeatureConfig::ChoiMfcc120(ChoiMfcc120Config { padding, ..ChoiMfcc120Config::default() }),
        "gtzan8_mfcc_centroid" => FeatureConfig::Gtzan8Mfcc(Gtzan8MfccConfig { descriptor_rate, padding }),
        other => return Err(format!("{other} is no op of this family")),
    };
    FeatureOp::plan(&config, sample_rate, Orientation::RowsFrames)
}
