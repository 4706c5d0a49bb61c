use crate::heap::with_route;
use crate::local::{self, Local};
use crate::region::{self, RegionStatus};
use crate::{BudgetExceeded, Domain, Meter};

/// Builds what side A will own: all that `build` allocates on this thread comes from the region. `[side B]`
///
/// ```
/// # #[global_allocator]
/// # static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();
/// let buffer = kmidi_memory::audio_heap("a delay line", || vec![0.0f32; 48_000])?;
/// assert!(kmidi_memory::is_in_region(buffer.as_ptr()));
/// # Ok::<(), kmidi_memory::BudgetExceeded>(())
/// ```
///
/// # Errors
/// [`BudgetExceeded`] where the region is full. What was built is dropped then: it came, in part, from
/// the other heap, so that the program goes on.
pub fn audio_heap<T>(name: &str, build: impl FnOnce() -> T) -> Result<T, BudgetExceeded> {
    let spilled = || local::with(|local| (local.spilled.get(), local.spilled_bytes.get()));
    let before = spilled();
    let used_bytes = crate::tally(Domain::Audio).live_bytes();
    let meter = Meter::start(Domain::Audio);
    let built = with_route(|route| Local::with_domain(route, Domain::Audio) | Local::IN_REGION, build);
    let after = spilled();
    if before == after {
        return Ok(built);
    }
    // What spilled is of this domain too.
    let asked_bytes = u64::try_from(meter.net_bytes()).unwrap_or(0).max(after.1 - before.1);
    drop(built);
    let RegionStatus { reserved_bytes, .. } = region::status();
    Err(BudgetExceeded {
        scope: Some(Domain::Audio),
        name: name.to_owned(),
        asked_bytes,
        used_bytes,
        limit_bytes: reserved_bytes as u64,
        holders: Vec::new(),
    })
}

/// Whether an address is inside side A's region.
pub fn is_in_region<T>(address: *const T) -> bool {
    region::holds(address.cast())
}
