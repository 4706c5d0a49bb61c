//! Audio and note ports.

use std::collections::BTreeSet;

use clap_sys::ext::audio_ports::*;
use clap_sys::ext::note_ports::*;

use super::file::{field, text};
use super::instance::Instance;

/// One direction of the audio ports; `None` where the plugin has no such extension.
pub fn audio(instance: &Instance<'_>, is_input: bool) -> Vec<clap_audio_port_info> {
    let Some(ports) = instance.extension::<clap_plugin_audio_ports>(CLAP_EXT_AUDIO_PORTS) else {
        return vec![];
    };
    // SAFETY: counts and infos are asked for on the main thread, of a plugin that is not active.
    let count = unsafe { ports.count.expect("in the header")(instance.raw(), is_input) };
    let info = |index| {
        // SAFETY: as above; zeros are an info.
        let mut info: clap_audio_port_info = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let is_there =
            unsafe { ports.get.expect("in the header")(instance.raw(), index, is_input, &mut info) };
        is_there.then_some(info)
    };
    instance.host.rule(info(count).is_none(), || "it has an audio port behind the last".into());
    (0..count).filter_map(info).collect()
}

fn notes(instance: &Instance<'_>, is_input: bool) -> Vec<clap_note_port_info> {
    let Some(ports) = instance.extension::<clap_plugin_note_ports>(CLAP_EXT_NOTE_PORTS) else {
        return vec![];
    };
    // SAFETY: as for audio ports.
    let count = unsafe { ports.count.expect("in the header")(instance.raw(), is_input) };
    let info = |index| {
        // SAFETY: as for audio ports.
        let mut info: clap_note_port_info = unsafe { std::mem::zeroed() };
        // SAFETY: as for audio ports.
        let is_there =
            unsafe { ports.get.expect("in the header")(instance.raw(), index, is_input, &mut info) };
        is_there.then_some(info)
    };
    instance.host.rule(info(count).is_none(), || "it has a note port behind the last".into());
    (0..count).filter_map(info).collect()
}

/// The rules of ports.
pub fn check(instance: &Instance<'_>) {
    let rule = |kept: bool, text: String| instance.host.rule(kept, || text);
    let [inputs, outputs] = [true, false].map(|is_input| audio(instance, is_input));
    for (ports, others) in [(&inputs, &outputs), (&outputs, &inputs)] {
        let ids: BTreeSet<u32> = ports.iter().map(|port| port.id).collect();
        rule(ids.len() == ports.len(), "two audio ports of a direction have one id".into());
        for (index, port) in ports.iter().enumerate() {
            let name = field(&port.name);
            rule(!name.is_empty(), format!("audio port {index} has no name"));
            rule(port.channel_count > 0, format!("audio port {name} has no channels"));
            let is_main = port.flags & CLAP_AUDIO_PORT_IS_MAIN != 0;
            rule(!is_main || index == 0, format!("audio port {name} is main and not the first"));
            let type_ = text(port.port_type);
            let fits = match type_.as_str() {
                "mono" => port.channel_count == 1,
                "stereo" => port.channel_count == 2,
                _ => true,
            };
            rule(fits, format!("audio port {name} is {type_} and has {} channels", port.channel_count));
            let has_pair =
                port.in_place_pair == u32::MAX || others.iter().any(|it| it.id == port.in_place_pair);
            rule(has_pair, format!("audio port {name} shares its buffer with a port that is not there"));
        }
    }
    for is_input in [true, false] {
        let ports = notes(instance, is_input);
        let ids: BTreeSet<u32> = ports.iter().map(|port| port.id).collect();
        rule(ids.len() == ports.len(), "two note ports of a direction have one id".into());
        for port in &ports {
            let name = field(&port.name);
            let preferred = port.preferred_dialect;
            rule(!name.is_empty(), "a note port has no name".into());
            rule(
                preferred.count_ones() == 1 && port.supported_dialects & preferred != 0,
                format!("note port {name} prefers a dialect that it does not speak"),
            );
        }
    }
}
