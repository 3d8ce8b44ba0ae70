//! The networks of the zoo as published.

use serde::Serialize;

use super::*;

/// One network of the zoo as published.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// The network.
    pub network: NetworkConfig,
    /// The number of classes it was published with.
    pub classes: usize,
    /// Weights at that number, trained and frozen.
    pub parameters: usize,
    /// One example as published: (channels, bands, frames), or fewer axes for vectors.
    pub input: Vec<usize>,
    /// Where it was published.
    pub paper: &'static str,
    /// Names of the published weights that can be imported for it (`mgr weights list --all`).
    pub weights: Vec<&'static str>,
}

/// All networks of the zoo with their published inputs and counts of parameters.
#[must_use]
pub fn listed() -> Vec<Listed> {
    let catalogue = crate::pretrained::catalogue();
    [trained(), ballroom(), images(), gtzan8(), fma()]
        .into_iter()
        .flatten()
        .map(|(network, classes, parameters, input, paper)| {
            let weights = catalogue
                .iter()
                .filter(|published| published.network.as_ref() == Some(&network))
                .filter(|published| published.tags().len() == classes)
                .map(|published| published.name)
                .collect();
            Listed { network, classes, parameters, input: input.to_vec(), paper, weights }
        })
        .collect()
}

type Row = (NetworkConfig, usize, usize, &'static [usize], &'static str);

/// Those whose published weights can be imported.
fn trained() -> Vec<Row> {
    use NetworkConfig as Net;
    let musicnn = "Pons and Serra, ISMIR late-breaking 2019";
    let transfer = "Choi et al., ISMIR 2017";
    let won = "Won et al., SMC 2020";
    let tagger = MusicTaggerConfig::default();
    let big = MusicnnConfig { mid_channels: 512, dense: 500 };
    let keras2 = ChoiTransferConfig { variant: ChoiVariant::Keras2 };
    let crnn = "Choi et al., ICASSP 2017";
    vec![
        (Net::Musicnn(MusicnnConfig::default()), 50, 787_159, &[1, 96, 187], musicnn),
        (Net::Musicnn(big), 50, 7_980_235, &[1, 96, 187], musicnn),
        (Net::MusicnnVgg, 50, 605_748, &[1, 96, 187], musicnn),
        (Net::ChoiTransfer(ChoiTransferConfig::default()), 50, 39_282, &[1, 96, 1360], transfer),
        (Net::ChoiTransfer(keras2), 50, 39_282, &[1, 96, 1360], transfer),
        (Net::TaggingFcn, 50, 447_732, &[1, 96, 1813], won),
        (Net::TaggingCrnn, 50, 394_100, &[1, 96, 1813], won),
        (Net::TaggingMusicnn, 50, 784_300, &[1, 96, 188], won),
        (Net::MusicTaggerCnn(tagger), 50, 865_950, &[1, 96, 1366], "Choi et al., ISMIR 2016"),
        (Net::MusicTaggerCrnn(tagger), 50, 396_786, &[1, 96, 1366], crnn),
        (Net::MusicTaggerCrnn(tagger), 10, 395_466, &[1, 96, 1366], "Albert 2017, after Choi et al. 2017"),
    ]
}

fn ballroom() -> Vec<Row> {
    use NetworkConfig as Net;
    let paper = "Ng et al. (MLFCF), IEEE Access 2020";
    let ours = "after Ng et al. (MLFCF), IEEE Access 2020";
    let spectrogram = |variant| {
        Net::MlfcfSpectrogram(MlfcfSpectrogramConfig { variant, ..MlfcfSpectrogramConfig::default() })
    };
    let vector = |variant| Net::MlfcfVector(MlfcfVectorConfig { variant, ..MlfcfVectorConfig::default() });
    vec![
        (spectrogram(MlfcfVariant::Published), 13, 23_033_546, &[1, 128, 216], paper),
        (spectrogram(MlfcfVariant::Efficient), 13, 2_389_375, &[1, 128, 216], ours),
        (vector(MlfcfVariant::Published), 13, 10_507_648, &[160], paper),
        (vector(MlfcfVariant::Efficient), 13, 5_264_749, &[160], ours),
        (Net::MlfcfMeta(MlfcfMetaConfig::default()), 13, 20_186_467, &[5, 1024], paper),
    ]
}

fn images() -> Vec<Row> {
    use NetworkConfig as Net;
    let paper = "Ferhat et al. (image-CNN study), 2021";
    let cbmi = "Pons et al., CBMI 2016";
    let mut rows: Vec<Row> = vec![
        (Net::BlackBox(BlackBoxConfig::default()), 10, 33_361_858, &[3, 120, 200], paper),
        (Net::BlackBox(BlackBoxConfig::cbmi(80, [12, 8])), 8, 3_275_312, &[1, 40, 80], cbmi),
        (Net::BlackBox(BlackBoxConfig::cbmi(250, [12, 200])), 8, 2_363_440, &[1, 40, 250], cbmi),
        (Net::Time(TimeConfig::default()), 10, 189_546, &[3, 120, 200], paper),
        (Net::Time(TimeConfig::cbmi(80, 60)), 8, 7_336, &[1, 40, 80], cbmi),
        (Net::Time(TimeConfig::cbmi(250, 200)), 8, 19_496, &[1, 40, 250], cbmi),
        (Net::Frequency(FrequencyConfig::default()), 10, 25_322, &[3, 120, 200], paper),
    ];
    for (filter, parameters) in [(30, 3_816), (32, 3_368), (34, 2_920), (36, 2_472), (38, 2_024), (40, 1_576)]
    {
        rows.push((Net::Frequency(FrequencyConfig::cbmi(filter)), 8, parameters, &[1, 40, 80], cbmi));
    }
    let featurization = MusicFeaturizationConfig::default();
    rows.extend::<[Row; 8]>([
        (Net::TimeFrequency(TimeFrequencyConfig::default()), 8, 196_816, &[1, 40, 80], cbmi),
        (Net::TwoLayer(TwoLayerConfig::default()), 10, 34_984_318, &[3, 217, 334], paper),
        (Net::TwoLayer(TwoLayerConfig::older()), 10, 1_292_670, &[3, 40, 80], paper),
        (Net::ThreeLayer(ThreeLayerConfig::default()), 10, 947_614, &[3, 217, 334], paper),
        (Net::Fcn(FcnConfig::default()), 10, 17_277_432, &[1, 96, 1366], paper),
        (Net::Vgg16Transfer(Vgg16TransferConfig::default()), 10, 30_510_794, &[3, 217, 334], paper),
        (Net::Vgg16Transfer(Vgg16TransferConfig::older()), 10, 15_306_442, &[3, 50, 80], paper),
        (Net::MusicFeaturization(featurization), 6, 24_155_462, &[3, 216, 216], "MusicFeaturization"),
    ]);
    rows
}

fn gtzan8() -> Vec<Row> {
    use NetworkConfig as Net;
    let paper = "GTZAN-8 study 2020";
    let spectrogram =
        |spectrogram| Net::SpecAndEmbed(SpecAndEmbedConfig { spectrogram, ..SpecAndEmbedConfig::default() });
    let vgg = |depth| Net::Vgg(VggConfig { depth, ..VggConfig::default() });
    let resnet = |depth| Net::ResNet(ResNetConfig { depth, ..ResNetConfig::default() });
    vec![
        (Net::Gtzan8Baseline(Gtzan8BaselineConfig::default()), 8, 36_392, &[1, 96, 938], paper),
        (Net::Gtzan8Q1(Gtzan8Q1Config::default()), 8, 45_784, &[1, 96, 400], paper),
        (Net::Gtzan8Q2(Gtzan8Q2Config::default()), 8, 24_456, &[753], paper),
        (Net::Base2dCnn, 8, 107_496, &[1, 96, 313], paper),
        (spectrogram(SpectrogramBranch::Q1), 8, 70_392, &[31_473], paper),
        (spectrogram(SpectrogramBranch::Base2dCnn), 8, 132_104, &[31_473], paper),
        (spectrogram(SpectrogramBranch::Resnet34), 8, 21_313_384, &[31_473], paper),
        (vgg(VggDepth::Layers13), 8, 128_983_624, &[1, 96, 125], paper),
        (vgg(VggDepth::Layers16), 8, 134_293_320, &[1, 96, 125], paper),
        (vgg(VggDepth::Layers19), 8, 139_603_016, &[1, 96, 125], paper),
        (resnet(ResNetDepth::Layers18), 8, 11_180_616, &[1, 96, 125], paper),
        (resnet(ResNetDepth::Layers34), 8, 21_288_776, &[1, 96, 125], paper),
        (resnet(ResNetDepth::Layers50), 8, 23_524_424, &[1, 96, 125], paper),
        (resnet(ResNetDepth::Layers101), 8, 42_516_552, &[1, 96, 125], paper),
    ]
}

fn fma() -> Vec<Row> {
    use NetworkConfig as Net;
    let paper = "FMA study";
    vec![
        (Net::FmaConvNet(FmaConvNetConfig::default()), 8, 52_868_624, &[3, 128, 1292], paper),
        (Net::Vit(VitConfig::published()), 8, 157_276_168, &[3, 128, 1292], paper),
    ]
}
