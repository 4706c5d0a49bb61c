//! What each engine does to notes: its law, not its luck.

use kmidi_core::Ticks;
use kmidi_song::Note;
use kmidi_song::groove::{
    ApplyOptions, Change, Feel, Humanize, Looseness, Pocket, Pulse, change_song, humanize, template,
};

use super::songs::{notes_of, song_of, steady};

/// 1,024 sixteenths of velocity 100, humanised: what is left of them with how late each is.
fn played(settings: &Humanize, channel: u8, key: u8) -> Vec<(i64, Note)> {
    let mut notes = steady(1024, 120, channel, key, 100);
    humanize(&mut notes, &Pulse::steady(480, 120.0), Ticks(1024 * 120), settings).unwrap();
    let late = |note: &Note| note.start.0 - (note.start.0 + 60).div_euclid(120) * 120;
    notes.into_iter().map(|note| (late(&note), note)).collect()
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

fn sd(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let middle = mean(values.clone());
    mean(values.map(|value| (value - middle).powi(2))).sqrt()
}

#[test]
fn uniform_keeps_the_bounds_of_its_original() {
    let notes = played(&Humanize::uniform(0.5, 0.5, 1), 0, 60);
    assert!((870..=960).contains(&notes.len()), "nine in ten are kept: {}", notes.len());
    let late = notes.iter().map(|note| note.0);
    // The very first note cannot be early.
    assert_eq!((late.clone().min(), late.clone().max()), (Some(-4), Some(8)));
    assert!((mean(late.map(|ticks| ticks as f64)) - 2.0).abs() < 0.5);
    let velocities = notes.iter().map(|note| note.1.velocity);
    assert_eq!((velocities.clone().min(), velocities.clone().max()), (Some(93), Some(107)));
    // Each displacement is alike: a thirteenth of the notes has each, within four deviations.
    for ticks in -4..=8 {
        let share = notes.iter().filter(|note| note.0 == ticks).count() as f64 / notes.len() as f64;
        assert!((share - 1.0 / 13.0).abs() < 0.034, "{ticks}: {share}");
    }
    assert!(notes.iter().all(|(_, note)| note.length() == Ticks(60)), "lengths are untouched");
}

#[test]
fn uniform_without_complexity_is_two_ticks_late_and_exact() {
    for (vulnerability, velocity) in [(0.0, 110), (0.5, 100), (1.0, 80)] {
        let notes = played(&Humanize::uniform(0.0, vulnerability, 1), 0, 60);
        assert_eq!(notes.len(), 1024);
        assert!(notes.iter().all(|(late, note)| (*late, note.velocity) == (2, velocity)), "{vulnerability}");
    }
}

#[test]
fn displacements_scale_with_the_division() {
    let mut notes = steady(1024, 240, 0, 60, 100);
    let settings = Humanize::uniform(0.5, 0.5, 1);
    humanize(&mut notes, &Pulse::steady(960, 120.0), Ticks(1024 * 240), &settings).unwrap();
    let late = notes.iter().map(|note| note.start.0 - (note.start.0 + 120) / 240 * 240);
    assert_eq!((late.clone().min(), late.max()), (Some(-8), Some(16)));
}

#[test]
fn the_drummer_is_looser_on_the_hi_hat_than_on_the_snare_and_tightest_on_the_bass_drum() {
    let settings = Humanize { looseness: Looseness::default(), ..Humanize::drummer(0.4, 0.5, 1) };
    let spread = |key| sd(played(&settings, 9, key).into_iter().map(|note| note.0 as f64));
    let [kick, snare, hat] = [36, 38, 42].map(spread);
    for (found, share) in [(kick, 0.5), (snare, 0.7), (hat, 1.2)] {
        // 35 ticks a whole, the outermost cut at 35.
        let wanted = 35.0 * 0.4 * share;
        // What wanders slowly has not been everywhere in a thousand strokes.
        assert!((found / wanted - 1.0).abs() < 0.25, "{found} for {wanted}");
    }
    let late = played(&settings, 9, 36);
    let average = mean(late.iter().map(|note| note.0 as f64));
    assert!((average - 5.0).abs() < 3.0, "a little late: {average}");
    assert!(late.iter().all(|note| (-30..=40).contains(&note.0)));
}

#[test]
fn the_drummer_leaves_out_what_does_not_carry_the_beat() {
    let kept = |key| played(&Humanize::drummer(1.0, 0.5, 1), 9, key).len() as f64 / 1024.0;
    for (key, protection) in [(36, 0.8), (38, 0.7), (42, 0.2), (46, 0.5), (49, 0.9), (51, 0.3)] {
        let wanted = 1.0 - 0.2 * (1.0 - protection);
        assert!((kept(key) - wanted).abs() < 0.04, "{key}: {} for {wanted}", kept(key));
    }
    assert_eq!(played(&Humanize::drummer(1.0, 0.5, 1), 0, 60).len(), 1024, "a melody loses no note");
}

#[test]
fn vulnerability_makes_the_drummer_softer_and_less_even() {
    let velocities = |vulnerability| {
        let settings = Humanize { ghosts: 0.0, ..Humanize::drummer(0.2, vulnerability, 1) };
        let notes = played(&settings, 9, 38);
        let values = notes.iter().map(|note| f64::from(note.1.velocity));
        assert!(values.clone().all(|value| (20.0..=120.0).contains(&value)));
        (mean(values.clone()), sd(values))
    };
    let (sure, open, bare) = (velocities(0.1), velocities(0.5), velocities(0.9));
    assert!((sure.0 - 110.0).abs() < 1.0 && (sure.1 - 5.0).abs() < 0.7, "{sure:?}");
    // The loudest is 120: what would be louder makes the mean a little lower.
    assert!((open.0 - 98.0).abs() < 2.0 && (open.1 - 14.0).abs() < 2.5, "{open:?}");
    assert!((bare.0 - 81.0).abs() < 3.0 && (bare.1 - 26.0).abs() < 3.5, "{bare:?}");
}

#[test]
fn ghost_notes_are_soft_short_and_where_there_is_room() {
    // A backbeat: there is room after each stroke.
    let backbeat = steady(1000, 960, 9, 38, 100);
    let settings = Humanize { ghosts: 0.25, ..Humanize::drummer(0.0, 0.9, 1) };
    let pulse = Pulse::steady(480, 120.0);
    let mut notes = backbeat.clone();
    let changes = humanize(&mut notes, &pulse, Ticks(960_000), &settings).unwrap();
    // Each stroke lasts a quarter note: longer than a ghost note waits.
    assert_eq!(changes.ghosts, 0);
    let mut notes: Vec<Note> =
        backbeat.iter().map(|note| Note { end: note.start + Ticks(60), ..*note }).collect();
    let changes = humanize(&mut notes, &pulse, Ticks(960_000), &settings).unwrap();
    assert!((200..=300).contains(&changes.ghosts), "{}", changes.ghosts);
    let mut ghosts = 0;
    for pair in notes.windows(2) {
        let after = pair[1].start.0 - pair[0].start.0;
        if after < 480 {
            ghosts += 1;
            assert!((110..=130).contains(&after) && pair[1].length() == Ticks(30), "{pair:?}");
            assert!(pair[1].velocity <= pair[0].velocity / 2, "{pair:?}");
        }
        assert!(pair[1].start >= pair[0].end);
    }
    assert!(changes.ghosts - ghosts <= 1, "the last one may follow the last stroke");
    // Bass drums and cymbals have none.
    let mut kicks: Vec<Note> = notes.iter().map(|note| Note { key: 36, ..*note }).collect();
    assert_eq!(humanize(&mut kicks, &pulse, Ticks(960_000), &settings).unwrap().ghosts, 0);
    let mut none = backbeat;
    none.iter_mut().for_each(|note| note.end = note.start + Ticks(60));
    let settings = Humanize { ghosts: 0.0, ..settings };
    assert_eq!(humanize(&mut none, &pulse, Ticks(960_000), &settings).unwrap().ghosts, 0);
}

#[test]
fn swing_has_the_second_eighth_later_and_nothing_else() {
    let exact = Humanize::uniform(0.0, 0.5, 1);
    for (swing, later) in [(0.0, 0), (0.5, 60), (2.0 / 3.0, 80), (1.0, 120)] {
        let settings = Humanize { feel: Feel { swing, ..Feel::default() }, ..exact.clone() };
        let mut notes = steady(64, 240, 0, 60, 100);
        humanize(&mut notes, &Pulse::steady(480, 120.0), Ticks(64 * 240), &settings).unwrap();
        for (place, note) in notes.iter().enumerate() {
            let wanted = place as i64 * 240 + 2 + if place % 2 == 1 { later } else { 0 };
            assert_eq!(note.start.0, wanted, "swing {swing}");
        }
    }
}

#[test]
fn pocket_depth_and_accents_are_as_they_say() {
    let pocket = Pocket { snare_ms: 20.0, hat_ms: -10.0, ..Pocket::NONE };
    let feel = Feel { pocket, depth: 0.5, accents: [1.2, 1.0, 0.8, 1.0], ..Feel::default() };
    let settings = Humanize { feel, ..Humanize::uniform(0.0, 0.5, 1) };
    let shift_of = |channel, key, bpm| {
        let mut notes = steady(8, 480, channel, key, 100);
        humanize(&mut notes, &Pulse::steady(480, bpm), Ticks(8 * 480), &settings).unwrap();
        let velocities: Vec<u8> = notes.iter().map(|note| note.velocity).collect();
        assert_eq!(velocities, [120, 100, 80, 100, 120, 100, 80, 100]);
        notes[3].start.0 - 3 * 480
    };
    // Half of a thirty-second note is 30 ticks, 20 ms are 19.2 ticks at 120 and half of that at 60.
    assert_eq!(shift_of(0, 60, 120.0), 2 + 30);
    assert_eq!(shift_of(9, 38, 120.0), 2 + 49);
    assert_eq!(shift_of(9, 38, 60.0), 2 + 40);
    assert_eq!(shift_of(9, 42, 120.0), 2 + 20);
}

#[test]
fn a_groove_puts_notes_where_it_says_whatever_the_division() {
    let groove = template("hiphop").unwrap().groove();
    let whole = ApplyOptions { intensity: 1.0, ..ApplyOptions::default() };
    for (ppq, scale) in [(480, 1), (960, 2), (1920, 4)] {
        let notes = steady(160, 120 * scale, 0, 60, 64);
        let mut song = song_of(ppq, &notes, 160 * 120 * scale);
        change_song(&mut song, Change::Apply(&groove, &whole)).unwrap();
        for (place, note) in notes_of(&song).iter().enumerate() {
            let slot = groove.slots[place % 16].unwrap();
            let swing = if place % 4 == 2 { 0.25 * 120.0 } else { 0.0 };
            let wanted = place as i64 * 120 * scale + ((slot.timing_ticks + swing) * scale as f64) as i64;
            assert_eq!((note.start.0, f64::from(note.velocity)), (wanted, slot.velocity), "{ppq} {place}");
        }
    }
}

#[test]
fn half_the_intensity_is_half_the_way() {
    let groove = template("jazz").unwrap().groove();
    let half = ApplyOptions { intensity: 0.5, ..ApplyOptions::default() };
    let mut song = song_of(480, &steady(16, 120, 0, 60, 50), 1920);
    change_song(&mut song, Change::Apply(&groove, &half)).unwrap();
    let notes = notes_of(&song);
    // 20 late and 50; straight, but 0.67 of swing and 75.
    assert_eq!((notes[1].start.0, notes[1].velocity), (130, 50));
    assert_eq!((notes[2].start.0, notes[2].velocity), (240 + 40, 63));
}

#[test]
fn what_lies_between_the_places_is_another_rhythm_and_stays() {
    let groove = template("funk").unwrap().groove();
    let whole = ApplyOptions { intensity: 1.0, ..ApplyOptions::default() };
    // Triplets: the first of each beat stands on a sixteenth, the others do not.
    let mut song = song_of(480, &steady(12, 160, 0, 60, 100), 1920);
    change_song(&mut song, Change::Apply(&groove, &whole)).unwrap();
    let notes = notes_of(&song);
    assert_eq!([1, 2, 4, 5].map(|at| notes[at].start.0), [160, 320, 640, 800]);
    assert_eq!(notes[3].start.0, 480 + 12);
    // A groove of triplets takes them.
    let triplets = ApplyOptions { slots_per_whole: Some(12), ..whole };
    let mut song = song_of(480, &steady(12, 160, 0, 60, 100), 1920);
    let changes = change_song(&mut song, Change::Apply(&groove, &triplets)).unwrap();
    assert!(changes.moved >= 8, "{}", changes.moved);
}

#[test]
fn a_drum_kit_gets_the_pocket_of_the_genre() {
    let groove = template("hiphop").unwrap().groove();
    let whole = ApplyOptions { intensity: 1.0, ..ApplyOptions::default() };
    let late = |key| {
        let mut song = song_of(480, &steady(4, 480, 9, key, 100), 1920);
        change_song(&mut song, Change::Apply(&groove, &whole)).unwrap();
        notes_of(&song)[1].start.0 - 480
    };
    // The second quarter is 20 ticks late; the snare 20 ms (19.2 ticks) more, the hi-hat 10.
    assert_eq!([late(36), late(38), late(42)], [20, 39, 30]);
}
