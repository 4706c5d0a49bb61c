//! Whether a plugin does twice the same.

use std::io;

use super::plan::Phase;
use super::report::{PhaseReport, Violation};
use super::trial::{ACTIVATION, Trial, activate};
use crate::Plugin;

pub(super) fn run(trial: &mut Trial<'_>) -> io::Result<()> {
    if !trial.plan.has(Phase::Determinism) {
        return Ok(());
    }
    trial.begin(Phase::Determinism)?;
    let report = compare(trial)?;
    trial.done(report)
}

fn compare(trial: &mut Trial<'_>) -> io::Result<PhaseReport> {
    let mut sounds = Vec::new();
    let mut report = PhaseReport::new(Phase::Determinism);
    for _ in 0..2 {
        let plugin = match trial.load() {
            Ok(plugin) => plugin,
            Err(error) => {
                report.fail(Violation::NotLoadable, error.to_string());
                return Ok(report);
            }
        };
        match sound_of(trial, plugin, Phase::Determinism)? {
            Ok((_, own, sound)) => {
                report = own;
                sounds.push(sound);
            }
            Err((_, why)) => {
                report.fail(Violation::Activation, why);
                return Ok(report);
            }
        }
    }
    match first_difference(&sounds[0], &sounds[1]) {
        None => report.notes.push("deterministic".to_owned()),
        Some(at) => report.notes.push(format!("random: two instances differ from sample {at} on")),
    }
    Ok(report)
}

/// A plugin, what was counted while it ran, and what came out; or the plugin and why it does not start.
pub(super) type Sounded = Result<(Plugin, PhaseReport, Vec<f32>), (Box<Plugin>, String)>;

/// What a plugin makes of the phase's stimulus.
pub(super) fn sound_of(trial: &mut Trial<'_>, plugin: Plugin, phase: Phase) -> io::Result<Sounded> {
    let mut at_work = match activate(plugin, &ACTIVATION) {
        Ok(at_work) => at_work,
        Err(refused) => return Ok(Err(refused)),
    };
    let (report, sound) = trial.record(&mut at_work, phase, Some(Vec::new()))?;
    Ok(Ok((at_work.rest(), report, sound)))
}

/// The first sample whose bits differ; what one has more was cut short in the other.
pub(super) fn first_difference(one: &[f32], other: &[f32]) -> Option<usize> {
    let differs = |(one, other): (&f32, &f32)| one.to_bits() != other.to_bits();
    one.iter().zip(other).position(differs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_a_bit_is_one_and_the_same_nan_is_none() {
        assert_eq!(first_difference(&[1.0, f32::NAN], &[1.0, f32::NAN]), None);
        assert_eq!(first_difference(&[1.0, 0.0], &[1.0, -0.0]), Some(1));
        assert_eq!(first_difference(&[1.0], &[1.0, 2.0]), None);
    }
}
