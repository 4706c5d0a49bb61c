//! A large file is humanised from a file to a file, and learnt from, in memory that does not grow with it.
#![forbid(unsafe_code)]

use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use kmidi_song::groove::{Change, ExtractOptions, Humanize, change_file, extract_file};
use kmidi_song::{ByteSource, SongIndex};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const LIMIT: usize = 8 << 20;
const TRACKS: u64 = 16;
/// One event: a delta, status and two data bytes.
const EVENT: u64 = 4;

/// A file that is made up as it is read: notes and controllers in turn, each track on its own ticks.
struct BigSong {
    events: u64,
}

impl BigSong {
    const HEADER: [u8; 14] = *b"MThd\0\0\0\x06\0\x01\0\x10\x01\xe0";

    fn chunk(&self) -> u64 {
        8 + self.events * EVENT + 4
    }

    /// The four bytes at a multiple of four after the header.
    fn word(&self, at: u64) -> [u8; 4] {
        let (track, at) = (at / self.chunk(), at % self.chunk());
        if at == 0 {
            return *b"MTrk";
        }
        if at == 4 {
            return ((self.chunk() - 8) as u32).to_be_bytes();
        }
        if at == self.chunk() - 4 {
            return [0x00, 0xff, 0x2f, 0x00];
        }
        let event = (at - 8) / EVENT;
        let (delta, channel, key) = (20 + (track % 7) as u8, track as u8, 36 + (event / 4 % 12) as u8);
        match event % 4 {
            0 => [delta, 0x90 | channel, key, 1 + (event % 120) as u8],
            2 => [delta, 0x90 | channel, key, 0],
            _ => [delta, 0xb0 | channel, 11, (event % 120) as u8],
        }
    }
}

impl ByteSource for BigSong {
    fn len(&self) -> u64 {
        14 + TRACKS * self.chunk()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = (self.len().saturating_sub(offset)).min(buf.len() as u64) as usize;
        for (place, byte) in buf[..count].iter_mut().enumerate() {
            let at = offset + place as u64;
            *byte = match at.checked_sub(14) {
                None => Self::HEADER[at as usize],
                Some(body) => self.word(body / 4 * 4)[(body % 4) as usize],
            };
        }
        Ok(count)
    }
}

/// Counts what is written, and keeps none of it.
#[derive(Default)]
struct Nowhere {
    position: u64,
    length: u64,
}

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.position += bytes.len() as u64;
        self.length = self.length.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Nowhere {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
            SeekFrom::End(by) => self.length.saturating_add_signed(by),
        };
        Ok(self.position)
    }
}

/// What the heap grows by, at its highest, while `work` is done.
fn peak(work: impl FnOnce()) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    work();
    HEAP.peak_usage() - before
}

/// What it takes to humanise a file of so many events a track.
fn humanise(events: u64) -> usize {
    let song = BigSong { events };
    let settings = Humanize::drummer(0.5, 0.7, 1);
    let used = peak(|| {
        let index = Arc::new(SongIndex::scan(&song, &mut |_| {}).expect("a song"));
        assert!(index.warnings.is_empty());
        let (mut out, mut reports) = (Nowhere::default(), 0);
        let changes =
            change_file(&song, &index, Change::Humanize(&settings), &mut out, &mut |_| reports += 1)
                .expect("nothing fails here");
        assert_eq!(changes.notes + changes.dropped, TRACKS * events.div_ceil(4));
        assert!(changes.moved * 2 > changes.notes);
        assert!(out.length > song.len() / 2 && reports as u64 >= song.len() >> 20);
        let groove = extract_file(&song, &index, &ExtractOptions::default()).expect("nothing fails here");
        assert_eq!(groove.channels.len() as u64, TRACKS);
    });
    eprintln!("{} bytes: {used} bytes of memory", song.len());
    used
}

/// One test, because the heap is everybody's.
#[test]
fn memory_is_bounded_whatever_the_file() {
    // Control: the measure itself sees what it has to see.
    assert!(peak(|| drop(std::hint::black_box(vec![1u8; LIMIT]))) >= LIMIT);
    let (small, large) = (humanise(8_000), humanise(128_000));
    assert!(large < LIMIT, "{large} bytes");
    // Sixteen times the file: what grows is the index alone, which has an end of its own.
    assert!(large < small + (1 << 20), "{small} and {large} bytes");
}
