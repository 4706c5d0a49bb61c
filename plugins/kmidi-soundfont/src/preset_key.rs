/// The bank of drum kits in a SoundFont.
pub const DRUM_BANK: u16 = 128;

/// Banks a SoundFont can have: 0 to 127, and the drums'.
const BANKS: usize = DRUM_BANK as usize + 1;

/// Where a preset stands: what a program change asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PresetKey {
    bank: u16,
    program: u8,
}

impl PresetKey {
    /// Number of different keys.
    pub const COUNT: usize = BANKS * 128;

    /// A melodic preset; bank and program are 0 to 127.
    pub const fn melodic(bank: u8, program: u8) -> Self {
        PresetKey { bank: (bank & 127) as u16, program: program & 127 }
    }

    /// A drum kit.
    pub const fn drum(program: u8) -> Self {
        PresetKey { bank: DRUM_BANK, program: program & 127 }
    }

    /// From a SoundFont's own numbers; `None` beyond [`DRUM_BANK`] or program 127.
    pub const fn new(bank: u16, program: u8) -> Option<Self> {
        if bank > DRUM_BANK || program > 127 { None } else { Some(PresetKey { bank, program }) }
    }

    /// SoundFont bank; [`DRUM_BANK`] for a kit.
    pub const fn bank(self) -> u16 {
        self.bank
    }

    /// MIDI program.
    pub const fn program(self) -> u8 {
        self.program
    }

    /// Whether it is a drum kit.
    pub const fn is_drum(self) -> bool {
        self.bank == DRUM_BANK
    }

    pub(crate) const fn index(self) -> usize {
        self.bank as usize * 128 + self.program as usize
    }
}
