//! Which thread this is to a plugin. Formats name two: the *main thread*, on which an instance is made and spoken to,
//! and the *audio thread*, which is whichever thread runs its audio half at the time.

use std::cell::Cell;

thread_local! {
    static IS_AUDIO: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread is the audio thread to plugins. `[side A]`
pub(crate) struct AudioThread {
    before: bool,
}

impl AudioThread {
    pub fn enter() -> Self {
        AudioThread { before: IS_AUDIO.replace(true) }
    }
}

impl Drop for AudioThread {
    fn drop(&mut self) {
        IS_AUDIO.set(self.before);
    }
}

/// Whether an audio half is running on this thread now. `[side A]`
pub(crate) fn is_audio_thread() -> bool {
    IS_AUDIO.get()
}

/// A number that no other living thread has; never 0. `[side A]`
pub(crate) fn thread_token() -> usize {
    IS_AUDIO.with(|cell| std::ptr::from_ref(cell).addr())
}
