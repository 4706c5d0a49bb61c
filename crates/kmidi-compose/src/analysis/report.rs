use std::fmt;

use kmidi_core::Ticks;
use serde::Serialize;

use super::NoteView;
use super::chords::{HeardSpan, hear};
use super::function::{Function, Origin, read};
use super::grid::{ChromaSums, Grid};
use super::key::{KeyEstimate, LocalKey, estimate, local_keys};
use super::sections::{Section, sections};
use super::sonority::Sonority;
use super::spelling;
use super::tempo::{TempoReport, TempoSource, tempo};
use super::tension::{BarTension, CurveFit, closest_curve, tension};
use super::text::{clock, count_of_bars, key_name};
use crate::theory::{Chord, Key};

/// All that is told of a song. As JSON, keys and chords are texts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Pitched notes.
    pub notes: usize,
    /// Drum notes.
    pub drum_notes: usize,
    /// Bars up to the end of the last note.
    pub bars: u32,
    /// Length in seconds, up to the end of the last note.
    pub seconds: f64,
    /// Its key.
    pub key: KeyReport,
    /// Its tempo and meter.
    pub tempo: TempoReport,
    /// Its harmonies, from beginning to end.
    pub chords: Vec<ChordSpan>,
    /// Its sections.
    pub sections: Vec<Section>,
    /// Its course of tension.
    pub tension: TensionReport,
}

/// The key of a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyReport {
    /// Tonic and major or minor: `Eb major`.
    pub name: String,
    /// The tonic alone.
    pub tonic: String,
    /// Name of the mode that its tones suggest; often that of the key itself.
    pub mode: &'static str,
    /// 0 to 1; below 0.2 the next key is as defensible.
    pub confidence: f64,
    /// The next best keys.
    pub alternatives: Vec<OtherKey>,
    /// The keys that it goes through.
    pub local: Vec<LocalKeyReport>,
}

/// A key that it could be as well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherKey {
    /// Its name.
    pub name: String,
    /// How far it is behind the best, on the scale of a correlation.
    pub behind: f64,
}

/// A stretch in one key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalKeyReport {
    /// First bar, from 1.
    pub bar: u32,
    /// Its length in bars.
    pub bars: u32,
    /// Its name.
    pub name: String,
    /// Correlation with the key's profile, 0 to 1.
    pub fit: f64,
}

/// A harmony of a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChordSpan {
    /// Bar that it begins in, from 1.
    pub bar: u32,
    /// Beat that it begins at, from 1; `2.5` is half a beat behind the second.
    pub beat: f64,
    /// When, in seconds.
    pub start_seconds: f64,
    /// How long, in beats.
    pub beats: f64,
    /// Its symbol; `N.C.` where there is none.
    pub chord: String,
    /// Its Roman numeral.
    pub roman: Option<String>,
    /// What it does.
    pub function: Option<Function>,
    /// Where it comes from.
    pub origin: Option<Origin>,
    /// How well what sounds fits it, 0 to 1.
    pub fit: f64,
}

/// The course of tension.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensionReport {
    /// The named curve that it is nearest to; `None` for fewer than eight bars.
    pub curve: Option<CurveFit>,
    /// Each bar.
    pub bars: Vec<BarTension>,
}

/// What is wanted of an [`Analysis`] when it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Key and local keys.
    Key,
    /// Tempo and meter.
    Tempo,
    /// Chords bar by bar.
    Chords,
    /// Sections and course of tension.
    Sections,
}

/// What several parts of an analysis are made from.
struct Bench<'a> {
    view: &'a NoteView,
    grid: Grid,
    /// Sounding time, nothing weighted.
    sums: ChromaSums,
    spans: Vec<HeardSpan>,
}

impl<'a> Bench<'a> {
    fn new(view: &'a NoteView) -> Self {
        let grid = Grid::new(view);
        let sums = ChromaSums::new(&grid, view.notes().iter().map(|note| (*note, 1.0)));
        let spans = hear(view, &grid);
        Self { view, grid, sums, spans }
    }

    fn key(&self) -> KeyEstimate {
        estimate(&self.sums.of(0, self.grid.slots()), &self.harmonies())
    }

    /// The chords in order; where there is none at an end, the lowest note there stands for one. A single line has
    /// its first and last note at the ends in any case: what chords it suggests is guessed.
    fn harmonies(&self) -> Vec<Sonority> {
        let heard =
            self.spans.iter().filter_map(|span| span.heard.map(|heard| Sonority::heard(&heard, span.beats)));
        let mut harmonies: Vec<Sonority> = heard.collect();
        let notes = self.view.notes();
        let lowest_at =
            |start: Ticks| notes.iter().filter(|note| note.start == start).map(|note| note.key).min();
        let in_chord = |tick: Ticks| {
            self.spans.iter().any(|span| span.heard.is_some() && (span.start..span.end).contains(&tick))
        };
        let line = is_one_line(notes);
        let first = notes[0].start;
        if let Some(key) = lowest_at(first).filter(|_| line || !in_chord(first)) {
            harmonies.insert(0, Sonority::tone(key % 12, 0.0));
        }
        let last = notes[notes.len() - 1].start;
        if let Some(key) = lowest_at(last).filter(|_| line || !in_chord(last)) {
            harmonies.push(Sonority::tone(key % 12, 0.0));
        }
        harmonies
    }

    fn chords(&self, key: Key) -> Vec<ChordSpan> {
        let named: Vec<Option<Chord>> = self
            .spans
            .iter()
            .map(|span| span.heard.and_then(|heard| spelling::heard_in(key, &heard)))
            .collect();
        let chords: Vec<Chord> = named.iter().flatten().copied().collect();
        let mut at = 0;
        let mut out = vec![];
        for (span, chord) in self.spans.iter().zip(&named) {
            let reading = chord.map(|_| read(&chords, at, key));
            at += usize::from(chord.is_some());
            let (roman, function, origin) = match reading {
                Some((roman, function, origin)) => (Some(roman), Some(function), Some(origin)),
                None => (None, None, None),
            };
            out.push(ChordSpan {
                bar: span.bar + 1,
                beat: self.beat(span.start),
                start_seconds: self.view.tempos().seconds(span.start),
                beats: span.beats,
                chord: chord.map_or_else(|| "N.C.".to_owned(), |chord| chord.to_string()),
                roman,
                function,
                origin,
                fit: span.heard.map_or(0.0, |heard| heard.fit.clamp(0.0, 1.0)),
            });
        }
        out
    }

    /// Beat of its bar, from 1.
    fn beat(&self, tick: Ticks) -> f64 {
        let slot = self.grid.slot_of(tick.0);
        let first = self.grid.bars.partition_point(|bar| *bar < self.grid.bars[slot]);
        1.0 + self.grid.beats[first..slot].iter().sum::<f64>()
    }

    fn sections(&self) -> Vec<Section> {
        sections(self.view, &self.grid, &self.sums)
    }
}

impl Analysis {
    /// Analyses a song.
    pub fn of(view: &NoteView) -> Self {
        let bench = Bench::new(view);
        let key = bench.key();
        let bars = tension(view);
        let course: Vec<f64> = bars.iter().map(|bar| bar.tension).collect();
        Self {
            notes: view.notes().len(),
            drum_notes: view.drums().len(),
            bars: view.bars(),
            seconds: view.tempos().seconds(view.end()),
            chords: bench.chords(key.key),
            sections: bench.sections(),
            tempo: tempo(view),
            tension: TensionReport { curve: closest_curve(&course), bars },
            key: KeyReport::new(&key, local_keys(&bench.grid, &bench.sums, &key)),
        }
    }

    /// Some of it for people to read, a line for each thing.
    pub fn text(&self, parts: &[Part]) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write(&mut out, parts);
        out
    }

    fn write(&self, out: &mut impl fmt::Write, parts: &[Part]) -> fmt::Result {
        for part in parts {
            match part {
                Part::Key => self.write_key(out)?,
                Part::Tempo => self.write_tempo(out)?,
                Part::Chords => self.write_chords(out)?,
                Part::Sections => self.write_sections(out)?,
            }
        }
        Ok(())
    }

    fn write_key(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let key = &self.key;
        writeln!(out, "  key         {} (confidence {:.2}), mode {}", key.name, key.confidence, key.mode)?;
        if let Some(other) = key.alternatives.first().filter(|_| key.confidence < 0.2) {
            writeln!(out, "              or {}, as close as it is", other.name)?;
        }
        if key.local.len() > 1 {
            for local in &key.local {
                writeln!(
                    out,
                    "    bars {:>4} to {:<4}  {}",
                    local.bar,
                    local.bar + local.bars - 1,
                    local.name
                )?;
            }
        }
        Ok(())
    }

    fn write_tempo(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let tempo = &self.tempo;
        let source = match tempo.source {
            TempoSource::File => "by the file's tempo map",
            TempoSource::Onsets => "heard: the notes do not keep to the file's beats",
        };
        write!(out, "  tempo       {:.2} bpm, {source}", tempo.bpm)?;
        if tempo.changes > 0 {
            write!(
                out,
                "; {} changes, {:.1} to {:.1} bpm",
                tempo.changes, tempo.range_bpm.0, tempo.range_bpm.1
            )?;
        }
        writeln!(
            out,
            "\n  meter       {}, {}, {}",
            tempo.meter,
            count_of_bars(self.bars),
            clock(self.seconds)
        )
    }

    fn write_chords(&self, out: &mut impl fmt::Write) -> fmt::Result {
        writeln!(out, "  chords")?;
        let mut at = 0;
        while at < self.chords.len() {
            let bar = self.chords[at].bar;
            let count = self.chords[at..].iter().take_while(|span| span.bar == bar).count();
            let spans = &self.chords[at..at + count];
            let symbols: Vec<String> = spans.iter().map(place_and_symbol).collect();
            let romans: Vec<&str> = spans.iter().filter_map(|span| span.roman.as_deref()).collect();
            writeln!(out, "    bar {bar:>4}  {:<36}  {}", symbols.join("  "), romans.join(" "))?;
            at += count;
        }
        Ok(())
    }

    fn write_sections(&self, out: &mut impl fmt::Write) -> fmt::Result {
        writeln!(out, "  sections")?;
        for section in &self.sections {
            let last = section.bar + section.bars - 1;
            writeln!(
                out,
                "    bars {:>4} to {last:<4}  {:<10} {:<3} energy {:.2}",
                section.bar, section.kind, section.material, section.energy
            )?;
        }
        if let Some(curve) = self.tension.curve {
            writeln!(out, "  tension     closest to {} (fit {:.2})", curve.name, curve.fit)?;
        }
        Ok(())
    }
}

/// Whether hardly any notes sound together.
fn is_one_line(notes: &[kmidi_song::Note]) -> bool {
    let together = notes.windows(2).filter(|pair| {
        // A player's legato overlaps a little.
        let overlap = pair[0].end.0 - pair[1].start.0;
        overlap * 4 > pair[0].length().0
    });
    together.count() * 20 <= notes.len()
}

/// `F`, `3:G7`: the beat where it is not the first.
fn place_and_symbol(span: &ChordSpan) -> String {
    if span.beat > 1.0 { format!("{}:{}", span.beat, span.chord) } else { span.chord.clone() }
}

impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &[Part::Key, Part::Tempo, Part::Sections, Part::Chords])
    }
}

impl KeyReport {
    fn new(key: &KeyEstimate, local: Vec<LocalKey>) -> Self {
        let local = local.into_iter().map(|span| LocalKeyReport {
            bar: span.bar,
            bars: span.bars,
            name: key_name(span.key),
            fit: span.fit,
        });
        Self {
            name: key_name(key.key),
            tonic: key.key.tonic.to_string(),
            mode: key.mode.name(),
            confidence: key.confidence,
            alternatives: key
                .alternatives
                .iter()
                .map(|(key, behind)| OtherKey { name: key_name(*key), behind: *behind })
                .collect(),
            local: local.collect(),
        }
    }
}

/// The key of a song.
pub fn key_of(view: &NoteView) -> KeyEstimate {
    Bench::new(view).key()
}

/// The chords of a song, named as in its key or in another one.
pub fn chords_of(view: &NoteView, key: Option<Key>) -> Vec<ChordSpan> {
    let bench = Bench::new(view);
    let key = key.unwrap_or_else(|| bench.key().key);
    bench.chords(key)
}

/// The sections of a song.
pub fn sections_of(view: &NoteView) -> Vec<Section> {
    Bench::new(view).sections()
}

/// The tempo and meter of a song.
pub fn tempo_of(view: &NoteView) -> TempoReport {
    tempo(view)
}
