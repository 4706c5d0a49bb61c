//! Audio streams, the null clock, offline render, audio files and MIDI ports.
//!
//! A [`DeviceManager`] opens a device and calls a [`kmidi_core::DeviceCallback`] with it; it does not
//! know what is in there. Servers die, devices are pulled out, systems hang: the manager's thread
//! watches, a null clock takes over, and the same device is taken up again when it is back.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod backends;
mod block;
mod cpal_host;
mod cpal_stream;
mod error;
mod facts;
pub mod files;
mod jack_client;
mod limited;
mod list;
mod manager;
mod midi_bridge;
mod null_clock;
mod offline;
mod request;
mod stream;
mod tap;
mod watch;

pub use error::DeviceError;
pub use facts::{MemoryLimit, RealTimeFacts, real_time_facts};
pub use kmidi_sys::Scheduling;
pub use list::{BackendInfo, DeviceInfo, list_devices};
pub use manager::{DeviceEvent, DeviceManager, DeviceStatus};
pub use offline::{Block, CallbackSizes, Offline};
pub use request::{AudioRequest, Backend, Faults, MidiPort, OnLoss, OpenDevice};
pub use stream::Engine;
