//! All that is wrong with an intent, at once, each with the next step.

use super::problem::{Problem, Severity, Validation};
use super::rule::Rule;
use super::schema::{Intent, IntentError, MAX_FIELD_CHARS, question};
use super::vocabulary::{Feel, Genre, Imagery, MoodName, NarrativeArc, Stakes, Vulnerability};
use crate::plan::KeyChoice;
use crate::theory::{Scale, nearest, shortened};

/// Slowest and fastest tempo that there can be, in quarter notes a minute.
pub const TEMPO_LIMITS_BPM: [f64; 2] = [20.0, 400.0];

/// An intent whose words are understood. What is `None` was left to the mood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Understood {
    pub mood: MoodName,
    pub tension: f64,
    pub imagery: Option<Imagery>,
    pub vulnerability: Vulnerability,
    pub arc: Option<NarrativeArc>,
    pub genre: Option<Genre>,
    pub tempo_bpm: Option<[f64; 2]>,
    pub key: Option<KeyChoice>,
    pub mode: Option<Scale>,
    pub feel: Option<Feel>,
    pub rule: Option<Rule>,
}

/// Says all that is wrong with an intent.
pub fn validate(intent: &Intent) -> Validation {
    let mut reading = Reading::default();
    let understood = reading.all(intent);
    let mut problems = reading.problems;
    problems.sort_by_key(|problem| problem.severity);
    Validation { valid: understood.is_some(), problems }
}

/// What else is wrong with an intent of which some fields hold what they cannot: nothing is said of those twice.
pub(super) fn beside(intent: &Intent, told: &[Problem]) -> Vec<Problem> {
    let is_told = |problem: &Problem| {
        let inside =
            |field: &str| problem.field.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
        told.iter().any(|it| it.field == problem.field || !it.field.is_empty() && inside(&it.field))
    };
    validate(intent).problems.into_iter().filter(|problem| !is_told(problem)).collect()
}

/// The intent, if music can be made of it; the errors otherwise.
pub(super) fn understand(intent: &Intent) -> Result<Understood, IntentError> {
    let mut reading = Reading::default();
    let understood = reading.all(intent);
    understood.ok_or(IntentError::Problems(reading.problems))
}

#[derive(Default)]
struct Reading {
    problems: Vec<Problem>,
}

impl Reading {
    fn all(&mut self, intent: &Intent) -> Option<Understood> {
        self.texts(intent);
        let mood =
            self.word("phase_1.mood_primary", &intent.phase_1.mood_primary, MoodName::ALL, MoodName::name);
        self.word("phase_0.stakes", &intent.phase_0.stakes, Stakes::ALL, Stakes::name);
        let tension = self.tension(intent.phase_1.tension);
        let imagery = self.word("phase_1.imagery", &intent.phase_1.imagery, Imagery::ALL, Imagery::name);
        let all = Vulnerability::ALL;
        let vulnerability =
            self.word("phase_1.vulnerability", &intent.phase_1.vulnerability, all, Vulnerability::name);
        let arc = self.word(
            "phase_1.narrative_arc",
            &intent.phase_1.narrative_arc,
            NarrativeArc::ALL,
            NarrativeArc::name,
        );
        let genre = self.word("phase_2.genre", &intent.phase_2.genre, Genre::ALL, Genre::name);
        let tempo_bpm = self.tempo(intent.phase_2.tempo_range_bpm, mood);
        let (key, mode) = self.key(&intent.phase_2.key, &intent.phase_2.mode);
        let feel = self.word("phase_2.groove_feel", &intent.phase_2.groove_feel, Feel::ALL, Feel::name);
        let rule = self.rule(&intent.phase_2.rule, &intent.phase_2.justification);
        if let Some(tension) = tension {
            self.contradictions(tension, vulnerability, arc);
        }
        let valid = self.problems.iter().all(|problem| problem.severity != Severity::Error);
        let (true, Some(mood), Some(tension)) = (valid, mood, tension) else { return None };
        let vulnerability = vulnerability.unwrap_or(Vulnerability::Medium);
        Some(Understood {
            mood,
            tension,
            imagery,
            vulnerability,
            arc,
            genre,
            tempo_bpm,
            key,
            mode,
            feel,
            rule,
        })
    }

    fn error(&mut self, field: &str, problem: &str, next_step: &str) {
        self.problems.push(Problem::error(field, problem, next_step));
    }

    fn warning(&mut self, field: &str, problem: &str, next_step: &str) {
        self.problems.push(Problem::warning(field, problem, next_step));
    }

    /// Texts that must be there, and the length of all that are free.
    fn texts(&mut self, intent: &Intent) {
        let root = &intent.phase_0;
        for (field, text) in [
            ("phase_0.event", &root.event),
            ("phase_0.longing", &root.longing),
            ("phase_1.mood_primary", &intent.phase_1.mood_primary),
        ] {
            if text.trim().is_empty() {
                self.error(field, "is missing", question(field));
            }
        }
        for (field, text) in [
            ("title", &intent.title),
            ("phase_0.event", &root.event),
            ("phase_0.resistance", &root.resistance),
            ("phase_0.longing", &root.longing),
            ("phase_0.transformation", &root.transformation),
            ("phase_2.justification", &intent.phase_2.justification),
        ] {
            if text.chars().nth(MAX_FIELD_CHARS).is_some() {
                let problem = format!("has more than {MAX_FIELD_CHARS} characters");
                self.error(field, &problem, "say it shorter");
            }
        }
    }

    /// The value of a list that is named; `None` where nothing is said, and an error where it is in no list.
    fn word<T: Copy>(
        &mut self,
        field: &str,
        said: &str,
        list: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        if said.trim().is_empty() {
            return None;
        }
        let found = list.iter().copied().find(|value| super::names::same(name(*value), said));
        if found.is_none() {
            let names: Vec<&str> = list.iter().map(|value| name(*value)).collect();
            self.unknown(field, said, &names);
        }
        found
    }

    fn unknown(&mut self, field: &str, said: &str, names: &[&str]) {
        let meant = nearest(said, names.iter().copied());
        let meant = meant.map_or(String::new(), |name| format!("did you mean \"{name}\"? "));
        let next = format!("{meant}there are {}", names.join(", "));
        self.error(field, &format!("cannot be \"{}\"", shortened(said)), &next);
    }

    fn tension(&mut self, tension: f64) -> Option<f64> {
        if (0.0..=1.0).contains(&tension) {
            return Some(tension);
        }
        self.error("phase_1.tension", &format!("cannot be {tension}"), "choose a number from 0 to 1");
        None
    }

    fn tempo(&mut self, range: Option<[f64; 2]>, mood: Option<MoodName>) -> Option<[f64; 2]> {
        const FIELD: &str = "phase_2.tempo_range_bpm";
        let [low, high] = range?;
        let [least, most] = TEMPO_LIMITS_BPM;
        if ![low, high].iter().all(|bpm| (least..=most).contains(bpm)) {
            let problem = format!("cannot be [{low}, {high}]");
            self.error(FIELD, &problem, &format!("choose two numbers from {least} to {most}"));
            return None;
        }
        if low > high {
            let next = format!("write the slower tempo first: [{high}, {low}]");
            self.error(FIELD, &format!("goes from {low} down to {high}"), &next);
            return None;
        }
        if let Some(mood) = mood {
            let (slowest, fastest) = mood.shade().tempo_bpm;
            if high < slowest || low > fastest {
                let next =
                    format!("{mood} is mostly between {slowest} and {fastest}; keep it if you mean it");
                self.warning(FIELD, &format!("is far from {mood}"), &next);
            }
        }
        Some([low, high])
    }

    fn key(&mut self, key: &str, mode: &str) -> (Option<KeyChoice>, Option<Scale>) {
        const KEY: &str = "phase_2.key";
        const MODE: &str = "phase_2.mode";
        let (key, mode) = (key.trim(), mode.trim());
        let mut choice: Option<KeyChoice> = None;
        if !key.is_empty() {
            choice = key.parse().ok();
            if choice.is_none() {
                let problem = format!("cannot be \"{}\"", shortened(key));
                self.error(
                    KEY,
                    &problem,
                    "write a note name, and a mode if you like: C, F# minor, Eb dorian",
                );
            }
        }
        let mut scale = None;
        if !mode.is_empty() {
            scale = Scale::named(mode);
            if scale.is_none() {
                let names: Vec<&str> = MODES.to_vec();
                self.unknown(MODE, mode, &names);
            }
        }
        if let (Some(KeyChoice { scale: Some(said), .. }), Some(mode)) = (choice, scale)
            && said != mode
        {
            let problem = format!("is {}, and phase_2.key says {}", mode.name(), said.name());
            self.warning(MODE, &problem, "phase_2.mode is followed; leave one of them out");
        }
        (choice, scale)
    }

    fn rule(&mut self, rule: &str, justification: &str) -> Option<Rule> {
        let justified = !justification.trim().is_empty();
        if rule.trim().is_empty() {
            if justified {
                let next =
                    "name the rule, or leave the justification out; `kmidi intent suggest MOOD` names some";
                self.warning("phase_2.justification", "is for no rule", next);
            }
            return None;
        }
        let found = Rule::find(rule);
        match found {
            None => {
                // A name is typed with its category or without.
                let short = nearest(rule, Rule::ALL.iter().map(|rule| rule.short()));
                let short = short.and_then(Rule::find).map(Rule::name);
                let meant = short.or_else(|| nearest(rule, Rule::ALL.iter().map(|rule| rule.name())));
                let meant = meant.map_or(String::new(), |name| format!("did you mean \"{name}\"? "));
                let next = format!("{meant}`kmidi intent list rules` has all 21");
                self.error("phase_2.rule", &format!("cannot be \"{}\"", shortened(rule)), &next);
            }
            Some(rule) if !justified => {
                let next = format!("say why the song breaks it; it makes for {}", rule.feeling());
                self.error("phase_2.justification", &format!("is missing for {rule}"), &next);
            }
            Some(_) => {}
        }
        found
    }

    fn contradictions(&mut self, tension: f64, open: Option<Vulnerability>, arc: Option<NarrativeArc>) {
        const TENSION: &str = "phase_1.tension";
        if open == Some(Vulnerability::High) && tension < 0.3 {
            let problem = format!("is {tension}, and vulnerability is High");
            self.warning(TENSION, &problem, "to show oneself is seldom without tension: try 0.3 or more");
        }
        let Some(arc) = arc else { return };
        let (least, most) = match arc {
            NarrativeArc::StaticReflection => (0.0, 0.7),
            NarrativeArc::ClimbToClimax | NarrativeArc::RiseAndFall => (0.2, 1.0),
            NarrativeArc::SuddenShift | NarrativeArc::Spiral => (0.3, 1.0),
            NarrativeArc::SlowReveal | NarrativeArc::RepetitiveDespair | NarrativeArc::Descent => (0.1, 1.0),
        };
        if tension < least {
            let problem = format!("is {tension}, and the arc is {arc}");
            self.warning(TENSION, &problem, &format!("it then {}; try {least} or more", arc.meaning()));
        } else if tension > most {
            let problem = format!("is {tension}, and the arc is {arc}");
            self.warning(TENSION, &problem, &format!("it then {}; try {most} or less", arc.meaning()));
        }
    }
}

/// The modes that an unknown one is compared with; a scale of any other name is taken too.
const MODES: [&str; 9] = [
    "ionian",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "aeolian",
    "locrian",
    "harmonic minor",
    "melodic minor",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Intent {
        let mut intent = Intent::template("Harbour");
        intent.phase_0.event = "The boat left without me".to_owned();
        intent.phase_0.longing = "To be missed".to_owned();
        intent.phase_1.mood_primary = "Longing".to_owned();
        intent
    }

    /// Severity and field of what is wrong after a change to a complete intent.
    fn found(change: impl FnOnce(&mut Intent)) -> Vec<(Severity, String)> {
        let mut intent = complete();
        change(&mut intent);
        let validation = validate(&intent);
        assert_eq!(validation.valid, understand(&intent).is_ok());
        let errors = validation.problems.iter().filter(|problem| problem.severity == Severity::Error);
        assert_eq!(validation.valid, errors.count() == 0);
        assert!(validation.problems.iter().all(|problem| !problem.next_step.is_empty()));
        validation.problems.into_iter().map(|problem| (problem.severity, problem.field)).collect()
    }

    fn error(field: &str) -> (Severity, String) {
        (Severity::Error, field.to_owned())
    }

    fn warning(field: &str) -> (Severity, String) {
        (Severity::Warning, field.to_owned())
    }

    #[test]
    fn a_complete_intent_has_no_problems_and_an_empty_one_three() {
        assert_eq!(found(|_| {}), []);
        let empty = found(|intent| *intent = Intent::template(""));
        assert_eq!(empty, [error("phase_0.event"), error("phase_0.longing"), error("phase_1.mood_primary")]);
        assert_eq!(found(|intent| intent.phase_0.event = " \n".to_owned()), [error("phase_0.event")]);
    }

    #[test]
    fn every_closed_list_is_checked() {
        let wrong = || "Sprightly".to_owned();
        assert_eq!(found(|it| it.phase_0.stakes = wrong()), [error("phase_0.stakes")]);
        assert_eq!(found(|it| it.phase_1.mood_primary = wrong()), [error("phase_1.mood_primary")]);
        assert_eq!(found(|it| it.phase_1.imagery = wrong()), [error("phase_1.imagery")]);
        assert_eq!(found(|it| it.phase_1.vulnerability = wrong()), [error("phase_1.vulnerability")]);
        assert_eq!(found(|it| it.phase_1.narrative_arc = wrong()), [error("phase_1.narrative_arc")]);
        assert_eq!(found(|it| it.phase_2.genre = wrong()), [error("phase_2.genre")]);
        assert_eq!(found(|it| it.phase_2.groove_feel = wrong()), [error("phase_2.groove_feel")]);
        assert_eq!(found(|it| it.phase_2.mode = wrong()), [error("phase_2.mode")]);
        assert_eq!(found(|it| it.phase_2.key = "H".to_owned()), [error("phase_2.key")]);
        assert_eq!(found(|it| it.phase_2.rule = wrong()), [error("phase_2.rule")]);
        let right = |it: &mut Intent| {
            it.phase_0.stakes = "survival".to_owned();
            it.phase_1.imagery = "hazy dreamy".to_owned();
            it.phase_1.vulnerability = "low".to_owned();
            it.phase_1.narrative_arc = "slow-reveal".to_owned();
            it.phase_2.genre = "R&B".to_owned();
            it.phase_2.groove_feel = "laid back".to_owned();
            it.phase_2.key = "F#".to_owned();
            it.phase_2.mode = "dorian".to_owned();
        };
        assert_eq!(found(right), []);
    }

    #[test]
    fn numbers_must_be_numbers_in_their_ranges_and_order() {
        for tension in [f64::NAN, f64::INFINITY, -0.01, 1.01] {
            assert_eq!(found(|it| it.phase_1.tension = tension), [error("phase_1.tension")]);
        }
        for tension in [0.0, 1.0] {
            assert_eq!(found(|it| it.phase_1.tension = tension), []);
        }
        for range in [[90.0, 60.0], [0.0, 90.0], [f64::NAN, 90.0], [60.0, 401.0], [60.0, f64::INFINITY]] {
            let problems = found(|it| it.phase_2.tempo_range_bpm = Some(range));
            assert_eq!(problems, [error("phase_2.tempo_range_bpm")], "{range:?}");
        }
        assert_eq!(found(|it| it.phase_2.tempo_range_bpm = Some([70.0, 70.0])), []);
        let far = found(|it| it.phase_2.tempo_range_bpm = Some([160.0, 180.0]));
        assert_eq!(far, [warning("phase_2.tempo_range_bpm")]);
    }

    #[test]
    fn a_rule_needs_its_justification_and_a_justification_its_rule() {
        let rule = |it: &mut Intent| it.phase_2.rule = "DroppedBeats".to_owned();
        assert_eq!(found(rule), [error("phase_2.justification")]);
        let why = |it: &mut Intent| it.phase_2.justification = "because".to_owned();
        assert_eq!(found(why), [warning("phase_2.justification")]);
        let both = |it: &mut Intent| {
            rule(it);
            why(it);
        };
        assert_eq!(found(both), []);
    }

    #[test]
    fn contradictions_are_warnings() {
        let open = |it: &mut Intent| {
            it.phase_1.vulnerability = "High".to_owned();
            it.phase_1.tension = 0.2;
        };
        assert_eq!(found(open), [warning("phase_1.tension")]);
        for (arc, tension, wrong) in [
            ("Static Reflection", 0.9, true),
            ("Static Reflection", 0.3, false),
            ("Sudden Shift", 0.1, true),
            ("Spiral", 0.5, false),
            ("Climb-to-Climax", 0.1, true),
        ] {
            let problems = found(|it| {
                it.phase_1.narrative_arc = arc.to_owned();
                it.phase_1.tension = tension;
            });
            assert_eq!(problems.len(), usize::from(wrong), "{arc} {tension}");
        }
        let twice = |it: &mut Intent| {
            it.phase_2.key = "Eb major".to_owned();
            it.phase_2.mode = "dorian".to_owned();
        };
        assert_eq!(found(twice), [warning("phase_2.mode")]);
    }

    #[test]
    fn all_problems_come_at_once_and_errors_first() {
        let mut intent = Intent::template("");
        intent.phase_1.vulnerability = "High".to_owned();
        intent.phase_1.tension = 0.1;
        intent.phase_2.genre = "Shoegazing".to_owned();
        intent.phase_2.rule = "TempoFluctuaton".to_owned();
        let validation = validate(&intent);
        let text = validation.to_string();
        assert_eq!(validation.problems.len(), 6, "{text}");
        assert!(text.ends_with("errors: 5, warnings: 1"), "{text}");
        assert!(text.contains("did you mean \"Shoegaze\"?"), "{text}");
        assert!(text.contains("did you mean \"RHYTHM_TempoFluctuation\"?"), "{text}");
        assert!(text.contains("phase_0.event is missing: What happened?"), "{text}");
        assert_eq!(validation.problems[5].severity, Severity::Warning);
    }

    #[test]
    fn long_and_odd_texts_are_no_danger() {
        let long = "ä".repeat(MAX_FIELD_CHARS + 1);
        assert_eq!(found(|it| it.phase_0.resistance = long.clone()), [error("phase_0.resistance")]);
        let mut intent = complete();
        intent.phase_2.genre = format!("\u{1b}[31m{long}");
        let text = validate(&intent).to_string();
        assert!(!text.contains('\u{1b}') && text.len() < 600, "{text}");
        assert_eq!(found(|it| it.phase_0.event = "🙂 泣く".to_owned()), []);
    }
}
