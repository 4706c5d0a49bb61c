use std::io;
use std::sync::Arc;

/// Bytes that can be read from any place: a file, or memory.
///
/// What the implementation reads must not change while a song is read from it; if it does (or
/// shrinks), events come out wrong or end early, but nothing panics.
pub trait ByteSource: Send + Sync {
    /// Bytes there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads some bytes from `offset` on into `buf`; returns how many, 0 only at the end.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
}

impl ByteSource for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl ByteSource for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buf)
    }
}

macro_rules! through_a_pointer {
    ($($t:ty),*) => {$(
        impl<T: ByteSource + ?Sized> ByteSource for $t {
            fn len(&self) -> u64 {
                (**self).len()
            }

            fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
                (**self).read_at(offset, buf)
            }
        }
    )*};
}
through_a_pointer!(&T, Arc<T>);

/// Fills as much of `buf` as there is from `offset` on.
pub(crate) fn read_full(source: &dyn ByteSource, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match source.read_at(offset + filled as u64, &mut buf[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count.min(buf.len() - filled),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A piece of a source held in memory, moved along as it is read.
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: u64,
    /// Bytes held in the ordinary case; a look further ahead may hold more for a while.
    capacity: usize,
}

impl Window {
    pub fn new(capacity: usize) -> Self {
        Window { bytes: Vec::new(), start: 0, capacity }
    }

    /// The bytes from `at` on: at least `want` of them, or all up to `limit` if there are fewer.
    /// Fewer still where the source has become shorter than it was.
    pub fn bytes(&mut self, source: &dyn ByteSource, at: u64, want: usize, limit: u64) -> io::Result<&[u8]> {
        let wanted_end = limit.min(at.saturating_add(want as u64));
        let held_end = self.start + self.bytes.len() as u64;
        if at < self.start || wanted_end > held_end {
            let size = (limit - at).min(self.capacity.max(want * 4) as u64) as usize;
            // A window that grew for a look ahead shrinks again, so that many tracks stay small.
            if self.bytes.capacity() > self.capacity && size <= self.capacity {
                self.bytes = Vec::with_capacity(size);
            }
            self.bytes.resize(size, 0);
            let count = read_full(source, at, &mut self.bytes)?;
            self.bytes.truncate(count);
            self.start = at;
        }
        let from = ((at - self.start) as usize).min(self.bytes.len());
        let to = self.bytes.len().min(((limit.max(self.start) - self.start) as usize).max(from));
        Ok(&self.bytes[from..to])
    }

    /// What is held from `at` on; `None` if that is nothing.
    #[inline]
    pub fn held(&self, at: u64) -> Option<&[u8]> {
        let from = usize::try_from(at.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..).filter(|bytes| !bytes.is_empty())
    }

    /// Forgets what is held, and its memory.
    pub fn release(&mut self) {
        self.bytes = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, and an interruption before each.
    struct Trickle(Vec<u8>, std::sync::atomic::AtomicBool);
    impl ByteSource for Trickle {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            if self.1.fetch_xor(true, std::sync::atomic::Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let end = buf.len().min(1);
            self.0.read_at(offset, &mut buf[..end])
        }
    }

    #[test]
    fn short_reads_and_interruptions_lose_nothing() {
        let source = Trickle((0..=255).collect(), true.into());
        let mut window = Window::new(16);
        for at in 0..256u64 {
            let bytes = window.bytes(&source, at, 8, 250).unwrap();
            let expected = (250u64.saturating_sub(at)).min(8) as usize;
            assert!(bytes.len() >= expected, "{at}: {}", bytes.len());
            assert!(bytes.iter().enumerate().all(|(i, &b)| u64::from(b) == at + i as u64));
            assert!(at + bytes.len() as u64 <= 250.max(at));
        }
    }

    #[test]
    fn a_look_ahead_does_not_keep_its_memory() {
        let source = vec![1u8; 100_000];
        let mut window = Window::new(64);
        assert!(window.bytes(&source, 0, 512, 100_000).unwrap().len() >= 512);
        window.bytes(&source, 50_000, 16, 100_000).unwrap();
        assert!(window.bytes.capacity() <= 64, "{}", window.bytes.capacity());
    }

    #[test]
    fn a_source_that_shrank_reads_short() {
        let mut window = Window::new(64);
        assert_eq!(window.bytes(&vec![1u8; 10], 4, 16, 1000).unwrap(), [1; 6]);
        assert_eq!(window.bytes(&vec![1u8; 10], 20, 16, 1000).unwrap(), [0u8; 0]);
    }
}
