//! Feelings on the plane of Russell (1980): pleasant or not, calm or awake; and how tense intervals are.
use super::Affect;

/// Tension of 1 to 11 semitones, 0 to 1.
const TENSION: [f64; 11] = [0.9, 0.4, 0.3, 0.2, 0.3, 1.0, 0.1, 0.6, 0.25, 0.5, 0.55];

/// How tense an interval sounds, 0 (unison, octave) to 1 (tritone); of wider ones than an octave, as within it.
pub fn interval_tension(semitones: u8) -> f64 {
    match semitones % 12 {
        0 => 0.0,
        within => TENSION[usize::from(within) - 1],
    }
}

/// The feeling that comes nearest to a valence (-1 to 1) and an arousal (0 to 1); [`Affect::Neutral`] is none, and NaN is 0.
///
/// For what knows a place on the plane only, such as a model of voices or of faces.
pub fn nearest(valence: f64, arousal: f64) -> Affect {
    let number = |value: f64| if value.is_nan() { 0.0 } else { value };
    let (valence, arousal) = (number(valence).clamp(-1.0, 1.0), number(arousal).clamp(0.0, 1.0));
    let distance = |affect: Affect| {
        let preset = affect.preset();
        // Valence spans two, arousal one.
        ((preset.valence - valence) / 2.0).powi(2) + (preset.arousal - arousal).powi(2)
    };
    let feelings = Affect::all().filter(|affect| *affect != Affect::Neutral);
    feelings.min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(Affect::Neutral)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quadrant_has_a_feeling_of_its_own_every_time() {
        for _ in 0..4 {
            let quadrants = [(-0.6, 0.3), (-0.6, 0.9), (0.6, 0.15), (0.8, 0.72)];
            let feelings = quadrants.map(|(valence, arousal)| nearest(valence, arousal));
            assert_eq!(feelings, [Affect::Grief, Affect::Rage, Affect::Calm, Affect::Joy]);
        }
        for affect in Affect::all().filter(|affect| *affect != Affect::Neutral) {
            let preset = affect.preset();
            assert_eq!(nearest(preset.valence, preset.arousal), affect);
        }
        assert_ne!(nearest(f64::NAN, f64::INFINITY), Affect::Neutral);
    }

    #[test]
    fn the_tritone_is_tensest_and_octaves_change_nothing() {
        let all: Vec<f64> = (0..12).map(interval_tension).collect();
        assert!((0..12).all(|it| all[it] <= all[6] && interval_tension(it as u8 + 24) == all[it]));
        assert_eq!((all[0], all[1], all[7], all[11]), (0.0, 0.9, 0.1, 0.55));
    }
}
