//! What a session gives back when memory is short: presets that have been played and are not needed now. Whoever
//! wants them again has them loaded again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use kmidi_device::MidiPort;
use kmidi_memory::{Budgets, Domain, Reclaimer};
use kmidi_soundfont::{KeySet, PresetKey};

use super::Conductor;
use crate::snapshot::Severity;

/// Asked before others: what is freed here is seldom missed.
const PRIORITY: u8 = 0;
/// Longer than that no voice holds on to a preset that is gone.
const GIVING_BACK: Duration = Duration::from_secs(10);

/// Whether presets are to be dropped.
pub(super) struct Relief {
    wanted: Arc<AtomicBool>,
    /// Since when the engine may be giving presets back.
    since: Option<Instant>,
    _reclaimer: Reclaimer,
}

impl Relief {
    pub fn new(budgets: &Budgets) -> Self {
        let wanted = Arc::new(AtomicBool::new(false));
        let asked = wanted.clone();
        // What is freed is known only when the engine has given it back.
        let reclaimer = budgets.on_shortage(PRIORITY, "presets that no song needs", move |_| {
            asked.store(true, Relaxed);
            0
        });
        Relief { wanted, since: None, _reclaimer: reclaimer }
    }
}

impl Conductor {
    /// A song has begun: presets of those before it are dropped before they take the room of those to come.
    pub(super) fn look_at_room(&self) {
        let status = self.config.budgets.status(Some(Domain::Working));
        if status.live_bytes > status.limit_bytes / 2 {
            self.relief.wanted.store(true, Relaxed);
        }
    }

    /// Frees the samples of presets that have been dropped, as soon as no voice plays them any more.
    pub(super) fn free_samples(&mut self) {
        let (Some(since), Some(bank)) = (self.relief.since, &self.stack.bank) else { return };
        bank.free_unused();
        if since.elapsed() > GIVING_BACK {
            self.relief.since = None;
        }
    }

    /// Drops what neither this song nor the next one needs, if that is wanted and nothing is on its way.
    pub(super) fn drop_unneeded(&mut self) {
        // Until the engine has begun a song, it may still play notes of the one before.
        let Some(part) = self.current.as_ref().filter(|part| part.seeking.is_none()) else { return };
        let number = part.number;
        let is_calm = self.swap.is_none()
            && self.wanted.is_none()
            && self.to_install.is_empty()
            && self.stack.is_settled();
        if !is_calm || !self.relief.wanted.swap(false, Relaxed) {
            return;
        }
        // A live player may want any of them in the next moment.
        if self.config.audio.midi_in != MidiPort::Off {
            return;
        }
        let songs = [Some(number), self.after(number)].into_iter().flatten();
        let needed: Vec<(PresetKey, KeySet)> = songs.filter_map(|n| self.needed_by(n)).flatten().collect();
        let dropped = self.stack.shelf.keep(|key| needed.iter().any(|(other, _)| *other == key));
        if dropped.is_empty() {
            return;
        }
        self.tell(Severity::Info, format!("{} presets of songs before were dropped", dropped.len()));
        // Silence takes their places.
        self.to_install = dropped;
        self.wake_synth = true;
        self.relief.since = Some(Instant::now());
    }
}
