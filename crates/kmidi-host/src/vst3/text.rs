//! Text as VST3 has it: fixed fields of 8 or 16 bits that may lack their end, pointers to C strings.

use std::ffi::c_char;

use ::vst3::Steinberg::{TUID, Vst::TChar};

/// The text of a field of UTF-16: to its NUL or its end, without control characters.
pub fn from_utf16(field: &[TChar]) -> String {
    let len = field.iter().position(|&unit| unit == 0).unwrap_or(field.len());
    clean(&String::from_utf16_lossy(&field[..len]))
}

/// The text of a field of bytes: to its NUL or its end, without control characters.
pub fn from_bytes(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|&c| c as u8).take_while(|&byte| byte != 0).collect();
    clean(&String::from_utf8_lossy(&bytes))
}

fn clean(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    shown.trim().to_owned()
}

/// As much of the text as fits into `N` units of UTF-16 with a NUL behind it.
pub fn to_utf16<const N: usize>(text: &str) -> [TChar; N] {
    let mut field = [0; N];
    let mut at = 0;
    for c in text.chars() {
        let mut units = [0; 2];
        let units = c.encode_utf16(&mut units);
        if at + units.len() >= N {
            break;
        }
        field[at..at + units.len()].copy_from_slice(units);
        at += units.len();
    }
    field
}

/// The bytes of a C string, at most `max` of them; `None` of a null pointer.
///
/// # Safety
/// `text` is null or points to bytes that can be read up to the first NUL or up to `max`.
pub unsafe fn c_string(text: *const c_char, max: usize) -> Option<Vec<u8>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; reading stops at the first NUL.
    let bytes = (0..max).map(|at| unsafe { *text.add(at) } as u8);
    Some(bytes.take_while(|&byte| byte != 0).collect())
}

/// A class id as other hosts on Linux and `moduleinfo.json` write it: its 16 bytes in memory order, in upper case. (On
/// Windows the first eight bytes lie in another order; the written form is the same.)
pub fn class_id_text(id: &TUID) -> String {
    id.iter().map(|&byte| format!("{:02X}", byte as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_without_an_end_or_with_broken_units_are_read_to_their_last_unit() {
        assert_eq!(from_utf16(&[65; 128]), "A".repeat(128));
        assert_eq!(from_utf16(&[0x41, 0xd800, 0x42, 0, 0x43]), "A\u{fffd}B");
        assert_eq!(from_utf16(&[0x20, 0x1b, 0x41, 0x0a, 0]), "A");
        assert_eq!(from_bytes(&[-1, 65, 0, 66]), "\u{fffd}A");
        assert_eq!(from_bytes(&[]), "");
    }

    #[test]
    fn text_that_is_too_long_keeps_its_nul_and_whole_characters() {
        assert_eq!(to_utf16::<4>("abcdef"), [97, 98, 99, 0]);
        assert_eq!(to_utf16::<4>("ab\u{1F600}"), [97, 98, 0, 0]);
        assert_eq!(from_utf16(&to_utf16::<128>("Größe")), "Größe");
    }

    #[test]
    fn a_string_without_a_nul_is_read_no_further_than_allowed() {
        let bytes = [65 as c_char; 32];
        // SAFETY: 32 bytes can be read, 16 are.
        let read = unsafe { c_string(bytes.as_ptr(), 16) };
        assert_eq!(read.unwrap().len(), 16);
        // SAFETY: a null pointer is allowed.
        assert_eq!(unsafe { c_string(std::ptr::null(), 16) }, None);
    }

    #[test]
    fn a_class_id_is_written_in_memory_order() {
        let id: TUID = std::array::from_fn(|at| (at as u8 * 0x11) as c_char);
        assert_eq!(class_id_text(&id), "00112233445566778899AABBCCDDEEFF");
    }
}
