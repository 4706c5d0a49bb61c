use super::*;
use crate::mood::{Character, Step};
use crate::theory::{Chord, Key, Letter, PitchName};

fn in_c(affect: Affect, steps: &[Step]) -> String {
    let key = Key::new(PitchName::new(Letter::C, 0), affect.preset().scale);
    let chords: Vec<String> = steps.iter().map(|step| step.in_key(key).to_string()).collect();
    chords.join(" ")
}

/// In how many of six ways two feelings clearly differ: mode, register, density, dynamics, contour, articulation.
fn differences(one: &AffectPreset, other: &AffectPreset) -> usize {
    let (a, b): (Character, Character) = (one.character, other.character);
    let density = a.density_per_beat / b.density_per_beat;
    [
        one.scale != other.scale,
        a.register.centre.abs_diff(b.register.centre) >= 4,
        !(0.81..1.24).contains(&density),
        (a.dynamics.middle() - b.dynamics.middle()).abs() > 0.079
            || (a.dynamics.variation - b.dynamics.variation).abs() > 0.149,
        a.contour != b.contour,
        (a.articulation - b.articulation).abs() > 0.119,
    ]
    .into_iter()
    .filter(|differs| *differs)
    .count()
}

#[test]
fn two_feelings_differ_in_at_least_four_of_six() {
    let mut alike = Vec::new();
    for one in &PRESETS {
        for other in PRESETS.iter().filter(|other| other.affect > one.affect) {
            let differences = differences(one, other);
            if differences < 4 {
                alike.push(format!("{} and {}: {differences}", one.affect, other.affect));
            }
        }
    }
    assert_eq!(alike, [""; 0]);
    assert_eq!(differences(&PRESETS[0], &PRESETS[0]), 0);
}

#[test]
fn progressions_in_c_are_those_of_the_tables() {
    for (affect, chords) in [
        (Affect::Grief, "Cm Ab Fm Cm"),
        (Affect::Rage, "Cm Db Bbm Cm"),
        (Affect::Fear, "Cm Db Bbm Cm"),
        (Affect::Awe, "C D Bm C"),
        (Affect::Nostalgia, "Cm F Gm Cm"),
        (Affect::Dissociation, "Cdim Dbmaj7 Ebm Cdim"),
        (Affect::Confusion, "Cdim Dbmaj7 Ebm Cdim"),
        (Affect::Defiance, "C Bb F C"),
        (Affect::Tenderness, "C Am F G"),
        (Affect::Neutral, "C Am F G"),
        (Affect::Triumph, "C Ab Bb C"),
        (Affect::Tension, "Cm Fm Ab G"),
        (Affect::Love, "Cmaj7 Am7 Dm7 G7"),
    ] {
        assert_eq!(in_c(affect, affect.preset().progression), chords, "{affect}");
    }
}

#[test]
fn steps_are_chords_of_every_key_and_mode() {
    let tonics =
        Letter::ALL.into_iter().flat_map(|letter| (-1..=1).map(move |sign| PitchName::new(letter, sign)));
    for tonic in tonics {
        for preset in &PRESETS {
            for scale in crate::theory::Scale::all() {
                let key = Key::new(tonic, scale);
                for step in preset.progression.iter().chain(preset.contrast) {
                    let chord: Chord = step.in_key(key);
                    assert!(chord.tones().len() >= 2, "{chord} in {key}");
                }
            }
        }
    }
}

#[test]
fn values_are_in_their_ranges() {
    for preset in &PRESETS {
        let Character { register, dynamics, programs, .. } = preset.character;
        assert_eq!(preset.character.within_ranges(), preset.character, "{}", preset.affect);
        assert!(register.low < register.centre && register.centre < register.high && register.high < 108);
        assert!(0.0 < dynamics.floor && dynamics.floor < dynamics.ceiling && dynamics.ceiling <= 1.0);
        assert!(
            [programs.chords, programs.bass, programs.melody, programs.guide_tones]
                .iter()
                .all(|it| *it < 128)
        );
        assert!([0.5, 1.0, 1.5, 2.0].contains(&preset.character.chords_per_bar));
        assert_eq!((preset.progression.len(), preset.contrast.len()), (4, 4));
        let (slowest, fastest) = preset.tempo_range_bpm;
        assert!((slowest..=fastest).contains(&preset.base_tempo_bpm), "{}", preset.affect);
        assert_eq!(preset.modes[0].0, preset.scale);
    }
}
