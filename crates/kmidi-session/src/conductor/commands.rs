//! What clients ask for.

use kmidi_core::limits::MAX_TEMPO_SCALE;
use kmidi_core::{SongTime, TempoScale};

use super::{Conductor, Slot};
use crate::command::{Command, LoopRequest, Position, silent_mask};
use crate::feeder::Order;
use crate::rig::db_to_linear;
use crate::snapshot::{PlayState, Severity};

/// Within this from its start, "previous" means the song before.
const PREVIOUS_SECONDS: f64 = 2.0;
const MAX_TRANSPOSE: i8 = 48;
/// The slowest and the fastest tempo scale that is a whole number of hundredths.
const SLOWEST: i32 = 100u32.div_ceil(MAX_TEMPO_SCALE) as i32;
const FASTEST: i32 = 100 * MAX_TEMPO_SCALE as i32;

impl Conductor {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Open { songs } => self.open_playlist(songs),
            Command::Play => self.play(),
            Command::Pause => self.pause(),
            Command::TogglePause if self.state == PlayState::Playing => self.pause(),
            Command::TogglePause => self.play(),
            Command::Stop => {
                self.pause();
                self.seek(self.config.from.unwrap_or(Position::Ticks(0)));
            }
            Command::Seek(position) => self.seek(position),
            Command::SetLoop(request) => self.set_loop(request),
            Command::TempoScale(text) => match text.parse() {
                Ok(scale) => self.set_tempo_scale(scale),
                Err(error) => self.tell(Severity::Warning, error.to_string()),
            },
            Command::NudgeTempo(hundredths) => self.nudge_tempo(hundredths),
            Command::Transpose(semitones) => self.transpose(semitones),
            Command::Mute(channels) => {
                self.config.sound.muted = channels;
                self.silence();
            }
            Command::Solo(channels) => {
                self.config.sound.soloed = channels;
                self.silence();
            }
            Command::GainDb(gain_db) => self.set_gain_db(gain_db),
            Command::NudgeGainDb(step_db) => self.set_gain_db(self.config.sound.gain_db + step_db),
            Command::Next => self.next_song(),
            Command::Previous => self.previous_song(),
            Command::SetSoundFonts(choices) => self.set_sound_fonts(&choices),
            Command::NextSoundFont => self.next_sound_font(),
            Command::AddPlugin { at, plugin } => self.rack.add_plugin(at, plugin),
            Command::RemovePlugin { slot } => self.rack.remove_plugin(slot),
            Command::ReplacePlugin { slot, plugin } => self.rack.replace_plugin(slot, plugin),
            Command::MovePlugin { slot, to } => self.rack.move_plugin(slot, to),
            Command::BypassPlugin { slot, bypassed } => self.rack.bypass_plugin(slot, bypassed),
            Command::PluginGainDb { slot, gain_db } => self.rack.set_gain_db(slot, gain_db),
            Command::SetPluginParameter { slot, parameter, value } => {
                self.rack.set_parameter(slot, parameter, value);
            }
            Command::SetPluginInput { slot, input } => self.rack.set_input(slot, input),
            Command::RoutePlugin { slot, routing } => self.rack.route(slot, routing),
            Command::SetPluginState { slot, state } => self.rack.set_state(slot, state),
            Command::SavePlugins { ticket } => self.rack.save(ticket),
            Command::Quit => self.closing = true,
        }
    }

    fn open_playlist(&mut self, songs: Vec<std::path::PathBuf>) {
        for slot in self.slots.drain(..) {
            if let Slot::Opening { cancel, .. } = slot {
                cancel.cancel();
            }
        }
        self.slots = songs.iter().map(|_| Slot::Idle).collect();
        self.config.songs = songs;
        self.next = None;
        // The song that plays is no longer on the list: nothing follows it by itself.
        self.current = None;
        self.engine(|rig| rig.handle.set_timeline(None, Default::default(), kmidi_rt::When::Now));
        self.state = PlayState::Loading;
        self.want(0, None);
    }

    fn play(&mut self) {
        match self.state {
            PlayState::Playing => {}
            PlayState::Ended => {
                self.state = PlayState::Loading;
                self.want(0, None);
            }
            PlayState::Loading | PlayState::Paused => self.resume(),
        }
    }

    /// Lets song time run, once there is a song.
    pub(super) fn resume(&mut self) {
        let has_song = self.current.as_ref().is_some_and(|part| part.sent);
        self.state = if has_song { PlayState::Playing } else { PlayState::Loading };
        if has_song {
            self.engine(|rig| rig.handle.play());
        }
    }

    pub(super) fn pause(&mut self) {
        if self.state != PlayState::Ended {
            self.state = PlayState::Paused;
            self.engine(|rig| rig.handle.pause());
        }
    }

    /// Where the song stands, or is about to.
    pub(super) fn position(&self) -> SongTime {
        let seeking = self.current.as_ref().and_then(|part| part.seeking);
        let playing = || self.rig.as_ref().map_or(SongTime::ZERO, |rig| rig.handle.status().position);
        seeking.unwrap_or_else(playing)
    }

    fn seek(&mut self, position: Position) {
        let now = self.position();
        let (Some(part), Some(rig)) = (&mut self.current, &self.rig) else { return };
        let position = part.song.song_time(position, now, rig.config.sample_rate_hz);
        part.seeking = Some(position);
        part.feeder.order(Order::Seek { position, looping: part.looping });
    }

    fn set_loop(&mut self, request: Option<LoopRequest>) {
        let now = self.position();
        let (Some(part), Some(rig)) = (&self.current, &self.rig) else { return };
        let range =
            request.and_then(|request| self.loop_range(&part.song, request, rig.config.sample_rate_hz));
        let Some(part) = &mut self.current else { return };
        let before = std::mem::replace(&mut part.looping, range);
        match range {
            // From behind the loop's end it would never be reached.
            Some(range) if now >= range.end => {
                part.seeking = Some(range.start);
                part.feeder.order(Order::Seek { position: range.start, looping: Some(range) });
            }
            looping => part.feeder.order(Order::Loop { now, before, looping }),
        }
    }

    fn set_tempo_scale(&mut self, scale: TempoScale) {
        self.config.sound.tempo_scale = scale;
        self.engine(|rig| rig.handle.set_tempo_scale(scale));
    }

    /// From any scale to a whole number of hundredths, within what there is.
    fn nudge_tempo(&mut self, hundredths: i32) {
        let now = (self.config.sound.tempo_scale.as_f64() * 100.0).round() as i32;
        let wanted = now.saturating_add(hundredths).clamp(SLOWEST, FASTEST) as u32;
        if let Ok(scale) = TempoScale::new(wanted, 100) {
            self.set_tempo_scale(scale);
        }
    }

    fn set_gain_db(&mut self, gain_db: f32) {
        let gain_db = if gain_db.is_finite() { gain_db.clamp(-60.0, 24.0) } else { 0.0 };
        self.config.sound.gain_db = gain_db;
        self.engine(|rig| rig.handle.master_gain(db_to_linear(gain_db)));
    }

    fn transpose(&mut self, semitones: i8) {
        let semitones = semitones.clamp(-MAX_TRANSPOSE, MAX_TRANSPOSE);
        self.config.sound.transpose = semitones;
        self.load_for_other_notes();
        let melodic = self.melodic();
        self.engine(|rig| rig.handle.transpose(semitones, melodic));
    }

    fn silence(&mut self) {
        let channels = silent_mask(&self.config.sound.muted, &self.config.sound.soloed);
        self.engine(|rig| rig.set_silent(channels));
    }

    fn next_song(&mut self) {
        let Some(number) = self.number().and_then(|number| self.after(number)) else { return };
        self.want(number, None);
    }

    fn previous_song(&mut self) {
        let Some(number) = self.number() else { return };
        let rate = self.rig.as_ref().map_or(1, |rig| rig.config.sample_rate_hz);
        let near_start = self.position().seconds(rate) < PREVIOUS_SECONDS;
        let before = (0..number).rev().find(|&n| !matches!(self.slots[n], Slot::Bad));
        match before {
            Some(before) if near_start => self.want(before, None),
            _ => self.seek(self.config.from.unwrap_or(Position::Ticks(0))),
        }
    }

    /// The song that plays, or will next.
    fn number(&self) -> Option<usize> {
        let wanted = self.wanted.map(|wanted| wanted.number);
        wanted.or_else(|| self.current.as_ref().map(|part| part.number))
    }
}
