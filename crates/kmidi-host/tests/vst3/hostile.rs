//! A plugin that says absurd things.

use std::time::{Duration, Instant};

use kmidi_core::Event;
use kmidi_host::{Told, describe_vst3_of};

use crate::plugin::{Config, Factory, Shared};
use crate::{Running, at, loaded};

fn hostile() -> Config {
    Config { is_hostile: true, ..Config::default() }
}

#[test]
fn absurd_counts_and_endless_text_cost_neither_the_host_nor_its_memory() {
    let began = Instant::now();
    let (mut plugin, _) = loaded(hostile());
    let description = plugin.description().clone();
    assert_eq!(description.name, "A".repeat(64));
    assert!(description.audio_inputs.is_empty() && description.audio_outputs.is_empty());
    assert_eq!((description.event_inputs.len(), description.event_outputs.len()), (16, 16));
    assert!(!description.parameters.is_empty() && description.parameters.len() <= 16_384);
    for parameter in &description.parameters {
        assert!(parameter.choices.len() <= 64);
        assert!((0.0..=1.0).contains(&parameter.default), "{parameter:?}");
        assert!(parameter.unit.is_empty(), "control characters are left out");
        assert!(parameter.name.chars().count() <= 128);
        assert_eq!(plugin.value(parameter.id), Some(0.0));
        let _ = plugin.text_of(parameter.id, 0.5);
    }
    let mut symbols: Vec<&str> = description.parameters.iter().map(|it| it.symbol.as_str()).collect();
    symbols.sort_unstable();
    symbols.dedup();
    assert_eq!(symbols.len(), description.parameters.len());
    assert!(plugin.presets().len() <= 4096);
    let mut running = Running::new(plugin);
    running.run(&[at(0, Event::note_on(0, 60, 90)), at(1, Event::ProgramChange { channel: 0, program: 5 })]);
    running.active.idle();
    assert!(std::iter::from_fn(|| running.active.told()).all(|told| told != Told::ProcessFailed));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_factory_with_absurdly_many_classes_is_asked_for_no_more_than_allowed() {
    let found = describe_vst3_of(Factory::of(&[Shared::new(hostile())]));
    assert_eq!(found.len(), 1);
}
