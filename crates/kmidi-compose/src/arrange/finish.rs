use kmidi_core::Ticks;
use kmidi_song::groove::{self, Feel, Humanize, Pulse};
use kmidi_song::{KeySignature, Note, Random};

use super::form::Form;
use super::grid::Grid;
use super::style::{Style, unit};
use super::{Tone, part};
use crate::mood;
use crate::score::{Part, TICKS_PER_QUARTER};
use crate::theory::{Key, Letter};

/// Makes parts of tones: swing, loudness, ends, groove, controllers.
pub struct Finisher<'a> {
    pub grid: &'a Grid,
    pub form: &'a Form,
    pub style: &'a Style,
    /// Quarter notes a minute.
    pub bpm: f64,
}

/// Volume, place from left to right, and how much louder or softer a part's notes are.
struct Mix {
    volume: u8,
    pan: u8,
    level: f64,
    reverb: f64,
}

fn mix(name: &str) -> Mix {
    match name {
        part::MELODY => Mix { volume: 112, pan: 64, level: 0.1, reverb: 1.0 },
        part::CHORDS => Mix { volume: 92, pan: 54, level: -0.06, reverb: 0.9 },
        part::BASS => Mix { volume: 104, pan: 64, level: 0.02, reverb: 0.3 },
        part::GUIDE_TONES => Mix { volume: 76, pan: 80, level: -0.12, reverb: 1.2 },
        _ => Mix { volume: 100, pan: 64, level: 0.0, reverb: 0.5 },
    }
}

/// Controllers: volume, pan, and how much goes to the reverb.
const VOLUME: u8 = 7;
const PAN: u8 = 10;
const REVERB: u8 = 91;

impl Finisher<'_> {
    /// A part of the score.
    pub fn part(
        &self,
        name: &str,
        channel: u8,
        program: Option<u8>,
        tones: &[Tone],
        random: &mut Random,
    ) -> Part {
        let mix = mix(name);
        let end = i64::from(self.form.bars) * self.grid.bar;
        let note = |tone: &Tone| {
            let (start, stop) = (self.swung(tone.start), self.swung(tone.end).min(end));
            let velocity = self.velocity(tone, mix.level, random);
            Note { start: Ticks(start), end: Ticks(stop.max(start + 1)), channel, key: tone.key, velocity }
        };
        let mut notes: Vec<Note> = tones.iter().map(note).collect();
        part_repeats(&mut notes);
        let seed = u64::from(random.below(u32::MAX));
        if program.is_none() {
            self.groove_drums(&mut notes, seed)
        } else {
            self.groove_others(&mut notes, seed)
        }
        let wet = (30.0 + 120.0 * unit(self.style.character.space)) * mix.reverb;
        let controllers = vec![
            (Ticks(0), VOLUME, mix.volume),
            (Ticks(0), PAN, mix.pan),
            (Ticks(0), REVERB, wet.clamp(0.0, 110.0) as u8),
        ];
        Part { name: name.to_owned(), channel, program, controllers, notes, ..Part::default() }
    }

    /// A tick with the swing of the piece: what stands half-way through a beat comes later, the rest of the beat in proportion.
    fn swung(&self, tick: i64) -> i64 {
        let swing = self.style.character.swing;
        if !(swing > 0.0 && swing < 0.9) {
            return tick;
        }
        let (bar, place) = self.grid.place(tick);
        let beat = self.grid.beat_at(place);
        if beat.parts() != 2 {
            return tick;
        }
        let (into, half) = ((place - beat.start) as f64, beat.length as f64 / 2.0);
        let moved = if into < half {
            into * (1.0 + swing)
        } else {
            half * (1.0 + swing) + (into - half) * (1.0 - swing)
        };
        bar * self.grid.bar + beat.start + (moved + 0.5) as i64
    }

    /// The drummer of the mood's groove preset. Swing is the piece's own, for all parts alike.
    fn groove_drums(&self, notes: &mut Vec<Note>, seed: u64) {
        let Ok(preset) = groove::preset_named(self.style.character.groove) else { return };
        let settings = preset.settings(seed);
        let (floor, ceiling) = self.velocities();
        let settings = Humanize {
            // How soft it is has been decided; what remains is how uneven.
            vulnerability: settings.vulnerability.clamp(0.3, 0.45),
            velocities: (floor, ceiling),
            feel: Feel { swing: 0.0, ..settings.feel },
            ..settings
        };
        self.humanize(notes, &settings);
        // A ghost note is soft, but no softer than the softest.
        notes.iter_mut().for_each(|note| note.velocity = note.velocity.clamp(floor, ceiling));
    }

    /// The others go along with the drums a little: their time, not their loudness; a little late or early as the mood has it.
    fn groove_others(&self, notes: &mut Vec<Note>, seed: u64) {
        let Ok(preset) = groove::preset_named(self.style.character.groove) else { return };
        let depth = match self.style.character.feel {
            mood::Feel::Behind => 0.15,
            mood::Feel::On => 0.0,
            mood::Feel::Ahead => -0.12,
        };
        let settings = Humanize {
            feel: Feel { depth, ..Feel::default() },
            ghosts: 0.0,
            ..Humanize::drummer(0.35 * preset.complexity, 0.3, seed)
        };
        // Notes of one key keep their order, whatever happens to them.
        let mut written: Vec<(u8, Ticks, u8)> =
            notes.iter().map(|it| (it.key, it.start, it.velocity)).collect();
        written.sort_unstable();
        self.humanize(notes, &settings);
        notes.sort_by_key(|note| (note.key, note.start));
        for (note, (_, _, velocity)) in notes.iter_mut().zip(written) {
            note.velocity = velocity;
        }
        notes.sort_by_key(|note| (note.start, note.key));
    }

    /// Settings that cannot be used leave the notes as they are written.
    fn humanize(&self, notes: &mut Vec<Note>, settings: &Humanize) {
        let pulse = Pulse::steady(TICKS_PER_QUARTER, self.bpm);
        let end = Ticks(i64::from(self.form.bars) * self.grid.bar);
        // It only fails for settings out of range, and then changes nothing.
        let _ = groove::humanize(notes, &pulse, end, settings);
    }

    /// Softest and loudest velocity of the piece.
    fn velocities(&self) -> (u8, u8) {
        let dynamics = self.style.character.dynamics;
        let floor = libm::ceil(unit(dynamics.floor) * 127.0).clamp(1.0, 127.0) as u8;
        let ceiling = libm::floor(unit(dynamics.ceiling) * 127.0).clamp(1.0, 127.0) as u8;
        (floor, ceiling.max(floor))
    }

    /// Between the plan's floor and its ceiling: by the energy of the bar, the weight of the place, the part, and a little chance.
    fn velocity(&self, tone: &Tone, part_level: f64, random: &mut Random) -> u8 {
        let (bar, place) = self.grid.place(tone.start);
        let energy = self.form.energy(bar.max(0) as u32);
        let accent = match self.grid.weight(place) {
            3 => 0.07,
            2 => 0.03,
            1 => 0.0,
            _ => -0.05,
        };
        let dynamics = self.style.character.dynamics;
        let whim = (random.unit() - 0.5) * 0.5 * unit(dynamics.variation);
        let level =
            0.18 + 0.58 * energy + accent + part_level + tone.accent + whim - 0.12 * self.style.vulnerability;
        let (floor, ceiling) = self.velocities();
        floor + (f64::from(ceiling - floor) * level.clamp(0.0, 1.0) + 0.5) as u8
    }
}

/// A key ends where it is struck again; of two strokes at once the longer stays.
fn part_repeats(notes: &mut Vec<Note>) {
    notes.sort_by_key(|note| (note.key, note.start, std::cmp::Reverse(note.end)));
    notes.dedup_by_key(|note| (note.key, note.start));
    for index in 1..notes.len() {
        let next = notes[index];
        let before = &mut notes[index - 1];
        if before.key == next.key && before.end > next.start {
            before.end = next.start;
        }
    }
    notes.sort_by_key(|note| (note.start, note.key));
}

/// The signature of the major or minor key on the tonic; none where that has more than seven accidentals.
pub fn key_signature(key: Key) -> Option<KeySignature> {
    let third = |up| key.pitch_classes().contains(key.tonic.pitch_class().transposed(up));
    let minor = third(3) && !third(4);
    let fifths = match key.tonic.letter() {
        Letter::F => -1,
        Letter::C => 0,
        Letter::G => 1,
        Letter::D => 2,
        Letter::A => 3,
        Letter::E => 4,
        Letter::B => 5,
    };
    let sharps = fifths + 7 * key.tonic.accidental() - if minor { 3 } else { 0 };
    (-7..=7).contains(&sharps).then_some(KeySignature { tick: Ticks(0), sharps, minor })
}
