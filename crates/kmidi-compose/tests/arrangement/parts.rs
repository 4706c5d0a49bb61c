//! Each part by itself, the others muted.

use kmidi_compose::arrange::{arrange, guide_tones};
use kmidi_compose::mood::Affect;
use kmidi_compose::theory::PitchClass;

use crate::measure::{self, chord_at, of_chord, on_strong_beats, part, share, shuffled, solo};
use crate::plans::{SEEDS, song_plan as plan};

/// The share of notes on strong beats that are tones of their chord, for every feeling; where dissonance is asked for, a little
/// less.
fn least_share(affect: Affect) -> f64 {
    if affect.preset().character.dissonance >= 0.5 { 0.85 } else { 0.95 }
}

#[test]
fn strong_beats_have_chord_tones() {
    for affect in Affect::all() {
        for name in ["Melody", "Chords", "Bass", "Guide Tones"] {
            let mut all = (0, 0);
            for seed in SEEDS {
                let counts = on_strong_beats(&solo(&arrange(&plan(affect, seed)), name), name);
                all = (all.0 + counts.0, all.1 + counts.1);
            }
            let least = if name == "Chords" { least_share(affect).min(0.9) } else { least_share(affect) };
            assert!(all.0 >= 40 && share(all) >= least, "{affect} {name}: {all:?}");
        }
    }
}

#[test]
fn control_with_the_chords_shuffled_they_have_not() {
    for affect in Affect::all() {
        let score = shuffled(&arrange(&plan(affect, 1)));
        for name in ["Melody", "Bass", "Guide Tones"] {
            let counts = on_strong_beats(&score, name);
            assert!(share(counts) < 0.8, "{affect} {name}: {counts:?}");
        }
    }
}

#[test]
fn the_bass_has_the_root_under_each_new_chord_and_goes_somewhere() {
    for affect in Affect::all() {
        for seed in SEEDS {
            let score = solo(&arrange(&plan(affect, seed)), "Bass");
            let bass = part(&score, "Bass");
            let mut roots = (0, 0);
            for (tick, chord) in &score.chords {
                let Some(note) = bass.iter().find(|note| (note.start.0 - tick.0).abs() <= 45) else {
                    continue;
                };
                roots.0 += 1;
                roots.1 += usize::from(PitchClass::new(i32::from(note.key)) == chord.bass().pitch_class());
            }
            assert!(roots.0 >= 8 && share(roots) >= 0.95, "{affect} seed {seed}: {roots:?}");
            let leaps = measure::intervals(bass).into_iter().filter(|step| step.abs() > 12).count();
            assert_eq!(leaps, 0, "{affect} seed {seed}: leaps over an octave");
            let keys: std::collections::BTreeSet<u8> = bass.iter().map(|note| note.key).collect();
            assert!(keys.len() >= 3, "{affect} seed {seed}: {keys:?}");
        }
    }
}

#[test]
fn a_swinging_mood_walks() {
    // The last chorus of nostalgia: a tone a beat, mostly by step or third.
    for seed in SEEDS {
        let score = arrange(&plan(Affect::Nostalgia, seed));
        let walk: Vec<_> = part(&score, "Bass")
            .iter()
            .copied()
            .filter(|note| (24 * 1920..29 * 1920).contains(&note.start.0))
            .collect();
        let steps = measure::intervals(&walk);
        let small = steps.iter().filter(|step| (1..=4).contains(&step.abs())).count();
        assert!(walk.len() >= 18 && small * 2 > steps.len(), "seed {seed}: {} notes, {steps:?}", walk.len());
    }
}

#[test]
fn guide_tones_are_thirds_and_sevenths_that_move_by_small_steps() {
    for affect in Affect::all() {
        let score = solo(&arrange(&plan(affect, 1)), "Guide Tones");
        let guide = part(&score, "Guide Tones");
        for note in guide {
            let chord = chord_at(&score, note.start.0 + 45);
            assert!(
                guide_tones(chord).contains(&PitchClass::new(i32::from(note.key))),
                "{affect}: {note:?} in {chord}"
            );
        }
        let steps = measure::intervals(guide);
        let mean = measure::mean(steps.iter().map(|step| (f64::from(step.abs()), 1.0)));
        assert!(mean <= 5.2 && steps.iter().all(|step| step.abs() <= 9), "{affect}: {mean:.1} {steps:?}");
    }
}

#[test]
fn chords_are_whole_and_led_by_small_steps() {
    for affect in Affect::all() {
        for seed in SEEDS {
            let score = arrange(&plan(affect, seed));
            let chords = part(&score, "Chords");
            for (index, (start, chord)) in score.chords.iter().enumerate() {
                let end = score.chords.get(index + 1).map_or(score.end, |next| next.0);
                let inside = chords.iter().chain(part(&score, "Bass"));
                let keys: Vec<u8> = inside
                    .filter(|note| note.start.0 >= start.0 - 45 && note.start.0 < end.0 - 60)
                    .map(|note| note.key)
                    .collect();
                if keys.len() < chord.tones().len() {
                    continue;
                }
                let missing: Vec<PitchClass> = chord
                    .pitch_classes()
                    .iter()
                    .filter(|class| !keys.iter().any(|key| PitchClass::new(i32::from(*key)) == *class))
                    .collect();
                assert!(
                    missing.is_empty(),
                    "{affect} seed {seed} bar {}: {chord} lacks {missing:?}",
                    start.0 / 1920
                );
                let strange = keys.iter().filter(|key| !of_chord(chord, **key)).count();
                assert!(strange * 2 < keys.len(), "{affect} seed {seed}: {chord} as {keys:?}");
            }
        }
    }
}
