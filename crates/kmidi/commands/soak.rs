//! Plays as a restless user does, for as long as it is told to, and says whether anything piled up.

mod listening;
mod measure;
mod songs;
mod user;
mod verdict;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use kmidi_memory::{Domain, Violations};
use kmidi_session::{AudioRequest, Losses, Session, SessionConfig, Snapshot};
use serde::Serialize;

use crate::cli::Soak;
use crate::commands::backend;
use crate::commands::listeners::Listener;
use crate::exit::on_signals;
use crate::memory::Memory;
use crate::output::{print, print_json};
use crate::screens::player::clock;
use measure::{Counts, Measurements};
use songs::Songs;
use user::{Deeds, User};
use verdict::Verdict;

/// The part of the time in which caches may fill up: nothing is measured yet.
const WARM_UP: f64 = 0.2;
const LONGEST_WARM_UP: Duration = Duration::from_secs(600);
/// Between two measurements, at most.
const INTERVAL: Duration = Duration::from_secs(5);
/// Measurements that even a short run is to take; some more than are needed to tell.
const LEAST_SAMPLES: u32 = 40;
/// Between two looks at what happens.
const LOOK: Duration = Duration::from_millis(50);
/// How long threads and files of a session that has ended may take to go.
const SETTLE: Duration = Duration::from_secs(5);

/// What the floor of memory may rise by: what the system and the heap do not give back at once.
const ALLOWED_RSS_BYTES: u64 = 16 << 20;
/// The same for what is in use; here each byte is known.
const ALLOWED_LIVE_BYTES: u64 = 256 << 10;

/// How it went: what `--json` prints.
#[derive(Serialize)]
struct Report {
    ok: bool,
    seconds: f64,
    seed: u64,
    interrupted: bool,
    deeds: Deeds,
    samples: u64,
    verdicts: Vec<Verdict>,
    xruns: u64,
    losses: Losses,
    violations: Violations,
    before: Option<Counts>,
    after: Option<Counts>,
}

/// Exit code 1 where a verdict is bad.
pub fn run(args: Soak) -> Result<ExitCode> {
    match (args.transcribe, args.phonemes) {
        (Some(calls), _) => return listening::run(&args, Listener::Transcribe, calls),
        (None, Some(calls)) => return listening::run(&args, Listener::Phonemes, calls),
        (None, None) => {}
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = interrupted.clone();
    on_signals(move || told.store(true, Ordering::Relaxed))?;
    let bar = progress_bar();
    let shown = bar.clone();
    let memory = args.memory.start(move |line| shown.suspend(|| eprintln!("kmidi: {line}")))?;
    let (songs, time) = (Songs::write()?, args.time());
    let soak = Run { interrupted, songs, time, bar, args, memory };
    let report = soak.run()?;
    soak.bar.finish_and_clear();
    if soak.args.json {
        print_json(&report)?;
    } else {
        print(text(&report).as_bytes())?;
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Run {
    args: Soak,
    time: Duration,
    songs: Songs,
    interrupted: Arc<AtomicBool>,
    bar: ProgressBar,
    memory: Memory,
}

impl Run {
    fn run(&self) -> Result<Report> {
        let start = Instant::now();
        // What is made once and kept is made by a first session.
        self.session(1, |user| user.warm_up(&|| self.is_over(start)))?;
        let before = measure::counts().ok();
        let mut measurements = Measurements::new(&self.memory.budgets);
        let (last, deeds) = self.session(0, |user| self.play(user, start, &mut measurements))?;
        let after = measure::settled(before, SETTLE);

        let violations = kmidi_memory::violations();
        let verdicts = self.verdicts(&measurements, [before, after], &last, &deeds);
        Ok(Report {
            ok: verdicts.iter().all(|verdict| verdict.ok),
            seconds: start.elapsed().as_secs_f64(),
            seed: self.args.seed,
            interrupted: self.is_interrupted(),
            deeds,
            samples: measurements.samples(),
            verdicts,
            xruns: last.output.xruns,
            losses: last.losses,
            violations,
            before,
            after,
        })
    }

    /// Has a user play with a session, and ends it.
    fn session(&self, seed: u64, play: impl FnOnce(&mut User)) -> Result<(Snapshot, Deeds)> {
        let session = Session::start(SessionConfig {
            songs: self.songs.good.clone(),
            sound_fonts: self.args.sf.fonts.clone(),
            budgets: self.memory.budgets.clone(),
            audio: AudioRequest { backend: backend(self.args.audio), ..AudioRequest::default() },
            ..SessionConfig::default()
        })?;
        let budgets = &self.memory.budgets;
        let seed = self.args.seed ^ seed;
        let mut user = User::new(&session, &self.songs, &self.args.sf.fonts, budgets, seed);
        play(&mut user);
        let deeds = user.deeds();
        Ok((session.snapshot(), deeds))
    }

    fn play(&self, user: &mut User, start: Instant, measurements: &mut Measurements) {
        let warm_up = self.time.mul_f64(WARM_UP).min(LONGEST_WARM_UP);
        let (warm, end) = (start + warm_up, start + self.time);
        let interval = ((self.time - warm_up) / LEAST_SAMPLES).min(INTERVAL);
        let is_over = || self.is_over(start);
        user.warm_up(&is_over);
        let mut due = warm;
        while !is_over() && !user.is_stuck() {
            user.act();
            let next = (Instant::now() + user.patience()).min(end);
            while Instant::now() < next && !self.is_interrupted() {
                self.pause(next);
                user.look();
                self.show(start, measurements);
            }
            if Instant::now() >= due {
                user.rest(&is_over);
                measurements.take(start);
                due = (due + interval).max(Instant::now());
            }
        }
    }

    /// A moment, `until` at the latest.
    fn pause(&self, until: Instant) {
        if !self.is_interrupted() {
            thread::sleep(until.saturating_duration_since(Instant::now()).min(LOOK));
        }
    }

    fn is_over(&self, start: Instant) -> bool {
        self.is_interrupted() || start.elapsed() >= self.time
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn verdicts(
        &self,
        measured: &Measurements,
        [before, after]: [Option<Counts>; 2],
        last: &Snapshot,
        deeds: &Deeds,
    ) -> Vec<Verdict> {
        let violations = kmidi_memory::violations();
        let losses = &last.losses;
        let mut all = vec![verdict::growth("resident memory", measured.rss.values(), ALLOWED_RSS_BYTES)];
        for (domain, series) in Domain::ALL.into_iter().zip(&measured.live) {
            all.push(verdict::growth(
                &format!("memory in use, {domain}"),
                series.values(),
                ALLOWED_LIVE_BYTES,
            ));
        }
        let fds = |counts: Counts| counts.fds;
        let threads = |counts: Counts| counts.threads;
        all.extend([
            verdict::back(
                "open files",
                measured.fds.values(),
                [before.map(fds), after.map(fds)],
                self.args.check_fds,
            ),
            verdict::back(
                "threads",
                measured.threads.values(),
                [before.map(threads), after.map(threads)],
                self.args.check_threads,
            ),
            verdict::none(
                "the audio callback",
                &[("allocations", violations.allocations), ("frees", violations.frees)],
            ),
            verdict::none(
                "losses",
                &[
                    ("dropped events", losses.dropped_events),
                    ("waits for a file", losses.starvations),
                    ("mutes by the guard", losses.guard_trips),
                ],
            ),
            verdict::went_on(deeds, self.is_interrupted()),
        ]);
        all
    }

    fn show(&self, start: Instant, measurements: &Measurements) {
        let seconds = start.elapsed().as_secs_f64();
        self.bar.set_position((1000.0 * seconds / self.time.as_secs_f64()) as u64);
        self.bar.set_message(match measurements.last() {
            None => format!("{} warming up", clock(seconds)),
            Some(last) => format!("{} {last}", clock(seconds)),
        });
    }
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}");
    ProgressBar::new(1000).with_style(style.expect("a template that is right for every run"))
}

fn text(report: &Report) -> String {
    let mut text = verdict::lines(&report.verdicts);
    let Deeds { actions, renders, songs_started, .. } = report.deeds;
    text += &format!(
        "{} in {}: {actions} actions (--seed {}), {songs_started} songs begun, {renders} renders, {} measurements, {} xruns\n",
        verdict::sum(&report.verdicts),
        clock(report.seconds),
        report.seed,
        report.samples,
        report.xruns,
    );
    text
}
