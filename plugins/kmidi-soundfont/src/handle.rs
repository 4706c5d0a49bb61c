//! Side B's end of the synthesiser.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use basedrop::Shared;
use rtrb::{Consumer, Producer};

use crate::preset_key::PresetKey;
use crate::zone::Preset;

/// Installs that can wait: one for every preset there can be, since a synthesiser that sleeps takes
/// none before its next event.
pub(crate) const INSTALL_RING: usize = PresetKey::COUNT;
/// Requests that can wait.
pub(crate) const REQUEST_RING: usize = 256;

/// A preset on its way to side A; `None` takes it away.
pub(crate) struct Install {
    pub key: PresetKey,
    pub preset: Option<Shared<Preset>>,
}

/// A program change asked for a preset that is not installed; the channel keeps the one it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresetRequest {
    /// MIDI port.
    pub port: u8,
    /// Channel in that port.
    pub channel: u8,
    /// What it asked for.
    pub key: PresetKey,
}

/// The install ring is full; the preset comes back. Try again after the next quantum.
#[derive(thiserror::Error)]
#[error("the synthesiser has not yet taken the presets installed before")]
pub struct InstallFull(pub Shared<Preset>);

impl std::fmt::Debug for InstallFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstallFull")
    }
}

/// What the synthesiser has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SynthStatus {
    /// Voices sounding at the end of the last quantum, fading ones included.
    pub voices: u32,
    /// Frames that voices have sounded, those of all voices added up.
    pub voice_samples: u64,
    /// Voices that faded because a new one needed their place.
    pub voices_stolen: u64,
    /// Voices that were not started since no place was free.
    pub voices_refused: u64,
    /// Program changes to presets that were not installed.
    pub presets_missing: u64,
    /// Notes on channels that had no preset at all.
    pub notes_without_preset: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub voices: AtomicU32,
    pub voice_samples: AtomicU64,
    pub voices_stolen: AtomicU64,
    pub voices_refused: AtomicU64,
    pub presets_missing: AtomicU64,
    pub notes_without_preset: AtomicU64,
}

/// Gives presets to a [`Synth`](crate::Synth) and hears what it lacks. `[side B]`
pub struct SynthHandle {
    pub(crate) installs: Producer<Install>,
    pub(crate) requests: Consumer<PresetRequest>,
    pub(crate) counters: Arc<Counters>,
}

impl SynthHandle {
    /// Makes program changes to `key` find `preset`, from the next quantum on. Channels that have
    /// asked for `key`, or play what it replaces, take it at once; sounding notes are not touched. A preset that it replaces
    /// goes to its collector when the last note that uses it has ended.
    ///
    /// The key need not be the preset's own: that is how a missing variation is replaced by
    /// another sound.
    ///
    /// # Errors
    /// [`InstallFull`] gives the preset back.
    pub fn install(&mut self, key: PresetKey, preset: Shared<Preset>) -> Result<(), InstallFull> {
        let install = Install { key, preset: Some(preset) };
        self.installs.push(install).map_err(|rtrb::PushError::Full(install)| {
            InstallFull(install.preset.expect("it was put there above"))
        })
    }

    /// Takes the preset of `key` away: program changes to it ask again. Channels that have it keep
    /// it. False if the ring is full.
    pub fn remove(&mut self, key: PresetKey) -> bool {
        self.installs.push(Install { key, preset: None }).is_ok()
    }

    /// Whether the synthesiser has taken all that was installed.
    pub fn has_taken_all(&self) -> bool {
        self.installs.slots() == INSTALL_RING
    }

    /// The next thing the synthesiser lacks.
    pub fn next_request(&mut self) -> Option<PresetRequest> {
        self.requests.pop().ok()
    }

    /// What has been counted so far.
    pub fn status(&self) -> SynthStatus {
        let counters = &self.counters;
        SynthStatus {
            voices: counters.voices.load(Relaxed),
            voice_samples: counters.voice_samples.load(Relaxed),
            voices_stolen: counters.voices_stolen.load(Relaxed),
            voices_refused: counters.voices_refused.load(Relaxed),
            presets_missing: counters.presets_missing.load(Relaxed),
            notes_without_preset: counters.notes_without_preset.load(Relaxed),
        }
    }
}
