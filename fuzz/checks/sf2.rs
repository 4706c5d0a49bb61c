//! What must hold for any bytes at all that are read as a SoundFont. The fuzz target and the tests of
//! damaged files both come here.

use std::sync::Arc;

use basedrop::Collector;
use kmidi_soundfont::{Preset, SoundFont, SoundFontError};

/// Memory that the samples may take, in bytes.
const MEMORY: u64 = 1 << 24;

/// Loads every preset, and says how many can be loaded. Panics if anything is not as promised.
///
/// # Errors
/// The bytes are no SoundFont.
pub fn check(bytes: &[u8]) -> Result<usize, SoundFontError> {
    let mut collector = Collector::new();
    let result = load_all(bytes, &mut collector);
    collector.collect();
    assert!(collector.try_cleanup().is_ok(), "something is kept alive for ever");
    result
}

fn load_all(bytes: &[u8], collector: &mut Collector) -> Result<usize, SoundFontError> {
    let mut font = SoundFont::open(Arc::new(bytes.to_vec()), &collector.handle())?;
    font.set_memory_limit(MEMORY);
    let mut count = 0;
    for info in font.presets() {
        assert!(font.has_preset(info.bank, info.program) && info.program < 128);
        match font.load_preset(info.bank, info.program, None) {
            Ok(preset) => {
                check_preset(&preset);
                count += 1;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        assert!(font.resident_bytes() <= MEMORY);
        collector.collect();
        font.free_unused();
    }
    assert_eq!(font.resident_bytes(), 0, "no preset is left that would need a sample");
    let warnings = font.warnings();
    assert!(warnings.kept().len() <= warnings.total());
    assert!(warnings.kept().iter().all(|warning| !warning.to_string().is_empty()));
    Ok(count)
}

fn check_preset(preset: &Preset) {
    assert!(!preset.zones.is_empty() && preset.zones.len() <= 4096);
    for zone in &preset.zones {
        assert!(!zone.keys.is_empty() && *zone.keys.end() < 128);
        assert!(!zone.velocities.is_empty() && *zone.velocities.end() < 128);
        assert!(zone.modulators.len() <= 64);
        let sample = &zone.sample;
        assert!(sample.frames() > 0 && sample.rate_hz > 0 && sample.root_key < 128);
        assert!(sample.loop_start <= sample.loop_end && sample.loop_end as usize <= sample.frames());
        assert!(sample.data.iter().all(|frame| frame.is_finite()));
    }
}
