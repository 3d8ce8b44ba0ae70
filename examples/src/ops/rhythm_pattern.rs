//! The rhythm pattern family.

use mgr_features::rhythm_pattern::{
    Per, RhythmPart, RhythmPatternConfig, RpFeatures, RpFeaturesConfig, SegmentationConfig, ShortClip, Stages,
};
use ndarray::{Array2, ShapeBuilder};

use super::parameters::text;
use super::{Op, Outputs, Repeat};
use crate::golden::{Array, Params};

pub(super) const OPS: &[&str] = &["rp_features", "rhythm_pattern"];

const ALL: [RhythmPart; 6] =
    [RhythmPart::Rp, RhythmPart::Ssd, RhythmPart::Rh, RhythmPart::Mvd, RhythmPart::Tssd, RhythmPart::Trh];

/// `rp_features` gives all parts; `parts`, a list of their names, chooses. `rhythm_pattern` is RP, SSD and RH, as the reference's batch
/// tool.
pub(super) fn plan(op: &str, params: &mut Params, sample_rate: u32) -> Result<Box<dyn Op>, String> {
    let default = Stages::default();
    let flag = |params: &mut Params, name: &str, default| params.flag_or(name, default);
    let stages = Stages {
        outer_ear: flag(params, "outer_ear", default.outer_ear)?,
        bark: flag(params, "transform_bark", default.bark)?,
        spectral_masking: flag(params, "spectral_masking", default.spectral_masking)?,
        decibel: flag(params, "transform_db", default.decibel)?,
        phon: flag(params, "transform_phon", default.phon)?,
        sone: flag(params, "transform_sone", default.sone)?,
        fluctuation_weighting: flag(params, "fluctuation_strength_weighting", default.fluctuation_weighting)?,
    };
    let analysis = RhythmPatternConfig {
        n_bands: params.count("n_bark_bands")?.unwrap_or(24),
        n_modulations: params.count("mod_ampl_limit")?.unwrap_or(60),
        segments: SegmentationConfig {
            step_width: params.count("step_width")?.unwrap_or(1),
            skip_lead_in_fade_out: params.count("skip_leadin_fadeout")?.unwrap_or(1),
            short: if params.flag_or("pad", false)? { ShortClip::PadZeros } else { ShortClip::Refuse },
        },
        stages,
    };
    let named = |name: &str| {
        ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| format!("{name} is no part of this family"))
    };
    let parts = match params.take("parts") {
        None if op == "rp_features" => ALL.to_vec(),
        None => vec![RhythmPart::Rp, RhythmPart::Ssd, RhythmPart::Rh],
        Some(list) => {
            let names: Vec<String> = serde_json::from_value(list).map_err(|e| format!("parts: {e}"))?;
            names.iter().map(|name| named(name)).collect::<Result<_, _>>()?
        }
    };
    let plan = RpFeaturesConfig { analysis, parts, per: Per::Clip }.plan(sample_rate).map_err(text)?;
    Ok(Box::new(Vectors(plan)))
}

struct Vectors(RpFeatures);

impl Op for Vectors {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let all = self.0.process(samples).map_err(text)?;
        let (all, _) = all.into_raw_vec_and_offset();
        let part = |(part, range): (RhythmPart, std::ops::Range<usize>)| (part.name(), Array::vector(all[range].to_vec()));
        Ok(self.0.parts().into_iter().map(part).collect())
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let mut out = Array2::zeros((self.0.size(), 1).f());
        let mut scratch = self.0.scratch_for(samples.len());
        Ok(Box::new(move || {
            self.0.process_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}
