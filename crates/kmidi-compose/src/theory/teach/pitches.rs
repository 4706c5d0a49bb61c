//! Lessons on single notes: intervals, scales, keys, modes.
use super::{Topic, Writer, listed};
use crate::theory::{Key, Scale};

/// Names of the intervals within an octave: letters up, semitones.
const NAMES: [(&str, u8, u8); 13] = [
    ("unison", 0, 0),
    ("minor second", 1, 1),
    ("major second", 1, 2),
    ("minor third", 2, 3),
    ("major third", 2, 4),
    ("perfect fourth", 3, 5),
    ("tritone", 3, 6),
    ("perfect fifth", 4, 7),
    ("minor sixth", 5, 8),
    ("major sixth", 5, 9),
    ("minor seventh", 6, 10),
    ("major seventh", 6, 11),
    ("octave", 7, 12),
];

pub(super) const INTERVALS: Topic = Topic {
    name: "intervals",
    aliases: &["interval", "distances"],
    title: "Intervals: how far apart two notes are",
    see_also: &["scales", "chords"],
    write: intervals,
};

fn intervals(lesson: &mut Writer) {
    lesson.say(
        "An interval has a number and a quality. The number counts letters, both ends included: from C to E are three letters, \
         a third. The quality says how many semitones it spans: a major third has four, a minor third three.",
    );
    lesson.say(
        "Because the number comes from the letters, C to D# and C to Eb sound alike and are different intervals: an augmented \
         second and a minor third. The spelling tells the reader where the note wants to go.",
    );
    lesson.say(
        "Turn an interval upside down and the two together make an octave: a third becomes a sixth, major becomes minor, \
         perfect stays perfect.",
    );
    let tonic = lesson.key.tonic;
    let lines = NAMES.map(|(name, letters, semitones)| {
        format!("{semitones:>2}  {name:<15} {}", tonic.up(letters, i32::from(semitones)))
    });
    lesson.show(format!("Semitones and names, upwards from {tonic}:"), lines);
    for (name, letters, semitones) in [NAMES[4], NAMES[7], NAMES[10]] {
        lesson.ask(
            format!("Which note is a {name} above {tonic}?"),
            tonic.up(letters, i32::from(semitones)).to_string(),
            format!("Count {} letters, {tonic} included, then make it {semitones} semitones.", letters + 1),
        );
    }
    lesson.ask("How many semitones has a tritone?", "6", "It is three whole tones, half of an octave.");
}

pub(super) const SCALES: Topic = Topic {
    name: "scales",
    aliases: &["scale"],
    title: "Scales: which notes belong together",
    see_also: &["keys", "modes", "chords"],
    write: scales,
};

fn scales(lesson: &mut Writer) {
    lesson.say(
        "A scale is a choice of notes within the octave, written upwards from its home note. What makes its sound is the pattern of \
         whole and half steps, not the note it begins on.",
    );
    lesson.say(
        "The major scale goes whole, whole, half, whole, whole, whole, half. The natural minor lowers its third, sixth and seventh. \
         The harmonic minor raises the seventh again, so that it leads to the tonic; the melodic minor raises the sixth too, so that \
         there is no gap on the way.",
    );
    lesson.say(
        "Each of the seven letters is used once. That is why a scale can need E# or Cb: the letter is taken by the degree, and the \
         accidental makes the step right.",
    );
    let tonic = lesson.key.tonic;
    let shown =
        [Scale::IONIAN, Scale::AEOLIAN, Scale::HARMONIC_MINOR, Scale::MELODIC_MINOR, Scale::MAJOR_PENTATONIC]
            .into_iter()
            .chain([Scale::MINOR_PENTATONIC, Scale::BLUES, Scale::WHOLE_TONE, Scale::OCTATONIC_HALF_WHOLE]);
    let lines: Vec<String> = shown.map(|scale| line(Key::new(tonic, scale))).collect();
    lesson.show(format!("Some of the {} scales that KmiDi knows, on {tonic}:", Scale::all().len()), lines);
    let harmonic = Key::new(tonic, Scale::HARMONIC_MINOR);
    lesson.ask(
        format!("What is the seventh note of {tonic} harmonic minor?"),
        harmonic.degree(6).to_string(),
        "It is a semitone below the tonic, on the letter before it.",
    );
    lesson.ask("How many notes has a pentatonic scale?", "5", "Penta is Greek for five.");
}

fn line(key: Key) -> String {
    format!(
        "{:<21} {}",
        key.scale.name(),
        listed((0..key.scale.semitones().len()).map(|degree| key.degree(degree)))
    )
}

pub(super) const KEYS: Topic = Topic {
    name: "keys",
    aliases: &["key", "circle of fifths", "key signatures", "relative keys"],
    title: "Keys: where home is",
    see_also: &["modes", "roman numerals"],
    write: keys,
};

fn keys(lesson: &mut Writer) {
    lesson.say(
        "A key is a home note and a scale on it. Its signature lists the sharps or flats that the scale needs. Go up a fifth and there is \
         one sharp more or one flat less; go down a fifth, the other way round: that is the circle of fifths.",
    );
    lesson.say(
        "A major key and the minor key a minor third below it share a signature: they are relatives. Keys on the same tonic are \
         parallel: they share their home and borrow each other's chords.",
    );
    let key = lesson.key;
    let fifths = key.signature();
    let signature = match fifths {
        0 => "neither sharps nor flats".to_owned(),
        1.. => format!("{fifths} sharp{}", if fifths == 1 { "" } else { "s" }),
        _ => format!("{} flat{}", -fifths, if fifths == -1 { "" } else { "s" }),
    };
    let name = lesson.key_name();
    lesson.show(
        format!("{name}:"),
        [
            format!("signature: {signature}"),
            format!("notes:     {}", listed((0..7).map(|degree| key.degree(degree)))),
            format!("relative:  {}", key.relative()),
            format!("parallel:  {}", key.parallel()),
            format!("a fifth up {}, a fifth down {}", key.tonic.up(4, 7), key.tonic.up(3, 5)),
        ],
    );
    lesson.ask(
        format!("On which note is the relative key of {name} at home?"),
        key.relative().tonic.to_string(),
        "Relatives share all their notes; their tonics are a minor third apart.",
    );
    lesson.ask(
        format!("How many sharps or flats has {name}?"),
        fifths.abs().to_string(),
        "Count fifths from C: upwards gives sharps, downwards flats.",
    );
}

pub(super) const MODES: Topic = Topic {
    name: "modes",
    aliases: &["mode", "church modes", "modal", "dorian", "phrygian", "lydian", "mixolydian", "locrian"],
    title: "Modes: one scale, seven homes",
    see_also: &["borrowed chords", "tension"],
    write: modes,
};

fn modes(lesson: &mut Writer) {
    lesson.say(
        "Take the notes of a major scale and call another of them home: that is a mode. The notes are the same, the pattern of steps above \
         the new home is not, and that pattern is what is heard.",
    );
    lesson.say(
        "It is easier to hear modes as a major or minor scale with one note changed. Lydian is major with a raised fourth, mixolydian major \
         with a lowered seventh; dorian is minor with a raised sixth, phrygian minor with a lowered second. Locrian lowers the fifth as \
         well, so that its home chord is diminished and never quite rests.",
    );
    lesson.say(
        "From bright to dark they go lydian, ionian (major), mixolydian, dorian, aeolian (minor), phrygian, locrian: each step lowers one note.",
    );
    let tonic = lesson.key.tonic;
    let bright_to_dark = [
        Scale::LYDIAN,
        Scale::IONIAN,
        Scale::MIXOLYDIAN,
        Scale::DORIAN,
        Scale::AEOLIAN,
        Scale::PHRYGIAN,
        Scale::LOCRIAN,
    ];
    let lines = bright_to_dark.map(|scale| line(Key::new(tonic, scale)));
    lesson.show(format!("From bright to dark on {tonic}:"), lines);
    lesson.ask(
        format!("Which note makes {tonic} dorian differ from {tonic} minor?"),
        Key::new(tonic, Scale::DORIAN).degree(5).to_string(),
        "Dorian has the major sixth.",
    );
    lesson.ask(
        format!("Which note makes {tonic} lydian differ from {tonic} major?"),
        Key::new(tonic, Scale::LYDIAN).degree(3).to_string(),
        "Lydian has the raised fourth.",
    );
    lesson.ask(
        "Which church mode is the darkest?",
        "locrian",
        "It lowers second, third, fifth, sixth and seventh.",
    );
}
