//! The child's side: a plugin is run through its phases, and the parent is told.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::audio_thread::{AudioThread, Stage};
use super::bench::Bench;
use super::line::Line;
use super::measure::{Measure, add_tally};
use super::plan::{Phase, Plan};
use super::report::{PhaseReport, Violation};
use super::stimulus::{Stimulus, sweep_blocks};
use super::tally::Watch;
use super::{latency, repeats, states};
use crate::{Activation, ActivePlugin, Description, Kind, LoadError, Parameter, Plugin, PluginId, Told};

/// How a plugin runs in all phases but one.
pub(super) const ACTIVATION: Activation =
    Activation { sample_rate_hz: 48_000, quantum_frames: 256, offline: false };
/// How it runs when it is activated again.
const OTHER_ACTIVATION: Activation =
    Activation { sample_rate_hz: 44_100, quantum_frames: 1024, offline: false };
/// Blocks between two looks at the plugin's main half. After a look a block may take longer, for the thread was woken: no
/// two lie equally far apart, so that this is not taken for something that comes back.
const CHUNKS: [u32; 7] = [64, 51, 80, 43, 72, 57, 67];
/// Where blocks take long a phase has fewer of them.
const LONGEST_PHASE: Duration = Duration::from_secs(30);
/// What a plugin says in the log that is passed on.
const MAX_LOG_LINES: usize = 8;

/// Runs a plugin through its phases while `watch` counts, and tells the parent on `out`. Runs foreign code: whatever
/// happens in it happens to this process.
///
/// # Errors
/// The parent is gone.
pub fn certify_for_parent(
    path: &Path,
    id: &PluginId,
    plan: &Plan,
    watch: Box<dyn Watch + Send>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let audio = AudioThread::start()?;
    let mut trial = Trial { path, id, plan, watch: Some(watch), audio, out };
    trial.run()?;
    let sees_system_calls = trial.watch().sees_system_calls();
    trial.tell(&Line::End { sees_system_calls })
}

/// A plugin on trial.
pub(super) struct Trial<'a> {
    path: &'a Path,
    id: &'a PluginId,
    pub plan: &'a Plan,
    /// `None` while the audio thread has it.
    watch: Option<Box<dyn Watch + Send>>,
    audio: AudioThread,
    out: &'a mut dyn Write,
}

/// A plugin at work.
pub(super) struct AtWork {
    pub active: ActivePlugin,
    // Home between two phases.
    bench: Option<Bench>,
}

impl Trial<'_> {
    fn run(&mut self) -> io::Result<()> {
        let Some(plugin) = self.load_first()? else { return Ok(()) };
        let Some(mut at_work) = self.activate_first(plugin)? else { return Ok(()) };
        kmidi_sys::prefault_code();
        for phase in
            [Phase::WarmUp, Phase::Steady, Phase::Notes, Phase::Silence, Phase::Sweep, Phase::OddSizes]
        {
            if self.plan.has(phase) {
                self.begin(phase)?;
                let report = self.blocks(&mut at_work, phase)?;
                self.done(report)?;
            }
        }
        let plugin = self.rest(at_work)?;
        let plugin = self.again(plugin)?;
        let Some(plugin) = plugin else { return Ok(()) };
        let plugin = states::run(self, plugin)?;
        let plugin = states::run_presets(self, plugin)?;
        latency::run(self)?;
        repeats::run(self)?;
        self.begin(Phase::Unload)?;
        let (report, ()) = self.counted(Phase::Unload, || drop(plugin));
        self.done(report)
    }

    pub fn tell(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, line)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    pub fn begin(&mut self, phase: Phase) -> io::Result<()> {
        self.tell(&Line::Begin(phase))
    }

    pub fn alive(&mut self) -> io::Result<()> {
        self.tell(&Line::Alive)
    }

    pub fn done(&mut self, report: PhaseReport) -> io::Result<()> {
        self.tell(&Line::Done(Box::new(report)))
    }

    fn watch(&mut self) -> &mut (dyn Watch + Send) {
        self.watch.as_deref_mut().expect("it is home between two phases")
    }

    /// A call on the main thread, and what was counted in it.
    pub fn counted<T>(&mut self, phase: Phase, call: impl FnOnce() -> T) -> (PhaseReport, T) {
        let mut report = PhaseReport::new(phase);
        // System calls are no fault here, and trapping them takes long.
        self.watch().begin(false);
        let result = call();
        let tally = self.watch().end();
        add_tally(&mut report, tally, 0);
        report.held = self.watch().held();
        (report, result)
    }

    /// A fresh instance.
    pub fn load(&self) -> Result<Plugin, LoadError> {
        load(self.path, self.id).map(|(plugin, _)| plugin)
    }

    fn load_first(&mut self) -> io::Result<Option<Plugin>> {
        self.begin(Phase::Load)?;
        let (path, id) = (self.path, self.id);
        let (mut report, plugin) = self.counted(Phase::Load, || load(path, id));
        match plugin {
            Ok((plugin, preset)) => {
                report.notes.extend(preset.map(|name| format!("plays the preset {name}")));
                self.done(report).map(|()| Some(plugin))
            }
            Err(error) => self.tell(&Line::NotLoadable(error.to_string())).map(|()| None),
        }
    }

    fn activate_first(&mut self, plugin: Plugin) -> io::Result<Option<AtWork>> {
        self.begin(Phase::Activation)?;
        let (mut report, at_work) = self.counted(Phase::Activation, || activate(plugin, &ACTIVATION));
        match at_work {
            Ok(at_work) => {
                let info = at_work.active.node_info();
                report.notes.push(format!("latency {} frames", info.latency_frames));
                self.done(report).map(|()| Some(at_work))
            }
            Err((_, why)) => self.tell(&Line::NotLoadable(why)).map(|()| None),
        }
    }

    /// Runs the blocks of a phase.
    pub fn blocks(&mut self, at_work: &mut AtWork, phase: Phase) -> io::Result<PhaseReport> {
        self.record(at_work, phase, None).map(|(report, _)| report)
    }

    /// The same, and what came out goes behind what is in `recorded`.
    pub fn record(
        &mut self,
        at_work: &mut AtWork,
        phase: Phase,
        recorded: Option<Vec<f32>>,
    ) -> io::Result<(PhaseReport, Vec<f32>)> {
        let description = at_work.active.description();
        let parameters = settable(description);
        let blocks = match phase {
            Phase::Sweep => sweep_blocks(self.plan.level.blocks(phase), parameters.len()),
            Phase::Latency => latency::blocks(at_work.active.node_info()),
            _ => self.plan.level.blocks(phase),
        };
        let stimulus = Stimulus::new(phase, self.plan.seed, blocks, note_ports(description), parameters);
        let mut stage = Box::new(Stage {
            bench: at_work.bench.take().expect("it is home between two phases"),
            watch: self.watch.take().expect("it is home between two phases"),
            stimulus,
            measure: Measure::new(phase, blocks),
            recorded,
            block: 0,
        });
        let mut heard = Heard::default();
        let mut told = Ok(());
        let mut chunks = CHUNKS.iter().cycle();
        let start = Instant::now();
        while stage.block < blocks && told.is_ok() && start.elapsed() < LONGEST_PHASE {
            let chunk = chunks.next().map_or(1, |chunk| *chunk).min(blocks - stage.block);
            stage = self.audio.run(stage, chunk);
            heard.listen(&mut at_work.active);
            told = self.alive();
        }
        let Stage { bench, watch, measure, recorded, .. } = *stage;
        (at_work.bench, self.watch) = (Some(bench), Some(watch));
        told?;
        let mut report = measure.finish();
        if phase == Phase::Notes
            && at_work.active.description().kind == Kind::Instrument
            && report.sound.peak == 0.0
        {
            report.notes.push("an instrument, and silent".to_owned());
        }
        report.held = self.watch().held();
        heard.note(&mut report);
        if report.blocks < blocks {
            report.notes.push(format!("{} of {blocks} blocks, which took too long", report.blocks));
        }
        Ok((report, recorded.unwrap_or_default()))
    }

    fn rest(&mut self, at_work: AtWork) -> io::Result<Plugin> {
        self.begin(Phase::Deactivation)?;
        let (report, plugin) = self.counted(Phase::Deactivation, || at_work.rest());
        self.done(report)?;
        Ok(plugin)
    }

    /// Works once more, under other conditions; `None` where that is refused.
    fn again(&mut self, plugin: Plugin) -> io::Result<Option<Plugin>> {
        if !self.plan.has(Phase::Reactivation) {
            return Ok(Some(plugin));
        }
        self.begin(Phase::Reactivation)?;
        match activate(plugin, &OTHER_ACTIVATION) {
            Ok(mut at_work) => {
                let report = self.blocks(&mut at_work, Phase::Reactivation)?;
                let plugin = at_work.rest();
                self.done(report)?;
                Ok(Some(plugin))
            }
            Err((_, why)) => {
                let mut report = PhaseReport::new(Phase::Reactivation);
                report.fail(Violation::Activation, why);
                self.done(report)?;
                Ok(None)
            }
        }
    }
}

/// Loads a plugin. An instrument gets its first preset, whose name is returned: without one it may have no sound to make.
fn load(path: &Path, id: &PluginId) -> Result<(Plugin, Option<String>), LoadError> {
    let mut plugin = Plugin::load(path, id)?;
    let is_instrument = plugin.description().kind == Kind::Instrument;
    let first = if is_instrument { plugin.presets().into_iter().next() } else { None };
    // One that it does not take is told of when the presets are tried.
    let taken = first.filter(|preset| plugin.load_preset(&preset.key).is_ok());
    Ok((plugin, taken.map(|preset| preset.name)))
}

/// Activates a plugin; else the plugin as it was, and why not.
pub(super) fn activate(plugin: Plugin, activation: &Activation) -> Result<AtWork, (Box<Plugin>, String)> {
    match plugin.activate(activation) {
        Ok((active, processor)) => {
            let bench = Bench::new(processor, active.node_info(), activation.quantum_frames);
            Ok(AtWork { active, bench: Some(bench) })
        }
        Err((plugin, error)) => Err((Box::new(plugin), error.to_string())),
    }
}

impl AtWork {
    /// The end of work.
    pub fn rest(self) -> Plugin {
        drop(self.bench);
        match self.active.deactivate() {
            Ok(plugin) => plugin,
            Err((_, still)) => unreachable!("{still}: it was dropped above"),
        }
    }
}

/// What a host may set, in the plugin's order.
pub(super) fn settable(description: &Description) -> Vec<Parameter> {
    description.parameters.iter().filter(|parameter| !parameter.is_output).cloned().collect()
}

fn note_ports(description: &Description) -> Vec<u16> {
    let ports = description.event_inputs.iter().enumerate().filter(|(_, port)| port.midi);
    ports.filter_map(|(at, _)| u16::try_from(at).ok()).collect()
}

/// What a plugin said in a phase.
#[derive(Default)]
struct Heard {
    failed_blocks: u64,
    log: Vec<String>,
    restarts: u64,
    latency_frames: Option<u32>,
}

impl Heard {
    fn listen(&mut self, active: &mut ActivePlugin) {
        while let Some(told) = active.told() {
            match told {
                Told::ProcessFailed => self.failed_blocks += 1,
                Told::Log(line) if self.log.len() < MAX_LOG_LINES => self.log.push(line.as_str().to_owned()),
                Told::Log(_) | Told::Parameter { .. } => {}
            }
        }
        active.idle();
        self.restarts += u64::from(active.wants_restart());
        self.latency_frames = active.new_latency_frames().or(self.latency_frames);
    }

    fn note(self, report: &mut PhaseReport) {
        if self.failed_blocks > 0 {
            let text = format!("it said of {} blocks that it failed", self.failed_blocks);
            report.fail(Violation::ProcessFailed, text);
        }
        if self.restarts > 0 {
            report.notes.push(format!("asked {} times to be activated anew", self.restarts));
        }
        if let Some(frames) = self.latency_frames {
            report.notes.push(format!("changed its latency to {frames} frames"));
        }
        report.notes.extend(self.log.into_iter().map(|line| format!("said: {line}")));
    }
}
