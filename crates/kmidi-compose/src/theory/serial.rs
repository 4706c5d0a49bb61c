//! Serde: what has a text that is read back is written as that text.
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Chord, Key, PitchName, Roman, Scale};

/// Reads a `T` from its text.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )*};
}

as_text!(Chord, Key, PitchName, Roman, Scale);

impl FromStr for Scale {
    type Err = super::KeyError;

    fn from_str(name: &str) -> Result<Self, super::KeyError> {
        let unknown =
            || super::KeyError::Scale { name: super::shortened(name), nearest: Self::nearest_name(name) };
        Self::named(name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_from_json() {
        let values: (Chord, Key, PitchName, Roman, Scale) = (
            "Ebm7b5/Gb".parse().unwrap(),
            "F# dorian".parse().unwrap(),
            "Bb".parse().unwrap(),
            "V65/ii".parse().unwrap(),
            Scale::BLUES,
        );
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(text, r#"["Ebm7b5/Gb","F# dorian","Bb","V65/ii","blues"]"#);
        assert_eq!(serde_json::from_str::<(Chord, Key, PitchName, Roman, Scale)>(&text).unwrap(), values);
        assert!(serde_json::from_str::<Chord>("\"H7\"").is_err());
    }
}
