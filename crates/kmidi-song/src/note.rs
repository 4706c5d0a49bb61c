use kmidi_core::Ticks;

/// A note as musicians think of it: a start and an end, in ticks from the song's beginning.
///
/// What moves a note moves both; a note-off can never be left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Note {
    /// Where it begins.
    pub start: Ticks,
    /// Where it ends; not before its start.
    pub end: Ticks,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// MIDI key, 0 to 127; 60 is middle C.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
}

impl Note {
    /// How long it sounds, in ticks.
    pub fn length(&self) -> Ticks {
        self.end - self.start
    }
}
