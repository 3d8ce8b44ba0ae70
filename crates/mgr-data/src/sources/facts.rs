//! What is known of a dataset beside its files.

/// A dataset's name, sizes, licence and citation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// What may be done with it.
    pub licence: &'static str,
    /// What to cite.
    pub citation: &'static str,
    /// Its page, which names the files to download.
    pub page: Option<&'static str>,
    /// Published number of clips; none where it depends on the user.
    pub clips: Option<usize>,
    /// Published number of clips by label; empty where none are published.
    pub counts: &'static [(&'static str, usize)],
    /// Whether a clip may have several labels.
    pub multi_label: bool,
    /// Files that its page names.
    pub downloads: &'static [Download],
}

/// A file to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// Its name.
    pub file: &'static str,
    /// Its address.
    pub url: &'static str,
    /// The published checksum, SHA-1 or MD5 by its length.
    pub checksum: Option<&'static str>,
}

macro_rules! fma_download {
    ($file:literal, $sha1:literal) => {
        Download {
            file: $file,
            url: concat!("https://os.unil.cloud.switch.ch/fma/", $file),
            checksum: Some($sha1),
        }
    };
}

const FMA_METADATA: Download = fma_download!("fma_metadata.zip", "f0df49ffe5f2a6008d7dc83c6915b31835dfe733");

impl Facts {
    /// Differences between the published counts and those found, a sentence each.
    #[must_use]
    pub fn differences(&self, labels: &[String], counts: &[usize], clips: usize) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(published) = self.clips.filter(|published| *published != clips) {
            told.push(format!("{clips} clips, published: {published}"));
        }
        for (label, published) in self.counts {
            let found =
                labels.iter().position(|l| l == label).and_then(|at| counts.get(at).copied()).unwrap_or(0);
            if found != *published {
                told.push(format!("{label}: {found} clips, published: {published}"));
            }
        }
        for label in
            labels.iter().filter(|l| !self.counts.is_empty() && !self.counts.iter().any(|(n, _)| n == l))
        {
            told.push(format!("{label} is no label of the published dataset"));
        }
        told
    }
}

pub(super) const GTZAN: Facts = Facts {
    name: "gtzan",
    title: "GTZAN: 1,000 clips of 30 s, ten genres",
    licence: "none stated; excerpts of commercial recordings, for research only, never to be redistributed",
    citation: "G. Tzanetakis, P. Cook: Musical genre classification of audio signals. IEEE Trans. Speech Audio Process. 10(5), 2002; \
               faults: B. L. Sturm, arXiv:1306.1461, 2013",
    page: None,
    clips: Some(1000),
    counts: &[
        ("blues", 100),
        ("classical", 100),
        ("country", 100),
        ("disco", 100),
        ("hiphop", 100),
        ("jazz", 100),
        ("metal", 100),
        ("pop", 100),
        ("reggae", 100),
        ("rock", 100),
    ],
    multi_label: false,
    downloads: &[],
};

pub(super) const GTZAN8: Facts = Facts {
    name: "gtzan8",
    title: "GTZAN without blues and rock, the 730 clips of the fault-filtered partition",
    clips: Some(730),
    // Sums of the three parts of the partition.
    counts: &[
        ("classical", 99),
        ("country", 98),
        ("disco", 93),
        ("hiphop", 92),
        ("jazz", 87),
        ("metal", 91),
        ("pop", 84),
        ("reggae", 86),
    ],
    ..GTZAN
};

const FMA: Facts = Facts {
    name: "fma_full",
    title: "FMA: 106,574 untrimmed tracks, 161 genres, unbalanced",
    licence: "metadata CC BY 4.0; each track under its artist's own licence, given in tracks.csv",
    citation: "M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson: FMA: a dataset for music analysis. ISMIR 2017",
    page: Some("https://github.com/mdeff/fma"),
    clips: Some(106_574),
    counts: &[],
    multi_label: false,
    downloads: &[FMA_METADATA, fma_download!("fma_full.zip", "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab")],
};

pub(super) const FMA_FULL: Facts = FMA;
pub(super) const FMA_LARGE: Facts = Facts {
    name: "fma_large",
    title: "FMA large: 106,574 clips of 30 s, 161 genres, unbalanced",
    downloads: &[FMA_METADATA, fma_download!("fma_large.zip", "497109f4dd721066b5ce5e5f250ec604dc78939e")],
    ..FMA
};
pub(super) const FMA_MEDIUM: Facts = Facts {
    name: "fma_medium",
    title: "FMA medium: 25,000 clips of 30 s, 16 genres, unbalanced",
    clips: Some(25_000),
    counts: &[
        ("Blues", 74),
        ("Classical", 619),
        ("Country", 178),
        ("Easy Listening", 21),
        ("Electronic", 6314),
        ("Experimental", 2251),
        ("Folk", 1519),
        ("Hip-Hop", 2201),
        ("Instrumental", 1350),
        ("International", 1018),
        ("Jazz", 384),
        ("Old-Time / Historic", 510),
        ("Pop", 1186),
        ("Rock", 7103),
        ("Soul-RnB", 154),
        ("Spoken", 118),
    ],
    downloads: &[FMA_METADATA, fma_download!("fma_medium.zip", "c67b69ea232021025fca9231fc1c7c1a063ab50b")],
    ..FMA
};
pub(super) const FMA_SMALL: Facts = Facts {
    name: "fma_small",
    title: "FMA small: 8,000 clips of 30 s, 8 genres, balanced",
    clips: Some(8000),
    counts: &[
        ("Electronic", 1000),
        ("Experimental", 1000),
        ("Folk", 1000),
        ("Hip-Hop", 1000),
        ("Instrumental", 1000),
        ("International", 1000),
        ("Pop", 1000),
        ("Rock", 1000),
    ],
    downloads: &[FMA_METADATA, fma_download!("fma_small.zip", "ade154f733639d52e35e32f5593efe5be76c6d70")],
    ..FMA
};

pub(super) const MAGNATAGATUNE: Facts = Facts {
    name: "magnatagatune",
    title: "MagnaTagATune: 25,863 clips of 29 s, 188 tags given by players of a game",
    licence: "annotations free for research; the music CC BY-NC-SA 1.0 (Magnatune)",
    citation: "E. Law, K. West, M. Mandel, M. Bay, J. S. Downie: Evaluation of algorithms using games: the case of music tagging. \
               ISMIR 2009",
    page: Some("https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset"),
    clips: Some(25_863),
    counts: &[],
    multi_label: true,
    downloads: &[],
};
pub(super) const MAGNATAGATUNE_GENRES: Facts = Facts {
    name: "magnatagatune_genres",
    title: "MagnaTagATune, the genre tags of MusicFeaturization",
    clips: None,
    ..MAGNATAGATUNE
};
pub(super) const MAGNATAGATUNE_INSTRUMENTS: Facts = Facts {
    name: "magnatagatune_instruments",
    title: "MagnaTagATune, the instrument tags of MusicFeaturization",
    clips: None,
    ..MAGNATAGATUNE
};
pub(super) const MAGNATAGATUNE_SIX: Facts = Facts {
    name: "magnatagatune_six",
    title: "MagnaTagATune, one of six genres a clip by MusicFeaturization's rule of priority",
    clips: None,
    multi_label: false,
    ..MAGNATAGATUNE
};

pub(super) const BALLROOM: Facts = Facts {
    name: "ballroom",
    title: "Ballroom: 698 clips of 30 s, eight dances",
    licence: "none stated; excerpts of commercial recordings, for research only",
    citation: "F. Gouyon et al.: An experimental comparison of audio tempo induction algorithms. IEEE Trans. Audio Speech Lang. \
               Process. 14(5), 2006",
    page: Some("http://mtg.upf.edu/ismir2004/contest/tempoContest/node5.html"),
    clips: Some(698),
    counts: &[
        ("ChaChaCha", 111),
        ("Jive", 60),
        ("Quickstep", 82),
        ("Rumba", 98),
        ("Samba", 86),
        ("Tango", 86),
        ("VienneseWaltz", 65),
        ("Waltz", 110),
    ],
    multi_label: false,
    downloads: &[Download {
        file: "data1.tar.gz",
        url: "http://mtg.upf.edu/ismir2004/contest/tempoContest/data1.tar.gz",
        checksum: Some("2872a3e52070bc342a4510a95e2fa0b8"),
    }],
};

pub(super) const EXTENDED_BALLROOM: Facts = Facts {
    name: "extended_ballroom",
    title: "Extended Ballroom: 4,180 clips of 30 s, 13 dances",
    licence: "none stated; excerpts of commercial recordings, for research only",
    citation: "U. Marchand, G. Peeters: The Extended Ballroom dataset. ISMIR 2016, late-breaking",
    page: Some("http://anasynth.ircam.fr/home/media/ExtendedBallroom"),
    clips: Some(4180),
    counts: &[
        ("Chacha", 455),
        ("Foxtrot", 507),
        ("Jive", 350),
        ("Pasodoble", 53),
        ("Quickstep", 497),
        ("Rumba", 470),
        ("Salsa", 47),
        ("Samba", 468),
        ("Slowwaltz", 65),
        ("Tango", 464),
        ("Viennesewaltz", 252),
        ("Waltz", 529),
        ("Wcswing", 23),
    ],
    multi_label: false,
    downloads: &[],
};

pub(super) const ISMIR2004: Facts = Facts {
    name: "ismir2004",
    title: "ISMIR 2004 genre contest: 729 training and 729 development tracks, six genres",
    licence: "Creative Commons BY-NC-SA (Magnatune)",
    citation: "P. Cano et al.: ISMIR 2004 audio description contest. MTG-TR-2006-02",
    page: Some("http://ismir2004.ismir.net/genre_contest/"),
    clips: Some(1458),
    counts: &[
        ("classical", 640),
        ("electronic", 229),
        ("jazz_blues", 52),
        ("metal_punk", 90),
        ("rock_pop", 203),
        ("world", 244),
    ],
    multi_label: false,
    downloads: &[],
};

pub(super) const HOMBURG: Facts = Facts {
    name: "homburg",
    title: "Homburg (GarageBand): 1,886 clips of 10 s, nine genres",
    licence: "Creative Commons, for research",
    citation: "H. Homburg, I. Mierswa, B. Möller, K. Morik, M. Wurst: A benchmark dataset for audio classification and clustering. \
               ISMIR 2005",
    page: None,
    clips: Some(1886),
    counts: &[
        ("alternative", 145),
        ("blues", 120),
        ("electronic", 113),
        ("folkcountry", 222),
        ("funksoulrnb", 47),
        ("jazz", 319),
        ("pop", 116),
        ("raphiphop", 300),
        ("rock", 504),
    ],
    multi_label: false,
    downloads: &[],
};

pub(super) const AUDIOSET: Facts = Facts {
    name: "audioset",
    title: "Segments of ten seconds after AudioSet's lists",
    licence: "lists CC BY 4.0; the sound belongs to those who made the videos",
    citation: "J. F. Gemmeke et al.: Audio Set: an ontology and human-labeled dataset for audio events. ICASSP 2017",
    page: Some("https://research.google.com/audioset"),
    clips: None,
    counts: &[],
    multi_label: true,
    downloads: &[],
};

pub(super) const FOLDER: Facts = Facts {
    name: "folder",
    title: "A folder of genre/file",
    licence: "the user's own",
    citation: "none",
    page: None,
    clips: None,
    counts: &[],
    multi_label: false,
    downloads: &[],
};

pub(super) const MANIFEST: Facts = Facts {
    name: "manifest",
    title: "A CSV or Parquet table with the columns file, label and, if known, id, artist, album, title, part",
    multi_label: true,
    ..FOLDER
};
