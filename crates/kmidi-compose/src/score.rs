use kmidi_core::{Division, Meter, Ticks};
use kmidi_song::{Format, KeySignature, Note, SmfEvent, Song, TextKind, Track};

use crate::theory::Chord;

/// Ticks of a quarter note in every score.
pub const TICKS_PER_QUARTER: u16 = 480;

/// Music as notes in parts, before it is a file. `[side B]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Title, as the file's first track has it.
    pub title: String,
    /// Tempo changes in order of their ticks, in quarter notes a minute; the first at tick 0.
    pub tempos: Vec<(Ticks, f64)>,
    /// The meter of all of it, or of its beginning.
    pub meter: Meter,
    /// Later meters at the ticks of their first bars.
    pub meter_changes: Vec<(Ticks, Meter)>,
    /// The key signature, if it has one.
    pub key: Option<KeySignature>,
    /// Texts at their ticks (sections), written as markers.
    pub markers: Vec<(Ticks, String)>,
    /// Chord symbols at their ticks, written as texts.
    pub chords: Vec<(Ticks, Chord)>,
    /// Its parts.
    pub parts: Vec<Part>,
    /// Where it ends; no note ends later.
    pub end: Ticks,
}

/// One instrument of a [`Score`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its name: `Chords`, `Bass`.
    pub name: String,
    /// MIDI channel, 0 to 15; 9 is the drums.
    pub channel: u8,
    /// General MIDI program, 0 to 127; `None` for drums.
    pub program: Option<u8>,
    /// Controllers at their ticks: (tick, controller, value).
    pub controllers: Vec<(Ticks, u8, u8)>,
    /// Pitch bends at their ticks, -8192 to 8191.
    pub bends: Vec<(Ticks, i16)>,
    /// Its notes, in any order.
    pub notes: Vec<Note>,
}

/// What comes first of events at the same tick: ends of notes, so that a key can be struck again; what changes the sound of a
/// note; the note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    NoteOff,
    Setting,
    NoteOn,
}

impl Score {
    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// As a file of type 1: a track of tempo, meter, key and texts, and one for each part. The same score gives the same song.
    /// Values beyond what MIDI can say are brought to the nearest that it can.
    pub fn to_song(&self) -> Song {
        let mut tracks = vec![self.conductor()];
        tracks.extend(self.parts.iter().map(|part| part.track(self.end)));
        Song { format: Format::Parallel, division: Division::Ppq(TICKS_PER_QUARTER), tracks }
    }

    fn conductor(&self) -> Track {
        let mut events = vec![(Ticks(0), text(TextKind::TrackName, &self.title))];
        events.push((Ticks(0), time_signature(self.meter)));
        events.extend(self.meter_changes.iter().map(|(tick, meter)| (*tick, time_signature(*meter))));
        events.extend(self.key.map(|key| (key.tick, key_signature(key))));
        events
            .extend(self.tempos.iter().map(|&(tick, bpm)| (tick, SmfEvent::tempo(micros_per_quarter(bpm)))));
        events.extend(self.markers.iter().map(|(tick, marker)| (*tick, text(TextKind::Marker, marker))));
        events.extend(
            self.chords.iter().map(|(tick, chord)| (*tick, text(TextKind::Text, &chord.to_string()))),
        );
        events.sort_by_key(|event| event.0);
        Track { events, end: self.end }
    }
}

impl Part {
    fn track(&self, end: Ticks) -> Track {
        let channel = self.channel & 0x0f;
        let mut events = Vec::with_capacity(2 * self.notes.len() + self.controllers.len() + 2);
        if let Some(program) = self.program {
            events.push((Ticks(0), Rank::Setting, SmfEvent::Channel([0xc0 | channel, program.min(127), 0])));
        }
        for &(tick, controller, value) in &self.controllers {
            let message = [0xb0 | channel, controller.min(127), value.min(127)];
            events.push((tick, Rank::Setting, SmfEvent::Channel(message)));
        }
        for &(tick, bend) in &self.bends {
            let value = (i32::from(bend.clamp(-8192, 8191)) + 8192) as u16;
            let message = [0xe0 | channel, (value & 0x7f) as u8, (value >> 7) as u8];
            events.push((tick, Rank::Setting, SmfEvent::Channel(message)));
        }
        for note in &self.notes {
            let channel = note.channel & 0x0f;
            let (key, velocity) = (note.key.min(127), note.velocity.clamp(1, 127));
            events.push((note.start, Rank::NoteOn, SmfEvent::Channel([0x90 | channel, key, velocity])));
            // A note without length ends behind its start all the same.
            let last = note.end.max(Ticks(note.start.0 + 1));
            events.push((last, Rank::NoteOff, SmfEvent::Channel([0x80 | channel, key, 64])));
        }
        events.sort_by_key(|event| (event.0, event.1));
        let name = (Ticks(0), text(TextKind::TrackName, &self.name));
        let events: Vec<_> =
            std::iter::once(name).chain(events.into_iter().map(|(tick, _, event)| (tick, event))).collect();
        let last = events.last().map_or(end, |event| event.0);
        Track { events, end: end.max(last) }
    }
}

/// The text event of a kind, in its number of the file format.
fn text(kind: TextKind, text: &str) -> SmfEvent {
    let kind = match kind {
        TextKind::TrackName => 0x03,
        TextKind::Marker => 0x06,
        _ => 0x01,
    };
    SmfEvent::Meta { kind, data: text.as_bytes().into() }
}

/// 24 clocks a click, or those of a dotted quarter where the meter has these; eight 32nds in a quarter.
fn time_signature(meter: Meter) -> SmfEvent {
    let dotted = meter.denominator_log2 == 3 && meter.numerator % 3 == 0 && meter.numerator > 3;
    let numerator = if meter.numerator == 0 { 4 } else { meter.numerator };
    let data = [numerator, meter.denominator_log2.min(6), if dotted { 36 } else { 24 }, 8];
    SmfEvent::Meta { kind: 0x58, data: Box::new(data) }
}

fn key_signature(key: KeySignature) -> SmfEvent {
    let data = [key.sharps.clamp(-7, 7) as u8, u8::from(key.minor)];
    SmfEvent::Meta { kind: 0x59, data: Box::new(data) }
}

/// The nearest whole number of microseconds; tempos that are none are 120.
fn micros_per_quarter(bpm: f64) -> u32 {
    let micros = 60_000_000.0 / bpm;
    if micros.is_finite() && micros > 0.0 { (micros + 0.5) as u32 } else { 500_000 }
}

#[cfg(test)]
mod tests {
    use kmidi_song::SongIndex;

    use super::*;

    fn note(start: i64, end: i64, key: u8) -> Note {
        Note { start: Ticks(start), end: Ticks(end), channel: 1, key, velocity: 80 }
    }

    fn score() -> Score {
        let part = Part {
            name: "Chords".to_owned(),
            channel: 1,
            program: Some(4),
            controllers: vec![(Ticks(0), 7, 100)],
            bends: vec![(Ticks(480), -8192)],
            notes: vec![note(480, 960, 60), note(0, 480, 60), note(0, 0, 64)],
        };
        Score {
            title: "Grief".to_owned(),
            tempos: vec![(Ticks(0), 70.0)],
            meter: Meter { numerator: 6, denominator_log2: 3 },
            meter_changes: vec![(Ticks(480), Meter::default())],
            key: Some(KeySignature { tick: Ticks(0), sharps: -3, minor: true }),
            markers: vec![(Ticks(0), "intro".to_owned())],
            chords: vec![(Ticks(0), "Cm".parse().unwrap())],
            parts: vec![part],
            end: Ticks(1920),
        }
    }

    #[test]
    fn a_score_is_a_file_that_says_all_of_it() {
        let song = score().to_song();
        let bytes = song.to_smf().unwrap();
        assert_eq!(Song::from_smf(&bytes).unwrap().0, song);
        let index = SongIndex::scan(&bytes.as_slice(), &mut |_| {}).unwrap();
        assert!(index.warnings.is_empty(), "{:?}", index.warnings);
        assert_eq!(index.keys, [KeySignature { tick: Ticks(0), sharps: -3, minor: true }]);
        let texts: Vec<&str> = index.texts.iter().map(|text| &*text.text).collect();
        assert_eq!(texts, ["intro", "Cm"]);
        assert_eq!(song.tracks[0].events[1].1, SmfEvent::Meta { kind: 0x58, data: Box::new([6, 3, 36, 8]) });
        assert!(song.tracks[0].events.contains(&(Ticks(0), SmfEvent::tempo(857_143))));
        assert_eq!(song.tracks[1].end, Ticks(1920));
    }

    #[test]
    fn a_key_that_is_struck_again_ends_first_and_is_bent_in_time() {
        let song = score().to_song();
        let at_480: Vec<&SmfEvent> = song.tracks[1]
            .events
            .iter()
            .filter(|event| event.0 == Ticks(480))
            .map(|event| &event.1)
            .collect();
        let message = |bytes| SmfEvent::Channel(bytes);
        assert_eq!(at_480, [&message([0x81, 60, 64]), &message([0xe1, 0, 0]), &message([0x91, 60, 80])]);
        assert!(song.tracks[1].events.contains(&(Ticks(1), message([0x81, 64, 64]))));
    }

    #[test]
    fn tempos_that_are_none_do_no_harm() {
        let tempos = [f64::NAN, 0.0, -5.0, f64::INFINITY, 1e-12].map(micros_per_quarter);
        assert_eq!(tempos, [500_000, 500_000, 500_000, 500_000, u32::MAX]);
    }
}
