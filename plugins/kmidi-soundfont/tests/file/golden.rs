//! Every field of every record, against what another reader makes of the same file (golden.py).

use std::fs::File;

use kmidi_soundfont::file::{
    Bag, GeneratorRecord, InstrumentRecord, ModulatorRecord, PresetRecord, SampleRecord, Tables, Warnings,
};

/// Name of a table, its rows, and for each column the sum of (row + 1) * value.
type Golden = [(&'static str, usize, &'static [u64]); 9];

#[rustfmt::skip]
const TIMGM6MB: Golden = [
    ("phdr", 137, &[9027297, 465533, 40567, 1300057]),
    ("pbag", 211, &[3131240, 0]),
    ("pmod", 1, &[0, 0, 0, 0, 1]),
    ("pgen", 211, &[908355, 3086930]),
    ("inst", 211, &[22696748, 33906928]),
    ("ibag", 2064, &[54986950267, 305646381]),
    ("imod", 456, &[25412375, 1080341, 195857360, 124292250, 1368]),
    ("igen", 39230, &[24568213527, 17277055846608]),
    ("shdr", 521, &[122571352, 222223844662, 223028808256, 222662437860, 223020441545, 4555415695, 9135633, 2271730412, 0, 135460]),
];

#[rustfmt::skip]
const FLUIDR3: Golden = [
    ("phdr", 190, &[17006130, 1027058, 356787, 13097872]),
    ("pbag", 1055, &[1132625846, 0]),
    ("pmod", 1, &[0, 0, 0, 0, 0]),
    ("pgen", 3060, &[168551508, 89893187831]),
    ("inst", 194, &[19330679, 37547506]),
    ("ibag", 2819, &[58648483631, 1702470638]),
    ("imod", 747, &[72642510, 2229472, 54693104, 926442630, 0]),
    ("igen", 22464, &[9665924025, 2940461017919]),
    ("shdr", 1419, &[1043298982, 50214746572676, 50267344246480, 50245014487649, 50267300641494, 38931449975, 61105608, 0, 0, 2231828]),
];

/// The sum over a column; negative values count as 16-bit ones.
fn column<R>(rows: &[R], value: impl Fn(&R) -> i64) -> u64 {
    let values = rows.iter().map(|row| match value(row) {
        value if value < 0 => (value + (1 << 16)) as u64,
        value => value as u64,
    });
    (1u64..).zip(values).fold(0, |sum, (row, value)| sum.wrapping_add(row.wrapping_mul(value)))
}

fn name(name: &str) -> i64 {
    name.chars().map(|character| i64::from(u32::from(character))).sum()
}

fn bags(rows: &[Bag]) -> Vec<u64> {
    vec![column(rows, |it| it.generator.into()), column(rows, |it| it.modulator.into())]
}

fn generators(rows: &[GeneratorRecord]) -> Vec<u64> {
    vec![column(rows, |it| it.number.into()), column(rows, |it| it.amount.into())]
}

fn modulators(rows: &[ModulatorRecord]) -> Vec<u64> {
    vec![
        column(rows, |it| it.source.into()),
        column(rows, |it| it.destination.into()),
        column(rows, |it| it.amount.into()),
        column(rows, |it| it.amount_source.into()),
        column(rows, |it| it.transform.into()),
    ]
}

fn presets(rows: &[PresetRecord]) -> Vec<u64> {
    vec![
        column(rows, |it| name(&it.name)),
        column(rows, |it| it.program.into()),
        column(rows, |it| it.bank.into()),
        column(rows, |it| it.bag.into()),
    ]
}

fn instruments(rows: &[InstrumentRecord]) -> Vec<u64> {
    vec![column(rows, |it| name(&it.name)), column(rows, |it| it.bag.into())]
}

fn samples(rows: &[SampleRecord]) -> Vec<u64> {
    vec![
        column(rows, |it| name(&it.name)),
        column(rows, |it| it.start.into()),
        column(rows, |it| it.end.into()),
        column(rows, |it| it.loop_start.into()),
        column(rows, |it| it.loop_end.into()),
        column(rows, |it| it.rate_hz.into()),
        column(rows, |it| it.root_key.into()),
        column(rows, |it| it.correction_cents.into()),
        column(rows, |it| it.link.into()),
        column(rows, |it| it.kind.into()),
    ]
}

fn check(path: &str, golden: &Golden) {
    let Ok(file) = File::open(path) else {
        eprintln!("SKIPPED: {path} is not installed");
        return;
    };
    let mut warnings = Warnings::default();
    let it = Tables::read(&file, &mut warnings).unwrap();
    let read: [(&str, usize, Vec<u64>); 9] = [
        ("phdr", it.presets.len(), presets(&it.presets)),
        ("pbag", it.preset_bags.len(), bags(&it.preset_bags)),
        ("pmod", it.preset_modulators.len(), modulators(&it.preset_modulators)),
        ("pgen", it.preset_generators.len(), generators(&it.preset_generators)),
        ("inst", it.instruments.len(), instruments(&it.instruments)),
        ("ibag", it.instrument_bags.len(), bags(&it.instrument_bags)),
        ("imod", it.instrument_modulators.len(), modulators(&it.instrument_modulators)),
        ("igen", it.instrument_generators.len(), generators(&it.instrument_generators)),
        ("shdr", it.samples.len(), samples(&it.samples)),
    ];
    for (read, golden) in read.iter().zip(golden) {
        assert_eq!((read.0, read.1, &*read.2), *golden, "{path}");
    }
    assert_eq!(warnings.kept(), []);
}

#[test]
fn every_field_is_as_another_reader_reads_it() {
    check("/usr/share/sounds/sf2/TimGM6mb.sf2", &TIMGM6MB);
    check("/usr/share/sounds/sf2/FluidR3_GM.sf2", &FLUIDR3);
}
