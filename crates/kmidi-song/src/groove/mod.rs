//! Groove: how notes lie against the beat, and how loud they are there.
//!
//! - [`humanize()`] moves the notes of a part as chance or a drummer would ([`Humanize`]; [`styles()`] and [`presets()`] have
//!   settings); [`change_song`] does it to a song, [`change_file`] from a file to a file in bounded memory.
//! - [`extract()`] learns a [`Groove`] from a song; [`Groove::to_json`] and [`Groove::from_json`] keep it; [`templates()`] are those of
//!   nine genres; [`Change::Apply`] lays one over other notes.
//! - What the program's commands do: [`humanize_file`], [`apply_file`], [`extract_file`], [`catalogue`].
//!
//! Whatever is asked for, these hold: notes are moved in absolute ticks, so nothing drifts and the piece stays as long as it
//! is; a note-off moves with its note-on and follows it; no note is moved past another one of its key or into it, nor across
//! a program change of its channel, nor before the first tick; every other event stays where it is, byte for byte; and the same
//! seed gives the same bytes.

mod apply;
mod catalogue;
mod changes;
mod drum;
mod error;
mod extract;
mod file;
mod flow;
mod humanize;
mod law;
mod pairs;
mod player;
mod pockets;
mod profile;
mod pulse;
mod report;
mod rewrite;
mod settings;
mod styles;
mod templates;
mod writer;

pub use apply::ApplyOptions;
pub use catalogue::{AlgorithmInfo, Catalogue, GenreInfo, catalogue};
pub use changes::Changes;
pub use drum::{DRUM_CHANNEL, Drum};
pub use error::GrooveError;
pub use extract::{ExtractOptions, extract, extract_file};
pub use file::MAX_GROOVE_BYTES;
pub use humanize::humanize;
pub use pairs::{NoteEvents, notes, track_notes};
pub use pockets::{NamedPocket, Pocket, pocket, pockets};
pub use profile::{ACCENT_ABOVE, ChannelGroove, GHOST_BELOW, Groove, SLOTS_PER_WHOLE, Slot, Statistics};
pub use pulse::Pulse;
pub use report::{
    ApplyReport, Drift, ExtractReport, HumanizeChoice, HumanizeReport, apply_file, drift, extract_report,
    humanize_file,
};
pub use rewrite::{Change, change_file, change_song};
pub use settings::{Algorithm, Channels, Feel, Humanize, Looseness, complexity_of, vulnerability_of};
pub use styles::{Preset, Style, preset_named, presets, style, styles};
pub use templates::{Template, template, templates};
