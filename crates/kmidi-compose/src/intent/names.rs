//! Closed lists of names, and finding the one that was meant.

/// The characters by which two spellings of one name may differ: `Hip-Hop`, `hip hop`, `HIP_HOP`.
fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// Whether both are the same name, but for case, spaces and punctuation.
pub(super) fn same(one: &str, other: &str) -> bool {
    plain(one).eq(plain(other))
}

/// Longest text that is compared letter by letter; nobody means a name by a longer one.
const MAX_LETTERS: usize = 48;

/// The name that was probably meant by `typed`: at most a third of its letters differ.
pub(super) fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = plain(typed).take(MAX_LETTERS + 1).collect();
    if typed.is_empty() || typed.len() > MAX_LETTERS {
        return None;
    }
    let distance = |name: &&str| edits(&typed, &plain(name).collect::<Vec<_>>());
    let (least, name) = names.into_iter().map(|name| (distance(&name), name)).min_by_key(|(least, _)| *least)?;
    (least * 3 <= typed.len().max(3)).then_some(name)
}

/// Letters to insert, remove or replace that make one word of the other (Levenshtein).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, with) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != with);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

/// An enum whose values have a name that users type and a line that says what it means.
macro_rules! names {
    ($(#[$about:meta])* $list:ident { $($value:ident $name:literal $meaning:literal)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $list {
            $(#[doc = concat!("`", $name, "`: ", $meaning)] $value,)+
        }

        impl $list {
            /// All of them, in the order in which they are listed.
            pub const ALL: &'static [$list] = &[$($list::$value),+];

            /// The name that an intent has.
            pub fn name(self) -> &'static str {
                match self { $($list::$value => $name,)+ }
            }

            /// What it means, in a line.
            pub fn meaning(self) -> &'static str {
                match self { $($list::$value => $meaning,)+ }
            }

            /// The one of this name; case, spaces and punctuation do not matter.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| $crate::intent::names::same(it.name(), name))
            }
        }

        impl std::fmt::Display for $list {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $list {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}
pub(super) use names;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name_and_another_word_none() {
        let names = ["Grief", "Rage", "Triumphant Hope"];
        assert_eq!(nearest("greif", names), Some("Grief"));
        assert_eq!(nearest("rgae!", names), Some("Rage"));
        assert_eq!(nearest("triumphent-hope", names), Some("Triumphant Hope"));
        for word in ["", "   ", "banana", "x", &"rage".repeat(1000)] {
            assert_eq!(nearest(word, names), None, "{word}");
        }
    }

    #[test]
    fn spellings_of_a_name_are_one() {
        assert!(same("R&B", "r b") && same("Lo-Fi Bedroom", "lofi_bedroom") && !same("Rage", "Raga"));
    }
}
