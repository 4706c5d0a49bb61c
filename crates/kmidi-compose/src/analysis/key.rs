use super::grid::{Chroma, ChromaSums, Grid};
use super::sonority::Sonority;
use super::spelling;
use crate::theory::{Key, Scale};

/// How strongly listeners feel each pitch class to belong to a major key, from its tonic up (C. L. Krumhansl and
/// E. J. Kessler, "Tracing the dynamic changes in perceived tonal organization", Psychological Review 89, 1982).
pub const MAJOR_PROFILE: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
/// The same of a minor key.
pub const MINOR_PROFILE: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// What harmony says beside the profiles, on the scale of their correlation. Profiles alone do not know where music
/// begins, where it comes to rest, and what leads there: a loop of `Am F C G` has most weight on C.
mod weight {
    /// The first harmony is the tonic.
    pub const FIRST: f64 = 0.22;
    /// The last harmony is the tonic.
    pub const LAST: f64 = 0.30;
    /// The last harmony stands on the tonic, but is major where the key is minor (a third of Picardy).
    pub const PICARDY: f64 = 0.24;
    /// The last step is that from the dominant to the tonic.
    pub const LAST_CADENCE: f64 = 0.12;
    /// All steps from the dominant to the tonic, by the share of all changes that they are.
    pub const CADENCES: f64 = 0.30;
    /// The share of time that harmony is the tonic.
    pub const TONIC_TIME: f64 = 0.15;
    /// The share of its third, of the time that major and minor third of the tonic sound.
    pub const THIRD: f64 = 0.20;
    /// The share of the chords' tones that are in the scale.
    pub const IN_SCALE: f64 = 0.60;
}

/// Margin between the two best keys above which there is no doubt left.
const SURE_MARGIN: f64 = 0.5;

/// A key, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyEstimate {
    /// The key: major (ionian) or minor (aeolian).
    pub key: Key,
    /// The mode that the sixth, seventh, second or fourth degree suggest: often the key's own scale.
    pub mode: Scale,
    /// 0 to 1: the margin to the second best key. Relative keys are close by nature: below 0.2 both are defensible.
    pub confidence: f64,
    /// The next best keys, each with how far behind it is, on the scale of a correlation.
    pub alternatives: Vec<(Key, f64)>,
}

/// A score for each of the 24 keys: tonic, and 12 more if it is minor.
pub(crate) type KeyScores = [f64; 24];

/// Which of the 24 a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyIndex(pub usize);

impl KeyIndex {
    pub(crate) fn all() -> impl Iterator<Item = KeyIndex> {
        (0..24).map(KeyIndex)
    }

    pub(crate) fn tonic(self) -> u8 {
        (self.0 % 12) as u8
    }

    pub(crate) fn is_minor(self) -> bool {
        self.0 >= 12
    }

    /// With the name that has fewer accidentals.
    pub(crate) fn key(self) -> Key {
        let scale = if self.is_minor() { Scale::AEOLIAN } else { Scale::IONIAN };
        Key { tonic: spelling::tonic_name(self.tonic(), self.is_minor()), scale }
    }

    /// Semitone steps of the scale above the tonic, as a set; in minor with the leading tone.
    fn scale(self) -> u16 {
        let steps: &[u8] =
            if self.is_minor() { &[0, 2, 3, 5, 7, 8, 10, 11] } else { &[0, 2, 4, 5, 7, 9, 11] };
        steps.iter().fold(0, |set, step| set | 1 << step)
    }

    fn holds(self, class: u8) -> bool {
        self.scale() & (1 << ((class + 12 - self.tonic()) % 12)) != 0
    }
}

/// Pearson's correlation of sounding time with the profile of each key; 0 where all or nothing sounds alike.
pub(crate) fn correlations(chroma: &Chroma) -> KeyScores {
    let mut scores = [0.0; 24];
    for key in KeyIndex::all() {
        let profile = if key.is_minor() { &MINOR_PROFILE } else { &MAJOR_PROFILE };
        let turned: [f64; 12] = std::array::from_fn(|step| chroma[(step + usize::from(key.tonic())) % 12]);
        scores[key.0] = correlation(&turned, profile);
    }
    scores
}

/// Pearson's correlation, -1 to 1; 0 where one of the two does not vary. `[side B]`
pub fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let count = one.len().min(other.len()) as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_one, mean_other) = (mean(one), mean(other));
    let (mut both, mut square_one, mut square_other) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (a - mean_one, b - mean_other);
        both += a * b;
        square_one += a * a;
        square_other += b * b;
    }
    let norm = libm::sqrt(square_one * square_other);
    if norm > 1e-12 { both / norm } else { 0.0 }
}

/// What the order of harmonies says for each key.
pub(crate) fn evidence(harmonies: &[Sonority]) -> KeyScores {
    let (Some(first), Some(last)) = (harmonies.first(), harmonies.last()) else { return [0.0; 24] };
    let time: f64 = harmonies.iter().map(|harmony| harmony.beats).sum::<f64>().max(1e-9);
    let changes = harmonies.len().saturating_sub(1).max(1) as f64;
    let mut scores = [0.0; 24];
    for key in KeyIndex::all() {
        let score = &mut scores[key.0];
        if is_tonic(first, key) {
            *score += weight::FIRST;
        }
        if is_tonic(last, key) {
            *score += weight::LAST;
        } else if key.is_minor() && last.root == key.tonic() {
            *score += weight::PICARDY;
        }
        let cadences: Vec<bool> =
            harmonies.windows(2).map(|pair| is_cadence(&pair[0], &pair[1], key)).collect();
        if cadences.last() == Some(&true) {
            *score += weight::LAST_CADENCE;
        }
        *score += weight::CADENCES * cadences.iter().filter(|it| **it).count() as f64 / changes;
        let share = |part: &dyn Fn(&Sonority) -> f64| {
            harmonies.iter().map(|harmony| part(harmony) * harmony.beats).sum::<f64>() / time
        };
        *score += weight::TONIC_TIME * share(&|harmony| f64::from(u8::from(is_tonic(harmony, key))));
        *score += weight::IN_SCALE * share(&|harmony| in_scale(harmony, key));
    }
    scores
}

fn is_tonic(harmony: &Sonority, key: KeyIndex) -> bool {
    harmony.root == key.tonic() && harmony.minor_third.is_none_or(|minor| minor == key.is_minor())
}

/// A major chord, or none with a minor third, on the fifth degree, that goes to the tonic.
fn is_cadence(from: &Sonority, to: &Sonority, key: KeyIndex) -> bool {
    from.root == (key.tonic() + 7) % 12 && from.minor_third == Some(false) && is_tonic(to, key)
}

/// The share of a chord's tones that are in the key. The leading tone of a minor key only counts in the chords that
/// need it: the one on the fifth degree, and the one on itself.
fn in_scale(harmony: &Sonority, key: KeyIndex) -> f64 {
    let leading = (key.tonic() + 11) % 12;
    let with_leading = harmony.root == (key.tonic() + 7) % 12 || harmony.root == leading;
    let fits = |class: u8| key.holds(class) && (!key.is_minor() || class != leading || with_leading);
    let tones: Vec<u8> = (0..12).filter(|class| harmony.tones & (1 << class) != 0).collect();
    tones.iter().filter(|class| fits(**class)).count() as f64 / tones.len().max(1) as f64
}

/// The key of sounding time and of the harmonies in their order.
pub(crate) fn estimate(chroma: &Chroma, harmonies: &[Sonority]) -> KeyEstimate {
    let (profiles, harmony) = (correlations(chroma), evidence(harmonies));
    let score = |key: KeyIndex| profiles[key.0] + harmony[key.0] + weight::THIRD * third(chroma, key);
    let mut ranked: Vec<(KeyIndex, f64)> = KeyIndex::all().map(|key| (key, score(key))).collect();
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    let (best, score) = ranked[0];
    KeyEstimate {
        key: best.key(),
        mode: mode(chroma, best),
        confidence: ((score - ranked[1].1) / SURE_MARGIN).clamp(0.0, 1.0),
        alternatives: ranked[1..4].iter().map(|(key, other)| (key.key(), score - other)).collect(),
    }
}

/// How much of the time of both thirds of the tonic its own one has; a half where neither sounds.
fn third(chroma: &Chroma, key: KeyIndex) -> f64 {
    let at = |step: u8| chroma[usize::from((key.tonic() + step) % 12)];
    let (own, other) = if key.is_minor() { (at(3), at(4)) } else { (at(4), at(3)) };
    if own + other > 0.0 { own / (own + other) } else { 0.5 }
}

/// The mode of a major or minor key, by the degree that tells it from the plain one: it must sound more than three
/// times as long as the plain one, and for some time.
fn mode(chroma: &Chroma, key: KeyIndex) -> Scale {
    let total: f64 = chroma.iter().sum();
    let at = |step: u8| chroma[usize::from((key.tonic() + step) % 12)];
    let instead = |step: u8, of: u8| at(step) > 3.0 * at(of) && at(step) > 0.02 * total;
    if key.is_minor() {
        match () {
            _ if instead(1, 2) => Scale::PHRYGIAN,
            _ if instead(9, 8) && instead(11, 10) => Scale::MELODIC_MINOR,
            _ if instead(9, 8) => Scale::DORIAN,
            _ if instead(11, 10) => Scale::HARMONIC_MINOR,
            _ => Scale::AEOLIAN,
        }
    } else {
        match () {
            _ if instead(6, 5) => Scale::LYDIAN,
            _ if instead(10, 11) => Scale::MIXOLYDIAN,
            _ => Scale::IONIAN,
        }
    }
}

/// A span of bars in one key.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalKey {
    /// First bar, from 1.
    pub bar: u32,
    /// How many bars.
    pub bars: u32,
    /// Its key.
    pub key: Key,
    /// Mean correlation of its bars with the key's profile, 0 to 1.
    pub fit: f64,
}

/// Bars before and behind a bar that say what key it is in.
const AROUND_BARS: usize = 2;
/// What a change of key costs, in correlations of bars.
const COST_OF_MODULATION: f64 = 1.6;
/// What each bar is worth in the key of the whole.
const HOME: f64 = 0.08;

/// The keys that a song goes through: for each bar the profile that fits it and its neighbours, and as few changes as
/// that allows (the best path through 24 states).
pub(crate) fn local_keys(grid: &Grid, sums: &ChromaSums, home: &KeyEstimate) -> Vec<LocalKey> {
    let bars = grid.bars.last().map_or(0, |bar| *bar as usize + 1);
    let starts: Vec<usize> =
        (0..=bars).map(|bar| grid.bars.partition_point(|it| (*it as usize) < bar)).collect();
    let home = KeyIndex::all().find(|key| key.key() == home.key);
    let fits: Vec<KeyScores> = (0..bars)
        .map(|bar| {
            let (first, end) = (bar.saturating_sub(AROUND_BARS), (bar + AROUND_BARS + 1).min(bars));
            correlations(&sums.of(starts[first], starts[end]))
        })
        .collect();
    let path = best_path(&fits, home);
    let mut found: Vec<LocalKey> = vec![];
    let mut last = None;
    for (bar, &key) in path.iter().enumerate() {
        if last != Some(key) {
            found.push(LocalKey { bar: bar as u32 + 1, bars: 0, key: key.key(), fit: 0.0 });
            last = Some(key);
        }
        if let Some(span) = found.last_mut() {
            span.bars += 1;
            span.fit += fits[bar][key.0];
        }
    }
    for span in &mut found {
        span.fit = (span.fit / f64::from(span.bars.max(1))).clamp(0.0, 1.0);
    }
    found
}

fn best_path(fits: &[KeyScores], home: Option<KeyIndex>) -> Vec<KeyIndex> {
    let mut totals = [0.0; 24];
    let mut came_from: Vec<[usize; 24]> = Vec::with_capacity(fits.len());
    for fit in fits {
        let best = (0..24).max_by(|&one, &other| f64::total_cmp(&totals[one], &totals[other])).unwrap_or(0);
        let mut from = std::array::from_fn(|key| key);
        let mut next = totals;
        for key in 0..24 {
            if totals[best] - COST_OF_MODULATION > totals[key] {
                from[key] = best;
                next[key] = totals[best] - COST_OF_MODULATION;
            }
            next[key] += fit[key] + if home == Some(KeyIndex(key)) { HOME } else { 0.0 };
        }
        came_from.push(from);
        totals = next;
    }
    let mut key = (0..24).max_by(|&one, &other| f64::total_cmp(&totals[one], &totals[other])).unwrap_or(0);
    let mut path = vec![];
    for from in came_from.iter().rev() {
        path.push(KeyIndex(key));
        key = from[key];
    }
    path.reverse();
    path
}
