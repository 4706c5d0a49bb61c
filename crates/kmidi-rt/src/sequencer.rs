use kmidi_core::{Event, LoopRange, SongTime, Span, SysExPool, TempoScale, Transport};

use crate::clock::{Clock, MIN_LOOP, scaled};
use crate::feed::{Feed, Next};
use crate::outlet::Outlet;
use crate::song::{Chase, Locate, Message, PageEvent, TimelineSwap};

/// Plays a song: turns the clock and the song's events into the spans and the event buffers of a
/// quantum, each event on the frame nearest to its exact time. `[side A]`
///
/// All thinking was done on side B (what to chase, where the cursor goes); this only follows, at
/// the exact frame. Whatever interrupts the song sends the note-offs that are owed.
pub(crate) struct Sequencer {
    pub clock: Clock,
    pub outlet: Outlet,
    feed: Feed,
    /// Adopted last; its chase and loop plan are in use for as long as it holds.
    place: Locate,
    /// A seek takes effect with the next quantum.
    jump_due: bool,
    /// The tempo scale has changed since the last quantum.
    tempo_due: bool,
    /// The next span starts where song time jumped to.
    jumped: bool,
    /// The feed may begin before the current position: pass over what has been played.
    skip_played: bool,
    starving: bool,
    /// Times that song time had to hold for a page that was late.
    pub starvations: u64,
    /// Loop wraps.
    pub wraps: u64,
}

/// How a run through the song came to its stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The quantum is full, or the song is paused.
    Ran,
    /// The next page has not come: song time holds for the rest of the quantum. `late` if the
    /// feeder is to blame and this is the first quantum of it.
    Starved { late: bool },
    /// The song has ended here; what follows is the engine's decision.
    Ended,
}

/// A place ahead where song time does something else than run on.
#[derive(Clone, Copy)]
enum Stop {
    Wrap(LoopRange),
    End(SongTime),
}

impl Sequencer {
    /// `[side B]`
    pub fn new() -> Self {
        Sequencer {
            clock: Clock::new(),
            outlet: Outlet::new(),
            feed: Feed::new(),
            place: Locate::default(),
            jump_due: false,
            tempo_due: false,
            jumped: false,
            skip_played: false,
            starving: false,
            starvations: 0,
            wraps: 0,
        }
    }

    /// The song's id; 0 without a song.
    pub fn timeline_id(&self) -> u64 {
        self.feed.song().map_or(0, |(id, _)| id)
    }

    /// Song time runs from the next quantum on. Without a song nothing happens.
    pub fn play(&mut self) {
        if self.feed.song().is_some() {
            self.clock.playing = true;
            self.outlet.lift_pedals(false);
        }
    }

    /// Song time stands still from the next quantum on: notes end, pedals come up.
    pub fn pause(&mut self) {
        self.clock.playing = false;
        self.outlet.release_all();
        self.outlet.lift_pedals(true);
    }

    /// Changes the speed from the next quantum on.
    pub fn set_scale(&mut self, scale: TempoScale) {
        self.clock.set_scale(scale);
        self.tempo_due = true;
    }

    /// Goes to the place in `locate`, which then holds the one before. Takes effect with the next quantum.
    pub fn locate(&mut self, locate: &mut Locate) {
        match locate.position {
            Some(position) => {
                self.feed.locate(locate.generation, locate.cursor);
                self.clock.locate(position);
                self.jump_due = true;
                self.skip_played = false;
            }
            None => {
                self.feed.expect(locate.generation);
                self.skip_played = true;
            }
        }
        self.take_place(locate);
    }

    /// Exchanges the song. Takes effect with the next quantum.
    pub fn exchange(&mut self, swap: &mut TimelineSwap) {
        self.feed.swap_timeline(&mut swap.timeline);
        swap.locate.position.get_or_insert_default();
        self.locate(&mut swap.locate);
        if self.feed.song().is_none() {
            self.pause();
        }
    }

    /// Exchanges the song that has just ended at frame `time`: its exact end is the exact beginning of the
    /// next one, so that even a fraction of a frame is kept.
    pub fn continue_with(&mut self, swap: &mut TimelineSwap, time: u32, sysex: &mut SysExPool) {
        let end = self.feed.song().map_or(SongTime::ZERO, |(_, end)| end);
        self.clock.rename(end, *swap.locate.position.get_or_insert_default());
        self.feed.swap_timeline(&mut swap.timeline);
        self.feed.locate(swap.locate.generation, swap.locate.cursor);
        self.skip_played = false;
        self.take_place(&mut swap.locate);
        self.clock.playing = self.feed.song().is_some();
        self.jump(time, sysex);
    }

    /// The song has ended at frame `time` and nothing follows: what still sounds is ended, and rings out.
    pub fn end(&mut self, time: u32) {
        self.pause();
        self.outlet.settle(time);
    }

    /// The clock is already where `locate` says. A loop whose end is behind that does not repeat.
    fn take_place(&mut self, locate: &mut Locate) {
        std::mem::swap(&mut self.place, locate);
        let position = self.clock.position();
        let range = self.place.looping.as_ref().map(|plan| plan.range);
        self.clock.looping =
            range.filter(|r| r.end.0.saturating_sub(r.start.0) >= MIN_LOOP.0 && position < r.end);
    }

    /// Starts a quantum: sends what is owed and what seeks and changes of speed bring, all on its
    /// first frame, and writes the snapshot of the transport.
    pub fn begin(&mut self, transport: &mut Transport, sysex: &mut SysExPool) {
        self.outlet.clear();
        self.outlet.settle(0);
        if self.jump_due {
            self.jump(0, sysex);
        }
        if std::mem::take(&mut self.tempo_due) {
            self.outlet.broadcast(0, Event::Tempo(self.clock.scaled_tempo()));
        }
        transport.playing = self.clock.playing;
        transport.scale = self.clock.scale;
        transport.looping = self.clock.looping;
        transport.spans.clear();
        self.tell_place(transport);
    }

    /// Writes where the song is at the first frame of the quantum.
    fn tell_place(&self, transport: &mut Transport) {
        transport.position = self.clock.position();
        transport.tempo = self.clock.scaled_tempo();
        transport.meter = self.clock.meter;
        transport.set_musical_time(self.clock.musical);
    }

    fn jump(&mut self, time: u32, sysex: &mut SysExPool) {
        self.jump_due = false;
        self.jumped = true;
        jump(&mut self.clock, &mut self.outlet, time, &self.place.chase, sysex);
    }

    /// Plays from frame `at` to the end of the quantum, or to what stops it before; `at` is then the
    /// frame of that.
    pub fn run(
        &mut self,
        at: &mut u32,
        frames: u32,
        transport: &mut Transport,
        sysex: &mut SysExPool,
    ) -> Outcome {
        while self.clock.playing && *at < frames {
            let room = frames - *at;
            let stop = self.next_stop();
            let until = stop.map_or(i64::MAX, |stop| self.clock.frames_until(stop.time()).max(0));
            let reached = stop.filter(|_| until < i64::from(room));
            let run = if reached.is_some() { until as u32 } else { room };

            let (played, starved) = self.emit(*at, run, reached, transport, sysex);
            self.pass(at, played, transport);
            if starved {
                return self.starve();
            }
            match reached {
                None => {}
                Some(Stop::End(_)) => return Outcome::Ended,
                Some(Stop::Wrap(range)) if self.wrap(range, *at, transport, sysex) => {}
                Some(Stop::Wrap(_)) => return self.starve(),
            }
            self.starving = false;
        }
        Outcome::Ran
    }

    fn next_stop(&self) -> Option<Stop> {
        let end = self.feed.song().map(|(_, end)| Stop::End(end));
        self.clock.looping.map(Stop::Wrap).or(end)
    }

    /// Sends the events of the next `run` frames, and those on the frame after them that come
    /// before `reached`. Returns the frames that may pass: fewer than `run` (and `true`) where the
    /// feed does not know what comes next.
    fn emit(
        &mut self,
        at: u32,
        run: u32,
        reached: Option<Stop>,
        transport: &mut Transport,
        sysex: &mut SysExPool,
    ) -> (u32, bool) {
        let mut last = 0;
        loop {
            let event = match self.feed.peek() {
                Next::Event(event) => event,
                Next::Wrap | Next::Nothing => return (run, false),
                Next::Starved => return (last, true),
            };
            let due = self.clock.frames_until(event.time);
            if self.skip_played && due < 0 {
                self.feed.take();
                continue;
            }
            self.skip_played = false;
            let belongs = match reached {
                None => due < i64::from(run),
                Some(Stop::Wrap(range)) => event.time < range.end,
                Some(Stop::End(end)) => event.time <= end,
            };
            if !belongs {
                return (run, false);
            }
            // Never before an event already sent, should a page be out of order.
            last = due.clamp(i64::from(last), i64::from(run)) as u32;
            let arena = self.feed.sysex();
            send(&mut self.clock, &mut self.outlet, at + last, &event, arena, sysex);
            if at + last == 0 {
                self.tell_place(transport);
            }
            self.feed.take();
        }
    }

    /// Lets `frames` frames pass and writes their span.
    fn pass(&mut self, at: &mut u32, frames: u32, transport: &mut Transport) {
        if frames == 0 {
            return;
        }
        let span = Span { offset: *at, frames, position: self.clock.position(), jumped: self.jumped };
        // MAX_SPANS covers the shortest loop and one change of song.
        let _ = transport.spans.try_push(span);
        self.jumped = false;
        self.clock.advance(frames);
        *at += frames;
    }

    fn wrap(
        &mut self,
        range: LoopRange,
        time: u32,
        transport: &mut Transport,
        sysex: &mut SysExPool,
    ) -> bool {
        let Some(plan) = &self.place.looping else { return false };
        if !self.feed.wrap(plan.cursor) {
            return false;
        }
        self.clock.rename(range.end, range.start);
        self.wraps += 1;
        self.jumped = true;
        jump(&mut self.clock, &mut self.outlet, time, &plan.chase, sysex);
        if time == 0 {
            self.tell_place(transport);
        }
        true
    }

    fn starve(&mut self) -> Outcome {
        let late = self.feed.is_late() && !self.starving;
        self.starving = true;
        self.starvations += u64::from(late);
        Outcome::Starved { late }
    }
}

impl Stop {
    fn time(self) -> SongTime {
        match self {
            Stop::Wrap(range) => range.end,
            Stop::End(end) => end,
        }
    }
}

/// Notes end, song time has jumped, and the state of the new place is chased.
fn jump(clock: &mut Clock, outlet: &mut Outlet, time: u32, chase: &Chase, sysex: &mut SysExPool) {
    outlet.release_all();
    outlet.settle(time);
    outlet.broadcast(time, Event::Jump);
    for event in &chase.events {
        send(clock, outlet, time, event, &chase.sysex, sysex);
    }
    clock.musical = chase.musical;
}

/// Sends one message of the song; `arena` holds the bytes of its SysEx messages.
fn send(
    clock: &mut Clock,
    outlet: &mut Outlet,
    time: u32,
    event: &PageEvent,
    arena: &[u8],
    sysex: &mut SysExPool,
) {
    match event.message {
        Message::Event(Event::Tempo(tempo)) => {
            clock.tempo = tempo;
            clock.musical.set_tempo(event.time, tempo);
            outlet.broadcast(time, Event::Tempo(scaled(tempo, clock.scale)));
        }
        Message::Event(Event::Meter(meter)) => {
            clock.meter = meter;
            clock.musical.set_meter(event.time, meter);
            outlet.broadcast(time, Event::Meter(meter));
        }
        Message::Event(message) => outlet.send(time, event.port, message),
        Message::SysEx { start, len } => {
            // Nothing where side B named a range that does not exist.
            let start = start as usize;
            if let Some(bytes) = arena.get(start..start + usize::from(len)) {
                outlet.send_sysex(time, event.port, bytes, sysex);
            }
        }
    }
}
