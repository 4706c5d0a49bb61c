//! From a text to a mood.
//!
//! Words are looked up whole, by themselves or by their stem, phrases before words. What speaks for a feeling is then weighed:
//!
//! - A denied feeling counts nothing, and does not count for its opposite: who is "not angry" may be calm, sad or asleep, and the
//!   text does not say which. What people do mean by a denial has phrases of its own ("no hope", "can't feel anything"). A text
//!   that does nothing but deny what is pleasant is another matter: see [`settle`].
//! - Denied is also what a question denies whose answer is no ("Who could be angry at that?"), and what is taken back behind it
//!   ("It was great. Not.").
//! - A feeling of the past ("used to be happy") or wished for ("want to be happy") counts half.
//! - "Very" multiplies by 4/3, "extremely" by 5/3, "slightly" by 1/2.
//! - Before "but" a feeling counts half, behind it one and a half times, as Hutto & Gilbert (2014) have it; after "although", half.
//! - A word that is said twice counts once.
//!
//! The sum of three plain words is a feeling's full intensity.
use super::lexicon::phrases::Scope;
use super::lexicon::turns::{self, Question};
use super::lexicon::{Lexicon, Row, first_letter, grammar, stands_at};
use super::settle::{self, Denied};
use super::text::language;
use super::text::plain;
use super::text::stem::Stemmer;
use super::text::words::{Gap, Words};
use super::valence::Valence;
use super::{Affect, Evidence, Mood, NamedMood, TextError};

/// What adds up to the full intensity.
pub(super) const FULL: f64 = 3.0;

/// Reads a text. `[side B]`
///
/// # Errors
/// There is no text, it is longer than [`Mood::MOST_CHARACTERS`], it has no words, or it is not English.
pub fn read(text: &str) -> Result<Mood, TextError> {
    Reader::default().read(text)
}

/// Reads text after text in the same memory.
#[derive(Default)]
pub(crate) struct Reader {
    plain: String,
    words: Words,
    stemmer: Stemmer,
    valence: Valence,
    hits: Vec<Hit>,
    /// Words that are rated, in phrases that say nothing: "dead serious".
    misrated: usize,
    /// The most that each row was found with; 0 for all of them between two texts.
    counted: Vec<f64>,
}

/// A place that speaks for a feeling.
struct Hit {
    from: usize,
    to: usize,
    row: Row,
    weight: f64,
    taken: Taken,
    shade: Option<&'static NamedMood>,
}

/// How a place is taken.
#[derive(Clone, Copy, Default)]
struct Taken {
    scope: Option<(Scope, usize)>,
    /// The place of a word of degree, and what it multiplies by.
    degree: Option<(usize, f64)>,
    conceded: bool,
    before_but: bool,
    after_but: bool,
}

/// What reading has come to.
#[derive(Default)]
struct State {
    scope: Option<(Scope, usize)>,
    /// Words that the scope still reaches.
    reach: usize,
    conceded: bool,
    after_but: bool,
    /// The first hit of this sentence, and of the one before.
    sentence: usize,
    sentence_before: usize,
}

impl Reader {
    pub fn read(&mut self, text: &str) -> Result<Mood, TextError> {
        let characters = text.chars().count();
        if characters > Mood::MOST_CHARACTERS {
            return Err(TextError::TooLong { characters, most: Mood::MOST_CHARACTERS });
        }
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        plain::write(text, &mut self.plain);
        self.words.read(&self.plain);
        if self.words.len() == 0 {
            return Err(TextError::NoWords);
        }
        let stemmer = &mut self.stemmer;
        let is_english =
            |word: &str| Valence::rates(word) || !Lexicon::get().word(word, stemmer.stem(word)).is_empty();
        if let Some(language) = language::foreign(&self.words, is_english) {
            return Err(TextError::NotEnglish { language });
        }
        self.find();
        Ok(self.weigh())
    }

    /// Finds every place that speaks for a feeling.
    fn find(&mut self) {
        self.hits.clear();
        self.misrated = 0;
        let mut state = State::default();
        let mut place = 0;
        while place < self.words.len() {
            self.enter(&mut state, place);
            let turn = self.taken_back(&state, place).or_else(|| self.question(&mut state, place));
            let read = match Lexicon::get().phrase(&self.words, place) {
                _ if turn.is_some() => turn.unwrap_or(1),
                Some(phrase) => {
                    let shade = Lexicon::get().shade(phrase.text);
                    self.hit(&state, place, place + phrase.words, phrase.rows, shade);
                    if phrase.rows.is_empty() && phrase.scope.is_none() {
                        let words = (place..place + phrase.words).map(|place| self.words.at(place));
                        self.misrated += words.filter(|word| Valence::rates(word)).count();
                    }
                    if let Some(scope) = phrase.scope {
                        (state.scope, state.reach) = (Some((scope, place)), grammar::REACH + 1);
                    }
                    phrase.words
                }
                None => {
                    self.word(&mut state, place);
                    1
                }
            };
            state.reach = state.reach.saturating_sub(read);
            place += read;
        }
    }

    /// What the gap before a word ends.
    fn enter(&self, state: &mut State, place: usize) {
        let gap = self.words.gap(place);
        if gap >= Gap::Comma {
            state.reach = 0;
            state.conceded = false;
        }
        if gap == Gap::Stop {
            state.after_but = false;
            (state.sentence_before, state.sentence) = (state.sentence, self.hits.len());
        }
        if state.reach == 0 {
            state.scope = None;
        }
    }

    /// Words that stand alone and take back what was said before them: how many they are.
    fn taken_back(&mut self, state: &State, place: usize) -> Option<usize> {
        let words = &self.words;
        let before = words.gap(place);
        if place == 0 || before < Gap::Comma {
            return None;
        }
        let alone = |turn: &str| {
            stands_at(turn, words, place) && words.gap(place + turn.split(' ').count()) == Gap::Stop
        };
        let count = turns::taken_back(words.asked(place), first_letter(words.at(place)), alone)?;
        let from = if before == Gap::Stop { state.sentence_before } else { state.sentence };
        for hit in &mut self.hits[from..] {
            hit.taken.scope = Some((Scope::Denied, place));
        }
        Some(count)
    }

    /// The beginning of a question that is none: how many words it has.
    fn question(&self, state: &mut State, place: usize) -> Option<usize> {
        let before = if place == 0 { "" } else { self.words.at(place - 1) };
        if self.words.gap(place) < Gap::Comma && !turns::leads_in(before) {
            return None;
        }
        if turns::asks(self.words.at(place), self.words.at(place + 1)) {
            return Some(1);
        }
        let (question, count) =
            turns::question(first_letter(self.words.at(place)), |turn| stands_at(turn, &self.words, place))?;
        if question == Question::Denies {
            (state.scope, state.reach) = (Some((Scope::Asked, place)), grammar::REACH + count);
        }
        Some(count)
    }

    /// A word that begins no phrase.
    fn word(&mut self, state: &mut State, place: usize) {
        let word = self.words.at(place);
        let before = if place == 0 { "" } else { self.words.at(place - 1) };
        if grammar::contrasts(word) && !grammar::takes_but(before) {
            for hit in &mut self.hits[state.sentence..] {
                hit.taken.before_but = true;
            }
            (state.scope, state.after_but) = (None, true);
            return;
        }
        if grammar::concedes(word) {
            (state.scope, state.conceded) = (None, true);
            return;
        }
        let apart = grammar::begins_clause(word) && !grammar::denies(before);
        if apart || (matches!(before, "and" | "then") && grammar::is_subject(word)) {
            state.scope = None;
        }
        let stem = self.stemmer.stem(word);
        let rows = Lexicon::get().word(word, stem);
        let shade = if rows.is_empty() { None } else { Lexicon::get().shade(stem) };
        let denies = grammar::denies(word);
        let again = grammar::denies_again(word);
        self.hit(state, place, place + 1, rows, shade);
        if denies {
            let twice = matches!(state.scope, Some((Scope::Denied | Scope::Asked, _))) && !again;
            state.scope = if twice { None } else { Some((Scope::Denied, place)) };
            state.reach = grammar::REACH + 1;
        }
    }

    fn hit(
        &mut self,
        state: &State,
        from: usize,
        to: usize,
        rows: &[Row],
        shade: Option<&'static NamedMood>,
    ) {
        if rows.is_empty() {
            return;
        }
        let degree = self.degree(from, to);
        let taken = Taken {
            scope: state.scope,
            degree,
            conceded: state.conceded,
            before_but: false,
            after_but: state.after_but,
        };
        self.hits.extend(rows.iter().map(|&row| Hit { from, to, row, weight: 0.0, taken, shade }));
    }

    /// The word of degree that belongs to words `from .. to`: up to two before them, or `so much` behind.
    fn degree(&self, from: usize, to: usize) -> Option<(usize, f64)> {
        for place in (from.saturating_sub(2)..from).rev() {
            if self.words.gap(place + 1) != Gap::None {
                break;
            }
            let (word, next) = (self.words.at(place), self.words.at(place + 1));
            if matches!(word, "kind" | "sort") && next == "of" {
                return Some((place, 0.5));
            }
            if let Some(factor) = grammar::degree(word) {
                return Some((place, factor));
            }
        }
        let much = |place: &usize| {
            self.words.at(place + 1) == "much" && matches!(self.words.at(*place), "so" | "very")
        };
        (to..to + 3).find(much).map(|place| (place, 4.0 / 3.0))
    }

    /// What was found, as a mood.
    fn weigh(&mut self) -> Mood {
        let (valence, rated) = self.valence.of(&self.plain);
        self.counted.resize(Lexicon::get().len(), 0.0);
        let mut scores = [0.0; Affect::COUNT];
        for hit in &mut self.hits {
            hit.weight = hit.row.weight * hit.taken.factor();
            let counted = &mut self.counted[hit.row.number];
            scores[hit.row.affect as usize] += (hit.weight - *counted).max(0.0);
            *counted = counted.max(hit.weight);
        }
        self.hits.iter().for_each(|hit| self.counted[hit.row.number] = 0.0);
        let mut mood = of_scores(&scores);
        mood.words = self.words.len();
        let all_misrated = || self.words.iter().filter(|word| Valence::rates(word)).count() <= self.misrated;
        let rated = rated && !(self.misrated > 0 && mood.is_unknown() && all_misrated());
        mood.valence = settle::valence(&mood, rated.then_some(valence), self.hits.is_empty());
        mood.shade = self.shade(mood.primary);
        mood.evidence = self.evidence();
        if mood.is_unknown() && self.hits.is_empty() {
            settle::by_sound(&mut mood);
        } else if mood.is_unknown() {
            let denied = |hit: &Hit| Denied {
                word: self.words.join(hit.from, hit.to),
                affect: hit.row.affect,
                weight: hit.row.weight,
            };
            settle::by_denial(&mut mood, &mut self.hits.iter().map(denied));
        }
        mood
    }

    /// The shade of a feeling that weighs most.
    fn shade(&self, affect: Affect) -> Option<&'static NamedMood> {
        let of_affect = self.hits.iter().filter(|hit| hit.weight > 0.0 && hit.row.affect == affect);
        let shades = of_affect.filter_map(|hit| hit.shade.map(|shade| (hit.weight, shade)));
        let fitting = shades.filter(|(_, shade)| shade.affect == affect);
        fitting.reduce(|best, it| if it.0 > best.0 { it } else { best }).map(|(_, shade)| shade)
    }

    fn evidence(&self) -> Vec<Evidence> {
        let hits = self.hits.iter().take(Mood::MOST_EVIDENCE);
        hits.map(|hit| Evidence {
            word: self.words.join(hit.from, hit.to),
            affect: hit.row.affect,
            weight: hit.weight,
            why: hit.taken.why(&self.words),
        })
        .collect()
    }
}

/// A mood of what each feeling has.
fn of_scores(scores: &[f64; Affect::COUNT]) -> Mood {
    let mut order = Affect::ALL;
    // Stable: of two with the same, the first in the order of feelings stays first.
    order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
    let score = |at: usize| scores[order[at] as usize];
    if score(0) <= 0.0 {
        return Mood::silence();
    }
    let mut mood = Mood::of(order[0], score(0) / FULL);
    mood.secondary = (score(1) > 0.0).then_some(order[1]);
    mood.blend = score(1) / (score(0) + score(1));
    let total: f64 = scores.iter().sum();
    let mean = |value: fn(Affect) -> f64| {
        Affect::all().map(|it| value(it) * scores[it as usize]).sum::<f64>() / total
    };
    mood.valence = mean(|affect| affect.preset().valence) * mood.intensity;
    mood.arousal = mean(|affect| affect.preset().arousal);
    mood
}

impl Taken {
    fn factor(&self) -> f64 {
        let scope = match self.scope {
            Some((Scope::Denied | Scope::Asked, _)) => 0.0,
            Some((Scope::Past | Scope::Wished, _)) => 0.5,
            None => 1.0,
        };
        let degree = self.degree.map_or(1.0, |(_, factor)| factor);
        let conceded = if self.conceded { 0.5 } else { 1.0 };
        let before = if self.before_but { 0.5 } else { 1.0 };
        let after = if self.after_but && !self.before_but { 1.5 } else { 1.0 };
        scope * degree * conceded * before * after
    }

    /// The same in words; empty where nothing changes the weight.
    fn why(&self, words: &Words) -> String {
        let mut why = Vec::new();
        if let Some((scope, by)) = self.scope {
            let by = words.at(by);
            why.push(match scope {
                Scope::Denied => format!("denied by `{by}`"),
                Scope::Past => "said to be past".to_owned(),
                Scope::Wished => "wished for".to_owned(),
                Scope::Asked => "denied by a question whose answer is no".to_owned(),
            });
        }
        if let Some((by, factor)) = self.degree {
            let verb = if factor > 1.0 { "strengthened" } else { "weakened" };
            why.push(format!("{verb} by `{}`", words.at(by)));
        }
        if self.conceded {
            why.push("conceded".to_owned());
        }
        if self.before_but {
            why.push("before `but`".to_owned());
        } else if self.after_but {
            why.push("after `but`".to_owned());
        }
        why.join(", ")
    }
}
