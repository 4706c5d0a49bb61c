//! A note effect that is heard to have been there: all goes to the channel after its own.

use clack_extensions::note_ports::*;
use clack_plugin::events::event_types::MidiEvent;
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::*;

pub struct Shift;

pub struct Main;

impl PluginMainThread<'_, ()> for Main {}

impl Plugin for Shift {
    type AudioProcessor<'a> = Audio;
    type Shared<'a> = ();
    type MainThread<'a> = Main;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&()>) {
        builder.register::<PluginNotePorts>();
    }
}

pub struct Audio;

impl<'a> PluginAudioProcessor<'a, (), Main> for Audio {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &Main,
        _: &'a (),
        _: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        Ok(Audio)
    }

    fn process(
        &mut self,
        _: Process<'_>,
        _: clack_plugin::process::Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        for event in events.input {
            if let Some(CoreEventSpace::Midi(midi)) = event.as_core_event() {
                let [status, first, second] = midi.data();
                let status = status & 0xf0 | status.wrapping_add(1) & 0x0f;
                let _ = events.output.try_push(MidiEvent::new(midi.time(), 0, [status, first, second]));
            }
        }
        Ok(ProcessStatus::Continue)
    }
}

impl PluginNotePortsImpl for Main {
    fn count(&self, _: bool) -> u32 {
        1
    }

    fn get(&self, _: u32, _: bool, writer: &mut NotePortInfoWriter<'_>) {
        writer.set(&NotePortInfo {
            id: ClapId::new(0),
            name: b"notes",
            supported_dialects: NoteDialects::MIDI,
            preferred_dialect: Some(NoteDialect::Midi),
        });
    }
}
