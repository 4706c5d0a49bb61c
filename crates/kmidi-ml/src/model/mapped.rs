//! The one place where a file is mapped: large weights are used where they lie.
#![allow(unsafe_code)]

use std::path::Path;

use rten::{LoadError, ModelOptions};

/// Loads a model whose weights lie in files beside it, and maps these.
pub(super) fn load(options: &ModelOptions, path: &Path) -> Result<rten::Model, LoadError> {
    // SAFETY: a mapped file must not change while it is in use. These lie in the program's own folder, where
    // they come by `rename` and are never written in place, and were compared with their SHA-256 just now.
    unsafe { options.load_mmap(path) }
}
