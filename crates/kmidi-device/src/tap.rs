use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::DeviceError;
use crate::files::{AudioFileWriter, AudioSpec, Container, SampleFormat};
use crate::stream::Shared;

/// How much the writer may fall behind.
const SECONDS: usize = 4;

/// Writes what a stream plays to a WAV file, on a thread of its own.
pub(crate) struct Tap {
    /// Interleaved samples.
    ring: Option<Producer<f32>>,
    writer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Tap {
    pub(crate) fn start(
        path: &Path,
        sample_rate_hz: u32,
        channels: usize,
        shared: Arc<Shared>,
    ) -> Result<Self, DeviceError> {
        let spec = AudioSpec { sample_rate_hz, channels: channels as u16, format: SampleFormat::Float32 };
        let file = AudioFileWriter::create(path, Container::Wav, spec)
            .map_err(|error| DeviceError::Tap { reason: error.to_string() })?;
        let (ring, samples) = RingBuffer::new(SECONDS * sample_rate_hz as usize * channels);
        let counters = shared.clone();
        let writer = std::thread::Builder::new()
            .name("kmidi-tap".to_owned())
            .spawn(move || write_all(file, samples, channels, &counters))
            .map_err(|error| DeviceError::NoThread { reason: error.to_string() })?;
        Ok(Tap { ring: Some(ring), writer: Some(writer), shared })
    }

    /// Adds one block, all of it or, if the writer is too far behind, nothing, counted. `[side A]`
    pub(crate) fn push(&mut self, channels: &[&mut [f32]], frames: usize) {
        let Some(ring) = &mut self.ring else { return };
        match ring.write_chunk_uninit(frames * channels.len()) {
            Ok(chunk) => {
                let samples =
                    (0..frames).flat_map(|frame| channels.iter().map(move |channel| channel[frame]));
                chunk.fill_from_iter(samples);
            }
            Err(_) => {
                self.shared.tap_dropped.fetch_add(frames as u64, Relaxed);
            }
        }
    }
}

impl Drop for Tap {
    /// Waits until the file is complete.
    fn drop(&mut self) {
        self.ring = None;
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
    }
}

fn write_all(mut file: AudioFileWriter, mut samples: Consumer<f32>, channels: usize, shared: &Shared) {
    let mut planar = vec![Vec::new(); channels];
    loop {
        // Asked before looking: nothing comes after it is true.
        let last = samples.is_abandoned();
        let chunk = samples.read_chunk(samples.slots()).expect("as many as there are");
        planar.iter_mut().for_each(Vec::clear);
        for (position, sample) in chunk.into_iter().enumerate() {
            planar[position % channels].push(sample);
        }
        let written = file.write(&planar);
        if written.is_err() || last {
            if let Err(error) = written.and_then(|()| file.finish()) {
                *shared.tap_failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
