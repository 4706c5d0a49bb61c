use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rack::{InputRequest, ParameterValue, PluginRequest, Routing};
use crate::sound_fonts::SoundFontChoice;

/// What a client asks of a [`Session`](crate::Session). Channels are counted from 1 to 16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Replace the playlist and start its first song.
    Open {
        /// Songs in playing order.
        songs: Vec<PathBuf>,
    },
    /// Play from where the song stands; at the end of the playlist, from its start.
    Play,
    /// Hold the song; sounding notes end, tails ring out.
    Pause,
    /// [`Command::Play`] or [`Command::Pause`], whichever changes something.
    TogglePause,
    /// Hold the song and go back to its start.
    Stop,
    /// Go to another place of the song.
    Seek(Position),
    /// Repeat a part of the song (`from` its start, `to` its end where not given), or stop doing so.
    SetLoop(Option<LoopRequest>),
    /// Play at `scale` times the written tempo, 0.0625 to 16, as exact decimal text.
    TempoScale(String),
    /// Play this much faster (or slower, if negative), in hundredths of the written tempo.
    NudgeTempo(i32),
    /// Shift all keys but those of drum channels by semitones, -48 to 48.
    Transpose(i8),
    /// Silence these channels.
    Mute(Vec<u8>),
    /// Silence every channel but these; empty for none.
    Solo(Vec<u8>),
    /// Master gain in decibels, -60 to 24.
    GainDb(f32),
    /// Raise (or lower) the master gain by decibels.
    NudgeGainDb(f32),
    /// The next song of the playlist.
    Next,
    /// The start of this song, or (in its first two seconds) the previous one.
    Previous,
    /// Play with these SoundFonts, the last on top (the built-in one if there are none), as soon as
    /// all that is in use has been loaded from them. Notes that sound keep their sound. If they
    /// cannot be used, that is told and those before stay.
    SetSoundFonts(Vec<SoundFontChoice>),
    /// Put the SoundFont on top to the bottom; read it again if it is the only one.
    NextSoundFont,
    /// Add a plugin to the rack, before the one at this place (from 0), at the end where there is none. It gets the
    /// next slot number: those of [`RackConfig`](crate::RackConfig) count from 1, then each `AddPlugin` takes one,
    /// whatever becomes of it. The song plays on, with the plugin as soon as it is ready.
    AddPlugin {
        /// Place among the others.
        at: usize,
        /// Which.
        plugin: PluginRequest,
    },
    /// Take a plugin out of the rack. Its notes end, its tail rings out.
    RemovePlugin {
        /// Its slot.
        slot: u32,
    },
    /// Have another plugin take the place of one, as soon as it is ready; if it cannot be had, the one before stays.
    ReplacePlugin {
        /// The slot, which stays the same.
        slot: u32,
        /// Which.
        plugin: PluginRequest,
    },
    /// Give a plugin another place among the others.
    MovePlugin {
        /// Its slot.
        slot: u32,
        /// The place, from 0.
        to: usize,
    },
    /// Let the sound go past a plugin (in time with it), or through it.
    BypassPlugin {
        /// Its slot.
        slot: u32,
        /// Whether past it.
        bypassed: bool,
    },
    /// Move the level of what comes out of a plugin, in decibels, -60 to 24.
    PluginGainDb {
        /// Its slot.
        slot: u32,
        /// The level.
        gain_db: f32,
    },
    /// Set a parameter of a plugin. What comes faster than it can be taken is left out but for the last.
    SetPluginParameter {
        /// Its slot.
        slot: u32,
        /// The parameter's symbol or name.
        parameter: String,
        /// Its value.
        value: ParameterValue,
    },
    /// What a plugin is played with live: a zone of the keyboard, controllers that move its parameters.
    SetPluginInput {
        /// Its slot.
        slot: u32,
        /// Zone and map.
        input: InputRequest,
    },
    /// Where the sound of a plugin goes beside the row, and what comes in beside it.
    RoutePlugin {
        /// Its slot.
        slot: u32,
        /// Side-chain and outputs.
        routing: Routing,
    },
    /// Have a plugin take up a state while it plays.
    SetPluginState {
        /// Its slot.
        slot: u32,
        /// [`SavedPlugin::state`](crate::SavedPlugin::state).
        state: Vec<u8>,
    },
    /// Have all plugins save their states; they come as
    /// [`SessionEvent::PluginsSaved`](crate::SessionEvent::PluginsSaved).
    SavePlugins {
        /// Comes back with them.
        ticket: u64,
    },
    /// End the session.
    Quit,
}

/// The part of a song to repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoopRequest {
    /// First place inside; the start of the song where not given.
    pub from: Option<Position>,
    /// First place outside; the end of the song where not given.
    pub to: Option<Position>,
}

/// A place in a song.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The start of a bar, counted from 1.
    Bar(u32),
    /// Seconds from the start at the written tempo.
    Seconds(f64),
    /// MIDI ticks from the start.
    Ticks(i64),
    /// Seconds from where the song stands, backwards if negative.
    RelativeSeconds(f64),
}

/// Text that names no place in a song.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a place in a song is a bar number like 17, or a time like 1:30, 1:02:03.5 or 90s")]
pub struct PositionError;

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            text.parse::<f64>().ok().filter(|_| plain).ok_or(PositionError)
        };
        if let Some(seconds) = text.strip_suffix('s') {
            return Ok(Position::Seconds(number(seconds)?));
        }
        if text.contains(':') {
            let parts: Vec<&str> = text.split(':').collect();
            if parts.len() > 3 {
                return Err(PositionError);
            }
            let (last, whole) = parts.split_last().ok_or(PositionError)?;
            let mut seconds = 0.0;
            for part in whole {
                seconds = (seconds + f64::from(part.parse::<u32>().map_err(|_| PositionError)?)) * 60.0;
            }
            return Ok(Position::Seconds(seconds + number(last)?));
        }
        match text.parse::<u32>() {
            Ok(bar) if bar > 0 => Ok(Position::Bar(bar)),
            _ => Err(PositionError),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Bar(bar) => write!(f, "bar {bar}"),
            Position::Seconds(seconds) => write!(f, "{seconds} s"),
            Position::Ticks(ticks) => write!(f, "tick {ticks}"),
            Position::RelativeSeconds(seconds) => write!(f, "{seconds:+} s"),
        }
    }
}

/// A set of MIDI channels as a bit mask, bit 0 for channel 1.
pub(crate) fn channel_mask(channels: &[u8]) -> u16 {
    channels.iter().filter(|c| (1..=16).contains(*c)).fold(0, |mask, c| mask | 1 << (c - 1))
}

/// The channels that are silent when `muted` and `soloed` are in force.
pub(crate) fn silent_mask(muted: &[u8], soloed: &[u8]) -> u16 {
    let soloed = channel_mask(soloed);
    channel_mask(muted) | if soloed == 0 { 0 } else { !soloed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_song_are_bars_or_times() {
        for (text, position) in [
            ("17", Position::Bar(17)),
            ("1:30", Position::Seconds(90.0)),
            ("0:00.25", Position::Seconds(0.25)),
            ("1:02:03.5", Position::Seconds(3723.5)),
            ("90s", Position::Seconds(90.0)),
            ("1.5s", Position::Seconds(1.5)),
        ] {
            assert_eq!(text.parse(), Ok(position), "{text}");
        }
        for text in
            ["", "0", "-3", "1.5", "s", ":", "1:", "1:-2", "1:2:3:4", "nans", "infs", "1e3s", "4294967296"]
        {
            assert_eq!(text.parse::<Position>(), Err(PositionError), "{text}");
        }
    }

    #[test]
    fn solo_silences_all_others_and_mute_still_counts() {
        assert_eq!(silent_mask(&[], &[]), 0);
        assert_eq!(silent_mask(&[1, 10], &[]), 0b10_0000_0001);
        assert_eq!(silent_mask(&[], &[2]), !0b10);
        assert_eq!(silent_mask(&[2], &[2, 3]), !0b100);
    }

    #[test]
    fn commands_survive_the_wire() {
        for command in [
            Command::Open { songs: vec!["a.mid".into()] },
            Command::Seek(Position::RelativeSeconds(-5.0)),
            Command::SetLoop(Some(LoopRequest { from: Some(Position::Bar(3)), to: None })),
            Command::TempoScale("1.1".into()),
            Command::SetSoundFonts(vec![SoundFontChoice { file: Some("a.sf2".into()), bank_offset: 8 }]),
            Command::AddPlugin { at: 1, plugin: PluginRequest { channels: vec![10], ..Default::default() } },
            Command::SetPluginParameter {
                slot: 1,
                parameter: "gain".into(),
                value: ParameterValue::Part(0.5),
            },
            Command::SetPluginState { slot: 2, state: vec![0, 255] },
            Command::Quit,
        ] {
            let json = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command, "{json}");
        }
    }
}
