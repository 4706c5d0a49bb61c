//! What genre, feel, imagery, arc and tension do to a plan.

use super::vocabulary::{Feel, Genre, Imagery, NarrativeArc};
use crate::mood::{Character, Feel as Placement, Programs};
use crate::plan::{Section, TensionCurve};

/// Instruments and drums of a genre.
struct Band {
    programs: Programs,
    /// How much the drums do, 0 to 1.
    drums: f64,
    /// 0 straight, 0.33 triplets.
    swing: f64,
    /// Name of a groove preset.
    groove: &'static str,
}

/// General MIDI programs, counted from 0.
const fn band(
    chords: u8,
    bass: u8,
    melody: u8,
    guide_tones: u8,
    drums: f64,
    swing: f64,
    groove: &'static str,
) -> Band {
    Band { programs: Programs { chords, bass, melody, guide_tones }, drums, swing, groove }
}

impl Genre {
    fn band(self) -> Band {
        match self {
            // Electric piano, fingered bass, saxophone, strings.
            Genre::CinematicNeoSoul => band(4, 33, 65, 48, 0.6, 0.2, "hiphop_pocket"),
            // Electric piano, acoustic bass, vibraphone, warm pad.
            Genre::LoFiBedroom => band(4, 32, 11, 89, 0.5, 0.3, "lofi_depression"),
            // Saw lead, synth bass, square lead, metallic pad.
            Genre::IndustrialPop => band(81, 38, 80, 93, 0.9, 0.0, "mechanical_dissociation"),
            // Poly-synth, synth bass, saw lead, sweep pad.
            Genre::Synthwave => band(90, 38, 81, 95, 0.8, 0.0, "tight_controlled"),
            // Nylon guitar, acoustic bass, flute, strings.
            Genre::ConfessionalAcoustic => band(24, 32, 73, 48, 0.1, 0.0, "intimate_vulnerability"),
            // Clean guitar, fingered bass, overdriven guitar, strings.
            Genre::ArtRock => band(27, 33, 29, 48, 0.8, 0.0, "tight_controlled"),
            // Steel guitar, acoustic bass, harmonica, accordion.
            Genre::IndieFolk => band(25, 32, 22, 21, 0.3, 0.1, "intimate_vulnerability"),
            // Muted guitar, picked bass, clean guitar, strings.
            Genre::PostPunk => band(28, 34, 27, 50, 0.9, 0.0, "defiant_punk"),
            // Piano, acoustic bass, oboe, strings.
            Genre::ChamberPop => band(0, 32, 68, 48, 0.4, 0.0, "tight_controlled"),
            // Poly-synth, synth bass, square lead, warm pad.
            Genre::Electronic => band(90, 39, 80, 89, 0.9, 0.0, "mechanical_dissociation"),
            // Electric piano, synth bass, vibraphone, warm pad.
            Genre::HipHop => band(4, 38, 11, 89, 0.8, 0.25, "hiphop_pocket"),
            // FM piano, fingered bass, tenor saxophone, strings.
            Genre::RnB => band(5, 33, 66, 48, 0.7, 0.15, "funk_pocket"),
            // Clean guitar, fingered bass, distortion guitar, rock organ.
            Genre::Alternative => band(27, 33, 30, 18, 0.8, 0.0, "anxious_driving"),
            // Overdriven guitar, fingered bass, synth voice, choir pad.
            Genre::Shoegaze => band(29, 33, 54, 91, 0.7, 0.0, "lofi_depression"),
            // New-age pad, fingered bass, crystal, halo pad.
            Genre::DreamPop => band(88, 33, 98, 94, 0.5, 0.1, "lofi_depression"),
        }
    }

    pub(super) fn shape(self, character: &mut Character) {
        let Band { programs, drums, swing, groove } = self.band();
        *character = Character { programs, drums, swing, groove, ..*character };
    }
}

impl Feel {
    pub(super) fn shape(self, character: &mut Character) {
        let (feel, swing, groove) = match self {
            Feel::StraightDriving => (Placement::Ahead, 0.0, "anxious_driving"),
            Feel::LaidBack => (Placement::Behind, character.swing, "hiphop_pocket"),
            Feel::Swung => (Placement::On, 0.33, "nostalgic_swing"),
            Feel::Syncopated => (Placement::On, character.swing, "funk_pocket"),
            Feel::RubatoFree => (Placement::Behind, 0.0, "intimate_vulnerability"),
            Feel::Mechanical => (Placement::On, 0.0, "mechanical_dissociation"),
            Feel::OrganicBreathing => (Placement::Behind, character.swing, "intimate_vulnerability"),
            Feel::PushPull => (Placement::Ahead, character.swing, "funk_pocket"),
        };
        *character = Character { feel, swing, groove, ..*character };
    }
}

/// What an image adds to a character.
#[derive(Clone, Copy, Default)]
struct Tint {
    /// Semitones that the register moves.
    register: i8,
    /// Semitones that it grows at each end; shrinks where negative.
    width: i8,
    loudness: f64,
    variation: f64,
    density: f64,
    space: f64,
    dissonance: f64,
    articulation: f64,
}

impl Imagery {
    fn tint(self) -> Tint {
        let none = Tint::default();
        match self {
            Imagery::SharpEdges => Tint { articulation: -0.35, loudness: 0.1, variation: 0.15, ..none },
            Imagery::Muffled => Tint { register: -5, loudness: -0.15, ..none },
            Imagery::OpenVast => Tint { width: 7, space: 0.1, density: -0.25, ..none },
            Imagery::Claustrophobic => Tint { width: -5, space: -0.1, dissonance: 0.15, ..none },
            Imagery::HazyDreamy => Tint { articulation: 0.25, loudness: -0.1, ..none },
            Imagery::Crystalline => Tint { register: 7, dissonance: -0.15, ..none },
            Imagery::MuddyThick => Tint { register: -7, density: 0.5, space: -0.1, ..none },
            Imagery::SparseEmpty => Tint { space: 0.2, density: -0.5, ..none },
            Imagery::Chaotic => Tint { density: 0.75, dissonance: 0.25, variation: 0.3, ..none },
            Imagery::FlowingLiquid => Tint { articulation: 0.25, variation: -0.15, ..none },
            Imagery::Fractured => Tint { articulation: -0.35, space: 0.15, variation: 0.15, ..none },
            Imagery::WarmEnveloping => Tint { articulation: 0.2, dissonance: -0.15, width: -3, ..none },
            Imagery::ColdDistant => Tint { register: 5, loudness: -0.15, space: 0.1, ..none },
            Imagery::BlindingLight => Tint { register: 7, loudness: 0.15, ..none },
            Imagery::DeepShadow => Tint { register: -7, loudness: -0.1, ..none },
        }
    }

    pub(super) fn shape(self, character: &mut Character) {
        let tint = self.tint();
        let unit = |value: f64| value.clamp(0.0, 1.0);
        let key = |key: u8, by: i8| (i16::from(key) + i16::from(by)).clamp(24, 100) as u8;
        let register = &mut character.register;
        register.centre = key(register.centre, tint.register);
        // However narrow, an octave is left.
        register.low = key(register.low, tint.register - tint.width).min(register.centre - 6);
        register.high = key(register.high, tint.register + tint.width).max(register.centre + 6);
        let dynamics = &mut character.dynamics;
        dynamics.floor = (dynamics.floor + tint.loudness).clamp(0.1, 0.8);
        dynamics.ceiling = (dynamics.ceiling + tint.loudness).clamp(dynamics.floor + 0.1, 1.0);
        dynamics.variation = unit(dynamics.variation + tint.variation);
        character.density_per_beat = (character.density_per_beat + tint.density).clamp(0.25, 4.0);
        character.space = (character.space + tint.space).clamp(0.0, 0.6);
        character.dissonance = unit(character.dissonance + tint.dissonance);
        character.articulation = (character.articulation + tint.articulation).clamp(0.2, 1.0);
    }
}

impl NarrativeArc {
    /// What tension is multiplied by in each eighth of the song, 0.3 to 1.3.
    pub fn multipliers(self) -> [f64; 8] {
        match self {
            NarrativeArc::ClimbToClimax => TensionCurve::Catharsis.multipliers(),
            NarrativeArc::SlowReveal => TensionCurve::SlowBuild.multipliers(),
            NarrativeArc::RepetitiveDespair => [0.7, 0.9, 0.7, 0.9, 0.7, 0.9, 0.7, 0.9],
            NarrativeArc::StaticReflection => TensionCurve::Static.multipliers(),
            NarrativeArc::SuddenShift => [0.4, 0.4, 0.4, 0.4, 0.4, 1.3, 1.3, 1.2],
            NarrativeArc::Descent => TensionCurve::Descent.multipliers(),
            NarrativeArc::RiseAndFall => [0.5, 0.7, 0.9, 1.2, 1.3, 0.9, 0.7, 0.5],
            NarrativeArc::Spiral => TensionCurve::Spiral.multipliers(),
        }
    }

    /// Gives each section the mean of the curve while it lasts.
    pub(super) fn shape(self, sections: &mut [Section]) {
        let curve = self.multipliers();
        let bars: u32 = sections.iter().map(|section| section.bars).sum();
        let mut start = 0;
        for section in sections {
            let places = (start..start + section.bars).map(|bar| (bar * 8 / bars.max(1)) as usize);
            let sum: f64 = places.map(|place| curve[place.min(7)]).sum();
            section.tension = sum / f64::from(section.bars.max(1));
            start += section.bars;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mood::Affect;
    use crate::plan::SectionKind;

    #[test]
    fn every_image_is_heard_and_stays_playable() {
        for affect in Affect::all() {
            let before = affect.preset().character;
            for imagery in Imagery::ALL {
                let mut after = before;
                imagery.shape(&mut after);
                assert_ne!(before, after, "{imagery} changes nothing of {affect}");
                let register = after.register;
                assert!(register.low < register.centre && register.centre < register.high, "{register:?}");
                assert!(after.dynamics.floor < after.dynamics.ceiling && after.dynamics.ceiling <= 1.0);
                assert!((0.2..=1.0).contains(&after.articulation) && (0.0..=0.6).contains(&after.space));
            }
        }
    }

    #[test]
    fn genres_and_feels_differ() {
        let shaped = |genre: &Genre| {
            let mut character = Affect::Neutral.preset().character;
            genre.shape(&mut character);
            character.programs
        };
        for (place, genre) in Genre::ALL.iter().enumerate() {
            let others = &Genre::ALL[place + 1..];
            assert!(others.iter().all(|other| shaped(genre) != shaped(other)), "{genre}");
        }
        let mut swung = Affect::Neutral.preset().character;
        Feel::Swung.shape(&mut swung);
        assert_eq!((swung.swing, swung.groove), (0.33, "nostalgic_swing"));
    }

    #[test]
    fn an_arc_goes_as_its_name_says() {
        let shaped = |arc: NarrativeArc| -> Vec<f64> {
            let section =
                |bars| Section { kind: SectionKind::Verse, bars, tension: f64::NAN, contrast: false };
            let mut sections = [section(4), section(12), section(8), section(8)];
            arc.shape(&mut sections);
            sections.iter().map(|section| section.tension).collect()
        };
        assert!(shaped(NarrativeArc::SlowReveal).is_sorted());
        assert!(shaped(NarrativeArc::Descent).is_sorted_by(|one, next| one > next));
        let shift = shaped(NarrativeArc::SuddenShift);
        assert!((shift[0] - shift[1]).abs() < 1e-9 && shift[3] > 2.0 * shift[1], "{shift:?}");
        let fall = shaped(NarrativeArc::RiseAndFall);
        assert!(fall[2] > fall[0] && fall[2] > fall[3], "{fall:?}");
        for arc in NarrativeArc::ALL {
            assert!(shaped(*arc).iter().all(|tension| (0.3..=1.3).contains(tension)), "{arc}");
        }
        NarrativeArc::Spiral.shape(&mut []);
    }
}
