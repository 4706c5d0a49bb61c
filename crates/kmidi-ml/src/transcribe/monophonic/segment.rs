//! From a course of pitch to notes: those that cost least, found exactly.
//!
//! As in the package of swift-f0: a note has one pitch, and costs what its frames are away from it, how unsure they
//! are of having a pitch, how much quieter they are than what is around them, and a constant. What is in no note costs
//! nothing. Vibrato costs little, a trill pays for its notes.

/// Frames that a frame's level is compared with, before and behind it.
const AROUND: usize = 4;
/// Frames after which a voice that has never paused is cut.
const LONGEST: usize = 4096;
/// Semitones beyond which it makes no difference how far a frame is off.
const FAR: f64 = 2.0;

/// What is known of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    pub pitch_hz: f32,
    /// 0 to 1; a half is a voice as likely as none.
    pub confidence: f32,
    pub level_db: f32,
}

/// A note in frames.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct VoiceNote {
    pub start: u64,
    pub end: u64,
    /// Its pitch, in semitones as MIDI counts keys.
    pub semitone: f64,
    /// The level of each frame.
    pub levels_db: Vec<f32>,
    /// The pitch of each frame, in semitones.
    pub course: Vec<f32>,
}

impl VoiceNote {
    pub fn loudest_db(&self) -> f32 {
        loudest(&self.levels_db)
    }
}

/// The highest of some levels.
pub(super) fn loudest(levels_db: &[f32]) -> f32 {
    levels_db.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// A frame as notes see it.
#[derive(Clone, Copy, Debug)]
struct Frame {
    semitone: f64,
    confidence: f64,
    level_db: f32,
    /// What it costs a note to have it, whatever its pitch.
    cost: f64,
}

/// Finds notes as frames come, in bounded memory.
///
/// A stretch of frames each of which costs every note something, and all of which together cost more than a note, is
/// in no note: what is before it and behind it can be looked at by itself.
pub(super) struct Segmenter {
    /// What a note costs.
    note: f64,
    /// Frames whose surroundings are not known yet, behind those that only are surroundings.
    waiting: Vec<Seen>,
    /// Of these, how many have been dealt with.
    dealt: usize,
    frames: Vec<Frame>,
    /// Number of the first of `frames`.
    number: u64,
    /// What the frames at the end cost that each cost something.
    pause: f64,
}

impl Segmenter {
    /// Notes cost so many frames of a pitch a semitone away.
    pub fn new(note: f64) -> Self {
        Segmenter { note, waiting: Vec::new(), dealt: 0, frames: Vec::new(), number: 0, pause: 0.0 }
    }

    pub fn push(&mut self, seen: Seen, found: &mut Vec<VoiceNote>) {
        self.waiting.push(seen);
        if self.waiting.len() > self.dealt + AROUND {
            self.deal(found);
        }
        if self.waiting.len() > 2 * AROUND + 1 {
            self.waiting.remove(0);
            self.dealt -= 1;
        }
    }

    /// The first frame that may be in a note to come.
    pub fn oldest(&self) -> u64 {
        self.number
    }

    /// The rest: the voice is over.
    pub fn finish(&mut self, found: &mut Vec<VoiceNote>) {
        while self.dealt < self.waiting.len() {
            self.deal(found);
        }
        self.close(self.frames.len(), found);
    }

    /// The next frame, with what is around it.
    fn deal(&mut self, found: &mut Vec<VoiceNote>) {
        let at = self.dealt as i64;
        self.dealt += 1;
        let seen = self.waiting[at as usize];
        // Beyond an end of the sound lies its mirror image.
        let level = |n: i64| {
            let last = self.waiting.len() as i64 - 1;
            let n = if n < 0 { -n - 1 } else { n };
            let n = if n > last { 2 * last + 1 - n } else { n };
            f64::from(self.waiting[n.clamp(0, last) as usize].level_db)
        };
        let loudest =
            |range: std::ops::RangeInclusive<i64>| range.map(level).fold(f64::NEG_INFINITY, f64::max);
        let around = loudest(at - AROUND as i64..=at).min(loudest(at..=at + AROUND as i64));
        let has_pitch = seen.pitch_hz.is_finite() && seen.pitch_hz > 0.0;
        let confidence = if has_pitch { f64::from(seen.confidence.clamp(0.0, 1.0)) } else { 0.0 };
        let likely = confidence.clamp(0.01, 0.99);
        let quieter = (around - f64::from(seen.level_db) - 10.0 * 2f64.log10()).max(0.0);
        self.frames.push(Frame {
            semitone: if has_pitch { 69.0 + 12.0 * (f64::from(seen.pitch_hz) / 440.0).log2() } else { 0.0 },
            confidence,
            level_db: seen.level_db,
            cost: quieter - (likely / (1.0 - likely)).ln(),
        });
        self.look_for_pause(found);
    }

    fn look_for_pause(&mut self, found: &mut Vec<VoiceNote>) {
        let cost = self.frames.last().map_or(0.0, |frame| frame.cost);
        self.pause = if cost > 0.0 { self.pause + cost } else { 0.0 };
        if self.pause > self.note {
            self.close(self.frames.len(), found);
            // What follows goes on in the same pause.
            self.pause = f64::MAX / 2.0;
        } else if self.frames.len() >= LONGEST {
            let costs = self.frames.iter().enumerate().skip(LONGEST / 2);
            let dearest = costs.max_by(|a, b| a.1.cost.total_cmp(&b.1.cost)).map_or(LONGEST, |frame| frame.0);
            self.close(dearest, found);
        }
    }

    /// Finds the notes of the first `count` frames, and forgets them.
    fn close(&mut self, count: usize, found: &mut Vec<VoiceNote>) {
        let frames = &self.frames[..count];
        for (start, end, semitone) in cheapest(frames, self.note) {
            let of_note = &frames[start..end];
            found.push(VoiceNote {
                start: self.number + start as u64,
                end: self.number + end as u64,
                semitone,
                levels_db: of_note.iter().map(|frame| frame.level_db).collect(),
                course: of_note.iter().map(|frame| frame.course(semitone)).collect(),
            });
        }
        self.frames.drain(..count);
        self.number += count as u64;
    }
}

impl Frame {
    /// What it costs a note of a pitch to have it.
    fn cost_at(&self, semitone: f64) -> f64 {
        self.cost + self.confidence * (semitone - self.semitone).abs().min(FAR)
    }

    /// Its pitch where it is sure of one; otherwise the note's.
    fn course(&self, of_note: f64) -> f32 {
        let own = self.confidence >= 0.5 && (self.semitone - of_note).abs() <= FAR;
        (if own { self.semitone } else { of_note }) as f32
    }
}

/// The notes that cost least together: first frame, frame behind the last, pitch.
fn cheapest(frames: &[Frame], note: f64) -> Vec<(usize, usize, f64)> {
    let pitches = pitches(frames);
    if pitches.is_empty() {
        return Vec::new();
    }
    // For each pitch, what it costs up to here with a note of it going on, and where that note began.
    let mut costs = vec![f64::INFINITY; pitches.len()];
    let mut starts = vec![0; pitches.len()];
    // For each frame, where what ends before it began, and with which pitch; none is a frame in no note.
    let mut back: Vec<(usize, Option<usize>)> = Vec::with_capacity(frames.len());
    let mut best = 0.0;
    for (at, frame) in frames.iter().enumerate() {
        let start = best + note;
        let (mut least, mut of) = (f64::INFINITY, 0);
        for (pitch, (cost, from)) in costs.iter_mut().zip(&mut starts).enumerate() {
            if start < *cost {
                (*cost, *from) = (start, at);
            }
            *cost += frame.cost_at(pitches[pitch]);
            if *cost < least {
                (least, of) = (*cost, pitch);
            }
        }
        if least < best {
            best = least;
            back.push((starts[of], Some(of)));
        } else {
            back.push((at, None));
        }
    }
    let (mut end, mut notes) = (frames.len(), Vec::new());
    while end > 0 {
        let (start, pitch) = back[end - 1];
        notes.extend(pitch.map(|pitch| (start, end, pitches[pitch])));
        end = start;
    }
    notes.reverse();
    notes
}

/// The pitches that there are, to a cent, each once, upwards.
fn pitches(frames: &[Frame]) -> Vec<f64> {
    let with_pitch = frames.iter().filter(|frame| frame.confidence > 0.0);
    let mut cents: Vec<i64> = with_pitch.map(|frame| (frame.semitone * 100.0 + 0.5).floor() as i64).collect();
    cents.sort_unstable();
    cents.dedup();
    cents.into_iter().map(|cents| cents as f64 / 100.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hz(semitone: f64) -> f32 {
        (440.0 * 2f64.powf((semitone - 69.0) / 12.0)) as f32
    }

    fn sung(semitone: f64) -> Seen {
        Seen { pitch_hz: hz(semitone), confidence: 0.95, level_db: -20.0 }
    }

    const SILENT: Seen = Seen { pitch_hz: 100.0, confidence: 0.0, level_db: -140.0 };

    fn notes(course: impl IntoIterator<Item = Seen>) -> Vec<(u64, u64, i64)> {
        let (mut segmenter, mut found) = (Segmenter::new(5.0), Vec::new());
        course.into_iter().for_each(|seen| segmenter.push(seen, &mut found));
        segmenter.finish(&mut found);
        found.iter().map(|note| (note.start, note.end, note.semitone.round() as i64)).collect()
    }

    #[test]
    fn vibrato_is_one_note_and_a_trill_is_many() {
        let wide = |depth: f64, frames: usize| {
            (0..120)
                .map(move |n| sung(60.0 + depth * (n as f64 / frames as f64 * std::f64::consts::TAU).sin()))
        };
        assert_eq!(notes(wide(0.6, 11)).len(), 1, "vibrato of more than half a semitone, 5.7 a second");
        let trill = (0..120).map(|n| sung(if n / 12 % 2 == 0 { 60.0 } else { 62.0 }));
        assert_eq!(notes(trill).len(), 10);
    }

    #[test]
    fn silence_and_no_pitch_hold_no_notes() {
        assert!(notes([]).is_empty());
        assert!(notes([SILENT; 500]).is_empty());
        let whispered = Seen { confidence: 0.3, ..sung(60.0) };
        assert!(notes([whispered; 500]).is_empty());
        let none = Seen { pitch_hz: f32::NAN, ..sung(60.0) };
        assert!(notes([none; 500]).is_empty());
    }

    #[test]
    fn pauses_part_notes_of_the_same_pitch_and_do_not_move_them() {
        let song = |n: usize| if n % 200 < 150 { sung(64.0) } else { SILENT };
        let found = notes((0..10_000).map(song));
        let expected: Vec<_> = (0..50).map(|n| (n * 200, n * 200 + 150, 64)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_voice_that_never_pauses_is_cut_and_goes_on() {
        let found = notes((0..20_000).map(|_| sung(64.0)));
        assert!(found.len() <= 20_000 / (LONGEST / 2) + 1, "{} notes", found.len());
        assert_eq!(found.iter().map(|note| note.1 - note.0).sum::<u64>(), 20_000);
    }
}
