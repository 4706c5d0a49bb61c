//! Channels of the device that a plugin has for itself.

use std::fmt;
use std::str::FromStr;

use kmidi_core::limits::MAX_DEVICE_CHANNELS;
use serde::{Deserialize, Serialize};

use super::taps::Link;

/// One channel of the device, or two that stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DeviceChannels {
    /// The first one, counted from 0.
    first: u16,
    /// Whether the next one belongs to it.
    is_pair: bool,
}

/// A text that names no channels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no channels of a device: \"3-4\" is a pair, \"5\" is one, up to {MAX_DEVICE_CHANNELS}")]
pub struct ParseChannelsError(String);

impl DeviceChannels {
    /// The pair that everything else goes to.
    pub(crate) const MAIN: Self = DeviceChannels { first: 0, is_pair: true };

    /// The last one, counted from 1: so many channels a device needs.
    pub fn last(self) -> u16 {
        self.first + 1 + u16::from(self.is_pair)
    }

    /// The connections from a port of `count` channels whose first one is `first`, over all ports of its node: one goes to
    /// both of a pair, two to one as their mean, and of more the first two are taken.
    pub(super) fn links(self, first: u16, count: u16) -> impl Iterator<Item = Link> {
        let link = move |channel: u16, to: u16, part: f32| Link::Channels {
            from: first + channel,
            to: self.first + to,
            part,
        };
        let links = match (count, self.is_pair) {
            (0, _) => [None, None],
            (1, false) => [Some(link(0, 0, 1.0)), None],
            (1, true) => [Some(link(0, 0, 1.0)), Some(link(0, 1, 1.0))],
            (_, false) => [Some(link(0, 0, 0.5)), Some(link(1, 0, 0.5))],
            (_, true) => [Some(link(0, 0, 1.0)), Some(link(1, 1, 1.0))],
        };
        links.into_iter().flatten()
    }
}

impl FromStr for DeviceChannels {
    type Err = ParseChannelsError;

    fn from_str(text: &str) -> Result<Self, ParseChannelsError> {
        let wrong = || ParseChannelsError(text.chars().take(32).collect());
        let channel = |text: &str| {
            let number = text.trim().parse::<u16>().ok();
            number.filter(|it| (1..=MAX_DEVICE_CHANNELS).contains(&usize::from(*it))).ok_or_else(wrong)
        };
        let Some((first, last)) = text.split_once('-') else {
            return Ok(DeviceChannels { first: channel(text)? - 1, is_pair: false });
        };
        let (first, last) = (channel(first)?, channel(last)?);
        match last == first + 1 {
            true => Ok(DeviceChannels { first: first - 1, is_pair: true }),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for DeviceChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_pair {
            true => write!(f, "{}-{}", self.first + 1, self.first + 2),
            false => write!(f, "{}", self.first + 1),
        }
    }
}

impl From<DeviceChannels> for String {
    fn from(channels: DeviceChannels) -> String {
        channels.to_string()
    }
}

impl TryFrom<String> for DeviceChannels {
    type Error = ParseChannelsError;

    fn try_from(text: String) -> Result<Self, ParseChannelsError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_one_or_a_pair_and_nothing_else() {
        for (text, last) in [("1", 1), ("3-4", 4), ("2-3", 3), (" 31 - 32 ", 32), ("32", 32)] {
            let channels: DeviceChannels = text.parse().unwrap();
            assert_eq!((channels.last(), channels.to_string()), (last, text.replace(' ', "")));
        }
        for text in ["", "0", "-", "1-", "-2", "33", "32-33", "4-3", "1-3", "3-4-5", "a", "99999999999"] {
            assert!(text.parse::<DeviceChannels>().is_err(), "{text}");
        }
    }
}
