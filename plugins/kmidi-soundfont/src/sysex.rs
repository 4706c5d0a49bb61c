//! System exclusive messages that a General MIDI synthesiser follows.

use crate::channel::Mode;

/// What a SysEx message asks for. Data stay in the message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SystemMessage<'a> {
    /// GM, GM2, GS or XG system on.
    Reset(Mode),
    /// 14 bits.
    MasterVolume(u16),
    /// Cents.
    MasterTune(f32),
    /// Semitones.
    MasterKeyShift(i8),
    /// A part of the device is, or is not, drums.
    DrumPart { channel: u8, is_drum: bool },
    /// A tuning program's keys, three bytes each, from key 0 on.
    BulkTuning { program: u8, keys: &'a [u8] },
    /// Keys of a tuning program: key number and three bytes each.
    KeyTuning { program: u8, changes: &'a [u8] },
    /// Twelve deviations from C on, for the channels in the mask.
    OctaveTuning { channels: u16, cents: [f32; 12] },
}

impl<'a> SystemMessage<'a> {
    /// Reads a message from `F0` to `F7`; `None` if it means nothing here. Checksums are not
    /// looked at: files with wrong ones are common, and every synthesiser plays them.
    pub fn parse(message: &'a [u8]) -> Option<Self> {
        let body = message.strip_prefix(&[0xf0])?;
        let body = body.strip_suffix(&[0xf7]).unwrap_or(body);
        if body.iter().any(|&byte| byte > 127) {
            return None;
        }
        match *body {
            [0x7e, _, 0x09, 0x01] => Some(Self::Reset(Mode::Gm)),
            [0x7e, _, 0x09, 0x02] => Some(Self::Reset(Mode::Gs)),
            [0x7e, _, 0x09, 0x03] => Some(Self::Reset(Mode::Gm2)),
            [0x7f, _, 0x04, 0x01, low, high] => Some(Self::MasterVolume(fourteen(high, low))),
            [0x7f, _, 0x04, 0x03, low, high] => {
                Some(Self::MasterTune((f32::from(fourteen(high, low)) - 8192.0) / 81.92))
            }
            [0x7f, _, 0x04, 0x04, _, semitones] => Some(Self::MasterKeyShift(semitones as i8 - 64)),
            [0x7e | 0x7f, _, 0x08, ref tuning @ ..] => tuning_message(tuning),
            [0x41, _, 0x42, 0x12, ref data @ ..] => roland(data),
            [0x43, _, 0x4c, ref data @ ..] => yamaha(data),
            _ => None,
        }
    }
}

fn fourteen(high: u8, low: u8) -> u16 {
    u16::from(high) << 7 | u16::from(low)
}

/// MIDI Tuning Standard, from the byte after the sub-ID 08 on.
fn tuning_message(body: &[u8]) -> Option<SystemMessage<'_>> {
    const NAME: usize = 16;
    const KEYS: usize = 128 * 3;
    match *body {
        [0x01, program, ref rest @ ..] | [0x04, 0, program, ref rest @ ..] => {
            let keys = rest.get(NAME..NAME + KEYS)?;
            Some(SystemMessage::BulkTuning { program, keys })
        }
        [0x02, program, count, ref rest @ ..] | [0x07, 0, program, count, ref rest @ ..] => {
            let changes = rest.get(..usize::from(count) * 4)?;
            Some(SystemMessage::KeyTuning { program, changes })
        }
        [form @ (0x08 | 0x09), high, middle, low, ref rest @ ..] => {
            let channels = u16::from(high & 3) << 14 | u16::from(middle) << 7 | u16::from(low);
            let mut cents = [0.0; 12];
            let wide = form == 0x09;
            let bytes = rest.get(..if wide { 24 } else { 12 })?;
            for (key, cents) in cents.iter_mut().enumerate() {
                *cents = if wide {
                    (f32::from(fourteen(bytes[2 * key], bytes[2 * key + 1])) - 8192.0) / 81.92
                } else {
                    f32::from(bytes[key]) - 64.0
                };
            }
            Some(SystemMessage::OctaveTuning { channels, cents })
        }
        _ => None,
    }
}

/// Roland GS data set, from the address on.
fn roland(data: &[u8]) -> Option<SystemMessage<'_>> {
    // Parts are numbered with the drums first.
    let channel = |part: u8| match part & 15 {
        0 => 9,
        part @ 1..=9 => part - 1,
        part => part,
    };
    match *data {
        [0x40 | 0x00, 0x00, 0x7f, _, ..] => Some(SystemMessage::Reset(Mode::Gs)),
        [0x40, 0x00, 0x04, volume, ..] => Some(SystemMessage::MasterVolume(fourteen(volume, volume))),
        [0x40, 0x00, 0x05, shift, ..] => Some(SystemMessage::MasterKeyShift(shift as i8 - 64)),
        [0x40, part @ 0x10..=0x1f, 0x15, map, ..] => {
            Some(SystemMessage::DrumPart { channel: channel(part), is_drum: map != 0 })
        }
        [0x40, part @ 0x10..=0x1f, 0x40, ref rest @ ..] => {
            let bytes = rest.get(..12)?;
            let mut cents = [0.0; 12];
            for (cents, byte) in cents.iter_mut().zip(bytes) {
                *cents = f32::from(*byte) - 64.0;
            }
            Some(SystemMessage::OctaveTuning { channels: 1 << channel(part), cents })
        }
        _ => None,
    }
}

/// Yamaha XG parameter change, from the address on.
fn yamaha(data: &[u8]) -> Option<SystemMessage<'_>> {
    match *data {
        [0x00, 0x00, 0x7e, _] => Some(SystemMessage::Reset(Mode::Xg)),
        [0x00, 0x00, 0x04, volume] => Some(SystemMessage::MasterVolume(fourteen(volume, volume))),
        [0x00, 0x00, 0x06, shift] => Some(SystemMessage::MasterKeyShift(shift as i8 - 64)),
        [0x08, part @ 0..=15, 0x07, mode] => {
            Some(SystemMessage::DrumPart { channel: part, is_drum: mode != 0 })
        }
        _ => None,
    }
}
