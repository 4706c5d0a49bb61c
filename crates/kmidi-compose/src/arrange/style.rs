use std::ops::RangeInclusive;

use super::form::{Form, Section};
use crate::mood::{Affect, Character, Contour};
use crate::plan::{HarmonyPlan, SectionKind};

/// How chords are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comping {
    /// Held.
    Pad,
    /// Struck on the strong beats.
    Block,
    /// One tone after another.
    Arpeggio,
    /// Repeated on every part of a beat.
    Pulse,
    /// Short, on a pattern that leans against the beat.
    Stabs,
    /// Short, between the beats.
    Offbeats,
    /// Some of the tones, at places that change.
    Broken,
}

/// How the bass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BassLine {
    /// One tone under all chords that it fits.
    Pedal,
    /// The chord's bass, held.
    Held,
    /// The bass, then the fifth, then a step into the next chord.
    RootFifth,
    /// A tone each beat, on the way to the next chord.
    Walking,
    /// The bass on every part of a beat.
    Driving,
    /// The bass on every beat.
    Beats,
    /// The bass on the beat and against it.
    Syncopated,
}

/// What the drums play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kit {
    /// Nothing.
    Silent,
    /// Side stick and closed hi-hat.
    Soft,
    /// Ride with the third part of the beat, and the hi-hat by foot.
    Swing,
    /// Kick, backbeat, eighths.
    Straight,
    /// The same with all there is.
    Driving,
    /// Low and floor toms, far apart.
    Toms,
    /// Snare as in a march, crashes.
    March,
    /// Blows that are never where they were.
    Broken,
}

/// All that the parts need to know about a piece beside its chords and its form.
#[derive(Clone, Debug)]
pub struct Style {
    /// The plan's own figures.
    pub character: Character,
    /// Patterns where there is little energy and where there is much.
    pub comping: [Comping; 2],
    /// The same for the bass.
    pub bass: [BassLine; 2],
    /// The drums.
    pub kit: Kit,
    /// How many tones of a chord the chords part has.
    pub voices: usize,
    /// Where chords lie.
    pub chord_range: RangeInclusive<u8>,
    /// Where the bass lies.
    pub bass_range: RangeInclusive<u8>,
    /// Where guide tones lie.
    pub guide_range: RangeInclusive<u8>,
    /// Where the melody lies.
    pub melody_range: RangeInclusive<u8>,
    /// Where it is most of the time.
    pub melody_centre: u8,
    /// 0 to 1: how often notes stand against the beat.
    pub syncopation: f64,
    /// 0 to 1: how often chords have a seventh or ninth more than their symbol says.
    pub colour: f64,
    /// The widest step of the melody, in semitones.
    pub widest_leap: i32,
    /// How rich fills are, 0 to 1.
    pub fills: f64,
    /// How much less than its figures a part plays because it dares not: 0 to 1.
    pub vulnerability: f64,
}

/// Patterns of a feeling: chords, bass, drums.
type Patterns = ([Comping; 2], [BassLine; 2], Kit);

fn patterns(affect: Affect) -> Patterns {
    use BassLine::{Beats, Driving, Held, Pedal, RootFifth, Syncopated, Walking};
    use Comping::{Arpeggio, Block, Broken, Offbeats, Pad, Pulse, Stabs};
    match affect {
        Affect::Grief => ([Block, Arpeggio], [Held, Held], Kit::Silent),
        Affect::Rage => ([Stabs, Pulse], [Driving, Driving], Kit::Driving),
        Affect::Awe => ([Pad, Arpeggio], [Pedal, Held], Kit::Toms),
        Affect::Nostalgia => ([Block, Offbeats], [RootFifth, Walking], Kit::Swing),
        Affect::Fear => ([Pulse, Stabs], [Pedal, Beats], Kit::Toms),
        Affect::Dissociation => ([Pad, Pad], [Pedal, Pedal], Kit::Soft),
        Affect::Defiance => ([Stabs, Pulse], [Beats, Driving], Kit::Straight),
        Affect::Tenderness => ([Arpeggio, Arpeggio], [Held, RootFifth], Kit::Silent),
        Affect::Confusion => ([Broken, Broken], [Syncopated, Syncopated], Kit::Broken),
        Affect::Joy => ([Offbeats, Stabs], [RootFifth, Syncopated], Kit::Straight),
        Affect::Calm => ([Pad, Arpeggio], [Held, Held], Kit::Silent),
        Affect::Hope => ([Block, Arpeggio], [Held, Driving], Kit::Straight),
        Affect::Triumph => ([Block, Stabs], [RootFifth, Driving], Kit::March),
        Affect::Love => ([Block, Arpeggio], [RootFifth, Walking], Kit::Swing),
        Affect::Longing => ([Arpeggio, Arpeggio], [Held, RootFifth], Kit::Silent),
        Affect::Melancholy => ([Arpeggio, Block], [RootFifth, RootFifth], Kit::Soft),
        Affect::Gratitude => ([Pad, Block], [RootFifth, Walking], Kit::Soft),
        Affect::Tension => ([Pulse, Stabs], [Pedal, Beats], Kit::Toms),
        Affect::Neutral => ([Block, Arpeggio], [RootFifth, RootFifth], Kit::Straight),
    }
}

/// Lowest and highest key of a bass, E1 to E3.
const BASS: (u8, u8) = (28, 52);

impl Style {
    /// What the plan's figures mean for the parts.
    pub fn new(plan: &HarmonyPlan) -> Self {
        let character = plan.character;
        let (comping, bass, kit) = patterns(plan.mood.primary);
        let (complexity, vulnerability) = (unit(plan.complexity), unit(plan.vulnerability));
        let kit = match (kit, character.drums) {
            (_, drums) if drums < 0.05 || drums.is_nan() => Kit::Silent,
            (Kit::Silent, drums) if drums < 0.15 => Kit::Silent,
            (Kit::Silent, _) => Kit::Soft,
            (kit, _) => kit,
        };
        let loud = unit(character.dynamics.ceiling) > 0.7;
        let voices = 3 + usize::from(loud) + usize::from(complexity > 0.5) - usize::from(vulnerability > 0.6);
        let middle = (i32::from(character.register.centre) - 8).clamp(53, 65) as u8;
        let bass_low = (middle - 24).clamp(BASS.0, BASS.1 - 19);
        let (melody_centre, chord_range) = (melody_centre(character), chord_range(character, middle));
        let guide_low = (*chord_range.end() - 12).max(GUIDE_LOWEST);
        let jagged = character.contour == Contour::Jagged;
        Style {
            character,
            comping,
            bass,
            kit,
            voices: voices.clamp(3, 5),
            bass_range: bass_low..=bass_low + 19,
            guide_range: guide_low..=guide_low + 14,
            melody_range: register(character, *chord_range.end() - 3),
            melody_centre,
            chord_range,
            syncopation: (0.15 + 0.7 * complexity).min(1.0),
            colour: (unit(character.dissonance) + complexity - 0.6).clamp(0.0, 1.0),
            widest_leap: 7 + i32::from(jagged) * 2 + (complexity * 5.0) as i32,
            fills: complexity,
            vulnerability,
        }
    }

    /// The pattern of chords in a bar.
    pub fn comping_at(&self, form: &Form, bar: u32) -> Comping {
        self.comping[usize::from(is_full(form.section(bar), form.energy(bar)))]
    }

    /// The pattern of the bass in a bar.
    pub fn bass_at(&self, form: &Form, bar: u32) -> BassLine {
        self.bass[usize::from(is_full(form.section(bar), form.energy(bar)))]
    }

    /// How much of its written length a note sounds, 0.2 to 1.
    pub fn articulation(&self) -> f64 {
        let given = self.character.articulation;
        if given.is_finite() { given.clamp(0.2, 1.0) } else { 0.8 }
    }

    /// Whether two parts may stand a semitone apart.
    pub fn may_clash(&self) -> bool {
        self.character.dissonance >= CLASHES_FROM
    }
}

/// From this dissonance on a plan asks for clashes.
pub const CLASHES_FROM: f64 = 0.7;

/// Whether a section is one of those that say it by all.
fn is_full(section: &Section, energy: f64) -> bool {
    match section.kind {
        SectionKind::Chorus => energy > 0.4,
        SectionKind::Intro | SectionKind::Breakdown | SectionKind::Outro => false,
        SectionKind::Verse | SectionKind::PreChorus | SectionKind::Bridge => energy > 0.72,
    }
}

/// Guide tones have no key below this, C3.
const GUIDE_LOWEST: u8 = 48;
/// Chords have no key below this, E2: thirds are mud there.
const CHORDS_LOWEST: u8 = 40;
/// Registers with a centre below this leave no room for chords under the melody, F#4.
const ROOMY_CENTRE: u8 = 66;

/// Where the melody is most of the time. A low register is that of the whole piece: its melody goes up half of what is lacking for
/// chords to lie under it, and the chords go down the other half, so that low moods stay lower than high ones.
fn melody_centre(character: Character) -> u8 {
    let centre = character.register.centre;
    centre.max(ROOMY_CENTRE / 2 + centre / 2)
}

/// Where chords lie: around `middle`, and below the melody's centre.
fn chord_range(character: Character, middle: u8) -> RangeInclusive<u8> {
    let high = (middle + 10).min(melody_centre(character).saturating_sub(4)).max(CHORDS_LOWEST + 12);
    (middle - 9).min(high - 15).max(CHORDS_LOWEST)..=high
}

/// The melody's range: as the plan has it, but none of it far below the chords' highest key; an octave at least.
fn register(character: Character, lowest: u8) -> RangeInclusive<u8> {
    let given = character.register;
    let low = given.low.min(given.high).clamp(24, 96).max(lowest.min(96));
    low..=given.high.max(given.low).clamp(low + 12, 108)
}

/// A figure from 0 to 1.
pub fn unit(value: f64) -> f64 {
    if value.is_nan() { 0.5 } else { value.clamp(0.0, 1.0) }
}
