//! What is known of files by what is in them, wherever they were: a file that was moved or copied is not analysed again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kmidi_memory::{JobContext, JobError};
use sha2::{Digest, Sha256};

use crate::Item;
use crate::catalogue::Catalogue;
use crate::meaning::first_half;

/// Bytes that are read at once where a file is hashed.
const HASH_BYTES: usize = 256 << 10;

pub(super) struct Known {
    /// One of the files with each content, when indexing began.
    paths: HashMap<u128, PathBuf>,
}

impl Known {
    pub fn of(catalogue: &Catalogue) -> Self {
        let good = catalogue.files.iter().filter(|(_, record)| !record.is_plugin && record.items.is_ok());
        Known { paths: good.map(|(path, record)| (record.hash, path.clone())).collect() }
    }

    /// The items of a file with this content.
    pub fn items(&self, hash: u128, catalogue: &Catalogue) -> Option<Result<Vec<Item>, String>> {
        let there = self.paths.get(&hash).and_then(|path| catalogue.files.get(path));
        let gone = || catalogue.gone.get(&hash).map(|gone| &gone.record);
        let record = there.filter(|record| record.hash == hash).or_else(gone)?;
        Some(record.items.clone())
    }
}

/// What is in a file that is part of the program, as a number.
pub(super) fn hash_of(bytes: &[u8]) -> u128 {
    first_half(&Sha256::digest(bytes))
}

/// What is in a file, as a number.
pub(super) fn hash(path: &Path, job: &JobContext) -> Result<io::Result<u128>, JobError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; HASH_BYTES]);
    loop {
        job.check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Ok(first_half(&hasher.finalize()))),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}
