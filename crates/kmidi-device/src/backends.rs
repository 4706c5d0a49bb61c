//! Opening a device by its backend, within a time limit.

use std::time::Duration;

use crate::limited::Pending;
use crate::stream::Stream;
use crate::{AudioRequest, Backend, DeviceError, OpenDevice, cpal_stream, jack_client, null_clock};

/// How long a backend may take to open a device.
const OPEN_LIMIT: Duration = Duration::from_secs(4);

/// Opens what is asked for; with no backend asked for, the first that works.
pub(crate) fn open(request: &AudioRequest) -> Result<Stream, DeviceError> {
    if let Some(backend) = request.backend {
        return open_within_limit(backend, request);
    }
    let mut notes = Vec::new();
    for backend in Backend::IN_ORDER {
        if request.device.is_some() && backend == Backend::Null {
            break;
        }
        match open_within_limit(backend, request) {
            Ok(mut stream) => {
                notes.append(&mut stream.device.notes);
                stream.device.notes = notes;
                return Ok(stream);
            }
            // A file that cannot be written is the user's to mend, not a reason to look further.
            Err(error @ DeviceError::Tap { .. }) => return Err(error),
            Err(error) => notes.push(error.to_string()),
        }
    }
    Err(DeviceError::unavailable(Backend::Null, notes.join("; ")))
}

fn open_within_limit(backend: Backend, request: &AudioRequest) -> Result<Stream, DeviceError> {
    let request = request.clone();
    Pending::start("kmidi-open", OPEN_LIMIT, move || open_now(backend, &request, 0))?
        .wait()
        .unwrap_or(Err(DeviceError::TimedOut { backend, limit_ms: OPEN_LIMIT.as_millis() as u64 }))
}

/// Starts to open `device`, and no other, again; `attempt` counts from 1.
pub(crate) fn probe(
    request: &AudioRequest,
    device: &OpenDevice,
    attempt: u32,
) -> Result<Pending<Result<Stream, DeviceError>>, DeviceError> {
    let request = AudioRequest {
        backend: Some(device.backend),
        device: Some(device.device.clone()),
        ..request.clone()
    };
    let backend = device.backend;
    Pending::start("kmidi-probe", OPEN_LIMIT, move || open_now(backend, &request, attempt))
}

fn open_now(backend: Backend, request: &AudioRequest, attempt: u32) -> Result<Stream, DeviceError> {
    match backend {
        Backend::Jack => jack_client::open(request),
        Backend::Pulse | Backend::Alsa => cpal_stream::open(backend, request),
        Backend::Null => null_clock::open(request, attempt),
    }
}
