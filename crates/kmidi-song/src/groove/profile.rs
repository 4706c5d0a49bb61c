//! A groove as it is kept: what a bar of it is like.

use serde::{Deserialize, Serialize};

use super::error::in_range;
use super::{GrooveError, Pocket};

/// What is played softer than this is a ghost note.
pub const GHOST_BELOW: u8 = 40;
/// What is played louder than this is an accent.
pub const ACCENT_ABOVE: u8 = 100;

/// Places of a whole note that a groove can have.
pub const SLOTS_PER_WHOLE: [u8; 6] = [4, 8, 12, 16, 24, 32];

/// One place of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// How late its notes are on average, in ticks of the groove; swing comes on top.
    pub timing_ticks: f64,
    /// Mean velocity, 1 to 127.
    pub velocity: f64,
    /// Notes that this was learnt from.
    pub notes: u64,
}

/// A groove: how a bar is played. Made by [`extract`](super::extract()), by a [`Template`](super::Template), or read from a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groove {
    /// What it is called; at most 64 characters.
    pub name: String,
    /// Ticks of a quarter note that its timing is in, 1 to 32767.
    pub ticks_per_quarter: u16,
    /// Places in a whole note, one of [`SLOTS_PER_WHOLE`]: 16 are sixteenths, 12 are triplets of eighths.
    pub slots_per_whole: u8,
    /// How late the second eighth of each quarter note is, 0 (straight) to 1: see [`Feel::swing`](super::Feel::swing).
    pub swing: f64,
    /// Tempos that it is played at, in quarter notes a minute.
    pub tempo_range_bpm: (f64, f64),
    /// The places of a whole note from the start of the bar on; `None` where nothing is known.
    pub slots: Vec<Option<Slot>>,
    /// Drums later or earlier than each other.
    #[serde(default)]
    pub pocket: Pocket,
    /// What was found on each channel alone.
    #[serde(default)]
    pub channels: Vec<ChannelGroove>,
    /// Figures of what it was learnt from.
    #[serde(default)]
    pub statistics: Option<Statistics>,
}

/// What was found on one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelGroove {
    /// 1 to 16.
    pub channel: u8,
    /// Its swing.
    pub swing: f64,
    /// Its places.
    pub slots: Vec<Option<Slot>>,
    /// Its figures.
    pub statistics: Statistics,
}

/// Figures of notes: how far they are from their places, swing taken off, and how loud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Notes.
    pub notes: u64,
    /// How late they are on average.
    pub mean_ticks: f64,
    /// How far the furthest is from its place.
    pub most_ticks: f64,
    /// Standard deviation.
    pub sd_ticks: f64,
    /// The same in milliseconds, at the tempo of each note.
    pub mean_ms: f64,
    /// The same in milliseconds.
    pub most_ms: f64,
    /// The same in milliseconds.
    pub sd_ms: f64,
    /// Mean velocity.
    pub mean_velocity: f64,
    /// Standard deviation of velocities.
    pub sd_velocity: f64,
    /// Mean velocity of each quarter of a bar; 0 where there is no note.
    pub quarter_velocities: [f64; 4],
    /// Notes softer than [`GHOST_BELOW`].
    pub ghosts: u64,
    /// Notes louder than [`ACCENT_ABOVE`].
    pub accents: u64,
}

impl Groove {
    /// Checks what a file cannot be trusted with.
    ///
    /// # Errors
    /// [`GrooveError::Range`] or [`GrooveError::File`].
    pub fn check(&self) -> Result<(), GrooveError> {
        if self.name.chars().count() > 64 || self.name.chars().any(char::is_control) {
            return Err(GrooveError::File(
                "its name is longer than 64 characters, or has control characters".into(),
            ));
        }
        in_range("ticks_per_quarter", self.ticks_per_quarter.into(), 1.0, 32_767.0)?;
        if !SLOTS_PER_WHOLE.contains(&self.slots_per_whole) {
            let found = self.slots_per_whole;
            return Err(GrooveError::File(format!(
                "slots_per_whole must be one of {SLOTS_PER_WHOLE:?}, not {found}"
            )));
        }
        in_range("swing", self.swing, 0.0, 1.0)?;
        let (slowest, fastest) = self.tempo_range_bpm;
        in_range("the slowest tempo", slowest, 4.0, 1000.0)?;
        in_range("the fastest tempo", fastest, slowest, 1000.0)?;
        self.pocket.check()?;
        if self.channels.len() > 16 {
            return Err(GrooveError::File(format!("{} channels where 16 can be", self.channels.len())));
        }
        self.check_slots(&self.slots)?;
        for channel in &self.channels {
            in_range("channel", channel.channel.into(), 1.0, 16.0)?;
            in_range("swing", channel.swing, 0.0, 1.0)?;
            self.check_slots(&channel.slots)?;
        }
        Ok(())
    }

    fn check_slots(&self, slots: &[Option<Slot>]) -> Result<(), GrooveError> {
        if slots.len() != usize::from(self.slots_per_whole) {
            let (found, wanted) = (slots.len(), self.slots_per_whole);
            return Err(GrooveError::File(format!("{found} slots where slots_per_whole says {wanted}")));
        }
        // Two neighbours can meet in the middle between them, and swing has the middle later by an eighth of a quarter at most.
        let quarter = f64::from(self.ticks_per_quarter);
        let half = 2.0 * quarter / f64::from(self.slots_per_whole) + quarter / 8.0 + 1.0;
        for slot in slots.iter().flatten() {
            in_range("timing_ticks", slot.timing_ticks, -half, half)?;
            in_range("velocity", slot.velocity, 1.0, 127.0)?;
        }
        Ok(())
    }
}
