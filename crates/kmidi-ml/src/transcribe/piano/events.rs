//! Events of overlapping segments become notes and pedals.

use crate::convert::{TRACKS, tracks};
use crate::transcribe::{HeardNote, HeardPedal};

/// What a track does: a key or a pedal that goes down and up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// In the whole recording.
    pub start_seconds: f64,
    /// In the whole recording.
    pub end_seconds: f64,
    /// 0 to 127.
    pub velocity: u8,
    /// Whether it begins within its segment.
    pub has_onset: bool,
    /// Whether it ends within its segment.
    pub has_offset: bool,
}

/// The events of all tracks so far.
pub(super) struct Events(Vec<Vec<Event>>);

impl Events {
    pub fn new() -> Self {
        Events(vec![Vec::new(); TRACKS])
    }

    /// Adds what was heard of a track in the next segment, in order. What overlaps with the last event is that event heard again, or
    /// how it goes on.
    pub fn add(&mut self, track: usize, events: Vec<Event>) {
        let before = &mut self.0[track];
        for event in events {
            match before.last_mut() {
                Some(last) if event.start_seconds < last.end_seconds => match event.has_onset {
                    true => *last = event,
                    false => {
                        last.has_offset = event.has_offset;
                        last.end_seconds = last.end_seconds.max(event.end_seconds);
                    }
                },
                _ if event.has_onset => before.push(event),
                _ => {}
            }
        }
    }

    /// Notes and pedals, each track by itself.
    pub fn finish(self) -> (Vec<HeardNote>, Vec<HeardPedal>) {
        let (mut notes, mut pedals) = (Vec::new(), Vec::new());
        for (track, events) in tracks().zip(self.0) {
            let events = complete(events).into_iter();
            match u8::try_from(track) {
                Ok(key) => notes.extend(events.map(|event| HeardNote {
                    start_seconds: event.start_seconds,
                    end_seconds: event.end_seconds,
                    key,
                    velocity: event.velocity.max(1),
                    bends: Vec::new(),
                })),
                Err(_) => pedals.extend(events.map(|event| HeardPedal {
                    start_seconds: event.start_seconds,
                    end_seconds: event.end_seconds,
                    controller: track.unsigned_abs() as u8,
                    value: event.velocity,
                })),
            }
        }
        pedals.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));
        (notes, pedals)
    }
}

/// Those that end, none of them longer than until the next one begins.
fn complete(mut events: Vec<Event>) -> Vec<Event> {
    if let Some(last) = events.last_mut() {
        last.has_offset = true;
    }
    events.retain(|event| event.has_offset);
    events.sort_by(|a, b| {
        a.start_seconds.total_cmp(&b.start_seconds).then(a.end_seconds.total_cmp(&b.end_seconds))
    });
    for next in 1..events.len() {
        let start = events[next].start_seconds;
        let before = &mut events[next - 1];
        before.end_seconds = before.end_seconds.min(start);
    }
    events.retain(|event| event.start_seconds < event.end_seconds);
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(start_seconds: f64, end_seconds: f64, has_onset: bool, has_offset: bool) -> Event {
        Event { start_seconds, end_seconds, velocity: 64, has_onset, has_offset }
    }

    /// Starts and ends of the notes of A0, from what each segment heard.
    fn joined(segments: &[&[Event]]) -> Vec<(f64, f64)> {
        let mut events = Events::new();
        segments.iter().for_each(|segment| events.add(2, segment.to_vec()));
        let (notes, pedals) = events.finish();
        assert!(pedals.is_empty() && notes.iter().all(|note| note.key == 21));
        notes.iter().map(|note| (note.start_seconds, note.end_seconds)).collect()
    }

    #[test]
    fn a_note_over_a_seam_is_one() {
        let (begins, goes_on, ends) =
            (event(3.0, 8.0, true, false), event(4.0, 12.0, false, false), event(8.0, 13.0, false, true));
        assert_eq!(joined(&[std::slice::from_ref(&begins), &[goes_on], &[ends]]), [(3.0, 13.0)]);
        // The end of what was not heard to begin is nothing.
        assert_eq!(joined(&[&[event(0.0, 1.0, false, true), event(2.0, 3.0, true, true)]]), [(2.0, 3.0)]);
        // The last one ends where the recording does.
        assert_eq!(joined(&[&[begins]]), [(3.0, 8.0)]);
    }

    #[test]
    fn what_is_heard_again_is_heard_better() {
        let (first, again) = (event(3.0, 4.0, true, true), event(3.01, 4.5, true, true));
        assert_eq!(joined(&[&[first], &[again]]), [(3.01, 4.5)]);
    }

    #[test]
    fn what_never_ends_is_left_out_unless_it_is_the_last() {
        assert_eq!(joined(&[&[event(1.0, 2.0, true, false)], &[event(3.0, 4.0, true, true)]]), [(3.0, 4.0)]);
    }

    #[test]
    fn pedals_are_controllers() {
        let mut events = Events::new();
        events.add(0, vec![event(1.0, 2.0, true, true)]);
        events.add(1, vec![event(0.5, 2.0, true, true)]);
        let (notes, pedals) = events.finish();
        assert!(notes.is_empty());
        assert_eq!(pedals.iter().map(|pedal| pedal.controller).collect::<Vec<_>>(), [67, 64]);
    }
}
