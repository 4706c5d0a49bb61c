//! Sentences of known feeling that texts are compared with.
use super::Affect;

/// Three sentences for each feeling, and plain ones that name none.
pub(super) const ANCHORS: [(Affect, [&str; 3]); Affect::COUNT] = [
    (
        Affect::Grief,
        [
            "I feel grief, somebody I loved has died",
            "my heart is broken and I cannot stop crying",
            "mourning at the grave after the funeral",
        ],
    ),
    (
        Affect::Rage,
        [
            "I am furious, this makes me so angry",
            "I hate them for what they did to me",
            "this is disgusting, outrageous and unfair",
        ],
    ),
    (
        Affect::Awe,
        [
            "I stand in wonder before something vast",
            "the beauty of it takes my breath away",
            "how small we are beneath the endless stars",
        ],
    ),
    (
        Affect::Nostalgia,
        [
            "I remember my childhood and the old days",
            "looking at old photographs of how we used to be",
            "that song takes me back to when we were young",
        ],
    ),
    (
        Affect::Fear,
        [
            "I am scared and afraid of what will happen",
            "I am anxious, I worry and I cannot sleep",
            "panic, my heart is pounding in terror",
        ],
    ),
    (
        Affect::Dissociation,
        [
            "I feel numb and empty, nothing is real",
            "I am far away from myself, as if behind glass",
            "I feel nothing at all any more",
        ],
    ),
    (
        Affect::Defiance,
        [
            "I will not give in, nobody tells me what to do",
            "we stand up and fight back against them",
            "they will never break me, I am strong",
        ],
    ),
    (
        Affect::Tenderness,
        [
            "I hold you gently and take care of you",
            "a mother strokes the hair of her sleeping child",
            "a soft and tender touch",
        ],
    ),
    (
        Affect::Confusion,
        [
            "I am confused and do not know what to think",
            "nothing makes sense, I am lost",
            "I do not understand what is going on",
        ],
    ),
    (
        Affect::Joy,
        [
            "I am so happy, this is wonderful",
            "we laugh and dance and have great fun",
            "what a beautiful and delightful day",
        ],
    ),
    (
        Affect::Calm,
        [
            "I am calm and relaxed, all is peaceful",
            "a quiet evening by the still lake",
            "I breathe slowly and rest in silence",
        ],
    ),
    (
        Affect::Hope,
        [
            "I hope that things will get better",
            "there is light at the end of the tunnel",
            "I look forward to a good future",
        ],
    ),
    (
        Affect::Triumph,
        [
            "we won, we made it to the top",
            "I am proud of this great victory",
            "after all these years I finally succeeded",
        ],
    ),
    (
        Affect::Love,
        [
            "I love you with all my heart",
            "I am in love and want to be with you forever",
            "this is excellent, I love it",
        ],
    ),
    (
        Affect::Longing,
        [
            "I miss you and wish you were here",
            "I long for a place far away from here",
            "I wait for you to come back to me",
        ],
    ),
    (
        Affect::Melancholy,
        [
            "I am sad and lonely, it is raining again",
            "everything is grey and I am tired of it",
            "this is disappointing, dull and bad",
        ],
    ),
    (
        Affect::Gratitude,
        [
            "thank you for everything you did for me",
            "I am grateful for the kindness of friends",
            "I feel blessed with all that I have",
        ],
    ),
    (
        Affect::Tension,
        [
            "something is about to happen, we hold our breath",
            "the silence before the storm",
            "the pressure rises and I am on edge",
        ],
    ),
    (
        Affect::Neutral,
        [
            "the report lists the figures of the last year",
            "the machine has two buttons and a cable",
            "he went to the office on Tuesday",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feeling_has_its_own_sentences() {
        let feelings: Vec<Affect> = ANCHORS.iter().map(|(affect, _)| *affect).collect();
        assert_eq!(feelings, Affect::ALL);
        let mut all: Vec<&str> = ANCHORS.iter().flat_map(|(_, sentences)| sentences).copied().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 3 * Affect::COUNT);
    }
}
