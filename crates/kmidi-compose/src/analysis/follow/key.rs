//! Which key the tones of the last seconds are in.

use serde::Serialize;

use super::super::key::{MAJOR_PROFILE, MINOR_PROFILE};

/// Seconds in which what was heard loses all but 1/e of its weight. Some six bars: short enough to follow a
/// modulation, long enough to hear a cadence out.
const MEMORY_SECONDS: f64 = 12.0;
/// How much a tone's beginning weighs, as seconds of sounding: short notes are heard too.
const ATTACK_SECONDS: f64 = 0.1;
/// How much more the lowest tone weighs than each of the others.
const BASS_WEIGHT: f64 = 0.5;
/// Points (of a correlation from -1 to 1) by which a mode must be better than major and minor, which are likelier.
const MODE_HANDICAP: f64 = 0.05;
/// Points by which another key must be better than the present one, and for how long, until it is the present one.
const LEAD: f64 = 0.03;
const LEAD_SECONDS: f64 = 1.0;
/// Weight (seconds of tones, added up) without which nothing is said.
const LEAST_SECONDS: f64 = 3.0;
/// Least correlation of a key.
const LEAST_CORRELATION: f64 = 0.6;
/// A lead over all keys on other tonics that makes a key certain.
const CERTAIN_LEAD: f64 = 0.15;

/// The mode of a key: its scale's name. Harmonic and melodic minor are `Aeolian`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names of the church modes")]
pub enum Mode {
    Ionian,
    Dorian,
    Phrygian,
    Lydian,
    Mixolydian,
    Aeolian,
    Locrian,
}

impl Mode {
    /// All seven, in the order of the degrees of a major scale on which they begin.
    pub const ALL: [Mode; 7] = [
        Mode::Ionian,
        Mode::Dorian,
        Mode::Phrygian,
        Mode::Lydian,
        Mode::Mixolydian,
        Mode::Aeolian,
        Mode::Locrian,
    ];

    /// `major`, `minor` or the name of the mode.
    pub fn name(self) -> &'static str {
        ["major", "dorian", "phrygian", "lydian", "mixolydian", "minor", "locrian"][self as usize]
    }

    /// Semitones from the tonic of the major key with the same tones up to this mode's tonic.
    pub(super) fn above_major(self) -> u8 {
        [0, 2, 4, 5, 7, 9, 11][self as usize]
    }
}

/// A key, as it is heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KeyMatch {
    pub tonic: u8,
    pub mode: Mode,
    /// 0 to 1.
    pub confidence: f32,
    points: f64,
}

/// The profiles (Krumhansl and Kessler 1982: how well each tone fits into a key) in the order of [`Mode::ALL`], each with a mean of 0 and a length of 1. A mode has the profile of major
/// or minor, whose third it shares, but for the degree in which it differs: there the two tones change their
/// weights, or take those that they have in the other profile, where that has them the other way about.
const PROFILES: [[f64; 12]; 7] = {
    let mut dorian = MINOR_PROFILE;
    (dorian[8], dorian[9]) = (MAJOR_PROFILE[8], MAJOR_PROFILE[9]);
    let phrygian = exchanged(MINOR_PROFILE, 1, 2);
    let mut mixolydian = MAJOR_PROFILE;
    (mixolydian[10], mixolydian[11]) = (MINOR_PROFILE[10], MAJOR_PROFILE[10]);
    [
        normal(MAJOR_PROFILE),
        normal(dorian),
        normal(phrygian),
        normal(exchanged(MAJOR_PROFILE, 5, 6)),
        normal(mixolydian),
        normal(MINOR_PROFILE),
        normal(exchanged(phrygian, 6, 7)),
    ]
};

const fn exchanged(mut profile: [f64; 12], a: usize, b: usize) -> [f64; 12] {
    (profile[a], profile[b]) = (profile[b], profile[a]);
    profile
}

const fn normal(mut profile: [f64; 12]) -> [f64; 12] {
    let (mut sum, mut squares, mut at) = (0.0, 0.0, 0);
    while at < 12 {
        sum += profile[at];
        at += 1;
    }
    at = 0;
    while at < 12 {
        profile[at] -= sum / 12.0;
        squares += profile[at] * profile[at];
        at += 1;
    }
    let length = root(squares);
    at = 0;
    while at < 12 {
        profile[at] /= length;
        at += 1;
    }
    profile
}

/// Newton's square root, which a constant can be made of.
const fn root(x: f64) -> f64 {
    let (mut root, mut round) = (x, 0);
    while round < 40 {
        root = 0.5 * (root + x / root);
        round += 1;
    }
    root
}

/// Follows the key. `[side A]`
pub(super) struct KeyFollower {
    seconds_per_frame: f64,
    /// What each pitch class weighs, in seconds.
    weights: [f64; 12],
    current: Option<KeyMatch>,
    /// A key that is better than the current one, and since how many seconds.
    challenger: Option<(KeyMatch, f64)>,
}

impl KeyFollower {
    pub fn new(sample_rate_hz: u32) -> Self {
        let seconds_per_frame = 1.0 / f64::from(sample_rate_hz.max(1));
        KeyFollower { seconds_per_frame, weights: [0.0; 12], current: None, challenger: None }
    }

    pub fn clear(&mut self) {
        (self.weights, self.current, self.challenger) = ([0.0; 12], None, None);
    }

    /// A tone begins.
    pub fn attack(&mut self, pitch_class: u8) {
        self.weights[usize::from(pitch_class % 12)] += ATTACK_SECONDS;
    }

    /// These pitch classes over this bass have sounded for so long.
    pub fn sounded(&mut self, pitch_classes: u16, bass: u8, frames: u64) {
        let left = libm::exp(-(frames as f64 * self.seconds_per_frame) / MEMORY_SECONDS);
        let gained = MEMORY_SECONDS * (1.0 - left);
        for (pitch_class, weight) in self.weights.iter_mut().enumerate() {
            let sounds = pitch_classes & (1 << pitch_class) != 0;
            let bass = if usize::from(bass) == pitch_class { BASS_WEIGHT } else { 0.0 };
            *weight = *weight * left + if sounds { gained * (1.0 + bass) } else { 0.0 };
        }
    }

    /// Looks which key it is, `frames` after the last look. 84 correlations of twelve tones.
    pub fn look(&mut self, frames: u64) {
        let seconds = frames as f64 * self.seconds_per_frame;
        let Some(profile) = self.profile() else {
            (self.current, self.challenger) = (None, None);
            return;
        };
        let best = best_key(&profile);
        let Some(current) = self.current else {
            self.current = best;
            return;
        };
        let points = points(&profile, current.tonic, current.mode);
        let better = best.filter(|best| (best.tonic, best.mode) != (current.tonic, current.mode));
        match better {
            Some(better) if better.points > points + LEAD => {
                let waited = match self.challenger {
                    Some((same, waited)) if (same.tonic, same.mode) == (better.tonic, better.mode) => {
                        waited + seconds
                    }
                    _ => 0.0,
                };
                self.challenger = Some((better, waited));
                if waited >= LEAD_SECONDS {
                    (self.current, self.challenger) = (Some(better), None);
                }
            }
            _ => {
                self.challenger = None;
                let confidence = confidence(&profile, current.tonic, points);
                self.current = (points >= LEAST_CORRELATION - LEAD).then_some(KeyMatch {
                    confidence,
                    points,
                    ..current
                });
            }
        }
    }

    pub fn current(&self) -> Option<KeyMatch> {
        self.current
    }

    /// The weights with a mean of 0 and a length of 1; `None` of too little, or of all tones alike.
    fn profile(&self) -> Option<[f64; 12]> {
        let sum: f64 = self.weights.iter().sum();
        let centred = self.weights.map(|weight| weight - sum / 12.0);
        let length = libm::sqrt(centred.iter().map(|x| x * x).sum());
        (sum >= LEAST_SECONDS && length > sum * 0.01).then(|| centred.map(|x| x / length))
    }
}

/// Pearson's correlation of what was heard with a key.
fn correlation(heard: &[f64; 12], tonic: u8, mode: Mode) -> f64 {
    let profile = &PROFILES[mode as usize];
    (0..12).map(|above| heard[(usize::from(tonic) + above) % 12] * profile[above]).sum()
}

/// What is compared: the correlation, less the handicap of the rarer modes.
fn points(heard: &[f64; 12], tonic: u8, mode: Mode) -> f64 {
    let handicap = if matches!(mode, Mode::Ionian | Mode::Aeolian) { 0.0 } else { MODE_HANDICAP };
    correlation(heard, tonic, mode) - handicap
}

fn best_key(heard: &[f64; 12]) -> Option<KeyMatch> {
    let mut best = None;
    let mut most = LEAST_CORRELATION;
    for tonic in 0..12 {
        for mode in Mode::ALL {
            let points = points(heard, tonic, mode);
            if points > most {
                most = points;
                best = Some((tonic, mode));
            }
        }
    }
    best.map(|(tonic, mode)| KeyMatch {
        tonic,
        mode,
        confidence: confidence(heard, tonic, most),
        points: most,
    })
}

/// Half of it is how well the key fits, half how far it leads over keys on other tonics.
fn confidence(heard: &[f64; 12], tonic: u8, most: f64) -> f32 {
    let others = (0..12).filter(|&other| other != tonic);
    let second =
        others.flat_map(|other| Mode::ALL.map(|mode| points(heard, other, mode))).fold(-1.0, f64::max);
    let lead = ((most - second) / CERTAIN_LEAD).clamp(0.0, 1.0);
    (most.clamp(0.0, 1.0) * (0.5 + 0.5 * lead)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_normal_and_each_is_best_at_itself() {
        for (number, profile) in PROFILES.iter().enumerate() {
            assert!(profile.iter().sum::<f64>().abs() < 1e-9);
            assert!((profile.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-9);
            for tonic in 0..12u8 {
                let mut heard = [0.0; 12];
                (0..12).for_each(|above| heard[(usize::from(tonic) + above) % 12] = profile[above]);
                let mode = Mode::ALL[number];
                assert!((correlation(&heard, tonic, mode) - 1.0).abs() < 1e-9);
                let others = (0..12).flat_map(|other| Mode::ALL.map(|mode| (other, mode)));
                for (other, another) in others.filter(|&other| other != (tonic, mode)) {
                    assert!(correlation(&heard, other, another) < 0.98, "{mode:?} and {another:?}");
                }
            }
        }
    }

    #[test]
    fn all_tones_alike_and_next_to_nothing_are_no_key() {
        let mut key = KeyFollower::new(48_000);
        key.sounded(0xfff, 12, 48_000 * 20);
        key.look(0);
        assert_eq!(key.current(), None);
        key.clear();
        key.sounded(0b1001_0001, 0, 4800);
        key.look(0);
        assert_eq!(key.current(), None, "a tenth of a second");
        key.sounded(0b1001_0001, 0, 48_000);
        key.look(0);
        assert_eq!(key.current().map(|key| (key.tonic, key.mode)), Some((0, Mode::Ionian)));
        key.sounded(0, 0, 48_000 * 60);
        key.look(0);
        assert_eq!(key.current(), None, "a minute of silence");
    }

    #[test]
    fn weights_fade_by_seconds_and_not_by_calls() {
        let run = |calls: u64| {
            let mut key = KeyFollower::new(48_000);
            key.attack(4);
            (0..calls).for_each(|_| key.sounded(0b1000_0001, 0, 480_000 / calls));
            key.weights
        };
        let (one, many) = (run(1), run(7500));
        assert!(one.iter().zip(&many).all(|(a, b)| (a - b).abs() < 1e-9), "{one:?} {many:?}");
        assert!((one[4] - ATTACK_SECONDS * (-10f64 / MEMORY_SECONDS).exp()).abs() < 1e-9);
    }
}
