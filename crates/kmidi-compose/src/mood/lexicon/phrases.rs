//! What several words say together.
use super::super::Affect::{self, *};

/// How the words that follow are to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// They are denied.
    Denied,
    /// They were so once.
    Past,
    /// They are wished for.
    Wished,
    /// They are asked for in a question whose answer is no.
    Asked,
}

/// The feelings that some phrases speak for and how much, how what follows is to be taken, and the phrases.
pub(super) type Line = (&'static [(Affect, f64)], Option<Scope>, &'static str);

/// Phrases, divided by `|`, without apostrophes: the feelings they speak for, and how what follows is to be taken. One without a
/// feeling only keeps its words from being read one by one.
pub const PHRASES: &[Line] = &[
    (
        &[(Grief, 2.0)],
        None,
        "heart is broken|broke my heart|broken heart|broken hearted|grief stricken|heart broken",
    ),
    (
        &[(Grief, 1.5)],
        None,
        "passed away|never see her again|never see him again|never see you again|never see them again",
    ),
    (
        &[(Grief, 1.0)],
        None,
        "never again|lost my|lost our|lost her|lost his|lost their|lost him|lost them|lost you|lost everything|lost it all|\
         lost everyone|lost someone|lost a|losing my|losing our|losing her|losing his|losing him|losing you|losing them|\
         losing everything|losing someone|lose my|lose you|lose her|lose him|lose them|lose everything|lose someone|\
         say goodbye|saying goodbye|said goodbye|rest in peace|my loss|left me",
    ),
    (
        &[(Rage, 1.5)],
        None,
        "stabbed in the back|hate your guts|boiling with|pouting face|symbols on mouth|blood boils",
    ),
    (
        &[(Rage, 1.0)],
        None,
        "sick of|fed up|pissed off|piss me off|pisses me off|had enough of|cross with|steam from nose",
    ),
    (&[(Fear, 2.0)], None, "scared to death|scared stiff|frightened to death|screaming in fear"),
    (&[(Fear, 1.5)], None, "cant breathe|cannot breathe|can not breathe|couldnt breathe|could not breathe"),
    (&[(Fear, 1.0)], None, "freaked out|freaking out|panic attack|butterflies in my stomach|out of control"),
    (
        &[(Dissociation, 1.5)],
        None,
        "feel nothing|felt nothing|feeling nothing|dead inside|outside my body|out of my body|outside of my body|\
         cant feel anything|cannot feel anything|dont feel anything|do not feel anything|didnt feel anything|\
         nothing feels real|nothing is real|nothing seems real|feel nothing at all",
    ),
    (
        &[(Dissociation, 1.0)],
        None,
        "not real|isnt real|doesnt feel real|going through the motions|zoned out|behind glass|far away from myself|cant feel",
    ),
    (
        &[(Defiance, 1.5)],
        None,
        "never give up|never surrender|never back down|stand my ground|break free|breaking free|broke free|rise up|\
         wont back down|will not back down|wont surrender|will not surrender|wont be silenced|will not be silenced",
    ),
    (
        &[(Defiance, 1.0)],
        None,
        "wont give up|will not give up|not give up|not giving up|dont give up|enough is enough|stand up|standing up|\
         stand tall|standing tall|stand strong|fight back|fighting back|fought back|my terms|wont let you|wont let them",
    ),
    // Whose own it is matters: what is told apart above is defiant, a life or a room of one's own may be.
    (&[(Defiance, 0.5)], None, "my own"),
    (&[(Defiance, 1.0)], Some(Scope::Denied), "no more"),
    (&[(Defiance, 0.5)], Some(Scope::Denied), "i wont|we wont|i will not|we will not"),
    (
        &[(Tenderness, 1.0)],
        None,
        "hold me|hold you|hold her|hold him|hold my hand|holding my hand|hold your hand|holding hands|take care of|hugging face",
    ),
    (
        &[(Confusion, 1.0)],
        None,
        "dont know|do not know|didnt know|dont understand|do not understand|cant understand|doesnt make sense|\
         does not make sense|makes no sense|make no sense|make sense of|no idea|who am i|mixed up|confused face",
    ),
    (
        &[(Joy, 2.0)],
        None,
        "on top of the world|over the moon|cloud nine|never been happier|couldnt be happier|could not be happier|so happy i could",
    ),
    (&[(Joy, 1.5)], None, "tears of joy|cant wait|cannot wait|jump for joy|jumping for joy"),
    (
        &[(Joy, 1.0)],
        None,
        "full of life|in high spirits|having fun|having a blast|good time|good times|great time",
    ),
    (&[(Calm, 1.0)], None, "at peace|at ease|peace and quiet|inner peace|at rest|take it easy|relieved face"),
    (
        &[(Hope, 1.5)],
        None,
        "light at the end|better days|new beginning|new beginnings|fresh start|brighter tomorrow|triumphant hope",
    ),
    (
        &[(Hope, 1.0)],
        None,
        "looking forward|new day|get better|gets better|getting better|will be okay|will be ok|be alright|be all right|new life",
    ),
    (&[(Triumph, 1.5)], None, "against all odds|finally free|set free|set me free|did it against"),
    (
        &[(Triumph, 1.0)],
        None,
        "made it|we did it|i did it|im free|i am free|we are free|im finally free|best day",
    ),
    (&[(Love, 2.0)], None, "love of my life|head over heels"),
    (&[(Love, 1.5)], None, "in love|fell in love|falling in love|fall in love|heart eyes"),
    (
        &[(Love, 1.0)],
        None,
        "red heart|two hearts|sparkling heart|growing heart|beating heart|heart with arrow|heart with ribbon|blue heart|\
         green heart|yellow heart|orange heart|purple heart|revolving hearts|blowing a kiss|kiss mark|heart suit|with hearts",
    ),
    (&[(Longing, 1.5)], None, "wish you were here|wish you were|wish she were|wish he were"),
    (
        &[(Longing, 1.0)],
        None,
        "long for|longing for|longed for|if only|so far away|without you|without her|without him|come back to me|far from you",
    ),
    (
        &[(Longing, 1.0)],
        Some(Scope::Wished),
        "wish i|wish we|want to be|want to feel|wanna be|wanna feel|would like to feel|need to feel",
    ),
    (
        &[(Melancholy, 1.5)],
        None,
        "no hope|without hope|without any hope|lost hope|lost all hope|lose hope|losing hope|hate myself|no reason to live|want to die",
    ),
    (
        &[(Melancholy, 1.0)],
        None,
        "feel down|feeling down|feel blue|feeling blue|feel low|feeling low|feel bad|feeling bad|let down|giving up|gave up|\
         given up|give up|all alone|burned out|burnt out|no joy|heavy heart|sad but relieved face",
    ),
    (&[(Gratitude, 1.5)], None, "count my blessings|thank god|thank goodness"),
    (
        &[(Gratitude, 1.0)],
        None,
        "thank you|folded hands|come to terms|came to terms|made peace with|make peace with|let go of|letting go",
    ),
    (&[(Tension, 1.5)], None, "calm before the storm|edge of my seat|walking on eggshells"),
    (
        &[(Tension, 1.0)],
        None,
        "on edge|about to happen|something is coming|somethings coming|holding my breath|about to snap|ticking clock",
    ),
    (
        &[(Nostalgia, 1.5)],
        None,
        "good old days|when i was young|when i was a kid|when i was a child|when i was little|when we were young|when we were kids",
    ),
    (
        &[(Nostalgia, 1.0)],
        None,
        "back when|back then|old days|those days|years ago|long ago|growing up|grew up|my youth|old friend|old friends|old home|old house|old town|old school|old life|old songs|the way things were",
    ),
    (&[(Nostalgia, 1.0)], Some(Scope::Past), "used to"),
    // Idioms by class. Thanks that are none.
    (
        &[(Rage, 1.0)],
        None,
        "thanks for nothing|thank you for nothing|thanks a lot for nothing|thanks a bunch|no thanks to|sick to death of|\
         lost my temper|lose my temper|had it up to here|last straw|fuming mad",
    ),
    // Death that nobody dies.
    (
        &[(Joy, 1.5)],
        None,
        "dying of laughter|dying from laughter|die of laughter|died of laughter|dying laughing|died laughing|die laughing|\
         laughed to death|laughing to death|laughing myself to death|laughed until i cried|laughed till i cried|laughing so hard|\
         crying with laughter|cried with laughter|crying of laughter|crying laughing|cried laughing|crying tears of joy|cry of joy|\
         cry for joy|cried for joy|crying for joy|crying with joy|tears of laughter|in stitches|never better|never been better|\
         couldnt be better|could not be better",
    ),
    (
        &[(Joy, 1.0)],
        None,
        "to die for|cant get enough of|hell of a time|hell of a good time|not bad at all|having a ball|had a ball|had a blast",
    ),
    (&[(Joy, 0.5)], None, "not bad|not too bad|not half bad|not too shabby|cant complain|cannot complain"),
    (
        &[(Awe, 1.0)],
        None,
        "drop dead gorgeous|blown away|blew me away|takes my breath away|took my breath away|left me speechless",
    ),
    (
        &[(Love, 1.5)],
        None,
        "mad about you|mad about her|mad about him|crazy about you|crazy about her|crazy about him|madly in love",
    ),
    (
        &[(Love, 1.0)],
        None,
        "love you to death|love her to death|love him to death|love them to death|love it to death",
    ),
    (
        &[(Longing, 1.0)],
        None,
        "dying to see|dying to meet|dying to be|dying to know|dying to hear|dying to go|dying for",
    ),
    (
        &[(Gratitude, 1.5)],
        None,
        "cant thank you enough|cannot thank you enough|thanks a million|thanks a lot",
    ),
    (
        &[(Defiance, 1.0)],
        None,
        "over my dead body|my own terms|my own way|my own rules|my own path|my own voice|my own master",
    ),
    (&[(Calm, 1.0)], None, "lost in music|lost in the music|dead quiet|so quiet you"),
    (&[(Confusion, 1.0)], None, "lost my way|lost my mind|losing my mind|lose my mind|losing the plot"),
    (
        &[(Melancholy, 1.0)],
        None,
        "dead tired|bored to death|bored to tears|bored stiff|nobody cares|no one cares|nobody cared",
    ),
    (
        &[(Melancholy, 0.5)],
        None,
        "been better|why bother|whats the point|what is the point|whats the use|what is the use|no love lost",
    ),
    // Looking on from outside.
    (
        &[(Dissociation, 1.5)],
        None,
        "through glass|behind a glass wall|behind a pane of glass|through a pane of glass|through frosted glass|through a fog|\
         watching myself|outside myself|outside of myself|someone elses life|somebody elses life|like a stranger to myself|\
         not in my body|not in my own body|like it is happening to someone else|watching from outside|on autopilot",
    ),
    (
        &[(Dissociation, 0.5)],
        None,
        "who cares|dont care|do not care|didnt care|doesnt care|couldnt care less|could not care less|could care less",
    ),
    (&[(Tenderness, 1.0)], None, "who cares for|who cares deeply"),
    // What is lost and not mourned; comparisons that seem to deny; what cannot be stopped, helped or believed.
    (
        &[],
        None,
        "lost my keys|lost my phone|lost my wallet|lost my voice|lost my appetite|lost my place|lost weight|lost count|\
         lost track of|lost in thought|lost in translation|dead serious|dead sure|dead certain|dead set|dead on|dead heat|\
         dead language|dead weight|killing time|burning question|burning calories|slow burn|broken record|broke the ice|\
         food fight|fighting chance|crying shame|cry wolf|never stop|never stopped|never stops|dont stop|wont stop|havent stopped|\
         hasnt stopped|not stopped|never fail|never fails|never been so|never felt so|never been this|never felt this|\
         never been more|never felt more|never seen anything so|never seen anything more|couldnt be more|could not be more|\
         couldnt be prouder|couldnt ask for more|couldnt agree more|cant believe|cannot believe|couldnt believe|no matter|\
         no less|not to mention|nothing beats|nothing makes me happier than|nothing better than|nothing like|nothing compares to|\
         never mind|without fail|for nothing|good for nothing|good grief|good luck|pretty much|who knows",
    ),
    (&[], Some(Scope::Denied), "far from|anything but|no longer|free of|free from|instead of"),
    (
        &[],
        None,
        "kind of|sort of|a bit|a little bit|number one|light bulb|light switch|traffic light|oh my god|my god|god damn|of course|\
         would love to|vast majority|no wonder|no doubt|without doubt|without a doubt|good morning|good night|good evening|\
         good afternoon|home page|home screen|home button|hold on|on hold|stand by|cant stop|cannot stop|couldnt stop|\
         cant help|cannot help|couldnt help|nothing but|not only|not just|not merely|used to it|dead end|dead line|dead battery|\
         lost and found|why not|thats why|this is why|for sure|care less|like a|blue sky|blue skies|cold water|\
         in spite of|bus stop|free time|feel free|for free|free of charge|a great deal|good deal|miss the bus|miss the train|miss out",
    ),
];
