//! Ballroom and Extended Ballroom.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::{Collection, Facts, Source, facts, folders};
use crate::DataError;

/// Pairs of clips that are repetitions of one recording, by Sturm (2014), as far as the annotations of Krebs, Böck and Widmer repeat his
/// list in public; ten of thirteen, the others were not at hand.
pub const REPEATED: &[(&str, &str)] = &[
    ("Quickstep/Albums-AnaBelen_Veneo-11.wav", "Quickstep/Albums-Chrisanne2-12.wav"),
    ("ChaChaCha/Albums-Fire-08.wav", "Samba/Albums-Fire-09.wav"),
    ("ChaChaCha/Albums-Latin_Jam2-05.wav", "ChaChaCha/Albums-Latin_Jam2-13.wav"),
    ("Waltz/Albums-Secret_Garden-01.wav", "Waltz/Media-104705.wav"),
    ("Rumba-International/Albums-AnaBelen_Veneo-03.wav", "Rumba-International/Albums-AnaBelen_Veneo-15.wav"),
    ("Waltz/Albums-Ballroom_Magic-03.wav", "Waltz/Albums-Ballroom_Magic-18.wav"),
    ("ChaChaCha/Albums-Latin_Jam-04.wav", "ChaChaCha/Albums-Latin_Jam-13.wav"),
    ("Rumba-International/Albums-Latin_Jam-08.wav", "Rumba-International/Albums-Latin_Jam-14.wav"),
    ("Samba/Albums-Latin_Jam-06.wav", "Samba/Albums-Latin_Jam-15.wav"),
    ("Samba/Albums-Latin_Jam2-02.wav", "Samba/Albums-Latin_Jam2-14.wav"),
];

/// Ballroom: `BallroomData/dance/file.wav`, or the dances themselves. The three folders of rumba are one genre. The album stands in the
/// file's name (`Albums-Latin_Jam-04.wav`).
#[derive(Debug)]
pub(super) struct Ballroom;

impl Source for Ballroom {
    fn facts(&self) -> &Facts {
        &facts::BALLROOM
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let below = root.join("BallroomData");
        let base = if below.is_dir() { below } else { root.to_path_buf() };
        let mut collection = folders::read(&base)?;
        let one =
            |label: &String| if label.starts_with("Rumba") { "Rumba".to_owned() } else { label.clone() };
        let mut labels: Vec<String> = collection.labels.iter().map(one).collect();
        labels.sort_unstable();
        labels.dedup();
        for entry in &mut collection.entries {
            let names = entry.labels.iter().filter_map(|l| collection.labels.get(*l)).map(one);
            entry.labels = names.filter_map(|name| labels.binary_search(&name).ok()).collect();
            let stem = crate::folder::readable(entry.path.file_stem().unwrap_or_default());
            let album = stem.strip_prefix("Albums-").and_then(|rest| rest.rsplit_once('-'));
            entry.album = album.map(|(album, _)| album.to_owned());
        }
        Collection::new(&base, "ballroom", labels, collection.entries, collection.notes)
    }
}

const XML: &str = "extendedballroom_v1.1.xml";

/// Extended Ballroom: `dance/id.mp3`; with `extendedballroom_v1.1.xml` artists, albums and titles are known.
#[derive(Debug)]
pub(super) struct ExtendedBallroom;

impl Source for ExtendedBallroom {
    fn facts(&self) -> &Facts {
        &facts::EXTENDED_BALLROOM
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let mut collection = folders::read(root)?;
        let path = root.join(XML);
        let mut named = 0;
        if path.exists() {
            let text = fs::read(&path).map_err(DataError::io(&path, "read"))?;
            let songs = songs(&String::from_utf8_lossy(&text));
            for entry in &mut collection.entries {
                let stem = crate::folder::readable(entry.path.file_stem().unwrap_or_default());
                if let Some(song) = songs.get(&stem) {
                    named += 1;
                    let of = |key: &str| song.get(key).filter(|text| !text.is_empty()).cloned();
                    (entry.artist, entry.album, entry.title) = (of("artist"), of("album_id"), of("title"));
                }
            }
        }
        if named < collection.entries.len() {
            let (without, all) = (collection.entries.len() - named, collection.entries.len());
            let note = format!("{without} of {all} clips are not in {XML}: their artists are not known");
            collection.notes.push(note);
        }
        Collection::new(root, "extended_ballroom", collection.labels, collection.entries, collection.notes)
    }
}

/// The attributes of all `song` elements by their `id`; what is not such an element is passed over.
fn songs(xml: &str) -> HashMap<String, HashMap<String, String>> {
    let mut songs = HashMap::new();
    for element in xml.split("<song ").skip(1) {
        let mut attributes = HashMap::new();
        let mut rest = element;
        while let Some((key, after)) = rest.split_once("=\"") {
            let Some((value, after)) = after.split_once('"') else { break };
            if key.contains('>') {
                break;
            }
            let value = value.replace("&quot;", "\"").replace("&apos;", "'").replace("&lt;", "<");
            let value = value.replace("&gt;", ">").replace("&amp;", "&");
            attributes.insert(key.trim().to_owned(), value);
            rest = after;
        }
        if let Some(id) = attributes.get("id").cloned() {
            songs.insert(id, attributes);
        }
    }
    songs
}
