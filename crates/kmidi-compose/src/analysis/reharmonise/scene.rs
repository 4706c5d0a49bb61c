use kmidi_song::Random;

use super::moves::Move;
use super::{Change, Reharm, Style, Variant};
use crate::analysis::progression::{MAX_CHORDS, Progression};
use crate::analysis::sonority::Sonority;
use crate::theory::{Chord, Key, PitchClass, PitchClassSet};

/// Most chords in a bar that grows.
const MOST_IN_BAR: usize = 3;

/// A chord while it is worked on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub chord: Chord,
    /// Whether a structural move made it: such a chord is only coloured further.
    pub made: bool,
    /// Whether a move leads to it: it keeps its root, or that one would lead nowhere.
    pub aimed_at: bool,
}

/// A progression while it is worked on.
pub(super) struct Scene<'a> {
    pub key: Key,
    bars: Vec<Vec<Cell>>,
    original: &'a Progression,
    style: Style,
    melody: Option<&'a [PitchClassSet]>,
    changes: Vec<Change>,
}

/// A chord with its neighbours, as a move sees it.
#[derive(Clone, Copy)]
pub(super) struct Here {
    pub key: Key,
    pub chord: Chord,
    pub sonority: Sonority,
    /// Semitones of its root above the tonic.
    pub degree: u8,
    pub before: Option<Chord>,
    /// The next chord; of the last, the first, as in a loop.
    pub next: Chord,
    /// The first or last chord of all, where that is the tonic: it keeps its root, its third and its place.
    pub anchored: bool,
    /// Whether it is the last of all.
    pub last: bool,
    pub made: bool,
}

impl<'a> Scene<'a> {
    pub fn new(original: &'a Progression, key: Key, how: Reharm<'a>) -> Self {
        let cells = |bar: &Vec<Chord>| {
            bar.iter().map(|&chord| Cell { chord, made: false, aimed_at: false }).collect()
        };
        Self {
            key,
            bars: original.bars().iter().map(cells).collect(),
            original,
            style: how.style,
            melody: how.melody,
            changes: vec![],
        }
    }

    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Does a move to one of the chords of a bar, if it can be done there.
    pub fn apply(&mut self, chosen: Move, bar: usize, random: &mut Random) -> bool {
        let first = random.below(self.bars[bar].len() as u32) as usize;
        (0..self.bars[bar].len())
            .any(|turn| self.try_at(chosen, bar, (first + turn) % self.bars[bar].len(), random))
    }

    fn try_at(&mut self, chosen: Move, bar: usize, place: usize, random: &mut Random) -> bool {
        let here = self.here(bar, place);
        if here.made && chosen.is_structural() {
            return false;
        }
        let Some(edit) = chosen.propose(&here, random) else { return false };
        let grown = edit.chords.len() - 1;
        let count: usize = self.bars.iter().map(Vec::len).sum();
        if (grown > 0 && self.bars[bar].len() + grown > MOST_IN_BAR) || count + grown > MAX_CHORDS {
            return false;
        }
        if edit.chords == [here.chord] || !self.keeps_anchor(&here, &edit.chords) {
            return false;
        }
        let aimed_at = self.bars[bar][place].aimed_at;
        if aimed_at && edit.chords[0].root() != here.chord.root() {
            return false;
        }
        if !edit.chords.iter().all(|chord| self.suits_melody(chord, bar)) {
            return false;
        }
        let text: Vec<String> = edit.chords.iter().map(ToString::to_string).collect();
        self.changes.push(Change {
            bar: bar as u32 + 1,
            from: here.chord.to_string(),
            to: text.join(" "),
            what: chosen.name(),
            because: edit.because,
        });
        let made = here.made || chosen.is_structural();
        let count = edit.chords.len();
        let cell = |(at, chord)| Cell { chord, made, aimed_at: aimed_at && at == 0 };
        self.bars[bar].splice(place..=place, edit.chords.into_iter().enumerate().map(cell));
        if chosen.leads_on() {
            self.aim_behind(bar, place + count);
        }
        true
    }

    /// Marks the chord at a place, or the next one behind the end of its bar; behind the last, the first.
    fn aim_behind(&mut self, bar: usize, place: usize) {
        let bars = self.bars.len();
        let mut after = (bar + 1..=bar + bars).map(|bar| (bar % bars, 0));
        let here = Some((bar, place)).filter(|_| place < self.bars[bar].len());
        let next = here.or_else(|| after.find(|(bar, _)| !self.bars[*bar].is_empty()));
        if let Some((bar, place)) = next {
            self.bars[bar][place].aimed_at = true;
        }
    }

    fn here(&self, bar: usize, place: usize) -> Here {
        let all: Vec<Chord> = self.bars.iter().flatten().map(|cell| cell.chord).collect();
        let at = self.bars[..bar].iter().map(Vec::len).sum::<usize>() + place;
        let cell = self.bars[bar][place];
        let sonority = Sonority::chord(&cell.chord, 1.0);
        let degree = self.key.tonic.pitch_class().up_to(cell.chord.root().pitch_class());
        let edge = at == 0 || at + 1 == all.len();
        Here {
            key: self.key,
            chord: cell.chord,
            sonority,
            degree,
            before: at.checked_sub(1).map(|before| all[before]),
            next: all[(at + 1) % all.len()],
            anchored: edge && degree == 0 && self.style != Style::Experimental,
            last: at + 1 == all.len(),
            made: cell.made,
        }
    }

    /// The first chord stays at the beginning and the last at the end, on the same root and with the same third.
    fn keeps_anchor(&self, here: &Here, chords: &[Chord]) -> bool {
        if !here.anchored {
            return true;
        }
        let edge = if here.last { chords.last() } else { chords.first() };
        let keeps = |chord: &Chord| {
            let new = Sonority::chord(chord, 1.0);
            new.root == here.sonority.root
                && new.minor_third == here.sonority.minor_third
                && new.bass == here.sonority.bass
        };
        // A piece of one chord has both ends in it.
        edge.is_some_and(keeps) && (here.before.is_some() || chords.first().is_some_and(keeps))
    }

    fn suits_melody(&self, chord: &Chord, bar: usize) -> bool {
        let Some(tones) = self.melody.and_then(|bars| bars.get(bar)) else { return true };
        let old = self.original.bars()[bar]
            .iter()
            .map(|chord| Sonority::chord(chord, 1.0).tones)
            .fold(0, |all, it| all | it);
        let new = Sonority::chord(chord, 1.0).tones;
        tones.iter().all(|tone| !clashes(new, tone) || clashes(old, tone))
    }

    pub fn into_variant(self) -> Variant {
        let bars = self.bars.iter().map(|bar| bar.iter().map(|cell| cell.chord).collect()).collect();
        let progression = Progression::new(bars).unwrap_or_else(|| self.original.clone());
        Variant { progression, key: self.key, changes: self.changes }
    }
}

/// Whether a chord has the tone a semitone below a melody's tone, and not that tone itself: a minor ninth.
pub(super) fn clashes(tones: u16, melody: PitchClass) -> bool {
    let class = melody.number();
    tones & (1 << class) == 0 && tones & (1 << ((class + 11) % 12)) != 0
}
