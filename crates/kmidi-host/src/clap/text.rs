//! Text from plugins: pointers that may be null, without an end, or not UTF-8.

use std::ffi::c_char;

/// Bytes of a name, version or feature; the rest is cut off.
const MAX_TEXT: usize = 512;
/// Features of one plugin.
const MAX_FEATURES: usize = 64;

/// The bytes before the first NUL, at most `limit`; none of a null pointer. `[side A]`
///
/// # Safety
/// What is not null points to a NUL, or to `limit` bytes, that may be read and that do not change during `'a`.
pub(super) unsafe fn bounded_bytes<'a>(text: *const c_char, limit: usize) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    let text = text.cast::<u8>();
    // SAFETY: bytes are read one by one up to a NUL or the limit, all of which may be read (contract).
    let len = (0..limit).take_while(|&at| unsafe { *text.add(at) } != 0).count();
    // SAFETY: these bytes were just read.
    unsafe { std::slice::from_raw_parts(text, len) }
}

/// A string of a plugin's, cut at [`MAX_TEXT`] bytes.
///
/// # Safety
/// As [`bounded_bytes`].
pub(super) unsafe fn bounded_text(text: *const c_char) -> String {
    // SAFETY: passed on.
    String::from_utf8_lossy(unsafe { bounded_bytes(text, MAX_TEXT) }).into_owned()
}

/// A list of strings that ends with a null pointer.
///
/// # Safety
/// What is not null points to pointers up to a null, each as in [`bounded_bytes`].
pub(super) unsafe fn bounded_list(list: *const *const c_char) -> Vec<String> {
    if list.is_null() {
        return Vec::new();
    }
    let mut texts = Vec::new();
    for at in 0..MAX_FEATURES {
        // SAFETY: no null came before, so this pointer is of the list (contract).
        let text = unsafe { *list.add(at) };
        if text.is_null() {
            break;
        }
        // SAFETY: passed on.
        texts.push(unsafe { bounded_text(text) });
    }
    texts
}

/// Text of a fixed array, already cut at its NUL.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_endless_and_broken_text_is_survived() {
        let endless = vec![b'a' as c_char; MAX_TEXT];
        let broken = [0xffu8 as c_char, b'x' as c_char, 0];
        let list = [broken.as_ptr(), std::ptr::null()];
        // SAFETY: each pointer is null, or to a NUL, or to as many bytes as are read at most.
        unsafe {
            assert_eq!(bounded_text(std::ptr::null()), "");
            assert_eq!(bounded_text(endless.as_ptr()).len(), MAX_TEXT);
            assert_eq!(bounded_text(broken.as_ptr()), "\u{fffd}x");
            assert_eq!(bounded_list(list.as_ptr()), ["\u{fffd}x"]);
            assert!(bounded_list(std::ptr::null()).is_empty());
        }
    }
}
