//! Figures of scores, comparisons and matrices: sound on both papers, whatever the input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_eval::EvalError;
use mgr_eval::compare::friedman;
use mgr_eval::figure::{
    AxisMarks, Caption, Figure, HeatStyle, Importance, Palette, SubsetScore, Theme, calibration_figure,
    critical_difference_figure, filter_bank_figure, heat_figure, importance_figure, kernel_figure,
    precision_recall_figure, roc_figure, scatter_figure, subset_figure,
};
use mgr_eval::metrics::{Binning, Calibration, precision_recall_curve, roc_curve};
use ndarray::{Array2, array};

const CAPTION: Caption<'static> = Caption { name: "test", title: "A <title> & \"more\"" };

/// First and last pixel, and the number of different bytes.
fn corners(png: &[u8]) -> ([u8; 3], usize) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels[..3], pixels[pixels.len() - 3..], "corners differ: something reaches over the edge");
    let mut seen = pixels.clone();
    seen.sort_unstable();
    seen.dedup();
    ([pixels[0], pixels[1], pixels[2]], seen.len())
}

/// Both papers are drawn, from equal input to equal bytes, with text that is escaped and numbers that are finite.
fn assert_sound(figure: &Figure) {
    assert!(!figure.alt.is_empty() && figure.alt.starts_with("A <title>"));
    assert_eq!(corners(&figure.png).0, [255, 255, 255]);
    let dark = figure.with_theme(Theme::Dark).unwrap();
    assert_eq!(corners(&dark.png).0, [0x17, 0x1E, 0x26]);
    assert!(corners(&dark.png).1 > 20);
    for svg in [&figure.svg, &dark.svg] {
        assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("<title>"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
    assert_eq!(dark.svg.matches("<text").count(), figure.svg.matches("<text").count());
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("class <{index}>")).collect()
}

#[test]
fn curves_of_one_to_many_classes() {
    for classes in [1, 12] {
        let positive =
            |class: usize| -> Vec<bool> { (0..120).map(|clip| clip % (classes + 1) == class).collect() };
        let scores = |class: usize| -> Vec<f64> {
            (0..120)
                .map(|clip| {
                    ((clip * 37 + class * 11) % 50) as f64
                        + if clip % (classes + 1) == class { 20.0 } else { 0.0 }
                })
                .collect()
        };
        let roc: Vec<_> = (0..classes).map(|c| roc_curve(&positive(c), &scores(c)).unwrap()).collect();
        let precision: Vec<_> =
            (0..classes).map(|c| precision_recall_curve(&positive(c), &scores(c)).unwrap()).collect();
        assert_sound(&roc_figure(CAPTION, &roc, &names(classes)).unwrap());
        assert_sound(&precision_recall_figure(CAPTION, &precision, &names(classes)).unwrap());
    }
    // A class that no clip has is named and not drawn.
    let absent = [roc_curve(&[false, false], &[0.1, 0.2]).unwrap()];
    let figure = roc_figure(CAPTION, &absent, &["pop"]).unwrap();
    assert!(figure.alt.ends_with("AUC: pop undefined."), "{}", figure.alt);
    assert_sound(&figure);
    let curve = roc_curve(&[true, false, true], &[0.9, 0.5, 0.1]).unwrap();
    let figure = roc_figure(CAPTION, &[curve], &["pop"]).unwrap();
    assert!(figure.alt.ends_with("AUC: pop 0.500."), "{}", figure.alt);
    let curve = precision_recall_curve(&[true, false, true], &[0.9, 0.5, 0.1]).unwrap();
    let figure = precision_recall_figure(CAPTION, &[curve], &["pop"]).unwrap();
    assert!(figure.alt.ends_with("AP: pop 0.833."), "{}", figure.alt);
    assert!(matches!(roc_figure::<&str>(CAPTION, &[], &[]), Err(EvalError::Empty { .. })));
    assert!(matches!(roc_figure(CAPTION, &absent, &["a", "b"]), Err(EvalError::LengthMismatch { .. })));
}

#[test]
fn calibration_of_few_and_many_systems() {
    let confidences: Vec<f64> = (0..100).map(|i| f64::from(i) / 99.0).collect();
    let right: Vec<bool> = (0..100).map(|i| i % 3 != 0).collect();
    let one = Calibration::new(&confidences, &right, 10, Binning::Uniform).unwrap();
    let single = Calibration::new(&[1.0], &[true], 10, Binning::Uniform).unwrap();
    assert_sound(&calibration_figure(CAPTION, &[one.clone(), single], &["a", "b"]).unwrap());
    let many = vec![one.clone(); 8];
    assert!(matches!(calibration_figure(CAPTION, &many, &names(8)), Err(EvalError::Parameter { .. })));
    assert!(matches!(
        calibration_figure(CAPTION, &[Calibration { bins: vec![] }], &["a"]),
        Err(EvalError::Empty { .. })
    ));
}

#[test]
fn rankings_and_importances() {
    let subset =
        |members: &[usize], mean, deviation| SubsetScore { members: members.to_vec(), mean, deviation };
    let subsets = [subset(&[0, 2], 0.8, Some(0.1)), subset(&[1], 0.9, None), subset(&[], 0.1, Some(0.0))];
    let figure = subset_figure(CAPTION, "Accuracy", &["mel", "cqt", "scatter"], &subsets, 10).unwrap();
    assert!(figure.alt.contains("cqt 90.0 %; mel + scatter 80.0 %"), "{}", figure.alt);
    assert_sound(&figure);
    let same = figure.with_theme(Theme::Light).unwrap();
    assert!(same == figure && same.png == figure.png);
    assert!(subset_figure(CAPTION, "Accuracy", &["mel"], &[subset(&[0], 0.5, None)], 1).is_ok());
    let beyond = subset_figure(CAPTION, "Accuracy", &["mel"], &[subset(&[1], 0.5, None)], 1);
    assert!(matches!(beyond, Err(EvalError::LabelOutOfRange { .. })));
    let lost = subset_figure(CAPTION, "Accuracy", &["mel"], &[subset(&[0], f64::NAN, None)], 1);
    assert!(matches!(lost, Err(EvalError::NotFinite { .. })));

    let feature = |name: &str, value| Importance { name: name.to_owned(), value, deviation: Some(0.01) };
    let features = [feature("zcr", 0.1), feature("mfcc", -0.2), feature("a".repeat(500).as_str(), 0.0)];
    assert_sound(&importance_figure(CAPTION, "Loss of accuracy", &features, 20).unwrap());
    assert_sound(&importance_figure(CAPTION, "x", &[feature("zero", 0.0)], 1).unwrap());
    assert!(matches!(importance_figure(CAPTION, "x", &features, 0), Err(EvalError::Parameter { .. })));
    assert!(matches!(
        importance_figure(CAPTION, "x", &[feature("n", f64::INFINITY)], 1),
        Err(EvalError::NotFinite { .. })
    ));
}

#[test]
fn critical_differences_of_two_to_many_systems() {
    for (datasets, systems) in [(2, 2), (30, 24)] {
        let measures =
            Array2::from_shape_fn((datasets, systems), |(i, j)| ((i * 7 + j * j * 3) % 11) as f64 + j as f64);
        let comparison = friedman(measures.view()).unwrap().nemenyi(0.05).unwrap();
        assert_sound(&critical_difference_figure(CAPTION, &comparison, &names(systems)).unwrap());
    }
    let ties = friedman(Array2::from_elem((4, 3), 1.0).view()).unwrap().nemenyi(0.1).unwrap();
    let figure = critical_difference_figure(CAPTION, &ties, &["a", "b", "c"]).unwrap();
    assert!(figure.alt.ends_with("Not told apart: a, b, c."), "{}", figure.alt);
    assert_sound(&figure);
}

#[test]
fn points_and_filters() {
    let points: Vec<(f64, f64)> =
        (0..70).map(|i| (f64::from(i).sin() * 1e6, f64::from(i).cos() * 1e6)).collect();
    let classes: Vec<usize> = (0..70).map(|i| i % 35).collect();
    assert_sound(&scatter_figure(CAPTION, &points, &classes, &names(35)).unwrap());
    assert_sound(&scatter_figure(CAPTION, &[(3.0, 3.0)], &[0], &["one"]).unwrap());
    assert_sound(&scatter_figure(CAPTION, &[(-1e308, 0.0), (1e308, 0.0)], &[0, 0], &["far"]).unwrap());
    assert!(matches!(
        scatter_figure(CAPTION, &[(f64::NAN, 0.0)], &[0], &["a"]),
        Err(EvalError::NotFinite { .. })
    ));
    assert!(matches!(
        scatter_figure(CAPTION, &[(0.0, 0.0)], &[1], &["a"]),
        Err(EvalError::LabelOutOfRange { .. })
    ));
    assert!(matches!(
        scatter_figure(CAPTION, &[(0.0, 0.0)], &[], &["a"]),
        Err(EvalError::LengthMismatch { .. })
    ));

    let bank = array![[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    let titles = ["Frequency (Hz)", "Weight"];
    assert_sound(&filter_bank_figure(CAPTION, titles, &[0.0, 1.0, 2.0, 3.0], bank.view()).unwrap());
    assert_sound(&filter_bank_figure(CAPTION, titles, &[5.0], Array2::zeros((1, 1)).view()).unwrap());
    assert!(matches!(
        filter_bank_figure(CAPTION, titles, &[0.0], bank.view()),
        Err(EvalError::LengthMismatch { .. })
    ));
}

#[test]
fn matrices_of_any_size_and_content() {
    let axis = AxisMarks::default();
    for shape in [(1, 1), (96, 430), (3, 5000), (2000, 2)] {
        let matrix = Array2::from_shape_fn(shape, |(i, j)| (i * 3 + j) as f32);
        let style = HeatStyle { palette: Palette::Viridis, ..HeatStyle::default() };
        assert!(!heat_figure(CAPTION, matrix.view(), &axis, &axis, &style).unwrap().png.is_empty());
    }
    // The first row lies at the bottom; a cell without a value is grey.
    let small = array![[0.0_f32, 1.0], [f32::NAN, 1.0]];
    let figure = heat_figure(CAPTION, small.view(), &axis, &axis, &HeatStyle::default()).unwrap();
    assert_sound(&figure);
    let nothing = array![[f32::NAN]];
    assert!(matches!(
        heat_figure(CAPTION, nothing.view(), &axis, &axis, &HeatStyle::default()),
        Err(EvalError::Empty { .. })
    ));
    let upside = HeatStyle { range: Some((1.0, 0.0)), ..HeatStyle::default() };
    assert!(matches!(
        heat_figure(CAPTION, small.view(), &axis, &axis, &upside),
        Err(EvalError::Parameter { .. })
    ));

    let kernels: Vec<Array2<f32>> =
        (1..20).map(|i| Array2::from_elem((i % 7 + 1, 3), i as f32 - 10.0)).collect();
    let views: Vec<_> = kernels.iter().map(|kernel| kernel.view()).collect();
    assert_sound(&kernel_figure(CAPTION, &views, 8).unwrap());
    assert_sound(&kernel_figure(CAPTION, &[Array2::zeros((1, 1)).view()], 64).unwrap());
    assert!(matches!(kernel_figure(CAPTION, &[], 4), Err(EvalError::Empty { .. })));
    assert!(matches!(kernel_figure(CAPTION, &views, 0), Err(EvalError::Parameter { .. })));
}

#[test]
fn a_figure_from_elsewhere_keeps_its_paper() {
    let given = Figure::from_svg("n", "t", "a", "<svg></svg>");
    assert!(matches!(given.with_theme(Theme::Dark), Err(EvalError::Drawing { .. })));
    let drawn =
        importance_figure(CAPTION, "x", &[Importance { name: "a".into(), value: 1.0, deviation: None }], 1)
            .unwrap();
    let read: Figure = serde_json::from_str(&serde_json::to_string(&drawn).unwrap()).unwrap();
    assert_eq!(read.svg, drawn.svg);
    assert!(read.with_theme(Theme::Dark).is_err());
}
