//! What the groove of a song is.

use std::sync::Arc;

use kmidi_core::Ticks;

use super::pairs::{NoteMessage, note_message};
use super::profile::{ACCENT_ABOVE, ChannelGroove, GHOST_BELOW, Groove, SLOTS_PER_WHOLE, Slot, Statistics};
use super::pulse::bases;
use super::settings::Channels;
use super::{DRUM_CHANNEL, GrooveError, Pocket, Pulse};
use crate::index::SongIndex;
use crate::song::{SmfEvent, Song};
use crate::source::ByteSource;
use crate::stream::{EventStream, Message};

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

/// Gives all onsets of a song in the order of their ticks, as often as it is asked to.
trait Onsets {
    fn each(&mut self, take: &mut dyn FnMut(Onset)) -> Result<(), GrooveError>;
}

/// Learns the groove of a song: how far its notes are from the places of the bar, how loud they are there, and its swing. Times
/// in milliseconds follow the song's tempo map, places its meters. `[side B]`
///
/// # Errors
/// [`GrooveError::Smpte`], [`GrooveError::NoNotes`], or [`GrooveError::Places`] for a number of places that grooves do not have.
pub fn extract(song: &Song, options: &ExtractOptions) -> Result<Groove, GrooveError> {
    learn(&Pulse::of(song)?, &mut InMemory::new(song), options)
}

/// As [`extract`], from a file that is read in pieces, in bounded memory; it is read three times. `[side B]`
///
/// # Errors
/// As [`extract`], and the source's.
pub fn extract_file(
    source: &dyn ByteSource,
    index: &Arc<SongIndex>,
    options: &ExtractOptions,
) -> Result<Groove, GrooveError> {
    let pulse = Pulse::of_index(index)?;
    let stream = EventStream::new(index.clone(), source)?;
    learn(&pulse, &mut Streamed { stream }, options)
}

struct InMemory(Vec<Onset>);

impl InMemory {
    fn new(song: &Song) -> Self {
        let mut onsets = vec![];
        for (base, track) in bases(song).into_iter().zip(&song.tracks) {
            let mut clock = 0;
            for (tick, event) in &track.events {
                clock = clock.max(tick.0);
                let &SmfEvent::Channel(message) = event else { continue };
                onsets.extend(onset(base.saturating_add(clock), message));
            }
        }
        onsets.sort_by_key(|onset| onset.tick);
        InMemory(onsets)
    }
}

impl Onsets for InMemory {
    fn each(&mut self, take: &mut dyn FnMut(Onset)) -> Result<(), GrooveError> {
        self.0.iter().copied().for_each(take);
        Ok(())
    }
}

struct Streamed<S> {
    stream: EventStream<S>,
}

impl<S: ByteSource> Onsets for Streamed<S> {
    fn each(&mut self, take: &mut dyn FnMut(Onset)) -> Result<(), GrooveError> {
        self.stream.seek(Ticks(0))?;
        while let Some(event) = self.stream.next()? {
            let Message::Event(message) = event.message else { continue };
            let mut bytes = [0; 3];
            if message.to_midi1(&mut bytes).is_some()
                && let Some(onset) = onset(event.tick.0, bytes)
            {
                take(onset);
            }
        }
        Ok(())
    }
}

fn onset(tick: i64, message: [u8; 3]) -> Option<Onset> {
    let [status, _, velocity] = message;
    (note_message(message) == NoteMessage::On).then_some(Onset { tick, channel: status & 0x0f, velocity })
}

/// What is learnt of some channels.
struct Group {
    channels: Channels,
    swing: Swing,
    learner: Learner,
}

impl Group {
    fn new(channels: Channels, per_whole: u8) -> Self {
        Group { channels, swing: Swing::default(), learner: Learner::new(per_whole) }
    }
}

fn learn(pulse: &Pulse, onsets: &mut dyn Onsets, options: &ExtractOptions) -> Result<Groove, GrooveError> {
    let per_whole = options.slots_per_whole;
    if !SLOTS_PER_WHOLE.contains(&per_whole) {
        return Err(GrooveError::Places(per_whole));
    }
    let mut playing = Channels(0);
    onsets.each(&mut |onset| playing.0 |= Channels::one(onset.channel).0)?;
    if playing.0 == 0 {
        return Err(GrooveError::NoNotes("in the file"));
    }
    let drums_play = playing.contains(DRUM_CHANNEL);
    let chosen = options.channels.unwrap_or(if drums_play { Channels::DRUMS } else { Channels::ALL });
    if chosen.0 & playing.0 == 0 {
        return Err(GrooveError::NoNotes("on the channel that was asked for"));
    }
    // The groove itself, and each channel by itself.
    let by_itself = (0..16).filter(|&channel| playing.contains(channel)).map(Channels::one);
    let mut groups: Vec<Group> =
        std::iter::once(chosen).chain(by_itself).map(|channels| Group::new(channels, per_whole)).collect();
    onsets.each(&mut |onset| {
        let its = groups.iter_mut().filter(|group| group.channels.contains(onset.channel));
        its.for_each(|group| group.swing.add(pulse, onset));
    })?;
    groups.iter_mut().for_each(|group| group.learner.swing = group.swing.amount(pulse));
    onsets.each(&mut |onset| {
        let its = groups.iter_mut().filter(|group| group.channels.contains(onset.channel));
        its.for_each(|group| group.learner.add(pulse, onset));
    })?;
    let mut groups = groups.into_iter();
    let all = groups.next().expect("the first one was put there").learner;
    let of_channel = |Group { channels, learner, .. }: Group| ChannelGroove {
        channel: channels.numbers()[0],
        swing: learner.swing,
        slots: learner.slots(),
        statistics: learner.sums.statistics(),
    };
    Ok(Groove {
        name: options.name.chars().filter(|c| !c.is_control()).take(64).collect(),
        ticks_per_quarter: pulse.ticks_per_quarter(),
        slots_per_whole: per_whole,
        swing: all.swing,
        tempo_range_bpm: all.tempo_range_bpm,
        slots: all.slots(),
        pocket: Pocket::NONE,
        channels: groups.map(of_channel).collect(),
        statistics: Some(all.sums.statistics()),
    })
}

/// Places and figures, once the swing is known.
struct Learner {
    per_whole: u8,
    swing: f64,
    places: Vec<SlotSums>,
    sums: Sums,
    tempo_range_bpm: (f64, f64),
}

impl Learner {
    fn new(per_whole: u8) -> Self {
        let places = vec![SlotSums::default(); per_whole.into()];
        Learner { per_whole, swing: 0.0, places, sums: Sums::default(), tempo_range_bpm: (1000.0, 4.0) }
    }

    fn add(&mut self, pulse: &Pulse, onset: Onset) {
        let place = pulse.place(onset.tick, self.per_whole, self.swing);
        let delay = if place.offbeat { pulse.swing_ticks(self.swing) } else { 0.0 };
        let ticks = (onset.tick - place.grid) as f64 - delay;
        let ms_per_tick = 1.0 / pulse.ticks_of(1.0, place.grid);
        let ms = pulse.milliseconds(place.grid, onset.tick) - delay * ms_per_tick;
        let count = self.places.len();
        self.places[place.slot % count].add(ticks, onset.velocity);
        self.sums.add(ticks, ms, onset.velocity, pulse.quarter_in_bar(place.grid));
        let bpm = rounded(pulse.bpm(onset.tick).clamp(4.0, 1000.0));
        let (least, most) = self.tempo_range_bpm;
        self.tempo_range_bpm = (bpm.min(least), bpm.max(most));
    }

    fn slots(&self) -> Vec<Option<Slot>> {
        self.places.iter().map(SlotSums::mean).collect()
    }
}

/// How late the second eighths of the quarter notes are, against the first ones.
///
/// The second eighth is what is played first between 0.4 and 0.7 of a quarter note: later than that are sixteenths.
#[derive(Default)]
struct Swing {
    first: Mean,
    second: Mean,
    beat_of_last: Option<i64>,
}

impl Swing {
    fn add(&mut self, pulse: &Pulse, onset: Onset) {
        let quarter = i64::from(pulse.ticks_per_quarter());
        // The nearest quarter, and the one that this is in.
        let nearest = pulse.place(onset.tick, 4, 0.0).grid;
        let beat = if nearest > onset.tick { nearest - quarter } else { nearest };
        let phase = onset.tick - beat;
        if (onset.tick - nearest).abs() * 8 <= quarter {
            self.first.add((onset.tick - nearest) as f64);
        } else if (4 * quarter..=7 * quarter).contains(&(10 * phase)) && self.beat_of_last != Some(beat) {
            self.beat_of_last = Some(beat);
            self.second.add(phase as f64);
        }
    }

    /// 0 where the second eighths are in the middle, 1 where they are a sixteenth later. What is earlier than the middle is no swing.
    fn amount(&self, pulse: &Pulse) -> f64 {
        let quarter = f64::from(pulse.ticks_per_quarter());
        let Some(second) = self.second.mean() else { return 0.0 };
        let late = second - self.first.mean().unwrap_or(0.0) - quarter / 2.0;
        rounded((4.0 * late / quarter).clamp(0.0, 1.0))
    }
}

/// To a millionth: what is kept as text reads back as it was.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
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
