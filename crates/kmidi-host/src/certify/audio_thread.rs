//! The thread that the audio half of a plugin runs on while it is tried. One for all phases: what a plugin does when it
//! first meets a thread, it does in the warm-up.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use kmidi_sys::{FlushDenormals, prefault_stack};

use super::bench::Bench;
use super::measure::Measure;
use super::stimulus::Stimulus;
use super::tally::Watch;

/// After this it is told that the blocks go on.
const LONGEST: Duration = Duration::from_millis(500);
/// Stack that is touched before the first block.
const STACK_BYTES: usize = 256 << 10;

/// All that goes to the audio thread and comes back.
pub(super) struct Stage {
    pub bench: Bench,
    pub watch: Box<dyn Watch + Send>,
    pub stimulus: Stimulus,
    pub measure: Measure,
    /// The samples that came out, one channel behind the other in each block, where they are wanted.
    pub recorded: Option<Vec<f32>>,
    /// Block that comes next.
    pub block: u32,
}

impl Stage {
    /// Runs so many blocks, fewer where they take long.
    fn run(&mut self, blocks: u32) {
        let start = Instant::now();
        for _ in 0..blocks {
            self.stimulus.prepare(&mut self.bench, self.block);
            let result = self.bench.run(&mut *self.watch, true);
            self.measure.add(&self.bench, result);
            if let Some(recorded) = &mut self.recorded {
                self.bench.outputs().for_each(|channel| recorded.extend(channel));
            }
            self.block += 1;
            if start.elapsed() > LONGEST {
                return;
            }
        }
    }
}

/// The thread, while it waits for work.
pub(super) struct AudioThread {
    work: Option<Sender<(Box<Stage>, u32)>>,
    done: Receiver<Box<Stage>>,
    thread: Option<JoinHandle<()>>,
}

impl AudioThread {
    pub fn start() -> std::io::Result<Self> {
        let (work, to_do) = bounded::<(Box<Stage>, u32)>(1);
        let (send, done) = bounded(1);
        let thread = std::thread::Builder::new().name("audio".into()).spawn(move || {
            let _flush = FlushDenormals::enable();
            prefault_stack(STACK_BYTES);
            for (mut stage, blocks) in to_do {
                stage.run(blocks);
                if send.send(stage).is_err() {
                    return;
                }
            }
        })?;
        Ok(AudioThread { work: Some(work), done, thread: Some(thread) })
    }

    /// Runs at most so many blocks, and waits for them.
    pub fn run(&self, stage: Box<Stage>, blocks: u32) -> Box<Stage> {
        let work = self.work.as_ref().expect("it is taken only when this is dropped");
        work.send((stage, blocks)).expect("the thread lives as long as its work is wanted");
        self.done.recv().expect("the thread gives back what it was given")
    }
}

impl Drop for AudioThread {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
