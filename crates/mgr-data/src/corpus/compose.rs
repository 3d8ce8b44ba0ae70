//! From a style's tables to notes and drum strokes with times.

use super::cast::{Cast, PARTS, parts};
use super::drum::Hit;
use super::instrument::Note;
use super::pattern::{Step, steps};
use super::random::Stream;
use super::style::{DrumRole, Idiom, Part, Quality, Style};

/// Bars between two draws of patterns and of who plays: four, or two where bars last long.
fn section_bars(bar_s: f64) -> usize {
    if bar_s > 2.2 { 2 } else { 4 }
}

/// The notes of a clip.
#[derive(Debug)]
pub(super) struct Score {
    /// Drum strokes.
    pub(super) hits: Vec<Hit>,
    /// Notes of bass, chords, pad and lead.
    pub(super) notes: [Vec<Note>; PARTS],
    /// Seconds before the clip begins: the clip may start anywhere in a bar, and what sounds then rings on.
    pub(super) lead_in: f64,
}

/// Writes the score of a clip of `duration` seconds.
pub(super) fn compose(style: Style, cast: &Cast, duration: f64, draw: &mut Stream) -> Score {
    let idiom = style.idiom();
    let bar = idiom.beats * cast.beat;
    let mut writer = Writer {
        idiom,
        cast,
        bar,
        section: section_bars(bar),
        hits: Vec::new(),
        notes: [const { Vec::new() }; PARTS],
        degree: 0,
        arpeggio: 0,
        previous: 0.0,
    };
    let mains = parts(idiom).map(|p| draw.pick(p.patterns, "."));
    let groove = draw.pick(idiom.grooves, &[]);
    let mut first = 0;
    #[allow(clippy::cast_precision_loss)]
    while first as f64 * bar < duration + cast.lead_in {
        let groove = if draw.chance(0.6) { groove } else { draw.pick(idiom.grooves, &[]) };
        if draw.chance(idiom.drum_presence) {
            writer.drums(groove, first, draw);
        }
        for (role, part) in parts(idiom).into_iter().enumerate() {
            let pattern = if draw.chance(0.6) { mains[role] } else { draw.pick(part.patterns, ".") };
            if draw.chance(part.presence) {
                for step in steps(pattern, writer.section) {
                    writer.play(role, part, first, step, draw);
                }
            }
        }
        first += writer.section;
    }
    Score { hits: writer.hits, notes: writer.notes, lead_in: cast.lead_in }
}

struct Writer<'a> {
    idiom: &'static Idiom,
    cast: &'a Cast,
    bar: f64,
    section: usize,
    hits: Vec<Hit>,
    notes: [Vec<Note>; PARTS],
    degree: i32,
    arpeggio: usize,
    previous: f64,
}

impl Writer<'_> {
    /// Seconds of a place in bars, swing included.
    fn time(&self, place: f64) -> f64 {
        let beats = place * self.idiom.beats;
        let (whole, part) = (beats.floor(), beats - beats.floor());
        let s = self.cast.swing;
        let warped = if part < 0.5 { part * 2.0 * s } else { s + (part - 0.5) * 2.0 * (1.0 - s) };
        (whole + warped) * self.cast.beat
    }

    #[allow(clippy::cast_precision_loss)]
    fn drums(&mut self, groove: &[(DrumRole, &str)], first: usize, draw: &mut Stream) {
        let fill = draw.chance(self.cast.fills);
        let fill_from = self.section as f64 - 0.5;
        for &(role, pattern) in groove {
            for step in steps(pattern, self.section) {
                if fill && step.onset >= fill_from && role != DrumRole::Low {
                    continue;
                }
                let at = first as f64 + step.onset;
                let strokes = match step.symbol {
                    'o' if !draw.chance(self.cast.ghosts) => 0,
                    // A roll: strokes about 60 ms apart.
                    'r' => (step.length * self.bar / 0.06).round().clamp(2.0, 24.0) as u32,
                    _ => 1,
                };
                let velocity = match step.symbol {
                    'X' => 0.98,
                    'x' => 0.8,
                    _ => 0.5,
                };
                for i in 0..strokes {
                    let place = at + step.length * f64::from(i) / f64::from(strokes);
                    self.strike(role, place, velocity, draw);
                }
            }
        }
        if fill {
            let strokes = draw.pick(&[4_u32, 6, 8], 4);
            for i in 0..strokes {
                let place = first as f64 + fill_from + 0.5 * f64::from(i) / f64::from(strokes);
                let role = draw.pick(&[DrumRole::Mid, DrumRole::Back], DrumRole::Mid);
                if draw.chance(0.85) {
                    self.strike(role, place, 0.75, draw);
                }
            }
        }
    }

    fn strike(&mut self, role: DrumRole, place: f64, velocity: f64, draw: &mut Stream) {
        let time = self.time(place) + draw.range((-1.0, 1.0)) * self.cast.jitter;
        let velocity = (velocity * draw.range((0.88, 1.06))).min(1.0);
        self.hits.push(Hit { time: time.max(0.0), role, velocity });
    }

    /// The chord that holds at a place in bars: root over the key, and its notes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn chord(&self, place: f64) -> (f64, Quality) {
        let chords = self.cast.progression;
        let index = (place / self.idiom.chord_bars + 1e-6) as usize + self.cast.chord_offset;
        let (root, quality) = chords.get(index % chords.len().max(1)).copied().unwrap_or((0, &[0]));
        (f64::from(root), quality)
    }

    /// The lowest note of a pitch class at or above the floor of a part, which is drawn per clip.
    fn settle(&self, role: usize, part: &Part, class: f64) -> f64 {
        let floor =
            part.range.0 + (self.cast.shifts[role] * (part.range.1 - part.range.0 - 12.0).max(0.0)).floor();
        let above = (self.cast.key + class - floor) / 12.0;
        floor + 12.0 * (above - above.floor())
    }

    #[allow(clippy::cast_precision_loss)]
    fn play(&mut self, role: usize, part: &Part, first: usize, step: Step, draw: &mut Stream) {
        if step.symbol == 'o' && !draw.chance(0.5) {
            return;
        }
        let place = first as f64 + step.onset;
        let start = (self.time(place) + draw.range((-1.0, 1.0)) * self.cast.jitter).max(0.0);
        let length = ((self.time(place + step.length) - self.time(place)) * self.cast.gates[role]).max(0.03);
        let (root, quality) = self.chord(place);
        let accent = if step.symbol == 'X' { 1.0 } else { 0.8 };
        let mut note = Note {
            start,
            length,
            pitch: 0.0,
            velocity: accent * draw.range((0.8, 1.0)),
            slide: 0.0,
            slide_time: 0.0,
            vibrato: 0.0,
            tremolo: 0.0,
        };
        match (role, step.symbol) {
            (0, symbol) => {
                note.pitch = self.bass(part, symbol, root, quality, draw);
                if symbol == 'g' {
                    note.slide = if draw.chance(0.5) { -5.0 } else { 7.0 };
                    note.slide_time = 0.2;
                }
                self.push(role, note);
            }
            (3, symbol) => {
                note.pitch = self.melody(part, length, root, quality, draw);
                if symbol == 'g' {
                    note.slide = draw.pick(&[-1.0, -2.0, -2.0, -3.0], -2.0);
                    note.slide_time = (length * 0.5).min(0.35);
                }
                if symbol == 'v' {
                    note.vibrato = self.cast.vibrato;
                }
                self.push(role, note);
            }
            (_, 'a') => {
                note.pitch = self.arpeggiate(role, part, root, quality, draw);
                self.push(role, note);
            }
            (_, symbol) => {
                if symbol == 't' {
                    note.tremolo = draw.range((6.0, 9.0)) * self.cast.speed;
                }
                note.velocity *= 0.7;
                for &interval in quality {
                    let pitch = self.settle(role, part, root + f64::from(interval));
                    self.push(role, Note { pitch, ..note.clone() });
                }
            }
        }
    }

    fn push(&mut self, role: usize, mut note: Note) {
        note.pitch += self.cast.tuning;
        self.notes[role].push(note);
    }

    fn bass(&mut self, part: &Part, symbol: char, root: f64, quality: Quality, draw: &mut Stream) -> f64 {
        let third = quality.iter().copied().find(|i| matches!(i, 3 | 4)).map_or(7.0, f64::from);
        let low = self.settle(0, part, root);
        let pitch = match symbol {
            '3' => low + third,
            '5' => low + 7.0,
            '6' => low + 9.0,
            '7' => low + 10.0,
            '8' => low + 12.0,
            'w' => {
                // A step of one or two semitones, back towards the register where it would leave it.
                let up = if self.previous > low + 9.0 {
                    0.15
                } else if self.previous < low + 2.0 {
                    0.85
                } else {
                    0.5
                };
                let size = draw.pick(&[1.0, 2.0, 2.0, 3.0], 2.0);
                self.previous + if draw.chance(up) { size } else { -size }
            }
            _ => low,
        };
        self.previous = pitch;
        pitch
    }

    fn arpeggiate(
        &mut self,
        role: usize,
        part: &Part,
        root: f64,
        quality: Quality,
        draw: &mut Stream,
    ) -> f64 {
        let mut tones: Vec<f64> =
            quality.iter().map(|&i| self.settle(role, part, root + f64::from(i))).collect();
        tones.sort_by(f64::total_cmp);
        if let Some(&low) = tones.first() {
            tones.push(low + 12.0);
        }
        let count = tones.len();
        let turn = (2 * count).saturating_sub(2).max(1);
        let index = match self.cast.arpeggio {
            0 => self.arpeggio % count,
            1 => count - 1 - self.arpeggio % count,
            2 => {
                let i = self.arpeggio % turn;
                if i < count { i } else { turn - i }
            }
            _ => draw.below(count),
        };
        self.arpeggio += 1;
        tones.get(index).copied().unwrap_or(60.0)
    }

    /// The next note of a melody: a walk on the scale; long notes go to the nearest note of the chord.
    fn melody(&mut self, part: &Part, length: f64, root: f64, quality: Quality, draw: &mut Stream) -> f64 {
        let scale = self.cast.scale;
        let size = i32::try_from(scale.len()).unwrap_or(1).max(1);
        self.degree += draw.pick(&[-3, -2, -2, -1, -1, -1, 0, 1, 1, 1, 2, 2, 3], 1);
        let base = self.settle(3, part, 0.0);
        let pitch = |degree: i32| {
            let index = usize::try_from(degree.rem_euclid(size)).unwrap_or(0);
            base + 12.0 * f64::from(degree.div_euclid(size))
                + scale.get(index).copied().map_or(0.0, f64::from)
        };
        let mut at = pitch(self.degree);
        if at > part.range.1 {
            self.degree -= size / 2 + 1;
            at = pitch(self.degree);
        } else if at < part.range.0 {
            self.degree += size / 2 + 1;
            at = pitch(self.degree);
        }
        if length > 0.5 {
            let distance = |class: f64| {
                let d = (self.cast.key + class - at).rem_euclid(12.0);
                if d > 6.0 { d - 12.0 } else { d }
            };
            let nearest = quality
                .iter()
                .map(|&i| distance(root + f64::from(i)))
                .min_by(|a, b| a.abs().total_cmp(&b.abs()))
                .unwrap_or(0.0);
            at += nearest;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_of_every_table_is_known() {
        for style in Style::ALL {
            let idiom = style.idiom();
            let known = ["135678wgo-.|", "xXato-.|", "xXato-.|", "ngvo-.|"];
            for (part, known) in parts(idiom).into_iter().zip(known) {
                for pattern in part.patterns {
                    assert!(pattern.chars().all(|c| known.contains(c)), "{style}: {pattern}");
                }
                assert!(part.range.1 - part.range.0 >= 12.0, "{style}: a range below an octave");
            }
            for (_, pattern) in idiom.grooves.iter().copied().flatten() {
                assert!(pattern.chars().all(|c| "xXor-.|".contains(c)), "{style}: {pattern}");
            }
        }
    }

    #[test]
    fn notes_stay_near_their_range_and_in_time() {
        for style in Style::ALL {
            let mut draw = Stream::new(3, style.index(), 0, super::super::random::Purpose::Cast);
            let cast = Cast::new(style, &mut draw);
            let score = compose(style, &cast, 30.0, &mut draw);
            for (part, notes) in parts(style.idiom()).into_iter().zip(&score.notes) {
                for note in notes {
                    // One octave above: the octave of a bass pattern or an arpeggio; and the tuning.
                    let range = part.range.0 - 8.0..part.range.1 + 14.0;
                    assert!(range.contains(&note.pitch), "{style}: {note:?}");
                    assert!(note.start >= 0.0 && note.length > 0.0);
                }
            }
            assert!(score.notes.iter().map(Vec::len).sum::<usize>() > 10, "{style} has notes");
        }
    }
}
