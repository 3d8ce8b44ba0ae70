//! Figures of lines and distributions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_eval::EvalError;
use mgr_eval::figure::{Caption, Line, distribution_figure, line_figure};

const CAPTION: Caption<'static> = Caption { name: "test", title: "Lines & more" };

fn line(name: &str, points: &[(f64, f64)]) -> Line {
    Line { name: name.to_owned(), points: points.to_vec() }
}

#[test]
fn lines_stand_in_the_legend_where_there_are_several() {
    let one = line_figure(CAPTION, ["x", "y"], &[line("only", &[(0.0, 1.0), (1.0, 2.0)])]).unwrap();
    // The name is in the description and not drawn.
    assert_eq!(one.svg.matches("only").count(), 1, "{}", one.svg);
    let lines = [line("rock", &[(0.0, 1.0)]), line("jazz", &[])];
    let two = line_figure(CAPTION, ["x", "y"], &lines).unwrap();
    assert!(two.alt.contains("rock, jazz") && two.png.starts_with(b"\x89PNG"));
    assert_eq!(two, line_figure(CAPTION, ["x", "y"], &lines).unwrap());
}

#[test]
fn odd_lines_are_refused() {
    let draw = |lines: &[Line]| line_figure(CAPTION, ["x", "y"], lines).unwrap_err();
    assert!(matches!(draw(&[]), EvalError::Empty { .. }));
    assert!(matches!(draw(&[line("a", &[])]), EvalError::Empty { .. }));
    assert!(matches!(draw(&[line("a", &[(f64::NAN, 0.0)])]), EvalError::NotFinite { .. }));
    assert!(matches!(draw(&vec![line("a", &[(0.0, 0.0)]); 65]), EvalError::Parameter { .. }));
}

#[test]
fn shares_of_a_class_sum_to_all_of_it() {
    let rock: Vec<f64> = (0..100).map(f64::from).collect();
    let jazz = vec![50.0, f64::NAN, 50.0];
    let figure = distribution_figure(CAPTION, "tempo", &[rock, jazz], &["rock", "jazz"], 10).unwrap();
    assert!(figure.svg.contains("of the class"));
    let empty = distribution_figure(CAPTION, "tempo", &[vec![f64::NAN]], &["rock"], 10);
    assert!(matches!(empty, Err(EvalError::Empty { .. })));
    // A constant has a distribution too.
    assert!(distribution_figure(CAPTION, "tempo", &[vec![3.0; 5]], &["rock"], 10).is_ok());
    let bins = distribution_figure(CAPTION, "tempo", &[vec![3.0; 5]], &["rock"], 1);
    assert!(matches!(bins, Err(EvalError::Parameter { .. })));
}
