//! Standard MIDI Files made byte by byte.

/// One track: messages at absolute ticks.
#[derive(Clone, Default)]
pub struct Track {
    messages: Vec<(u64, Vec<u8>)>,
}

impl Track {
    /// Adds a message; those of one tick keep the order in which they were added.
    pub fn at(&mut self, tick: u64, message: &[u8]) -> &mut Self {
        self.messages.push((tick, message.to_vec()));
        self
    }

    /// A note on channel 0 to 15.
    pub fn note(&mut self, tick: u64, length: u64, channel: u8, key: u8, velocity: u8) -> &mut Self {
        self.at(tick, &[0x90 | channel, key, velocity]).at(tick + length, &[0x80 | channel, key, 64])
    }

    /// A tempo in microseconds a quarter note.
    pub fn tempo(&mut self, tick: u64, microseconds: u32) -> &mut Self {
        let [_, a, b, c] = microseconds.to_be_bytes();
        self.at(tick, &[0xff, 0x51, 3, a, b, c])
    }

    /// The bytes of the chunk.
    pub fn chunk(&self) -> Vec<u8> {
        let mut messages = self.messages.clone();
        messages.sort_by_key(|message| message.0);
        let mut body = Vec::new();
        let mut last = 0;
        for (tick, message) in messages {
            body.extend(variable_length(tick - last));
            body.extend(message);
            last = tick;
        }
        body.extend([0, 0xff, 0x2f, 0]);
        let length = u32::try_from(body.len()).expect("a track below 4 GiB").to_be_bytes();
        [b"MTrk", &length[..], &body].concat()
    }
}

fn variable_length(value: u64) -> Vec<u8> {
    assert!(value < 1 << 28, "a delta time has 28 bits");
    let digits = [value >> 21, value >> 14, value >> 7, value].map(|digit| (digit & 0x7f) as u8);
    let first = digits.iter().position(|&digit| digit > 0).unwrap_or(3);
    let last = digits.len() - 1;
    digits
        .iter()
        .enumerate()
        .skip(first)
        .map(|(i, &digit)| if i < last { digit | 0x80 } else { digit })
        .collect()
}

/// A division of ticks a quarter note.
pub const fn ppq(ticks: u16) -> [u8; 2] {
    ticks.to_be_bytes()
}

/// A division of SMPTE frames a second (24, 25, 29 for 29.97, 30) and ticks a frame.
pub const fn smpte(frames: i8, ticks: u8) -> [u8; 2] {
    [(-frames) as u8, ticks]
}

/// The header chunk.
pub fn header(format: u16, tracks: u16, division: [u8; 2]) -> Vec<u8> {
    [b"MThd", &6u32.to_be_bytes()[..], &format.to_be_bytes(), &tracks.to_be_bytes(), &division].concat()
}

/// A whole file.
pub fn file(format: u16, division: [u8; 2], tracks: &[Track]) -> Vec<u8> {
    let count = u16::try_from(tracks.len()).expect("at most 65535 tracks");
    let chunks = tracks.iter().map(Track::chunk);
    std::iter::once(header(format, count, division)).chain(chunks).collect::<Vec<_>>().concat()
}

/// A song that starts with `ticks` of rest: every track's first event comes that much later.
pub fn delayed(song: &[u8], ticks: u64) -> Vec<u8> {
    let mut out = song[..14].to_vec();
    let mut rest = &song[14..];
    while rest.len() >= 8 {
        let length = u32::from_be_bytes(rest[4..8].try_into().expect("four bytes")) as usize;
        let body = &rest[8..8 + length];
        let digits = body.iter().position(|byte| byte & 0x80 == 0).expect("a delta time ends") + 1;
        let delta = body[..digits].iter().fold(0, |delta, digit| delta << 7 | u64::from(digit & 0x7f));
        let body = [&variable_length(delta + ticks)[..], &body[digits..]].concat();
        out.extend_from_slice(&rest[..4]);
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(body);
        rest = &rest[8 + length..];
    }
    out
}
