//! Real numbers of 16 bits (IEEE 754 binary16).

/// The nearest one, ties to even; none where it would be infinite.
pub(super) fn from_f32(value: f32) -> Option<u16> {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let exponent = (bits >> 23 & 0xff) as i32 - 127;
    let mantissa = bits & 0x7f_ffff;
    if exponent < -25 {
        return Some(sign);
    }
    // Below -14 the leading one is written out, and there are fewer digits.
    let (kept, lost_bits) = if exponent < -14 {
        (mantissa | 0x80_0000, (13 - 14 - exponent) as u32)
    } else {
        (((exponent + 15) as u32) << 23 | mantissa, 13)
    };
    if exponent > 15 {
        return None;
    }
    let (half, rest) = (1_u32 << (lost_bits - 1), kept & ((1 << lost_bits) - 1));
    let mut rounded = kept >> lost_bits;
    rounded += u32::from(rest > half || (rest == half && rounded & 1 == 1));
    (rounded < 0x7c00).then_some(sign | rounded as u16)
}

/// What it stands for.
pub(super) fn to_f32(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(half >> 10 & 0x1f), f32::from(half & 0x3ff));
    sign * match exponent {
        0 => mantissa * (-24.0_f32).exp2(),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + mantissa / 1024.0) * ((exponent - 15) as f32).exp2(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_is_read_back_and_what_lies_between_goes_to_the_nearer() {
        for half in 0..=u16::MAX {
            let value = to_f32(half);
            if value.is_finite() {
                assert_eq!(from_f32(value), Some(half), "{value}");
            } else {
                assert_eq!(from_f32(value), None);
            }
        }
        for half in (0..0x7bff_u16).step_by(7) {
            let (low, high) = (to_f32(half), to_f32(half + 1));
            assert_eq!(from_f32(low + (high - low) * 0.4), Some(half), "{low}");
            assert_eq!(from_f32(low + (high - low) * 0.6), Some(half + 1), "{low}");
            let even = if half % 2 == 0 { half } else { half + 1 };
            assert_eq!(from_f32(low + (high - low) * 0.5), Some(even), "{low}");
        }
        assert_eq!(
            (from_f32(1.0), from_f32(-2.0), from_f32(65_519.0)),
            (Some(0x3c00), Some(0xc000), Some(0x7bff))
        );
        assert_eq!((from_f32(65_520.0), from_f32(1e-9)), (None, Some(0)));
    }
}
