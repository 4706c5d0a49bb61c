//! A slow, plain renderer of the SoundFont 2.04 specification, against which the synthesiser is
//! held. It shares the types of a preset with it and nothing else: everything is computed for
//! every frame, in f64, from closed formulas.
//!
//! What the specification leaves open is fixed here as in the synthesiser: third-order
//! interpolation, a bilinear filter, the constant-power pan law, 0.4 of a zone's attenuation, and
//! how controllers that move are smoothed: they are read every 64 frames (counted from the first
//! note after silence) and reached 64 frames later, straight in amplitude and in frequency.
//!
//! Dry, one port, no system exclusive messages, unlimited polyphony.

mod channel;
mod curves;
mod note;

use basedrop::Shared;
use kmidi_core::Event;
use kmidi_soundfont::{Preset, PresetKey};

use channel::Channel;
use note::Note;

/// Frames between two looks at the controllers.
const GRID: u64 = 64;

/// Renders events (in time order) to left and right, at output gain 1.
pub fn render(
    presets: &dyn Fn(PresetKey) -> Option<Shared<Preset>>,
    events: &[(u64, Event)],
    frames: u64,
    sample_rate_hz: f64,
) -> [Vec<f64>; 2] {
    let mut channels: Vec<_> = (0..16).map(Channel::new).collect();
    for channel in &mut channels {
        channel.preset = presets(channel.wanted());
    }
    let mut notes: Vec<Note> = Vec::new();
    let mut out = [Vec::new(), Vec::new()];
    let (mut grid_start, mut next) = (0, 0);
    for frame in 0..frames {
        while let Some(&(_, event)) = events.get(next).filter(|(time, _)| *time <= frame) {
            if matches!(event, Event::NoteOn { .. }) && notes.is_empty() {
                grid_start = frame;
            }
            handle(presets, &mut channels, &mut notes, event, frame, sample_rate_hz);
            next += 1;
        }
        let on_grid = (frame - grid_start) % GRID == 0;
        let (mut left, mut right) = (0.0, 0.0);
        notes.retain_mut(|note| {
            let since_grid = (frame - grid_start) % GRID;
            let Some(sound) = note.frame(&channels[note.channel], frame, on_grid.then_some(()), since_grid)
            else {
                return false;
            };
            left += sound[0];
            right += sound[1];
            true
        });
        out[0].push(left);
        out[1].push(right);
    }
    out
}

fn handle(
    presets: &dyn Fn(PresetKey) -> Option<Shared<Preset>>,
    channels: &mut [Channel],
    notes: &mut Vec<Note>,
    event: Event,
    frame: u64,
    rate: f64,
) {
    match event {
        Event::NoteOn { channel, key, velocity } => {
            let index = usize::from(channel);
            key_up(channels, notes, index, Some(key), frame);
            let Some(preset) = channels[index].preset.clone() else { return };
            let velocity = f64::from(velocity) * 127.0;
            let heard = (velocity.round() as u8).max(1);
            let started = notes.len();
            for (number, zone) in preset.zones.iter().enumerate() {
                if zone.keys.contains(&key) && zone.velocities.contains(&heard) {
                    notes.extend(Note::start(
                        &channels[index],
                        index,
                        key,
                        velocity,
                        (&preset, number),
                        frame,
                        rate,
                    ));
                }
            }
            let (old, new) = notes.split_at_mut(started);
            for class in new.iter().map(Note::exclusive_class).filter(|&class| class != 0) {
                for note in old.iter_mut().filter(|n| n.channel == index && n.exclusive_class() == class) {
                    note.choke(frame);
                }
            }
        }
        Event::NoteOff { channel, key, .. } => {
            key_up(channels, notes, usize::from(channel), Some(key), frame)
        }
        Event::ControlChange { channel, controller: 123..=127, .. } => {
            key_up(channels, notes, usize::from(channel), None, frame);
        }
        Event::ControlChange { channel, controller: 120, .. } => {
            notes.iter_mut().filter(|n| n.channel == usize::from(channel)).for_each(|n| n.silence(frame));
        }
        Event::ProgramChange { channel, program } => {
            let channel = &mut channels[usize::from(channel)];
            channel.program = program;
            if let Some(preset) = presets(channel.wanted()) {
                channel.preset = Some(preset);
            }
        }
        Event::ControlChange { channel, controller, value } => {
            let index = usize::from(channel);
            channels[index].controller(controller, value);
            for note in notes.iter_mut().filter(|note| note.channel == index) {
                note.pedals(&channels[index], controller, frame);
            }
        }
        Event::PolyPressure { channel, key, pressure } => {
            channels[usize::from(channel)].key_pressure[usize::from(key)] = pressure;
        }
        Event::ChannelPressure { channel, pressure } => channels[usize::from(channel)].pressure = pressure,
        Event::PitchBend { channel, value } => channels[usize::from(channel)].wheel = value,
        _ => {}
    }
}

fn key_up(channels: &[Channel], notes: &mut [Note], channel: usize, key: Option<u8>, frame: u64) {
    for note in notes.iter_mut().filter(|n| n.channel == channel && key.is_none_or(|key| n.key == key)) {
        note.key_up(&channels[channel], frame);
    }
}
