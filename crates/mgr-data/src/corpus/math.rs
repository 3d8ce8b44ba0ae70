//! Elementary functions from additions, multiplications and exact rounding only.
//!
//! The maths library of one platform differs from another's in the last bit; these do not, so a seed gives the same
//! samples everywhere.

/// Sine of an angle in turns (1.0 is a full circle), accurate to about 1e-9.
pub(super) fn sin_turns(turns: f64) -> f64 {
    let mut r = turns - turns.round();
    if r > 0.25 {
        r = 0.5 - r;
    } else if r < -0.25 {
        r = -0.5 - r;
    }
    let x = r * std::f64::consts::TAU;
    let q = x * x;
    // Taylor series up to x^13.
    x * (1.0
        - q / 6.0
            * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0 * (1.0 - q / 110.0 * (1.0 - q / 156.0))))))
}

/// Cosine of an angle in turns.
pub(super) fn cos_turns(turns: f64) -> f64 {
    sin_turns(turns + 0.25)
}

/// Two to the power `x`, accurate to about 1e-9 relative; `x` is held within -1000..=1000.
pub(super) fn exp2(x: f64) -> f64 {
    let x = x.clamp(-1000.0, 1000.0);
    let whole = x.round();
    let t = (x - whole) * std::f64::consts::LN_2;
    let mut sum = 1.0;
    for k in (1..=9).rev() {
        sum = 1.0 + t / f64::from(k) * sum;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let scale = f64::from_bits(((1023 + whole as i64) as u64) << 52);
    sum * scale
}

/// `e` to the power `x`.
pub(super) fn exp(x: f64) -> f64 {
    exp2(x * std::f64::consts::LOG2_E)
}

/// Amplitude ratio of a level in decibels, `10^(db / 20)`.
pub(super) fn gain(db: f64) -> f64 {
    exp2(db * (std::f64::consts::LOG2_10 / 20.0))
}

/// Frequency in hertz of a note number (69 is A4, 440 Hz).
pub(super) fn note_hz(number: f64) -> f64 {
    440.0 * exp2((number - 69.0) / 12.0)
}

/// Rational approximation of the hyperbolic tangent, held at +-1 beyond +-3.
pub(super) fn soft_clip(x: f32) -> f32 {
    let x = x.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

/// Samples in `seconds`, rounded; never negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn samples(seconds: f64, rate: f64) -> usize {
    (seconds * rate).round().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_follow_the_library() {
        for i in -400..400 {
            let x = f64::from(i) * 0.037;
            // 1e-8: the truncated series is good to about 1e-9.
            assert!((sin_turns(x) - (x * std::f64::consts::TAU).sin()).abs() < 1e-8, "sine at {x}");
            assert!((cos_turns(x) - (x * std::f64::consts::TAU).cos()).abs() < 1e-8, "cosine at {x}");
            assert!((exp2(x) / x.exp2() - 1.0).abs() < 1e-8, "power at {x}");
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-8, "exponential at {x}");
        }
        assert!((gain(-6.0) - 0.501_187_233_6).abs() < 1e-8);
        assert!((note_hz(60.0) - 261.625_565_3).abs() < 1e-5);
        assert!(soft_clip(50.0) <= 1.0 && soft_clip(-50.0) >= -1.0);
    }
}
