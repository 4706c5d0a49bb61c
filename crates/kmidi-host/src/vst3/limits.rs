//! What is taken from a plugin at most. A plugin may say any number; what is beyond these is refused or left out.

/// Classes of one module.
pub const MAX_CLASSES: usize = 1024;
/// Audio buses of one direction: a plugin with more is refused, for it would look for their buffers.
pub const MAX_AUDIO_BUSES: usize = 64;
/// Channels of one bus: a plugin with more is refused.
pub const MAX_BUS_CHANNELS: usize = 64;
/// Event buses of one direction; others are left out.
pub const MAX_EVENT_BUSES: usize = 16;
/// Parameters; others are left out.
pub const MAX_PARAMETERS: usize = 16_384;
/// Named values of one parameter.
pub const MAX_CHOICES: usize = 64;
/// Units (groups of parameters).
pub const MAX_UNITS: usize = 4096;
/// Levels of units that a group's name shows.
pub const MAX_UNIT_DEPTH: usize = 16;
/// Program lists.
pub const MAX_PROGRAM_LISTS: usize = 256;
/// Programs of all lists together, and preset files.
pub const MAX_PRESETS: usize = 4096;
/// Bytes of a state.
pub const MAX_STATE_BYTES: usize = 1 << 28;
/// Attributes of a message.
pub const MAX_ATTRIBUTES: usize = 1024;
/// Bytes of a name of an attribute or message.
pub const MAX_NAME_BYTES: usize = 1024;
/// Bytes of one attribute's value.
pub const MAX_ATTRIBUTE_BYTES: usize = 1 << 26;

/// Parameters that can change in one quantum, in each direction.
pub const PARAMETER_QUEUES: usize = 256;
/// Changes of one parameter in one quantum; of more the last is kept.
pub const QUEUE_POINTS: usize = 32;
/// Events that a plugin can send in one quantum.
pub const OUTPUT_EVENTS: usize = 2048;
/// Bytes of the SysEx messages that a plugin can send in one quantum.
pub const OUTPUT_SYSEX_BYTES: usize = 1 << 15;

/// Folders inside folders that are looked into for presets.
pub const MAX_FOLDER_DEPTH: usize = 6;
/// Entries of the folder that a module is in that are looked at.
pub const MAX_FOLDER_ENTRIES: usize = 65_536;
