use kmidi_core::Ticks;
use kmidi_song::{KeySignature, Note, Random};

use super::form::Form;
use super::grid::Grid;
use super::style::{Style, unit};
use super::{Tone, part};
use crate::score::Part;
use crate::theory::{Key, Letter};

/// Makes parts of tones: swing, loudness, ends, controllers.
pub struct Finisher<'a> {
    pub grid: &'a Grid,
    pub form: &'a Form,
    pub style: &'a Style,
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
        let (floor, ceiling) = (unit(dynamics.floor) * 127.0, unit(dynamics.ceiling) * 127.0);
        let velocity = floor + (ceiling - floor) * level.clamp(0.0, 1.0);
        velocity.clamp(libm::ceil(floor), libm::floor(ceiling).max(libm::ceil(floor))).clamp(1.0, 127.0) as u8
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
