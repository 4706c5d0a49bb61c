mod edits;
mod latency;
mod notes;
mod stage;
