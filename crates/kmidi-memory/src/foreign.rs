//! Foreign code in this process, whose memory no budget sees: it is told, not capped.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Something that takes memory past the [`Heap`](crate::Heap).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// What it is, for people.
    pub name: String,
    /// What it is believed to hold, measured elsewhere; `None` where nobody has measured it.
    pub estimated_bytes: Option<u64>,
}

static ALL: Mutex<(u64, BTreeMap<u64, Foreign>)> = Mutex::new((0, BTreeMap::new()));

/// Tells of it as long as it is kept.
#[derive(Debug)]
#[must_use = "it is told of as long as this is kept"]
pub struct ForeignNote(u64);

/// From here on it is told. `[side B]`
pub fn note_foreign(foreign: Foreign) -> ForeignNote {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.0 += 1;
    let number = all.0;
    all.1.insert(number, foreign);
    ForeignNote(number)
}

impl Drop for ForeignNote {
    fn drop(&mut self) {
        ALL.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&self.0);
    }
}

/// All of it, the oldest first. `[side B]`
pub fn foreign() -> Vec<Foreign> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).1.values().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_as_long_as_it_is_there() {
        let of = |name: &str| Foreign { name: name.into(), estimated_bytes: Some(7) };
        let (one, other) = (note_foreign(of("one")), note_foreign(of("other")));
        assert_eq!(foreign(), [of("one"), of("other")]);
        drop(one);
        assert_eq!(foreign(), [of("other")]);
        drop(other);
        assert_eq!(foreign(), []);
    }
}
