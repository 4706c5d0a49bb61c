//! Sentences that tell what happened and name no feeling; each class with sentences that look like it and are none.

use kmidi_compose::mood::Affect::*;
use kmidi_compose::mood::read;

use super::check;

#[test]
fn what_happened_says_what_is_felt() {
    check(&[
        ("he walked out and never came back", Grief),
        ("the war took my brother", Grief),
        ("he lied to me for three years and I want to smash everything", Rage),
        ("I want to punch a wall", Rage),
        ("let's burn it all down", Rage),
        ("my heart is racing and my hands are shaking", Fear),
        ("someone is following me", Fear),
        ("what if it all goes wrong", Fear),
        ("I feel like a ghost in my own life", Dissociation),
        ("nothing can stop us now", Defiance),
        ("they told me I couldn't, watch me", Defiance),
        ("they think they own us. They don't own us.", Defiance),
        ("My baby was born this morning", Tenderness),
        ("she said yes!", Joy),
        ("dancing all night long", Joy),
        ("kids playing in the garden, sunshine, ice cream", Joy),
        ("sitting by the fire with a book while it snows outside", Calm),
        ("I can finally breathe again", Calm),
        ("everything is going to be fine", Hope),
        ("we are starting over", Hope),
        ("I just got the job of my dreams!!!", Triumph),
        ("I passed the exam!!!", Triumph),
        ("I finished my thesis after five years", Triumph),
        ("I can't stop thinking about her", Longing),
        ("my best friend moved away", Longing),
        ("counting the days until you come home", Longing),
        ("they laughed at me in front of everyone", Melancholy),
        ("I can't do this anymore", Melancholy),
        ("I am at the end of my rope", Melancholy),
        ("I keep replaying what I should have said", Melancholy),
        ("the silence between us is unbearable", Melancholy),
        ("I don't belong here", Melancholy),
        ("goosebumps when the choir came in", Awe),
        ("the stars tonight made me feel tiny", Awe),
        ("summer of 1989, windows down, radio on", Nostalgia),
        ("what's the meaning of it all", Confusion),
    ]);
}

#[test]
fn control_what_only_looks_like_it_is_none() {
    check(&[
        ("he came back from the shop", Neutral),
        ("I told him the time", Neutral),
        ("the wall is made of brick", Dissociation),
        ("the dog is following the postman", Neutral),
        ("I was not lied to", Neutral),
        ("they own a house", Neutral),
        ("she said it was Tuesday", Neutral),
        ("the kettle stands by the window", Neutral),
        ("I am not at the end of my rope", Neutral),
        ("the exam is on Tuesday", Neutral),
        ("the job is in town", Neutral),
        ("he moved the table", Neutral),
        ("we laughed at the film", Joy),
        ("a summer holiday", Neutral),
    ]);
}

#[test]
fn what_is_long_is_not_longed_for() {
    for text in [
        "I had a long day",
        "how long has this been going on",
        "a long drive home",
        "all day long",
        "so long!",
    ] {
        let mood = read(text).unwrap();
        assert!(mood.evidence.iter().all(|it| it.affect != Longing), "{text}: {:?}", mood.evidence);
    }
    // Control: who longs is heard.
    check(&[("I long for the sea", Longing), ("full of longing", Longing), ("she longed for rain", Longing)]);
    // Nor is "still" stillness.
    assert!(read("it still hurts").unwrap().evidence.iter().all(|it| it.affect != Calm));
    check(&[("the stillness of the lake", Calm)]);
}
