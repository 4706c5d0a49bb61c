/// Silent frames kept before and after each sample, so that interpolation may look past its ends.
pub const GUARD_FRAMES: usize = 8;

/// One mono recording, resident in memory.
#[derive(Debug)]
pub struct Sample {
    /// Name in the file.
    pub name: String,
    /// [`GUARD_FRAMES`] zeros, the frames (full scale ±1), [`GUARD_FRAMES`] zeros.
    pub data: Box<[f32]>,
    /// Rate at which it was recorded, in Hz.
    pub rate_hz: u32,
    /// MIDI key of its own pitch.
    pub root_key: u8,
    /// Correction to its pitch, in cents.
    pub correction_cents: i8,
    /// First frame of the loop, counted from the first frame of the recording.
    pub loop_start: u32,
    /// Frame after the last of the loop (it equals `loop_start` in sound); no loop if not beyond `loop_start`.
    pub loop_end: u32,
}

impl Sample {
    /// Frames of the recording, without the guard frames.
    pub fn frames(&self) -> usize {
        self.data.len().saturating_sub(2 * GUARD_FRAMES)
    }

    /// What the frames take in memory.
    pub fn bytes(&self) -> u64 {
        size_of_val(&*self.data) as u64
    }
}
