use kmidi_core::Meter;

/// What a text of a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextKind {
    /// Any text; in karaoke files often the words.
    Text,
    /// Who owns it.
    Copyright,
    /// Name of the track, or of the song if it is the first track.
    TrackName,
    /// Name of the instrument.
    InstrumentName,
    /// Words, a syllable or line at a time.
    Lyric,
    /// Name of a place in the song.
    Marker,
    /// Something that happens on a stage or screen.
    CuePoint,
    /// Name of the program.
    ProgramName,
    /// Name of the device or port.
    DeviceName,
}

impl TextKind {
    /// The kind of a meta event, if it is a text.
    pub fn from_meta(kind: u8) -> Option<Self> {
        Some(match kind {
            0x01 => TextKind::Text,
            0x02 => TextKind::Copyright,
            0x03 => TextKind::TrackName,
            0x04 => TextKind::InstrumentName,
            0x05 => TextKind::Lyric,
            0x06 => TextKind::Marker,
            0x07 => TextKind::CuePoint,
            0x08 => TextKind::ProgramName,
            0x09 => TextKind::DeviceName,
            _ => return None,
        })
    }
}

/// Microseconds per quarter note of a tempo event; `None` if there is no usable value.
pub(crate) fn tempo(data: &[u8]) -> Option<u32> {
    let &[a, b, c] = data.first_chunk()?;
    Some(u32::from_be_bytes([0, a, b, c])).filter(|&micros| micros > 0)
}

/// Meter of a time signature event; `None` if there is no usable value.
pub(crate) fn meter(data: &[u8]) -> Option<Meter> {
    let &[numerator, denominator_log2] = data.first_chunk()?;
    (numerator > 0 && denominator_log2 <= 8).then_some(Meter { numerator, denominator_log2 })
}

/// Sharps (negative: flats) and whether it is minor; `None` if there is no usable value.
pub(crate) fn key(data: &[u8]) -> Option<(i8, bool)> {
    let &[sharps, minor] = data.first_chunk()?;
    let sharps = sharps as i8;
    ((-7..=7).contains(&sharps) && minor <= 1).then_some((sharps, minor == 1))
}

/// Bytes of a file as text: UTF-8 if they are that, else Latin-1, without control characters at the ends.
pub(crate) fn text(data: &[u8]) -> String {
    let text = match std::str::from_utf8(data) {
        Ok(text) => text.to_owned(),
        Err(_) => data.iter().map(|&b| char::from(b)).collect(),
    };
    text.trim_matches('\0').to_owned()
}
