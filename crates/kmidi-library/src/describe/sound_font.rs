//! SoundFonts: each preset is an item.

use std::sync::Arc;

use basedrop::Collector;
use kmidi_soundfont::{DRUM_BANK, SampleSource, SoundFont};

use super::{DescribeError, gm};
use crate::{Item, ItemKind};

pub(super) fn describe(source: impl SampleSource + 'static) -> Result<Vec<Item>, DescribeError> {
    let collector = Collector::new();
    let font = SoundFont::open(Arc::new(source), &collector.handle());
    let font = font.map_err(DescribeError::damaged)?;
    let of_font = font.name().trim();
    let item = |preset: &kmidi_soundfont::PresetInfo| {
        // What a program is in General MIDI most SoundFonts keep to, whatever they call it.
        let what = match preset.bank {
            DRUM_BANK => "drum kit, drums, percussion".to_owned(),
            _ => format!("{}, {}", gm::program(preset.program), gm::family(preset.program)),
        };
        Item {
            kind: ItemKind::Preset,
            part: format!("{}:{}", preset.bank, preset.program),
            name: preset.name.trim().to_owned(),
            text: format!("{what}. {of_font}"),
            key: None,
            bpm: None,
            duration_seconds: None,
        }
    };
    Ok(font.presets().iter().map(item).collect())
}
