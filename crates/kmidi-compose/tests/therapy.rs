//! Plans: the golden grid, every option, texts of all kinds.
#![forbid(unsafe_code)]

use kmidi_compose::mood::{Affect, AffectModel, Modifier, NamedMood, Opinion, TextError, read};
use kmidi_compose::plan::{HarmonyPlan, PlanOptions, TherapySession, parse_meter};
use kmidi_compose::theory::Scale;

fn session(text: &str) -> TherapySession {
    let mut session = TherapySession::default();
    session.process_core_input(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    session
}

fn chords(plan: &HarmonyPlan) -> String {
    plan.progression.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn affect(text: &str) -> Affect {
    read(text).unwrap_or_else(|error| panic!("{text}: {error}")).primary
}

#[test]
fn golden_grid() {
    let mut session = session("I am furious");
    for (motivation, chaos, tempo_bpm, bars, complexity) in [
        (1.0, 0.0, 110.0, 16, 0.0),
        (3.0, 0.3, 122.0, 16, 0.3),
        (4.0, 0.5, 130.0, 32, 0.5),
        (7.0, 1.0, 150.0, 32, 1.0),
        (8.0, 0.5, 130.0, 64, 0.5),
        (9.0, 0.3, 122.0, 64, 0.4),
        (10.0, 1.0, 150.0, 64, 1.0),
    ] {
        session.set_scales(motivation, chaos);
        let plan = session.generate_plan();
        let got = (plan.mood.primary, plan.key.scale, plan.tempo_bpm, plan.length_bars, plan.complexity);
        assert_eq!(got, (Affect::Rage, Scale::PHRYGIAN, tempo_bpm, bars, complexity), "{motivation} {chaos}");
        assert_eq!(plan.sections.iter().map(|section| section.bars).sum::<u32>(), bars);
    }
}

#[test]
fn golden_plans_of_each_affect() {
    for (text, affect, mode, tempo_bpm, progression) in [
        ("feeling grief and loss", Affect::Grief, "aeolian", 70.0, "Cm Ab Fm Cm"),
        ("furious", Affect::Rage, "phrygian", 130.0, "Cm Db Bbm Cm"),
        ("terrified", Affect::Fear, "phrygian", 130.0, "Cm Db Bbm Cm"),
        ("transcend the infinite", Affect::Awe, "lydian", 90.0, "C D Bm C"),
        ("I remember my childhood", Affect::Nostalgia, "dorian", 100.0, "Cm F Gm Cm"),
        ("numb and unreal", Affect::Dissociation, "locrian", 70.0, "Cdim Dbmaj7 Ebm Cdim"),
        ("confused, spinning", Affect::Confusion, "locrian", 100.0, "Cdim Dbmaj7 Ebm Cdim"),
        ("I refuse, I am strong", Affect::Defiance, "mixolydian", 130.0, "C Bb F C"),
        ("gentle and fragile", Affect::Tenderness, "ionian", 100.0, "C Am F G"),
        ("tables and chairs", Affect::Neutral, "ionian", 100.0, "C Am F G"),
    ] {
        let mut session = session(text);
        session.set_scales(7.0, 0.5);
        let plan = session.generate_plan();
        assert_eq!(plan.mood.primary, affect, "{text}: {:?}", plan.mood.evidence);
        assert_eq!(
            (plan.key.scale.name(), plan.tempo_bpm, plan.length_bars),
            (mode, tempo_bpm, 32),
            "{text}"
        );
        assert_eq!(chords(&plan), progression, "{text}");
        assert_eq!((plan.meter.numerator, plan.meter.denominator()), (4, 4));
    }
}

#[test]
fn scales_are_clamped_and_no_number_leaves_what_was() {
    let mut session = session("furious");
    session.set_scales(99.0, -1.0);
    assert_eq!((session.generate_plan().length_bars, session.generate_plan().tempo_bpm), (64, 110.0));
    session.set_scales(f64::NAN, f64::NAN);
    assert_eq!((session.generate_plan().length_bars, session.generate_plan().tempo_bpm), (64, 110.0));
    session.set_scales(f64::NEG_INFINITY, f64::INFINITY);
    assert_eq!((session.generate_plan().length_bars, session.generate_plan().tempo_bpm), (16, 150.0));
}

#[test]
fn every_option_is_honoured_and_says_so() {
    let mut session = session("grief");
    let options = PlanOptions {
        key: Some("Eb".parse().unwrap()),
        bpm: Some(97.5),
        mode: Some(Scale::DORIAN),
        progression: Some("i IV Bb7 i".parse().unwrap()),
        bars: Some(13),
        meter: Some(parse_meter("6/8").unwrap()),
        seed: Some(7),
    };
    session.set_options(options).unwrap();
    let plan = session.generate_plan();
    assert_eq!((plan.key.to_string(), plan.tempo_bpm, plan.length_bars), ("Eb dorian".to_owned(), 97.5, 13));
    assert_eq!((chords(&plan).as_str(), plan.seed), ("Ebm Ab Bb7 Ebm", 7));
    assert_eq!((plan.meter.numerator, plan.meter.denominator()), (6, 8));
    assert_eq!(plan.sections.iter().map(|section| section.bars).sum::<u32>(), 13);
    let asked = plan.reasons.iter().filter(|reason| reason.because == "as asked").count();
    assert_eq!(asked, 6, "{:#?}", plan.reasons);
    // An option that cannot be met leaves all as they were.
    assert!(session.set_options(PlanOptions { bpm: Some(1e9), ..PlanOptions::default() }).is_err());
    assert_eq!(session.generate_plan(), plan);
}

#[test]
fn progressions_go_with_key_and_mode() {
    let plan = |key: &str, mode| {
        let mut session = session("grief");
        let options = PlanOptions { key: Some(key.parse().unwrap()), mode, ..PlanOptions::default() };
        session.set_options(options).unwrap();
        session.generate_plan()
    };
    assert_eq!(chords(&plan("F#", None)), "F#m D Bm F#m");
    assert_eq!(chords(&plan("Bb major", None)), "Bb Gm Eb Bb");
    assert_eq!(chords(&plan("Bb", Some(Scale::PHRYGIAN))), "Bbm Gb Ebm Bbm");
    assert_eq!(plan("A", None).numerals(), ["i", "VI", "iv", "i"]);
}

#[test]
fn chords_without_a_key_find_theirs() {
    let mut session = session("joy");
    let options = PlanOptions { progression: Some("D G A D".parse().unwrap()), ..PlanOptions::default() };
    session.set_options(options).unwrap();
    assert_eq!(session.generate_plan().key.to_string(), "D ionian");
}

#[test]
fn reasons_are_in_words() {
    let mut session = session("I am so furious, but slightly scared. Not sad.");
    session.set_scales(3.0, 0.3);
    let plan = session.generate_plan();
    let reason = |what: &str| {
        let found = plan.reasons.iter().find(|reason| reason.what.starts_with(what));
        found.unwrap_or_else(|| panic!("{what}: {:#?}", plan.reasons)).because.clone()
    };
    assert_eq!(reason("tempo 122"), "rage begins at 130, chaos 0.30 takes 8 off");
    assert_eq!(reason("16 bars"), "motivation 3 is up to 3");
    assert_eq!(reason("rage"), "`furious` (strengthened by `so`, before `but`)");
    assert!(reason("some fear").starts_with("`scared` (weakened by `slightly`, after `but`)"));
    assert!(reason("`sad`").starts_with("denied"));
    let printed = plan.to_string();
    assert!(printed.starts_with("rage with fear, intensity"), "{printed}");
    assert!(
        printed.contains("C phrygian, 122 bpm, 16 bars of 4/4\nCm Db Bbm Cm   (i II bvii i)\n"),
        "{printed}"
    );
    assert!(printed.contains("tempo 122: rage begins at 130, chaos 0.30 takes 8 off"), "{printed}");
}

#[test]
fn a_plan_is_an_object_with_the_promised_fields() {
    let json = serde_json::to_value(session("I am happy but scared").generate_plan()).unwrap();
    for field in [
        "affect",
        "secondary",
        "intensity",
        "mode",
        "key",
        "tempo_bpm",
        "length_bars",
        "complexity",
        "progression",
        "reasons",
    ] {
        assert!(!json[field].is_null(), "{field} in {json:#}");
    }
    assert_eq!((&json["affect"], &json["secondary"]), (&"fear".into(), &"joy".into()));
    assert_eq!((&json["key"], &json["mode"]), (&"C".into(), &"phrygian".into()));
    assert_eq!(json["meter"], "4/4");
    assert_eq!(json["reasons"][0]["what"], "fear, intensity 0.50");
}

#[test]
fn mixed_feelings_are_weighed() {
    let mood = read("I am happy but scared").unwrap();
    assert_eq!((mood.primary, mood.secondary, mood.blend), (Affect::Fear, Some(Affect::Joy), 0.25));
    let mood = read("although I am happy, I am scared").unwrap();
    assert_eq!((mood.primary, mood.secondary), (Affect::Fear, Some(Affect::Joy)));
    // Alike: the order of feelings decides.
    assert_eq!(read("happy and scared").unwrap().blend, 0.5);
    let (little, much) = (read("slightly sad").unwrap(), read("extremely sad").unwrap());
    assert!(
        little.intensity < read("sad").unwrap().intensity && read("sad").unwrap().intensity < much.intensity
    );
    let plain = session("scared").generate_plan().character;
    let mixed = session("happy and scared").generate_plan().character;
    assert!(mixed.articulation > plain.articulation && mixed.dissonance < plain.dissonance);
}

#[test]
fn denials_wishes_and_the_past() {
    assert_eq!(affect("I have never felt joy"), Affect::Melancholy);
    assert_eq!(affect("no longer afraid"), Affect::Neutral);
    assert_ne!(affect("without hope"), Affect::Hope);
    assert_eq!(affect("it is not that I am not angry"), Affect::Rage);
    assert_eq!(affect("I'm not angry because I love you"), Affect::Love);
    assert_eq!(affect("I can't breathe"), Affect::Fear);
    assert_eq!(affect("never again"), Affect::Grief);
    assert_eq!(affect("I used to be happy"), Affect::Nostalgia);
    assert_eq!(affect("I want to be happy"), Affect::Longing);
    assert_eq!(affect("on my own terms, no more tears"), Affect::Defiance);
    assert_eq!(affect("nothing but love"), Affect::Love);
    assert_eq!(affect("I couldn't be happier"), Affect::Joy);
}

#[test]
fn the_eighteen_moods_are_reached_by_name() {
    for named in NamedMood::all() {
        let plan = session(&format!("I feel {}", named.name)).generate_plan();
        assert_eq!(plan.mood.primary, named.affect, "{}: {:?}", named.name, plan.mood);
        assert_eq!(plan.key.scale, named.modes[0], "{}", named.name);
        let (slowest, fastest) = named.tempo_bpm;
        let mut session = session(named.name);
        session.set_scales(5.0, 0.5);
        let tempo_bpm = session.generate_plan().tempo_bpm;
        assert!((slowest..=fastest).contains(&tempo_bpm), "{}: {tempo_bpm}", named.name);
    }
}

#[test]
fn emoji_are_read_and_unknown_ones_are_told() {
    assert_eq!(affect("😢"), Affect::Grief);
    assert_eq!(affect("😡😡"), Affect::Rage);
    assert_eq!(affect("I ❤️ you"), Affect::Love);
    assert_eq!(affect("💔"), Affect::Grief);
    assert_eq!(affect("😱"), Affect::Fear);
    assert_eq!(affect("😂"), Affect::Joy);
    assert_eq!(affect("🍕"), Affect::Neutral);
    assert_eq!(read("\u{1fabf}\u{1fae8}!"), Err(TextError::NoWords));
}

#[test]
fn texts_that_cannot_be_read_are_refused_with_a_reason() {
    for text in ["", "   \n\t", "\u{3000}"] {
        assert_eq!(read(text), Err(TextError::Empty), "{text:?}");
    }
    assert_eq!(read("12 ... 3.5 !!"), Err(TextError::NoWords));
    assert_eq!(read("je suis triste"), Err(TextError::NotEnglish { language: "French" }));
    assert_eq!(read("私は悲しい"), Err(TextError::NotEnglish { language: "Japanese" }));
    let long = "sad ".repeat(25_000);
    assert_eq!(read(&long), Err(TextError::TooLong { characters: 100_000, most: 20_000 }));
    assert!(read(&long[..20_000]).is_ok());
    let mut session = session("furious");
    assert!(session.process_core_input("  ").is_err());
    let plan = session.generate_plan();
    assert_eq!((plan.mood.primary, plan.key.to_string()), (Affect::Neutral, "C ionian".to_owned()));
    assert_eq!(plan.reasons[0].because, "nothing was said");
}

#[test]
fn the_unknown_is_answered_honestly() {
    let plan = session("tables and chairs").generate_plan();
    assert_eq!((plan.mood.primary, plan.mood.intensity, plan.mood.valence), (Affect::Neutral, 0.0, 0.0));
    assert_eq!(plan.reasons[0].because, "none of 3 words is known to name a feeling");
    let plan = session("a filthy swindle").generate_plan();
    assert_eq!(
        plan.reasons[0].because,
        "`all of it` (no word names a feeling, but it sounds unpleasant: valence -0.53)"
    );
    let plan = session("I am not angry").generate_plan();
    assert_eq!(plan.reasons[0].because, "the only feelings that are named are denied");
}

/// Says the same of each text.
struct Sure(Affect, f64);

impl AffectModel for Sure {
    fn name(&self) -> &str {
        "a model"
    }

    fn opinion(&self, text: &str) -> Option<Opinion> {
        (text != "silence").then_some(Opinion {
            affect: self.0,
            intensity: 0.8,
            confidence: self.1,
            place: None,
        })
    }
}

#[test]
fn a_model_decides_only_what_the_words_leave_open() {
    let with = |text: &str, model: Sure| {
        let mut session = TherapySession::default();
        session.set_model(Box::new(model));
        session.process_core_input(text).cloned()
    };
    let mood = with("tables and chairs", Sure(Affect::Joy, 0.6)).unwrap();
    assert_eq!((mood.primary, mood.intensity, mood.model.as_deref()), (Affect::Joy, 0.8, Some("a model")));
    assert_eq!(with("tables and chairs", Sure(Affect::Joy, 0.4)).unwrap().primary, Affect::Neutral);
    // Two that weigh the same: which of them is first is open, but not what they are.
    let mood = with("happy and scared", Sure(Affect::Joy, 0.9)).unwrap();
    assert_eq!((mood.primary, mood.secondary), (Affect::Joy, Some(Affect::Fear)));
    let mood = with("happy and scared", Sure(Affect::Rage, 0.9)).unwrap();
    assert_eq!((mood.primary, mood.secondary, mood.model), (Affect::Fear, Some(Affect::Joy), None));
    // One that weighs more.
    let mood = with("very happy and scared", Sure(Affect::Fear, 1.0)).unwrap();
    assert_eq!((mood.primary, mood.model), (Affect::Joy, None));
    // What only sounds unpleasant, and what is only denied, names nothing.
    assert_eq!(with("a filthy swindle", Sure(Affect::Rage, 0.6)).unwrap().primary, Affect::Rage);
    assert_eq!(with("I am not happy", Sure(Affect::Grief, 0.6)).unwrap().primary, Affect::Grief);
    assert_eq!(with("I am not happy", Sure(Affect::Grief, 0.4)).unwrap().primary, Affect::Melancholy);
    let mood = with("happy", Sure(Affect::Rage, 0.9)).unwrap();
    assert_eq!((mood.primary, mood.model), (Affect::Joy, None));
    assert_eq!(with("je suis triste", Sure(Affect::Grief, 0.9)).unwrap().primary, Affect::Grief);
    assert_eq!(
        with("je suis triste", Sure(Affect::Grief, f64::NAN)),
        Err(TextError::NotEnglish { language: "French" })
    );
    assert_eq!(with("", Sure(Affect::Grief, 1.0)), Err(TextError::Empty));
    let mut session = TherapySession::default();
    session.set_model(Box::new(Sure(Affect::Joy, 0.6)));
    session.process_core_input("tables").unwrap();
    assert_eq!(session.generate_plan().reasons[0].because, "a model is sure of it");
}

#[test]
fn a_modifier_changes_a_plan_and_says_so() {
    let plan = session("grief").generate_plan();
    let released = plan.clone().with(Modifier::CatharticRelease);
    assert_eq!(released.tempo_bpm, plan.tempo_bpm + 10.0);
    assert_eq!(released.reasons.last().unwrap().because, "cathartic_release came over it");
}
