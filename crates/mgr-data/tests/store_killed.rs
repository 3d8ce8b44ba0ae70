//! Writers of one store killed at random moments: nothing that was put is lost, nothing is there twice, nothing is half.
//!
//! The test runs a few kills; `cargo test -p mgr-data --test store_killed -- --ignored` runs 240.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use mgr_audio::SegmentConfig;
use mgr_data::front_end::{ClipFeatures, FrontEnd, FrontEndConfig};
use mgr_data::store::FeatureStore;
use mgr_features::FeatureConfig;
use ndarray::Array3;
use rayon::prelude::*;

/// The environment variable that makes this program a writer: the folder and the number of clips.
const WRITER: &str = "MGR_TEST_STORE_WRITER";

fn front_end() -> FrontEnd {
    let segment =
        SegmentConfig { clip_length: 4096, segment_length: 4096, segments: 1, ..SegmentConfig::default() };
    let feature = FeatureConfig::named("mel").unwrap();
    FrontEndConfig { sample_rate: 16_000, segment, feature }.plan().unwrap()
}

/// A clip of 1 to 5 segments that is known by its number.
fn clip(template: &ClipFeatures, number: usize) -> ClipFeatures {
    let (_, rows, frames) = template.segments.dim();
    let value = |(s, r, f): (usize, usize, usize)| (number * 1000 + s * 100 + r + f) as f32;
    ClipFeatures {
        segments: Array3::from_shape_fn((1 + number % 5, rows, frames), value),
        report: template.report.clone(),
    }
}

fn template(front_end: &FrontEnd) -> ClipFeatures {
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("x.wav");
    let samples: Vec<f32> = (0..5000).map(|n| (n as f32 * 0.1).sin()).collect();
    mgr_audio::write_wav(&wav, &samples, 16_000, mgr_audio::WavFormat::Pcm16).unwrap();
    front_end.process(std::fs::read(wav).unwrap(), "x.wav").unwrap()
}

fn key(number: usize) -> String {
    mgr_data::sha256_hex(&number.to_le_bytes())
}

/// The writer's part: puts what is missing, from several threads, and says each clip's number when it is put.
#[test]
fn writer() {
    let Ok(task) = std::env::var(WRITER) else { return };
    let (count, folder) = task.split_once(' ').unwrap();
    let front_end = front_end();
    let template = template(&front_end);
    let store = FeatureStore::open(Path::new(folder), &front_end).unwrap();
    let stored: BTreeSet<String> = store.contents().unwrap().into_iter().collect();
    println!("\nopen");
    (0..count.parse::<usize>().unwrap()).into_par_iter().for_each(|number| {
        if !stored.contains(&key(number)) {
            store.put(&key(number), &clip(&template, number)).unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "\nput {number}").unwrap();
            out.flush().unwrap();
        }
    });
    println!("\nall");
}

struct Writer {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Writer {
    /// Starts a writer and waits until it has opened the store.
    fn start(folder: &Path, count: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer", "--nocapture", "--test-threads=1"])
            .env(WRITER, format!("{count} {}", folder.display()))
            .env("RAYON_NUM_THREADS", "3")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line != "open\n" {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "the writer ended before it began");
        }
        Self { child, out }
    }

    /// The numbers that the writer said it has put, in whole lines, and whether it came to its end.
    fn said(&mut self) -> (Vec<usize>, bool) {
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        // The last line may be half.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let put = whole.lines().filter_map(|line| line.strip_prefix("put ")?.parse().ok()).collect();
        (put, whole.lines().any(|line| line == "all"))
    }
}

fn kill_writers(kills: usize, count: usize) {
    let front_end = front_end();
    let template = template(&front_end);
    let mut random = mgr_eval::split::PythonRandom::new(7);
    let mut folder = tempfile::tempdir().unwrap();
    let mut put: BTreeSet<usize> = BTreeSet::new();
    let (mut done, mut rounds, mut during) = (0, 0, 0);
    while done < kills {
        // Two writers at once, each killed at a moment of its own.
        let mut writers = [Writer::start(folder.path(), count), Writer::start(folder.path(), count)];
        for writer in &mut writers {
            std::thread::sleep(Duration::from_micros(random.below(20_000) as u64));
            writer.child.kill().unwrap();
        }
        let mut finished = false;
        for writer in &mut writers {
            let (numbers, all) = writer.said();
            during += usize::from(!numbers.is_empty() && !all);
            done += usize::from(!writer.child.wait().unwrap().success());
            finished |= all;
            put.extend(numbers);
        }
        let store = FeatureStore::open(folder.path(), &front_end).unwrap();
        let census = store.census().unwrap();
        assert_eq!((census.replaced, census.damaged), (0, 0), "nothing twice, nothing half");
        let stored: BTreeSet<String> = store.contents().unwrap().into_iter().collect();
        assert!(put.iter().all(|number| stored.contains(&key(*number))), "nothing lost");
        for number in (0..count).filter(|number| stored.contains(&key(*number))) {
            assert_eq!(store.get(&key(number)).unwrap().unwrap(), clip(&template, number), "clip {number}");
            put.insert(number);
        }
        rounds += 1;
        if finished || stored.len() == count {
            assert_eq!(stored.len(), count);
            (folder, put) = (tempfile::tempdir().unwrap(), BTreeSet::new());
        }
    }
    eprintln!("{done} writers killed in {rounds} rounds, {during} of them between two puts of theirs");
    // The next writer goes on where the last one was killed.
    let mut last = Writer::start(folder.path(), count);
    assert!(last.said().1 && last.child.wait().unwrap().success());
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    let census = store.census().unwrap();
    assert_eq!((census.clips, census.replaced, census.damaged), (count, 0, 0));
}

#[test]
fn a_few_kills() {
    kill_writers(8, 400);
}

#[test]
#[ignore = "takes half a minute"]
fn many_kills() {
    kill_writers(240, 1500);
}
