//! What kind of sound a phone is, and how hard it is.

use serde::Serialize;

use super::ipa::Phone;

/// A kind of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The voice, with an open mouth; diphthongs too.
    Vowel,
    /// A closure that bursts: p b t d k g.
    Plosive,
    /// A closure that opens into noise: t͡ʃ d͡ʒ.
    Affricate,
    /// Noise in a narrow place: f v s z ʃ.
    Fricative,
    /// The voice through the nose: m n ŋ.
    Nasal,
    /// l and r.
    Liquid,
    /// Half a vowel: w j.
    Glide,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 7] = [
        Class::Vowel,
        Class::Plosive,
        Class::Affricate,
        Class::Fricative,
        Class::Nasal,
        Class::Liquid,
        Class::Glide,
    ];

    /// Of a phone. A letter that is none of the others' is a vowel.
    pub fn of(phone: &Phone) -> Class {
        let text = phone.as_str();
        if text.contains('\u{361}') {
            return Class::Affricate;
        }
        let first = text.chars().next().unwrap_or('ə');
        let has = |letters: &str| letters.contains(first);
        match first {
            _ if has("pbtdkgcɟqɢʈɖʔɓɗɠʄʛʡ") => Class::Plosive,
            _ if has("fvszʃʒθðhɦxɣχʁħʕɸβçʝʂʐɕʑɬɮʍɧʜʢ") => Class::Fricative,
            _ if has("mnŋɱɲɳɴ") => Class::Nasal,
            _ if has("lɹrɫɭʎʟɾɽɻʀʙɺⱱ") => Class::Liquid,
            _ if has("wjɥɰʋ") => Class::Glide,
            _ => Class::Vowel,
        }
    }

    /// In a report.
    pub fn plural(self) -> &'static str {
        match self {
            Class::Vowel => "vowels",
            Class::Plosive => "plosives",
            Class::Affricate => "affricates",
            Class::Fricative => "fricatives",
            Class::Nasal => "nasals",
            Class::Liquid => "liquids",
            Class::Glide => "glides",
        }
    }
}

/// How late children who grow up with English say it as adults do, 1 (before three years) to 5 (after six);
/// what English does not have is 3.
pub fn difficulty(phone: &Phone) -> u8 {
    match phone.unmarked().as_str() {
        "θ" => 5,
        "ð" | "ʒ" | "ɹ" | "r" => 4,
        "v" | "s" | "z" | "ʃ" | "l" | "ɫ" | "t͡ʃ" | "d͡ʒ" | "ɝ" | "ɚ" | "ɜ" => 3,
        "k" | "g" | "f" | "t" | "ŋ" | "j" => 2,
        "aɪ" | "aʊ" | "eɪ" | "oʊ" | "ɔɪ" | "eə" | "ɪə" => 2,
        "m" | "n" | "p" | "b" | "d" | "h" | "w" => 1,
        _ if Class::of(phone) == Class::Vowel => 1,
        _ => 3,
    }
}

/// How far apart two sounds are, as far as it decides which of two equally good alignments is told: 0 the
/// same, 1 of one kind, 2 kindred, 3 a vowel and a consonant.
pub(super) fn distance(a: &Phone, b: &Phone) -> u32 {
    if a.same_sound(b) {
        return 0;
    }
    let (a, b) = (Class::of(a), Class::of(b));
    let is_vowel = |it| it == Class::Vowel || it == Class::Glide;
    match () {
        () if a == b => 1,
        () if is_vowel(a) == is_vowel(b) => 2,
        () => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Phone {
        Phone::parse_all(text).unwrap().remove(0)
    }

    #[test]
    fn each_kind_knows_its_own() {
        let classes = [
            (Class::Vowel, "i ɪ ɛ æ ɑ ɔ ʊ u ʌ ə ɝ aɪ oʊ ɑː"),
            (Class::Plosive, "p b t d k g ʔ tʰ"),
            (Class::Affricate, "t͡ʃ dʒ t͡s"),
            (Class::Fricative, "f v θ ð s z ʃ ʒ h"),
            (Class::Nasal, "m n ŋ n̩"),
            (Class::Liquid, "l ɹ r ɾ"),
            (Class::Glide, "w j"),
        ];
        for (class, phones) in classes {
            for it in phones.split(' ') {
                assert_eq!(Class::of(&phone(it)), class, "{it}");
            }
        }
    }

    #[test]
    fn a_distance_is_symmetric_and_nothing_for_the_same() {
        let phones: Vec<Phone> = "i ɑ t d s z m l w t͡ʃ".split(' ').map(phone).collect();
        for a in &phones {
            assert_eq!(distance(a, a), 0);
            for b in &phones {
                assert_eq!(distance(a, b), distance(b, a));
                assert!(a == b || distance(a, b) > 0);
            }
        }
        assert!(distance(&phone("t"), &phone("d")) < distance(&phone("t"), &phone("m")));
    }

    #[test]
    fn what_is_learned_late_is_hard() {
        assert!(difficulty(&phone("θ")) > difficulty(&phone("s")));
        assert!(difficulty(&phone("s")) > difficulty(&phone("m")));
        assert_eq!(difficulty(&phone("x")), 3);
    }
}
