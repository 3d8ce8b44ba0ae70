//! The names of columns as Marsyas writes them into its tables.

use super::frame::COEFFICIENTS;
use super::{TimbreConfig, TimbreOutput};

const CLASSES: [&str; 12] = ["A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#"];

/// `Mean_Acc5_Std_Mem20_Centroid_Power_powerFFT_WinHamming_HopSize512_WinSize512_Sum_AudioCh0`: what was done last stands first.
pub(super) fn names(config: &TimbreConfig) -> Vec<String> {
    let TimbreConfig { win_length, hop_length, memory, chroma, output, .. } = *config;
    let source = format!("HopSize{hop_length}_WinSize{win_length}_Sum_AudioCh0");
    let spectrum = format!("Power_powerFFT_WinHamming_{source}");
    let mut names = vec![format!("ZeroCrossings_{source}")];
    names.extend(["Centroid", "Rolloff", "Flux"].map(|name| format!("{name}_{spectrum}")));
    names.extend((0..COEFFICIENTS).map(|i| format!("MFCC{i}_{spectrum}")));
    if chroma {
        names.extend(CLASSES.map(|class| format!("PeakRatio_Chroma_{class}_{spectrum}")));
        names.extend(["Average", "Minimum"].map(|name| format!("PeakRatio_{name}_Chroma_A_{spectrum}")));
    }
    let both = |names: &[String], what: &str| -> Vec<String> {
        let block = |statistic| names.iter().map(move |name| format!("{statistic}_{what}_{name}"));
        block("Mean").chain(block("Std")).collect()
    };
    if output != TimbreOutput::Frames {
        names = both(&names, &format!("Mem{memory}"));
    }
    if output == TimbreOutput::Clip {
        names = both(&names, "Acc5");
    }
    names
}
