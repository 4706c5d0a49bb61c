//! A score through FluidSynth, as it is installed.

use std::process::Command;

use crate::score::{RATE, Score};

/// Left and right, dry.
pub fn render(soundfont: &str, score: &Score) -> [Vec<f32>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (midi, wav) = (folder.path().join("flat.mid"), folder.path().join("out.wav"));
    std::fs::write(&midi, score.flattened()).unwrap();
    let status = Command::new("fluidsynth")
        .args(["-ni", "-q", "-R0", "-C0", "-g0.2", "-O", "float", "-T", "wav", "-r", &RATE.to_string()])
        .args(["-o", "synth.polyphony=1024", "-o", "synth.dynamic-sample-loading=1", "-F"])
        .args([wav.as_os_str(), soundfont.as_ref(), midi.as_os_str()])
        .stdout(std::process::Stdio::null())
        .status()
        .expect("fluidsynth must be installed: apt-get install fluidsynth");
    assert!(status.success());
    let mut reader = hound::WavReader::open(&wav).unwrap();
    assert_eq!(reader.spec().channels, 2);
    let mut sound = [Vec::new(), Vec::new()];
    for (i, sample) in reader.samples::<f32>().enumerate() {
        sound[i % 2].push(sample.unwrap());
    }
    sound
}
