//! A picture as a list of shapes, and its drawing as SVG and as PNG.
//!
//! Figures are laid out once, in points of the finished picture, and drawn twice by plotters, so both files show
//! the same.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, BitMapElement, Circle, DrawingArea, DrawingBackend, IntoDrawingArea, PathElement, Polygon,
    RGBAColor, RGBColor, Rectangle, SVGBackend, ShapeStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontTransform};
use serde::{Deserialize, Serialize};

use super::font::{self, HEIGHT_PER_EM, Weight};
use super::matrix::Pixels;
use crate::EvalError;

/// Which paper a figure is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark on white (default).
    #[default]
    Light,
    /// Bright on a dark grey.
    Dark,
}

/// A colour as red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Rgb {
    fn with_alpha(self, alpha: f64) -> RGBAColor {
        RGBColor(self.0, self.1, self.2).mix(alpha)
    }
}

/// A colour on light and on dark paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour {
    pub(crate) light: Rgb,
    pub(crate) dark: Rgb,
}

impl From<Rgb> for Colour {
    /// The same on both papers.
    fn from(rgb: Rgb) -> Self {
        Self { light: rgb, dark: rgb }
    }
}

impl Colour {
    const fn pair(light: (u8, u8, u8), dark: (u8, u8, u8)) -> Self {
        Self { light: Rgb(light.0, light.1, light.2), dark: Rgb(dark.0, dark.1, dark.2) }
    }

    /// Background.
    pub(super) const PAPER: Self = Self::pair((0xFF, 0xFF, 0xFF), (0x17, 0x1E, 0x26));
    /// Titles, names, axes.
    pub(super) const INK: Self = Self::pair((0x1F, 0x29, 0x33), (0xE6, 0xEB, 0xF0));
    /// Ticks and secondary text.
    pub(super) const MUTED: Self = Self::pair((0x52, 0x60, 0x6D), (0xA6, 0xB3, 0xBF));
    /// Grid lines.
    pub(super) const GRID: Self = Self::pair((0xE1, 0xE6, 0xEB), (0x31, 0x3C, 0x47));
    // Okabe and Ito's palette (2008), distinguishable with every common colour blindness, brighter on dark paper. Its yellow
    // is left out, which white paper swallows.
    pub(super) const BLUE: Self = Self::pair((0x00, 0x72, 0xB2), (0x3F, 0x95, 0xDB));
    pub(super) const SKY: Self = Self::pair((0x56, 0xB4, 0xE9), (0x9A, 0xD5, 0xF5));
    pub(super) const VERMILION: Self = Self::pair((0xD5, 0x5E, 0x00), (0xEC, 0x78, 0x2C));
    pub(super) const GREEN: Self = Self::pair((0x00, 0x9E, 0x73), (0x1D, 0xBF, 0x92));
    pub(super) const ORANGE: Self = Self::pair((0xE6, 0x9F, 0x00), (0xF2, 0xBC, 0x4B));
    pub(super) const PURPLE: Self = Self::pair((0xCC, 0x79, 0xA7), (0xDD, 0x9A, 0xC0));

    /// Every colour with a dark twin, for the report's style sheet.
    pub(crate) const PAIRS: [Self; 10] = [
        Self::PAPER,
        Self::INK,
        Self::MUTED,
        Self::GRID,
        Self::BLUE,
        Self::SKY,
        Self::VERMILION,
        Self::GREEN,
        Self::ORANGE,
        Self::PURPLE,
    ];

    /// Colours of lines, points and bars that stand for things of equal rank, in the order of use.
    pub(super) const SERIES: [Self; 7] =
        [Self::BLUE, Self::VERMILION, Self::GREEN, Self::PURPLE, Self::ORANGE, Self::SKY, Self::INK];

    fn is_ramp(self) -> bool {
        self.light != self.dark && !Self::PAIRS.contains(&self)
    }

    pub(super) fn in_theme(self, theme: Theme) -> Rgb {
        match theme {
            Theme::Light => self.light,
            Theme::Dark => self.dark,
        }
    }
}

/// Which end of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// The direction of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Across,
    /// From bottom to top; the baseline is a vertical line.
    Upward,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextStyle {
    /// Points per em.
    pub(super) em: f64,
    pub(super) weight: Weight,
    pub(super) colour: Colour,
    pub(super) align: Align,
    pub(super) reading: Reading,
}

impl TextStyle {
    pub(super) fn new(em: f64, colour: impl Into<Colour>) -> Self {
        let colour = colour.into();
        Self { em, weight: Weight::Regular, colour, align: Align::Start, reading: Reading::Across }
    }

    pub(super) fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    pub(super) fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(super) fn upward(self) -> Self {
        Self { reading: Reading::Upward, ..self }
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) width: f64,
    pub(super) colour: Colour,
    pub(super) alpha: f64,
    pub(super) dashed: bool,
}

impl Stroke {
    pub(super) fn new(width: f64, colour: impl Into<Colour>) -> Self {
        Self { width, colour: colour.into(), alpha: 1.0, dashed: false }
    }
}

#[derive(Debug)]
enum Shape {
    Rect { corner: (f64, f64), size: (f64, f64), colour: Colour },
    Area { points: Vec<(f64, f64)>, colour: Colour, alpha: f64 },
    Line { points: Vec<(f64, f64)>, stroke: Stroke },
    Disc { centre: (f64, f64), radius: f64, colour: Colour },
    Text { text: String, position: (f64, f64), style: TextStyle },
}

/// An image, and where it lies in points.
#[derive(Debug)]
struct Image {
    corner: (f64, f64),
    size: (f64, f64),
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// Shapes in drawing order, in points from the upper left corner.
#[derive(Debug)]
pub(super) struct Scene {
    width: f64,
    height: f64,
    shapes: Vec<Shape>,
    /// Under all shapes.
    images: Vec<Image>,
}

impl Scene {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width: width.ceil(), height: height.ceil(), shapes: Vec::new(), images: Vec::new() }
    }

    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, colour: impl Into<Colour>) {
        let colour = colour.into();
        self.shapes.push(Shape::Rect { corner: (x, y), size: (width, height), colour });
    }

    /// A line through points; fewer than two draw nothing.
    pub(super) fn line(&mut self, points: Vec<(f64, f64)>, stroke: Stroke) {
        let pieces = if stroke.dashed { dashes(&points, 4.0 * stroke.width.max(1.5)) } else { vec![points] };
        for points in pieces.into_iter().filter(|points| points.len() > 1) {
            self.shapes.push(Shape::Line { points, stroke });
        }
    }

    /// An image, under all shapes.
    pub(super) fn image(&mut self, corner: (f64, f64), size: (f64, f64), pixels: Pixels<'_>) {
        let Pixels { width, height, rgb } = pixels;
        self.images.push(Image { corner, size, width, height, rgb: rgb.to_vec() });
    }

    pub(super) fn disc(&mut self, centre: (f64, f64), radius: f64, colour: impl Into<Colour>) {
        self.shapes.push(Shape::Disc { centre, radius, colour: colour.into() });
    }

    /// A filled polygon; fewer than three points draw nothing.
    pub(super) fn area(&mut self, points: Vec<(f64, f64)>, colour: impl Into<Colour>, alpha: f64) {
        if points.len() > 2 {
            self.shapes.push(Shape::Area { points, colour: colour.into(), alpha });
        }
    }

    /// A text whose baseline goes through `(x, y)`. Control characters, which XML forbids, become U+FFFD.
    pub(super) fn text(&mut self, x: f64, y: f64, text: &str, style: TextStyle) {
        let text: String = text
            .chars()
            .map(|c| if crate::report::is_forbidden(c) { char::REPLACEMENT_CHARACTER } else { c })
            .collect();
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text { text, position: (x, y), style });
        }
    }

    /// A text whose capitals have their middle at `(x, y)`.
    pub(super) fn centred_text(&mut self, x: f64, y: f64, text: &str, style: TextStyle) {
        let drop = 0.5 * font::CAP_PER_EM * style.em;
        match style.reading {
            Reading::Across => self.text(x, y + drop, text, style),
            Reading::Upward => self.text(x + drop, y, text, style),
        }
    }

    /// Whether a colour differs between the papers and is none of the palette.
    pub(super) fn has_ramps(&self) -> bool {
        self.shapes.iter().any(|shape| {
            let (Shape::Rect { colour, .. } | Shape::Area { colour, .. } | Shape::Disc { colour, .. }) =
                shape
            else {
                let Shape::Line { stroke, .. } = shape else { return false };
                return stroke.colour.is_ramp();
            };
            colour.is_ramp()
        })
    }

    /// The picture as SVG with real text; `alt` becomes its accessible name.
    pub(super) fn to_svg(&self, name: &str, alt: &str, theme: Theme) -> Result<String, EvalError> {
        // plotters rounds coordinates to integers, so the view box is finer than the picture.
        const SCALE: f64 = 4.0;
        let mut buffer = String::new();
        let area = SVGBackend::with_string(&mut buffer, self.pixels(SCALE)).into_drawing_area();
        self.draw(&area, SCALE, Target::Svg, theme).map_err(|reason| failure(name, reason))?;
        drop(area);
        // After the root's tag comes the background; images lie between it and the shapes.
        let body = buffer.split_once('>').map_or("", |(_, body)| body);
        let (background, body) = body.split_once("/>").unwrap_or(("", body));
        let mut images = String::new();
        for image in &self.images {
            images += &image.to_svg(SCALE).map_err(|reason| failure(name, reason))?;
        }
        let (view_width, view_height) = self.pixels(SCALE);
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
             viewBox=\"0 0 {view_width} {view_height}\" role=\"img\" aria-label=\"{}\">{background}/>{images}{body}",
            self.width,
            self.height,
            crate::report::escape(alt),
        ))
    }

    /// The picture as an RGB PNG with two pixels per point.
    pub(super) fn to_png(&self, name: &str, theme: Theme) -> Result<Vec<u8>, EvalError> {
        const PIXELS_PER_POINT: u32 = 2;
        // Drawing twice as large and averaging smooths edges and letter spacing; huge pictures do without.
        let oversampling = if self.width * self.height <= 1.5e6 { 2 } else { 1 };
        let scale = f64::from(PIXELS_PER_POINT * oversampling);
        let (width, height) = self.pixels(scale);
        let mut drawn = vec![0_u8; width as usize * height as usize * 3];
        let area = BitMapBackend::with_buffer(&mut drawn, (width, height)).into_drawing_area();
        self.draw(&area, scale, Target::Bitmap, theme).map_err(|reason| failure(name, reason))?;
        drop(area);
        let pixels = average(&drawn, width as usize, oversampling as usize);
        encode(&pixels, width / oversampling, height / oversampling).map_err(|e| failure(name, e.to_string()))
    }

    fn pixels(&self, scale: f64) -> (u32, u32) {
        ((self.width * scale) as u32, (self.height * scale) as u32)
    }

    fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        scale: f64,
        target: Target,
        theme: Theme,
    ) -> Result<(), String> {
        let at = |(x, y): (f64, f64)| ((x * scale).round() as i32, (y * scale).round() as i32);
        area.fill(&Colour::PAPER.in_theme(theme).with_alpha(1.0)).map_err(|e| e.to_string())?;
        if let Target::Bitmap = target {
            for image in &self.images {
                let (place, size, pixels) = image.scaled(scale);
                let element = BitMapElement::with_owned_buffer(place, size, pixels);
                element.map_or(Ok(()), |e| area.draw(&e)).map_err(|e| e.to_string())?;
            }
        }
        for shape in &self.shapes {
            match shape {
                Shape::Rect { corner, size, colour } => {
                    let opposite = (corner.0 + size.0, corner.1 + size.1);
                    area.draw(&Rectangle::new(
                        [at(*corner), at(opposite)],
                        colour.in_theme(theme).with_alpha(1.0).filled(),
                    ))
                }
                Shape::Line { points, stroke } => {
                    let style = ShapeStyle {
                        color: stroke.colour.in_theme(theme).with_alpha(stroke.alpha),
                        filled: false,
                        stroke_width: (stroke.width * scale).round().max(1.0) as u32,
                    };
                    let points: Vec<(i32, i32)> = points.iter().map(|&point| at(point)).collect();
                    area.draw(&PathElement::new(points, style))
                }
                Shape::Area { points, colour, alpha } => {
                    let points: Vec<(i32, i32)> = points.iter().map(|&point| at(point)).collect();
                    area.draw(&Polygon::new(points, colour.in_theme(theme).with_alpha(*alpha).filled()))
                }
                Shape::Disc { centre, radius, colour } => {
                    let radius = (radius * scale).round() as i32;
                    area.draw(&Circle::new(
                        at(*centre),
                        radius,
                        colour.in_theme(theme).with_alpha(1.0).filled(),
                    ))
                }
                Shape::Text { text, position, style } => {
                    let (place, text_style) = target.place(*position, style, scale, theme);
                    area.draw_text(text, &text_style, place)
                }
            }
            .map_err(|e| e.to_string())?;
        }
        area.present().map_err(|e| e.to_string())
    }
}

impl Image {
    /// Place, size and pixels at `scale`, each pixel the nearest of the image.
    fn scaled(&self, scale: f64) -> ((i32, i32), (u32, u32), Vec<u8>) {
        let at = |v: f64| (v * scale).round();
        let (x, y) = (at(self.corner.0), at(self.corner.1));
        let width = (at(self.corner.0 + self.size.0) - x).max(1.0) as usize;
        let height = (at(self.corner.1 + self.size.1) - y).max(1.0) as usize;
        let mut pixels = Vec::with_capacity(width * height * 3);
        for row in 0..height {
            let from = row * self.height / height * self.width;
            for column in 0..width {
                let pixel = from + column * self.width / width;
                pixels.extend_from_slice(&self.rgb[3 * pixel..3 * pixel + 3]);
            }
        }
        ((x as i32, y as i32), (width as u32, height as u32), pixels)
    }

    /// An element that holds the image as a PNG.
    fn to_svg(&self, scale: f64) -> Result<String, String> {
        let png = encode(&self.rgb, self.width as u32, self.height as u32).map_err(|e| e.to_string())?;
        Ok(format!(
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>\n",
            self.corner.0 * scale,
            self.corner.1 * scale,
            self.size.0 * scale,
            self.size.1 * scale,
            BASE64_STANDARD.encode(png)
        ))
    }
}

fn failure(name: &str, reason: String) -> EvalError {
    EvalError::Drawing { name: name.to_owned(), reason }
}

/// The two backends of plotters put text differently; these are their rules, undone so that both agree.
#[derive(Clone, Copy)]
enum Target {
    /// `font-size` is the size over 1.24; a top anchor puts the baseline 0.76 em below the position.
    Svg,
    /// The size is ascent plus descent; a top anchor puts the baseline half the size below the position.
    Bitmap,
}

impl Target {
    fn place(
        self,
        (x, y): (f64, f64),
        style: &TextStyle,
        scale: f64,
        theme: Theme,
    ) -> ((i32, i32), plotters::style::TextStyle<'static>) {
        let em = style.em * scale;
        let (size, drop) = match self {
            Self::Svg => (em * 1.24, em * 0.76),
            Self::Bitmap => (em * HEIGHT_PER_EM, em * HEIGHT_PER_EM / 2.0),
        };
        let (x, y) = (x * scale, y * scale);
        let ((x, y), transform) = match style.reading {
            Reading::Across => ((x, y - drop), FontTransform::None),
            Reading::Upward => ((x - drop, y), FontTransform::Rotate270),
        };
        let side = match style.align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let text_style = font::font(size, style.weight)
            .transform(transform)
            .color(&style.colour.in_theme(theme).with_alpha(1.0))
            .pos(Pos::new(side, VPos::Top));
        ((x.round() as i32, y.round() as i32), text_style)
    }
}

/// Cuts a line into dashes of `length` with gaps of 0.7 `length`.
fn dashes(points: &[(f64, f64)], length: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut left = length;
    let mut in_dash = true;
    let mut current: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let ((mut x, mut y), (end_x, end_y)) = (pair[0], pair[1]);
        loop {
            // sqrt, unlike hypot, is exactly rounded everywhere, so the bytes are too.
            let rest = ((end_x - x).powi(2) + (end_y - y).powi(2)).sqrt();
            if rest <= left {
                left -= rest;
                if in_dash {
                    current.push((end_x, end_y));
                }
                break;
            }
            x += (end_x - x) * left / rest;
            y += (end_y - y) * left / rest;
            if in_dash {
                current.push((x, y));
                pieces.push(std::mem::take(&mut current));
            } else {
                current = vec![(x, y)];
            }
            in_dash = !in_dash;
            left = if in_dash { length } else { 0.7 * length };
        }
    }
    pieces.push(current);
    pieces
}

/// Averages squares of `factor` by `factor` RGB pixels.
fn average(pixels: &[u8], width: usize, factor: usize) -> Vec<u8> {
    if factor == 1 {
        return pixels.to_vec();
    }
    let area = (factor * factor) as u32;
    let mut result = Vec::with_capacity(pixels.len() / (factor * factor));
    for band in pixels.chunks_exact(width * 3 * factor) {
        for x in 0..width / factor {
            for channel in 0..3 {
                let mut sum = area / 2;
                for row in band.chunks_exact(width * 3) {
                    for column in x * factor..(x + 1) * factor {
                        sum += u32::from(row[column * 3 + channel]);
                    }
                }
                result.push((sum / area) as u8);
            }
        }
    }
    result
}

pub(super) fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
