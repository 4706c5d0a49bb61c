use serde::Serialize;

use super::sonority::Sonority;
use crate::theory::Key;

/// How a phrase comes to rest, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CadenceKind {
    /// Dominant to tonic.
    Authentic,
    /// Fourth degree to tonic.
    Plagal,
    /// Lowered seventh degree to tonic.
    Backdoor,
    /// Dominant to the sixth degree where the tonic was expected.
    Deceptive,
    /// A pause on the dominant.
    Half,
}

impl CadenceKind {
    /// In plain words.
    pub fn describe(self) -> &'static str {
        match self {
            CadenceKind::Authentic => "authentic cadence: dominant to tonic",
            CadenceKind::Plagal => "plagal cadence: fourth degree to tonic",
            CadenceKind::Backdoor => "backdoor cadence: lowered seventh degree to tonic",
            CadenceKind::Deceptive => "deceptive cadence: the dominant goes to the sixth degree",
            CadenceKind::Half => "half cadence: it stops on the dominant",
        }
    }
}

/// A cadence of a progression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cadence {
    /// Place of its last chord among the chords, from 0.
    pub at: usize,
    /// What it is.
    pub kind: CadenceKind,
}

/// The cadences of chords in a key, in order.
pub(crate) fn cadences(chords: &[Sonority], key: Key) -> Vec<Cadence> {
    let tonic = key.tonic.pitch_class().number();
    let degree = |chord: &Sonority| (chord.root + 12 - tonic) % 12;
    let mut found: Vec<Cadence> = chords
        .windows(2)
        .enumerate()
        .filter_map(|(at, pair)| {
            kind(&pair[0], degree(&pair[0]), degree(&pair[1])).map(|kind| Cadence { at: at + 1, kind })
        })
        .collect();
    let stops_on_dominant = chords.last().is_some_and(|last| degree(last) == 7 && last.is_major());
    if chords.len() > 1 && stops_on_dominant {
        found.push(Cadence { at: chords.len() - 1, kind: CadenceKind::Half });
    }
    found
}

fn kind(from: &Sonority, from_degree: u8, to_degree: u8) -> Option<CadenceKind> {
    let dominant = (from_degree == 7 && from.is_major())
        || (from_degree == 11 && from.is_diminished())
        || (from_degree == 1 && from.is_dominant_seventh());
    match to_degree {
        0 if dominant => Some(CadenceKind::Authentic),
        0 if from_degree == 5 => Some(CadenceKind::Plagal),
        0 if from_degree == 10 && from.minor_third == Some(false) => Some(CadenceKind::Backdoor),
        8 | 9 if dominant && from_degree == 7 => Some(CadenceKind::Deceptive),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Progression;

    fn kinds(chords: &str, key: &str) -> Vec<(usize, CadenceKind)> {
        let progression: Progression = chords.parse().unwrap();
        cadences(&progression.sonorities(), key.parse().unwrap())
            .into_iter()
            .map(|it| (it.at, it.kind))
            .collect()
    }

    #[test]
    fn each_kind_is_told() {
        use CadenceKind::{Authentic, Backdoor, Deceptive, Half, Plagal};
        assert_eq!(kinds("C F G7 C", "C"), [(3, Authentic)]);
        assert_eq!(kinds("C F C", "C"), [(2, Plagal)]);
        assert_eq!(kinds("C Fm7 Bb7 C", "C"), [(3, Backdoor)]);
        assert_eq!(kinds("C G Am", "C"), [(2, Deceptive)]);
        assert_eq!(kinds("Am E F", "Am"), [(2, Deceptive)]);
        assert_eq!(kinds("C F G", "C"), [(2, Half)]);
        assert_eq!(kinds("Dm7 Db7 C", "C"), [(2, Authentic)]);
        assert_eq!(kinds("C Am F", "C"), []);
    }
}
