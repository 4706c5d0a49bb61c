use std::fmt::{self, Display};
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// What a file has in it: SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Reads all there is.
    ///
    /// # Errors
    /// The input's.
    pub fn of(input: &mut impl Read) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return Ok(ContentHash(hash.finalize().into())),
                Ok(bytes) => hash.update(&buffer[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Which result is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// What a stage makes of a content. Whatever the result depends on has to be among the settings: the version of the
    /// algorithm, the model's hash.
    pub fn new(content: &ContentHash, stage: &str, settings: &[(&str, &dyn Display)]) -> Self {
        let mut hash = Sha256::new();
        hash.update(content.0);
        // With its length before it, no text runs into the next one.
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        text(stage);
        for (name, value) in settings {
            text(name);
            text(&value.to_string());
        }
        CacheKey(hash.finalize().into())
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
