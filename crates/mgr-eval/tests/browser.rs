//! The report in a headless browser: no console error, figures visible and of their size, tables that sort.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mgr_eval::report::{Classification, ClipResult, Protocol, RunDescription, render_html};
use serde_json::Value;

/// Chromium or Chrome, by `MGR_BROWSER` or by the usual names; none is said loudly, and a failure where one is required.
fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("MGR_BROWSER").map(PathBuf::from);
    let works = |path: &PathBuf| {
        let run = Command::new(path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from);
    let found = named.into_iter().chain(usual).find(works);
    if found.is_none() {
        assert!(std::env::var("MGR_REQUIRE_BROWSER").as_deref() != Ok("1"), "a browser is required");
        eprintln!("SKIPPED: no Chromium found (report in a browser); set MGR_BROWSER to its path");
    }
    found
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mgr-eval-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn classification() -> Classification {
    let clips = (0..60_usize)
        .map(|index| {
            let class = index % 3;
            let predicted = if index % 7 == 0 { (class + 1) % 3 } else { class };
            let scores = (0..3).map(|c| {
                if c == predicted { 0.5 + 0.005 * index as f64 } else { 0.25 - 0.0025 * index as f64 }
            });
            ClipResult {
                id: format!("clip {index} <&>"),
                class,
                predicted,
                scores: scores.collect(),
                fold: index % 2,
                group: None,
                audio: Some("a sound #1.wav".to_owned()),
            }
        })
        .collect();
    Classification {
        title: "Three genres".to_owned(),
        run: RunDescription {
            dataset: "test".to_owned(),
            published: Some(Protocol::GtzanFaultFiltered),
            ..RunDescription::default()
        },
        classes: ["blues", "rock", "pop"].map(str::to_owned).to_vec(),
        clips,
        histories: Vec::new(),
    }
}

/// The page as the browser leaves it, and what it says on its console.
fn open(browser: &Path, folder: &Folder, html: &str, arguments: &[&str]) -> (String, Vec<String>) {
    let page = folder.0.join("report.html");
    std::fs::write(&page, html).unwrap();
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .args(["--virtual-time-budget=5000"])
        .arg(format!("--user-data-dir={}", folder.0.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let errors = String::from_utf8_lossy(&output.stderr);
    let console = errors.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8(output.stdout).unwrap(), console)
}

/// Asks the page after it has loaded: sizes, contrast of hidden and shown figures, what sorting does, whether a sound loads.
const PROBE: &str = r#"
addEventListener("load", async () => {
  const shown = [...document.querySelectorAll("figure svg")].filter((svg) => svg.getBoundingClientRect().width > 0);
  const figures = shown.map((svg) => {
    const box = svg.getBoundingClientRect();
    return { width: box.width, height: box.height, want: svg.width.baseVal.value / svg.height.baseVal.value };
  });
  const table = document.querySelector("table.sortable");
  const head = table.tHead.rows[0].cells[2];
  const column = () => [...table.tBodies[0].rows].map((row) => parseFloat(row.cells[2].textContent));
  const given = column();
  const clicks = [0, 1, 2].map(() => {
    head.querySelector("button").click();
    return { sort: head.getAttribute("aria-sort"), column: column(), said: document.getElementById("sort-status").textContent };
  });
  const sound = document.querySelector("audio");
  let state = 0;
  sound.addEventListener("loadedmetadata", () => (state = sound.duration));
  sound.addEventListener("error", () => (state = -1));
  sound.preload = "metadata";
  sound.load();
  // The browser's time is virtual and leaps; sounds load in real time, which only work lets pass.
  for (let tick = 0; tick < 200 && state === 0; tick++) {
    await new Promise((done) => setTimeout(done, 10));
    for (let i = 0, x = 1; i < 2e7; i++) x = (x * 48271) % 2147483647;
  }
  const audio = state;
  const result = {
    figures, given, clicks, audio,
    dark: getComputedStyle(document.body).backgroundColor,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    unlabelled: [...document.querySelectorAll("figure svg, audio, table button")].filter(
      (e) => !(e.getAttribute("aria-label") || e.textContent.trim())).length,
    focusable: [...document.querySelectorAll("table.sortable th[scope=col]:not(.fixed)")].every((th) => th.querySelector("button")),
  };
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify(result);
  document.body.append(out);
});
"#;

/// The page with the probe let in: its policy goes, since it rightly forbids any other script.
fn with_probe(html: &str) -> String {
    let start = html.find("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let end = start + html[start..].find('>').unwrap() + 1;
    let open = format!("{}{}", &html[..start], &html[end..]);
    open.replace("</body>", &format!("<script>{PROBE}</script></body>"))
}

fn probed(dom: &str) -> Value {
    let (_, rest) = dom.split_once("<pre id=\"probe\">").expect("the probe left nothing");
    let (json, _) = rest.split_once("</pre>").unwrap();
    serde_json::from_str(&json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).unwrap()
}

/// One second of silence, 8 bits, 8 kHz.
fn wav() -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36_u32 + 8000).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend([8000_u32, 8000].map(u32::to_le_bytes).concat());
    bytes.extend(b"\x01\0\x08\0data");
    bytes.extend(8000_u32.to_le_bytes());
    bytes.extend([128; 8000]);
    bytes
}

#[test]
fn the_page_opens_without_a_word_on_the_console() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("console");
    std::fs::write(folder.0.join("a sound #1.wav"), wav()).unwrap();
    let html = render_html(&classification().report().unwrap());
    let (dom, console) = open(&browser, &folder, &html, &["--window-size=1280,900"]);
    assert!(console.is_empty(), "{console:?}");
    // The policy let the sorting script run: headings became buttons.
    assert!(dom.contains("<button type=\"button\">Precision</button>"));
}

#[test]
fn figures_are_visible_tables_sort_and_sounds_load() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("probe");
    std::fs::write(folder.0.join("a sound #1.wav"), wav()).unwrap();
    let html = with_probe(&render_html(&classification().report().unwrap()));
    for (arguments, dark) in [
        (["--window-size=1280,900", "--blink-settings=preferredColorScheme=1"], false),
        (["--window-size=1280,900", "--blink-settings=preferredColorScheme=0"], true),
        (["--window-size=500,900", "--blink-settings=preferredColorScheme=1"], false),
    ] {
        let (dom, console) = open(&browser, &folder, &html, &arguments);
        assert!(console.is_empty(), "{console:?}");
        let found = probed(&dom);
        let figures = found["figures"].as_array().unwrap();
        // Confusion, bars, ROC, precision and recall, calibration; each once, whatever the paper.
        assert_eq!(figures.len(), 5, "{arguments:?}");
        for figure in figures {
            let (width, height) = (figure["width"].as_f64().unwrap(), figure["height"].as_f64().unwrap());
            assert!(width > 250.0 && height > 150.0, "{figure}");
            assert!(
                (width / height / figure["want"].as_f64().unwrap() - 1.0).abs() < 0.02,
                "{figure} is squeezed"
            );
        }
        // Nothing but the tables' own boxes scrolls sideways.
        assert_eq!(found["overflow"], 0, "{arguments:?}");
        assert_eq!(found["dark"] == "rgb(14, 19, 24)", dark, "{}", found["dark"]);
        assert_eq!((&found["unlabelled"], &found["focusable"]), (&Value::from(0), &Value::from(true)));
        assert_eq!(found["audio"], 1.0);

        let column = |value: &Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
        };
        let given = column(&found["given"]);
        let mut sorted = given.clone();
        sorted.sort_by(f64::total_cmp);
        let clicks = found["clicks"].as_array().unwrap();
        assert_eq!(
            (&clicks[1]["sort"], column(&clicks[1]["column"])),
            (&Value::from("ascending"), sorted.clone())
        );
        sorted.reverse();
        assert_eq!((&clicks[0]["sort"], column(&clicks[0]["column"])), (&Value::from("descending"), sorted));
        assert_eq!(clicks[0]["said"], "Sorted by Recall, descending");
        assert_eq!((&clicks[2]["sort"], column(&clicks[2]["column"])), (&Value::Null, given));
    }
}
