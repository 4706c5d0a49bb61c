//! A stack of SoundFonts, and what has been loaded from it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use basedrop::{Handle, Shared};
use crossbeam_channel::Sender;
use kmidi_soundfont::{KeySet, Preset, PresetKey};

use super::Note;
use crate::pool::{Pool, Priority};
use crate::presets::{self, Batch};
use crate::shelf::Shelf;
use crate::sound_bank::SoundBank;
use crate::sound_fonts::SoundFontChoice;

/// Loading that takes no longer is not worth a word.
const WORTH_TELLING: Duration = Duration::from_secs(1);

pub(super) struct Stack {
    /// Tells what belongs to this stack from what belongs to others.
    pub generation: u32,
    /// The last on top.
    pub choices: Vec<SoundFontChoice>,
    /// There, once it has been opened.
    pub bank: Option<Arc<SoundBank>>,
    pub shelf: Shelf,
    /// To be told when it comes into use.
    pub complaints: Vec<String>,
    opening: bool,
    /// Not yet given to the pool, the urgent ones first.
    waiting: Vec<(Priority, PresetKey, KeySet)>,
    /// Given to the pool, and not yet loaded.
    loading: usize,
    batch: Batch,
    /// When all that is not yet there began to be loaded.
    since: Instant,
}

impl Stack {
    pub fn new(generation: u32, choices: Vec<SoundFontChoice>) -> Self {
        Stack {
            generation,
            choices,
            bank: None,
            shelf: Shelf::default(),
            complaints: vec![],
            opening: false,
            waiting: vec![],
            loading: 0,
            batch: Batch::default(),
            since: Instant::now(),
        }
    }

    /// Its SoundFonts, the top one first.
    pub fn name(&self) -> String {
        let names: Vec<_> = self.choices.iter().rev().map(ToString::to_string).collect();
        names.join(" over ")
    }

    /// Nobody waits for it any more.
    pub fn cancel(&self) {
        self.batch.cancel.cancel();
    }

    /// It has been opened, and `asked` is what it is needed for.
    pub fn opened(&mut self, bank: Arc<SoundBank>, asked: &[(PresetKey, KeySet)]) {
        self.bank = Some(bank);
        self.shelf = Shelf::default();
        self.ask(asked, Priority::Urgent);
    }

    /// Takes note that presets are needed. Before it has been opened, nothing is loaded for it.
    pub fn ask(&mut self, wanted: &[(PresetKey, KeySet)], priority: Priority) {
        let missing = self.shelf.ask(wanted);
        if self.bank.is_none() {
            return;
        }
        if self.is_settled() && !missing.is_empty() {
            (self.batch.progress, self.since) = (Arc::default(), Instant::now());
        }
        self.waiting.extend(missing.into_iter().map(|(key, keys)| (priority, key, keys)));
        self.waiting.sort_by_key(|&(priority, ..)| priority);
    }

    /// Gives the pool what it has room for; the rest waits for the next time.
    pub fn pump(&mut self, pool: &Pool, notes: &Sender<Note>, handle: &Handle) {
        let generation = self.generation;
        let Some(bank) = &self.bank else {
            if !self.opening {
                let (choices, handle, notes) = (self.choices.clone(), handle.clone(), notes.clone());
                let need = SoundBank::need(&choices);
                let open = move |context| SoundBank::open(&choices, &handle, context).map(Arc::new);
                let tell = move |opened| {
                    let _ = notes.send(Note::SoundBank { generation, opened });
                };
                self.opening = pool.spawn(Priority::Urgent, need, open, tell).is_ok();
            }
            return;
        };
        let batch = &self.batch;
        let take = |&(priority, key, keys): &(Priority, PresetKey, KeySet)| {
            let notes = notes.clone();
            let tell = move |loaded| {
                let _ = notes.send(Note::Preset { generation, key, keys, loaded });
            };
            presets::load(pool, priority, bank, (key, keys), batch, tell).is_ok()
        };
        let taken = self.waiting.iter().take_while(|&load| take(load)).count();
        self.waiting.drain(..taken);
        self.loading += taken;
    }

    /// One preset has come, or there is none.
    pub fn loaded(&mut self, key: PresetKey, keys: KeySet, preset: Option<Shared<Preset>>) {
        self.loading -= 1;
        self.shelf.put(key, keys, preset);
    }

    /// Whether it is open, and all it was asked for has come.
    pub fn is_settled(&self) -> bool {
        self.bank.is_some() && self.waiting.is_empty() && self.loading == 0
    }

    /// The part of what is needed that has been loaded, 0 to 1, if it takes long.
    pub fn progress(&self) -> Option<f64> {
        (!self.is_settled() && self.since.elapsed() > WORTH_TELLING).then(|| self.batch.progress.part())
    }
}
