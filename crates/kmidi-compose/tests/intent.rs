//! Intents as music: what was asked for is there, and a rule that is broken in the plan is heard in the notes.

mod intents;

use std::collections::{BTreeMap, BTreeSet};

use intents::{intent, with_rule};
use kmidi_compose::intent::{
    Genre, Imagery, Intent, IntentError, MoodName, NarrativeArc, Processed, Rule, process, validate,
};
use kmidi_compose::theory::{Chord, Key};
use kmidi_compose::{Part, Score};
use kmidi_core::Ticks;
use kmidi_song::{Note, Song};

const SEED: u64 = 3;

fn processed(intent: &Intent) -> Processed {
    process(intent, SEED).unwrap_or_else(|error| panic!("{error}: {intent:?}"))
}

/// What no song may have.
fn faults(score: &Score) -> Vec<String> {
    let mut faults = vec![];
    let mut keys: BTreeMap<(u8, u8), Vec<&Note>> = BTreeMap::new();
    for note in score.parts.iter().flat_map(|part| &part.notes) {
        let inside = Ticks(0) <= note.start && note.start < note.end && note.end <= score.end;
        if !inside || !(1..=127).contains(&note.velocity) || note.key > 127 {
            faults.push(format!("{note:?}"));
        }
        keys.entry((note.channel, note.key)).or_default().push(note);
    }
    for notes in keys.values_mut() {
        notes.sort_by_key(|note| note.start);
        let overlaps = notes.windows(2).filter(|pair| pair[1].start < pair[0].end);
        faults.extend(overlaps.map(|pair| format!("overlap: {pair:?}")));
    }
    faults
}

#[test]
fn every_mood_breaks_every_rule_and_the_notes_stay_whole() {
    for mood in MoodName::ALL {
        let plain = processed(&intent(*mood));
        assert_eq!(faults(&plain.score), [""; 0], "{mood}");
        for rule in Rule::ALL {
            let broken = processed(&with_rule(*mood, *rule));
            assert_eq!(faults(&broken.score), [""; 0], "{mood}, {rule}");
            assert_ne!(plain.score, broken.score, "{mood}, {rule}");
            let length = broken.score.end == plain.score.end;
            assert_eq!(length, *rule != Rule::DroppedBeats, "{mood}, {rule}");
            let bytes = broken.score.to_song().to_smf().expect("a file");
            let (_, warnings) = Song::from_smf(&bytes).expect("a song");
            assert_eq!(warnings.total(), 0, "{mood}, {rule}");
            assert!(broken.rule.is_some_and(|it| !it.done.is_empty() && !it.justification.is_empty()));
        }
    }
}

fn is_tonic(chord: &Chord, key: Key) -> bool {
    chord.root().pitch_class() == key.tonic.pitch_class()
}

/// The last chord of each four bars, and of the song.
fn phrase_ends(score: &Score) -> Vec<Chord> {
    let phrase = 4 * 4 * 480;
    let ends = (1..).map(|n| n * phrase).take_while(|end| *end <= score.end.0);
    let last = |end: i64| score.chords.iter().rev().find(|(tick, _)| tick.0 < end).map(|(_, chord)| *chord);
    ends.filter_map(last).collect()
}

#[test]
fn without_tonic_resolution_no_phrase_ends_at_home() {
    let mut at_home = 0;
    for mood in MoodName::ALL {
        let plain = processed(&intent(*mood));
        at_home += phrase_ends(&plain.score).iter().filter(|chord| is_tonic(chord, plain.plan.key)).count();
        let Processed { plan, score, .. } = processed(&with_rule(*mood, Rule::AvoidTonicResolution));
        let ends = phrase_ends(&score);
        assert!(!ends.is_empty());
        assert!(ends.iter().all(|chord| !is_tonic(chord, plan.key)), "{mood}: {ends:?}");
    }
    assert!(at_home >= 18, "the others do come home: {at_home}");
}

#[test]
fn an_interchanged_chord_is_of_the_parallel_mode_and_not_of_the_key() {
    for mood in MoodName::ALL {
        let before: BTreeSet<String> = chords(&processed(&intent(*mood)));
        let Processed { plan, score, .. } = processed(&with_rule(*mood, Rule::ModalInterchange));
        let new: Vec<String> = chords(&score).difference(&before).cloned().collect();
        assert!(!new.is_empty(), "{mood}");
        let (key, parallel) = (plan.key.seven_tones(), plan.key.seven_tones().parallel());
        for symbol in new {
            let chord: Chord = symbol.parse().expect("a chord");
            assert!(parallel.pitch_classes().contains_all(chord.pitch_classes()), "{mood}: {symbol}");
            assert!(!key.pitch_classes().contains_all(chord.pitch_classes()), "{mood}: {symbol}");
        }
    }

    fn chords(of: &impl Chords) -> BTreeSet<String> {
        of.chords().iter().map(|(_, chord)| chord.to_string()).collect()
    }
    trait Chords {
        fn chords(&self) -> &[(Ticks, Chord)];
    }
    impl Chords for Score {
        fn chords(&self) -> &[(Ticks, Chord)] {
            &self.chords
        }
    }
    impl Chords for Processed {
        fn chords(&self) -> &[(Ticks, Chord)] {
            &self.score.chords
        }
    }
}

#[test]
fn a_tritone_substitute_shares_the_tritone_of_the_dominant() {
    for mood in MoodName::ALL {
        let Processed { plan, score, .. } = processed(&with_rule(*mood, Rule::TritoneSubstitution));
        let tonic = plan.key.tonic.pitch_class();
        let substitute = score
            .chords
            .iter()
            .map(|(_, chord)| *chord)
            .find(|chord| chord.root().pitch_class() == tonic.transposed(1) && chord.is_dominant());
        let substitute = substitute.unwrap_or_else(|| panic!("{mood}: {:?}", score.chords));
        // Its third and seventh are the seventh and third of V7.
        let classes = substitute.pitch_classes();
        assert!(
            classes.contains(tonic.transposed(5)) && classes.contains(tonic.transposed(11)),
            "{substitute}"
        );
        let dominant =
            score.chords.iter().any(|(_, chord)| chord.root().pitch_class() == tonic.transposed(7));
        assert!(!dominant, "{mood}: {:?}", score.chords);
    }
}

#[test]
fn a_mismatched_structure_is_heard_backwards() {
    for mood in MoodName::ALL {
        let kinds = |processed: &Processed| -> Vec<(String, u32)> {
            processed.plan.sections.iter().map(|it| (it.kind.to_string(), it.bars)).collect()
        };
        let (plain, broken) =
            (processed(&intent(*mood)), processed(&with_rule(*mood, Rule::StructuralMismatch)));
        let mut reversed = kinds(&plain);
        reversed.reverse();
        assert_eq!(kinds(&broken), reversed, "{mood}");
        assert_ne!(plain.score.markers, broken.score.markers, "{mood}");
    }
}

/// Loudness that is struck in a stretch of bars of 4/4, by the bar: velocities added up.
fn force(score: &Score, bars: std::ops::Range<u32>) -> f64 {
    let ticks = i64::from(bars.start) * 1920..i64::from(bars.end) * 1920;
    let notes = score.parts.iter().flat_map(|part| &part.notes).filter(|note| ticks.contains(&note.start.0));
    notes.map(|note| f64::from(note.velocity)).sum::<f64>() / f64::from(bars.end - bars.start)
}

/// Mean velocity in a stretch of bars of 4/4.
fn loudness(score: &Score, bars: std::ops::Range<u32>) -> f64 {
    let ticks = i64::from(bars.start) * 1920..i64::from(bars.end) * 1920;
    let notes = score.parts.iter().flat_map(|part| &part.notes).filter(|note| ticks.contains(&note.start.0));
    let velocities: Vec<f64> = notes.map(|note| f64::from(note.velocity)).collect();
    velocities.iter().sum::<f64>() / velocities.len().max(1) as f64
}

#[test]
fn a_premature_climax_is_the_loudest_section_and_comes_first() {
    let first_is_loudest = |processed: &Processed| {
        let mut start = 0;
        let mut of_sections = vec![];
        for section in &processed.plan.sections {
            of_sections.push(loudness(&processed.score, start..start + section.bars));
            start += section.bars;
        }
        of_sections[1..].iter().all(|other| *other < of_sections[0])
    };
    let mut without = 0;
    for mood in MoodName::ALL {
        without += usize::from(first_is_loudest(&processed(&intent(*mood))));
        let broken = processed(&with_rule(*mood, Rule::PrematureClimax));
        assert!(first_is_loudest(&broken), "{mood}: {:?}", broken.plan.sections);
    }
    assert!(without < 6, "elsewhere it mostly does not: {without} of 18");
}

#[test]
fn tempo_key_mode_and_title_are_as_asked() {
    for mood in MoodName::ALL {
        let mut asked = intent(*mood);
        asked.phase_2.tempo_range_bpm = Some([61.0, 64.0]);
        asked.phase_2.key = "F#".to_owned();
        asked.phase_2.mode = "dorian".to_owned();
        let Processed { title, plan, score, .. } = processed(&asked);
        assert!((61.0..=64.0).contains(&plan.tempo_bpm), "{mood}: {}", plan.tempo_bpm);
        assert_eq!(score.tempos[0], (Ticks(0), plan.tempo_bpm));
        assert_eq!(plan.key, "F# dorian".parse().expect("a key"));
        assert_eq!((title.as_str(), score.title.as_str()), ("Harbour", "Harbour"));
        asked.phase_2.mode.clear();
        asked.phase_2.key = "Bb minor".to_owned();
        assert_eq!(processed(&asked).plan.key, "Bbm".parse().expect("a key"));
    }
}

#[test]
fn what_is_left_open_follows_the_mood() {
    for mood in MoodName::ALL {
        let mut asked = intent(*mood);
        let shade = mood.shade();
        for tension in [0.0, 0.4, 1.0] {
            asked.phase_1.tension = tension;
            let plan = processed(&asked).plan;
            let (low, high) = shade.tempo_bpm;
            assert!((low..=high).contains(&plan.tempo_bpm), "{mood}: {}", plan.tempo_bpm);
            assert!(shade.modes.contains(&plan.key.scale), "{mood}: {}", plan.key);
            assert_eq!(plan.mood.primary, shade.affect);
        }
    }
    let differ: BTreeSet<String> =
        MoodName::ALL.iter().map(|mood| format!("{:?}", processed(&intent(*mood)).score)).collect();
    assert_eq!(differ.len(), 18);
}

#[test]
fn an_arc_is_heard() {
    let quarters = |arc: NarrativeArc| -> Vec<f64> {
        let mut asked = intent(MoodName::Determination);
        asked.phase_1.narrative_arc = arc.name().to_owned();
        let Processed { plan, score, .. } = processed(&asked);
        let bars = plan.length_bars;
        (0..4).map(|n| force(&score, n * bars / 4..(n + 1) * bars / 4)).collect()
    };
    let climb = quarters(NarrativeArc::ClimbToClimax);
    assert!(climb[3] > 1.3 * climb[0] && climb[2] > climb[0], "{climb:?}");
    let descent = quarters(NarrativeArc::Descent);
    assert!(descent[0] > descent[3] && descent[1] > descent[3], "{descent:?}");
    let shift = quarters(NarrativeArc::SuddenShift);
    assert!(shift[2].max(shift[3]) > 1.3 * shift[1], "{shift:?}");
    let fall = quarters(NarrativeArc::RiseAndFall);
    assert!(fall[1].max(fall[2]) > fall[3], "{fall:?}");
}

#[test]
fn a_genre_has_its_instruments_and_an_image_its_sound() {
    for genre in Genre::ALL {
        let mut asked = intent(MoodName::Joy);
        asked.phase_2.genre = genre.name().to_owned();
        let Processed { plan, score, .. } = processed(&asked);
        let program = |name: &str| score.part(name).and_then(|part| part.program);
        assert_eq!(program("Bass"), Some(plan.character.programs.bass), "{genre}");
        assert_eq!(program("Melody"), Some(plan.character.programs.melody), "{genre}");
    }
    let with = |imagery: Imagery| {
        let mut asked = intent(MoodName::Longing);
        asked.phase_1.imagery = imagery.name().to_owned();
        processed(&asked).score
    };
    let mean_key = |score: &Score| {
        let melody: &Part = score.part("Melody").expect("a melody");
        melody.notes.iter().map(|note| f64::from(note.key)).sum::<f64>() / melody.notes.len() as f64
    };
    let all = |score: &Score| loudness(score, 0..(score.end.0 / 1920) as u32);
    let (light, shadow) = (with(Imagery::BlindingLight), with(Imagery::DeepShadow));
    assert!(mean_key(&light) > mean_key(&shadow) + 6.0);
    assert!(all(&light) > all(&shadow) + 8.0);
}

#[test]
fn the_same_intent_and_seed_give_the_same_bytes_and_another_seed_others() {
    for rule in [Rule::PitchImperfection, Rule::UnresolvedDissonance] {
        let bytes = |seed| {
            let processed = process(&with_rule(MoodName::Longing, rule), seed).expect("a song");
            processed.score.to_song().to_smf().expect("a file")
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }
}

#[test]
fn what_is_told_is_what_was_done() {
    let mut asked = with_rule(MoodName::Bittersweet, Rule::DroppedBeats);
    asked.phase_2.genre = "Dream Pop".to_owned();
    let processed = processed(&asked);
    let text = processed.to_string();
    for word in ["Harbour", "RHYTHM_DroppedBeats", "a beat short", "Dream Pop", "Melody", "tempo"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let json = serde_json::to_value(&processed).expect("it can be written");
    assert_eq!(json["rule"]["rule"], "RHYTHM_DroppedBeats");
    assert_eq!(json["plan"]["affect"], "nostalgia");
    assert_eq!(json["title"], "Harbour");
    assert!(json["score"].as_array().is_some_and(|parts| parts.len() >= 3));
    assert!(json["plan"]["reasons"].to_string().contains("a beat short"));
}

#[test]
fn an_intent_that_is_not_complete_makes_no_music() {
    let Err(IntentError::Problems(problems)) = process(&Intent::template("x"), SEED) else {
        panic!("no music")
    };
    assert_eq!(problems.len(), 3);
    let mut words = intent(MoodName::Rage);
    words.phase_0.event = "🔥🔥🔥".to_owned();
    words.phase_0.longing = "静けさ".to_owned();
    assert!(validate(&words).valid);
    assert_eq!(processed(&words).plan.mood.primary.name(), "rage");
}

mod any {
    use kmidi_compose::intent::{Feel, Genre, Imagery, Intent, MoodName, NarrativeArc, Rule, Vulnerability};
    use proptest::prelude::*;

    use super::{faults, intents, process};

    fn word<T: Copy + std::fmt::Debug + 'static>(
        all: &'static [T],
        name: fn(T) -> &'static str,
    ) -> impl Strategy<Value = String> {
        let none = Just(String::new());
        prop_oneof![1 => none, 4 => prop::sample::select(all).prop_map(move |it| name(it).to_owned())]
    }

    prop_compose! {
        fn complete()(
            mood in prop::sample::select(MoodName::ALL),
            rule in prop::sample::select(Rule::ALL),
            genre in word(Genre::ALL, Genre::name),
            feel in word(Feel::ALL, Feel::name),
            imagery in word(Imagery::ALL, Imagery::name),
            arc in word(NarrativeArc::ALL, NarrativeArc::name),
            vulnerability in word(Vulnerability::ALL, Vulnerability::name),
            tension in 0..=100u32,
            low in 20..=400u32,
            key in prop::sample::select(&["", "C", "F#", "Bbm", "Db lydian", "A harmonic minor", "G blues"][..]),
        ) -> Intent {
            let mut intent = intents::with_rule(mood, rule);
            intent.phase_1.tension = f64::from(tension) / 100.0;
            intent.phase_1.imagery = imagery;
            intent.phase_1.narrative_arc = arc;
            intent.phase_1.vulnerability = vulnerability;
            intent.phase_2.genre = genre;
            intent.phase_2.groove_feel = feel;
            intent.phase_2.key = key.to_owned();
            intent.phase_2.tempo_range_bpm = Some([low.into(), 400.0]);
            intent
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn whatever_is_chosen_becomes_a_song_and_survives_its_file(intent in complete(), seed in any::<u64>()) {
            prop_assert_eq!(Intent::from_json(intent.to_json().as_bytes()), Ok(intent.clone()));
            let processed = process(&intent, seed).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(faults(&processed.score), [""; 0]);
            prop_assert!(processed.score.to_song().to_smf().is_ok());
        }

        #[test]
        fn no_bytes_are_a_danger(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
            let _ = Intent::from_json(&bytes);
            let _ = Intent::from_json(text.as_bytes());
            let mut intent = Intent::template(&text);
            intent.phase_1.mood_primary = text.clone();
            intent.phase_2.key = text.clone();
            intent.phase_2.mode = text.clone();
            intent.phase_2.rule = text;
            let _ = kmidi_compose::intent::validate(&intent).to_string();
        }
    }
}
