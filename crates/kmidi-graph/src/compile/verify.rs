use kmidi_rt::{EventSource, Plan, Step};

use super::CompileError;
use crate::graph::NodeId;

/// Checks what the other passes promise the engine, by walking the steps as the engine will: every
/// index is there, nothing is read before it is written, no step reads what it writes, every node
/// runs exactly once.
pub fn verify(plan: &Plan, slots: &[Option<NodeId>]) -> Result<(), CompileError> {
    let mut check = Check {
        written: vec![false; usize::from(plan.buffers)],
        ran: vec![false; slots.len()],
        sent: vec![false; usize::from(plan.outboxes)],
    };
    for (at, step) in plan.steps.iter().enumerate() {
        check
            .step(plan, step)
            .map_err(|what| CompileError::Inconsistent(format!("step {at} ({step:?}): {what}")))?;
    }
    if (0..slots.len()).any(|slot| slots[slot].is_some() != check.ran[slot]) {
        return Err(CompileError::Inconsistent("not every node runs".into()));
    }
    Ok(())
}

struct Check {
    written: Vec<bool>,
    ran: Vec<bool>,
    sent: Vec<bool>,
}

type Found = Result<(), &'static str>;

impl Check {
    fn step(&mut self, plan: &Plan, step: &Step) -> Found {
        match *step {
            Step::Clear { dst } | Step::ReadDevice { dst, .. } => self.write(dst),
            Step::Copy { src, dst, gain } => {
                self.move_between(src, dst)?;
                index(gain, plan.gains.len())
            }
            Step::Add { src, dst, gain } => {
                self.read(dst)?;
                self.move_between(src, dst)?;
                index(gain, plan.gains.len())
            }
            Step::Delay { line, src, dst } => {
                self.move_between(src, dst)?;
                index(line, plan.delays.len())
            }
            Step::WriteDevice { src, .. } => self.read(src),
            Step::Deliver { source, ledger, delay, inbox, .. } => {
                if let EventSource::Outbox { outbox, .. } = source {
                    index(outbox, plan.outboxes.into())?;
                    if !self.sent[usize::from(outbox)] {
                        return Err("reads events before they are sent");
                    }
                }
                index(ledger, plan.ledgers.into())?;
                delay.map_or(Ok(()), |delay| index(delay, plan.event_delays.len()))?;
                index(inbox, plan.inboxes.len())
            }
            Step::Process { slot, inputs, outputs, inbox, outbox, .. } => {
                index(inbox, plan.inboxes.len())?;
                for &input in inputs.of(&plan.indices) {
                    self.read(input)?;
                    if outputs.of(&plan.indices).contains(&input) {
                        return Err("writes what it reads");
                    }
                }
                for (at, &output) in outputs.of(&plan.indices).iter().enumerate() {
                    self.write(output)?;
                    if outputs.of(&plan.indices)[..at].contains(&output) {
                        return Err("writes two outputs to one buffer");
                    }
                }
                if let Some(outbox) = outbox {
                    index(outbox, plan.outboxes.into())?;
                    self.sent[usize::from(outbox)] = true;
                }
                index(slot, self.ran.len())?;
                if std::mem::replace(&mut self.ran[usize::from(slot)], true) {
                    return Err("runs a node twice");
                }
                Ok(())
            }
            Step::SendMidi { inbox } => index(inbox, plan.inboxes.len()),
        }
    }

    fn read(&self, buffer: u16) -> Found {
        match self.written.get(usize::from(buffer)) {
            Some(true) => Ok(()),
            Some(false) => Err("reads a buffer before it is written"),
            None => Err("names a buffer that is not there"),
        }
    }

    fn write(&mut self, buffer: u16) -> Found {
        index(buffer, self.written.len())?;
        self.written[usize::from(buffer)] = true;
        Ok(())
    }

    fn move_between(&mut self, src: u16, dst: u16) -> Found {
        self.read(src)?;
        if src == dst {
            return Err("reads what it writes");
        }
        self.write(dst)
    }
}

fn index(index: u16, len: usize) -> Found {
    if usize::from(index) < len { Ok(()) } else { Err("names what is not there") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmidi_rt::Run;

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            steps,
            indices: vec![0, 1],
            buffers: 2,
            gains: vec![(1.0, 1.0)],
            inboxes: vec![false],
            ..Plan::default()
        }
    }

    fn process(inputs: Run, outputs: Run) -> Step {
        Step::Process { slot: 0, inputs, outputs, inbox: 0, outbox: None, behind_frames: 0 }
    }

    #[test]
    fn every_kind_of_broken_schedule_is_caught() {
        let one_node = [Some(NodeId(1)), None];
        let (zero, one, none) = (Run { start: 0, len: 1 }, Run { start: 1, len: 1 }, Run::default());
        let good = plan(vec![Step::Clear { dst: 0 }, process(zero, one)]);
        assert_eq!(verify(&good, &one_node), Ok(()));
        let bad = [
            vec![process(zero, one)],
            vec![Step::Clear { dst: 0 }, process(zero, zero)],
            vec![Step::Clear { dst: 7 }, process(none, one)],
            vec![process(none, one), process(none, one)],
            vec![],
            vec![Step::Clear { dst: 0 }, Step::Copy { src: 0, dst: 0, gain: 0 }, process(none, one)],
            vec![Step::Clear { dst: 0 }, Step::Add { src: 0, dst: 1, gain: 0 }, process(none, one)],
            vec![Step::Clear { dst: 0 }, Step::Copy { src: 0, dst: 1, gain: 9 }, process(none, one)],
        ];
        for steps in bad {
            let steps_text = format!("{steps:?}");
            assert!(verify(&plan(steps), &one_node).is_err(), "{steps_text}");
        }
    }
}
