use kmidi_song::Random;

use super::scene::Here;
use crate::theory::Chord;

/// What can be done to a chord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Seventh,
    Ninth,
    Eleventh,
    AddedNinth,
    AddedSixth,
    Suspension,
    StepwiseBass,
    FirstInversion,
    Pedal,
    Relative,
    Borrow,
    Backdoor,
    TritoneSubstitute,
    SecondaryDominant,
    TwoFive,
    SemitoneAbove,
    PassingDiminished,
    LeadingTone,
    Neapolitan,
    SixFour,
    Neighbour,
    ParallelApproach,
    Planing,
    Fourths,
    Mediant,
    ForeignBass,
    TritoneAway,
    Lydian,
}

/// The chords that take the place of one, and why.
pub(super) struct Edit {
    pub chords: Vec<Chord>,
    pub because: String,
}

pub(super) fn edit(
    chords: impl IntoIterator<Item = Option<Chord>>,
    because: impl Into<String>,
) -> Option<Edit> {
    let chords = chords.into_iter().collect::<Option<Vec<Chord>>>()?;
    Some(Edit { chords, because: because.into() })
}

impl Move {
    pub fn name(self) -> &'static str {
        match self {
            Move::Seventh => "seventh",
            Move::Ninth => "ninth",
            Move::Eleventh => "eleventh or thirteenth",
            Move::AddedNinth => "added ninth",
            Move::AddedSixth => "added sixth",
            Move::Suspension => "suspension",
            Move::StepwiseBass => "bass by step",
            Move::FirstInversion => "first inversion",
            Move::Pedal => "pedal",
            Move::Relative => "relative chord",
            Move::Borrow => "borrowed chord",
            Move::Backdoor => "backdoor dominant",
            Move::TritoneSubstitute => "tritone substitute",
            Move::SecondaryDominant => "secondary dominant",
            Move::TwoFive => "ii-V",
            Move::SemitoneAbove => "chromatic approach",
            Move::PassingDiminished => "passing diminished chord",
            Move::LeadingTone => "leading-tone chord",
            Move::Neapolitan => "Neapolitan sixth",
            Move::SixFour => "cadential six-four",
            Move::Neighbour => "neighbouring dominant",
            Move::ParallelApproach => "parallel approach",
            Move::Planing => "parallel chords",
            Move::Fourths => "quartal chord",
            Move::Mediant => "chromatic mediant",
            Move::ForeignBass => "foreign bass",
            Move::TritoneAway => "tritone away",
            Move::Lydian => "lydian colour",
        }
    }

    /// Whether it changes the harmony, and not only its colour.
    pub fn is_structural(self) -> bool {
        !matches!(self, Move::Seventh | Move::Ninth | Move::Eleventh | Move::AddedNinth | Move::AddedSixth)
    }

    /// Whether what it makes is heard as going to the next chord.
    pub fn leads_on(self) -> bool {
        matches!(
            self,
            Move::Backdoor
                | Move::TritoneSubstitute
                | Move::SecondaryDominant
                | Move::TwoFive
                | Move::SemitoneAbove
                | Move::PassingDiminished
                | Move::LeadingTone
                | Move::Neapolitan
                | Move::SixFour
                | Move::ParallelApproach
        )
    }

    /// What this move makes of a chord; `None` where it has no place.
    pub fn propose(self, here: &Here, random: &mut Random) -> Option<Edit> {
        match self {
            Move::Seventh => here.seventh(),
            Move::Ninth => here.ninth(),
            Move::Eleventh => here.eleventh(),
            Move::AddedNinth => here.added_ninth(),
            Move::AddedSixth => here.added_sixth(),
            Move::Suspension => here.suspension(random),
            Move::StepwiseBass => here.stepwise_bass(),
            Move::FirstInversion => here.first_inversion(),
            Move::Pedal => here.pedal(),
            Move::Relative => here.relative(random),
            Move::Borrow => here.borrow(),
            Move::Backdoor => here.backdoor(),
            Move::TritoneSubstitute => here.tritone_substitute(),
            Move::SecondaryDominant => here.secondary_dominant(),
            Move::TwoFive => here.two_five(),
            Move::SemitoneAbove => here.semitone_above(),
            Move::PassingDiminished => here.passing_diminished(),
            Move::LeadingTone => here.leading_tone(),
            Move::Neapolitan => here.neapolitan(),
            Move::SixFour => here.six_four(),
            Move::Neighbour => here.neighbour(),
            Move::ParallelApproach => here.parallel_approach(random),
            Move::Planing => here.planing(),
            Move::Fourths => here.fourths(),
            Move::Mediant => here.mediant(random),
            Move::ForeignBass => here.foreign_bass(random),
            Move::TritoneAway => here.tritone_away(),
            Move::Lydian => here.lydian(),
        }
    }
}
