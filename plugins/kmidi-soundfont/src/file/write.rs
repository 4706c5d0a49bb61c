//! Puts a SoundFont file together.

use super::Tables;
use super::records::Record;

/// The bytes of a SoundFont file with these tables. `smpl` is its sample data, `sm24` the low bytes of
/// 24-bit samples, `information` further texts by their chunk's identifier (`ICOP`, `ICMT`, ..);
/// `tables.smpl` and `tables.sm24` are not looked at. Nothing is checked: lists must end as the
/// specification says.
pub fn write(tables: &Tables, smpl: &[u8], sm24: Option<&[u8]>, information: &[([u8; 4], &str)]) -> Vec<u8> {
    let mut info = b"INFO".to_vec();
    let (major, minor) = tables.version;
    chunk(&mut info, *b"ifil", &[major.to_le_bytes(), minor.to_le_bytes()].concat());
    chunk(&mut info, *b"isng", &text("EMU8000"));
    chunk(&mut info, *b"INAM", &text(&tables.name));
    for (id, value) in information {
        chunk(&mut info, *id, &text(value));
    }

    let mut samples = b"sdta".to_vec();
    chunk(&mut samples, *b"smpl", smpl);
    if let Some(sm24) = sm24 {
        chunk(&mut samples, *b"sm24", sm24);
    }

    let mut records = b"pdta".to_vec();
    chunk(&mut records, *b"phdr", &bytes(&tables.presets));
    chunk(&mut records, *b"pbag", &bytes(&tables.preset_bags));
    chunk(&mut records, *b"pmod", &bytes(&tables.preset_modulators));
    chunk(&mut records, *b"pgen", &bytes(&tables.preset_generators));
    chunk(&mut records, *b"inst", &bytes(&tables.instruments));
    chunk(&mut records, *b"ibag", &bytes(&tables.instrument_bags));
    chunk(&mut records, *b"imod", &bytes(&tables.instrument_modulators));
    chunk(&mut records, *b"igen", &bytes(&tables.instrument_generators));
    chunk(&mut records, *b"shdr", &bytes(&tables.samples));

    let mut body = b"sfbk".to_vec();
    for list in [info, samples, records] {
        chunk(&mut body, *b"LIST", &list);
    }
    let mut file = Vec::with_capacity(body.len() + 8);
    chunk(&mut file, *b"RIFF", &body);
    file
}

fn bytes<R: Record>(records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * R::SIZE);
    records.iter().for_each(|record| record.write(&mut bytes));
    bytes
}

/// Text with one or two NULs that make its length even, at most 256 bytes: others are refused by
/// some readers.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes()[..text.len().min(254)].to_vec();
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn chunk(out: &mut Vec<u8>, id: [u8; 4], data: &[u8]) {
    out.extend(id);
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}
