//! The genre set of the ISMIR 2004 audio description contest.

use std::path::Path;

use super::rows::{Dialect, Rows, cell};
use super::{Collection, Entry, Facts, Part, Source, facts};
use crate::{DataError, folder};

/// The six classes.
const CLASSES: [&str; 6] = ["classical", "electronic", "jazz_blues", "metal_punk", "rock_pop", "world"];

/// The set: `metadata/{training,development}/tracklist.csv` (class, artist, album, title, number, path; no header), with the audio in
/// `audio/training` and `audio/development` or those folders themselves; without the tables the folders of classes in these two.
/// The development set is what the literature tests on, and so the test part.
#[derive(Debug)]
pub(super) struct Ismir2004;

/// The class of a folder or table's name, of which some copies keep jazz and blues, rock and pop, metal and punk apart.
fn class(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    let one = match name.as_str() {
        "jazz" | "blues" | "jazz-blues" | "jazzblues" => "jazz_blues",
        "metal" | "punk" | "metal-punk" | "metalpunk" => "metal_punk",
        "rock" | "pop" | "rock-pop" | "rockpop" => "rock_pop",
        other => other,
    };
    CLASSES.iter().position(|class| *class == one)
}

impl Source for Ismir2004 {
    fn facts(&self) -> &Facts {
        &facts::ISMIR2004
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let (mut entries, mut notes) = (Vec::new(), Vec::new());
        for (name, part) in [("training", Part::Train), ("development", Part::Test)] {
            let audio = [root.join("audio").join(name), root.join(name)].into_iter().find(|p| p.is_dir());
            let audio = audio.unwrap_or_else(|| root.join(name));
            let list = root.join("metadata").join(name).join("tracklist.csv");
            if list.exists() {
                for entry in listed(&list, &audio)? {
                    entries.push(Entry { id: format!("{name}/{}", entry.id), part: Some(part), ..entry });
                }
                continue;
            }
            if !audio.is_dir() {
                notes.push(format!("no {name} part: neither its table nor its folder is there"));
                continue;
            }
            let mut strange = 0;
            for path in folder::files(std::slice::from_ref(&audio))? {
                let Ok(below) = path.strip_prefix(&audio) else { continue };
                let Some(label) =
                    below.components().next().and_then(|c| class(&folder::readable(c.as_os_str())))
                else {
                    strange += 1;
                    continue;
                };
                let id = format!("{name}/{}", folder::readable(below.as_os_str()));
                entries.push(Entry { id, path, labels: vec![label], part: Some(part), ..Entry::default() });
            }
            if strange > 0 {
                let note = format!(
                    "{strange} files of {name} are in no folder of a class, and metadata/{name}/tracklist.csv is not there to tell theirs"
                );
                notes.push(note);
            }
        }
        let labels = CLASSES.map(String::from).to_vec();
        Collection::new(root, "ismir2004", labels, entries, notes)
    }
}

fn listed(list: &Path, audio: &Path) -> Result<Vec<Entry>, DataError> {
    let table = Rows::read(list, Dialect { headers: 0, ..Dialect::default() })?;
    let mut entries = Vec::new();
    for (number, row) in table.rows.iter().enumerate() {
        let refuse =
            |reason: String| DataError::Line { path: list.to_path_buf(), line: table.line(number), reason };
        if row.len() < 6 {
            return Err(refuse(format!(
                "{} fields, expected class, artist, album, title, number, path",
                row.len()
            )));
        }
        let label = class(&row[0]).ok_or_else(|| refuse(format!("{:?} is no class", row[0])))?;
        let file = row[5].trim_start_matches(['.', '/']).to_owned();
        let [artist, album, title] = [1, 2, 3].map(|column| cell(row, Some(column)));
        let path = audio.join(&file);
        entries.push(Entry { id: file, path, labels: vec![label], artist, album, title, ..Entry::default() });
    }
    Ok(entries)
}
