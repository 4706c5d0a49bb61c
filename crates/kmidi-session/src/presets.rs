//! Presets on their way from the SoundFont to the synthesiser.

use std::sync::Arc;

use basedrop::Shared;
use crossbeam_channel::bounded;
use kmidi_soundfont::{KeySet, Preset, PresetKey, SoundFontError};

use crate::pool::{Cancel, JobError, Pool, Priority};
use crate::song::OpenSong;
use crate::sound_bank::{Found, SoundBank};

/// What came of loading one preset.
pub(crate) type Loaded = Result<Option<Found>, PresetError>;

/// Why a preset is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PresetError {
    #[error(transparent)]
    SoundFont(#[from] SoundFontError),
    #[error(transparent)]
    Job(#[from] JobError),
}

/// What is to be loaded for a song. Where keys may change (live notes, transposition) melodic
/// presets are wanted whole; of drum kits, which no transposition reaches, only the keys that sound.
pub(crate) fn wanted(song: &OpenSong, keys_may_change: bool) -> Vec<(PresetKey, KeySet)> {
    let whole = |key: PresetKey| keys_may_change && !key.is_drum();
    song.presets.iter().map(|&(key, keys)| (key, if whole(key) { KeySet::ALL } else { keys })).collect()
}

/// Starts loading one preset; `deliver` is called on a worker.
pub(crate) fn load(
    pool: &Pool,
    priority: Priority,
    bank: &Arc<SoundBank>,
    key: PresetKey,
    keys: KeySet,
    deliver: impl FnOnce(Loaded) + Send + 'static,
) -> Result<Cancel, crate::PoolFull> {
    let bank = bank.clone();
    pool.spawn(
        priority,
        move |_| bank.load(key, &keys),
        move |result| {
            deliver(result.map_err(PresetError::from).and_then(|found| found.map_err(PresetError::from)))
        },
    )
}

/// The presets a song needs, as far as they could be loaded, and what to tell of the rest.
#[derive(Default)]
pub(crate) struct LoadedSet {
    pub presets: Vec<(PresetKey, Shared<Preset>)>,
    pub complaints: Vec<String>,
}

/// Loads all of `wanted`, several at a time, and waits for them.
pub(crate) fn load_all(pool: &Pool, bank: &Arc<SoundBank>, wanted: &[(PresetKey, KeySet)]) -> LoadedSet {
    let mut set = LoadedSet::default();
    // No more than fit into the pool's queue at a time.
    for wanted in wanted.chunks(64) {
        let (results, received) = bounded(wanted.len());
        for &(key, keys) in wanted {
            let results = results.clone();
            let queued = load(pool, Priority::Urgent, bank, key, keys, move |loaded| {
                let _ = results.send((key, loaded));
            });
            if let Err(full) = queued {
                set.complaints.push(format!("{}: {full}", describe(key)));
            }
        }
        drop(results);
        for (key, loaded) in received {
            set.complaints.extend(complaint(key, &loaded));
            if let Ok(Some(found)) = loaded {
                set.presets.push((key, found.preset));
            }
        }
    }
    set.presets.sort_by_key(|(key, _)| *key);
    set.complaints.sort();
    set
}

/// What to tell the user of a preset that is not what the song asks for.
pub(crate) fn complaint(key: PresetKey, loaded: &Loaded) -> Option<String> {
    let name = describe(key);
    match loaded {
        Ok(Some(found)) if !found.stands_in => None,
        Ok(Some(found)) => Some(format!("the SoundFont has no {name}: \"{}\" stands in", found.preset.name)),
        Ok(None) => Some(format!("the SoundFont has no {name}, nor anything like it: its notes are silent")),
        Err(error) => Some(format!("{name} cannot be loaded, its notes are silent: {error}")),
    }
}

/// A preset in the numbers that people use.
fn describe(key: PresetKey) -> String {
    let program = u16::from(key.program()) + 1;
    match key.bank() {
        _ if key.is_drum() => format!("drum kit {program}"),
        0 => format!("program {program}"),
        bank => format!("program {program} in bank {bank}"),
    }
}
