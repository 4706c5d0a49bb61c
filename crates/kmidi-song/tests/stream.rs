//! The stream against the whole song in memory: the same events, in playing order, from any tick.
#![forbid(unsafe_code)]

mod common;

use std::sync::Arc;

use common::{END, chunk, header, index, rest, single};
use kmidi_core::Ticks;
use kmidi_song::{ByteSource, EventStream, Message, Song, StreamEvent};

/// What a stream must give, sorted the simple way from the song in memory: tick, track, channel message.
fn merged(bytes: &[u8]) -> Vec<(i64, u32, [u8; 3])> {
    let (song, _) = Song::from_smf(bytes).expect("a song");
    let index = index(bytes);
    let mut all = vec![];
    for (number, track) in song.tracks.iter().enumerate() {
        let base = index.tracks[number].start.0;
        for (tick, event) in &track.events {
            if let Some(event) = event.event() {
                let mut message = [0; 3];
                event.to_midi1(&mut message).expect("a channel message");
                all.push((base + tick.0, number as u32, message));
            }
        }
    }
    all.sort_by_key(|&(tick, track, _)| (tick, track));
    all
}

fn channel_message(event: StreamEvent<'_>) -> Option<(i64, u32, [u8; 3])> {
    let Message::Event(message) = event.message else { return None };
    let mut bytes = [0; 3];
    message.to_midi1(&mut bytes)?;
    Some((event.tick.0, event.track, bytes))
}

#[test]
fn every_file_streams_what_it_holds_in_playing_order() {
    for (name, bytes) in common::files() {
        if Song::from_smf(&bytes).is_err() {
            continue;
        }
        let mut stream = EventStream::new(Arc::new(index(&bytes)), &bytes).expect("memory");
        let mut streamed = vec![];
        while let Some(event) = stream.next().expect("memory") {
            streamed.extend(channel_message(event));
        }
        assert_eq!(streamed, merged(&bytes), "{name}");
    }
}

/// After a seek to each tick, what follows is what follows in the whole stream.
fn check_seeks(name: &str, bytes: &[u8], ticks: impl Iterator<Item = i64>) {
    let index = Arc::new(index(bytes));
    let mut stream = EventStream::new(index.clone(), bytes).expect("memory");
    let mut whole = vec![];
    while let Some(event) = stream.next().expect("memory") {
        whole.push((event.tick.0, format!("{event:?}")));
    }
    for tick in ticks {
        stream.seek(Ticks(tick)).expect("memory");
        let expected: Vec<_> =
            whole.iter().filter(|(at, _)| *at >= tick).map(|(_, event)| event.clone()).collect();
        assert_eq!(rest(&mut stream), expected, "{name} from tick {tick}");
    }
}

#[test]
fn a_seek_anywhere_forwards_and_backwards_loses_and_repeats_nothing() {
    for (name, bytes) in common::files() {
        let Ok((_, _)) = Song::from_smf(&bytes) else { continue };
        let end = index(&bytes).end.0;
        // Forwards and backwards in turn, event borders and places between.
        let ticks = [0, end, end / 3, end - 1, 1, end / 2, end / 2 + 1, end + 1, 96, 95, 97];
        check_seeks(&name, &bytes, ticks.into_iter());
    }
}

#[test]
fn checkpoints_are_used_and_right() {
    // 200,000 bytes in two tracks, thousands of bytes apart from each other's checkpoints, several
    // events a tick, running status all through.
    let track = |key: u8, delta: u8| {
        let mut data = vec![0x00, 0x90, key, 100];
        for i in 0..33_000u32 {
            data.extend([if i % 3 == 0 { delta } else { 0 }, key + (i % 5) as u8, (i % 2) as u8 * 90]);
        }
        data.extend(END);
        chunk(&data)
    };
    let bytes = [header(1, 2, 96), track(40, 1), track(60, 7)].concat();
    let end = index(&bytes).end.0;
    check_seeks("dense", &bytes, [end, 0, 5000, 10_999, 11_000, 11_001, 60_000, 7, 8, end - 1].into_iter());

    // A seek reads a small part of the file.
    let counting = Counting { bytes: bytes.clone(), read: 0.into() };
    let mut stream = EventStream::new(Arc::new(index(&bytes)), &counting).expect("memory");
    counting.read.store(0, std::sync::atomic::Ordering::Relaxed);
    stream.seek(Ticks(end / 2)).expect("memory");
    let read = counting.read.load(std::sync::atomic::Ordering::Relaxed);
    assert!(read < 2 * (1 << 15) + 4096, "{read} bytes read for one seek");
}

struct Counting {
    bytes: Vec<u8>,
    read: std::sync::atomic::AtomicU64,
}

impl ByteSource for Counting {
    fn len(&self) -> u64 {
        ByteSource::len(&self.bytes)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read_at(offset, buf)?;
        self.read.fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn damage_is_read_the_same_after_a_seek() {
    let mut data = vec![];
    for i in 0..4000u32 {
        data.extend([10, 0x90, 40 + (i % 40) as u8, 100, 10, 40 + (i % 40) as u8, 0]);
        match i % 7 {
            0 => data.extend([0, 0xf4]),
            3 => data.extend([0x00, 0x90, 0xff, 0xfe, 0xf9]),
            5 => data.extend([0x00, 0xff, 0x01, 0x40, b'h', b'i']),
            _ => {}
        }
    }
    data.extend(END);
    let bytes = single(&data);
    assert!(index(&bytes).warnings.total() > 500);
    let end = index(&bytes).end.0;
    check_seeks("damaged", &bytes, (0..40).map(|i| (i * 7919) % end));
}

#[test]
fn tempo_and_meter_come_before_the_notes_of_their_tick() {
    let data = [
        &[0x00, 0x90, 60, 100][..],
        &[96, 0x80, 60, 0, 0x00, 0x90, 61, 100],
        &[0x00, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0x00, 0xff, 0x58, 4, 3, 2, 24, 8],
        &END,
    ];
    let bytes = single(&data.concat());
    let mut stream = EventStream::new(Arc::new(index(&bytes)), &bytes).expect("memory");
    let mut order = vec![];
    while let Some(event) = stream.next().expect("memory") {
        order.push(match event.message {
            Message::Tempo(tempo) => format!("{} tempo {}", event.tick.0, tempo.micros_per_quarter),
            Message::Meter(meter) => format!("{} meter {}", event.tick.0, meter.numerator),
            _ => format!("{}", event.tick.0),
        });
    }
    let expected =
        ["0 tempo 500000", "0 meter 4", "0", "96 tempo 1000000", "96 meter 3", "96", "96"].map(String::from);
    assert_eq!(order, expected);
}

#[test]
fn sysex_packets_come_together_and_escapes_are_understood() {
    let data = [
        &[0x00, 0xf0, 3, 0x43, 0x12, 0x00][..],
        &[0x60, 0xf7, 3, 0x43, 0x12, 0x01],
        &[0x60, 0xf7, 2, 0x44, 0xf7],
        &[0x00, 0xf7, 3, 0x90, 60, 100],
        &[0x00, 0xf7, 3, 0xf0, 0x7d, 0xf7],
        &[0x00, 0xf7, 1, 0xfa],
        &END,
    ];
    let bytes = single(&data.concat());
    let mut stream = EventStream::new(Arc::new(index(&bytes)), &bytes).expect("memory");
    let mut seen = vec![];
    while let Some(event) = stream.next().expect("memory") {
        match event.message {
            Message::SysEx(message) => seen.push((event.tick.0, message.to_vec())),
            Message::Event(kmidi_core::Event::NoteOn { key, .. }) => seen.push((event.tick.0, vec![key])),
            _ => {}
        }
    }
    let whole = vec![0xf0, 0x43, 0x12, 0x00, 0x43, 0x12, 0x01, 0x44, 0xf7];
    assert_eq!(seen, [(192, whole), (192, vec![60]), (192, vec![0xf0, 0x7d, 0xf7])]);
    assert!(index(&bytes).warnings.is_empty());
    check_seeks("packets", &bytes, [1, 96, 97, 192, 193, 0].into_iter());
}

#[test]
fn ports_are_numbered_densely_and_a_fifth_shares() {
    let tracks: Vec<u8> = [0u8, 9, 4, 100, 55]
        .iter()
        .flat_map(|&port| {
            chunk(&[&[0x00, 0xff, 0x21, 1, port, 0x00, 0x90, 60, 1, 0x00, 60, 0][..], &END].concat())
        })
        .collect();
    let bytes = [header(1, 5, 96), tracks].concat();
    let index = Arc::new(index(&bytes));
    assert_eq!(index.ports, [0, 9, 4, 100, 55]);
    let kinds: Vec<_> = index.warnings.into_iter().map(|w| w.kind).collect();
    assert_eq!(kinds, [kmidi_song::WarningKind::TooManyPorts { port: 55 }]);
    let mut stream = EventStream::new(index, &bytes).expect("memory");
    let mut ports = vec![];
    while let Some(event) = stream.next().expect("memory") {
        if let Message::Event(kmidi_core::Event::NoteOn { .. }) = event.message {
            ports.push((event.track, event.port));
        }
    }
    assert_eq!(ports, [(0, 0), (1, 1), (2, 2), (3, 3), (4, 0)]);
}

#[test]
fn a_source_that_shrinks_or_fails_while_playing_is_no_panic() {
    struct Failing(Vec<u8>, std::sync::atomic::AtomicUsize);
    impl ByteSource for Failing {
        fn len(&self) -> u64 {
            ByteSource::len(&self.0)
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
            if self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 == 2 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            self.0.read_at(offset, buf)
        }
    }
    let bytes = common::file("freedoom1_D_E3M5.mid");
    let index = Arc::new(index(&bytes));
    let short = bytes[..bytes.len() / 2].to_vec();
    let mut stream = EventStream::new(index.clone(), &short).expect("memory");
    assert!(!rest(&mut stream).is_empty());
    let failing = Failing(bytes, 0.into());
    let told = match EventStream::new(index, &failing) {
        Err(_) => true,
        Ok(mut stream) => (0..100_000).any(|_| stream.next().is_err()),
    };
    assert!(told, "an error of the medium reaches the caller");
}
