//! All voices: which lane a new one gets, which one has to go, and rendering them.

use basedrop::Shared;

use fearless_simd::{Level, Simd, dispatch};

use crate::kernel::{BUSSES, Busses, CONTROL_FRAMES, Mix, VoiceBlock, add_up};
use crate::lanes::LANES;
use crate::note::Note;
use crate::tone::Surroundings;
use crate::voice::Voice;
use crate::zone::Preset;

/// One lane for every so many of the polyphony is kept for voices that are fading away.
const FADING_SHARE: usize = 4;

const _: () = assert!(LANES == u8::BITS as usize, "the lanes of a block are the bits of a byte");

/// A fixed number of voices. `[side A]` except [`Voices::new`].
pub(crate) struct Voices {
    blocks: Box<[VoiceBlock]>,
    /// One for each lane.
    voices: Box<[Voice]>,
    /// For each block, a bit for each lane that is taken.
    taken: Box<[u8]>,
    mix: Box<Mix>,
    has_sends: bool,
    polyphony: usize,
    /// Voices that count towards the polyphony: sounding and not fading.
    sounding: usize,
    occupied: usize,
}

impl Voices {
    /// Room for `polyphony` voices and for some more that fade; `has_sends` says whether anything
    /// stands behind the busses of the effects. `[side B]`: allocates.
    pub fn new(polyphony: usize, has_sends: bool) -> Self {
        let polyphony = polyphony.max(1);
        let lanes = polyphony + (polyphony / FADING_SHARE).max(LANES);
        let blocks: Box<[_]> = (0..lanes.div_ceil(LANES)).map(|_| VoiceBlock::new()).collect();
        let voices = (0..blocks.len() * LANES).map(|_| Voice::default()).collect();
        let taken = vec![0; blocks.len()].into_boxed_slice();
        let mix = Box::new([[[0.0; LANES]; BUSSES]; CONTROL_FRAMES as usize]);
        Voices { blocks, voices, taken, mix, has_sends, polyphony, sounding: 0, occupied: 0 }
    }

    /// Voices that sound, fading ones included.
    pub fn occupied(&self) -> usize {
        self.occupied
    }

    /// All sounding voices.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Voice> {
        self.voices.iter_mut().filter(|voice| voice.is_sounding())
    }

    /// Starts a voice. At full polyphony the voice that is heard least fades for it; when all
    /// lanes are still fading the new one is refused, as cutting one off would click.
    pub fn start(
        &mut self,
        note: Note,
        source: (&Shared<Preset>, usize),
        around: &Surroundings<'_>,
    ) -> Started {
        let Some(block) = self.taken.iter().position(|&lanes| lanes != u8::MAX) else {
            return Started::Refused;
        };
        let lane = self.taken[block].trailing_ones() as usize;
        let voice = &mut self.voices[block * LANES + lane];
        if !voice.start(&mut self.blocks[block], lane, note, source, around) {
            return Started::Nothing;
        }
        self.taken[block] |= 1 << lane;
        self.occupied += 1;
        self.sounding += 1;
        if self.sounding > self.polyphony
            && let Some(victim) = self.least_heard(note.id)
        {
            self.voices[victim].fade_out(around.sample_rate_hz);
            self.sounding -= 1;
            return Started::ByStealing;
        }
        Started::Sounding
    }

    /// The sounding voice that will be missed least: the quietest, released ones counting half,
    /// those that have not reached their peak counting as there already; the oldest of equals.
    fn least_heard(&self, new_note: u64) -> Option<usize> {
        let candidates = self
            .voices
            .iter()
            .enumerate()
            .filter(|(_, voice)| voice.is_sounding() && !voice.is_fading() && voice.note.id != new_note);
        let loudness = |lane: usize, voice: &Voice| {
            let block = &self.blocks[lane / LANES];
            let level = if voice.is_rising() {
                block.loudness_at_peak(lane % LANES)
            } else {
                block.loudness(lane % LANES)
            };
            if voice.is_released() { level * 0.5 } else { level }
        };
        candidates
            .map(|(lane, voice)| (loudness(lane, voice), voice.note.id, lane))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, _, lane)| lane)
    }

    /// Writes `frames` frames of all voices to the busses, from their start on. All control points
    /// of voices inside the run are served.
    pub fn render(&mut self, level: Level, busses: &mut Busses, frames: usize, around: &Surroundings<'_>) {
        dispatch!(level, simd => self.render_blocks(simd, busses, frames, around));
    }

    #[inline(always)]
    fn render_blocks<S: Simd>(
        &mut self,
        simd: S,
        busses: &mut Busses,
        frames: usize,
        around: &Surroundings<'_>,
    ) {
        for block in 0..self.blocks.len() {
            let mut at = 0;
            while at < frames && self.taken[block] != 0 {
                let here = Surroundings { frame_in_grid: around.frame_in_grid + at as u32, ..*around };
                let run = self.control(block, &here).min(frames - at);
                if self.taken[block] == 0 {
                    break;
                }
                let ran = self.blocks[block].render(simd, &mut self.mix[at..at + run], self.has_sends);
                for lane in lanes(self.taken[block]) {
                    self.voices[block * LANES + lane].countdown -= ran.frames as u32;
                }
                lanes(ran.ended & self.taken[block]).for_each(|lane| self.free(block, lane));
                at += ran.frames;
            }
        }
        add_up(simd, &mut self.mix, busses, frames);
    }

    /// Serves the voices of a block that are at a control point. Returns how far it is to the next.
    fn control(&mut self, block: usize, around: &Surroundings<'_>) -> usize {
        let mut run = u32::MAX;
        for lane in lanes(self.taken[block]) {
            let voice = &mut self.voices[block * LANES + lane];
            if voice.countdown == 0 && !voice.control(&mut self.blocks[block], lane, around) {
                self.free(block, lane);
                continue;
            }
            run = run.min(self.voices[block * LANES + lane].countdown);
        }
        run as usize
    }

    fn free(&mut self, block: usize, lane: usize) {
        let voice = &mut self.voices[block * LANES + lane];
        self.sounding -= usize::from(!voice.is_fading());
        self.occupied -= 1;
        self.taken[block] &= !(1 << lane);
        self.blocks[block].clear(lane);
        voice.clear();
    }

    /// Fades every voice that `chosen` picks.
    pub fn fade(&mut self, sample_rate_hz: f64, chosen: impl Fn(&Voice) -> bool) {
        for voice in self.voices.iter_mut().filter(|voice| voice.is_sounding() && chosen(voice)) {
            self.sounding -= usize::from(!voice.is_fading());
            voice.fade_out(sample_rate_hz);
        }
    }

    /// Ends, quickly, the voices of an exclusive class of a channel, but not those of `note`.
    pub fn choke(&mut self, sample_rate_hz: f64, note: &Note, class: i32) {
        for voice in self.voices.iter_mut().filter(|voice| voice.is_sounding()) {
            let same = voice.exclusive_class() == class && voice.note.channel == note.channel;
            if same && voice.note.id != note.id {
                self.sounding -= usize::from(!voice.is_fading());
                voice.choke(sample_rate_hz);
            }
        }
    }

    /// Empties all lanes at once.
    pub fn clear(&mut self) {
        for (lane, voice) in self.voices.iter_mut().enumerate() {
            self.blocks[lane / LANES].clear(lane % LANES);
            voice.clear();
        }
        self.taken.fill(0);
        (self.sounding, self.occupied) = (0, 0);
    }
}

/// What became of a request for a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    Sounding,
    ByStealing,
    /// The sample is empty.
    Nothing,
    /// Every lane is taken.
    Refused,
}

/// The lanes whose bits are set, from the first on.
fn lanes(mut bits: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(lane)
    })
}
