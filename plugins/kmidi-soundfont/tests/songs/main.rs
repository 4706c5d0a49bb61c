//! Real songs: beside FluidSynth, and against the oracle.

mod fluidsynth;
mod likeness;
#[path = "../oracle/mod.rs"]
mod oracle;
mod ours;
#[path = "../sound/residual.rs"]
mod residual;
mod score;

use std::path::PathBuf;

use kmidi_soundfont::SynthConfig;
use likeness::Likeness;
use ours::Instruments;
use residual::residual_db;
use score::{RATE, Score};

const FLUID_R3: &str = "/usr/share/sounds/sf2/FluidR3_GM.sf2";

/// All songs of the project's test data.
fn songs() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/midi/freedoom");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut songs: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "mid")).collect();
    songs.sort();
    assert!(songs.len() >= 10);
    songs
}

/// Both agreements of a song with FluidSynth that the project promises.
const WORST_BAND_DB: f64 = 0.5;
const WORST_ENVELOPE: f64 = 0.99;

#[test]
fn ten_songs_sound_like_fluidsynth() {
    let instruments = Instruments::open(FLUID_R3);
    for song in songs() {
        let score = Score::read(&song, 30);
        let song = song.file_stem().unwrap().display();
        let reference = fluidsynth::render(FLUID_R3, &score);
        let frames = reference[0].len() as u64;
        let sound = ours::render(&instruments, &score, frames, SynthConfig::new(RATE));
        let likeness = Likeness::of(&sound, &reference);
        println!("{song:20} {likeness}");
        assert!(likeness.worst_band_db() <= WORST_BAND_DB, "{song}: {likeness}");
        assert!(likeness.envelope >= WORST_ENVELOPE, "{song}: {likeness}");
        assert!(likeness.level_db.abs() < 2.0, "{song}: the default gain is near FluidSynth's: {likeness}");
        assert!(sound.iter().flatten().all(|x| x.abs() < 1.0), "{song} clips");
    }
}

#[test]
fn the_measure_of_likeness_sees_a_dull_copy_and_a_late_one() {
    let instruments = Instruments::open(FLUID_R3);
    let score = Score::read(&songs()[0], 10);
    let sound = ours::render(&instruments, &score, 10 * u64::from(RATE), SynthConfig::new(RATE));
    let dull = sound.clone().map(|channel| channel.windows(3).map(|w| (w[0] + w[1] + w[2]) / 3.0).collect());
    assert!(Likeness::of(&dull, &sound).worst_band_db() > WORST_BAND_DB);
    let late = sound.clone().map(|channel| [vec![0.0; RATE as usize / 10], channel].concat());
    assert!(Likeness::of(&late, &sound).envelope < WORST_ENVELOPE);
}

#[test]
fn songs_are_what_the_oracle_says() {
    const SECONDS: u64 = 6;
    let instruments = Instruments::open(FLUID_R3);
    for song in songs() {
        let score = Score::read(&song, SECONDS);
        let song = song.file_stem().unwrap().display();
        let frames = SECONDS * u64::from(RATE);
        let config = SynthConfig { velocity_to_cutoff: true, gain: 1.0, ..SynthConfig::new(RATE) };
        let sound = ours::render(&instruments, &score, frames, config);
        let events: Vec<_> =
            score.events.iter().filter_map(|(frame, event)| Some((*frame, event.event()?))).collect();
        let reference = oracle::render(&|key| instruments.preset(key), &events, frames, f64::from(RATE));
        let residual = residual_db(&sound, &reference);
        println!("{song:20} residual {residual:.1} dB");
        assert!(residual < -60.0, "{song}: residual {residual:.1} dB");
    }
}
