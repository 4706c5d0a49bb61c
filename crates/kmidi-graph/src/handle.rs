use std::sync::Arc;

use kmidi_core::TempoScale;
use kmidi_core::limits::{
    MAIL_RING, MAX_DEVICE_CHANNELS, MAX_QUANTUM_FRAMES, REPORT_RING, RETURN_RING, SAMPLE_RATE_RANGE_HZ,
};
use kmidi_rt::{
    ChannelMasks, Control, Engine, EngineConfig, EngineEnds, EngineStatus, Locate, Mail, Report, StatusCell,
    Swap, Timeline, TimelineSwap, When,
};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::compile::{CompileError, Compiler};
use crate::graph::Graph;

/// The engine has not yet taken what was sent before; nothing was sent. Try again after the next
/// callback, and look after [`EngineHandle::collect`]: boxes that nobody fetches block those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has not taken what was sent before; try again in a moment")]
pub struct BorderFull;

/// An engine cannot be made like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The sample rate is out of range.
    #[error("sample rate {0} Hz is not within 8000 to 192000 Hz")]
    SampleRate(u32),
    /// The quantum is out of range.
    #[error("quantum of {0} frames is not within 1 to {MAX_QUANTUM_FRAMES}")]
    Quantum(u32),
    /// Too many device channels.
    #[error("{0} device channels are more than {MAX_DEVICE_CHANNELS}")]
    Channels(u16),
}

/// Why a graph was not set. The engine plays on with the one before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetGraphError {
    /// No room; the graph is unchanged.
    #[error(transparent)]
    BorderFull(#[from] BorderFull),
    /// The graph has no schedule.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Makes an engine and side B's end of its border. `[side B]`
///
/// # Errors
/// [`ConfigError`].
pub fn engine(config: EngineConfig) -> Result<(EngineHandle, Engine), ConfigError> {
    if !SAMPLE_RATE_RANGE_HZ.contains(&config.sample_rate_hz) {
        return Err(ConfigError::SampleRate(config.sample_rate_hz));
    }
    if !(1..=MAX_QUANTUM_FRAMES).contains(&(config.quantum_frames as usize)) {
        return Err(ConfigError::Quantum(config.quantum_frames));
    }
    let channels = config.channels_in.max(config.channels_out);
    if usize::from(channels) > MAX_DEVICE_CHANNELS {
        return Err(ConfigError::Channels(channels));
    }
    let (mail, mail_out) = RingBuffer::new(MAIL_RING);
    let (home, home_out) = RingBuffer::new(RETURN_RING);
    let (reports, reports_out) = RingBuffer::new(REPORT_RING);
    let engine = Engine::new(config, EngineEnds { mail: mail_out, home, reports });
    let handle = EngineHandle {
        config,
        mail,
        home: home_out,
        reports: reports_out,
        status: engine.status_cell(),
        compiler: Compiler::new(config.quantum_frames, config.sample_rate_hz),
        graphs_out: 0,
    };
    Ok((handle, engine))
}

/// Side B's end of the border: everything an engine can be told and asked. `[side B]`
///
/// Whatever is sent takes effect with the engine's next quantum, in the order of sending.
pub struct EngineHandle {
    config: EngineConfig,
    mail: Producer<Mail>,
    home: Consumer<Box<Swap>>,
    reports: Consumer<Report>,
    status: Arc<StatusCell>,
    compiler: Compiler,
    /// Graphs that were sent and have not come home.
    graphs_out: usize,
}

impl EngineHandle {
    /// What the engine was made for.
    pub fn config(&self) -> EngineConfig {
        self.config
    }

    /// The compiler of this engine's graphs: compensation, and the latency of the graph set last.
    pub fn compiler(&mut self) -> &mut Compiler {
        &mut self.compiler
    }

    /// Messages that can be sent before [`BorderFull`].
    pub fn room(&self) -> usize {
        self.mail.slots()
    }

    fn send(&mut self, mail: Mail) -> Result<(), BorderFull> {
        self.mail.push(mail).map_err(|_| BorderFull)
    }

    fn control(&mut self, control: Control) -> Result<(), BorderFull> {
        self.send(Mail::Control(control))
    }

    /// Compiles the graph and hands it over.
    ///
    /// # Errors
    /// [`SetGraphError`]; what was heard before goes on.
    pub fn set_graph(&mut self, graph: &mut Graph) -> Result<(), SetGraphError> {
        // Compiled swaps must all be sent: so first see that there is room.
        if self.room() == 0 {
            return Err(BorderFull.into());
        }
        let graph = Some(self.compiler.compile(graph)?);
        self.send(Mail::Swap(Box::new(Swap { graph, ..Swap::default() })))?;
        self.graphs_out += 1;
        Ok(())
    }

    /// Whether the engine runs the graph that was sent last, and the ones before have come home and were dropped
    /// by [`EngineHandle::collect`].
    pub fn has_taken_graphs(&self) -> bool {
        self.graphs_out == 0
    }

    /// Loads a song (`None` unloads) and says where it begins; whether it plays stays as it is.
    ///
    /// # Errors
    /// [`BorderFull`]; the song is dropped: see [`EngineHandle::room`].
    pub fn set_timeline(
        &mut self,
        timeline: Option<Timeline>,
        locate: Locate,
        when: When,
    ) -> Result<(), BorderFull> {
        let timeline = Some(TimelineSwap { when, timeline, locate });
        self.send(Mail::Swap(Box::new(Swap { timeline, ..Swap::default() })))
    }

    /// Goes to another place in the song, or changes its loop.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn locate(&mut self, locate: Locate) -> Result<(), BorderFull> {
        self.send(Mail::Swap(Box::new(Swap { locate: Some(locate), ..Swap::default() })))
    }

    /// Song time runs on from where it is.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn play(&mut self) -> Result<(), BorderFull> {
        self.control(Control::Play)
    }

    /// Song time stands still; sounding notes are released and pedals lifted.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn pause(&mut self) -> Result<(), BorderFull> {
        self.control(Control::Pause)
    }

    /// Pauses and goes to `start`.
    ///
    /// # Errors
    /// [`BorderFull`]; neither was done.
    pub fn stop(&mut self, start: Locate) -> Result<(), BorderFull> {
        if self.room() < 2 {
            return Err(BorderFull);
        }
        self.pause()?;
        self.locate(start)
    }

    /// Sets the speed against the written tempo.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn set_tempo_scale(&mut self, scale: TempoScale) -> Result<(), BorderFull> {
        self.control(Control::SetTempoScale(scale))
    }

    /// Makes exactly these channels of a MIDI port of the song mute.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn mute(&mut self, port: u8, channels: u16) -> Result<(), BorderFull> {
        self.control(Control::Mute { port, channels })
    }

    /// Plays new notes of these channels (not the drums') higher or lower by semitones.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn transpose(&mut self, semitones: i8, channels: ChannelMasks) -> Result<(), BorderFull> {
        self.control(Control::Transpose { semitones, channels })
    }

    /// Moves the master gain (linear, 1 = unity) there within some milliseconds.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn master_gain(&mut self, gain: f32) -> Result<(), BorderFull> {
        self.control(Control::MasterGain(gain))
    }

    /// Sets a parameter of the node in this slot ([`Graph::slot`]).
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn parameter(&mut self, slot: u16, id: u32, value: f64) -> Result<(), BorderFull> {
        self.control(Control::Parameter { slot, id, value })
    }

    /// Ends all sound at once, live notes too.
    ///
    /// # Errors
    /// [`BorderFull`].
    pub fn panic(&mut self) -> Result<(), BorderFull> {
        self.control(Control::Panic)
    }

    /// What the engine was doing when it last rendered.
    pub fn status(&self) -> EngineStatus {
        self.status.read()
    }

    /// What the engine has reported since the last call.
    pub fn reports(&mut self) -> impl Iterator<Item = Report> + '_ {
        std::iter::from_fn(|| self.reports.pop().ok())
    }

    /// Drops what has come home; returns how many boxes. To be called now and then: the engine
    /// takes no box while the way home is full.
    pub fn collect(&mut self) -> usize {
        let mut boxes = 0;
        while let Ok(swap) = self.home.pop() {
            boxes += 1;
            self.graphs_out -= usize::from(swap.graph.is_some());
        }
        boxes
    }

    /// Whether the engine is gone.
    pub fn is_abandoned(&self) -> bool {
        self.mail.is_abandoned()
    }
}
