//! Whole pieces: length, silence, clashes, loudness, repeatability, any plan.

use kmidi_compose::arrange::{arrange, piano_roll};
use kmidi_compose::mood::Affect;
use kmidi_compose::plan::{HarmonyPlan, SectionKind};
use kmidi_compose::theory::{Key, Scale};
use kmidi_compose::{Part, Score};
use kmidi_core::Meter;
use kmidi_song::{SmfEvent, Song};
use proptest::prelude::*;

use crate::measure::{self, pitched};
use crate::plans::{self, SEEDS, song, song_plan as plan, with_chords};

/// What holds for every score, whatever its plan.
fn check(plan: &HarmonyPlan, score: &Score) {
    let name = format!("{} seed {}", score.title, plan.seed);
    assert_eq!(score.end.0, i64::from(plan.length_bars) * measure::bar(score), "{name}");
    for part in &score.parts {
        assert_eq!(measure::overlaps(part), 0, "{name}: {} overlaps itself", part.name);
        for note in &part.notes {
            assert!(0 <= note.start.0 && note.start < note.end && note.end <= score.end, "{name}: {note:?}");
            assert!(note.channel == part.channel && (1..=127).contains(&note.velocity), "{name}: {note:?}");
        }
        in_range(plan, part, &name);
    }
    assert!(measure::longest_silence(score) <= measure::bar(score), "{name}: silent for over a bar");
    let file = score.to_song().to_smf().expect("a score fits a file");
    assert_eq!(Song::from_smf(&file).expect("it is one").0, score.to_song());
}

fn in_range(plan: &HarmonyPlan, part: &Part, name: &str) {
    let register = plan.character.register;
    let range = match part.name.as_str() {
        "Bass" => 28..=52,
        "Melody" => register.low..=register.high.max(register.low + 12),
        "Chords" => 38..=84,
        "Guide Tones" => 48..=84,
        _ => 35..=81,
    };
    let outside: Vec<u8> =
        part.notes.iter().map(|note| note.key).filter(|key| !range.contains(key)).collect();
    assert_eq!(outside, [0; 0], "{name}: {} leaves {range:?}", part.name);
    let dynamics = plan.character.dynamics;
    let (floor, ceiling) = ((dynamics.floor * 127.0).floor() as u8, (dynamics.ceiling * 127.0).ceil() as u8);
    let loud = part.notes.iter().map(|note| note.velocity).filter(|it| !(floor..=ceiling).contains(it));
    assert_eq!(loud.collect::<Vec<_>>(), [0; 0], "{name}: {} leaves {floor}..={ceiling}", part.name);
}

#[test]
fn every_feeling_keeps_length_ranges_dynamics_and_is_never_silent_for_a_bar() {
    for affect in Affect::all() {
        for seed in SEEDS {
            for plan in [plan(affect, seed), plans::plan(affect, seed)] {
                check(&plan, &arrange(&plan));
            }
        }
    }
}

#[test]
fn control_a_hole_of_two_bars_is_seen() {
    let plan = plan(Affect::Joy, 1);
    let mut score = arrange(&plan);
    let (from, to) = (10 * 1920, 12 * 1920 + 1);
    for part in &mut score.parts {
        part.notes.retain(|note| note.end.0 <= from || note.start.0 >= to);
    }
    assert!(measure::longest_silence(&score) > measure::bar(&score));
}

#[test]
fn nothing_sustained_clashes_unless_the_plan_asks() {
    for affect in Affect::all() {
        for seed in SEEDS {
            for plan in [plan(affect, seed), plans::plan(affect, seed)] {
                let score = arrange(&plan);
                assert_eq!(measure::clashes(&score), [], "{} seed {seed}", score.title);
            }
        }
    }
}

#[test]
fn control_a_part_a_semitone_higher_clashes() {
    let mut score = arrange(&plan(Affect::Calm, 1));
    let guide = score.parts.iter_mut().find(|part| part.name == "Guide Tones").expect("guide tones");
    for note in &mut guide.notes {
        note.key += 1;
    }
    assert!(measure::clashes(&score).len() > 4);
}

#[test]
fn dynamics_follow_the_tension() {
    for affect in Affect::all() {
        let plan = plan(affect, 1);
        let score = arrange(&plan);
        let mean = |bars: std::ops::Range<i64>| {
            let ticks = bars.start * 1920..bars.end * 1920;
            let notes = pitched(&score).flat_map(|part| &part.notes).filter(|it| ticks.contains(&it.start.0));
            measure::mean(notes.map(|note| (f64::from(note.velocity), 1.0)))
        };
        // Bars 2 to 8 are a verse, 22 to 29 the last chorus.
        let (verse, chorus) = (mean(2..9), mean(23..30));
        let range = (plan.character.dynamics.ceiling - plan.character.dynamics.floor) * 127.0;
        assert!(chorus - verse > 0.1 * range, "{affect}: verse {verse:.1}, chorus {chorus:.1} of {range:.0}");
    }
}

#[test]
fn parts_enter_and_leave_with_the_sections() {
    for affect in Affect::all() {
        let score = arrange(&plan(affect, 2));
        let playing = |bar: i64| {
            // Players may come a little early.
            let (from, to) = (bar * 1920 + 60, (bar + 1) * 1920 - 60);
            let plays = |part: &&Part| part.notes.iter().any(|note| note.start.0 < to && note.end.0 > from);
            score.parts.iter().filter(plays).count()
        };
        let intro = playing(0);
        let chorus = (23..29).map(playing).max().unwrap_or(0);
        assert!(intro == 1 && chorus >= 4, "{affect}: {intro} parts in the intro, {chorus} in the chorus");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_another_melody() {
    for affect in Affect::all() {
        let bytes = |seed| arrange(&plan(affect, seed)).to_song().to_smf().expect("a file");
        assert_eq!(bytes(7), bytes(7));
        let melody = |seed| {
            let score = arrange(&plan(affect, seed));
            measure::part(&score, "Melody").iter().map(|note| (note.start, note.key)).collect::<Vec<_>>()
        };
        let all: std::collections::BTreeSet<_> = (0..8).map(melody).collect();
        assert_eq!(all.len(), 8, "{affect}: seeds repeat a melody");
    }
}

#[test]
fn a_piece_ends_on_its_tonic_held_unless_it_is_to_stay_open() {
    for affect in Affect::all() {
        let mut plan = plan(affect, 3);
        let last = |plan: &HarmonyPlan| {
            let score = arrange(plan);
            let chord = score.chords.last().expect("chords").1;
            let end = score.end.0;
            let held = measure::part(&score, "Chords")
                .iter()
                .filter(|note| note.start.0 <= end - 1860 && note.end.0 >= end - 60);
            (chord.root().pitch_class() == plan.key.tonic.pitch_class(), held.count() >= 3)
        };
        assert_eq!(last(&plan), (true, true), "{affect}");
        plan.resolves = false;
        assert_eq!(last(&plan), (false, true), "{affect}");
    }
}

#[test]
fn bars_of_every_meter_are_filled() {
    for (numerator, denominator_log2) in
        [(3, 2), (6, 3), (5, 2), (7, 3), (12, 3), (2, 2), (9, 3), (7, 4), (2, 1)]
    {
        for affect in [Affect::Grief, Affect::Rage, Affect::Joy, Affect::Nostalgia, Affect::Confusion] {
            let mut plan = plan(affect, 5);
            plan.meter = Meter { numerator, denominator_log2 };
            let score = arrange(&plan);
            check(&plan, &score);
            let counts = measure::on_strong_beats(&score, "Melody");
            assert!(
                counts.0 > 5 && measure::share(counts) >= 0.8,
                "{affect} {numerator}/{denominator_log2}: {counts:?}"
            );
        }
    }
}

#[test]
fn chords_of_the_users_own_are_kept_in_every_bar() {
    for affect in Affect::all() {
        let mut plan = with_chords(plan(affect, 1), "F C");
        plan.key = Key { tonic: "F".parse().expect("a pitch"), scale: Scale::IONIAN };
        plan.length_bars = 8;
        plan.sections = song(8);
        plan.character.chords_per_bar = 1.0;
        let score = arrange(&plan);
        let symbols: Vec<String> = score.chords.iter().map(|(_, chord)| chord.to_string()).collect();
        assert_eq!(symbols, ["F", "C", "F", "C", "F", "C", "F", "C"], "{affect}");
        check(&plan, &score);
    }
}

#[test]
fn a_drumless_mood_has_no_drums_and_loud_ones_have_fills() {
    assert!(arrange(&plan(Affect::Calm, 1)).part("Drums").is_none());
    assert!(arrange(&plan(Affect::Grief, 1)).part("Drums").is_none());
    let score = arrange(&plan(Affect::Rage, 1));
    let toms = |bar: i64| {
        let inside = |start: i64| (bar * 1920..(bar + 1) * 1920).contains(&start);
        measure::part(&score, "Drums")
            .iter()
            .filter(|it| [41, 45, 47, 50].contains(&it.key) && inside(it.start.0))
            .count()
    };
    // The verse ends with bar 8, the chorus with bar 15.
    assert!(toms(8) > 0 && toms(15) > 0 && toms(5) == 0, "{} {} {}", toms(8), toms(15), toms(5));
}

#[test]
fn the_file_says_tempo_meter_key_sections_chords_and_instruments() {
    let plan = plan(Affect::Grief, 1);
    let song = arrange(&plan).to_song();
    let has = |kind: u8, data: &[u8]| {
        song.tracks[0].events.contains(&(kmidi_core::Ticks(0), SmfEvent::Meta { kind, data: data.into() }))
    };
    assert!(has(0x58, &[4, 2, 24, 8]) && has(0x59, &[253, 1]) && has(0x51, &[0x09, 0x27, 0xc0]));
    assert!(has(0x06, b"intro") && has(0x01, b"Cm"));
    let programs: Vec<u8> = song.tracks[1..]
        .iter()
        .flat_map(|track| track.events.iter().filter_map(|(_, event)| event.event()))
        .filter_map(|event| {
            if let kmidi_core::Event::ProgramChange { program, .. } = event { Some(program) } else { None }
        })
        .collect();
    let given = plan.character.programs;
    assert_eq!(programs, [given.melody, given.chords, given.bass, given.guide_tones]);
}

#[test]
fn the_picture_is_small_and_the_same_each_time() {
    for affect in Affect::all() {
        let score = arrange(&plan(affect, 1));
        let svg = piano_roll(&score, 0..16);
        assert!(svg.len() < 60 * 1024, "{affect}: {} bytes", svg.len());
        assert_eq!(svg, piano_roll(&arrange(&plan(affect, 1)), 0..16));
        let symbol = score.chords[0].1.to_string();
        assert!(svg.contains("intro") && svg.contains("Melody") && svg.contains(&symbol), "{affect}");
    }
}

/// Any section list, too.
fn kinds() -> impl Strategy<Value = SectionKind> {
    prop::sample::select(vec![
        SectionKind::Intro,
        SectionKind::Verse,
        SectionKind::PreChorus,
        SectionKind::Chorus,
        SectionKind::Bridge,
        SectionKind::Breakdown,
        SectionKind::Outro,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_plan_is_arranged_within_its_bounds(
        affect in prop::sample::select(Affect::ALL.to_vec()),
        seed in any::<u64>(),
        bars in 1_u32..40,
        numerator in 1_u8..14,
        denominator_log2 in 1_u8..5,
        complexity in 0.0..=1.0,
        vulnerability in 0.0..=1.0,
        chords_per_bar in prop::sample::select(vec![0.25, 0.5, 1.0, 1.5, 2.0, 4.0]),
        chords in prop::sample::select(vec!["F C", "C", "Cm7b5 F7#9 Bbmaj9 Eb6/9", "C5 Dsus4 G7/B Caug Bdim7", "E7 Am F#m7b5 B7b9 E", "Dbmaj7 Cm(maj7)"]),
        sections in prop::collection::vec((kinds(), 0_u32..12, 0.0..1.4, any::<bool>()), 0..6),
    ) {
        let mut plan = with_chords(plan(affect, seed), chords);
        plan.length_bars = bars;
        plan.meter = Meter { numerator, denominator_log2 };
        plan.complexity = complexity;
        plan.vulnerability = vulnerability;
        plan.progression_given = seed % 2 == 0;
        plan.character.chords_per_bar = chords_per_bar;
        let section = |(kind, bars, tension, contrast)| kmidi_compose::plan::Section { kind, bars, tension, contrast };
        plan.sections = sections.into_iter().map(section).collect();
        check(&plan, &arrange(&plan));
    }
}
