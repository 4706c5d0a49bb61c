//! Lessons on what chords do to each other.
use super::{Topic, Writer, listed};
use crate::theory::{Chord, PitchClassSet, Voicer, Voicing, voice_leading_cost};

pub(super) const CADENCES: Topic = Topic {
    name: "cadences",
    aliases: &["cadence", "endings"],
    title: "Cadences: how phrases end",
    see_also: &["voice leading", "secondary dominants", "rule-breaking"],
    write: cadences,
};

fn cadences(lesson: &mut Writer) {
    lesson.say(
        "A cadence is punctuation. V to I is the full stop (authentic): the leading tone rises to the tonic. IV to I says amen (plagal). \
         Ending on V is a comma (half). V to vi promises the stop and gives something else (deceptive).",
    );
    lesson.say(
        "The more of it happens together, the more final it is: roots in the bass, the tonic on top, the chord on a strong beat. Take one of \
         these away and the ear stays open.",
    );
    let name = lesson.key_name();
    let rows = [
        ("authentic", "V7 I", "V7 i"),
        ("plagal", "IV I", "iv i"),
        ("half", "ii V", "iv V"),
        ("deceptive", "V vi", "V VI"),
        ("phrygian half", "iv6 V", "iv6 V"),
        ("backdoor", "bVII7 I", "VII7 i"),
    ];
    let lines = rows.map(|(kind, major, minor)| format!("{kind:<14} {}", lesson.in_key(major, minor)));
    lesson.show(format!("In {name}:"), lines);
    let deceptive = lesson.chords("vi", "VI")[0];
    lesson.ask(
        format!("Where does a deceptive cadence in {name} end?"),
        deceptive.to_string(),
        "V goes to the sixth degree, which shares two notes with the tonic.",
    );
    lesson.ask(
        "Which cadence ends on the dominant?",
        "half",
        "It is a comma: the phrase waits for its answer.",
    );
}

pub(super) const VOICE_LEADING: Topic = Topic {
    name: "voice leading",
    aliases: &["voicings", "voicing", "counterpoint", "parallel fifths"],
    title: "Voice leading: chords as singers",
    see_also: &["inversions", "cadences"],
    write: voice_leading,
};

fn voice_leading(lesson: &mut Writer) {
    lesson.say(
        "Think of each note of a chord as a singer on the way to the next chord. Keep the notes that both share, move the others by step, and \
         let the bass leap. The less the singers move, the more one hears one thing changing instead of two things.",
    );
    lesson.say(
        "Two voices that run in parallel fifths or octaves melt into one; so lines that shall stay apart avoid that, above all by moving \
         against the bass. Voices do not go over each other, and upper neighbours stay within an octave.",
    );
    lesson.say("Where parallels are the sound that is wanted (power chords, planing), they are no mistake. Know what you give up, and for what.");
    let chords = lesson.chords("I IV V I", "i iv V i");
    let mut voicer = Voicer::new(43..=76, 4);
    let led: Vec<Voicing> = chords.iter().map(|chord| voicer.next(chord)).collect();
    let blocks: Vec<Voicing> = chords.iter().map(block).collect();
    let (key, name) = (lesson.key, lesson.key_name());
    let lines = |voicings: &[Voicing]| -> Vec<String> {
        let total = |pick: fn(&crate::theory::Cost) -> u32| -> u32 {
            voicings.windows(2).map(|pair| pick(&voice_leading_cost(&pair[0], &pair[1]))).sum()
        };
        let rows = chords
            .iter()
            .zip(voicings)
            .map(|(chord, voicing)| format!("{:<5} {}", chord.to_string(), voicing.names(key)));
        let sum = format!("parallels {}, cost {}", total(|cost| cost.parallels), total(|cost| cost.total));
        rows.chain([sum]).collect()
    };
    lesson.show(format!("Led, in {name}:"), lines(&led));
    lesson.show("The same chords moved as blocks:", lines(&blocks));
    let common = shared(&chords[0], &chords[1]);
    let names = common.iter().map(|class| lesson.key.spell(class));
    lesson.ask(
        format!("Which note do {} and {} share?", chords[0], chords[1]),
        listed(names),
        "Chords whose roots are a fifth apart share one note; it stays in its voice.",
    );
    lesson.ask(
        "Which intervals should two lines not move in, if both are to be heard?",
        "fifths and octaves",
        "They blend into one.",
    );
}

/// Root, fifth, octave and third above, the same for every chord.
fn block(chord: &Chord) -> Voicing {
    let root = 48 + chord.root().pitch_class().number();
    let third = chord.third().map_or(4, |third| third.semitones);
    [root, root + 7, root + 12, root + 12 + third].into_iter().collect()
}

fn shared(a: &Chord, b: &Chord) -> PitchClassSet {
    a.pitch_classes().intersection(b.pitch_classes())
}

pub(super) const SECONDARY_DOMINANTS: Topic = Topic {
    name: "secondary dominants",
    aliases: &["secondary dominant", "applied chords", "applied dominants", "V/V"],
    title: "Secondary dominants: a home for a moment",
    see_also: &["tritone substitution", "borrowed chords"],
    write: secondary_dominants,
};

fn secondary_dominants(lesson: &mut Writer) {
    lesson.say(
        "Any major or minor chord of a key can be treated as a home for a moment by putting its own dominant before it. That chord has a note \
         from outside the key: the leading tone to its goal. It is heard as a push.",
    );
    lesson.say(
        "V/V reads five of five. Build it a fifth above its goal, major, with a minor seventh if it is to press harder. viio7 of the goal \
         does the same with a diminished chord a semitone below. In a row they make a chain of fifths.",
    );
    let name = lesson.key_name();
    let rows = [
        ("V7/V V7 I", "V7/V V7 i"),
        ("V7/ii ii7", "V7/iv iv"),
        ("V7/vi vi", "V7/VI VI"),
        ("V7/IV IV", "V7/III III"),
        ("viio7/V V", "viio7/V V"),
        ("V7/iii V7/vi V7/ii V7/V V7 I", "V7/VII VII7 III VI iiø7 V7 i"),
    ];
    let lines = rows.map(|(major, minor)| lesson.in_key(major, minor));
    lesson.show(format!("In {name}:"), lines);
    let five_of_five = lesson.chords("V7/V", "V7/V")[0];
    lesson.ask(
        format!("Which chord is V7/V in {name}?"),
        five_of_five.to_string(),
        format!(
            "A fifth above the dominant; its third {} leads to the fifth degree.",
            listed(third_of(&five_of_five))
        ),
    );
}

fn third_of(chord: &Chord) -> Option<crate::theory::PitchName> {
    chord.third().map(|third| chord.name_of(third))
}

pub(super) const BORROWED_CHORDS: Topic = Topic {
    name: "borrowed chords",
    aliases: &["borrowed", "modal interchange", "modal mixture", "mixture"],
    title: "Borrowed chords: from the key next door",
    see_also: &["modes", "rule-breaking", "tension"],
    write: borrowed_chords,
};

fn borrowed_chords(lesson: &mut Writer) {
    lesson.say(
        "Major and minor on the same tonic are neighbours, and so are the modes. A chord taken from there keeps the home and changes the \
         light. In major, chords from minor (iv, bVI, bVII, bIII) bring a shadow; the minor iv before I is the oldest of sighs.",
    );
    lesson.say(
        "In minor, chords from major and dorian (IV, I at the very end) bring light. bII, from phrygian, is heavy and leads to V.",
    );
    lesson.say("One borrowed chord in a phrase is a colour. Many of them, and the listener no longer knows where home is.");
    let (key, name) = (lesson.key, lesson.key_name());
    let rows = [
        ("I iv I", "i IV i"),
        ("I bVI bVII I", "iv V I"),
        ("IV iv I", "i bII6 V i"),
        ("I bIII IV I", "i IV7 i"),
    ];
    let lines = rows.map(|(major, minor)| lesson.in_key(major, minor));
    lesson.show(format!("In {name}:"), lines);
    let chord = lesson.chords("iv", "IV")[0];
    let own = key.pitch_classes();
    let foreign = listed(chord.spelled().filter(|it| !own.contains(it.pitch_class())));
    // In some modes it is no borrowed chord at all.
    if !foreign.is_empty() {
        let question = format!("Which note of {chord} is not in {name}?");
        lesson.ask(question, foreign, "The third of the chord comes from the parallel key.");
    }
    let numeral = if key.is_minor() { "bII" } else { "bVI" };
    lesson.ask(
        format!("Which chord is {numeral} in {name}?"),
        lesson.chords("bVI", "bII")[0].to_string(),
        "Lower the degree, then build a major triad on it.",
    );
}

pub(super) const TRITONE_SUBSTITUTION: Topic = Topic {
    name: "tritone substitution",
    aliases: &["tritone sub", "tritone", "substitution", "sub V", "bII7"],
    title: "Tritone substitution: the other dominant",
    see_also: &["secondary dominants", "tension"],
    write: tritone_substitution,
};

fn tritone_substitution(lesson: &mut Writer) {
    lesson.say(
        "What makes a dominant seventh press is the tritone between its third and its seventh. The dominant a tritone away has the same two \
         notes, with their parts exchanged. So it can stand in for it, and its root slides down to the tonic by a semitone.",
    );
    lesson.say("It works wherever a dominant does: before I, and before any passing home. With ii before it the bass falls 2, b2, 1.");
    let name = lesson.key_name();
    let (dominant, substitute) = (lesson.chords("V7", "V7")[0], lesson.chords("bII7", "bII7")[0]);
    let common = |chord: &Chord| -> String {
        let both = shared(&dominant, &substitute);
        listed(chord.spelled().filter(|it| both.contains(it.pitch_class())))
    };
    let guide = [&dominant, &substitute].map(|chord| {
        format!(
            "{:<5} {:<14} of these in both: {}",
            chord.to_string(),
            listed(chord.spelled()),
            common(chord)
        )
    });
    lesson.show(format!("The two dominants of {name}:"), guide);
    lesson.show(
        "Before and after:",
        [lesson.in_key("ii7 V7 Imaj7", "iiø7 V7 i7"), lesson.in_key("ii7 bII7 Imaj7", "iiø7 bII7 i7")],
    );
    lesson.ask(
        format!("Which dominant seventh stands in for {dominant}?"),
        substitute.to_string(),
        "Its root is a tritone away, a semitone above the tonic.",
    );
    lesson.ask(
        "How many notes do the two dominants share?",
        shared(&dominant, &substitute).len().to_string(),
        "Third and seventh.",
    );
}
