//! An intent as music: a plan, the rule broken, the notes.

use std::fmt;

use serde::{Serialize, Serializer};

use super::problem::Problem;
use super::rule::Rule;
use super::schema::{Intent, IntentError};
use super::validate::{Understood, understand, validate};
use crate::arrange::arrange;
use crate::mood::{Mood, read};
use crate::plan::{HarmonyPlan, PlanOptions, Reason, Scales};
use crate::score::Score;

/// What became of an intent. `[side B]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Processed {
    /// The title of the song.
    pub title: String,
    /// The plan that its notes were made of, the rule broken in it.
    pub plan: HarmonyPlan,
    /// The notes, the rule broken in them; serialised as a summary of its parts.
    #[serde(serialize_with = "parts")]
    pub score: Score,
    /// The rule that is broken, if one is.
    pub rule: Option<Broken>,
    /// What might not be meant.
    pub warnings: Vec<Problem>,
}

/// A rule that a song breaks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Broken {
    /// The rule.
    pub rule: Rule,
    /// What breaking it did to this song.
    pub done: String,
    /// What it makes a listener feel.
    pub feeling: &'static str,
    /// Why, in the intent's own words.
    pub justification: String,
}

/// What a summary says of a part.
#[derive(Serialize)]
struct PartSummary<'a> {
    name: &'a str,
    program: Option<u8>,
    notes: usize,
}

fn parts<S: Serializer>(score: &Score, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(score.parts.iter().map(|part| PartSummary {
        name: &part.name,
        program: part.program,
        notes: part.notes.len(),
    }))
}

/// Makes music of an intent. The same intent and seed give the same notes. `[side B]`
///
/// # Errors
/// [`IntentError::Problems`] with all errors of the intent; [`IntentError::Unbreakable`] if its rule has nothing to break in
/// this song.
pub fn process(intent: &Intent, seed: u64) -> Result<Processed, IntentError> {
    let understood = understand(intent)?;
    let mut plan = plan(intent, &understood, seed);
    let mut done = None;
    if let Some(rule) = understood.rule {
        let said = rule.break_in_plan(&mut plan).map_err(|why| IntentError::Unbreakable { rule, why })?;
        done = said.map(|said| (rule, said));
    }
    let mut score = arrange(&plan);
    if let Some(rule) = understood.rule {
        let said =
            rule.break_in_score(&mut score, &plan).map_err(|why| IntentError::Unbreakable { rule, why })?;
        done = done.or(said.map(|said| (rule, said)));
    }
    let title = intent.title.trim();
    score.title = if title.is_empty() { understood.mood.name() } else { title }.to_owned();
    let justification = intent.phase_2.justification.trim();
    let rule = done.map(|(rule, done)| {
        plan.reasons.push(Reason::new(format!("rule {rule}"), format!("{done}; because: {justification}")));
        Broken { rule, done, feeling: rule.feeling(), justification: justification.to_owned() }
    });
    Ok(Processed { title: score.title.clone(), plan, score, rule, warnings: validate(intent).problems })
}

/// The mood that the intent names, with what its own words add to it.
fn mood(intent: &Intent, understood: &Understood) -> Mood {
    let shade = understood.mood.shade();
    let root = &intent.phase_0;
    let said =
        [&root.event, &root.resistance, &root.longing, &root.transformation].map(String::as_str).join(". ");
    // Whatever language the words are in, the mood that is named is known.
    let words = read(&said).unwrap_or_else(|_| Mood::silence());
    let named = Mood::of(shade.affect, 0.5 + 0.5 * understood.tension);
    let felt = [Some(words.primary), words.secondary].into_iter().flatten();
    let said = felt.filter(|_| !words.is_unknown()).find(|affect| *affect != shade.affect);
    let secondary = said.or(understood.mood.undertone());
    let blend = if secondary.is_some() { words.blend.max(LEAST_BLEND) } else { 0.0 };
    Mood { shade: Some(shade), secondary, blend, evidence: words.evidence, words: words.words, ..named }
}

/// The part that a second feeling has at least.
const LEAST_BLEND: f64 = 0.25;

/// The tempo: where the tension lies between the slowest and the fastest.
fn tempo_bpm(understood: &Understood) -> (f64, Reason) {
    let of_mood = understood.mood.shade().tempo_bpm;
    let [low, high] = understood.tempo_bpm.unwrap_or([of_mood.0, of_mood.1]);
    let bpm = (low + (high - low) * understood.tension).round().clamp(low, high);
    let whose = if understood.tempo_bpm.is_some() { "the intent's" } else { understood.mood.name() };
    let because = format!("{whose} range is {low} to {high}, and tension is {:.2}", understood.tension);
    (bpm, Reason::new(format!("tempo {bpm}"), because))
}

fn plan(intent: &Intent, understood: &Understood, seed: u64) -> HarmonyPlan {
    let (bpm, tempo) = tempo_bpm(understood);
    let options = PlanOptions {
        key: understood.key,
        bpm: Some(bpm),
        mode: understood.mode,
        seed: Some(seed),
        ..PlanOptions::default()
    };
    let mut plan = HarmonyPlan::of(mood(intent, understood), Scales::default(), &options);
    let (affect, intensity) = (plan.mood.primary, plan.mood.intensity);
    let because = format!("phase 1 says {}, with a tension of {:.2}", understood.mood, understood.tension);
    say(
        &mut plan.reasons,
        affect.name(),
        Reason::new(format!("{affect}, intensity {intensity:.2}"), because),
    );
    if let Some(second) = plan.mood.secondary.filter(|second| Some(*second) == understood.mood.undertone()) {
        let because = format!("{} has some of it", understood.mood);
        say(&mut plan.reasons, "some ", Reason::new(format!("some {second}"), because));
    }
    say(&mut plan.reasons, "tempo ", tempo);
    shape(&mut plan, understood);
    plan
}

/// Gives a reason in the place of the one that begins like this, which is no longer true; at the end if there is none.
fn say(reasons: &mut Vec<Reason>, instead_of: &str, reason: Reason) {
    match reasons.iter_mut().find(|it| it.what.starts_with(instead_of)) {
        Some(place) => *place = reason,
        None => reasons.push(reason),
    }
}

/// What the other choices of an intent do to its plan.
fn shape(plan: &mut HarmonyPlan, understood: &Understood) {
    let (tension, character, reasons) = (understood.tension, &mut plan.character, &mut plan.reasons);
    if let Some(genre) = understood.genre {
        genre.shape(character);
        reasons.push(Reason::new(format!("genre {genre}"), genre.meaning()));
    }
    if let Some(feel) = understood.feel {
        feel.shape(character);
        plan.complexity = feel.complexity(tension);
        reasons.push(Reason::new(format!("groove {feel}"), feel.meaning()));
        let because = format!("that of {feel} at a tension of {tension:.2}");
        say(reasons, "complexity ", Reason::new(format!("complexity {:.2}", plan.complexity), because));
    }
    if let Some(imagery) = understood.imagery {
        imagery.shape(character);
        reasons.push(Reason::new(format!("imagery {imagery}"), imagery.meaning()));
    }
    if let Some(arc) = understood.arc {
        arc.shape(&mut plan.sections);
        say(reasons, "tension ", Reason::new(format!("arc {arc}"), arc.meaning()));
    }
    let open = understood.vulnerability;
    plan.vulnerability = open.amount();
    reasons.push(Reason::new(format!("vulnerability {open}"), open.meaning()));
    character.dissonance = (character.dissonance + 0.3 * (tension - 0.5)).clamp(0.0, 1.0);
    let because = format!("the mood's own, and a tension of {tension:.2}");
    reasons.push(Reason::new(format!("dissonance {:.2}", character.dissonance), because));
}

impl fmt::Display for Processed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        writeln!(f, "{}", self.plan)?;
        if let Some(broken) = &self.rule {
            writeln!(f, "rule         {}", broken.rule)?;
            writeln!(f, "  done       {}", broken.done)?;
            writeln!(f, "  feels like {}", broken.feeling)?;
            writeln!(f, "  because    {}", broken.justification)?;
        }
        for part in &self.score.parts {
            let program =
                part.program.map_or("drums".to_owned(), |program| format!("program {}", program + 1));
            writeln!(f, "part         {:<14} {:>5} notes, {program}", part.name, part.notes.len())?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning      {warning}")?;
        }
        Ok(())
    }
}
