use std::io;

/// Why a SoundFont or one of its presets cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SoundFontError {
    /// The file cannot be read, or became shorter since it was opened. Presets loaded before stay whole.
    #[error("cannot read the SoundFont: {0}")]
    Io(#[from] io::Error),
    /// Some other file, or an empty one. Choose another.
    #[error("this is no SoundFont: no `RIFF sfbk` header in {length} bytes")]
    NotASoundFont {
        /// Of the file, in bytes.
        length: u64,
    },
    /// The file ends before its presets. Get it again.
    #[error("the SoundFont is cut off: it has {length} bytes, and needs {needed} or more")]
    Truncated {
        /// Of the file, in bytes.
        length: u64,
        /// What its headers say, in bytes.
        needed: u64,
    },
    /// A part without which nothing can sound is not there. Get the file again.
    #[error("the SoundFont has no `{0}` chunk")]
    MissingChunk(&'static str),
    /// It lists no preset that MIDI could select. Choose another.
    #[error("the SoundFont has no presets")]
    NoPresets,
    /// It has no such preset. [`SoundFont::presets`](crate::SoundFont::presets) lists those it has.
    #[error("the SoundFont has no preset {program} in bank {bank}")]
    NoPreset {
        /// Bank asked for.
        bank: u16,
        /// Program asked for.
        program: u8,
    },
    /// Nothing of the preset can sound: every zone is damaged.
    #[error("preset `{name}` has nothing that can sound")]
    SilentPreset {
        /// Of the preset.
        name: String,
    },
    /// The preset's samples do not fit into memory. Allow more, or ask for fewer keys.
    #[error("preset `{name}` needs {needed_bytes} bytes of samples or more; {free_bytes} are free")]
    TooLarge {
        /// Of the preset.
        name: String,
        /// What its samples that were not loaded yet need, at the least.
        needed_bytes: u64,
        /// What was left of the limit.
        free_bytes: u64,
    },
}
