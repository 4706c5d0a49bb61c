//! From records to zones: global zones, defaults, offsets, ranges and modulators (section 9).

use kmidi_soundfont::file::{GeneratorRecord, WarningKind};
use kmidi_soundfont::{Controller, DEFAULT_MODULATORS, Generator, KeySet, Modulator, Zone};

use crate::support::{SoundFontBuilder, ZoneSketch};
use crate::{kinds, open, preset_of};

const FRAMES: [i16; 64] = [1000; 64];

fn zone() -> ZoneSketch {
    ZoneSketch::new()
}

/// A font of one instrument with these zones, in a preset with those.
fn font(instrument: &[ZoneSketch], preset: &[ZoneSketch]) -> SoundFontBuilder {
    SoundFontBuilder::new()
        .sample(&FRAMES, (8, 56))
        .sample(&FRAMES, (8, 56))
        .instrument("Instrument", instrument)
        .preset(0, 0, "Preset", preset)
}

fn value(zone: &Zone, generator: Generator) -> i32 {
    zone.generators[generator]
}

#[test]
fn every_generator_has_its_default_and_is_read_signed() {
    let preset = preset_of(&font(&[zone().sample(0)], &[zone().instrument(0)]));
    for &generator in Generator::ALL {
        assert_eq!(value(&preset.zones[0], generator), generator.default_value(), "{generator:?}");
    }
    for &generator in Generator::ALL.iter().filter(|&&generator| generator != Generator::Pitch) {
        let set = zone().set(generator, -7).sample(0);
        let preset = preset_of(&font(&[set], &[zone().instrument(0)]));
        assert_eq!(value(&preset.zones[0], generator), -7, "{generator:?}");
    }
}

#[test]
fn an_instruments_zone_overrides_its_global_zone_and_a_preset_adds() {
    let instrument = [
        zone().set(Generator::Pan, 100).set(Generator::CoarseTune, 5),
        zone().set(Generator::CoarseTune, 7).sample(0),
        zone().sample(1),
    ];
    let preset = [
        zone().set(Generator::Pan, 30).set(Generator::CoarseTune, -2),
        zone().set(Generator::CoarseTune, 1).instrument(0),
    ];
    let preset = preset_of(&font(&instrument, &preset));
    let values = |generator| preset.zones.iter().map(|zone| value(zone, generator)).collect::<Vec<_>>();
    assert_eq!(values(Generator::Pan), [130, 130]);
    assert_eq!(values(Generator::CoarseTune), [8, 6]);
    assert_eq!(values(Generator::InitialFilterFc), [13_500, 13_500]);
}

#[test]
fn of_a_generator_that_is_set_twice_the_last_counts() {
    let twice = zone().set(Generator::Pan, 1).set(Generator::Pan, 2);
    let preset = preset_of(&font(&[twice.clone().sample(0)], &[twice.instrument(0)]));
    assert_eq!(value(&preset.zones[0], Generator::Pan), 4);
}

#[test]
fn a_preset_cannot_set_what_is_no_quantity() {
    let only_instruments = [
        Generator::StartAddrsOffset,
        Generator::EndAddrsOffset,
        Generator::StartLoopAddrsOffset,
        Generator::EndLoopAddrsOffset,
        Generator::StartAddrsCoarseOffset,
        Generator::EndAddrsCoarseOffset,
        Generator::StartLoopAddrsCoarseOffset,
        Generator::EndLoopAddrsCoarseOffset,
        Generator::Keynum,
        Generator::Velocity,
        Generator::SampleModes,
        Generator::ExclusiveClass,
        Generator::OverridingRootKey,
    ];
    for &generator in Generator::ALL.iter().filter(|&&generator| generator != Generator::Pitch) {
        let font = font(&[zone().sample(0)], &[zone().set(generator, 1).instrument(0)]);
        let font = open(font.bytes()).unwrap();
        let preset = font.load_preset(0, 0, None).unwrap();
        let moved = value(&preset.zones[0], generator) - generator.default_value();
        let expected = i32::from(!only_instruments.contains(&generator));
        assert_eq!(moved, expected, "{generator:?}");
        assert_eq!(kinds(&font).is_empty(), expected == 1, "{generator:?}");
    }
}

#[test]
fn ranges_of_both_levels_intersect() {
    let instrument = [
        zone().keys(0, 59).sample(0),
        zone().keys(60, 127).velocities(0, 100).sample(1),
        zone().velocities(101, 127).sample(1),
    ];
    let preset = [zone().keys(48, 72).velocities(20, 110).instrument(0), zone().keys(0, 10).instrument(0)];
    let preset = preset_of(&font(&instrument, &preset));
    let ranges: Vec<_> =
        preset.zones.iter().map(|zone| (zone.keys.clone(), zone.velocities.clone())).collect();
    assert_eq!(
        ranges,
        [
            (48..=59, 20..=110),
            (60..=72, 20..=100),
            (48..=72, 101..=110),
            (0..=10, 0..=127),
            (0..=10, 101..=127)
        ]
    );
}

#[test]
fn ranges_that_do_not_come_first_are_ignored() {
    let late = zone().set(Generator::Pan, 5).keys(10, 20).sample(0);
    let swapped = zone().velocities(1, 2).keys(3, 4).sample(0);
    let builder = font(&[late, swapped], &[zone().instrument(0)]);
    let font = open(builder.bytes()).unwrap();
    let preset = font.load_preset(0, 0, None).unwrap();
    assert_eq!(preset.zones[0].keys, 0..=127);
    assert_eq!((preset.zones[1].keys.clone(), preset.zones[1].velocities.clone()), (0..=127, 1..=2));
    assert_eq!(kinds(&font), [WarningKind::BadGenerator]);
}

#[test]
fn only_zones_that_the_keys_can_sound_are_loaded() {
    let instrument = [zone().keys(0, 59).sample(0), zone().keys(60, 127).sample(1)];
    let font = open(font(&instrument, &[zone().instrument(0)]).bytes()).unwrap();
    let sounding = |keys: &[u8]| {
        let keys: KeySet = keys.iter().copied().collect();
        let preset = font.load_preset(0, 0, Some(&keys)).unwrap();
        (preset.zones.len(), font.resident_bytes())
    };
    let one = (64 + 16) * 4;
    assert_eq!(sounding(&[]), (0, 0));
    assert_eq!(sounding(&[60, 100]), (1, one));
    assert_eq!(sounding(&[59]), (1, 2 * one));
    assert_eq!(sounding(&[59, 60]), (2, 2 * one));
}

/// A modulator of controller 21 to pan, with `amount`.
fn to_pan(zone: ZoneSketch, amount: i16) -> ZoneSketch {
    zone.modulator(0x0095, Generator::Pan as u16, amount, 0)
}

/// Amounts of the modulators that are not defaults.
fn amounts(zone: &Zone) -> Vec<(Generator, i32)> {
    let own = zone.modulators.iter().filter(|it| it.source.controller == Controller::Midi(21));
    own.map(|it| (it.destination, it.amount)).collect()
}

#[test]
fn modulators_of_an_instrument_replace_and_those_of_a_preset_add() {
    let instrument = [
        to_pan(zone(), 10),
        to_pan(zone(), 20).sample(0),
        zone().sample(1),
        // Of two identical ones in a zone the last counts.
        to_pan(to_pan(zone(), 1), 2).sample(1),
    ];
    let preset = [to_pan(zone(), 100), to_pan(zone(), 200).instrument(0), zone().instrument(0)];
    let preset = preset_of(&font(&instrument, &preset));
    let amounts: Vec<i32> = preset.zones.iter().map(|zone| amounts(zone)[0].1).collect();
    assert_eq!(amounts, [220, 210, 202, 120, 110, 102]);
}

#[test]
fn modulators_that_differ_in_anything_but_their_amount_stand_side_by_side() {
    let pan = Generator::Pan as u16;
    let different = zone()
        .modulator(0x0095, pan, 1, 0)
        .modulator(0x0295, pan, 2, 0)
        .modulator(0x0095, Generator::FineTune as u16, 3, 0)
        .modulator(0x0095, pan, 4, 0x0002)
        .sample(0);
    let preset = preset_of(&font(&[different], &[zone().instrument(0)]));
    assert_eq!(amounts(&preset.zones[0]).len(), 4);
}

#[test]
fn default_modulators_are_there_unless_replaced_and_a_preset_adds_to_them() {
    let default = DEFAULT_MODULATORS[1];
    assert_eq!((default.destination, default.amount), (Generator::InitialFilterFc, -2400));
    let with = |instrument: ZoneSketch, preset: ZoneSketch| {
        let preset = preset_of(&font(&[instrument.sample(0)], &[preset.instrument(0)]));
        let found = preset.zones[0].modulators.iter().find(|it| it.is_same_as(&default));
        (preset.zones[0].modulators.len(), found.map(|it: &Modulator| it.amount))
    };
    let velocity_to_cutoff = |amount| zone().modulator(0x0102, Generator::InitialFilterFc as u16, amount, 0);
    assert_eq!(with(zone(), zone()), (10, Some(-2400)));
    assert_eq!(with(velocity_to_cutoff(-100), zone()), (10, Some(-100)));
    assert_eq!(with(zone(), velocity_to_cutoff(-100)), (10, Some(-2500)));
    assert_eq!(with(velocity_to_cutoff(-100), velocity_to_cutoff(50)), (10, Some(-50)));
    // An amount of 0 takes it away.
    assert_eq!(with(velocity_to_cutoff(0), zone()), (9, None));
}

#[test]
fn modulators_of_unknown_kind_are_ignored() {
    let unknown: [(u16, u16, u16); 5] = [
        // linked to another modulator; destination is another modulator; no such generator; no such
        // controller; no such curve
        (0x007f, 17, 0),
        (0x0095, 0x8000, 0),
        (0x0095, 200, 0),
        (0x0095, 17, 0x0001),
        (0x1095, 17, 0),
    ];
    for (source, destination, amount_source) in unknown {
        let zones = [zone().modulator(source, destination, 1, amount_source).sample(0)];
        let font = open(font(&zones, &[zone().instrument(0)]).bytes()).unwrap();
        let preset = font.load_preset(0, 0, None).unwrap();
        assert_eq!(&*preset.zones[0].modulators, DEFAULT_MODULATORS);
        assert_eq!(kinds(&font), [WarningKind::BadModulator]);
    }
}

#[test]
fn zones_that_cannot_sound_are_left_out_with_a_warning() {
    let good = zone().sample(0);
    let cases = [
        (zone().set(Generator::Pan, 1), WarningKind::EmptyZone),
        (zone().sample(2), WarningKind::BadReference),
        (zone().sample(u16::MAX), WarningKind::BadReference),
        (zone().keys(60, 50).sample(0), WarningKind::BadRange),
        (zone().velocities(200, 210).sample(0), WarningKind::BadRange),
    ];
    for (bad, warning) in cases {
        let font = open(font(&[good.clone(), bad], &[zone().instrument(0)]).bytes()).unwrap();
        assert_eq!(font.load_preset(0, 0, None).unwrap().zones.len(), 1);
        assert_eq!(kinds(&font), [warning]);
    }
    let after_its_sample = good.clone().set(Generator::Pan, 9);
    let font = open(font(&[after_its_sample], &[zone().instrument(0)]).bytes()).unwrap();
    assert_eq!(value(&font.load_preset(0, 0, None).unwrap().zones[0], Generator::Pan), 0);
    assert_eq!(kinds(&font), [WarningKind::BadGenerator]);
}

#[test]
fn generators_without_meaning_here_are_ignored() {
    // unused1, reserved, "initial pitch" (which exists for modulators alone), and beyond the end.
    for number in [14, 49, 55, 59, 60, 500, u16::MAX, GeneratorRecord::INSTRUMENT] {
        let zones = [zone().raw(number, 5).sample(0)];
        let font = open(font(&zones, &[zone().instrument(0)]).bytes()).unwrap();
        let preset = font.load_preset(0, 0, None).unwrap();
        assert_eq!(preset.zones[0].generators, Default::default(), "{number}");
        assert_eq!(kinds(&font), [WarningKind::BadGenerator], "{number}");
    }
}
