//! Downloads from a server of this test's own: whole, broken off, gone on with, changed, refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(feature = "fetch")]

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mgr_data::fetch::{Checksum, fetch};

/// How the server answers the n-th request: with so many bytes of the body and no more.
type Behaviour = dyn Fn(usize) -> Answer + Send + Sync;

#[derive(Clone)]
struct Answer {
    status: u16,
    /// The connection is closed after so many bytes of the body.
    cut: usize,
    ranges: bool,
    etag: Option<&'static str>,
    body: Arc<Vec<u8>>,
}

struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
}

fn serve(behaviour: Box<Behaviour>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/data/file.bin", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let _ = answer(stream.unwrap(), &behaviour(number));
        }
    });
    Server { address, requests }
}

fn answer(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let (mut range, mut if_range) = (None, None);
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(from) = lower.strip_prefix("range: bytes=") {
            range = from.trim_end_matches('-').parse::<usize>().ok();
        }
        if lower.starts_with("if-range: ") {
            if_range = Some(line["if-range: ".len()..].to_owned());
        }
    }
    let fits = if_range.is_none() || if_range.as_deref() == answer.etag;
    let start = range.filter(|_| answer.ranges && fits);
    let mut head = match (answer.status, start) {
        (200, Some(start)) if start >= answer.body.len() => {
            format!(
                "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-range: bytes */{}\r\ncontent-length: 0\r\n",
                answer.body.len()
            )
        }
        (200, Some(start)) => {
            let (last, all) = (answer.body.len() - 1, answer.body.len());
            format!(
                "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {start}-{last}/{all}\r\ncontent-length: {}\r\n",
                all - start
            )
        }
        (200, None) => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", answer.body.len()),
        (status, _) => format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n"),
    };
    if let Some(etag) = answer.etag {
        head.push_str(&format!("etag: {etag}\r\n"));
    }
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    if answer.status == 200 && start.is_none_or(|s| s < answer.body.len()) {
        let body = &answer.body[start.unwrap_or(0)..];
        stream.write_all(&body[..body.len().min(answer.cut)])?;
    }
    stream.flush()
}

fn body() -> Arc<Vec<u8>> {
    Arc::new((0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect())
}

fn whole() -> Answer {
    Answer { status: 200, cut: usize::MAX, ranges: true, etag: Some("\"v1\""), body: body() }
}

fn sum() -> Checksum {
    Checksum::parse(&mgr_data::sha256_hex(&body())).unwrap()
}

#[test]
fn a_whole_file_with_its_checksum() {
    let server = serve(Box::new(|_| whole()));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("sub/file.bin");
    let seen = Cell::new(0);
    let fetched = fetch(&server.address, &target, Some(&sum()), &|there, all| {
        assert_eq!(all, Some(300_000));
        assert!(there > seen.replace(there));
    })
    .unwrap();
    assert_eq!((fetched.bytes, fetched.resumed, fetched.checked), (300_000, 0, true));
    assert_eq!(fs::read(&target).unwrap(), *body());
    assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
    // A second call asks nobody.
    let again = fetch(&server.address, &target, Some(&sum()), &|_, _| {}).unwrap();
    assert_eq!((again.resumed, server.requests.load(Ordering::SeqCst)), (300_000, 1));
    let other = Checksum::parse(&"0".repeat(64)).unwrap();
    assert!(
        fetch(&server.address, &target, Some(&other), &|_, _| {})
            .unwrap_err()
            .to_string()
            .contains("another checksum")
    );
    assert!(
        fetch(&server.address, &target, None, &|_, _| {})
            .unwrap_err()
            .to_string()
            .contains("no checksum to compare")
    );
}

#[test]
fn broken_connections_are_taken_up_again() {
    let server = serve(Box::new(|_| Answer { cut: 70_000, ..whole() }));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.bin");
    fetch(&server.address, &target, Some(&sum()), &|_, _| {}).unwrap();
    assert_eq!(fs::read(&target).unwrap(), *body());
    assert_eq!(server.requests.load(Ordering::SeqCst), 5, "70,000 bytes at a time");
}

#[test]
fn a_later_call_goes_on_and_sees_a_changed_file() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.bin");
    let phase = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&phase);
    let server = serve(Box::new(move |number| match now.load(Ordering::SeqCst) {
        // The first request brings a part, the others nothing.
        0 => Answer { status: if number == 0 { 200 } else { 503 }, cut: 100_000, ..whole() },
        1 => whole(),
        _ => Answer { etag: Some("\"v2\""), body: Arc::new(vec![7; 1000]), ..whole() },
    }));
    let told = fetch(&server.address, &target, None, &|_, _| {}).unwrap_err().to_string();
    assert!(told.contains("100000 bytes are kept") && !target.exists(), "{told}");
    phase.store(1, Ordering::SeqCst);
    let fetched = fetch(&server.address, &target, None, &|_, _| {}).unwrap();
    assert_eq!((fetched.bytes, fetched.resumed, fetched.checked), (300_000, 100_000, false));
    assert_eq!(fs::read(&target).unwrap(), *body());

    // A part of the old version, and the server has a new one: it begins anew.
    fs::rename(&target, folder.path().join(".file.bin.part")).unwrap();
    let version = format!("{{\"url\":\"{}\",\"etag\":\"\\\"v1\\\"\",\"modified\":null}}", server.address);
    fs::write(folder.path().join(".file.bin.part.json"), version).unwrap();
    phase.store(2, Ordering::SeqCst);
    let fetched = fetch(&server.address, &target, None, &|_, _| {}).unwrap();
    assert_eq!((fetched.bytes, fetched.resumed), (1000, 0));
    assert_eq!(fs::read(&target).unwrap(), vec![7; 1000]);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let server = serve(Box::new(|number| Answer {
        ranges: false,
        etag: None,
        cut: if number == 0 { 50_000 } else { usize::MAX },
        ..whole()
    }));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.bin");
    fetch(&server.address, &target, Some(&sum()), &|_, _| {}).unwrap();
    assert_eq!(fs::read(&target).unwrap(), *body());
}

#[test]
fn what_cannot_be_had_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.bin");
    let told =
        |url: &str, sum: Option<&Checksum>| fetch(url, &target, sum, &|_, _| {}).unwrap_err().to_string();
    let server = serve(Box::new(|_| Answer { status: 404, ..whole() }));
    assert!(told(&server.address, None).contains("the server answered 404"));
    assert!(told("ftp://example.org/x", None).contains("begin with http"));
    let server = serve(Box::new(|_| whole()));
    let wrong = Checksum::parse(&"1".repeat(40)).unwrap();
    let text = told(&server.address, Some(&wrong));
    assert!(text.contains("the checksum is") && text.contains("the file was deleted"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    for bad in ["", "xyz", &"g".repeat(64), &"a".repeat(63)] {
        assert!(Checksum::parse(bad).is_err());
    }
    // SHA-1 and MD5 of "abc", as their standards give them.
    let server = serve(Box::new(|_| Answer { body: Arc::new(b"abc".to_vec()), ..whole() }));
    for digest in ["a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72"] {
        let target = folder.path().join(digest);
        assert!(
            fetch(&server.address, &target, Some(&Checksum::parse(digest).unwrap()), &|_, _| {})
                .unwrap()
                .checked
        );
    }
}

/// A process that is ended with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // A name of the machine itself, signed by its own key.
    let certificate = openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "own.pem",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ])
    .status();
    if !certificate.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no openssl found (a server with a certificate of its own)");
        return;
    }
    fs::write(folder.path().join("file.bin"), "secret").unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let accept = port.to_string();
    let server = openssl(&["s_server", "-accept", &accept, "-cert", "own.pem", "-key", "key.pem", "-WWW"]);
    let _server = Ended({ server }.spawn().unwrap());
    let start = Instant::now();
    while TcpStream::connect(("localhost", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let target = folder.path().join("got.bin");
    let error = fetch(&format!("https://localhost:{port}/file.bin"), &target, None, &|_, _| {}).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("no secure connection") && told.contains("certificate"), "{told}");
    // Not a byte of it was taken.
    assert!(!target.exists() && !folder.path().join(".got.bin.part").exists());
}
