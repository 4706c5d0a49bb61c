//! What people write and do not mean word by word: idioms, questions that are none, denials behind what they deny; each class with
//! sentences that look like it and are meant as they stand.

use kmidi_compose::mood::{Affect, TextError, read};

use Affect::*;

use super::{check, mood};

#[test]
fn idioms_are_not_read_word_by_word() {
    check(&[
        ("Thanks for nothing", Rage),
        ("thank you for nothing, as always", Rage),
        ("I am sick to death of your excuses", Rage),
        ("I was dying of laughter", Joy),
        ("we died laughing", Joy),
        ("She laughed until I cried laughing", Joy),
        ("that cake is to die for", Joy),
        ("drop dead gorgeous", Awe),
        ("the view took my breath away", Awe),
        ("I am mad about you", Love),
        ("I love you to death", Love),
        ("I'm dying to meet her", Longing),
        ("I can't thank you enough", Gratitude),
        ("over my dead body", Defiance),
        ("I was bored to tears", Melancholy),
        ("nobody cares", Melancholy),
        ("watching my own life through glass", Dissociation),
        ("like I'm watching myself from the ceiling", Dissociation),
        ("this is someone else's life", Dissociation),
        ("I couldn't care less", Dissociation),
        ("not bad", Joy),
        ("never better", Joy),
        ("I lost my temper", Rage),
        ("I am losing my mind", Confusion),
        ("I can't believe how happy I am", Joy),
        ("I have never been so happy", Joy),
        ("I have never felt this happy", Joy),
        ("I never stopped loving you", Love),
        ("I lost my keys and I lost weight", Neutral),
        ("dead serious", Neutral),
    ]);
}

#[test]
fn control_what_looks_like_an_idiom_is_read_as_it_stands() {
    check(&[
        ("Thanks for everything", Gratitude),
        ("thank you for the nothing box", Gratitude),
        ("I am dying", Grief),
        ("she died, and there was no laughter", Grief),
        ("I cried for him", Grief),
        ("I am mad", Rage),
        ("I am living on my own terms", Defiance),
        ("my own, and nobody else's", Defiance),
        ("the nurse who cares for me", Tenderness),
        ("I lost my mother", Grief),
        ("bad", Melancholy),
        ("I have never been happy", Melancholy),
        ("cold glass", Melancholy),
        ("I never loved you, I hate you", Rage),
    ]);
}

#[test]
fn questions_whose_answer_is_no_deny() {
    check(&[
        ("Who could be angry at that", Neutral),
        ("Who could be angry at that?", Neutral),
        ("How could anyone be sad here?", Neutral),
        ("Why should I be afraid?", Neutral),
        ("And why would I be scared of you?", Neutral),
        ("What is there to be afraid of?", Neutral),
        ("Who said I was angry?", Neutral),
        ("Who could be happy like this?", Melancholy),
        ("Do I look happy to you?", Melancholy),
        ("How can I be happy now?", Melancholy),
        ("Am I happy? Not really.", Melancholy),
        ("Scared? No.", Neutral),
        ("Who wouldn't love this?", Love),
        ("What's not to love", Love),
        ("Isn't she lovely", Joy),
        ("Wasn't it fun?", Joy),
        ("How could I not be happy?", Joy),
        ("Who could not be sad", Melancholy),
    ]);
}

#[test]
fn control_what_looks_like_such_a_question_asks_or_tells() {
    check(&[
        ("Why am I so sad?", Melancholy),
        ("a man who could be angry", Rage),
        ("How could you be so cruel?", Rage),
        ("people who can be happy", Joy),
        ("It isn't lovely", Melancholy),
        ("I am sad. No, I am furious.", Rage),
        ("Are you happy? Yes.", Joy),
        ("who would have thought, I am happy", Joy),
    ]);
}

#[test]
fn what_is_taken_back_behind_it_does_not_count() {
    check(&[
        ("It was great. Not.", Melancholy),
        ("It was great... NOT!", Melancholy),
        ("I'm so happy, not.", Melancholy),
        ("A wonderful evening. As if.", Melancholy),
        ("I love Mondays, said no one ever", Melancholy),
        ("I am afraid. Far from it.", Neutral),
    ]);
}

#[test]
fn control_not_and_its_like_elsewhere_deny_what_follows_only() {
    check(&[
        ("It was great. Not a cloud in the sky.", Joy),
        ("I am happy. Not sad.", Joy),
        ("It was great, not just good", Joy),
        ("I feel as if I were happy", Joy),
        ("Not.", Neutral),
    ]);
}

/// Who denies what is pleasant mostly means its opposite; who denies what is unpleasant does not.
#[test]
fn a_text_that_only_denies_what_is_pleasant_is_not_in_major() {
    check(&[
        ("I am not happy", Melancholy),
        ("there is no joy in it", Melancholy),
        ("I don't feel loved", Melancholy),
        ("it is no fun at all", Melancholy),
        ("I can't relax", Tension),
        ("I have never felt joy", Melancholy),
        // Controls: nothing is said for these.
        ("I am not angry", Neutral),
        ("I'm neither happy nor sad", Neutral),
        ("not scared, not sad", Neutral),
        ("not thankful", Neutral),
    ]);
    let faint = mood("I am not happy");
    assert!(faint.intensity < mood("I am unhappy").intensity && faint.valence < 0.0, "{faint:?}");
}

#[test]
fn valence_does_not_contradict_the_feelings_that_were_read() {
    for text in ["Thanks for nothing", "I love Mondays, said no one ever", "I am not happy"] {
        assert!(mood(text).valence < 0.0, "{text}: {:?}", mood(text));
    }
    for text in ["I was dying of laughter", "I have never been so happy", "not bad"] {
        assert!(mood(text).valence > 0.0, "{text}: {:?}", mood(text));
    }
    for text in ["I am not angry", "not sad, not scared", "Who could be angry at that"] {
        assert_eq!(mood(text).valence, 0.0, "{text}");
    }
    // Controls: where they agree, the rated words have the say.
    assert!(mood("I am very happy!").valence > mood("I am happy").valence);
    assert!(mood("a filthy swindle").valence < -0.3);
}

#[test]
fn other_languages_are_told_and_english_is_not_taken_for_one() {
    for (text, language) in [
        ("Estoy triste", "Spanish"),
        ("me siento solo", "Spanish"),
        ("traurig", "German"),
        ("ti amo", "Italian"),
        ("jestem bardzo smutny", "Polish"),
        ("tôi rất buồn", "another language"),
    ] {
        assert_eq!(read(text), Err(TextError::NotEnglish { language }), "{text}");
    }
    check(&[("no one loves me", Melancholy), ("Los Angeles dreaming", Hope), ("solo", Neutral)]);
}
