//! The latency that a plugin tells, against the frame at which an impulse comes out.

use std::io;

use kmidi_core::NodeInfo;

use super::plan::Phase;
use super::report::{PhaseReport, Violation};
use super::stimulus::impulse_block;
use super::trial::{ACTIVATION, Trial, activate};

/// Blocks that are run where the plugin tells no latency; room is left for twice what it tells.
const BLOCKS: u32 = 96;
/// So much of all energy is in the peak where something came through as what it was.
const CLEAR: f64 = 0.5;
/// Peaks lower than this say nothing.
const AUDIBLE: f32 = 1e-3;
/// Frames by which a filter may move a peak.
const TOLERANCE_FRAMES: u64 = 2;

/// Blocks of the phase.
pub(super) fn blocks(info: &NodeInfo) -> u32 {
    BLOCKS + 8 * (info.latency_frames / ACTIVATION.quantum_frames)
}

pub(super) fn run(trial: &mut Trial<'_>) -> io::Result<()> {
    if !trial.plan.has(Phase::Latency) {
        return Ok(());
    }
    trial.begin(Phase::Latency)?;
    let report = measure(trial)?;
    trial.done(report)
}

fn measure(trial: &mut Trial<'_>) -> io::Result<PhaseReport> {
    let mut none = PhaseReport::new(Phase::Latency);
    let plugin = match trial.load() {
        Ok(plugin) => plugin,
        Err(error) => {
            none.fail(Violation::NotLoadable, error.to_string());
            return Ok(none);
        }
    };
    let mut at_work = match activate(plugin, &ACTIVATION) {
        Ok(at_work) => at_work,
        Err((_, why)) => {
            none.fail(Violation::Activation, why);
            return Ok(none);
        }
    };
    let info = at_work.active.node_info().clone();
    if info.audio_inputs.is_empty() || info.audio_outputs.is_empty() {
        none.notes.push("nothing comes in or goes out that a latency could be measured by".to_owned());
        return Ok(none);
    }
    let (mut report, recorded) = trial.record(&mut at_work, Phase::Latency, Some(Vec::new()))?;
    let channels = info.audio_outputs.iter().map(|it| usize::from(*it)).sum::<usize>();
    let block = ACTIVATION.quantum_frames as usize;
    // The first channel of each block.
    let first: Vec<f32> =
        recorded.chunks(channels * block).flat_map(|block_of_all| &block_of_all[..block]).copied().collect();
    let sent = impulse_block(blocks(&info)) as usize * block;
    let told = u64::from(info.latency_frames);
    match first.get(sent..).and_then(arrival) {
        Some(measured) if told > 0 && measured.abs_diff(told) > TOLERANCE_FRAMES => {
            let text = format!("it tells a latency of {told} frames; an impulse comes out after {measured}");
            report.fail(Violation::Latency, text);
        }
        Some(measured) => report.notes.push(format!("told {told} frames, measured {measured}")),
        None => report.notes.push(format!("told {told} frames; no clear impulse comes out")),
    }
    Ok(report)
}

/// The frame of the peak, if most of the energy is in it.
fn arrival(samples: &[f32]) -> Option<u64> {
    let peak = samples.iter().enumerate().max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))?;
    let energy = |sample: f32| f64::from(sample) * f64::from(sample);
    let all = samples.iter().map(|sample| energy(*sample)).sum::<f64>();
    let is_clear = peak.1.is_finite() && peak.1.abs() > AUDIBLE && energy(*peak.1) > all * CLEAR;
    is_clear.then_some(peak.0 as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_impulse_has_a_place_and_a_smear_or_silence_has_none() {
        let mut samples = vec![0.0f32; 1000];
        samples[480] = -0.5;
        samples[481] = 0.2;
        assert_eq!(arrival(&samples), Some(480));
        samples[500..900].fill(0.1);
        assert_eq!(arrival(&samples), None);
        assert_eq!(arrival(&[0.0; 10]), None);
        assert_eq!(arrival(&[f32::NAN; 10]), None);
    }
}
