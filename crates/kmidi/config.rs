//! Where flags come from when they are not typed: the environment, then the configuration file.
//!
//! Both are attached to the arguments themselves, so no flag can be forgotten and clap checks all
//! values alike.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use crate::cache_flag;

/// Longest configuration file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Commands whose flags say what one piece is to be like, or what one question is: `key` means something else in each.
const OF_ONE_PIECE: [&str; 9] =
    ["analyze", "cache", "diagnose", "groove", "intent", "reharm", "teach", "therapy", "trace"];

/// The flags of `play` and of the audio cache, which are settings wherever else they are.
fn settings(command: &Command) -> HashSet<String> {
    let play = command.find_subcommand("play").into_iter().flat_map(Command::get_arguments);
    let play = play.filter_map(Arg::get_long);
    play.chain(cache_flag::FLAGS).map(str::to_owned).collect()
}

/// Gives every `--flag` of every command its `KMIDI_FLAG`, but for those of one piece.
pub fn with_environment(command: Command) -> Command {
    let settings = settings(&command);
    for_each_flag(command, |subcommand, arg| {
        let is_setting = arg.get_long().is_some_and(|long| settings.contains(long));
        if OF_ONE_PIECE.contains(&subcommand) && !is_setting {
            return arg;
        }
        let Some(name) = arg.get_long().map(environment_name).filter(|name| !is_empty(name)) else {
            return arg;
        };
        let arg = arg.env(name).hide_env_values(true);
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            return arg.value_parser(BoolishValueParser::new());
        }
        arg
    })
}

/// Gives the flags named in `file` the values from there as defaults: keys at the top for every
/// command that has such a flag, keys in a table named like a command for that one.
pub fn with_file(command: Command, file: &Table) -> Result<Command> {
    check_names(&command, file)?;
    let mut error = None;
    let commands: HashSet<String> = command.get_subcommands().map(|c| c.get_name().to_string()).collect();
    let settings = settings(&command);
    let command = for_each_flag(command, |subcommand, arg| {
        let Some(long) = arg.get_long() else { return arg };
        let is_shared = !OF_ONE_PIECE.contains(&subcommand) || settings.contains(long);
        let own = file.get(subcommand).and_then(Value::as_table).and_then(|table| lookup(table, long));
        // The table of a command is no value of a flag of that name.
        let shared = || {
            let value = lookup(file, long).filter(|_| is_shared)?;
            (!(value.is_table() && commands.contains(long))).then_some(value)
        };
        let Some(value) = own.or_else(shared) else { return arg };
        match texts(value) {
            Some(texts) => arg.default_values(texts),
            None => {
                error =
                    Some(format!("{long}: a text, a number, true or false, or a list of these is needed"));
                arg
            }
        }
    });
    match error {
        Some(error) => bail!(error),
        None => Ok(command),
    }
}

/// Reads the configuration file, if there is one. A file named by `KMIDI_CONFIG` must be there.
pub fn read_file() -> Result<Option<(PathBuf, Table)>> {
    let named = std::env::var_os("KMIDI_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from);
    let Some(path) = named.clone().or_else(default_path) else { return Ok(None) };
    let text = match read_text(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(None),
        text => text.with_context(|| display(&path))?,
    };
    let table = text.parse::<Table>().with_context(|| display(&path))?;
    Ok(Some((path, table)))
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::other("too long for a configuration file"));
    }
    Ok(text)
}

/// A variable that is set to nothing counts as not set.
fn is_empty(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value.is_empty())
}

fn display(path: &Path) -> String {
    format!("configuration file {}", path.display())
}

fn default_path() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".config")))?;
    Some(folder.join("kmidi/config.toml"))
}

pub fn environment_name(long: &str) -> String {
    format!("KMIDI_{}", long.to_uppercase().replace('-', "_"))
}

/// Where the value that `error` is about comes from, if it was not typed.
pub fn origin(
    command: &Command,
    typed: &[OsString],
    error: &clap::Error,
    file: Option<&Path>,
) -> Option<String> {
    let ContextValue::String(shown) = error.get(ContextKind::InvalidArg)? else { return None };
    let long = shown.strip_prefix("--")?.split([' ', '=']).next()?;
    let all = command.get_subcommands().flat_map(arguments);
    let short = all.filter(|arg| arg.get_long() == Some(long)).find_map(Arg::get_short);
    let is_it = |text: &str| {
        let is_short = short.is_some_and(|short| text.starts_with(&format!("-{short}")));
        is_short || text.strip_prefix("--").is_some_and(|rest| rest.split('=').next() == Some(long))
    };
    if typed.iter().any(|argument| is_it(&argument.to_string_lossy())) {
        return None;
    }
    let variable = environment_name(long);
    match std::env::var_os(&variable) {
        Some(_) if !is_empty(&variable) => Some(format!("{variable} in the environment")),
        _ => Some(display(file?)),
    }
}

fn for_each_flag(command: Command, mut change: impl FnMut(&str, Arg) -> Arg) -> Command {
    let names =
        |command: &Command| command.get_subcommands().map(|it| it.get_name().to_owned()).collect::<Vec<_>>();
    names(&command).iter().fold(command, |command, name| {
        command.mut_subcommand(name, |command| {
            // A command of a command has the table of the outer one.
            let inner = names(&command);
            inner.iter().fold(command.mut_args(|arg| change(name, arg)), |command, inner| {
                command.mut_subcommand(inner, |command| command.mut_args(|arg| change(name, arg)))
            })
        })
    })
}

/// The arguments of a command and of its own commands.
fn arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments))
}

/// Keys are written like the flags; `_` is as good as `-`.
fn lookup<'a>(table: &'a Table, long: &str) -> Option<&'a Value> {
    table.get(long).or_else(|| table.get(&long.replace('-', "_")))
}

fn check_names(command: &Command, file: &Table) -> Result<()> {
    let has = |c: &Command, key: &str| arguments(c).any(|a| a.get_long() == Some(&key.replace('_', "-")));
    for (key, value) in file {
        match (command.find_subcommand(key), value.as_table()) {
            (Some(subcommand), Some(table)) => {
                if let Some(unknown) = table.keys().find(|key| !has(subcommand, key)) {
                    bail!("[{key}] {unknown}: `kmidi {key}` has no flag of that name");
                }
            }
            _ if !command.get_subcommands().any(|c| has(c, key)) => {
                bail!("{key}: no command has a flag of that name")
            }
            _ => {}
        }
    }
    Ok(())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(on) => Some(on.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::{self, Bits, Cli};
    use crate::commands::mem::args::What;

    fn parse(file: &str, line: &str) -> Result<Cli> {
        let command = with_file(with_environment(Cli::command()), &file.parse()?)?;
        Ok(Cli::from_arg_matches(&command.try_get_matches_from(line.split(' '))?)?)
    }

    fn render(file: &str, line: &str) -> cli::Render {
        match parse(file, line).unwrap().command {
            cli::Command::Render(render) => render,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_flag_has_its_environment_variable_but_those_of_one_piece() {
        let command = with_environment(Cli::command());
        let (mut flags, settings) = (0, settings(&command));
        for subcommand in command.get_subcommands() {
            for arg in arguments(subcommand).filter(|a| a.get_long().is_some()) {
                let long = arg.get_long().unwrap();
                let name = environment_name(long);
                let is_one = !OF_ONE_PIECE.contains(&subcommand.get_name()) || settings.contains(long);
                let expected = is_one.then(|| name.as_ref());
                assert_eq!(arg.get_env(), expected, "{} {long}", subcommand.get_name());
                flags += usize::from(is_one);
            }
        }
        assert!(flags > 30);
        command.debug_assert();
    }

    #[test]
    fn what_is_typed_wins_over_the_file_and_a_commands_own_table_over_the_top() {
        let file = "gain = -3\nno_effects = true\nmute = [1, 10]\n[render]\nbits = \"24\"\ngain = -6.5";
        let seen = render(file, "kmidi render a.mid");
        assert_eq!((seen.bits, seen.sound.gain, seen.sound.no_effects), (Bits::B24, -6.5, true));
        assert_eq!(seen.sound.mute, [1, 10]);
        let seen = render(file, "kmidi render a.mid --bits 32f --gain 1 --mute 2,3");
        assert_eq!((seen.bits, seen.sound.gain, seen.sound.mute), (Bits::F32, 1.0, vec![2, 3]));
        assert_eq!(render("", "kmidi render a.mid").sound.gain, 0.0);
    }

    #[test]
    fn a_key_for_one_command_that_composes_is_none_for_another() {
        // Of `therapy` it is a text, of `analyze` a switch.
        let key = |file: &str| match parse(file, "kmidi therapy sad").unwrap().command {
            cli::Command::Therapy(args) => args.key.is_some(),
            other => panic!("{other:?}"),
        };
        assert!(key("[therapy]\nkey = \"Am\"") && !key("key = \"Am\""));
        assert!(parse("key = \"Am\"", "kmidi analyze a.mid").is_ok());
        assert!(parse("[analyze]\nkey = \"Am\"", "kmidi analyze a.mid").is_err());
    }

    #[test]
    fn a_flag_that_is_called_like_a_command_has_a_value_of_its_own() {
        let serve = |file: &str| match parse(file, "kmidi serve").unwrap().command {
            cli::Command::Serve(args) => args.play,
            _ => unreachable!(),
        };
        assert!(serve("[play]\ntap = \"x.wav\"").is_empty());
        assert_eq!(serve("play = [\"a.mid\", \"b.mid\"]"), ["a.mid", "b.mid"].map(PathBuf::from));
        assert_eq!(serve("[play]\ntap = \"x.wav\"\n[serve]\nplay = \"a.mid\""), [PathBuf::from("a.mid")]);
    }

    #[test]
    fn a_command_of_a_command_has_the_table_of_the_outer_one() {
        let top = |file: &str| match parse(file, "kmidi mem hot").unwrap().command {
            cli::Command::Mem(mem) => match mem.what {
                What::Hot(hot) => hot.top,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert_eq!((top("[mem]\ntop = 3"), top("top = 4"), top("")), (3, 4, 10));
        assert!(parse("[mem]\ntpo = 3", "kmidi mem hot").unwrap_err().to_string().contains("tpo"));
    }

    #[test]
    fn a_misspelt_or_mistyped_key_is_an_error_that_names_it() {
        for (file, named) in [
            ("gian = 3", "gian"),
            ("[render]\naudio = \"jack\"", "audio"),
            ("[rendr]\nbits = \"24\"", "rendr"),
            ("gain = 1979-05-27", "gain"),
            ("gain = \"loud\"", "gain"),
            ("mute = 17", "mute"),
            ("[gain]\nx = 1", "gain"),
        ] {
            let error = parse(file, "kmidi render a.mid").unwrap_err().to_string();
            assert!(error.contains(named), "{file}: {error}");
        }
    }
}
