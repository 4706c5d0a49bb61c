//! The layout of a `.vstpreset` file, which is also that of our states: a header, chunks, a list of the chunks.
//!
//! Header: `VST3`, version 1, class id in 32 hex digits, offset of the list. List: `List`, count, and for each chunk its
//! name of four letters, offset and size. Numbers are little-endian, 32 bits wide except offsets and sizes (64).

use super::limits::MAX_STATE_BYTES;

const MAGIC: &[u8; 4] = b"VST3";
const LIST: &[u8; 4] = b"List";
const COMPONENT: &[u8; 4] = b"Comp";
const CONTROLLER: &[u8; 4] = b"Cont";
const VERSION: u32 = 1;
const CLASS_ID_LEN: usize = 32;
const HEADER_LEN: usize = 4 + 4 + CLASS_ID_LEN + 8;
const ENTRY_LEN: usize = 4 + 8 + 8;
/// Chunks of one file.
const MAX_CHUNKS: u32 = 128;

/// What a preset holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresetFile {
    /// 32 hex digits.
    pub class_id: String,
    /// State of the component.
    pub component: Option<Vec<u8>>,
    /// State of the controller.
    pub controller: Option<Vec<u8>>,
}

impl PresetFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let chunks = [(COMPONENT, &self.component), (CONTROLLER, &self.controller)];
        let chunks = chunks.into_iter().filter_map(|(name, data)| Some((name, data.as_deref()?)));
        let mut bytes = Vec::new();
        let mut list = Vec::new();
        let mut count = 0u32;
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.class_id.bytes().chain(std::iter::repeat(b'0')).take(CLASS_ID_LEN));
        bytes.extend([0; 8]);
        for (name, data) in chunks {
            list.extend(name);
            list.extend((bytes.len() as u64).to_le_bytes());
            list.extend((data.len() as u64).to_le_bytes());
            bytes.extend(data);
            count += 1;
        }
        let offset = (bytes.len() as u64).to_le_bytes();
        bytes[HEADER_LEN - 8..HEADER_LEN].copy_from_slice(&offset);
        bytes.extend(LIST);
        bytes.extend(count.to_le_bytes());
        bytes.extend(list);
        bytes
    }

    /// Reads a file. Chunks of other names are passed over.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > MAX_STATE_BYTES + HEADER_LEN * 2 {
            return Err("it is too long");
        }
        let header = bytes.get(..HEADER_LEN).ok_or("it is cut short")?;
        if !header.starts_with(MAGIC) || number(&header[4..8]) != u64::from(VERSION) {
            return Err("it does not begin as a VST3 preset of version 1");
        }
        let class_id = &header[8..8 + CLASS_ID_LEN];
        if !class_id.iter().all(u8::is_ascii_hexdigit) {
            return Err("it names no class");
        }
        let class_id = String::from_utf8_lossy(class_id).to_uppercase();
        let list =
            part(bytes, number(&header[HEADER_LEN - 8..]), u64::MAX).ok_or("its list is outside of it")?;
        let (name, rest) = list.split_first_chunk::<4>().ok_or("its list is cut short")?;
        let (count, mut entries) = rest.split_first_chunk::<4>().ok_or("its list is cut short")?;
        let count = u32::from_le_bytes(*count);
        if name != LIST || count > MAX_CHUNKS {
            return Err("it has no list of its parts");
        }
        let mut preset = PresetFile { class_id, component: None, controller: None };
        for _ in 0..count {
            let (entry, rest) = entries.split_first_chunk::<ENTRY_LEN>().ok_or("its list is cut short")?;
            entries = rest;
            let data = || part(bytes, number(&entry[4..12]), number(&entry[12..])).map(<[u8]>::to_vec);
            let outside = "a part lies outside of it";
            match entry.first_chunk::<4>() {
                Some(COMPONENT) => preset.component = Some(data().ok_or(outside)?),
                Some(CONTROLLER) => preset.controller = Some(data().ok_or(outside)?),
                _ => {}
            }
        }
        Ok(preset)
    }
}

/// A little-endian number of at most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The bytes from `offset`, `len` of them or all that there are if that is [`u64::MAX`].
fn part(bytes: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    let rest = bytes.get(usize::try_from(offset).ok()?..)?;
    match len {
        u64::MAX => Some(rest),
        _ => rest.get(..usize::try_from(len).ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> PresetFile {
        PresetFile {
            class_id: "00112233445566778899AABBCCDDEEFF".to_owned(),
            component: Some(vec![1, 2, 3]),
            controller: Some(vec![9; 5]),
        }
    }

    #[test]
    fn a_preset_survives_its_bytes_with_any_of_its_parts_missing() {
        for component in [None, Some(vec![]), Some(vec![1, 2, 3])] {
            for controller in [None, Some(vec![7; 100])] {
                let preset = PresetFile { component: component.clone(), controller, ..example() };
                assert_eq!(PresetFile::from_bytes(&preset.to_bytes()), Ok(preset));
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_published_layout() {
        let bytes = example().to_bytes();
        assert_eq!(&bytes[..8], b"VST3\x01\0\0\0");
        assert_eq!(&bytes[8..40], b"00112233445566778899AABBCCDDEEFF");
        assert_eq!(&bytes[40..48], 56u64.to_le_bytes());
        assert_eq!(&bytes[48..56], [1, 2, 3, 9, 9, 9, 9, 9]);
        assert_eq!(&bytes[56..64], b"List\x02\0\0\0");
        assert_eq!(&bytes[64..68], b"Comp");
        assert_eq!(&bytes[68..84], [48u64.to_le_bytes(), 3u64.to_le_bytes()].concat());
        assert_eq!(&bytes[84..88], b"Cont");
        assert_eq!(bytes.len(), 104);
    }

    #[test]
    fn a_cut_or_changed_file_is_an_error_or_another_preset_but_never_a_panic() {
        let bytes = example().to_bytes();
        for len in 0..bytes.len() {
            assert!(PresetFile::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                let _ = PresetFile::from_bytes(&changed);
            }
        }
        let mut far = bytes.clone();
        far[76..84].copy_from_slice(&(u64::MAX - 1).to_le_bytes());
        assert!(PresetFile::from_bytes(&far).is_err());
    }
}
