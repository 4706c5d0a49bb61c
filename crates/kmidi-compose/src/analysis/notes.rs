use std::collections::VecDeque;

use kmidi_core::{Meter, MeterMap, TempoMap, Ticks};
use kmidi_song::{Format, Note, SmfEvent, Song};

use super::AnalysisError;
use crate::Score;

/// Channel of the drums, counted from 0.
const DRUMS: u8 = 9;

/// Bars of the longest song that is analysed: ten hours at a bar each two seconds.
pub const MAX_BARS: u32 = 18_000;

/// The notes of a song with their time base: what analysis looks at. Never without a pitched note. `[side B]`
#[derive(Clone, Debug)]
pub struct NoteView {
    notes: Vec<Note>,
    drums: Vec<Note>,
    tempos: TempoMap,
    meters: MeterMap,
    end: Ticks,
}

impl NoteView {
    /// Notes in any order; those on channel 10 are taken for drums, and those that end before they begin are left out.
    ///
    /// # Errors
    /// [`AnalysisError::NoNotes`] where there are no others, [`AnalysisError::TooLong`] where the last ends behind
    /// bar [`MAX_BARS`].
    pub fn new(
        notes: impl IntoIterator<Item = Note>,
        tempos: TempoMap,
        meters: MeterMap,
    ) -> Result<Self, AnalysisError> {
        let sane =
            notes.into_iter().filter(|note| note.key < 128 && note.start.0 >= 0 && note.end >= note.start);
        let (mut drums, mut pitched): (Vec<Note>, Vec<Note>) = sane.partition(|note| note.channel == DRUMS);
        if pitched.is_empty() {
            return Err(AnalysisError::NoNotes);
        }
        let order = |note: &Note| (note.start, note.key, note.channel, note.end);
        pitched.sort_by_key(order);
        drums.sort_by_key(order);
        let end = pitched.iter().chain(&drums).map(|note| note.end).max().unwrap_or_default();
        let bars = meters.position(Ticks((end.0 - 1).max(0))).bar;
        if bars > MAX_BARS {
            return Err(AnalysisError::TooLong { bars });
        }
        Ok(Self { notes: pitched, drums, tempos, meters, end })
    }

    /// The notes of a song, its tempo map and its bars.
    ///
    /// # Errors
    /// As [`NoteView::new`].
    pub fn from_song(song: &Song) -> Result<Self, AnalysisError> {
        let (mut notes, mut tempos, mut meters) = (vec![], vec![], vec![]);
        let mut offset = 0;
        for track in &song.tracks {
            pair(&track.events, track.end, offset, &mut notes);
            for (tick, event) in &track.events {
                let SmfEvent::Meta { kind, data } = event else { continue };
                let tick = Ticks(tick.0.saturating_add(offset));
                match (*kind, &**data) {
                    (0x51, &[a, b, c, ..]) => tempos.push((tick, u32::from_be_bytes([0, a, b, c]).max(1))),
                    (0x58, &[numerator, denominator_log2, ..]) if numerator > 0 && denominator_log2 <= 8 => {
                        meters.push((tick, Meter { numerator, denominator_log2 }));
                    }
                    _ => {}
                }
            }
            if song.format == Format::Sequential {
                offset = track.end.0.saturating_add(offset);
            }
        }
        let tempos = TempoMap::new(song.division, tempos);
        let meters = MeterMap::new(tempos.ticks_per_quarter(), meters);
        Self::new(notes, tempos, meters)
    }

    /// The notes of a score.
    ///
    /// # Errors
    /// As [`NoteView::new`].
    pub fn from_score(score: &Score) -> Result<Self, AnalysisError> {
        let division = kmidi_core::Division::Ppq(crate::score::TICKS_PER_QUARTER);
        let micros = |bpm: f64| (60e6 / bpm).clamp(1.0, 16_777_215.0) as u32;
        let tempos = TempoMap::new(division, score.tempos.iter().map(|(tick, bpm)| (*tick, micros(*bpm))));
        let meters = MeterMap::new(tempos.ticks_per_quarter(), [(Ticks(0), score.meter)]);
        let notes = score.parts.iter().flat_map(|part| part.notes.iter().copied());
        Self::new(notes, tempos, meters)
    }

    /// The pitched notes, ordered by start and key. Never empty.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The drums, in the same order.
    pub fn drums(&self) -> &[Note] {
        &self.drums
    }

    /// When ticks are.
    pub fn tempos(&self) -> &TempoMap {
        &self.tempos
    }

    /// Where bars are.
    pub fn meters(&self) -> &MeterMap {
        &self.meters
    }

    /// Where the last note ends.
    pub fn end(&self) -> Ticks {
        self.end
    }

    /// Ticks of a quarter note.
    pub fn ticks_per_quarter(&self) -> i64 {
        self.tempos.ticks_per_quarter().into()
    }

    /// Bars up to the end of the last note; 1 at least.
    pub fn bars(&self) -> u32 {
        self.meters.position(Ticks((self.end.0 - 1).max(0))).bar.max(1)
    }

    /// First tick of each bar, and the end of the last one.
    pub fn bar_starts(&self) -> Vec<i64> {
        (1..=self.bars() + 1).map(|bar| self.meters.bar_start(bar).0).collect()
    }
}

/// Pairs the note-ons of a track with their note-offs, first in first out for each key of each channel. A note that
/// is never ended lasts to the end of its track.
fn pair(events: &[(Ticks, SmfEvent)], end: Ticks, offset: i64, into: &mut Vec<Note>) {
    let mut open: Vec<VecDeque<usize>> = vec![VecDeque::new(); 16 * 128];
    let end = Ticks(end.0.saturating_add(offset));
    for (tick, event) in events {
        let SmfEvent::Channel([status, key, velocity]) = *event else { continue };
        let (start, channel, key) = (Ticks(tick.0.saturating_add(offset)), status & 15, key & 127);
        let open = &mut open[usize::from(channel) * 128 + usize::from(key)];
        match status & 0xf0 {
            0x90 if velocity > 0 => {
                open.push_back(into.len());
                into.push(Note { start, end: end.max(start), channel, key, velocity });
            }
            0x80 | 0x90 => {
                if let Some(started) = open.pop_front() {
                    into[started].end = start;
                }
            }
            _ => {}
        }
    }
}
