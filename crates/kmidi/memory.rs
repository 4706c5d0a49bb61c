//! Memory as flags set it: budgets, and the monitor that looks after them while a command runs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use kmidi_memory::{
    Budgets, Domain, LeakRules, Levels, Limits, MIB, Monitor, MonitorConfig, MonitorEvent, Pressure,
};

use crate::control;

/// The most that a budget can be set to, in MiB.
const MOST_MIB: u64 = 1 << 20;

/// What `play`, `render` and others share.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Memory")]
pub struct MemoryArgs {
    /// Budget in MiB for what the audio callback owns
    #[arg(long, value_name = "MB", default_value_t = 64, value_parser = mib())]
    pub memory_audio_mb: u64,
    /// Budget in MiB for models
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = mib())]
    pub memory_models_mb: u64,
    /// Budget in MiB for songs and samples
    #[arg(long, value_name = "MB", default_value_t = 128, value_parser = mib())]
    pub memory_working_mb: u64,
    /// Budget in MiB for all of it together
    #[arg(long, value_name = "MB", default_value_t = 700, value_parser = mib())]
    pub memory_total_mb: u64,
    /// Seconds between two looks at memory, 0.01 to 3600
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = seconds, hide_short_help = true)]
    pub memory_interval_seconds: f64,
    /// MiB in use from which a warning is given; 70 % of the total budget otherwise
    #[arg(long, value_name = "MB", value_parser = mib(), hide_short_help = true)]
    pub memory_alert_mb: Option<u64>,
    /// MiB in use from which caches are emptied; 85 % of the total budget otherwise
    #[arg(long, value_name = "MB", value_parser = mib(), hide_short_help = true)]
    pub memory_cleanup_mb: Option<u64>,
    /// MiB in use from which all that can be had again is freed; 95 % of the total budget otherwise
    #[arg(long, value_name = "MB", value_parser = mib(), hide_short_help = true)]
    pub memory_critical_mb: Option<u64>,
}

fn mib() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=MOST_MIB)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 0.01 to 3600 is needed".into()),
    }
}

/// What looks after memory as long as it is kept.
pub struct Memory {
    pub budgets: Budgets,
    pub monitor: Arc<Monitor>,
    /// Other terminals look in through it.
    _control: Option<control::Server>,
}

impl MemoryArgs {
    fn limits(&self) -> Limits {
        Limits::default()
            .with(Some(Domain::Audio), self.memory_audio_mb * MIB)
            .with(Some(Domain::Models), self.memory_models_mb * MIB)
            .with(Some(Domain::Working), self.memory_working_mb * MIB)
            .with(None, self.memory_total_mb * MIB)
    }

    fn monitor_config(&self) -> Result<MonitorConfig> {
        let [alert, cleanup, critical] = Levels::of_budget(self.memory_total_mb * MIB).bounds();
        let bytes = |mib: Option<u64>, otherwise| mib.map_or(otherwise, |mib| mib * MIB);
        let levels = Levels::new(
            bytes(self.memory_alert_mb, alert),
            bytes(self.memory_cleanup_mb, cleanup),
            bytes(self.memory_critical_mb, critical),
        )
        .context("--memory-alert-mb, --memory-cleanup-mb and --memory-critical-mb")?;
        Ok(MonitorConfig {
            interval: Duration::from_secs_f64(self.memory_interval_seconds),
            levels,
            leaks: LeakRules::default(),
        })
    }

    /// Sets the budgets and starts to look after them. `tell` is given a line when memory gets short and when
    /// something was freed, on a thread of its own.
    pub fn start(&self, tell: impl Fn(String) + Send + 'static) -> Result<Memory> {
        let region = (self.memory_audio_mb * MIB) as usize;
        kmidi_memory::reserve_region(region.min(kmidi_memory::LARGEST_REGION_BYTES), 0)?;
        self.look_after(tell)
    }

    /// The same for what has no audio callback, or none yet.
    pub fn look_after(&self, tell: impl Fn(String) + Send + 'static) -> Result<Memory> {
        let budgets = Budgets::new(self.limits());
        // Without it everything else works.
        let bound = control::Bound::new()
            .inspect_err(|error| tell(format!("warning: no other terminal can look into this one: {error}")));
        let told = move |event: MonitorEvent| match event {
            MonitorEvent::Pressure { before, now, live_bytes } if now > before => tell(format!(
                "memory: {} MiB are in use: {}",
                live_bytes / MIB,
                match now {
                    Pressure::None | Pressure::Alert => "it gets short",
                    Pressure::Cleanup | Pressure::Critical => "what can be had again is freed",
                }
            )),
            MonitorEvent::Pressure { .. } => {}
            MonitorEvent::Relieved { freed, .. } => {
                let bytes: u64 = freed.iter().map(|(_, bytes)| bytes).sum();
                tell(format!(
                    "memory: {} caches gave back {:.1} MiB",
                    freed.len(),
                    bytes as f64 / MIB as f64
                ));
            }
        };
        let monitor = Arc::new(Monitor::start(budgets.clone(), self.monitor_config()?, told)?);
        relieve_on_signal(monitor.clone())?;
        let control = bound.and_then(|bound| bound.serve(budgets.clone(), &monitor)).ok();
        Ok(Memory { budgets, monitor, _control: control })
    }
}

/// SIGUSR1 is the emergency.
fn relieve_on_signal(monitor: Arc<Monitor>) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGUSR1])?;
    let monitor = Arc::downgrade(&monitor);
    std::thread::Builder::new()
        .name("kmidi-relief".into())
        .stack_size(crate::exit::SMALL_STACK_BYTES)
        .spawn(move || {
            for _ in signals.forever() {
                match monitor.upgrade() {
                    Some(monitor) => monitor.relieve(),
                    None => return,
                }
            }
        })?;
    Ok(())
}
