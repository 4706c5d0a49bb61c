//! The canonical symbol of a chord's tones.
use std::fmt::{self, Write};

use super::tones::{Tones, bit};

/// Writes what stands behind the root.
pub(super) fn suffix(tones: Tones, out: &mut impl Write) -> fmt::Result {
    let bits = tones.bits();
    let has = |wanted: u32| bits & wanted != 0;
    if bits & !bit::ROOT == bit::FIFTH | (bits & EXTENSIONS) {
        out.write_str("5")?;
        return extensions(bits & EXTENSIONS, false, out);
    }
    if bits & !EXTENSIONS == bit::ROOT | bit::MINOR_3 | bit::FLAT_5 {
        out.write_str("dim")?;
        return extensions(bits & EXTENSIONS, false, out);
    }
    if bits & !EXTENSIONS == bit::ROOT | bit::MAJOR_3 | bit::SHARP_5 {
        out.write_str("aug")?;
        return extensions(bits & EXTENSIONS, false, out);
    }
    if bits == ALTERED {
        return out.write_str("7alt");
    }
    let (core, left) = core(bits);
    let minor = has(bit::MINOR_3) && !has(bit::DIM_7);
    out.write_str(if minor { "m" } else { "" })?;
    out.write_str(core)?;
    out.write_str(match bits & bit::SUSPENDED {
        0 => "",
        bit::SUS2 => "sus2",
        bit::SUS4 => "sus4",
        _ => "sus24",
    })?;
    let bare = !minor && core.is_empty() && !has(bit::SUSPENDED);
    fifth(bits, bare, out)?;
    extensions(left, has(bit::SEVENTHS), out)?;
    let third = has(bit::THIRDS | bit::SUSPENDED);
    out.write_str(if third { "" } else { "no3" })?;
    out.write_str(if has(bit::FIFTHS) { "" } else { "no5" })
}

const EXTENSIONS: u32 = NINTHS | bit::ELEVENTH | bit::SHARP_11 | bit::FLAT_13 | bit::THIRTEENTH;
const NINTHS: u32 = bit::FLAT_9 | bit::NINTH | bit::SHARP_9;
const ALTERED: u32 =
    bit::ROOT | bit::MAJOR_3 | bit::FLAT_5 | bit::SHARP_5 | bit::MINOR_7 | bit::FLAT_9 | bit::SHARP_9;

/// Seventh or sixth with its number, and the extensions that the number does not say.
fn core(bits: u32) -> (&'static str, u32) {
    let extensions = bits & EXTENSIONS;
    if bits & bit::SEVENTHS == 0 {
        return match (bits & bit::SIXTH != 0, bits & bit::NINTH != 0) {
            (true, true) => ("6/9", extensions & !bit::NINTH),
            (true, false) => ("6", extensions),
            _ => ("", extensions),
        };
    }
    if bits & bit::DIM_7 != 0 {
        return ("dim7", extensions);
    }
    let (number, said) = number(bits);
    let names = if bits & bit::MAJOR_7 != 0 {
        if bits & bit::MINOR_3 != 0 {
            ["Maj7", "Maj9", "Maj11", "Maj13"]
        } else {
            ["maj7", "maj9", "maj11", "maj13"]
        }
    } else {
        ["7", "9", "11", "13"]
    };
    (names[number], extensions & !said)
}

/// How far the thirds are stacked (0: to the seventh, 3: to the thirteenth), and which natural extensions that says. An altered
/// one takes the place of the natural one; if both are there, they cannot be said by a number.
fn number(bits: u32) -> (usize, u32) {
    let has = |wanted: u32| bits & wanted != 0;
    let minor = has(bit::MINOR_3);
    let one_ninth = has(NINTHS) && !(has(bit::NINTH) && has(bit::FLAT_9 | bit::SHARP_9));
    let eleventh = has(bit::ELEVENTH) && !has(bit::SHARP_11);
    let one_eleventh = has(bit::ELEVENTH) != has(bit::SHARP_11);
    let thirteenth = has(bit::THIRTEENTH) && !has(bit::FLAT_13);
    if thirteenth && one_ninth && (one_eleventh || !minor) {
        let eleventh = if minor { bit::ELEVENTH } else { 0 };
        (3, bit::NINTH | eleventh | bit::THIRTEENTH)
    } else if eleventh && one_ninth {
        (2, bit::NINTH | bit::ELEVENTH)
    } else if one_ninth && has(bit::NINTH) {
        (1, bit::NINTH)
    } else {
        (0, 0)
    }
}

/// An altered fifth. Right behind the root it stands in parentheses: `Cb5` would be a chord on C flat.
fn fifth(bits: u32, bare: bool, out: &mut impl Write) -> fmt::Result {
    // What the symbol before it says already.
    let said = if bits & bit::DIM_7 != 0 { bit::FLAT_5 } else { bit::FIFTH };
    let text = match bits & bit::FIFTHS {
        fifths if fifths == said => return Ok(()),
        bit::FLAT_5 => "b5",
        bit::SHARP_5 => "#5",
        fifths if fifths == bit::FLAT_5 | bit::SHARP_5 => "b5#5",
        _ => return Ok(()),
    };
    if bare { write!(out, "({text})") } else { out.write_str(text) }
}

/// Extensions one by one. Without a seventh below them they are added, altered or not.
fn extensions(bits: u32, seventh: bool, out: &mut impl Write) -> fmt::Result {
    for (extension, name, natural) in [
        (bit::FLAT_9, "b9", false),
        (bit::NINTH, "9", true),
        (bit::SHARP_9, "#9", false),
        (bit::ELEVENTH, "11", true),
        (bit::SHARP_11, "#11", false),
        (bit::FLAT_13, "b13", false),
        (bit::THIRTEENTH, "13", true),
    ] {
        if bits & extension != 0 {
            out.write_str(if seventh && !natural { "" } else { "add" })?;
            out.write_str(name)?;
        }
    }
    Ok(())
}
