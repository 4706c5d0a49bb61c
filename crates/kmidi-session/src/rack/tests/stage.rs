//! A rack with its engine and its plugin thread, and no device: every frame is heard, and compared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use kmidi_core::{NodeInfo, ProcessContext, ProcessStatus, Processor};
use kmidi_device::Offline;
use kmidi_host::scan::FindError;
use kmidi_host::{Description, Format, Plugin, PluginId};
use kmidi_rt::{Engine, Report};
use kmidi_test_clap::ids;

use super::super::{Answer, Compensation, PluginRequest, PluginState, Rack, RackConfig, SavedPlugin};
use super::notes::{Notes, Player};
use crate::chain::{ChainError, PluginChoice};
use crate::rig::{CHANNELS, Rig, RigConfig, SoundSettings};

/// The gain of this workspace. Not by its crate: two with an entry for hosts cannot be in one program.
pub const GAIN: &str = "org.kmidi.gain";
pub const RATE: u32 = 48_000;
const QUANTUM: u32 = 64;
const PATIENCE: Duration = Duration::from_secs(60);

/// The sample of a frame. It moves slowly, so that a click is seen.
pub fn tone(frame: usize) -> f32 {
    (frame as f32 * 0.02).sin() * 0.5
}

/// The greatest step from one sample of [`tone`] to the next.
pub const STEP: f32 = 0.0101;

/// What sounds: a tone without a gap.
struct Tone(usize);

impl Processor for Tone {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        for channel in cx.audio.outputs.iter_mut() {
            (self.0..).zip(channel.iter_mut()).for_each(|(frame, sample)| *sample = tone(frame));
        }
        self.0 += cx.frames as usize;
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

/// A plugin that is built with the tests, as an index would have it.
fn find(text: &str) -> Result<Description, ChainError> {
    let id = text.parse().unwrap_or_else(|_| PluginId::new(Format::Clap, text));
    let library = match id.name.as_str() {
        GAIN => "libkmidi_gain_clap.so",
        _ => "libkmidi_test_clap.so",
    };
    let file = std::env::current_exe().unwrap().with_file_name(library);
    // What does not start is known from when it did.
    let asked = if id.name == ids::BROKEN { PluginId::new(Format::Clap, ids::GAIN) } else { id.clone() };
    match Plugin::load(&file, &asked) {
        Ok(plugin) => Ok(Description { id, ..plugin.description().clone() }),
        Err(_) => Err(FindError::NoSuch { text: text.to_owned() }.into()),
    }
}

pub struct Stage {
    pub rig: Rig,
    pub rack: Rack,
    pub heard: Vec<f32>,
    pub said: Vec<String>,
    pub saved: Vec<SavedPlugin>,
    pub reports: Vec<Report>,
    /// What instruments have told of their notes.
    pub notes: BTreeMap<u64, Notes>,
    /// Times that the rack was asked to go on.
    pub pumps: usize,
    /// No plugin is found any more.
    pub no_more: Arc<AtomicBool>,
    inbox: Receiver<Answer>,
    engine: Engine,
    driver: Offline,
    /// Quanta that the engine has run, as everybody can see.
    pub quanta: Arc<AtomicUsize>,
}

impl Stage {
    /// A tone, and these plugins.
    pub fn new(plugins: &[&str]) -> Self {
        Self::with(RackConfig {
            plugins: plugins.iter().map(|id| request(id)).collect(),
            ..RackConfig::default()
        })
    }

    pub fn with(config: RackConfig) -> Self {
        let (rig, engine) = rig(config.compensation);
        let (answers, inbox) = unbounded();
        let tell = move |answer| drop(answers.send(answer));
        let no_more = Arc::new(AtomicBool::new(false));
        let is_over = no_more.clone();
        let find = move |text: &str| match is_over.load(Relaxed) {
            true => Err(FindError::NoSuch { text: text.to_owned() }.into()),
            false => find(text),
        };
        let mut rack = Rack::new(config, Box::new(find), Box::new(tell));
        rack.rig_built(&rig);
        Stage {
            rig,
            rack,
            heard: vec![],
            said: vec![],
            saved: vec![],
            reports: vec![],
            notes: BTreeMap::new(),
            pumps: 0,
            no_more,
            inbox,
            engine,
            driver: Offline::new(CHANNELS),
            quanta: Arc::default(),
        }
    }

    /// Somebody plays in the place of the song.
    pub fn with_player() -> Self {
        let mut stage = Self::new(&[]);
        let player = stage.rig.graph.add_processor(Player::info(), Player::boxed()).unwrap();
        stage.rig.parts.song = player;
        stage.rack.rig_built(&stage.rig);
        stage
    }

    /// One callback, and what the conductor does between two.
    pub fn step(&mut self) {
        let block = self.driver.run(&mut self.engine, QUANTUM as usize);
        assert_eq!(block.channels[0], block.channels[1]);
        self.heard.extend_from_slice(block.channels[0]);
        self.quanta.fetch_add(1, Relaxed);
        self.rig.handle.collect();
        self.reports.extend(self.rig.handle.reports());
        for answer in self.inbox.try_iter() {
            if let Some((_, saved)) = self.rack.hear(answer, Some(&mut self.rig)) {
                self.saved = saved;
            }
        }
        self.rack.pump(&mut self.rig);
        self.said.extend(self.rack.said().into_iter().map(|(_, text)| text));
        self.pumps += 1;
    }

    pub fn run(&mut self, seconds: f64) {
        (0..(seconds * f64::from(RATE / QUANTUM)) as usize).for_each(|_| self.step());
    }

    /// Until the condition holds. The plugin thread works in its own time.
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Stage) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            assert!(
                begin.elapsed() < PATIENCE,
                "{what} never comes: {:?} {:#?}",
                self.said,
                self.rack.snapshot()
            );
            self.step();
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Until all that was asked for is done, tails included.
    pub fn settle(&mut self) {
        self.until("peace", |stage| stage.rack.is_at_rest(&stage.rig));
    }

    /// A device with another sample rate or period: another engine.
    pub fn another_engine(&mut self) {
        let (rig, engine) = rig(Compensation::Song);
        self.engine = engine;
        self.rig = rig;
        self.rack.rig_built(&self.rig);
        self.heard.clear();
    }

    pub fn state(&self, slot: u32) -> PluginState {
        let plugins = self.rack.snapshot();
        plugins.into_iter().find(|plugin| plugin.slot == slot).map(|plugin| plugin.state).unwrap_or_default()
    }

    /// Slots in their order.
    pub fn slots(&self) -> Vec<u32> {
        self.rack.snapshot().into_iter().map(|plugin| plugin.slot).collect()
    }

    /// What has been heard is the tone, frame by frame, from the start.
    pub fn expect_the_tone(&self) {
        let is_tone = |frame: &usize| (self.heard[*frame] - tone(*frame)).abs() < 1e-5;
        let wrong = (0..self.heard.len()).find(|frame| !is_tone(frame));
        assert_eq!(wrong, None, "of {} frames", self.heard.len());
    }

    /// The frame from which on it is the tone, `late` frames late, to the end.
    pub fn tone_from(&self, late: usize) -> Option<usize> {
        let frames = self.heard.len();
        let is_tone = |frame: usize| frame >= late && (self.heard[frame] - tone(frame - late)).abs() < 1e-5;
        let wrong = (0..frames).rev().find(|&frame| !is_tone(frame)).map_or(0, |frame| frame + 1);
        (wrong < frames).then_some(wrong)
    }

    pub fn largest_step(&self) -> f32 {
        self.heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    /// The engine first, as the session does it.
    pub fn close(self) -> bool {
        let Stage { rig, rack, engine, inbox, .. } = self;
        drop((engine, rig));
        inbox.try_iter().for_each(drop);
        rack.close()
    }
}

fn rig(compensation: Compensation) -> (Rig, Engine) {
    let config = RigConfig {
        sample_rate_hz: RATE,
        quantum_frames: QUANTUM,
        live_in: false,
        channels_in: 0,
        channels_out: CHANNELS as u16,
        midi_out: false,
        has_ceiling: false,
        compensation,
    };
    let mut tone = None;
    let (mut rig, engine) = Rig::with(config, &SoundSettings::default(), |graph, parts| {
        let info = NodeInfo { name: "tone".into(), audio_outputs: vec![2], ..NodeInfo::default() };
        let node = graph.add_processor(info, Box::new(Tone(0)))?;
        graph.connect_audio((node, 0), (parts.output, 0))?;
        graph.disconnect_audio(parts.synth, parts.output);
        tone = Some(node);
        Ok(())
    })
    .unwrap();
    rig.parts.synth = tone.unwrap();
    (rig, engine)
}

pub fn request(id: &str) -> PluginRequest {
    let choice = PluginChoice { plugin: id.into(), ..PluginChoice::default() };
    PluginRequest { choice, ..PluginRequest::default() }
}
