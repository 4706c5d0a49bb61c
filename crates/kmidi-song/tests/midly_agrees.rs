//! Where midly reads a file in full, we read the same; where it silently stops, we do not.
#![forbid(unsafe_code)]

mod common;

use kmidi_song::{SmfEvent, Song};
use midly::{MetaMessage, Smf, TrackEventKind};

/// The events of a song as midly gives them, from its own reading.
fn by_midly(bytes: &[u8]) -> Option<Vec<Vec<String>>> {
    let smf = Smf::parse(bytes).ok()?;
    let track = |events: &Vec<midly::TrackEvent<'_>>| {
        let mut tick = 0u64;
        let mut all = vec![];
        for event in events {
            tick += u64::from(event.delta.as_int());
            all.push(format!("{tick} {:?}", event.kind));
        }
        all
    };
    Some(smf.tracks.iter().map(track).collect())
}

/// The events of a song from our reading, by way of midly's names for them.
fn by_us(bytes: &[u8]) -> Option<Vec<Vec<String>>> {
    let (song, _) = Song::from_smf(bytes).ok()?;
    let name = |event: &SmfEvent| match event {
        SmfEvent::Channel(message) => {
            let live = midly::live::LiveEvent::parse(&message[..1 + data_len(message[0])]);
            match live.expect("a channel message") {
                midly::live::LiveEvent::Midi { channel, message } => {
                    format!("{:?}", TrackEventKind::Midi { channel, message })
                }
                other => panic!("{other:?}"),
            }
        }
        SmfEvent::SysEx(data) => format!("{:?}", TrackEventKind::SysEx(data)),
        SmfEvent::Escape(data) => format!("{:?}", TrackEventKind::Escape(data)),
        SmfEvent::Meta { kind, data } => format!("{:?}", TrackEventKind::Meta(meta(*kind, data))),
    };
    let track = |track: &kmidi_song::Track| {
        let mut all: Vec<_> =
            track.events.iter().map(|(tick, event)| format!("{} {}", tick.0, name(event))).collect();
        all.push(format!("{} {:?}", track.end.0, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
        all
    };
    Some(song.tracks.iter().map(track).collect())
}

fn data_len(status: u8) -> usize {
    if matches!(status & 0xf0, 0xc0 | 0xd0) { 1 } else { 2 }
}

/// A meta event as midly decodes it: read back from its bytes.
fn meta(kind: u8, data: &[u8]) -> MetaMessage<'_> {
    let bytes = [&[0, 0xff, kind], &length(data.len())[..], data].concat().leak();
    match midly::EventIter::new(bytes).next().expect("one event").expect("clean").kind {
        TrackEventKind::Meta(meta) => meta,
        other => panic!("{other:?}"),
    }
}

fn length(len: usize) -> Vec<u8> {
    assert!(len < 1 << 14);
    if len < 128 { vec![len as u8] } else { vec![0x80 | (len >> 7) as u8, (len & 127) as u8] }
}

#[test]
fn every_clean_file_reads_as_midly_reads_it() {
    let mut clean = 0;
    for (name, bytes) in common::files() {
        let Some(ours) = by_us(&bytes) else {
            assert!(by_midly(&bytes).is_none_or(|tracks| tracks.is_empty()), "{name}");
            continue;
        };
        let damaged = !Song::from_smf(&bytes).expect("read before").1.is_empty();
        if !damaged {
            clean += 1;
            assert_eq!(Some(ours), by_midly(&bytes), "{name}");
        }
    }
    assert!(clean >= 60, "only {clean} files are clean");
}

#[test]
fn control_midly_silently_loses_the_music_behind_an_illegal_byte() {
    let mut lost = 0;
    for (name, bytes) in common::files() {
        if name.starts_with("test-illegal-message") || name.starts_with("test-running-status") {
            let ours: usize = by_us(&bytes).expect("readable").iter().map(Vec::len).sum();
            let theirs: usize = by_midly(&bytes).expect("midly says Ok").iter().map(Vec::len).sum();
            assert!(theirs < ours, "{name}: {theirs} of {ours}");
            lost += 1;
        }
    }
    assert_eq!(lost, 16);
}
