//! The text that a vector stands for.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::file::{folder_words, stem};
use crate::words::spaced;
use crate::{Item, glossary};

/// Longest text that is given to the model, in bytes: it reads 256 pieces of words.
const MAX_TEXT_BYTES: usize = 1500;

/// An item in words.
pub(crate) fn text_of(path: &Path, item: &Item) -> String {
    let name = match item.name.as_str() {
        "" => stem(path.file_name().unwrap_or_default()).to_string_lossy().into_owned(),
        name => name.to_owned(),
    };
    let mut text = format!("{}. {}. {}", spaced(&name), spaced(&folder_words(path)), item.text.trim());
    let other_words = glossary::of(item);
    if !other_words.is_empty() {
        text = format!("{text}. {other_words}");
    }
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text
}

/// By what a vector is known to stand for an item's text.
pub(crate) fn text_hash(path: &Path, item: &Item) -> u128 {
    first_half(&Sha256::digest(text_of(path, item).as_bytes()))
}

/// Half of a SHA-256: as good for what nobody forges.
pub(crate) fn first_half(digest: &[u8]) -> u128 {
    let half = digest.first_chunk::<16>().copied();
    u128::from_le_bytes(half.unwrap_or_default())
}
