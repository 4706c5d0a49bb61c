//! A file of the cache: a header with key, length and checksum, and the result behind it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::key::CacheKey;

const MAGIC: [u8; 8] = *b"KMAUDIO1";
pub(super) const HEADER_BYTES: u64 = 64;

/// Length and checksum of a result.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    bytes: u64,
    crc: crc32fast::Hasher,
}

impl Sum {
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.crc.update(bytes);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The first bytes of a file.
pub(super) struct Header([u8; HEADER_BYTES as usize]);

impl Header {
    pub fn of(key: &CacheKey, sum: &Sum) -> Self {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..40].copy_from_slice(key.as_bytes());
        bytes[40..48].copy_from_slice(&sum.bytes.to_le_bytes());
        bytes[48..52].copy_from_slice(&sum.crc.clone().finalize().to_le_bytes());
        let own = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&own.to_le_bytes());
        Header(bytes)
    }

    /// Of a file that is being written.
    pub fn unfinished() -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes
    }

    pub fn write(&self, file: &File) -> io::Result<()> {
        file.write_all_at(&self.0, 0)
    }
}

/// What a file of an entry's name is.
pub(super) enum Checked {
    /// The result is behind the header, where the file stands, so many bytes.
    Whole(File, u64),
    /// It was ours, and is not as it was written.
    Damaged,
    /// Nothing that we made.
    Foreign,
    /// Not there, or it cannot be read.
    Missing,
}

/// Looks at the beginning only: `Whole` is not known, but ours.
pub(super) fn check_start(path: &Path) -> Checked {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Checked::Missing,
        // A link, a folder, or what somebody else has locked away.
        Err(_) => return Checked::Foreign,
    };
    let Ok(metadata) = file.metadata() else { return Checked::Missing };
    let mut start = Vec::new();
    let read = (&file).take(MAGIC.len() as u64).read_to_end(&mut start);
    // A system that went down leaves nothing, or zeros, of what was not on the disk yet.
    let is_ours = start == MAGIC || start.iter().all(|byte| *byte == 0);
    match read {
        Ok(_) if metadata.is_file() && is_ours => Checked::Whole(file, metadata.len()),
        _ => Checked::Foreign,
    }
}

/// Reads all of it.
pub(super) fn check(path: &Path, key: &CacheKey) -> Checked {
    let (mut file, length) = match check_start(path) {
        Checked::Whole(file, length) => (file, length),
        other => return other,
    };
    let mut header = [0; HEADER_BYTES as usize];
    let start = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut header));
    let mut sum = Sum::default();
    if start.is_err() || add_all(&mut file, &mut sum).is_err() {
        return Checked::Damaged;
    }
    let is_whole = Header::of(key, &sum).0 == header && HEADER_BYTES + sum.bytes == length;
    match file.seek(SeekFrom::Start(HEADER_BYTES)) {
        Ok(_) if is_whole => Checked::Whole(file, sum.bytes),
        Ok(_) => Checked::Damaged,
        Err(_) => Checked::Missing,
    }
}

fn add_all(file: &mut File, sum: &mut Sum) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            bytes => sum.add(&buffer[..bytes]),
        }
    }
}

/// Not what a link leads to, and without waiting for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    File::options().read(true).custom_flags(flags.bits() as i32).open(path)
}
