//! The twenty-one rules: what breaking each does, what it is good for, and who has done it.

use serde::Serialize;

use super::names::names;
use super::schema::Intent;

names! {
    /// What a rule is about.
    Category {
        Harmony "HARMONY" "which chords, and how they move"
        Rhythm "RHYTHM" "when notes come"
        Arrangement "ARRANGEMENT" "who plays what, how loud, in which order"
        Production "PRODUCTION" "how it sounds"
    }
}

names! {
    /// A rule of the craft that a song can break on purpose.
    Rule {
        AvoidTonicResolution "HARMONY_AvoidTonicResolution" "phrases end on IV or VI and never come home to I"
        ParallelMotion "HARMONY_ParallelMotion" "chords become root, fifth and octave, all moving in parallel"
        ModalInterchange "HARMONY_ModalInterchange" "one chord of each phrase is borrowed from the parallel mode"
        TritoneSubstitution "HARMONY_TritoneSubstitution" "the dominant gives way to the seventh chord a tritone from it"
        Polytonality "HARMONY_Polytonality" "the chords sound in a second key, a tritone away, at the same time"
        UnresolvedDissonance "HARMONY_UnresolvedDissonance" "a seventh and a ninth hang over the end of each phrase and go nowhere"
        ConstantDisplacement "RHYTHM_ConstantDisplacement" "one part is half a sixteenth late, always"
        TempoFluctuation "RHYTHM_TempoFluctuation" "the tempo swells and sinks by 5 bpm, once in sixteen beats"
        MetricModulation "RHYTHM_MetricModulation" "a dotted eighth becomes the new quarter for a while"
        PolyrhythmicLayers "RHYTHM_PolyrhythmicLayers" "a part that divides each bar by three (by four in triple time) lies over the beat"
        DroppedBeats "RHYTHM_DroppedBeats" "every fourth bar is a beat short"
        UnbalancedDynamics "ARRANGEMENT_UnbalancedDynamics" "the softest part becomes by far the loudest"
        StructuralMismatch "ARRANGEMENT_StructuralMismatch" "the sections come in reverse order, the ending first"
        BuriedVocals "ARRANGEMENT_BuriedVocals" "the melody lies below the instruments, far back"
        ExtremeDynamicRange "ARRANGEMENT_ExtremeDynamicRange" "from all but silent to as loud as it goes"
        PrematureClimax "ARRANGEMENT_PrematureClimax" "the highest tension comes first, and then what is left"
        ExcessiveMud "PRODUCTION_ExcessiveMud" "the chords are doubled where it muddies, between 200 and 400 Hz"
        PitchImperfection "PRODUCTION_PitchImperfection" "the melody drifts by up to 25 cents"
        RoomNoise "PRODUCTION_RoomNoise" "a quiet noise of the place is there from beginning to end"
        Distortion "PRODUCTION_Distortion" "overdriven instruments, loudness pressed together"
        MonoCollapse "PRODUCTION_MonoCollapse" "everything comes from the middle, without room"
    }
}

/// A work in which the rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Who made it.
    pub artist: &'static str,
    /// What it is called.
    pub work: &'static str,
    /// Where in it the rule is broken.
    pub how: &'static str,
}

/// As a literal, so that lists of them live for ever.
macro_rules! example {
    ($artist:literal, $work:literal, $how:literal) => {
        Example { artist: $artist, work: $work, how: $how }
    };
}

/// What is known of a rule beside its name.
struct Facts {
    feeling: &'static str,
    /// `{event}` and `{longing}` stand for those of an intent.
    justification: &'static str,
    examples: &'static [Example],
}

impl Rule {
    /// What the rule is about.
    pub fn category(self) -> Category {
        let prefix = self.name().split('_').next().unwrap_or_default();
        Category::named(prefix).unwrap_or(Category::Harmony)
    }

    /// The rule by its whole name or by what follows its category; case and punctuation do not matter.
    pub fn find(name: &str) -> Option<Self> {
        Self::named(name)
            .or_else(|| Self::ALL.iter().copied().find(|rule| super::names::same(rule.short(), name)))
    }

    /// Its name without the category.
    pub fn short(self) -> &'static str {
        self.name().split_once('_').map_or(self.name(), |(_, name)| name)
    }

    /// What breaking it makes a listener feel.
    pub fn feeling(self) -> &'static str {
        facts(self).feeling
    }

    /// Works in which it is broken.
    pub fn examples(self) -> &'static [Example] {
        facts(self).examples
    }

    /// A reason to start from, with the intent's own event and longing where it has them.
    pub fn justification(self, intent: &Intent) -> String {
        let said = |text: &str, else_: &str| {
            let text = text.trim().trim_end_matches(['.', '!', '?']);
            if text.is_empty() { else_.to_owned() } else { format!("\"{text}\"") }
        };
        let event = said(&intent.phase_0.event, "what happened");
        let longing = said(&intent.phase_0.longing, "what I long for");
        facts(self).justification.replace("{event}", &event).replace("{longing}", &longing)
    }
}

fn facts(rule: Rule) -> Facts {
    match rule.category() {
        Category::Harmony => harmony(rule),
        Category::Rhythm => rhythm(rule),
        Category::Arrangement => arrangement(rule),
        Category::Production => production(rule),
    }
}

fn harmony(rule: Rule) -> Facts {
    match rule {
        Rule::AvoidTonicResolution => Facts {
            feeling: "yearning: a question without its answer",
            justification: "Coming home would say that {event} is settled; {longing} is not reached, so no phrase ends at home.",
            examples: &[
                example!(
                    "Robert Schumann",
                    "Im wunderschönen Monat Mai (Dichterliebe, op. 48)",
                    "ends on a dominant seventh"
                ),
                example!("Fleetwood Mac", "Dreams", "two chords that never reach a tonic"),
                example!("The Beatles", "For No One", "ends on the dominant"),
            ],
        },
        Rule::ParallelMotion => Facts {
            feeling: "raw force, or something ancient",
            justification: "Independent voices would be polite about {event}; here all move as one block.",
            examples: &[
                example!(
                    "Claude Debussy",
                    "La cathédrale engloutie",
                    "parallel fifths and octaves, like organum"
                ),
                example!("The Kinks", "You Really Got Me", "power chords moved whole"),
                example!("Black Sabbath", "Iron Man", "a riff in parallel fifths"),
            ],
        },
        Rule::ModalInterchange => Facts {
            feeling: "a colour that did not seem to be there: bitter in the sweet, light in the dark",
            justification: "One chord from the other mode lets {event} be heard inside {longing}.",
            examples: &[
                example!("Radiohead", "Creep", "the minor subdominant after the major one"),
                example!("The Beatles", "In My Life", "the minor subdominant in a major song"),
                example!("Franz Schubert", "Gute Nacht (Winterreise)", "the last verse turns to major"),
            ],
        },
        Rule::TritoneSubstitution => Facts {
            feeling: "the expected way home by a stranger road",
            justification: "The plain cadence would make {event} too simple; the bass slides home by a semitone instead.",
            examples: &[
                example!(
                    "Antônio Carlos Jobim",
                    "Garota de Ipanema",
                    "the tonic is reached from a semitone above"
                ),
                example!("Duke Ellington", "Satin Doll", "the tonic is reached from a semitone above"),
            ],
        },
        Rule::Polytonality => Facts {
            feeling: "two truths at once, neither giving way",
            justification: "{event} and {longing} do not share a key, so the song has two.",
            examples: &[
                example!("Igor Stravinsky", "Petrushka", "C major and F sharp major together"),
                example!(
                    "Darius Milhaud",
                    "Saudades do Brasil",
                    "melody and accompaniment in different keys"
                ),
                example!("Charles Ives", "Variations on \"America\"", "interludes in two keys"),
            ],
        },
        _ => Facts {
            feeling: "something left unsaid, still in the room",
            justification: "{event} was never resolved; the sevenths and ninths are not either.",
            examples: &[
                example!("Richard Wagner", "Tristan und Isolde, prelude", "dissonance goes to dissonance"),
                example!(
                    "Gustav Mahler",
                    "Das Lied von der Erde: Der Abschied",
                    "ends on a chord with an added sixth"
                ),
            ],
        },
    }
}

fn rhythm(rule: Rule) -> Facts {
    match rule {
        Rule::ConstantDisplacement => Facts {
            feeling: "no firm footing",
            justification: "Since {event} nothing has quite been where it should be; one part never is.",
            examples: &[
                example!("D'Angelo", "Voodoo", "drums and bass drag behind each other"),
                example!("J Dilla", "Donuts", "beats laid beside the grid"),
            ],
        },
        Rule::TempoFluctuation => Facts {
            feeling: "breath: someone is really there",
            justification: "{event} is told by a person, who breathes; the tempo breathes too.",
            examples: &[
                example!("Frédéric Chopin", "Nocturnes", "played with a tempo that gives and takes"),
                example!("The Rolling Stones", "Honky Tonk Women", "faster at its end than at its beginning"),
                example!("Led Zeppelin", "Stairway to Heaven", "gains speed from part to part"),
            ],
        },
        Rule::MetricModulation => Facts {
            feeling: "the same world measured by another clock",
            justification: "After {event} time runs differently, so for a while it does here.",
            examples: &[
                example!("Elliott Carter", "String Quartet No. 1", "tempos that turn into each other"),
                example!("The Beatles", "We Can Work It Out", "the middle falls into a waltz"),
            ],
        },
        Rule::PolyrhythmicLayers => Facts {
            feeling: "several feelings that do not wait for each other",
            justification: "{event} and {longing} keep different time; both are heard.",
            examples: &[
                example!("György Ligeti", "Études: Désordre", "hands that drift apart by an eighth"),
                example!("King Crimson", "Discipline", "guitars in different lengths of bar"),
                example!("Led Zeppelin", "Kashmir", "a riff in three over drums in four"),
            ],
        },
        _ => Facts {
            feeling: "the step that is not there in the dark",
            justification: "{event} took something away; the beat that should follow is missing.",
            examples: &[
                example!("The Beatles", "All You Need Is Love", "bars of seven beats"),
                example!("OutKast", "Hey Ya!", "a bar of two beats among bars of four"),
            ],
        },
    }
}

fn arrangement(rule: Rule) -> Facts {
    match rule {
        Rule::UnbalancedDynamics => Facts {
            feeling: "one thing that will not be quiet",
            justification: "One thought about {event} drowns the others; one part does so too.",
            examples: &[
                example!("Metallica", "...And Justice for All", "guitars and drums without an audible bass"),
                example!("The Velvet Underground", "Sister Ray", "the organ swallows the band"),
            ],
        },
        Rule::StructuralMismatch => Facts {
            feeling: "a story that keeps its own order",
            justification: "{event} is understood from its end, so the song begins there.",
            examples: &[
                example!("Queen", "Bohemian Rhapsody", "a hit without a chorus"),
                example!("The Beatles", "Happiness Is a Warm Gun", "parts that never return"),
            ],
        },
        Rule::BuriedVocals => Facts {
            feeling: "heard through a wall, or from inside a dream",
            justification: "{event} can hardly be said aloud; the voice stays behind the instruments.",
            examples: &[
                example!("My Bloody Valentine", "Loveless", "voices as one more layer of guitar"),
                example!("R.E.M.", "Murmur", "words that are felt before they are understood"),
            ],
        },
        Rule::ExtremeDynamicRange => Facts {
            feeling: "a whisper, and then everything",
            justification: "Nothing in between would be true to {event}.",
            examples: &[
                example!("Pyotr Tchaikovsky", "Symphony No. 6", "marked from pppppp to ffff"),
                example!(
                    "Maurice Ravel",
                    "Boléro",
                    "one crescendo, from a single drum to the whole orchestra"
                ),
                example!("Nirvana", "Smells Like Teen Spirit", "quiet verse, loud chorus"),
            ],
        },
        _ => Facts {
            feeling: "the aftermath is the story",
            justification: "The worst of {event} is over when the song begins; it is about what comes after.",
            examples: &[
                example!("Richard Strauss", "Also sprach Zarathustra", "the sunrise comes first"),
                example!("Derek and the Dominos", "Layla", "the storm first, then a long piano ending"),
            ],
        },
    }
}

fn production(rule: Rule) -> Facts {
    match rule {
        Rule::ExcessiveMud => Facts {
            feeling: "weight; no air",
            justification: "{event} leaves no air to breathe, and neither does the sound.",
            examples: &[
                example!(
                    "Sly and the Family Stone",
                    "There's a Riot Goin' On",
                    "overdubs until the tape was thick"
                ),
                example!("Electric Wizard", "Dopethrone", "low, slow and murky throughout"),
            ],
        },
        Rule::PitchImperfection => Facts {
            feeling: "honesty: nobody corrected this",
            justification: "Nobody says {event} in perfect tune.",
            examples: &[
                example!("Neil Young", "Tonight's the Night", "a voice that cracks, and stays in"),
                example!("Daniel Johnston", "Hi, How Are You", "out of tune, and meant"),
            ],
        },
        Rule::RoomNoise => Facts {
            feeling: "a place, a night, somebody there",
            justification: "{event} happened somewhere; one should hear the room.",
            examples: &[
                example!("Bruce Springsteen", "Nebraska", "cassettes made at home"),
                example!(
                    "The Mountain Goats",
                    "All Hail West Texas",
                    "the hum of a tape recorder throughout"
                ),
            ],
        },
        Rule::Distortion => Facts {
            feeling: "too much for what carries it",
            justification: "{event} is more than the sound can hold, so the sound breaks.",
            examples: &[
                example!("The Kinks", "You Really Got Me", "a loudspeaker cut with a blade"),
                example!("Link Wray", "Rumble", "a loudspeaker pierced"),
            ],
        },
        _ => Facts {
            feeling: "inside one head",
            justification: "{event} leaves one point of view; everything comes from there.",
            examples: &[
                example!("The Beach Boys", "Pet Sounds", "made in mono"),
                example!("The Ronettes", "Be My Baby", "a whole orchestra through one loudspeaker"),
            ],
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_six_five_five_and_five() {
        let count = |category| Rule::ALL.iter().filter(|rule| rule.category() == category).count();
        assert_eq!(Category::ALL.iter().map(|it| count(*it)).collect::<Vec<_>>(), [6, 5, 5, 5]);
        assert!(
            Rule::ALL.iter().all(|rule| Category::named(rule.name().split('_').next().unwrap()).is_some())
        );
    }

    #[test]
    fn every_rule_is_found_by_both_its_names_and_says_something_of_its_own() {
        for rule in Rule::ALL {
            assert_eq!(Rule::find(rule.name()), Some(*rule));
            assert_eq!(Rule::find(&rule.short().to_lowercase()), Some(*rule));
            assert!(rule.examples().len() >= 2, "{rule}");
        }
        let texts: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.feeling()).collect();
        assert_eq!(texts.len(), 21);
        let intent = Intent::default();
        let reasons: BTreeSet<String> = Rule::ALL.iter().map(|rule| rule.justification(&intent)).collect();
        assert_eq!(reasons.len(), 21);
        assert_eq!(Rule::find("HARMONY"), None);
        let works: BTreeSet<&str> =
            Rule::ALL.iter().flat_map(|rule| rule.examples()).map(|it| it.work).collect();
        assert!(works.len() >= 45, "{}", works.len());
    }

    #[test]
    fn a_justification_has_the_words_of_its_intent() {
        let mut intent = Intent::template("");
        intent.phase_0.event = "She left. ".to_owned();
        let reason = Rule::AvoidTonicResolution.justification(&intent);
        assert!(reason.contains("\"She left\"") && reason.contains("what I long for"), "{reason}");
        for rule in Rule::ALL {
            let reason = rule.justification(&intent);
            assert!(!reason.contains('{') && reason.contains("She left"), "{reason}");
        }
    }
}
