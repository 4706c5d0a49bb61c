//! The song as VST3 tells it.

use ::vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_::{
    kBarPositionValid, kContTimeValid, kCycleActive, kCycleValid, kPlaying, kProjectTimeMusicValid,
    kTempoValid, kTimeSigValid,
};
use ::vst3::Steinberg::Vst::{Chord, FrameRate, ProcessContext};
use kmidi_core::{SongTime, Transport};

/// What is always told.
const ALWAYS: u32 = kProjectTimeMusicValid | kTempoValid | kTimeSigValid | kBarPositionValid | kContTimeValid;

/// A context in which nothing is valid.
pub fn blank(sample_rate_hz: u32) -> ProcessContext {
    ProcessContext {
        state: 0,
        sampleRate: f64::from(sample_rate_hz),
        projectTimeSamples: 0,
        systemTime: 0,
        continousTimeSamples: 0,
        projectTimeMusic: 0.0,
        barPositionMusic: 0.0,
        cycleStartMusic: 0.0,
        cycleEndMusic: 0.0,
        tempo: 120.0,
        timeSigNumerator: 4,
        timeSigDenominator: 4,
        chord: Chord { keyNote: 0, rootNote: 0, chordMask: 0 },
        smpteOffsetSubframes: 0,
        frameRate: FrameRate { framesPerSecond: 0, flags: 0 },
        samplesToNextClock: 0,
    }
}

/// Tells the song at the start of a quantum. `[side A]` A jump inside the quantum shows in the next: VST3 has one context
/// a quantum, and there are plugins that fail when quanta are cut.
///
/// The loop's ends are told in quarter notes as if the tempo at this place held up to them: the transport knows them
/// in time alone.
pub fn tell(context: &mut ProcessContext, transport: &Transport) {
    context.state = ALWAYS;
    if transport.playing {
        context.state |= kPlaying;
    }
    context.projectTimeSamples = transport.position.to_frames().0;
    context.projectTimeMusic = transport.beats.as_f64();
    context.barPositionMusic = transport.bar_start.as_f64();
    context.tempo = transport.tempo.bpm();
    context.timeSigNumerator = i32::from(transport.meter.numerator);
    context.timeSigDenominator = transport.meter.denominator() as i32;
    if let Some(range) = transport.looping {
        context.state |= kCycleActive | kCycleValid;
        // Song time is that of the written tempo; the tempo told is scaled.
        let written_bpm = context.tempo / transport.scale.as_f64();
        let quarters_per_unit = written_bpm / (60.0 * context.sampleRate * SongTime::PER_FRAME as f64);
        let beat_at = |time: SongTime| {
            context.projectTimeMusic + time.0.saturating_sub(transport.position.0) as f64 * quarters_per_unit
        };
        (context.cycleStartMusic, context.cycleEndMusic) = (beat_at(range.start), beat_at(range.end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmidi_core::{Beats, Frames, LoopRange, Meter, Tempo};

    #[test]
    fn a_scaled_song_in_a_loop_is_told_in_quarter_notes_and_whole_frames() {
        let mut context = blank(48_000);
        let transport = Transport {
            playing: true,
            position: SongTime::from_frames(Frames(48_000)),
            scale: "2".parse().unwrap(),
            tempo: Tempo { micros_per_quarter: 250_000 },
            meter: Meter { numerator: 6, denominator_log2: 3 },
            beats: Beats(2 << 31),
            bar_start: Beats(0),
            looping: Some(LoopRange { start: SongTime::ZERO, end: SongTime::from_frames(Frames(96_000)) }),
            ..Transport::default()
        };
        tell(&mut context, &transport);
        assert_eq!(context.state, ALWAYS | kPlaying | kCycleActive | kCycleValid);
        assert_eq!(
            (context.projectTimeSamples, context.projectTimeMusic, context.tempo),
            (48_000, 2.0, 240.0)
        );
        assert_eq!((context.timeSigNumerator, context.timeSigDenominator), (6, 8));
        assert!((context.cycleStartMusic - 0.0).abs() < 1e-9, "{}", context.cycleStartMusic);
        assert!((context.cycleEndMusic - 4.0).abs() < 1e-9, "{}", context.cycleEndMusic);
        tell(&mut context, &Transport::default());
        assert_eq!(context.state, ALWAYS);
    }
}
