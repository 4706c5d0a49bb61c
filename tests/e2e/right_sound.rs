//! Real songs, dry, sound as FluidSynth plays them with the same SoundFont.
//!
//! Compared on copies with one tick a millisecond, since its tempo drifts; the specification decides where the
//! two differ in detail, so what is compared is the level of each octave and how the level moves.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::analysis;
use crate::support::wav::Audio;
use crate::support::{midi, program, root, servers};

const SOUNDFONT: &str = "/usr/share/sounds/sf2/FluidR3_GM.sf2";
const SECONDS: usize = 60;
const RATE_HZ: u32 = 48_000;

fn fluidsynth(song: &Path, output: &Path) -> Audio {
    let mut fluidsynth = Command::new("fluidsynth");
    fluidsynth.args([
        "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.2", "-r", "48000", "-T", "wav", "-O", "float", "-F",
    ]);
    fluidsynth.arg(output).arg(SOUNDFONT).arg(song).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(fluidsynth.status().expect("fluidsynth runs").success());
    Audio::read(output)
}

fn first_minute(audio: &Audio) -> Vec<f32> {
    let mut mono = audio.mono();
    mono.truncate(SECONDS * RATE_HZ as usize);
    mono
}

/// What differs too much between two sounds.
fn differences(ours: &[f32], theirs: &[f32]) -> Vec<String> {
    let level = 20.0 * (analysis::rms(ours) / analysis::rms(theirs)).log10();
    let (our_bands, their_bands) =
        (analysis::octave_bands_db(ours, RATE_HZ), analysis::octave_bands_db(theirs, RATE_HZ));
    let mut found = Vec::new();
    for (band, (a, b)) in our_bands.iter().zip(their_bands).enumerate() {
        let difference = a - b - level;
        if difference.abs() > 1.0 {
            found.push(format!("octave {band}: {difference:+.2} dB"));
        }
    }
    let correlation = analysis::envelope_correlation(ours, theirs, RATE_HZ);
    if correlation < 0.98 {
        found.push(format!("envelope correlation {correlation:.4}"));
    }
    found
}

#[test]
fn ten_real_songs_sound_as_in_fluidsynth() {
    if !servers::available("fluidsynth") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut songs = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root().join("tests/data/midi/freedoom")).expect("a folder") {
        let original = entry.expect("an entry").path();
        if original.extension().is_none_or(|extension| extension != "mid") {
            continue;
        }
        songs += 1;
        let song = folder.path().join("flat.mid");
        fs::write(&song, midi::flattened(&fs::read(&original).expect("read"))).expect("written");
        let theirs = fluidsynth(&song, &folder.path().join("theirs.wav"));
        let arguments =
            ["--no-effects", "--to", "60s", "--tail", "1", "--sf", SOUNDFONT, song.to_str().expect("UTF-8")];
        let ours = program::render(&arguments, &folder.path().join("ours.wav"));
        assert!(ours.peak() <= 1.0, "{}: clips", original.display());
        for difference in differences(&first_minute(&ours), &first_minute(&theirs)) {
            wrong.push(format!("{}: {difference}", original.file_name().expect("a name").display()));
        }
    }
    assert_eq!(songs, 10);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn control_a_dull_or_shifted_sound_is_seen() {
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let sound: Vec<f32> =
        (0..480_000).map(|i| noise() * if i / 24_000 % 3 == 0 { 0.5 } else { 0.05 }).collect();
    assert_eq!(differences(&sound, &sound), [""; 0]);
    let dull: Vec<f32> = sound.windows(3).map(|w| (w[0] + w[1] + w[2]) / 3.0).collect();
    assert!(differences(&dull, &sound).iter().any(|it| it.starts_with("octave")));
    let late: Vec<f32> = sound[4800..].to_vec();
    assert!(differences(&late, &sound).iter().any(|it| it.starts_with("envelope")));
}
