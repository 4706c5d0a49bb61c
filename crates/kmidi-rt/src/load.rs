use std::sync::Arc;
use std::time::Instant;

use kmidi_core::{DeviceCallback, DeviceIo};

use crate::engine::Engine;
use crate::status::StatusCell;

/// Weight of the newest callback in the shown load.
const NEWEST: f32 = 0.1;

/// An engine and, around it, the clock that measures its load. `[side A]`
///
/// It stands outside of [`Engine`] because reading the clock may be a system call on machines whose
/// clock source has no fast path.
pub struct LoadMeter {
    engine: Engine,
    sample_rate_hz: f32,
    status: Arc<StatusCell>,
    load: f32,
}

impl LoadMeter {
    /// `[side B]` Measures this engine.
    pub fn new(engine: Engine) -> Self {
        let status = engine.status_cell();
        LoadMeter { sample_rate_hz: engine.sample_rate_hz() as f32, engine, status, load: 0.0 }
    }
}

impl DeviceCallback for LoadMeter {
    #[allow(clippy::disallowed_methods, reason = "outside of what the engine claims; see above")]
    fn process(&mut self, io: &mut DeviceIo<'_, '_>) {
        let start = Instant::now();
        self.engine.process(io);
        let period = io.frames.max(1) as f32 / self.sample_rate_hz;
        let now = start.elapsed().as_secs_f32() / period;
        self.load += (now - self.load) * NEWEST;
        self.status.set_dsp_load(self.load);
    }
}
