//! One module a command.

pub mod analyze;
pub mod cache;
pub mod certify;
pub mod devices;
pub mod diagnose;
pub mod doctor;
pub mod emotions;
pub mod fx;
pub mod generate;
pub mod groove;
pub mod index;
pub mod info;
pub mod intent;
pub mod listeners;
pub mod meaning;
pub mod mem;
pub mod models;
mod nothing_heard;
pub mod phonemes;
pub mod play;
pub mod plugin;
pub mod reharm;
pub mod render;
pub mod run;
pub mod search;
pub mod serve;
pub mod soak;
pub mod teach;
pub mod therapy;
pub mod trace;
pub mod transcribe;

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use kmidi_compose::analysis::{Progression, key_name};
use kmidi_compose::theory::Key;
use kmidi_session::{
    AudioRequest, Backend, FileSource, InputKind, Message, OnLoss, PluginChoice, STDIN, Severity,
    SongSnapshot, SoundFontChoice, SoundSettings,
};

use crate::cli::{Audio, OnDeviceLoss, Output, Sound};
use crate::exit::Unreadable;
use crate::font_flag::FontFlag;
use crate::screens::player::clock;

/// Tells songs and the SoundFont apart by content. A SoundFont among the files lies on top of those
/// that were typed behind `--sf`, and takes the place of those that were not typed.
fn sort_files(files: &[PathBuf], sf: &FontFlag) -> Result<(Vec<PathBuf>, Vec<SoundFontChoice>)> {
    let (mut songs, mut fonts) = (vec![], vec![]);
    for file in files {
        // What comes through standard input is read once, and is a song.
        if file.as_os_str() == STDIN {
            songs.push(file.clone());
            continue;
        }
        match FileSource::open(file).and_then(|source| source.kind()) {
            Ok(InputKind::SoundFont) => fonts.push(file.clone()),
            // An unreadable file of a playlist is reported in its turn.
            Ok(InputKind::Song) => songs.push(file.clone()),
            Err(_) if files.len() > 1 => songs.push(file.clone()),
            Err(error) => return Err(Unreadable(error.into()).into()),
        }
    }
    if fonts.len() > 1 {
        let error = anyhow!("two SoundFonts: {} and {}", fonts[0].display(), fonts[1].display());
        return Err(Unreadable(error).into());
    }
    let mut stack = if sf.typed || fonts.is_empty() { sf.fonts.clone() } else { vec![] };
    stack.extend(fonts.pop().map(|font| SoundFontChoice { file: Some(font), bank_offset: 0 }));
    Ok((songs, stack))
}

fn sound_settings(sound: &Sound) -> SoundSettings {
    SoundSettings {
        polyphony: sound.polyphony.into(),
        interpolation: sound.interpolation.into(),
        effects: !sound.no_effects,
        gain_db: sound.gain,
        tempo_scale: sound.tempo_scale,
        transpose: sound.transpose,
        muted: sound.mute.clone(),
        soloed: sound.solo.clone(),
    }
}

/// None for the first that works.
fn backend(audio: Audio) -> Option<Backend> {
    match audio {
        Audio::Auto => None,
        Audio::Jack => Some(Backend::Jack),
        Audio::Alsa => Some(Backend::Alsa),
        Audio::Pulse => Some(Backend::Pulse),
        Audio::Null => Some(Backend::Null),
    }
}

/// The device, and a file that gets what is heard: only a clock gives that.
fn tapped_request(output: Output, tap: Option<PathBuf>) -> Result<AudioRequest> {
    if tap.is_some() && output.audio != Audio::Null {
        let text = "--tap writes what plays on a clock: it needs --audio null. What a device plays is recorded behind it, with JACK \
                    from the ports of kmidi";
        return Err(Unreadable(anyhow::anyhow!(text)).into());
    }
    Ok(AudioRequest { wav_tap: tap, ..audio_request(output) })
}

fn audio_request(output: Output) -> AudioRequest {
    AudioRequest {
        backend: backend(output.audio),
        device: output.device,
        sample_rate_hz: output.rate,
        period_frames: output.period,
        on_loss: match output.on_device_loss {
            OnDeviceLoss::Pause => OnLoss::Pause,
            OnDeviceLoss::Continue => OnLoss::Continue,
            OnDeviceLoss::Stop => OnLoss::Stop,
        },
        ..AudioRequest::default()
    }
}

fn song_line(song: &SongSnapshot) -> String {
    let title = song.title.as_ref().map_or(String::new(), |title| format!(" \"{title}\""));
    let place = if song.of > 1 { format!(" ({} of {})", song.number, song.of) } else { String::new() };
    format!("playing {}{title}{place}, {}", song.name, clock(song.duration_seconds))
}

fn print_message(message: &Message) {
    let kind = match message.severity {
        Severity::Info => "",
        Severity::Warning => "warning: ",
        Severity::UnreadableInput | Severity::Failure => "error: ",
    };
    eprintln!("kmidi: {kind}{}", message.text);
}

/// Before plugins are loaded: which of them have a red grade.
fn warn_of_grades<'a>(plugins: impl IntoIterator<Item = &'a PluginChoice>) {
    for text in kmidi_session::certify::warnings(plugins) {
        eprintln!("kmidi: warning: {text}");
    }
}

/// What chance comes from.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// The chords of a command line, with the key that Roman numerals among them are read in: the one that was asked for, else C.
fn progression(chords: &[String], key: Option<Key>) -> Result<(Progression, Option<Key>)> {
    let text = chords.join(" ");
    let read = Progression::read(&text, key);
    if let (Err(_), None, Some(assumed)) = (&read, key, key_of_numerals(&text))
        && let Ok(progression) = Progression::read(&text, Some(assumed))
    {
        eprintln!("kmidi: Roman numerals are read in {}; --key names another key", key_name(assumed));
        return Ok((progression, Some(assumed)));
    }
    Ok((read.map_err(|error| Unreadable(error.into()))?, key))
}

/// C, in major or in minor as the first degree is written, if there is a Roman numeral in a text.
fn key_of_numerals(text: &str) -> Option<Key> {
    let words = || text.split([' ', ',', '|']).map(|word| word.trim_start_matches(['b', '#']));
    let numeral = |word: &str| {
        let letters = word.trim_end_matches(|letter: char| !matches!(letter, 'I' | 'V' | 'i' | 'v'));
        let of_one_case =
            letters.chars().all(|it| "IV".contains(it)) || letters.chars().all(|it| "iv".contains(it));
        !letters.is_empty() && of_one_case
    };
    if !words().any(numeral) {
        return None;
    }
    let minor = words().any(|word| word == "i" || word == "i7") && !words().any(|word| word == "I");
    if minor { "Cm" } else { "C" }.parse().ok()
}

/// For what may take longer than a second; nothing where nobody looks.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg:10} {wide_bar} {percent:>3} %  {eta}");
    ProgressBar::new(1000).with_style(style.expect("a template that is right for every run"))
}
