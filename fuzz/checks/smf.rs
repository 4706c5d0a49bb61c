//! What must hold for any bytes at all that are read as a MIDI file. The fuzz target and the test over
//! its corpus both come here.

use std::sync::Arc;

use kmidi_core::limits::{MAX_MIDI_PORTS, MAX_SYSEX_BYTES};
use kmidi_core::{Event, Ticks};
use kmidi_song::{ByteSource, Chaser, EventStream, Message, Song, SongIndex, StreamEvent};

/// Panics if anything about these bytes is not as promised.
pub fn check(bytes: &[u8]) {
    check_reading(bytes, bytes);
}

/// The same with other bytes to stream from than were scanned: for showing that the check can fail.
pub fn check_reading(bytes: &[u8], streamed_from: &[u8]) {
    let index = match SongIndex::scan(&bytes, &mut |_| {}) {
        Ok(index) => Arc::new(index),
        Err(_) => {
            assert!(Song::from_smf(bytes).is_err(), "the two ways of reading agree on what is a song");
            return;
        }
    };
    assert!(index.warnings.into_iter().all(|warning| warning.offset <= bytes.len() as u64));
    assert!(index.warnings.into_iter().all(|warning| !warning.to_string().is_empty()));
    index.tempo_map.song_time(index.end, 48_000);
    index.meter_map.position(index.end);

    let (song, _) = Song::from_smf(bytes).expect("scanned before");
    let in_memory = song.tracks.iter().flat_map(|track| &track.events).filter_map(|(_, event)| event.event());
    let notes = in_memory.filter(|event| matches!(event, Event::NoteOn { .. })).count() as u64;
    assert_eq!((song.tracks.len(), notes), (index.tracks.len(), index.notes));

    let mut stream = EventStream::new(index.clone(), streamed_from).expect("memory does not fail");
    let whole = rest(&mut stream);
    let streamed = whole.iter().filter(|event| event.note_on).count() as u64;
    assert!(streamed >= index.notes, "{streamed} of {} notes are played", index.notes);
    assert!(whole.is_sorted_by_key(|event| event.tick));
    assert!(whole.last().is_none_or(|event| event.tick <= index.end.0));

    let mut chaser = Chaser::new(index.clone(), bytes).expect("memory does not fail");
    for tick in [index.end.0 / 2, whole.get(whole.len() / 3).map_or(0, |event| event.tick), index.end.0] {
        stream.seek(Ticks(tick)).expect("memory does not fail");
        let from = whole.partition_point(|event| event.tick < tick);
        assert!(rest(&mut stream) == whole[from..], "from tick {tick} the same events come");
        chaser
            .chase(Ticks(tick), &mut |port, _| assert!(usize::from(port) < MAX_MIDI_PORTS))
            .expect("memory");
    }

    let written = song.to_smf().expect("what came from a file fits a file");
    let (again, warnings) = Song::from_smf(&written).expect("a song");
    let long_pause = |track: &kmidi_song::Track| {
        let ticks = track.events.iter().map(|(tick, _)| tick.0).chain([track.end.0]);
        let mut before = 0;
        ticks.into_iter().any(|tick| tick - std::mem::replace(&mut before, tick) >= 1 << 28)
    };
    if !song.tracks.iter().any(long_pause) {
        assert!(again == song, "written and read: {warnings:?}\n{song:?}\n{again:?}");
        assert!(warnings.is_empty(), "what was repaired is written clean: {warnings:?}");
    }
}

/// One streamed event, made comparable.
#[derive(Debug, PartialEq)]
struct Seen {
    tick: i64,
    note_on: bool,
    /// Everything about it.
    text: String,
}

fn rest<S: ByteSource>(stream: &mut EventStream<S>) -> Vec<Seen> {
    let mut all = vec![];
    while let Some(event) = stream.next().expect("memory does not fail") {
        all.push(seen(&event));
    }
    all
}

fn seen(event: &StreamEvent<'_>) -> Seen {
    assert!(usize::from(event.port) < MAX_MIDI_PORTS);
    if let Message::SysEx(message) = event.message {
        assert!(message.len() <= MAX_SYSEX_BYTES && message[0] == 0xf0 && message[message.len() - 1] == 0xf7);
    }
    let note_on = matches!(event.message, Message::Event(Event::NoteOn { .. }));
    Seen { tick: event.tick.0, note_on, text: format!("{event:?}") }
}
