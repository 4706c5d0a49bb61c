//! The allocator as a program has it: these tests run with it.

mod audio;
mod budgets;
mod counts;
mod leaks;
mod places;
mod scopes;

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

/// Counters are the process's: tests that read them run one at a time.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
