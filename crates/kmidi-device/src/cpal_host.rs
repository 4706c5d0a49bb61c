//! PulseAudio and ALSA, by way of cpal: which devices there are.

use cpal::traits::{DeviceTrait, HostTrait};

use crate::{Backend, DeviceError};

/// ALSA's name for whatever the user has made the default.
pub(crate) const ALSA_DEFAULT: &str = "default";

/// Keeps ALSA from writing to stderr about what it does not find; for the calling thread.
pub(crate) fn quiet() {
    #[cfg(target_os = "linux")]
    if let Ok(buffer) = alsa::Output::local_error_handler() {
        // The handler keeps a buffer of its own for this thread.
        drop(buffer);
    }
}

/// The host of a backend. Asks its server, if it has one, and may hang.
pub(crate) fn host(backend: Backend) -> Result<cpal::Host, DeviceError> {
    #[cfg(target_os = "linux")]
    let id = match backend {
        Backend::Pulse => Some(cpal::HostId::PulseAudio),
        Backend::Alsa => Some(cpal::HostId::Alsa),
        Backend::Jack | Backend::Null => None,
    };
    #[cfg(not(target_os = "linux"))]
    let id: Option<cpal::HostId> = None;
    let id = id.ok_or_else(|| DeviceError::unavailable(backend, "not on this system"))?;
    quiet();
    cpal::host_from_id(id).map_err(|error| match error.kind() {
        cpal::ErrorKind::HostUnavailable if backend == Backend::Pulse => {
            DeviceError::unavailable(backend, "no server is running")
        }
        _ => refused(backend, &error),
    })
}

/// Devices that can play, with their ids. ALSA's `null` and `file` devices are left out: they take
/// audio as fast as the processor can make it.
pub(crate) fn outputs(
    backend: Backend,
    host: &cpal::Host,
) -> Result<Vec<(String, cpal::Device)>, DeviceError> {
    let devices = host.devices().map_err(|error| refused(backend, &error))?;
    let named = devices.filter_map(|device| Some((device.id().ok()?.id().to_owned(), device)));
    Ok(named.filter(|(id, device)| !runs_free(backend, id) && device.supports_output()).collect())
}

/// Whether the device `id` is not paced by any clock.
pub(crate) fn runs_free(backend: Backend, id: &str) -> bool {
    let kind = id.split(':').next().unwrap_or_default();
    backend == Backend::Alsa && matches!(kind, "null" | "file" | "tee")
}

/// The device asked for, or the default one, with its id.
pub(crate) fn choose(
    backend: Backend,
    host: &cpal::Host,
    wanted: Option<&str>,
) -> Result<(String, cpal::Device), DeviceError> {
    let Some(wanted) = wanted.filter(|wanted| backend != Backend::Alsa || *wanted != ALSA_DEFAULT) else {
        if backend == Backend::Alsa && !has_sound_card() {
            return Err(DeviceError::unavailable(backend, "no sound card (/proc/asound/cards lists none)"));
        }
        let none = || DeviceError::unavailable(backend, "it has no device to play on");
        let device = host.default_output_device().ok_or_else(none)?;
        let id = device.id().map_err(|error| refused(backend, &error))?.id().to_owned();
        return Ok((id, device));
    };
    if runs_free(backend, wanted) {
        return Err(DeviceError::BadRequest {
            what: "ALSA's null and file devices have no clock; use the null clock, or render to a file",
        });
    }
    let mut outputs = outputs(backend, host)?;
    match outputs.iter().position(|(id, _)| id == wanted) {
        Some(position) => Ok(outputs.swap_remove(position)),
        None => Err(DeviceError::NotFound {
            backend,
            wanted: format!("device {wanted}"),
            existing: outputs.into_iter().map(|(id, _)| id).collect(),
        }),
    }
}

/// With no card ALSA still offers a default device, which does not open.
fn has_sound_card() -> bool {
    let cards = std::fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    cards.lines().any(|line| line.trim_start().starts_with(|first: char| first.is_ascii_digit()))
}

/// What cpal says, in our words.
pub(crate) fn refused(backend: Backend, error: &cpal::Error) -> DeviceError {
    DeviceError::unavailable(backend, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_without_a_clock_are_never_chosen() {
        for id in ["null", "file", "file:FILE=x.wav,FORMAT=wav", "tee:x"] {
            assert!(runs_free(Backend::Alsa, id), "{id}");
        }
        for id in ["default", "hw:CARD=0,DEV=0", "sysdefault:CARD=null"] {
            assert!(!runs_free(Backend::Alsa, id), "{id}");
        }
        assert!(!runs_free(Backend::Pulse, "null"), "a PulseAudio sink of that name has a clock");
    }
}
