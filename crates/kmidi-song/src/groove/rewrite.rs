//! Songs with another groove: in memory, and from a file to a file in bounded memory. Both are the same work, event by event.

use std::io::{Seek, Write};

use super::apply::{ApplyOptions, Follower};
use super::changes::Changes;
use super::flow::{Flow, Item};
use super::law::{self, Hand, Strike, Touch};
use super::player::Player;
use super::profile::Groove;
use super::pulse::bases;
use super::settings::Humanize;
use super::writer::FileWriter;
use super::{GrooveError, Pulse};
use crate::index::SongIndex;
use crate::reader::{Body, TrackReader};
use crate::song::{SmfEvent, Song};
use crate::source::ByteSource;

use kmidi_core::Ticks;

/// What is to be done to the notes of a song.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// They are humanised.
    Humanize(&'a Humanize),
    /// They are played with a groove.
    Apply(&'a Groove, &'a ApplyOptions),
}

/// Who plays a track.
enum Musician<'a> {
    Player(Player<'a>),
    Follower(Follower<'a>),
}

impl Hand for Musician<'_> {
    fn touch(&mut self, strike: Strike) -> Touch {
        match self {
            Musician::Player(player) => player.touch(strike),
            Musician::Follower(follower) => follower.touch(strike),
        }
    }
}

/// A change whose numbers can be used.
enum Checked<'a> {
    Humanize(Humanize),
    Apply(Groove, &'a ApplyOptions),
}

impl<'a> Checked<'a> {
    fn new(change: Change<'a>) -> Result<Self, GrooveError> {
        match change {
            Change::Humanize(settings) => Ok(Checked::Humanize(settings.clone().checked()?)),
            Change::Apply(groove, options) => {
                groove.check()?;
                options.check()?;
                let slots = options.slots_per_whole.unwrap_or(groove.slots_per_whole);
                let groove = match slots == groove.slots_per_whole {
                    true => groove.clone(),
                    false => groove.at_resolution(slots),
                };
                Ok(Checked::Apply(groove, options))
            }
        }
    }

    fn musician<'b>(&'b self, pulse: &'b Pulse, track: usize) -> Musician<'b> {
        match self {
            Checked::Humanize(settings) => Musician::Player(Player::new(settings, pulse, track as u64)),
            Checked::Apply(groove, options) => Musician::Follower(Follower::new(groove, options, pulse)),
        }
    }
}

/// Changes the notes of a song, and nothing else: every other event keeps its tick, its bytes and its place, and no track gets
/// longer. `[side B]`
///
/// # Errors
/// [`GrooveError::Smpte`] or [`GrooveError::Range`]; then nothing has changed.
pub fn change_song(song: &mut Song, change: Change<'_>) -> Result<Changes, GrooveError> {
    let change = Checked::new(change)?;
    let pulse = Pulse::of(song)?;
    let mut flow = Flow::new(law::reach_ticks(pulse.ticks_per_quarter()));
    for ((number, base), track) in bases(song).into_iter().enumerate().zip(&mut song.tracks) {
        flow.pairs.reset();
        for (_, event) in &track.events {
            if let SmfEvent::Channel(message) = event {
                flow.pairs.count(*message);
            }
        }
        flow.begin(base);
        let mut hand = change.musician(&pulse, number);
        let mut changed = Vec::with_capacity(track.events.len());
        let mut out = |tick, item| -> Result<(), std::convert::Infallible> {
            let event = match item {
                Item::Channel(message) => SmfEvent::Channel(message),
                Item::Other(event) => event,
            };
            changed.push((Ticks(tick), event));
            Ok(())
        };
        for (tick, event) in std::mem::take(&mut track.events) {
            let item = match event {
                SmfEvent::Channel(message) => Item::Channel(message),
                event => Item::Other(event),
            };
            let Ok(()) = flow.push(tick.0, item, &mut hand, &mut out);
        }
        let Ok(end) = flow.finish(track.end.0, &mut out);
        (track.events, track.end) = (changed, Ticks(end));
    }
    Ok(flow.changes)
}

/// Bytes held of the track being read.
const WINDOW: usize = 1 << 16;
/// Bytes between two reports of progress.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Changes the notes of a song on their way from a file to a file, in bounded memory whatever its size: what is written is byte for
/// byte what [`change_song`] and [`Song::to_smf`] make of it. Each track is read twice. `progress` is called now and then with
/// the bytes read so far. `[side B]`
///
/// # Errors
/// [`GrooveError`]; what was written until then is no song.
pub fn change_file<W: Write + Seek>(
    source: &dyn ByteSource,
    index: &SongIndex,
    change: Change<'_>,
    out: W,
    progress: &mut dyn FnMut(u64),
) -> Result<Changes, GrooveError> {
    let change = Checked::new(change)?;
    let pulse = Pulse::of_index(index)?;
    let mut flow = Flow::new(law::reach_ticks(pulse.ticks_per_quarter()));
    let mut writer = FileWriter::begin(out, index.format, index.division, index.tracks.len())?;
    let mut next_report = PROGRESS_BYTES;
    for (number, track) in index.tracks.iter().enumerate() {
        let extent = track.extent;
        flow.pairs.reset();
        read_track(source, extent, |_, body, _| {
            if let Body::Channel(message) = body {
                flow.pairs.count(message);
            }
            Ok(())
        })?;
        flow.begin(track.start.0);
        writer.begin_track()?;
        let mut hand = change.musician(&pulse, number);
        let mut give = |tick, item| match item {
            Item::Channel(message) => writer.channel(tick, message),
            Item::Other(body) => writer.body(tick, body, source),
        };
        let end = read_track(source, extent, |tick, body, position| {
            if position >= next_report {
                next_report = position + PROGRESS_BYTES;
                progress(position);
            }
            match body {
                // It is where the track ends; it is written there again.
                Body::Meta { kind: 0x2f, .. } => Ok(()),
                Body::Channel(message) => flow.push(tick, Item::Channel(message), &mut hand, &mut give),
                body => flow.push(tick, Item::Other(body), &mut hand, &mut give),
            }
        })?;
        let end = flow.finish(end, &mut give)?;
        writer.end_track(end)?;
    }
    writer.finish()?;
    progress(source.len());
    Ok(flow.changes)
}

/// Reads the events of a track, its own ticks counted from 0; gives the tick of the last one.
fn read_track(
    source: &dyn ByteSource,
    extent: crate::chunks::TrackExtent,
    mut event: impl FnMut(i64, Body, u64) -> Result<(), GrooveError>,
) -> Result<i64, GrooveError> {
    let mut reader = TrackReader::new(extent.start, extent.limit, WINDOW);
    let mut tick = 0i64;
    while reader.state.position < extent.stop {
        let Some(read) = reader.next(source, &mut |_, _| {})? else { break };
        tick = tick.saturating_add_unsigned(read.delta).min(1 << 62);
        event(tick, read.body, read.offset)?;
    }
    Ok(tick)
}
