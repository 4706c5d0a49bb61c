//! From one wiring to another while it plays: by small steps, none of which clicks or loses a quantum.
//!
//! First all that is new stands beside what is there, and is not heard where it meets it: instances, delays and
//! fades fill up. Then the sound crosses over, and events go where they belong. Then what is silent is taken out.

use kmidi_core::Smoothed;
use kmidi_graph::{GraphError, NodeId, SetGraphError};
use kmidi_memory::audio_heap;

use super::wiring::Wiring;
use crate::rig::Rig;

/// A change under way.
pub(crate) struct Transition {
    from: Wiring,
    to: Wiring,
    /// To be taken out of the graph at the end.
    gone: Vec<NodeId>,
    step: Step,
    /// The graph of this step has not been sent.
    unsent: bool,
    /// Frame of the engine until which this step lasts, once it has been adopted.
    until: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Join,
    Cross,
    Part,
}

/// How a transition is getting on.
pub(crate) enum Progress {
    UnderWay,
    Done(Wiring),
    /// Nothing has changed for the ear.
    Refused(String),
}

impl Transition {
    pub fn new(from: Wiring, to: Wiring, gone: Vec<NodeId>) -> Self {
        Transition { from, to, gone, step: Step::Join, unsent: false, until: None }
    }

    /// What there was before.
    pub fn into_from(self) -> (Wiring, Vec<NodeId>) {
        (self.from, self.gone)
    }

    /// Begins, and goes on where the engine has come so far.
    pub fn begin(&mut self, rig: &mut Rig) -> Progress {
        if self.is_new_audio() {
            return self.enter(Step::Join, rig);
        }
        self.enter(Step::Cross, rig)
    }

    pub fn advance(&mut self, rig: &mut Rig) -> Progress {
        if self.unsent {
            return self.send(rig);
        }
        if !rig.handle.has_taken_graphs() {
            return Progress::UnderWay;
        }
        let now = rig.handle.status().frames;
        let until = *self.until.get_or_insert_with(|| now + u64::from(self.step.lasts(rig)));
        if now < until {
            return Progress::UnderWay;
        }
        match self.step {
            Step::Join => self.enter(Step::Cross, rig),
            Step::Cross if self.is_old_there() => self.enter(Step::Part, rig),
            Step::Cross | Step::Part => Progress::Done(self.to.clone()),
        }
    }

    fn is_new_audio(&self) -> bool {
        self.to.audio.keys().any(|key| !self.from.audio.contains_key(key))
    }

    fn is_old_there(&self) -> bool {
        !self.gone.is_empty() || self.from.audio.keys().any(|key| !self.to.audio.contains_key(key))
    }

    fn enter(&mut self, step: Step, rig: &mut Rig) -> Progress {
        (self.step, self.until) = (step, None);
        let edited = match step {
            Step::Join => self.join(rig),
            Step::Cross => self.cross(rig),
            Step::Part => self.part(rig),
        };
        match edited {
            Ok(()) => self.send(rig),
            Err(error) => self.refuse(error.to_string(), rig),
        }
    }

    fn send(&mut self, rig: &mut Rig) -> Progress {
        let sent = audio_heap("a change of the graph", || rig.handle.set_graph(&mut rig.graph));
        self.unsent = false;
        match sent {
            Ok(Ok(())) => Progress::UnderWay,
            Ok(Err(SetGraphError::BorderFull(_))) => {
                self.unsent = true;
                Progress::UnderWay
            }
            Ok(Err(SetGraphError::Compile(error))) => self.refuse(error.to_string(), rig),
            Err(exceeded) => self.refuse(exceeded.to_string(), rig),
        }
    }

    /// Puts the graph back to what is heard.
    fn refuse(&mut self, reason: String, rig: &mut Rig) -> Progress {
        if self.step == Step::Join {
            for &(from, to) in self.to.audio.keys().filter(|key| !self.from.audio.contains_key(key)) {
                rig.graph.disconnect_audio(from, to);
            }
        }
        Progress::Refused(reason)
    }

    fn join(&mut self, rig: &mut Rig) -> Result<(), GraphError> {
        for (&(from, to), wire) in &self.to.audio {
            if self.from.audio.contains_key(&(from, to)) {
                continue;
            }
            for link in &wire.links {
                link.connect(&mut rig.graph, from, to)?;
            }
            // Where it meets what is heard it is silent yet.
            let gain = if self.from.has(to) { 0.0 } else { wire.gain };
            rig.graph.set_connection_gain(from, to, gain)?;
        }
        Ok(())
    }

    fn cross(&mut self, rig: &mut Rig) -> Result<(), GraphError> {
        for (&(from, to), wire) in &self.to.audio {
            if self.from.audio.get(&(from, to)).is_some_and(|before| before.links != wire.links) {
                rig.graph.disconnect_audio(from, to);
                for link in &wire.links {
                    link.connect(&mut rig.graph, from, to)?;
                }
            }
            rig.graph.set_connection_gain(from, to, wire.gain)?;
        }
        for &(from, to) in self.from.audio.keys() {
            // What goes with its node is heard to the end of it.
            if !self.to.audio.contains_key(&(from, to)) && self.to.has(to) {
                rig.graph.set_connection_gain(from, to, 0.0)?;
            }
        }
        self.to.connect_events(&self.from, &mut rig.graph)
    }

    fn part(&mut self, rig: &mut Rig) -> Result<(), GraphError> {
        for &(from, to) in self.from.audio.keys().filter(|key| !self.to.audio.contains_key(key)) {
            rig.graph.disconnect_audio(from, to);
        }
        self.gone.drain(..).try_for_each(|node| rig.graph.remove_node(node))
    }
}

impl Step {
    /// Frames from its adoption until all that it changes is where it goes.
    fn lasts(self, rig: &mut Rig) -> u32 {
        let fade = Smoothed::frames(rig.config.sample_rate_hz);
        let latency = rig.handle.compiler().latency_frames();
        match self {
            // New plugins give their first sound, delays fill and fade in.
            Step::Join => 2 * fade + 2 * latency,
            Step::Cross => fade + latency,
            Step::Part => 0,
        }
    }
}
