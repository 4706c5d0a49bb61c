mod edits;
mod joining;
mod latency;
mod notes;
mod outputs;
mod stage;
