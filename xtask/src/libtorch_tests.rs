//! Hermetic: every folder is made here and removed afterwards.

use super::*;

/// A folder below the system's temporary one, removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mgr-xtask-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn linux() -> &'static Recipe {
    recipe("linux", "x86_64", "gnu").unwrap()
}

/// A folder that looks like a finished copy, with tiny libraries.
fn finished(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    for library in linux().libraries() {
        scratch.write(library, library);
    }
    scratch.write("build-version", "2.11.0\n");
    scratch.write("include/torch/csrc/api/include/torch/torch.h", "");
    write_stamp(&scratch.0, linux()).unwrap();
    scratch
}

fn choose(link: &Path, variables: &[(&str, &str)]) -> Result<Choice, String> {
    choice(link, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()))
}

#[test]
fn users_own_libtorch_wins() {
    let link = Path::new("/project/.libtorch");
    assert_eq!(choose(link, &[]), Ok(Choice::Cache));
    assert_eq!(choose(link, &[("LIBTORCH", "/project/.libtorch")]), Ok(Choice::Cache), "cargo's own value");
    assert_eq!(choose(link, &[("LIBTORCH", "/opt/libtorch")]), Ok(Choice::Folder("/opt/libtorch".into())));
    assert_eq!(choose(link, &[("LIBTORCH", "/a"), ("LIBTORCH_USE_PYTORCH", "1")]), Ok(Choice::Python));
    assert!(choose(link, &[("LIBTORCH", "")]).is_err_and(|text| text.contains("empty")));
}

#[test]
fn folder_in_place_of_the_link_is_the_users_own() {
    let scratch = Scratch::new("own-folder");
    let link = scratch.0.join(".libtorch");
    fs::create_dir(&link).unwrap();
    assert_eq!(choose(&link, &[]), Ok(Choice::Folder(link.clone())));
}

#[test]
fn own_folder_is_checked() {
    let scratch = Scratch::new("checked");
    assert!(check_own_folder(&scratch.0).is_err_and(|text| text.contains("no folder lib/")));
    scratch.write("lib/x", "");
    assert!(check_own_folder(&scratch.0).is_err_and(|text| text.contains("no folder include/")));
    scratch.write("include/x", "");
    assert_eq!(check_own_folder(&scratch.0), Ok(()), "a folder without build-version is taken at its word");
    scratch.write("build-version", "2.11.0+cu130\n");
    assert_eq!(check_own_folder(&scratch.0), Ok(()));
    scratch.write("build-version", "2.9.1\n");
    assert!(check_own_folder(&scratch.0).is_err_and(|text| text.contains("is 2.9.1")));
}

#[test]
fn stamp_accepts_a_whole_copy() {
    assert_eq!(check_stamp(&finished("whole").0, linux()), Ok(()));
}

#[test]
fn stamp_refuses_damage() {
    // What the complaint names; the file harmed; its new content, if it is not removed.
    let damage = [
        ("it is not there", "stamp", None),
        ("another version", "stamp", Some("mgr libtorch 2.9.0 revision 1\n")),
        ("lib/libc10.so", "lib/libc10.so", Some("")),
        ("lib/libcupti.so.13", "lib/libcupti.so.13", None),
        ("build-version", "build-version", None),
        ("torch.h", "include/torch/csrc/api/include/torch/torch.h", None),
    ];
    for (index, (word, file, content)) in damage.into_iter().enumerate() {
        let copy = finished(&format!("damage-{index}"));
        match content {
            Some(content) => copy.write(file, content),
            None => fs::remove_file(copy.0.join(file)).unwrap(),
        }
        let found = check_stamp(&copy.0, linux());
        assert!(found.as_ref().is_err_and(|text| text.contains(word)), "{word}: {found:?}");
    }
}

#[test]
fn finished_folder_replaces_a_damaged_one_and_respects_a_whole_one() {
    let scratch = Scratch::new("in-place");
    let home = scratch.0.join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("old"), "").unwrap();
    let first = finished("in-place-first");
    put_in_place(&first.0, &home, linux()).unwrap();
    assert!(!first.0.exists() && !home.join("old").exists());
    assert_eq!(check_stamp(&home, linux()), Ok(()));
    let second = finished("in-place-second");
    put_in_place(&second.0, &home, linux()).unwrap();
    assert!(second.0.exists(), "the copy that was there first stays");
}

#[test]
fn leftovers_go_and_the_rest_stays() {
    let scratch = Scratch::new("leftovers");
    scratch.write("libtorch-2.11.0-linux-x86_64.unfinished-17/downloads/x", "");
    scratch.write("libtorch-2.11.0-linux-x86_64/lib/x", "");
    remove_unfinished(&scratch.0);
    let names: Vec<_> = fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["libtorch-2.11.0-linux-x86_64"]);
}

#[test]
fn second_set_up_is_locked_out() {
    let scratch = Scratch::new("lock");
    let path = scratch.0.join("lock");
    let held = lock(&path).unwrap().expect("temporary folders know locks");
    assert!(matches!(File::create(&path).unwrap().try_lock(), Err(TryLockError::WouldBlock)));
    drop(held);
    assert!(File::create(&path).unwrap().try_lock().is_ok());
}

#[cfg(unix)]
#[test]
fn link_is_made_and_moved() {
    let scratch = Scratch::new("link");
    let link = scratch.0.join(".libtorch");
    for target in ["/first", "/second", "/second"] {
        point_link(&link, Path::new(target)).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new(target));
    }
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 1, "nothing is left beside the link");
}
