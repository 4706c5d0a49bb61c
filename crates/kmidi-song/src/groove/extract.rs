//! What the groove of a song is.

use super::pairs::track_notes;
use super::profile::{ACCENT_ABOVE, ChannelGroove, GHOST_BELOW, Groove, SLOTS_PER_WHOLE, Slot, Statistics};
use super::pulse::bases;
use super::settings::Channels;
use super::{DRUM_CHANNEL, GrooveError, Pocket, Pulse};
use crate::song::Song;

/// What is to be learnt from a song.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractOptions {
    /// What the groove is to be called; cut to 64 characters.
    pub name: String,
    /// Places in a whole note, one of [`SLOTS_PER_WHOLE`].
    pub slots_per_whole: u8,
    /// Channels that the groove is learnt from; `None`: the drums if they play, else all. Each channel is told by itself too.
    pub channels: Option<Channels>,
}

impl Default for ExtractOptions {
    fn default() -> Self {
        ExtractOptions { name: "extracted".to_owned(), slots_per_whole: 16, channels: None }
    }
}

/// A note's beginning.
#[derive(Clone, Copy)]
struct Onset {
    tick: i64,
    channel: u8,
    velocity: u8,
}

/// Learns the groove of a song: how far its notes are from the places of the bar, how loud they are there, and its swing. Times
/// in milliseconds follow the song's tempo map, places its meters. `[side B]`
///
/// # Errors
/// [`GrooveError::Smpte`], [`GrooveError::NoNotes`], or [`GrooveError::File`] for a number of places that grooves do not have.
pub fn extract(song: &Song, options: &ExtractOptions) -> Result<Groove, GrooveError> {
    if !SLOTS_PER_WHOLE.contains(&options.slots_per_whole) {
        let found = options.slots_per_whole;
        return Err(GrooveError::File(format!(
            "the places of a whole note must be {SLOTS_PER_WHOLE:?}, not {found}"
        )));
    }
    let pulse = Pulse::of(song)?;
    let onsets = onsets(song);
    if onsets.is_empty() {
        return Err(GrooveError::NoNotes("in the file"));
    }
    let drums_play = onsets.iter().any(|onset| onset.channel == DRUM_CHANNEL);
    let channels = options.channels.unwrap_or(if drums_play { Channels::DRUMS } else { Channels::ALL });
    let of = |channels: Channels| -> Vec<Onset> {
        onsets.iter().filter(|onset| channels.contains(onset.channel)).copied().collect()
    };
    let chosen = of(channels);
    if chosen.is_empty() {
        return Err(GrooveError::NoNotes("on the channel that was asked for"));
    }
    let (swing, slots, statistics) = learn(&pulse, &chosen, options.slots_per_whole);
    let of_channel = |channel: u8| {
        let its = of(Channels::one(channel));
        let (swing, slots, statistics) = learn(&pulse, &its, options.slots_per_whole);
        ChannelGroove { channel: channel + 1, swing, slots, statistics }
    };
    let playing = (0..16).filter(|&channel| onsets.iter().any(|onset| onset.channel == channel));
    Ok(Groove {
        name: options.name.chars().filter(|c| !c.is_control()).take(64).collect(),
        ticks_per_quarter: pulse.ticks_per_quarter(),
        slots_per_whole: options.slots_per_whole,
        swing,
        tempo_range_bpm: tempo_range(&pulse, &chosen),
        slots,
        pocket: Pocket::NONE,
        channels: playing.map(of_channel).collect(),
        statistics: Some(statistics),
    })
}

/// The beginnings of all notes, in the order of their ticks.
fn onsets(song: &Song) -> Vec<Onset> {
    let mut onsets = vec![];
    for (base, track) in bases(song).into_iter().zip(&song.tracks) {
        onsets.extend(track_notes(track).into_iter().map(|it| Onset {
            tick: base.saturating_add(it.note.start.0),
            channel: it.note.channel,
            velocity: it.note.velocity,
        }));
    }
    onsets.sort_by_key(|onset| onset.tick);
    onsets
}

/// To a millionth: what is kept as text reads back as it was.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn tempo_range(pulse: &Pulse, onsets: &[Onset]) -> (f64, f64) {
    let bpms = onsets.iter().map(|onset| pulse.bpm(onset.tick).clamp(4.0, 1000.0));
    let bpms = bpms.map(rounded);
    bpms.fold((1000.0, 4.0), |(least, most), bpm| (bpm.min(least), bpm.max(most)))
}

/// Swing, places and figures of some notes.
fn learn(pulse: &Pulse, onsets: &[Onset], per_whole: u8) -> (f64, Vec<Option<Slot>>, Statistics) {
    let swing = swing(pulse, onsets);
    let delay = pulse.swing_ticks(swing);
    let mut slots = vec![SlotSums::default(); per_whole.into()];
    let mut sums = Sums::default();
    for onset in onsets {
        let place = pulse.place(onset.tick, per_whole, swing);
        let delay = if place.offbeat { delay } else { 0.0 };
        let ticks = (onset.tick - place.grid) as f64 - delay;
        let per_tick = 1.0 / pulse.ticks_of(1.0, place.grid);
        let ms = pulse.milliseconds(place.grid, onset.tick) - delay * per_tick;
        let count = slots.len();
        slots[place.slot % count].add(ticks, onset.velocity);
        sums.add(ticks, ms, onset.velocity, pulse.quarter_in_bar(place.grid));
    }
    (rounded(swing), slots.iter().map(SlotSums::mean).collect(), sums.statistics())
}

/// How late the second eighths of the quarter notes are, against the first ones: 0 where they are in the middle, 1 where they are
/// a sixteenth later. What is earlier than the middle is no swing.
///
/// The second eighth is what is played first between 0.4 and 0.7 of a quarter note: later than that are sixteenths.
fn swing(pulse: &Pulse, onsets: &[Onset]) -> f64 {
    let quarter = i64::from(pulse.ticks_per_quarter());
    let (mut first, mut second) = (Mean::default(), Mean::default());
    let mut beat_of_last = i64::MIN;
    for onset in onsets {
        // The nearest quarter, and the one that this is in.
        let nearest = pulse.place(onset.tick, 4, 0.0).grid;
        let beat = if nearest > onset.tick { nearest - quarter } else { nearest };
        let phase = onset.tick - beat;
        if (onset.tick - nearest).abs() * 8 <= quarter {
            first.add((onset.tick - nearest) as f64);
        } else if (4 * quarter..=7 * quarter).contains(&(10 * phase)) && beat != beat_of_last {
            beat_of_last = beat;
            second.add(phase as f64);
        }
    }
    match (first.mean(), second.mean()) {
        (_, None) => 0.0,
        (first, Some(second)) => {
            let late = second - first.unwrap_or(0.0) - quarter as f64 / 2.0;
            (4.0 * late / quarter as f64).clamp(0.0, 1.0)
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    squares: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.squares += value * value;
        self.count += 1;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| rounded(self.sum / self.count as f64))
    }

    fn sd(&self) -> f64 {
        let count = self.count.max(1) as f64;
        let mean = self.sum / count;
        rounded((self.squares / count - mean * mean).max(0.0).sqrt())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct SlotSums {
    ticks: Mean,
    velocity: Mean,
}

impl SlotSums {
    fn add(&mut self, ticks: f64, velocity: u8) {
        self.ticks.add(ticks);
        self.velocity.add(velocity.into());
    }

    fn mean(&self) -> Option<Slot> {
        let (timing_ticks, velocity) = (self.ticks.mean()?, self.velocity.mean()?);
        Some(Slot { timing_ticks, velocity, notes: self.ticks.count })
    }
}

#[derive(Debug, Default)]
struct Sums {
    ticks: Mean,
    ms: Mean,
    velocity: Mean,
    quarters: [Mean; 4],
    most_ticks: f64,
    most_ms: f64,
    ghosts: u64,
    accents: u64,
}

impl Sums {
    fn add(&mut self, ticks: f64, ms: f64, velocity: u8, quarter: usize) {
        self.ticks.add(ticks);
        self.ms.add(ms);
        self.velocity.add(velocity.into());
        self.quarters[quarter % 4].add(velocity.into());
        self.most_ticks = self.most_ticks.max(ticks.abs());
        self.most_ms = self.most_ms.max(ms.abs());
        self.ghosts += u64::from(velocity < GHOST_BELOW);
        self.accents += u64::from(velocity > ACCENT_ABOVE);
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            notes: self.ticks.count,
            mean_ticks: self.ticks.mean().unwrap_or(0.0),
            most_ticks: rounded(self.most_ticks),
            sd_ticks: self.ticks.sd(),
            mean_ms: self.ms.mean().unwrap_or(0.0),
            most_ms: rounded(self.most_ms),
            sd_ms: self.ms.sd(),
            mean_velocity: self.velocity.mean().unwrap_or(0.0),
            sd_velocity: self.velocity.sd(),
            quarter_velocities: self.quarters.map(|quarter| quarter.mean().unwrap_or(0.0)),
            ghosts: self.ghosts,
            accents: self.accents,
        }
    }
}
