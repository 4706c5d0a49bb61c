//! What may be done to a note: the law that every engine's wishes go through, whatever they are.
//!
//! Notes of one key of one channel are a chain. A note may be moved anywhere after the note before it and before the place
//! where the next one is *written*: so each can always be played where it is written, whatever became of its neighbours,
//! and nothing that is pushed aside pushes others on. A note that is moved takes its end with it; where the next note
//! of its key comes earlier, it ends there.

/// How far a note of a song of this division can be moved at most: an eighth note.
pub(crate) fn reach_ticks(ticks_per_quarter: u16) -> i64 {
    i64::from(ticks_per_quarter / 2).max(1)
}

/// A soft stroke that is added after a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ghost {
    /// Ticks from the note's start to its own.
    pub after: i32,
    pub length: i32,
    pub velocity: u8,
}

/// What an engine wants a note to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stroke {
    /// Ticks to move it by; later if positive.
    pub shift: i32,
    pub velocity: u8,
    pub ghost: Option<Ghost>,
}

/// A note as it is written; where it ends may not be known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    /// From the beginning of the song.
    pub tick: i64,
    pub channel: u8,
    pub key: u8,
    pub velocity: u8,
}

/// What becomes of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It is none of the engine's notes.
    Leave,
    /// It is not played.
    Drop,
    Play(Stroke),
}

/// Who plays the notes of a track, one after another in the order in which they are written.
pub(crate) trait Hand {
    fn touch(&mut self, strike: Strike) -> Touch;
}

/// Ticks that a note of this length keeps at least.
pub(crate) fn least_length(length: i64) -> i64 {
    length.min(1)
}

/// The latest start of a note for which it can end at `limit`. A note of which it is not known how long it is (it sounds on there)
/// keeps a tick too, unless it is written at the limit itself.
pub(crate) fn latest(written: i64, length: Option<i64>, limit: i64) -> i64 {
    limit.saturating_sub(least_length(length.unwrap_or(limit.saturating_sub(written))))
}

/// Where a note starts that is written at `written`: `earliest` and `latest` lie on either side of that.
#[inline]
pub(crate) fn start(written: i64, shift: i32, reach: i64, earliest: i64, latest: i64) -> i64 {
    debug_assert!(earliest <= written && written <= latest, "{earliest} {written} {latest}");
    (written + i64::from(shift).clamp(-reach, reach)).clamp(earliest, latest)
}

/// Where a note ends that was written from `written` for `length` ticks and starts at `start` now. `cap` is where the next of
/// its key starts, or the song ends; `order` is the end of the note before it, which players expect first.
#[inline]
pub(crate) fn end(start: i64, length: i64, cap: i64, order: i64) -> i64 {
    (start + length).min(cap).max(start + least_length(length)).max(order)
}

/// Where a ghost note begins and ends if there is room for it between its note's end and `room`, where the next note of its
/// key is written or the song ends.
pub(crate) fn ghost(ghost: Ghost, start: i64, end: i64, room: i64, reach: i64) -> Option<(i64, i64)> {
    let at = start + i64::from(ghost.after).clamp(1, reach);
    let until = at + i64::from(ghost.length).clamp(1, reach);
    (end <= at && until <= room).then_some((at, until))
}
