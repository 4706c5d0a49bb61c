use kmidi_core::{Meter, Ticks};
use kmidi_song::Note;

/// Ticks of a quarter note in every score.
pub const TICKS_PER_QUARTER: u16 = 480;

/// Music as notes in parts, before it is a file. `[side B]`
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Title, as the file's first track has it.
    pub title: String,
    /// Tempo changes in order of their ticks, in quarter notes a minute; the first at tick 0.
    pub tempos: Vec<(Ticks, f64)>,
    /// The meter it begins with.
    pub meter: Meter,
    /// Later meters in order of their ticks, each the first of a bar; empty where the meter never changes.
    pub meter_changes: Vec<(Ticks, Meter)>,
    /// Texts at their ticks (sections, chord symbols), written as markers.
    pub markers: Vec<(Ticks, String)>,
    /// Its parts.
    pub parts: Vec<Part>,
    /// Where it ends; no note ends later.
    pub end: Ticks,
}

/// One instrument of a [`Score`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its name: `Chords`, `Bass`.
    pub name: String,
    /// MIDI channel, 0 to 15; 9 is the drums.
    pub channel: u8,
    /// General MIDI program, 0 to 127; `None` for drums.
    pub program: Option<u8>,
    /// Controllers at their ticks: (tick, controller, value).
    pub controllers: Vec<(Ticks, u8, u8)>,
    /// Pitch bends at their ticks, -8192 to 8191: two semitones either way, as General MIDI begins with.
    pub bends: Vec<(Ticks, i16)>,
    /// Its notes, in any order.
    pub notes: Vec<Note>,
}
