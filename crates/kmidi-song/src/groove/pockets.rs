//! Pockets: which drums lie behind or before the beat, in milliseconds, by genre.
//!
//! The figures of funk, rock, hip-hop, neo-soul and blues (snare and hi-hat) are the project's inheritance: those of the system
//! that it descends from. The others are our own judgement, by what has been measured:
//!
//! - jazz: drummers have the pedal hi-hat 2 to 26 ms ahead of the pulse, and listeners like asynchronies below 19 ms (Hofmann,
//!   Wesolowski, Goebl 2017, Journal of New Music Research 46(4), 329-341).
//! - reggae, R&B, lo-fi: a backbeat behind the beat, as drummers play who are asked for a laid-back feel, by moving drums against each other
//!   (Sioros, Câmara, Danielsen 2019, "Mapping timing strategies in drum performance", ISMIR).
//! - metal, Latin: a little ahead, as drummers do who are asked to push.
//! - EDM: machines play it, and exactly.
//!
//! All stay below what is heard as two strokes. Whether less than 10 ms is heard at all is disputed (Butterfield 2006, "The power of
//! anacrusis", Music Theory Online 12(4); Benadon 2007, commentary on it, 13(1)).

use serde::{Deserialize, Serialize};

use super::error::{in_range, plain_name, unknown};
use super::{Drum, GrooveError};

/// By how many milliseconds each drum is played late (negative: early), -100 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pocket {
    /// Bass drum.
    pub kick_ms: f64,
    /// Snare drum.
    pub snare_ms: f64,
    /// Hi-hat, closed or open.
    pub hat_ms: f64,
    /// Hi-hat, with the foot.
    pub pedal_hat_ms: f64,
    /// Ride cymbal.
    pub ride_ms: f64,
    /// Toms.
    pub tom_ms: f64,
    /// Crash cymbals.
    pub crash_ms: f64,
}

/// A pocket and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NamedPocket {
    /// The genre.
    pub name: &'static str,
    /// Its offsets.
    #[serde(flatten)]
    pub pocket: Pocket,
}

impl Pocket {
    /// Everything on the beat.
    pub const NONE: Pocket = Pocket {
        kick_ms: 0.0,
        snare_ms: 0.0,
        hat_ms: 0.0,
        pedal_hat_ms: 0.0,
        ride_ms: 0.0,
        tom_ms: 0.0,
        crash_ms: 0.0,
    };

    /// By how many milliseconds a drum is late.
    pub fn milliseconds(&self, drum: Drum) -> f64 {
        match drum {
            Drum::Kick => self.kick_ms,
            Drum::Snare => self.snare_ms,
            Drum::ClosedHat | Drum::OpenHat => self.hat_ms,
            Drum::PedalHat => self.pedal_hat_ms,
            Drum::Ride => self.ride_ms,
            Drum::Tom => self.tom_ms,
            Drum::Crash => self.crash_ms,
            Drum::Other => 0.0,
        }
    }

    pub(crate) fn check(&self) -> Result<(), GrooveError> {
        let Pocket { kick_ms, snare_ms, hat_ms, pedal_hat_ms, ride_ms, tom_ms, crash_ms } = *self;
        for value in [kick_ms, snare_ms, hat_ms, pedal_hat_ms, ride_ms, tom_ms, crash_ms] {
            in_range("the milliseconds of a drum", value, -100.0, 100.0)?;
        }
        Ok(())
    }
}

const fn of(name: &'static str, kick_ms: f64, snare_ms: f64, hat_ms: f64) -> NamedPocket {
    // Where nothing else is known: the pedal is a hi-hat, the ride takes its place, a tom that of the snare drum, and a
    // crash is struck together with the bass drum.
    let pocket = Pocket {
        kick_ms,
        snare_ms,
        hat_ms,
        pedal_hat_ms: hat_ms,
        ride_ms: hat_ms,
        tom_ms: snare_ms,
        crash_ms: kick_ms,
    };
    NamedPocket { name, pocket }
}

const fn with_pedal(named: NamedPocket, pedal_hat_ms: f64) -> NamedPocket {
    NamedPocket { pocket: Pocket { pedal_hat_ms, ..named.pocket }, ..named }
}

static POCKETS: [NamedPocket; 13] = [
    of("funk", 0.0, 12.0, -5.0),
    of("hiphop", 0.0, 20.0, 10.0),
    of("boom_bap", 0.0, 20.0, 10.0),
    with_pedal(of("jazz", 0.0, 5.0, 0.0), -10.0),
    of("rock", -3.0, -2.0, -5.0),
    of("edm", 0.0, 0.0, 0.0),
    of("latin", 0.0, -3.0, -4.0),
    of("blues", 0.0, 10.0, 5.0),
    of("bedroom_lofi", 5.0, 20.0, 10.0),
    of("neo_soul", 5.0, 15.0, 8.0),
    of("rnb", 3.0, 14.0, 6.0),
    of("reggae", 0.0, 12.0, 5.0),
    of("metal", -4.0, -3.0, -4.0),
];

/// All pockets.
pub fn pockets() -> &'static [NamedPocket] {
    &POCKETS
}

/// The pocket of a genre.
///
/// # Errors
/// [`GrooveError::Unknown`].
pub fn pocket(name: &str) -> Result<&'static NamedPocket, GrooveError> {
    let plain = plain_name(name);
    POCKETS
        .iter()
        .find(|pocket| plain_name(pocket.name) == plain)
        .ok_or_else(|| unknown("pocket", name, POCKETS.iter().map(|pocket| pocket.name)))
}
