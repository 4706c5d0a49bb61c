//! The flag `--sf`: SoundFonts, each typed on its own; in the environment a list as in `PATH`.

use std::ffi::{OsStr, OsString};

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use kmidi_session::SoundFontChoice;

const FLAG: &str = "sf";
const VALUE: &str = "FILE[@OFFSET]";
const HELP: &str = "SoundFont (SF2 or SF3) to play with, the last on top; the compact built-in one otherwise";

/// What there is to say about stacks of SoundFonts, for the end of a help text.
pub const AFTER_HELP: &str = "\
SOUNDFONTS:
  Each sound comes from the highest SoundFont that has exactly its bank and program; only if none has it, something
  else stands in. built-in is the built-in SoundFont (a file of that name: ./built-in). @OFFSET, 0 to 127, is added
  to the banks of a file; its drum kits stay drum kits. A file whose name ends like that is taken as it is called.
  KMIDI_SF takes a list with : between. What is typed replaces it as a whole; a SoundFont among the FILEs goes on top.";

/// The SoundFonts of `--sf`, the last on top.
#[derive(Clone, Debug, Default)]
pub struct FontFlag {
    pub fonts: Vec<SoundFontChoice>,
    /// On the command line, not in the environment or the configuration file.
    pub typed: bool,
}

impl Args for FontFlag {
    fn augment_args(command: Command) -> Command {
        let arg = Arg::new(FLAG).long(FLAG).value_name(VALUE).action(ArgAction::Append);
        command.arg(arg.value_parser(ValueParser::os_string()).help(HELP))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FontFlag {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let source = matches.value_source(FLAG);
        let values = matches.get_many::<OsString>(FLAG).into_iter().flatten();
        let fonts = match source {
            Some(ValueSource::EnvVariable) => {
                let paths =
                    values.flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty());
                paths.map(|path| font(path.as_os_str())).collect()
            }
            _ => values.map(|value| font(value)).collect::<Result<_, _>>(),
        };
        Ok(FontFlag { fonts: fonts?, typed: source == Some(ValueSource::CommandLine) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn font(text: &OsStr) -> Result<SoundFontChoice, clap::Error> {
    SoundFontChoice::parse(text).map_err(|error| {
        let flag = format!("--{FLAG} <{VALUE}>");
        let text = format!("invalid value '{}' for '{flag}': {error}\n", text.display());
        let mut error = clap::Error::raw(ErrorKind::ValueValidation, text);
        // By this the place that it comes from is found.
        error.insert(ContextKind::InvalidArg, ContextValue::String(flag));
        error
    })
}
