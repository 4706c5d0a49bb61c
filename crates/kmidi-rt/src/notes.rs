use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS, MIDI_KEYS};

/// A bit per channel, for each MIDI port.
pub type ChannelMasks = [u16; MAX_MIDI_PORTS];

/// Every channel of every port.
pub(crate) const ALL_CHANNELS: ChannelMasks = [u16::MAX; MAX_MIDI_PORTS];

#[derive(Clone, Copy, Default)]
struct Sounding {
    /// Note-ons sent and not yet answered.
    count: u8,
    /// The key they were sent with.
    sent_key: u8,
}

/// Which notes of the song have been sent and are still owed their note-off, by the key the song
/// wrote; so a note ends on the key it began on, however the transposition has changed since.
/// `[side A]`
pub(crate) struct NoteLedger {
    keys: Box<[Sounding]>,
    /// Note-ons owed a note-off, by port and channel.
    channels: [[u32; MIDI_CHANNELS]; MAX_MIDI_PORTS],
}

impl NoteLedger {
    /// `[side B]`
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn new() -> Self {
        let keys = vec![Sounding::default(); MAX_MIDI_PORTS * MIDI_CHANNELS * MIDI_KEYS];
        NoteLedger { keys: keys.into_boxed_slice(), channels: Default::default() }
    }

    fn index(port: usize, channel: u8, key: u8) -> usize {
        (port * MIDI_CHANNELS + usize::from(channel & 15)) * MIDI_KEYS + usize::from(key & 127)
    }

    /// The key a sounding note was sent with.
    pub fn sent_key(&self, port: usize, channel: u8, key: u8) -> Option<u8> {
        let note = self.keys[Self::index(port, channel, key)];
        (note.count > 0).then_some(note.sent_key)
    }

    /// Whether one more note-on can be owed its note-off.
    pub fn has_room(&self, port: usize, channel: u8, key: u8) -> bool {
        self.keys[Self::index(port, channel, key)].count < u8::MAX
    }

    /// A note-on has been sent as `sent_key`, the same as any still sounding of this key.
    pub fn add(&mut self, port: usize, channel: u8, key: u8, sent_key: u8) {
        let note = &mut self.keys[Self::index(port, channel, key)];
        debug_assert!(note.count == 0 || note.sent_key == sent_key);
        *note = Sounding { count: note.count.saturating_add(1), sent_key };
        self.channels[port][usize::from(channel & 15)] += 1;
    }

    /// A note-off has been sent.
    pub fn remove(&mut self, port: usize, channel: u8, key: u8) {
        let note = &mut self.keys[Self::index(port, channel, key)];
        debug_assert!(note.count > 0);
        note.count = note.count.saturating_sub(1);
        let owed = &mut self.channels[port][usize::from(channel & 15)];
        *owed = owed.saturating_sub(1);
    }

    /// Calls `send(port, channel, sent_key)` once for each note-off owed on `channels`; what it
    /// says could not be sent stays owed. Returns whether nothing is owed there any more.
    pub fn settle(&mut self, channels: &ChannelMasks, mut send: impl FnMut(usize, u8, u8) -> bool) -> bool {
        let mut settled = true;
        for (port, mask) in channels.iter().enumerate() {
            for channel in (0..MIDI_CHANNELS as u8).filter(|channel| mask & (1 << channel) != 0) {
                for key in 0..MIDI_KEYS as u8 {
                    if self.channels[port][usize::from(channel)] == 0 {
                        break;
                    }
                    while let Some(sent_key) = self.sent_key(port, channel, key) {
                        if !send(port, channel, sent_key) {
                            settled = false;
                            break;
                        }
                        self.remove(port, channel, key);
                    }
                }
            }
        }
        settled
    }

    /// Whether a note-off is owed on this channel.
    pub fn owed_on(&self, port: usize, channel: u8) -> bool {
        self.channels[port][usize::from(channel & 15)] > 0
    }

    /// Forgets all: somebody else has ended it.
    pub fn clear(&mut self) {
        self.keys.fill(Sounding::default());
        self.channels = Default::default();
    }

    /// Note-offs owed on all channels.
    pub fn owed(&self) -> u32 {
        self.channels.iter().flatten().sum()
    }
}
