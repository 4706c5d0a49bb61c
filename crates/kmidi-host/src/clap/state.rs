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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_without_end_is_cut_off() {
        let mut to = Bounded { bytes: Vec::new(), limit: 10, is_over: false };
        assert!(to.write_all(&[0; 6]).is_ok());
        assert!(!to.is_over);
        assert!(to.write_all(&[0; 6]).is_err());
        assert!(to.is_over && to.bytes.len() == 6);
    }
}
