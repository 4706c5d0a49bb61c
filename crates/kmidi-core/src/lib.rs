//! The vocabulary every other crate speaks: time, tempo map, transport, events, audio buffers,
//! [`Processor`], and the limits of it all.
//!
//! This crate depends on no other crate of the project and performs no input or output.
//! Where an item is used from one side only, its documentation says `[side A]` (inside the
//! audio callback: never allocates, frees, locks or waits) or `[side B]` (everything else).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod audio;
mod checksum;
mod device_io;
mod event;
pub mod limits;
mod musical;
mod processor;
mod smoothed;
mod sysex;
mod tempo;
mod time;
mod transport;

pub use audio::{AudioBuffer, AudioPorts, copy_finite, peak};
pub use checksum::fnv1a_64;
pub use device_io::{DeviceCallback, DeviceIo, MidiBuffer};
pub use event::{Event, EventBuffer, Full, TimedEvent};
pub use musical::{Beats, MusicalAnchor};
pub use processor::{NodeInfo, ProcessContext, ProcessStatus, Processor};
pub use smoothed::Smoothed;
pub use sysex::{SysExHandle, SysExPool};
pub use tempo::{Division, Meter, MeterChange, MeterMap, MusicalPosition, SmpteRate, Tempo, TempoMap};
pub use time::{Frames, SongTime, TempoScale, TempoScaleError, Ticks};
pub use transport::{LoopRange, Span, Transport};
