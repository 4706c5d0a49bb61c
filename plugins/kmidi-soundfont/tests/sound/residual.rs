/// Level of the difference over the level of the reference, in dB.
pub fn residual_db(sound: &[Vec<f32>; 2], reference: &[Vec<f64>; 2]) -> f64 {
    let (mut difference, mut level) = (0.0, 0.0);
    for (sound, reference) in sound.iter().zip(reference) {
        assert_eq!(sound.len(), reference.len());
        for (a, b) in sound.iter().zip(reference) {
            difference += (f64::from(*a) - b).powi(2);
            level += b * b;
        }
    }
    assert!(level > 0.0, "the reference is silent");
    10.0 * (difference / level).log10()
}
