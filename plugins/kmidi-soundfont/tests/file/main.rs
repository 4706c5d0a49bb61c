//! SoundFont files: what is read from whole ones, and what becomes of damaged ones.
#![forbid(unsafe_code)]

mod damaged;
mod golden;
mod installed;
mod loading;
mod samples;
#[path = "../../../../fuzz/checks/sf2.rs"]
mod sf2;
mod shipped;
#[path = "../support/mod.rs"]
mod support;
mod zones;

use std::sync::Arc;

use basedrop::{Collector, Shared};
use kmidi_soundfont::file::WarningKind;
use kmidi_soundfont::{Preset, SampleSource, SoundFont, SoundFontError};

/// Opens a SoundFont whose things nobody collects: tests are short.
fn open(source: impl SampleSource + 'static) -> Result<SoundFont, SoundFontError> {
    SoundFont::open(Arc::new(source), &Collector::new().handle())
}

/// The one preset of a font made with `SoundFontBuilder::simple`, which must be in order.
fn preset_of(builder: &support::SoundFontBuilder) -> Shared<Preset> {
    let font = open(builder.bytes()).unwrap();
    let preset = font.load_preset(0, 0, None).unwrap();
    assert_eq!(font.warnings().kept(), []);
    preset
}

fn kinds(font: &SoundFont) -> Vec<WarningKind> {
    font.warnings().kept().iter().map(|warning| warning.kind).collect()
}
