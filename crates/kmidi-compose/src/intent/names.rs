//! Closed lists of names.

/// The characters by which two spellings of one name may differ: `Hip-Hop`, `hip hop`, `HIP_HOP`.
fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// Whether both are the same name, but for case, spaces and punctuation.
pub(super) fn same(one: &str, other: &str) -> bool {
    plain(one).eq(plain(other))
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
    fn spellings_of_a_name_are_one() {
        assert!(same("R&B", "r b") && same("Lo-Fi Bedroom", "lofi_bedroom") && !same("Rage", "Raga"));
    }
}
