/// The mean of single precision numbers, added up in pairs as numpy adds them: the same bits, hence the same velocity
/// in every case.
pub(super) fn mean(values: &[f32]) -> f32 {
    sum(values) / values.len() as f32
}

fn sum(values: &[f32]) -> f32 {
    const BLOCK: usize = 128;
    let count = values.len();
    if count < 8 {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    if count > BLOCK {
        let half = count / 2;
        let (front, back) = values.split_at(half - half % 8);
        return sum(front) + sum(back);
    }
    let (eights, rest) = values.as_chunks::<8>();
    let (first, others) = eights.split_first().expect("there are eight");
    let mut sums = *first;
    for eight in others {
        sums.iter_mut().zip(eight).for_each(|(sum, value)| *sum += value);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_length_are_sums() {
        for count in [1, 7, 8, 9, 127, 128, 129, 1000, 4099] {
            let values: Vec<f32> = (0..count).map(|n| (n % 17) as f32 / 16.0).collect();
            let exact = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count as f64;
            assert!((f64::from(mean(&values)) - exact).abs() < 1e-6, "{count}");
        }
    }
}
