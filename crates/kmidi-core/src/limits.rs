//! Every limit of the engine, in one place, related to each other by `const` assertions.
//!
//! Each is a promise in both directions: what is within it works without an allocation on the
//! audio thread; what is beyond it is refused or dropped *and counted*, never ignored.

/// Longest callback the engine serves, in frames; longer ones are served in pieces of this size.
pub const MAX_CALLBACK_FRAMES: usize = 8192;
/// Longest quantum (the constant block length every node sees), in frames.
pub const MAX_QUANTUM_FRAMES: usize = 1024;
/// Quantum where nothing else is asked for, in frames.
pub const DEFAULT_QUANTUM_FRAMES: usize = 64;

/// Lowest and highest sample rate accepted, in Hz.
pub const SAMPLE_RATE_RANGE_HZ: core::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Nodes in one graph.
pub const MAX_NODES: usize = 256;
/// Edges (audio and event together) in one graph.
pub const MAX_EDGES: usize = 1024;
/// Audio channels of one node, per direction.
pub const MAX_NODE_CHANNELS: usize = 64;
/// Channels the engine gives to (and takes from) a device.
pub const MAX_DEVICE_CHANNELS: usize = 32;
/// MIDI ports of a song (SMF `FF 21`), each with 16 channels.
pub const MAX_MIDI_PORTS: usize = 4;
/// Channels of one MIDI port.
pub const MIDI_CHANNELS: usize = 16;
/// Keys of one MIDI channel.
pub const MIDI_KEYS: usize = 128;

/// Longest latency a node may have, and longest compensation delay, in frames.
pub const MAX_LATENCY_FRAMES: usize = 65_536;

/// Events one node can receive (or send) in one quantum.
pub const MAX_EVENTS_PER_QUANTUM: usize = 8192;
/// Of these, the room that only note-offs and controller resets may use, so that a flood of
/// notes can never leave one hanging: one note-off for every key of every channel of a port.
pub const NOTE_OFF_RESERVE: usize = MIDI_CHANNELS * MIDI_KEYS;
/// Events that can wait in one compensation delay.
pub const EVENT_DELAY_EVENTS: usize = 2 * MAX_EVENTS_PER_QUANTUM;
/// Parameters of one node that can change in one quantum.
pub const MAX_PARAMETER_CHANGES: usize = 64;
/// Controllers of one node that can move its parameters.
pub const MAX_MAPPINGS: usize = 64;
/// Bytes of SysEx in flight on the audio thread.
pub const SYSEX_POOL_BYTES: usize = 1 << 16;
/// Longest single SysEx message that reaches a node, in bytes; longer ones are counted and dropped.
pub const MAX_SYSEX_BYTES: usize = 1 << 14;

/// Messages that can wait on the ring from side B to side A.
pub const MAIL_RING: usize = 256;
/// Boxes that can wait on the ring home.
pub const RETURN_RING: usize = 64;
/// Reports (guard trips, drops) that can wait on the ring from side A to side B.
pub const REPORT_RING: usize = 256;

/// Song events in one page of a streamed song.
pub const PAGE_EVENTS: usize = 4096;
/// SysEx bytes in one page of a streamed song.
pub const PAGE_SYSEX_BYTES: usize = 1 << 15;
/// Pages that can wait on the ring to the sequencer.
pub const PAGE_RING: usize = 8;

/// Places where song time jumps (loop wraps) inside one quantum.
pub const MAX_SPANS: usize = 8;
/// Shortest loop in frames of output: a quantum may then hold no more than [`MAX_SPANS`] spans.
pub const MIN_LOOP_FRAMES: usize = 256;

/// Tempo scale accepted: 1/16 to 16.
pub const MAX_TEMPO_SCALE: u32 = 16;

/// Level over which the output guard mutes a node: +24 dBFS.
pub const GUARD_LEVEL: f32 = 15.848_932;
/// How long a muted node must be well behaved before the output guard opens again, in milliseconds.
pub const GUARD_HOLD_MS: u32 = 500;
/// Level that no sample of the engine's output exceeds: 0 dBFS.
pub const MASTER_CEILING: f32 = 1.0;
/// How fast the master ceiling lets go of what it held down: milliseconds for the whole range.
pub const CEILING_RELEASE_MS: f32 = 200.0;
/// Length of the guard's ramps and of every gain's smoothing, in milliseconds.
pub const SMOOTHING_MS: f32 = 10.0;

const _: () = assert!(DEFAULT_QUANTUM_FRAMES <= MAX_QUANTUM_FRAMES);
const _: () = assert!(MAX_QUANTUM_FRAMES <= MAX_CALLBACK_FRAMES);
const _: () = assert!(NOTE_OFF_RESERVE < MAX_EVENTS_PER_QUANTUM);
const _: () = assert!(MAX_SYSEX_BYTES <= SYSEX_POOL_BYTES && MAX_SYSEX_BYTES <= PAGE_SYSEX_BYTES);
const _: () = assert!(MAX_QUANTUM_FRAMES / MIN_LOOP_FRAMES + 2 <= MAX_SPANS);
const _: () = assert!(MAX_NODE_CHANNELS <= 64, "silence masks are u64");
const _: () = assert!(MAX_MIDI_PORTS <= u16::MAX as usize);
const _: () = assert!(MAX_MAPPINGS <= MAX_EVENTS_PER_QUANTUM);
const _: () = assert!(SYSEX_POOL_BYTES.is_power_of_two());
