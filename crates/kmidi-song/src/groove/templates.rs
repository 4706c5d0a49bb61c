//! The grooves of nine genres: by how much each sixteenth of a bar is late, and how loud it is.

use super::error::{plain_name, unknown};
use super::pockets;
use super::profile::{Groove, Slot};
use super::{GrooveError, Pocket};

/// Ticks of a quarter note in the tables.
const TABLE_TICKS_PER_QUARTER: u16 = 480;

/// A genre's groove.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// How late the second eighth of each quarter note is: see [`Feel::swing`](super::Feel::swing).
    pub swing: f64,
    /// Tempos that it is played at, in quarter notes a minute.
    pub tempo_range_bpm: (f64, f64),
    /// How late each sixteenth is, in ticks of 1/480 of a quarter note; swing comes on top.
    pub timing_ticks: [i8; 16],
    /// Velocity of each sixteenth.
    pub velocities: [u8; 16],
}

const HIPHOP_TIMING: [i8; 16] = [0, 15, 8, 18, 20, 12, 15, 20, 5, 18, 10, 22, 25, 15, 18, 25];
const HIPHOP_VELOCITIES: [u8; 16] = [120, 35, 45, 30, 60, 30, 40, 35, 100, 38, 48, 32, 55, 32, 42, 38];

static TEMPLATES: [Template; 9] = [
    Template {
        name: "funk",
        aliases: &[],
        swing: 0.15,
        tempo_range_bpm: (90.0, 120.0),
        timing_ticks: [0, -8, 5, -5, 12, -6, 8, -4, 0, -10, 6, -6, 15, -5, 10, -3],
        velocities: [110, 60, 85, 55, 95, 55, 75, 50, 85, 50, 70, 45, 100, 60, 80, 55],
    },
    Template {
        name: "hiphop",
        aliases: &["hip_hop", "rap"],
        swing: 0.25,
        tempo_range_bpm: (75.0, 100.0),
        timing_ticks: HIPHOP_TIMING,
        velocities: HIPHOP_VELOCITIES,
    },
    Template {
        name: "boom_bap",
        aliases: &[],
        swing: 0.25,
        tempo_range_bpm: (85.0, 100.0),
        timing_ticks: HIPHOP_TIMING,
        velocities: HIPHOP_VELOCITIES,
    },
    Template {
        name: "jazz",
        aliases: &["jazzy", "swing"],
        swing: 0.67,
        tempo_range_bpm: (100.0, 200.0),
        timing_ticks: [0, 20, 0, 25, -5, 22, 0, 28, 0, 18, -3, 24, -8, 20, 0, 26],
        velocities: [90, 50, 75, 55, 85, 55, 70, 60, 80, 50, 72, 58, 88, 52, 78, 62],
    },
    Template {
        name: "rock",
        aliases: &[],
        swing: 0.0,
        tempo_range_bpm: (100.0, 140.0),
        timing_ticks: [0, -5, 0, -8, -3, -6, -2, -7, 0, -4, 0, -6, -2, -5, -3, -8],
        velocities: [115, 70, 90, 65, 120, 80, 95, 70, 100, 65, 85, 60, 118, 75, 92, 68],
    },
    Template {
        name: "edm",
        aliases: &["electronic"],
        swing: 0.0,
        tempo_range_bpm: (120.0, 150.0),
        timing_ticks: [0, 0, 0, 0, 1, -1, 1, -1, 0, 0, 0, 0, -1, 1, -1, 1],
        velocities: [127, 95, 110, 90, 125, 92, 108, 88, 127, 93, 112, 91, 124, 94, 106, 89],
    },
    Template {
        name: "latin",
        aliases: &[],
        swing: 0.1,
        tempo_range_bpm: (90.0, 130.0),
        timing_ticks: [0, 5, -5, 8, -8, 6, 0, 10, 5, -5, 8, 5, -6, 8, -3, 12],
        velocities: [100, 70, 95, 65, 85, 75, 80, 70, 90, 68, 98, 72, 88, 73, 85, 68],
    },
    Template {
        name: "blues",
        aliases: &[],
        swing: 0.6,
        tempo_range_bpm: (70.0, 120.0),
        timing_ticks: [0, 18, 0, 20, -5, 22, 0, 25, 0, 16, -3, 18, -8, 24, 0, 22],
        velocities: [105, 55, 85, 60, 95, 60, 80, 55, 90, 52, 82, 58, 98, 58, 88, 62],
    },
    Template {
        name: "bedroom_lofi",
        aliases: &["lofi"],
        swing: 0.35,
        tempo_range_bpm: (70.0, 95.0),
        timing_ticks: [5, 20, -8, 25, -12, 30, 8, 22, 15, -5, 28, 10, -10, 35, -5, 28],
        velocities: [95, 45, 70, 40, 50, 42, 55, 38, 80, 48, 65, 42, 52, 40, 58, 35],
    },
];

/// All templates.
pub fn templates() -> &'static [Template] {
    &TEMPLATES
}

/// The template of a genre, by its name or another name of it; case, spaces, hyphens and underscores do not matter.
///
/// # Errors
/// [`GrooveError::Unknown`], which names those that there are.
pub fn template(name: &str) -> Result<&'static Template, GrooveError> {
    let plain = plain_name(name);
    let is_it = |template: &&Template| {
        let mut names = std::iter::once(&template.name).chain(template.aliases);
        names.any(|name| plain_name(name) == plain)
    };
    TEMPLATES
        .iter()
        .find(is_it)
        .ok_or_else(|| unknown("genre", name, TEMPLATES.iter().map(|template| template.name)))
}

impl Template {
    /// Its pocket.
    pub fn pocket(&self) -> Pocket {
        pockets::pocket(self.name).map_or(Pocket::NONE, |named| named.pocket)
    }

    /// The template as a groove that can be applied.
    pub fn groove(&self) -> Groove {
        let slots = self.timing_ticks.iter().zip(&self.velocities);
        let slot = |(&ticks, &velocity)| Slot {
            timing_ticks: f64::from(ticks),
            velocity: f64::from(velocity),
            notes: 1,
        };
        Groove {
            name: self.name.to_owned(),
            ticks_per_quarter: TABLE_TICKS_PER_QUARTER,
            slots_per_whole: 16,
            swing: self.swing,
            tempo_range_bpm: self.tempo_range_bpm,
            slots: slots.map(slot).map(Some).collect(),
            pocket: self.pocket(),
            channels: vec![],
            statistics: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_genres_are_found_by_all_their_names() {
        assert_eq!(TEMPLATES.len(), 9);
        for name in ["boom-bap", "boom bap", "Boom_Bap", "BOOMBAP"] {
            assert_eq!(template(name).unwrap().name, "boom_bap");
        }
        assert_eq!(template("hip-hop").unwrap().name, "hiphop");
        assert_eq!(template("lofi").unwrap().name, "bedroom_lofi");
        let error = template("polka").unwrap_err().to_string();
        assert!(error.contains("polka") && error.contains("bedroom_lofi"), "{error}");
    }

    #[test]
    fn every_template_has_a_pocket_of_its_name_and_is_a_groove() {
        for template in templates() {
            assert!(pockets::pocket(template.name).is_ok(), "{}", template.name);
            template.groove().check().unwrap();
        }
    }
}
