//! Presets on their way from the SoundFont to the synthesiser.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use basedrop::{Collector, Handle, Shared};
use crossbeam_channel::{RecvTimeoutError, bounded};
use kmidi_memory::BudgetExceeded;
use kmidi_soundfont::{KeySet, Preset, PresetKey, SoundFontError};

use crate::job::{Cancel, JobError, Need};
use crate::pool::{Pool, PoolFull, Priority};
use crate::preset_load::Load;
use crate::song::OpenSong;
use crate::sound_bank::{Found, SoundBank};

/// How often [`load_all`] tells how far it is.
const TELL: Duration = Duration::from_millis(20);

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

/// What presets that are loaded for one purpose have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// Ends all of them soon.
    pub cancel: Cancel,
    pub progress: Arc<Progress>,
}

/// How much of the samples has been loaded, in bytes of the files.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Relaxed);
    }

    pub fn done(&self, bytes: u64) {
        self.done.fetch_add(bytes, Relaxed);
    }

    /// The part that is done, 0 to 1.
    pub fn part(&self) -> f64 {
        // In this order it is never more than all.
        let done = self.done.load(Relaxed);
        done as f64 / self.total.load(Relaxed).max(done).max(1) as f64
    }
}

/// Takes what side A drops; on its heap, as side A writes there.
pub(crate) fn collector() -> Collector {
    // One that spills is as good, but for the pages that side A then meets for the first time.
    kmidi_memory::audio_heap("what the engine drops", Collector::new).unwrap_or_else(|_| Collector::new())
}

/// A preset without any sound.
pub(crate) fn silence(key: PresetKey, handle: &Handle) -> Shared<Preset> {
    let (bank, program) = (key.bank(), key.program());
    Shared::new(handle, Preset { bank, program, name: "silence".into(), zones: Box::new([]) })
}

/// What becomes of a song's notes before they sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notes {
    /// They stay.
    AsWritten,
    /// Their keys change, but for those of drums.
    Transposed,
    /// A plugin does with them what it likes.
    Changed,
}

/// What is to be loaded for a song: the keys that it plays, and whole presets where others may sound. A plugin may also play
/// other channels, which have no program then but the first.
pub(crate) fn wanted(song: &OpenSong, notes: Notes) -> Vec<(PresetKey, KeySet)> {
    let is_whole = |key: PresetKey| match notes {
        Notes::AsWritten => false,
        Notes::Transposed => !key.is_drum(),
        Notes::Changed => true,
    };
    let keys = |&(key, keys): &(PresetKey, KeySet)| (key, if is_whole(key) { KeySet::ALL } else { keys });
    let mut wanted: Vec<(PresetKey, KeySet)> = song.presets.iter().map(keys).collect();
    if notes == Notes::Changed {
        let first = [PresetKey::melodic(0, 0), PresetKey::drum(0)];
        let missing = first.into_iter().filter(|key| !song.presets.iter().any(|(it, _)| it == key));
        wanted.extend(missing.map(|key| (key, KeySet::ALL)));
    }
    wanted
}

/// Starts loading one preset, its samples side by side on all workers; `deliver` is called on one.
///
/// # Errors
/// [`PoolFull`]; `deliver` is not called then.
pub(crate) fn load(
    pool: &Pool,
    priority: Priority,
    bank: &Arc<SoundBank>,
    (key, keys): (PresetKey, KeySet),
    batch: &Batch,
    deliver: impl FnOnce(Loaded) + Send + 'static,
) -> Result<(), PoolFull> {
    let (bank, batch, queues) = (bank.clone(), batch.clone(), pool.queues().clone());
    let (planned, seen) = (bank.clone(), batch.cancel.clone());
    pool.spawn(
        priority,
        Need::working(0, "a preset"),
        move |_| if seen.is_cancelled() { Ok(None) } else { planned.plan(key, &keys) },
        move |plan| match plan.map_err(PresetError::from).and_then(|plan| plan.map_err(PresetError::from)) {
            Ok(Some(plan)) => Load::begin(bank, plan, priority, batch, &queues, Box::new(deliver)),
            Ok(None) => deliver(Ok(None)),
            Err(error) => deliver(Err(error)),
        },
    )
    .map(|_| ())
}

/// The presets a song needs, as far as they could be loaded, and what to tell of the rest.
#[derive(Default)]
pub(crate) struct LoadedSet {
    pub presets: Vec<(PresetKey, Shared<Preset>)>,
    pub complaints: Vec<String>,
    /// The first one for which there was no room.
    pub refused: Option<BudgetExceeded>,
}

/// Loads all of `wanted`, several at a time, and waits for them; tells the part that is done, 0 to 1,
/// now and then. Once `cancel` asks for it, the rest is left out.
pub(crate) fn load_all(
    pool: &Pool,
    bank: &Arc<SoundBank>,
    wanted: &[(PresetKey, KeySet)],
    cancel: &Cancel,
    mut tell: impl FnMut(f64),
) -> LoadedSet {
    let mut set = LoadedSet::default();
    let batch = Batch { cancel: cancel.clone(), ..Batch::default() };
    let (results, received) = bounded(wanted.len());
    let mut waiting = wanted.iter().copied().peekable();
    for _ in wanted {
        let (key, loaded) = loop {
            // As many as the pool takes; there is room again when one is done.
            while let Some(&(key, keys)) = waiting.peek() {
                let results = results.clone();
                let deliver = move |loaded| {
                    let _ = results.send((key, loaded));
                };
                if load(pool, Priority::Urgent, bank, (key, keys), &batch, deliver).is_err() {
                    break;
                }
                waiting.next();
            }
            match received.recv_timeout(TELL) {
                Ok(result) => break result,
                Err(RecvTimeoutError::Timeout) => tell(batch.progress.part()),
                Err(RecvTimeoutError::Disconnected) => unreachable!("`results` is ours"),
            }
        };
        set.complaints.extend(complaint(key, &loaded));
        match loaded {
            Ok(Some(found)) => set.presets.push((key, found.preset)),
            Err(PresetError::Job(JobError::OverBudget(exceeded))) => {
                set.refused.get_or_insert(exceeded);
            }
            Ok(None) | Err(_) => {}
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
pub(crate) fn describe(key: PresetKey) -> String {
    let program = u16::from(key.program()) + 1;
    match key.bank() {
        _ if key.is_drum() => format!("drum kit {program}"),
        0 => format!("program {program}"),
        bank => format!("program {program} in bank {bank}"),
    }
}
