//! The watching plugins, and what they wrote down.

use std::path::PathBuf;

use kmidi_host::{Format, Plugin, PluginId};

use crate::rig::Rig;

/// The file that Cargo builds beside the tests, as a dependency of theirs.
pub fn file() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().join("libkmidi_test_clap.so")
}

pub fn load(id: &str) -> Plugin {
    Plugin::load(&file(), &PluginId::new(Format::Clap, id)).unwrap()
}

/// What the plugin wrote down since the last time it was asked.
pub trait Notes {
    fn notes(&mut self) -> Vec<String>;

    /// The notes of events, each from `@` and its frame on.
    fn events(&mut self) -> Vec<String> {
        self.notes().into_iter().filter(|note| note.starts_with('@')).collect()
    }
}

fn lines(state: kmidi_host::State) -> Vec<String> {
    let text = String::from_utf8(state.data).unwrap();
    text.lines().filter(|line| !line.starts_with("value")).map(str::to_owned).collect()
}

impl Notes for Rig {
    fn notes(&mut self) -> Vec<String> {
        lines(self.active.save().unwrap())
    }
}

impl Notes for Plugin {
    fn notes(&mut self) -> Vec<String> {
        lines(self.save().unwrap())
    }
}

/// The broken rules among notes.
pub fn violations(notes: &[String]) -> Vec<&String> {
    notes.iter().filter(|note| note.starts_with("violation")).collect()
}
