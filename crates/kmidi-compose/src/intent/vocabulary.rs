//! The words that an intent may use.

use super::names::names;
use crate::mood::{Affect, NamedMood};

names! {
    /// What is at stake.
    Stakes {
        Personal "Personal" "who I am"
        Relational "Relational" "who I am with"
        Existential "Existential" "whether it means anything"
        Survival "Survival" "life and safety"
        Creative "Creative" "whether I can say it"
        Moral "Moral" "right and wrong"
    }
}

names! {
    /// What a song would look and feel like.
    Imagery {
        SharpEdges "Sharp Edges" "short notes, loud accents"
        Muffled "Muffled" "soft and low"
        OpenVast "Open/Vast" "wide register, room between the notes"
        Claustrophobic "Claustrophobic" "narrow register, few rests, more dissonance"
        HazyDreamy "Hazy/Dreamy" "long notes that run into each other, soft"
        Crystalline "Crystalline" "high, clear, less dissonance"
        MuddyThick "Muddy/Thick" "low and dense"
        SparseEmpty "Sparse/Empty" "few notes, much silence"
        Chaotic "Chaotic" "dense, dissonant, loud and soft at once"
        FlowingLiquid "Flowing/Liquid" "long notes, steady dynamics"
        Fractured "Fractured" "short notes, rests where none are expected"
        WarmEnveloping "Warm/Enveloping" "middle register, long notes, less dissonance"
        ColdDistant "Cold/Distant" "high, soft, apart"
        BlindingLight "Blinding Light" "high and loud"
        DeepShadow "Deep Shadow" "low and soft"
    }
}

names! {
    /// How much of oneself a song shows.
    Vulnerability {
        Low "Low" "guarded: firm and even"
        Medium "Medium" "honest, in control"
        High "High" "raw and exposed: softer, less even"
    }
}

impl Vulnerability {
    /// As the plan has it, 0 (guarded) to 1 (exposed).
    pub fn amount(self) -> f64 {
        match self {
            Vulnerability::Low => 0.2,
            Vulnerability::Medium => 0.5,
            Vulnerability::High => 0.8,
        }
    }
}

names! {
    /// How the tension of a song goes from its first bar to its last.
    NarrativeArc {
        ClimbToClimax "Climb-to-Climax" "rises from section to section, highest just before the end"
        SlowReveal "Slow Reveal" "holds back for long, then says it"
        RepetitiveDespair "Repetitive Despair" "the same again and again, never out"
        StaticReflection "Static Reflection" "stays where it is"
        SuddenShift "Sudden Shift" "low, and at once high"
        Descent "Descent" "sinks from section to section"
        RiseAndFall "Rise and Fall" "highest in the middle"
        Spiral "Spiral" "the same again, each time higher"
    }
}

names! {
    /// The kind of music; chooses instruments and groove.
    Genre {
        CinematicNeoSoul "Cinematic Neo-Soul" "electric piano and strings, dragging drums"
        LoFiBedroom "Lo-Fi Bedroom" "electric piano and vibraphone, loose and swung"
        IndustrialPop "Industrial Pop" "saw waves and metal, exact"
        Synthwave "Synthwave" "poly-synth, pulsing bass, exact"
        ConfessionalAcoustic "Confessional Acoustic" "nylon guitar and a flute for the voice"
        ArtRock "Art Rock" "clean and overdriven guitar"
        IndieFolk "Indie Folk" "steel guitar, double bass, harmonica"
        PostPunk "Post-Punk" "picked bass in front, thin guitars"
        ChamberPop "Chamber Pop" "piano, double bass, oboe"
        Electronic "Electronic" "poly-synth, square lead, exact"
        HipHop "Hip-Hop" "electric piano, synth bass, late snare"
        RnB "R&B" "electric piano, tenor saxophone, funk pocket"
        Alternative "Alternative" "clean guitar and distorted lead"
        Shoegaze "Shoegaze" "overdriven chords, a voice like a synthesiser"
        DreamPop "Dream Pop" "pads and crystal, loose"
    }
}

names! {
    /// How the time feels.
    Feel {
        StraightDriving "Straight/Driving" "on the grid, ahead"
        LaidBack "Laid Back" "behind the beat"
        Swung "Swung" "long and short eighths"
        Syncopated "Syncopated" "against the beat"
        RubatoFree "Rubato/Free" "free"
        Mechanical "Mechanical" "exact, nothing human"
        OrganicBreathing "Organic/Breathing" "breathes"
        PushPull "Push-Pull" "some early, some late"
    }
}

impl Feel {
    /// How far the timing may wander, 0 (exact) to 1, at a tension of 0 to 1: the feel's own measure, times 0.8 to 1.2.
    pub fn complexity(self, tension: f64) -> f64 {
        let own = match self {
            Feel::StraightDriving => 0.2,
            Feel::LaidBack => 0.6,
            Feel::Swung => 0.4,
            Feel::Syncopated => 0.5,
            Feel::RubatoFree => 0.9,
            Feel::Mechanical => 0.0,
            Feel::OrganicBreathing => 0.7,
            Feel::PushPull => 0.5,
        };
        (own * (0.8 + 0.4 * tension)).clamp(0.0, 1.0)
    }
}

names! {
    /// The mood that a song is to have: eighteen words, finer than the affects that a text is read for.
    MoodName {
        Grief "Grief" "loss that has not healed"
        Joy "Joy" "gladness, plainly"
        Nervousness "Nervousness" "something is about to happen"
        Defiance "Defiance" "no, and I mean it"
        Liberation "Liberation" "free at last"
        Longing "Longing" "wanting what is far"
        Rage "Rage" "anger past holding"
        Acceptance "Acceptance" "it is so, and it may be"
        Nostalgia "Nostalgia" "what was, seen from now"
        Dissociation "Dissociation" "not quite here"
        TriumphantHope "Triumphant Hope" "it will be well, aloud"
        Bittersweet "Bittersweet" "glad and sad at once"
        Melancholy "Melancholy" "sad without a cause to name"
        Euphoria "Euphoria" "more joy than one can hold"
        Desperation "Desperation" "the last thing left to try"
        Serenity "Serenity" "stillness"
        Confusion "Confusion" "nothing fits together"
        Determination "Determination" "one step, and the next"
    }
}

impl MoodName {
    /// The affect, the modes and the tempos of the mood.
    pub fn shade(self) -> &'static NamedMood {
        NamedMood::named(self.name()).expect("a test finds each of them")
    }

    /// The feeling that the mood has beside its affect; the music leans that way where the intent's own words name no other.
    pub fn undertone(self) -> Option<Affect> {
        match self {
            MoodName::Liberation | MoodName::Bittersweet => Some(Affect::Joy),
            MoodName::TriumphantHope | MoodName::Euphoria => Some(Affect::Triumph),
            MoodName::Desperation => Some(Affect::Grief),
            MoodName::Acceptance => Some(Affect::Calm),
            MoodName::Determination => Some(Affect::Hope),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mood_has_its_shade() {
        assert!(MoodName::ALL.iter().all(|mood| mood.shade().name == mood.name()));
        assert!(MoodName::ALL.iter().all(|mood| mood.undertone() != Some(mood.shade().affect)));
        assert_eq!(NamedMood::all().len(), MoodName::ALL.len());
    }

    #[test]
    fn the_lists_have_their_lengths_and_each_name_finds_itself() {
        let lengths = [
            Stakes::ALL.len(),
            Imagery::ALL.len(),
            Vulnerability::ALL.len(),
            NarrativeArc::ALL.len(),
            Genre::ALL.len(),
            Feel::ALL.len(),
            MoodName::ALL.len(),
        ];
        assert_eq!(lengths, [6, 15, 3, 8, 15, 8, 18]);
        assert!(Genre::ALL.iter().all(|genre| Genre::named(&genre.name().to_uppercase()) == Some(*genre)));
        assert!(MoodName::ALL.iter().all(|mood| MoodName::named(mood.name()) == Some(*mood)));
        assert_eq!((Genre::named("r and b"), Feel::named("")), (None, None));
    }

    #[test]
    fn complexity_follows_feel_and_tension() {
        assert_eq!(Feel::Mechanical.complexity(1.0), 0.0);
        assert_eq!(Feel::StraightDriving.complexity(0.5), 0.2);
        assert_eq!(Feel::RubatoFree.complexity(1.0), 1.0);
        assert!(Feel::LaidBack.complexity(0.0) < Feel::LaidBack.complexity(1.0));
    }
}
