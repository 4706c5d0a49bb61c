//! A note, as its voices know it.

/// What a note-on gives its voices.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Note {
    /// Index into all channels of all ports.
    pub channel: usize,
    pub key: u8,
    /// MIDI velocity, 0 to 127, fractions allowed.
    pub velocity: f32,
    /// Counts note-ons: voices of one note-on share it.
    pub id: u64,
    /// Where a portamento starts, relative to the key, in cents; and how long it takes in frames.
    pub glide_cents: f64,
    pub glide_frames: f64,
}

/// What keeps a voice from being released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    pub key: bool,
    pub sustain: bool,
    pub sostenuto: bool,
}

impl Note {
    /// The portamento's offset in `frames` frames, in cents.
    pub fn glide_ahead(&self, frames: f64) -> f64 {
        if self.glide_frames > frames { self.glide_cents * (1.0 - frames / self.glide_frames) } else { 0.0 }
    }

    /// Takes the portamento `frames` frames on.
    pub fn glide(&mut self, frames: u32) {
        self.glide_cents = self.glide_ahead(f64::from(frames));
        self.glide_frames = (self.glide_frames - f64::from(frames)).max(0.0);
    }
}
