use std::time::Duration;

use cpal::traits::DeviceTrait;

use crate::limited::Pending;
use crate::{Backend, DeviceError, cpal_host, jack_client, midi_bridge, null_clock};

/// How long each backend may take to answer; all are asked at the same time.
const LIST_LIMIT: Duration = Duration::from_secs(4);

/// What a backend offers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackendInfo {
    /// The backend.
    pub backend: Backend,
    /// Why it cannot be used, in plain words; `None`: it can.
    pub unavailable: Option<String>,
    /// Devices to play on.
    pub devices: Vec<DeviceInfo>,
    /// MIDI ports to receive from.
    pub midi_inputs: Vec<String>,
    /// MIDI ports to send to.
    pub midi_outputs: Vec<String>,
    /// Why there are no MIDI ports, in plain words.
    pub midi_unavailable: Option<String>,
}

/// A device to play on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeviceInfo {
    /// What [`crate::AudioRequest::device`] takes.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is taken where no device is named.
    pub is_default: bool,
    /// In Hz, where it has one of its own.
    pub sample_rate_hz: Option<u32>,
    /// Where it has a number of its own.
    pub channels: Option<u16>,
}

/// Asks every backend what it offers, in the order in which they are tried. A backend that does not
/// answer in time says so.
pub fn list_devices() -> Vec<BackendInfo> {
    let asked: Vec<_> = Backend::IN_ORDER
        .into_iter()
        .map(|backend| (backend, Pending::start("kmidi-list", LIST_LIMIT, move || list(backend))))
        .collect();
    let timed_out = |backend| DeviceError::TimedOut { backend, limit_ms: LIST_LIMIT.as_millis() as u64 };
    asked
        .into_iter()
        .map(|(backend, pending)| match pending {
            Ok(pending) => {
                pending.wait().unwrap_or_else(|| BackendInfo::without(backend, &timed_out(backend)))
            }
            Err(error) => BackendInfo::without(backend, &error),
        })
        .collect()
}

impl BackendInfo {
    pub(crate) fn new(backend: Backend) -> Self {
        BackendInfo {
            backend,
            unavailable: None,
            devices: Vec::new(),
            midi_inputs: Vec::new(),
            midi_outputs: Vec::new(),
            midi_unavailable: None,
        }
    }

    fn without(backend: Backend, error: &DeviceError) -> Self {
        let reason = match error {
            DeviceError::Unavailable { reason, .. } => reason.clone(),
            other => other.to_string(),
        };
        BackendInfo { unavailable: Some(reason), ..BackendInfo::new(backend) }
    }
}

fn list(backend: Backend) -> BackendInfo {
    let listed = match backend {
        Backend::Jack => jack_client::list(),
        Backend::Pulse => list_cpal(backend),
        Backend::Alsa => {
            let mut info = list_cpal(backend).unwrap_or_else(|error| BackendInfo::without(backend, &error));
            match midi_bridge::port_names("kmidi") {
                Ok((inputs, outputs)) => (info.midi_inputs, info.midi_outputs) = (inputs, outputs),
                Err(DeviceError::Unavailable { reason, .. }) => info.midi_unavailable = Some(reason),
                Err(error) => info.midi_unavailable = Some(error.to_string()),
            }
            Ok(info)
        }
        Backend::Null => Ok(BackendInfo { devices: vec![null_clock::info()], ..BackendInfo::new(backend) }),
    };
    listed.unwrap_or_else(|error| BackendInfo::without(backend, &error))
}

fn list_cpal(backend: Backend) -> Result<BackendInfo, DeviceError> {
    let host = cpal_host::host(backend)?;
    let (default, _) = cpal_host::choose(backend, &host, None)?;
    let devices = cpal_host::outputs(backend, &host)?.into_iter().map(|(id, device)| {
        // Only a server knows its devices' formats without opening them.
        let config = (backend == Backend::Pulse).then(|| device.default_output_config().ok()).flatten();
        DeviceInfo {
            name: device.description().map_or_else(|_| id.clone(), |it| it.name().to_owned()),
            is_default: id == default,
            sample_rate_hz: config.as_ref().map(cpal::SupportedStreamConfig::sample_rate),
            channels: config.as_ref().map(cpal::SupportedStreamConfig::channels),
            id,
        }
    });
    Ok(BackendInfo { devices: devices.collect(), ..BackendInfo::new(backend) })
}

/// Where `wanted` is in `names`: the name itself, or else the first that contains it.
pub(crate) fn position_of(names: &[String], wanted: &str) -> Option<usize> {
    let exact = names.iter().position(|name| name == wanted);
    exact.or_else(|| names.iter().position(|name| name.contains(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole_before_in_part() {
        let names = ["grand piano".to_owned(), "piano".to_owned()];
        assert_eq!(position_of(&names, "piano"), Some(1));
        assert_eq!(position_of(&names, "and"), Some(0));
        assert_eq!(position_of(&names, "organ"), None);
    }

    #[test]
    fn every_backend_answers_in_order_with_devices_or_a_reason() {
        let listed = list_devices();
        assert!(listed.iter().map(|info| info.backend).eq(Backend::IN_ORDER));
        for info in &listed {
            assert!(info.unavailable.is_some() || !info.devices.is_empty(), "{info:?}");
            assert!(info.devices.iter().all(
                |device| !cpal_host::runs_free(info.backend, &device.id) || info.backend == Backend::Null
            ));
        }
        assert_eq!(listed[3].devices[0].id, null_clock::DEVICE_ID);
    }
}
