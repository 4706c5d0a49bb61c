//! The song as CLAP tells it.

use clack_host::events::EventFlags;
use clack_host::events::EventHeader;
use clack_host::events::event_types::{TransportEvent, TransportFlags};
use clack_host::utils::FixedPoint;
use kmidi_core::{Event, Meter, SongTime, Span, Tempo, Transport};

/// Follows the song through a quantum. `[side A]`
///
/// The engine gives beats for the quantum's first frame alone; what lies elsewhere (the loop's ends, a place jumped to)
/// is reckoned from there at the tempo in force, which is exact where the tempo does not change in between, and is set
/// right at the next quantum.
pub(super) struct SongClock {
    sample_rate_hz: u32,
    scale: f64,
    playing: bool,
    looping: Option<(SongTime, SongTime)>,
    /// Frame of the quantum at which what follows is true.
    frame: u32,
    /// Seconds of song at its written tempo.
    seconds: f64,
    beats: f64,
    tempo: Tempo,
    meter: Meter,
    bar_start: f64,
    bar: i32,
}

impl SongClock {
    pub fn new(transport: &Transport, sample_rate_hz: u32) -> Self {
        SongClock {
            sample_rate_hz,
            scale: transport.scale.as_f64(),
            playing: transport.playing,
            looping: transport.looping.map(|it| (it.start, it.end)),
            frame: 0,
            seconds: transport.position.seconds(sample_rate_hz),
            beats: transport.beats.as_f64(),
            tempo: transport.tempo,
            meter: transport.meter,
            bar_start: transport.bar_start.as_f64(),
            bar: transport.bar,
        }
    }

    /// Quarter notes in a second of song at its written tempo.
    fn beats_per_second(&self) -> f64 {
        self.tempo.bpm() / 60.0 / self.scale
    }

    fn beats_at(&self, seconds: f64) -> f64 {
        self.beats + (seconds - self.seconds) * self.beats_per_second()
    }

    fn advance(&mut self, frame: u32) {
        let frames = frame.saturating_sub(self.frame);
        self.frame = frame;
        if self.playing {
            let seconds = self.seconds + f64::from(frames) / f64::from(self.sample_rate_hz) * self.scale;
            self.beats = self.beats_at(seconds);
            self.seconds = seconds;
            self.find_bar();
        }
    }

    /// The bar that the beats are in, counted from the last one that is known.
    fn find_bar(&mut self) {
        let bars = ((self.beats - self.bar_start) / self.bar_beats()).floor();
        self.bar_start += bars * self.bar_beats();
        // A cast ends at the ends of its range.
        self.bar = self.bar.saturating_add(bars as i32);
    }

    /// Quarter notes in a bar.
    fn bar_beats(&self) -> f64 {
        f64::from(self.meter.numerator.max(1)) * 4.0 / f64::from(self.meter.denominator())
    }

    /// The song begins to run within the quantum, as it does for who lags it: the transport from there on.
    pub fn start(&mut self, span: &Span) -> TransportEvent {
        self.frame = span.offset;
        self.playing = true;
        let seconds = span.position.seconds(self.sample_rate_hz);
        (self.beats, self.seconds) = (self.beats_at(seconds), seconds);
        self.find_bar();
        self.event(span.offset)
    }

    /// Takes up an event of the song at its frame; the transport from there on. `None` if it is none of the song's.
    pub fn follow(&mut self, time: u32, event: &Event, spans: &[Span]) -> Option<TransportEvent> {
        match event {
            Event::Tempo(tempo) => {
                self.advance(time);
                self.tempo = *tempo;
            }
            Event::Meter(meter) => {
                self.advance(time);
                // Another meter begins with a bar; the same is only said again.
                if *meter != self.meter {
                    self.meter = *meter;
                    self.bar_start = self.beats;
                }
            }
            Event::Jump => {
                self.advance(time);
                let span = spans.iter().find(|span| span.offset == time && span.jumped)?;
                let seconds = span.position.seconds(self.sample_rate_hz);
                (self.beats, self.seconds) = (self.beats_at(seconds), seconds);
                self.find_bar();
            }
            _ => return None,
        }
        Some(self.event(time))
    }

    /// The transport at `frame`, as an event there.
    pub fn event(&self, frame: u32) -> TransportEvent {
        let seconds = |time: SongTime| time.seconds(self.sample_rate_hz);
        let (start, end) = self.looping.map_or((0.0, 0.0), |(start, end)| (seconds(start), seconds(end)));
        let looped = |at: f64| if self.looping.is_some() { self.beats_at(at) } else { 0.0 };
        let mut flags = TransportFlags::HAS_TEMPO
            | TransportFlags::HAS_BEATS_TIMELINE
            | TransportFlags::HAS_SECONDS_TIMELINE
            | TransportFlags::HAS_TIME_SIGNATURE;
        flags.set(TransportFlags::IS_PLAYING, self.playing);
        flags.set(TransportFlags::IS_LOOP_ACTIVE, self.looping.is_some());
        TransportEvent {
            header: EventHeader::new_core(frame, EventFlags::empty()),
            flags,
            song_pos_beats: fixed(self.beats),
            song_pos_seconds: fixed(self.seconds),
            tempo: self.tempo.bpm(),
            tempo_inc: 0.0,
            loop_start_beats: fixed(looped(start)),
            loop_end_beats: fixed(looped(end)),
            loop_start_seconds: fixed(start),
            loop_end_seconds: fixed(end),
            bar_start: fixed(self.bar_start),
            bar_number: self.bar,
            time_signature_numerator: u16::from(self.meter.numerator),
            time_signature_denominator: self.meter.denominator().min(u32::from(u16::MAX)) as u16,
        }
    }
}

/// In CLAP's fixed point, rounded towards zero: rounding to the nearest is a call of its own.
fn fixed(value: f64) -> FixedPoint {
    const UNIT: f64 = (1u64 << 31) as f64;
    FixedPoint::from_bits((value * UNIT) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clack_host::utils::BeatTime;
    use kmidi_core::{Beats, LoopRange, TempoScale};

    const RATE: u32 = 48_000;

    fn song_time(seconds: f64) -> SongTime {
        SongTime((seconds * f64::from(RATE) * SongTime::PER_FRAME as f64) as i64)
    }

    #[test]
    fn a_tempo_change_and_a_jump_inside_the_quantum_are_where_they_happen() {
        let mut transport = Transport {
            playing: true,
            position: song_time(10.0),
            scale: TempoScale::new(2, 1).unwrap(),
            // Written at 120, played at 240.
            tempo: Tempo { micros_per_quarter: 250_000 },
            beats: Beats(20 << 31),
            bar_start: Beats(20 << 31),
            bar: 5,
            looping: Some(LoopRange { start: song_time(8.0), end: song_time(10.01) }),
            ..Transport::default()
        };
        let span = Span { offset: 480, frames: 32, position: song_time(8.0), jumped: true };
        transport.spans.push(span);
        let mut clock = SongClock::new(&transport, RATE);
        let start = clock.event(0);
        assert_eq!(start.song_pos_beats, BeatTime::from_int(20));
        assert_eq!(start.loop_start_beats, BeatTime::from_int(16));
        assert!(start.flags.contains(TransportFlags::IS_PLAYING | TransportFlags::IS_LOOP_ACTIVE));
        // 240 frames at double speed are 10 ms of song: 0.02 beats.
        let tempo = Event::Tempo(Tempo { micros_per_quarter: 500_000 });
        let changed = clock.follow(240, &tempo, &transport.spans).unwrap();
        assert!((changed.song_pos_beats.to_float() - 20.02).abs() < 1e-6);
        assert_eq!((changed.tempo, changed.header.time()), (120.0, 240));
        let jumped = clock.follow(480, &Event::Jump, &transport.spans).unwrap();
        assert!((jumped.song_pos_seconds.to_float() - 8.0).abs() < 1e-6);
        assert!(jumped.bar_start.to_float() <= jumped.song_pos_beats.to_float());
        assert!(clock.follow(480, &Event::note_on(0, 1, 1), &transport.spans).is_none());
    }

    #[test]
    fn absurd_tempos_and_meters_take_no_longer_than_others() {
        let mut clock = SongClock::new(&Transport { playing: true, ..Transport::default() }, RATE);
        let shortest = Meter { numerator: 0, denominator_log2: 255 };
        clock.follow(0, &Event::Meter(shortest), &[]).unwrap();
        clock.follow(0, &Event::Tempo(Tempo { micros_per_quarter: 0 }), &[]).unwrap();
        // Some three hundred million bars.
        let event = clock.follow(1023, &Event::Tempo(Tempo::default()), &[]).unwrap();
        assert!(event.bar_number > 100_000_000 && event.bar_start <= event.song_pos_beats);
    }

    #[test]
    fn a_song_that_stands_stands() {
        let transport = Transport { beats: Beats(3 << 31), ..Transport::default() };
        let mut clock = SongClock::new(&transport, RATE);
        let event = clock.follow(63, &Event::Tempo(Tempo::default()), &[]).unwrap();
        assert_eq!(event.song_pos_beats, BeatTime::from_int(3));
        assert!(!event.flags.contains(TransportFlags::IS_PLAYING));
    }
}
