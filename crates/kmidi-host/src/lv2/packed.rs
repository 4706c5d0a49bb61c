//! A plugin's state as bytes that another process can read.
//!
//! URIDs are numbers of one process: in the bytes they are places (from 1 on) in a list of URIs at the start. All
//! numbers are little-endian.

use std::collections::HashMap;

use super::atom::{self, Known};
use super::state_entry::{Entry, MAX_ENTRIES};
use super::urid::{map_str, unmap};

/// How the bytes begin; the last character is the version.
const MAGIC: &[u8; 8] = b"KmiDiLV1";
/// Most URIs in a state.
const MAX_URIS: usize = 65_536;
/// Most values of parameters in a state.
const MAX_VALUES: usize = 65_536;
/// Most files in a state.
const MAX_FILES: usize = 4096;

/// The parts of a state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// What the plugin stored.
    pub entries: Vec<Entry>,
    /// Values of the inputs: symbol of a port or URI of a property, and the plugin's value.
    pub values: Vec<(String, f64)>,
    /// Files by their names in the state.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Saved {
    /// As bytes. `[side B]`
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut uris = Uris::default();
        let mut body = Vec::new();
        put_len(&mut body, self.entries.len());
        for entry in &self.entries {
            body.extend(uris.place(&entry.key).to_le_bytes());
            body.extend(uris.place(&entry.kind).to_le_bytes());
            body.extend(entry.flags.to_le_bytes());
            let mut bytes = entry.bytes.clone();
            atom::renumber(entry.kind_id(), &mut bytes, Known::Old, &mut |id| match unmap(id)
                .and_then(|uri| uri.to_str().ok())
            {
                Some(uri) => uris.place(uri),
                None => 0,
            });
            put_bytes(&mut body, &bytes);
        }
        put_len(&mut body, self.values.len());
        for (name, value) in &self.values {
            put_bytes(&mut body, name.as_bytes());
            body.extend(value.to_le_bytes());
        }
        put_len(&mut body, self.files.len());
        for (name, bytes) in &self.files {
            put_bytes(&mut body, name.as_bytes());
            put_bytes(&mut body, bytes);
        }
        let mut bytes = MAGIC.to_vec();
        put_len(&mut bytes, uris.list.len());
        for uri in &uris.list {
            put_bytes(&mut bytes, uri.as_bytes());
        }
        bytes.extend(body);
        bytes
    }

    /// Reads what [`Saved::to_bytes`] wrote; says what is wrong. `[side B]`
    pub fn from_bytes(bytes: &[u8]) -> Result<Saved, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a state of LV2")?;
        let mut reader = Reader { rest };
        let uris = reader.list(MAX_URIS, |reader| reader.text())?;
        let uri = |place: u32| {
            let uri = (place as usize).checked_sub(1).and_then(|at| uris.get(at));
            uri.cloned().ok_or_else(|| "it names no URI".to_owned())
        };
        let entries = reader.list(MAX_ENTRIES, |reader| {
            let (key, kind, flags) = (uri(reader.number()?)?, uri(reader.number()?)?, reader.number()?);
            let mut entry = Entry { key, kind, flags, bytes: reader.bytes()?.to_vec() };
            let kind = entry.kind_id();
            atom::renumber(kind, &mut entry.bytes, Known::New, &mut |place| {
                uri(place).map_or(0, |uri| map_str(&uri))
            });
            Ok(entry)
        })?;
        let values = reader.list(MAX_VALUES, |reader| Ok((reader.text()?, reader.float()?)))?;
        let files = reader.list(MAX_FILES, |reader| Ok((reader.text()?, reader.bytes()?.to_vec())))?;
        match reader.rest {
            [] => Ok(Saved { entries, values, files }),
            _ => Err("it goes on behind its end".to_owned()),
        }
    }
}

#[derive(Default)]
struct Uris {
    list: Vec<String>,
    places: HashMap<String, u32>,
}

impl Uris {
    fn place(&mut self, uri: &str) -> u32 {
        if let Some(place) = self.places.get(uri) {
            return *place;
        }
        self.list.push(uri.to_owned());
        let place = self.list.len() as u32;
        self.places.insert(uri.to_owned(), place);
        place
    }
}

fn put_len(to: &mut Vec<u8>, len: usize) {
    to.extend((len as u32).to_le_bytes());
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_len(to, bytes.len());
    to.extend(bytes);
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("it is cut short")?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
    }

    fn float(&mut self) -> Result<f64, String> {
        let bytes = self.take(8)?;
        Ok(f64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
    }

    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let len = self.number()?;
        self.take(len as usize)
    }

    fn text(&mut self) -> Result<String, String> {
        let bytes = self.bytes()?;
        str::from_utf8(bytes).map(str::to_owned).map_err(|_| "a name in it is no text".to_owned())
    }

    fn list<T>(
        &mut self,
        limit: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let len = self.number()? as usize;
        if len > limit {
            return Err(format!("a list in it has {len} items"));
        }
        (0..len).map(|_| item(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::uris::{ATOM_INT, ATOM_TUPLE, ATOM_URID, ATOM_VECTOR};
    use super::*;

    fn entry(kind: &str, bytes: Vec<u8>) -> Entry {
        Entry { key: "urn:key".to_owned(), kind: kind.to_owned(), flags: 3, bytes }
    }

    /// A tuple of an URID and an empty vector of these.
    fn tuple_of_urids() -> Vec<u8> {
        let (urid, vector) = (map_str(ATOM_URID), map_str(ATOM_VECTOR));
        let words = [4, urid, map_str("urn:some"), 0, 8, vector, 4, urid];
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn a_state_survives_its_bytes_and_the_numbers_of_uris_are_not_in_them() {
        // Others have their URIs mapped first, as in any process: no number is by chance its place in the state.
        for n in 0..100 {
            map_str(&format!("urn:filler:{n}"));
        }
        let saved = Saved {
            entries: vec![
                entry(ATOM_URID, map_str("urn:other").to_ne_bytes().to_vec()),
                entry(ATOM_TUPLE, tuple_of_urids()),
                entry(ATOM_INT, 5i32.to_ne_bytes().to_vec()),
            ],
            values: vec![("gain".to_owned(), -6.0)],
            files: vec![("a/b".to_owned(), vec![1, 2])],
        };
        let bytes = saved.to_bytes();
        assert_eq!(Saved::from_bytes(&bytes).unwrap(), saved);
        for uri in ["urn:some", "urn:other"] {
            assert!(bytes.windows(uri.len()).any(|it| it == uri.as_bytes()), "{uri}");
        }
        for len in 0..bytes.len() {
            assert!(Saved::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = Saved::from_bytes(&[MAGIC.as_slice(), &bytes].concat());
        }

        #[test]
        fn a_state_with_a_changed_byte_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let saved = Saved { entries: vec![entry(ATOM_TUPLE, tuple_of_urids())], ..Saved::default() };
            let mut bytes = saved.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Saved::from_bytes(&bytes);
        }
    }
}
