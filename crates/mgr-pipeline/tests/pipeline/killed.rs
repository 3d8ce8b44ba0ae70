//! Killed at any moment and started again, a run ends with the bytes of an unbroken one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{bytes_below, config, differing, write_dataset};
use mgr_pipeline::progress::Silent;
use mgr_pipeline::{RunConfig, run::run};

/// Set for the copy of this test that is to be killed.
const CHILD: &str = "MGR_TEST_KILLED_FOLDER";

fn configuration(folder: &Path, name: &str) -> RunConfig {
    let out = folder.join(name);
    let cache = folder.join(format!("cache-{name}"));
    RunConfig { epochs: Some(6), threads: Some(2), ..config(&folder.join("music"), &out, &cache) }
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    if let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) {
        run(&configuration(&folder, "killed"), &Silent).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_dataset(&folder.path().join("music"), 6);
    let start = std::time::Instant::now();
    run(&configuration(folder.path(), "unbroken"), &Silent).unwrap();
    let unbroken = start.elapsed();

    // The moments lie all over the run; each start goes on where the last was killed, so the later ones end by themselves.
    let mut kills = 0;
    for attempt in 0..12_u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("a_killed_run_goes_on_to_the_same_bytes")
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first starts are killed early whatever the machine's mood, the later ones ever later.
        let patience = unbroken.mul_f64(f64::from(attempt * attempt) / 30.0) + Duration::from_millis(20);
        std::thread::sleep(patience);
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{status}");
                break;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
            }
        }
    }
    assert!(kills >= 2, "the run was never killed half way");
    run(&configuration(folder.path(), "killed"), &Silent).unwrap();
    let (a, b) = (bytes_below(&folder.path().join("unbroken")), bytes_below(&folder.path().join("killed")));
    assert_eq!(differing(&a, &b), Vec::<String>::new(), "after {kills} kills");
    eprintln!("same bytes after {kills} kills");
}
