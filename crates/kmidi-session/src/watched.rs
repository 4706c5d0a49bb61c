use kmidi_core::{DeviceCallback, DeviceIo};

/// What calls the engine, with the heap told that nothing is to be allocated or freed meanwhile: it counts what is.
/// `[side A]`
pub(crate) struct Watched<C>(pub C);

impl<C: DeviceCallback> DeviceCallback for Watched<C> {
    fn process(&mut self, io: &mut DeviceIo<'_, '_>) {
        kmidi_memory::forbid(|| self.0.process(io));
    }
}

#[cfg(test)]
mod tests {
    use kmidi_core::MidiBuffer;

    use super::*;

    struct Call<F>(F);

    impl<F: FnMut() + Send> DeviceCallback for Call<F> {
        fn process(&mut self, _: &mut DeviceIo<'_, '_>) {
            (self.0)();
        }
    }

    /// How many allocations and frees are counted while `work` is called as an engine.
    fn check(work: impl FnMut() + Send, expected: (u64, u64)) {
        let (midi_in, mut midi_out) = (MidiBuffer::new(1, 1), MidiBuffer::new(1, 1));
        let mut io = DeviceIo {
            frames: 64,
            inputs: &[],
            outputs: &mut [],
            midi_in: &midi_in,
            midi_out: &mut midi_out,
        };
        let mut watched = Watched(Call(work));
        let before = kmidi_memory::violations();
        watched.process(&mut io);
        let after = kmidi_memory::violations();
        let counted = (after.allocations - before.allocations, after.frees - before.frees);
        assert_eq!(counted, expected);
    }

    #[test]
    fn what_the_engine_allocates_and_frees_is_counted() {
        check(|| drop(std::hint::black_box(Box::new(1))), (1, 1));
        let mut calls = 0;
        check(|| calls += 1, (0, 0));
        assert_eq!(calls, 1);
    }
}
