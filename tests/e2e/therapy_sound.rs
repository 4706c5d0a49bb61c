//! Pieces of ten feelings as sound, through the built-in SoundFont: loud enough, not too loud, never silent for a bar.

use std::path::Path;

use crate::support::program;
use crate::support::wav::Audio;
use crate::support::{analysis, root};

/// Sentences, and the feelings that speak from them.
const TEXTS: [(&str, &str); 10] = [
    ("I feel deep grief since the funeral", "grief"),
    ("I am furious about this betrayal", "rage"),
    ("The universe is vast and I am in awe", "awe"),
    ("I remember my childhood, those old days", "nostalgia"),
    ("I am scared and trapped in dread", "fear"),
    ("I feel numb and detached, as in a fog", "dissociation"),
    ("I am full of joy and delighted", "joy"),
    ("I feel calm and peaceful", "calm"),
    ("We won, what a triumph", "triumph"),
    ("Gentle, soft and tender care", "tenderness"),
];

/// Bars of a piece, and its tempo in quarter notes a minute: the same for all.
const BARS: usize = 12;
const BPM: f64 = 100.0;

/// Softer than this is silence, in dBFS.
const SILENCE_DBFS: f64 = -60.0;

/// Loudness that pieces keep, softest feelings and loudest, in LUFS.
const LOUDNESS_LUFS: std::ops::RangeInclusive<f64> = -45.0..=-9.0;

fn compose(text: &str, affect: &str, file: &Path) {
    let path = file.to_str().expect("UTF-8");
    let (bars, bpm) = (BARS.to_string(), BPM.to_string());
    let arguments = ["therapy", text, "--json", "--seed", "1", "--bars", &bars, "--bpm", &bpm, "-o", path];
    let plan = program::kmidi(&arguments).success().json();
    assert_eq!(plan["affect"], affect, "{text}: {plan:#}");
}

/// Loudness in dBFS of each bar.
fn bars_dbfs(audio: &Audio) -> Vec<f64> {
    let mono = audio.mono();
    let bar = (4.0 * 60.0 / BPM * f64::from(audio.rate_hz)) as usize;
    mono.chunks_exact(bar).take(BARS).map(|bar| 20.0 * analysis::rms(bar).max(1e-9).log10()).collect()
}

#[test]
fn ten_feelings_sound_in_every_bar_at_a_level_in_range() {
    let font = root().join("assets/soundfonts/kmidi-gm.sf3");
    let font = font.to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    for (text, affect) in TEXTS {
        let (song, sound) = (folder.path().join("song.mid"), folder.path().join("sound.wav"));
        compose(text, affect, &song);
        let (song, path) = (song.to_str().expect("UTF-8"), sound.to_str().expect("UTF-8"));
        let arguments = ["render", "--sf", font, "--bits", "32f", "--loudness", "--json", "-o", path, song];
        let report = program::kmidi(&arguments).success().json();
        let loudness = report["loudness"]["integrated_lufs"].as_f64().expect("a loudness");
        let peak = report["peak_dbfs"].as_f64().expect("a peak");
        let bars = bars_dbfs(&Audio::read(&sound));
        let softest = bars.iter().copied().fold(0.0, f64::min);
        println!("{affect:13} {loudness:6.1} LUFS, peak {peak:6.1} dBFS, softest bar {softest:6.1} dBFS");
        assert!(LOUDNESS_LUFS.contains(&loudness), "{affect}: {loudness} LUFS");
        assert!(peak < 0.0, "{affect} clips: {peak} dBFS");
        assert!(bars.len() == BARS && softest > SILENCE_DBFS, "{affect}: {bars:.1?}");
    }
}

#[test]
fn control_a_silent_bar_is_seen() {
    let (rate_hz, bar) = (8_000, 19_200);
    let sound = |bars: usize| vec![0.1; bars * bar];
    let audio = Audio { rate_hz, channels: vec![[sound(3), vec![0.0; bar], sound(8)].concat()] };
    let bars = bars_dbfs(&audio);
    assert_eq!(bars.iter().filter(|dbfs| **dbfs <= SILENCE_DBFS).count(), 1);
}
