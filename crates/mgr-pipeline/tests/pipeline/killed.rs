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

    // The moments lie all over the run; each start goes on where the last was killed, so the later ones end by themselves. With
    // MGR_TEST_KILLS=25 they are short and random, and the run is started so often that it is killed as many times.
    let wanted: u32 = std::env::var("MGR_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut state = u64::from(std::process::id());
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut kills = 0_u32;
    let attempts = if wanted == 0 { 12 } else { 100 * wanted };
    for attempt in 0..attempts {
        if wanted > 0 && kills >= wanted {
            break;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("a_killed_run_goes_on_to_the_same_bytes")
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first starts are killed early whatever the machine's mood, the later ones ever later.
        let patience = if wanted == 0 {
            unbroken.mul_f64(f64::from(attempt * attempt) / 30.0) + Duration::from_millis(20)
        } else {
            Duration::from_millis(20) + unbroken.mul_f64(0.12 * random())
        };
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
