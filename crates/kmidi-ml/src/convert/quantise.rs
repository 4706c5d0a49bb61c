//! Real numbers as whole ones of eight bits with a factor for each row.

/// Largest whole number of weights that are multiplied with bytes.
///
/// Processors without VNNI add two products of a byte and such a number in 16 bits: 2 · 255 · 64 just fits. With 127, as usual, the sum
/// would be cut off on these, and the result would depend on the processor.
pub(super) const MULTIPLIED: f32 = 64.0;

/// Largest whole number of what is only looked up.
pub(super) const LOOKED_UP: f32 = 127.0;

/// Whole numbers from `-most` to `most` that come nearest to a row, and what they are to be multiplied by.
pub(super) fn row(values: &[f32], most: f32, mut each: impl FnMut(usize, i8)) -> f32 {
    let largest = values.iter().fold(0.0_f32, |largest, it| largest.max(it.abs()));
    if largest == 0.0 {
        (0..values.len()).for_each(|at| each(at, 0));
        return 1.0;
    }
    let factor = largest / most;
    for (at, value) in values.iter().enumerate() {
        each(at, (value / factor).round().clamp(-most, most) as i8);
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_off_by_half_a_step_at_most_and_none_is_too_large() {
        let values = [0.1, -2.0, 1.999, 0.0, 0.0157, -0.0156];
        for most in [MULTIPLIED, LOOKED_UP] {
            let mut whole = [0; 6];
            let factor = row(&values, most, |at, value| whole[at] = value);
            for (value, whole) in values.iter().zip(whole) {
                assert!((value - f32::from(whole) * factor).abs() <= factor * 0.5001);
                assert!(f32::from(whole).abs() <= most);
            }
            assert_eq!(f32::from(whole[1]), -most);
        }
        assert_eq!(row(&[0.0; 3], MULTIPLIED, |_, value| assert_eq!(value, 0)), 1.0);
        assert_eq!(row(&[], MULTIPLIED, |_, _| ()), 1.0);
        assert!(2.0 * 255.0 * MULTIPLIED <= f32::from(i16::MAX));
        assert!(2.0 * 255.0 * LOOKED_UP > f32::from(i16::MAX));
    }
}
