//! The oracle's rendering of what a rig plays.

use crate::rig::*;

/// Renders with the oracle what [`play`] plays.
pub fn oracle(zones: Vec<ZoneSketch>, actions: &[(usize, Action)], frames: usize) -> [Vec<f64>; 2] {
    let preset = preset(zones);
    let events: Vec<_> = actions
        .iter()
        .map(|(time, action)| match action {
            Action::Event(event) => (*time as u64, *event),
            Action::SysEx(_) => panic!("the oracle knows no system exclusive messages"),
        })
        .collect();
    crate::oracle::render(&|_| Some(preset.clone()), &events, frames as u64, f64::from(RATE))
}

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
