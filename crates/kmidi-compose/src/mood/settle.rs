//! What a text feels where no word speaks for a feeling: by how it sounds, or by what it denies; and how pleasant it is where the
//! list of rated words and the feelings that were read contradict each other.
use super::reader::FULL;
use super::{Affect, Evidence, Mood};

/// From this valence on, a text without any word for a feeling is not met with the neutral mood, which is in major.
const UNPLEASANT: f64 = -0.3;

/// Less than this is no contradiction, of rated words and of feelings.
const FAINT: f64 = 0.05;

/// A feeling that a text names and denies.
pub struct Denied {
    /// Its word.
    pub word: String,
    pub affect: Affect,
    /// What it would weigh.
    pub weight: f64,
}

/// How pleasant a text is. `rated` is what the list of rated words makes of it, if it has any of them.
///
/// The list knows no idioms and takes a denial for the opposite. So where it contradicts the feelings that were read ("thanks for
/// nothing", "dying of laughter"), they decide; and a text whose feelings are all denied ("not angry") is neither.
pub fn valence(mood: &Mood, rated: Option<f64>, names_none: bool) -> f64 {
    let rated = rated.unwrap_or(if mood.is_unknown() { 0.0 } else { mood.valence });
    if mood.is_unknown() {
        return if names_none { rated } else { 0.0 };
    }
    let contradicts = rated * mood.valence < 0.0 && rated.abs() >= FAINT && mood.valence.abs() >= FAINT;
    if contradicts { mood.valence } else { rated }
}

/// A text that names no feeling and sounds clearly unpleasant: melancholy is the stillest of those it can be.
pub fn by_sound(mood: &mut Mood) {
    let valence = mood.valence;
    if valence > UNPLEASANT {
        return;
    }
    let why = format!("no word names a feeling, but it sounds unpleasant: valence {valence:+.2}");
    set(mood, Affect::Melancholy, (-valence / 2.0).min(0.5), "all of it".to_owned(), why);
    mood.valence = valence;
}

/// A text whose only feelings are denied, all of them pleasant: half of the opposite.
///
/// Who denies something unpleasant says hardly more than that; who denies something pleasant mostly means its opposite ("not happy"
/// is unhappy, "not sad" is not happy): Ruytenbeek, Verheyen & Spector (2017), "Asymmetric inference towards the antonym".
pub fn by_denial(mood: &mut Mood, denied: &mut dyn Iterator<Item = Denied>) {
    let mut strongest: Option<(Denied, Affect)> = None;
    for denied in denied {
        if denied.affect.preset().valence <= 0.0 {
            return;
        }
        let Some(opposite) = opposite(denied.affect) else { continue };
        if strongest.as_ref().is_none_or(|(it, _)| denied.weight > it.weight) {
            strongest = Some((denied, opposite));
        }
    }
    let Some((denied, opposite)) = strongest else { return };
    let why = format!("{} denied, which mostly means the opposite", denied.affect);
    set(mood, opposite, (denied.weight / 2.0 / FULL).min(0.5), denied.word, why);
}

/// What somebody feels who says that a pleasant feeling is not there; `None` if that does not say.
fn opposite(affect: Affect) -> Option<Affect> {
    match affect {
        Affect::Joy | Affect::Hope | Affect::Triumph | Affect::Love | Affect::Awe => Some(Affect::Melancholy),
        Affect::Calm => Some(Affect::Tension),
        _ => None,
    }
}

/// Makes a mood one of this feeling, with the reason as evidence.
fn set(mood: &mut Mood, affect: Affect, intensity: f64, word: String, why: String) {
    let silent = std::mem::replace(mood, Mood::of(affect, intensity));
    mood.is_inferred = true;
    mood.valence = affect.preset().valence * intensity;
    (mood.words, mood.evidence) = (silent.words, silent.evidence);
    mood.evidence.truncate(Mood::MOST_EVIDENCE - 1);
    mood.evidence.push(Evidence { word, affect, weight: intensity * FULL, why });
}
