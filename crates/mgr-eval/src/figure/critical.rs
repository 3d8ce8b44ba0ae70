//! The critical-difference diagram of Demšar (2006).

use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::panel::TICK_EM;
use super::{Caption, Figure, check_classes, draw_title};
use crate::EvalError;
use crate::compare::Nemenyi;

const MARGIN: f64 = 24.0;
const AXIS: f64 = 520.0;
const ROW: f64 = 30.0;
const BAR: f64 = 14.0;

/// Draws mean ranks on a line, the best on the left, and joins by a bar the systems that do not differ.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and systems differ in number, [`EvalError::Parameter`] for more than 64 systems,
/// [`EvalError::Empty`] for fewer than two, [`EvalError::NotFinite`] and [`EvalError::LabelOutOfRange`] for a comparison that
/// was not made by [`Friedman::nemenyi`](crate::compare::Friedman::nemenyi), [`EvalError::Drawing`] if the drawing library
/// refuses.
pub fn critical_difference_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    comparison: &Nemenyi,
    names: &[N],
) -> Result<Figure, EvalError> {
    let systems = comparison.mean_ranks.len();
    check_classes(systems, names.len())?;
    if systems < 2 {
        return Err(EvalError::Empty { what: "list of systems after the first" });
    }
    let values = comparison.mean_ranks.iter().chain([&comparison.critical_difference]);
    if let Some((row, &value)) = values.enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(EvalError::NotFinite { what: "mean rank", row, column: 0, value });
    }
    for (index, group) in comparison.groups.iter().enumerate() {
        if let Some(&label) = group.iter().find(|&&system| system >= systems) {
            return Err(EvalError::LabelOutOfRange { what: "system", label, index, classes: systems });
        }
    }
    font::load(caption.name)?;
    let mut order: Vec<usize> = (0..systems).collect();
    order.sort_by(|&a, &b| comparison.mean_ranks[a].total_cmp(&comparison.mean_ranks[b]).then(a.cmp(&b)));
    let labels: Vec<String> = names
        .iter()
        .zip(&comparison.mean_ranks)
        .map(|(name, rank)| {
            format!("{}  {rank:.2}", font::fit(name.as_ref(), TICK_EM, Weight::Regular, 240.0))
        })
        .collect();

    let name_room = font::widest(&labels, TICK_EM, Weight::Regular) + 16.0;
    let left = MARGIN + name_room;
    let x_of = |rank: f64| left + AXIS * (rank - 1.0) / (systems as f64 - 1.0);
    let axis_y = 150.0;
    let first_row = axis_y + 26.0 + BAR * comparison.groups.len() as f64;
    let half = systems.div_ceil(2);
    let width = (left + AXIS + name_room + MARGIN).max(left + x_of(1.0 + comparison.critical_difference));
    let mut scene = Scene::new(width, first_row + ROW * half as f64 + 16.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);

    let ink = Stroke::new(1.75, Colour::INK);
    let difference = [x_of(1.0), x_of(1.0 + comparison.critical_difference)];
    scene.line(difference.map(|x| (x, 92.0)).to_vec(), Stroke::new(3.0, Colour::VERMILION));
    for x in difference {
        scene.line(vec![(x, 86.0), (x, 98.0)], Stroke::new(3.0, Colour::VERMILION));
    }
    let text = format!(
        "critical difference {:.2} at {:.0} %",
        comparison.critical_difference,
        100.0 * comparison.alpha
    );
    scene.text(difference[0], 78.0, &text, TextStyle::new(TICK_EM, Colour::INK));

    scene.line(vec![(x_of(1.0), axis_y), (x_of(systems as f64), axis_y)], ink);
    // Every rank up to 16 systems, then fewer, so that labels keep apart.
    let step = systems.div_ceil(16);
    for rank in (1..=systems).step_by(step) {
        let x = x_of(rank as f64);
        scene.line(vec![(x, axis_y - 7.0), (x, axis_y)], ink);
        let style = TextStyle::new(TICK_EM, Colour::MUTED).align(Align::Middle);
        scene.text(x, axis_y - 13.0, &rank.to_string(), style);
    }
    let side = TextStyle::new(TICK_EM, Colour::MUTED);
    scene.text(left - 16.0, axis_y - 13.0, "better", side.align(Align::End));
    scene.text(left + AXIS + 16.0, axis_y - 13.0, "worse", side);

    for (position, &system) in order.iter().enumerate() {
        let x = x_of(comparison.mean_ranks[system]);
        let is_left = position < half;
        let row = if is_left { position } else { systems - 1 - position };
        let y = first_row + ROW * (row as f64 + 0.5);
        let (end, align) = if is_left { (left - 8.0, Align::End) } else { (left + AXIS + 8.0, Align::Start) };
        scene.line(vec![(x, axis_y), (x, y), (end, y)], Stroke::new(1.25, Colour::MUTED));
        scene.disc((x, axis_y), 4.5, Colour::BLUE);
        let place = if is_left { end - 6.0 } else { end + 6.0 };
        scene.centred_text(place, y, &labels[system], TextStyle::new(TICK_EM, Colour::INK).align(align));
    }
    for (row, group) in comparison.groups.iter().enumerate() {
        let ranks = || group.iter().map(|&system| comparison.mean_ranks[system]);
        let (low, high) = (ranks().fold(f64::INFINITY, f64::min), ranks().fold(0.0, f64::max));
        let y = axis_y + 16.0 + BAR * row as f64;
        scene.line(vec![(x_of(low) - 5.0, y), (x_of(high) + 5.0, y)], Stroke::new(5.0, Colour::INK));
    }
    let listed: Vec<&str> = order.iter().map(|&system| labels[system].as_str()).collect();
    let join = |group: &Vec<usize>| group.iter().map(|&s| names[s].as_ref()).collect::<Vec<_>>().join(", ");
    let groups: Vec<String> = comparison.groups.iter().map(join).collect();
    let joined = if groups.is_empty() {
        "All differ.".to_owned()
    } else {
        format!("Not told apart: {}.", groups.join("; "))
    };
    let alt = format!("{}: mean ranks, best first: {}. {text}. {joined}", caption.title, listed.join(", "));
    Figure::from_scene(caption, alt, scene)
}
