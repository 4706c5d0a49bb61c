use kmidi_core::{Meter, Ticks};

use super::{Rule, broken, changed, meter, song_in, written};
use crate::intent::breaking::rhythm::{DISPLACEMENT, FLUCTUATION_BPM, cross_rhythm};
use crate::intent::breaking::tools::bar_ticks;
use crate::score::{Score, TICKS_PER_QUARTER};

#[test]
fn constant_displacement_delays_every_note_of_one_part_by_half_a_sixteenth() {
    let (before, after) = broken(Rule::ConstantDisplacement);
    assert_eq!(changed(&before, &after), ["Drums"]);
    assert_eq!(DISPLACEMENT, i64::from(TICKS_PER_QUARTER) / 8);
    let (on, late) = (&before.parts[3].notes, &after.parts[3].notes);
    assert_eq!(on.len(), late.len());
    for (on, late) in on.iter().zip(late) {
        assert_eq!((late.start.0 - on.start.0, late.end.0 - on.end.0), (60, 60));
        assert_eq!((late.key, late.velocity), (on.key, on.velocity));
    }
}

#[test]
fn without_drums_the_bass_is_displaced() {
    let mut score = song_in(Meter::default(), 8);
    score.parts.pop();
    let before = score.clone();
    Rule::ConstantDisplacement.in_score(&mut score, super::c_major(), 1).unwrap();
    assert_eq!(changed(&before, &score), ["Bass"]);
}

#[test]
fn a_displaced_note_at_the_very_end_keeps_a_tick_to_sound() {
    let mut score = song_in(Meter::default(), 8);
    let end = score.end;
    score.parts[3].notes.push(super::note(9, end.0 - 30, end.0, 42, 90));
    Rule::ConstantDisplacement.in_score(&mut score, super::c_major(), 1).unwrap();
    assert_eq!(super::faults(&score), [""; 0]);
    assert_eq!(score.end, Ticks(end.0 + 31));
}

#[test]
fn tempo_fluctuation_is_a_sine_of_five_bpm_over_sixteen_beats() {
    let (before, after) = broken(Rule::TempoFluctuation);
    assert_eq!(changed(&before, &after), [""; 0]);
    assert_eq!(after.tempos.len(), 64);
    for (index, (tick, bpm)) in after.tempos.iter().enumerate() {
        assert_eq!(tick.0, 480 * index as i64);
        let written = if index < 20 { 100.0 } else { 110.0 };
        let sine = (std::f64::consts::TAU * index as f64 / 16.0).sin();
        assert!((bpm - written - FLUCTUATION_BPM * sine).abs() < 1e-9, "{index} {bpm}");
    }
    let away = |bpm: f64| after.tempos.iter().take(16).any(|it| (it.1 - bpm).abs() < 1e-9);
    assert!(away(105.0) && away(95.0));
    let without = Score { tempos: before.tempos.clone(), ..after };
    assert_eq!(before, without);
}

/// Seconds from the beginning to a tick.
fn seconds(score: &Score, tick: i64) -> f64 {
    let starts = score.tempos.iter().map(|(at, bpm)| (at.0, 60.0 / bpm / 480.0));
    let ends = score.tempos.iter().skip(1).map(|it| it.0.0).chain([i64::MAX]);
    starts.zip(ends).map(|((start, each), end)| (tick.min(end) - start).max(0) as f64 * each).sum()
}

#[test]
fn metric_modulation_makes_a_quarter_of_what_was_a_dotted_eighth() {
    let (before, after) = broken(Rule::MetricModulation);
    assert_eq!(changed(&before, &after), ["+Pulse"]);
    let (from, to) = (8 * 1920, 12 * 1920);
    let dotted_eighth = seconds(&after, from) - seconds(&after, from - 360);
    let quarter = seconds(&after, from + 480) - seconds(&after, from);
    assert!((dotted_eighth - quarter).abs() < 1e-9, "{dotted_eighth} {quarter}");
    let back = seconds(&after, to + 360) - seconds(&after, to);
    assert!((back - quarter).abs() < 1e-9, "{back} {quarter}");
    // The written tempo is there before and behind; inside, all of it is a third faster.
    let tempo = |score: &Score, tick| 1.0 / (480.0 * (seconds(score, tick + 1) - seconds(score, tick)));
    for tick in (0..before.end.0 - 1).step_by(120) {
        let ratio = tempo(&after, tick) / tempo(&before, tick);
        let expected = if (from..to).contains(&tick) { 4.0 / 3.0 } else { 1.0 };
        assert!((ratio - expected).abs() < 1e-6, "{tick} {ratio}");
    }
}

#[test]
fn the_pulse_of_a_metric_modulation_does_not_change_where_the_tempo_does() {
    let (_, after) = broken(Rule::MetricModulation);
    let pulse: Vec<i64> = after.part("Pulse").unwrap().notes.iter().map(|note| note.start.0).collect();
    for border in [8 * 1920, 12 * 1920] {
        let around: Vec<f64> = pulse
            .iter()
            .filter(|tick| (border - 1920..=border + 1920).contains(*tick))
            .map(|tick| seconds(&after, *tick))
            .collect();
        let steps: Vec<f64> = around.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(around.len() >= 8, "{around:?}");
        assert!(steps.iter().all(|step| (step - steps[0]).abs() < 1e-9), "{steps:?}");
    }
}

#[test]
fn polyrhythmic_layers_put_three_even_notes_of_the_chord_against_four_beats() {
    let (before, after) = broken(Rule::PolyrhythmicLayers);
    assert_eq!(changed(&before, &after), ["+Cross-rhythm"]);
    let layer = after.part("Cross-rhythm").unwrap();
    assert_eq!(layer.notes.len(), 3 * 16);
    for (index, note) in layer.notes.iter().enumerate() {
        assert_eq!(note.start.0, index as i64 * 640);
        let chord = before.chords[index / 3].1;
        let classes: Vec<u8> = chord.pitch_classes().iter().map(|it| it.number()).collect();
        assert!(classes.contains(&(note.key % 12)), "{note:?} in {chord}");
    }
    let on_a_beat = layer.notes.iter().filter(|note| note.start.0 % 480 == 0).count();
    assert_eq!(on_a_beat, 16);
}

#[test]
fn the_cross_rhythm_never_fits_the_beats() {
    let counts = [(4, 2), (3, 2), (6, 3), (9, 3), (12, 3), (5, 2), (7, 3)];
    let cross: Vec<i64> = counts.iter().map(|it| cross_rhythm(meter(it.0, it.1))).collect();
    assert_eq!(cross, [3, 4, 3, 4, 3, 3, 3]);
    for (numerator, denominator_log2) in counts {
        let meter = meter(numerator, denominator_log2);
        assert_eq!(bar_ticks(meter) % cross_rhythm(meter), 0);
    }
}

#[test]
fn dropped_beats_shorten_every_fourth_bar_and_lose_no_end_of_a_note() {
    let (before, after) = broken(Rule::DroppedBeats);
    // Bars 4, 8 and 12 of 16; the last keeps its beat.
    assert_eq!(before.end.0 - after.end.0, 3 * 480);
    let short = meter(3, 2);
    let full = Meter::default();
    let bar = 1920;
    let expected = [
        (3 * bar, short),
        (4 * bar - 480, full),
        (7 * bar - 480, short),
        (8 * bar - 960, full),
        (11 * bar - 960, short),
        (12 * bar - 1440, full),
    ];
    assert_eq!(after.meter_changes, expected.map(|(tick, meter)| (Ticks(tick), meter)));
    // The drum of each dropped beat is gone, and no other.
    assert_eq!(before.parts[3].notes.len() - after.parts[3].notes.len(), 3);
    // What sounds into it ends with it.
    let chord = after.parts[0].notes.iter().find(|note| note.start.0 == 3 * bar).unwrap();
    assert_eq!(chord.end.0, 4 * bar - 480);
    // Bar 5 begins a beat earlier, bar 9 two.
    assert!(written(&after.parts[0]).contains(&(4 * bar - 480, 5 * bar - 480, 60)));
    assert!(after.chords.iter().any(|it| it.0.0 == 8 * bar - 960));
    assert_eq!(after.tempos, [(Ticks(0), 100.0), (Ticks(5 * bar - 480), 110.0)]);
    assert_eq!(after.markers[1].0, Ticks(4 * bar - 480));
    // Lengths elsewhere stay.
    let bass = &after.parts[1].notes;
    let whole = bass.iter().filter(|note| note.length().0 == 1860).count();
    assert_eq!((bass.len(), whole), (16, 13));
}
