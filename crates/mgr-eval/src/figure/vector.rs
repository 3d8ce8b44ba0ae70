//! One vector of values as bars.

use super::axis::Axis;
use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::matrix::{AxisMarks, Mark};
use super::panel::{Name, Panel, TICK_EM};
use super::{Caption, Figure, draw_title};
use crate::EvalError;

/// The most values of one picture.
const LONGEST: usize = 8192;
/// As many rows have a label and a value each.
const NAMED: usize = 160;
const MARGIN: f64 = 24.0;
const PLOT: f64 = 560.0;
/// Height of the bars together, where there are too many to name each.
const TALL: f64 = 1500.0;
/// A linear scale hides what is this much smaller than the largest value.
const WIDEST_LINEAR: f64 = 100.0;

/// What the bars of a vector stand for.
#[derive(Debug, Clone, PartialEq)]
pub enum Bars<'a> {
    /// Things with a name each, one a value: horizontal bars, the first on top. Up to 160 have their name and value beside
    /// them; of more, every few rows.
    Named(&'a [String]),
    /// Points of a scale, such as frequencies: upright bars above an axis; 0 is the left edge of the first bar.
    Scale(&'a AxisMarks),
}

/// Draws 1 to 8192 values as bars from zero. Where half of the values are under a hundredth of the largest, as those of different units are, the
/// lengths are logarithmic on both sides of zero, and the axis says so. A value that is not finite is named and has no bar.
///
/// # Errors
/// [`EvalError::Empty`] without values, [`EvalError::Parameter`] for more than 8192, [`EvalError::LengthMismatch`] where names and values
/// differ in number, [`EvalError::Drawing`] if the drawing library refuses.
pub fn vector_figure(
    caption: Caption<'_>,
    value_title: &str,
    bars: &Bars<'_>,
    values: &[f64],
) -> Result<Figure, EvalError> {
    if values.is_empty() {
        return Err(EvalError::Empty { what: "vector" });
    }
    if values.len() > LONGEST {
        return Err(EvalError::Parameter {
            name: "values",
            value: values.len() as f64,
            allowed: "1 to 8192",
        });
    }
    if let Bars::Named(names) = bars {
        crate::error::same_length("names of values", values.len(), names.len())?;
    }
    font::load(caption.name)?;
    let scale = Scale::of(values);
    let scene = match bars {
        Bars::Named(names) => named(caption.title, value_title, names, values, &scale),
        Bars::Scale(marks) => upright(caption.title, value_title, marks, values, &scale),
    };
    let what = |i: usize| match bars {
        Bars::Named(names) => format!("{} {}", names[i], short(values[i])),
        Bars::Scale(_) => short(values[i]),
    };
    let listed: Vec<String> = (0..values.len().min(20)).map(what).collect();
    let more = if values.len() > 20 { ", and so on" } else { "" };
    let alt = format!("{}: {} bars: {}{more}.", caption.title, values.len(), listed.join(", "));
    Figure::from_scene(caption, alt, scene)
}

/// A value in four digits.
fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !value.is_finite() {
        "not finite".to_owned()
    } else if (1e-3..1e6).contains(&size) {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        let text = crate::table::fixed(value, decimals);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.2e}")
    }
}

/// How long a bar is.
enum Scale {
    Linear(Axis),
    /// Logarithmic beyond `10^floor` on both sides of zero; `low` and `high` are decades above it, negative below zero.
    Logarithmic {
        floor: i32,
        low: i32,
        high: i32,
    },
}

impl Scale {
    fn of(values: &[f64]) -> Self {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
        let largest = high.max(-low);
        let mut sizes: Vec<f64> = finite().map(f64::abs).filter(|v| *v > 0.0).collect();
        sizes.sort_by(f64::total_cmp);
        // Half of the bars would be too short to be seen.
        let small = sizes.get(sizes.len() / 2).is_some_and(|middle| largest / middle > WIDEST_LINEAR);
        if !small {
            return Self::Linear(Axis::covering(low, high, false));
        }
        let decade = |v: f64| v.log10().floor() as i32;
        // The smallest twentieth may vanish.
        let floor = sizes.get(sizes.len() / 20).map_or(0, |v| decade(*v)).max(decade(largest) - 12);
        let reach = |end: f64| if end > 0.0 { (decade(end) + 1 - floor).max(1) } else { 0 };
        Self::Logarithmic { floor, low: -reach(-low), high: reach(high) }
    }

    /// 0 at the low end, 1 at the high one; none for what is not finite.
    fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        Some(match *self {
            Self::Linear(axis) => axis.place(value),
            Self::Logarithmic { floor, low, high } => {
                let decades = (value.abs().log10() - f64::from(floor)).max(0.0);
                let signed = if value < 0.0 { -decades } else { decades };
                (signed - f64::from(low)) / f64::from(high - low)
            }
        })
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        match *self {
            Self::Linear(axis) => {
                axis.ticks().map(|tick| (axis.place(tick), axis.label(tick, false))).collect()
            }
            Self::Logarithmic { floor, low, high } => {
                let step = ((high - low) / 8 + 1).max(1) as usize;
                let outward = |end: i32| (1..=end.abs()).step_by(step).map(move |k| k * end.signum());
                [0].into_iter()
                    .chain(outward(high))
                    .chain(outward(low))
                    .map(|k| {
                        let label = match k {
                            0 => "0".to_owned(),
                            _ => format!("{}1e{}", if k < 0 { "-" } else { "" }, floor + k.abs()),
                        };
                        (f64::from(k - low) / f64::from(high - low), label)
                    })
                    .collect()
            }
        }
    }

    fn title(&self, title: &str) -> String {
        match *self {
            Self::Linear(_) => title.to_owned(),
            Self::Logarithmic { floor, .. } => {
                let title = if title.is_empty() { "Value" } else { title };
                format!("{title} (logarithmic beyond 1e{floor})")
            }
        }
    }
}

fn named(title: &str, value_title: &str, names: &[String], values: &[f64], scale: &Scale) -> Scene {
    let count = values.len();
    let (row, em) = match count {
        0..=60 => (22.0, TICK_EM),
        61..=NAMED => (15.0, 11.5),
        _ => ((TALL / count as f64).clamp(0.5, 13.0), 11.5),
    };
    let every = (1.3 * em / row).ceil().max(1.0) as usize;
    let fitted: Vec<String> =
        (0..count).step_by(every).map(|i| font::fit(&names[i], em, Weight::Regular, 300.0)).collect();
    let texts: Vec<String> = (0..count).step_by(every).map(|i| short(values[i])).collect();
    let left = MARGIN + font::widest(&fitted, em, Weight::Regular) + 12.0;
    let beside = font::widest(&texts, em, Weight::Regular) + 12.0;
    let (top, bottom) = (72.0, 72.0 + row * count as f64);
    let width = left + PLOT + beside + MARGIN;
    let x_of = |place: f64| left + PLOT * place.clamp(0.0, 1.0);
    let zero = x_of(scale.place(0.0).unwrap_or(0.0));

    let mut scene = Scene::new(width, bottom + 72.0);
    draw_title(&mut scene, title, MARGIN, 40.0, width - 2.0 * MARGIN);
    for (place, label) in scale.ticks() {
        let x = x_of(place);
        scene.line(vec![(x, top - 4.0), (x, bottom)], Stroke::new(1.0, Colour::GRID));
        let style = TextStyle::new(TICK_EM, Colour::MUTED).align(Align::Middle);
        scene.text(x, bottom + 9.0 + TICK_EM, &label, style);
    }
    let thickness = if row > 6.0 { 0.72 * row } else { row };
    for (i, value) in values.iter().enumerate() {
        let middle = top + row * (i as f64 + 0.5);
        if let Some(place) = scale.place(*value) {
            let (from, to) = (zero.min(x_of(place)), zero.max(x_of(place)));
            let colour = if *value < 0.0 { Colour::VERMILION } else { Colour::BLUE };
            scene.rect(from, middle - 0.5 * thickness, (to - from).max(0.75), thickness, colour);
        }
    }
    for (k, (name, text)) in fitted.iter().zip(&texts).enumerate() {
        let middle = top + row * ((k * every) as f64 + 0.5);
        scene.centred_text(left - 12.0, middle, name, TextStyle::new(em, Colour::INK).align(Align::End));
        // In a column of their own, so that no bar runs through them.
        scene.centred_text(left + PLOT + 12.0, middle, text, TextStyle::new(em, Colour::MUTED));
    }
    scene.line(vec![(zero, top - 4.0), (zero, bottom)], Stroke::new(1.5, Colour::MUTED));
    let style = TextStyle::new(15.0, Colour::INK).bold().align(Align::Middle);
    scene.text(left + 0.5 * PLOT, bottom + 54.0, &scale.title(value_title), style);
    scene
}

fn upright(title: &str, value_title: &str, marks: &AxisMarks, values: &[f64], scale: &Scale) -> Scene {
    let Scale::Linear(axis) = scale else {
        // Upright pictures are of one unit; a wide range is shown as named rows are.
        let names: Vec<String> = vec![String::new(); values.len()];
        return named(title, value_title, &names_of(marks, names), values, scale);
    };
    let beside = Panel::room_beside(axis, false);
    let left = MARGIN + beside;
    let width = left + 820.0 + MARGIN;
    let x = Axis { low: 0.0, high: 1.0, step: 2.0 };
    let panel = Panel { left, top: 72.0, width: 820.0, height: 380.0, x, y: *axis };
    let mut scene = Scene::new(width, panel.bottom() + 72.0);
    draw_title(&mut scene, title, MARGIN, 40.0, width - 2.0 * MARGIN);
    panel.frame(&mut scene, Name("", false), Name(value_title, false), beside);
    let slot = panel.width / values.len() as f64;
    let thickness = if slot > 4.0 { 0.8 * slot } else { slot };
    for (i, value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
        let (_, zero) = panel.at((0.0, 0.0));
        let (_, end) = panel.at((0.0, *value));
        let from = panel.left + slot * (i as f64 + 0.5) - 0.5 * thickness;
        let colour = if *value < 0.0 { Colour::VERMILION } else { Colour::BLUE };
        scene.rect(from, zero.min(end), thickness, (zero - end).abs().max(0.75), colour);
    }
    let style = TextStyle::new(TICK_EM, Colour::MUTED).align(Align::Middle);
    for Mark { place, label } in &marks.marks {
        if (0.0..=1.0).contains(place) {
            let at = panel.left + panel.width * place;
            scene.line(
                vec![(at, panel.bottom()), (at, panel.bottom() + 5.0)],
                Stroke::new(1.5, Colour::MUTED),
            );
            scene.text(at, panel.bottom() + 11.0 + TICK_EM, label, style);
        }
    }
    let style = TextStyle::new(15.0, Colour::INK).bold().align(Align::Middle);
    scene.text(panel.left + 0.5 * panel.width, panel.bottom() + 54.0, &marks.title, style);
    scene
}

/// The labels of a scale at the rows where they stand.
fn names_of(marks: &AxisMarks, mut names: Vec<String>) -> Vec<String> {
    let count = names.len();
    for Mark { place, label } in &marks.marks {
        if let Some(name) = names.get_mut((place * count as f64) as usize) {
            name.clone_from(label);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: Caption<'_> = Caption { name: "vector", title: "A vector" };

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("value_{i}")).collect()
    }

    #[test]
    fn every_row_has_its_name_and_value_until_there_are_too_many() {
        let values: Vec<f64> = (0..60).map(|i| f64::from(i) - 20.0).collect();
        let figure = vector_figure(CAPTION, "dB", &Bars::Named(&names(60)), &values).unwrap();
        for i in 0..60 {
            assert!(figure.svg.contains(&format!("value_{i}\n")), "{i}");
        }
        assert!(figure.svg.contains("dB") && figure.alt.contains("value_0 -20"));
        let many: Vec<f64> = (0..518).map(f64::from).collect();
        let figure = vector_figure(CAPTION, "", &Bars::Named(&names(518)), &many).unwrap();
        let drawn = (0..518).filter(|i| figure.svg.contains(&format!("value_{i}\n"))).count();
        assert!((60..=160).contains(&drawn), "{drawn}");
    }

    #[test]
    fn lengths_are_logarithmic_where_units_differ() {
        let Scale::Linear(axis) = Scale::of(&[2.0, -1.0, 0.0]) else { panic!("not linear") };
        assert!(axis.low <= -1.0 && axis.high >= 2.0);
        let wide = [0.002, -0.01, 0.3, 0.02, 4e6, 1e5];
        let scale = Scale::of(&wide);
        let places: Vec<f64> = wide.iter().map(|v| scale.place(*v).unwrap()).collect();
        let zero = scale.place(0.0).unwrap();
        assert!(places[1] < zero && zero < places[0] && places[0] < places[3] && places[3] < places[2]);
        assert!(places[2] < places[5] && places[5] < places[4] && places[4] < 1.0, "{places:?}");
        assert!(scale.title("").contains("logarithmic"));
        assert!(scale.place(f64::NAN).is_none());
    }

    #[test]
    fn odd_vectors_are_drawn_or_refused() {
        let marks = AxisMarks { title: "Hz".into(), marks: vec![Mark { place: 0.5, label: "5".into() }] };
        for values in [vec![0.0], vec![0.0; 300], vec![f64::NAN, 1.0], vec![f64::MAX, 1e-300, 1.0, 1e-300]] {
            let names = names(values.len());
            vector_figure(CAPTION, "", &Bars::Named(&names), &values).unwrap();
            let figure = vector_figure(CAPTION, "", &Bars::Scale(&marks), &values).unwrap();
            assert!(!figure.png.is_empty());
        }
        assert!(vector_figure(CAPTION, "", &Bars::Named(&[]), &[]).is_err());
        assert!(vector_figure(CAPTION, "", &Bars::Named(&names(2)), &[1.0]).is_err());
        assert!(vector_figure(CAPTION, "", &Bars::Scale(&marks), &vec![0.0; LONGEST + 1]).is_err());
    }

    #[test]
    fn values_are_short() {
        let shown: Vec<String> = [0.0, 1.0, 120.18532, -0.05, 1234.5, 4.2e7, 2e-9].map(short).to_vec();
        assert_eq!(shown, ["0", "1", "120.2", "-0.05", "1234", "4.20e7", "2.00e-9"]);
    }
}
