use crate::event::Full;

/// What an audio device calls at each period. `[side A]`
///
/// The engine implements it; devices know nothing else of the engine.
pub trait DeviceCallback: Send {
    /// Fills every output channel for `io.frames` frames: 1 to
    /// [`MAX_CALLBACK_FRAMES`](crate::limits::MAX_CALLBACK_FRAMES), changing at any time.
    /// Must not allocate, free, lock, wait, log or make a system call.
    fn process(&mut self, io: &mut DeviceIo<'_, '_>);
}

/// One callback of a device: planar audio, and MIDI with the frame inside the callback.
pub struct DeviceIo<'a, 'b> {
    /// Length of every channel.
    pub frames: usize,
    /// Captured channels.
    pub inputs: &'a [&'b [f32]],
    /// Channels to fill.
    pub outputs: &'a mut [&'b mut [f32]],
    /// MIDI that arrived during the period before this one.
    pub midi_in: &'a MidiBuffer,
    /// MIDI to send; emptied by the device beforehand.
    pub midi_out: &'a mut MidiBuffer,
}

/// A fixed list of raw MIDI messages with their frames. `[side A]` except [`MidiBuffer::new`].
pub struct MidiBuffer {
    /// (frame, start, length)
    index: Box<[(u32, u32, u32)]>,
    len: usize,
    bytes: Box<[u8]>,
    used: usize,
    dropped: u64,
}

impl MidiBuffer {
    /// Room for `messages` messages of together `bytes` bytes. `[side B]`: allocates.
    pub fn new(messages: usize, bytes: usize) -> Self {
        MidiBuffer {
            index: vec![(0, 0, 0); messages].into_boxed_slice(),
            len: 0,
            bytes: vec![0; bytes].into_boxed_slice(),
            used: 0,
            dropped: 0,
        }
    }

    /// Appends a complete message; callers push in time order.
    ///
    /// # Errors
    /// [`Full`]; the drop is counted in [`MidiBuffer::dropped`].
    pub fn push(&mut self, frame: u32, message: &[u8]) -> Result<(), Full> {
        let end = self.used + message.len();
        if self.len == self.index.len() || end > self.bytes.len() {
            self.dropped += 1;
            return Err(Full);
        }
        self.bytes[self.used..end].copy_from_slice(message);
        self.index[self.len] = (frame, self.used as u32, message.len() as u32);
        self.len += 1;
        self.used = end;
        Ok(())
    }

    /// Forgets all messages; the drop count stays.
    pub fn clear(&mut self) {
        self.len = 0;
        self.used = 0;
    }

    /// `(frame, message)` in the order of pushing.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.index[..self.len]
            .iter()
            .map(|&(frame, start, len)| (frame, &self.bytes[start as usize..(start + len) as usize]))
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Messages refused since the buffer was made.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
