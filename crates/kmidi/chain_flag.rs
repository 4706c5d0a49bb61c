//! The flags `--plugin`, `--preset` and `-c`: plugins in their order, each followed by how it is set.

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use kmidi_session::PluginChoice;

const PLUGIN: &str = "plugin";
const PRESET: &str = "preset";
const SET: &str = "control";

/// The plugins of a command line, the first one first.
#[derive(Clone, Debug, Default)]
pub struct ChainFlag {
    pub plugins: Vec<PluginChoice>,
}

impl Args for ChainFlag {
    fn augment_args(command: Command) -> Command {
        command
            .arg(many(PLUGIN, "ID").long(PLUGIN).short('p').help(
                "Plugin, by its id or by a name that only one has (kmidi plugin list); once for each, in their order",
            ))
            .arg(many(PRESET, "NAME").long(PRESET).help("Preset of the plugin before it"))
            .arg(many(SET, "PARAM=VALUE").long(SET).short('c').allow_hyphen_values(true).help(
                "Parameter of the plugin before it and its value, as the plugin writes it (kmidi plugin info ID)",
            ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// A flag that can be given many times, with one value each time.
pub fn many(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).value_name(value).action(ArgAction::Append).num_args(1)
}

impl FromArgMatches for ChainFlag {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut plugins = plugins(matches);
        set(&mut plugins, matches)?;
        Ok(ChainFlag { plugins: plugins.into_iter().map(|(_, choice)| choice).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The plugins of `--plugin`, and where each stands.
pub fn plugins(matches: &ArgMatches) -> Vec<(usize, PluginChoice)> {
    let choice = |plugin| PluginChoice { plugin, ..PluginChoice::default() };
    places(matches, PLUGIN).map(|(place, plugin)| (place, choice(plugin))).collect()
}

/// Gives each plugin the preset and the settings that stand behind it. The plugins are in the order of their places.
pub fn set(plugins: &mut [(usize, PluginChoice)], matches: &ArgMatches) -> Result<(), clap::Error> {
    for (place, name) in places(matches, PRESET) {
        before(plugins, place, "--preset")?.preset = Some(name);
    }
    for (place, text) in places(matches, SET) {
        let (name, value) =
            text.split_once('=').ok_or_else(|| wrong(&format!("-c {text}: this is no PARAM=VALUE")))?;
        before(plugins, place, "-c")?.settings.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(())
}

/// The last plugin before a place on the command line.
fn before<'a>(
    plugins: &'a mut [(usize, PluginChoice)],
    place: usize,
    flag: &str,
) -> Result<&'a mut PluginChoice, clap::Error> {
    let plugin = plugins.iter_mut().rev().find(|(own, _)| *own < place);
    plugin
        .map(|(_, choice)| choice)
        .ok_or_else(|| wrong(&format!("{flag} stands behind the --plugin that it is for")))
}

/// The values of a flag, and where on the command line each stands.
pub fn places(matches: &ArgMatches, flag: &str) -> impl Iterator<Item = (usize, String)> {
    let places = matches.indices_of(flag).into_iter().flatten();
    let values = matches.get_many::<String>(flag).into_iter().flatten();
    places.zip(values.cloned()).collect::<Vec<_>>().into_iter()
}

pub fn wrong(text: &str) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Vec<PluginChoice>, clap::Error> {
        let command = ChainFlag::augment_args(Command::new("fx").no_binary_name(true));
        ChainFlag::from_arg_matches(&command.try_get_matches_from(arguments)?).map(|flag| flag.plugins)
    }

    #[test]
    fn settings_belong_to_the_plugin_before_them() {
        let plugins =
            parsed(&["-p", "A", "-c", "x=1", "--preset", "Warm", "-c", "y=-3 dB", "-p", "B", "-c", "x=a=b"])
                .unwrap();
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let first = PluginChoice {
            plugin: "A".into(),
            preset: Some("Warm".into()),
            settings: vec![setting("x", "1"), setting("y", "-3 dB")],
        };
        let second = PluginChoice { plugin: "B".into(), preset: None, settings: vec![setting("x", "a=b")] };
        assert_eq!(plugins, [first, second]);
        assert!(parsed(&["-c", "x=1", "-p", "A"]).is_err());
        assert!(parsed(&["-p", "A", "-c", "x"]).is_err());
        assert_eq!(parsed(&[]).unwrap(), []);
    }
}
