//! Timbral texture: 19 values of a clip.

use std::sync::Arc;

use num_complex::Complex64;

use crate::FeatureError;
use crate::real_fft::{RealFft, RealFftScratch};
use crate::simd::sums::sign_changes;
use crate::simd::timbre::{powers, texture};
use crate::timbre::bank::{AUDITORY_BANDS, AuditoryBank};
use crate::window::{Symmetry, Window};

/// Coefficients 1 to 5.
const COEFFICIENTS: usize = 6;

/// Centroid, roll-off, flux, zero crossings, 5 MFCC, root mean square.
const WIDTH: usize = 10;

/// Values of a clip.
pub(super) const VALUES: usize = 19;

/// What they are called.
pub(super) const NAMES: [&str; VALUES] = [
    "centroid_mean",
    "rolloff_mean",
    "flux_mean",
    "zero_crossings_mean",
    "mfcc1_mean",
    "mfcc2_mean",
    "mfcc3_mean",
    "mfcc4_mean",
    "mfcc5_mean",
    "centroid_var",
    "rolloff_var",
    "flux_var",
    "zero_crossings_var",
    "mfcc1_var",
    "mfcc2_var",
    "mfcc3_var",
    "mfcc4_var",
    "mfcc5_var",
    "low_energy",
];

#[derive(Clone)]
pub(super) struct TimbralTexture {
    fft: Arc<RealFft<f64>>,
    bank: Arc<AuditoryBank>,
    win_length: usize,
    hop_length: usize,
    memory: usize,
}

impl std::fmt::Debug for TimbralTexture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimbralTexture").field("win_length", &self.win_length).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(super) struct TextureScratch {
    fft: RealFftScratch<f64>,
    spectrum: Vec<Complex64>,
    magnitudes: Vec<f64>,
    /// The magnitudes of the frame before, of length 1.
    before: Vec<f64>,
    /// The last frames, in a ring.
    ring: Vec<f64>,
    bands: [f64; AUDITORY_BANDS],
}

impl TimbralTexture {
    pub(super) fn new(
        sample_rate: u32,
        win_length: usize,
        hop_length: usize,
        memory: usize,
    ) -> Result<Self, FeatureError> {
        let bins = win_length / 2 + 1;
        Ok(Self {
            fft: Arc::new(RealFft::new(&Window::Hamming.coefficients(win_length, Symmetry::Symmetric)?)),
            bank: Arc::new(AuditoryBank::new(sample_rate, win_length, bins, COEFFICIENTS)),
            win_length,
            hop_length,
            memory,
        })
    }

    /// The fewest samples that make a texture window.
    pub(super) fn shortest(&self) -> usize {
        self.win_length + (self.memory - 1) * self.hop_length
    }

    pub(super) fn scratch(&self) -> TextureScratch {
        let bins = self.win_length / 2 + 1;
        TextureScratch {
            fft: self.fft.scratch(),
            spectrum: vec![Complex64::default(); bins],
            magnitudes: vec![0.0; bins],
            before: vec![0.0; bins],
            ring: vec![0.0; self.memory * WIDTH],
            bands: [0.0; AUDITORY_BANDS],
        }
    }

    pub(super) fn fits(&self, scratch: &TextureScratch) -> bool {
        self.fft.fits(&scratch.fft)
            && scratch.magnitudes.len() == self.win_length / 2 + 1
            && scratch.ring.len() == self.memory * WIDTH
    }

    /// The means over all texture windows of a finite signal that has one; the scratch must fit.
    pub(super) fn content(&self, samples: &[f32], scratch: &mut TextureScratch) -> [f64; VALUES] {
        let mut sums = [0.0; VALUES];
        let mut windows = 0.0;
        let frames = samples.windows(self.win_length).step_by(self.hop_length);
        for (t, frame) in frames.enumerate() {
            let at = t % self.memory * WIDTH;
            let mut values = [0.0; WIDTH];
            self.frame(frame, t == 0, scratch, &mut values);
            scratch.ring[at..at + WIDTH].copy_from_slice(&values);
            if t + 1 < self.memory {
                continue;
            }
            let (mut means, mut stds) = ([0.0; WIDTH], [0.0; WIDTH]);
            texture(&scratch.ring, &mut means, &mut stds);
            let level = means[WIDTH - 1];
            let rows = scratch.ring.chunks_exact(WIDTH);
            let low = rows.filter(|row| row[WIDTH - 1] < level).count() as f64 / self.memory as f64;
            let variances = stds[..WIDTH - 1].iter().map(|s| s * s);
            let all = means[..WIDTH - 1].iter().copied().chain(variances).chain([low]);
            sums.iter_mut().zip(all).for_each(|(sum, v)| *sum += v);
            windows += 1.0;
        }
        sums.map(|sum| if windows > 0.0 { sum / windows } else { 0.0 })
    }

    fn frame(&self, frame: &[f32], first: bool, scratch: &mut TextureScratch, out: &mut [f64; WIDTH]) {
        let TextureScratch { fft, spectrum, magnitudes, before, bands, .. } = scratch;
        self.fft.transform(frame, fft);
        self.fft.spectrum_wide(fft, spectrum);
        powers(spectrum, magnitudes);
        let energy = magnitudes.iter().sum::<f64>().sqrt();
        magnitudes.iter_mut().for_each(|m| *m = m.sqrt());
        let (mut total, mut weighted) = (0.0, 0.0);
        for (k, m) in magnitudes.iter().enumerate() {
            total += m;
            weighted += k as f64 * m;
        }
        if total > 0.0 {
            out[0] = weighted / total;
            let mut reached = 0.0;
            let under = |m: &&f64| {
                reached += **m;
                reached < 0.85 * total
            };
            out[1] = magnitudes.iter().take_while(under).count().min(magnitudes.len() - 1) as f64;
        }
        let scale = if energy > 0.0 { energy.recip() } else { 0.0 };
        for (m, before) in magnitudes.iter().zip(before.iter_mut()) {
            let now = m * scale;
            out[2] += (now - *before) * (now - *before);
            *before = now;
        }
        if first {
            out[2] = 0.0;
        }
        let mut crossings = 0;
        sign_changes(frame, 0.0, &mut crossings);
        out[3] = f64::from(crossings);
        let mut cepstrum = [0.0; COEFFICIENTS];
        self.bank.coefficients(magnitudes, |e| e.max(1e-10).log10(), bands, &mut cepstrum);
        out[4..9].copy_from_slice(&cepstrum[1..]);
        let square = |x: &f32| f64::from(*x) * f64::from(*x);
        out[9] = (frame.iter().map(square).sum::<f64>() / frame.len() as f64).sqrt();
    }
}
