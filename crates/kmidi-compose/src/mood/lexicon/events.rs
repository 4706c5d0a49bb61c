//! What happened, or what is to be done about it: people often say what they feel without a word that names it.
use super::super::Affect::*;
use super::phrases::Line;

/// Phrases as in [`PHRASES`](super::phrases::PHRASES).
pub const EVENTS: &[Line] = &[
    (
        &[(Grief, 1.0)],
        None,
        "never came back|never come back|never coming back|wont come back|not coming back|walked out on me|gone forever|\
         gone for good|took my brother|took my sister|took my mother|took my father|took my mum|took my mom|took my dad|\
         took my son|took my daughter|took my husband|took my wife|took my child|took my friend|taken from me|taken from us|\
         put him down|put her down|wasnt ready to let go",
    ),
    (
        &[(Rage, 1.5)],
        None,
        "lied to me|lied to us|lying to me|lies to me|cheated on me|cheating on me|stole from me|behind my back|made a fool of me",
    ),
    (
        &[(Rage, 1.0)],
        None,
        "want to smash|want to punch|want to hit|want to break something|want to break everything|want to scream at|\
         punch a wall|punched a wall|hit a wall with my fist|smash everything|burn it down|burn it all down|burn them all|\
         how dare|get away with it|got away with it|out of my sight|shut up",
    ),
    (
        &[(Fear, 1.0)],
        None,
        "heart is racing|heart was racing|heart races|heart is pounding|heart was pounding|hands are shaking|someone is following|\
         somebody is following|being followed|someone is watching me|being watched|what if it all goes wrong|\
         what if it goes wrong|what if i fail|what if something happens|\
         sick to my stomach|break into a sweat",
    ),
    (
        &[(Dissociation, 1.0)],
        None,
        "like a ghost|a ghost in my own|like a robot|like a machine|like a shadow|like a stranger|not myself|not really here|\
         feel like nothing|nothing matters|as if i wasnt there|as if i werent there|as if i was not there",
    ),
    (
        &[(Defiance, 1.5)],
        None,
        "prove them wrong|prove you wrong|prove him wrong|prove her wrong|proved them wrong|proving them wrong|\
         nothing can stop us|nothing can stop me|nothing will stop us|nothing will stop me|no one can stop us|\
         no one can stop me|nobody can stop us|nobody can stop me|they dont own us|they dont own me|you dont own me",
    ),
    (
        &[(Defiance, 1.0)],
        None,
        "watch me|told me i couldnt|told me i cant|said i couldnt|said i cant|said i could never|told us we couldnt|\
         try and stop me|try to stop me|just try me|not backing down|wont be told",
    ),
    (
        &[(Tenderness, 1.0)],
        None,
        "was born this|was born today|was born last|was born yesterday|fell asleep on my|asleep in my arms|tucked her in|tucked him in",
    ),
    (
        &[(Joy, 1.5)],
        None,
        "said yes|dancing all night|danced all night|jumped up and down|got engaged|were engaged|having a baby|going to be a father|\
         going to be a mother|going to be parents|best news|great news|wonderful news",
    ),
    (&[(Joy, 1.0)], None, "dream job|job of my dreams|good news|snow day|school is out"),
    (&[(Joy, 0.5)], None, "ice cream|candy floss|day off"),
    (
        &[(Calm, 1.0)],
        None,
        "by the fire|by the fireplace|in front of the fire|crackling fire|fire is crackling|cup of tea|curled up with|\
         nowhere to be|nothing to do but|breathe again|breathe easy|feel safe|felt safe|feels safe|weight off my|slept well",
    ),
    (
        &[(Hope, 1.0)],
        None,
        "going to be fine|going to be okay|going to be ok|going to be alright|going to be all right|going to be good|\
         will be fine|will work out|going to work out|turn out well|one day we will|one day i will|starting over|start over|\
         start again|second chance|new chapter|turn the page",
    ),
    (
        &[(Triumph, 1.5)],
        None,
        "got the job|passed the exam|passed my exam|passed the test|passed my test|passed all my|aced the|got promoted|\
         got the promotion|got accepted|got in to|got into college|finished my thesis|finished the marathon|finished my book|\
         crossed the finish|beat cancer|cancer free|graduated|record time|personal best",
    ),
    (
        &[(Longing, 1.5)],
        None,
        "cant stop thinking about|cannot stop thinking about|couldnt stop thinking about|cant stop thinking of|\
         cant get you out of my|cant get her out of my|cant get him out of my|always on my mind|counting the days|\
         counting the hours|cant wait to see|wish i could see|wish i could hold",
    ),
    (
        &[(Longing, 1.0)],
        None,
        "moved away|so far from|miles away from|oceans apart|worlds apart|want to go home|take me home|come home to me|until you come|\
         until you return|waiting for you|waiting for him|waiting for her",
    ),
    (
        &[(Melancholy, 1.0)],
        None,
        "laughed at me|laughing at me|laughed at us|made fun of me|making fun of me|dont belong|do not belong|didnt belong|\
         end of my rope|cant do this anymore|cant do this any more|cannot do this anymore|cant go on|cannot go on|cant take it|\
         cant take this|tired of pretending|should have said|should have done|shouldnt have said|should not have said|\
         made a mistake|made a huge mistake|made a terrible mistake|my fault|messed up|screwed up|let everyone down|\
         sleep for a week|sleep all day|stay in bed|unbearable silence|silence between us|nobody came|no one came|nobody called|\
         no one called|nobody noticed",
    ),
    (
        &[(Awe, 1.0)],
        None,
        "goosebumps|made me feel tiny|made me feel small|so much bigger than|bigger than all of us|northern lights|milky way|\
         shooting star|shooting stars|not alone in the universe",
    ),
    (
        &[(Nostalgia, 1.0)],
        None,
        "all those years ago|when we were little|when i was a boy|when i was a girl|summer of|summers of|\
         smells like my|smells like mum|smells like mom|smelled like my|sounds like my childhood|last day of school",
    ),
    (
        &[(Confusion, 1.0)],
        None,
        "meaning of it all|its complicated|it is complicated|mixed feelings|which way to go",
    ),
    // Hours and ways that are long and not longed for.
    (
        &[],
        None,
        "how long|so long|too long|not long|long day|long days|long night|long nights|long time|long way|long week|long year|\
         long hair|long run|long walk|long drive|all night long|all day long|day long|night long|life long|as long as|before long|\
         long before|long after|long enough",
    ),
];
