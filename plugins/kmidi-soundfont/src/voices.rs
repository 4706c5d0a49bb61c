//! All voices: which place a new one gets, which one has to go, and rendering them.

use basedrop::Shared;
use fearless_simd::{Level, Simd, dispatch};
use kmidi_core::limits::MIDI_KEYS;

use crate::course::CONTROL_FRAMES;
use crate::filter_bank::{BANK, FilterState, filter};
use crate::interpolation::{Interpolation, Interpolator};
use crate::kernel::{Busses, Row};
use crate::note::Note;
use crate::synth::CHANNELS;
use crate::tone::Surroundings;
use crate::voice::Voice;
use crate::zone::Preset;

/// Places for each voice of the polyphony: the others are for voices that fade or have to wait.
const PLACES_PER_VOICE: usize = 2;
/// The least number of such other places.
const LEAST_OTHERS: usize = 8;
/// Voices that may begin in one stretch of the control grid. Beginning one costs as much as some
/// stretches of it.
const STARTS_PER_STRETCH: u32 = 64;
/// More than anybody wants; places are numbered in 16 bits.
const MAX_POLYPHONY: usize = 1 << 14;

/// No place.
const NONE: u16 = u16::MAX;

/// A fixed number of voices. `[side A]` except [`Voices::new`].
pub(crate) struct Voices {
    voices: Box<[Voice]>,
    /// Places in `voices` that sound, in the order in which they started, which is that of mixing.
    active: Vec<u16>,
    free: Vec<u16>,
    /// The first voice that each key of each channel has begun, [`NONE`] if there is none.
    first_of_key: Box<[u16]>,
    /// For each place those before and behind it of the same key.
    neighbours: Box<[[u16; 2]]>,
    /// Voices to be stolen, the next one last; found once in a stretch of the control grid.
    victims: Vec<u16>,
    /// Voices that may still begin in this stretch of the control grid.
    starts_left: u32,
    /// Voices that faded because a new one needed their place.
    pub stolen: u64,
    /// Voices for which there was no place at all.
    pub refused: u64,
    rows: Box<[Row; BANK]>,
    has_sends: bool,
    interpolator: Interpolator,
    polyphony: usize,
    /// Voices that count towards the polyphony: begun and not fading.
    sounding: usize,
    /// Frames that voices have sounded, all added up.
    pub voice_samples: u64,
}

impl Voices {
    /// Room for `polyphony` voices and for some more that fade; `has_sends` says whether anything
    /// stands behind the busses of the effects. `[side B]`: allocates.
    pub fn new(polyphony: usize, has_sends: bool, interpolation: Interpolation) -> Self {
        let polyphony = polyphony.clamp(1, MAX_POLYPHONY);
        let places = (PLACES_PER_VOICE * polyphony).max(polyphony + LEAST_OTHERS);
        Voices {
            voices: (0..places).map(|_| Voice::default()).collect(),
            active: Vec::with_capacity(places),
            free: (0..places as u16).rev().collect(),
            first_of_key: vec![NONE; CHANNELS * MIDI_KEYS].into(),
            neighbours: vec![[NONE; 2]; places].into(),
            victims: Vec::with_capacity(places),
            starts_left: STARTS_PER_STRETCH,
            stolen: 0,
            refused: 0,
            rows: Box::new([[0.0; CONTROL_FRAMES as usize]; BANK]),
            has_sends,
            interpolator: Interpolator::new(interpolation),
            polyphony,
            sounding: 0,
            voice_samples: 0,
        }
    }

    /// Voices that sound, fading ones included.
    pub fn occupied(&self) -> usize {
        self.active.len()
    }

    /// All sounding voices.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Voice> {
        self.voices.iter_mut().filter(|voice| voice.is_sounding())
    }

    /// Calls `change` with every voice of a key of a channel.
    pub fn of_key(&mut self, channel: usize, key: u8, mut change: impl FnMut(&mut Voice)) {
        let mut place = self.first_of_key[channel * MIDI_KEYS + usize::from(key)];
        while let Some(voice) = self.voices.get_mut(usize::from(place)) {
            change(voice);
            place = self.neighbours[usize::from(place)][1];
        }
    }

    fn key_of(&self, place: u16) -> usize {
        let note = &self.voices[usize::from(place)].note;
        note.channel * MIDI_KEYS + usize::from(note.key)
    }

    fn link(&mut self, place: u16) {
        let first = std::mem::replace(&mut self.first_of_key[self.key_of(place)], place);
        self.neighbours[usize::from(place)] = [NONE, first];
        if let Some(behind) = self.neighbours.get_mut(usize::from(first)) {
            behind[0] = place;
        }
    }

    fn unlink(&mut self, place: u16) {
        let [before, behind] = self.neighbours[usize::from(place)];
        match self.neighbours.get_mut(usize::from(before)) {
            Some(neighbour) => neighbour[1] = behind,
            None => self.first_of_key[self.key_of(place)] = behind,
        }
        if let Some(neighbour) = self.neighbours.get_mut(usize::from(behind)) {
            neighbour[0] = before;
        }
    }

    /// In legato, voices of held keys of the channel become those of `note`. Whether there are any.
    /// Everything ahead must have been rendered.
    pub fn retune(&mut self, note: Note) -> bool {
        let mut any = false;
        for i in 0..self.active.len() {
            let place = self.active[i];
            let voice = &self.voices[usize::from(place)];
            if voice.note.channel == note.channel && voice.holds.key {
                self.unlink(place);
                self.voices[usize::from(place)].retune(note);
                self.link(place);
                any = true;
            }
        }
        any
    }

    /// Gives a zone of a note a voice, which begins `ahead` of the next frame to be rendered. So many
    /// begin at once; the others follow in the next stretches of the control grid, so that a burst of
    /// notes is no burst of work. Refused if all places are taken, as cutting a voice off would click.
    pub fn start(
        &mut self,
        note: Note,
        source: (&Shared<Preset>, usize),
        ahead: u32,
        around: &Surroundings<'_>,
    ) {
        if self.active.is_empty() {
            self.starts_left = STARTS_PER_STRETCH;
        }
        let Some(place) = self.free.pop() else {
            self.refused += 1;
            return;
        };
        self.voices[usize::from(place)].take(note, source);
        self.active.push(place);
        self.link(place);
        if self.starts_left > 0 {
            self.begin(place, ahead, around);
        }
    }

    /// Lets a voice sound. At full polyphony the one that is heard least fades for it.
    fn begin(&mut self, place: u16, ahead: u32, around: &Surroundings<'_>) {
        self.starts_left -= 1;
        let voice = &mut self.voices[usize::from(place)];
        if !voice.begin(self.interpolator.lead(), around) {
            voice.has_ended = true;
            return;
        }
        voice.skip = ahead;
        voice.counts = true;
        self.sounding += 1;
        if self.sounding > self.polyphony
            && let Some(victim) = self.least_heard(self.voices[usize::from(place)].note.id)
        {
            self.stolen += 1;
            self.fade_one(victim, ahead, around.sample_rate_hz);
        }
    }

    fn fade_one(&mut self, place: u16, ahead: u32, sample_rate_hz: f64) {
        let voice = &mut self.voices[usize::from(place)];
        self.sounding -= usize::from(std::mem::take(&mut voice.counts));
        voice.fade_out(ahead, sample_rate_hz);
    }

    /// The voice that will be missed least, as they were at the last point of the control grid: the
    /// quietest, released ones counting half, those that have not reached their peak counting as there
    /// already; the oldest of equals.
    fn least_heard(&mut self, new_note: u64) -> Option<u16> {
        self.next_victim(new_note).or_else(|| {
            self.find_victims();
            self.next_victim(new_note)
        })
    }

    fn next_victim(&mut self, new_note: u64) -> Option<u16> {
        while let Some(place) = self.victims.pop() {
            let voice = &self.voices[usize::from(place)];
            if voice.counts && voice.note.id != new_note {
                return Some(place);
            }
        }
        None
    }

    fn find_victims(&mut self) {
        let Voices { voices, active, victims, .. } = self;
        victims.extend(active.iter().copied().filter(|&place| voices[usize::from(place)].counts));
        let missed = |place: u16| {
            let voice = &voices[usize::from(place)];
            (voice.loudness * if voice.is_released() { 0.5 } else { 1.0 }, voice.note.id)
        };
        victims.sort_unstable_by(|&a, &b| {
            let (a, b) = (missed(a), missed(b));
            b.0.total_cmp(&a.0).then(b.1.cmp(&a.1))
        });
    }

    /// A point of the control grid: voices that waited begin, and all look at their channels.
    pub fn grid(&mut self, around: &Surroundings<'_>) {
        self.victims.clear();
        self.starts_left = STARTS_PER_STRETCH;
        for i in 0..self.active.len() {
            let place = self.active[i];
            if self.voices[usize::from(place)].waits && self.starts_left > 0 {
                self.begin(place, 0, around);
            }
            let voice = &mut self.voices[usize::from(place)];
            voice.heed(around.channels);
            voice.control_if_due(around);
        }
    }

    /// Adds `frames` frames of all voices to the busses, from their start on. All control points
    /// of voices inside the run are served.
    pub fn render(&mut self, level: Level, busses: &mut Busses, frames: usize, around: &Surroundings<'_>) {
        let voices = &mut *self.voices;
        let run = Run { frames, has_sends: self.has_sends, how: &self.interpolator, around };
        let mut bank = [0; BANK];
        let mut filtered = self.active.iter().copied();
        loop {
            let mut used = 0;
            while used < BANK
                && let Some(place) = filtered.find(|&place| voices[usize::from(place)].is_filtered)
            {
                bank[used] = place;
                used += 1;
            }
            if used == 0 {
                break;
            }
            dispatch!(level, simd => run.filtered(simd, voices, &bank[..used], &mut self.rows, busses));
        }
        dispatch!(level, simd => run.unfiltered(simd, voices, &self.active, &mut self.rows[0], busses));
        for &place in &self.active {
            let voice = &mut voices[usize::from(place)];
            let skipped = std::mem::take(&mut voice.skip) as usize;
            self.voice_samples += (frames - skipped) as u64 * u64::from(!voice.waits);
        }
        self.free_ended();
    }

    /// Gives back the places of voices that have ended.
    fn free_ended(&mut self) {
        let ended = |voices: &[Voice], place: u16| voices[usize::from(place)].has_ended;
        if !self.active.iter().any(|&place| ended(&self.voices, place)) {
            return;
        }
        for i in 0..self.active.len() {
            let place = self.active[i];
            if ended(&self.voices, place) {
                self.unlink(place);
                let voice = &mut self.voices[usize::from(place)];
                self.sounding -= usize::from(voice.counts);
                voice.clear();
                self.free.push(place);
            }
        }
        let Voices { voices, active, .. } = self;
        active.retain(|&place| voices[usize::from(place)].is_sounding());
    }

    /// Fades every voice that `chosen` picks.
    pub fn fade(&mut self, ahead: u32, sample_rate_hz: f64, chosen: impl Fn(&Voice) -> bool) {
        for i in 0..self.active.len() {
            if chosen(&self.voices[usize::from(self.active[i])]) {
                self.fade_one(self.active[i], ahead, sample_rate_hz);
            }
        }
    }

    /// Ends, quickly, the voices of an exclusive class of a channel, but not those of `note`.
    pub fn choke(&mut self, ahead: u32, sample_rate_hz: f64, note: &Note, class: i32) {
        for voice in self.voices.iter_mut().filter(|voice| voice.is_sounding()) {
            let same = voice.exclusive_class() == class && voice.note.channel == note.channel;
            if same && voice.note.id != note.id {
                self.sounding -= usize::from(std::mem::take(&mut voice.counts));
                voice.choke(ahead, sample_rate_hz);
            }
        }
    }

    /// Silences all at once.
    pub fn clear(&mut self) {
        for place in self.active.drain(..) {
            self.voices[usize::from(place)].clear();
            self.free.push(place);
        }
        self.first_of_key.fill(NONE);
        self.sounding = 0;
    }
}

/// A run of frames in which no event comes, inside one stretch of the control grid.
struct Run<'a> {
    frames: usize,
    has_sends: bool,
    how: &'a Interpolator,
    around: &'a Surroundings<'a>,
}

impl Run<'_> {
    fn around(&self, at: usize) -> Surroundings<'_> {
        Surroundings { frame_in_grid: self.around.frame_in_grid + at as u32, ..*self.around }
    }

    /// Voices without a filter, one by one.
    #[inline(always)]
    fn unfiltered<S: Simd>(
        &self,
        simd: S,
        voices: &mut [Voice],
        places: &[u16],
        row: &mut Row,
        busses: &mut Busses,
    ) {
        for &place in places {
            let voice = &mut voices[usize::from(place)];
            if voice.is_filtered {
                continue;
            }
            let mut at = voice.skip as usize;
            while at < self.frames && voice.control_if_due(&self.around(at)) {
                let frames = (self.frames - at).min(voice.countdown as usize);
                voice.playback.read(simd, self.how, row, frames);
                voice.playback.mix(simd, row, busses, (at, frames), self.has_sends);
                voice.countdown -= frames as u32;
                at += frames;
            }
        }
    }

    /// Up to [`BANK`] voices with filters together, from control point to control point of any.
    #[inline(always)]
    fn filtered<S: Simd>(
        &self,
        simd: S,
        voices: &mut [Voice],
        places: &[u16],
        rows: &mut [Row; BANK],
        busses: &mut Busses,
    ) {
        let mut filters = [FilterState::default(); BANK];
        let mut at = 0;
        while at < self.frames {
            let around = self.around(at);
            let mut frames = self.frames - at;
            for &place in places {
                let voice = &mut voices[usize::from(place)];
                if voice.skip as usize > at {
                    frames = frames.min(voice.skip as usize - at);
                } else if voice.control_if_due(&around) {
                    frames = frames.min(voice.countdown as usize);
                }
            }
            for ((&place, row), state) in places.iter().zip(rows.iter_mut()).zip(&mut filters) {
                let voice = &mut voices[usize::from(place)];
                if voice.has_ended || voice.skip as usize > at {
                    continue;
                }
                voice.playback.read(simd, self.how, row, frames);
                *state = FilterState { played: voice.playback.played, ..voice.filter };
            }
            filter(simd, &mut filters, rows, (places.len(), frames));
            for ((&place, row), state) in places.iter().zip(rows.iter_mut()).zip(&filters) {
                let voice = &mut voices[usize::from(place)];
                if voice.has_ended || voice.skip as usize > at {
                    continue;
                }
                voice.filter = *state;
                voice.playback.mix(simd, row, busses, (at, frames), self.has_sends);
                voice.countdown -= frames as u32;
            }
            at += frames;
        }
    }
}
