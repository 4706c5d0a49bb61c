use kmidi_core::fnv1a_64;

use crate::{PluginId, StateError};

/// All that a plugin wants to be the same next time, in bytes that it alone understands.
///
/// As bytes it has a checksum: some plugins abort the process over a state that is damaged, so none is ever given one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whose state.
    pub id: PluginId,
    /// The plugin's bytes.
    pub data: Vec<u8>,
}

/// How the bytes begin; the last character is the version.
const MAGIC: &[u8; 8] = b"KmiDiPS1";

impl State {
    /// Bytes to keep: magic, checksum (FNV-1a, 64 bits) of all that follows, length of the id, id, data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let id = self.id.to_string();
        let mut body = Vec::with_capacity(4 + id.len() + self.data.len());
        body.extend((id.len() as u32).to_le_bytes());
        body.extend(id.as_bytes());
        body.extend(&self.data);
        [MAGIC.as_slice(), &fnv1a_64(&body).to_le_bytes(), &body].concat()
    }

    /// Reads what [`State::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let damaged = |why: &str| StateError::Damaged(why.to_owned());
        let rest =
            bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin as a state of KmiDi"))?;
        let (sum, body) = rest.split_first_chunk::<8>().ok_or_else(|| damaged("it is cut short"))?;
        if u64::from_le_bytes(*sum) != fnv1a_64(body) {
            return Err(damaged("its checksum is wrong"));
        }
        let (len, rest) = body.split_first_chunk::<4>().ok_or_else(|| damaged("it is cut short"))?;
        let (id, data) = rest
            .split_at_checked(u32::from_le_bytes(*len) as usize)
            .ok_or_else(|| damaged("it is cut short"))?;
        let id = str::from_utf8(id).ok().and_then(|id| id.parse().ok());
        Ok(State { id: id.ok_or_else(|| damaged("it names no plugin"))?, data: data.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    #[test]
    fn a_state_survives_its_bytes_and_any_changed_bit_is_seen() {
        let state = State { id: PluginId::new(Format::Clap, "a.b"), data: vec![1, 2, 3, 0, 255] };
        let bytes = state.to_bytes();
        assert_eq!(State::from_bytes(&bytes).unwrap(), state);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(State::from_bytes(&damaged).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(State::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
    }
}
