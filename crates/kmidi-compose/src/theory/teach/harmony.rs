//! Lessons on chords by themselves.
use super::{Topic, Writer, listed};
use crate::theory::{Chord, Key, Roman, diatonic_chord};

pub(super) const CHORDS: Topic = Topic {
    name: "chords",
    aliases: &["chord", "triads", "triad"],
    title: "Chords: thirds on top of each other",
    see_also: &["seventh chords", "inversions", "roman numerals"],
    write: chords,
};

/// A line `symbol: names`.
fn line(chord: &Chord) -> String {
    format!("{:<9} {}", chord.to_string(), listed(chord.spelled()))
}

fn on(key: Key, qualities: &[&str]) -> Vec<String> {
    qualities
        .iter()
        .filter_map(|quality| Chord::new(key.tonic, quality).ok())
        .map(|chord| line(&chord))
        .collect()
}

fn chords(lesson: &mut Writer) {
    lesson.say(
        "A triad is a root with a third and a fifth above it: every other letter. Major has a major third below a minor one; minor the \
         other way round; diminished has two minor thirds, augmented two major ones.",
    );
    lesson.say(
        "A scale makes a triad on each of its notes without any accidental of its own. In major these are three major chords (on 1, 4 and \
         5), three minor ones (on 2, 3 and 6) and a diminished one (on 7).",
    );
    lesson.say(
        "Suspended chords put the second or the fourth where the third would be, and wait to give it back.",
    );
    let (key, name) = (lesson.key, lesson.key_name());
    lesson.show(format!("On {}:", key.tonic), on(key, &["", "m", "dim", "aug", "sus2", "sus4"]));
    lesson.show(
        format!("The triads of {name}:"),
        (0..7).map(|degree| {
            let chord = diatonic_chord(key, degree, false);
            format!("{:<6} {}", Roman::of(&chord, key).to_string(), line(&chord))
        }),
    );
    for degree in [1, 4] {
        let chord = diatonic_chord(key, degree, false);
        lesson.ask(
            format!("Which triad stands on degree {} of {name}?", degree + 1),
            chord.to_string(),
            format!("Its notes are {}.", listed(chord.spelled())),
        );
    }
}

pub(super) const SEVENTH_CHORDS: Topic = Topic {
    name: "seventh chords",
    aliases: &["sevenths", "seventh", "7th chords", "extensions"],
    title: "Seventh chords: one third more",
    see_also: &["chord symbols", "cadences", "tension"],
    write: seventh_chords,
};

fn seventh_chords(lesson: &mut Writer) {
    lesson.say(
        "Put one more third on a triad and it has a seventh. The seventh rubs against the root and wants to fall by step, which is what \
         drives a dominant home: the seventh of V7 falls to the third of I, while its third rises to the root.",
    );
    lesson.say(
        "Five kinds do most of the work: major seventh (at rest, glowing), dominant seventh (pressing on), minor seventh (soft), \
         half-diminished (dark, on its way) and diminished (tense, every note a minor third from the next).",
    );
    let (key, name) = (lesson.key, lesson.key_name());
    lesson.show(
        format!("On {}:", key.tonic),
        on(key, &["maj7", "7", "m7", "m7b5", "dim7", "mMaj7", "9", "13", "7b9"]),
    );
    lesson.show(
        format!("The seventh chords of {name}:"),
        [listed((0..7).map(|degree| diatonic_chord(key, degree, true)))],
    );
    let dominant = &lesson.chords("V7", "V7")[0];
    let third = dominant.third().map(|tone| dominant.name_of(tone));
    lesson.ask(
        format!("What is the dominant seventh chord of {name}?"),
        dominant.to_string(),
        format!("It stands on the fifth degree and has a major third, {}.", listed(third)),
    );
    let seventh = dominant.seventh().map(|tone| dominant.name_of(tone));
    lesson.ask(
        format!("Which note is the seventh of {dominant}?"),
        listed(seventh),
        "A minor seventh is a whole tone below the octave.",
    );
}

pub(super) const CHORD_SYMBOLS: Topic = Topic {
    name: "chord symbols",
    aliases: &["symbols", "lead sheets", "chord names", "notation"],
    title: "Chord symbols: how lead sheets write",
    see_also: &["seventh chords", "inversions"],
    write: chord_symbols,
};

fn chord_symbols(lesson: &mut Writer) {
    lesson.say(
        "A symbol begins with the root. Nothing behind it means major, m or - minor, dim or a small circle diminished, aug or + augmented. \
         A number stacks thirds up to it: 7 means a minor seventh, maj7 or a triangle a major one; 9, 11 and 13 bring the seventh along, \
         add9 does not.",
    );
    lesson.say(
        "Then come changes: b5 or #5 alter the fifth, b9 #9 #11 b13 the extensions, sus puts a fourth in the place of the third, no3 leaves \
         a note out, and alt alters all that can be altered over a dominant. Behind a slash is the bass.",
    );
    lesson.say("One letter makes the difference: CM7 has a major seventh, Cm7 a minor third. Everywhere else capitals do not matter.");
    let tonic = lesson.key.tonic;
    let ways = [
        ["maj7", "M7", "Δ7"],
        ["m7", "-7", "min7"],
        ["m7b5", "ø7", "-7(b5)"],
        ["dim7", "°7", "o7"],
        ["7sus4", "7sus", "sus7"],
        ["6/9", "69", "6add9"],
        ["7#5", "+7", "aug7"],
    ];
    let lines = ways.map(|ways| {
        let written = ways.map(|quality| format!("{tonic}{quality}"));
        let names =
            Chord::new(tonic, ways[0]).map_or_else(|_| String::new(), |chord| listed(chord.spelled()));
        format!("{:<24} {names}", written.join("  "))
    });
    lesson.show("Written in three ways, and what it means:", lines);
    for (symbol, tone) in [("maj7", 7), ("7#9", 9)] {
        let Ok(chord) = Chord::new(tonic, symbol) else { continue };
        let note = chord.tones().iter().find(|it| it.degree == tone).map(|it| chord.name_of(*it));
        lesson.ask(
            format!("Which note is the {} of {chord}?", if tone == 7 { "seventh" } else { "ninth" }),
            listed(note),
            format!("Its notes are {}.", listed(chord.spelled())),
        );
    }
}

pub(super) const INVERSIONS: Topic = Topic {
    name: "inversions",
    aliases: &["inversion", "slash chords", "figured bass", "bass"],
    title: "Inversions: which note is below",
    see_also: &["voice leading", "roman numerals"],
    write: inversions,
};

fn inversions(lesson: &mut Writer) {
    lesson.say(
        "A chord keeps its name whatever note is lowest, but the lowest note decides how firmly it stands. With the root below it rests, \
         with the third it moves on lightly, with the fifth it hangs in the air and wants to resolve.",
    );
    lesson.say(
        "Lead sheets write the bass behind a slash. Numerals use the figures of thoroughbass, which count intervals above the bass: 6 and \
         64 for triads, 65, 43 and 42 for seventh chords. Inversions let the bass walk by step where roots would leap.",
    );
    let lines = [("I I6 I64", "i i6 i64"), ("V7 V65 V43 V42", "V7 V65 V43 V42")]
        .map(|(major, minor)| lesson.in_key(major, minor));
    let name = lesson.key_name();
    lesson.show(format!("In {name}:"), lines);
    lesson.show("A bass that climbs by step:", [lesson.in_key("I V43 I6 IV V", "i V43 i6 iv V")]);
    let first = lesson.chords("V65", "V65")[0];
    lesson.ask(
        format!("Which note is in the bass of V65 in {name}?"),
        first.bass().to_string(),
        format!("65 is the first inversion of a seventh chord: its third is below, {first}."),
    );
    lesson.ask(
        "Which figures does a triad with its fifth in the bass have?",
        "64",
        "Above the fifth are a fourth and a sixth.",
    );
}

pub(super) const ROMAN_NUMERALS: Topic = Topic {
    name: "roman numerals",
    aliases: &["numerals", "roman", "functions", "degrees"],
    title: "Roman numerals: chords by what they do",
    see_also: &["cadences", "secondary dominants", "borrowed chords"],
    write: roman_numerals,
};

fn roman_numerals(lesson: &mut Writer) {
    lesson.say(
        "A numeral names a chord by the degree that it stands on: capitals are major, small letters minor, o is diminished and + augmented. \
         So one row of numerals is the same music in all twelve keys.",
    );
    lesson.say(
        "Three families: tonic chords are home (I, vi, iii), predominants lead away (IV, ii), dominants lead back (V, viio). Most \
         phrases go home, away, back, home.",
    );
    lesson.say(
        "A flat before a numeral lowers the degree: bVII is a whole tone below the tonic. A numeral behind a slash is a passing home: V/V is \
         the dominant of the dominant.",
    );
    let name = lesson.key_name();
    let rows = [
        ("I V vi IV", "i VI III VII"),
        ("ii7 V7 Imaj7", "iiø7 V7 i"),
        ("I vi IV V", "i iv V i"),
        ("I bVII IV I", "i VII VI V"),
        ("vi IV I V", "i VII VI VII"),
    ];
    let lines = rows.map(|(major, minor)| lesson.in_key(major, minor));
    lesson.show(format!("Rows that songs are made of, in {name}:"), lines);
    for (major, minor) in [("IV", "iv"), ("bVII", "VII"), ("ii", "VI")] {
        let numeral = if lesson.key.is_minor() { minor } else { major };
        let chord = lesson.chords(major, minor)[0];
        lesson.ask(
            format!("Which chord is {numeral} in {name}?"),
            chord.to_string(),
            format!("Its notes are {}.", listed(chord.spelled())),
        );
    }
}
