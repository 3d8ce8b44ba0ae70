//! Statistics over time of another feature.

use mgr_features::FeatureConfig;
use mgr_features::delta::DeltaConfig;
use mgr_features::spectral::RmsConfig;
use mgr_features::stats::{Covariance, Statistic, StatsConfig, StatsOrder, TextureStart, TextureWindow};

use super::Case;

fn named(name: &str) -> FeatureConfig {
    FeatureConfig::named(name).unwrap()
}

fn many() -> Vec<Statistic> {
    let histogram = Statistic::Histogram { bins: 5, low: -1.0, high: 1.0 };
    let more = [Statistic::Quantile(0.25), histogram, Statistic::BelowMean, Statistic::ExcessKurtosis];
    Statistic::SEVEN.into_iter().chain(more).collect()
}

pub(super) fn cases() -> Vec<Case> {
    let case = |config| Case::new(FeatureConfig::Stats(config)).whole();
    let texture = |length, hop, start| Some(TextureWindow { length, hop, start });
    let weights = Some(Box::new(FeatureConfig::Rms(RmsConfig::default())));
    let mut all = vec![
        case(StatsConfig::default()),
        case(StatsConfig::of(named("zero_crossing_rate"), &many())),
        case(StatsConfig { order: StatsOrder::StatisticFirst, ..StatsConfig::of(named("mfcc"), &Statistic::FMA) }),
        case(StatsConfig {
            covariance: Some(Covariance::UpperTriangle),
            ..StatsConfig::of(FeatureConfig::Delta(DeltaConfig::default()), &[])
        }),
        case(StatsConfig {
            covariance: Some(Covariance::Full),
            weights,
            ..StatsConfig::of(named("chroma_stft"), &many())
        }),
        case(StatsConfig::of(named("rms"), &[Statistic::Mean, Statistic::Max])).homogeneous(1.0),
        case(StatsConfig::of(named("stats"), &[Statistic::Mean])),
    ];
    for (length, hop, start) in
        [(4, 2, TextureStart::Whole), (5, 3, TextureStart::Growing), (20, 1, TextureStart::FirstHeld)]
    {
        let window = texture(length, hop, start);
        all.push(case(StatsConfig { window, ..StatsConfig::of(named("mfcc"), &many()) }));
    }
    all
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let refused = |config, field| (FeatureConfig::Stats(config), field);
    let of = |statistic| StatsConfig::of(named("rms"), &[statistic]);
    let histogram = |bins, low, high| of(Statistic::Histogram { bins, low, high });
    let window = |length, hop| StatsConfig {
        window: Some(TextureWindow { length, hop, ..TextureWindow::default() }),
        ..StatsConfig::default()
    };
    vec![
        refused(StatsConfig::of(named("rms"), &[]), "statistics"),
        refused(of(Statistic::Quantile(1.5)), "quantile"),
        refused(of(Statistic::Quantile(f64::NAN)), "quantile"),
        refused(histogram(0, 0.0, 1.0), "bins"),
        refused(histogram(1 << 40, 0.0, 1.0), "bins"),
        refused(histogram(5, 1.0, 1.0), "high"),
        refused(histogram(5, f64::NEG_INFINITY, 1.0), "high"),
        refused(histogram(5, -f64::MAX, f64::MAX), "high"),
        refused(window(0, 1), "window.length"),
        refused(window(1, 0), "window.hop"),
        refused(StatsConfig::of(FeatureConfig::Rms(RmsConfig { hop_length: 0, ..RmsConfig::default() }), &[Statistic::Mean]), "hop_length"),
    ]
}
