//! What is written reads back as the same song.
#![forbid(unsafe_code)]

mod common;

use kmidi_core::{Division, SmpteRate, Ticks};
use kmidi_song::{Format, SmfEvent, Song, Track, WriteError};
use proptest::collection::vec;
use proptest::prelude::*;

fn data() -> impl Strategy<Value = Box<[u8]>> {
    prop_oneof![vec(0u8..128, 0..10), vec(0u8..128, 120..300)].prop_map(Vec::into_boxed_slice)
}

fn event() -> impl Strategy<Value = SmfEvent> {
    let text = "[ -~]{0,200}".prop_map(|text| text.into_bytes().into_boxed_slice());
    prop_oneof![
        20 => (0x80u8..0xf0, 0u8..128, 0u8..128).prop_map(|(status, one, two)| {
            let two = if matches!(status & 0xf0, 0xc0 | 0xd0) { 0 } else { two };
            SmfEvent::Channel([status, one, two])
        }),
        1 => data().prop_map(|data| SmfEvent::SysEx([&data, &[0xf7][..]].concat().into_boxed_slice())),
        1 => data().prop_map(SmfEvent::Escape),
        1 => (1u8..16, text).prop_map(|(kind, data)| SmfEvent::Meta { kind, data }),
        1 => (1u32..1 << 24).prop_map(SmfEvent::tempo),
        1 => data().prop_map(|data| SmfEvent::Meta { kind: 0x7f, data }),
        1 => (1u8..12, 0u8..6).prop_map(|(n, d)| SmfEvent::Meta { kind: 0x58, data: [n, d, 24, 8].into() }),
    ]
}

fn track() -> impl Strategy<Value = Track> {
    let delta = prop_oneof![5 => 0i64..200, 1 => 0i64..1 << 28];
    (vec((delta, event()), 0..60), 0i64..1000).prop_map(|(events, rest)| {
        let mut tick = 0;
        let mut all = vec![];
        for (delta, event) in events {
            tick += delta;
            all.push((Ticks(tick), event));
        }
        Track { events: all, end: Ticks(tick + rest) }
    })
}

fn song() -> impl Strategy<Value = Song> {
    let rate = prop_oneof![
        Just(SmpteRate::Fps24),
        Just(SmpteRate::Fps25),
        Just(SmpteRate::Fps29),
        Just(SmpteRate::Fps30)
    ];
    let division = prop_oneof![
        (1u16..32_768).prop_map(Division::Ppq),
        (rate, 1u8..=255).prop_map(|(rate, subframes)| Division::Smpte { rate, subframes })
    ];
    let format = prop_oneof![Just(Format::Parallel), Just(Format::Sequential), Just(Format::Single)];
    (format, division, vec(track(), 1..4)).prop_map(|(format, division, mut tracks)| {
        if format == Format::Single {
            tracks.truncate(1);
        }
        Song { format, division, tracks }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_song_written_reads_back_as_itself(song in song()) {
        let bytes = song.to_smf().unwrap();
        let (read, warnings) = Song::from_smf(&bytes).unwrap();
        prop_assert_eq!(warnings.as_slice(), &[]);
        prop_assert_eq!(read, song);
    }
}

#[test]
fn every_file_read_written_and_read_is_the_same_song() {
    for (name, bytes) in common::files() {
        let Ok((song, _)) = Song::from_smf(&bytes) else { continue };
        let written = song.to_smf().expect("it came from a file");
        let (again, warnings) = Song::from_smf(&written).expect("a song");
        assert!(warnings.is_empty(), "{name}: what was repaired is written clean: {warnings:?}");
        assert_eq!(again, song, "{name}");
    }
}

#[test]
fn what_does_not_fit_the_format_is_refused() {
    let tracks = vec![Track::default(); 65_536];
    let song = Song { format: Format::Parallel, division: Division::Ppq(96), tracks };
    assert_eq!(song.to_smf(), Err(WriteError::Tracks(65_536)));
}

#[test]
fn a_pause_longer_than_the_format_has_is_bridged() {
    let far = Ticks(3 << 28);
    let events = vec![(far, SmfEvent::Channel([0x90, 60, 1]))];
    let tracks = vec![Track { events, end: far }];
    let song = Song { format: Format::Single, division: Division::Ppq(96), tracks };
    let (read, warnings) = Song::from_smf(&song.to_smf().expect("fits")).expect("a song");
    assert!(warnings.is_empty());
    assert_eq!(read.tracks[0].events.last(), song.tracks[0].events.last());
    assert_eq!(read.tracks[0].end, far);
}
