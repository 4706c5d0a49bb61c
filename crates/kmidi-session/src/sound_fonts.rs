//! Which SoundFonts to play with: files, or the built-in one, each with a bank offset.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The word that stands for the SoundFont inside the program; a file of that name is `./built-in`.
pub const BUILT_IN: &str = "built-in";
const HIGHEST_OFFSET: u8 = 127;

/// A SoundFont of a stack.
///
/// In a stack the last one is on top. A preset is taken from the highest SoundFont that has exactly
/// its bank and program; only where none has it, something else stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundFontChoice {
    /// The file; the built-in SoundFont if there is none.
    pub file: Option<PathBuf>,
    /// Added to the banks of its melodic presets, 0 to 127. Drum kits stay drum kits.
    pub bank_offset: u8,
}

/// Text that names no SoundFont.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoundFontChoiceError {
    /// There are banks 0 to 127.
    #[error("{0}: a bank offset (the number behind @) is 0 to {HIGHEST_OFFSET}")]
    BankOffset(String),
    /// There is nothing where a file should be named.
    #[error("a SoundFont is a file, or `{BUILT_IN}`, and may end in @ and a bank offset, like gm.sf2@8")]
    Nothing,
}

impl SoundFontChoice {
    /// Reads `FILE`, `built-in`, or one of them with `@` and a bank offset. A name that ends like an
    /// offset is a name if there is such a file.
    ///
    /// # Errors
    /// [`SoundFontChoiceError`].
    pub fn parse(text: &OsStr) -> Result<Self, SoundFontChoiceError> {
        let of = |name: &OsStr, bank_offset| match name.to_str() {
            Some("") => Err(SoundFontChoiceError::Nothing),
            Some(BUILT_IN) => Ok(SoundFontChoice { file: None, bank_offset }),
            _ => Ok(SoundFontChoice { file: Some(name.into()), bank_offset }),
        };
        let Some((name, digits)) = split_offset(text).filter(|_| !std::path::Path::new(text).exists()) else {
            return of(text, 0);
        };
        let offset = digits.parse().ok().filter(|offset| *offset <= HIGHEST_OFFSET);
        let offset = offset.ok_or_else(|| SoundFontChoiceError::BankOffset(text.display().to_string()))?;
        of(&name, offset)
    }
}

/// The name before the last `@`, if only digits follow it.
fn split_offset(text: &OsStr) -> Option<(std::ffi::OsString, &str)> {
    let bytes = text.as_encoded_bytes();
    let at = bytes.iter().rposition(|&byte| byte == b'@')?;
    let digits = std::str::from_utf8(&bytes[at + 1..]).ok()?;
    let is_offset = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Only names that are text are taken apart.
    is_offset.then(|| Some((text.to_str()?.get(..at)?.into(), digits)))?
}

impl fmt::Display for SoundFontChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => write!(f, "{BUILT_IN} SoundFont")?,
        }
        if self.bank_offset > 0 { write!(f, "@{}", self.bank_offset) } else { Ok(()) }
    }
}

/// The stack that is meant by a list: the built-in SoundFont where it is empty.
pub(crate) fn stack(choices: &[SoundFontChoice]) -> Vec<SoundFontChoice> {
    if choices.is_empty() { vec![SoundFontChoice::default()] } else { choices.to_vec() }
}

/// The files of a list.
pub(crate) fn files(choices: &[SoundFontChoice]) -> impl Iterator<Item = &PathBuf> {
    choices.iter().filter_map(|choice| choice.file.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bank_offset: u8) -> SoundFontChoice {
        SoundFontChoice { file: Some(name.into()), bank_offset }
    }

    #[test]
    fn an_offset_is_digits_behind_the_last_at_sign() {
        for (text, expected) in [
            ("a.sf2", file("a.sf2", 0)),
            ("a.sf2@8", file("a.sf2", 8)),
            ("a.sf2@127", file("a.sf2", 127)),
            ("me@home/a.sf2", file("me@home/a.sf2", 0)),
            ("me@home@3", file("me@home", 3)),
            ("a@b", file("a@b", 0)),
            ("a@", file("a@", 0)),
            ("C:\\a:b.sf2", file("C:\\a:b.sf2", 0)),
            ("built-in", SoundFontChoice::default()),
            ("built-in@1", SoundFontChoice { file: None, bank_offset: 1 }),
            ("./built-in", file("./built-in", 0)),
        ] {
            assert_eq!(SoundFontChoice::parse(text.as_ref()), Ok(expected), "{text}");
        }
        for (text, named) in
            [("a.sf2@128", "a.sf2@128"), ("a@99999", "0 to 127"), ("", "a file"), ("@8", "a file")]
        {
            let error = SoundFontChoice::parse(text.as_ref()).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_called_like_an_offset_is_that_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a@8");
        assert_eq!(SoundFontChoice::parse(path.as_ref()).unwrap().bank_offset, 8);
        std::fs::write(&path, b"").unwrap();
        assert_eq!(
            SoundFontChoice::parse(path.as_ref()).unwrap(),
            SoundFontChoice { file: Some(path), bank_offset: 0 }
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_a_name() {
        use std::os::unix::ffi::OsStrExt;
        let name = OsStr::from_bytes(b"\xff@8");
        let expected = SoundFontChoice { file: Some(name.into()), bank_offset: 0 };
        assert_eq!(SoundFontChoice::parse(name), Ok(expected));
    }
}
