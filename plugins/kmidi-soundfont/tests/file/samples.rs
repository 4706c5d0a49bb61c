//! Sample data: 16 and 24 bits, Vorbis, loops, guard frames.

use kmidi_soundfont::file::{ROM, WarningKind};
use kmidi_soundfont::{GUARD_FRAMES, Sample, SoundFontError};

use crate::support::{SoundFontBuilder, ZoneSketch};
use crate::{kinds, open, preset_of};

const SINE: &[u8] = include_bytes!("../data/sine.ogg");
/// Frames of [`SINE`]: a sine of half the full scale with a period of 100 frames.
const SINE_FRAMES: usize = 3001;

fn inner(sample: &Sample) -> &[f32] {
    let (before, rest) = sample.data.split_at(GUARD_FRAMES);
    let (inner, after) = rest.split_at(rest.len() - GUARD_FRAMES);
    assert!(before.iter().chain(after).all(|&frame| frame == 0.0), "guards are silent");
    inner
}

fn ramp(frames: usize) -> Vec<i16> {
    (0..frames).map(|frame| (frame * 7919) as u16 as i16).collect()
}

/// A font whose only instrument plays its only sample.
fn on_one_sample(builder: SoundFontBuilder) -> SoundFontBuilder {
    builder.instrument("Instrument", &[ZoneSketch::new().sample(0)]).preset(
        0,
        0,
        "Preset",
        &[ZoneSketch::new().instrument(0)],
    )
}

#[test]
fn sixteen_bits_are_exact_for_any_length() {
    // Around the length that is read at once.
    for length in [1, 2, 46, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, 3 << 14] {
        let frames = ramp(length);
        let preset = preset_of(&SoundFontBuilder::simple(&frames, &[ZoneSketch::new().sample(0)]));
        let expected: Vec<f32> = frames.iter().map(|&frame| f32::from(frame) / 32768.0).collect();
        assert_eq!(inner(&preset.zones[0].sample), expected, "{length}");
    }
}

#[test]
fn twenty_four_bits_are_exact() {
    let frames = [0, 1, -1, 32767, -32768];
    let low = [1, 255, 0, 255, 0];
    let mut bytes = low.to_vec();
    // The frames of silence after the sample have low bytes as well.
    bytes.resize(5 + 46, 0);
    let builder = on_one_sample(SoundFontBuilder::new().sample(&frames, (0, 5)).low_bytes(&bytes));
    let expected = [1.0, 511.0, -256.0, 8_388_607.0, -8_388_608.0].map(|frame: f32| frame / 8_388_608.0);
    assert_eq!(inner(&preset_of(&builder).zones[0].sample), expected);
}

#[test]
fn low_bytes_that_do_not_fit_are_not_used() {
    let good = on_one_sample(SoundFontBuilder::new().sample(&[100; 4], (0, 4)).low_bytes(&[128; 50]));
    let mut too_short = good.clone();
    too_short.sm24.as_mut().unwrap().truncate(49);
    let mut too_old = good.clone();
    too_old.tables.version = (2, 1);
    assert_eq!(inner(&preset_of(&good).zones[0].sample)[0], 25_728.0 / 8_388_608.0);
    for bad in [too_short, too_old] {
        let font = open(bad.bytes()).unwrap();
        let preset = font.load_preset(0, 0, None).unwrap();
        assert_eq!(inner(&preset.zones[0].sample)[0], 100.0 / 32768.0);
        assert_eq!(kinds(&font), [WarningKind::BadExtension]);
    }
}

#[test]
fn several_samples_do_not_mix() {
    let builder = SoundFontBuilder::new()
        .sample(&[1; 10], (0, 10))
        .sample(&[2; 20], (5, 15))
        .instrument("Instrument", &[ZoneSketch::new().sample(1), ZoneSketch::new().sample(0)])
        .preset(0, 0, "Preset", &[ZoneSketch::new().instrument(0)]);
    let preset = preset_of(&builder);
    assert_eq!(inner(&preset.zones[0].sample), [2.0 / 32768.0; 20]);
    assert_eq!(inner(&preset.zones[1].sample), [1.0 / 32768.0; 10]);
    // Loops count from their own sample.
    assert_eq!((preset.zones[0].sample.loop_start, preset.zones[0].sample.loop_end), (5, 15));
}

#[test]
fn vorbis_keeps_its_length_its_sound_and_its_loop() {
    let builder = on_one_sample(SoundFontBuilder::new().sample(&[1; 7], (0, 7)).vorbis(SINE, (100, 2100)));
    let mut builder = builder;
    // The stream, which is the second sample.
    builder.tables.instrument_generators[0].amount = 1;
    let preset = preset_of(&builder);
    let sample = &preset.zones[0].sample;
    let sound = inner(sample);
    assert_eq!(sound.len(), SINE_FRAMES);
    assert_eq!((sample.loop_start, sample.loop_end), (100, 2100));
    let (mut error, mut power) = (0.0, 0.0);
    for (frame, &is) in sound.iter().enumerate() {
        let should_be = (std::f64::consts::TAU * frame as f64 / 100.0).sin() / 2.0;
        error += (f64::from(is) - should_be).powi(2);
        power += should_be.powi(2);
    }
    assert!(error < power * 0.003, "25 dB: {error} of {power}");
}

#[test]
fn a_cut_vorbis_stream_plays_as_far_as_it_goes() {
    // Behind the three headers and before the end of the sound.
    let audio = SINE.windows(4).rposition(|bytes| bytes == b"OggS").unwrap();
    let mut damaged = Vec::new();
    for length in [audio + 40, SINE.len() - 1] {
        let builder = on_one_sample(SoundFontBuilder::new().vorbis(&SINE[..length], (0, 0)));
        let font = open(builder.bytes()).unwrap();
        damaged.push((font.load_preset(0, 0, None).is_ok(), kinds(&font)));
    }
    for (is_there, kinds) in damaged {
        let expected = if is_there { WarningKind::DamagedSample } else { WarningKind::EmptySample };
        assert!(kinds.contains(&expected) || kinds == [WarningKind::NoVorbis], "{kinds:?}");
    }
}

#[test]
fn what_is_no_mono_vorbis_is_silent() {
    for stream in [&b"OggS"[..], &[0; 100], &SINE[..200], include_bytes!("../data/stereo.ogg")] {
        let builder = SoundFontBuilder::new()
            .vorbis(stream, (0, 0))
            .vorbis(SINE, (0, 0))
            .instrument("Instrument", &[ZoneSketch::new().sample(0), ZoneSketch::new().sample(1)])
            .preset(0, 0, "Preset", &[ZoneSketch::new().instrument(0)]);
        let font = open(builder.bytes()).unwrap();
        let preset = font.load_preset(0, 0, None).unwrap();
        assert_eq!(kinds(&font), [WarningKind::NoVorbis], "{} bytes", stream.len());
        assert_eq!(preset.zones.len(), 1, "the other zone sounds");
    }
}

#[test]
fn loops_are_cut_to_their_sample() {
    let cases = [
        // (loop in the file) -> (loop, warning)
        ((8, 56), (8, 56), false),
        ((0, 64), (0, 64), false),
        ((8, 65), (8, 64), true),
        ((8, u32::MAX - 200), (8, 64), true),
        ((70, 90), (64, 64), true),
        // No loops at all, which is usual for samples that do not loop.
        ((0, 0), (0, 0), false),
        ((40, 20), (20, 20), false),
    ];
    for ((start, end), expected, warned) in cases {
        let builder =
            on_one_sample(SoundFontBuilder::new().sample(&[5; 10], (0, 10)).sample(&[5; 64], (start, end)));
        let mut builder = builder;
        builder.tables.instrument_generators[0].amount = 1;
        let font = open(builder.bytes()).unwrap();
        let preset = font.load_preset(0, 0, None).unwrap();
        let sample = &preset.zones[0].sample;
        assert_eq!((sample.loop_start, sample.loop_end), expected, "{start}..{end}");
        assert_eq!(!kinds(&font).is_empty(), warned, "{start}..{end}");
    }
    // Before the sample.
    let builder = on_one_sample(SoundFontBuilder::new().sample(&[5; 10], (0, 10)).sample(&[5; 64], (8, 56)));
    let mut builder = builder;
    builder.tables.instrument_generators[0].amount = 1;
    builder.tables.samples[1].loop_start = 3;
    let font = open(builder.bytes()).unwrap();
    let preset = font.load_preset(0, 0, None).unwrap();
    assert_eq!((preset.zones[0].sample.loop_start, preset.zones[0].sample.loop_end), (0, 56));
    assert_eq!(kinds(&font), [WarningKind::BadLoop]);
}

#[test]
fn impossible_samples_are_mended_or_silent() {
    type Change = fn(&mut SoundFontBuilder);
    let cases: [(Change, Option<usize>, WarningKind); 6] = [
        (|it| it.tables.samples[0].end = 200, Some(64 + 46), WarningKind::SampleCut),
        (|it| it.tables.samples[0].start = 5000, None, WarningKind::EmptySample),
        (|it| it.tables.samples[0].end = 0, None, WarningKind::EmptySample),
        (|it| it.tables.samples[0].kind |= ROM, None, WarningKind::RomSample),
        (|it| it.tables.samples[0].rate_hz = 0, Some(64), WarningKind::BadRate),
        (|it| it.tables.samples[0].rate_hz = u32::MAX, Some(64), WarningKind::BadRate),
    ];
    for (change, frames, warning) in cases {
        let mut builder = SoundFontBuilder::simple(&[9; 64], &[ZoneSketch::new().sample(0)]);
        change(&mut builder);
        let font = open(builder.bytes()).unwrap();
        let loaded = font.load_preset(0, 0, None);
        match frames {
            Some(frames) => {
                let preset = loaded.unwrap();
                assert_eq!(preset.zones[0].sample.frames(), frames);
                assert!((400..=192_000).contains(&preset.zones[0].sample.rate_hz));
            }
            None => assert!(matches!(loaded, Err(SoundFontError::SilentPreset { .. }))),
        }
        assert_eq!(kinds(&font)[0], warning);
    }
}

#[test]
fn a_sample_without_pitch_counts_as_middle_c() {
    for (root, expected) in [(0, 0), (127, 127), (128, 60), (255, 60)] {
        let mut builder = SoundFontBuilder::simple(&[9; 64], &[ZoneSketch::new().sample(0)]);
        builder.tables.samples[0].root_key = root;
        builder.tables.samples[0].correction_cents = -12;
        let preset = preset_of(&builder);
        assert_eq!(
            (preset.zones[0].sample.root_key, preset.zones[0].sample.correction_cents),
            (expected, -12)
        );
    }
}
