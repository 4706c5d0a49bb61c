//! SoundFonts that Debian packages install, if they are there.

use std::fs::File;

use crate::open;

/// Loads each preset, or every so many where that takes long: its samples are whole and nothing is to
/// be warned of.
fn check(path: &str, presets: usize, every: usize) {
    let Ok(file) = File::open(path) else {
        eprintln!("SKIPPED: {path} is not installed");
        return;
    };
    let font = open(file).expect(path);
    assert_eq!(font.presets().len(), presets, "{path}");
    for info in font.presets().iter().step_by(every) {
        let preset = font.load_preset(info.bank, info.program, None).expect(&info.name);
        for zone in &preset.zones {
            let sample = &zone.sample;
            assert!(sample.frames() > 0 && sample.loop_end as usize <= sample.frames(), "{}", sample.name);
            assert!(sample.data.iter().all(|frame| frame.abs() <= 1.5), "{}", sample.name);
        }
    }
    assert_eq!(font.warnings().kept(), [], "{path}");
}

#[test]
fn sf2_fluidr3() {
    check("/usr/share/sounds/sf2/FluidR3_GM.sf2", 189, 1);
}

#[test]
fn sf2_timgm6mb() {
    check("/usr/share/sounds/sf2/TimGM6mb.sf2", 136, 1);
}

#[test]
fn sf3_fluidr3mono() {
    check("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3", 197, 4);
}

#[test]
fn sf3_musescore_general() {
    check("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3", 311, 8);
}
