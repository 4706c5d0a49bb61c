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
