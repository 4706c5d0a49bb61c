//! PulseAudio and ALSA, by way of cpal: one stream.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig, SupportedBufferSize};

use crate::block::FixedBlock;
use crate::stream::{Driver, Shared, Stream};
use crate::{AudioRequest, Backend, DeviceError, OpenDevice, cpal_host, midi_bridge};

/// A time-sharing server needs more time than a sound card's own interrupt.
const PULSE_PERIOD_FRAMES: u32 = 1024;
const ALSA_PERIOD_FRAMES: u32 = 512;
const USUAL_RATE_HZ: u32 = 48_000;
/// As for the null clock.
const FIFO_PRIORITY: u8 = 60;

/// Opens and starts a stream. May hang: call it within a limit.
pub(crate) fn open(backend: Backend, request: &AudioRequest) -> Result<Stream, DeviceError> {
    let host = cpal_host::host(backend)?;
    let (id, device) = cpal_host::choose(backend, &host, request.device.as_deref())?;
    let refused = |error: cpal::Error| cpal_host::refused(backend, &error);
    let (config, format) = configure(backend, request, &device)?;
    let BufferSize::Fixed(period_frames) = config.buffer_size else {
        unreachable!("the period is always fixed: a default may be seconds long");
    };

    let shared = Arc::new(Shared::default());
    shared.sample_rate_hz.store(config.sample_rate, Relaxed);
    shared.period_frames.store(period_frames, Relaxed);
    let mut notes = notes(request, &config);
    let (bridge, ports) = midi_bridge::open(request, config.sample_rate, period_frames, &mut notes)?;
    let mut driver = Driver::new(shared.clone(), bridge);
    let mut real_time = backend == Backend::Alsa && id.contains("hw:");
    let render = move |block: &mut [&mut [f32]]| {
        if std::mem::take(&mut real_time) {
            // The thread is cpal's, and this its first callback; refusal costs quality, not sound.
            kmidi_sys::set_fifo(FIFO_PRIORITY).ok();
        }
        driver.midi_in.clear();
        driver.run(period_frames as usize, &[], block);
    };
    let mut blocks = FixedBlock::new(request.channels_out, period_frames as usize, render);
    let channels = usize::from(config.channels);
    let fill = move |data: &mut cpal::Data, _: &cpal::OutputCallbackInfo| match format {
        SampleFormat::F32 => data.as_slice_mut::<f32>().into_iter().for_each(|it| blocks.fill(it, channels)),
        SampleFormat::I32 => data.as_slice_mut::<i32>().into_iter().for_each(|it| blocks.fill(it, channels)),
        _ => data.as_slice_mut::<i16>().into_iter().for_each(|it| blocks.fill(it, channels)),
    };
    let stream = device
        .build_output_stream_raw(config, format, fill, errors(shared.clone()), None)
        .map_err(refused)?;
    stream.play().map_err(refused)?;
    let name = device.description().map_or_else(|_| id.clone(), |it| it.name().to_owned());
    let device = OpenDevice {
        backend,
        device: id,
        name,
        sample_rate_hz: config.sample_rate,
        period_frames,
        channels_in: 0,
        // What the engine plays on others nobody hears.
        channels_out: request.channels_out.min(channels.max(2)),
        // Both backends are asked for a buffer of two periods.
        latency_frames: 2 * period_frames,
        notes,
    };
    Ok(Stream { shared, device, handle: Box::new((stream, host, ports)) })
}

/// What cpal reports of a running stream, from a thread of its own.
fn errors(shared: Arc<Shared>) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| match error.kind() {
        ErrorKind::Xrun => {
            shared.xruns.fetch_add(1, Relaxed);
        }
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated => {
            shared.lost.store(true, Relaxed);
        }
        // Whatever else it is: a stream that no longer calls is noticed.
        _ => {}
    }
}

fn notes(request: &AudioRequest, config: &StreamConfig) -> Vec<String> {
    let mut notes = Vec::new();
    if request.sample_rate_hz.is_some_and(|wanted| wanted != config.sample_rate) {
        notes.push(format!("the device runs at {} Hz", config.sample_rate));
    }
    if usize::from(config.channels) < request.channels_out {
        notes.push(format!("the device has {} of {} channels", config.channels, request.channels_out));
    }
    if request.channels_in > 0 {
        notes.push("audio input needs JACK".to_owned());
    }
    notes
}

/// The stream's format: as near to the request as the device can.
fn configure(
    backend: Backend,
    request: &AudioRequest,
    device: &cpal::Device,
) -> Result<(StreamConfig, SampleFormat), DeviceError> {
    let wanted_channels = request.channels_out.max(1) as u16;
    if backend == Backend::Pulse {
        // The server converts whatever it is given; the sink's own rate spares the conversion.
        let sink = device.default_output_config().map_or(USUAL_RATE_HZ, |config| config.sample_rate());
        let config = StreamConfig {
            channels: wanted_channels,
            sample_rate: request.sample_rate_hz.unwrap_or(sink),
            buffer_size: BufferSize::Fixed(request.period_frames.unwrap_or(PULSE_PERIOD_FRAMES)),
        };
        return Ok((config, SampleFormat::F32));
    }
    let wanted_rate = request.sample_rate_hz.unwrap_or(USUAL_RATE_HZ);
    let ranges = device.supported_output_configs().map_err(|error| cpal_host::refused(backend, &error))?;
    let best = ranges
        .filter(|range| rank(range.sample_format()).is_some())
        .min_by_key(|range| {
            let missing = wanted_channels.saturating_sub(range.channels());
            let rate = wanted_rate.clamp(range.min_sample_rate(), range.max_sample_rate());
            (missing, rate.abs_diff(wanted_rate), rank(range.sample_format()), range.channels())
        })
        .ok_or_else(|| DeviceError::unavailable(backend, "the device knows no sample format of ours"))?;
    let period = request.period_frames.unwrap_or(ALSA_PERIOD_FRAMES);
    let period = match *best.buffer_size() {
        SupportedBufferSize::Range { min, max } => period.max(min).min(max.max(1)),
        SupportedBufferSize::Unknown => period,
    };
    let config = StreamConfig {
        channels: best.channels(),
        sample_rate: wanted_rate.clamp(best.min_sample_rate(), best.max_sample_rate()),
        buffer_size: BufferSize::Fixed(period),
    };
    Ok((config, best.sample_format()))
}

/// Formats we can give, the best first.
fn rank(format: SampleFormat) -> Option<u8> {
    match format {
        SampleFormat::F32 => Some(0),
        SampleFormat::I32 => Some(1),
        SampleFormat::I16 => Some(2),
        _ => None,
    }
}
