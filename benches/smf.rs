//! How fast Standard MIDI Files are read: our index, stream, seek and song against midly's own reading,
//! in turns in the same run. Reported as times and as ratios to midly; nothing is gated on time.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kmidi_core::Ticks;
use kmidi_song::{Chaser, EventStream, Song, SongIndex};

const ROUNDS: usize = 5;
const BYTES: usize = 64 << 20;

/// Something to be timed, and its name.
type Work<'a> = (&'static str, Box<dyn FnMut() + 'a>);

fn main() {
    for tracks in [16, 1000] {
        measure(tracks);
    }
}

/// A file of notes and controllers in running status where it can be, as sequencers write them.
fn song(tracks: usize) -> Vec<u8> {
    let mut file = b"MThd\0\0\0\x06\0\x01".to_vec();
    file.extend((tracks as u16).to_be_bytes());
    file.extend([1, 0xe0]);
    for track in 0..tracks {
        let channel = (track % 16) as u8;
        let mut data = vec![0, 0xc0 | channel, (track % 128) as u8];
        let mut event = track as u32;
        while data.len() < BYTES / tracks {
            let (delta, key) = (10 + (event % 90) as u8, 40 + (event % 40) as u8);
            data.extend([0, 0x90 | channel, key, 100, delta, key, 0]);
            if event.is_multiple_of(4) {
                data.extend([0, 0xb0 | channel, 11, (event % 128) as u8]);
            }
            event += 1;
        }
        data.extend([0, 0xff, 0x2f, 0]);
        file.extend(b"MTrk");
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(data);
    }
    file
}

fn midly_iterators(bytes: &[u8]) -> u64 {
    let (_, tracks) = midly::parse(bytes).expect("clean");
    let events = tracks.flat_map(|track| track.expect("clean"));
    events.map(|event| u64::from(event.expect("clean").delta.as_int())).sum()
}

fn measure(tracks: usize) {
    let bytes = song(tracks);
    let index = Arc::new(SongIndex::scan(&bytes, &mut |_| {}).expect("clean"));
    assert!(index.warnings.is_empty());
    let middle = Ticks(index.end.0 / 2);
    let mut seeker = EventStream::new(index.clone(), &bytes).expect("memory");
    let mut chaser = Chaser::new(index.clone(), &bytes).expect("memory");

    let mut work: [Work<'_>; 7] = [
        ("midly, iterators, no list", Box::new(|| _ = black_box(midly_iterators(&bytes)))),
        ("midly, list of events", Box::new(|| drop(black_box(midly::Smf::parse(&bytes))))),
        ("index", Box::new(|| drop(black_box(SongIndex::scan(&bytes, &mut |_| {}))))),
        ("song in memory", Box::new(|| drop(black_box(Song::from_smf(&bytes))))),
        (
            "stream in playing order",
            Box::new(|| {
                let mut stream = EventStream::new(index.clone(), &bytes).expect("memory");
                while let Some(event) = stream.next().expect("memory") {
                    black_box(event.tick);
                }
            }),
        ),
        (
            "seek to the middle",
            Box::new(|| {
                seeker.seek(middle).expect("memory");
                black_box(seeker.next().expect("memory").is_some());
            }),
        ),
        ("state there, after the first time", Box::new(|| drop(black_box(chaser.state_at(middle))))),
    ];
    let mut best = [Duration::MAX; 7];
    for _ in 0..ROUNDS {
        for ((_, work), best) in work.iter_mut().zip(&mut best) {
            let start = Instant::now();
            work();
            *best = start.elapsed().min(*best);
        }
    }
    println!("{} MB, {tracks} tracks, {} events; best of {ROUNDS}:", bytes.len() >> 20, index.events);
    for ((name, _), time) in work.iter().zip(&best) {
        let (ms, ratio) = (time.as_secs_f64() * 1e3, time.as_secs_f64() / best[0].as_secs_f64());
        println!("  {name:36} {ms:8.1} ms  {ratio:6.2} of midly's iterators");
    }
}
