//! SoundFonts made byte by byte: one mono sample, one instrument, one preset.

/// A SoundFont to write; the fields are those that a test may want to bend.
pub struct SoundFont {
    pub rate_hz: u32,
    pub frames: Vec<i16>,
    pub loop_start: u32,
    pub loop_end: u32,
    /// Instrument generators (number, amount) before the sample's own.
    pub generators: Vec<(u16, i16)>,
    /// Of the preset; 128 for a drum kit.
    pub bank: u16,
    pub program: u16,
}

/// `sampleModes`: 1 loops for as long as the voice sounds.
pub const SAMPLE_MODES: u16 = 54;
/// `scaleTuning`, in cents a key: 0 plays every key at the sample's own pitch.
pub const SCALE_TUNING: u16 = 56;
const SAMPLE_ID: u16 = 53;
const INSTRUMENT: u16 = 41;

/// The frame of [`click`] that is not silent: after the shortest attack of the specification.
pub const CLICK_FRAME: usize = 256;

/// One full-scale frame, played at the file's own rate on every key: the moment a note starts can be
/// read from the output to the frame.
pub fn click(rate_hz: u32) -> SoundFont {
    let mut frames = vec![0; 1024];
    frames[CLICK_FRAME] = 16_000;
    SoundFont {
        rate_hz,
        frames,
        loop_start: 0,
        loop_end: 0,
        generators: vec![(SCALE_TUNING, 0)],
        bank: 0,
        program: 0,
    }
}

/// A sine that loops for ever.
pub fn sine(rate_hz: u32, period_frames: u32) -> SoundFont {
    let frame = |i: u32| (f64::from(i) / f64::from(period_frames) * std::f64::consts::TAU).sin() * 8000.0;
    let frames: Vec<i16> = (0..period_frames * 16).map(|i| frame(i) as i16).collect();
    let (loop_start, loop_end) = (period_frames * 4, period_frames * 12);
    let generators = vec![(SAMPLE_MODES, 1)];
    SoundFont { rate_hz, frames, loop_start, loop_end, generators, bank: 0, program: 0 }
}

impl SoundFont {
    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let info = list(
            b"INFO",
            &[chunk(b"ifil", &[2, 0, 4, 0]), chunk(b"isng", b"EMU8000\0"), chunk(b"INAM", b"test\0\0")],
        );
        let padding = [0i16; 46];
        let samples: Vec<u8> =
            self.frames.iter().chain(&padding).flat_map(|frame| frame.to_le_bytes()).collect();
        let data = list(b"sdta", &[chunk(b"smpl", &samples)]);
        let instrument_zone: Vec<(u16, i16)> =
            self.generators.iter().copied().chain([(SAMPLE_ID, 0)]).collect();
        let generators_end = instrument_zone.len() as u16;
        let hydra = list(
            b"pdta",
            &[
                chunk(
                    b"phdr",
                    &[preset("test", self.program, self.bank, 0), preset("EOP", 0, 0, 1)].concat(),
                ),
                chunk(
                    b"pbag",
                    &[[0u16, 0], [1, 0]].concat().iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>(),
                ),
                chunk(b"pmod", &[0; 10]),
                chunk(b"pgen", &generators(&[(INSTRUMENT, 0)])),
                chunk(b"inst", &[instrument("test", 0), instrument("EOI", 1)].concat()),
                chunk(
                    b"ibag",
                    &[0, 0, generators_end, 0].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>(),
                ),
                chunk(b"imod", &[0; 10]),
                chunk(b"igen", &generators(&instrument_zone)),
                chunk(b"shdr", &[self.header(), [0; 46].to_vec()].concat()),
            ],
        );
        chunk(b"RIFF", &[b"sfbk".to_vec(), info, data, hydra].concat())
    }

    fn header(&self) -> Vec<u8> {
        let mut header = name("test");
        for number in [0, self.frames.len() as u32, self.loop_start, self.loop_end, self.rate_hz] {
            header.extend(number.to_le_bytes());
        }
        header.extend([60, 0, 0, 0, 1, 0]);
        header
    }
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = &[0][..body.len() % 2];
    [id, &(body.len() as u32).to_le_bytes()[..], body, padding].concat()
}

fn list(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind.to_vec(), chunks.concat()].concat())
}

fn name(text: &str) -> Vec<u8> {
    let mut name = text.as_bytes().to_vec();
    name.resize(20, 0);
    name
}

fn preset(text: &str, program: u16, bank: u16, bag: u16) -> Vec<u8> {
    let mut preset = name(text);
    for number in [program, bank, bag] {
        preset.extend(number.to_le_bytes());
    }
    preset.extend([0; 12]);
    preset
}

fn instrument(text: &str, bag: u16) -> Vec<u8> {
    [name(text), bag.to_le_bytes().to_vec()].concat()
}

/// The list with the terminal record behind it.
fn generators(list: &[(u16, i16)]) -> Vec<u8> {
    let records = list.iter().copied().chain([(0, 0)]);
    records.flat_map(|(number, amount)| [number.to_le_bytes(), amount.to_le_bytes()].concat()).collect()
}
