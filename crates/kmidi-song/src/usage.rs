//! Which programs a song uses, so that just their samples are loaded.

use std::collections::BTreeMap;

use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS};

use crate::sysex::{self, Meaning, SystemMode};

/// A program that notes of the song are played with, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramUse {
    /// MIDI port (dense, below [`MAX_MIDI_PORTS`]).
    pub port: u8,
    /// Channel, 0..=15.
    pub channel: u8,
    /// Bank select, high byte (controller 0).
    pub bank_msb: u8,
    /// Bank select, low byte (controller 32).
    pub bank_lsb: u8,
    /// Program, 0..=127.
    pub program: u8,
    /// Whether the channel is (or becomes, by a GS or XG message or XG bank) a drum part.
    pub drums: bool,
    /// Keys that the channel plays, a bit each (all programs of the channel together).
    pub keys: u128,
}

/// Bank and program changes that are remembered while a file is scanned; songs have some dozens.
pub(crate) const MAX_CHANGES: usize = 1 << 16;
/// Programs that are told apart.
const MAX_PROGRAMS: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    BankMsb(u8),
    BankLsb(u8),
    Program(u8),
    /// A GM, GS or XG reset puts bank and program back.
    Reset,
}

/// Where something happens: changes sort into playing order by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    tick: i64,
    track: u32,
    /// Place in the track.
    order: u32,
}

#[derive(Clone)]
struct ChannelUse {
    keys: u128,
    /// Of the note that sounds first.
    first_note: Moment,
    changes: Vec<(Moment, What)>,
    drums: bool,
}

/// Gathers what a song's tracks, read one after another, do with banks and programs.
pub(crate) struct Usage {
    channels: Vec<ChannelUse>,
    changes: usize,
    order: u32,
    pub modes: BTreeMap<SystemMode, u64>,
}

impl Usage {
    pub fn new() -> Self {
        let never = Moment { tick: i64::MAX, track: 0, order: 0 };
        let unused = ChannelUse { keys: 0, first_note: never, changes: vec![], drums: false };
        let mut channels = vec![unused; MAX_MIDI_PORTS * MIDI_CHANNELS];
        for port in channels.chunks_mut(MIDI_CHANNELS) {
            port[9].drums = true;
        }
        Usage { channels, changes: 0, order: 0, modes: BTreeMap::new() }
    }

    fn moment(&mut self, tick: i64, track: u32) -> Moment {
        self.order = self.order.saturating_add(1);
        Moment { tick, track, order: self.order }
    }

    fn change(&mut self, at: usize, moment: Moment, what: What) {
        if self.changes < MAX_CHANGES {
            self.changes += 1;
            self.channels[at].changes.push((moment, what));
        }
    }

    /// Whether changes had to be left out.
    pub fn overflowed(&self) -> bool {
        self.changes >= MAX_CHANGES
    }

    pub fn channel_message(&mut self, tick: i64, track: u32, port: u8, message: [u8; 3]) {
        let [status, one, two] = message;
        let at = usize::from(port) * MIDI_CHANNELS + usize::from(status & 0x0f);
        let what = match (status & 0xf0, one) {
            (0x90, key) if two > 0 => {
                let first = self.channels[at].first_note;
                if (tick, track) < (first.tick, first.track) {
                    self.channels[at].first_note = self.moment(tick, track);
                }
                self.channels[at].keys |= 1 << key;
                return;
            }
            (0xb0, 0) => What::BankMsb(two),
            (0xb0, 32) => What::BankLsb(two),
            (0xc0, program) => What::Program(program),
            _ => return,
        };
        let moment = self.moment(tick, track);
        self.change(at, moment, what);
    }

    /// A complete SysEx message, `F0` to `F7`.
    pub fn sysex(&mut self, tick: i64, track: u32, port: u8, message: &[u8]) {
        let first = usize::from(port) * MIDI_CHANNELS;
        let meaning = sysex::meaning(message);
        if let Meaning::Mode(mode) = meaning {
            *self.modes.entry(mode).or_default() += 1;
            let moment = self.moment(tick, track);
            for channel in 0..MIDI_CHANNELS {
                self.change(first + channel, moment, What::Reset);
            }
        }
        if let Some((channel, true)) = sysex::drum_part(meaning) {
            self.channels[first + usize::from(channel)].drums = true;
        }
    }

    /// The programs that notes may sound with, sorted by port, channel, bank and program.
    pub fn programs(mut self) -> Vec<ProgramUse> {
        let mut all = vec![];
        for (at, channel) in self.channels.iter_mut().enumerate() {
            let first_note = channel.first_note;
            if channel.keys == 0 {
                continue;
            }
            channel.changes.sort_by_key(|&(moment, _)| moment);
            let (mut msb, mut lsb) = (0, 0);
            let mut current = (0, 0, 0);
            let mut used = vec![];
            for &(moment, what) in &channel.changes {
                match what {
                    What::BankMsb(value) => msb = value,
                    What::BankLsb(value) => lsb = value,
                    What::Program(_) | What::Reset => {
                        // What was in force until here sounded only if a note came before.
                        if first_note < moment {
                            used.push(current);
                        }
                        match what {
                            What::Program(program) => current = (msb, lsb, program),
                            _ => (msb, lsb, current) = (0, 0, (0, 0, 0)),
                        }
                    }
                }
            }
            used.push(current);
            used.sort_unstable();
            used.dedup();
            all.extend(used.into_iter().map(|(bank_msb, bank_lsb, program)| ProgramUse {
                port: (at / MIDI_CHANNELS) as u8,
                channel: (at % MIDI_CHANNELS) as u8,
                bank_msb,
                bank_lsb,
                program,
                drums: channel.drums || bank_msb >= 126,
                keys: channel.keys,
            }));
        }
        all.truncate(MAX_PROGRAMS);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(messages: &[(i64, u32, [u8; 3])]) -> Vec<(u8, u8, u8, u8)> {
        let mut usage = Usage::new();
        for &(tick, track, message) in messages {
            usage.channel_message(tick, track, 0, message);
        }
        usage.programs().iter().map(|u| (u.channel, u.bank_msb, u.bank_lsb, u.program)).collect()
    }

    #[test]
    fn bank_and_program_from_different_tracks_are_put_together_in_playing_order() {
        // Track 1, read second, selects the bank before track 0 changes the program.
        let messages = [(10, 0, [0xc0, 5, 0]), (20, 0, [0x90, 60, 1]), (5, 1, [0xb0, 0, 8])];
        assert_eq!(programs(&messages), [(0, 8, 0, 5)]);
    }

    #[test]
    fn the_default_program_counts_only_if_a_note_comes_before_the_first_change() {
        assert_eq!(programs(&[(0, 0, [0xc3, 7, 0]), (0, 0, [0x93, 60, 1])]), [(3, 0, 0, 7)]);
        assert_eq!(programs(&[(0, 0, [0x93, 60, 1]), (0, 0, [0xc3, 7, 0])]), [(3, 0, 0, 0), (3, 0, 0, 7)]);
        assert_eq!(programs(&[(0, 0, [0xc3, 7, 0])]), []);
    }

    #[test]
    fn a_gm_reset_puts_the_program_back() {
        let mut usage = Usage::new();
        usage.channel_message(0, 0, 0, [0xc0, 40, 0]);
        usage.sysex(1, 0, 0, SystemMode::Gm.message());
        usage.channel_message(2, 0, 0, [0x90, 60, 1]);
        let programs = usage.programs();
        assert_eq!((programs.len(), programs[0].program, programs[0].keys), (1, 0, 1 << 60));
    }
}
