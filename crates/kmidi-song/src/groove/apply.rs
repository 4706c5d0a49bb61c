//! A groove laid over other notes.

use super::error::in_range;
use super::law::{Hand, Strike, Stroke, Touch};
use super::profile::{Groove, SLOTS_PER_WHOLE, Slot};
use super::pulse::Bars;
use super::settings::Channels;
use super::{Drum, GrooveError, Pulse};

/// How a groove is applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApplyOptions {
    /// From 0 (nothing changes) to 1 (notes are played just as the groove says).
    pub intensity: f64,
    /// Whose notes; `None`: all.
    pub channels: Option<Channels>,
    /// Places in a whole note to apply it at, if not the groove's own: one of [`SLOTS_PER_WHOLE`].
    pub slots_per_whole: Option<u8>,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        ApplyOptions { intensity: 0.5, channels: None, slots_per_whole: None }
    }
}

impl ApplyOptions {
    pub(crate) fn check(&self) -> Result<(), GrooveError> {
        in_range("intensity", self.intensity, 0.0, 1.0)?;
        match self.slots_per_whole {
            Some(found) if !SLOTS_PER_WHOLE.contains(&found) => Err(GrooveError::Places(found)),
            _ => Ok(()),
        }
    }
}

impl Groove {
    /// The groove with another number of places, what lies between two known ones between them.
    pub fn at_resolution(&self, slots_per_whole: u8) -> Groove {
        let slots = (0..slots_per_whole).map(|slot| self.between(slot, slots_per_whole)).collect();
        Groove { slots_per_whole, slots, channels: vec![], ..self.clone() }
    }

    /// What the groove says of a place of another resolution.
    fn between(&self, slot: u8, per_whole: u8) -> Option<Slot> {
        let count = self.slots.len();
        let position = f64::from(slot) * count as f64 / f64::from(per_whole.max(1));
        let before = position.floor();
        let share = position - before;
        let (first, second) =
            (*self.slots.get(before as usize)?, *self.slots.get((before as usize + 1) % count)?);
        match (first, second) {
            (first, _) if share == 0.0 => first,
            (Some(first), Some(second)) => Some(Slot {
                timing_ticks: first.timing_ticks + share * (second.timing_ticks - first.timing_ticks),
                velocity: first.velocity + share * (second.velocity - first.velocity),
                notes: first.notes + second.notes,
            }),
            (first, second) => first.or(second),
        }
    }
}

/// Plays notes as a groove has them. A note within a quarter of a place's width of the place is taken to be written there, and
/// goes from where it is to where the groove has it; what lies between the places (triplets among sixteenths, ornaments) is
/// another rhythm and stays as it is.
pub(crate) struct Follower<'a> {
    groove: &'a Groove,
    pulse: &'a Pulse,
    bars: Bars<'a>,
    intensity: f64,
    channels: Channels,
    /// Ticks of the song in one of the groove.
    scale: f64,
    /// How far from its place a note is still taken to be there.
    near_ticks: f64,
}

impl<'a> Follower<'a> {
    pub fn new(groove: &'a Groove, options: &ApplyOptions, pulse: &'a Pulse) -> Self {
        Follower {
            groove,
            pulse,
            bars: Bars::new(pulse),
            intensity: options.intensity,
            channels: options.channels.unwrap_or(Channels::ALL),
            scale: f64::from(pulse.ticks_per_quarter()) / f64::from(groove.ticks_per_quarter.max(1)),
            near_ticks: pulse.slot_ticks(groove.slots_per_whole) / 4.0,
        }
    }
}

impl Hand for Follower<'_> {
    fn touch(&mut self, strike: Strike) -> Touch {
        if !self.channels.contains(strike.channel) || self.intensity == 0.0 {
            return Touch::Leave;
        }
        let place = self.bars.place(strike.tick, self.groove.slots_per_whole);
        let off = (strike.tick - place.grid) as f64;
        let slot = self.groove.slots.get(place.slot % self.groove.slots.len().max(1)).copied().flatten();
        let Some(slot) = slot.filter(|_| off.abs() <= self.near_ticks) else { return Touch::Leave };
        let mut wanted = slot.timing_ticks * self.scale;
        if place.offbeat {
            wanted += self.pulse.swing_ticks(self.groove.swing);
        }
        if let Some(drum) = Drum::of(strike.channel, strike.key) {
            wanted += self.pulse.ticks_of(self.groove.pocket.milliseconds(drum), strike.tick);
        }
        let velocity = f64::from(strike.velocity);
        let velocity = velocity + self.intensity * (slot.velocity - velocity);
        Touch::Play(Stroke {
            shift: (self.intensity * (wanted - off)).round() as i32,
            velocity: velocity.round().clamp(1.0, 127.0) as u8,
            ghost: None,
        })
    }
}
