//! Downloads that go on where they stopped and end with a checksum.
//!
//! A file grows as `.NAME.part` beside its place, with what tells the server's version of it in `.NAME.part.json`; when it is whole and its
//! checksum is right it is renamed. A later call asks for what is missing, and begins anew where the server's file has changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::fingerprint::hex;
use crate::{DataError, write_atomic};

/// How often a broken connection is taken up again.
const ATTEMPTS: usize = 5;

/// The digest of a file, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256.
    Sha256(String),
    /// SHA-1, which some datasets publish; it tells damage, not malice.
    Sha1(String),
    /// MD5, which some datasets publish; it tells damage, not malice.
    Md5(String),
}

impl Checksum {
    /// A digest by its number of digits: 64, 40 or 32.
    ///
    /// # Errors
    /// [`DataError::Fetch`] for what is no such digest.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.bytes().all(|b| b.is_ascii_hexdigit());
        match text.len() {
            64 if digits => Ok(Self::Sha256(text)),
            40 if digits => Ok(Self::Sha1(text)),
            32 if digits => Ok(Self::Md5(text)),
            _ => Err(DataError::Fetch {
                url: text,
                reason: "is no checksum: 64 (SHA-256), 40 (SHA-1) or 32 (MD5) hexadecimal digits are needed"
                    .into(),
            }),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::Sha1(text) | Self::Md5(text) => text,
        }
    }

    /// The same digest of a file.
    fn of(&self, path: &Path) -> io::Result<String> {
        fn digest<D: Digest>(mut file: File) -> io::Result<String> {
            let mut digest = D::new();
            let mut block = vec![0; 1 << 16];
            loop {
                match file.read(&mut block)? {
                    0 => return Ok(hex(&digest.finalize())),
                    n => digest.update(&block[..n]),
                }
            }
        }
        let file = File::open(path)?;
        match self {
            Self::Sha256(_) => digest::<Sha256>(file),
            Self::Sha1(_) => digest::<Sha1>(file),
            Self::Md5(_) => digest::<Md5>(file),
        }
    }
}

/// What became of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes that were there before; all of them where nothing was to be done.
    pub resumed: u64,
    /// Whether a checksum was compared.
    pub checked: bool,
}

/// What tells the server's version of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Version {
    url: String,
    etag: Option<String>,
    modified: Option<String>,
}

/// What one request brought.
enum Step {
    Whole,
    /// The connection broke; more may come.
    Broken(String),
}

/// Downloads a file to `target`. `progress` is called with the bytes that are there and, where the server tells, all of them.
///
/// A target that is there already is kept if its checksum is right, and an error if it is wrong or if there is none to compare.
///
/// # Errors
/// [`DataError::Fetch`]: no such host or file, a server whose certificate does not hold, a connection that breaks again and again (what came is kept for the next call), a wrong
/// checksum (what came is deleted). [`DataError::Io`].
pub fn fetch(
    url: &str,
    target: &Path,
    checksum: Option<&Checksum>,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Fetched, DataError> {
    let refuse = |reason: String| DataError::Fetch { url: url.to_owned(), reason };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(refuse("the address has to begin with http:// or https://".into()));
    }
    if target.exists() {
        let bytes = fs::metadata(target).map_err(DataError::io(target, "read"))?.len();
        return match checksum {
            Some(sum) if sum.of(target).map_err(DataError::io(target, "read"))? == sum.text() => {
                Ok(Fetched { bytes, resumed: bytes, checked: true })
            }
            Some(_) => Err(refuse(format!(
                "{} is there with another checksum; delete or rename it",
                target.display()
            ))),
            None => Err(refuse(format!(
                "{} is there, and no checksum to compare; delete or rename it",
                target.display()
            ))),
        };
    }
    let name = target.file_name().ok_or_else(|| refuse(format!("{} is no file name", target.display())))?;
    let beside = |ending: &str| -> PathBuf {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(ending);
        target.with_file_name(hidden)
    };
    let (part, version) = (beside(".part"), beside(".part.json"));
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(DataError::io(folder, "make the folder"))?;
    }
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .build()
        .new_agent();
    let mut resumed = length(&part);
    let (mut last, mut broken) = (resumed, 0);
    loop {
        match request(&agent, url, &part, &version, checksum.is_some(), progress, &mut resumed)? {
            Step::Whole => break,
            Step::Broken(reason) => {
                // As long as something comes it goes on.
                let now = length(&part);
                broken = if now > last { 1 } else { broken + 1 };
                last = now;
                if broken >= ATTEMPTS {
                    let reason =
                        format!("{reason}; {now} bytes are kept, the same command goes on with them");
                    return Err(refuse(reason));
                }
                std::thread::sleep(Duration::from_millis(100 << broken.min(6)));
            }
        }
    }
    let bytes = length(&part);
    if let Some(sum) = checksum {
        let found = sum.of(&part).map_err(DataError::io(&part, "read"))?;
        if found != sum.text() {
            for path in [&part, &version] {
                let _ = fs::remove_file(path);
            }
            return Err(refuse(format!(
                "the checksum is {found}, expected {}; the file was deleted",
                sum.text()
            )));
        }
    }
    fs::rename(&part, target).map_err(DataError::io(target, "write"))?;
    let _ = fs::remove_file(&version);
    Ok(Fetched { bytes, resumed, checked: checksum.is_some() })
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |m| m.len())
}

/// Asks for what is missing and appends it.
fn request(
    agent: &ureq::Agent,
    url: &str,
    part: &Path,
    version: &Path,
    checked: bool,
    progress: &dyn Fn(u64, Option<u64>),
    resumed: &mut u64,
) -> Result<Step, DataError> {
    let refuse = |reason: String| DataError::Fetch { url: url.to_owned(), reason };
    let known: Version =
        fs::read(version).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let validator =
        known.etag.clone().filter(|etag| !etag.starts_with("W/")).or_else(|| known.modified.clone());
    let mut have = length(part);
    // Without a word of the server's on its version only a checksum can tell whether two halves fit.
    if known.url != url || (validator.is_none() && !checked) {
        have = 0;
    }
    let mut asked = agent.get(url).header("Accept-Encoding", "identity");
    if have > 0 {
        asked = asked.header("Range", format!("bytes={have}-"));
        if let Some(validator) = &validator {
            asked = asked.header("If-Range", validator);
        }
    }
    let response = match asked.call() {
        Ok(response) => response,
        // A certificate that nobody vouches for is none the next time either.
        Err(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(refuse(format!("no secure connection: {error}")));
        }
        Err(ureq::Error::Io(error)) => return Ok(Step::Broken(error.to_string())),
        Err(ureq::Error::Timeout(what)) => return Ok(Step::Broken(format!("no answer in time ({what})"))),
        Err(error) => return Err(refuse(error.to_string())),
    };
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let (start, total) = match status {
        200 => (0, header("content-length").and_then(|n| n.parse::<u64>().ok())),
        206 => {
            let range = header("content-range").unwrap_or_default();
            let range = range.strip_prefix("bytes ").and_then(|r| r.split_once('/'));
            let start = range.and_then(|(r, _)| r.split_once('-')?.0.parse::<u64>().ok());
            if start != Some(have) {
                return Err(refuse(format!("the server sent another part than the one from byte {have} on")));
            }
            (have, range.and_then(|(_, total)| total.parse().ok()))
        }
        // Nothing is missing, or the file has become shorter.
        416 => {
            let total = header("content-range").and_then(|r| r.rsplit_once('/')?.1.parse::<u64>().ok());
            if total == Some(have) {
                return Ok(Step::Whole);
            }
            fs::remove_file(part).map_err(DataError::io(part, "delete"))?;
            return Ok(Step::Broken("the file on the server is shorter than what was there".into()));
        }
        500..=599 => return Ok(Step::Broken(format!("the server answered {status}"))),
        _ => return Err(refuse(format!("the server answered {status}"))),
    };
    let now = Version { url: url.to_owned(), etag: header("etag"), modified: header("last-modified") };
    if start == 0 || now != known {
        let json = serde_json::to_vec(&now)?;
        write_atomic(version, |out| out.write_all(&json))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(part)
        .map_err(DataError::io(part, "open"))?;
    // Less where the server began anew.
    *resumed = start.min(*resumed);
    file.set_len(start).map_err(DataError::io(part, "write"))?;
    io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(DataError::io(part, "write"))?;
    let mut body = response.into_body().into_reader();
    let mut block = vec![0; 1 << 16];
    let mut there = start;
    loop {
        match body.read(&mut block) {
            Ok(0) => break,
            Ok(n) => {
                file.write_all(&block[..n]).map_err(DataError::io(part, "write"))?;
                there += n as u64;
                progress(there, total);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Step::Broken(format!("the connection broke: {error}"))),
        }
    }
    file.sync_all().map_err(DataError::io(part, "write"))?;
    match total {
        Some(total) if there < total => {
            Ok(Step::Broken(format!("the connection ended after {there} of {total} bytes")))
        }
        _ => Ok(Step::Whole),
    }
}
