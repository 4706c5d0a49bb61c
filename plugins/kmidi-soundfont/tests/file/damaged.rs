//! Files that are cut, lie about themselves, or are made to hurt.

use kmidi_soundfont::file::{
    Bag, GeneratorRecord, InstrumentRecord, PresetRecord, SampleRecord, Tables, WarningKind, Warnings, write,
};
use kmidi_soundfont::{Generator, SoundFontError};
use proptest::prelude::*;

use crate::support::{SoundFontBuilder, ZoneSketch};
use crate::{kinds, open, sf2};

fn builder() -> SoundFontBuilder {
    let zones = [
        ZoneSketch::new().set(Generator::Pan, 7),
        ZoneSketch::new().keys(0, 60).modulator(0x0081, 17, 5, 0).sample(0),
        ZoneSketch::new().velocities(0, 127).set(Generator::SampleModes, 1).sample(1),
    ];
    SoundFontBuilder::new()
        .sample(&[100; 64], (8, 56))
        .vorbis(include_bytes!("../data/sine.ogg"), (100, 2100))
        .instrument("Instrument", &zones)
        .preset(0, 0, "First", &[ZoneSketch::new().instrument(0)])
        .preset(
            128,
            5,
            "Second",
            &[ZoneSketch::new().set(Generator::Pan, 1), ZoneSketch::new().instrument(0)],
        )
}

/// Reads all there is, and says how many presets that are.
fn read_all(bytes: Vec<u8>) -> Result<usize, SoundFontError> {
    sf2::check(&bytes)
}

fn position(bytes: &[u8], id: &[u8; 4]) -> usize {
    bytes.windows(4).position(|window| window == id).unwrap()
}

fn set_length(bytes: &mut [u8], id: &[u8; 4], length: u32) {
    let at = position(bytes, id) + 4;
    bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

#[test]
fn a_whole_file_has_no_warnings() {
    let font = open(builder().bytes()).unwrap();
    assert_eq!(read_all(builder().bytes()).unwrap(), 2);
    assert_eq!(font.warnings().total(), 0);
    assert_eq!(font.name(), "Test");
    let presets: Vec<_> = font.presets().iter().map(|it| (it.bank, it.program, &*it.name)).collect();
    assert_eq!(presets, [(0, 0, "First"), (128, 5, "Second")]);
}

#[test]
fn no_file_cut_anywhere_panics_and_each_says_why() {
    let whole = builder().bytes();
    let records = position(&whole, b"pdta");
    for length in 0..whole.len() {
        match read_all(whole[..length].to_vec()) {
            Err(SoundFontError::NotASoundFont { .. }) => assert!(length < 12, "{length}"),
            Err(SoundFontError::Truncated { length: found, needed }) => {
                assert!(length < records + 4 && found == length as u64 && needed > found, "{length}");
            }
            Err(SoundFontError::MissingChunk(_)) => {}
            // A table that lost its last record alone still names presets.
            Err(SoundFontError::NoPresets) | Ok(_) => assert!(length > records, "{length}"),
            Err(other) => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn what_is_no_soundfont_is_refused() {
    let mut renamed = builder().bytes();
    renamed[8..12].copy_from_slice(b"WAVE");
    for bytes in [vec![], b"RIFF".to_vec(), b"MThd\0\0\0\x06\0\0\0\0\0\0".to_vec(), vec![0; 5000], renamed] {
        assert!(matches!(read_all(bytes), Err(SoundFontError::NotASoundFont { .. })));
    }
}

#[test]
fn each_missing_table_is_named() {
    for name in ["phdr", "pbag", "pgen", "inst", "ibag", "igen", "shdr", "smpl", "pdta", "sdta", "INFO"] {
        let mut bytes = builder().bytes();
        let at = position(&bytes, name.as_bytes().try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(b"junk");
        let error = read_all(bytes).unwrap_err();
        assert!(matches!(error, SoundFontError::MissingChunk(missing) if missing == name), "{name}: {error}");
    }
    for name in [b"pmod", b"imod"] {
        let mut bytes = builder().bytes();
        let at = position(&bytes, name);
        bytes[at..at + 4].copy_from_slice(b"junk");
        let font = open(bytes).unwrap();
        assert!(font.load_preset(0, 0, None).is_ok());
        assert_eq!(kinds(&font)[0], WarningKind::ChunkMissing);
    }
}

#[test]
fn lengths_that_lie_are_mended_where_that_is_sane() {
    type Change = fn(&mut Vec<u8>);
    let cases: [(Change, WarningKind); 5] = [
        (|it| set_length(it, b"RIFF", 0), WarningKind::WrongFileLength),
        (|it| set_length(it, b"RIFF", u32::MAX), WarningKind::WrongFileLength),
        // The last table ends with the file.
        (|it| set_length(it, b"shdr", u32::MAX), WarningKind::ChunkCut),
        (|it| it.extend([0; 3]), WarningKind::WrongFileLength),
        (
            |it| {
                let length = it.len() - position(it, b"shdr") - 8 - 1;
                set_length(it, b"shdr", length as u32);
            },
            WarningKind::PartRecord,
        ),
    ];
    for (change, warning) in cases {
        let mut bytes = builder().bytes();
        change(&mut bytes);
        let font = open(bytes.clone()).unwrap();
        assert_eq!(kinds(&font)[0], warning);
        assert!(read_all(bytes).unwrap() >= 1);
    }
}

#[test]
fn a_file_without_pad_bytes_is_read() {
    let builder = builder();
    let padded = builder.bytes();
    let stated = position(&padded, b"INAM") + 4;
    // The name with an odd length, and what follows at once.
    let mut bytes = padded.clone();
    bytes[stated] -= 1;
    bytes.remove(stated + 4 + 5);
    let list = position(&bytes, b"LIST") + 4;
    bytes[list] -= 1;
    let font = open(bytes).unwrap();
    assert_eq!(font.name(), "Test");
    assert!(font.load_preset(0, 0, None).is_ok());
}

#[test]
fn indices_that_run_backwards_or_away_are_cut() {
    type Change = fn(&mut Tables);
    let cases: [Change; 8] = [
        |it| it.presets[1].bag = u16::MAX,
        |it| (it.presets[0].bag, it.presets[1].bag) = (2, 0),
        |it| it.preset_bags[1].generator = u16::MAX,
        |it| it.preset_bags[0].generator = 3,
        |it| it.instruments[1].bag = u16::MAX,
        |it| it.instrument_bags[1].generator = 5000,
        |it| it.instrument_bags[2].modulator = 5000,
        |it| it.instruments[0].bag = 60_000,
    ];
    for (place, change) in cases.iter().enumerate() {
        let builder = builder();
        let mut tables = builder.finished();
        change(&mut tables);
        let font = open(write(&tables, &builder.smpl, None, &[])).unwrap();
        for preset in font.presets() {
            let _ = font.load_preset(preset.bank, preset.program, None);
        }
        assert!(kinds(&font).contains(&WarningKind::BadIndices), "case {place}");
    }
}

#[test]
fn presets_that_midi_cannot_tell_apart_or_select_are_left_out() {
    let zone = [ZoneSketch::new().instrument(0)];
    let builder = SoundFontBuilder::simple(&[1; 64], &[ZoneSketch::new().sample(0)])
        .preset(0, 0, "Again", &zone)
        .preset(0, 128, "Beyond", &zone)
        .preset(300, 1, "High bank", &zone);
    let font = open(builder.bytes()).unwrap();
    let names: Vec<&str> = font.presets().iter().map(|preset| &*preset.name).collect();
    assert_eq!(names, ["Preset", "High bank"]);
    assert_eq!(kinds(&font), [WarningKind::PresetTwice, WarningKind::BadProgram]);
    assert!(matches!(
        font.load_preset(0, 128, None),
        Err(SoundFontError::NoPreset { bank: 0, program: 128 })
    ));
    assert!(matches!(
        open(SoundFontBuilder::new().sample(&[1; 64], (0, 64)).bytes()),
        Err(SoundFontError::NoPresets)
    ));
}

/// 60,000 zones in a preset, each on an instrument of 60,000 zones.
#[test]
fn zones_times_zones_do_not_fill_memory_or_time() {
    let count = 60_000u16;
    let bags: Vec<Bag> = (0..=count).map(|generator| Bag { generator, modulator: 0 }).collect();
    let targets = |number| {
        let mut list = vec![GeneratorRecord { number, amount: 0 }; usize::from(count)];
        list.push(GeneratorRecord::default());
        list
    };
    let sample =
        SampleRecord { name: "Sample".into(), end: 64, rate_hz: 44_100, kind: 1, ..Default::default() };
    let tables = Tables {
        version: (2, 4),
        presets: vec![
            PresetRecord { name: "Bomb".into(), program: 0, bank: 0, bag: 0 },
            PresetRecord { name: "EOP".into(), program: 0, bank: 0, bag: count },
        ],
        preset_bags: bags.clone(),
        preset_generators: targets(GeneratorRecord::INSTRUMENT),
        instruments: vec![
            InstrumentRecord { name: "Bomb".into(), bag: 0 },
            InstrumentRecord { name: "EOI".into(), bag: count },
        ],
        instrument_bags: bags,
        instrument_generators: targets(GeneratorRecord::SAMPLE),
        samples: vec![sample, SampleRecord::default()],
        ..Tables::default()
    };
    let file = write(&tables, &[0; 128], None, &[]);
    let font = open(file.clone()).unwrap();
    assert_eq!(font.load_preset(0, 0, None).unwrap().zones.len(), 4096);
    assert_eq!(kinds(&font), [WarningKind::TooManyZones]);

    // Zones that no key reaches are not free either.
    let mut tables = tables;
    tables.instrument_generators = (0..count)
        .flat_map(|_| [GeneratorRecord { number: 43, amount: 0 }, GeneratorRecord { number: 53, amount: 0 }])
        .take(usize::from(count))
        .chain([GeneratorRecord::default()])
        .collect();
    let font = open(write(&tables, &[0; 128], None, &[])).unwrap();
    let nothing = [100].into_iter().collect();
    assert!(font.load_preset(0, 0, Some(&nothing)).unwrap().zones.len() <= 4096);
}

#[test]
fn modulators_without_end_are_cut() {
    let mut zone = ZoneSketch::new();
    for controller in 0..100u16 {
        zone = zone.modulator(0x0280 | (controller % 31 + 1), controller % 9, 1, (controller % 2) * 2);
    }
    let builder = SoundFontBuilder::simple(&[1; 64], &[zone.sample(0)]);
    let font = open(builder.bytes()).unwrap();
    assert!(font.load_preset(0, 0, None).unwrap().zones[0].modulators.len() <= 64);
    assert!(kinds(&font).contains(&WarningKind::TooManyModulators));
}

#[test]
fn names_are_text_whatever_their_bytes() {
    let mut bytes = builder().bytes();
    let at = position(&bytes, b"phdr") + 8;
    bytes[at..at + 20].copy_from_slice(&[0xe9; 20]);
    assert_eq!(open(bytes).unwrap().presets()[0].name, "é".repeat(20));
}

#[test]
fn warnings_do_not_pile_up() {
    let mut warnings = Warnings::default();
    let mut builder = SoundFontBuilder::new().sample(&[1; 8], (0, 8));
    builder = builder.instrument("Instrument", &[ZoneSketch::new().sample(0)]);
    for program in 0..1000 {
        builder = builder.preset(0, 128 + program, &format!("Preset {program}"), &[]);
    }
    let builder = builder.preset(0, 0, "Good", &[ZoneSketch::new().instrument(0)]);
    Tables::read(&builder.bytes(), &mut warnings).unwrap();
    let font = open(builder.bytes()).unwrap();
    assert_eq!((font.warnings().kept().len(), font.warnings().total()), (64, 1000));
}

#[test]
fn every_input_of_the_fuzz_corpus() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/sf2");
    let entries: Vec<_> = std::fs::read_dir(folder).expect("the corpus").collect();
    assert!(entries.len() >= 5, "only {} inputs", entries.len());
    let sounding = entries.into_iter().filter(|entry| {
        let path = entry.as_ref().expect("an entry").path();
        read_all(std::fs::read(path).expect("readable")).is_ok_and(|presets| presets > 0)
    });
    assert!(sounding.count() >= 3, "most of the corpus gets far into the reader");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_damage_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = builder().bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = read_all(bytes);
    }

    #[test]
    fn no_damage_to_the_tables_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = builder().bytes();
        let start = position(&bytes, b"pdta");
        for (place, byte) in changes {
            let place = start + place.index(bytes.len() - start);
            bytes[place] = byte;
        }
        let _ = read_all(bytes);
    }
}
