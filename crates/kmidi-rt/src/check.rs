use std::ops::Range;

use kmidi_core::limits::MAX_NODES;

use crate::execute::Machine;
use crate::schedule::{EventSource, Mix, ScheduleSpec, Step};

/// A schedule contradicts itself: a defect of the compiler that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what they mean; `step` is the index of the step")]
pub enum ScheduleFault {
    #[error("step {step} uses an index that does not exist")]
    NoSuchIndex { step: usize },
    #[error("step {step} reads a buffer that no step before it has written")]
    ReadBeforeWrite { step: usize },
    #[error("step {step} reads and writes the same buffer")]
    Aliased { step: usize },
    #[error("step {step} uses what another step has used already")]
    UsedTwice { step: usize },
    #[error("not every delay and event edge is used")]
    Unused,
}

/// Holds the steps of a schedule against what they use, without allocating.
pub(crate) struct Checker {
    audio_written: Box<[bool]>,
    events_written: Box<[bool]>,
    slots_run: Box<[bool]>,
    lines_used: Box<[bool]>,
    events_delayed: Box<[bool]>,
    events_merged: Box<[bool]>,
}

impl Checker {
    /// `[side B]`
    pub fn new(spec: &ScheduleSpec) -> Self {
        let flags = |count: usize| (0..count).map(|_| false).collect();
        Checker {
            audio_written: flags(spec.audio_buffers as usize),
            events_written: flags(spec.event_buffers as usize),
            slots_run: flags(MAX_NODES),
            lines_used: flags(spec.audio_edges.len()),
            events_delayed: flags(spec.event_edges.len()),
            events_merged: flags(spec.event_edges.len()),
        }
    }

    pub fn check(&mut self, steps: &[Step], machine: &Machine) -> Result<(), ScheduleFault> {
        for flags in [
            &mut self.audio_written,
            &mut self.events_written,
            &mut self.slots_run,
            &mut self.lines_used,
            &mut self.events_delayed,
            &mut self.events_merged,
        ] {
            flags.fill(false);
        }
        for (at, step) in steps.iter().enumerate() {
            self.step(at, step, machine)?;
        }
        let all_used = self.events_merged.iter().all(|&used| used)
            && self.lines_used.iter().zip(&machine.audio_edges).all(|(&used, e)| used == e.line.is_some())
            && self
                .events_delayed
                .iter()
                .zip(&machine.event_edges)
                .all(|(&used, e)| used == e.delay.is_some());
        if all_used { Ok(()) } else { Err(ScheduleFault::Unused) }
    }

    fn step(&mut self, at: usize, step: &Step, machine: &Machine) -> Result<(), ScheduleFault> {
        match step {
            Step::Clear { to } | Step::DeviceIn { to, .. } => self.write(at, *to),
            Step::Copy(mix) => {
                self.mix(at, mix, machine)?;
                self.write(at, mix.to)
            }
            Step::Add(mix) => {
                self.mix(at, mix, machine)?;
                self.read(at, mix.to)
            }
            Step::Delay { edge, from, to } => {
                self.read(at, *from)?;
                use_once(at, &mut self.lines_used, *edge as usize)?;
                if from == to {
                    return Err(ScheduleFault::Aliased { step: at });
                }
                self.write(at, *to)
            }
            Step::DelayEvents { edge } => {
                self.event_source(at, *edge, machine)?;
                use_once(at, &mut self.events_delayed, *edge as usize)
            }
            Step::MergeEvents { edges, to, .. } => {
                self.merge(at, edges, Some(*to), machine)?;
                *self
                    .events_written
                    .get_mut(*to as usize)
                    .ok_or(ScheduleFault::NoSuchIndex { step: at })? = true;
                Ok(())
            }
            Step::MidiOut { edges } => self.merge(at, edges, None, machine),
            Step::Output { inputs } => self.inputs(at, inputs, machine).map(|_| ()),
            Step::Process(step) => {
                let inputs = self.inputs(at, &step.inputs, machine)?;
                let outputs = list(at, &step.outputs, machine)?;
                for (index, output) in outputs.iter().enumerate() {
                    if inputs.contains(output) || outputs[..index].contains(output) {
                        return Err(ScheduleFault::Aliased { step: at });
                    }
                    self.write(at, *output)?;
                }
                self.read_events(at, step.events_in)?;
                if step.events_out == Some(step.events_in) {
                    return Err(ScheduleFault::Aliased { step: at });
                }
                if let Some(out) = step.events_out {
                    *self
                        .events_written
                        .get_mut(out as usize)
                        .ok_or(ScheduleFault::NoSuchIndex { step: at })? = true;
                }
                use_once(at, &mut self.slots_run, usize::from(step.slot))
            }
        }
    }

    fn mix(&self, at: usize, mix: &Mix, machine: &Machine) -> Result<(), ScheduleFault> {
        if machine.audio_edges.get(mix.edge as usize).is_none() {
            return Err(ScheduleFault::NoSuchIndex { step: at });
        }
        if mix.from == mix.to {
            return Err(ScheduleFault::Aliased { step: at });
        }
        self.read(at, mix.from)
    }

    fn read(&self, at: usize, buffer: u32) -> Result<(), ScheduleFault> {
        match self.audio_written.get(buffer as usize) {
            Some(true) => Ok(()),
            Some(false) => Err(ScheduleFault::ReadBeforeWrite { step: at }),
            None => Err(ScheduleFault::NoSuchIndex { step: at }),
        }
    }

    fn write(&mut self, at: usize, buffer: u32) -> Result<(), ScheduleFault> {
        let written =
            self.audio_written.get_mut(buffer as usize).ok_or(ScheduleFault::NoSuchIndex { step: at })?;
        *written = true;
        Ok(())
    }

    fn read_events(&self, at: usize, buffer: u32) -> Result<(), ScheduleFault> {
        match self.events_written.get(buffer as usize) {
            Some(true) => Ok(()),
            Some(false) => Err(ScheduleFault::ReadBeforeWrite { step: at }),
            None => Err(ScheduleFault::NoSuchIndex { step: at }),
        }
    }

    fn inputs<'a>(
        &self,
        at: usize,
        range: &Range<u32>,
        machine: &'a Machine,
    ) -> Result<&'a [u32], ScheduleFault> {
        let inputs = list(at, range, machine)?;
        inputs.iter().try_for_each(|&input| self.read(at, input))?;
        Ok(inputs)
    }

    fn event_source(&self, at: usize, edge: u32, machine: &Machine) -> Result<(), ScheduleFault> {
        match machine.event_edges.get(edge as usize).map(|edge| edge.source()) {
            Some(EventSource::Node { buffer, .. }) => self.read_events(at, buffer),
            Some(EventSource::Sequencer { .. } | EventSource::LiveIn) => Ok(()),
            None => Err(ScheduleFault::NoSuchIndex { step: at }),
        }
    }

    fn merge(
        &mut self,
        at: usize,
        edges: &Range<u32>,
        to: Option<u32>,
        machine: &Machine,
    ) -> Result<(), ScheduleFault> {
        for edge in edges.clone() {
            use_once(at, &mut self.events_merged, edge as usize)?;
            if machine.event_edges[edge as usize].delay.is_some() {
                // What it delays has been read by another step.
                if !self.events_delayed[edge as usize] {
                    return Err(ScheduleFault::ReadBeforeWrite { step: at });
                }
                continue;
            }
            self.event_source(at, edge, machine)?;
            if let EventSource::Node { buffer, .. } = machine.event_edges[edge as usize].source()
                && to == Some(buffer)
            {
                return Err(ScheduleFault::Aliased { step: at });
            }
        }
        Ok(())
    }
}

fn list<'a>(at: usize, range: &Range<u32>, machine: &'a Machine) -> Result<&'a [u32], ScheduleFault> {
    machine.lists.get(range.start as usize..range.end as usize).ok_or(ScheduleFault::NoSuchIndex { step: at })
}

fn use_once(at: usize, used: &mut [bool], index: usize) -> Result<(), ScheduleFault> {
    let used = used.get_mut(index).ok_or(ScheduleFault::NoSuchIndex { step: at })?;
    if std::mem::replace(used, true) { Err(ScheduleFault::UsedTwice { step: at }) } else { Ok(()) }
}
