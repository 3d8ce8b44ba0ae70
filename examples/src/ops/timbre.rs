//! The vectors of Marsyas and of Tzanetakis and Cook, to be timed.

use mgr_features::FeatureConfig;
use mgr_features::timbre::{TimbreConfig, TimbreDialect, TimbreOutput};
use mgr_features::tzanetakis::TzanetakisCookConfig;

use super::Op;
use super::feature::{FeatureOp, Orientation};
use crate::golden::Params;

pub(super) const OPS: &[&str] = &["marsyas", "tzanetakis_cook"];

/// Of Marsyas 124 values, or 68 without `chroma`; of Tzanetakis and Cook 30.
pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    if op == "tzanetakis_cook" {
        let config = FeatureConfig::TzanetakisCook(TzanetakisCookConfig::default());
        return FeatureOp::plan(&config, sample_rate, Orientation::RowsFrames);
    }
    let default = TimbreConfig::default();
    let config = TimbreConfig {
        win_length: params.count("win_length")?.unwrap_or(default.win_length),
        hop_length: params.count("hop_length")?.unwrap_or(default.hop_length),
        memory: params.count("memory")?.unwrap_or(default.memory),
        chroma: params.flag_or("chroma", true)?,
        output: TimbreOutput::Clip,
        dialect: if params.flag_or("clean", false)? { TimbreDialect::Clean } else { TimbreDialect::Marsyas },
    };
    FeatureOp::plan(&FeatureConfig::Timbre(config), sample_rate, Orientation::RowsFrames)
}
