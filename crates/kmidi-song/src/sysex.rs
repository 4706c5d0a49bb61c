//! What the SysEx messages that matter to a whole song say.

/// What a synthesiser is told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemMode {
    /// General MIDI 1.
    Gm,
    /// General MIDI 2.
    Gm2,
    /// Roland GS.
    Gs,
    /// Yamaha XG.
    Xg,
    /// General MIDI off: what it was when it was switched on.
    Off,
}

impl SystemMode {
    /// The message that puts a synthesiser into this mode, all else reset. `F0` to `F7`.
    pub fn message(self) -> &'static [u8] {
        match self {
            SystemMode::Gm => &[0xf0, 0x7e, 0x7f, 0x09, 0x01, 0xf7],
            SystemMode::Gm2 => &[0xf0, 0x7e, 0x7f, 0x09, 0x03, 0xf7],
            SystemMode::Gs => &[0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x00, 0x7f, 0x00, 0x41, 0xf7],
            SystemMode::Xg => &[0xf0, 0x43, 0x10, 0x4c, 0x00, 0x00, 0x7e, 0x00, 0xf7],
            SystemMode::Off => &[0xf0, 0x7e, 0x7f, 0x09, 0x02, 0xf7],
        }
    }
}

/// What a SysEx message means, as far as the state of channels goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    Mode(SystemMode),
    /// A parameter at a 3-byte address of a GS device.
    Gs([u8; 3], &'a [u8]),
    /// A parameter at a 3-byte address of an XG device.
    Xg([u8; 3], &'a [u8]),
    Other,
}

/// Reads a message, `F0` to `F7`.
pub(crate) fn meaning(message: &[u8]) -> Meaning<'_> {
    let Some(body) = message.strip_prefix(&[0xf0]).and_then(|m| m.strip_suffix(&[0xf7])) else {
        return Meaning::Other;
    };
    match *body {
        [0x7e, _, 0x09, 0x01] => Meaning::Mode(SystemMode::Gm),
        [0x7e, _, 0x09, 0x02] => Meaning::Mode(SystemMode::Off),
        [0x7e, _, 0x09, 0x03] => Meaning::Mode(SystemMode::Gm2),
        // Reset, and the mode set of devices with several modules.
        [0x41, _, 0x42, 0x12, 0x40, 0x00, 0x7f, 0x00, _]
        | [0x41, _, 0x42, 0x12, 0x00, 0x00, 0x7f, 0x00 | 0x01, _] => Meaning::Mode(SystemMode::Gs),
        [0x41, _, 0x42, 0x12, 0x40, 0x00, 0x7f, 0x7f, _] => Meaning::Mode(SystemMode::Off),
        [0x43, device, 0x4c, 0x00, 0x00, 0x7e | 0x7f, 0x00] if device & 0xf0 == 0x10 => {
            Meaning::Mode(SystemMode::Xg)
        }
        [0x41, _, 0x42, 0x12, a, b, c, ref data @ .., _] => Meaning::Gs([a, b, c], data),
        [0x43, device, 0x4c, a, b, c, ref data @ ..] if device & 0xf0 == 0x10 => Meaning::Xg([a, b, c], data),
        _ => Meaning::Other,
    }
}

/// The channel of a GS part: part 0 is channel 9, parts 1..=9 are channels 0..=8, the rest is as numbered.
pub(crate) fn gs_channel(part: u8) -> u8 {
    match part & 0x0f {
        0 => 9,
        part @ 1..=9 => part - 1,
        part => part,
    }
}

/// A GS or XG message that makes a channel a drum part or a melodic one: channel, and which.
pub(crate) fn drum_part(meaning: Meaning<'_>) -> Option<(u8, bool)> {
    match meaning {
        Meaning::Gs([0x40, part, 0x15], &[map, ..]) if part & 0xf0 == 0x10 => {
            Some((gs_channel(part), map != 0))
        }
        Meaning::Xg([0x08, part, 0x07], &[mode, ..]) if part < 16 => Some((part, mode != 0)),
        _ => None,
    }
}

/// Whether a message sets something that lasts. Requests, handshakes, time code and machine control
/// are of their moment only.
pub(crate) fn is_state(message: &[u8]) -> bool {
    match *message {
        [0xf0, 0x7e, _, sub, ..] => sub == 0x08,
        [0xf0, 0x7f, _, sub, ..] => matches!(sub, 0x04 | 0x08..=0x0b),
        [0xf0, 0x41, _, 0x42, command, ..] => command == 0x12,
        [0xf0, 0x43, device, ..] => device & 0xf0 == 0x10,
        [0xf0, _, ..] => true,
        _ => false,
    }
}

/// Two messages with the same key set the same thing: the later one replaces the earlier.
pub(crate) fn state_key(message: &[u8]) -> (&[u8], usize) {
    let key = match *message {
        // Address, not the value.
        [0xf0, 0x41, _, 0x42, 0x12, _, _, _, ..] => 8,
        [0xf0, 0x43, _, 0x4c, _, _, _, ..] => 7,
        // Master volume, balance, tuning: one value each. Parameters of reverb and chorus, and
        // tunings of keys and scales, add up.
        [0xf0, 0x7f, _, 0x04, 0x01..=0x04, ..] => 5,
        _ => message.len(),
    };
    (&message[..key.min(message.len())], message.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_reads_back_as_itself() {
        for mode in [SystemMode::Gm, SystemMode::Gm2, SystemMode::Gs, SystemMode::Xg, SystemMode::Off] {
            assert_eq!(meaning(mode.message()), Meaning::Mode(mode));
        }
    }

    #[test]
    fn drum_parts_of_gs_and_xg_name_the_right_channel() {
        let gs = [0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x1a, 0x15, 0x02, 0x0f, 0xf7];
        assert_eq!(drum_part(meaning(&gs)), Some((10, true)));
        let gs = [0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x10, 0x15, 0x00, 0x1b, 0xf7];
        assert_eq!(drum_part(meaning(&gs)), Some((9, false)));
        let xg = [0xf0, 0x43, 0x10, 0x4c, 0x08, 0x03, 0x07, 0x02, 0xf7];
        assert_eq!(drum_part(meaning(&xg)), Some((3, true)));
    }

    #[test]
    fn pieces_of_messages_mean_nothing() {
        for bytes in [&[][..], &[0xf0], &[0xf0, 0xf7], &[0xf0, 0x41, 0x10, 0x42, 0x12, 0xf7], &[0xf7]] {
            assert_eq!(meaning(bytes), Meaning::Other);
        }
    }
}
