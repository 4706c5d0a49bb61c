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
pub mod certify;
mod child;
mod clap;
mod description;
mod error;
mod id;
mod known_presets;
pub mod lv2;
mod parameter;
mod plugin;
mod resident;
mod role;
pub mod scan;
mod state;
mod told;
mod vst3;
mod walk;
mod warm;

pub use self::vst3::{describe_vst3_of, load_vst3_of};
pub use activation::Activation;
pub use description::{AudioPort, Description, EventPort, Kind, PortRole};
pub use error::{ActivateError, LoadError, StateError};
pub use id::{Format, ParseIdError, PluginId};
pub use known_presets::known_presets;
pub use parameter::Parameter;
pub use plugin::{ActivePlugin, Plugin, Preset, StillLent};
pub use state::State;
pub use told::{Tellings, Told};
pub use warm::warm_up;

use std::path::Path;

/// The plugins in a file (`.clap`, `.vst3`) or bundle folder (`.vst3`, `.lv2`).
///
/// Runs foreign code that may crash, hang or exit (not for LV2): in a child process only.
///
/// # Errors
/// [`LoadError`].
pub fn contents(format: Format, path: &Path) -> Result<Vec<PluginId>, LoadError> {
    let names = match format {
        Format::Clap => clap::contents(path)?,
        Format::Vst3 => vst3::contents(path)?,
        Format::Lv2 => lv2::contents(path)?,
    };
    Ok(names.into_iter().map(|name| PluginId::new(format, name)).collect())
}
