//! The feelings that there are plans for.
use std::fmt;
use std::str::FromStr;

use super::preset::AffectPreset;
use super::presets::PRESETS;

/// A feeling that there is a plan for.
///
/// The order is that in which feelings of equal weight in a text come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affect {
    /// Loss and mourning.
    Grief,
    /// Anger.
    Rage,
    /// Wonder before something vast.
    Awe,
    /// What was, and is missed a little.
    Nostalgia,
    /// Fear, dread and nervousness.
    Fear,
    /// Numb, unreal, far away.
    Dissociation,
    /// Refusal, strength against something.
    Defiance,
    /// Gentleness and care.
    Tenderness,
    /// Not knowing where one is.
    Confusion,
    /// Happiness that moves.
    Joy,
    /// Peace.
    Calm,
    /// Something better is coming.
    Hope,
    /// Something is won.
    Triumph,
    /// Love of somebody, warmer and less careful than [`Affect::Tenderness`].
    Love,
    /// Reaching for what is not here.
    Longing,
    /// A quiet sadness that goes on, without a blow.
    Melancholy,
    /// Thanks, and peace with what is.
    Gratitude,
    /// Something is about to happen.
    Tension,
    /// None of these.
    Neutral,
}

impl Affect {
    /// How many there are.
    pub const COUNT: usize = 19;

    /// All of them, in order; [`Affect::Neutral`] is the last.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Grief,
        Self::Rage,
        Self::Awe,
        Self::Nostalgia,
        Self::Fear,
        Self::Dissociation,
        Self::Defiance,
        Self::Tenderness,
        Self::Confusion,
        Self::Joy,
        Self::Calm,
        Self::Hope,
        Self::Triumph,
        Self::Love,
        Self::Longing,
        Self::Melancholy,
        Self::Gratitude,
        Self::Tension,
        Self::Neutral,
    ];

    /// All of them, in order; [`Affect::Neutral`] is the last.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// Its name in lower case: `grief`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grief => "grief",
            Self::Rage => "rage",
            Self::Awe => "awe",
            Self::Nostalgia => "nostalgia",
            Self::Fear => "fear",
            Self::Dissociation => "dissociation",
            Self::Defiance => "defiance",
            Self::Tenderness => "tenderness",
            Self::Confusion => "confusion",
            Self::Joy => "joy",
            Self::Calm => "calm",
            Self::Hope => "hope",
            Self::Triumph => "triumph",
            Self::Love => "love",
            Self::Longing => "longing",
            Self::Melancholy => "melancholy",
            Self::Gratitude => "gratitude",
            Self::Tension => "tension",
            Self::Neutral => "neutral",
        }
    }

    /// What its music is like.
    pub fn preset(self) -> &'static AffectPreset {
        &PRESETS[self as usize]
    }
}

impl fmt::Display for Affect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No feeling has this name; see [`Affect::ALL`] and [`super::NamedMood::all`] for those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no feeling is called `{0}`; `kmidi emotions` lists them")]
pub struct UnknownAffect(pub String);

impl FromStr for Affect {
    type Err = UnknownAffect;

    /// Its name in any case, or that of a [`super::NamedMood`].
    fn from_str(name: &str) -> Result<Self, UnknownAffect> {
        let named = |affect: &Self| affect.name().eq_ignore_ascii_case(name.trim());
        let affect = Self::all().find(named);
        let affect = affect.or_else(|| super::NamedMood::named(name).map(|mood| mood.affect));
        affect.ok_or_else(|| UnknownAffect(name.trim().to_owned()))
    }
}

impl serde::Serialize for Affect {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name_and_has_its_own_preset() {
        for (place, affect) in Affect::all().enumerate() {
            assert_eq!(affect as usize, place);
            assert_eq!(affect.name().to_uppercase().parse(), Ok(affect));
            assert_eq!(affect.preset().affect, affect);
        }
        assert_eq!("nervousness".parse(), Ok(Affect::Fear));
        assert_eq!("furniture".parse::<Affect>(), Err(UnknownAffect("furniture".to_owned())));
    }
}
