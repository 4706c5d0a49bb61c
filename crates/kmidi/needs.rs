//! Flags that mean nothing without another one: who types them alone has forgotten that one, and is told.
//!
//! In the environment and in the configuration file they are settings, which wait for a command that has a use for them. clap's `requires`
//! takes the environment for typed, so it is only for flags that nobody keeps there.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Error};

/// A flag and the one that it needs, of every command that has both.
const NEEDS: [(&str, &str); 8] = [
    ("audio", "play"),
    ("device", "play"),
    ("rate", "play"),
    ("period", "play"),
    ("on_device_loss", "play"),
    ("trace_file", "trace"),
    ("audio_cache_mb", "audio_cache"),
    ("audio_cache_days", "audio_cache"),
];

/// What was typed, if nothing of it is without effect.
pub fn check(command: &mut Command, matches: ArgMatches) -> Result<ArgMatches, Error> {
    let (mut inner, mut given) = (command, &matches);
    while let Some((name, below)) = given.subcommand() {
        inner = inner.find_subcommand_mut(name).expect("what was typed is a command");
        given = below;
    }
    let is_typed = |flag: &str| given.value_source(flag) == Some(ValueSource::CommandLine);
    let is_alone = |(flag, needed): &&(&str, &str)| {
        has(inner, flag) && has(inner, needed) && is_typed(flag) && !is_on(given, needed)
    };
    let Some((flag, needed)) = NEEDS.iter().find(is_alone) else { return Ok(matches) };
    let long = |id: &str| format!("--{}", id.replace('_', "-"));
    let text = format!("{} means nothing without {}", long(flag), long(needed));
    Err(inner.error(ErrorKind::MissingRequiredArgument, text))
}

fn has(command: &Command, id: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_id() == id)
}

/// Whether a switch is on, or a value is given.
fn is_on(matches: &ArgMatches, id: &str) -> bool {
    match matches.try_get_one::<bool>(id) {
        Ok(switch) => switch.copied().unwrap_or(false),
        Err(_) => matches.contains_id(id),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::config::{with_environment, with_file};

    fn told(file: &str, line: &str) -> Option<String> {
        let file = file.parse().expect("TOML");
        let mut command = with_file(with_environment(Cli::command()), &file).expect("good");
        let matches = command.try_get_matches_from_mut(line.split(' ')).expect("right so far");
        check(&mut command, matches).err().map(|error| {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        })
    }

    #[test]
    fn a_flag_that_is_typed_without_the_one_it_needs_is_told() {
        for (line, flag) in [
            ("transcribe a.wav -o b.mid --device hw:0", "--device"),
            ("transcribe a.wav -o b.mid -a null", "--audio"),
            ("transcribe a.wav -o b.mid --trace-file x", "--trace-file"),
            ("index add --trace-file x", "--trace-file"),
            ("serve --rate 48000", "--rate"),
            ("analyze a.wav --audio-cache-mb 3", "--audio-cache-mb"),
        ] {
            let told = told("", &format!("kmidi {line}")).unwrap_or_else(|| panic!("{line} is taken"));
            assert!(told.contains(&format!("{flag} means nothing without --")), "{line}: {told}");
            assert!(told.contains("Usage: "), "{told}");
        }
    }

    #[test]
    fn what_has_it_or_was_not_typed_is_taken() {
        for (file, line) in [
            ("", "transcribe a.wav -o b.mid --play --device hw:0"),
            ("", "transcribe a.wav -o b.mid --trace --trace-file x"),
            ("trace = true", "transcribe a.wav -o b.mid --trace-file x"),
            ("device = \"hw:0\"\ntrace-file = \"x\"\naudio-cache-mb = 3", "transcribe a.wav -o b.mid"),
            ("", "serve --play a.mid --device hw:0"),
            ("", "play a.mid --device hw:0"),
            ("", "render a.mid -o a.wav --rate 48000"),
            ("", "cache stat --audio-cache-mb 3"),
            ("", "trace stats --trace-file x"),
            ("", "devices"),
        ] {
            assert_eq!(told(file, &format!("kmidi {line}")), None, "{file}: {line}");
        }
    }
}
