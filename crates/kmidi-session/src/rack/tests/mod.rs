mod edits;
mod joining;
mod latency;
mod note_effects;
mod notes;
mod outputs;
mod stage;
mod wiring;
