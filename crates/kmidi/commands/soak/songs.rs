//! The songs of a soak: those that come with the program, and the same damaged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const SONGS: [(&str, &[u8]); 3] = [
    ("e1m1.mid", include_bytes!("../../../../assets/midi/freedoom-e1m1.mid")),
    ("inter.mid", include_bytes!("../../../../assets/midi/freedoom-inter.mid")),
    ("ultima.mid", include_bytes!("../../../../assets/midi/freedoom-ultima.mid")),
];

/// In a folder that goes when this is dropped.
pub struct Songs {
    folder: TempDir,
    pub good: Vec<PathBuf>,
    /// Damaged more or less; one is not there at all.
    pub damaged: Vec<PathBuf>,
}

impl Songs {
    pub fn write() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("kmidi-soak-").tempdir()?;
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).map(|()| path)
        };
        let good = SONGS.iter().map(|(name, bytes)| write(name, bytes)).collect::<io::Result<_>>()?;
        let (_, song) = SONGS[0];
        let damaged = vec![
            write("cut.mid", &song[..song.len() / 2])?,
            write("overwritten.mid", &overwritten(song))?,
            write("no-song.mid", b"not a song")?,
            folder.path().join("missing.mid"),
        ];
        Ok(Songs { folder, good, damaged })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// With messages that are not allowed in a file, here and there.
fn overwritten(song: &[u8]) -> Vec<u8> {
    let mut bytes = song.to_vec();
    bytes.iter_mut().skip(500).step_by(997).for_each(|byte| *byte = 0xfa);
    bytes
}
