//! What the user of a soak does, by chance but from a seed.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use kmidi_memory::{Budgets, Domain};
use kmidi_session::{
    Cancel, Command, LoopRequest, OnProgress, PlayState, Position, RenderError, RenderProgress,
    RenderRequest, SampleFormat, Session, SessionEvent, Severity, Snapshot, SoundFontChoice, SoundSettings,
    Tail,
};
use serde::Serialize;

use super::songs::Songs;

/// Seconds of a song that are rendered.
const RENDERED_SECONDS: f64 = 3.0;
/// Seconds of the shortest song: every place before it is in all of them.
const SONG_SECONDS: f64 = 90.0;
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// How long something is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How the session tells of another stack.
const SWAPPED: &str = "SoundFont: ";
/// Failures that are told.
const TOLD: usize = 5;

/// What was done and what came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Deeds {
    pub actions: u64,
    pub renders: u64,
    pub renders_cancelled: u64,
    pub songs_started: u64,
    /// Inputs that could not be read: some are damaged on purpose.
    pub refused_inputs: u64,
    /// What must not happen.
    pub failures: Vec<String>,
}

pub struct User<'a> {
    session: &'a Session,
    songs: &'a Songs,
    budgets: &'a Budgets,
    /// Stacks of SoundFonts to change between.
    stacks: Vec<Vec<SoundFontChoice>>,
    random: Rng,
    is_paused: bool,
    is_closed: bool,
    /// Another stack of SoundFonts has come into use.
    has_swapped: bool,
    deeds: Deeds,
}

impl<'a> User<'a> {
    /// Each of the things that the user does now and then.
    const ACTIONS: [fn(&mut Self); 12] = [
        Self::seek,
        Self::nudge,
        Self::change_tempo,
        Self::pause,
        Self::change_channels,
        Self::change_sound,
        Self::repeat,
        Self::swap_sound_fonts,
        Self::change_songs,
        Self::open_damaged,
        Self::render,
        Self::give_up_a_render,
    ];

    pub fn new(
        session: &'a Session,
        songs: &'a Songs,
        fonts: &[SoundFontChoice],
        budgets: &'a Budgets,
        seed: u64,
    ) -> Self {
        let built_in = |bank_offset| SoundFontChoice { file: None, bank_offset };
        let mut stacks = vec![vec![built_in(0)], vec![built_in(0), built_in(8)]];
        if !fonts.is_empty() {
            stacks.extend([fonts.to_vec(), [fonts, &[built_in(0)]].concat()]);
        }
        let (random, deeds) = (Rng::with_seed(seed), Deeds::default());
        User {
            session,
            songs,
            budgets,
            stacks,
            random,
            is_paused: false,
            is_closed: false,
            has_swapped: false,
            deeds,
        }
    }

    /// Everything once; each song with all that it can ever need.
    pub fn warm_up(&mut self, is_over: &dyn Fn() -> bool) {
        self.session.send(Command::Transpose(1));
        let songs = self.songs;
        for song in songs.good.iter().chain(&songs.damaged) {
            self.session.send(Command::Open { songs: vec![song.clone()] });
            self.wait(is_over, |_, now| now.state != PlayState::Loading);
        }
        for action in Self::ACTIONS.into_iter().take_while(|_| !is_over()) {
            action(self);
            self.rest(is_over);
        }
    }

    /// Comes back to where the user always rests: the first song at its start, held, with the first
    /// SoundFonts. What is in use here can be compared from one time to the next.
    pub fn rest(&mut self, is_over: &dyn Fn() -> bool) {
        self.look();
        self.has_swapped = false;
        self.session.send(Command::SetSoundFonts(self.stacks[0].clone()));
        self.session.send(Command::SetLoop(None));
        self.open(0);
        self.session.send(Command::Stop);
        self.is_paused = true;
        let names = vec![self.stacks[0][0].to_string()];
        let first = self.songs.good[0].file_name().map(|name| name.to_string_lossy().into_owned());
        self.wait(is_over, |user, now| {
            let song = now.song.as_ref().map(|song| &song.name);
            let is_held = now.state == PlayState::Paused && song == first.as_ref();
            is_held && now.synth.voices == 0 && user.has_swapped && now.synth.sound_fonts == names
        });
        // Presets of other songs stay until memory is short: how many there are is chance.
        self.budgets.relieve();
        std::thread::sleep(4 * LOOK);
        // What was replaced is still on its way back.
        let live_bytes = || kmidi_memory::tally(Domain::Working).live_bytes();
        let before = Cell::new(live_bytes());
        self.wait(is_over, |_, _| before.replace(live_bytes()) == live_bytes());
        self.look();
    }

    /// Until something is so, or for too long.
    fn wait(&mut self, is_over: &dyn Fn() -> bool, is_so: impl Fn(&Self, &Snapshot) -> bool) {
        let start = Instant::now();
        // What was asked for is not done at once.
        std::thread::sleep(LOOK);
        while !is_over() && start.elapsed() < PATIENCE && !is_so(self, &self.session.snapshot()) {
            std::thread::sleep(LOOK);
            self.look();
        }
    }

    /// Does something.
    pub fn act(&mut self) {
        if std::mem::take(&mut self.is_paused) {
            self.session.send(Command::Play);
        }
        let action = Self::ACTIONS[self.random.usize(..Self::ACTIONS.len())];
        action(self);
        self.deeds.actions += 1;
    }

    /// How long to listen before the next action.
    pub fn patience(&mut self) -> Duration {
        Duration::from_millis(self.random.u64(50..400))
    }

    /// Takes note of what has happened.
    pub fn look(&mut self) {
        let session = self.session;
        for event in session.events().try_iter() {
            match event {
                SessionEvent::SongStarted(_) => self.deeds.songs_started += 1,
                SessionEvent::PlaylistEnded => self.change_songs(),
                SessionEvent::PluginsSaved { .. }
                | SessionEvent::PluginChanged { .. }
                | SessionEvent::ParametersMoved { .. }
                | SessionEvent::ParameterUnderstood { .. } => {}
                SessionEvent::Closed => self.is_closed = true,
                SessionEvent::Message(message) => match message.severity {
                    Severity::Info => self.has_swapped |= message.text.starts_with(SWAPPED),
                    Severity::Warning => {}
                    Severity::UnreadableInput => self.deeds.refused_inputs += 1,
                    Severity::Failure => self.fail(message.text),
                },
            }
        }
    }

    /// Whether the session has ended by itself.
    pub fn is_stuck(&self) -> bool {
        self.is_closed
    }

    pub fn deeds(&mut self) -> Deeds {
        self.look();
        std::mem::take(&mut self.deeds)
    }

    fn fail(&mut self, text: String) {
        if self.deeds.failures.len() < TOLD {
            self.deeds.failures.push(text);
        }
    }

    fn place(&mut self) -> Position {
        Position::Seconds(self.random.f64() * SONG_SECONDS)
    }

    fn seek(&mut self) {
        let place = self.place();
        self.session.send(Command::Seek(place));
    }

    fn nudge(&mut self) {
        let seconds = self.random.f64() * 20.0 - 10.0;
        self.session.send(Command::Seek(Position::RelativeSeconds(seconds)));
    }

    fn change_tempo(&mut self) {
        let scale = ["0.5", "0.913", "1", "1.25", "2"][self.random.usize(..5)];
        self.session.send(Command::TempoScale(scale.into()));
    }

    fn pause(&mut self) {
        self.session.send(Command::Pause);
        self.is_paused = true;
    }

    fn change_channels(&mut self) {
        let channel = self.random.u8(1..=16);
        let channels = if self.random.bool() { vec![channel] } else { vec![] };
        self.session.send(if self.random.bool() { Command::Mute(channels) } else { Command::Solo(channels) });
    }

    fn change_sound(&mut self) {
        self.session.send(match self.random.bool() {
            true => Command::Transpose(self.random.i8(-2..=2)),
            false => Command::GainDb(self.random.f32() * 6.0 - 6.0),
        });
    }

    fn repeat(&mut self) {
        let from = self.random.f64() * SONG_SECONDS;
        let part = LoopRequest {
            from: Some(Position::Seconds(from)),
            to: Some(Position::Seconds(from + 0.1 + self.random.f64() * 3.0)),
        };
        self.session.send(Command::SetLoop(self.random.bool().then_some(part)));
    }

    fn swap_sound_fonts(&mut self) {
        let stack = self.stacks[self.random.usize(..self.stacks.len())].clone();
        self.session.send(match self.random.bool() {
            true => Command::SetSoundFonts(stack),
            false => Command::NextSoundFont,
        });
    }

    fn change_songs(&mut self) {
        let first = self.random.usize(..self.songs.good.len());
        match self.random.u8(..3) {
            0 => self.session.send(Command::Next),
            1 => self.session.send(Command::Previous),
            _ => self.open(first),
        }
    }

    /// The playlist, from one of its songs on.
    fn open(&mut self, first: usize) {
        let mut songs = self.songs.good.clone();
        songs.rotate_left(first);
        self.session.send(Command::Open { songs });
    }

    /// One that may not play, and one behind it that does.
    fn open_damaged(&mut self) {
        let damaged = self.any(&self.songs.damaged);
        let good = self.any(&self.songs.good);
        self.session.send(Command::Open { songs: vec![damaged, good] });
    }

    fn any(&mut self, songs: &[PathBuf]) -> PathBuf {
        songs[self.random.usize(..songs.len())].clone()
    }

    fn render(&mut self) {
        match kmidi_session::render(&self.request(), &Cancel::default(), &nobody()) {
            Ok(_) => self.deeds.renders += 1,
            Err(error) => self.fail(format!("render: {error}")),
        }
    }

    /// Half-way.
    fn give_up_a_render(&mut self) {
        let cancel = Cancel::default();
        let user = cancel.clone();
        let on_progress: OnProgress = Arc::new(move |progress| {
            if matches!(progress, RenderProgress::Rendering(part) if part > 0.5) {
                user.cancel();
            }
        });
        match kmidi_session::render(&self.request(), &cancel, &on_progress) {
            Err(RenderError::Cancelled) => self.deeds.renders_cancelled += 1,
            Ok(_) => self.deeds.renders += 1,
            Err(error) => self.fail(format!("render: {error}")),
        }
    }

    fn request(&mut self) -> RenderRequest {
        let from = self.random.f64() * (SONG_SECONDS - RENDERED_SECONDS);
        RenderRequest {
            song: self.any(&self.songs.good),
            sound_fonts: self.stacks[self.random.usize(..self.stacks.len())].clone(),
            output: Some(self.songs.folder().join("soak.wav")),
            format: SampleFormat::Int16,
            sample_rate_hz: 48_000,
            quantum_frames: 512,
            sound: SoundSettings::default(),
            rack: Default::default(),
            from: Some(Position::Seconds(from)),
            to: Some(Position::Seconds(from + RENDERED_SECONDS)),
            tail: Tail::Seconds(0.1),
            stems: None,
            loudness: false,
            verify: false,
            budgets: self.budgets.clone(),
        }
    }
}

fn nobody() -> OnProgress {
    Arc::new(|_| {})
}
