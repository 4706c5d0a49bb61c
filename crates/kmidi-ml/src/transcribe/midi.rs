//! Notes as a MIDI file has them.

use kmidi_core::{Division, Ticks};
use kmidi_song::{Format, SmfEvent, Song, Track};

use super::{HeardNote, HeardPedal, TranscribeError, Transcription, within};

/// Ticks of a quarter note.
const TICKS_PER_QUARTER: u16 = 960;
/// Semitones that a bend reaches, up and down.
const BEND_SEMITONES: u8 = 2;

/// How notes are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MidiOptions {
    /// Quarter notes a minute: how the file counts time, not how the music goes.
    pub tempo_bpm: f64,
    /// What it is played with, 0 to 127.
    pub program: u8,
}

impl Default for MidiOptions {
    fn default() -> Self {
        // An electric piano says plainly what was heard, and when.
        MidiOptions { tempo_bpm: 120.0, program: 4 }
    }
}

/// What comes first of what is at the same tick.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Off,
    Turn,
    On,
}

/// Notes and pedals, on the first channel, as a song of one track.
///
/// # Errors
/// [`TranscribeError::Option`]: the tempo cannot be written.
pub fn to_song(heard: &Transcription, options: &MidiOptions) -> Result<Song, TranscribeError> {
    let Transcription { notes, pedals, seconds, .. } = heard;
    within("the tempo", options.tempo_bpm, 4.0, 1000.0)?;
    let micros_per_quarter = (60e6 / options.tempo_bpm).round();
    let ticks = |seconds: f64| {
        Ticks((seconds * 1e6 / micros_per_quarter * f64::from(TICKS_PER_QUARTER)).round() as i64)
    };
    // At most fifteen million: fewer than four beats a minute are refused.
    let mut track =
        Track { events: vec![(Ticks(0), SmfEvent::tempo(micros_per_quarter as u32))], end: Ticks(0) };
    let mut put = |message: [u8; 3]| track.events.push((Ticks(0), SmfEvent::Channel(message)));
    put([0xc0, options.program.min(127), 0]);
    if notes.iter().any(|note| !note.bends.is_empty()) {
        for (controller, value) in [(101, 0), (100, 0), (6, BEND_SEMITONES), (38, 0)] {
            put([0xb0, controller, value]);
        }
    }
    let mut events: Vec<(Ticks, Order, [u8; 3])> = Vec::new();
    for note in notes {
        let start = ticks(note.start_seconds.max(0.0));
        let end = ticks(note.end_seconds).max(Ticks(start.0 + 1));
        events.push((start, Order::On, [0x90, note.key, note.velocity]));
        events.push((end, Order::Off, [0x80, note.key, 64]));
        put_bends(note, start, end, &mut events);
    }
    pedals.iter().for_each(|pedal| put_pedal(pedal, &ticks, &mut events));
    events.sort_by_key(|event| (event.0, event.1));
    let last = events.last().map_or(Ticks(0), |event| event.0);
    track.end = last.max(ticks(*seconds));
    track.events.extend(events.into_iter().map(|(tick, _, message)| (tick, SmfEvent::Channel(message))));
    Ok(Song { format: Format::Single, division: Division::Ppq(TICKS_PER_QUARTER), tracks: vec![track] })
}

/// The course of a note, wherever it changes; its end is where the next note finds no bend.
fn put_bends(note: &HeardNote, start: Ticks, end: Ticks, events: &mut Vec<(Ticks, Order, [u8; 3])>) {
    let message = |bend: i16| {
        // 14 bits around their middle.
        let value = (i32::from(bend) + 8192).clamp(0, 16_383) as u16;
        [0xe0, (value & 0x7f) as u8, (value >> 7) as u8]
    };
    let mut bent = 0;
    for (n, bend) in note.bends.iter().enumerate() {
        if *bend == bent {
            continue;
        }
        bent = *bend;
        let length = (end.0 - start.0) as usize;
        let tick = Ticks(start.0 + (length * n / note.bends.len()) as i64);
        events.push((tick, Order::Turn, message(bent)));
    }
    if bent != 0 {
        events.push((end, Order::Off, message(0)));
    }
}

/// Down and up. Where it goes down again as it comes up, it comes up first.
fn put_pedal(pedal: &HeardPedal, ticks: &impl Fn(f64) -> Ticks, events: &mut Vec<(Ticks, Order, [u8; 3])>) {
    let start = ticks(pedal.start_seconds.max(0.0));
    let end = ticks(pedal.end_seconds).max(Ticks(start.0 + 1));
    events.push((start, Order::Turn, [0xb0, pedal.controller, pedal.value]));
    events.push((end, Order::Off, [0xb0, pedal.controller, 0]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(notes: &[HeardNote], seconds: f64, options: &MidiOptions) -> Song {
        let heard = Transcription { notes: notes.to_vec(), seconds, ..Transcription::default() };
        to_song(&heard, options).unwrap()
    }

    fn note(start_seconds: f64, end_seconds: f64, key: u8, bends: Vec<i16>) -> HeardNote {
        HeardNote { start_seconds, end_seconds, key, velocity: 64, bends }
    }

    fn channel_events(song: &Song) -> Vec<(i64, [u8; 3])> {
        let events = song.tracks[0].events.iter();
        let channel = |(tick, event): &(Ticks, SmfEvent)| match event {
            SmfEvent::Channel(message) => Some((tick.0, *message)),
            _ => None,
        };
        events.filter_map(channel).collect()
    }

    #[test]
    fn a_key_that_is_struck_again_as_it_ends_is_released_first() {
        let notes = [note(0.0, 0.5, 60, vec![]), note(0.5, 1.0, 60, vec![])];
        let song = song(&notes, 2.0, &MidiOptions::default());
        let struck: Vec<_> = channel_events(&song).into_iter().skip(1).collect();
        let expected =
            [(0, [0x90, 60, 64]), (960, [0x80, 60, 64]), (960, [0x90, 60, 64]), (1920, [0x80, 60, 64])];
        assert_eq!(struck, expected);
        assert_eq!(song.tracks[0].end, Ticks(3840), "the silence at the end is there");
    }

    #[test]
    fn a_bend_is_over_when_its_note_is() {
        let notes = [note(0.0, 1.0, 60, vec![0, 4096, 4096, 0, -100]), note(1.0, 2.0, 62, vec![])];
        let song = song(&notes, 2.0, &MidiOptions { tempo_bpm: 60.0, program: 0 });
        let bends: Vec<_> = channel_events(&song).into_iter().filter(|it| it.1[0] == 0xe0).collect();
        assert_eq!(bends.iter().map(|it| it.0).collect::<Vec<_>>(), [192, 576, 768, 960]);
        assert_eq!(bends.last().unwrap().1, [0xe0, 0, 64], "the next note is not bent");
    }

    #[test]
    fn a_pedal_that_goes_down_again_as_it_comes_up_is_down() {
        let pedal = |start_seconds, end_seconds| HeardPedal {
            start_seconds,
            end_seconds,
            controller: 64,
            value: 127,
        };
        let heard = Transcription {
            pedals: vec![pedal(0.0, 1.0), pedal(1.0, 2.0)],
            seconds: 3.0,
            ..Transcription::default()
        };
        let song = to_song(&heard, &MidiOptions { tempo_bpm: 60.0, program: 0 }).unwrap();
        let moves: Vec<_> =
            channel_events(&song).into_iter().skip(1).map(|(tick, message)| (tick, message[2])).collect();
        assert_eq!(moves, [(0, 127), (960, 0), (960, 127), (1920, 0)]);
    }

    #[test]
    fn the_file_reads_back_as_it_was_written() {
        let notes = [note(0.1, 0.7, 60, vec![5, 9]), note(0.1, 0.2, 64, vec![])];
        let song = song(&notes, 1.0, &MidiOptions::default());
        let (read, warnings) = Song::from_smf(&song.to_smf().unwrap()).unwrap();
        assert_eq!(read, song);
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_tempo_that_no_file_can_hold_is_refused() {
        for tempo_bpm in [0.0, 3.0, -120.0, f64::NAN, f64::INFINITY] {
            assert!(to_song(&Transcription::default(), &MidiOptions { tempo_bpm, program: 0 }).is_err());
        }
    }
}
