use serde::Serialize;

use super::NoteView;

/// Tempo and meter of a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TempoReport {
    /// The tempo that most of the song has, in quarter notes a minute: the file's own if notes keep to its grid,
    /// otherwise what was heard.
    pub bpm: f64,
    /// Where it comes from.
    pub source: TempoSource,
    /// Slowest and fastest tempo of the file while notes sound, in quarter notes a minute.
    pub range_bpm: (f64, f64),
    /// Changes of tempo.
    pub changes: usize,
    /// Meter that most bars have: `4/4`.
    pub meter: String,
    /// How far notes begin from the nearest sixteenth or triplet eighth, as a share of the farthest possible: 0 is a
    /// machine, 1 has nothing to do with the grid.
    pub off_grid: f64,
    /// How sure the tempo is, 0 to 1.
    pub confidence: f64,
}

/// Where a tempo comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TempoSource {
    /// The file's tempo map, whose grid the notes keep to.
    File,
    /// The times at which notes begin: they do not keep to the file's grid.
    Onsets,
}

/// Distance from the grid, as a share of that of notes that know nothing of it, above which the grid means nothing.
const NO_GRID: f64 = 0.75;
/// Onsets from which the grid can be judged.
const FEW_ONSETS: usize = 12;
/// Tempos that are looked for, in beats a minute.
const SLOWEST_BPM: f64 = 50.0;
const FASTEST_BPM: f64 = 220.0;
const STEP_BPM: f64 = 0.25;
/// Onsets that are used: enough for any tempo.
const MOST_ONSETS: usize = 4_000;

/// The tempo and meter of a song.
pub(crate) fn tempo(view: &NoteView) -> TempoReport {
    let ticks = onsets(view);
    let off_grid = off_grid(&ticks, view.ticks_per_quarter());
    let (mean, range, changes) = of_map(view);
    let free = ticks.len() >= FEW_ONSETS && off_grid > NO_GRID;
    let heard = free.then(|| {
        let seconds: Vec<f64> =
            ticks.iter().map(|&tick| view.tempos().seconds(kmidi_core::Ticks(tick))).collect();
        heard_tempo(&seconds)
    });
    let (bpm, source, confidence) = match heard.flatten() {
        Some((bpm, confidence)) => (bpm, TempoSource::Onsets, confidence),
        None => (mean, TempoSource::File, 1.0 - off_grid),
    };
    TempoReport { bpm, source, range_bpm: range, changes, meter: meter(view), off_grid, confidence }
}

/// Ticks at which notes begin, each once, in order.
fn onsets(view: &NoteView) -> Vec<i64> {
    let mut ticks: Vec<i64> = view.notes().iter().chain(view.drums()).map(|note| note.start.0).collect();
    ticks.sort_unstable();
    ticks.dedup();
    ticks
}

/// Mean distance from the nearest line of sixteenths or of triplet eighths, whichever suits all notes better; 1 is what
/// notes at random would have.
fn off_grid(ticks: &[i64], quarter: i64) -> f64 {
    let distance = |lines: i64| {
        let of = |&tick: &i64| {
            let phase = (tick * lines).rem_euclid(quarter) as f64 / quarter as f64;
            phase.min(1.0 - phase)
        };
        ticks.iter().map(of).sum::<f64>() / ticks.len().max(1) as f64 / 0.25
    };
    distance(4).min(distance(3)).min(1.0)
}

/// The tempo that lasts longest, slowest and fastest, and how often it changes, up to the last note.
fn of_map(view: &NoteView) -> (f64, (f64, f64), usize) {
    let end = view.end();
    let mut changes: Vec<(kmidi_core::Ticks, f64)> = view
        .tempos()
        .changes()
        .filter(|(tick, _)| *tick < end)
        .map(|(tick, tempo)| (tick, tempo.bpm()))
        .collect();
    if changes.is_empty() {
        changes.push((kmidi_core::Ticks(0), view.tempos().tempo(kmidi_core::Ticks(0)).bpm()));
    }
    let (mut slowest, mut fastest) = (f64::INFINITY, 0.0f64);
    let (mut quarters, mut minutes) = (0.0, 0.0);
    for (at, &(tick, bpm)) in changes.iter().enumerate() {
        let next = changes.get(at + 1).map_or(end, |next| next.0);
        let length = (next.0 - tick.0).max(0) as f64 / view.ticks_per_quarter() as f64;
        slowest = slowest.min(bpm);
        fastest = fastest.max(bpm);
        quarters += length;
        minutes += length / bpm.max(1e-6);
    }
    let mean = if minutes > 0.0 { quarters / minutes } else { changes[0].1 };
    (mean, (slowest, fastest), changes.len() - 1)
}

fn meter(view: &NoteView) -> String {
    let mut bars: Vec<(kmidi_core::Meter, u32)> = vec![];
    let changes = view.meters().changes();
    for (at, change) in changes.iter().enumerate() {
        let next = changes.get(at + 1).map_or(view.bars() + 1, |next| next.bar.min(view.bars() + 1));
        let count = next.saturating_sub(change.bar);
        match bars.iter_mut().find(|it| it.0 == change.meter) {
            Some(known) => known.1 += count,
            None => bars.push((change.meter, count)),
        }
    }
    let most = bars.iter().max_by_key(|it| it.1).map_or_else(Default::default, |it| it.0);
    format!("{}/{}", most.numerator, most.denominator())
}

/// The tempo of onsets at these seconds: the beat at whose phase, or at that of its halves, most of them lie together; of
/// a tempo and its double, the one nearer to 105. With how far they lie together, 0 to 1.
pub fn heard_tempo(seconds: &[f64]) -> Option<(f64, f64)> {
    if seconds.len() < 4 || seconds.iter().any(|time| !time.is_finite()) {
        return None;
    }
    let seconds = &seconds[..seconds.len().min(MOST_ONSETS)];
    let steps = ((FASTEST_BPM - SLOWEST_BPM) / STEP_BPM) as usize;
    let score = |bpm: f64| {
        let beat = bpm / 60.0;
        f64::max(together(seconds, beat), 0.9 * together(seconds, 2.0 * beat)) * preference(bpm)
    };
    let best_of = |tempos: &mut dyn Iterator<Item = f64>| {
        tempos.map(|bpm| (bpm, score(bpm))).max_by(|one, other| one.1.total_cmp(&other.1)).map(|it| it.0)
    };
    let coarse = best_of(&mut (0..=steps).map(|step| SLOWEST_BPM + step as f64 * STEP_BPM))?;
    let best = best_of(&mut (-25..=25).map(|step| coarse + f64::from(step) * 0.01))?;
    let beat = best / 60.0;
    Some((best, f64::max(together(seconds, beat), together(seconds, 2.0 * beat)).clamp(0.0, 1.0)))
}

/// How tightly times lie together at one phase of a frequency: over stretches of eight seconds, so that a tempo that
/// drifts is still one.
fn together(seconds: &[f64], frequency_hz: f64) -> f64 {
    const STRETCH_SECONDS: f64 = 8.0;
    let (mut sum, mut count) = (0.0, 0.0);
    let mut first = 0;
    while first < seconds.len() {
        let end = first + seconds[first..].partition_point(|time| time - seconds[first] < STRETCH_SECONDS);
        let stretch = &seconds[first..end.max(first + 1)];
        let (mut x, mut y) = (0.0, 0.0);
        for time in stretch {
            let angle = (time - stretch[0]) * frequency_hz * core::f64::consts::TAU;
            x += libm::cos(angle);
            y += libm::sin(angle);
        }
        sum += libm::hypot(x, y);
        count += stretch.len() as f64;
        first += stretch.len();
    }
    sum / f64::max(count, 1.0)
}

/// Listeners tap near two beats a second: less and less so an octave of tempo away.
fn preference(bpm: f64) -> f64 {
    let octaves = libm::log2(bpm / 105.0) / 0.7;
    libm::exp(-0.5 * octaves * octaves)
}

#[cfg(test)]
mod tests {
    use kmidi_core::{Division, Meter, MeterMap, TempoMap, Ticks};
    use kmidi_song::{Note, Random};

    use super::*;

    fn view(ticks: &[i64], tempos: &[(i64, u32)], meter: Meter) -> NoteView {
        let notes = ticks.iter().map(|&at| Note {
            start: Ticks(at),
            end: Ticks(at + 60),
            channel: 0,
            key: 60,
            velocity: 80,
        });
        let tempos =
            TempoMap::new(Division::Ppq(480), tempos.iter().map(|&(tick, micros)| (Ticks(tick), micros)));
        NoteView::new(notes, tempos, MeterMap::new(480, [(Ticks(0), meter)])).unwrap()
    }

    #[test]
    fn the_file_tells_tempo_and_meter_where_notes_keep_to_its_grid() {
        let ticks: Vec<i64> = (0..64).map(|at| at * 240 + [3, -2, 1, 0][at as usize % 4].max(0)).collect();
        let report = tempo(&view(&ticks, &[(0, 400_000)], Meter { numerator: 3, denominator_log2: 2 }));
        assert_eq!((report.bpm, report.source, &*report.meter), (150.0, TempoSource::File, "3/4"));
        assert!(report.off_grid < 0.1 && report.confidence > 0.9);
        let triplets: Vec<i64> = (0..64).map(|at| at * 160).collect();
        assert_eq!(tempo(&view(&triplets, &[], Meter::default())).off_grid, 0.0);
    }

    #[test]
    fn changes_of_tempo_are_told() {
        let report = tempo(&view(&[0, 480, 960, 1860], &[(0, 500_000), (960, 1_000_000)], Meter::default()));
        assert_eq!((report.changes, report.range_bpm), (1, (60.0, 120.0)));
        assert!((report.bpm - 80.0).abs() < 0.01, "{}", report.bpm);
    }

    #[test]
    fn a_performance_without_a_grid_is_heard() {
        for bpm in [78.0, 84.0, 97.0, 121.0, 140.0] {
            let mut random = Random::new(bpm as u64);
            // The file says 120 all along; notes come at the player's own tempo, and not quite in time.
            let ticks: Vec<i64> = (0..96)
                .filter(|at| at % 2 == 0 || at % 3 == 0)
                .map(|at| {
                    (f64::from(at) * 30.0 / bpm * 960.0) as i64 + 37 + i64::from(random.around_zero(12))
                })
                .collect();
            let report = tempo(&view(&ticks, &[], Meter::default()));
            assert_eq!(report.source, TempoSource::Onsets, "{bpm}");
            assert!((report.bpm / bpm - 1.0).abs() < 0.01, "{bpm} {}", report.bpm);
        }
    }

    #[test]
    fn too_few_or_senseless_times_have_no_tempo() {
        assert_eq!(heard_tempo(&[0.0, 1.0, 2.0]), None);
        assert_eq!(heard_tempo(&[0.0, 1.0, 2.0, f64::NAN, 3.0]), None);
    }
}
