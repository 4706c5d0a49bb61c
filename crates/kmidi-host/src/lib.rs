//! Plugins of others: found, loaded and adapted to [`Processor`](kmidi_core::Processor). CLAP, VST3 and LV2 behind one face.
//!
//! A [`Plugin`] lives on the thread that made it (its *main thread*) and is inactive. [`Plugin::activate`] makes an
//! [`ActivePlugin`] of it and gives its audio half, a `Box<dyn Processor>`, for side A. When that has come home and has
//! been dropped, [`ActivePlugin::deactivate`] gives the inactive plugin back.
//!
//! All of it is side B except the audio half.
#![deny(clippy::undocumented_unsafe_blocks)]
#![warn(missing_docs)]

mod activation;
mod clap;
mod description;
mod error;
mod id;
pub mod lv2;
mod parameter;
mod plugin;
mod role;
mod state;
mod told;
mod vst3;

pub use activation::Activation;
pub use description::{AudioPort, Description, EventPort, Kind, PortRole};
pub use error::{ActivateError, LoadError, StateError};
pub use id::{Format, ParseIdError, PluginId};
pub use parameter::Parameter;
pub use plugin::{ActivePlugin, Plugin, Preset, StillLent};
pub use state::State;
pub use told::{Tellings, Told};

use std::path::Path;

/// All plugins in a file (`.clap`, `.vst3`) or bundle folder (`.vst3`, `.lv2`), each asked what it is.
///
/// Runs foreign code that may crash, hang or exit: in a child process only.
///
/// # Errors
/// [`LoadError`].
pub fn describe(format: Format, path: &Path) -> Result<Vec<Description>, LoadError> {
    match format {
        Format::Clap => clap::describe(path),
        Format::Vst3 => vst3::describe(path),
        Format::Lv2 => lv2::describe(path),
    }
}
