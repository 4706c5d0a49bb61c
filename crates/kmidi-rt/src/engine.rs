use std::sync::Arc;

use kmidi_core::limits::MAX_CALLBACK_FRAMES;
use kmidi_core::{DeviceCallback, DeviceIo, SongTime, SysExPool};
use kmidi_sys::FlushDenormals;
use rtrb::{Consumer, Producer};

use crate::border::Border;
use crate::history::TransportHistory;
use crate::mail::{Control, Mail, Mailbox, Swap};
use crate::meters::Meters;
use crate::nodes::NodeTable;
use crate::report::{Report, Reports};
use crate::schedule::{Quantum, Schedule};
use crate::sequencer::{Outcome, Sequencer};
use crate::song::When;
use crate::status::{Drops, EngineStatus, StatusCell};

/// What an engine is made for; constant during its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Sample rate in Hz, within [`SAMPLE_RATE_RANGE_HZ`](kmidi_core::limits::SAMPLE_RATE_RANGE_HZ).
    pub sample_rate_hz: u32,
    /// Length of the quantum in frames, 1 to [`MAX_QUANTUM_FRAMES`](kmidi_core::limits::MAX_QUANTUM_FRAMES).
    pub quantum_frames: u32,
    /// Channels taken from the device.
    pub channels_in: u16,
    /// Channels given to the device.
    pub channels_out: u16,
    /// Whether the master ceiling keeps the output within full scale. Without it loud sound exceeds
    /// full scale: only for files that can hold that.
    pub has_ceiling: bool,
}

/// The rings that end in the engine.
pub struct EngineEnds {
    /// From side B.
    pub mail: Consumer<Mail>,
    /// Boxes going home.
    pub home: Producer<Box<Swap>>,
    /// Reports to side B.
    pub reports: Producer<Report>,
}

/// Everything that runs in the audio callback; owns all it touches. `[side A]`
pub struct Engine {
    config: EngineConfig,
    mailbox: Mailbox,
    /// The song that follows the current one without a gap.
    queued: Option<Box<Swap>>,
    /// The graph that comes next.
    fading: Option<Box<Swap>>,
    panic_due: bool,
    sequencer: Sequencer,
    history: TransportHistory,
    schedule: Schedule,
    nodes: NodeTable,
    /// Events dropped by schedules before this one.
    earlier_drops: u64,
    sysex: SysExPool,
    border: Border,
    meters: Meters,
    reports: Reports,
    status: EngineStatus,
    published: Arc<StatusCell>,
}

impl Engine {
    /// `[side B]` An engine without a graph or a song. Allocates and touches all it will ever use.
    pub fn new(config: EngineConfig, ends: EngineEnds) -> Self {
        kmidi_sys::prefault_code();
        let quantum = config.quantum_frames as usize;
        let (inputs, outputs) = (usize::from(config.channels_in), usize::from(config.channels_out));
        let mut schedule = Schedule::empty(config.quantum_frames, config.sample_rate_hz);
        schedule.set_ceiling(config.has_ceiling);
        Engine {
            config,
            mailbox: Mailbox::new(ends.mail, ends.home),
            queued: None,
            fading: None,
            panic_due: false,
            sequencer: Sequencer::new(),
            history: TransportHistory::new(config.quantum_frames),
            schedule,
            nodes: NodeTable::new(),
            earlier_drops: 0,
            sysex: SysExPool::new(),
            border: Border::new(quantum, inputs, outputs),
            meters: Meters::new(config.sample_rate_hz, quantum),
            reports: Reports::new(ends.reports),
            status: EngineStatus::default(),
            published: StatusCell::new(),
        }
    }

    /// Where the status is published.
    pub fn status_cell(&self) -> Arc<StatusCell> {
        self.published.clone()
    }

    /// Sample rate in Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.config.sample_rate_hz
    }

    /// Takes what side B has sent. A graph waits until what it silences has faded out; what was sent
    /// after it waits with it.
    fn take_mail(&mut self) {
        loop {
            if let Some(mut swap) = self.fading.take() {
                if swap.graph.as_mut().is_some_and(|graph| !graph.ready(&mut self.schedule)) {
                    self.fading = Some(swap);
                    return;
                }
                self.adopt(swap);
            }
            match self.mailbox.next(usize::from(self.queued.is_some())) {
                Some(Mail::Control(control)) => self.apply(control),
                Some(Mail::Swap(swap)) => self.fading = Some(swap),
                None => return,
            }
        }
    }

    fn apply(&mut self, control: Control) {
        match control {
            Control::Play => self.sequencer.play(),
            Control::Pause => self.sequencer.pause(),
            Control::SetTempoScale(scale) => self.sequencer.set_scale(scale),
            Control::Mute { port, channels } => self.sequencer.outlet.mute(port, channels),
            Control::Transpose { semitones, channels } => {
                self.sequencer.outlet.transpose(semitones, channels);
            }
            // What is set before anything sounds has nothing to be smooth with.
            Control::MasterGain(gain) if self.status.quanta == 0 => self.schedule.begin_master_gain(gain),
            Control::MasterGain(gain) => self.schedule.set_master_gain(gain),
            Control::Parameter { slot, id, value } => self.nodes.parameter(slot, id, value),
            Control::Panic => self.panic_due = true,
        }
    }

    fn adopt(&mut self, mut swap: Box<Swap>) {
        if let Some(graph) = &mut swap.graph {
            // The counts of the old schedule go home with it.
            self.earlier_drops += self.schedule.dropped_events();
            graph.adopt(&mut self.schedule, &mut self.nodes);
            self.schedule.join(&self.sequencer.outlet.told);
        }
        if let Some(locate) = &mut swap.locate {
            self.sequencer.locate(locate);
        }
        let when = swap.timeline.as_ref().map(|timeline| timeline.when);
        if when.is_some()
            && let Some(queued) = self.queued.take()
        {
            self.mailbox.send_home(queued);
        }
        match (&mut swap.timeline, when) {
            (Some(_), Some(When::AtEnd)) => self.queued = Some(swap),
            (Some(timeline), _) => {
                self.sequencer.exchange(timeline);
                self.reports.push(Report::Began { timeline: self.sequencer.timeline_id() });
                self.mailbox.send_home(swap);
            }
            (None, _) => self.mailbox.send_home(swap),
        }
    }

    fn quantum(&mut self) {
        self.take_mail();
        self.border.begin_quantum();
        self.sequence();
        self.schedule.process(
            &mut self.nodes,
            &mut Quantum {
                frames: self.config.quantum_frames,
                transport: &self.history,
                sequencer: &self.sequencer.outlet.buffers,
                live_in: &self.border.live_in,
                device_in: &self.border.device_in,
                device_out: &mut self.border.device_out,
                midi_out: &mut self.border.midi_out,
                sysex: &mut self.sysex,
                reports: &mut self.reports,
            },
        );
        self.meters.measure(&self.border.device_out);
        self.status.quanta += 1;
    }

    /// Writes the transport and the events of one quantum.
    fn sequence(&mut self) {
        let Engine { sequencer, history, sysex, reports, border, .. } = self;
        let transport = history.next();
        sequencer.begin(transport, sysex);
        if std::mem::take(&mut self.panic_due) {
            sequencer.outlet.all_sound_off();
            border.all_sound_off();
        }
        let mut at = 0;
        loop {
            match sequencer.run(&mut at, self.config.quantum_frames, transport, sysex) {
                Outcome::Ran => return,
                Outcome::Starved { late } => {
                    if late {
                        reports.push(Report::Starved);
                    }
                    return;
                }
                Outcome::Ended => match self.queued.take() {
                    Some(mut swap) => {
                        if let Some(timeline) = &mut swap.timeline {
                            sequencer.continue_with(timeline, at, sysex);
                        }
                        reports.push(Report::Began { timeline: sequencer.timeline_id() });
                        self.mailbox.send_home(swap);
                    }
                    None => {
                        sequencer.end(at);
                        reports.push(Report::Ended { timeline: sequencer.timeline_id() });
                        return;
                    }
                },
            }
        }
    }

    fn publish(&mut self) {
        let status = &mut self.status;
        status.playing = self.sequencer.clock.playing;
        // A wrap to the start may be rounded to a frame just before it.
        status.position = self.sequencer.clock.position().max(SongTime::ZERO);
        status.timeline = self.sequencer.timeline_id();
        status.frames = self.border.frames_given();
        status.loop_wraps = self.sequencer.wraps;
        status.starvations = self.sequencer.starvations;
        status.notes_owed = self.sequencer.outlet.owed();
        status.input_latency_frames = self.border.input_latency_frames();
        status.drops = Drops {
            song: self.sequencer.outlet.dropped(),
            graph: self.earlier_drops + self.schedule.dropped_events() + self.nodes.dropped_parameters(),
            midi: self.border.dropped(),
            reports: self.reports.dropped(),
        };
        status.notes_off_the_keyboard = self.sequencer.outlet.off_the_keyboard();
        status.guard_trips = self.nodes.guard_trips();
        status.ceiling_frames = self.schedule.ceiling_frames();
        status.ceiling_peak = self.schedule.ceiling_peak();
        status.dsp_load = self.published.dsp_load();
        let channels = usize::from(self.config.channels_out);
        status.levels.clear();
        status.levels.extend(self.meters.levels().iter().copied().take(channels));
        self.published.publish(status);
    }
}

impl DeviceCallback for Engine {
    fn process(&mut self, io: &mut DeviceIo<'_, '_>) {
        let _flush = FlushDenormals::enable();
        let quanta_before = self.status.quanta;
        let mut at = 0;
        while at < io.frames {
            let end = io.frames.min(at + MAX_CALLBACK_FRAMES);
            self.border.take_input(io, at, end - at, &mut self.sysex);
            while at < end {
                if self.border.needs_quantum() {
                    self.quantum();
                }
                at = self.border.give(io, at, end, &self.sysex);
            }
            self.border.end_piece();
        }
        self.border.end_callback(io.frames);
        self.status.callbacks += 1;
        if self.status.quanta != quanta_before {
            self.publish();
        }
    }
}
