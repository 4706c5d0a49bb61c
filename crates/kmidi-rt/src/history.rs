use kmidi_core::limits::MAX_LATENCY_FRAMES;
use kmidi_core::{Frames, Span, Transport};

/// The transport of the current quantum and of those before it, as far back as a node can lag:
/// a node behind latency is told the position of what it is rendering.
pub struct TransportHistory {
    quantum_frames: u32,
    ring: Box<[Transport]>,
    current: usize,
}

impl TransportHistory {
    /// `[side B]` A history of stopped transport, for quanta of `quantum_frames`.
    pub fn new(quantum_frames: u32) -> Self {
        let quanta = MAX_LATENCY_FRAMES.div_ceil(quantum_frames as usize) + 2;
        TransportHistory {
            quantum_frames,
            ring: (0..quanta).map(|_| Transport::default()).collect(),
            current: 0,
        }
    }

    /// `[side A]` The transport of this quantum, for nodes that are behind no latency.
    pub fn current(&self) -> &Transport {
        &self.ring[self.current]
    }

    /// `[side A]` Starts the next quantum: the place of its transport, still holding an old one.
    pub(crate) fn next(&mut self) -> &mut Transport {
        self.current = (self.current + 1) % self.ring.len();
        &mut self.ring[self.current]
    }

    /// The transport `quanta` quanta ago.
    fn back(&self, quanta: usize) -> &Transport {
        &self.ring[(self.current + self.ring.len() - quanta) % self.ring.len()]
    }

    /// `[side A]` Writes to `out` the transport as it was `delay_frames` frames ago (at most
    /// [`MAX_LATENCY_FRAMES`]; more is read as that), for one quantum from there.
    pub fn delayed(&self, delay_frames: u32, out: &mut Transport) {
        let delay = delay_frames.min(MAX_LATENCY_FRAMES as u32);
        let (quanta, rest) = ((delay / self.quantum_frames) as usize, delay % self.quantum_frames);
        if rest == 0 {
            out.clone_from(self.back(quanta));
            return;
        }
        let (older, newer) = (self.back(quanta + 1), self.back(quanta));
        let skipped = self.quantum_frames - rest;
        out.clone_from(older);
        out.spans.clear();
        for span in &older.spans {
            let cut = skipped.saturating_sub(span.offset).min(span.frames);
            if cut < span.frames {
                let position = span.position + older.scale.song_time_in(Frames(i64::from(cut)));
                push_joined(
                    out,
                    Span {
                        offset: span.offset + cut - skipped,
                        frames: span.frames - cut,
                        position,
                        jumped: span.jumped && cut == 0,
                    },
                );
            }
        }
        for span in &newer.spans {
            if span.offset < skipped {
                push_joined(
                    out,
                    Span {
                        offset: span.offset + rest,
                        frames: span.frames.min(skipped - span.offset),
                        ..*span
                    },
                );
            }
        }
        let first = out.spans.first().filter(|span| span.offset == 0);
        out.position = first.map_or(newer.position, |span| span.position);
        out.playing = first.is_some();
        // What has jumped away before is counted from where it went.
        let has_jumped = older.spans.iter().any(|span| span.jumped && (1..=skipped).contains(&span.offset));
        out.set_musical_time(if has_jumped { newer.anchor } else { older.anchor });
    }
}

/// Appends a span, or lengthens the last one where time runs on across the seam of two quanta.
fn push_joined(out: &mut Transport, span: Span) {
    if let Some(last) = out.spans.last_mut() {
        let end = last.position + out.scale.song_time_in(Frames(i64::from(last.frames)));
        // Two roundings down may part by one unit, 1/65536 of a frame.
        let runs_on = (span.position.0 - end.0).abs() <= 1;
        if last.offset + last.frames == span.offset && !span.jumped && runs_on {
            last.frames += span.frames;
            return;
        }
    }
    // MAX_SPANS covers the shortest loop; a span beyond it could only be told too late.
    let _ = out.spans.try_push(span);
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmidi_core::SongTime;

    fn at_frame(frames: i64) -> SongTime {
        SongTime::from_frames(Frames(frames))
    }

    /// 100 quanta of 64 frames in which a loop of 150 frames from 1000 on repeats, wrapping inside quanta.
    fn history() -> TransportHistory {
        let mut history = TransportHistory::new(64);
        let mut frame = 0;
        for _ in 0..100 {
            let transport = history.next();
            *transport =
                Transport { playing: true, position: at_frame(1000 + frame % 150), ..Transport::default() };
            let mut offset = 0;
            while offset < 64 {
                let run = (150 - frame % 150).min(64 - offset);
                transport.spans.push(Span {
                    offset: offset as u32,
                    frames: run as u32,
                    position: at_frame(1000 + frame % 150),
                    jumped: frame > 0 && frame % 150 == 0,
                });
                (offset, frame) = (offset + run, frame + run);
            }
        }
        history
    }

    #[test]
    fn a_node_behind_latency_sees_the_position_of_what_it_renders() {
        let history = history();
        let now = 99 * 64;
        let mut seen = Transport::default();
        for delay in 0..3000u32 {
            history.delayed(delay, &mut seen);
            let mut covered = 0;
            for span in &seen.spans {
                let frame = now - i64::from(delay) + i64::from(span.offset);
                assert_eq!(span.offset, covered);
                assert_eq!(span.position, at_frame(1000 + frame % 150), "delay {delay}");
                assert_eq!(span.jumped, frame % 150 == 0);
                covered += span.frames;
            }
            assert_eq!((covered, seen.position), (64, seen.spans[0].position));
        }
    }

    #[test]
    fn before_the_start_nothing_played() {
        let mut history = TransportHistory::new(64);
        *history.next() = Transport {
            playing: true,
            spans: [Span { offset: 0, frames: 64, position: SongTime::ZERO, jumped: true }]
                .into_iter()
                .collect(),
            ..Transport::default()
        };
        let mut seen = Transport::default();
        history.delayed(40, &mut seen);
        assert!(!seen.playing);
        assert_eq!((seen.spans[0].offset, seen.spans[0].frames), (40, 24));
        history.delayed(MAX_LATENCY_FRAMES as u32, &mut seen);
        assert!(!seen.playing && seen.spans.is_empty());
    }
}
