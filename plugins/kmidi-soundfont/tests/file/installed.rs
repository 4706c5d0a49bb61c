//! SoundFonts that Debian packages install, if they are there.

use std::fs::File;
use std::sync::Arc;

use basedrop::Collector;
use kmidi_soundfont::SoundFont;

fn open(path: &str) -> Option<(Collector, SoundFont)> {
    let Ok(file) = File::open(path) else {
        eprintln!("SKIPPED: {path} is not installed");
        return None;
    };
    let collector = Collector::new();
    let font = SoundFont::open(Arc::new(file), &collector.handle()).expect(path);
    Some((collector, font))
}

#[test]
fn smoke() {
    for path in [
        "/usr/share/sounds/sf2/FluidR3_GM.sf2",
        "/usr/share/sounds/sf2/TimGM6mb.sf2",
        "/usr/share/sounds/sf3/FluidR3Mono_GM.sf3",
        "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
    ] {
        let Some((collector, font)) = open(path) else { continue };
        let t = std::time::Instant::now();
        for p in font.presets() {
            if let Err(e) = font.load_preset(p.bank, p.program, None) {
                println!("{e}");
            }
        }
        println!(
            "{path} {} {} {:?} warnings {}",
            font.presets().len(),
            font.resident_bytes(),
            t.elapsed(),
            font.warnings().total()
        );
        for w in font.warnings().kept() {
            println!("  {w}");
        }
        std::mem::forget(collector);
    }
}
