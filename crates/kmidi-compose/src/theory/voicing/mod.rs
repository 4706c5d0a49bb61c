//! Chords as keys: voicings, what it costs to go from one to the next, and the search for the least.
use std::fmt;
use std::ops::Deref;

use arrayvec::ArrayVec;

mod cost;
mod search;
#[cfg(test)]
mod tests;

pub use cost::{Cost, shape_cost, unresolved, voice_leading_cost};

use super::{Chord, PitchClass, Spelling};

/// The keys of a chord, low to high, at most [`Voicing::MOST`]. `[side A]`
///
/// ```
/// use kmidi_compose::theory::Voicing;
/// let voicing: Voicing = [48, 52, 55, 60].into_iter().collect();
/// assert_eq!(voicing.top(), Some(60));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voicing(ArrayVec<u8, { Voicing::MOST }>);

impl Voicing {
    /// Most voices.
    pub const MOST: usize = 8;

    /// Its keys, low to high.
    pub fn keys(&self) -> &[u8] {
        &self.0
    }

    /// Its lowest key.
    pub fn bass(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Its highest key.
    pub fn top(&self) -> Option<u8> {
        self.0.last().copied()
    }
}

impl Voicing {
    /// Its keys as names with octaves, low to high (middle C, key 60, is C4).
    ///
    /// ```
    /// use kmidi_compose::theory::{Key, Voicing};
    /// let voicing: Voicing = [39, 58, 63, 67].into_iter().collect();
    /// assert_eq!(voicing.names("Eb".parse::<Key>()?), "Eb2 Bb3 Eb4 G4");
    /// # Ok::<(), kmidi_compose::theory::KeyError>(())
    /// ```
    pub fn names(&self, spelling: impl Into<Spelling>) -> String {
        let spelling = spelling.into();
        let named = self.0.iter().map(|key| {
            let name = PitchClass::new(i32::from(*key)).spelled(spelling);
            // Cb4 is below C4, and belongs to its octave.
            let octave = (i32::from(*key) - i32::from(name.accidental())).div_euclid(12) - 1;
            format!("{name}{octave}")
        });
        named.collect::<Vec<_>>().join(" ")
    }
}

/// Takes the first [`Voicing::MOST`] keys and puts them in order.
impl FromIterator<u8> for Voicing {
    fn from_iter<I: IntoIterator<Item = u8>>(keys: I) -> Self {
        let mut voicing: ArrayVec<u8, { Self::MOST }> = keys.into_iter().take(Self::MOST).collect();
        voicing.sort_unstable();
        Self(voicing)
    }
}

impl Deref for Voicing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Voicing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names(Spelling::Sharps))
    }
}

/// Voices one chord after the other, each by the least cost from the one before: motion ([`voice_leading_cost`]), tones that
/// want to go somewhere ([`unresolved`]) and shape ([`shape_cost`]). It allocates nothing. `[side A]`
///
/// ```
/// use kmidi_compose::theory::{Voicer, parse_progression};
/// let mut voicer = Voicer::new(43..=79, 4);
/// for chord in parse_progression("C F G7 C").unwrap().chords() {
///     assert_eq!(voicer.next(&chord).len(), 4);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Voicer {
    /// MIDI keys that the voices may have, both included.
    pub range: std::ops::RangeInclusive<u8>,
    /// How many voices, 1 to [`Voicing::MOST`].
    pub voices: usize,
    last: Voicing,
    last_chord: Option<Chord>,
    /// Partial voicings looked at for the last chord, and whether there were more than that.
    looked_at: u32,
    cut_short: bool,
}

impl Voicer {
    /// Partial voicings that it looks at for one chord, at most: what bounds its time.
    pub const MOST_LOOKED_AT: u32 = 20_000;

    /// A voicer without a chord before. A range of less than two octaves is hard to fill; what it cannot hold is left out.
    pub fn new(range: std::ops::RangeInclusive<u8>, voices: usize) -> Self {
        let voices = voices.clamp(1, Voicing::MOST);
        Self { range, voices, last: Voicing::default(), last_chord: None, looked_at: 0, cut_short: false }
    }

    /// The voicing of this chord that costs least after the last one. The bass is the chord's; the voices above have its third and
    /// seventh, then its other tones, then doubles.
    ///
    /// Of voicings that cost the same, the lowest; the same chords give the same voicings. If no voicing fits the range, the
    /// bass alone, or nothing.
    pub fn next(&mut self, chord: &Chord) -> Voicing {
        let voices = self.voices.clamp(1, Voicing::MOST);
        let found = search::least(chord, self.range.clone(), voices, &self.last, self.last_chord);
        self.looked_at = found.looked_at;
        self.cut_short = found.cut_short;
        if !found.voicing.is_empty() {
            self.last = found.voicing.clone();
            self.last_chord = Some(*chord);
        }
        found.voicing
    }

    /// Goes on from this voicing, such as one that is sounding, whatever chord it is.
    pub fn go_on_from(&mut self, last: Voicing) {
        self.last = last;
        self.last_chord = None;
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.go_on_from(Voicing::default());
    }

    /// Partial voicings looked at for the last chord; and was the search cut short by [`Voicer::MOST_LOOKED_AT`], so that the
    /// voicing is good, but perhaps not the least?
    pub fn effort(&self) -> (u32, bool) {
        (self.looked_at, self.cut_short)
    }
}
