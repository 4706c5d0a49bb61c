//! Songs to be changed, and what of them has to stay.

use std::collections::BTreeMap;

use kmidi_core::{Division, Ticks};
use kmidi_song::groove::track_notes;
use kmidi_song::{Format, Note, SmfEvent, Song, Track};
use proptest::collection::vec;
use proptest::prelude::*;

pub const PPQ: u16 = 480;

/// A song of one track with these notes: at each tick ends come before other events, and these before starts.
pub fn song_of(ticks_per_quarter: u16, notes: &[Note], end: i64) -> Song {
    let mut events: Vec<(i64, u8, usize, u8, SmfEvent)> = vec![];
    for (place, note) in notes.iter().enumerate() {
        let Note { channel, key, velocity, .. } = *note;
        events.push((note.start.0, 2, place, 0, SmfEvent::Channel([0x90 | channel, key, velocity])));
        // A note without a length ends right after its beginning.
        let class = if note.end == note.start { 2 } else { 0 };
        events.push((note.end.0, class, place, 1, SmfEvent::Channel([0x80 | channel, key, 64])));
    }
    events.sort_by_key(|event| (event.0, event.1, event.2, event.3));
    let events = events.into_iter().map(|event| (Ticks(event.0), event.4)).collect();
    let tracks = vec![Track { events, end: Ticks(end) }];
    Song { format: Format::Single, division: Division::Ppq(ticks_per_quarter), tracks }
}

/// Notes of one key, one after another, each half as long as they lie apart.
pub fn steady(count: usize, apart: i64, channel: u8, key: u8, velocity: u8) -> Vec<Note> {
    let note = |place: usize| {
        let start = place as i64 * apart;
        Note { start: Ticks(start), end: Ticks(start + apart / 2), channel, key, velocity }
    };
    (0..count).map(note).collect()
}

/// The notes of a song's first track.
pub fn notes_of(song: &Song) -> Vec<Note> {
    track_notes(&song.tracks[0]).iter().map(|pair| pair.note).collect()
}

type Events = Vec<(i64, SmfEvent)>;

/// Of a track: the events that are part of no note, and the notes of each channel and key.
pub fn parts(track: &Track) -> (Events, BTreeMap<(u8, u8), Vec<Note>>) {
    let pairs = track_notes(track);
    let mut in_pairs = vec![false; track.events.len()];
    let mut notes: BTreeMap<(u8, u8), Vec<Note>> = BTreeMap::new();
    for pair in pairs {
        (in_pairs[pair.on], in_pairs[pair.off]) = (true, true);
        notes.entry((pair.note.channel, pair.note.key)).or_default().push(pair.note);
    }
    let others = track.events.iter().zip(in_pairs).filter(|(_, in_pair)| !in_pair);
    (others.map(|((tick, event), _)| (tick.0, event.clone())).collect(), notes)
}

fn event() -> impl Strategy<Value = SmfEvent> {
    // Few keys and channels, so that notes meet.
    let note = (prop_oneof![Just(0u8), Just(9), Just(10)], prop_oneof![Just(38u8), Just(42), Just(60)]);
    prop_oneof![
        12 => (note.clone(), 1u8..128).prop_map(|((c, key), v)| SmfEvent::Channel([0x90 | c, key, v])),
        7 => note.clone().prop_map(|(c, key)| SmfEvent::Channel([0x80 | c, key, 10])),
        5 => note.prop_map(|(c, key)| SmfEvent::Channel([0x90 | c, key, 0])),
        3 => (0u8..3, 0u8..128, 0u8..128).prop_map(|(c, n, v)| SmfEvent::Channel([0xb0 | c, n, v])),
        1 => (8u8..11, 0u8..128).prop_map(|(c, program)| SmfEvent::Channel([0xc0 | c, program, 0])),
        1 => (0u8..128).prop_map(|low| SmfEvent::Channel([0xe0, low, 64])),
        1 => "[ -~]{0,20}".prop_map(|text| SmfEvent::Meta { kind: 1, data: text.into_bytes().into() }),
        1 => (200_000u32..1_000_000).prop_map(SmfEvent::tempo),
        1 => (1u8..8, 0u8..4).prop_map(|(n, d)| SmfEvent::Meta { kind: 0x58, data: [n, d, 24, 8].into() }),
        1 => vec(0u8..128, 0..9).prop_map(|data| SmfEvent::SysEx([&data[..], &[0xf7]].concat().into())),
        1 => vec(0u8..128, 0..9).prop_map(|data| SmfEvent::Escape(data.into())),
    ]
}

/// Any events at all, note-offs without notes and notes without note-offs among them.
pub fn wild_track() -> impl Strategy<Value = Track> {
    let delta = prop_oneof![4 => Just(0i64), 6 => 0i64..40, 4 => 100i64..130, 1 => 200i64..3000];
    (vec((delta, event()), 0..120), 0i64..100).prop_map(|(events, rest)| {
        let mut tick = 0;
        let mut all = vec![];
        for (delta, event) in events {
            tick += delta;
            all.push((Ticks(tick), event));
        }
        Track { events: all, end: Ticks(tick + rest) }
    })
}

pub fn wild_song() -> impl Strategy<Value = Song> {
    let format = prop_oneof![Just(Format::Parallel), Just(Format::Sequential), Just(Format::Single)];
    let ppq = prop_oneof![4 => Just(PPQ), 1 => Just(96), 1 => 1u16..2000];
    (format, ppq, vec(wild_track(), 1..4)).prop_map(|(format, ppq, mut tracks)| {
        if format == Format::Single {
            tracks.truncate(1);
        }
        Song { format, division: Division::Ppq(ppq), tracks }
    })
}

/// Notes of which none sounds twice at once; and where they end.
pub fn tame_notes() -> impl Strategy<Value = (Vec<Note>, i64)> {
    let gap = prop_oneof![3 => Just(0i64), 3 => 0i64..60, 3 => Just(120), 1 => 0i64..4000];
    let length = prop_oneof![1 => 0i64..3, 3 => 1i64..100, 2 => Just(60), 1 => 100i64..3000];
    let of_key = vec((gap, length, 1u8..128), 0..30);
    let keys = [(9u8, 36u8), (9, 38), (9, 42), (0, 60), (0, 61)];
    (vec(of_key, keys.len()), 0i64..500).prop_map(move |(all, rest)| {
        let mut notes = vec![];
        for ((channel, key), of_key) in keys.into_iter().zip(all) {
            let mut tick = 0;
            for (gap, length, velocity) in of_key {
                let (start, end) = (Ticks(tick + gap), Ticks(tick + gap + length));
                notes.push(Note { start, end, channel, key, velocity });
                tick = end.0;
            }
        }
        notes.sort_by_key(|note| (note.start, note.key));
        let end = notes.iter().map(|note| note.end.0).max().unwrap_or(0) + rest;
        (notes, end)
    })
}
