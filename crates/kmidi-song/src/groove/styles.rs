//! Styles, and presets made of them.
//!
//! The presets' figures are the project's inheritance. Those of the styles are our own judgement of the genre's practice, between what is
//! measured: swing falls with tempo and is around triplets at medium tempi (Friberg & Sundström 2002, Music Perception
//! 19(3), 333-349); rock and pop are played tighter than jazz (Sogorski, Geisel, Priesemann 2018, PLOS ONE 13(1) e0186361);
//! backbeats are louder and steadier than what is around them. How the wandering is shared out between bass drum, snare drum and hi-hat
//! is what was measured of drummers with a click (the Groove MIDI Dataset; see `tests/groove/measured.rs`): in
//! rock, funk, hip-hop and soul the foot is the loosest, in jazz and reggae the left hand. Of metal there is none; it has rock's shares.

use serde::Serialize;

use super::error::{plain_name, unknown};
use super::pockets;
use super::settings::{Algorithm, Channels, Feel, Humanize, Looseness};
use super::{GrooveError, Pocket};

/// How a style of drumming is humanised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Style {
    /// Its name.
    pub name: &'static str,
    /// See [`Humanize::complexity`].
    pub complexity: f64,
    /// See [`Humanize::vulnerability`].
    pub vulnerability: f64,
    /// See [`Humanize::looseness`].
    pub looseness: Looseness,
    /// See [`Humanize::ghosts`].
    pub ghosts: f64,
    /// See [`Feel::swing`].
    pub swing: f64,
    /// See [`Feel::depth`].
    pub depth: f64,
    /// Name of its pocket, if it has one.
    pub pocket: Option<&'static str>,
    /// See [`Feel::accents`].
    pub accents: [f64; 4],
    /// See [`Feel::velocity_variation`].
    pub velocity_variation: f64,
}

const fn looseness(kick: f64, snare: f64, hat: f64) -> Looseness {
    Looseness { kick, snare, hat, other: 1.0 }
}

const STANDARD: Style = Style {
    name: "standard",
    complexity: 0.3,
    vulnerability: 0.5,
    looseness: looseness(0.5, 0.7, 1.2),
    ghosts: 0.0,
    swing: 0.0,
    depth: 0.0,
    pocket: None,
    accents: [1.0; 4],
    velocity_variation: 0.0,
};

/// The backbeat: the second and the fourth quarter.
const BACKBEAT: [f64; 4] = [1.0, 1.08, 1.0, 1.08];

static STYLES: [Style; 11] = [
    STANDARD,
    Style {
        name: "hip-hop",
        complexity: 0.5,
        vulnerability: 0.4,
        looseness: looseness(0.83, 0.65, 0.62),
        ghosts: 0.15,
        swing: 0.25,
        pocket: Some("hiphop"),
        ..STANDARD
    },
    Style {
        name: "rock",
        complexity: 0.25,
        vulnerability: 0.35,
        looseness: looseness(1.2, 1.12, 1.01),
        pocket: Some("rock"),
        accents: BACKBEAT,
        ..STANDARD
    },
    Style {
        name: "jazzy",
        complexity: 0.45,
        vulnerability: 0.55,
        looseness: looseness(0.98, 1.11, 0.8),
        ghosts: 0.15,
        swing: 0.67,
        pocket: Some("jazz"),
        accents: [0.95, 1.05, 0.95, 1.05],
        ..STANDARD
    },
    Style {
        name: "edm",
        complexity: 0.05,
        vulnerability: 0.3,
        looseness: looseness(0.1, 0.1, 0.2),
        pocket: Some("edm"),
        ..STANDARD
    },
    Style {
        name: "lofi",
        complexity: 0.4,
        vulnerability: 0.75,
        looseness: looseness(0.3, 0.9, 1.3),
        ghosts: 0.2,
        swing: 0.35,
        depth: 0.1,
        pocket: Some("bedroom_lofi"),
        ..STANDARD
    },
    Style {
        name: "acoustic",
        complexity: 0.35,
        looseness: looseness(0.6, 0.8, 1.1),
        ghosts: 0.1,
        velocity_variation: 0.08,
        ..STANDARD
    },
    Style {
        name: "metal",
        complexity: 0.2,
        vulnerability: 0.3,
        looseness: looseness(0.45, 0.42, 0.4),
        depth: -0.05,
        pocket: Some("metal"),
        ..STANDARD
    },
    Style {
        name: "funk",
        complexity: 0.35,
        vulnerability: 0.35,
        looseness: looseness(1.14, 0.88, 0.85),
        ghosts: 0.15,
        swing: 0.15,
        pocket: Some("funk"),
        // Everything is on the one.
        accents: [1.1, 1.0, 1.0, 1.0],
        ..STANDARD
    },
    Style {
        name: "reggae",
        complexity: 0.3,
        vulnerability: 0.4,
        looseness: looseness(1.26, 1.38, 0.94),
        ghosts: 0.05,
        swing: 0.3,
        depth: 0.05,
        pocket: Some("reggae"),
        // The one drop: bass drum and snare on the third quarter, the first left light.
        accents: [0.9, 1.0, 1.1, 1.0],
        ..STANDARD
    },
    Style {
        name: "rnb",
        complexity: 0.4,
        looseness: looseness(0.87, 0.68, 0.65),
        ghosts: 0.12,
        swing: 0.2,
        pocket: Some("rnb"),
        accents: BACKBEAT,
        ..STANDARD
    },
];

/// A preset: what a mood or a genre is humanised with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// See [`Humanize::complexity`].
    pub complexity: f64,
    /// See [`Humanize::vulnerability`].
    pub vulnerability: f64,
    /// See [`Humanize::looseness`].
    pub looseness: Looseness,
    /// See [`Humanize::ghosts`].
    pub ghosts: f64,
    /// Name of the [`Style`] that gives the rest.
    pub style: &'static str,
    /// See [`Humanize::velocities`].
    pub velocities: (u8, u8),
}

const fn preset(
    name: &'static str,
    [complexity, vulnerability]: [f64; 2],
    [kick, snare, hat]: [f64; 3],
    ghosts: f64,
    style: &'static str,
) -> Preset {
    let looseness = looseness(kick, snare, hat);
    Preset { name, complexity, vulnerability, looseness, ghosts, style, velocities: (20, 120) }
}

static PRESETS: [Preset; 10] = [
    preset("lofi_depression", [0.4, 0.8], [0.3, 0.9, 1.3], 0.2, "lofi"),
    preset("anxious_driving", [0.25, 0.4], [0.2, 0.3, 0.8], 0.0, "rock"),
    Preset { velocities: (60, 127), ..preset("defiant_punk", [0.7, 0.2], [0.6, 0.5, 1.0], 0.0, "rock") },
    preset("intimate_vulnerability", [0.5, 0.9], [0.4, 0.7, 1.1], 0.25, "lofi"),
    preset("nostalgic_swing", [0.45, 0.55], [0.5, 0.8, 1.0], 0.15, "jazzy"),
    preset("hiphop_pocket", [0.55, 0.3], [0.3, 0.6, 1.2], 0.18, "hip-hop"),
    preset("mechanical_dissociation", [0.08, 0.15], [0.1, 0.1, 0.15], 0.0, "edm"),
    preset("chaotic_breakdown", [0.95, 0.85], [0.8, 0.9, 1.5], 0.3, "lofi"),
    preset("tight_controlled", [0.15, 0.2], [0.3, 0.4, 0.6], 0.0, "rock"),
    preset("funk_pocket", [0.35, 0.25], [0.4, 0.5, 0.8], 0.12, "funk"),
];

/// All styles.
pub fn styles() -> &'static [Style] {
    &STYLES
}

/// All presets.
pub fn presets() -> &'static [Preset] {
    &PRESETS
}

/// A style by its name; case, spaces, hyphens and underscores do not matter.
///
/// # Errors
/// [`GrooveError::Unknown`].
pub fn style(name: &str) -> Result<&'static Style, GrooveError> {
    let plain = plain_name(name);
    let found = STYLES.iter().find(|style| plain_name(style.name) == plain);
    found.ok_or_else(|| unknown("style", name, STYLES.iter().map(|style| style.name)))
}

/// A preset by its name, as [`style`].
///
/// # Errors
/// [`GrooveError::Unknown`].
pub fn preset_named(name: &str) -> Result<&'static Preset, GrooveError> {
    let plain = plain_name(name);
    let found = PRESETS.iter().find(|preset| plain_name(preset.name) == plain);
    found.ok_or_else(|| unknown("preset", name, PRESETS.iter().map(|preset| preset.name)))
}

impl Style {
    /// The drummer in this style.
    pub fn settings(&self, seed: u64) -> Humanize {
        let pocket = self.pocket.and_then(|name| pockets::pocket(name).ok());
        Humanize {
            algorithm: Algorithm::Drummer,
            complexity: self.complexity,
            vulnerability: self.vulnerability,
            seed,
            ghosts: self.ghosts,
            dropout: None,
            looseness: self.looseness,
            velocities: (20, 120),
            feel: Feel {
                swing: self.swing,
                depth: self.depth,
                pocket: pocket.map_or(Pocket::NONE, |named| named.pocket),
                accents: self.accents,
                velocity_variation: self.velocity_variation,
            },
            channels: Channels::ALL,
        }
    }
}

impl Preset {
    /// The drummer with this preset.
    pub fn settings(&self, seed: u64) -> Humanize {
        let style = style(self.style).unwrap_or(&STYLES[0]);
        Humanize {
            complexity: self.complexity,
            vulnerability: self.vulnerability,
            ghosts: self.ghosts,
            looseness: self.looseness,
            velocities: self.velocities,
            ..style.settings(seed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_and_preset_can_be_used() {
        assert_eq!((STYLES.len(), PRESETS.len()), (11, 10));
        for style in styles() {
            style.settings(1).checked().unwrap();
            assert!(style.pocket.is_none_or(|name| pockets::pocket(name).is_ok()), "{}", style.name);
        }
        for preset in presets() {
            preset.settings(1).checked().unwrap();
            assert_eq!(style(preset.style).unwrap().name, preset.style);
        }
        assert_eq!(style("Hip Hop").unwrap().name, "hip-hop");
        assert_eq!(preset_named("funk pocket").unwrap().name, "funk_pocket");
        assert!(preset_named("x").unwrap_err().to_string().contains("chaotic_breakdown"));
    }

    #[test]
    fn no_two_styles_and_no_two_presets_are_the_same() {
        let same = |a: &Humanize, b: &Humanize| a == b;
        for (i, one) in STYLES.iter().enumerate() {
            assert!(STYLES[..i].iter().all(|other| !same(&one.settings(1), &other.settings(1))));
        }
        for (i, one) in PRESETS.iter().enumerate() {
            assert!(PRESETS[..i].iter().all(|other| !same(&one.settings(1), &other.settings(1))));
        }
    }
}
