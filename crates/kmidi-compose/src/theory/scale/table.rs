//! The table of scales: steps, names, and where each is described.
//!
//! All are written in twelve equal semitones. Traditions that tune otherwise are named for what comes nearest on a keyboard.
use super::{Family, ScaleInfo};

const GLAREAN: &str = "Glarean, Dodecachordon, 1547";
const GREENBLATT: &str = "Greenblatt, The Blues Scales, 2004";
const IDELSOHN: &str = "Idelsohn, Jewish Music in Its Historical Development, 1929";
const JAIRAZBHOY: &str = "Jairazbhoy, The Rags of North Indian Music, 1971";
const LEVINE: &str = "Levine, The Jazz Theory Book, 1995";
const MALM: &str = "Malm, Japanese Music and Musical Instruments, 1959";
const MESSIAEN: &str = "Messiaen, Technique de mon langage musical, 1944";
const MILLER: &str = "Miller, Modal Jazz Composition and Harmony, 1996";
const NEEDHAM: &str = "Needham, Science and Civilisation in China, volume 4, part 1, 1962";
const PERSICHETTI: &str = "Persichetti, Twentieth-Century Harmony, 1961";
const PISTON: &str = "Piston, Harmony, 1941";
const TYMOCZKO: &str = "Tymoczko, A Geometry of Music, 2011";

/// Letters of the degrees of a scale that uses each letter once.
const SEVEN: &[u8] = &[0, 1, 2, 3, 4, 5, 6];

/// A name, its aliases, its family, semitones and letters of its degrees, whose mode it is and from which degree, its source.
macro_rules! table {
    ($($name:literal $aliases:tt $family:ident $semitones:tt $letters:expr, $mode_of:expr, $source:expr;)*) => {
        &[$(ScaleInfo {
            name: $name,
            aliases: &$aliases,
            family: Family::$family,
            semitones: &$semitones,
            letters: $letters,
            mode_of: $mode_of,
            source: $source,
        }),*]
    };
}

/// Every scale, by family.
pub(super) const TABLE: &[ScaleInfo] = table! {
    "ionian" ["major", "maj", "natural major", "bilaval"] Church
        [0, 2, 4, 5, 7, 9, 11] SEVEN, None, GLAREAN;
    "dorian" ["kafi"] Church
        [0, 2, 3, 5, 7, 9, 10] SEVEN, Some(("ionian", 1)), GLAREAN;
    "phrygian" ["bhairavi", "kurd"] Church
        [0, 1, 3, 5, 7, 8, 10] SEVEN, Some(("ionian", 2)), GLAREAN;
    "lydian" ["kalyan"] Church
        [0, 2, 4, 6, 7, 9, 11] SEVEN, Some(("ionian", 3)), GLAREAN;
    "mixolydian" ["khamaj"] Church
        [0, 2, 4, 5, 7, 9, 10] SEVEN, Some(("ionian", 4)), GLAREAN;
    "aeolian" ["minor", "min", "natural minor", "asavari"] Church
        [0, 2, 3, 5, 7, 8, 10] SEVEN, Some(("ionian", 5)), GLAREAN;
    "locrian" [] Church
        [0, 1, 3, 5, 6, 8, 10] SEVEN, Some(("ionian", 6)), PERSICHETTI;

    "melodic minor" ["jazz minor", "ascending melodic minor"] MelodicMinor
        [0, 2, 3, 5, 7, 9, 11] SEVEN, None, PISTON;
    "dorian b2" ["phrygian natural 6"] MelodicMinor
        [0, 1, 3, 5, 7, 9, 10] SEVEN, Some(("melodic minor", 1)), LEVINE;
    "lydian augmented" ["lydian #5"] MelodicMinor
        [0, 2, 4, 6, 8, 9, 11] SEVEN, Some(("melodic minor", 2)), LEVINE;
    "lydian dominant" ["acoustic", "overtone", "lydian b7", "lydian mixolydian"] MelodicMinor
        [0, 2, 4, 6, 7, 9, 10] SEVEN, Some(("melodic minor", 3)), LEVINE;
    "mixolydian b6" ["aeolian dominant"] MelodicMinor
        [0, 2, 4, 5, 7, 8, 10] SEVEN, Some(("melodic minor", 4)), LEVINE;
    "locrian natural 2" ["locrian #2", "aeolian b5", "half diminished"] MelodicMinor
        [0, 2, 3, 5, 6, 8, 10] SEVEN, Some(("melodic minor", 5)), LEVINE;
    "altered" ["super locrian", "altered dominant", "diminished whole tone"] MelodicMinor
        [0, 1, 3, 4, 6, 8, 10] SEVEN, Some(("melodic minor", 6)), LEVINE;

    "harmonic minor" ["nahawand"] HarmonicMinor
        [0, 2, 3, 5, 7, 8, 11] SEVEN, None, PISTON;
    "locrian natural 6" ["locrian #6"] HarmonicMinor
        [0, 1, 3, 5, 6, 9, 10] SEVEN, Some(("harmonic minor", 1)), MILLER;
    "ionian augmented" ["ionian #5"] HarmonicMinor
        [0, 2, 4, 5, 8, 9, 11] SEVEN, Some(("harmonic minor", 2)), MILLER;
    "ukrainian dorian" ["dorian #4", "romanian minor", "nikriz", "mi sheberach"] HarmonicMinor
        [0, 2, 3, 6, 7, 9, 10] SEVEN, Some(("harmonic minor", 3)), IDELSOHN;
    "phrygian dominant" ["spanish gypsy", "hijaz", "freygish", "ahavah rabbah"] HarmonicMinor
        [0, 1, 4, 5, 7, 8, 10] SEVEN, Some(("harmonic minor", 4)), IDELSOHN;
    "lydian #2" [] HarmonicMinor
        [0, 3, 4, 6, 7, 9, 11] SEVEN, Some(("harmonic minor", 5)), MILLER;
    "altered bb7" ["ultralocrian", "super locrian bb7"] HarmonicMinor
        [0, 1, 3, 4, 6, 8, 9] SEVEN, Some(("harmonic minor", 6)), MILLER;

    "harmonic major" ["major b6"] HarmonicMajor
        [0, 2, 4, 5, 7, 8, 11] SEVEN, None, "Rimsky-Korsakov, Practical Manual of Harmony, 1886";
    "dorian b5" [] HarmonicMajor
        [0, 2, 3, 5, 6, 9, 10] SEVEN, Some(("harmonic major", 1)), MILLER;
    "phrygian b4" [] HarmonicMajor
        [0, 1, 3, 4, 7, 8, 10] SEVEN, Some(("harmonic major", 2)), MILLER;
    "lydian b3" ["lydian diminished"] HarmonicMajor
        [0, 2, 3, 6, 7, 9, 11] SEVEN, Some(("harmonic major", 3)), MILLER;
    "mixolydian b2" [] HarmonicMajor
        [0, 1, 4, 5, 7, 9, 10] SEVEN, Some(("harmonic major", 4)), MILLER;
    "lydian augmented #2" ["lydian #2 #5"] HarmonicMajor
        [0, 3, 4, 6, 8, 9, 11] SEVEN, Some(("harmonic major", 5)), MILLER;
    "locrian bb7" [] HarmonicMajor
        [0, 1, 3, 5, 6, 8, 9] SEVEN, Some(("harmonic major", 6)), MILLER;

    "double harmonic" ["double harmonic major", "byzantine", "bhairav", "hijaz kar"] World
        [0, 1, 4, 5, 7, 8, 11] SEVEN, None, PERSICHETTI;
    "hungarian minor" ["gypsy minor", "double harmonic minor"] World
        [0, 2, 3, 6, 7, 8, 11] SEVEN, Some(("double harmonic", 3)), PERSICHETTI;
    "oriental" [] World
        [0, 1, 4, 5, 6, 9, 10] SEVEN, Some(("double harmonic", 4)), PERSICHETTI;
    "neapolitan major" [] World
        [0, 1, 3, 5, 7, 9, 11] SEVEN, None, PERSICHETTI;
    "leading whole tone" [] World
        [0, 2, 4, 6, 8, 10, 11] SEVEN, Some(("neapolitan major", 1)), PERSICHETTI;
    "lydian minor" [] World
        [0, 2, 4, 6, 7, 8, 10] SEVEN, Some(("neapolitan major", 3)), PERSICHETTI;
    "major locrian" [] World
        [0, 2, 4, 5, 6, 8, 10] SEVEN, Some(("neapolitan major", 4)), PERSICHETTI;
    "neapolitan minor" [] World
        [0, 1, 3, 5, 7, 8, 11] SEVEN, None, PERSICHETTI;
    "hungarian major" [] World
        [0, 3, 4, 6, 7, 9, 10] SEVEN, None, PERSICHETTI;
    "enigmatic" ["scala enigmatica"] World
        [0, 1, 4, 6, 8, 10, 11] SEVEN, None, "Verdi, Ave Maria (scala enigmatica), 1889";
    "marwa" [] World
        [0, 1, 4, 6, 7, 9, 11] SEVEN, None, JAIRAZBHOY;
    "purvi" ["poorvi"] World
        [0, 1, 4, 6, 7, 8, 11] SEVEN, None, JAIRAZBHOY;
    "todi" [] World
        [0, 1, 3, 6, 7, 8, 11] SEVEN, None, JAIRAZBHOY;
    "eight-tone spanish" [] World
        [0, 1, 3, 4, 5, 6, 8, 10] &[0, 1, 2, 2, 3, 4, 5, 6], None, PERSICHETTI;

    "major pentatonic" ["pentatonic", "gong"] Pentatonic
        [0, 2, 4, 7, 9] &[0, 1, 2, 4, 5], None, NEEDHAM;
    "suspended pentatonic" ["egyptian", "shang"] Pentatonic
        [0, 2, 5, 7, 10] &[0, 1, 3, 4, 6], Some(("major pentatonic", 1)), PERSICHETTI;
    "jue" ["blues minor pentatonic"] Pentatonic
        [0, 3, 5, 8, 10] &[0, 2, 3, 5, 6], Some(("major pentatonic", 2)), NEEDHAM;
    "ritusen" ["zhi", "yo"] Pentatonic
        [0, 2, 5, 7, 9] &[0, 1, 3, 4, 5], Some(("major pentatonic", 3)), MALM;
    "minor pentatonic" ["yu"] Pentatonic
        [0, 3, 5, 7, 10] &[0, 2, 3, 4, 6], Some(("major pentatonic", 4)), LEVINE;
    "in" ["miyako bushi"] Pentatonic
        [0, 1, 5, 7, 8] &[0, 1, 3, 4, 5], None, MALM;
    "hirajoshi" [] Pentatonic
        [0, 2, 3, 7, 8] &[0, 1, 2, 4, 5], None, PERSICHETTI;
    "kumoi" [] Pentatonic
        [0, 2, 3, 7, 9] &[0, 1, 2, 4, 5], None, PERSICHETTI;
    "pelog" [] Pentatonic
        [0, 1, 3, 7, 8] &[0, 1, 2, 4, 5], None, PERSICHETTI;

    "blues" ["minor blues"] Blues
        [0, 3, 5, 6, 7, 10] &[0, 2, 3, 4, 4, 6], None, GREENBLATT;
    "major blues" [] Blues
        [0, 2, 3, 4, 7, 9] &[0, 1, 2, 2, 4, 5], Some(("blues", 1)), GREENBLATT;

    "bebop dominant" ["bebop"] Bebop
        [0, 2, 4, 5, 7, 9, 10, 11] &[0, 1, 2, 3, 4, 5, 6, 6], None, LEVINE;
    "bebop major" ["major sixth diminished"] Bebop
        [0, 2, 4, 5, 7, 8, 9, 11] &[0, 1, 2, 3, 4, 4, 5, 6], None, LEVINE;
    "bebop dorian" ["bebop minor"] Bebop
        [0, 2, 3, 4, 5, 7, 9, 10] &[0, 1, 2, 2, 3, 4, 5, 6], None, LEVINE;
    "bebop melodic minor" ["minor sixth diminished"] Bebop
        [0, 2, 3, 5, 7, 8, 9, 11] &[0, 1, 2, 3, 4, 4, 5, 6], None, LEVINE;

    "whole tone" ["messiaen 1"] Symmetric
        [0, 2, 4, 6, 8, 10] &[0, 1, 2, 3, 4, 6], None, MESSIAEN;
    "octatonic half-whole" ["half whole", "dominant diminished", "messiaen 2"] Symmetric
        [0, 1, 3, 4, 6, 7, 9, 10] &[0, 1, 2, 2, 3, 4, 5, 6], None, MESSIAEN;
    "octatonic whole-half" ["whole half", "octatonic", "diminished"] Symmetric
        [0, 2, 3, 5, 6, 8, 9, 11] &[0, 1, 2, 3, 4, 5, 5, 6], Some(("octatonic half-whole", 1)), LEVINE;
    "messiaen 3" [] Symmetric
        [0, 2, 3, 4, 6, 7, 8, 10, 11] &[0, 1, 2, 2, 3, 4, 5, 6, 6], None, MESSIAEN;
    "messiaen 4" [] Symmetric
        [0, 1, 2, 5, 6, 7, 8, 11] &[0, 1, 1, 3, 3, 4, 5, 6], None, MESSIAEN;
    "messiaen 5" [] Symmetric
        [0, 1, 5, 6, 7, 11] &[0, 1, 3, 3, 4, 6], None, MESSIAEN;
    "messiaen 6" [] Symmetric
        [0, 2, 4, 5, 6, 8, 10, 11] &[0, 1, 2, 3, 3, 5, 6, 6], None, MESSIAEN;
    "messiaen 7" [] Symmetric
        [0, 1, 2, 3, 5, 6, 7, 8, 9, 11] &[0, 1, 1, 2, 3, 3, 4, 5, 5, 6], None, MESSIAEN;
    "augmented" ["hexatonic"] Symmetric
        [0, 3, 4, 7, 8, 11] &[0, 1, 2, 4, 5, 6], None, TYMOCZKO;
    "inverted augmented" ["augmented inverse"] Symmetric
        [0, 1, 4, 5, 8, 9] &[0, 1, 2, 3, 5, 5], Some(("augmented", 1)), TYMOCZKO;
    "tritone" ["petrushka"] Symmetric
        [0, 1, 4, 6, 7, 10] &[0, 1, 2, 3, 4, 6], None, "Stravinsky, Petrushka (its two triads), 1911";
    "prometheus" ["mystic"] Symmetric
        [0, 2, 4, 6, 9, 10] &[0, 1, 2, 3, 5, 6], None, "Scriabin, Prometheus, opus 60, 1910";
    "chromatic" [] Symmetric
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] &[0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6], None, "Schoenberg, Harmonielehre, 1911";
};
