use crate::limits::{MAX_SYSEX_BYTES, SYSEX_POOL_BYTES};

/// Names a SysEx message in the engine's [`SysExPool`]; a stale handle reads as `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SysExHandle {
    /// Low 32 bits of the pool's running byte count where the message starts.
    start: u32,
    len: u16,
}

/// A fixed ring of SysEx bytes that travels with the events of one engine. `[side A]`
///
/// Messages stay readable until [`SYSEX_POOL_BYTES`] more bytes have been pushed; what has been
/// overwritten since reads as `None`, never as somebody else's bytes.
pub struct SysExPool {
    bytes: Box<[u8]>,
    /// Bytes ever pushed.
    written: u64,
}

impl SysExPool {
    /// An empty pool. `[side B]`: allocates.
    #[allow(clippy::new_without_default, reason = "allocates its full size: not a cheap default")]
    pub fn new() -> Self {
        SysExPool { bytes: vec![0; SYSEX_POOL_BYTES].into_boxed_slice(), written: 0 }
    }

    /// Copies a message (from `F0` to `F7`) in; `None` if it is longer than [`MAX_SYSEX_BYTES`].
    /// Messages are kept in one piece: the rest of the ring is skipped if it is too short.
    pub fn push(&mut self, message: &[u8]) -> Option<SysExHandle> {
        if message.len() > MAX_SYSEX_BYTES {
            return None;
        }
        let size = SYSEX_POOL_BYTES as u64;
        let mut at = self.written % size;
        if at + message.len() as u64 > size {
            self.written += size - at;
            at = 0;
        }
        self.bytes[at as usize..at as usize + message.len()].copy_from_slice(message);
        let handle = SysExHandle { start: self.written as u32, len: message.len() as u16 };
        self.written += message.len() as u64;
        Some(handle)
    }

    /// The message, unless it has been overwritten.
    pub fn get(&self, handle: SysExHandle) -> Option<&[u8]> {
        let age = (self.written as u32).wrapping_sub(handle.start) as usize;
        if age > SYSEX_POOL_BYTES || age < usize::from(handle.len) {
            return None;
        }
        let at = handle.start as usize % SYSEX_POOL_BYTES;
        self.bytes.get(at..at + usize::from(handle.len))
    }
}

const _: () = assert!(MAX_SYSEX_BYTES <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overwritten_message_reads_as_none_not_as_another() {
        let mut pool = SysExPool::new();
        let first = pool.push(&[1; 1000]).unwrap();
        assert_eq!(pool.get(first), Some(&[1u8; 1000][..]));
        for i in 0..100_000u32 {
            let byte = i as u8;
            let handle = pool.push(&vec![byte; 1 + i as usize % 997]).unwrap();
            assert!(pool.get(handle).unwrap().iter().all(|&b| b == byte));
            if i > 1000 {
                assert_eq!(pool.get(first), None);
            }
        }
        assert!(pool.push(&vec![0; MAX_SYSEX_BYTES + 1]).is_none());
    }
}
