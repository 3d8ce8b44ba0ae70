//! One clip, from its seed to its samples.

use super::cast::Cast;
use super::compose::compose;
use super::drum::Kit;
use super::instrument::Patch;
use super::math::samples;
use super::mix::{self, Biquad};
use super::random::{Purpose, Stream};
use super::style::{DrumRole, Style};

/// Renders clip `index` of `style`: a pure function of its arguments.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn render(seed: u64, style: Style, index: usize, duration: f64, rate: f64) -> Vec<f32> {
    let stream = |purpose| Stream::new(seed, style.index(), index, purpose);
    let idiom = style.idiom();
    let cast = Cast::new(style, &mut stream(Purpose::Cast));
    let score = compose(style, &cast, duration, &mut stream(Purpose::Notes));
    let skip = samples(score.lead_in, rate);
    let wanted = samples(duration, rate).max(1);
    let total = skip + wanted;
    let mut desk = stream(Purpose::Mix);

    let mut drums = vec![0.0_f32; total];
    let kit = Kit::new(cast.speed, rate, &mut stream(Purpose::Drums));
    for hit in &score.hits {
        kit.strike(hit, rate, &mut drums);
    }
    mix::level(&mut drums, desk.range((-21.0, -16.0)));
    mix::drive(&mut drums, desk.range((0.2, 2.0)) as f32);

    let mut kicks: Vec<f64> = score.hits.iter().filter(|h| h.role == DrumRole::Low).map(|h| h.time).collect();
    kicks.sort_by(f64::total_cmp);
    let (depth, recovery) = (desk.range(idiom.pump), desk.range((0.08, 0.2)));
    let (wet, feedback) = (desk.range(idiom.echo) as f32, desk.range((0.3, 0.6)) as f32);
    let delay = (cast.beat * desk.pick(&[0.5, 0.75, 1.0, 1.0 / 3.0], 0.75)).clamp(0.1, 0.8);

    let mut voices = stream(Purpose::Voices);
    let mut noise = voices.noise();
    let mut sum = drums;
    let mut bus = vec![0.0_f32; total];
    // Bass, chords, pad, lead.
    let levels = [(-25.0, -19.0), (-24.0, -18.0), (-30.0, -24.0), (-24.0, -18.0)];
    for (role, (notes, range)) in score.notes.iter().zip(levels).enumerate() {
        bus.fill(0.0);
        let patch = Patch::new(cast.timbres[role], rate, &mut voices);
        for note in notes {
            patch.sound(note, rate, &mut noise, &mut bus);
        }
        mix::level(&mut bus, desk.range(range));
        let dirt = if desk.chance(0.3) { desk.range((2.0, 8.0)) } else { 0.0 };
        mix::drive(&mut bus, dirt as f32);
        if role > 0 {
            mix::echo(&mut bus, delay, feedback, wet, rate);
        }
        mix::pump(&mut bus, &kicks, depth, recovery, rate);
        for (s, b) in sum.iter_mut().zip(&bus) {
            *s += b;
        }
    }
    let room = desk.range((0.25, 1.6));
    mix::reverb(&mut sum, room, desk.range((0.0, 0.25)) as f32, rate);
    sum.drain(..skip);
    colour(&mut sum, rate, &mut desk);
    sum
}

/// What the recording chain does, drawn without regard to the style: tilt, bells, band limits, noise, level.
#[allow(clippy::cast_possible_truncation)]
fn colour(signal: &mut [f32], rate: f64, desk: &mut Stream) {
    Biquad::high_shelf(desk.range((500.0, 1500.0)), desk.range((-7.0, 7.0)), rate).run(signal);
    Biquad::high_shelf(desk.range((2500.0, 6000.0)), desk.range((-6.0, 6.0)), rate).run(signal);
    for _ in 0..3 {
        // Octaves over 100 Hz: even in pitch, not in hertz.
        let hz = 100.0 * super::math::exp2(desk.range((0.0, 6.0)));
        Biquad::peak(hz, desk.range((0.5, 1.8)), desk.range((-6.0, 6.0)), rate).run(signal);
    }
    Biquad::high_pass(desk.range((25.0, 180.0)), rate).run(signal);
    Biquad::low_pass(desk.range((5500.0, 11_000.0)), rate).run(signal);
    mix::normalise(signal, -3.0);
    let mut noise = desk.noise();
    mix::noise_floor(signal, desk.range((-80.0, -55.0)), desk.range((0.1, 1.0)) as f32, &mut noise);
    mix::normalise(signal, desk.range((-6.0, -1.0)));
}
