//! Holes of an Ogg file: pages that are lost. Its demultiplexer goes on behind them as if nothing were missing, and is in
//! time again only a page later.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use symphonia::core::errors::Result;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;

/// Holes that are looked for; a file with more of them is out of time behind the last.
const MAX_HOLES: usize = 1000;
/// Streams of one file that are followed.
const MAX_STREAMS: usize = 100;
const MARKER: &[u8; 4] = b"OggS";
const HEADER_BYTES: usize = 27;

/// Pages that are missing, by the first page behind them in which packets end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    serial: u32,
    /// Place in frames at which the last page before it ends, and that at which the first page behind it ends.
    from: i64,
    to: i64,
    /// Packets that end in that page.
    packets: usize,
}

/// The packets of a file, those behind a hole at the places where they belong.
pub(super) struct Packets {
    holes: VecDeque<Hole>,
    ahead: VecDeque<Packet>,
}

impl Packets {
    pub fn new(holes: Vec<Hole>) -> Self {
        Packets { holes: holes.into(), ahead: VecDeque::new() }
    }

    pub fn next(&mut self, format: &mut dyn FormatReader) -> Result<Option<Packet>> {
        if let Some(packet) = self.ahead.pop_front() {
            return Ok(Some(packet));
        }
        let Some(first) = format.next_packet()? else { return Ok(None) };
        let is_behind = |hole: &Hole| hole.serial == first.track_id && hole.from == first.pts.get();
        let Some(at) = self.holes.iter().position(is_behind) else { return Ok(Some(first)) };
        let hole = self.holes[at];
        self.holes.drain(..=at);
        self.ahead.push_back(first);
        while self.ahead.len() < hole.packets {
            // What is wrong is met again when these have been given out.
            let Ok(Some(packet)) = format.next_packet() else { break };
            self.ahead.push_back(packet);
        }
        let frames: u64 = self.ahead.iter().map(|packet| packet.block_dur().get()).sum();
        let lost = hole.to.saturating_sub(hole.from).saturating_sub_unsigned(frames).max(0);
        for packet in &mut self.ahead {
            packet.pts = packet.pts.get().saturating_add(lost).into();
        }
        Ok(self.ahead.pop_front())
    }
}

/// What is known of a stream up to a page.
struct Stream {
    sequence: u32,
    end: i64,
    is_behind_hole: bool,
}

/// Looks for holes from the start of a file, and goes back there. Nothing is found in a file of another kind.
pub(super) fn holes(file: &File) -> io::Result<Vec<Hole>> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let found = if reader.fill_buf()?.starts_with(MARKER) { find(&mut reader) } else { Ok(Vec::new()) };
    reader.rewind()?;
    found
}

fn find(reader: &mut BufReader<&File>) -> io::Result<Vec<Hole>> {
    let mut streams: HashMap<u32, Stream> = HashMap::new();
    let (mut holes, mut page) = (Vec::new(), Vec::new());
    while holes.len() < MAX_HOLES && next_page(reader, &mut page)? {
        let number = |at: usize| u32::from_le_bytes(page[at..at + 4].try_into().expect("four bytes"));
        let (serial, sequence) = (number(14), number(18));
        let place = i64::from(number(6)) | i64::from(number(10)) << 32;
        let lacing = &page[HEADER_BYTES..HEADER_BYTES + usize::from(page[26])];
        let mut packets = lacing.iter().filter(|length| **length < 255).count();
        let is_first = page[5] & 2 != 0;
        let Some(stream) = streams.get_mut(&serial).filter(|_| !is_first) else {
            if streams.len() < MAX_STREAMS {
                streams.insert(serial, Stream { sequence, end: place, is_behind_hole: false });
            }
            continue;
        };
        if sequence.wrapping_sub(stream.sequence) > 1 {
            stream.is_behind_hole = true;
            // Its first packet began in what is lost.
            packets = packets.saturating_sub(usize::from(page[5] & 1));
        }
        stream.sequence = sequence;
        if packets == 0 || place < 0 {
            continue;
        }
        if stream.is_behind_hole {
            holes.push(Hole { serial, from: stream.end, to: place, packets });
        }
        (stream.end, stream.is_behind_hole) = (place, false);
    }
    Ok(holes)
}

/// Reads the next page that is whole; false at the end.
fn next_page(reader: &mut BufReader<&File>, page: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        if !find_marker(reader)? {
            return Ok(false);
        }
        page.clear();
        page.extend_from_slice(MARKER);
        let start = reader.stream_position()?;
        if is_whole(reader, page)? {
            return Ok(true);
        }
        reader.seek(io::SeekFrom::Start(start))?;
    }
}

/// Goes behind the next marker; false if there is none.
fn find_marker(reader: &mut BufReader<&File>) -> io::Result<bool> {
    let mut met = 0;
    let mut byte = [0];
    while reader.read(&mut byte)? > 0 {
        met = match byte[0] {
            it if it == MARKER[met] => met + 1,
            it => usize::from(it == MARKER[0]),
        };
        if met == MARKER.len() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads what is behind the marker of a page; whether it is as it was written.
fn is_whole(reader: &mut BufReader<&File>, page: &mut Vec<u8>) -> io::Result<bool> {
    let mut more = |page: &mut Vec<u8>, bytes: usize| -> io::Result<bool> {
        Ok(reader.take(bytes as u64).read_to_end(page)? == bytes)
    };
    if !more(page, HEADER_BYTES - MARKER.len())? {
        return Ok(false);
    }
    let segments = usize::from(page[26]);
    if !more(page, segments)? {
        return Ok(false);
    }
    let body: usize = page[HEADER_BYTES..].iter().map(|length| usize::from(*length)).sum();
    if !more(page, body)? {
        return Ok(false);
    }
    let said = u32::from_le_bytes(page[22..26].try_into().expect("four bytes"));
    page[22..26].fill(0);
    Ok(page.iter().fold(0, |crc: u32, byte| crc << 8 ^ CRC[usize::from((crc >> 24) as u8 ^ byte)]) == said)
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::{AudioFileReader, ReadLoss};

    /// Offset of the third page with sound, and of the one behind it.
    const PAGE: std::ops::Range<usize> = 11_850..16_054;
    /// Places at which the page before it, and it, end.
    const LOST: std::ops::Range<usize> = 47_232..71_808;
    const FRAMES: usize = 132_300;

    fn sweep() -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/sound/sweep.ogg");
        std::fs::read(path).unwrap()
    }

    fn read(folder: &Path, bytes: &[u8]) -> (Vec<f32>, ReadLoss, Vec<Hole>) {
        let path = folder.join("a.ogg");
        std::fs::write(&path, bytes).unwrap();
        let mut reader = AudioFileReader::open(&path).unwrap();
        let mut sound = vec![0.0; 2 * FRAMES];
        let frames = reader.read(&mut [&mut sound[..]]).unwrap();
        sound.truncate(frames);
        (sound, reader.loss(), holes(&File::open(&path).unwrap()).unwrap())
    }

    #[test]
    fn what_follows_a_lost_page_is_in_time_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = sweep();
        assert_eq!(&bytes[PAGE][..4], MARKER);
        let (whole, loss, holes) = read(folder.path(), &bytes);
        assert_eq!((whole.len(), loss.to_string().as_str(), holes.len()), (FRAMES, "", 0));
        let mut damaged = bytes.clone();
        damaged[PAGE.start + 2000..][..16].fill(0x55);
        let gone = [&bytes[..PAGE.start], &bytes[PAGE.end..]].concat();
        for bytes in [damaged, gone] {
            let (holed, loss, holes) = read(folder.path(), &bytes);
            assert_eq!((holed.len(), holes.len()), (FRAMES, 1), "{loss:?} {holes:?}");
            let lost = LOST.len() as u64;
            // Up to a block more at either side, which needs its neighbour.
            const BLOCK: usize = 2048;
            assert!((lost..lost + 2 * BLOCK as u64).contains(&loss.silent_frames), "{loss:?}");
            assert!(whole[..LOST.start - BLOCK] == holed[..LOST.start - BLOCK]);
            assert!(whole[LOST.end + BLOCK..] == holed[LOST.end + BLOCK..]);
            assert!(holed[LOST.start + BLOCK..LOST.end - BLOCK].iter().all(|it| *it == 0.0));
        }
    }

    #[test]
    fn a_stream_that_is_cut_off_or_chained_says_so_or_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = sweep();
        let (sound, loss, _) = read(folder.path(), &bytes[..PAGE.end]);
        assert!(loss.is_cut_off && sound.len() == LOST.end, "{loss:?}");
        assert_eq!(loss.to_string(), "it is cut off: 3.26 s are there");
        // Radio stations put one behind the other.
        let (sound, loss, _) = read(folder.path(), &[&bytes[..], &bytes].concat());
        assert_eq!((sound.len(), loss.to_string().as_str()), (2 * FRAMES, ""), "{loss:?}");
        assert!(sound[..FRAMES] == sound[FRAMES..]);
    }
}
