//! The presets that have been loaded, those on their way, and those that are nowhere to be had.

use std::collections::HashMap;

use basedrop::Shared;
use kmidi_soundfont::{KeySet, Preset, PresetKey};

/// One preset.
#[derive(Default)]
struct Place {
    preset: Option<Shared<Preset>>,
    /// What `preset` holds, or what is known not to be there.
    settled: KeySet,
    /// What has been asked for, `settled` included.
    asked: KeySet,
}

/// All presets of one SoundFont that a session has asked for.
#[derive(Default)]
pub(crate) struct Shelf {
    places: HashMap<PresetKey, Place>,
}

impl Shelf {
    /// Takes note that these are needed; returns what has to be loaded for it, which is then
    /// expected to be [put](Shelf::put) here.
    pub fn ask(&mut self, wanted: &[(PresetKey, KeySet)]) -> Vec<(PresetKey, KeySet)> {
        let missing = wanted.iter().filter_map(|(key, keys)| {
            let place = self.places.entry(*key).or_default();
            if place.asked.has_all(keys) {
                return None;
            }
            // What is there already is loaded again with the rest: its samples are shared.
            place.asked = place.asked.union(keys);
            Some((*key, place.asked))
        });
        missing.collect()
    }

    /// Puts what was loaded for `keys` here, or notes that there is nothing.
    pub fn put(&mut self, key: PresetKey, keys: KeySet, preset: Option<Shared<Preset>>) {
        let place = self.places.entry(key).or_default();
        // A smaller load that comes in late must not replace a larger one.
        if keys.has_all(&place.settled) {
            place.settled = keys;
            place.preset = preset;
        }
    }

    /// Forgets all presets but those that are `wanted`; returns which those were.
    pub fn keep(&mut self, wanted: impl Fn(PresetKey) -> bool) -> Vec<PresetKey> {
        let dropped: Vec<_> = self.places.keys().copied().filter(|&key| !wanted(key)).collect();
        self.places.retain(|&key, _| wanted(key));
        dropped
    }

    /// Whether all these are here, or known not to be.
    pub fn has(&self, wanted: &[(PresetKey, KeySet)]) -> bool {
        wanted.iter().all(|(key, keys)| self.places.get(key).is_some_and(|place| place.settled.has_all(keys)))
    }

    /// What is here.
    pub fn presets(&self) -> impl Iterator<Item = (PresetKey, &Shared<Preset>)> {
        self.places.iter().filter_map(|(key, place)| Some((*key, place.preset.as_ref()?)))
    }

    /// What is here for `key`.
    pub fn preset(&self, key: PresetKey) -> Option<&Shared<Preset>> {
        self.places.get(&key)?.preset.as_ref()
    }

    /// Everything that has been asked for.
    pub fn asked(&self) -> Vec<(PresetKey, KeySet)> {
        self.places.iter().map(|(key, place)| (*key, place.asked)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[u8]) -> KeySet {
        keys.iter().copied().collect()
    }

    #[test]
    fn what_is_asked_twice_is_loaded_once_and_more_keys_are_loaded_with_the_first() {
        let piano = PresetKey::melodic(0, 0);
        let mut shelf = Shelf::default();
        assert_eq!(shelf.ask(&[(piano, keys(&[60]))]), [(piano, keys(&[60]))]);
        assert_eq!(shelf.ask(&[(piano, keys(&[60]))]), []);
        assert!(!shelf.has(&[(piano, keys(&[60]))]));
        shelf.put(piano, keys(&[60]), None);
        assert!(shelf.has(&[(piano, keys(&[60]))]));
        assert_eq!(shelf.ask(&[(piano, keys(&[61]))]), [(piano, keys(&[60, 61]))]);
        assert!(shelf.has(&[(piano, keys(&[60]))]) && !shelf.has(&[(piano, keys(&[61]))]));
    }

    #[test]
    fn a_smaller_load_that_comes_late_does_not_replace_a_larger_one() {
        let collector = basedrop::Collector::new();
        let preset = |name: &str| {
            let preset = Preset { bank: 0, program: 0, name: name.into(), zones: Box::new([]) };
            Some(Shared::new(&collector.handle(), preset))
        };
        let piano = PresetKey::melodic(0, 0);
        let mut shelf = Shelf::default();
        shelf.put(piano, keys(&[60, 61]), preset("large"));
        shelf.put(piano, keys(&[60]), preset("small"));
        assert_eq!(shelf.presets().next().unwrap().1.name, "large");
    }
}
