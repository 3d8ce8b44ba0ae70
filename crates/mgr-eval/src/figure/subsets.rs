//! The ranking of subsets of features or systems that were fused.

use super::axis::Axis;
use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};
use super::importance::whisker;
use super::panel::TICK_EM;
use super::{Caption, Figure, draw_title};
use crate::EvalError;

/// One subset and how well its fusion does.
#[derive(Debug, Clone, PartialEq)]
pub struct SubsetScore {
    /// Its members, as indices into the names.
    pub members: Vec<usize>,
    /// Mean accuracy (or another share) over folds.
    pub mean: f64,
    /// Deviation over folds, where known.
    pub deviation: Option<f64>,
}

const MARGIN: f64 = 24.0;
const PLOT: f64 = 420.0;
const ROW: f64 = 28.0;
const COLUMN: f64 = 30.0;

/// Draws the `most` (1 to 60) best subsets from the best down: a dot for each member, then the mean with its deviation.
///
/// # Errors
/// [`EvalError::Empty`] without subsets or names, [`EvalError::Parameter`] for `most` or more than 24 names,
/// [`EvalError::LabelOutOfRange`] for a member without a name, [`EvalError::NotFinite`], [`EvalError::Drawing`] if the
/// drawing library refuses.
pub fn subset_figure<N: AsRef<str>>(
    caption: Caption<'_>,
    axis_title: &str,
    names: &[N],
    subsets: &[SubsetScore],
    most: usize,
) -> Result<Figure, EvalError> {
    if subsets.is_empty() || names.is_empty() {
        return Err(EvalError::Empty { what: "list of subsets" });
    }
    if !(1..=60).contains(&most) {
        return Err(EvalError::Parameter { name: "most", value: most as f64, allowed: "1 to 60" });
    }
    if names.len() > 24 {
        let value = names.len() as f64;
        return Err(EvalError::Parameter { name: "members of subsets", value, allowed: "1 to 24" });
    }
    for (row, subset) in subsets.iter().enumerate() {
        for value in [subset.mean, subset.deviation.unwrap_or(0.0)] {
            if !value.is_finite() {
                return Err(EvalError::NotFinite { what: "score of a subset", row, column: 0, value });
            }
        }
        if let Some(&label) = subset.members.iter().find(|&&member| member >= names.len()) {
            let (what, classes) = ("member", names.len());
            return Err(EvalError::LabelOutOfRange { what, label, index: row, classes });
        }
    }
    font::load(caption.name)?;
    let mut order: Vec<&SubsetScore> = subsets.iter().collect();
    order.sort_by(|a, b| b.mean.total_cmp(&a.mean).then(a.members.len().cmp(&b.members.len())));
    order.truncate(most);
    let short: Vec<String> =
        names.iter().map(|name| font::fit(name.as_ref(), TICK_EM, Weight::Regular, 150.0)).collect();
    let ends = |sign: f64| order.iter().map(move |s| s.mean + sign * s.deviation.unwrap_or(0.0));
    let low = ends(-1.0).fold(f64::INFINITY, f64::min);
    let axis = Axis::covering(low, ends(1.0).fold(f64::NEG_INFINITY, f64::max), true);

    let rank = MARGIN + 34.0;
    let plot = rank + COLUMN * short.len() as f64 + 24.0;
    let top = 64.0 + font::widest(&short, TICK_EM, Weight::Regular) + 14.0;
    let bottom = top + ROW * order.len() as f64;
    let x_of = |value: f64| plot + PLOT * axis.place(value);
    let width = plot + PLOT + 76.0 + MARGIN;
    let mut scene = Scene::new(width, bottom + 68.0);
    draw_title(&mut scene, caption.title, MARGIN, 40.0, width - 2.0 * MARGIN);
    for (column, name) in short.iter().enumerate() {
        let x = rank + COLUMN * (column as f64 + 0.5);
        scene.centred_text(x, top - 10.0, name, TextStyle::new(TICK_EM, Colour::INK).upward());
    }
    let muted = TextStyle::new(TICK_EM, Colour::MUTED);
    for tick in axis.ticks() {
        scene.line(vec![(x_of(tick), top - 4.0), (x_of(tick), bottom)], Stroke::new(1.0, Colour::GRID));
        scene.text(x_of(tick), bottom + 9.0 + TICK_EM, &axis.label(tick, true), muted.align(Align::Middle));
    }
    for (row, subset) in order.iter().enumerate() {
        let y = top + ROW * (row as f64 + 0.5);
        scene.centred_text(rank - 8.0, y, &(row + 1).to_string(), muted.align(Align::End));
        let x_of_member = |member: usize| rank + COLUMN * (member as f64 + 0.5);
        if let (Some(&first), Some(&last)) = (subset.members.iter().min(), subset.members.iter().max()) {
            scene.line(vec![(x_of_member(first), y), (x_of_member(last), y)], Stroke::new(2.0, Colour::INK));
        }
        // Rings on top of the line: it passes those that are not in.
        for member in 0..short.len() {
            scene.disc((x_of_member(member), y), 6.5, Colour::GRID);
            scene.disc((x_of_member(member), y), 4.5, Colour::PAPER);
        }
        for &member in &subset.members {
            scene.disc((x_of_member(member), y), 7.0, Colour::INK);
        }
        if let Some(deviation) = subset.deviation.filter(|&deviation| deviation > 0.0) {
            whisker(&mut scene, y, x_of(subset.mean - deviation), x_of(subset.mean + deviation));
        }
        scene.disc((x_of(subset.mean), y), 6.0, Colour::BLUE);
        scene.centred_text(
            plot + PLOT + 16.0,
            y,
            &format!("{:.1} %", 100.0 * subset.mean),
            TextStyle::new(TICK_EM, Colour::INK),
        );
    }
    let style = TextStyle::new(15.0, Colour::INK).bold().align(Align::Middle);
    scene.text(plot + 0.5 * PLOT, bottom + 50.0, axis_title, style);
    let describe = |subset: &&SubsetScore| {
        let members: Vec<&str> = subset.members.iter().map(|&member| names[member].as_ref()).collect();
        format!("{} {:.1} %", members.join(" + "), 100.0 * subset.mean)
    };
    let listed: Vec<String> = order.iter().take(6).map(describe).collect();
    let alt = format!(
        "{}: {} of {} subsets by {axis_title}, best first: {}.",
        caption.title,
        order.len(),
        subsets.len(),
        listed.join("; ")
    );
    Figure::from_scene(caption, alt, scene)
}
