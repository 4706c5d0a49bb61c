//! The half on the main thread: which SoundFont, and what of it the synthesiser has.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use basedrop::{Collector, Shared};
use clack_extensions::audio_ports::*;
use clack_extensions::note_ports::*;
use clack_extensions::preset_discovery::PluginPresetLoadImpl;
use clack_extensions::preset_discovery::preset_data::Location;
use clack_extensions::state::PluginStateImpl;
use clack_plugin::prelude::*;
use clack_plugin::stream::{InputStream, OutputStream};
use kmidi_soundfont::{Preset, PresetKey, SoundFont, SoundFontError, SynthHandle};

use crate::SynthShared;
use crate::audio::CHANNELS;

/// How a state begins; the path of the SoundFont follows, none if there is none.
const MAGIC: [u8; 8] = *b"KmiDiSf1";
/// Longest path in a state, in bytes.
const MAX_PATH_BYTES: u64 = 1 << 16;

/// The state in which the plugin plays the SoundFont of this file.
pub fn state_of(soundfont: &Path) -> Vec<u8> {
    [&MAGIC[..], soundfont.as_os_str().as_bytes()].concat()
}

/// A SoundFont of which everything is in memory.
struct Loaded {
    path: PathBuf,
    presets: BTreeMap<PresetKey, Shared<Preset>>,
}

impl Loaded {
    fn open(path: &Path, collector: &Collector) -> Result<Self, SoundFontError> {
        let font = SoundFont::open(Arc::new(File::open(path)?), &collector.handle())?;
        let mut presets = BTreeMap::new();
        let mut failed = None;
        for info in font.presets() {
            let Some(key) = PresetKey::new(info.bank, info.program) else { continue };
            match font.load_preset(info.bank, info.program, None) {
                Ok(preset) => drop(presets.insert(key, preset)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            // Of a font with a damaged preset the others play.
            Some(error) if presets.is_empty() => Err(error),
            _ => Ok(Loaded { path: path.to_owned(), presets }),
        }
    }

    /// The preset of a key, or what comes nearest: of bank 0, or the standard drum kit.
    fn nearest(&self, key: PresetKey) -> Option<&Shared<Preset>> {
        let plain = if key.is_drum() { PresetKey::drum(0) } else { PresetKey::melodic(0, key.program()) };
        self.presets.get(&key).or_else(|| self.presets.get(&plain))
    }
}

/// What changes.
struct Sounds {
    loaded: Option<Loaded>,
    /// The synthesiser's end, while there is one.
    handle: Option<SynthHandle>,
    /// What the synthesiser has to be given, or to be taken from it.
    waiting: VecDeque<PresetKey>,
    collector: Collector,
}

impl Sounds {
    /// Gives the synthesiser as much as it has room for; whether there is more.
    fn install(&mut self) -> bool {
        let Some(handle) = &mut self.handle else { return false };
        while let Some(&key) = self.waiting.front() {
            let preset = self.loaded.as_ref().and_then(|loaded| loaded.nearest(key));
            let done = match preset {
                Some(preset) => handle.install(key, preset.clone()).is_ok(),
                None => handle.remove(key),
            };
            if !done {
                return true;
            }
            self.waiting.pop_front();
        }
        false
    }

    fn keys(&self) -> impl Iterator<Item = PresetKey> {
        self.loaded.iter().flat_map(|loaded| loaded.presets.keys().copied())
    }
}

/// Answers for the plugin.
pub struct SynthMain<'a> {
    shared: &'a SynthShared<'a>,
    sounds: RefCell<Sounds>,
}

impl<'a> SynthMain<'a> {
    /// Without a SoundFont: silent.
    pub fn new(shared: &'a SynthShared<'a>) -> Self {
        let (loaded, handle, waiting) = (None, None, VecDeque::new());
        let sounds = Sounds { loaded, handle, waiting, collector: Collector::new() };
        SynthMain { shared, sounds: RefCell::new(sounds) }
    }

    /// There is a new synthesiser: it gets everything.
    pub fn connect(&self, handle: SynthHandle) {
        let sounds = &mut *self.sounds.borrow_mut();
        sounds.waiting = sounds.keys().collect();
        sounds.handle = Some(handle);
        self.install(sounds);
    }

    /// The synthesiser is gone.
    pub fn disconnect(&self) {
        let sounds = &mut *self.sounds.borrow_mut();
        sounds.handle = None;
        sounds.collector.collect();
    }

    fn install(&self, sounds: &mut Sounds) {
        if sounds.install() {
            self.shared.host.request_callback();
        }
    }

    /// Plays another SoundFont from now on; none for an empty path.
    fn choose(&self, path: &Path) -> Result<(), PluginError> {
        let sounds = &mut *self.sounds.borrow_mut();
        let loaded = match path.as_os_str().is_empty() {
            true => None,
            false => Some(Loaded::open(path, &sounds.collector)?),
        };
        let before: Vec<_> = sounds.keys().collect();
        sounds.loaded = loaded;
        let now: Vec<_> = sounds.keys().collect();
        sounds.waiting = before.into_iter().chain(now).collect();
        self.install(sounds);
        sounds.collector.collect();
        // One that sleeps would hold on to what it has.
        self.shared.host.request_process();
        Ok(())
    }
}

impl<'a> PluginMainThread<'a, SynthShared<'a>> for SynthMain<'a> {
    fn on_main_thread(&self) {
        let sounds = &mut *self.sounds.borrow_mut();
        let lacking =
            sounds.handle.iter_mut().flat_map(|handle| std::iter::from_fn(|| handle.next_request()));
        let lacking: Vec<_> = lacking.map(|request| request.key).collect();
        let has =
            |key: &PresetKey| sounds.loaded.as_ref().is_some_and(|loaded| loaded.nearest(*key).is_some());
        let found: Vec<_> = lacking.into_iter().filter(has).collect();
        sounds.waiting.extend(found);
        self.install(sounds);
        sounds.collector.collect();
    }
}

impl PluginStateImpl for SynthMain<'_> {
    fn save(&self, output: &mut OutputStream<'_>) -> Result<(), PluginError> {
        let sounds = self.sounds.borrow();
        let path = sounds.loaded.as_ref().map_or(Path::new(""), |loaded| &loaded.path);
        Ok(output.write_all(&state_of(path))?)
    }

    fn load(&self, input: &mut InputStream<'_>) -> Result<(), PluginError> {
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic)?;
        let mut path = Vec::new();
        input.take(MAX_PATH_BYTES).read_to_end(&mut path)?;
        if magic != MAGIC {
            return Err(PluginError::Message("this is no state of the SoundFont synthesiser"));
        }
        self.choose(Path::new(OsStr::from_bytes(&path)))
    }
}

impl PluginPresetLoadImpl for SynthMain<'_> {
    fn load_from_location(&self, location: Location<'_>, _: Option<&CStr>) -> Result<(), PluginError> {
        let path = location.file_path().ok_or(PluginError::Message("presets are SoundFont files"))?;
        self.choose(Path::new(OsStr::from_bytes(path.to_bytes())))
    }
}

impl PluginAudioPortsImpl for SynthMain<'_> {
    fn count(&self, is_input: bool) -> u32 {
        u32::from(!is_input)
    }

    fn get(&self, index: u32, is_input: bool, writer: &mut AudioPortInfoWriter<'_>) {
        if index == 0 && !is_input {
            writer.set(&AudioPortInfo {
                id: ClapId::new(0),
                name: b"Main",
                channel_count: CHANNELS as u32,
                flags: AudioPortFlags::IS_MAIN,
                port_type: Some(AudioPortType::STEREO),
                in_place_pair: None,
            });
        }
    }
}

impl PluginNotePortsImpl for SynthMain<'_> {
    fn count(&self, is_input: bool) -> u32 {
        u32::from(is_input)
    }

    fn get(&self, index: u32, is_input: bool, writer: &mut NotePortInfoWriter<'_>) {
        if index == 0 && is_input {
            writer.set(&NotePortInfo {
                id: ClapId::new(0),
                name: b"MIDI",
                supported_dialects: NoteDialects::MIDI,
                preferred_dialect: Some(NoteDialect::Midi),
            });
        }
    }
}
