//! The flags of a song's plugins: those of [`ChainFlag`], and `--channel` for instruments of single channels.

use anyhow::anyhow;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use kmidi_session::plugins::{self, Kind};
use kmidi_session::{PluginChoice, PluginRequest};

use crate::chain_flag::{self, ChainFlag, many, places, wrong};
use crate::exit::Unreadable;

const CHANNEL: &str = "channel";

/// What `play --help` and `render --help` say of plugins.
pub const AFTER_HELP: &str = "\
PLUGINS:
  --plugin ID          an instrument plays the song in the SoundFont synthesiser's place; effects follow, in their order;
                       what changes notes stands before the instrument that it plays
  --channel 10:ID      an instrument for one channel, or for several (--channel 1,3:ID); two for the same channel sound together
  --preset, -c         belong to the plugin before them
  kmidi plugin scan finds plugins, kmidi plugin list lists them";

/// The plugins of a command line, the first one first.
#[derive(Clone, Debug, Default)]
pub struct RackFlag {
    pub plugins: Vec<PluginRequest>,
}

impl RackFlag {
    /// The plugins, each of which can stand where it was put. Looks into the index of plugins if one is for a single channel.
    ///
    /// # Errors
    /// One for a channel plays no notes.
    pub fn checked(self) -> anyhow::Result<Vec<PluginRequest>> {
        for request in self.plugins.iter().filter(|it| !it.channels.is_empty()) {
            // What cannot be found is told when it is to be loaded.
            let Ok(found) = plugins::lookup().map(|known| known.find(&request.choice.plugin)) else { break };
            if let Ok(Kind::Effect | Kind::Analyzer) = found.map(|it| it.kind) {
                let channels = request.channels.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
                return Err(Unreadable(anyhow!(
                    "--channel {channels}:{}: this plays no notes, it changes sound. --plugin puts it behind all that sounds",
                    request.choice.plugin
                ))
                .into());
            }
        }
        Ok(self.plugins)
    }
}

impl Args for RackFlag {
    fn augment_args(command: Command) -> Command {
        ChainFlag::augment_args(command).arg(
            many(CHANNEL, "N:ID")
                .long(CHANNEL)
                .help("Instrument for MIDI channel N, 1 to 16 (or several: 1,3:ID)"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RackFlag {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut choices = chain_flag::plugins(matches);
        let mut channels_at = vec![];
        for (place, text) in places(matches, CHANNEL) {
            let (channels, plugin) = channel(&text)?;
            channels_at.push((place, channels));
            choices.push((place, PluginChoice { plugin, ..PluginChoice::default() }));
        }
        choices.sort_by_key(|(place, _)| *place);
        chain_flag::set(&mut choices, matches)?;
        let request = |(place, choice): (usize, PluginChoice)| {
            let channels = channels_at.iter().find(|(at, _)| *at == place);
            let channels = channels.map_or(vec![], |(_, channels)| channels.clone());
            PluginRequest { choice, channels, ..PluginRequest::default() }
        };
        Ok(RackFlag { plugins: choices.into_iter().map(request).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// `10:ID`, `1,3:ID`.
fn channel(text: &str) -> Result<(Vec<u8>, String), clap::Error> {
    let is_channel = |channel: &u8| (1..=16).contains(channel);
    let number = |text: &str| text.trim().parse().ok().filter(is_channel);
    let parts = text.split_once(':');
    let channels =
        parts.and_then(|(channels, _)| channels.split(',').map(number).collect::<Option<Vec<_>>>());
    match (channels, parts) {
        (Some(channels), Some((_, plugin))) if !plugin.trim().is_empty() => {
            Ok((channels, plugin.trim().to_owned()))
        }
        _ => Err(wrong(&format!("--channel {text}: this is no N:ID with a channel from 1 to 16"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Vec<PluginRequest>, clap::Error> {
        let command = RackFlag::augment_args(Command::new("play").no_binary_name(true));
        RackFlag::from_arg_matches(&command.try_get_matches_from(arguments)?).map(|flag| flag.plugins)
    }

    #[test]
    fn plugins_of_channels_stand_in_the_row_with_their_settings() {
        let plugins =
            parsed(&["-p", "A", "--channel", "10:clap:b.c", "-c", "x=1", "-p", "D", "--channel", "1,3:E"])
                .unwrap();
        let names: Vec<_> =
            plugins.iter().map(|it| (it.choice.plugin.as_str(), it.channels.as_slice())).collect();
        assert_eq!(names, [("A", &[][..]), ("clap:b.c", &[10]), ("D", &[]), ("E", &[1, 3])]);
        assert_eq!(plugins[1].choice.settings, [("x".to_owned(), "1".to_owned())]);
        for bad in ["0:A", "17:A", "A", "1:", "1,:A"] {
            assert!(parsed(&["--channel", bad]).is_err(), "{bad}");
        }
    }
}
