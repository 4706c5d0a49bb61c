//! The application as a library: a [`Session`] takes [`Command`]s and gives [`Snapshot`]s.
//!
//! It opens songs and SoundFonts, wires engine, synthesiser and device, and does what may take
//! time on a few worker threads. It prints nothing and reads no command line: those are the
//! business of its clients. All of it is side B.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(test)]
#[global_allocator]
static HEAP: kmidi_memory::audit::AuditedHeap = kmidi_memory::audit::AuditedHeap::new();

pub mod audio_cache;
pub mod certify;
mod chain;
mod command;
mod conductor;
pub mod doctor;
mod feed;
mod feeder;
mod fx;
mod input;
mod job;
mod listen;
mod live_rack;
mod loudness;
mod mix;
mod offline;
pub mod plugins;
mod pool;
mod preset_load;
mod presets;
mod rack;
pub mod rack_file;
mod reader;
mod recording;
mod render;
mod resample;
mod rig;
mod session;
mod shelf;
mod snapshot;
mod song;
mod song_info;
mod sound_bank;
mod sound_fonts;
mod stems;
mod tail;
mod verify;
mod watched;

pub use chain::{ChainError, LinkError, Phase, PluginChoice};
pub use command::{Command, LoopRequest, Position, PositionError};
pub use fx::{FxError, FxPlugin, FxReport, FxRequest, fx};
pub use input::{FileSource, InputError, InputKind, OverInput, STDIN, check_output};
pub use job::{Cancel, JobContext, JobError, Need};
pub use kmidi_device::files::{NotNumbers, ReadError, ReadLoss, SampleFormat};
pub use kmidi_device::{AudioRequest, Backend, BackendInfo, DeviceInfo, MidiPort, OnLoss, list_devices};
pub use kmidi_soundfont::Interpolation;
pub use listen::{Heard, Listening};
pub use live_rack::{LiveRack, LiveRackConfig, LiveRackError, ParseCommandError, RackCommand, RackEvent};
pub use loudness::Loudness;
pub use pool::{Pool, PoolFull, Priority};
pub use rack::{
    Compensation, DeviceChannels, InputRequest, MAX_PLUGINS, NoPlace, ParameterValue, ParseChannelsError,
    PluginRequest, PluginSnapshot, PluginState, RackConfig, Routing, SavedPlugin,
};
pub use recording::Recording;
pub use render::{OnProgress, RenderError, RenderProgress, RenderReport, RenderRequest, render};
pub use rig::{RigError, SoundSettings};
pub use session::{Session, SessionConfig, SessionError};
pub use snapshot::{
    HarmonySnapshot, LoopSnapshot, Losses, Message, OutputSnapshot, PlayState, PositionSnapshot,
    SILENCE_DBFS, SessionEvent, Severity, Snapshot, SongSnapshot, SynthSnapshot, dbfs,
};
pub use song::{OpenError, describe};
pub use song_info::{DivisionInfo, MeterInfo, ProgramInfo, SongInfo, TempoInfo, TrackInfo, WarningInfo};
pub use sound_bank::{BUILT_IN_SOUND_FONT, SoundBankError};
pub use sound_fonts::{BUILT_IN, SoundFontChoice, SoundFontChoiceError};
pub use stems::Stem;
pub use tail::Tail;
pub use verify::{Difference, Verification};

/// Stack of a thread, half of what is usual: it counts against a limit on the program's data, used or not.
const STACK_BYTES: usize = 1 << 20;

/// Processor time that the whole program has used so far, in seconds.
pub fn cpu_seconds() -> f64 {
    kmidi_sys::process_cpu_time().map_or(0.0, |time| time.as_secs_f64())
}
