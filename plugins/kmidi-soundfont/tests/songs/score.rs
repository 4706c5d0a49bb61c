//! A song as events at frames, and as a file of constant tempo in which they keep their time.

use std::path::Path;

use kmidi_core::{Division, TempoMap, Ticks};
use kmidi_song::{Format, SmfEvent, Song, Track};

/// Sample rate of all renderings, in Hz.
pub const RATE: u32 = 48_000;

/// FluidSynth looks at events each 64 frames. Where two parts play in unison, a note that is a
/// millisecond off changes whole bands; so that sound is compared and not time, every event is
/// moved to this grid, for all players alike.
const GRID: u64 = 64;

/// Events in playing order, each with its frame.
pub struct Score {
    pub events: Vec<(u64, SmfEvent)>,
}

impl Score {
    /// The first `seconds` of a file.
    pub fn read(path: &Path, seconds: u64) -> Score {
        let (song, warnings) = Song::from_smf(&std::fs::read(path).unwrap()).unwrap();
        assert!(warnings.is_empty(), "{path:?} is a whole file");
        let mut merged: Vec<(Ticks, SmfEvent)> = song.tracks.iter().flat_map(|t| t.events.clone()).collect();
        merged.sort_by_key(|(tick, _)| *tick);
        let tempo = |event: &SmfEvent| match event {
            SmfEvent::Meta { kind: 0x51, data } => {
                Some(data.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
            }
            _ => None,
        };
        let changes = merged.iter().filter_map(|(tick, event)| Some((*tick, tempo(event)?)));
        let map = TempoMap::new(song.division, changes);
        let sounding = |event: &SmfEvent| !matches!(event, SmfEvent::Meta { .. });
        let mut events: Vec<_> = merged
            .iter()
            .filter(|(_, event)| sounding(event))
            .map(|(tick, event)| (map.song_time(*tick, RATE).to_frames().0 as u64, event.clone()))
            .map(|(frame, event)| (frame.next_multiple_of(GRID), event))
            .take_while(|(frame, _)| *frame < seconds * u64::from(RATE))
            .collect();
        // FluidSynth goes on for ever while a note sounds: the cut must not leave one.
        let end = events.last().map_or(0, |(frame, _)| *frame);
        for channel in 0..16 {
            for controller in [64, 123] {
                events.push((end, SmfEvent::Channel([0xb0 | channel, controller, 0])));
            }
        }
        Score { events }
    }

    /// Frame of the last event.
    pub fn end(&self) -> u64 {
        self.events.last().map_or(0, |(frame, _)| *frame)
    }

    /// A file in which a tick is a frame. Events stand in the middle of the stretch at whose end
    /// FluidSynth plays them, whatever its clock rounds.
    pub fn flattened(&self) -> Vec<u8> {
        let tempo = (Ticks(0), SmfEvent::tempo(500_000));
        let tick = |frame: u64| Ticks(frame.saturating_sub(GRID / 2) as i64);
        let events = self.events.iter().map(|(frame, event)| (tick(*frame), event.clone()));
        let track =
            Track { events: [tempo].into_iter().chain(events).collect(), end: Ticks(self.end() as i64) };
        let division = Division::Ppq(RATE as u16 / 2);
        Song { format: Format::Single, division, tracks: vec![track] }.to_smf().unwrap()
    }
}
