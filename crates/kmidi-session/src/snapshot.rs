use serde::{Deserialize, Serialize};

use crate::rack::{PluginSnapshot, SavedPlugin};

/// What the session is doing, as far as a client can see: one plain value, for a screen, a log or a wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What the transport does.
    pub state: PlayState,
    /// The song that is heard.
    pub song: Option<SongSnapshot>,
    /// Where it stands.
    pub position: PositionSnapshot,
    /// The harmony that is heard there, live notes included.
    pub harmony: HarmonySnapshot,
    /// The loop, in seconds at the written tempo.
    pub looping: Option<LoopSnapshot>,
    /// Speed against the written tempo.
    pub tempo_scale: f64,
    /// Semitones by which keys are shifted.
    pub transpose: i8,
    /// Master gain.
    pub gain_db: f32,
    /// Channels (1..=16) that are muted.
    pub muted: Vec<u8>,
    /// Channels (1..=16) that are soloed.
    pub soloed: Vec<u8>,
    /// The audio device.
    pub output: OutputSnapshot,
    /// The synthesiser.
    pub synth: SynthSnapshot,
    /// The plugins of the rack, in their order.
    pub plugins: Vec<PluginSnapshot>,
    /// What was lost, and how often; all zero while nothing is wrong.
    pub losses: Losses,
}

/// What the transport does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayState {
    /// Reading the song and its sounds.
    #[default]
    Loading,
    /// Song time runs.
    Playing,
    /// Held by the user.
    Paused,
    /// The playlist has been played to its end.
    Ended,
}

/// A song of the playlist.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SongSnapshot {
    /// File name, or `-`.
    pub name: String,
    /// Title named in the file.
    pub title: Option<String>,
    /// Place in the playlist, from 1.
    pub number: usize,
    /// Songs in the playlist.
    pub of: usize,
    /// Length at the written tempo.
    pub duration_seconds: f64,
    /// Damages found in the file.
    pub warnings: u64,
}

/// Where a song stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PositionSnapshot {
    /// At the written tempo, from the start.
    pub seconds: f64,
    /// Bar, from 1.
    pub bar: u32,
    /// Beat of the bar, from 1.
    pub beat: u32,
    /// Tempo in force, scaled.
    pub tempo_bpm: f64,
    /// Meter in force.
    pub meter: (u8, u32),
}

/// The harmony of what is played now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HarmonySnapshot {
    /// Symbol of the chord (`Am7/G`), if what sounds makes one.
    pub chord: Option<String>,
    /// The share of tones that fit into it, 0 to 1.
    pub chord_confidence: f32,
    /// Name of the key (`C major`), as far as it can be told from the last seconds.
    pub key: Option<String>,
    /// How clear the key is, 0 to 1.
    pub key_confidence: f32,
}

/// The part that repeats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoopSnapshot {
    /// First moment inside.
    pub from_seconds: f64,
    /// First moment outside.
    pub to_seconds: f64,
}

/// The audio device and what comes out of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputSnapshot {
    /// `jack`, `alsa`, `pulse` or `null`.
    pub backend: String,
    /// Name of the device.
    pub device: String,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Frames in one callback.
    pub period_frames: u32,
    /// From the synthesiser to the device's output, as far as it is known.
    pub latency_frames: u32,
    /// Part of the period that the callback needs, 0 to 1.
    pub dsp_load: f32,
    /// Periods that came too late.
    pub xruns: u64,
    /// Page faults of the threads that call the engine, each since its first callback began, as they were at most
    /// a second ago; None where the system does not tell.
    pub page_faults: Option<u64>,
    /// Highest sample of each channel since the last snapshot.
    pub peak_dbfs: Vec<f32>,
    /// Power of each channel.
    pub rms_dbfs: Vec<f32>,
}

/// The synthesiser.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SynthSnapshot {
    /// The SoundFonts in use, the top one first.
    pub sound_fonts: Vec<String>,
    /// The part of the needed samples that has been loaded, 0 to 1, if that takes over a second.
    pub loading: Option<f64>,
    /// Voices that sound.
    pub voices: u32,
    /// Voices that can sound.
    pub polyphony: u32,
    /// Voices cut short for new ones.
    pub stolen_voices: u64,
    /// Program changes to sounds that were not there (yet).
    pub missing_programs: u64,
}

/// What was lost since the session began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// Events for which there was no room.
    pub dropped_events: u64,
    /// Notes that the transposition moved beyond keys 0 to 127.
    pub notes_off_the_keyboard: u64,
    /// Times a streamed song had to wait for its file.
    pub starvations: u64,
    /// Nodes muted for sending what is no sound.
    pub guard_trips: u64,
    /// Frames for which a plugin was muted because it had to be activated anew.
    pub plugin_muted_frames: u64,
}

/// What happened, in the order it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEvent {
    /// Something to tell the user.
    Message(Message),
    /// A song has begun to sound.
    SongStarted(SongSnapshot),
    /// The states of all plugins, as [`Command::SavePlugins`](crate::Command::SavePlugins) asked for them.
    PluginsSaved {
        /// The one of the command.
        ticket: u64,
        /// In their order.
        plugins: Vec<SavedPlugin>,
    },
    /// Controllers have moved parameters of a plugin.
    ParametersMoved {
        /// Its slot.
        slot: u32,
        /// Symbols and values.
        parameters: Vec<(String, f64)>,
    },
    /// A plugin has understood a value that it was given as it shows it, or out of its range; one that it refuses is told.
    ParameterUnderstood {
        /// Its slot.
        slot: u32,
        /// The parameter's symbol.
        symbol: String,
        /// The value, as the plugin counts.
        value: f64,
    },
    /// A plugin has said that its state is another one by its own doing.
    PluginChanged {
        /// Its slot.
        slot: u32,
    },
    /// The last song has been played; tails have died away.
    PlaylistEnded,
    /// Nothing more will happen: the session cannot go on or was told to quit.
    Closed,
}

/// Something to tell the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is wrong.
    Info,
    /// It goes on, with a loss.
    Warning,
    /// A song or a sound could not be read: it is left out.
    UnreadableInput,
    /// It cannot go on.
    Failure,
}

/// What [`dbfs`] gives for silence.
pub const SILENCE_DBFS: f32 = -120.0;

/// A linear amplitude in decibels relative to full scale, never below [`SILENCE_DBFS`].
pub fn dbfs(amplitude: f32) -> f32 {
    (20.0 * amplitude.log10()).max(SILENCE_DBFS)
}
