//! The songs: files of constant tempo in which a tick is a frame.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmidi_core::{Division, Ticks};
use kmidi_song::{Format, SmfEvent, Song, Track};

use crate::score::{RATE, Score};

/// A song to measure.
pub struct Piece {
    /// Its name in the table.
    pub name: String,
    /// The file to play.
    pub file: PathBuf,
}

/// What the held notes are called.
const HELD: &str = "240 held notes";

/// The project's songs, each repeated until it lasts `seconds`, and the held notes; of all those,
/// the ones with one of `wanted` in their name. The files are written into `folder`.
pub fn pieces(folder: &Path, seconds: u64, wanted: &[String]) -> Result<Vec<Piece>> {
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let songs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/midi/freedoom");
    let entries = songs.read_dir().with_context(|| format!("cannot read {}", songs.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "mid"));
    paths.sort();
    let mut pieces = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if wanted(&name) {
            let file = folder.join(&name).with_extension("mid");
            std::fs::write(&file, repeated(&path, seconds).flattened())?;
            pieces.push(Piece { name, file });
        }
    }
    if wanted(HELD) {
        let file = folder.join("held.mid");
        std::fs::write(&file, held(seconds).flattened())?;
        pieces.push(Piece { name: HELD.to_owned(), file });
    }
    Ok(pieces)
}

/// The whole song again and again, until it lasts `seconds`.
fn repeated(path: &Path, seconds: u64) -> Score {
    const WHOLE_DAY: u64 = 24 * 60 * 60;
    let once = Score::read(path, WHOLE_DAY);
    // A second for what dies away.
    let length = once.end() + u64::from(RATE);
    let mut events = Vec::new();
    for pass in 0..(seconds * u64::from(RATE)).div_ceil(length).max(1) {
        // Bends and pedals left over from the pass before.
        let reset = (0..16).map(|channel| (pass * length, control(channel, 121, 0)));
        events.extend(reset);
        events.extend(once.events.iter().map(|(frame, event)| (pass * length + frame, event.clone())));
    }
    cut_off(events)
}

/// 240 notes from the start to the end.
fn held(seconds: u64) -> Score {
    // Of FluidR3 those that sound for ever and take one voice a note: organs, brass, ocarina, shanai.
    // So the notes are as many voices, which rustysynth's 256 hold.
    const PROGRAMS: [u8; 8] = [17, 18, 19, 56, 57, 59, 79, 111];
    let mut events = Vec::new();
    let channels = (0..16).filter(|channel| *channel != 9);
    for (channel, program) in channels.clone().zip(PROGRAMS.into_iter().cycle()) {
        events.push((0, SmfEvent::Channel([0xc0 | channel, program, 0])));
        // 240 voices at full volume clip.
        events.push((0, control(channel, 7, 30)));
    }
    for channel in channels.clone() {
        let keys = (0..16).map(|step| 48 + 2 * step);
        events.extend(keys.map(|key| (64, SmfEvent::Channel([0x90 | channel, key, 80]))));
    }
    events.extend(channels.map(|channel| (seconds * u64::from(RATE), control(channel, 123, 0))));
    cut_off(events)
}

/// A second after the last event all sound ends: each engine has its own view of how long the last
/// notes ring, from not at all to half a minute.
fn cut_off(mut events: Vec<(u64, SmfEvent)>) -> Score {
    let end = events.last().map_or(0, |(frame, _)| *frame) + u64::from(RATE);
    events.extend((0..16).map(|channel| (end, control(channel, 120, 0))));
    Score { events }
}

fn control(channel: u8, controller: u8, value: u8) -> SmfEvent {
    SmfEvent::Channel([0xb0 | channel, controller, value])
}

/// Where the notes of [`clicks`] are due, in frames: on no grid.
pub fn click_frames() -> Vec<u64> {
    // Half a second apart, and some more that is prime to every block length.
    (0..200).map(|n| 12_345 + n * 24_000 + (n * 37) % 1009).collect()
}

/// Strokes of the side stick.
pub fn clicks() -> Result<Vec<u8>> {
    let strokes = click_frames().into_iter().flat_map(|frame| {
        let at = |later: u64| Ticks((frame + later) as i64);
        [(at(0), SmfEvent::Channel([0x99, 37, 127])), (at(9_600), SmfEvent::Channel([0x89, 37, 0]))]
    });
    constant_tempo(strokes.collect())
}

/// A song without events.
pub fn empty() -> Result<Vec<u8>> {
    constant_tempo(Vec::new())
}

/// A file in which a tick is a frame.
fn constant_tempo(mut events: Vec<(Ticks, SmfEvent)>) -> Result<Vec<u8>> {
    events.insert(0, (Ticks(0), SmfEvent::tempo(500_000)));
    let end = events.last().map_or(Ticks(0), |(tick, _)| *tick);
    let tracks = vec![Track { events, end }];
    Ok(Song { format: Format::Single, division: Division::Ppq(RATE as u16 / 2), tracks }.to_smf()?)
}
