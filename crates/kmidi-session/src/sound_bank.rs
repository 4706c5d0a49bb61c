//! The SoundFont in use, and what stands in for what it lacks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use basedrop::{Handle, Shared};
use kmidi_soundfont::{DRUM_BANK, KeySet, Preset, PresetKey, SoundFont, SoundFontError};

use crate::input::{FileSource, InputError};

/// The compact General MIDI SoundFont that is part of the program.
static BUILT_IN: &[u8] = include_bytes!("../../../assets/soundfonts/kmidi-gm.sf3");

/// Why a SoundFont cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SoundBankError {
    /// The file cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It is no SoundFont that can be used.
    #[error("{}: {source}", .path.display())]
    SoundFont {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SoundFontError,
    },
}

/// An open SoundFont; presets can be loaded by several threads at once.
pub(crate) struct SoundBank {
    font: SoundFont,
    /// The file, or the name of the built-in one.
    name: String,
}

/// What was found for a preset that a song asks for.
pub(crate) struct Found {
    pub preset: Shared<Preset>,
    /// Whether it is another one than was asked for.
    pub stands_in: bool,
}

impl SoundBank {
    /// Opens a file, or the built-in SoundFont. What is loaded is freed by the collector of `handle`.
    pub fn open(path: Option<&Path>, handle: &Handle) -> Result<Self, SoundBankError> {
        let Some(path) = path else {
            let source = SoundFont::open(Arc::new(BUILT_IN), handle);
            let font =
                source.map_err(|source| SoundBankError::SoundFont { path: "built-in".into(), source })?;
            return Ok(SoundBank { font, name: "built-in SoundFont".into() });
        };
        let source = Arc::new(FileSource::open(path)?);
        let font = SoundFont::open(source, handle)
            .map_err(|source| SoundBankError::SoundFont { path: path.to_path_buf(), source })?;
        Ok(SoundBank { font, name: path.display().to_string() })
    }

    /// The file, or the name of the built-in one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many presets it has.
    pub fn presets(&self) -> usize {
        self.font.presets().len()
    }

    /// What is wrong with the file, as far as it has been read: the first few, and how many in all.
    pub fn warnings(&self) -> (Vec<String>, usize) {
        let warnings = self.font.warnings();
        (warnings.kept().iter().map(ToString::to_string).collect(), warnings.total())
    }

    /// Loads what is to sound for `key`, as far as `keys` need it; `None` if nothing can stand in.
    ///
    /// # Errors
    /// The file cannot be read any more, or memory does not suffice.
    pub fn load(&self, key: PresetKey, keys: &KeySet) -> Result<Option<Found>, SoundFontError> {
        let Some((bank, program)) = self.stand_in(key) else { return Ok(None) };
        let preset = self.font.load_preset(bank, program, Some(keys))?;
        Ok(Some(Found { preset, stands_in: (bank, program) != (key.bank(), key.program()) }))
    }

    /// The preset itself; else a melodic one of the capital bank, or its first; for drums the standard
    /// kit; else anything there is of the kind.
    fn stand_in(&self, key: PresetKey) -> Option<(u16, u8)> {
        let tries = if key.is_drum() {
            [(DRUM_BANK, key.program()), (DRUM_BANK, 0), (DRUM_BANK, 0)]
        } else {
            [(key.bank(), key.program()), (0, key.program()), (0, 0)]
        };
        let any = || self.font.presets().iter().find(|info| (info.bank == DRUM_BANK) == key.is_drum());
        let there = tries.into_iter().find(|&(bank, program)| self.font.has_preset(bank, program));
        there.or_else(|| any().map(|info| (info.bank, info.program)))
    }
}
