//! The half on the main thread.

use std::ffi::CStr;
use std::fmt::Write as _;
use std::io::{Read, Write as _};

use clack_extensions::audio_ports::*;
use clack_extensions::params::*;
use clack_extensions::state::PluginStateImpl;
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::prelude::*;
use clack_plugin::stream::{InputStream, OutputStream};
use clack_plugin::utils::Cookie;
use kmidi_gain::{GAIN_DB, MAX_DB, SILENCE_DB};

use crate::audio::CHANNELS;
use crate::{GainShared, gain_change};

/// How a state begins; the gain in decibels follows (f64, little-endian).
const MAGIC: [u8; 8] = *b"KmiDiGn1";

/// Answers for the plugin.
pub struct GainMain<'a> {
    pub shared: &'a GainShared,
}

impl<'a> PluginMainThread<'a, GainShared> for GainMain<'a> {}

impl PluginAudioPortsImpl for GainMain<'_> {
    fn count(&self, _: bool) -> u32 {
        1
    }

    fn get(&self, index: u32, _: bool, writer: &mut AudioPortInfoWriter<'_>) {
        if index == 0 {
            let id = ClapId::new(0);
            writer.set(&AudioPortInfo {
                id,
                name: b"Main",
                channel_count: CHANNELS as u32,
                flags: AudioPortFlags::IS_MAIN,
                port_type: Some(AudioPortType::STEREO),
                in_place_pair: Some(id),
            });
        }
    }
}

impl PluginMainThreadParams for GainMain<'_> {
    fn count(&self) -> u32 {
        1
    }

    fn get_info(&self, index: u32, info: &mut ParamInfoWriter<'_>) {
        if index == 0 {
            info.set(&ParamInfo {
                id: ClapId::new(GAIN_DB),
                flags: ParamInfoFlags::IS_AUTOMATABLE,
                cookie: Cookie::empty(),
                name: b"Gain",
                module: b"",
                min_value: SILENCE_DB,
                max_value: MAX_DB,
                default_value: 0.0,
            });
        }
    }

    fn get_value(&self, id: ClapId) -> Option<f64> {
        (id.get() == GAIN_DB).then(|| self.shared.gain_db())
    }

    fn value_to_text(&self, id: ClapId, value: f64, text: &mut ParamDisplayWriter<'_>) -> std::fmt::Result {
        if id.get() != GAIN_DB {
            return Err(std::fmt::Error);
        }
        write!(text, "{value:.2} dB")
    }

    fn text_to_value(&self, id: ClapId, text: &CStr) -> Option<f64> {
        let text = text.to_str().ok()?.trim();
        let number = text.strip_suffix("dB").unwrap_or(text).trim().parse::<f64>().ok()?;
        (id.get() == GAIN_DB && !number.is_nan()).then(|| number.clamp(SILENCE_DB, MAX_DB))
    }

    fn flush(&self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        events.iter().filter_map(gain_change).for_each(|(_, gain_db)| self.shared.set_gain_db(gain_db));
    }
}

impl PluginStateImpl for GainMain<'_> {
    fn save(&self, output: &mut OutputStream<'_>) -> Result<(), PluginError> {
        output.write_all(&MAGIC)?;
        Ok(output.write_all(&self.shared.gain_db().to_le_bytes())?)
    }

    fn load(&self, input: &mut InputStream<'_>) -> Result<(), PluginError> {
        let (mut magic, mut gain_db) = ([0; MAGIC.len()], [0; size_of::<f64>()]);
        input.read_exact(&mut magic)?;
        input.read_exact(&mut gain_db)?;
        let gain_db = f64::from_le_bytes(gain_db);
        if magic != MAGIC || gain_db.is_nan() {
            return Err(PluginError::Message("this is no state of the gain"));
        }
        self.shared.set_gain_db(gain_db);
        Ok(())
    }
}
