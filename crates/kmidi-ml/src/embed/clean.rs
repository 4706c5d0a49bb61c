//! Text as the model's vocabulary has it: lower case, no accents, no control characters.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The characters of a text as BERT's uncased vocabulary has them: without control characters and accents, in lower
/// case, each Chinese character between blanks, and every kind of blank a blank.
///
/// A character at a time: a long text is never held twice.
pub(super) fn cleaned(text: &str) -> impl Iterator<Item = char> {
    let kept = text.chars().filter(|it| !is_removed(*it));
    let spaced = kept.flat_map(|it| match it {
        it if is_blank(it) => [Some(' '), None, None],
        it if is_chinese(it) => [Some(' '), Some(it), Some(' ')],
        it => [Some(it), None, None],
    });
    let plain = spaced.flatten().nfd().filter(|it| it.general_category() != GeneralCategory::NonspacingMark);
    plain.flat_map(char::to_lowercase)
}

/// What splits words: blanks of any kind.
pub(super) fn is_blank(it: char) -> bool {
    it.is_whitespace()
}

/// What is a word of its own: every ASCII sign, and what Unicode calls punctuation.
pub(super) fn is_sign(it: char) -> bool {
    use GeneralCategory as G;
    it.is_ascii_punctuation()
        || matches!(
            it.general_category(),
            G::ConnectorPunctuation
                | G::DashPunctuation
                | G::OpenPunctuation
                | G::ClosePunctuation
                | G::InitialPunctuation
                | G::FinalPunctuation
                | G::OtherPunctuation
        )
}

fn is_removed(it: char) -> bool {
    use GeneralCategory as G;
    // Three control characters are blanks.
    !matches!(it, '\t' | '\n' | '\r')
        && (matches!(it, '\0' | '\u{fffd}')
            || matches!(it.general_category(), G::Control | G::Format | G::PrivateUse | G::Surrogate))
}

/// Ideographs, which are written without blanks; kana and hangul are not among them.
fn is_chinese(it: char) -> bool {
    matches!(
        it,
        '\u{4e00}'..='\u{9fff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{20000}'..='\u{2a6df}'
            | '\u{2a700}'..='\u{2b73f}'
            | '\u{2b740}'..='\u{2b81f}'
            | '\u{2b820}'..='\u{2ceaf}'
            | '\u{f900}'..='\u{faff}'
            | '\u{2f800}'..='\u{2fa1f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_control_characters_go_and_ideographs_stand_alone() {
        let of = |text: &str| cleaned(text).collect::<String>();
        assert_eq!(of("Crème BRÛLÉE\u{200b}\u{7}"), "creme brulee");
        assert_eq!(of("e\u{301}\u{323}t\u{e9}\u{a0}\tx"), "ete  x");
        assert_eq!(of("古琴x"), " 古  琴 x");
        assert_eq!(of("\u{fffd}\0a\u{e000}"), "a");
        assert_eq!(of("İSTANBUL Σ"), "istanbul σ");
    }

    #[test]
    fn signs_are_those_of_ascii_and_of_unicode() {
        assert!("!$+<=>^`|~-_—“”¿、".chars().all(is_sign));
        assert!(!"a1 é琴€☺".chars().any(is_sign));
    }
}
