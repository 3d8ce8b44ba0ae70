//! The page: its bytes, its escaping, its accessibility.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mgr_eval::EvalError;
use mgr_eval::figure::{Caption, Figure, confusion_figure};
use mgr_eval::metrics::ConfusionMatrix;
use mgr_eval::report::{
    BadFile, Block, Column, Headline, Report, Section, Table, bad_files_table, per_class_table,
    per_fold_table, render_html,
};
use sha2::{Digest as _, Sha256};

fn matrices() -> [ConfusionMatrix; 2] {
    [
        ConfusionMatrix::from_labels(&[0, 0, 1, 1], &[0, 1, 1, 1], 3).unwrap(),
        ConfusionMatrix::from_labels(&[0, 0, 1, 1], &[0, 0, 1, 2], 3).unwrap(),
    ]
}

fn small_report() -> Report {
    let folds = matrices();
    let total = ConfusionMatrix::sum(&folds).unwrap();
    let picture = Figure::from_svg(
        "picture",
        "Picture",
        "A picture",
        "<svg role=\"img\" aria-label=\"A picture\"></svg>\n",
    );
    Report {
        title: "Genres".to_owned(),
        subtitle: "Two folds".to_owned(),
        headline: vec![Headline {
            label: "Accuracy".to_owned(),
            value: "75.0 %".to_owned(),
            note: "of 8 clips".to_owned(),
        }],
        warnings: vec!["One class has no clip.".to_owned()],
        sections: vec![
            Section {
                title: "Results".to_owned(),
                id: "results".to_owned(),
                blocks: vec![
                    Block::Paragraph("All folds.".to_owned()),
                    per_class_table(&total, &["blues", "rock", "pop"]).unwrap(),
                    per_fold_table(&folds).unwrap(),
                    Block::Figure(picture),
                ],
            },
            Section {
                title: "Data".to_owned(),
                id: "data".to_owned(),
                blocks: vec![
                    bad_files_table(&[BadFile { path: "a.wav".to_owned(), reason: "no samples".to_owned() }]),
                    Block::KeyValues(vec![("Seed".to_owned(), "0".to_owned())]),
                    Block::List(vec!["first".to_owned(), "second".to_owned()]),
                    Block::Code("mgr run\nmgr report".to_owned()),
                ],
            },
        ],
    }
}

#[test]
fn a_small_report_has_fixed_bytes() {
    let page = render_html(&small_report());
    assert_eq!(page, render_html(&small_report()));
    // The style sheet and the script are left out of the snapshot: a colour may change without a review of the structure.
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    insta::assert_snapshot!("small_report", format!("{head}{body}"));
}

#[test]
fn a_report_survives_serde() {
    let json = serde_json::to_string(&small_report()).unwrap();
    let read: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(render_html(&read), render_html(&small_report()));
}

#[test]
fn every_text_is_escaped() {
    let evil = || "<b>&\"'\u{0}\u{1b}".to_owned();
    let table = Table { caption: evil(), columns: vec![Column::text(evil())], rows: vec![vec![evil()]] };
    let report = Report {
        title: evil(),
        subtitle: evil(),
        headline: vec![Headline { label: evil(), value: evil(), note: evil() }],
        warnings: vec![evil()],
        sections: vec![
            Section {
                title: evil(),
                id: evil(),
                blocks: vec![
                    Block::Paragraph(evil()),
                    Block::Table(table),
                    Block::Code(evil()),
                    Block::KeyValues(vec![(evil(), evil())]),
                    Block::List(vec![evil()]),
                    bad_files_table(&[BadFile { path: evil(), reason: evil() }]),
                ],
            },
            Section { title: evil(), id: evil(), blocks: vec![] },
        ],
    };
    let page = render_html(&report);
    assert!(
        !page.contains("<b>") && !page.contains("&\"") && !page.contains('\u{0}') && !page.contains('\u{1b}')
    );
    // Title twice, subtitle, three of the headline, a warning, two titles and their links, and the blocks: nothing
    // is dropped.
    assert_eq!(page.matches("&lt;b&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}").count(), 22);
}

#[test]
fn anchors_are_unique_and_clean() {
    let section = |id: &str| Section { title: "T".to_owned(), id: id.to_owned(), blocks: vec![] };
    let sections = ["a b", "a-b", "", "content", "warnings"].map(section).to_vec();
    let page = render_html(&Report { sections, ..Default::default() });
    for id in ["a-b", "a-b-2", "section", "content-2", "warnings-2"] {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")));
    }
}

#[test]
fn the_page_is_self_contained_and_accessible() {
    let matrix = matrices()[0].clone();
    let caption = Caption { name: "confusion", title: "Confusion" };
    let figure = confusion_figure(caption, &matrix, &["blues", "rock", "pop"]).unwrap();
    let mut report = small_report();
    report.sections[0].blocks.push(Block::Figure(figure.clone()));
    let page = render_html(&report);
    assert!(page.contains(&format!("aria-label=\"{}\"", figure.alt)));
    for outside in ["<link", "<img", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    // One script, and the policy lets run that one and no other.
    let (_, rest) = page.split_once("<script>").unwrap();
    let (script, rest) = rest.split_once("</script>").unwrap();
    assert!(!rest.contains("<script") && page.matches("<script").count() == 1);
    let hash = BASE64_STANDARD.encode(Sha256::digest(script));
    assert!(page.contains(&format!("script-src 'sha256-{hash}'")), "the hash is {hash}");
    // The only address is the SVG name space, which nothing fetches: once for each paper.
    let spaces = page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    assert_eq!((page.matches("http").count() - page.matches("http-equiv").count(), spaces), (2, 2));
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<th>").count(), 0);
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("<html lang=\"en\">"));
}

#[test]
fn the_dark_style_knows_the_colours_of_the_figures() {
    let matrix = matrices()[0].clone();
    let caption = Caption { name: "confusion", title: "Confusion" };
    let figure = confusion_figure(caption, &matrix, &["blues", "rock", "pop"]).unwrap();
    let page = render_html(&Report::default());
    for colour in ["#FFFFFF", "#1F2933", "#52606D"] {
        assert!(figure.svg.contains(&format!("fill=\"{colour}\"")), "{colour} is not drawn");
        assert!(page.contains(&format!("[fill=\"{colour}\"]")), "{colour} is not restyled");
    }
}

#[test]
fn ragged_rows_and_empty_inputs_are_defined() {
    let table = Table {
        caption: "c".to_owned(),
        columns: vec![Column::text("a"), Column::number("b")],
        rows: vec![vec![], vec!["1".to_owned(), "2".to_owned(), "beyond".to_owned()]],
    };
    let section = Section { title: "s".to_owned(), id: "s".to_owned(), blocks: vec![Block::Table(table)] };
    let page = render_html(&Report { sections: vec![section], ..Default::default() });
    assert!(page.contains("<tr><th scope=\"row\"></th><td class=\"number\"></td></tr>"));
    assert!(!page.contains("beyond"));
    assert!(matches!(per_fold_table(&[]), Err(EvalError::Empty { .. })));
    assert!(matches!(per_class_table(&matrices()[0], &["a"]), Err(EvalError::LengthMismatch { .. })));
    assert_eq!(bad_files_table(&[]), Block::Paragraph("Every file could be read.".to_owned()));
}
