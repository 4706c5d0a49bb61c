use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kmidi_core::limits::{MAX_CALLBACK_FRAMES, MAX_DEVICE_CHANNELS, SAMPLE_RATE_RANGE_HZ};

use crate::DeviceError;

/// A way to reach audio hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// A JACK server, or PipeWire through its JACK library: audio and MIDI in one client.
    Jack,
    /// A PulseAudio server, or PipeWire in its place.
    Pulse,
    /// ALSA itself.
    Alsa,
    /// No device: a clock that asks for audio in real time.
    Null,
}

impl Backend {
    /// The order in which they are tried when none is asked for.
    pub const IN_ORDER: [Backend; 4] = [Backend::Jack, Backend::Pulse, Backend::Alsa, Backend::Null];
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Backend::Jack => "JACK",
            Backend::Pulse => "PulseAudio",
            Backend::Alsa => "ALSA",
            Backend::Null => "null clock",
        })
    }
}

/// What happens to the song while a device is lost. The null clock calls the engine in its place
/// in every case but [`OnLoss::Stop`]; on no account is another device opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// The song stands still until the device is back: whoever hears [`crate::DeviceEvent::Lost`]
    /// pauses it.
    #[default]
    Pause,
    /// The song goes on, unheard.
    Continue,
    /// The engine is no longer called, and the device not probed again.
    Stop,
}

/// What to open.
#[derive(Debug, Clone)]
pub struct AudioRequest {
    /// `None`: the first of [`Backend::IN_ORDER`] that works.
    pub backend: Option<Backend>,
    /// An id of [`crate::list_devices`]; `None`: the backend's default.
    pub device: Option<String>,
    /// In Hz. JACK's is the server's. `None`: the device's (null clock: 48,000).
    pub sample_rate_hz: Option<u32>,
    /// Length of a callback in frames. JACK's is the server's. `None`: 256.
    pub period_frames: Option<u32>,
    /// Captured channels; other backends than JACK give none.
    pub channels_in: usize,
    /// Channels to play.
    pub channels_out: usize,
    /// Whether to offer a MIDI input, and a port to connect it to.
    pub midi_in: MidiPort,
    /// Whether to offer a MIDI output, and a port to connect it to.
    pub midi_out: MidiPort,
    /// The name that other programs see.
    pub client_name: String,
    /// What happens when the device is lost.
    pub on_loss: OnLoss,
    /// Null clock only: a WAV file (32-bit float) that gets everything it would have played.
    pub wav_tap: Option<PathBuf>,
    /// Null clock only: what goes wrong, for tests.
    pub faults: Faults,
}

/// One direction of MIDI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MidiPort {
    /// None.
    #[default]
    Off,
    /// A port of our own that others may connect to (JACK).
    Open,
    /// The same, connected to the port whose name is this or contains it.
    Connect(String),
    /// An input of our own, connected to the port whose name is this or contains it (if one is named) whenever that is
    /// there. Where there is no MIDI at all, that is told, and no error.
    Follow(Option<String>),
}

/// What goes wrong with a null clock. Periods are counted from its start.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Periods at which it wakes three periods too late.
    pub late_at_periods: Vec<u64>,
    /// The period at which it stops calling without a word.
    pub stall_at_period: Option<u64>,
    /// How long closing it takes.
    pub close_takes: Duration,
    /// How many times opening it again fails.
    pub gone_for_probes: u32,
    /// The rate at which it comes back, in Hz.
    pub back_at_rate_hz: Option<u32>,
}

impl Default for AudioRequest {
    fn default() -> Self {
        AudioRequest {
            backend: None,
            device: None,
            sample_rate_hz: None,
            period_frames: None,
            channels_in: 0,
            channels_out: 2,
            midi_in: MidiPort::Off,
            midi_out: MidiPort::Off,
            client_name: "kmidi".to_owned(),
            on_loss: OnLoss::default(),
            wav_tap: None,
            faults: Faults::default(),
        }
    }
}

impl AudioRequest {
    pub(crate) fn validate(&self) -> Result<(), DeviceError> {
        let refuse = |what| Err(DeviceError::BadRequest { what });
        if self.sample_rate_hz.is_some_and(|rate| !SAMPLE_RATE_RANGE_HZ.contains(&rate)) {
            return refuse("a sample rate is from 8000 to 192000 Hz");
        }
        if self.period_frames.is_some_and(|frames| !(1..=MAX_CALLBACK_FRAMES as u32).contains(&frames)) {
            return refuse("a period is from 1 to 8192 frames");
        }
        if self.channels_in > MAX_DEVICE_CHANNELS || self.channels_out > MAX_DEVICE_CHANNELS {
            return refuse("a device has at most 32 channels in each direction");
        }
        if self.wav_tap.is_some() && self.backend != Some(Backend::Null) {
            return refuse("only the null clock has a WAV tap");
        }
        if self.client_name.is_empty() || self.client_name.contains(['\0', ':']) {
            return refuse("a client name has at least one character and no colon");
        }
        Ok(())
    }
}

/// A stream that runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpenDevice {
    /// How it is reached.
    pub backend: Backend,
    /// Its id, as in [`crate::list_devices`].
    pub device: String,
    /// What people call it.
    pub name: String,
    /// In Hz.
    pub sample_rate_hz: u32,
    /// Length of a callback in frames; may change (see [`crate::DeviceEvent::PeriodChanged`]).
    pub period_frames: u32,
    /// Captured channels.
    pub channels_in: usize,
    /// Channels to play.
    pub channels_out: usize,
    /// From a sample's callback to its sounding, in frames, as the backend tells: a hint.
    pub latency_frames: u32,
    /// In plain words: what was tried before and why it was not taken, what differs from the request.
    pub notes: Vec<String>,
}
