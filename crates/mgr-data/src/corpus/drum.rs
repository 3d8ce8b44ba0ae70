//! The drums: swept sines and filtered noise, each sounded once per clip and then mixed in by velocity.

use super::math::{cos_turns, exp, samples, sin_turns};
use super::random::Stream;
use super::style::DrumRole;

/// A drum stroke.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// Onset in seconds.
    pub(super) time: f64,
    /// What is struck.
    pub(super) role: DrumRole,
    /// Loudness, 0 to 1.
    pub(super) velocity: f64,
}

/// A topology-preserving state-variable filter (Zavalishin, The Art of VA Filter Design).
struct StateVariable {
    g: f32,
    k: f32,
    a: f32,
    s1: f32,
    s2: f32,
}

impl StateVariable {
    #[allow(clippy::cast_possible_truncation)]
    fn new(hz: f64, q: f64, rate: f64) -> Self {
        let turns = (hz / rate).clamp(0.0005, 0.45) * 0.5;
        let g = (sin_turns(turns) / cos_turns(turns)) as f32;
        let k = (1.0 / q) as f32;
        Self { g, k, a: 1.0 / (1.0 + g * (g + k)), s1: 0.0, s2: 0.0 }
    }

    /// Band-pass (unit gain at the centre) and high-pass output.
    fn next(&mut self, x: f32) -> (f32, f32) {
        let high = (x - (self.g + self.k) * self.s1 - self.s2) * self.a;
        let band = self.g * high + self.s1;
        self.s1 = self.g * high + band;
        let low = self.g * band + self.s2;
        self.s2 = self.g * band + low;
        (self.k * band, high)
    }
}

/// A sine that falls from `from` to `to` hertz within about `sweep` seconds.
fn swept(from: f64, to: f64, sweep: f64, decay: f64, rate: f64) -> Vec<f32> {
    let mut phase = 0.0;
    let (mut bend, fall) = (from - to, exp(-1.0 / (sweep * rate)));
    let (mut level, fade) = (1.0, exp(-1.0 / (decay * rate)));
    (0..samples(decay * 6.0, rate))
        .map(|_| {
            phase += (to + bend) / rate;
            phase -= f64::from(u8::from(phase >= 1.0));
            bend *= fall;
            level *= fade;
            #[allow(clippy::cast_possible_truncation)]
            let y = (level * sin_turns(phase)) as f32;
            y
        })
        .collect()
}

/// Decaying noise, band-passed where `q` is above 0.6 and high-passed below.
fn hiss(hz: f64, q: f64, attack: f64, decay: f64, rate: f64, draw: &mut Stream) -> Vec<f32> {
    let mut noise = draw.noise();
    let mut filter = StateVariable::new(hz, q.max(0.5), rate);
    let (mut level, fade) = (1.0, exp(-1.0 / (decay * rate)));
    let (mut rise, step) = (0.0_f64, 1.0 / (attack * rate).max(1.0));
    (0..samples(attack + decay * 6.0, rate))
        .map(|_| {
            let (band, high) = filter.next(noise.next());
            if rise < 1.0 {
                rise = (rise + step).min(1.0);
            } else {
                level *= fade;
            }
            #[allow(clippy::cast_possible_truncation)]
            let y = (rise * level) as f32 * if q > 0.6 { 1.6 * band } else { 0.6 * high };
            y
        })
        .collect()
}

fn mixed(mut a: Vec<f32>, b: &[f32], level: f32, at: usize) -> Vec<f32> {
    if a.len() < at + b.len() {
        a.resize(at + b.len(), 0.0);
    }
    for (x, y) in a[at..].iter_mut().zip(b) {
        *x += level * y;
    }
    a
}

/// The drums of one clip.
#[derive(Debug)]
pub(super) struct Kit {
    sounds: [Vec<f32>; 5],
}

impl Kit {
    /// Draws a drum for each role; `speed` scales every frequency and time.
    pub(super) fn new(speed: f64, rate: f64, draw: &mut Stream) -> Self {
        let roles = [DrumRole::Low, DrumRole::Back, DrumRole::Tick, DrumRole::Ring, DrumRole::Mid];
        // A sound made for a slower clock and read at this one is a sound at another tape speed.
        let rate = rate / speed;
        Self { sounds: roles.map(|role| normalised(sound(role, rate, draw))) }
    }

    /// Adds a stroke to `out`.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn strike(&self, hit: &Hit, rate: f64, out: &mut [f32]) {
        let start = samples(hit.time, rate).min(out.len());
        let level = (hit.velocity * hit.velocity) as f32;
        for (y, x) in out[start..].iter_mut().zip(&self.sounds[hit.role as usize]) {
            *y += level * x;
        }
    }
}

/// Peak 1 and no click at the end.
fn normalised(mut sound: Vec<f32>) -> Vec<f32> {
    let peak = sound.iter().fold(1e-6_f32, |m, v| m.max(v.abs()));
    sound.iter_mut().for_each(|v| *v /= peak);
    let tail = sound.len().min(64);
    let from = sound.len() - tail;
    for (i, v) in sound[from..].iter_mut().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let left = (tail - i) as f32 / tail as f32;
        *v *= left;
    }
    sound
}

fn sound(role: DrumRole, rate: f64, draw: &mut Stream) -> Vec<f32> {
    match role {
        DrumRole::Low => {
            let to = draw_in(draw, 42.0, 90.0);
            let body = swept(
                to * draw_in(draw, 1.5, 5.0),
                to,
                draw_in(draw, 0.01, 0.06),
                draw_in(draw, 0.05, 0.2),
                rate,
            );
            let click =
                hiss(draw_in(draw, 800.0, 5000.0), 1.0, 0.0005, draw_in(draw, 0.003, 0.01), rate, draw);
            mixed(body, &click, draw.range((0.05, 0.5)) as f32, 0)
        }
        DrumRole::Back => match draw.below(4) {
            0 => {
                let tone = swept(draw_in(draw, 200.0, 330.0), draw_in(draw, 150.0, 200.0), 0.02, 0.06, rate);
                let rattle =
                    hiss(draw_in(draw, 1200.0, 4500.0), 0.7, 0.001, draw_in(draw, 0.04, 0.12), rate, draw);
                mixed(tone, &rattle, draw.range((0.6, 1.6)) as f32, 0)
            }
            1 => {
                let (hz, q) = (draw_in(draw, 900.0, 2200.0), draw_in(draw, 0.8, 1.8));
                let mut clap = Vec::new();
                for i in 0..3_u8 {
                    let burst = hiss(hz, q, 0.001, if i == 2 { 0.07 } else { 0.006 }, rate, draw);
                    clap = mixed(clap, &burst, 1.0, samples(f64::from(i) * 0.011, rate));
                }
                clap
            }
            2 => {
                let blip =
                    swept(draw_in(draw, 900.0, 2000.0), draw_in(draw, 600.0, 1600.0), 0.004, 0.012, rate);
                let snap = hiss(draw_in(draw, 2000.0, 5000.0), 1.2, 0.0005, 0.02, rate, draw);
                mixed(blip, &snap, draw.range((0.3, 1.0)) as f32, 0)
            }
            _ => hiss(
                draw_in(draw, 1500.0, 5000.0),
                0.9,
                draw_in(draw, 0.004, 0.02),
                draw_in(draw, 0.05, 0.12),
                rate,
                draw,
            ),
        },
        DrumRole::Tick => match draw.below(3) {
            0 => hiss(draw_in(draw, 5000.0, 8500.0), 0.5, 0.0005, draw_in(draw, 0.012, 0.035), rate, draw),
            1 => hiss(
                draw_in(draw, 3000.0, 7500.0),
                1.0,
                draw_in(draw, 0.005, 0.02),
                draw_in(draw, 0.02, 0.05),
                rate,
                draw,
            ),
            _ => {
                let wood = swept(
                    draw_in(draw, 1500.0, 3000.0),
                    draw_in(draw, 1200.0, 2400.0),
                    0.003,
                    draw_in(draw, 0.01, 0.03),
                    rate,
                );
                let air = hiss(6000.0, 0.8, 0.0005, 0.015, rate, draw);
                mixed(wood, &air, draw.range((0.2, 1.0)) as f32, 0)
            }
        },
        DrumRole::Ring => {
            let wash = hiss(draw_in(draw, 4000.0, 8000.0), 0.5, 0.001, draw_in(draw, 0.08, 0.35), rate, draw);
            let bell = swept(
                draw_in(draw, 2500.0, 5200.0),
                draw_in(draw, 2400.0, 5000.0),
                0.01,
                draw_in(draw, 0.05, 0.3),
                rate,
            );
            mixed(wash, &bell, draw.range((0.05, 0.5)) as f32, 0)
        }
        DrumRole::Mid => {
            let to = draw_in(draw, 90.0, 260.0);
            let skin = swept(
                to * draw_in(draw, 1.1, 1.9),
                to,
                draw_in(draw, 0.02, 0.08),
                draw_in(draw, 0.06, 0.2),
                rate,
            );
            let slap = hiss(draw_in(draw, 600.0, 3000.0), 0.8, 0.001, 0.015, rate, draw);
            mixed(skin, &slap, draw.range((0.1, 0.6)) as f32, 0)
        }
    }
}

fn draw_in(draw: &mut Stream, low: f64, high: f64) -> f64 {
    draw.range((low, high))
}
