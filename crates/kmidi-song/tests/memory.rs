//! A song of 100 MB in 1,000 tracks: read, streamed and sought in less than 16 MiB.
#![forbid(unsafe_code)]

use std::sync::Arc;

use kmidi_core::Ticks;
use kmidi_song::{ByteSource, Chaser, EventStream, SongIndex};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const LIMIT: usize = 16 << 20;
const TRACKS: u64 = 1000;
/// One event: a delta, status and two data bytes.
const EVENT: u64 = 4;
const EVENTS: u64 = 25_000;
const CHUNK: u64 = 8 + EVENTS * EVENT + 4;

/// A file that is made up as it is read: notes and controllers in turn, each track on its own ticks.
struct BigSong;

impl BigSong {
    const HEADER: [u8; 14] = *b"MThd\0\0\0\x06\0\x01\x03\xe8\x01\xe0";

    /// The four bytes at a multiple of four after the header.
    fn word(at: u64) -> [u8; 4] {
        let (track, at) = (at / CHUNK, at % CHUNK);
        if at == 0 {
            return *b"MTrk";
        }
        if at == 4 {
            return ((CHUNK - 8) as u32).to_be_bytes();
        }
        if at == CHUNK - 4 {
            return [0x00, 0xff, 0x2f, 0x00];
        }
        let event = (at - 8) / EVENT;
        let (delta, channel, key) = (20 + (track % 7) as u8, (track % 16) as u8, 36 + (track % 64) as u8);
        match event % 4 {
            0 => [delta, 0x90 | channel, key, 1 + (event % 120) as u8],
            2 => [delta, 0x90 | channel, key, 0],
            _ => [delta, 0xb0 | channel, 11, (event % 120) as u8],
        }
    }
}

impl ByteSource for BigSong {
    fn len(&self) -> u64 {
        14 + TRACKS * CHUNK
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = (self.len().saturating_sub(offset)).min(buf.len() as u64) as usize;
        let mut at = offset;
        let mut rest = &mut buf[..count];
        while !rest.is_empty() {
            let word;
            let (piece, skip) = match at.checked_sub(14) {
                None => (&Self::HEADER[..], at as usize),
                Some(body) => {
                    word = Self::word(body / 4 * 4);
                    (&word[..], (body % 4) as usize)
                }
            };
            let len = (piece.len() - skip).min(rest.len());
            rest[..len].copy_from_slice(&piece[skip..skip + len]);
            rest = &mut rest[len..];
            at += len as u64;
        }
        Ok(count)
    }
}

/// What the heap grows by, at its highest, while `work` is done.
fn peak(work: impl FnOnce()) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    work();
    HEAP.peak_usage() - before
}

/// One test, because the heap is everybody's.
#[test]
fn memory_is_bounded_whatever_the_file() {
    a_hundred_megabytes_in_a_thousand_tracks_stay_below_16_mib();
    a_file_of_nothing_but_tempo_changes_or_texts_is_bounded();
}

fn a_hundred_megabytes_in_a_thousand_tracks_stay_below_16_mib() {
    assert!(BigSong.len() > 100_000_000);
    // The measure itself sees what it has to see.
    assert!(peak(|| drop(std::hint::black_box(vec![1u8; LIMIT]))) >= LIMIT);

    let all = peak(|| {
        let index = Arc::new(SongIndex::scan(&BigSong, &mut |_| {}).expect("a song"));
        assert_eq!((index.tracks.len() as u64, index.events), (TRACKS, TRACKS * (EVENTS + 1)));
        assert!(index.warnings.is_empty());
        let end = index.end.0;
        let mut stream = EventStream::new(index.clone(), &BigSong).expect("no medium");
        let mut chaser = Chaser::new(index, &BigSong).expect("no medium");
        for tick in [end - 200, end / 2, 0, end - 5000] {
            stream.seek(Ticks(tick)).expect("no medium");
            let mut last = tick;
            for _ in 0..100_000 {
                let Some(event) = stream.next().expect("no medium") else { break };
                assert!(event.tick.0 >= last);
                last = event.tick.0;
            }
        }
        // A sixteenth of the way: the rest is more of the same.
        chaser.state_at(Ticks(end / 16)).expect("no medium");
        chaser.state_at(Ticks(end / 64)).expect("no medium");
    });
    assert!(all < LIMIT, "{all} bytes");
}

fn a_file_of_nothing_but_tempo_changes_or_texts_is_bounded() {
    let flood = |event: &[u8]| {
        let data = event.repeat((20 << 20) / event.len());
        [b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk", &(data.len() as u32).to_be_bytes()[..], &data].concat()
    };
    for (event, limit) in [
        (&[1, 0xff, 0x51, 3, 7, 0xa1, 0x20][..], 90 << 20),
        (&[1, 0xff, 0x05, 2, b'l', b'a'], 4 << 20),
        (&[1, 0xff, 0x59, 2, 1, 0], 4 << 20),
        (&[1, 0xc0, 1], 12 << 20),
        (&[0, 0xf4], 4 << 20),
    ] {
        let bytes = flood(event);
        let used = peak(|| {
            let index = SongIndex::scan(&bytes, &mut |_| {}).expect("a song");
            assert!(index.warnings.as_slice().len() <= kmidi_song::Warnings::KEPT);
        });
        assert!(used < limit, "{used} bytes for {event:02x?}");
    }
}
