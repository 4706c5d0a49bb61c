//! States: a plugin's bytes, with a bound.

use std::io::{self, Write};

use clack_extensions::state::PluginState;
use clack_extensions::state_context::{PluginStateContext, StateContextType};
use clack_host::prelude::*;

/// Longest state that is taken from a plugin, in bytes.
const MAX_STATE_BYTES: usize = 256 << 20;

/// Takes bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_over: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why there are no bytes.
pub(super) enum SaveError {
    /// The plugin has no states.
    None,
    /// It refused, or gave too much.
    Refused(String),
}

/// All of the plugin's state, as for a project.
pub(super) fn save(handle: &PluginMainThreadHandle) -> Result<Vec<u8>, SaveError> {
    save_bounded(handle, MAX_STATE_BYTES)
}

fn save_bounded(handle: &PluginMainThreadHandle, limit: usize) -> Result<Vec<u8>, SaveError> {
    let mut to = Bounded { bytes: Vec::new(), limit, is_over: false };
    let saved = if let Some(context) = handle.get_extension::<PluginStateContext>() {
        context.save(handle, &mut to, StateContextType::ForProject)
    } else if let Some(state) = handle.get_extension::<PluginState>() {
        state.save(handle, &mut to)
    } else {
        return Err(SaveError::None);
    };
    if to.is_over {
        return Err(SaveError::Refused(format!("it is longer than {limit} bytes")));
    }
    saved.map_err(|error| SaveError::Refused(error.to_string()))?;
    Ok(to.bytes)
}

/// Gives the plugin its state back. `None`: it has no states.
pub(super) fn load(handle: &PluginMainThreadHandle, mut bytes: &[u8]) -> Option<Result<(), String>> {
    let loaded = if let Some(context) = handle.get_extension::<PluginStateContext>() {
        context.load(handle, &mut bytes, StateContextType::ForProject)
    } else {
        handle.get_extension::<PluginState>()?.load(handle, &mut bytes)
    };
    Some(loaded.map_err(|error| error.to_string()))
}

/// How the state begins that is kept for a plugin without states of its own: the values of its parameters follow, each
/// its id (u32) and its value (f64), little-endian.
const VALUES_MAGIC: &[u8; 8] = b"KmiDiPV1";

/// The state of a plugin that has parameters alone.
pub(super) fn of_values(values: &[(u32, f64)]) -> Vec<u8> {
    let mut bytes = VALUES_MAGIC.to_vec();
    for (id, value) in values {
        bytes.extend(id.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

/// What [`of_values`] was made of; `None` if it was not.
pub(super) fn to_values(bytes: &[u8]) -> Option<Vec<(u32, f64)>> {
    let (values, []) = bytes.strip_prefix(VALUES_MAGIC)?.as_chunks::<12>() else { return None };
    let value = |bytes: &[u8; 12]| {
        let (id, value) = bytes.split_first_chunk::<4>()?;
        Some((u32::from_le_bytes(*id), f64::from_le_bytes(value.try_into().ok()?)))
    };
    values.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_their_bytes_and_other_bytes_are_none() {
        let values = [(0, -1.5), (u32::MAX - 1, f64::MAX)];
        let bytes = of_values(&values);
        assert_eq!(to_values(&bytes).unwrap(), values);
        assert_eq!(to_values(&of_values(&[])).unwrap(), []);
        assert!((0..bytes.len()).filter(|len| to_values(&bytes[..*len]).is_some()).eq([8, 20]));
        assert_eq!(to_values(b"another plugin's bytes"), None);
    }

    #[test]
    fn a_state_without_end_is_cut_off() {
        let mut to = Bounded { bytes: Vec::new(), limit: 10, is_over: false };
        assert!(to.write_all(&[0; 6]).is_ok());
        assert!(!to.is_over);
        assert!(to.write_all(&[0; 6]).is_err());
        assert!(to.is_over && to.bytes.len() == 6);
    }
}
