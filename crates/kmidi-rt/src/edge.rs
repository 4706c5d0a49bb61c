use std::ops::Range;

use kmidi_core::{Event, EventBuffer, Smoothed, TimedEvent};

use crate::delay::{DelayLine, EventDelay};
use crate::ledger::{Ledger, MOST_PER_KEY};
use crate::schedule::{AudioEdgeSpec, ChannelFilter, EventEdgeSpec, EventSource, Quantum};
use crate::told::{Joining, Told};

/// A connection of two audio channels: its gain, and its delay where it has one.
pub(crate) struct AudioEdge {
    pub gain: Smoothed,
    pub line: Option<DelayLine>,
    delay_frames: u32,
}

impl AudioEdge {
    /// `[side B]`
    pub fn new(spec: &AudioEdgeSpec, quantum_frames: u32, smoothing_frames: u32) -> Self {
        let line = |frames| DelayLine::new(frames, quantum_frames, smoothing_frames);
        AudioEdge {
            gain: Smoothed::new(spec.gain, smoothing_frames),
            line: spec.delay_frames.map(line),
            delay_frames: spec.delay_frames.unwrap_or(0),
        }
    }

    /// `[side A]` Takes over gain and sound from the edge whose place it takes.
    pub fn continue_from(&mut self, old: &mut AudioEdge) {
        let target = self.gain.target();
        self.gain = old.gain;
        self.gain.set_target(target);
        match (&mut self.line, &mut old.line) {
            (Some(new), Some(old)) => new.continue_from(old),
            (Some(new), None) => new.begin_without_delay(),
            (None, _) => {}
        }
    }

    /// `[side A]` A new edge while others sound: comes in from silence, once its delay is full.
    pub fn fade_in(&mut self) {
        let target = self.gain.target();
        self.gain.jump(0.0);
        self.gain.set_target_after(target, self.delay_frames);
    }
}

/// A connection of two event ports: what it has delivered and must still end, and its delay.
pub(crate) struct EventEdge {
    source: EventSource,
    filter: ChannelFilter,
    port: u16,
    pub ledger: Ledger,
    pub delay: Option<EventDelay>,
    /// Next event of the source, while merging.
    cursor: usize,
    /// Channels that it carries and the one before did not.
    new_channels: u16,
    /// What these are told before all else.
    joining: Joining,
}

impl EventEdge {
    /// `[side B]`
    pub fn new(spec: &EventEdgeSpec) -> Self {
        EventEdge {
            source: spec.source,
            filter: spec.filter,
            port: spec.port,
            ledger: Ledger::new(MOST_PER_KEY),
            delay: spec.delay_frames.map(EventDelay::new),
            cursor: 0,
            new_channels: spec.filter.controls,
            joining: Joining::new(),
        }
    }

    pub fn source(&self) -> EventSource {
        self.source
    }

    /// `[side A]` Takes over what is owed and on its way from the edge whose place it takes.
    pub fn continue_from(&mut self, old: &mut EventEdge) {
        std::mem::swap(&mut self.ledger, &mut old.ledger);
        // What the old one has not told yet is to be told.
        self.new_channels &= !old.filter.controls | old.joining.rest();
        if let (Some(new), Some(old)) = (&mut self.delay, &mut old.delay) {
            let delay_frames = new.delay_frames;
            std::mem::swap(new, old);
            new.delay_frames = delay_frames;
            // What it has dropped was counted by the schedule before.
            new.dropped = 0;
        }
    }

    /// `[side A]` The graph has just been adopted, and this is what the song has told its ports so far: channels that are new
    /// here get it first.
    pub fn join(&mut self, told: &[Told]) {
        let EventSource::Sequencer { port } = self.source else { return };
        if let Some(told) = told.get(usize::from(port)) {
            self.joining.begin(told, std::mem::take(&mut self.new_channels));
        }
    }

    fn events<'a>(&self, buffers: &'a [EventBuffer], quantum: &'a Quantum<'_>) -> &'a [TimedEvent] {
        match self.source {
            EventSource::Sequencer { port } => {
                quantum.sequencer.get(usize::from(port)).map_or(&[], EventBuffer::as_slice)
            }
            EventSource::LiveIn => quantum.live_in.as_slice(),
            EventSource::Node { buffer, .. } => buffers[buffer as usize].as_slice(),
        }
    }

    /// Whether an event in the source's buffer belongs to this edge.
    fn is_of_port(&self, event: &TimedEvent) -> bool {
        match self.source {
            EventSource::Node { port, .. } => event.port == port,
            // Their buffers hold one port each.
            EventSource::Sequencer { .. } | EventSource::LiveIn => true,
        }
    }

    /// Whether it is let through: what sounds gets its end also where its channel has been taken away, and what does not
    /// sound here, as it began before the edge was there, gets none.
    fn lets_through(&self, event: &Event) -> bool {
        self.filter.passes(event) && self.ledger.allows(event) || self.ledger.is_owed(event)
    }

    /// `[side A]` Sends this quantum's events into the delay.
    pub fn enter_delay(&mut self, now: u64, buffers: &[EventBuffer], quantum: &Quantum<'_>) {
        let Some(mut delay) = self.delay.take() else { return };
        while let Some(event) = self.joining.peek() {
            delay.push(now, &TimedEvent { time: 0, port: 0, event });
            self.joining.take();
        }
        for event in self.events(buffers, quantum).iter().filter(|event| self.is_of_port(event)) {
            delay.push(now, event);
        }
        self.delay = Some(delay);
    }

    /// The next event to deliver in this quantum, without taking it.
    fn peek(&mut self, now: u64, buffers: &[EventBuffer], quantum: &Quantum<'_>) -> Option<(u32, Event)> {
        if let Some(event) = self.joining.peek() {
            return Some((0, event));
        }
        // What is let through is known only when it comes out: what it ends may have been inside with it.
        while let Some(delay) = &self.delay {
            let (time, event) = delay.peek(now, quantum.frames)?;
            if self.lets_through(&event) {
                return Some((time, event));
            }
            self.take();
        }
        let events = self.events(buffers, quantum);
        let carries = |event: &TimedEvent| self.is_of_port(event) && self.lets_through(&event.event);
        let skipped = events[self.cursor..].iter().position(carries)?;
        self.cursor += skipped;
        Some((events[self.cursor].time, events[self.cursor].event))
    }

    fn take(&mut self) {
        match &mut self.delay {
            _ if self.joining.peek().is_some() => self.joining.take(),
            Some(delay) => delay.pop(),
            None => self.cursor += 1,
        }
    }
}

/// Delivers the events of `edges` in time order (of equal times, in the order of edges), keeping the
/// ledgers; what ends a sound and has no room is owed, and sent with the next quantum. `[side A]`
pub(crate) fn merge(
    edges: &mut [EventEdge],
    now: u64,
    buffers: &[EventBuffer],
    quantum: &Quantum<'_>,
    owed: &mut [Ledger],
    to: &mut EventBuffer,
) {
    edges.iter_mut().for_each(|edge| edge.cursor = 0);
    loop {
        let mut first: Option<(u32, Event, usize)> = None;
        for (index, edge) in edges.iter_mut().enumerate() {
            if let Some((time, event)) = edge.peek(now, buffers, quantum)
                && first.is_none_or(|(earliest, ..)| time < earliest)
            {
                first = Some((time, event, index));
            }
        }
        let Some((time, event, index)) = first else { return };
        let edge = &mut edges[index];
        edge.take();
        if to.push(TimedEvent { time, port: edge.port, event }).is_ok() {
            edge.ledger.track(&event);
        } else if let Some(owed) = owed.get_mut(usize::from(edge.port)) {
            owed.take_debt(&mut edge.ledger, &event);
        }
    }
}

/// The part of `edges` that a step names.
pub(crate) fn slice<'a>(edges: &'a mut [EventEdge], range: &Range<u32>) -> &'a mut [EventEdge] {
    &mut edges[range.start as usize..range.end as usize]
}
