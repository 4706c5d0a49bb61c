//! From a mood to a plan.
use super::{Chords, HarmonyPlan, PlanOptions, Reason, Scales, Section, TensionCurve, sections};
use crate::analysis::{count_of_bars, origin_of};
use crate::mood::{Affect, AffectPreset, Character, Mood, SecondOpinion, Step};
use crate::theory::{Chord, Key};

/// What chaos 1 makes faster than chaos 0, in quarter notes a minute; half of that is taken off beforehand.
const CHAOS_BPM: f64 = 40.0;

/// From this dissonance on a mood takes the diminished chords that a mode has.
const ROUGH: f64 = 0.4;

/// What a plan is made of while it is made.
pub(super) struct Builder<'a> {
    pub mood: &'a Mood,
    pub preset: &'static AffectPreset,
    scales: Scales,
    pub options: &'a PlanOptions,
    reasons: Vec<Reason>,
}

/// The plan of a mood.
pub fn plan(mood: Mood, scales: Scales, options: &PlanOptions) -> HarmonyPlan {
    plan_from(mood, scales, options, false)
}

/// The plan of a mood whose seed may come from its text.
pub fn plan_from(mood: Mood, scales: Scales, options: &PlanOptions, seed_from_text: bool) -> HarmonyPlan {
    let preset = mood.primary.preset();
    let mut builder = Builder { mood: &mood, preset, scales, options, reasons: Vec::new() };
    builder.because_of_the_mood();
    let key = builder.key();
    let tempo_bpm = builder.tempo();
    let length_bars = builder.length();
    let complexity = builder.complexity();
    let (progression, contrast) = builder.chords(key);
    let curve = builder.curve();
    let character = builder.character();
    let seed = options.seed.unwrap_or_default();
    let origin = match (options.seed, seed_from_text) {
        (Some(_), true) => "from the text: the same text gives the same piece",
        (Some(_), false) => "as asked",
        (None, _) => "no text and no option says another",
    };
    builder.say(format!("seed {seed}"), origin);
    let reasons = builder.reasons;
    HarmonyPlan {
        key,
        tempo_bpm,
        meter: options.meter.unwrap_or_default(),
        length_bars,
        complexity,
        vulnerability: preset.vulnerability,
        progression,
        chords_of_bars: options.progression.as_ref().and_then(Chords::of_bars).unwrap_or_default(),
        contrast,
        progression_given: options.progression.is_some(),
        // Tension is what has not come to its end.
        resolves: mood.primary != Affect::Tension,
        sections: form(curve, length_bars, options),
        character,
        reasons,
        seed,
        mood,
    }
}

/// The sections. Chords of the user's have no others beside them.
fn form(curve: TensionCurve, bars: u32, options: &PlanOptions) -> Vec<Section> {
    let mut sections = sections(curve, bars);
    if options.progression.is_some() {
        sections.iter_mut().for_each(|section| section.contrast = false);
    }
    sections
}

impl Builder<'_> {
    pub fn say(&mut self, what: impl Into<String>, because: impl Into<String>) {
        self.reasons.push(Reason::new(what, because));
    }

    /// Which feelings, and by which words.
    fn because_of_the_mood(&mut self) {
        let mood = self.mood;
        if mood.is_unknown() {
            let because = why_unknown(mood);
            self.say("neutral", because);
        } else {
            self.because_of_the_words();
        }
        if let Some(opinion) = &mood.second_opinion {
            self.because_of(opinion);
        }
    }

    /// What a model said, whether it decided or not.
    fn because_of(&mut self, opinion: &SecondOpinion) {
        let SecondOpinion { model, nearest, likeness, affect, .. } = opinion;
        let decided = match (opinion.decided, self.mood.is_unknown()) {
            (true, _) => "it decided",
            (false, false) => "the words decided",
            (false, true) => "that is too little to decide",
        };
        self.say(
            format!("{affect} for {model}, {:.0} % sure", opinion.confidence * 100.0),
            format!("most like `{nearest}` ({likeness:.2}); {decided}"),
        );
        self.say(
            format!("valence {:+.2}", self.mood.valence),
            format!(
                "words {:+.2}, {model} {:+.2} with weight {}",
                opinion.valence_of_words, opinion.valence, opinion.valence_weight
            ),
        );
        self.say(
            format!("arousal {:.2}", self.mood.arousal),
            format!(
                "words {:.2}, {model} {:.2} with weight {} only: it was not trained for it",
                opinion.arousal_of_words, opinion.arousal, opinion.arousal_weight
            ),
        );
    }

    fn because_of_the_words(&mut self) {
        let mood = self.mood;
        let primary = format!("{}, intensity {:.2}", mood.primary, mood.intensity);
        let words = said_for(mood, mood.primary);
        self.say(
            primary,
            match &mood.model {
                Some(model) if words.is_empty() => format!("{model} is sure of it"),
                Some(model) => format!("{words}; {model} is sure of it"),
                None => words,
            },
        );
        if let Some(secondary) = mood.secondary {
            let words = said_for(mood, secondary);
            self.say(format!("some {secondary}"), format!("{words}: {:.0} % of both", mood.blend * 100.0));
        }
        // What is denied and speaks for its opposite has been told above.
        let told = |word: &str| mood.evidence.iter().any(|it| it.weight > 0.0 && it.word == word);
        let denied = mood.evidence.iter().filter(|it| it.weight == 0.0 && !told(&it.word));
        let denied = denied.map(|it| format!("`{}`", it.word));
        let denied = denied.collect::<Vec<_>>().join(", ");
        if !denied.is_empty() {
            self.say(
                format!("{denied} left out"),
                "denied; what is denied does not count, nor for its opposite",
            );
        }
    }

    fn tempo(&mut self) -> f64 {
        if let Some(bpm) = self.options.bpm {
            self.say(format!("tempo {bpm}"), "as asked");
            return bpm;
        }
        let mut base = self.preset.base_tempo_bpm;
        let mut begins = format!("{} begins at {base}", self.mood.primary);
        if let Some(shade) = self.mood.shade {
            let (slowest, fastest) = shade.tempo_bpm;
            base = base.clamp(slowest, fastest);
            begins = format!("{} begins at {base}", shade.name.to_lowercase());
        }
        let chaos = self.scales.chaos();
        // Cut off towards 0: chaos 0.3 takes 8 off.
        let change = (chaos * CHAOS_BPM - CHAOS_BPM / 2.0).trunc();
        let tempo = base + change;
        let change = match change {
            change if change < 0.0 => format!("takes {} off", -change),
            change if change > 0.0 => format!("adds {change}"),
            _ => "leaves it".to_owned(),
        };
        self.say(format!("tempo {tempo}"), format!("{begins}, chaos {chaos:.2} {change}"));
        tempo
    }

    fn length(&mut self) -> u32 {
        if let Some(bars) = self.options.bars {
            self.say(count_of_bars(bars), "as asked");
            return bars;
        }
        let motivation = self.scales.motivation();
        let (bars, range) = match motivation {
            it if it <= 3.0 => (16, "up to 3"),
            it if it <= 7.0 => (32, "from 3 to 7"),
            _ => (64, "above 7"),
        };
        self.say(count_of_bars(bars), format!("motivation {motivation} is {range}"));
        bars
    }

    fn complexity(&mut self) -> f64 {
        let (motivation, chaos) = (self.scales.motivation(), self.scales.chaos());
        let more = motivation > 8.0;
        let complexity = if more { (chaos + 0.1).min(1.0) } else { chaos };
        let because = if more {
            format!("chaos {chaos:.2}, and 0.1 for motivation {motivation}")
        } else {
            format!("chaos {chaos:.2}")
        };
        self.say(format!("complexity {complexity:.2}"), because);
        complexity
    }

    /// Chords, and chords for contrast.
    fn chords(&mut self, key: Key) -> (Vec<Chord>, Vec<Chord>) {
        let asked = self.options.progression.as_ref().map(|chords| chords.in_key(key));
        if let Some(chords) = asked.filter(|chords| !chords.is_empty()) {
            self.say(format!("chords {}", names(&chords)), "as asked");
            return (chords.clone(), chords);
        }
        let own = key.scale == self.preset.scale;
        // Another mode is heard as that mode only if nothing in it comes from elsewhere.
        let in_mode = |step: &Step| match self.preset.character.dissonance {
            ..ROUGH => step.diatonic().softened(key),
            _ => step.diatonic(),
        };
        let in_key = |step: &Step| if own { step.in_key(key) } else { in_mode(step).in_key(key) };
        let chords: Vec<Chord> = self.preset.progression.iter().map(in_key).collect();
        let contrast: Vec<Chord> = self.preset.contrast.iter().map(in_key).collect();
        let of = if own { String::new() } else { format!(", on such degrees of {}", key.scale) };
        self.say(format!("chords {}", names(&chords)), format!("the chords of {}{of}", self.mood.primary));
        self.say(
            format!("then {}", names(&contrast)),
            "other chords for the third quarter, as in the form AABA",
        );
        self.borrowed(key, &chords);
        self.borrowed(key, &contrast);
        (chords, contrast)
    }

    /// Which of the chords are not of the mode, and where they come from.
    fn borrowed(&mut self, key: Key, chords: &[Chord]) {
        for (at, chord) in chords.iter().enumerate() {
            let of_mode = key.pitch_classes().contains_all(chord.pitch_classes());
            if of_mode || chords[..at].contains(chord) {
                continue;
            }
            let origin = origin_of(chords, at, key);
            let because = match origin.is_diatonic() {
                true => "with the leading tone, as minor keys have it before their tonic".to_owned(),
                false => origin.to_string(),
            };
            self.say(format!("{chord} beside the {} mode", key.scale), because);
        }
    }

    fn curve(&mut self) -> TensionCurve {
        let curve = self.preset.curve;
        self.say(format!("tension {curve}"), format!("the course of {}", self.mood.primary));
        curve
    }

    fn character(&mut self) -> Character {
        let mut character = self.preset.character;
        let mut because = format!("the music of {}", self.mood.primary);
        if let Some(secondary) = self.mood.secondary {
            character = character.mixed(&secondary.preset().character, self.mood.blend);
            because += &format!(", with {:.0} % of {secondary}", self.mood.blend * 100.0);
        }
        if !self.mood.is_unknown() {
            // A faint feeling has two thirds of the range, a full one all of it.
            let dynamics = &mut character.dynamics;
            dynamics.ceiling =
                dynamics.floor + (dynamics.ceiling - dynamics.floor) * (2.0 + self.mood.intensity) / 3.0;
            because += &format!(", as loud as intensity {:.2} gets", self.mood.intensity);
        }
        let what = format!(
            "loudness {:.2} to {:.2}, {:.2} notes a beat, around key {}",
            character.dynamics.floor,
            character.dynamics.ceiling,
            character.density_per_beat,
            character.register.centre
        );
        self.say(what, because);
        character
    }
}

/// Words that speak for a feeling, with why they weigh what they do.
fn said_for(mood: &Mood, affect: Affect) -> String {
    let words = mood.evidence.iter().filter(|it| it.affect == affect && it.weight > 0.0);
    let words = words.map(|it| match it.why.as_str() {
        "" => format!("`{}`", it.word),
        why => format!("`{}` ({why})", it.word),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn why_unknown(mood: &Mood) -> String {
    match (mood.words, mood.evidence.is_empty()) {
        (0, _) => "nothing was said".to_owned(),
        (_, false) => "the only feelings that are named are denied".to_owned(),
        (words, true) => {
            let how = match mood.valence {
                valence if valence > 0.05 => ", though it sounds pleasant",
                valence if valence < -0.05 => ", though it sounds unpleasant",
                _ => "",
            };
            format!("none of {words} words is known to name a feeling{how}")
        }
    }
}

fn names(chords: &[Chord]) -> String {
    chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
