use proptest::prelude::*;

use super::*;
use crate::theory::{Key, Letter, PitchName, Roman, Scale, parse_progression};

fn chord(text: &str) -> Chord {
    text.parse().unwrap()
}

fn voicing(keys: &[u8]) -> Voicing {
    keys.iter().copied().collect()
}

#[test]
fn motion_is_counted_as_it_is_taught() {
    // Everything goes up a step: fifth and octave over the bass, and fourth between the others.
    let up = voice_leading_cost(&voicing(&[48, 55, 60, 64]), &voicing(&[50, 57, 62, 66]));
    assert_eq!((up.parallels, up.crossings, up.similar, up.hidden), (2, 0, 1, 0));
    // The same chords, the upper voices against the bass.
    let against = voice_leading_cost(&voicing(&[48, 55, 60, 64]), &voicing(&[50, 54, 57, 62]));
    assert_eq!((against.parallels, against.similar), (0, 0));
    assert!(against.total < up.total);
    // The outer voices leap down into a fifth.
    let hidden = voice_leading_cost(&voicing(&[60, 72]), &voicing(&[55, 62]));
    assert_eq!((hidden.hidden, hidden.parallels), (1, 0));
    // The tenor goes over where the alto was, and the alto to where the top was, not beyond.
    assert_eq!(voice_leading_cost(&voicing(&[48, 52, 55, 60]), &voicing(&[48, 57, 60, 64])).crossings, 1);
    let still = voicing(&[48, 55, 60, 64]);
    assert_eq!(voice_leading_cost(&still, &still), Cost::default());
    assert_eq!(voice_leading_cost(&Voicing::default(), &still), Cost::default());
    // A voice that comes is no leap.
    assert!(voice_leading_cost(&voicing(&[48, 55, 60]), &still).total < 10);
}

#[test]
fn wide_leaps_cost_more_than_the_steps_they_are_made_of() {
    let alto = |by: u8| voice_leading_cost(&voicing(&[40, 60]), &voicing(&[40, 60 + by])).leaps;
    assert!((1..=24).all(|by| alto(by) > alto(by - 1)));
    assert!(alto(12) > 6 * alto(2));
}

#[test]
fn shapes_that_sound_bad_cost_more() {
    let cost = |keys: &[u8], name: &str| shape_cost(&voicing(keys), &chord(name), 40..=80);
    let good = cost(&[48, 55, 64, 72], "C");
    // No third; two thirds; a third in the mud; two octaves between neighbours.
    for bad in [&[48, 55, 60, 72], &[48, 52, 64, 67], &[40, 43, 48, 64], &[48, 52, 55, 79]] {
        let name = if bad[0] == 40 { "C/E" } else { "C" };
        assert!(cost(bad, name) > good, "{bad:?}: {}", cost(bad, name));
    }
    // The leading tone of a dominant is not doubled.
    assert!(cost(&[43, 59, 65, 71], "G7") > cost(&[43, 59, 65, 74], "G7"));
}

/// All voicings of `voices` keys in the range whose bass is the chord's: the search without its wits.
fn brute_force(
    chord: &Chord,
    range: std::ops::RangeInclusive<u8>,
    voices: usize,
    cost: impl Fn(&Voicing) -> u32,
) -> Option<u32> {
    fn all(keys: &mut Vec<u8>, voices: usize, high: u8, take: &mut impl FnMut(&[u8])) {
        if keys.len() == voices {
            return take(keys);
        }
        let low = keys.last().map_or(0, |last| last + 1);
        for key in low..=high {
            keys.push(key);
            all(keys, voices, high, take);
            keys.pop();
        }
    }
    let mut least: Option<u32> = None;
    let class = |key: u8| PitchClass::new(i32::from(key));
    for bass in range.clone().filter(|key| class(*key) == chord.bass().pitch_class()) {
        all(&mut vec![bass], voices, *range.end(), &mut |keys| {
            let gaps = keys
                .windows(2)
                .enumerate()
                .all(|(at, pair)| pair[1] - pair[0] <= if at == 0 { 24 } else { 16 });
            if gaps && keys[1..].iter().all(|key| chord.tone_of(class(*key)).is_some()) {
                let cost = cost(&voicing(keys));
                least = Some(least.map_or(cost, |least| least.min(cost)));
            }
        });
    }
    least
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn the_voicing_is_the_least_of_all(
        root in 0..12i32, quality in prop::sample::select(vec!["", "m", "7", "m7b5", "sus4"]),
        low in 40u8..52, width in 14u8..22, voices in 2usize..=4,
        before in prop::option::of(prop::sample::select(vec!["G7", "C", "Fmaj7/A", "Bbm", "E7"])),
        sounding in prop::option::of(prop::collection::vec(40u8..74, 2..=4)),
    ) {
        let name = PitchClass::new(root).spelled(crate::theory::Spelling::Flats);
        let chord = Chord::new(name, quality).unwrap();
        let range = low..=low + width;
        let mut voicer = Voicer::new(range.clone(), voices);
        let before = before.map(|symbol| symbol.parse::<Chord>().unwrap());
        let mut from = before.map_or_else(Voicing::default, |before| voicer.next(&before));
        let owed = before.filter(|_| sounding.is_none() && !from.is_empty());
        if let Some(sounding) = sounding {
            from = sounding.into_iter().collect();
            voicer.go_on_from(from.clone());
        }
        let found = voicer.next(&chord);
        prop_assert!(!voicer.effort().1);
        let cost = |to: &Voicing| {
            let owed = owed.map_or(0, |before| unresolved(&before, &from, to) * cost::UNRESOLVED);
            voice_leading_cost(&from, to).total + owed + shape_cost(to, &chord, range.clone())
        };
        match brute_force(&chord, range.clone(), voices, cost) {
            Some(least) => prop_assert_eq!(cost(&found), least, "{} after {}: {}", chord, from, found),
            None => prop_assert!(found.len() <= 1),
        }
    }
}

/// Parallel fifths and octaves of each pair of voices, counted here once more, and another way.
fn parallels(from: &[u8], to: &[u8]) -> usize {
    let pairs = (0..from.len()).flat_map(|low| (low + 1..from.len()).map(move |high| (low, high)));
    let perfect = |it: u8| matches!(it % 12, 0 | 7);
    pairs
        .filter(|(low, high)| {
            let (before, after) = (from[*high] - from[*low], to[*high] - to[*low]);
            from[*low] != to[*low]
                && perfect(before)
                && before % 12 == after % 12
                && (from[*low] < to[*low]) == (from[*high] < to[*high])
        })
        .count()
}

#[test]
fn cadences_in_all_keys_are_smooth_and_without_parallels() {
    for progression in ["I IV V I", "I vi ii V I", "I IV V7 I", "I vi IV V", "i iv V i", "i VI III VII i"] {
        for tonic in 0..12 {
            for voices in [4, 5] {
                let name = PitchClass::new(tonic).spelled(crate::theory::Spelling::Flats);
                let key =
                    Key::new(name, if progression.starts_with('i') { Scale::AEOLIAN } else { Scale::IONIAN });
                let mut voicer = Voicer::new(40..=79, voices);
                let mut last: Option<Voicing> = None;
                for numeral in progression.split(' ') {
                    let chord = numeral.parse::<Roman>().unwrap().in_key(key);
                    let next = voicer.next(&chord);
                    assert!(next.len() == voices && !voicer.effort().1, "{:?}", voicer.effort());
                    assert_eq!(PitchClass::new(i32::from(next[0])), chord.bass().pitch_class());
                    let third = chord.class_of(chord.third().unwrap());
                    assert!(
                        next.iter().any(|key| PitchClass::new(i32::from(*key)) == third),
                        "{chord}: {next}"
                    );
                    if let Some(last) = last {
                        assert_eq!(parallels(&last, &next), 0, "{progression} in {key}: {last}, {next}");
                        assert_eq!(voice_leading_cost(&last, &next).parallels, 0);
                        // With five, now and then, only a leap avoids a parallel.
                        let widest = if voices == 5 {
                            14
                        } else if progression == "I IV V I" {
                            4
                        } else {
                            7
                        };
                        for (was, is) in last[1..].iter().zip(&next[1..]) {
                            assert!(was.abs_diff(*is) <= widest, "{progression} in {key}: {last}, {next}");
                        }
                    }
                    last = Some(next);
                }
            }
        }
    }
}

#[test]
fn control_root_positions_moved_in_blocks_have_parallels() {
    let block = |root: u8| voicing(&[root, root + 7, root + 12, root + 16]);
    assert_eq!(parallels(&block(48), &block(53)), 2);
    assert_eq!(voice_leading_cost(&block(48), &block(53)).parallels, 2);
}

#[test]
fn sevenths_resolve_and_wide_chords_keep_what_matters() {
    let mut voicer = Voicer::new(40..=79, 4);
    let chords = parse_progression("Dm7 G7 Cmaj7").unwrap();
    let voicings: Vec<Voicing> = chords.chords().map(|chord| voicer.next(&chord)).collect();
    let voice_of = |at: usize, class: i32| {
        voicings[at].iter().position(|key| PitchClass::new(i32::from(*key)) == PitchClass::new(class))
    };
    // The seventh of G7 goes down to the third of C.
    let seventh = voice_of(1, 5).expect("a seventh");
    assert_eq!(
        i32::from(voicings[1][seventh]) - i32::from(voicings[2][seventh]),
        1,
        "{} {}",
        voicings[1],
        voicings[2]
    );
    for name in ["C13", "C7alt", "Cm11", "F#9#11", "Bbmaj9", "C7b9b13"] {
        let chord = chord(name);
        let voicing = Voicer::new(40..=84, 4).next(&chord);
        for tone in [chord.third(), chord.seventh()].into_iter().flatten() {
            assert!(
                voicing.iter().any(|key| PitchClass::new(i32::from(*key)) == chord.class_of(tone)),
                "{name}: {voicing}"
            );
        }
    }
}

#[test]
fn the_bass_behind_a_slash_is_the_lowest_and_only_there() {
    let voicing = Voicer::new(40..=79, 4).next(&chord("C/D"));
    assert_eq!(voicing[0] % 12, 2);
    assert!(voicing[1..].iter().all(|key| [0, 4, 7].contains(&(key % 12))), "{voicing}");
}

#[test]
fn odd_wishes_are_met_as_far_as_they_can_be() {
    let c = chord("C");
    for (range, voices, most) in [
        (60..=60, 4, 1),
        (61..=62, 4, 0),
        (0..=127, 8, 8),
        (60..=72, 0, 1),
        (60..=127, 99, 8),
        (std::ops::RangeInclusive::new(80, 20), 4, 0),
        (120..=255, 4, 4),
    ] {
        let voicing = Voicer::new(range.clone(), voices).next(&c);
        assert!(voicing.len() <= most, "{range:?} {voices}: {voicing}");
        assert!(voicing.iter().all(|key| range.contains(key) && *key < 128));
        assert!(voicing.windows(2).all(|pair| pair[0] < pair[1]));
    }
    assert_eq!(Voicer::new(60..=60, 4).next(&c).keys(), [60]);
}

#[test]
fn the_same_chords_give_the_same_voicings_within_the_bound() {
    let names = ["C", "Am7", "D9", "G13", "Cmaj9", "F#m7b5", "B7alt", "Em11"];
    let run = |voices| -> Vec<Voicing> {
        let mut voicer = Voicer::new(36..=84, voices);
        let all = names.map(|name| {
            let next = voicer.next(&chord(name));
            assert!(voicer.effort().0 <= Voicer::MOST_LOOKED_AT);
            assert_eq!(next.len(), voices, "{name}");
            next
        });
        all.to_vec()
    };
    for voices in [3, 4, 5, 6] {
        assert_eq!(run(voices), run(voices));
    }
    let c = PitchName::new(Letter::C, 0);
    assert_eq!(Voicing::from_iter([60, 48]).to_string(), format!("{c}3 {c}4"));
}
