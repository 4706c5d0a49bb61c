//! Our drummer beside human ones, in figures: timing and velocity by drum and by place in the bar.
//!
//! The drummers are those of the Groove MIDI Dataset 1.0 (Gillick, Roberts, Engel, Eck, Bamman 2019, "Learning to groove with inverse
//! sequence transformations", ICML; CC BY 4.0): ten drummers, most of them professionals, 1,150 performances on an electronic kit
//! to a click. The figures below are medians and robust standard deviations (1.4826 times the median deviation) of its beats in
//! 4/4, by style, drum and sixteenth, with the mean of each bar taken off, as computed from it by the script
//! `extract-groove-profiles.py` of github.com/mercurypitch/mercurypitch and published there (`groove-profiles.generated.json`, of 1,137
//! files; read in November 2026). `Rock` there is rock, pop, punk, country and blues; `funk` is funk, soul, dance and
//! hip-hop; `latin` has reggae.
//!
//! Its deviations are of all drummers together, so that they also have what drummers differ in: one alone is steadier.

use kmidi_core::Ticks;
use kmidi_song::Note;
use kmidi_song::groove::{Humanize, Pulse, humanize, style, template};

const KICK: u8 = 36;
const SNARE: u8 = 38;
const HAT: u8 = 42;

/// What was measured of a style.
struct Measured {
    /// Deviation in ms of bass drum, snare drum and hi-hat: the median of those on eighths, of the snare drum's backbeats in rock and funk.
    deviation_ms: [f64; 3],
    /// Velocity of the cymbal that keeps time (of jazz the ride, else the hi-hat), of each sixteenth.
    velocities: [f64; 16],
    /// Velocity of ghost notes, and its deviation.
    ghost: (f64, f64),
}

const ROCK: Measured = Measured {
    deviation_ms: [14.05, 13.2, 11.85],
    velocities: [
        91.0, 43.0, 68.0, 60.0, 108.0, 51.0, 68.0, 54.0, 85.0, 53.0, 73.0, 51.0, 110.0, 49.0, 65.0, 55.0,
    ],
    ghost: (29.0, 11.9),
};

const FUNK: Measured = Measured {
    deviation_ms: [15.45, 11.7, 11.1],
    velocities: [
        82.0, 39.0, 58.0, 36.0, 102.0, 41.0, 57.0, 43.0, 70.0, 43.0, 64.0, 40.0, 91.0, 43.0, 64.0, 47.0,
    ],
    ghost: (28.0, 11.9),
};

const JAZZ: Measured = Measured {
    deviation_ms: [16.55, 18.4, 13.9],
    velocities: [
        66.0, 58.0, 61.0, 55.0, 77.0, 64.0, 63.0, 66.0, 67.0, 62.0, 62.0, 53.0, 80.0, 62.0, 63.0, 62.0,
    ],
    ghost: (32.0, 11.9),
};

const LATIN: Measured = Measured {
    deviation_ms: [17.25, 17.95, 12.3],
    velocities: [
        67.0, 34.0, 63.0, 60.0, 59.0, 39.0, 63.0, 60.0, 62.0, 46.0, 64.0, 66.0, 61.0, 46.0, 60.0, 55.0,
    ],
    ghost: (31.0, 11.9),
};

/// Styles of ours that are played by people, and whose drummers were measured.
const STYLES: [(&str, &Measured); 6] = [
    ("rock", &ROCK),
    ("funk", &FUNK),
    ("hip-hop", &FUNK),
    ("rnb", &FUNK),
    ("jazzy", &JAZZ),
    ("reggae", &LATIN),
];

const BARS: i64 = 1024;
const BAR: i64 = 4 * 480;

/// A beat of eighths on the hi-hat, with bass drum on the first and third quarter and snare drum on the others, played at 120
/// quarters a minute.
fn played(settings: &Humanize) -> Vec<Note> {
    let mut settings = settings.clone();
    (settings.dropout, settings.ghosts, settings.feel) = (Some(0.0), 0.0, Default::default());
    let stroke = |start: i64, key: u8, velocity: u8| Note {
        start: Ticks(start),
        end: Ticks(start + 60),
        channel: 9,
        key,
        velocity,
    };
    let mut notes = vec![];
    for at in (0..BARS * BAR).step_by(240) {
        notes.push(stroke(at, HAT, 80));
        match at % BAR {
            0 | 960 => notes.push(stroke(at, KICK, 80)),
            480 | 1440 => notes.push(stroke(at, SNARE, 80)),
            _ => {}
        }
    }
    humanize(&mut notes, &Pulse::steady(480, 120.0), Ticks(BARS * BAR), &settings).unwrap();
    notes
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As the figures above were computed: the median deviation from the median, as if normally distributed.
fn robust_deviation(values: &mut [f64]) -> f64 {
    let middle = median(values);
    values.iter_mut().for_each(|value| *value = (*value - middle).abs());
    1.4826 * median(values)
}

/// How far strokes of a key are off in ms, without what their bar as a whole is off.
fn deviation_ms(notes: &[Note], key: u8) -> f64 {
    let late = |note: &Note| {
        let grid = (note.start.0 + 120) / 240 * 240;
        (grid / BAR, (note.start.0 - grid) as f64 / 0.96)
    };
    let mut bars = vec![(0.0, 0.0); BARS as usize + 1];
    for note in notes {
        let (bar, ms) = late(note);
        let (sum, count) = &mut bars[bar as usize];
        (*sum, *count) = (*sum + ms, *count + 1.0);
    }
    let of_key = notes.iter().filter(|note| note.key == key).map(late);
    let mut off: Vec<f64> =
        of_key.map(|(bar, ms)| ms - bars[bar as usize].0 / bars[bar as usize].1).collect();
    robust_deviation(&mut off)
}

fn deviations_ms(settings: &Humanize) -> [f64; 3] {
    let notes = played(settings);
    [KICK, SNARE, HAT].map(|key| deviation_ms(&notes, key))
}

/// Each as a share of the three together.
fn shares(deviations: [f64; 3]) -> [f64; 3] {
    let sum: f64 = deviations.iter().sum();
    deviations.map(|deviation| deviation / sum)
}

fn is_shared_out_as(deviations: [f64; 3], measured: &Measured) -> bool {
    let both = shares(deviations).into_iter().zip(shares(measured.deviation_ms));
    both.into_iter().all(|(ours, theirs)| (ours / theirs - 1.0).abs() < 0.2)
}

/// Whether somebody is as steady as one of those drummers may be: not looser than they are together, nor much steadier.
fn is_as_steady_as(deviations: [f64; 3], measured: &Measured) -> bool {
    let both = deviations.into_iter().zip(measured.deviation_ms);
    both.into_iter().all(|(ours, theirs)| (0.4..=1.0).contains(&(ours / theirs)))
}

#[test]
fn timing_wanders_as_far_as_was_measured_and_is_shared_out_as_it_was() {
    for (name, measured) in STYLES {
        let ours = deviations_ms(&style(name).unwrap().settings(1));
        println!(
            "{name}: {ours:.1?} ms of bass drum, snare drum and hi-hat; measured {:.1?}",
            measured.deviation_ms
        );
        assert!(is_shared_out_as(ours, measured), "{name}: {ours:?}");
        assert!(is_as_steady_as(ours, measured), "{name}: {ours:?}");
    }
}

#[test]
fn control_a_machine_a_stumbler_and_the_wrong_hand_are_told() {
    let machine = deviations_ms(&style("edm").unwrap().settings(1));
    assert!(!is_as_steady_as(machine, &ROCK), "{machine:?}");
    let stumbler = deviations_ms(&Humanize::drummer(1.0, 0.5, 1));
    assert!(!is_as_steady_as(stumbler, &ROCK), "{stumbler:?}");
    // The drummer without a style has the hi-hat loosest, as the system it comes from.
    assert!(!is_shared_out_as(deviations_ms(&Humanize::drummer(0.4, 0.5, 1)), &ROCK));
}

/// The most that velocities at one place differ by in the performances together: of closed hi-hats in rock.
const MOST_VELOCITY_DEVIATION: f64 = 47.4;

fn velocity_deviation(settings: &Humanize) -> f64 {
    let notes = played(settings);
    let mut velocities: Vec<f64> =
        notes.iter().filter(|note| note.key == HAT).map(|note| f64::from(note.velocity)).collect();
    robust_deviation(&mut velocities)
}

#[test]
fn velocities_differ_no_more_than_was_measured_and_are_no_machines() {
    for (name, _) in STYLES {
        let ours = velocity_deviation(&style(name).unwrap().settings(1));
        println!("{name}: velocities deviate by {ours:.1}");
        assert!((3.0..MOST_VELOCITY_DEVIATION).contains(&ours), "{name}: {ours}");
    }
    assert!(velocity_deviation(&Humanize::uniform(0.0, 0.5, 1)) < 3.0, "control");
}

#[test]
fn ghost_notes_are_as_soft_as_was_measured() {
    for (name, measured) in STYLES {
        let settings = style(name).unwrap().settings(1);
        let mut notes: Vec<Note> = played(&settings).into_iter().filter(|note| note.key == SNARE).collect();
        notes.iter_mut().for_each(|note| note.velocity = 90);
        let before = notes.len();
        let with = Humanize { ghosts: 1.0, dropout: Some(0.0), ..settings };
        humanize(&mut notes, &Pulse::steady(480, 120.0), Ticks(BARS * BAR), &with).unwrap();
        assert!(notes.len() > before * 3 / 2, "{name}");
        let mut soft: Vec<f64> =
            notes.iter().map(|note| f64::from(note.velocity)).filter(|&it| it < 60.0).collect();
        let (velocity, deviation) = measured.ghost;
        let ours = median(&mut soft);
        println!("{name}: ghost notes have velocity {ours}; measured {velocity}");
        assert!((velocity - deviation..=velocity + deviation).contains(&ours), "{name}: {ours}");
    }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| f(a - mean_a, b - mean_b)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

#[test]
fn the_templates_accents_are_where_drummers_have_them() {
    for (name, measured) in
        [("rock", &ROCK), ("funk", &FUNK), ("hiphop", &FUNK), ("jazz", &JAZZ), ("latin", &LATIN)]
    {
        let ours = template(name).unwrap().velocities.map(f64::from);
        let alike = correlation(&ours, &measured.velocities);
        println!("{name}: velocities by sixteenth correlate with what was measured: {alike:.2}");
        assert!(alike > 0.5, "{name}: {alike}");
        let mut shifted = measured.velocities;
        shifted.rotate_left(1);
        assert!(correlation(&ours, &shifted) < 0.0, "{name}: control, a sixteenth later");
    }
}
