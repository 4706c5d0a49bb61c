//! Rules of when notes come.

use core::f64::consts::TAU;

use kmidi_core::{Meter, Ticks};
use kmidi_song::Note;

use super::tools::{
    DRUMS, QUARTER, SIXTEENTH, Span, add_part, bar_ticks, bars, harmony, key_from, numerator, tempo_at,
    unit_ticks, units_per_beat,
};
use super::{BASS, CHORDS, DRUM_PART, Unbreakable};
use crate::score::{Part, Score};

/// How late a displaced part is, in ticks.
pub(super) const DISPLACEMENT: i64 = SIXTEENTH / 2;

/// One part is late by half a sixteenth: the drums, or the bass where there are none.
pub(super) fn constant_displacement(score: &mut Score) -> Result<String, Unbreakable> {
    if score.parts.len() < 2 {
        return Err(Unbreakable::Alone);
    }
    let has_notes =
        |name| score.parts.iter().position(|part: &Part| part.name == name && !part.notes.is_empty());
    let place = has_notes(DRUM_PART).or_else(|| has_notes(BASS)).ok_or(Unbreakable::NoPart(BASS))?;
    let part = &mut score.parts[place];
    for note in &mut part.notes {
        note.start += Ticks(DISPLACEMENT);
        note.end += Ticks(DISPLACEMENT);
    }
    // What reaches over the end is cut; only a note that would begin there makes the song longer, by as little as it needs.
    let last_start = part.notes.iter().map(|note| note.start).max().unwrap_or_default();
    score.end = score.end.max(Ticks(last_start.0 + 1));
    for note in &mut part.notes {
        note.end = note.end.min(score.end);
    }
    let (count, name) = (part.notes.len(), &part.name);
    Ok(format!("all {count} notes of {name} are {DISPLACEMENT} ticks (half a sixteenth) late"))
}

/// Most that the tempo is away from the written one, in quarter notes a minute.
pub(super) const FLUCTUATION_BPM: f64 = 5.0;
/// Steps of a beat after which it has gone up, down and back.
pub(super) const FLUCTUATION_STEPS: i64 = 16;

/// The tempo follows a sine of 5 bpm over sixteen beats, a step a beat.
pub(super) fn tempo_fluctuation(score: &mut Score) -> Result<String, Unbreakable> {
    let beat = unit_ticks(score.meter) * units_per_beat(score.meter);
    let written = std::mem::take(&mut score.tempos);
    let sway = |tick: Ticks| {
        let step = (tick.0 / beat) % FLUCTUATION_STEPS;
        FLUCTUATION_BPM * libm::sin(TAU * step as f64 / FLUCTUATION_STEPS as f64)
    };
    let beats = (0..).map(|step| Ticks(step * beat)).take_while(|tick| *tick < score.end);
    let mut ticks: Vec<Ticks> = beats.chain(written.iter().map(|(tick, _)| *tick)).collect();
    ticks.sort();
    ticks.dedup();
    score.tempos = ticks.into_iter().map(|tick| (tick, tempo_at(&written, tick) + sway(tick))).collect();
    Ok(format!(
        "the tempo goes {FLUCTUATION_BPM} bpm up and down in {FLUCTUATION_STEPS} beats, again and again"
    ))
}

/// Wood block, claves, cow bell, maracas, tambourine: keys of the drum kit that can give a pulse.
const PULSE_KEYS: [u8; 5] = [76, 75, 56, 70, 54];

/// For a quarter of the song, from its middle, what was a dotted eighth is a quarter. A pulse that does not change leads there
/// and back: in the old tempo it strikes dotted eighths, in the new one quarters.
pub(super) fn metric_modulation(score: &mut Score) -> Result<String, Unbreakable> {
    let (bar, count) = (bar_ticks(score.meter), bars(score));
    if count < 4 {
        return Err(Unbreakable::TooShort(4));
    }
    let (first, last) = (count / 2, count / 2 + (count / 4).max(1));
    let (from, to) = (Ticks(first * bar), Ticks(last * bar));
    let written = std::mem::take(&mut score.tempos);
    let faster = |bpm: f64| bpm * 4.0 / 3.0;
    let mut tempos: Vec<(Ticks, f64)> = vec![];
    tempos.extend(written.iter().filter(|(tick, _)| *tick < from));
    tempos.push((from, faster(tempo_at(&written, from))));
    let inside = written.iter().filter(|(tick, _)| from < *tick && *tick < to);
    tempos.extend(inside.map(|(tick, bpm)| (*tick, faster(*bpm))));
    if to < score.end {
        tempos.push((to, tempo_at(&written, to)));
        tempos.extend(written.iter().filter(|(tick, _)| *tick > to));
    }
    score.tempos = tempos;
    let mut strokes = pulse(from.0, bar, 3 * SIXTEENTH, QUARTER);
    if to < score.end {
        strokes.extend(pulse(to.0, bar, QUARTER, 3 * SIXTEENTH));
    }
    strokes.retain(|tick| (0..score.end.0).contains(tick));
    strokes.sort_unstable();
    strokes.dedup();
    add_pulse(score, &strokes)?;
    Ok(format!("a dotted eighth becomes the quarter from bar {} to bar {}: a third faster", first + 1, last))
}

/// Strokes of the bar before a border and of the bar behind it, in ticks.
fn pulse(border: i64, bar: i64, before: i64, behind: i64) -> Vec<i64> {
    let earlier = (1..).map(|stroke| border - stroke * before).take_while(|tick| *tick >= border - bar);
    let later = (0..).map(|stroke| border + stroke * behind).take_while(|tick| *tick < border + bar);
    earlier.chain(later).collect()
}

fn add_pulse(score: &mut Score, strokes: &[i64]) -> Result<(), Unbreakable> {
    let mut drums = score.parts.iter().filter(|part| part.channel == DRUMS).flat_map(|part| &part.notes);
    let taken: Vec<u8> = drums.by_ref().map(|note| note.key).collect();
    let key = PULSE_KEYS.into_iter().find(|key| !taken.contains(key)).ok_or(Unbreakable::NoChannel)?;
    let stroke = |start: &i64| {
        let end = Ticks((start + SIXTEENTH).min(score.end.0));
        Note { start: Ticks(*start), end, channel: DRUMS, key, velocity: 90 }
    };
    let notes = strokes.iter().map(stroke).collect();
    score.parts.push(Part { name: "Pulse".to_owned(), channel: DRUMS, notes, ..Part::default() });
    Ok(())
}

/// How many notes a bar of this meter gets that do not fit its beats: three, or four where there are three beats.
pub(super) fn cross_rhythm(meter: Meter) -> i64 {
    if (numerator(meter) / units_per_beat(meter)) % 3 == 0 { 4 } else { 3 }
}

/// A part that divides each bar by three (by four in triple time) and goes through the tones of the chord.
pub(super) fn polyrhythmic_layers(score: &mut Score) -> Result<String, Unbreakable> {
    let (bar, count) = (bar_ticks(score.meter), cross_rhythm(score.meter));
    let spans = harmony(score);
    let chords = score.part(CHORDS).ok_or(Unbreakable::NoPart(CHORDS))?;
    let (program, soft) = (chords.program, super::tools::mean_velocity(chords));
    let mut notes = vec![];
    for index in 0..bars(score) * count {
        let (start, end) = (index * bar / count, (index + 1) * bar / count);
        let Some(span) = span_at(&spans, Ticks(start)) else { continue };
        let tone = span.tones[index as usize % span.tones.len()];
        notes.push(Note {
            start: Ticks(start),
            // A sixth of it is silence, so that each is heard to begin.
            end: Ticks(end - (end - start) / 6),
            channel: 0,
            key: key_from(72, tone),
            velocity: super::tools::velocity(soft),
        });
    }
    if notes.is_empty() {
        return Err(Unbreakable::NoChords);
    }
    add_part(score, "Cross-rhythm", program, notes)?;
    let beats = numerator(score.meter) / units_per_beat(score.meter);
    Ok(format!("a new part plays {count} notes against the {beats} beats of each bar"))
}

fn span_at(spans: &[Span], tick: Ticks) -> Option<&Span> {
    spans.iter().find(|span| span.start <= tick && tick < span.end)
}

/// Bars after which one is a beat short.
pub(super) const BARS_TO_A_DROP: i64 = 4;

/// Every fourth bar loses its last beat: what begins in it is gone, what sounds into it ends, all that follows is earlier.
pub(super) fn dropped_beats(score: &mut Score) -> Result<String, Unbreakable> {
    let (meter, bar) = (score.meter, bar_ticks(score.meter));
    let units = units_per_beat(meter);
    if numerator(meter) <= units {
        return Err(Unbreakable::OneBeat);
    }
    let beat = units * unit_ticks(meter);
    // The last bar stays whole, or the ending itself would be missing.
    let cuts: Vec<i64> =
        (1..).map(|n| n * BARS_TO_A_DROP * bar).take_while(|end| *end < score.end.0).collect();
    if cuts.is_empty() {
        return Err(Unbreakable::TooShort(BARS_TO_A_DROP as u32 + 1));
    }
    let moved = |tick: Ticks| {
        let before: i64 = cuts.iter().map(|end| (tick.0 - (end - beat)).clamp(0, beat)).sum();
        Ticks(tick.0 - before)
    };
    let gone = |tick: Ticks| cuts.iter().any(|end| (end - beat..*end).contains(&tick.0));
    let before: usize = score.parts.iter().map(|part| part.notes.len()).sum();
    for part in &mut score.parts {
        part.notes.retain(|note| !gone(note.start));
        for note in &mut part.notes {
            (note.start, note.end) = (moved(note.start), moved(note.end));
        }
        part.controllers.iter_mut().for_each(|(tick, ..)| *tick = moved(*tick));
        part.bends.iter_mut().for_each(|(tick, _)| *tick = moved(*tick));
    }
    let after: usize = score.parts.iter().map(|part| part.notes.len()).sum();
    score.tempos.iter_mut().for_each(|(tick, _)| *tick = moved(*tick));
    score.tempos = last_of_each_tick(&score.tempos);
    score.chords.iter_mut().for_each(|(tick, _)| *tick = moved(*tick));
    score.chords = last_of_each_tick(&score.chords);
    score.markers.iter_mut().for_each(|(tick, _)| *tick = moved(*tick));
    score.end = moved(score.end);
    let short = Meter { numerator: (numerator(meter) - units) as u8, ..meter };
    let changes = cuts.iter().flat_map(|end| [(moved(Ticks(end - bar)), short), (moved(Ticks(*end)), meter)]);
    score.meter_changes = changes.collect();
    Ok(format!("{} bars are a beat short; the {} notes of these beats are gone", cuts.len(), before - after))
}

/// What is moved onto the same tick takes each other's place: the last is what holds from there on.
fn last_of_each_tick<T: Copy>(of: &[(Ticks, T)]) -> Vec<(Ticks, T)> {
    let next = of.iter().skip(1).map(|(tick, _)| Some(*tick)).chain([None]);
    of.iter().zip(next).filter(|((tick, _), next)| Some(*tick) != *next).map(|(it, _)| *it).collect()
}
