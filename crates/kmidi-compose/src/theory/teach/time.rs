//! Lessons on tension and time, and on breaking rules.
use super::{Topic, Writer, listed};
use crate::theory::{Chord, PitchClassSet};

pub(super) const TENSION: Topic = Topic {
    name: "tension",
    aliases: &["dissonance", "consonance", "release"],
    title: "Tension: why music moves",
    see_also: &["cadences", "rule-breaking"],
    write: tension,
};

/// Pairs of pitch classes a semitone (or major seventh) apart, and a tritone apart.
fn clashes(set: PitchClassSet) -> (usize, usize) {
    let pairs = |semitones: i32| set.iter().filter(|class| set.contains(class.transposed(semitones))).count();
    // A tritone is one both ways.
    (pairs(1), pairs(6) / 2)
}

fn tension(lesson: &mut Writer) {
    lesson.say(
        "Tension is what the listener expects to be resolved. Harmony makes it with rubbing intervals (semitones and tritones), with notes \
         from outside the key, and with distance from home. Rhythm makes it with density and with accents off the beat; loudness, register \
         and silence make it too.",
    );
    lesson.say(
        "It only means something as a curve: a verse that holds back makes the chorus arrive. Plan where the peak is, and spend less before it.",
    );
    let name = lesson.key_name();
    let chords: Vec<Chord> =
        lesson.chords("I vi IV ii7 V7 viio7 V7b9 V7alt", "i VI iv iiø7 V7 viio7 V7b9 V7alt");
    let key = lesson.key.pitch_classes();
    let lines = chords.iter().map(|chord| {
        let (semitones, tritones) = clashes(chord.pitch_classes());
        let outside = chord.spelled().filter(|it| !key.contains(it.pitch_class()));
        let outside = listed(outside);
        let outside = if outside.is_empty() { "none".to_owned() } else { outside };
        format!(
            "{:<9} semitones {semitones}, tritones {tritones}, from outside: {outside}",
            chord.to_string()
        )
    });
    lesson.show(format!("What rubs in chords of {name}:"), lines.collect::<Vec<_>>());
    let diminished = lesson.chords("viio7", "viio7")[0];
    lesson.ask(
        format!("How many tritones are in {diminished}?"),
        clashes(diminished.pitch_classes()).1.to_string(),
        "It is two tritones, a minor third apart.",
    );
    lesson.ask("Which interval has three whole tones?", "tritone", "That is what its name says.");
}

pub(super) const GROOVE: Topic = Topic {
    name: "groove",
    aliases: &["feel", "pocket", "timing", "humanize", "microtiming"],
    title: "Groove: where notes really are",
    see_also: &["swing", "tension"],
    write: groove,
};

/// Ticks of a quarter note, as scores here have it.
const QUARTER: f64 = 480.0;

/// Milliseconds of so many ticks at a tempo in quarter notes a minute.
fn milliseconds(ticks: f64, bpm: f64) -> f64 {
    ticks * 60_000.0 / (bpm * QUARTER)
}

fn groove(lesson: &mut Writer) {
    lesson.say(
        "A groove is a pattern of small deviations from the grid that comes back bar by bar, and a pattern of accents with it. Chance alone is \
         no groove: what is random is heard as sloppy, what returns is heard as feel.",
    );
    lesson.say(
        "A backbeat a few milliseconds late sounds relaxed, a hi-hat a few early sounds eager. What counts are the differences between the \
         instruments: if all are late together, nothing is late. Accents do as much: loud and soft strokes in turns move a line along.",
    );
    lesson.say("Ghost notes, very soft strokes between the accents, show where the pulse runs without being counted as events.");
    let lines = [80.0, 120.0, 160.0].map(|bpm| {
        format!(
            "{bpm:>3} bpm: sixteenth {:>3.0} ms; 10 ticks are {:>4.1} ms; 10 ms are {:>4.1} ticks",
            milliseconds(120.0, bpm),
            milliseconds(10.0, bpm),
            10.0 / milliseconds(1.0, bpm)
        )
    });
    lesson.show("At 480 ticks to the quarter note:", lines);
    lesson.ask(
        "At 120 bpm and 480 ticks to the quarter note, how many milliseconds last 48 ticks?",
        format!("{:.0}", milliseconds(48.0, 120.0)),
        "A quarter note lasts 500 ms, and 48 ticks are a tenth of it.",
    );
    lesson.ask("Snare a little late: does it sound relaxed or eager?", "relaxed", "It lies behind the beat.");
}

pub(super) const SWING: Topic = Topic {
    name: "swing",
    aliases: &["shuffle", "swing ratio"],
    title: "Swing: long and short",
    see_also: &["groove"],
    write: swing,
};

fn swing(lesson: &mut Writer) {
    lesson.say(
        "Swing makes the first of two eighths longer than the second. The ratio of the two is its measure: 1 to 1 is straight, 2 to 1 is the \
         triplet feel of a slow shuffle, 3 to 1 is hard and dotted.",
    );
    lesson.say(
        "Players do not keep one ratio. The faster the tempo, the straighter they play, because the short note never gets much shorter than a \
         tenth of a second. Only the notes off the beat move; those on it stay.",
    );
    let lines = [(1.0, 1.0), (3.0, 2.0), (2.0, 1.0), (3.0, 1.0)].map(|(long, short)| {
        let place = QUARTER * long / (long + short);
        format!(
            "{long:.0}:{short:.0}  second eighth at tick {place:>3.0} of 480 ({:.1} %), {:>3.0} ms",
            place * 100.0 / QUARTER,
            milliseconds(place, 120.0)
        )
    });
    lesson.show("Where the second eighth lies, and how long after the beat at 120 bpm:", lines);
    lesson.ask(
        "In swing of 2 to 1, at which of 480 ticks of a beat is the second eighth?",
        "320",
        "Two thirds of the beat have gone by.",
    );
    lesson.ask(
        "Which eighths does swing move: on the beat or off the beat?",
        "off the beat",
        "The beat itself stays.",
    );
}

pub(super) const RULE_BREAKING: Topic = Topic {
    name: "rule-breaking",
    aliases: &["rules", "rule breaking", "breaking rules"],
    title: "Rule-breaking: on purpose",
    see_also: &["tension", "borrowed chords", "voice leading"],
    write: rule_breaking,
};

fn rule_breaking(lesson: &mut Writer) {
    lesson.say(
        "Rules of harmony describe what listeners expect. To break one is to deny them something, and that says something: an ending that does \
         not come home sounds like a loss that is not over. First know what feeling the piece is about; then choose the rule whose absence \
         says it.",
    );
    lesson.say(
        "Break one rule and keep the others. If everything is unusual, nothing is. And say why in one sentence: if no sentence comes, it is \
         only a mistake.",
    );
    let name = lesson.key_name();
    let rows = [
        ("no way home", "I IV V IV", "i iv VI VII"),
        ("borrowed light", "I iv I", "i IV i"),
        ("parallel motion", "I bVII bVI V", "i VII VI V"),
        ("unresolved", "Imaj7 V7sus4", "i7 V7sus4"),
        ("tritone for fifth", "bII7 I", "bII7 i"),
    ];
    let lines = rows.map(|(kind, major, minor)| format!("{kind:<17} {}", lesson.in_key(major, minor)));
    lesson.show(format!("In {name}:"), lines);
    let suspended = lesson.chords("V7sus4", "V7sus4")[0];
    lesson.ask(
        format!("Which chord is V7sus4 in {name}?"),
        suspended.to_string(),
        "The fourth stays where the leading tone would be; so nothing pulls home.",
    );
    lesson.ask(
        "How many rules does a good piece of this kind break at a time?",
        "one",
        "The rule that is broken needs others that hold.",
    );
}
