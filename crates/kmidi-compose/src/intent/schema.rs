//! An intent as a file has it: three phases, all of it as typed. What is wrong with it says [`validate`](super::validate).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::breaking::Unbreakable;
use super::problem::{Problem, Severity};
use super::rule::Rule;
use super::validate::beside;
use super::vocabulary::MoodName;
use crate::theory::nearest;

/// Longest intent, in bytes of JSON.
pub const MAX_INTENT_BYTES: usize = 64 << 10;
/// Longest text of a field, in characters.
pub const MAX_FIELD_CHARS: usize = 2000;

/// What a song is to say and how: the file of `kmidi intent`.
///
/// A text that is empty was not said; each choice that was left open follows the mood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Intent {
    /// Title of the song.
    pub title: String,
    /// Why there is a song at all.
    pub phase_0: Root,
    /// What it feels like.
    pub phase_1: Feeling,
    /// How it is made.
    pub phase_2: Technique,
}

/// Phase 0: why there is a song at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Root {
    /// What happened.
    pub event: String,
    /// What holds one back from saying it.
    pub resistance: String,
    /// What one would like to feel.
    pub longing: String,
    /// What is at risk: one of [`Stakes`](super::Stakes).
    pub stakes: String,
    /// How one would like to be when the song is over.
    pub transformation: String,
}

/// Phase 1: what it feels like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Feeling {
    /// The mood: one of [`MoodName`](super::MoodName).
    pub mood_primary: String,
    /// Tension, 0 (none) to 1.
    pub tension: f64,
    /// What it would look like: one of [`Imagery`](super::Imagery).
    pub imagery: String,
    /// How much it shows: one of [`Vulnerability`](super::Vulnerability).
    pub vulnerability: String,
    /// How its tension goes: one of [`NarrativeArc`](super::NarrativeArc).
    pub narrative_arc: String,
}

impl Default for Feeling {
    fn default() -> Self {
        Self {
            mood_primary: String::new(),
            tension: 0.5,
            imagery: String::new(),
            vulnerability: "Medium".to_owned(),
            narrative_arc: String::new(),
        }
    }
}

/// Phase 2: how it is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Technique {
    /// Kind of music: one of [`Genre`](super::Genre).
    pub genre: String,
    /// Lowest and highest tempo, in quarter notes a minute.
    pub tempo_range_bpm: Option<[f64; 2]>,
    /// Key: `C`, `F# minor`, `Eb dorian`.
    pub key: String,
    /// Mode, where the key does not say it: `dorian`.
    pub mode: String,
    /// How the time feels: one of [`Feel`](super::Feel).
    pub groove_feel: String,
    /// The rule to break: one of [`Rule`](super::Rule).
    pub rule: String,
    /// Why that rule.
    pub justification: String,
}

/// What a field can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Range,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Text => "a text in quotes",
            Kind::Number => "a number from 0 to 1",
            Kind::Range => "two numbers, [80, 120], or null",
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Kind::Text => value.is_string(),
            Kind::Number => value.is_number(),
            Kind::Range => {
                let pair = |list: &Vec<Value>| list.len() == 2 && list.iter().all(Value::is_number);
                value.is_null() || value.as_array().is_some_and(pair)
            }
        }
    }
}

/// A field by its place in the file, and the question that it answers.
pub(super) struct Field {
    phase: &'static str,
    name: &'static str,
    kind: Kind,
    question: &'static str,
}

const fn field(phase: &'static str, name: &'static str, kind: Kind, question: &'static str) -> Field {
    Field { phase, name, kind, question }
}

/// Every field of an [`Intent`], in order.
const FIELDS: [Field; 18] = [
    field("", "title", Kind::Text, "What is the song called?"),
    field("phase_0", "event", Kind::Text, "What happened?"),
    field("phase_0", "resistance", Kind::Text, "What holds you back from saying it?"),
    field("phase_0", "longing", Kind::Text, "What would you like to feel?"),
    field("phase_0", "stakes", Kind::Text, "What is at risk?"),
    field("phase_0", "transformation", Kind::Text, "How would you like to be when the song is over?"),
    field("phase_1", "mood_primary", Kind::Text, "What is its mood?"),
    field("phase_1", "tension", Kind::Number, "How tense is it, from 0 to 1?"),
    field("phase_1", "imagery", Kind::Text, "What would it look like?"),
    field("phase_1", "vulnerability", Kind::Text, "How much of yourself does it show?"),
    field("phase_1", "narrative_arc", Kind::Text, "How does its tension go?"),
    field("phase_2", "genre", Kind::Text, "What kind of music is it?"),
    field("phase_2", "tempo_range_bpm", Kind::Range, "How slow and how fast may it be?"),
    field("phase_2", "key", Kind::Text, "Which key?"),
    field("phase_2", "mode", Kind::Text, "Which mode?"),
    field("phase_2", "groove_feel", Kind::Text, "How does the time feel?"),
    field("phase_2", "rule", Kind::Text, "Which rule does it break?"),
    field("phase_2", "justification", Kind::Text, "Why that rule?"),
];

const PHASES: [&str; 3] = ["phase_0", "phase_1", "phase_2"];

/// The question that a field answers; `place` as in `phase_0.event`.
pub(super) fn question(place: &str) -> &'static str {
    let (phase, name) = place.split_once('.').unwrap_or(("", place));
    FIELDS.iter().find(|field| field.phase == phase && field.name == name).map_or("", |field| field.question)
}

/// Why a text is no [`Intent`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IntentError {
    /// Too long to be one.
    #[error("an intent has {MAX_INTENT_BYTES} bytes at most, this has {0}: is it the right file?")]
    TooLong(usize),
    /// No JSON at all.
    #[error("not JSON: {0}; `kmidi intent new` writes an intent to start from")]
    NotJson(String),
    /// JSON, but not as an intent has it, or an intent that cannot become music: all that is wrong with it.
    #[error("the intent has {}", listed(.0))]
    Problems(Vec<Problem>),
    /// Its rule has nothing to break in this song.
    #[error("{rule} cannot be broken here: {why}")]
    Unbreakable {
        /// The rule.
        rule: Rule,
        /// Why not.
        why: Unbreakable,
    },
}

fn listed(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let lines: Vec<String> = errors.map(|problem| format!("\n  {problem}")).collect();
    format!("{} error{}:{}", lines.len(), if lines.len() == 1 { "" } else { "s" }, lines.concat())
}

impl Intent {
    /// An intent to fill in.
    pub fn template(title: &str) -> Intent {
        Intent { title: title.to_owned(), ..Intent::default() }
    }

    /// The intent with a mood, and with that mood's first mode and its tempos to start from.
    pub fn with_mood(mut self, mood: MoodName) -> Intent {
        let shade = mood.shade();
        self.phase_1.mood_primary = mood.name().to_owned();
        self.phase_2.tempo_range_bpm = Some([shade.tempo_bpm.0, shade.tempo_bpm.1]);
        self.phase_2.mode = shade.modes.first().map_or(String::new(), |scale| scale.name().to_owned());
        self
    }

    /// Reads the JSON of an intent. Fields that are left out are as in [`Intent::template`].
    ///
    /// # Errors
    /// [`IntentError`]; of JSON that is no intent it names every field that is unknown or holds what it cannot, and all else that
    /// [`validate`](super::validate) finds.
    pub fn from_json(json: &[u8]) -> Result<Intent, IntentError> {
        if json.len() > MAX_INTENT_BYTES {
            return Err(IntentError::TooLong(json.len()));
        }
        let value: Value =
            serde_json::from_slice(json).map_err(|error| IntentError::NotJson(error.to_string()))?;
        let mut problems = shape(&value);
        if !problems.is_empty() {
            // What is right about it is looked at all the same, so that one reading tells everything.
            let rest = value.is_object().then(|| serde_json::from_value(sound(value)));
            if let Some(Ok(intent)) = rest {
                problems.extend(beside(&intent, &problems));
            }
            return Err(IntentError::Problems(problems));
        }
        serde_json::from_value(value).map_err(|error| IntentError::NotJson(error.to_string()))
    }

    /// As the JSON that [`Intent::from_json`] reads.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers can be written") + "\n"
    }
}

/// What keeps a JSON value from being an intent.
fn shape(value: &Value) -> Vec<Problem> {
    let Some(top) = value.as_object() else {
        return vec![Problem::error("", "an intent is an object, { .. }", "see `kmidi intent new`")];
    };
    let mut problems = vec![];
    for (name, value) in top {
        if PHASES.contains(&name.as_str()) {
            match value.as_object() {
                Some(phase) => phase.iter().for_each(|(key, value)| check(name, key, value, &mut problems)),
                None => {
                    problems.push(Problem::error(name, "holds no object, { .. }", "see `kmidi intent new`"))
                }
            }
        } else {
            check("", name, value, &mut problems);
        }
    }
    problems
}

/// A JSON value without what keeps it from being an intent.
fn sound(value: Value) -> Value {
    let Value::Object(mut top) = value else { return Value::Object(Default::default()) };
    let holds = |phase: &str, name: &str, value: &Value| {
        FIELDS.iter().any(|field| field.phase == phase && field.name == name && field.kind.holds(value))
    };
    top.retain(|name, value| match value.as_object_mut().filter(|_| PHASES.contains(&name.as_str())) {
        Some(phase) => {
            phase.retain(|key, value| holds(name, key, value));
            true
        }
        None => holds("", name, value),
    });
    Value::Object(top)
}

fn check(phase: &str, name: &str, value: &Value, problems: &mut Vec<Problem>) {
    let place = if phase.is_empty() { name.to_owned() } else { format!("{phase}.{name}") };
    let place: String = place.chars().take(80).collect();
    match FIELDS.iter().find(|field| field.phase == phase && field.name == name) {
        Some(field) if field.kind.holds(value) => {}
        Some(field) => {
            let next = format!("write {}", field.kind.words());
            problems.push(Problem::error(&place, "holds another kind of value than it can", &next));
        }
        None => {
            let fields = FIELDS.iter().filter(|field| field.phase == phase).map(|field| field.name);
            let known: Vec<&str> =
                if phase.is_empty() { fields.chain(PHASES).collect() } else { fields.collect() };
            let meant = nearest(name, known.iter().copied());
            let meant = meant.map_or(String::new(), |name| format!("did you mean `{name}`? "));
            let next = format!("{meant}there are {}", known.join(", "));
            problems.push(Problem::error(&place, "is no field of an intent", &next));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(json: &str) -> Vec<String> {
        match Intent::from_json(json.as_bytes()) {
            Err(IntentError::Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_template_is_read_back_and_what_is_left_out_is_as_in_it() {
        let mut template = Intent::template("Harbour");
        assert_eq!(Intent::from_json(template.to_json().as_bytes()), Ok(template.clone()));
        template.phase_2.tempo_range_bpm = Some([70.0, 80.5]);
        assert_eq!(Intent::from_json(template.to_json().as_bytes()), Ok(template));
        assert_eq!(Intent::from_json(b"{}"), Ok(Intent::template("")));
        let partial = Intent::from_json(br#"{"phase_1": {"tension": 1}}"#).unwrap();
        assert_eq!((partial.phase_1.tension, partial.phase_1.vulnerability.as_str()), (1.0, "Medium"));
    }

    #[test]
    fn the_table_of_fields_is_that_of_the_types() {
        let value = serde_json::to_value(Intent::default()).unwrap();
        let mut names = vec![];
        for (name, value) in value.as_object().unwrap() {
            match value.as_object() {
                Some(phase) => names.extend(phase.keys().map(|key| (name.clone(), key.clone()))),
                None => names.push((String::new(), name.clone())),
            }
        }
        let mut table: Vec<_> = FIELDS.iter().map(|it| (it.phase.to_owned(), it.name.to_owned())).collect();
        table.sort();
        names.sort();
        assert_eq!(names, table);
        assert_eq!(question("phase_0.event"), "What happened?");
    }

    #[test]
    fn every_field_that_is_wrong_is_named_at_once() {
        let found = problems(
            r#"{"titel": "x", "phase_0": {"evnt": "a", "event": 3}, "phase_1": {"tension": "high"},
                "phase_2": {"tempo_range_bpm": [1, 2, 3], "key": null}, "phase_3": {}}"#,
        );
        // With what is missing beside: a longing and a mood.
        assert_eq!(found.len(), 9, "{found:#?}");
        assert!(found.iter().any(|it| it.contains("phase_0.longing is missing")), "{found:#?}");
        assert_eq!(found.iter().filter(|it| it.starts_with("phase_0.event ")).count(), 1, "{found:#?}");
        assert!(found.iter().any(|it| it.contains("phase_0.evnt") && it.contains("did you mean `event`?")));
        assert!(found.iter().any(|it| it.contains("titel") && it.contains("did you mean `title`?")));
        assert!(found.iter().any(|it| it.contains("phase_1.tension") && it.contains("a number from 0 to 1")));
        assert!(found.iter().any(|it| it.contains("phase_2.tempo_range_bpm")));
        assert_eq!(problems("[]").len(), 1);
        assert_eq!(problems(r#"{"phase_0": "sad"}"#).len(), 2);
    }

    #[test]
    fn an_unknown_field_hides_no_other_problem() {
        let found = problems(
            r#"{"colour": "blue", "phase_0": {"event": "a", "longing": "b"},
                "phase_1": {"mood_primary": "Greif", "tension": 3}, "phase_2": {"rule": "RHYTHM_TempoFluctuation"}}"#,
        );
        for part in [
            "colour is no field",
            "phase_1.mood_primary cannot be",
            "phase_1.tension cannot be",
            "justification",
        ] {
            assert!(found.iter().any(|it| it.contains(part)), "{part}: {found:#?}");
        }
        // Control: without that field, the same but for it.
        let other = Intent::from_json(br#"{"phase_0": {"event": "a", "longing": "b"},
                "phase_1": {"mood_primary": "Greif", "tension": 3}, "phase_2": {"rule": "RHYTHM_TempoFluctuation"}}"#);
        assert_eq!(super::super::validate(&other.unwrap()).problems.len() + 1, found.len());
    }

    #[test]
    fn hostile_files_are_refused() {
        for json in
            ["", "{", "\u{0}", "{\"phase_1\": {\"tension\": NaN}}", "{\"phase_1\": {\"tension\": 1e999}}"]
        {
            assert!(matches!(Intent::from_json(json.as_bytes()), Err(IntentError::NotJson(_))), "{json}");
        }
        assert!(matches!(Intent::from_json(&[0xff, 0xfe]), Err(IntentError::NotJson(_))));
        let deep = "[".repeat(MAX_INTENT_BYTES);
        assert!(matches!(Intent::from_json(deep.as_bytes()), Err(IntentError::NotJson(_))));
        assert_eq!(Intent::from_json(&vec![b' '; MAX_INTENT_BYTES + 1]), Err(IntentError::TooLong(65_537)));
        let long_name = format!("{{\"{}\": 1}}", "ä".repeat(30_000));
        assert!(problems(&long_name)[0].len() < 1000);
    }
}
