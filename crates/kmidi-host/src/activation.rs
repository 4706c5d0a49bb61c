/// How a plugin is to run from activation to deactivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Sample rate in Hz.
    pub sample_rate_hz: u32,
    /// Frames of every quantum. Only a test of odd block sizes gives others, never longer ones.
    pub quantum_frames: u32,
    /// Whether nothing waits for the sound: a plugin may take its time, and what else it does on a worker it does
    /// before the quantum ends.
    pub offline: bool,
}
