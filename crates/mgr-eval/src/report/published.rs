//! Published results as data, each with its source, and the protocols they were measured under.
//!
//! Only figures that their authors state and that were looked up are here. A result compares with another under the same
//! protocol only: on GTZAN the same system gains 10 to 25 points from random folds alone.

use serde::{Deserialize, Serialize};

use super::{Block, Column, SummedTable, Table};
use crate::metrics::Interval;

/// How a figure was measured: dataset, split and what is known to leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protocol {
    /// GTZAN, the fault-filtered partition of Kereliuk and Sturm: 443 / 197 / 290 clips.
    GtzanFaultFiltered,
    /// GTZAN, ten random or stratified folds over all 1000 clips.
    GtzanRandomFolds,
    /// GTZAN, 700 / 100 / 200 clips per genre in listing order.
    GtzanListingOrder,
    /// Eight genres of GTZAN, 540 / 40 / 150 clips (GTZAN-8 study).
    GtzanEight,
    /// Eight genres of GTZAN, 580 / 150 clips without a validation part (its course notebook).
    GtzanEightNotebook,
    /// Ballroom, 8 classes, ten folds over 698 clips.
    BallroomFolds,
    /// Extended Ballroom, 13 classes, ten stratified folds over 4180 clips.
    ExtendedBallroomFolds,
    /// FMA with its own artist-aware split.
    FmaOfficial,
    /// Eight genres of FMA small, random 70 / 10 / 20.
    FmaSmallRandom,
    /// Sixteen genres of FMA by precomputed features, the subsets compared as texts (FMA study).
    FmaSixteenMetadata,
    /// MagnaTagATune, six genres, random 72 / 8 / 20 by clip (MusicFeaturization).
    MagnaTagATuneSix,
    /// MagnaTagATune, 50 tags.
    MagnaTagATuneTags,
    /// Million Song Dataset, 50 last.fm tags.
    MillionSongTags,
    /// AudioSet, seven genres, random 90 / 5 / 5 over 40,540 clips (Bahuleyan).
    AudioSetSeven,
}

impl Protocol {
    /// A name for headings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GtzanFaultFiltered => "GTZAN, fault-filtered partition (443 / 197 / 290)",
            Self::GtzanRandomFolds => "GTZAN, ten random folds",
            Self::GtzanListingOrder => "GTZAN, 700 / 100 / 200 in listing order",
            Self::GtzanEight => "GTZAN, eight genres (540 / 40 / 150)",
            Self::GtzanEightNotebook => "GTZAN, eight genres (580 / 150, no validation part)",
            Self::BallroomFolds => "Ballroom, eight classes, ten folds",
            Self::ExtendedBallroomFolds => "Extended Ballroom, 13 classes, ten folds",
            Self::FmaOfficial => "FMA, official split",
            Self::FmaSmallRandom => "FMA small, random 70 / 10 / 20",
            Self::FmaSixteenMetadata => "FMA, 16 genres, precomputed features",
            Self::MagnaTagATuneSix => "MagnaTagATune, six genres, random by clip",
            Self::MagnaTagATuneTags => "MagnaTagATune, 50 tags",
            Self::MillionSongTags => "Million Song Dataset, 50 tags",
            Self::AudioSetSeven => "AudioSet, seven genres, random 90 / 5 / 5",
        }
    }

    /// What is known to make figures under this protocol too high (or otherwise wrong), one sentence each; none for a protocol
    /// without a known leak.
    #[must_use]
    pub fn known_leaks(self) -> &'static [&'static str] {
        match self {
            Self::GtzanFaultFiltered
            | Self::FmaOfficial
            | Self::MagnaTagATuneTags
            | Self::MillionSongTags => &[],
            Self::GtzanRandomFolds | Self::GtzanListingOrder => &[
                "Clips of one artist or recording stand on both sides of the split, exact copies among them.",
                "GTZAN's mislabelled and distorted clips are included.",
            ],
            Self::GtzanEight => {
                &["In the published runs the validation part holds augmented copies of clips."]
            }
            Self::GtzanEightNotebook => {
                &["There is no validation part: the epoch is fixed or chosen on the test clips."]
            }
            Self::BallroomFolds => &["Features were standardised over training and test clips together."],
            Self::ExtendedBallroomFolds => &[
                "Clips are not kept apart by artist.",
                "MLFCF has no validation part: it keeps the epoch and the subset that are best on the test fold.",
            ],
            Self::FmaSmallRandom => &["FMA's artist-aware split is ignored, so artists stand on both sides."],
            Self::FmaSixteenMetadata => {
                &["Subsets are compared as texts, which lets in the large subset: 16 classes instead of 8."]
            }
            Self::MagnaTagATuneSix => {
                &["Clips are split at random: several clips of one song stand on both sides of the split."]
            }
            Self::AudioSetSeven => {
                &["Clips are split at random.", "Hand-crafted features were scaled over all clips together."]
            }
        }
    }
}

/// What a published figure measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Share of clips that are right.
    Accuracy,
    /// Mean F1 over classes.
    MacroF1,
    /// Mean area under the ROC curve.
    RocAuc,
    /// Mean average precision.
    PrAuc,
}

impl Measure {
    /// A name for headings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "Accuracy",
            Self::MacroF1 => "Macro F1",
            Self::RocAuc => "ROC AUC",
            Self::PrAuc => "PR AUC",
        }
    }
}

/// One published figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PublishedResult {
    /// How it was measured.
    pub protocol: Protocol,
    /// The system.
    pub system: &'static str,
    /// What the figure is.
    pub measure: Measure,
    /// The figure as a share, 0 to 1.
    pub value: f64,
    /// Its deviation over folds or runs, where stated.
    pub deviation: Option<f64>,
    /// Who states it.
    pub source: &'static str,
    /// What a reader must know; empty for nothing.
    pub note: &'static str,
}

/// A row of the table below: a system and its share, with or without a deviation.
type Row = (&'static str, f64, Option<f64>);

/// Results that share everything but system and figure.
struct Group {
    protocol: Protocol,
    measure: Measure,
    source: &'static str,
    note: &'static str,
    rows: &'static [Row],
}

const CHOI_2017: &str =
    "Choi et al., Transfer learning for music classification and regression tasks, ISMIR 2017";
const GTZAN_8: &str = "E. Choi, report of the GTZAN-8 study (jech2/2020_GCT634), 2020";
const NOTEBOOK: &str = "course notebook of the GTZAN-8 study (juhannam/gct634-2020), 2020";
const TRANSFER: &str = "README of jordipons/sklearn-audio-transfer-learning";
const IMAGE_CNN: &str =
    "Ferhat, Dagmoune and Kadem, Intelligent-Systems-MSc/Music-genre-classification, 2021";
const PONS_2016: &str = "Pons, Lidy and Serra, Experimenting with musically motivated CNNs, CBMI 2016";
const BAHULEYAN: &str =
    "Bahuleyan, Music genre classification using machine learning techniques, arXiv 1804.01149";
const FEATURIZATION: &str = "stored results of erikagardini/MusicFeaturization";
const FMA_STUDY: &str =
    "stored results of cankocagil/Music-Genre-Recognition-from-Audio-Tracks-and-Metadata, 2021";
const MUSICNN: &str = "Pons and Serra, musicnn (jordipons/musicnn)";
const TAGGER: &str = "README of keunwoochoi/music-auto_tagging-keras";
const BEST_OF_GRID: &str = "the best of a grid that was scored on the test folds";
const THREE_RUNS: &str = "mean of three runs";

// An accuracy of 0.3926 is not pi / 8.
#[allow(clippy::approx_constant)]
const GROUPS: &[Group] = &[
    Group {
        protocol: Protocol::GtzanFaultFiltered,
        measure: Measure::Accuracy,
        source: TRANSFER,
        note: "",
        rows: &[
            ("MFCC + SVM", 0.5344, None),
            ("VGGish + linear SVM", 0.7724, None),
            ("multi-level and multi-scale features (Lee et al.)", 0.821, None),
        ],
    },
    Group {
        protocol: Protocol::GtzanRandomFolds,
        measure: Measure::Accuracy,
        source: CHOI_2017,
        note: BEST_OF_GRID,
        rows: &[
            ("transfer features, all five layers + SVM", 0.898, None),
            ("MFCC + SVM", 0.660, None),
            ("MFCC and transfer features + SVM", 0.781, None),
        ],
    },
    Group {
        protocol: Protocol::ExtendedBallroomFolds,
        measure: Measure::Accuracy,
        source: CHOI_2017,
        note: BEST_OF_GRID,
        rows: &[
            ("transfer features, all five layers + SVM", 0.8483, None),
            ("transfer features, layers 0 to 2 + SVM", 0.8667, None),
            ("MFCC + SVM", 0.6225, None),
            ("MFCC and transfer features + SVM", 0.8187, None),
        ],
    },
    Group {
        protocol: Protocol::GtzanListingOrder,
        measure: Measure::Accuracy,
        source: IMAGE_CNN,
        note: "",
        rows: &[
            ("VGG16 transfer, mel", 0.775, None),
            ("VGG16 transfer, MFCC", 0.695, None),
            ("VGG16 transfer, chroma", 0.505, None),
            ("VGG16 transfer, mel + two chromas", 0.615, None),
            ("three layers, mel", 0.710, None),
            ("frequency CNN, mel", 0.755, None),
            ("hybrid, mel", 0.720, None),
            ("two layers, MFCC", 0.55, None),
            ("three layers, chroma", 0.305, None),
            ("frequency CNN, chroma", 0.315, None),
            ("time CNN, chroma", 0.355, None),
            ("hybrid, chroma", 0.385, None),
        ],
    },
    Group {
        protocol: Protocol::GtzanListingOrder,
        measure: Measure::Accuracy,
        source: IMAGE_CNN,
        note: "SVM parameters chosen on the test clips",
        rows: &[
            ("VGG16 features + SVM, mel", 0.79, None),
            ("VGG16 features + SVM, MFCC", 0.71, None),
            ("VGG16 features + SVM, chroma", 0.525, None),
        ],
    },
    Group {
        protocol: Protocol::GtzanEight,
        measure: Measure::Accuracy,
        source: GTZAN_8,
        note: THREE_RUNS,
        rows: &[
            ("Baseline", 0.4378, None),
            ("Baseline, augmented", 0.6067, None),
            ("Q1", 0.5444, None),
            ("Q1, augmented", 0.6133, None),
            ("MTT embedding + Q2", 0.62, None),
            ("MTT embedding + Q2, augmented", 0.7378, None),
            ("MSD embedding + Q2", 0.8044, None),
            ("MSD embedding + Q2, augmented", 0.8667, None),
            ("Base2DCNN", 0.6911, None),
            ("Base2DCNN, augmented", 0.7378, None),
            ("Base2DCNN, segments", 0.7089, None),
            ("Base2DCNN, augmented, segments", 0.7333, None),
            ("Q1 + MSD", 0.5578, None),
            ("Q1 + MSD, augmented", 0.7489, None),
            ("Base2DCNN + MSD", 0.6911, None),
            ("Base2DCNN + MSD, augmented", 0.7933, None),
            ("Base2DCNN + MSD, segments", 0.81, None),
            ("Base2DCNN + MSD, augmented, segments", 0.84, None),
            ("ResNet34 + MSD", 0.82, None),
            ("ResNet34 + MSD, augmented", 0.8356, None),
            ("ResNet34 + MSD, segments", 0.8489, None),
            ("ResNet34 + MSD, augmented, segments", 0.86, None),
            ("VGG13, augmented, segments", 0.7622, None),
            ("VGG16, augmented, segments", 0.7822, None),
            ("VGG19, augmented, segments", 0.7556, None),
            ("ResNet18, augmented, segments", 0.7778, None),
            ("ResNet34, augmented, segments", 0.8044, None),
            ("ResNet50, augmented, segments", 0.7844, None),
            ("ResNet101, augmented, segments", 0.78, None),
        ],
    },
    Group {
        protocol: Protocol::GtzanEightNotebook,
        measure: Measure::Accuracy,
        source: NOTEBOOK,
        note: "",
        rows: &[("Baseline", 0.5867, None), ("Q1", 0.6067, None)],
    },
    Group {
        protocol: Protocol::BallroomFolds,
        measure: Measure::Accuracy,
        source: PONS_2016,
        note: "",
        rows: &[
            ("black box, 40 x 80", 0.8725, Some(0.0339)),
            ("black box, 40 x 250", 0.8280, Some(0.0512)),
            ("time, 40 x 80", 0.8179, Some(0.0472)),
            ("time, 40 x 250", 0.8152, Some(0.0387)),
            ("frequency, 32 x 1", 0.5959, None),
            ("time-frequency", 0.8654, Some(0.0429)),
            ("time-frequency, initialised", 0.8768, Some(0.0444)),
            ("nearest neighbours on annotated tempo", 0.823, None),
            ("majority class", 0.159, None),
            ("Marchand and Peeters", 0.9312, None),
        ],
    },
    Group {
        protocol: Protocol::FmaSmallRandom,
        measure: Measure::Accuracy,
        source: FMA_STUDY,
        note: "split without a seed",
        rows: &[("ConvNet", 0.51, None)],
    },
    Group {
        protocol: Protocol::FmaSixteenMetadata,
        measure: Measure::Accuracy,
        source: FMA_STUDY,
        note: "140 MFCC statistics",
        rows: &[
            ("MLP", 0.5900, None),
            ("vote of MLP and SVM", 0.5870, None),
            ("SVM", 0.5773, None),
            ("random forest", 0.5563, None),
            ("extra trees", 0.5560, None),
            ("linear SVM", 0.5466, None),
            ("logistic regression", 0.5389, None),
            ("nearest neighbours", 0.5199, None),
            ("decision tree", 0.3926, None),
            ("Gaussian naive Bayes", 0.3638, None),
        ],
    },
    Group {
        protocol: Protocol::MagnaTagATuneSix,
        measure: Measure::Accuracy,
        source: FEATURIZATION,
        note: "1500 of the test clips",
        rows: &[("VGG16, frozen", 0.8593, None)],
    },
    Group {
        protocol: Protocol::MagnaTagATuneSix,
        measure: Measure::MacroF1,
        source: FEATURIZATION,
        note: "1500 of the test clips; baroque and medieval are hardly ever predicted",
        rows: &[("VGG16, frozen", 0.55, None)],
    },
    Group {
        protocol: Protocol::MagnaTagATuneTags,
        measure: Measure::RocAuc,
        source: MUSICNN,
        note: "",
        rows: &[("musicnn", 0.9067, None), ("vgg", 0.9030, None)],
    },
    Group {
        protocol: Protocol::MagnaTagATuneTags,
        measure: Measure::PrAuc,
        source: MUSICNN,
        note: "",
        rows: &[("musicnn", 0.3831, None), ("vgg", 0.3823, None)],
    },
    Group {
        protocol: Protocol::MillionSongTags,
        measure: Measure::RocAuc,
        source: MUSICNN,
        note: "",
        rows: &[("musicnn", 0.8802, None), ("musicnn, big", 0.8841, None), ("vgg", 0.8768, None)],
    },
    Group {
        protocol: Protocol::MillionSongTags,
        measure: Measure::PrAuc,
        source: MUSICNN,
        note: "",
        rows: &[("musicnn", 0.2891, None), ("musicnn, big", 0.3003, None), ("vgg", 0.2819, None)],
    },
    Group {
        protocol: Protocol::MillionSongTags,
        measure: Measure::RocAuc,
        source: TAGGER,
        note: "",
        rows: &[("MusicTaggerCNN", 0.8654, None), ("MusicTaggerCRNN", 0.8662, None)],
    },
    Group {
        protocol: Protocol::AudioSetSeven,
        measure: Measure::Accuracy,
        source: BAHULEYAN,
        note: "",
        rows: &[
            ("VGG16, frozen", 0.63, None),
            ("VGG16, fine-tuned", 0.64, None),
            ("feed-forward", 0.43, None),
            ("logistic regression", 0.53, None),
            ("random forest", 0.54, None),
            ("SVM", 0.57, None),
            ("XGBoost", 0.59, None),
            ("VGG16 and XGBoost", 0.65, None),
        ],
    },
    Group {
        protocol: Protocol::AudioSetSeven,
        measure: Measure::RocAuc,
        source: BAHULEYAN,
        note: "",
        rows: &[
            ("VGG16, frozen", 0.891, None),
            ("VGG16, fine-tuned", 0.889, None),
            ("feed-forward", 0.759, None),
            ("logistic regression", 0.822, None),
            ("random forest", 0.840, None),
            ("SVM", 0.856, None),
            ("XGBoost", 0.865, None),
            ("VGG16 and XGBoost", 0.894, None),
        ],
    },
];

/// All published results.
pub fn published_results() -> impl Iterator<Item = PublishedResult> {
    GROUPS.iter().flat_map(|group| {
        let &Group { protocol, measure, source, note, rows } = group;
        let result = move |&(system, value, deviation): &Row| PublishedResult {
            protocol,
            system,
            measure,
            value,
            deviation,
            source,
            note,
        };
        rows.iter().map(result)
    })
}

/// The published results under one protocol and this run's figure among them, best first; a sentence where none is published.
#[must_use]
pub fn published_table(protocol: Protocol, measure: Measure, ours: Option<(f64, Option<Interval>)>) -> Block {
    let mut rows: Vec<(f64, Vec<String>)> = published_results()
        .filter(|result| result.protocol == protocol && result.measure == measure)
        .map(|result| {
            let spread = result.deviation.map_or(String::new(), |d| format!("± {}", shown(measure, d)));
            let cells = [result.system, &shown(measure, result.value), &spread, result.source, result.note];
            (result.value, cells.map(str::to_owned).to_vec())
        })
        .collect();
    if rows.is_empty() {
        let text = format!("No published {} is known here for: {}.", measure.name(), protocol.name());
        return Block::Paragraph(text);
    }
    if let Some((value, interval)) = ours {
        let spread = interval
            .map_or(String::new(), |i| format!("{} – {}", shown(measure, i.low), shown(measure, i.high)));
        let cells =
            ["this run", &shown(measure, value), &spread, "this report", "95 % interval"].map(str::to_owned);
        rows.push((value, cells.to_vec()));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    Block::SummedTable(SummedTable {
        table: Table {
            caption: format!("{}: {} under the same protocol", protocol.name(), measure.name()),
            columns: vec![
                Column::text("System"),
                Column::number(measure.name()),
                Column::number("Spread"),
                Column::text("Source"),
                Column::text("Note"),
            ],
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        },
        summary: Vec::new(),
    })
}

/// Accuracy and F1 are shown in percent, areas as shares.
fn shown(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Accuracy | Measure::MacroF1 => format!("{:.1} %", 100.0 * value),
        Measure::RocAuc | Measure::PrAuc => format!("{value:.4}"),
    }
}
