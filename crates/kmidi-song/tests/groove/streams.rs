//! From a file to a file: the same bytes as in memory.

use std::io::Cursor;
use std::sync::Arc;

use kmidi_core::{Division, Ticks};
use kmidi_song::groove::{
    ApplyOptions, Change, Channels, ExtractOptions, GrooveError, Humanize, change_file, change_song, extract,
    extract_file, presets, template,
};
use kmidi_song::{Format, SmfEvent, Song, SongIndex, Track};
use proptest::prelude::*;

use super::common;
use super::songs::{song_of, steady, wild_song};

fn streamed(bytes: &[u8], change: Change<'_>) -> Result<Vec<u8>, GrooveError> {
    let index = SongIndex::scan(&bytes, &mut |_| {})?;
    let mut out = Cursor::new(vec![]);
    change_file(&bytes, &index, change, &mut out, &mut |_| {})?;
    Ok(out.into_inner())
}

fn in_memory(bytes: &[u8], change: Change<'_>) -> Result<Vec<u8>, GrooveError> {
    let (mut song, _) = Song::from_smf(bytes)?;
    change_song(&mut song, change)?;
    Ok(song.to_smf()?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_stream_gives_the_same_bytes_as_memory(song in wild_song(), seed in any::<u64>(), intensity in 0.0f64..=1.0) {
        let bytes = song.to_smf().unwrap();
        let settings = presets()[(seed % 10) as usize].settings(seed);
        let change = Change::Humanize(&settings);
        prop_assert_eq!(streamed(&bytes, change).unwrap(), in_memory(&bytes, change).unwrap());
        let groove = template("lofi").unwrap().groove();
        let options = ApplyOptions { intensity, ..ApplyOptions::default() };
        let change = Change::Apply(&groove, &options);
        prop_assert_eq!(streamed(&bytes, change).unwrap(), in_memory(&bytes, change).unwrap());
    }
}

#[test]
fn files_of_all_kinds_stream_to_the_same_bytes() {
    let settings = Humanize::drummer(0.5, 0.7, 3);
    let groove = template("funk").unwrap().groove();
    let options = ApplyOptions { channels: Some(Channels::DRUMS), ..ApplyOptions::default() };
    let mut compared = 0;
    for (name, bytes) in common::files() {
        for change in [Change::Humanize(&settings), Change::Apply(&groove, &options)] {
            match (streamed(&bytes, change), in_memory(&bytes, change)) {
                (Ok(streamed), Ok(memory)) => {
                    assert!(streamed == memory, "{name}");
                    compared += 1;
                }
                (Err(a), Err(b)) => assert_eq!(a.to_string(), b.to_string(), "{name}"),
                (a, b) => panic!("{name}: {:?} and {:?}", a.map(|it| it.len()), b.map(|it| it.len())),
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_is_learnt_from_a_stream_is_what_is_learnt_in_memory() {
    let mut compared = 0;
    for (name, bytes) in common::files() {
        let Ok(index) = SongIndex::scan(&bytes, &mut |_| {}) else { continue };
        let options = ExtractOptions { name: name.clone(), ..ExtractOptions::default() };
        let song = Song::from_smf(&bytes).unwrap().0;
        match (extract(&song, &options), extract_file(&bytes, &Arc::new(index), &options)) {
            (Ok(memory), Ok(streamed)) => {
                assert_eq!(streamed, memory, "{name}");
                compared += 1;
            }
            (Err(a), Err(b)) => assert_eq!(a.to_string(), b.to_string(), "{name}"),
            (a, b) => panic!("{name}: {a:?} and {b:?}"),
        }
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn pauses_and_data_longer_than_a_buffer_are_written() {
    let far = Ticks(3 << 28);
    let long = vec![7u8; 200_000].into_boxed_slice();
    let mut song = song_of(480, &steady(8, 120, 9, 38, 90), far.0 + 5000);
    song.tracks[0].events.push((far, SmfEvent::Meta { kind: 0x7f, data: long.clone() }));
    song.tracks[0].events.push((far, SmfEvent::SysEx([&long[..], &[0xf7]].concat().into())));
    song.tracks[0].events.push((far + Ticks(960), SmfEvent::Channel([0x99, 38, 80])));
    song.tracks[0].events.push((far + Ticks(1000), SmfEvent::Channel([0x89, 38, 80])));
    let bytes = song.to_smf().unwrap();
    let settings = Humanize::drummer(0.5, 0.5, 1);
    let change = Change::Humanize(&settings);
    assert!(streamed(&bytes, change).unwrap() == in_memory(&bytes, change).unwrap());
}

/// More events at once than wait at most: what waits is settled, and the law is kept.
#[test]
fn a_flood_at_one_tick_is_no_trouble() {
    let mut events = vec![];
    for round in 0..3 {
        let tick = Ticks(round * 100);
        events.push((tick, SmfEvent::Channel([0x99, 38, 90])));
        events.extend((0..70_000).map(|i| (tick, SmfEvent::Channel([0xb0, 11, (i % 128) as u8]))));
        events.push((tick + Ticks(20), SmfEvent::Channel([0x89, 38, 0])));
    }
    // As many notes of one key at once as there can be, all of which end.
    events.extend((0..1000).map(|_| (Ticks(400), SmfEvent::Channel([0x99, 40, 90]))));
    events.extend((0..1000).map(|_| (Ticks(500), SmfEvent::Channel([0x89, 40, 0]))));
    let tracks = vec![Track { events, end: Ticks(1000) }];
    let song = Song { format: Format::Single, division: Division::Ppq(480), tracks };
    let bytes = song.to_smf().unwrap();
    let settings = Humanize { ghosts: 1.0, ..Humanize::drummer(0.9, 0.9, 1) };
    let change = Change::Humanize(&settings);
    let streamed = streamed(&bytes, change).unwrap();
    assert!(streamed == in_memory(&bytes, change).unwrap());
    let (after, warnings) = Song::from_smf(&streamed).unwrap();
    assert!(warnings.is_empty());
    let controllers = |song: &Song| -> Vec<_> {
        let events = song.tracks[0].events.iter();
        events.filter(|(_, event)| matches!(event, SmfEvent::Channel([0xb0, ..]))).cloned().collect()
    };
    assert!(controllers(&after) == controllers(&song));
    assert_eq!(after.tracks[0].end, Ticks(1000));
}
