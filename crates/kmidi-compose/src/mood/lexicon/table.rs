//! Which words speak for which feeling, and how strongly.
//!
//! The plain words of the first nine feelings are those of the KmiDi system that this one follows, except where a word means too
//! much else (`home`, `light`, `hold`: hints here) or means something that had no name there (`love`, `miss`). The tiers go from a
//! hint to the strongest word that English has; what belongs to which feeling follows the groups of Shaver et al. (1987, "Emotion
//! knowledge: further exploration of a prototype approach") for anger, fear, joy, love and sadness, and common dictionaries for the rest.
use super::super::Affect::{self, *};

/// May mean the feeling, or something else.
pub const HINT: f64 = 0.5;
/// Names the feeling.
pub const PLAIN: f64 = 1.0;
/// Names much of it.
pub const STRONG: f64 = 1.5;
/// Names more of it than can be borne.
pub const EXTREME: f64 = 2.0;

/// Words by feeling and tier. Each stands for its family (`grieve` for `grieving`), unless it begins with `=`: that is the word
/// alone, and then no family of it counts. A word may stand for two feelings.
pub const WORDS: &[(Affect, f64, &str)] = &[
    (Grief, EXTREME, "devastated bereft shattered inconsolable anguish heartbroken heartbreak heartbreaking"),
    (Grief, STRONG, "mourn bereaved bereavement sorrow weep wept sob despair heartache"),
    (
        Grief,
        PLAIN,
        "abandoned grief grieve loss dead died =die =dies =dying death funeral burial buried grave graveyard cemetery coffin \
         cry cried tears widow widowed widower orphan goodbye farewell orphaned stillborn miscarriage mournful",
    ),
    (Grief, HINT, "gone =empty emptiness miss sad =lost hollow ashes =pain ache =broken"),
    (Rage, EXTREME, "enraged livid outraged outrage seething wrath hatred infuriated infuriating murderous"),
    (Rage, STRONG, "furious fury rage hate loathe despise revenge vengeance avenge betrayed betray betrayal"),
    (
        Rage,
        PLAIN,
        "angry anger =mad =madder irate resent resentful resentment hostile hostility violent violence unfair injustice \
         destroy =burning wrathful vengeful hateful spite spiteful =angrier cruel cruelty",
    ),
    (
        Rage,
        HINT,
        "repulsed revulsion annoyed annoying irritated irritating irritation frustrated frustrating frustration burn fight jealous jealousy \
         envy envious disgust disgusted contempt bitter bitterness scream screaming upset insulted",
    ),
    (Awe, STRONG, "awe awestruck breathtaking transcendent transcendence majestic sublime"),
    (
        Awe,
        PLAIN,
        "=wonder =wonders wondrous marvel beautiful beauty infinite infinity =universe transcend =vast vastness divine \
         cosmos cosmic eternal eternity magnificent sacred holy miracle miraculous =heavens =heavenly astonished astonishing",
    ),
    (
        Awe,
        HINT,
        "=surprised =surprise =god =gods =light stars starlight galaxy =amazed =amazing stunning radiant sky =mountains ocean glowing",
    ),
    (Nostalgia, STRONG, "nostalgia nostalgic"),
    (
        Nostalgia,
        PLAIN,
        "childhood remember memory reminisce reminiscing =hometown yesteryear bygone bittersweet wistful remembrance \
         =sentimental =homesick =youth",
    ),
    (
        Nostalgia,
        HINT,
        "=home =past grandmother grandma grandfather grandpa =photograph =photographs souvenir recall",
    ),
    (Fear, EXTREME, "terrified terror petrified horrified horror"),
    (Fear, STRONG, "panic panicked panicking dread terrifying horrifying nightmare phobia"),
    (
        Fear,
        PLAIN,
        "fear afraid scared scary frightened fright frightening anxious anxiety nervous jittery worry =worried trapped \
         threatened threat danger dangerous desperate desperation paranoid paranoia haunted spooked fearful",
    ),
    (
        Fear,
        HINT,
        "=shocked startled uneasy apprehensive insecure stressed tremble trembling shaking vulnerable overwhelmed helpless",
    ),
    (
        Dissociation,
        STRONG,
        "dissociated dissociation dissociating dissociate derealization depersonalization",
    ),
    (
        Dissociation,
        PLAIN,
        "=numb =numbness =numbed unreal detached detachment disconnected emotionless lifeless apathy apathetic zombie \
         hollow floating void foggy",
    ),
    (
        Dissociation,
        HINT,
        "fog grey gray =wall =walls nothing nothingness blank drift drifting distant invisible =empty expressionless",
    ),
    (
        Defiance,
        STRONG,
        "defiance defiant defy rebel rebellion rebellious revolt unstoppable unbreakable uprising invincible",
    ),
    (
        Defiance,
        PLAIN,
        "refuse refusal =strong =stronger strength resist resistance brave bravery courage courageous fearless =determined \
         =determination resolute fierce stubborn protest independence independent =unafraid",
    ),
    (
        Defiance,
        HINT,
        "=stand =standing fight fighter survive survivor persevere persevering resilient resilience warrior",
    ),
    (Tenderness, STRONG, "tenderness"),
    (
        Tenderness,
        PLAIN,
        "tender gentle gentleness =gentler caress caressing fragile delicate cuddle =compassion =compassionate cherish nurture \
         lullaby =affection =affectionate =soft =softly =softer =care =caring =cares =cared hug hugging",
    ),
    (
        Tenderness,
        HINT,
        "=hold =holding =kind =kindness =kindly =kinder =warm =warmth =warmer sweet baby sweetness love embrace protect",
    ),
    (Confusion, STRONG, "bewildered bewildering bewilderment baffled disoriented"),
    (
        Confusion,
        PLAIN,
        "confused confusing confusion =lost spinning strange chaos chaotic puzzled puzzling perplexed unsure uncertain \
         uncertainty dizzy muddled clueless",
    ),
    (Confusion, HINT, "=why question weird doubt bizarre torn overwhelmed hesitant confounded"),
    (
        Joy,
        EXTREME,
        "ecstatic ecstasy euphoric euphoria elated elation overjoyed jubilant exhilarated exhilarating exhilaration",
    ),
    (Joy, STRONG, "joyous delighted delight excited excitement exciting thrilled thrilling blissful bliss"),
    (
        Joy,
        PLAIN,
        "joy joyful happy happiness =happier =happiest cheer cheerful glad gladness fun =laugh =laughing laughter =laughed \
         smile smiling merry celebrate celebration =dance =dancing playful fantastic =great =wonderful upbeat enjoy \
         grinning grin beaming awesome =yay partying fabulous",
    ),
    (
        Joy,
        HINT,
        "=alive =good =nice =lovely =pleased bright funny pleasant excellent =party =play =playing sunny sunshine =haha amused",
    ),
    (Calm, STRONG, "serene serenity tranquil tranquility tranquillity"),
    (
        Calm,
        PLAIN,
        "calm calmness =calmer peace peaceful relax relaxed relaxing relaxation soothe soothing restful =contented \
         contentment mellow meditate meditation mindfulness relief relieved unwind harmonious",
    ),
    (
        Calm,
        HINT,
        "quiet =rest =resting breeze =silence =silent =safe cozy cosy comfortable balanced =content gentle =stillness",
    ),
    (Hope, STRONG, "=hopefulness =hopeful"),
    (
        Hope,
        PLAIN,
        "=hope =hopes =hoping =hoped =optimism optimistic faith =inspired inspiring inspiration encouraged encouraging heal \
         healing aspire renewal rebirth reborn",
    ),
    (
        Hope,
        HINT,
        "believe =dream =dreams =dreaming promise promising dawn tomorrow =future sunrise recover recovery beginning trust \
         =better anticipation eager",
    ),
    (Triumph, STRONG, "triumph triumphant victory victorious conquer conquered"),
    (
        Triumph,
        PLAIN,
        "empowered =win =won =winning =winner champion succeed success successful achieve achievement overcome overcame =proud =prouder \
         =pride glory glorious liberated liberation liberate =freedom accomplish accomplished =hero heroic",
    ),
    (Triumph, HINT, "confident confidence =free =freed medal trophy crown =powerful mighty"),
    (Love, STRONG, "adore adoring adoration passion passionate beloved soulmate devoted devotion"),
    (
        Love,
        PLAIN,
        "love =loving =loved =lovers =lover romance romantic darling sweetheart kiss kissing intimate intimacy infatuated",
    ),
    (Love, HINT, "cherish wedding marry married =crush =affection embrace honeymoon hug valentine tender"),
    (Longing, STRONG, "yearn yearning =pining =aching"),
    (
        Longing,
        PLAIN,
        "=longing =longings =longingly miss =missing crave craving wish =homesick wistful unrequited =longed",
    ),
    (Longing, HINT, "lonely loneliness lonesome =alone =apart desire faraway =waiting"),
    (Melancholy, EXTREME, "suicidal"),
    (
        Melancholy,
        STRONG,
        "miserable misery depressed depressing depression hopeless hopelessness worthless joyless =despairing",
    ),
    (
        Melancholy,
        PLAIN,
        "humiliated humiliation =rejected =crushed unloved sad =sadder =saddest sadness unhappy unhappiness melancholy melancholic gloomy gloom =despondent dejected downcast \
         disappointed disappointing disappointment lonely =lonelier loneliness lonesome regret guilt guilty ashamed shame \
         =hurt =hurts =hurting =pain painful suffer suffering terrible awful horrible =broken weary discouraged loveless",
    ),
    (
        Melancholy,
        HINT,
        "embarrassed =blue =bad =tired exhausted =rain rainy =dark darkness bored boredom =cold =alone pensive frowning anguished wounded",
    ),
    (
        Gratitude,
        PLAIN,
        "gratitude grateful =thankful thankfulness =thanks =thank =blessed blessing appreciate appreciation acceptance \
         forgive forgiveness forgiven forgave indebted",
    ),
    (Gratitude, HINT, "=accept =accepted =accepting generous generosity humble"),
    (Tension, STRONG, "suspense suspenseful foreboding ominous"),
    (Tension, PLAIN, "tension =tense =tenser looming impending restless restlessness edgy unease"),
    (Tension, HINT, "brewing stress pressure =waiting anticipation uneasy lurking countdown"),
];

/// Words whose family speaks for a feeling and that do not.
pub const IGNORED: &str = "acceptable successive successively succession protestant celebrity celebrities suspension \
    suspensions liberal liberals liberalism revolting resolution resolutions";

/// Words that name a shade of a feeling, by family, and the shade.
pub const SHADES: &[(&str, &str)] = &[
    ("nervous jittery anxious", "Nervousness"),
    ("desperate desperation", "Desperation"),
    ("liberated liberation freedom", "Liberation"),
    ("acceptance accept", "Acceptance"),
    ("bittersweet", "Bittersweet"),
    ("euphoric euphoria ecstatic ecstasy", "Euphoria"),
    ("serene serenity tranquil tranquility tranquillity", "Serenity"),
    ("determined determination resolute", "Determination"),
];
