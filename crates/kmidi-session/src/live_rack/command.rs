//! What can be asked of a live rack, also as a line of text.

use std::str::FromStr;

use crate::rack_file::{RackEdit, RackValue};

/// What is asked of a live rack.
#[derive(Clone, Debug, PartialEq)]
pub enum RackCommand {
    /// A change.
    Edit(RackEdit),
    /// Bypass a slot, or no longer.
    ToggleBypass {
        /// Its name.
        slot: String,
    },
    /// Raise (or lower) the master gain.
    NudgeGain {
        /// By decibels.
        step_db: f32,
    },
    /// Save.
    Save,
    /// Read the file again.
    Reload,
}

/// A line that asks for nothing that there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no command: bypass SLOT [on|off], set SLOT PARAMETER VALUE, transpose SLOT SEMITONES, gain DB (-60 to 24), save, \
     reload, status, quit (names with spaces in \"\")"
)]
pub struct ParseCommandError(pub String);

impl FromStr for RackCommand {
    type Err = ParseCommandError;

    fn from_str(line: &str) -> Result<Self, ParseCommandError> {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let wrong = || ParseCommandError(line.to_owned());
        let number = |text: &str| text.parse::<f64>().ok().filter(|it| it.is_finite());
        Ok(match words[..] {
            ["bypass", slot] => RackCommand::ToggleBypass { slot: slot.to_owned() },
            ["bypass", slot, state @ ("on" | "off")] => {
                RackCommand::Edit(RackEdit::Bypass { slot: slot.to_owned(), bypassed: state == "on" })
            }
            ["set", slot, symbol, value] => {
                let value =
                    number(value).map_or_else(|| RackValue::Text(value.to_owned()), RackValue::Number);
                RackCommand::Edit(RackEdit::Parameter {
                    slot: slot.to_owned(),
                    symbol: symbol.to_owned(),
                    value,
                })
            }
            ["transpose", slot, semitones] => {
                let semitones = semitones.parse().map_err(|_| wrong())?;
                RackCommand::Edit(RackEdit::Transpose { slot: slot.to_owned(), semitones })
            }
            ["gain", gain_db] => RackCommand::Edit(RackEdit::Gain {
                gain_db: number(gain_db).filter(|db| (-60.0..=24.0).contains(db)).ok_or_else(wrong)?,
            }),
            ["save"] => RackCommand::Save,
            ["reload"] => RackCommand::Reload,
            _ => return Err(wrong()),
        })
    }
}

/// Words between spaces; within double quotes a space is one.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands_or_say_which_there_are() {
        let slot = || "my bass".to_owned();
        let set = |value| RackCommand::Edit(RackEdit::Parameter { slot: slot(), symbol: "x".into(), value });
        for (line, command) in [
            ("bypass \"my bass\"", RackCommand::ToggleBypass { slot: slot() }),
            (
                " bypass  \"my bass\" on ",
                RackCommand::Edit(RackEdit::Bypass { slot: slot(), bypassed: true }),
            ),
            ("set \"my bass\" x -0.5", set(RackValue::Number(-0.5))),
            ("set \"my bass\" x \"-6 dB\"", set(RackValue::Text("-6 dB".into()))),
            (
                "transpose \"my bass\" -12",
                RackCommand::Edit(RackEdit::Transpose { slot: slot(), semitones: -12 }),
            ),
            ("gain -3", RackCommand::Edit(RackEdit::Gain { gain_db: -3.0 })),
            ("save", RackCommand::Save),
        ] {
            assert_eq!(line.parse(), Ok(command), "{line}");
        }
        for line in
            ["", "bypass", "bypass a maybe", "gain nan", "gain 1000", "transpose a 200", "save now", "rm -rf"]
        {
            let error = line.parse::<RackCommand>().unwrap_err().to_string();
            assert!(error.contains("bypass SLOT") && error.lines().count() == 1, "{error}");
        }
    }
}
