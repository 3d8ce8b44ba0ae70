//! The number types of weight files, and their way to 32-bit floats.

use super::WeightError;
use crate::TensorData;

/// A number type. Everything becomes `f32`: wider numbers are rounded to nearest, which matters for no weight and for no
/// counter below 16,777,216.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    Bool,
}

impl Element {
    pub(super) fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// The numbers in these bytes; a rest that is no whole number is left out.
    pub(super) fn decode(self, bytes: &[u8], big_endian: bool) -> Vec<f32> {
        fn all<const N: usize>(bytes: &[u8], big_endian: bool, to: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes
                .as_chunks::<N>()
                .0
                .iter()
                .map(|&(mut chunk)| {
                    if big_endian {
                        chunk.reverse();
                    }
                    to(chunk)
                })
                .collect()
        }
        match self {
            Self::F16 => all(bytes, big_endian, |b| f16_to_f32(u16::from_le_bytes(b))),
            Self::Bf16 => all(bytes, big_endian, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
            Self::F32 => all(bytes, big_endian, f32::from_le_bytes),
            Self::F64 => all(bytes, big_endian, |b| f64::from_le_bytes(b) as f32),
            Self::I8 => all(bytes, big_endian, |b| f32::from(i8::from_le_bytes(b))),
            Self::U8 => all(bytes, big_endian, |[b]: [u8; 1]| f32::from(b)),
            Self::I16 => all(bytes, big_endian, |b| f32::from(i16::from_le_bytes(b))),
            Self::U16 => all(bytes, big_endian, |b| f32::from(u16::from_le_bytes(b))),
            Self::I32 => all(bytes, big_endian, |b| i32::from_le_bytes(b) as f32),
            Self::U32 => all(bytes, big_endian, |b| u32::from_le_bytes(b) as f32),
            Self::I64 => all(bytes, big_endian, |b| i64::from_le_bytes(b) as f32),
            Self::U64 => all(bytes, big_endian, |b| u64::from_le_bytes(b) as f32),
            Self::Bool => all(bytes, big_endian, |[b]: [u8; 1]| f32::from(u8::from(b != 0))),
        }
    }

    /// A tensor of `shape` whose bytes are exactly these.
    pub(super) fn tensor(
        self,
        format: &'static str,
        shape: &[usize],
        bytes: &[u8],
        big_endian: bool,
    ) -> Result<TensorData, WeightError> {
        let expected = count(shape).and_then(|count| count.checked_mul(self.size()));
        if expected != Some(bytes.len()) {
            let reason = format!("shape {shape:?} of {}-byte numbers in {} bytes", self.size(), bytes.len());
            return Err(WeightError::malformed(format, reason));
        }
        Ok(TensorData { shape: shape.to_vec(), values: self.decode(bytes, big_endian) })
    }
}

/// How many numbers a shape holds, where that can be told.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis))
}

fn f16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, mantissa) = (u32::from(bits >> 10) & 0x1F, u32::from(bits & 0x3FF));
    let magnitude = match exponent {
        0 => mantissa as f32 / f32::from(1_u16 << 12) / f32::from(1_u16 << 12),
        31 => f32::from_bits(0x7F80_0000 | mantissa << 13),
        _ => f32::from_bits((exponent + 112) << 23 | mantissa << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// The nearest 16-bit float, ties to even, as NumPy's `astype(float16)` gives it; above 65,504 the largest finite one
/// instead of infinity.
pub(super) fn round_to_f16(value: f32) -> f32 {
    const LARGEST: f32 = 65_504.0;
    // Below the smallest normal number the steps are 2^-24.
    const SMALLEST_NORMAL: f32 = 6.103_515_6e-5;
    const STEPS: f32 = 16_777_216.0;
    if value.abs() < SMALLEST_NORMAL {
        return (value * STEPS).round_ties_even() / STEPS;
    }
    let bits = value.to_bits();
    // 13 of the 23 fraction bits go; adding half a step less one, plus the last kept bit, rounds ties to even.
    let rounded = f32::from_bits((bits + 0xFFF + (bits >> 13 & 1)) & !0x1FFF);
    rounded.clamp(-LARGEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_read() {
        for (bits, value) in [
            (0x0000_u16, 0.0_f32),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65_504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7C00, f32::INFINITY),
        ] {
            assert_eq!(f16_to_f32(bits), value, "{bits:x}");
        }
        assert!(f16_to_f32(0x7E00).is_nan());
    }

    #[test]
    fn every_half_float_rounds_to_itself_and_neighbours_go_to_the_nearer() {
        for bits in 0..0x7BFF_u16 {
            let (low, high) = (f16_to_f32(bits), f16_to_f32(bits + 1));
            assert_eq!(round_to_f16(low), low);
            assert_eq!(round_to_f16(-low), -low);
            let middle = low + (high - low) / 2.0;
            let even = if bits % 2 == 0 { low } else { high };
            assert_eq!(round_to_f16(middle), even, "{bits:x}");
            assert_eq!(round_to_f16(middle.next_down()), low);
            assert_eq!(round_to_f16(middle.next_up()), high);
        }
        assert_eq!(round_to_f16(1e9), 65_504.0);
    }

    #[test]
    fn numbers_of_every_type_are_decoded() {
        assert_eq!(Element::F64.decode(&1.5_f64.to_le_bytes(), false), [1.5]);
        assert_eq!(Element::F32.decode(&1.5_f32.to_be_bytes(), true), [1.5]);
        assert_eq!(Element::Bf16.decode(&[0xC0, 0x3F], false), [1.5]);
        assert_eq!(Element::I64.decode(&(-3_i64).to_le_bytes(), false), [-3.0]);
        assert_eq!(Element::I16.decode(&[1, 0, 2, 0, 9], false), [1.0, 2.0]);
        assert_eq!(Element::Bool.decode(&[0, 1, 2], false), [0.0, 1.0, 1.0]);
    }
}
