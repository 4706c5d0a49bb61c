//! What the end-to-end tests stand on: songs and SoundFonts made byte by byte (not by the code under
//! test), the program run with a deadline, servers, and what can be measured in its sound.

pub mod analysis;
pub mod midi;
pub mod misdeeds;
pub mod native;
pub mod program;
pub mod servers;
pub mod soundfont;
pub mod wav;

use std::fs::File;
use std::path::Path;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Holds every other test that takes this lock, in this process and in others, until dropped:
/// servers and measurements of one machine do not share well.
pub fn alone() -> File {
    let path = std::env::temp_dir().join("kmidi-tests-alone.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).expect("a lock file");
    file.lock().expect("the lock");
    file
}
