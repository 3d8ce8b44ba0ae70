//! Runs on a dataset of the literature, laid out as its authors publish it, with their split.

use std::fs;
use std::path::Path;

use crate::common::{config, write_dataset};
use mgr_data::sources;
use mgr_data::splits::Protocol as Rule;
use mgr_pipeline::progress::Silent;
use mgr_pipeline::{DatasetKind, RunConfig, run::run};

const GENRES: [&str; 3] = ["hiss", "hum", "pulse"];

/// FMA's folders and table: eight tracks of each of three genres, two of an artist; of each genre tracks 0 to 3 train, 4 and 5 validate,
/// 6 and 7 test. One more track has no file, and one no genre. Sound is known by its content: the files end in .mp3 and are not.
fn lay_out(root: &Path) {
    let plain = root.join("plain");
    write_dataset(&plain, 8);
    let mut tracks = String::from(
        ",album,artist,set,set,track,track,track\n,title,name,split,subset,genre_top,genres_all,title\ntrack_id,,,,,,,\n",
    );
    fs::create_dir_all(root.join("fma_small/000")).unwrap();
    for (class, genre) in GENRES.into_iter().enumerate() {
        for clip in 0..8 {
            let id = 10 * class + clip;
            let part = ["training", "training", "validation", "test"][clip / 2];
            tracks.push_str(&format!("{id},,{genre} band {},{part},small,{genre},[1],\n", clip / 2));
            fs::rename(
                plain.join(format!("{genre}/{genre}{clip}.wav")),
                root.join(format!("fma_small/000/{id:06}.mp3")),
            )
            .unwrap();
        }
    }
    tracks.push_str("97,,nobody,training,small,hum,[1],\n98,,nobody,test,small,,[1],\n");
    fs::create_dir_all(root.join("fma_metadata")).unwrap();
    fs::write(root.join("fma_metadata/tracks.csv"), tracks).unwrap();
}

#[test]
fn a_dataset_by_its_name_with_its_artists_and_its_official_split() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("fma");
    lay_out(&root);
    let own = RunConfig {
        dataset: DatasetKind::Named("fma_small".into()),
        epochs: Some(1),
        ..config(&root, &folder.path().join("out"), &folder.path().join("cache"))
    };
    let results = run(&own, &Silent).unwrap().results;
    assert_eq!(results.clips.len(), 24);
    for clip in &results.clips {
        let number: usize = clip.id.parse().unwrap();
        let partner = results.clips.iter().find(|c| c.id.parse() == Ok(number ^ 1)).unwrap();
        assert_eq!(clip.fold, partner.fold, "{} and {} are of one artist", clip.id, partner.id);
    }
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("2 of 26 tracks were left out"), "the report tells what was left out");
    assert!(page.contains("artists apart") && !page.contains("Name the artists"));

    // The authors' split, as `mgr data split --rule official` writes it.
    let collection = sources::named("fma_small").unwrap().read(&root).unwrap();
    let mut document = Rule::Official.split(&collection).unwrap();
    let file = folder.path().join("official.json");
    document.write(&file).unwrap();
    let official = RunConfig { splits: Some(file.clone()), fresh: true, ..own };
    let results = run(&official, &Silent).unwrap().results;
    let mut tested: Vec<usize> = results.clips.iter().map(|c| c.id.parse().unwrap()).collect();
    tested.sort_unstable();
    assert_eq!(tested, [6, 7, 16, 17, 26, 27], "every test clip once, and no other");
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("6 (3 groups)"));
    assert!(page.contains("artists apart"));

    // One whose parts share artists is run, and the report says so.
    let fold = &mut document.folds[0];
    let (learned, test) =
        (fold.train.iter().position(|id| id == "000000"), fold.test.iter().position(|id| id == "000006"));
    std::mem::swap(&mut fold.train[learned.unwrap()], &mut fold.test[test.unwrap()]);
    document.write(&file).unwrap();
    run(&official, &Silent).unwrap();
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("2 test clips are of an artist or album that is learned from too"));
    assert!(!page.contains("artists apart"));

    // A file of another dataset.
    document.folds[0].test.push("123456".into());
    document.write(&file).unwrap();
    let message = run(&official, &Silent).unwrap_err().to_string();
    assert!(message.contains("the dataset has no 123456"), "{message}");
    let nothing = RunConfig { dataset: DatasetKind::Named("ballroom".into()), ..official };
    assert!(run(&nothing, &Silent).is_err(), "the folder is not that dataset");
}
