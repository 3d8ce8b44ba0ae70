//! A plot's frame: axes, grid, legend, markers.

use super::axis::Axis;
use super::draw::{Align, Colour, Scene, Stroke, TextStyle};
use super::font::{self, Weight};

pub(super) const TICK_EM: f64 = 14.0;
const TITLE_EM: f64 = 15.0;

/// A rectangle with two axes, in points.
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

/// What an axis is called, and whether its values are shares to be shown in percent.
#[derive(Clone, Copy)]
pub(super) struct Name<'a>(pub(super) &'a str, pub(super) bool);

impl Panel {
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = self.width * self.x.place(x);
        (self.left + across, self.bottom() - self.height * self.y.place(y))
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Grid, ticks and titles; `beside` is the room left of the panel.
    pub(super) fn frame(&self, scene: &mut Scene, across: Name<'_>, upward: Name<'_>, beside: f64) {
        let muted = TextStyle::new(TICK_EM, Colour::MUTED);
        let grid = Stroke::new(1.0, Colour::GRID);
        for tick in self.x.ticks() {
            let (x, _) = self.at((tick, self.y.low));
            scene.line(vec![(x, self.top), (x, self.bottom())], grid);
            let label = self.x.label(tick, across.1);
            scene.text(x, self.bottom() + 9.0 + TICK_EM, &label, muted.align(Align::Middle));
        }
        for tick in self.y.ticks() {
            let (_, y) = self.at((self.x.low, tick));
            scene.line(vec![(self.left, y), (self.right(), y)], grid);
            scene.centred_text(self.left - 10.0, y, &self.y.label(tick, upward.1), muted.align(Align::End));
        }
        let axis = Stroke::new(1.5, Colour::MUTED);
        let corner = (self.left, self.bottom());
        scene.line(vec![(self.left, self.top), corner, (self.right(), self.bottom())], axis);
        let title = TextStyle::new(TITLE_EM, Colour::INK).bold().align(Align::Middle);
        scene.text(self.left + 0.5 * self.width, self.bottom() + 48.0, across.0, title);
        let middle = self.top + 0.5 * self.height;
        scene.centred_text(self.left - beside + 0.5 * TITLE_EM, middle, upward.0, title.upward());
    }

    /// Room left of the panel for tick labels and a title.
    pub(super) fn room_beside(axis: &Axis, is_share: bool) -> f64 {
        let labels: Vec<String> = axis.ticks().map(|tick| axis.label(tick, is_share)).collect();
        font::widest(&labels, TICK_EM, Weight::Regular) + 10.0 + TITLE_EM + 14.0
    }
}

/// How a line of a series looks: colours first, then the same colours dashed.
pub(super) fn series_stroke(index: usize, width: f64) -> Stroke {
    let colours = Colour::SERIES.len();
    let dashed = (index / colours) % 2 == 1;
    Stroke { dashed, ..Stroke::new(width, Colour::SERIES[index % colours]) }
}

/// A marker of a series: shape and colour change together, so that neither alone carries the meaning.
pub(super) fn marker(scene: &mut Scene, (x, y): (f64, f64), radius: f64, index: usize) {
    let colour = Colour::SERIES[index % Colour::SERIES.len()];
    // Seven colours and five shapes: the pair repeats after 35.
    let polygon: &[(f64, f64)] = match index % 5 {
        0 => return scene.disc((x, y), radius, colour),
        1 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        2 => &[(0.0, -1.25), (1.15, 0.85), (-1.15, 0.85)],
        3 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        _ => &[(0.0, 1.25), (1.15, -0.85), (-1.15, -0.85)],
    };
    let points = polygon.iter().map(|(dx, dy)| (x + radius * dx, y + radius * dy)).collect();
    scene.area(points, colour, 1.0);
}
