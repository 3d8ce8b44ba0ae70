//! Tables written and read in every format: the same numbers and texts back, bad files told apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use mgr_data::table::{ReadOptions, Statistic, Table, column_names, vector};
use ndarray::{Array2, array};
use proptest::prelude::*;

const ENDINGS: [&str; 4] = ["parquet", "csv", "arff", "npz"];

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

fn same(a: &Table, b: &Table, what: &str) {
    assert_eq!(a.ids(), b.ids(), "{what}");
    assert_eq!(a.labels(), b.labels(), "{what}");
    assert_eq!(a.groups(), b.groups(), "{what}");
    assert_eq!(a.columns(), b.columns(), "{what}");
    assert_eq!(a.values().dim(), b.values().dim(), "{what}");
    for (x, y) in a.values().iter().zip(b.values()) {
        assert!(x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()), "{what}: {x} became {y}");
    }
}

fn round_trip(table: &Table) {
    let folder = tempfile::tempdir().unwrap();
    for ending in ENDINGS {
        let path = folder.path().join(format!("t.{ending}"));
        table.write(&path).unwrap();
        same(table, &Table::read(&path).unwrap(), ending);
        let first = fs::read(&path).unwrap();
        table.write(&path).unwrap();
        assert_eq!(first, fs::read(&path).unwrap(), "{ending}: the same table is the same bytes");
    }
}

#[test]
fn every_format_gives_back_what_was_written() {
    let values =
        array![[0.1f32, -0.0, 1e-40], [f32::NAN, 3.4e38, 7.0], [1.0, 2.0, 3.0], [5.0, -1.5, f32::NAN]];
    let values = values.mapv(f64::from);
    let ids = texts(&["blues/a b.wav", "it's, \"quoted\" {x} 100%.wav", "日本\\語.wav", "?"]);
    let names = texts(&["mfcc 1", "it's 50 % \"wet\", {really}", "Ω"]);
    let plain = Table::new(ids, names, values).unwrap();
    round_trip(&plain);
    let labels = texts(&["hip hop", "R&B, 'soul'", "hip hop", "%"]);
    let labelled = plain.clone().with_labels(labels).unwrap();
    round_trip(&labelled);
    round_trip(&labelled.clone().with_groups(texts(&["", "AC/DC", "Sigur Rós", "tab\there"])).unwrap());
    let (classes, index) = labelled.classes().unwrap();
    assert_eq!(classes, ["%", "R&B, 'soul'", "hip hop"]);
    assert_eq!(index, [2, 1, 2, 0]);
    // Numbers that need 64 bits, no rows, no columns.
    round_trip(&Table::new(texts(&["a"]), texts(&["x"]), array![[0.1f64]]).unwrap());
    round_trip(&Table::new(vec![], texts(&["x", "y"]), Array2::zeros((0, 2))).unwrap());
    round_trip(&Table::new(texts(&["a", "b"]), vec![], Array2::zeros((2, 0))).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_numbers_and_any_text_survive(
        values in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO, 6),
        single in proptest::collection::vec(proptest::num::f32::NORMAL, 6),
        text in proptest::collection::vec("[^\0]{1,8}", 3),
    ) {
        // ARFF trims nothing inside quotes, CSV nothing at all; a line end inside a text is for CSV, Parquet and NPZ.
        let values = Array2::from_shape_fn((3, 4), |(r, c)| {
            if c < 2 { values[r * 2 + c] } else { f64::from(single[r * 2 + c - 2]) }
        });
        let table = Table::new(text.clone(), texts(&["a", "b", "c", "d"]), values).unwrap().with_labels(text).unwrap();
        round_trip(&table);
    }
}

fn reason(path: &Path) -> String {
    Table::read(path).unwrap_err().to_string()
}

#[test]
fn says_what_is_wrong_with_a_table() {
    let one = |columns: &[&str]| Table::new(texts(&["a"]), texts(columns), Array2::zeros((1, columns.len())));
    for (columns, message) in [
        (&["x", "x"][..], "two columns are named x"),
        (&["label"][..], "label cannot be a feature's name"),
        (&[""][..], "a column has no name"),
    ] {
        assert!(one(columns).unwrap_err().to_string().contains(message));
    }
    let infinite = Table::new(texts(&["a"]), texts(&["x"]), array![[f64::INFINITY]]).unwrap_err().to_string();
    assert!(infinite.contains("x of a is inf"), "{infinite}");
    let short = Table::new(texts(&["a", "b"]), texts(&["x"]), array![[1.0]]).unwrap_err().to_string();
    assert!(short.contains("1 x 1 values for 2 rows"), "{short}");
    let table = one(&["x"]).unwrap();
    assert!(table.clone().with_labels(vec![]).unwrap_err().to_string().contains("0 labels for 1 rows"));
    assert!(table.write(Path::new("t.xlsx")).unwrap_err().to_string().contains("has to end in .parquet"));

    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, content: &[u8], message: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let reason = reason(&path);
        assert!(reason.contains(message) && reason.contains(name), "{reason}");
    };
    check("empty.csv", b"", "is empty");
    check("short.csv", b"id,x,y\na,1,2\nb,1\n", "line 3: 2 columns, expected 3");
    check("text.csv", b"id,x\na,1\nb,loud\n", "column x is no number: \"loud\" in row 2");
    check("twice.csv", b"id,x,x\na,1,2\n", "two columns are named x");
    check("inf.csv", b"id,x\na,inf\n", "x of a is inf");
    check("bytes.csv", b"id,x\n\xff,1\n", "line 2");
    check("no.arff", b"@relation x\n@attribute a numeric\n", "has no @DATA");
    check("date.arff", b"@relation x\n@attribute a date\n@data\n", "line 2: attributes of the type date");
    check("cells.arff", b"@relation x\n@attribute a numeric\n@data\n1,2\n", "line 4: 2 values, expected 1");
    check("quote.arff", b"@relation x\n@attribute a string\n@data\n'a\n", "line 4: a quote is not closed");
    check("sparse.arff", b"@relation x\n@attribute a numeric\n@data\n{0 1}\n", "sparse rows");
    check("no.npz", b"PK\x03\x04 and nothing", "is no .npz archive");
    check("no.parquet", b"PAR1 and nothing", "cannot be read as Parquet");
    let whole = {
        table.write(&folder.path().join("whole.parquet")).unwrap();
        fs::read(folder.path().join("whole.parquet")).unwrap()
    };
    for cut in [0, 4, whole.len() / 2, whole.len() - 1] {
        check("cut.parquet", &whole[..cut], "cannot be read as Parquet");
    }
}

#[test]
fn a_foreign_csv_is_read_by_its_usual_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, "\u{feff}filename,Length,mood,genre\n\"a, b.wav\",661794,calm,hip hop\nc.wav,,wild,\"soul \"\"x\"\"\"\n")
        .unwrap();
    assert!(reason(&path).contains("column mood is no number: \"calm\""));
    let options = ReadOptions { ignore: vec!["mood".into()], ..ReadOptions::default() };
    let table = Table::read_with(&path, &options).unwrap();
    assert_eq!(table.ids(), ["a, b.wav", "c.wav"]);
    assert_eq!(table.labels().unwrap(), ["hip hop", "soul \"x\""]);
    assert_eq!(table.columns(), ["Length"]);
    assert!(table.values()[(1, 0)].is_nan(), "an empty cell is a missing value");
    let options =
        ReadOptions { label: Some("MOOD".into()), ignore: vec!["genre".into()], ..ReadOptions::default() };
    assert_eq!(Table::read_with(&path, &options).unwrap().labels().unwrap(), ["calm", "wild"]);
    let options = ReadOptions { group: Some("artist".into()), ..options };
    let missing = Table::read_with(&path, &options).unwrap_err().to_string();
    assert!(missing.contains("no column named artist, there are"), "{missing}");
}

#[test]
fn the_well_known_table_of_gtzan_is_read() {
    let shared = std::env::var("MGR_SHARED").unwrap_or_else(|_| "../../../shared".into());
    let path = Path::new(&shared).join("data/tables/gtzan_features_30_sec.csv");
    if !path.exists() {
        assert!(std::env::var("MGR_REQUIRE_SHARED").is_err(), "{} is missing", path.display());
        eprintln!("SKIPPED: {} is missing", path.display());
        return;
    }
    let table = Table::read(&path).unwrap();
    assert_eq!(table.values().dim(), (1000, 58), "57 features and the length");
    let (classes, index) = table.classes().unwrap();
    assert_eq!(classes.len(), 10);
    assert!((0..10).all(|c| index.iter().filter(|i| **i == c).count() == 100));
    round_trip(&table);
}

#[test]
fn rows_of_a_table_from_matrices() {
    use mgr_features::FeatureConfig;
    let plan = FeatureConfig::named("mfcc").unwrap().plan(22_050).unwrap();
    let layout = plan.layout(22_050).unwrap();
    let statistics = [Statistic::Mean, Statistic::Std];
    let names = column_names("mfcc", &layout, &statistics).unwrap();
    assert_eq!(names.len(), 2 * layout.rows);
    assert_eq!(names[1], format!("{}_std", names[0].trim_end_matches("_mean")));
    assert!(column_names("mfcc", &layout, &[]).unwrap_err().to_string().contains("needs statistics"));
    // By hand: mean 2, deviation sqrt(2/3), median 2, m3 = 0, m4 = 2/3, kurtosis (2/3) / (4/9) - 3.
    let row = vector(array![[1.0f32, 2.0, 3.0]].view(), &Statistic::ALL);
    let want = [2.0, (2.0f64 / 3.0).sqrt(), 2.0 / 3.0, 1.0, 3.0, 2.0, 0.0, -1.5];
    for (got, want) in row.iter().zip(want) {
        assert!((got - want).abs() < 1e-7, "{row:?}");
    }
    let constant = vector(array![[4.0f32, 4.0]].view(), &Statistic::ALL);
    assert_eq!(constant, [4.0, 0.0, 0.0, 4.0, 4.0, 4.0, 0.0, -3.0]);
    assert_eq!(vector(array![[1.0f32], [2.0]].view(), &[]), [1.0, 2.0]);
}
