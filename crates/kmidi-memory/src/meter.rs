use std::marker::PhantomData;

use crate::local::{self, Local};
use crate::{Domain, Tally};

/// What the calling thread has allocated in a domain since the meter was started, less what it has freed:
/// a job's own tally, which costs nothing where nobody looks.
///
/// ```
/// # #[global_allocator]
/// # static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();
/// use kmidi_memory::{Domain, Meter};
///
/// Domain::Working.charge(|| {
///     let meter = Meter::start(Domain::Working);
///     let song = vec![0u8; 3000];
///     assert_eq!(meter.net_bytes(), 3000);
///     drop(song);
///     assert_eq!(meter.net_bytes(), 0);
/// });
/// ```
pub struct Meter {
    domain: Domain,
    start: Tally,
    /// It means something on the thread that started it only.
    thread: PhantomData<*const ()>,
}

impl Meter {
    /// Starts at nothing.
    pub fn start(domain: Domain) -> Self {
        Meter { domain, start: Self::now(domain), thread: PhantomData }
    }

    fn now(domain: Domain) -> Tally {
        local::with(Local::shard).tally(domain)
    }

    /// Bytes; below nothing where the thread has freed what others allocated.
    pub fn net_bytes(&self) -> i64 {
        let now = Self::now(self.domain);
        let allocated = now.allocated_bytes.wrapping_sub(self.start.allocated_bytes);
        let freed = now.freed_bytes.wrapping_sub(self.start.freed_bytes);
        allocated.wrapping_sub(freed).cast_signed()
    }
}
