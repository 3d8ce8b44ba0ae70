//! Datasets as their folders and tables are: small ones made here, and what of the real ones is on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use mgr_data::sources::fma::{self, Subset};
use mgr_data::sources::gtzan::{FAULTS, Fault, clip_name, fault_filtered, faults_of};
use mgr_data::sources::{self, Collection, Part, magnatagatune};
use mgr_data::splits::Protocol;
use mgr_data::table::Table;

fn shared(part: &str) -> Option<PathBuf> {
    let named = std::env::var_os("MGR_SHARED").map(PathBuf::from);
    let beside = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|folder| folder.join("shared")).find(|folder| folder.is_dir())
    };
    let found = named.or_else(beside).map(|folder| folder.join(part)).filter(|folder| folder.exists());
    if found.is_none() {
        assert!(std::env::var("MGR_REQUIRE_SHARED").as_deref() != Ok("1"), "shared data {part} is required");
        eprintln!("SKIPPED: shared data not found ({part})");
    }
    found
}

fn put(root: &Path, file: &str, content: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn read(name: &str, root: &Path) -> Collection {
    sources::named(name).unwrap().read(root).unwrap()
}

fn error(name: &str, root: &Path) -> String {
    sources::named(name).unwrap().read(root).unwrap_err().to_string()
}

const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/// All 1,000 names of GTZAN, as empty files.
fn gtzan(root: &Path) {
    for genre in GENRES {
        for number in 0..100 {
            put(root, &format!("genres/{genre}/{genre}.{number:05}.au"), "");
        }
    }
}

#[test]
fn names_and_published_counts_agree_with_themselves() {
    let mut names = Vec::new();
    for source in sources::all() {
        let facts = source.facts();
        names.push(facts.name);
        let sum: usize = facts.counts.iter().map(|(_, n)| n).sum();
        if !facts.counts.is_empty() {
            assert_eq!(Some(sum), facts.clips, "{}", facts.name);
        }
        assert!(!facts.licence.is_empty() && !facts.citation.is_empty());
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn gtzan_and_its_partition() {
    let root = tempfile::tempdir().unwrap();
    gtzan(root.path());
    put(root.path(), "genres/jazz/notes.wav", "");
    put(
        root.path(),
        "index.txt",
        "\u{feff}## comment\nblues.00000.wav ::: John Lee Hooker ::: One Bourbon\n",
    );
    let collection = read("gtzan", root.path());
    assert_eq!(collection.counts(), [100; 10]);
    assert_eq!(collection.entries[0].artist.as_deref(), Some("John Lee Hooker"));
    assert_eq!(collection.groups()[..2], ["artist:John Lee Hooker", "track:blues/blues.00001.au"]);
    assert!(
        collection.notes.iter().any(|n| n.contains("1 files have no name of GTZAN, such as jazz/notes.wav"))
    );
    let facts = sources::named("gtzan").unwrap();
    assert!(facts.facts().differences(&collection.labels, &collection.counts(), 1000).is_empty());
    let fold = collection.official_split().unwrap();
    assert_eq!((fold.train.len(), fold.validation.len(), fold.test.len()), (443, 197, 290));

    let eight = read("gtzan8", root.path());
    assert_eq!(eight.entries.len(), 730);
    assert_eq!(eight.labels.len(), 8);
    let facts = sources::named("gtzan8").unwrap();
    assert_eq!(facts.facts().differences(&eight.labels, &eight.counts(), 730), Vec::<String>::new());
    let split = Protocol::Gtzan8.split(&eight).unwrap();
    let folds = split.folds(&eight).unwrap();
    assert_eq!((folds[0].train.len(), folds[0].validation.len(), folds[0].test.len()), (540, 40, 150));
    let audit = split.audit(&eight, None).unwrap();
    let summary = &audit.summaries[0];
    // The study's report gives the test clips of each class; validation is five of each.
    assert_eq!(summary.counts.iter().map(|c| c[2]).collect::<Vec<_>>(), [20, 23, 22, 18, 17, 20, 13, 17]);
    assert_eq!(summary.counts.iter().map(|c| c[1]).collect::<Vec<_>>(), [5; 8]);

    put(root.path(), "index.txt", "blues.00000.wav ::: only two\n");
    assert!(error("gtzan", root.path()).contains("line 1: expected file ::: artist ::: title"));
    assert!(error("gtzan", &root.path().join("none")).contains("cannot open"));
}

#[test]
fn gtzan_partition_is_that_of_the_lists() {
    let Some(lists) = shared("data/tables/gtzan_index") else { return };
    let mut left_out = 1000;
    for (file, part) in [("train", Part::Train), ("valid", Part::Validation), ("test", Part::Test)] {
        let text = fs::read_to_string(lists.join(format!("{file}_filtered.txt"))).unwrap();
        for line in text.lines() {
            let (genre, number) =
                clip_name(line.rsplit('/').next().unwrap().trim_end_matches(".wav")).unwrap();
            assert_eq!(fault_filtered(genre, number), Some(part), "{line}");
            left_out -= 1;
        }
    }
    let ours = GENRES.iter().flat_map(|g| (0..100).map(move |n| (g, n)));
    assert_eq!(ours.filter(|(g, n)| fault_filtered(g, *n).is_none()).count(), left_out);
    assert_eq!(left_out, 70);
    // Every repetition has one artist and title in the index, and but for the first none of its clips has two parts.
    let index = mgr_data::sources::gtzan::read_index(&lists.join("index.txt")).unwrap();
    assert_eq!(index.len(), 1000);
    for (fault, clips) in
        FAULTS.iter().filter(|(f, _)| matches!(f, Fault::ExactRepetition | Fault::SameTitle))
    {
        let about: Vec<_> = clips.iter().map(|(g, n)| &index[&format!("{g}.{n:05}")]).collect();
        assert!(about.windows(2).all(|pair| pair[0] == pair[1]), "{fault:?} {clips:?}");
        if *fault == Fault::ExactRepetition {
            let kept = clips.iter().filter(|(g, n)| fault_filtered(g, *n).is_some()).count();
            assert!(kept <= 1, "{clips:?}: the partition keeps one of an exact repetition");
        }
    }
    let mislabelled = FAULTS.iter().filter(|(f, _)| *f == Fault::Mislabelled).flat_map(|(_, clips)| *clips);
    let mut named: Vec<_> = mislabelled.map(|(g, n)| (format!("{g}.{n:05}"), *g)).collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named.len(), 44);
    // Of each, somebody is known to judge by, and the clips of punk are all of one artist.
    assert!(named.iter().all(|(name, _)| !index[name].0.is_empty()));
    assert_eq!(named.iter().filter(|(name, _)| index[name].0 == "New Bomb Turks").count(), 12);
    assert_eq!(index.values().filter(|(artist, _)| artist == "New Bomb Turks").count(), 12);
    assert_eq!(faults_of("jazz", 54).map(|f| f.0).collect::<Vec<_>>(), [Fault::Unreadable]);
    assert_eq!(faults_of("blues", 0).count(), 0);
}

/// Exact repetitions have the same features in the well-known table, where that was made from the same excerpt.
#[test]
fn exact_repetitions_are_near_in_the_table_of_features() {
    let Some(path) = shared("data/tables/gtzan_features_30_sec.csv") else { return };
    let table = Table::read(&path).unwrap();
    let row = |genre: &str, number: u16| {
        let id = format!("{genre}.{number:05}.wav");
        table.values().row(table.ids().iter().position(|i| *i == id).unwrap()).to_owned()
    };
    for (genre, a, b) in [("disco", 98, 99), ("hiphop", 39, 45), ("metal", 40, 61), ("pop", 67, 71)] {
        assert_eq!(row(genre, a), row(genre, b), "{genre} {a} {b}");
    }
    assert_eq!(row("metal", 58), row("rock", 16), "one excerpt in two genres");
}

const TRACKS: &str = "\u{feff},album,artist,set,set,track,track,track
,title,name,split,subset,genre_top,genres_all,title
track_id,,,,,,,
2,AWOL - A Way Of Life,AWOL,training,small,Hip-Hop,[21],Food
3,AWOL - A Way Of Life,AWOL,training,medium,Hip-Hop,[21],\"Electric, \"\"Ave\"\"\"
10,Constant Hitmaker,Kurt Vile,validation,small,Pop,[10],Freeway
20,Niris,Nicky Cook,test,large,,\"[76, 103]\",Spiritual Level
134,Blind,AWOL,test,medium,Rock,[12],Street Music
";

#[test]
fn fma_subsets_hold_each_other() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "fma_metadata/tracks.csv", TRACKS);
    // As text `large` is below `medium` and `small`: by names the subsets would be wrong.
    for (name, tracks, labels) in
        [("fma_small", 2, 2), ("fma_medium", 4, 3), ("fma_large", 5, 3), ("fma_full", 5, 3)]
    {
        let collection = read(name, root.path());
        assert_eq!((collection.entries.len(), collection.labels.len()), (tracks, labels), "{name}");
    }
    assert!(Subset::Small < Subset::Medium && Subset::Medium < Subset::Large && Subset::Large < Subset::Full);
    let medium = read("fma_medium", root.path());
    assert_eq!(medium.labels, ["Hip-Hop", "Pop", "Rock"]);
    let track = &medium.entries[1];
    assert_eq!((track.id.as_str(), track.title.as_deref()), ("000003", Some("Electric, \"Ave\"")));
    assert!(track.path.ends_with("000/000003.mp3"));
    assert_eq!(medium.groups()[0], "artist:AWOL");
    let fold = medium.official_split().unwrap();
    assert_eq!((fold.train, fold.validation, fold.test), (vec![0, 1], vec![2], vec![3]));
    // AWOL is in training and test: the audit tells.
    let split = Protocol::Official.split(&medium).unwrap();
    let audit = split.audit(&medium, Some(&[vec!["000002".into(), "000134".into()]])).unwrap();
    assert_eq!(audit.shared_groups.len(), 1);
    assert_eq!(audit.shared_groups[0].counts, [2, 0, 1]);
    assert_eq!(audit.shared_sound.len(), 1);
    assert!(audit.to_string().contains("artist:AWOL (2 train, 0 validation, 1 test)"), "{audit}");
    let large = read("fma_large", root.path());
    assert_eq!(large.notes, ["1 tracks have no top genre"]);
    assert_eq!(large.single_labels().iter().filter(|l| l.is_none()).count(), 1);

    put(root.path(), "fma_metadata/tracks.csv", &TRACKS.replace("small", "tiny"));
    assert!(error("fma_small", root.path()).contains("line 4: \"tiny\" is no subset"));
    put(root.path(), "fma_metadata/tracks.csv", &TRACKS.replace("subset", "size"));
    assert!(error("fma_small", root.path()).contains("no column named set.subset"));
    put(root.path(), "fma_metadata/tracks.csv", "");
    assert!(error("fma_small", root.path()).contains("is empty"));
}

#[test]
fn fma_features_and_genres() {
    let root = tempfile::tempdir().unwrap();
    let features = "feature,mfcc,mfcc,zcr\nstatistics,mean,std,mean\nnumber,01,01,01\ntrack_id,,,\n2,1.5e+00,2.0,\n141,-3.0,4.25,0.5\n";
    put(root.path(), "features.csv", features);
    let (table, texts) = fma::features(&root.path().join("features.csv")).unwrap();
    assert_eq!(table.columns(), ["mfcc.mean.01", "mfcc.std.01", "zcr.mean.01"]);
    assert_eq!(table.ids(), ["000002", "000141"]);
    assert_eq!(table.values()[(1, 1)], 4.25);
    assert!(table.values()[(0, 2)].is_nan() && texts.is_empty());
    let echonest =
        ",echonest,echonest\n,audio_features,metadata\n,acousticness,artist_name\ntrack_id,,\n2,0.4,AWOL\n";
    put(root.path(), "echonest.csv", echonest);
    let (table, texts) = fma::features(&root.path().join("echonest.csv")).unwrap();
    assert_eq!(table.columns(), ["echonest.audio_features.acousticness"]);
    assert_eq!(texts, ["echonest.metadata.artist_name"]);

    let genres = "genre_id,#tracks,parent,title,top_level\n2,5271,0,International,2\n3,1752,0,Blues,3\n46,260,2,\"Latin, etc.\",2\n";
    let path = root.path().join("genres.csv");
    put(root.path(), "genres.csv", genres);
    let tree = fma::genres(&path).unwrap();
    assert_eq!(tree[&46].title, "Latin, etc.");
    assert_eq!((tree[&46].parent, tree[&3].parent), (Some(2), None));
    for (from, to, message) in [
        ("46,260,2", "46,260,99", "stands under 99, which is no genre"),
        ("2,5271,0,International", "2,5271,46,International", "which is no genre"),
        ("\"Latin, etc.\",2", "Latin,3", "has the top 3, its branch ends in 2"),
        ("3,1752", "x,1752", "\"x\" is no genre's number"),
    ] {
        put(root.path(), "genres.csv", &genres.replace(from, to));
        let told = fma::genres(&path).unwrap_err().to_string();
        assert!(told.contains(message), "{told}");
    }
}

#[test]
fn magnatagatune_tags_genres_and_priority() {
    let root = tempfile::tempdir().unwrap();
    let header = "\"clip_id\"\t\"no voice\"\t\"hard rock\"\t\"opera\"\t\"classical\"\t\"baroque\"\t\"guitar\"\t\"mp3_path\"\n";
    let rows = "\"2\"\t\"0\"\t\"0\"\t\"1\"\t\"1\"\t\"1\"\t\"1\"\t\"f/a.mp3\"\n\"6\"\t\"1\"\t\"1\"\t\"0\"\t\"0\"\t\"0\"\t\"0\"\t\"f/b.mp3\"\n";
    put(root.path(), "annotations_final.csv", &format!("{header}{rows}"));
    put(
        root.path(),
        "clip_info_final.csv",
        "clip_id\tartist\talbum\ttitle\n2\tAmerican Baroque\tDances\tFirst \"movement\"\n",
    );
    let tags = read("magnatagatune", root.path());
    assert_eq!(tags.labels, ["no voice", "hard rock", "opera", "classical", "baroque", "guitar"]);
    assert_eq!(tags.entries[0].labels, [2, 3, 4, 5]);
    assert_eq!(tags.entries[0].artist.as_deref(), Some("American Baroque"));
    assert_eq!(tags.entries[1].artist, None);
    let genres = read("magnatagatune_genres", root.path());
    assert_eq!(
        genres.labels,
        ["hard_rock", "classical", "opera", "baroque"],
        "in the order of the list, once"
    );
    let instruments = read("magnatagatune_instruments", root.path());
    assert_eq!(instruments.labels, ["guitar"]);
    let six = read("magnatagatune_six", root.path());
    assert_eq!(six.entries.len(), 1);
    assert_eq!(six.labels[six.entries[0].labels[0]], "baroque");
    assert_eq!(magnatagatune::six(["rock", "jazz"]), Some(4));
    assert_eq!(magnatagatune::six(["hard_rock"]), None);
    assert_eq!((magnatagatune::GENRES.len(), magnatagatune::INSTRUMENTS.len()), (49, 36));

    put(root.path(), "annotations_final.csv", &format!("{header}{}", rows.replace("\"0\"", "\"x\"")));
    assert!(error("magnatagatune", root.path()).contains("line 2: no voice is \"x\", 0 or 1 is needed"));
    put(root.path(), "annotations_final.csv", &header.replace("mp3_path", "file"));
    assert!(error("magnatagatune", root.path()).contains("no column named mp3_path"));
}

#[test]
fn ballrooms() {
    let root = tempfile::tempdir().unwrap();
    for file in
        ["Rumba-American/Media-1.wav", "Rumba-Misc/Albums-Latin_Jam-04.wav", "Jive/Albums-Fire-08.wav"]
    {
        put(root.path(), &format!("BallroomData/{file}"), "");
    }
    let collection = read("ballroom", root.path());
    assert_eq!(collection.labels, ["Jive", "Rumba"]);
    assert_eq!(collection.counts(), [1, 2]);
    let albums: Vec<_> = collection.entries.iter().map(|e| e.album.as_deref()).collect();
    assert_eq!(albums, [Some("Fire"), None, Some("Latin_Jam")]);
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "Chacha/100701.mp3", "");
    put(root.path(), "Wcswing/100702.mp3", "");
    put(
        root.path(),
        "extendedballroom_v1.1.xml",
        "<ballroom>\n<Chacha>\n<song album_id=\"2011\" artist=\"A &amp; B\" hash=\"x\" id=\"100701\" title=\"&quot;T&quot;\"/>\n</Chacha></ballroom>",
    );
    let collection = read("extended_ballroom", root.path());
    assert_eq!(collection.entries[0].artist.as_deref(), Some("A & B"));
    assert_eq!(collection.entries[0].title.as_deref(), Some("\"T\""));
    assert_eq!(
        collection.notes,
        ["1 of 2 clips are not in extendedballroom_v1.1.xml: their artists are not known"]
    );
    let facts = sources::named("extended_ballroom").unwrap();
    let differences = facts.facts().differences(&collection.labels, &collection.counts(), 2);
    assert_eq!(differences.len(), 14, "the number of clips and 13 classes: {differences:?}");
    assert!(differences.contains(&"Chacha: 1 clips, published: 455".to_owned()));
}

#[test]
fn ismir2004_and_audioset() {
    let root = tempfile::tempdir().unwrap();
    put(
        root.path(),
        "metadata/training/tracklist.csv",
        "\"classical\",\"Ann\",\"Album\",\"Title, with comma\",1,\"./classical/ann/one.mp3\"\n\"world\",\"Bo\",\"B\",\"C\",2,\"world/bo/two.mp3\"\n",
    );
    put(root.path(), "development/jazz_blues/x/three.mp3", "");
    let collection = read("ismir2004", root.path());
    assert_eq!(collection.labels.len(), 6);
    let parts: Vec<_> = collection.entries.iter().map(|e| e.part.unwrap()).collect();
    assert_eq!(parts, [Part::Test, Part::Train, Part::Train]);
    assert_eq!(collection.entries[1].title.as_deref(), Some("Title, with comma"));
    put(root.path(), "development/four.mp3", "");
    assert!(
        read("ismir2004", root.path()).notes[0]
            .starts_with("1 files of development are in no folder of a class")
    );
    // A title of two lines counts as two.
    let list = "\"world\",\"Bo\",\"B\",\"C\nD\",2,\"x.mp3\"\n\"polka\",\"Ann\",\"Album\",\"T\",1,\"x.mp3\"\n";
    put(root.path(), "metadata/training/tracklist.csv", list);
    assert!(error("ismir2004", root.path()).contains("line 3: \"polka\" is no class"));

    let root = tempfile::tempdir().unwrap();
    let lists = "# Segments csv created Sun Mar 5\n# num_ytids=2\n# YTID, start_seconds, end_seconds, positive_labels\n--4gqARaEJE, 0.000, 10.000, \"/m/068hy,/m/07q6cd_\"\n--BfvyPmVMo, 20.000, 30.000, \"/m/03l9g\"\n";
    put(root.path(), "balanced_train_segments.csv", lists);
    put(
        root.path(),
        "class_labels_indices.csv",
        "index,mid,display_name\n0,/m/068hy,\"Domestic animals, pets\"\n",
    );
    put(root.path(), "audio/--BfvyPmVMo.wav", "");
    let collection = read("audioset", root.path());
    assert_eq!(collection.labels, ["/m/03l9g", "/m/07q6cd_", "Domestic animals, pets"]);
    assert_eq!(collection.entries[0].labels, [1, 2]);
    assert_eq!(collection.entries[1].segment, Some((20.0, 30.0)));
    assert!(collection.entries[1].path.ends_with("audio/--BfvyPmVMo.wav"));
    for (bad, message) in [
        ("x, 5, 5, \"a\"", "the end is not after"),
        ("x, 5", "expected YTID"),
        ("x, nan, 5, \"a\"", "seconds"),
    ] {
        put(root.path(), "balanced_train_segments.csv", bad);
        assert!(error("audioset", root.path()).contains(message));
    }
}

#[test]
fn manifests_in_csv_and_parquet() {
    let root = tempfile::tempdir().unwrap();
    let csv = "\u{feff}File,Genre,Artist,split,start,end\n\"a, \"\"b\"\".wav\",\"hip hop; R&B\",Ann,train,0,3.5\nc.wav,soul,,test,,\n";
    put(root.path(), "manifest.csv", csv);
    let collection = read("manifest", root.path());
    assert_eq!(collection.labels, ["R&B", "hip hop", "soul"]);
    assert_eq!(collection.entries[0].id, "a, \"b\".wav");
    assert_eq!(
        (collection.entries[0].labels.as_slice(), collection.entries[0].segment),
        (&[0, 1][..], Some((0.0, 3.5)))
    );
    assert_eq!(collection.entries[1].artist, None);
    assert_eq!(collection.single_labels(), [None, Some(2)]);
    for (from, to, message) in [
        ("Genre", "Mood", "no column named label, there are File, Mood"),
        ("File", "Song", "no column named file"),
        (",test,", ",holdout,", "line 3: \"holdout\" is no part"),
        ("3.5", "abc", "\"abc\" is no time"),
        ("0,3.5", "5,3.5", "two seconds in order"),
        ("c.wav,soul", ",soul", "line 3: no file is named"),
        ("c.wav", "\"a, \"\"b\"\".wav\"", "is there twice"),
    ] {
        put(root.path(), "manifest.csv", &csv.replace(from, to));
        let told = error("manifest", root.path());
        assert!(told.contains(message), "{told}");
    }
    // The same as Parquet: texts of a table, its numbers as text.
    let table = Table::new(
        vec!["x".into(), "y".into()],
        vec!["start".into(), "end".into()],
        ndarray::array![[0.0, 1.5], [2.0, 4.0]],
    )
    .unwrap();
    let table = table.with_labels(vec!["rock".into(), "pop".into()]).unwrap();
    table.write(&root.path().join("clips.parquet")).unwrap();
    let told = error("manifest", &root.path().join("clips.parquet"));
    assert!(told.contains("no column named file, there are id, label, start, end"), "{told}");
}

#[test]
fn tables_that_are_on_this_machine() {
    let Some(path) = shared("data/tables/fma_rock_hiphop/fma-rock-vs-hiphop.csv") else { return };
    let text = fs::read_to_string(path).unwrap();
    let root = tempfile::tempdir().unwrap();
    // It names no file: the number of the track stands for it.
    put(root.path(), "manifest.csv", &text.replacen("track_id", "file", 1));
    let collection = read("manifest", root.path());
    assert_eq!(
        (collection.entries.len(), collection.labels.as_slice()),
        (17_734, &["Hip-Hop".to_owned(), "Rock".to_owned()][..])
    );
    let Some(gtzan) = shared("data/gtzan") else { return };
    let collection = read("manifest", &gtzan);
    assert_eq!((collection.entries.len(), collection.labels.len()), (402, 10));
    assert!(collection.entries.iter().all(|e| e.path.is_file()));
    let split = Protocol::GroupKFold { folds: 3, seed: 0, validation: 0.0 }.split(&collection).unwrap();
    let audit = split.audit(&collection, None).unwrap();
    assert!(audit.shared_groups.is_empty(), "{audit}");
    let leaky = Protocol::KFold { folds: 3, seed: 0, validation: 0.0 }.split(&collection).unwrap();
    assert!(
        leaky.audit(&collection, None).unwrap().shared_groups.len() > 10,
        "the plain folds share artists"
    );
}
