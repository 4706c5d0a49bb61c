//! Our drummer beside figures that are published of human ones.
//!
//! - Hennig, Fleischmann, Geisel 2012, "Musical rhythms: the science of being slightly off", Physics Today 65(7), 64-65: a professional's
//!   hits fall 10 to 20 ms before or after a metronome's (as the Harvard Gazette of July 2012 sums it up).
//! - Hennig et al. 2011, "The nature and perception of fluctuations in human musical rhythms", PLoS ONE 6(10) e26457: such
//!   deviations have long-range correlations, and listeners like these better than independent ones.
//! - Friberg & Sundström 2002, "Swing ratios and ensemble timing in jazz performance", Music Perception 19(3), 333-349: drummers' swing
//!   ratios go from 3.5:1 at slow tempi to 1:1 at fast ones; the short note lasts about 100 ms from medium to fast tempi.
//! - Hofmann, Wesolowski, Goebl 2017, "The tight-interlocked rhythm section", Journal of New Music Research 46(4), 329-341: the pedal hi-hat
//!   is 2 to 26 ms ahead of the pulse; listeners like asynchronies below 19 ms.
//! - Sogorski, Geisel, Priesemann 2018, "Correlated microtiming deviations in jazz and rock music", PLOS ONE 13(1) e0186361: from beat to
//!   beat, jazz is less regular than rock and pop.
//!
//! What was measured of one large set of performances, velocities too, is in `measured.rs`. Here, of velocities, what is said of them in
//! words: ghost notes are far below accents, and who plays more freely plays less evenly.

use kmidi_core::Ticks;
use kmidi_song::Note;
use kmidi_song::groove::{
    Drum, Humanize, Pulse, humanize, pocket, pockets, presets, style, template, templates,
};

use super::songs::steady;

/// How late each of many strokes is, in milliseconds, at 120 quarter notes a minute: eighths of one drum, all kept.
fn late_ms(settings: &Humanize, key: u8) -> Vec<f64> {
    let mut settings = settings.clone();
    settings.feel = Default::default();
    settings.ghosts = 0.0;
    let mut notes = steady(4096, 240, 9, key, 90);
    humanize(&mut notes, &Pulse::steady(480, 120.0), Ticks(4096 * 240), &settings).unwrap();
    notes.iter().map(|note| (note.start.0 - (note.start.0 + 120) / 240 * 240) as f64 / 0.96).collect()
}

fn sd(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// How far a stroke usually is from where its drummer has the beat.
fn usual(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).abs()).sum::<f64>() / values.len() as f64
}

/// Bounds of how far a professional usually is off: less than a millisecond is a machine, more than 20 ms is no professional.
fn is_human(deviation_ms: f64) -> bool {
    (1.0..=20.0).contains(&deviation_ms)
}

/// Presets and styles that say of themselves that they are no ordinary drummer.
const EXTREMES: [&str; 3] = ["mechanical_dissociation", "chaotic_breakdown", "edm"];

#[test]
fn hits_are_as_far_from_the_beat_as_a_professionals() {
    let presets = presets().iter().map(|preset| (preset.name, preset.settings(1)));
    let styles = kmidi_song::groove::styles().iter().map(|style| (style.name, style.settings(1)));
    for (name, settings) in presets.chain(styles).filter(|(name, _)| !EXTREMES.contains(name)) {
        for key in [36, 38, 42] {
            let deviation = usual(&late_ms(&settings, key));
            assert!(is_human(deviation), "{name}, key {key}: {deviation:.1} ms");
        }
    }
    // At a medium looseness the hi-hat, where the hand is freest, is as far off as has been published.
    let medium = usual(&late_ms(&Humanize::drummer(0.4, 0.5, 1), 42));
    assert!((10.0..=20.0).contains(&medium), "{medium}");
}

#[test]
fn control_a_machine_and_a_stumbler_are_told_from_a_professional() {
    assert!(!is_human(usual(&late_ms(&Humanize::drummer(0.0, 0.5, 1), 42))));
    assert!(!is_human(usual(&late_ms(&Humanize::drummer(1.0, 0.5, 1), 42))));
}

/// Share of the variance that is left when neighbouring values are put together by the dozen: about a twelfth (0.083) where they
/// have nothing to do with each other, far more where they have long-range correlations.
fn shared_variance(values: &[f64]) -> f64 {
    let means: Vec<f64> = values.chunks_exact(12).map(|it| it.iter().sum::<f64>() / 12.0).collect();
    (sd(&means) / sd(values)).powi(2)
}

#[test]
fn deviations_have_long_range_correlations() {
    let drummer = shared_variance(&late_ms(&Humanize::drummer(0.4, 0.5, 1), 42));
    assert!(drummer > 0.3, "{drummer}");
    // Control: the uniform algorithm has none.
    let uniform = shared_variance(&late_ms(&Humanize::uniform(1.0, 0.5, 1), 42));
    assert!((0.05..0.12).contains(&uniform), "{uniform}");
}

/// Long note to short note of a swung pair of eighths.
fn swing_ratio(swing: f64) -> f64 {
    (0.5 + swing / 4.0) / (0.5 - swing / 4.0)
}

#[test]
fn swing_is_between_what_drummers_play_and_its_short_note_is_theirs() {
    for template in templates() {
        assert!((1.0..=3.5).contains(&swing_ratio(template.swing)), "{}", template.name);
    }
    let jazz = template("jazz").unwrap();
    assert!((swing_ratio(jazz.swing) - 2.0).abs() < 0.05, "triplets");
    // At the fast end of its tempi: a quarter note of 300 ms.
    let short_ms = (0.5 - jazz.swing / 4.0) * 60_000.0 / jazz.tempo_range_bpm.1;
    assert!((short_ms - 100.0).abs() < 5.0, "{short_ms}");
}

#[test]
fn the_pedal_hi_hat_of_jazz_is_ahead_and_no_pocket_falls_apart() {
    let jazz = pocket("jazz").unwrap().pocket;
    assert!((-26.0..=-2.0).contains(&jazz.milliseconds(Drum::PedalHat)));
    let drums = [Drum::Kick, Drum::Snare, Drum::ClosedHat, Drum::PedalHat, Drum::Ride];
    for named in pockets() {
        let of = |drum| named.pocket.milliseconds(drum);
        // What sounds together: hands and feet on one beat.
        let most = drums.map(of).into_iter().fold(f64::MIN, f64::max);
        let least = drums.map(of).into_iter().fold(f64::MAX, f64::min);
        assert!(most - least <= 20.0, "{}: {}", named.name, most - least);
    }
    let spread = jazz.milliseconds(Drum::Snare) - jazz.milliseconds(Drum::PedalHat);
    assert!(spread < 19.0, "{spread}");
}

#[test]
fn jazz_is_less_regular_than_rock_from_beat_to_beat() {
    let irregular = |name: &str| {
        let late = late_ms(&style(name).unwrap().settings(1), 42);
        sd(&late.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>())
    };
    assert!(irregular("jazzy") > 1.3 * irregular("rock"));
    assert!(irregular("rock") > 1.3 * irregular("metal"));
}

#[test]
fn ghost_notes_are_far_below_accents_and_freedom_is_uneven() {
    let velocities = |settings: &Humanize| -> Vec<f64> {
        let mut notes: Vec<Note> = steady(2048, 960, 9, 38, 90);
        notes.iter_mut().for_each(|note| note.end = note.start + Ticks(60));
        humanize(&mut notes, &Pulse::steady(480, 120.0), Ticks(2048 * 960), settings).unwrap();
        notes.iter().map(|note| f64::from(note.velocity)).collect()
    };
    let with = velocities(&Humanize { ghosts: 0.3, ..Humanize::drummer(0.3, 0.5, 1) });
    let soft = with.iter().filter(|&&velocity| velocity < 55.0).count() as f64 / with.len() as f64;
    assert!((0.15..0.35).contains(&soft), "{soft}");
    let none =
        |vulnerability| velocities(&Humanize { ghosts: 0.0, ..Humanize::drummer(0.3, vulnerability, 1) });
    assert!(sd(&none(0.2)) < sd(&none(0.5)) && sd(&none(0.5)) < sd(&none(0.8)));
}
