//! What people write, and what they feel.
#![forbid(unsafe_code)]

use kmidi_compose::mood::{Affect, read};

const SENTENCES: &[(&str, Affect)] = &[
    ("My grandmother died last week and the house is so empty without her", Affect::Grief),
    ("I can't stop crying since the funeral", Affect::Grief),
    ("we buried our dog today", Affect::Grief),
    ("She left and my heart is broken", Affect::Grief),
    ("I hate what they did to us, they betrayed everyone", Affect::Rage),
    ("I'm so pissed off at my boss I could scream", Affect::Rage),
    ("This injustice makes my blood boil", Affect::Rage),
    ("Standing under the stars I felt the vast, infinite universe", Affect::Awe),
    ("a sacred, majestic cathedral of light", Affect::Awe),
    ("Remember when we were kids? Those days by the lake...", Affect::Nostalgia),
    ("I miss my old home", Affect::Nostalgia),
    ("old photographs of my childhood", Affect::Nostalgia),
    ("I'm terrified of what comes next", Affect::Fear),
    ("my heart races, I panic, I feel trapped", Affect::Fear),
    ("I am worried and anxious about tomorrow", Affect::Fear),
    ("everything feels unreal, like I'm floating outside my body", Affect::Dissociation),
    ("I feel numb, detached from everyone", Affect::Dissociation),
    ("I won't back down. This is my life and I refuse to obey.", Affect::Defiance),
    ("they tried to break me but I am unbreakable", Affect::Defiance),
    ("Gently, softly, she holds the fragile little bird", Affect::Tenderness),
    ("take care of each other, be gentle", Affect::Tenderness),
    ("I don't know what to do, everything is so confusing", Affect::Confusion),
    ("my thoughts are spinning, it makes no sense", Affect::Confusion),
    ("What a fantastic day! I can't stop smiling", Affect::Joy),
    ("We laughed and danced all night, it was so much fun", Affect::Joy),
    ("I'm excited about the party", Affect::Joy),
    ("sitting quietly by the lake, peaceful and relaxed", Affect::Calm),
    ("my mind is at peace", Affect::Calm),
    ("Things will get better, I have faith", Affect::Hope),
    ("a new beginning, I am hopeful for the future", Affect::Hope),
    ("We won the championship! Victory is ours", Affect::Triumph),
    ("against all odds I overcame everything and succeeded", Affect::Triumph),
    ("I am falling in love with you", Affect::Love),
    ("she is the love of my life, I adore her", Affect::Love),
    ("I miss you, I long for your voice", Affect::Longing),
    ("yearning for a place far away", Affect::Longing),
    ("I feel sad and lonely on this rainy evening", Affect::Melancholy),
    ("everything is gloomy and I am so disappointed", Affect::Melancholy),
    ("I feel hopeless and worthless", Affect::Melancholy),
    ("thank you for everything, I am deeply grateful", Affect::Gratitude),
    ("I appreciate you and feel blessed", Affect::Gratitude),
    ("something ominous is looming, the suspense is unbearable", Affect::Tension),
    ("we wait on edge, tense, before the storm", Affect::Tension),
    ("I'm not sad anymore, I'm finally free", Affect::Triumph),
    ("I was never scared of you", Affect::Neutral),
    ("I feel okay", Affect::Neutral),
    ("my husband abandoned me", Affect::Grief),
    ("they humiliated and rejected me", Affect::Melancholy),
    ("I am burnt out", Affect::Melancholy),
    ("I feel so alive and confident, I feel great", Affect::Joy),
    ("don't be afraid, I love you", Affect::Love),
    ("It was terrifying at first, but now I am calm", Affect::Calm),
    ("the meeting is on Thursday at ten", Affect::Neutral),
    ("please send me the report", Affect::Neutral),
    ("she bought a university textbook", Affect::Neutral),
    ("optimize the number of threads", Affect::Neutral),
    ("the compass points north", Affect::Neutral),
    ("the change affected the suspension of the car", Affect::Neutral),
];

#[test]
fn ordinary_sentences_are_understood() {
    let mut wrong = Vec::new();
    for &(text, affect) in SENTENCES {
        let mood = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        if mood.primary != affect {
            let words: Vec<_> =
                mood.evidence.iter().map(|it| (it.word.as_str(), it.affect.name(), it.weight)).collect();
            wrong.push(format!("{text}: {} and not {affect} for {words:?}", mood.primary));
        }
    }
    assert_eq!(wrong, [""; 0]);
}
