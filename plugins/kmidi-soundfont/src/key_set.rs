use std::ops::RangeInclusive;

/// Some of the 128 MIDI keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySet(u128);

impl KeySet {
    /// Every key.
    pub const ALL: KeySet = KeySet(u128::MAX);

    /// Adds a key, 0 to 127.
    pub fn insert(&mut self, key: u8) {
        self.0 |= 1 << (key & 127);
    }

    /// Whether a key is in it.
    pub fn contains(&self, key: u8) -> bool {
        key < 128 && self.0 >> key & 1 == 1
    }

    /// Whether every key of `other` is in it.
    pub fn has_all(&self, other: &KeySet) -> bool {
        other.0 & !self.0 == 0
    }

    /// The keys of both.
    pub fn union(&self, other: &KeySet) -> KeySet {
        KeySet(self.0 | other.0)
    }

    /// Whether it has a key of this range.
    pub(crate) fn meets(&self, keys: &RangeInclusive<u8>) -> bool {
        keys.clone().any(|key| self.contains(key))
    }
}

impl FromIterator<u8> for KeySet {
    fn from_iter<I: IntoIterator<Item = u8>>(keys: I) -> Self {
        let mut set = KeySet::default();
        keys.into_iter().for_each(|key| set.insert(key));
        set
    }
}

/// Bit `n` is key `n`.
impl From<u128> for KeySet {
    fn from(bits: u128) -> Self {
        KeySet(bits)
    }
}
