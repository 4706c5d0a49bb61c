//! What a plugin is, in the words of all formats. `[side B]`

use std::path::Path;

use super::factory::ClassInfo;
use super::layout::{self, Layout};
use super::parameters::Parameters;
use super::text::class_id_text;
use crate::{Description, Format, Kind, PluginId};

/// What is known without an instance.
pub fn of_class(class: &ClassInfo, path: &Path) -> Description {
    let tags = class.sub_categories.split('|').map(str::trim).filter(|tag| !tag.is_empty());
    Description {
        id: PluginId::new(Format::Vst3, class_id_text(&class.id)),
        name: class.name.clone(),
        vendor: class.vendor.clone(),
        version: class.version.clone(),
        path: path.to_owned(),
        kind: Kind::Effect,
        tags: tags.map(str::to_owned).collect(),
        audio_inputs: Vec::new(),
        audio_outputs: Vec::new(),
        event_inputs: Vec::new(),
        event_outputs: Vec::new(),
        parameters: Vec::new(),
    }
}

/// Adds what an instance says.
pub fn fill(description: &mut Description, layout: &Layout, parameters: &Parameters) {
    description.audio_inputs = layout::ports(&layout.inputs).cloned().collect();
    description.audio_outputs = layout::ports(&layout.outputs).cloned().collect();
    description.event_inputs = layout.event_inputs.clone();
    description.event_outputs = layout.event_outputs.clone();
    description.parameters = parameters.shown.clone();
    description.kind = kind(description);
}

/// By its sub-categories, else by its buses.
fn kind(description: &Description) -> Kind {
    let is = |tag: &str| description.tags.iter().any(|it| it == tag);
    let has_notes = !description.event_inputs.is_empty();
    if is("Instrument") {
        Kind::Instrument
    } else if description.audio_outputs.is_empty() && has_notes && !description.event_outputs.is_empty() {
        Kind::NoteEffect
    } else if is("Analyzer") {
        Kind::Analyzer
    } else if !is("Fx") && description.audio_inputs.is_empty() && has_notes {
        Kind::Instrument
    } else {
        Kind::Effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AudioPort, EventPort, PortRole};

    #[test]
    fn the_kind_follows_the_sub_categories_and_then_the_buses() {
        let audio = || vec![AudioPort { name: String::new(), channels: 2, role: PortRole::Main }];
        let events = || vec![EventPort { name: String::new(), midi: true }];
        let mut class = ClassInfo {
            id: [0; 16],
            name: String::new(),
            sub_categories: String::new(),
            vendor: String::new(),
            version: String::new(),
        };
        let mut kind_of = |tags: &str, ins, outs, notes_in, notes_out| {
            class.sub_categories = tags.to_owned();
            let mut description = of_class(&class, Path::new(""));
            description.audio_inputs = if ins { audio() } else { Vec::new() };
            description.audio_outputs = if outs { audio() } else { Vec::new() };
            description.event_inputs = if notes_in { events() } else { Vec::new() };
            description.event_outputs = if notes_out { events() } else { Vec::new() };
            kind(&description)
        };
        assert_eq!(kind_of("Instrument|Synth", false, true, true, false), Kind::Instrument);
        assert_eq!(kind_of("Fx|Instrument", true, true, true, false), Kind::Instrument);
        assert_eq!(kind_of("Fx|Delay", true, true, true, false), Kind::Effect);
        assert_eq!(kind_of(" Fx | Analyzer ", true, true, false, false), Kind::Analyzer);
        assert_eq!(kind_of("Fx", false, false, true, true), Kind::NoteEffect);
        assert_eq!(kind_of("", false, true, true, false), Kind::Instrument);
        assert_eq!(kind_of("||", true, true, false, false), Kind::Effect);
    }
}
