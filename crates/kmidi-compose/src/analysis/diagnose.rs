use std::fmt;

use serde::Serialize;

use super::cadence::{Cadence, CadenceKind, cadences};
use super::function::{ChordReading, Function, Origin, above_tonic, read};
use super::progression::Progression;
use super::sonority::Sonority;
use super::text::{as_text, key_name};
use crate::theory::{Chord, Key, diatonic_chord};

/// Confidence below which another key is worth naming.
const DOUBTFUL: f64 = 0.25;

/// What a progression is made of, and what could be done about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The progression.
    pub progression: Progression,
    /// The key that it is read in.
    #[serde(serialize_with = "as_text")]
    pub key: Key,
    /// How sure the key is, 0 to 1; 1 where it was given.
    pub confidence: f64,
    /// The key that it could be heard in as well, where that is close.
    #[serde(serialize_with = "as_text_or_null")]
    pub or_key: Option<Key>,
    /// Its chords.
    pub chords: Vec<ChordReading>,
    /// Its cadences.
    pub cadences: Vec<Cadence>,
    /// What stands out, in plain words.
    pub observations: Vec<String>,
    /// What could be done, and why.
    pub suggestions: Vec<Suggestion>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What to do.
    pub what: String,
    /// What for.
    pub because: String,
}

fn as_text_or_null<S: serde::Serializer>(key: &Option<Key>, serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => as_text(key, serializer),
        None => serializer.serialize_none(),
    }
}

impl Diagnosis {
    /// Whether a chord is not of the key.
    pub fn has_foreign_chords(&self) -> bool {
        self.chords.iter().any(|chord| !chord.origin.is_diatonic())
    }
}

/// Reads a progression: in the key that is given, or in the one that it suggests.
pub fn diagnose(progression: &Progression, key: Option<Key>) -> Diagnosis {
    let estimate = progression.key();
    let (key, confidence) = key.map_or((estimate.key, estimate.confidence), |key| (key, 1.0));
    let doubtful = confidence < DOUBTFUL;
    let or_key = estimate.alternatives.first().map(|it| it.0).filter(|_| doubtful);
    let chords: Vec<Chord> = progression.chords().copied().collect();
    let sonorities = progression.sonorities();
    let bars = progression.bars().iter().zip(1..).flat_map(|(bar, number)| bar.iter().map(move |_| number));
    let readings: Vec<ChordReading> = bars
        .enumerate()
        .map(|(at, bar)| {
            let (roman, function, origin) = read(&chords, at, key);
            ChordReading { chord: chords[at].to_string(), bar, roman, function, origin }
        })
        .collect();
    let mut diagnosis = Diagnosis {
        progression: progression.clone(),
        key,
        confidence,
        or_key,
        cadences: cadences(&sonorities, key),
        chords: readings,
        observations: vec![],
        suggestions: vec![],
    };
    Doctor { chords: &chords, sonorities: &sonorities, diagnosis: &mut diagnosis }.examine();
    diagnosis
}

struct Doctor<'a> {
    chords: &'a [Chord],
    sonorities: &'a [Sonority],
    diagnosis: &'a mut Diagnosis,
}

impl Doctor<'_> {
    fn examine(&mut self) {
        self.look_at_key();
        self.look_at_foreign_chords();
        self.look_at_leaps();
        self.look_at_ending();
        self.look_for_dominant();
        self.look_for_colour();
        self.look_for_repetition();
    }

    fn observe(&mut self, what: impl Into<String>) {
        self.diagnosis.observations.push(what.into());
    }

    fn suggest(&mut self, what: impl Into<String>, because: impl Into<String>) {
        self.diagnosis.suggestions.push(Suggestion { what: what.into(), because: because.into() });
    }

    fn tonic_chord(&self) -> Chord {
        diatonic_chord(self.diagnosis.key, 0, false)
    }

    /// The major chord on the fifth degree, with a seventh or without: also in minor.
    fn dominant_symbol(&self, seventh: bool) -> String {
        format!("{}{}", above_tonic(self.diagnosis.key, 7), if seventh { "7" } else { "" })
    }

    fn look_at_key(&mut self) {
        if let Some(other) = self.diagnosis.or_key {
            let text = format!("The key is open: it could be heard in {} as well.", key_name(other));
            self.observe(text);
        }
    }

    fn look_at_foreign_chords(&mut self) {
        let foreign: Vec<String> = self
            .diagnosis
            .chords
            .iter()
            .filter(|chord| !chord.origin.is_diatonic())
            .map(|chord| format!("{} (bar {}) is not in the key: {}.", chord.chord, chord.bar, chord.origin))
            .collect();
        self.diagnosis.observations.extend(foreign);
    }

    fn look_at_leaps(&mut self) {
        for (at, pair) in self.sonorities.windows(2).enumerate() {
            if (pair[1].root + 12 - pair[0].root) % 12 == 6 {
                let text = format!(
                    "{} to {} moves by a tritone: the farthest that a root can go.",
                    self.chords[at],
                    self.chords[at + 1]
                );
                self.observe(text);
            }
        }
    }

    fn look_at_ending(&mut self) {
        let Some(last) = self.diagnosis.chords.last() else { return };
        let tonic = self.tonic_chord();
        let (chord, function, origin) = (last.chord.clone(), last.function, last.origin.clone());
        let on_tonic = self.sonorities.last().is_some_and(|it| self.degree(it) == 0);
        if on_tonic {
            let loops = self.sonorities.len() > 1
                && self.sonorities[0].root == self.sonorities[self.sonorities.len() - 1].root;
            if !loops {
                self.observe(format!("It comes to rest on {chord}."));
            }
            return;
        }
        self.observe(match (function, origin) {
            (_, Origin::SecondaryDominant { of, .. }) => {
                format!("It ends on {chord}, the dominant of {of}: it asks to go on there.")
            }
            (Function::Dominant, _) => {
                format!("It ends on {chord}, a dominant: it asks to go on to {tonic}.")
            }
            _ => format!("It ends on {chord}, away from the tonic: the end stays open."),
        });
        self.suggest(
            format!("End on {tonic}"),
            "an ending on the tonic comes to rest; leave it open if it is a loop, or if nothing is to be resolved",
        );
    }

    fn degree(&self, chord: &Sonority) -> u8 {
        (chord.root + 12 - self.diagnosis.key.tonic.pitch_class().number()) % 12
    }

    fn look_for_dominant(&mut self) {
        let has_dominant = self.diagnosis.chords.iter().any(|chord| chord.function == Function::Dominant);
        let tonic = self.tonic_chord();
        let minor = self.diagnosis.key.is_minor();
        let strong = self.sonorities.iter().any(|it| {
            (self.degree(it) == 7 && it.minor_third == Some(false))
                || (self.degree(it) == 11 && it.is_diminished())
        });
        let dominant = self.dominant_symbol(true);
        if !has_dominant && self.chords.len() > 1 {
            self.observe("There is no dominant: nothing leads home.");
            self.suggest(
                format!("Put {dominant} before {tonic}"),
                "its third is the leading tone, a semitone below the tonic",
            );
        } else if minor && !strong && self.chords.len() > 1 {
            self.suggest(
                format!("Try {dominant} before {tonic}"),
                "the seventh degree is lowered everywhere: the raised one, a semitone below the tonic, leads home more strongly",
            );
        }
    }

    fn look_for_colour(&mut self) {
        let key = self.diagnosis.key;
        let triads = self.sonorities.iter().all(|it| it.tones.count_ones() <= 3);
        if triads {
            // One that is in the key, and stays what it is.
            let seventh = self.sonorities.iter().find_map(|it| {
                let degree = key.degree_of(crate::theory::PitchClass::new(it.root.into()))?;
                let seventh = diatonic_chord(key, degree, true);
                (it.tones & !Sonority::chord(&seventh, 1.0).tones == 0).then_some(seventh)
            });
            if let Some(seventh) = seventh {
                self.suggest(
                    format!("Add sevenths, such as {seventh}"),
                    "all chords are triads; a seventh ties each to the next, as it wants to fall by a step",
                );
            }
        }
        if !self.diagnosis.has_foreign_chords() && self.chords.len() > 2 {
            if key.is_minor() {
                let borrowed = above_tonic(key, 5);
                self.suggest(
                    format!("Brighten it with {borrowed}"),
                    format!(
                        "it is the fourth degree of the dorian mode, borrowed: all chords are in {}",
                        key_name(key)
                    ),
                );
            } else {
                let borrowed = format!("{}m", above_tonic(key, 5));
                self.suggest(
                    format!("Borrow {borrowed} from {}", key_name(key.parallel())),
                    format!("all chords are in {}: the lowered sixth degree darkens it for a moment and falls to the fifth", key_name(key)),
                );
            }
        }
    }

    fn look_for_repetition(&mut self) {
        let mut roots: Vec<u8> = self.sonorities.iter().map(|it| it.root).collect();
        let played = roots.len();
        roots.sort_unstable();
        roots.dedup();
        if played >= 4 && roots.len() <= 2 {
            self.observe("There are hardly two harmonies: all movement must come from melody and rhythm.");
        }
        if self.diagnosis.cadences.iter().any(|it| it.kind == CadenceKind::Deceptive) {
            self.observe("A dominant is answered by the sixth degree: the expected rest is put off.");
        }
        let applied =
            |chord: &ChordReading| matches!(chord.origin, Origin::SecondaryDominant { resolves: false, .. });
        let open: Vec<String> = self
            .diagnosis
            .chords
            .iter()
            .filter(|chord| applied(chord))
            .map(|chord| chord.chord.clone())
            .collect();
        for chord in open {
            self.suggest(
                format!("Let {chord} lead where it wants to, or leave the surprise"),
                "it is the dominant of a chord that does not follow",
            );
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.progression)?;
        write!(f, "  key          {} (confidence {:.2})", key_name(self.key), self.confidence)?;
        if let Some(other) = self.or_key {
            write!(f, ", or {}", key_name(other))?;
        }
        writeln!(f)?;
        writeln!(f, "  chords")?;
        for chord in &self.chords {
            writeln!(
                f,
                "    bar {:>3}  {:<10} {:<10} {:<12} {}",
                chord.bar, chord.chord, chord.roman, chord.function, chord.origin
            )?;
        }
        if !self.cadences.is_empty() {
            writeln!(f, "  cadences")?;
        }
        for cadence in &self.cadences {
            writeln!(f, "    bar {:>3}  {}", self.chords[cadence.at].bar, cadence.kind.describe())?;
        }
        if !self.observations.is_empty() {
            writeln!(f, "  observations")?;
        }
        for observation in &self.observations {
            writeln!(f, "    {observation}")?;
        }
        if !self.suggestions.is_empty() {
            writeln!(f, "  suggestions")?;
        }
        for suggestion in &self.suggestions {
            writeln!(f, "    {}: {}.", suggestion.what, suggestion.because)?;
        }
        Ok(())
    }
}
